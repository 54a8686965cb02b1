//! What the store keeps of a sign-in session: one record for its tokens, one for its roles' credentials. Pure.
//!
//! This is the one file where its secrets become bytes.

use crate::aws::{Endpoints, Registration, Tokens};
use crate::clock::{from_unix_seconds, unix_seconds};
use crate::credentials::{Credentials, Parts};
use crate::names::{AccountId, RoleName};
use crate::profile::SignInSession;
use crate::record::{self, RecordError};
use crate::store::{Bytes, Key};
use serde::{Deserialize, Serialize};
use std::time::SystemTime;
use tegata_protocol::Secret;

/// Enough that serialising a record never moves it and leaves an unwiped copy behind.
const ROOM: usize = 64 * 1024;

/// Where a sign-in session's tokens may be sent: fixed at the first sign-in, changed only by signing out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pins {
    /// The start URL.
    pub start_url: String,
    /// The region.
    pub region: String,
    /// The hosts.
    pub endpoints: Endpoints,
}

impl Pins {
    /// Makes the pins of a session as the configuration and the settings describe it now.
    #[must_use]
    pub fn new(session: &SignInSession, endpoints: Endpoints) -> Self {
        Self { start_url: session.start_url.as_str().to_owned(), region: session.region.as_str().to_owned(), endpoints }
    }

    /// Says in one line what differs from `other`.
    #[must_use]
    pub fn difference(&self, other: &Self) -> Option<String> {
        let changed = |what: &str, old: &str, new: &str| Some(format!("its {what} was {old} and is now {new}"));
        if self.start_url != other.start_url {
            changed("start URL", &self.start_url, &other.start_url)
        } else if self.region != other.region {
            changed("region", &self.region, &other.region)
        } else if self.endpoints.sso_oidc != other.endpoints.sso_oidc {
            changed("sign-in endpoint", &self.endpoints.sso_oidc, &other.endpoints.sso_oidc)
        } else if self.endpoints.sso != other.endpoints.sso {
            changed("portal endpoint", &self.endpoints.sso, &other.endpoints.sso)
        } else {
            None
        }
    }
}

/// The record of a sign-in session's tokens.
#[derive(Clone, Debug)]
pub struct SignInRecord {
    /// The sign-in session's name.
    pub session: String,
    /// Where its tokens may go.
    pub pins: Pins,
    /// The client registered for it, and the scopes it was registered with.
    pub registration: Option<(Registration, Vec<String>)>,
    /// The tokens; absent before the first sign-in and when a person has to sign in again.
    pub tokens: Option<Tokens>,
    /// When the refresh token in here was about to be spent. Found after a crash, it says that AWS may already have
    /// replaced that token.
    pub spending_since: Option<SystemTime>,
    /// What AWS said when it ended, until the next sign-in.
    pub ended: Option<String>,
    /// The digest of the token of another tool's sign-in that was taken over; absent for a sign-in of our own.
    pub adopted: Option<String>,
}

#[derive(Serialize, Deserialize)]
struct SignInJson {
    version: u32,
    session: String,
    pins: Pins,
    registration: Option<RegistrationJson>,
    tokens: Option<TokensJson>,
    spending_since: Option<i64>,
    ended: Option<String>,
    // Later than the rest: a record without it is of a sign-in of our own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    adopted: Option<String>,
}

#[derive(Serialize, Deserialize)]
struct RegistrationJson {
    client_id: String,
    #[serde(serialize_with = "record::exposed")]
    client_secret: Secret,
    expires_at: i64,
    scopes: Vec<String>,
}

#[derive(Serialize, Deserialize)]
struct TokensJson {
    #[serde(serialize_with = "record::exposed")]
    access_token: Secret,
    expires_at: i64,
    issued_at: i64,
    #[serde(serialize_with = "record::exposed_if_any")]
    refresh_token: Option<Secret>,
}

impl SignInRecord {
    /// Makes the record of a session nobody has signed in to yet.
    #[must_use]
    pub fn empty(session: &str, pins: Pins) -> Self {
        let session = session.to_owned();
        Self { session, pins, registration: None, tokens: None, spending_since: None, ended: None, adopted: None }
    }

    /// Names the record of a session.
    #[must_use]
    pub fn key(session: &str) -> Key {
        Key::new("sign-in", session)
    }

    /// Writes the record.
    #[must_use]
    pub fn to_bytes(&self) -> Bytes {
        let registration = self.registration.as_ref().map(|(client, scopes)| RegistrationJson {
            client_id: client.client_id.clone(),
            client_secret: client.client_secret.clone(),
            expires_at: unix_seconds(client.expires_at),
            scopes: scopes.clone(),
        });
        let tokens = self.tokens.as_ref().map(|tokens| TokensJson {
            access_token: tokens.access_token.clone(),
            expires_at: unix_seconds(tokens.expires_at),
            issued_at: unix_seconds(tokens.issued_at),
            refresh_token: tokens.refresh_token.clone(),
        });
        let json = SignInJson {
            version: record::VERSION,
            session: self.session.clone(),
            pins: self.pins.clone(),
            registration,
            tokens,
            spending_since: self.spending_since.map(unix_seconds),
            ended: self.ended.clone(),
            adopted: self.adopted.clone(),
        };
        record::to_bytes(&json, ROOM)
    }

