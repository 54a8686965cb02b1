//! How this room's records become bytes and come back: versioned JSON. The bytes are wiped when dropped.

use super::record::RecordError;
use crate::store::Bytes;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize, Serializer};
use tegata_protocol::Secret;
use zeroize::Zeroizing;

/// The version every record of this room carries. Another one is not guessed at.
pub(super) const VERSION: u32 = 1;

/// Writes a record; `room` is enough that writing it never moves it and leaves an unwiped copy behind.
pub(super) fn to_bytes(record: &impl Serialize, room: usize) -> Bytes {
    let mut bytes = Zeroizing::new(Vec::with_capacity(room));
    // Writing plain structs of text and numbers into memory has nothing that can fail.
    let _ = serde_json::to_writer(&mut *bytes, record);
    bytes
}

/// Reads a record of the version this Tegata knows.
pub(super) fn from_bytes<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, RecordError> {
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

/// Writes a secret as it is.
pub(super) fn exposed<S: Serializer>(secret: &Secret, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(secret.expose_secret())
}
