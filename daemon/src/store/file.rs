//! Records in encrypted files, one per record, for machines without a keyring. Never chosen by itself, never plaintext.
//!
//! XChaCha20-Poly1305 under a key made from a passphrase or a key file ([`key`]); a fresh random nonce each time; a record's
//! name and format are authenticated with it. Files are replaced whole ([`place`]). Format of a file:
//! `tegata-sealed`, version byte, 24 bytes nonce, ciphertext with its 16-byte tag.

mod key;
mod place;

use super::{Bytes, Key, Kind, MAX_RECORD_BYTES, Records, StoreError};
use chacha20poly1305::aead::{Aead, Payload};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};
pub use key::FileKey;
use key::{Cost, KeySource};
use place::Place;
use std::path::PathBuf;
use tegata_protocol::Secret;

const MAGIC: &[u8] = b"tegata-sealed";
const VERSION: u8 = 1;
const NONCE_BYTES: usize = 24;
const TAG_BYTES: usize = 16;
const HEAD_BYTES: usize = MAGIC.len() + 1 + NONCE_BYTES;

/// Records in encrypted files.
#[derive(Debug)]
pub struct Files {
    place: Place,
    source: KeySource,
    unsealed: Option<Cipher>,
}

/// The key, ready to use.
struct Cipher(XChaCha20Poly1305);

impl std::fmt::Debug for Cipher {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("[redacted]")
    }
}

impl Files {
    /// Keeps records in this directory, sealed with this key. Nothing is opened before the first request.
    #[must_use]
    pub fn new(directory: PathBuf, key: FileKey) -> Self {
        Self::with_cost(directory, key, Cost::default())
    }

    fn with_cost(directory: PathBuf, key: FileKey, cost: Cost) -> Self {
        Self { place: Place::new(directory), source: KeySource::new(key, cost), unsealed: None }
    }

    /// Returns the place and the key, reading the key file if there is one. A passphrase has to come by
    /// [`Records::unlock`] first.
    fn unsealed(&mut self) -> Result<(&Place, &Cipher), StoreError> {
        let cipher = match self.unsealed.take() {
            Some(cipher) => cipher,
            None => self.source.cipher(&self.place, None)?,
        };
        Ok((&self.place, self.unsealed.insert(cipher)))
    }
}

fn file_name(key: &Key) -> String {
    format!("{}.sealed", key.as_str())
}

/// What is authenticated besides the content.
fn bound_to(name: &str) -> Vec<u8> {
    [MAGIC, &[VERSION], name.as_bytes()].concat()
}

impl Cipher {
    fn seal(&self, name: &str, plain: &[u8]) -> Result<Vec<u8>, StoreError> {
        let mut nonce = XNonce::default();
        getrandom::fill(&mut nonce).map_err(|error| unavailable(format!("no random bytes: {error}")))?;
        let payload = Payload { msg: plain, aad: &bound_to(name) };
        let sealed = self.0.encrypt(&nonce, payload).map_err(|_| unavailable(String::from("sealing failed")))?;
        Ok([MAGIC, &[VERSION], &nonce, &sealed].concat())
    }

    fn open(&self, name: &str, file: &[u8]) -> Result<Bytes, &'static str> {
        let rest = file.strip_prefix(MAGIC).ok_or("it was not written by tegatad")?;
        let (version, rest) = rest.split_first().ok_or("it is cut short")?;
        if *version != VERSION {
            return Err("it was written by another version of tegatad");
        }
        let (nonce, sealed) = rest.split_first_chunk::<NONCE_BYTES>().ok_or("it is cut short")?;
        let payload = Payload { msg: sealed, aad: &bound_to(name) };
        self.0.decrypt(&XNonce::from(*nonce), payload).map(Bytes::new).map_err(|_| "it does not open with the key")
    }
}

fn unavailable(detail: String) -> StoreError {
    StoreError::Unavailable { detail }
}

impl Records for Files {
    fn kind(&self) -> Kind {
        Kind::File
    }

    fn read(&mut self, key: &Key) -> Result<Option<Bytes>, StoreError> {
        let (place, cipher) = self.unsealed()?;
        let name = file_name(key);
        let flaw = match place.read(&name, HEAD_BYTES + TAG_BYTES + MAX_RECORD_BYTES)? {
            place::Content::None => return Ok(None),
            place::Content::Oversized => "it is too large",
            place::Content::Bytes(file) => match cipher.open(&name, &file) {
                Ok(bytes) => return Ok(Some(bytes)),
                Err(flaw) => flaw,
            },
        };
        place.rename(&name, &format!("{}.damaged", key.as_str()))?;
        Err(StoreError::Damaged { key: key.as_str().to_owned(), detail: flaw.to_owned() })
    }

    fn write(&mut self, key: &Key, bytes: &[u8]) -> Result<(), StoreError> {
        let (place, cipher) = self.unsealed()?;
        let name = file_name(key);
        place.replace(&name, &cipher.seal(&name, bytes)?)
    }

    fn delete(&mut self, key: &Key) -> Result<(), StoreError> {
        let (place, _) = self.unsealed()?;
        place.remove(&format!("{}.damaged", key.as_str()))?;
        place.remove(&file_name(key))
    }

    fn probe(&mut self) -> Result<(), StoreError> {
        self.unsealed().map(drop)
    }

    fn unlock(&mut self, passphrase: Option<&Secret>) -> Result<(), StoreError> {
        self.unsealed = Some(self.source.cipher(&self.place, passphrase)?);
        Ok(())
    }

    fn lock(&mut self) {
        self.unsealed = None;
    }
}

#[cfg(test)]
mod tests;
