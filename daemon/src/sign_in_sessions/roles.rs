//! The stored credentials of a session's roles: read once, so that a restart costs no call to AWS, and written behind.
//!
//! They are a cache: bounded, the least recently used go first, and a store without room gets fewer of them.

use super::record::{Pins, RolesRecord};
use crate::cache::Cache;
use crate::clock::Clock;
use crate::credentials::Credentials;
use crate::names::SessionName;
use crate::profile::{Chain, SignInSession, Source};
use crate::store::{Store, StoreError};
use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// The most roles kept per session: a keyring rewrites a whole collection with each record, so records stay small.
const MOST: usize = 50;

/// The least time between two writes of one session's record.
const WRITE_EVERY: Duration = Duration::from_secs(3);

/// The stored role credentials of all sessions.
#[derive(Debug)]
pub struct StoredRoles {
    store: Store,
    clock: Arc<dyn Clock>,
    cache: Arc<Cache>,
    shelves: Mutex<HashMap<SessionName, Shelf>>,
    /// Held over every use of the store, so that a late write cannot bring back what `lock` deleted.
    at_the_store: tokio::sync::Mutex<()>,
}

#[derive(Debug, Default)]
struct Shelf {
    read: bool,
    /// How many changes there were; what a write has to catch up with.
    changes: u64,
    writing: bool,
    written_at: Option<Duration>,
}

impl StoredRoles {
    /// Makes the table; nothing is read before it is asked for.
    #[must_use]
    pub fn new(store: Store, clock: Arc<dyn Clock>, cache: Arc<Cache>) -> Self {
        Self { store, clock, cache, shelves: Mutex::default(), at_the_store: tokio::sync::Mutex::default() }
    }

    /// Puts into the cache what the store has for the chain's session, once in the daemon's life. A store that does not
    /// answer costs a call to AWS and no more: its error is logged and the next caller tries again.
    pub async fn restore(&self, chain: &Chain, pins: &Pins) {
        let Some(session) = chain.session() else { return };
        let _alone = self.at_the_store.lock().await;
        if self.lock().get(&session.name).is_some_and(|shelf| shelf.read) {
            return;
        }
        let name = session.name.as_str();
        match self.store.read(&RolesRecord::key(name)).await {
            Ok(found) => {
                let record = found.map(|bytes| RolesRecord::from_bytes(name, pins, &bytes));
                match record.unwrap_or_else(|| Ok(RolesRecord::default())) {
                    Ok(record) => self.fill(session, record),
                    Err(damage) => {
                        tracing::warn!("the stored credentials of sign-in session {name}: the record {damage}")
                    }
                }
            }
            Err(StoreError::Damaged { key, detail }) => {
                tracing::warn!("record {key} was damaged ({detail}) and set aside")
            }
            Err(error) => {
                tracing::warn!("the stored credentials of sign-in session {name} could not be read: {error}");
                return;
            }
        }
        self.lock().entry(session.name.clone()).or_default().read = true;
    }

    /// Takes note that the cache has new credentials of this session; they are written soon.
    pub fn changed(self: &Arc<Self>, name: &SessionName, pins: &Pins) {
        let starts = {
            let mut shelves = self.lock();
            let shelf = shelves.entry(name.clone()).or_default();
            shelf.changes += 1;
            !std::mem::replace(&mut shelf.writing, true)
        };
        if starts {
            let (roles, name, pins) = (Arc::clone(self), name.clone(), pins.clone());
            tokio::spawn(async move { roles.write_until_caught_up(&name, &pins).await });
        }
    }

    /// Deletes the stored role credentials of these sessions; what the store cannot delete now is returned.
    ///
    /// # Errors
    /// The first error of the store; the others are deleted all the same.
    pub async fn delete_all(&self, names: &HashSet<SessionName>) -> Result<(), StoreError> {
        let _alone = self.at_the_store.lock().await;
        self.lock().clear();
        let mut outcome = Ok(());
        for name in names {
            let deleted = self.store.delete(&RolesRecord::key(name.as_str())).await;
            outcome = outcome.and(deleted);
        }
        outcome
    }

    fn fill(&self, session: &SignInSession, record: RolesRecord) {
        let now = self.clock.now();
        for (account, role, credentials) in record.roles {
            if credentials.remaining(now).is_zero() {
                continue;
            }
            let source = Source::SignIn { session: session.clone(), account, role };
            let chain = Chain { source, roles: Vec::new(), region: session.region.clone() };
            self.cache.insert(Arc::new(chain), Arc::new(credentials), now);
        }
    }

    async fn write_until_caught_up(&self, name: &SessionName, pins: &Pins) {
        loop {
            let (seen, waits) = {
                let mut shelves = self.lock();
                let shelf = shelves.entry(name.clone()).or_default();
                let next = shelf.written_at.map_or(Duration::ZERO, |at| at + WRITE_EVERY);
                (shelf.changes, next.saturating_sub(self.clock.since_boot()))
            };
            tokio::time::sleep(waits).await;
            self.write(name, pins).await;
            let mut shelves = self.lock();
            // A sign-out or a lock meanwhile has removed the shelf: nothing is left to write.
            let Some(shelf) = shelves.get_mut(name) else { return };
            shelf.written_at = Some(self.clock.since_boot());
            if shelf.changes == seen {
                shelf.writing = false;
                return;
            }
        }
    }

    async fn write(&self, name: &SessionName, pins: &Pins) {
        let _alone = self.at_the_store.lock().await;
        if !self.lock().contains_key(name) {
            return;
        }
        let record = RolesRecord { roles: self.cached(name) };
        let mut most = MOST.min(record.roles.len());
        loop {
            let bytes = record.to_bytes(name.as_str(), pins, most);
            crate::failpoint!("roles.write.before");
            let written = self.store.write(&RolesRecord::key(name.as_str()), bytes).await;
            crate::failpoint!("roles.write.after");
            match written {
                Err(StoreError::NoRoom { .. }) if most > 1 => most /= 2,
                Err(error) => {
                    return tracing::warn!("role credentials of sign-in session {name} were not kept: {error}");
                }
                Ok(()) => return,
            }
        }
    }

    fn cached(&self, name: &SessionName) -> Vec<(crate::names::AccountId, crate::names::RoleName, Credentials)> {
        let of = |chain: &Chain| chain.session().is_some_and(|session| session.name == *name) && chain.roles.is_empty();
        let held = self.cache.held(of).into_iter();
        held.filter_map(|(chain, credentials)| match &chain.source {
            Source::SignIn { account, role, .. } => Some((account.clone(), role.clone(), (*credentials).clone())),
            _ => None,
        })
        .collect()
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<SessionName, Shelf>> {
        self.shelves.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
