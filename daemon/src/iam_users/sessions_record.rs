//! What the store keeps of the sessions that a code bought: a person's code is good for hours, also over a restart. Pure.
//!
//! A session without a code is not kept: the next one costs nobody anything.

use crate::clock::{from_unix_seconds, unix_seconds};
use crate::credentials::{Credentials, Parts};
use crate::names::AccountId;
use crate::record::{self, RecordError};
use crate::store::{Bytes, Key};
use serde::{Deserialize, Serialize};
use std::time::Duration;
use tegata_protocol::Secret;

/// The most sessions of a user that are kept; the newest stay.
pub const MOST_SESSIONS: usize = 8;

/// Enough that writing a record never moves it: a session token has some 400 bytes, at the most 4,096.
const ROOM: usize = 64 * 1024;

/// A session that a code bought.
#[derive(Clone, Debug)]
pub struct KeptSession {
    /// The device whose code it was.
    pub serial: String,
    /// How long it was asked for.
    pub asked: Duration,
    /// The session.
    pub credentials: Credentials,
}

/// The record of a user's sessions.
#[derive(Clone, Debug)]
pub struct SessionsRecord {
    /// The user's ARN.
    pub user: String,
    /// The sessions, newest first.
    pub sessions: Vec<KeptSession>,
}

#[derive(Serialize, Deserialize)]
struct Json {
    version: u32,
    user: String,
    sessions: Vec<SessionJson>,
}

#[derive(Serialize, Deserialize)]
struct SessionJson {
    serial: String,
    asked_seconds: u64,
    access_key_id: String,
    #[serde(serialize_with = "record::exposed")]
    secret_access_key: Secret,
    #[serde(serialize_with = "record::exposed")]
    session_token: Secret,
    expires_at: i64,
    issued_at: i64,
}

impl SessionsRecord {
    /// Names the record of a user.
    #[must_use]
    pub fn key(user: &str) -> Key {
        Key::new("iam-sessions", user)
    }

    /// Writes the record. What has no session token is no session.
    #[must_use]
    pub fn to_bytes(&self) -> Bytes {
        let session = |kept: &KeptSession| {
            Some(SessionJson {
                serial: kept.serial.clone(),
                asked_seconds: kept.asked.as_secs(),
                access_key_id: kept.credentials.access_key_id().to_owned(),
                secret_access_key: kept.credentials.secret_access_key().clone(),
                session_token: kept.credentials.session_token()?.clone(),
                expires_at: unix_seconds(kept.credentials.expires_at()),
                issued_at: unix_seconds(kept.credentials.issued_at()),
            })
        };
        let sessions = self.sessions.iter().take(MOST_SESSIONS).filter_map(session).collect();
        record::to_bytes(&Json { version: record::VERSION, user: self.user.clone(), sessions }, ROOM)
    }

    /// Reads the record of `user`.
    ///
    /// # Errors
    /// [`RecordError`] says what is wrong with it.
    pub fn from_bytes(user: &str, bytes: &[u8]) -> Result<Self, RecordError> {
        let json: Json = record::from_bytes(bytes)?;
        let account = user.split(':').nth(4).and_then(|account| AccountId::new(account).ok());
        if json.user != user {
            return Err(RecordError::Foreign);
        }
        let session = |found: SessionJson| KeptSession {
            serial: found.serial,
            asked: Duration::from_secs(found.asked_seconds),
            credentials: Credentials::from(Parts {
                access_key_id: found.access_key_id,
                secret_access_key: found.secret_access_key,
                session_token: found.session_token,
                expires_at: from_unix_seconds(found.expires_at),
                issued_at: from_unix_seconds(found.issued_at),
                account_id: account.clone(),
            }),
        };
        let sessions = json.sessions.into_iter().take(MOST_SESSIONS).map(session).collect();
        Ok(Self { user: json.user, sessions })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALICE: &str = "arn:aws:iam::123456789012:user/alice";

    fn full() -> SessionsRecord {
        let credentials = Credentials::from(Parts {
            access_key_id: "ASIATEST".into(),
            secret_access_key: Secret::new("CANARY-key".into()),
            session_token: Secret::new("CANARY-token".into()),
            expires_at: from_unix_seconds(44_200),
            issued_at: from_unix_seconds(1_000),
            account_id: None,
        });
        let serial = "arn:aws:iam::123456789012:mfa/alice".to_owned();
        let asked = Duration::from_secs(43_200);
        SessionsRecord { user: ALICE.to_owned(), sessions: vec![KeptSession { serial, asked, credentials }] }
    }

    #[test]
    fn a_record_comes_back_whole() {
        let account = AccountId::new("123456789012").unwrap();
        let back = SessionsRecord::from_bytes(ALICE, &full().to_bytes()).unwrap();
        let session = &back.sessions[0];
        assert_eq!((session.asked.as_secs(), session.serial.as_str()), (43_200, full().sessions[0].serial.as_str()));
        let credentials = &session.credentials;
        assert_eq!(credentials.session_token().unwrap().expose_secret(), "CANARY-token");
        assert_eq!((credentials.expires_at(), credentials.account_id()), (from_unix_seconds(44_200), Some(&account)));
    }

    #[test]
    fn e3_a_record_never_prints_its_secrets() {
        assert!(!format!("{:?} {:#?}", full(), full()).contains("CANARY"));
    }

    #[test]
    fn a_record_is_bounded_and_its_owners_alone() {
        let many = SessionsRecord { sessions: vec![full().sessions[0].clone(); 20], ..full() };
        let back = SessionsRecord::from_bytes(ALICE, &many.to_bytes()).unwrap();
        assert_eq!(back.sessions.len(), MOST_SESSIONS);
        assert_eq!(SessionsRecord::from_bytes("bob", &many.to_bytes()).unwrap_err(), RecordError::Foreign);
        assert!(SessionsRecord::from_bytes(ALICE, b"{\"version\":1,\"user\":\"CANARY\"").is_err());
    }
}
