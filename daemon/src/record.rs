//! How what the store keeps becomes bytes and comes back: versioned JSON, wiped when dropped. What is in a record says its room.

use crate::store::Bytes;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize, Serializer};
use tegata_protocol::Secret;
use zeroize::Zeroizing;

/// The version every record carries. Another one is not guessed at.
pub(crate) const VERSION: u32 = 1;

/// Why a record cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RecordError {
    /// Written by a newer (or damaged) Tegata.
    #[error("is of version {found}, this Tegata reads version {VERSION}")]
    Version {
        /// The version found.
        found: u64,
    },
    /// Not a record. The text of the parser is left out: it may quote what it read.
    #[error("is not readable (column {column})")]
    Unreadable {
        /// Where reading ended.
        column: usize,
    },
    /// Under this key lies the record of something else.
    #[error("belongs to somebody else")]
    Foreign,
    /// It can be read, but what it says does not go together. The text names no value.
    #[error("{0}")]
    Contradictory(String),
}

/// Writes a record; `room`, in bytes, is enough that writing it never moves it and leaves an unwiped copy behind.
pub(crate) fn to_bytes(record: &impl Serialize, room: usize) -> Bytes {
    let mut bytes = Zeroizing::new(Vec::with_capacity(room));
    // Writing plain structs of text and numbers into memory has nothing that can fail.
    let _ = serde_json::to_writer(&mut *bytes, record);
    bytes
}

/// Reads a record of the version this Tegata knows.
pub(crate) fn from_bytes<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, RecordError> {
    #[derive(Deserialize)]
    struct Versioned {
        version: u64,
    }
    let unreadable = |error: serde_json::Error| RecordError::Unreadable { column: error.column() };
    let found = serde_json::from_slice::<Versioned>(bytes).map_err(unreadable)?.version;
    if found != u64::from(VERSION) {
        return Err(RecordError::Version { found });
    }
    serde_json::from_slice(bytes).map_err(unreadable)
}

/// Writes a secret as it is: for the fields of records alone.
pub(crate) fn exposed<S: Serializer>(secret: &Secret, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(secret.expose_secret())
}

/// Writes a secret as it is, or that there is none.
pub(crate) fn exposed_if_any<S: Serializer>(secret: &Option<Secret>, serializer: S) -> Result<S::Ok, S::Error> {
    match secret {
        Some(secret) => serializer.serialize_some(secret.expose_secret()),
        None => serializer.serialize_none(),
    }
}
