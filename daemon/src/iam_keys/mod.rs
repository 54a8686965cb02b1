//! The life of an IAM user's access keys: they come into the store, are turned over, and are told about.
//!
//! What a crash at any point leaves is in the record of the user ([`IamUserRecord`](crate::iam_users::record::IamUserRecord)), so that
//! whoever comes next goes on where it ended. At any moment one key works: a new one is used only once AWS knew it, and the old one is
//! deactivated only after that. It must not know who asks, what a profile is, or whether a hand was needed.

pub mod age;
mod import;
mod lost;
mod marks;
mod problem;
mod prove;
pub mod report;
mod rotate;

pub use import::{Imported, Kept};
pub use marks::Marks;
pub use problem::KeyProblem;
pub use rotate::{Fate, OldKey, Rotated, Wanted};

use crate::arns::UserArn;
use crate::audit::{Audit, Event, KeyStep, KeyTail};
use crate::aws::Aws;
use crate::clock::Clock;
use crate::credentials::Credentials;
use crate::flight::Flights;
use crate::iam_users::IamUsers;
use crate::iam_users::record::{AccessKey, IamUserRecord};
use crate::names::AccountId;
use crate::problem::Problem;
use crate::store::Store;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

/// How long credentials made of a key for one request are said to last. Nobody else gets them.
const ONE_REQUEST: Duration = Duration::from_secs(300);

/// What is done when another key is in use, before the old one is deactivated: what was handed out of it is not handed out again.
pub struct Switched(pub Box<dyn Fn(&UserArn) + Send + Sync>);

impl fmt::Debug for Switched {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Switched")
    }
}

/// Looks after access keys.
#[derive(Debug)]
pub struct KeyKeeper {
    aws: Arc<dyn Aws>,
    clock: Arc<dyn Clock>,
    users: Arc<IamUsers>,
    store: Store,
    audit: Arc<Audit>,
    marks: Arc<Marks>,
    switched: Switched,
    flights: Flights<(UserArn, rotate::Wanted), Result<Rotated, Problem>>,
    /// How long is waited between tries of a new key, in milliseconds.
    pauses: [u64; 10],
    /// Held over everything that changes keys, so that no two rotations of a user meet.
    turn: tokio::sync::Mutex<()>,
}

impl KeyKeeper {
    /// Makes it; nothing is read before it is asked for.
    #[must_use]
    pub fn new(
        aws: Arc<dyn Aws>,
        clock: Arc<dyn Clock>,
        users: Arc<IamUsers>,
        store: Store,
        audit: Arc<Audit>,
        marks: Arc<Marks>,
        switched: Switched,
    ) -> Self {
        let (flights, turn) = (Flights::default(), tokio::sync::Mutex::default());
        Self { aws, clock, users, store, audit, marks, switched, flights, pauses: prove::PAUSES, turn }
    }

    /// Whether a rotation is due. It asks a file and no store.
    #[must_use]
    pub fn has_due(&self) -> bool {
        self.marks.has_due(self.clock.now(), self.clock.since_boot())
    }

    fn note(&self, user: &UserArn, step: KeyStep, last_four: &str) {
        let event = Event::KeyRotated { user, step, access_key: KeyTail::last_four(last_four) };
        if let Err(error) = self.audit.record(None, &event) {
            tracing::error!("a record could not be written: {error}");
        }
    }

    fn credentials_of(&self, user: &UserArn, key: &AccessKey) -> Credentials {
        let (now, account) = (self.clock.now(), AccountId::new(user.account()).ok());
        Credentials::of_access_key(key.id.as_str(), key.secret.clone(), account, now, now + ONE_REQUEST)
    }

    async fn record(&self, user: &UserArn) -> Result<IamUserRecord, Problem> {
        let none = || Problem::NoAccessKey { user: user.clone(), profile: None };
        self.users.keys(user).await?.ok_or_else(none)
    }

    /// Changes the record of a user that has one.
    async fn change(&self, user: &UserArn, change: impl FnOnce(&mut IamUserRecord)) -> Result<(), Problem> {
        let none = || Problem::NoAccessKey { user: user.clone(), profile: None };
        self.users.change_keys(user, |record| record.as_mut().map(change).ok_or_else(none)).await
    }
}

#[cfg(test)]
mod tests;
