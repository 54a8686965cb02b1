//! The key of the encrypted files: from a passphrase by Argon2id (RFC 9106), or from a key file such as a systemd credential.
//!
//! `parameters.json` beside the records holds what is needed to make the same key again, and a sealed nothing that only
//! the right key opens. It is written once. Without it no record can be opened, so it is never made anew beside records.

use super::place::{self, Content, Place};
use super::{Cipher, StoreError};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD as BASE64;
use chacha20poly1305::{KeyInit as _, XChaCha20Poly1305};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use std::path::PathBuf;
use tegata_protocol::Secret;
use zeroize::Zeroizing;

const PARAMETERS: &str = "parameters.json";
const MAX_PARAMETERS_BYTES: usize = 4096;
const SALT_BYTES: usize = 16;
const KEY_FILE_BYTES: std::ops::RangeInclusive<usize> = 32..=4096;
const PASSPHRASE_BYTES: std::ops::RangeInclusive<usize> = 8..=1024;

/// The most Argon2id may cost; a file cannot make the daemon use more.
const MOST: Cost = Cost { memory_kib: 1024 * 1024, passes: 32, lanes: 8 };

/// What the files are sealed with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FileKey {
    /// A passphrase of 8 to 1024 bytes, which comes by [`super::Records::unlock`] once in the daemon's life.
    Passphrase,
    /// A file of 32 to 4096 random bytes that only the user may read: a systemd credential, or made with
    /// `head -c 32 /dev/urandom`.
    KeyFile(PathBuf),
}

/// What Argon2id costs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Cost {
    memory_kib: u32,
    passes: u32,
    lanes: u32,
}

impl Default for Cost {
    /// The second recommendation of RFC 9106, section 4, with one lane in place of four: 64 MiB, three passes.
    fn default() -> Self {
        Self { memory_kib: 64 * 1024, passes: 3, lanes: 1 }
    }
}

#[cfg(test)]
impl Cost {
    /// As little as the function allows, for tests.
    pub(super) const LEAST: Self = Self { memory_kib: 8, passes: 1, lanes: 1 };
}

/// `parameters.json`.
#[derive(Debug, Serialize, Deserialize)]
struct Parameters {
    version: u32,
    #[serde(flatten)]
    derivation: Derivation,
    salt: String,
    check: String,
}

#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "key", rename_all = "kebab-case")]
enum Derivation {
    Argon2id(Cost),
    KeyFile,
}

/// Makes the key.
#[derive(Debug)]
pub(super) struct KeySource {
    key: FileKey,
    cost: Cost,
}

impl KeySource {
    pub(super) fn new(key: FileKey, cost: Cost) -> Self {
        Self { key, cost }
    }

    /// Makes the key of the records in `place`, which is a new one if there are none yet.
    pub(super) fn cipher(&self, place: &Place, passphrase: Option<&Secret>) -> Result<Cipher, StoreError> {
        match place.read(PARAMETERS, MAX_PARAMETERS_BYTES)? {
            Content::Bytes(text) => self.known(place, &text, passphrase),
            Content::Oversized => Err(unreadable(place)),
            Content::None if place.has_any(".sealed")? => Err(StoreError::Unavailable {
                detail: format!("{} is missing; restore it, or remove the directory", place.path(PARAMETERS).display()),
            }),
            Content::None => self.first(place, passphrase),
        }
    }

    fn known(&self, place: &Place, text: &[u8], passphrase: Option<&Secret>) -> Result<Cipher, StoreError> {
        let parameters: Parameters = serde_json::from_slice(text).map_err(|_| unreadable(place))?;
        let salt = BASE64.decode(&parameters.salt).map_err(|_| unreadable(place))?;
        let check = BASE64.decode(&parameters.check).map_err(|_| unreadable(place))?;
        if parameters.version != 1 || salt.len() != SALT_BYTES {
            return Err(unreadable(place));
        }
        let secret = self.secret(passphrase)?;
        let cipher = match (&self.key, &parameters.derivation) {
            (FileKey::Passphrase, Derivation::Argon2id(cost)) if cost.is_bearable() => {
                from_passphrase(&secret, &salt, *cost)?
            }
            (FileKey::KeyFile(_), Derivation::KeyFile) => from_key_file(&secret, &salt),
            _ => return Err(denied("the records are sealed with another kind of key than the settings name")),
        };
        cipher.open(PARAMETERS, &check).map_err(|_| denied(self.wrong()))?;
        Ok(cipher)
    }

