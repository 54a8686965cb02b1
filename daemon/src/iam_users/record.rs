//! What the store keeps of an IAM user: the access keys, and what each of them is for just now. Pure.
//!
//! The record is versioned JSON. It lies under the user's ARN, which was proven by a signed `GetCallerIdentity` before the record was
//! first written. This is the one file where an access key becomes bytes.

use crate::clock::{from_unix_seconds, unix_seconds};
use crate::record::{self, RecordError};
use crate::store::{Bytes, Key};
use serde::{Deserialize, Serialize};
use std::fmt;
use std::time::{Duration, SystemTime};
use tegata_protocol::Secret;

/// The most keys of a record. IAM gives a user two (IAM and AWS STS quotas); a rotation that was interrupted may leave one more.
pub const MOST_KEYS: usize = 4;

/// Enough that serialising a record never moves it and leaves an unwiped copy behind.
const ROOM: usize = 8 * 1024;

/// IAM API reference, `accessKeyIdType`: 16 to 128 of `[\w]+`.
const KEY_ID: std::ops::RangeInclusive<usize> = 16..=128;

/// Longer than any secret access key (AWS gives 40 characters).
const SECRET: std::ops::RangeInclusive<usize> = 16..=128;

/// Why something is no access key, or why keys do not go together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeyFault {
    /// Not of the form AWS gives long-term keys.
    #[error("that is no access key id of an IAM user: it begins with AKIA and has 16 to 128 letters and digits")]
    Id,
    /// A key of a session, which ends by itself.
    #[error("that is the access key id of a temporary session (ASIA…), which ends by itself and cannot be kept")]
    Temporary,
    /// Not of the form AWS gives secret access keys.
    #[error("that is no secret access key: it has 16 to 128 visible characters, usually 40")]
    Secret,
    /// Two keys with one id.
    #[error("holds one access key twice")]
    Twice,
    /// Two keys in use.
    #[error("holds two access keys that are both in use")]
    TwoInUse,
    /// More than there can be.
    #[error("holds more than {MOST_KEYS} access keys")]
    TooMany,
}

/// The id of a long-term access key. `Debug` shows its last four characters.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct AccessKeyId(String);

impl AccessKeyId {
    /// Checks a text that came from outside.
    ///
    /// # Errors
    /// [`KeyFault::Temporary`] for the key of a session, else [`KeyFault::Id`].
    pub fn new(text: &str) -> Result<Self, KeyFault> {
        let fits = KEY_ID.contains(&text.len()) && text.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit());
        match fits.then(|| text.get(..4)).flatten() {
            Some("AKIA") => Ok(Self(text.to_owned())),
            Some("ASIA") => Err(KeyFault::Temporary),
            _ => Err(KeyFault::Id),
        }
    }

    /// Returns the whole id. It is no secret (it is in every signed request), but it is shown by its last four characters only.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Returns the last four characters, as they are shown.
    #[must_use]
    pub fn last_four(&self) -> &str {
        self.0.get(self.0.len().saturating_sub(4)..).unwrap_or_default()
    }
}

impl fmt::Debug for AccessKeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "…{}", self.last_four())
    }
}

/// What an access key is for just now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyState {
    /// The one that requests are signed with.
    InUse,
    /// Made in IAM and not proven yet: nothing is signed with it but the proof.
    ComingIn,
    /// Replaced: deactivated in IAM, or about to be.
    GoingOut {
        /// When it is deleted in IAM; until then it can be made active again.
        delete_after: SystemTime,
    },
}

/// An access key. `Debug` shows the last four characters of its id.
#[derive(Clone, Debug)]
pub struct AccessKey {
    /// `AKIA…`.
    pub id: AccessKeyId,
    /// The secret access key.
    pub secret: Secret,
    /// When IAM made it, where that is known: a key that was made by rotation, or that IAM was asked about.
    pub created_at: Option<SystemTime>,
    /// When it came into the store.
    pub kept_since: SystemTime,
    /// What it is for.
    pub state: KeyState,
}

impl AccessKey {
    /// Takes a key that came from outside.
    ///
    /// # Errors
    /// [`KeyFault`] says what no access key looks like; it quotes nothing.
    pub fn new(id: &str, secret: Secret, kept_since: SystemTime, state: KeyState) -> Result<Self, KeyFault> {
        let id = AccessKeyId::new(id)?;
        let text = secret.expose_secret();
        if !SECRET.contains(&text.len()) || !text.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(KeyFault::Secret);
        }
        Ok(Self { id, secret, created_at: None, kept_since, state })
    }
}

/// The record of an IAM user.
#[derive(Clone, Debug)]
pub struct IamUserRecord {
    /// The user's ARN.
    pub user: String,
    /// When a signed `GetCallerIdentity` last said that the key in use is this user's.
    pub proven_at: SystemTime,
    /// The access keys, oldest first; one of them at most is in use.
    pub keys: Vec<AccessKey>,
    /// Since when IAM has been asked for another key, and has not answered: there may be one whose secret nobody was told.
    pub making_since: Option<SystemTime>,
    /// How long the key that is replaced next can be had back: as it was wanted when the rotation began that is under way.
    pub grace: Option<Duration>,
}

