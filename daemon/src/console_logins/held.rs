//! A console login in memory, and what it is good for. Pure.

use super::record::{LoginRecord, Renewal};
use crate::cache::renew_at;
use crate::credentials::Credentials;
use crate::problem::Problem;
use std::time::{Duration, SystemTime};
use subtle::ConstantTimeEq as _;

/// A login in memory.
#[derive(Clone, Debug)]
pub(super) struct Held {
    pub(super) record: LoginRecord,
    /// The newest credentials; the store never has them.
    pub(super) credentials: Option<Credentials>,
    /// Why the store lacks what is here, if it does.
    pub(super) unsaved: Option<String>,
    pub(super) last_error: Option<String>,
    /// The last failed renewal, repeated no earlier than at this boot time.
    pub(super) failure: Option<Problem>,
    pub(super) retry_at: Duration,
}

/// What a login is good for.
#[derive(Debug)]
pub(super) enum Standing {
    /// Nothing better is to be had.
    Good(Credentials),
    /// Alive, and better renewed.
    Aging(Credentials),
    /// Nothing that AWS would accept; a renewal may bring it.
    Renewable,
    /// Only a person can go on.
    Over,
}

impl Held {
    pub(super) fn new(record: LoginRecord) -> Self {
        Self { record, credentials: None, unsaved: None, last_error: None, failure: None, retry_at: Duration::ZERO }
    }

    /// `now` is AWS's time.
    pub(super) fn standing(&self, now: SystemTime) -> Standing {
        let live = self.credentials.as_ref().filter(|credentials| !credentials.remaining(now).is_zero());
        match (live, self.record.renewal.is_some()) {
            (Some(live), true) if renew_at(live) <= now => Standing::Aging(live.clone()),
            (Some(live), _) => Standing::Good(live.clone()),
            (None, true) => Standing::Renewable,
            (None, false) => Standing::Over,
        }
    }

    /// Whether this is what renews it, and no other login has come meanwhile.
    pub(super) fn is_renewed_by(&self, renewal: &Renewal) -> bool {
        let token = |renewal: &'_ Renewal| renewal.refresh_token.clone();
        let given = token(renewal);
        let own = self.record.renewal.as_ref().map(token);
        own.is_some_and(|own| own.expose_secret().as_bytes().ct_eq(given.expose_secret().as_bytes()).into())
    }

    pub(super) fn forget_failure(&mut self) {
        self.last_error = None;
        self.failure = None;
        self.retry_at = Duration::ZERO;
    }

    /// What only a person can revive. Credentials that live go on to their own end.
    pub(super) fn end(&mut self, said: &str) {
        self.record.renewal = None;
        self.record.spending_since = None;
        self.record.ended = Some(said.to_owned());
        self.forget_failure();
    }
}
