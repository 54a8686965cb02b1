//! A key that IAM made and nobody has the secret of, because the answer was lost or the daemon ended. It is found by listing, and deleted
//! only where it can be no other's.

use super::KeyKeeper;
use super::rotate::is_gone;
use crate::arns::UserArn;
use crate::audit::KeyStep;
use crate::aws::iam::{KeysOf, ListedKey};
use crate::iam_users::record::IamUserRecord;
use crate::problem::Problem;
use std::time::{Duration, SystemTime};

/// How far the clocks of this machine and of IAM may be apart, and how long a request to IAM may be under way: a key that appeared in
/// that time around a lost CreateAccessKey is the one it made.
const AROUND_A_LOST_CALL: Duration = Duration::from_secs(120);

impl KeyKeeper {
    /// A CreateAccessKey was under way when the daemon ended, or its answer was lost. If it made a key, nobody has its secret: the key
    /// is deleted where it can be no other's, because it appeared in that moment and was never used.
    pub(super) async fn forget_lost_key(&self, user: &UserArn, record: &IamUserRecord) -> Result<(), Problem> {
        let Some(since) = record.making_since else { return Ok(()) };
        let from = self.in_use(user, record)?;
        let of = KeysOf { user, from: &from };
        for stranger in self.strangers(of, record).await? {
            let near = stranger.created_at.is_some_and(|at| is_around(at, since));
            if near && self.aws.access_key_last_used(of, &stranger.id).await?.is_none() {
                match self.aws.delete_access_key(of, &stranger.id).await {
                    Err(error) if !is_gone(&error) => return Err(error.into()),
                    _ => self.note(user, KeyStep::LostDeleted, tail(&stranger.id)),
                }
                crate::failpoint!("keys.rotate.lost-deleted");
            }
        }
        self.change(user, |record| {
            record.making_since = None;
            record.grace = None;
        })
        .await
    }

    /// Keys that IAM has and the record has not.
    pub(super) async fn strangers(&self, of: KeysOf<'_>, record: &IamUserRecord) -> Result<Vec<ListedKey>, Problem> {
        let mut listed = self.aws.list_access_keys(of).await?;
        listed.retain(|listed| record.keys.iter().all(|key| key.id.as_str() != listed.id));
        Ok(listed)
    }
}

fn tail(id: &str) -> &str {
    id.get(id.len().saturating_sub(4)..).unwrap_or_default()
}

fn is_around(at: SystemTime, since: SystemTime) -> bool {
    let apart = at.duration_since(since).unwrap_or_else(|earlier| earlier.duration());
    apart <= AROUND_A_LOST_CALL
}