    /// Reads the record of `session`.
    ///
    /// # Errors
    /// [`RecordError`] says what is wrong with it.
    pub fn from_bytes(session: &str, bytes: &[u8]) -> Result<Self, RecordError> {
        let json: SignInJson = record::from_bytes(bytes)?;
        if json.session != session {
            return Err(RecordError::Foreign);
        }
        let registration = json.registration.map(|client| {
            let RegistrationJson { client_id, client_secret, expires_at, scopes } = client;
            (Registration { client_id, client_secret, expires_at: from_unix_seconds(expires_at) }, scopes)
        });
        let tokens = json.tokens.map(|tokens| Tokens {
            access_token: tokens.access_token,
            expires_at: from_unix_seconds(tokens.expires_at),
            issued_at: from_unix_seconds(tokens.issued_at),
            refresh_token: tokens.refresh_token,
        });
        let spending_since = json.spending_since.map(from_unix_seconds);
        let SignInJson { session, pins, ended, adopted, .. } = json;
        Ok(Self { session, pins, registration, tokens, spending_since, ended, adopted })
    }
}

/// The record of the credentials of a session's roles: a cache, so it is bounded and the oldest go first.
#[derive(Clone, Debug, Default)]
pub struct RolesRecord {
    /// Account, role, credentials; most recently used first.
    pub roles: Vec<(AccountId, RoleName, Credentials)>,
}

#[derive(Serialize, Deserialize)]
struct RolesJson {
    version: u32,
    session: String,
    pins: Pins,
    roles: Vec<RoleJson>,
}

#[derive(Serialize, Deserialize)]
struct RoleJson {
    account: String,
    role: String,
    access_key_id: String,
    #[serde(serialize_with = "record::exposed")]
    secret_access_key: Secret,
    #[serde(serialize_with = "record::exposed")]
    session_token: Secret,
    expires_at: i64,
    issued_at: i64,
}

impl RolesRecord {
    /// Names the record of a session.
    #[must_use]
    pub fn key(session: &str) -> Key {
        Key::new("roles", session)
    }

    /// Writes the first `most` roles of the record. The pins go with them: credentials that an older start URL's session
    /// gave are not served under a new one.
    #[must_use]
    pub fn to_bytes(&self, session: &str, pins: &Pins, most: usize) -> Bytes {
        let role = |(account, role, credentials): &(AccountId, RoleName, Credentials)| RoleJson {
            account: account.as_str().to_owned(),
            role: role.as_str().to_owned(),
            access_key_id: credentials.access_key_id().to_owned(),
            secret_access_key: credentials.secret_access_key().clone(),
            session_token: credentials.session_token().cloned().unwrap_or_default(),
            expires_at: unix_seconds(credentials.expires_at()),
            issued_at: unix_seconds(credentials.issued_at()),
        };
        let roles = self.roles.iter().take(most).map(role).collect();
        let json = RolesJson { version: record::VERSION, session: session.to_owned(), pins: pins.clone(), roles };
        record::to_bytes(&json, ROOM)
    }

