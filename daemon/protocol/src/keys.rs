//! Access keys of IAM users: taken in, turned over, told about.

use crate::Secret;
use serde::{Deserialize, Serialize, Serializer};

/// The longest grace time of a rotation in seconds: 90 days.
pub const MAX_GRACE_SECONDS: u64 = 90 * 24 * 3600;

/// An access key that is to be kept in the keyring. `Debug` hides the secret.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ImportKey {
    /// Its id: `AKIA` and more.
    pub access_key_id: String,
    /// The secret access key.
    #[serde(serialize_with = "exposed")]
    pub secret_access_key: Secret,
    /// The region to prove it in; absent: us-east-1. A key of another partition needs one of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub region: Option<String>,
}

/// What the keyring has after an access key was offered. It was read back, and AWS has made a session with it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ImportedKey {
    /// The ARN of the IAM user whose key it is.
    pub user: String,
    /// The account.
    pub account_id: String,
    /// The last four characters of the id of the key that was offered.
    pub last_four: String,
    /// The same of another key of that user, which was in the keyring before and goes on to be used.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub in_use: Option<String>,
}

/// A rotation to begin, or to go on with.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RotateKey {
    /// A profile whose credentials start from the key.
    pub profile: String,
    /// The AWS config file of the caller, absolute; absent: the user's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub config: Option<String>,
    /// How long the replaced key is kept at IAM, deactivated; absent: a day. At most [`MAX_GRACE_SECONDS`].
    #[serde(default, deserialize_with = "crate::gate::whole", skip_serializing_if = "Option::is_none")]
    pub grace_seconds: Option<u64>,
    /// Whether to make no new key and to delete what was replaced now.
    #[serde(default)]
    pub finish: bool,
}

/// What became of a rotation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RotatedKey {
    /// The ARN of the IAM user.
    pub user: String,
    /// Whether a new key was made now; otherwise an earlier rotation went on.
    pub began: bool,
    /// The id of the key in use.
    pub in_use: String,
    /// When it was made, where that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created_at: Option<String>,
    /// The keys that it replaced.
    pub old: Vec<ReplacedKey>,
}

/// A key that was replaced.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReplacedKey {
    /// Its id.
    pub access_key_id: String,
    /// What became of it.
    pub state: ReplacedState,
    /// When it is deleted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub delete_after: Option<String>,
    /// Why it was left as it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
}

/// What became of a key that was replaced.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ReplacedState {
    /// AWS does not accept it; it can be made active again until it is deleted.
    Deactivated,
    /// It is gone.
    Deleted,
    /// IAM did not let it be deactivated or deleted.
    Left,
}

/// The access keys of the IAM users that profiles name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeysReport {
    /// The users, by ARN.
    pub users: Vec<ReportedUser>,
    /// How many users more there are, which were not asked about.
    pub more: usize,
}

/// An IAM user.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReportedUser {
    /// The ARN.
    pub user: String,
    /// The profiles that start from its keys.
    pub profiles: Vec<String>,
    /// The keys: those never used first, then those whose last use is longest ago.
    pub keys: Vec<ReportedKey>,
    /// What the user has for one service alone: the oldest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub for_services: Vec<ReportedServiceCredential>,
    /// Why nothing is known of what the user has for one service alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub for_services_problem: Option<String>,
    /// The age in days that the settings allow.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_age_days: Option<u64>,
    /// Why nothing is known of the keys.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub problem: Option<String>,
}

/// An access key, as IAM tells of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReportedKey {
    /// Its id.
    pub access_key_id: String,
    /// What the keyring has it for.
    pub kept: KeptState,
    /// Whether AWS accepts it.
    pub active: bool,
    /// When it was made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created_at: Option<String>,
    /// When it was last used; absent: never. IAM tells it some hours late.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_used_at: Option<String>,
    /// What it was last used for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_used_service: Option<String>,
    /// Where it was last used.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_used_region: Option<String>,
}

/// A service-specific credential, as IAM tells of it: a password for CodeCommit or Keyspaces, a long-term API key for Bedrock. IAM does not
/// tell when it was last used.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReportedServiceCredential {
    /// Its id.
    pub id: String,
    /// The service, `codecommit.amazonaws.com` for instance.
    pub service: String,
    /// Whether AWS accepts it.
    pub active: bool,
    /// When it was made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created_at: Option<String>,
    /// When it ends by itself; absent: never.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<String>,
}

/// What the keyring has a key for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum KeptState {
    /// Requests are signed with it.
    InUse,
    /// It is being brought in by a rotation.
    ComingIn,
    /// It was replaced.
    GoingOut,
    /// The keyring does not have it.
    Elsewhere,
}

fn exposed<S: Serializer>(secret: &Secret, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(secret.expose_secret())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn offered() -> ImportKey {
        let secret_access_key = Secret::new("CANARY-secret".to_owned());
        ImportKey { access_key_id: "AKIAIOSFODNN7EXAMPLE".to_owned(), secret_access_key, region: None }
    }

    #[test]
    fn e3_the_secret_of_a_key_is_never_printed() {
        assert!(!format!("{:?} {:#?}", offered(), offered()).contains("CANARY"));
    }

    #[test]
    fn e3_twin_it_crosses_the_socket_whole() {
        let back: ImportKey = serde_json::from_str(&serde_json::to_string(&offered()).unwrap()).unwrap();
        assert_eq!(back.secret_access_key.expose_secret(), "CANARY-secret");
    }
}