#[derive(Serialize, Deserialize)]
struct Json {
    version: u32,
    user: String,
    proven_at: i64,
    keys: Vec<KeyJson>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    making_since: Option<i64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    grace_seconds: Option<u64>,
}

#[derive(Serialize, Deserialize)]
struct KeyJson {
    id: String,
    #[serde(serialize_with = "record::exposed")]
    secret: Secret,
    created_at: Option<i64>,
    kept_since: i64,
    state: StateJson,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum StateJson {
    InUse,
    ComingIn,
    GoingOut { delete_after: i64 },
}

impl IamUserRecord {
    /// Makes the record of a user whose key has just been proven.
    #[must_use]
    pub fn new(user: &str, proven_at: SystemTime, key: AccessKey) -> Self {
        Self { user: user.to_owned(), proven_at, keys: vec![key], making_since: None, grace: None }
    }

    /// Names the record of a user.
    #[must_use]
    pub fn key(user: &str) -> Key {
        Key::new("iam-user", user)
    }

    /// Returns the key that requests are signed with.
    #[must_use]
    pub fn in_use(&self) -> Option<&AccessKey> {
        self.keys.iter().find(|key| key.state == KeyState::InUse)
    }

    /// Returns the key with this id.
    pub fn find_mut(&mut self, id: &AccessKeyId) -> Option<&mut AccessKey> {
        self.keys.iter_mut().find(|key| key.id == *id)
    }

    /// Says whether the keys go together, before the record is written and after it was read.
    ///
    /// # Errors
    /// [`KeyFault`] says why not.
    pub fn check(&self) -> Result<(), KeyFault> {
        if self.keys.len() > MOST_KEYS {
            return Err(KeyFault::TooMany);
        }
        if self.keys.iter().filter(|key| key.state == KeyState::InUse).count() > 1 {
            return Err(KeyFault::TwoInUse);
        }
        let twice =
            self.keys.iter().enumerate().any(|(at, key)| self.keys[..at].iter().any(|other| other.id == key.id));
        if twice { Err(KeyFault::Twice) } else { Ok(()) }
    }

    /// Writes the record.
    #[must_use]
    pub fn to_bytes(&self) -> Bytes {
        let key = |key: &AccessKey| KeyJson {
            id: key.id.as_str().to_owned(),
            secret: key.secret.clone(),
            created_at: key.created_at.map(unix_seconds),
            kept_since: unix_seconds(key.kept_since),
            state: match key.state {
                KeyState::InUse => StateJson::InUse,
                KeyState::ComingIn => StateJson::ComingIn,
                KeyState::GoingOut { delete_after } => StateJson::GoingOut { delete_after: unix_seconds(delete_after) },
            },
        };
        let json = Json {
            version: record::VERSION,
            user: self.user.clone(),
            proven_at: unix_seconds(self.proven_at),
            keys: self.keys.iter().map(key).collect(),
            making_since: self.making_since.map(unix_seconds),
            grace_seconds: self.grace.map(|grace| grace.as_secs()),
        };
        record::to_bytes(&json, ROOM)
    }

    /// Reads the record of `user`.
    ///
    /// # Errors
    /// [`RecordError`] says what is wrong with it.
    pub fn from_bytes(user: &str, bytes: &[u8]) -> Result<Self, RecordError> {
        let json: Json = record::from_bytes(bytes)?;
        if json.user != user {
            return Err(RecordError::Foreign);
        }
        let keys = json.keys.into_iter().map(read_key).collect::<Result<_, _>>().map_err(contradictory)?;
        let making_since = json.making_since.map(from_unix_seconds);
        let grace = json.grace_seconds.map(Duration::from_secs);
        let record = Self { user: json.user, proven_at: from_unix_seconds(json.proven_at), keys, making_since, grace };
        record.check().map_err(contradictory)?;
        Ok(record)
    }
}

fn contradictory(fault: KeyFault) -> RecordError {
    RecordError::Contradictory(fault.to_string())
}

fn read_key(json: KeyJson) -> Result<AccessKey, KeyFault> {
    let state = match json.state {
        StateJson::InUse => KeyState::InUse,
        StateJson::ComingIn => KeyState::ComingIn,
        StateJson::GoingOut { delete_after } => KeyState::GoingOut { delete_after: from_unix_seconds(delete_after) },
    };
    let key = AccessKey::new(&json.id, json.secret, from_unix_seconds(json.kept_since), state)?;
    Ok(AccessKey { created_at: json.created_at.map(from_unix_seconds), ..key })
}

#[cfg(test)]
#[path = "record_tests.rs"]
mod tests;