    /// Reads the record of `session`; what was issued under other pins, or is not named as AWS names things, is left out.
    ///
    /// # Errors
    /// [`RecordError`] says what is wrong with it.
    pub fn from_bytes(session: &str, pins: &Pins, bytes: &[u8]) -> Result<Self, RecordError> {
        let json: RolesJson = record::from_bytes(bytes)?;
        if json.session != session {
            return Err(RecordError::Foreign);
        }
        if json.pins != *pins {
            return Ok(Self::default());
        }
        let role = |held: RoleJson| {
            let account = AccountId::new(&held.account).ok()?;
            let role = RoleName::new(&held.role).ok()?;
            let credentials = Credentials::from(Parts {
                access_key_id: held.access_key_id,
                secret_access_key: held.secret_access_key,
                session_token: held.session_token,
                expires_at: from_unix_seconds(held.expires_at),
                issued_at: from_unix_seconds(held.issued_at),
                account_id: Some(account.clone()),
            });
            Some((account, role, credentials))
        };
        Ok(Self { roles: json.roles.into_iter().filter_map(role).collect() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pins(host: &str) -> Pins {
        let endpoints = Endpoints { sso_oidc: format!("https://oidc.{host}"), sso: format!("https://portal.{host}") };
        Pins { start_url: "https://d-1.awsapps.com/start".into(), region: "us-east-1".into(), endpoints }
    }

    fn full() -> SignInRecord {
        let client = Registration {
            client_id: "client".into(),
            client_secret: Secret::new("CANARY-client".into()),
            expires_at: from_unix_seconds(2_000),
        };
        let tokens = Tokens {
            access_token: Secret::new("CANARY-access".into()),
            expires_at: from_unix_seconds(1_000),
            issued_at: from_unix_seconds(500),
            refresh_token: Some(Secret::new("CANARY-refresh".into())),
        };
        SignInRecord {
            registration: Some((client, vec!["sso:account:access".into()])),
            tokens: Some(tokens),
            spending_since: Some(from_unix_seconds(900)),
            adopted: Some("digest".into()),
            ..SignInRecord::empty("corp", pins("us-east-1"))
        }
    }

    #[test]
    fn a_sign_in_record_comes_back_whole() {
        let back = SignInRecord::from_bytes("corp", &full().to_bytes()).unwrap();
        let tokens = back.tokens.unwrap();
        assert_eq!(tokens.access_token.expose_secret(), "CANARY-access");
        assert_eq!(tokens.refresh_token.unwrap().expose_secret(), "CANARY-refresh");
        assert_eq!(tokens.expires_at, from_unix_seconds(1_000));
        let (client, scopes) = back.registration.unwrap();
        assert_eq!((client.client_secret.expose_secret(), scopes.len()), ("CANARY-client", 1));
        assert_eq!(back.spending_since, Some(from_unix_seconds(900)));
        assert_eq!(back.pins, pins("us-east-1"));
        assert_eq!(back.adopted.as_deref(), Some("digest"));
    }

    #[test]
    fn a_record_from_before_there_was_adoption_is_read() {
        let record = SignInRecord { adopted: None, ..full() };
        let bytes = record.to_bytes();
        assert!(!String::from_utf8_lossy(&bytes).contains("adopted"));
        assert_eq!(SignInRecord::from_bytes("corp", &bytes).unwrap().adopted, None);
    }

    #[test]
    fn e3_a_record_never_prints_its_secrets() {
        assert!(!format!("{:?} {:#?}", full(), full()).contains("CANARY"));
    }

    #[test]
    fn e3_twin_a_record_prints_what_helps() {
        assert!(format!("{:?}", full()).contains("corp"));
    }

    #[test]
    fn i6_what_is_no_record_is_refused_without_quoting_it() {
        for damaged in [&b"CANARY"[..], b"", b"{}", b"{\"version\":1}", b"{\"version\":1,\"session\":\"CANARY"] {
            let error = SignInRecord::from_bytes("corp", damaged).unwrap_err();
            assert!(!error.to_string().contains("CANARY"), "{error}");
        }
        let mut cut = full().to_bytes();
        let half = cut.len() / 2;
        cut.truncate(half);
        assert!(SignInRecord::from_bytes("corp", &cut).is_err());
        assert_eq!(
            SignInRecord::from_bytes("corp", b"{\"version\":2}").unwrap_err(),
            RecordError::Version { found: 2 }
        );
    }

    #[test]
    fn a_record_of_another_session_is_foreign() {
        assert_eq!(SignInRecord::from_bytes("other", &full().to_bytes()).unwrap_err(), RecordError::Foreign);
    }

    #[test]
    fn role_credentials_come_back_only_under_the_same_pins() {
        let account = AccountId::new("123456789012").unwrap();
        let credentials = Credentials::from(Parts {
            access_key_id: "ASIATEST".into(),
            secret_access_key: Secret::new("CANARY-key".into()),
            session_token: Secret::new("CANARY-token".into()),
            expires_at: from_unix_seconds(4_000),
            issued_at: from_unix_seconds(400),
            account_id: Some(account.clone()),
        });
        let record = RolesRecord {
            roles: vec![
                (account.clone(), RoleName::new("Dev").unwrap(), credentials.clone()),
                (account, RoleName::new("Ops").unwrap(), credentials),
            ],
        };
        let bytes = record.to_bytes("corp", &pins("us-east-1"), 1);
        let back = RolesRecord::from_bytes("corp", &pins("us-east-1"), &bytes).unwrap();
        assert_eq!(back.roles.len(), 1);
        assert_eq!(back.roles[0].2.session_token().unwrap().expose_secret(), "CANARY-token");
        assert!(RolesRecord::from_bytes("corp", &pins("evil.test"), &bytes).unwrap().roles.is_empty());
    }

    #[test]
    fn the_difference_between_pins_names_both_values() {
        assert_eq!(pins("a").difference(&pins("a")), None);
        let text = pins("a").difference(&pins("evil")).unwrap();
        assert!(text.contains("https://oidc.a") && text.contains("https://oidc.evil"));
    }
}