    /// Takes this key for all records to come.
    fn first(&self, place: &Place, passphrase: Option<&Secret>) -> Result<Cipher, StoreError> {
        let secret = self.secret(passphrase)?;
        let mut salt = [0; SALT_BYTES];
        getrandom::fill(&mut salt).map_err(|error| super::unavailable(format!("no random bytes: {error}")))?;
        let (cipher, derivation) = match &self.key {
            FileKey::Passphrase => (from_passphrase(&secret, &salt, self.cost)?, Derivation::Argon2id(self.cost)),
            FileKey::KeyFile(_) => (from_key_file(&secret, &salt), Derivation::KeyFile),
        };
        let check = BASE64.encode(cipher.seal(PARAMETERS, b"")?);
        let parameters = Parameters { version: 1, derivation, salt: BASE64.encode(salt), check };
        let text = serde_json::to_vec(&parameters).map_err(|error| super::unavailable(error.to_string()))?;
        place.replace(PARAMETERS, &text)?;
        Ok(cipher)
    }

    /// Returns what the key is made from.
    fn secret(&self, passphrase: Option<&Secret>) -> Result<Zeroizing<Vec<u8>>, StoreError> {
        match (&self.key, passphrase) {
            (FileKey::Passphrase, None) => Err(StoreError::Locked),
            (FileKey::Passphrase, Some(passphrase)) => {
                let bytes = passphrase.expose_secret().as_bytes();
                let fits = PASSPHRASE_BYTES.contains(&bytes.len());
                if fits { Ok(bytes.to_vec().into()) } else { Err(denied("a passphrase has 8 to 1024 bytes")) }
            }
            (FileKey::KeyFile(path), _) => match place::read_path(path, *KEY_FILE_BYTES.end())? {
                Content::Bytes(bytes) if KEY_FILE_BYTES.contains(&bytes.len()) => Ok(bytes),
                Content::None => Err(super::unavailable(format!("there is no key file {}", path.display()))),
                _ => Err(denied(&format!("the key file {} has not 32 to 4096 bytes", path.display()))),
            },
        }
    }

    fn wrong(&self) -> &'static str {
        match self.key {
            FileKey::Passphrase => "the passphrase is wrong",
            FileKey::KeyFile(_) => "the key file is not the one the records are sealed with",
        }
    }
}

impl Cost {
    fn is_bearable(self) -> bool {
        self.memory_kib <= MOST.memory_kib && self.passes <= MOST.passes && self.lanes <= MOST.lanes
    }
}

fn from_passphrase(passphrase: &[u8], salt: &[u8], cost: Cost) -> Result<Cipher, StoreError> {
    let failed = |error: argon2::Error| super::unavailable(format!("Argon2id failed: {error}"));
    let params = argon2::Params::new(cost.memory_kib, cost.passes, cost.lanes, Some(32)).map_err(failed)?;
    let function = argon2::Argon2::new(argon2::Algorithm::Argon2id, argon2::Version::V0x13, params);
    let mut key = Zeroizing::new([0; 32]);
    function.hash_password_into(passphrase, salt, key.as_mut_slice()).map_err(failed)?;
    Ok(Cipher(XChaCha20Poly1305::new((&*key).into())))
}

/// A key file is random already: it needs mixing, not stretching.
fn from_key_file(content: &[u8], salt: &[u8]) -> Cipher {
    let digest = Sha256::new().chain_update(b"tegata key file 1").chain_update(salt).chain_update(content).finalize();
    let key = Zeroizing::new(<[u8; 32]>::from(digest));
    Cipher(XChaCha20Poly1305::new((&*key).into()))
}

fn denied(detail: &str) -> StoreError {
    StoreError::Denied { detail: detail.to_owned() }
}

fn unreadable(place: &Place) -> StoreError {
    let path = place.path(PARAMETERS);
    super::unavailable(format!("{} cannot be read; restore it, or remove the directory", path.display()))
}
