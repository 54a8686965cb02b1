//! An enrolled passkey, and the record of all of them. Pure.
//!
//! The record holds public keys only, but whoever can write it enrols a passkey of their own: the tier
//! of the gate is that of the store (docs/design/passkeys.md).

use crate::clock::{from_unix_seconds, unix_seconds};
use crate::names::{PasskeyName, Person};
use crate::record;
use crate::store::Bytes;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::fmt;
use std::time::SystemTime;
use webauthn_rs::prelude::{CredentialID, Passkey, Uuid};

/// RFC 4648, section 6, in lower case.
const BASE32: &[u8; 32] = b"abcdefghijklmnopqrstuvwxyz234567";

/// Characters of a [`PasskeyId`].
const ID_LENGTH: usize = 8;

/// Names a passkey in commands and records: 8 characters of base32, from the digest of its credential id.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct PasskeyId(String);

impl PasskeyId {
    pub(super) fn of(credential: &CredentialID) -> Self {
        let digest = Sha256::digest(credential.as_slice());
        let bits = digest.iter().take(5).fold(0_u64, |bits, byte| bits << 8 | u64::from(*byte));
        let fives = (0..ID_LENGTH).rev().map(|at| (bits >> (5 * at)) & 31);
        Self(fives.filter_map(|five| usize::try_from(five).ok()).map(|five| char::from(BASE32[five])).collect())
    }

    /// Reads an id that came from outside.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let fits = text.len() == ID_LENGTH && text.bytes().all(|byte| BASE32.contains(&byte));
        fits.then(|| Self(text.to_owned()))
    }

    /// Returns the id.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for PasskeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A passkey, for showing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PasskeyView {
    /// Names it in commands.
    pub id: PasskeyId,
    /// Whose it is.
    pub person: Person,
    /// What they call it.
    pub name: PasskeyName,
    /// When it was enrolled.
    pub created_at: SystemTime,
    /// When it last approved something.
    pub last_used_at: Option<SystemTime>,
    /// Whether its private key cannot leave its device (WebAuthn L3, section 6.1.3: backup eligibility unset).
    pub device_bound: bool,
    /// Whether it approves nothing any more, as it may have been copied.
    pub suspended: bool,
}

/// An enrolled passkey.
#[derive(Clone, Debug)]
pub(super) struct Enrolled {
    pub(super) id: PasskeyId,
    pub(super) person: Person,
    pub(super) name: PasskeyName,
    /// The RP ID it was made for; it works for no other.
    pub(super) rp_id: String,
    /// The user handle it was made with.
    pub(super) user: Uuid,
    pub(super) created_at: SystemTime,
    pub(super) last_used_at: Option<SystemTime>,
    /// The BE flag at enrolment, pinned.
    pub(super) backup_eligible: bool,
    /// The last sign counter that was approved with.
    pub(super) counter: u32,
    pub(super) suspended: bool,
    /// What webauthn-rs keeps of it.
    pub(super) passkey: Passkey,
}

impl Enrolled {
    pub(super) fn view(&self) -> PasskeyView {
        PasskeyView {
            id: self.id.clone(),
            person: self.person.clone(),
            name: self.name.clone(),
            created_at: self.created_at,
            last_used_at: self.last_used_at,
            device_bound: !self.backup_eligible,
            suspended: self.suspended,
        }
    }
}

#[derive(Serialize, Deserialize)]
struct RecordJson {
    version: u32,
    /// Says that an earlier record was lost, and how.
    #[serde(skip_serializing_if = "Option::is_none")]
    damaged: Option<String>,
    passkeys: Vec<PasskeyJson>,
}

#[derive(Serialize, Deserialize)]
struct PasskeyJson {
    person: String,
    name: String,
    rp_id: String,
    user: Uuid,
    created_at: i64,
    last_used_at: Option<i64>,
    backup_eligible: bool,
    counter: u32,
    suspended: bool,
    passkey: Passkey,
}

/// Writes the record.
pub(super) fn to_bytes(passkeys: &[Enrolled]) -> Bytes {
    write(&RecordJson { version: record::VERSION, damaged: None, passkeys: passkeys.iter().map(to_json).collect() })
}

/// Writes a record that says that an earlier one was lost, so that nobody takes its absence for "none was ever enrolled".
pub(super) fn damaged(detail: &str) -> Bytes {
    write(&RecordJson { version: record::VERSION, damaged: Some(detail.to_owned()), passkeys: Vec::new() })
}

fn write(json: &RecordJson) -> Bytes {
    // Writing plain structs of text and numbers into memory has nothing that can fail.
    Bytes::new(serde_json::to_vec(json).unwrap_or_default())
}

fn to_json(enrolled: &Enrolled) -> PasskeyJson {
    PasskeyJson {
        person: enrolled.person.to_string(),
        name: enrolled.name.to_string(),
        rp_id: enrolled.rp_id.clone(),
        user: enrolled.user,
        created_at: unix_seconds(enrolled.created_at),
        last_used_at: enrolled.last_used_at.map(unix_seconds),
        backup_eligible: enrolled.backup_eligible,
        counter: enrolled.counter,
        suspended: enrolled.suspended,
        passkey: enrolled.passkey.clone(),
    }
}

/// Reads the record, or says in a few words what is wrong with it. The parser's own text is left out: it may quote.
pub(super) fn from_bytes(bytes: &[u8]) -> Result<Vec<Enrolled>, String> {
    let read: RecordJson = record::from_bytes(bytes).map_err(|error| format!("it {error}"))?;
    if let Some(detail) = read.damaged {
        return Err(tegata_protocol::text::one_line(&detail));
    }
    let passkeys = read.passkeys.into_iter().map(from_json).collect::<Result<Vec<_>, _>>()?;
    if passkeys.iter().enumerate().any(|(at, one)| passkeys[..at].iter().any(|other| other.id == one.id)) {
        return Err(String::from("it holds one passkey twice"));
    }
    Ok(passkeys)
}

fn from_json(json: PasskeyJson) -> Result<Enrolled, String> {
    let name = |error: crate::names::NameError| error.to_string();
    Ok(Enrolled {
        id: PasskeyId::of(json.passkey.cred_id()),
        person: Person::new(&json.person).map_err(name)?,
        name: PasskeyName::new(&json.name).map_err(name)?,
        rp_id: json.rp_id,
        user: json.user,
        created_at: from_unix_seconds(json.created_at),
        last_used_at: json.last_used_at.map(from_unix_seconds),
        backup_eligible: json.backup_eligible,
        counter: json.counter,
        suspended: json.suspended,
        passkey: json.passkey,
    })
}
