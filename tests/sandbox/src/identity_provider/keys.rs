//! The keys that tokens are signed with: one for RS256, one for ES256. The second is made anew for each sandbox.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::rand::SystemRandom;
use ring::rsa::PublicKeyComponents;
use ring::signature::{
    ECDSA_P256_SHA256_FIXED, ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair, RSA_PKCS1_2048_8192_SHA256,
    RSA_PKCS1_SHA256, RsaKeyPair, UnparsedPublicKey,
};
use serde_json::{Value, json};

use super::token::{Algorithm, SignedBy};

/// Making an RSA key takes a while. This one is good for nothing but this double.
const RSA_KEY: &[u8] = include_bytes!("rsa-2048.test-key.der");

/// The keys of all providers, and those of somebody who would like to be one.
#[derive(Debug)]
pub(crate) struct SigningKeys {
    rsa: RsaKeyPair,
    ec: EcdsaKeyPair,
    forger: EcdsaKeyPair,
    random: SystemRandom,
}

impl SigningKeys {
    /// Makes them.
    pub(crate) fn new() -> Result<Self, ring::error::KeyRejected> {
        let random = SystemRandom::new();
        let (ec, forger) = (elliptic(&random)?, elliptic(&random)?);
        Ok(Self { rsa: RsaKeyPair::from_pkcs8(RSA_KEY)?, ec, forger, random })
    }

    pub(super) fn sign(&self, algorithm: Algorithm, by: SignedBy, text: &[u8]) -> Vec<u8> {
        let elliptic = |key: &EcdsaKeyPair| key.sign(&self.random, text).map(|signature| signature.as_ref().to_vec());
        let signed = match (algorithm, by) {
            (_, SignedBy::Nobody) => return Vec::new(),
            (_, SignedBy::Forger) => elliptic(&self.forger),
            (Algorithm::Es256, SignedBy::Provider) => elliptic(&self.ec),
            (Algorithm::Rs256, SignedBy::Provider) => {
                let mut signature = vec![0; self.rsa.public().modulus_len()];
                self.rsa.sign(&RSA_PKCS1_SHA256, &self.random, text, &mut signature).map(|()| signature)
            }
        };
        signed.unwrap_or_default()
    }

    /// Whether a signature is one of the key with this id.
    pub(super) fn holds(&self, algorithm: Algorithm, key_id: &str, text: &[u8], signature: &[u8]) -> bool {
        if key_id != algorithm.key_id() {
            return false;
        }
        match algorithm {
            Algorithm::Rs256 => {
                UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, self.rsa.public()).verify(text, signature).is_ok()
            }
            Algorithm::Es256 => {
                UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, self.ec.public_key()).verify(text, signature).is_ok()
            }
        }
    }

    /// The public keys (RFC 7517, RFC 7518 sections 6.2 and 6.3).
    pub(super) fn json_web_keys(&self) -> Value {
        let text = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
        let rsa: PublicKeyComponents<Vec<u8>> = self.rsa.public().into();
        let point = self.ec.public_key().as_ref();
        let (x, y) = point.get(1..).unwrap_or_default().split_at(32.min(point.len().saturating_sub(1)));
        json!({"keys": [
            {"kty": "RSA", "use": "sig", "alg": "RS256", "kid": Algorithm::Rs256.key_id(), "n": text(&rsa.n), "e": text(&rsa.e)},
            {"kty": "EC", "use": "sig", "alg": "ES256", "kid": Algorithm::Es256.key_id(), "crv": "P-256", "x": text(x), "y": text(y)},
        ]})
    }
}

fn elliptic(random: &SystemRandom) -> Result<EcdsaKeyPair, ring::error::KeyRejected> {
    let algorithm = &ECDSA_P256_SHA256_FIXED_SIGNING;
    // Without randomness there is no key, and none is what parsing nothing gives.
    let pkcs8 = EcdsaKeyPair::generate_pkcs8(algorithm, random);
    let bytes = pkcs8.as_ref().map_or(&b""[..], |key| key.as_ref());
    EcdsaKeyPair::from_pkcs8(algorithm, bytes, random)
}
