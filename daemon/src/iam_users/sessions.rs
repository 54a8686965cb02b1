//! The sessions that are alive: in memory, and those that a code bought in the store as well.

use super::sessions_record::{KeptSession, MOST_SESSIONS, SessionsRecord};
use super::shelf::{Record, Shelf};
use crate::arns::{MfaSerial, UserArn};
use crate::credentials::Credentials;
use crate::problem::Problem;
use crate::profile::IamUser;
use crate::record::RecordError;
use crate::store::{Bytes, Key, Store};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

/// How long a session lasts where the profile says nothing: what STS gives who asks for nothing (STS API, `GetSessionToken`).
const USUAL: Duration = Duration::from_secs(43_200);

/// What a session is good for: whoever names the same user, device and duration shares it, wherever their roles are.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Purpose {
    pub(super) user: UserArn,
    pub(super) mfa: Option<MfaSerial>,
    pub(super) asked: Duration,
}

impl Purpose {
    pub(super) fn of(source: &IamUser) -> Self {
        Self { user: source.user.clone(), mfa: source.mfa.clone(), asked: source.duration.unwrap_or(USUAL) }
    }
}

/// The sessions of one daemon.
#[derive(Debug)]
pub(super) struct Sessions {
    live: Mutex<HashMap<Purpose, Arc<Credentials>>>,
    kept: Shelf<SessionsRecord>,
}

impl Record for SessionsRecord {
    const IS_CACHE: bool = true;

    fn key(user: &str) -> Key {
        Self::key(user)
    }

    fn to_bytes(&self) -> Bytes {
        self.to_bytes()
    }

    fn from_bytes(user: &str, bytes: &[u8]) -> Result<Self, RecordError> {
        Self::from_bytes(user, bytes)
    }
}

impl Sessions {
    pub(super) fn new(store: Store) -> Self {
        Self { live: Mutex::default(), kept: Shelf::new(store) }
    }

    /// Returns a session that is alive. One that a code bought may come from the store; a store that does not answer is told of.
    ///
    /// # Errors
    /// What the store said: asking a person for a code that is not needed would be worse.
    pub(super) async fn find(&self, purpose: &Purpose, now: SystemTime) -> Result<Option<Arc<Credentials>>, Problem> {
        if let Some(live) = self.known(purpose, now) {
            return Ok(Some(live));
        }
        let Some(serial) = &purpose.mfa else { return Ok(None) };
        let Some(record) = self.kept.get(&purpose.user).await? else { return Ok(None) };
        let same = |kept: &&KeptSession| kept.serial == serial.as_str() && kept.asked == purpose.asked;
        let found = record.sessions.into_iter().find(|kept| same(&kept) && !kept.credentials.remaining(now).is_zero());
        Ok(found.map(|kept| {
            let credentials = Arc::new(kept.credentials);
            self.lock().insert(purpose.clone(), Arc::clone(&credentials));
            credentials
        }))
    }

    /// Returns a session that is alive and in memory.
    pub(super) fn known(&self, purpose: &Purpose, now: SystemTime) -> Option<Arc<Credentials>> {
        self.lock().get(purpose).filter(|held| !held.remaining(now).is_zero()).cloned()
    }

    /// Whether none is alive, where the store has been read; where not, nobody knows.
    pub(super) fn is_known_to_be_over(&self, purpose: &Purpose, now: SystemTime) -> bool {
        let Some(kept) = self.kept.known(&purpose.user) else { return false };
        let alive = |kept: &KeptSession| {
            let same = Some(kept.serial.as_str()) == purpose.mfa.as_ref().map(MfaSerial::as_str);
            same && kept.asked == purpose.asked && !kept.credentials.remaining(now).is_zero()
        };
        self.known(purpose, now).is_none() && !kept.is_some_and(|record| record.sessions.iter().any(alive))
    }

    /// Keeps a session. A store that fails costs a code after the next start, and no more: it is logged.
    pub(super) async fn insert(&self, purpose: &Purpose, credentials: &Arc<Credentials>, now: SystemTime) {
        self.lock().insert(purpose.clone(), Arc::clone(credentials));
        let Some(serial) = &purpose.mfa else { return };
        let serial = serial.as_str().to_owned();
        let kept = KeptSession { serial, asked: purpose.asked, credentials: (**credentials).clone() };
        let keep = |record: &mut Option<SessionsRecord>| {
            let user = purpose.user.as_str().to_owned();
            let record = record.get_or_insert_with(|| SessionsRecord { user, sessions: Vec::new() });
            let goes = |old: &KeptSession| old.serial == kept.serial && old.asked == kept.asked;
            record.sessions.retain(|old| !goes(old) && !old.credentials.remaining(now).is_zero());
            record.sessions.insert(0, kept);
            record.sessions.truncate(MOST_SESSIONS);
            Ok(())
        };
        if let Err(problem) = self.kept.change(&purpose.user, keep).await {
            tracing::warn!("the session of {} was not kept: {problem}", purpose.user);
        }
    }

    /// Forgets the sessions of a user, here and in the store; returns whether any was alive in memory.
    ///
    /// # Errors
    /// What the store said: then memory has forgotten them all the same.
    pub(super) async fn forget(&self, user: &UserArn, now: SystemTime) -> Result<bool, Problem> {
        let mut any = false;
        self.lock().retain(|purpose, held| {
            let goes = purpose.user == *user;
            any |= goes && !held.remaining(now).is_zero();
            !goes
        });
        let stored = self.kept.change(user, |record| Ok(record.take())).await?;
        let alive = |kept: &KeptSession| !kept.credentials.remaining(now).is_zero();
        Ok(any || stored.is_some_and(|record| record.sessions.iter().any(alive)))
    }

    /// Drops everything from memory; the store keeps it.
    pub(super) fn forget_all(&self) {
        self.lock().clear();
        self.kept.forget_all();
    }

    /// Returns whose sessions are in memory or were looked for in the store.
    pub(super) fn users(&self) -> Vec<UserArn> {
        let mut users = self.kept.users();
        users.extend(self.lock().keys().map(|purpose| purpose.user.clone()));
        users.sort();
        users.dedup();
        users
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Purpose, Arc<Credentials>>> {
        self.live.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
