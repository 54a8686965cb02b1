//! How a prompter hands a password to gnome-keyring: `sx-aes-1`, as gcr's `GcrSecretExchange` describes it. Both sides agree
//! on a key by Diffie-Hellman (RFC 3526, group 5), HKDF-SHA256 makes it an AES-128 key, and the password goes in CBC.

use aes::Aes128;
use aes::cipher::{BlockCipherEncrypt as _, KeyInit as _};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, Mac as _};
use num_bigint::BigUint;
use sha2::Sha256;

/// RFC 3526, section 2; the generator is 2.
const PRIME: &str = "FFFFFFFFFFFFFFFFC90FDAA22168C234C4C6628B80DC1CD129024E088A67CC74020BBEA63B139B22514A08798E3404DD\
                     EF9519B3CD3A431B302B0A6DF25F14374FE1356D6D51C245E485B576625E7EC6F44C42E9A637ED6B0BFF5CB6F406B7ED\
                     EE386BFB5A899FA5AE9F24117C4B1FE649286651ECE45B3DC2007CB8A163BF0598DA48361C55D39A69163FA8FD24CF5F\
                     83655D23DCA3AD961C62F356208552BB9ED529077096966D670C354E4ABC9804F1746C08CA237327FFFFFFFFFFFFFFFF";

const BLOCK: usize = 16;

/// Returns the answer to the keyring's half of an exchange. Nothing here is secret, so the private numbers are small.
pub(super) fn sealed(begun: &str, password: &str) -> String {
    let public = begun.lines().find_map(|line| line.strip_prefix("public=")).expect("the keyring begins the exchange");
    let public = BigUint::from_bytes_be(&STANDARD.decode(public.trim()).expect("base64"));
    let prime = BigUint::parse_bytes(PRIME.as_bytes(), 16).expect("a number");
    // Versions differ in how a shared number of fewer bytes than the prime is written, so one of as many is taken.
    let shared = |private: &u32| public.modpow(&BigUint::from(*private), &prime).to_bytes_be();
    let private = (1024..).find(|private| shared(private).len() == PRIME.len() / 2).expect("most are that long");
    let own = BigUint::from(2_u8).modpow(&BigUint::from(private), &prime).to_bytes_be();
    let (iv, secret) = ([7; BLOCK], encrypted(&key(&shared(&private)), [7; BLOCK], password.as_bytes()));
    let [own, secret, iv] = [own, secret, iv.to_vec()].map(|bytes| STANDARD.encode(bytes));
    format!("[sx-aes-1]\npublic={own}\nsecret={secret}\niv={iv}\n")
}

/// HKDF-SHA256 (RFC 5869) without salt and info, of which one block is enough.
fn key(shared: &[u8]) -> [u8; BLOCK] {
    let hash = |key: &[u8], text: &[u8]| {
        let hmac = Hmac::<Sha256>::new_from_slice(key).expect("any length is a key");
        hmac.chain_update(text).finalize().into_bytes()
    };
    let key = hash(&hash(&[0; 32], shared), &[1]);
    key[..BLOCK].try_into().expect("sixteen bytes")
}

/// AES-128-CBC with the padding of PKCS #7.
fn encrypted(key: &[u8; BLOCK], iv: [u8; BLOCK], text: &[u8]) -> Vec<u8> {
    let padding = BLOCK - text.len() % BLOCK;
    let padded = [text.to_vec(), vec![u8::try_from(padding).expect("at most sixteen"); padding]].concat();
    let cipher = Aes128::new(&(*key).into());
    let mut last = iv;
    let mut out = Vec::new();
    for block in padded.chunks(BLOCK) {
        last.iter_mut().zip(block).for_each(|(last, byte)| *last ^= byte);
        let mut block = last.into();
        cipher.encrypt_block(&mut block);
        last = block.into();
        out.extend(last);
    }
    out
}
