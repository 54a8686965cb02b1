//! What the store keeps of a console login: one record for each identity. Pure.
//!
//! Credentials are not in it: they live fifteen minutes, in memory.

use crate::arns::IdentityArn;
use crate::aws::LoginClient;
use crate::clock::{from_unix_seconds, unix_seconds};
use crate::names::Region;
use crate::record::{self, RecordError};
use crate::signin::dpop::ProofKey;
use crate::store::{Bytes, Key};
use serde::{Deserialize, Serialize};
use std::time::SystemTime;
use tegata_protocol::Secret;

/// What renews a login.
#[derive(Clone, Debug)]
pub struct Renewal {
    /// The client it was made as.
    pub client: LoginClient,
    /// The key that it is bound to.
    pub key: ProofKey,
    /// Brings the next credentials, once.
    pub refresh_token: Secret,
}

/// The record of a console login.
#[derive(Clone, Debug)]
pub struct LoginRecord {
    /// Who logged in.
    pub identity: IdentityArn,
    /// The region it was made in; its tokens go nowhere else.
    pub region: Region,
    /// Where its tokens came from: pinned.
    pub endpoint: String,
    /// When it began. AWS ends it twelve hours later.
    pub began_at: SystemTime,
    /// What renews it; absent once only a person can go on.
    pub renewal: Option<Renewal>,
    /// When the refresh token in here was about to be spent. Found after a crash, it says that AWS may already have replaced that token.
    pub spending_since: Option<SystemTime>,
    /// What AWS said when it ended, until the next login.
    pub ended: Option<String>,
}

#[derive(Serialize, Deserialize)]
struct Json {
    version: u32,
    identity: String,
    region: String,
    endpoint: String,
    began_at: i64,
    renewal: Option<RenewalJson>,
    spending_since: Option<i64>,
    ended: Option<String>,
}

#[derive(Serialize, Deserialize)]
struct RenewalJson {
    client_id: String,
    #[serde(serialize_with = "record::exposed")]
    key: Secret,
    #[serde(serialize_with = "record::exposed")]
    refresh_token: Secret,
}

/// Enough that serialising never moves the record and leaves an unwiped copy behind.
const ROOM: usize = 64 * 1024;

impl LoginRecord {
    /// Names the record of an identity.
    #[must_use]
    pub fn key(identity: &IdentityArn) -> Key {
        Key::new("console-login", identity.as_str())
    }

    /// Writes the record.
    #[must_use]
    pub fn to_bytes(&self) -> Bytes {
        let renewal = self.renewal.as_ref().map(|renewal| RenewalJson {
            client_id: renewal.client.id().to_owned(),
            key: renewal.key.to_secret(),
            refresh_token: renewal.refresh_token.clone(),
        });
        let json = Json {
            version: record::VERSION,
            identity: self.identity.as_str().to_owned(),
            region: self.region.as_str().to_owned(),
            endpoint: self.endpoint.clone(),
            began_at: unix_seconds(self.began_at),
            renewal,
            spending_since: self.spending_since.map(unix_seconds),
            ended: self.ended.clone(),
        };
        record::to_bytes(&json, ROOM)
    }

    /// Reads the record of `identity`.
    ///
    /// # Errors
    /// [`RecordError`] says what is wrong with it.
    pub fn from_bytes(identity: &IdentityArn, bytes: &[u8]) -> Result<Self, RecordError> {
        let json: Json = record::from_bytes(bytes)?;
        if json.identity != identity.as_str() {
            return Err(RecordError::Foreign);
        }
        let unreadable = RecordError::Unreadable { column: 0 };
        let renewal = json.renewal.map(|held| {
            let client = LoginClient::with_id(&held.client_id)?;
            let key = ProofKey::from_secret(&held.key)?;
            Some(Renewal { client, key, refresh_token: held.refresh_token })
        });
        Ok(Self {
            identity: identity.clone(),
            region: Region::new(&json.region).map_err(|_| unreadable.clone())?,
            endpoint: json.endpoint,
            began_at: from_unix_seconds(json.began_at),
            renewal: renewal.map(|renewal| renewal.ok_or(unreadable)).transpose()?,
            spending_since: json.spending_since.map(from_unix_seconds),
            ended: json.ended,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALICE: &str = "arn:aws:sts::123456789012:assumed-role/Admin/alice";

    fn alice() -> IdentityArn {
        IdentityArn::new(ALICE).unwrap()
    }

    fn full() -> LoginRecord {
        let renewal = Renewal {
            client: LoginClient::CrossDevice,
            key: ProofKey::fresh().unwrap(),
            refresh_token: Secret::new("CANARY-refresh".into()),
        };
        LoginRecord {
            identity: alice(),
            region: Region::new("us-east-1").unwrap(),
            endpoint: "https://us-east-1.signin.aws.amazon.com".into(),
            began_at: from_unix_seconds(1_000),
            renewal: Some(renewal),
            spending_since: Some(from_unix_seconds(2_000)),
            ended: None,
        }
    }

    #[test]
    fn a_record_comes_back_whole() {
        let record = full();
        let back = LoginRecord::from_bytes(&alice(), &record.to_bytes()).unwrap();
        let (renewal, written) = (back.renewal.unwrap(), record.renewal.unwrap());
        assert_eq!(renewal.refresh_token.expose_secret(), "CANARY-refresh");
        assert_eq!(renewal.key.to_secret().expose_secret(), written.key.to_secret().expose_secret());
        assert_eq!(renewal.client, LoginClient::CrossDevice);
        assert_eq!((back.began_at, back.spending_since), (from_unix_seconds(1_000), Some(from_unix_seconds(2_000))));
        assert_eq!((back.region.as_str(), back.endpoint.as_str()), ("us-east-1", record.endpoint.as_str()));
    }

    #[test]
    fn e3_a_record_never_prints_its_secrets() {
        let record = full();
        let key = record.renewal.as_ref().unwrap().key.to_secret();
        let printed = format!("{record:?} {record:#?}");
        assert!(!printed.contains("CANARY") && !printed.contains(key.expose_secret()), "{printed}");
    }

    #[test]
    fn a_record_of_somebody_else_or_with_what_is_no_key_is_refused() {
        let bob = IdentityArn::new("arn:aws:iam::123456789012:user/bob").unwrap();
        assert_eq!(LoginRecord::from_bytes(&bob, &full().to_bytes()).unwrap_err(), RecordError::Foreign);
        let text = String::from_utf8_lossy(&full().to_bytes()).into_owned();
        for (good, bad) in
            [("devtools/cross-device", "devtools/x"), ("us-east-1\"", "../..\""), ("\"version\":1", "\"version\":2")]
        {
            assert!(LoginRecord::from_bytes(&alice(), text.replace(good, bad).as_bytes()).is_err(), "{bad}");
        }
        let mut json: serde_json::Value = serde_json::from_str(&text).unwrap();
        json["renewal"]["key"] = "CANARY".into();
        let error = LoginRecord::from_bytes(&alice(), json.to_string().as_bytes()).unwrap_err();
        assert!(!error.to_string().contains("CANARY"));
    }

    #[test]
    fn a_name_in_the_keyring_says_nothing_of_the_identity() {
        let name = LoginRecord::key(&alice()).as_str().to_owned();
        assert!(name.starts_with("console-login-") && !name.contains("alice") && !name.contains("123456789012"));
    }
}
