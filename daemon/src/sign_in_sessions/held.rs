//! A sign-in session in memory, and what its tokens are good for. Pure.

use super::record::SignInRecord;
use crate::aws::{Registration, Tokens};
use crate::problem::Problem;
use crate::profile::SignInSession;
use std::time::{Duration, SystemTime};
use tegata_protocol::Secret;

/// How early an access token is renewed; a third of its life where that is later.
const RENEW_AHEAD: Duration = Duration::from_secs(15 * 60);

/// A session in memory.
#[derive(Debug, Clone)]
pub(super) struct Held {
    pub(super) session: SignInSession,
    pub(super) record: SignInRecord,
    /// Why the store lacks what is here, if it does.
    pub(super) unsaved: Option<String>,
    pub(super) last_error: Option<String>,
    /// The last failed renewal, repeated no earlier than at this boot time.
    pub(super) failure: Option<Problem>,
    pub(super) retry_at: Duration,
}

/// What a session's tokens are good for.
pub(super) enum Standing {
    Good(Secret),
    /// Good, and better renewed soon.
    Aging(Secret),
    /// The access token is over, the refresh token may bring another.
    Renewable,
    Over,
}

impl Held {
    pub(super) fn new(session: SignInSession, record: SignInRecord) -> Self {
        Self { session, record, unsaved: None, last_error: None, failure: None, retry_at: Duration::ZERO }
    }

    pub(super) fn standing(&self, now: SystemTime) -> Standing {
        let Some(tokens) = &self.record.tokens else { return Standing::Over };
        match (tokens.expires_at > now, tokens.refresh_token.is_some()) {
            (true, true) if renew_at(tokens) <= now => Standing::Aging(tokens.access_token.clone()),
            (true, _) => Standing::Good(tokens.access_token.clone()),
            (false, true) => Standing::Renewable,
            (false, false) => Standing::Over,
        }
    }

    pub(super) fn renew_at(&self) -> Option<SystemTime> {
        self.record.tokens.as_ref().filter(|tokens| tokens.refresh_token.is_some()).map(renew_at)
    }

    /// Returns the client that a new sign-in may use. One that came with another tool's sign-in can do what that tool needed, and
    /// is left to it once that has ended; before, its refresh token would die with it.
    pub(super) fn own_registration(&self) -> Option<&(Registration, Vec<String>)> {
        let foreign = self.record.adopted.is_some() && self.record.tokens.is_none();
        self.record.registration.as_ref().filter(|_| !foreign)
    }

    pub(super) fn forget_failure(&mut self) {
        self.last_error = None;
        self.failure = None;
        self.retry_at = Duration::ZERO;
    }

    /// Takes the access token for dead; returns whether the session has ended with it.
    pub(super) fn refused(&mut self, token: &Secret, said: &str) -> bool {
        let Some(tokens) = &mut self.record.tokens else { return false };
        if tokens.access_token.expose_secret() != token.expose_secret() {
            return false;
        }
        tokens.expires_at = SystemTime::UNIX_EPOCH;
        let ends = tokens.refresh_token.is_none();
        if ends {
            self.end(said, SystemTime::UNIX_EPOCH);
        }
        ends
    }

    pub(super) fn end(&mut self, said: &str, now: SystemTime) {
        self.record.ended = Some(said.to_owned());
        self.record.spending_since = None;
        self.record.tokens = self.record.tokens.take().filter(|tokens| tokens.expires_at > now);
        if let Some(tokens) = &mut self.record.tokens {
            tokens.refresh_token = None;
        }
        self.forget_failure();
    }
}

/// Returns when tokens are renewed.
pub(super) fn renew_at(tokens: &Tokens) -> SystemTime {
    let lifetime = tokens.expires_at.duration_since(tokens.issued_at).unwrap_or_default();
    tokens.expires_at.checked_sub(RENEW_AHEAD.min(lifetime / 3)).unwrap_or(SystemTime::UNIX_EPOCH)
}
