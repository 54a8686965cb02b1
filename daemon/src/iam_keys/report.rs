//! How old a user's keys are and when they were last used, and what else of theirs does not end by itself, as IAM tells.

use super::KeyKeeper;
use crate::arns::UserArn;
use crate::aws::iam::{KeysOf, LastUse, ServiceCredential};
use crate::iam_users::record::KeyState;
use crate::problem::Problem;
use std::time::SystemTime;

/// A key, as IAM and the store know it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReportedKey {
    /// Its id.
    pub id: String,
    /// What the store has it for; absent: the store does not have it.
    pub kept: Option<KeyState>,
    /// Whether AWS accepts it.
    pub is_active: bool,
    /// When it was made.
    pub created_at: Option<SystemTime>,
    /// When it was last used; absent: never, as far as IAM knows yet.
    pub last_used: Option<LastUse>,
}

/// What a user has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UserReport {
    /// The access keys: those never used first, then those whose last use is longest ago.
    pub keys: Vec<ReportedKey>,
    /// What the user has for one service alone, the oldest first; or why nothing is known of it: not everybody may ask.
    pub for_services: Result<Vec<ServiceCredential>, Problem>,
}

impl KeyKeeper {
    /// Tells of all keys of a user.
    ///
    /// # Errors
    /// What the store or AWS said.
    pub async fn report(&self, user: &UserArn) -> Result<UserReport, Problem> {
        let record = self.record(user).await?;
        let none = || Problem::NoAccessKey { user: user.clone(), profile: None };
        let from = record.in_use().map(|key| self.credentials_of(user, key)).ok_or_else(none)?;
        let of = KeysOf { user, from: &from };
        let mut keys = Vec::new();
        let listed = self.aws.list_access_keys(of).await?;
        for listed in listed {
            let last_used = self.aws.access_key_last_used(of, &listed.id).await?;
            let kept = record.keys.iter().find(|key| key.id.as_str() == listed.id).map(|key| key.state);
            let (is_active, created_at) = (listed.is_active, listed.created_at);
            keys.push(ReportedKey { id: listed.id, kept, is_active, created_at, last_used });
        }
        keys.sort_by_key(|key| key.last_used.as_ref().map(|used| used.at));
        let for_services = self.aws.list_service_credentials(of).await.map_err(Problem::from);
        let for_services = for_services.map(|mut listed| {
            listed.sort_by_key(|one| one.created_at);
            listed
        });
        Ok(UserReport { keys, for_services })
    }
}
