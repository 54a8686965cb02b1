//! What the store keeps: a certificate and its key, under the trust anchor and the Roles Anywhere profile they were proven for.

use super::fault::{Fault, Mend};
use crate::profile::RolesAnywhere;
use crate::record;
use crate::roles_anywhere::{Certificates, PrivateKey};
use crate::store::{Bytes, Key};
use serde::{Deserialize, Serialize};
use tegata_protocol::Secret;

/// Enough that serialising never moves the record and leaves an unwiped copy behind.
const ROOM: usize = 160 * 1024;

/// A certificate and its key, as PEM.
#[derive(Clone, Debug)]
pub struct Kept {
    certificate: String,
    private_key: Secret,
}

#[derive(Serialize, Deserialize)]
struct Json {
    version: u32,
    owner: String,
    certificate: String,
    #[serde(serialize_with = "record::exposed")]
    private_key: Secret,
}

/// Returns whose record it is: everything that goes by this trust anchor and this Roles Anywhere profile. Another config file that
/// names others finds another record, or none.
#[must_use]
pub fn owner(asked: &RolesAnywhere) -> String {
    format!("{} {}", asked.trust_anchor, asked.profile)
}

/// Returns the record's key.
#[must_use]
pub fn key(owner: &str) -> Key {
    Key::new("certificate", owner)
}

impl Kept {
    /// Takes a certificate with its intermediates, and a key that is not encrypted, both in PEM.
    #[must_use]
    pub fn new(certificate: String, private_key: Secret) -> Self {
        Self { certificate, private_key }
    }

    /// Reads the certificate.
    ///
    /// # Errors
    /// [`Fault`].
    pub fn certificates(&self) -> Result<Certificates, Fault> {
        Certificates::from_pem(&self.certificate).map_err(|_| damaged())
    }

    /// Reads the key.
    ///
    /// # Errors
    /// [`Fault`].
    pub fn private_key(&self) -> Result<PrivateKey, Fault> {
        PrivateKey::from_pem(self.private_key.expose_secret(), None).map_err(|_| damaged())
    }

    pub(super) fn to_bytes(&self, owner: &str) -> Bytes {
        let Self { certificate, private_key } = self.clone();
        let json = Json { version: record::VERSION, owner: owner.to_owned(), certificate, private_key };
        record::to_bytes(&json, ROOM)
    }

    /// Reads a record. None and one that cannot be read say how to make a new one.
    pub(super) fn from_bytes(owner: &str, bytes: Option<&[u8]>) -> Result<Self, Fault> {
        let import = Mend::Import { from: None };
        let Some(bytes) = bytes else {
            return Err(Fault::new("no certificate is kept for it in the keyring".to_owned(), import));
        };
        let json: Json = record::from_bytes(bytes).map_err(|_| damaged())?;
        if json.owner != owner {
            return Err(damaged());
        }
        Ok(Self { certificate: json.certificate, private_key: json.private_key })
    }
}

fn damaged() -> Fault {
    let message = "what is kept for it in the keyring cannot be read";
    Fault::new(message.to_owned(), Mend::Import { from: None })
}

#[cfg(test)]
mod tests {
    use super::*;

    const OWNER: &str = "arn:a arn:p";

    fn kept() -> Kept {
        let certificate = include_str!("../roles_anywhere/vectors/p256.certificate.pem").to_owned();
        let key = Secret::new(include_str!("../roles_anywhere/vectors/p256.pkcs8.pem").to_owned());
        Kept::new(certificate, key)
    }

    #[test]
    fn a_record_comes_back_as_it_was() {
        let bytes = kept().to_bytes(OWNER);
        let read = Kept::from_bytes(OWNER, Some(&bytes)).unwrap();
        read.private_key().unwrap().belongs_to(read.certificates().unwrap().public_key()).unwrap();
        assert!(!format!("{read:?}").contains("BEGIN PRIVATE"));
    }

    #[test]
    fn none_and_what_is_damaged_or_somebody_elses_say_how_a_new_one_is_made() {
        let bytes = kept().to_bytes(OWNER);
        let later = String::from_utf8(bytes.to_vec()).unwrap().replace("\"version\":1", "\"version\":2");
        for (owner, bytes) in [
            (OWNER, None),
            (OWNER, Some(b"{".as_slice())),
            (OWNER, Some(later.as_bytes())),
            ("arn:b arn:p", Some(bytes.as_slice())),
        ] {
            let fault = Kept::from_bytes(owner, bytes).unwrap_err();
            let mend = fault.mend(None).unwrap();
            assert_eq!(mend, "tegata certificate import PROFILE --certificate FILE --key FILE", "{fault}");
        }
    }
}
