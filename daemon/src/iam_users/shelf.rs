//! Records of one kind, one for each user: read once in the daemon's life, written through, changed one after the other.

use crate::arns::UserArn;
use crate::problem::Problem;
use crate::record::RecordError;
use crate::store::{Bytes, Key, Store, StoreError};
use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// A kind of record.
pub(super) trait Record: Clone + std::fmt::Debug {
    /// Whether a damaged one counts as none: what is in it can be had again.
    const IS_CACHE: bool;
    /// Names the record of a user.
    fn key(user: &str) -> Key;
    /// Writes it.
    fn to_bytes(&self) -> Bytes;
    /// Reads it.
    fn from_bytes(user: &str, bytes: &[u8]) -> Result<Self, RecordError>;
}

/// The records of one kind. What memory has is what the store has.
#[derive(Debug)]
pub(super) struct Shelf<T> {
    store: Store,
    held: Mutex<HashMap<UserArn, Option<T>>>,
    /// Held over every use of the store, so that two changes of one record do not lose one.
    at_the_store: tokio::sync::Mutex<()>,
}

impl<T: Record> Shelf<T> {
    pub(super) fn new(store: Store) -> Self {
        Self { store, held: Mutex::default(), at_the_store: tokio::sync::Mutex::default() }
    }

    /// Returns a user's record; none where the store has none.
    ///
    /// # Errors
    /// What the store said, or [`StoreError::Damaged`] for a record that this Tegata does not read: it is not counted as none, for
    /// there may be no other copy of what is in it.
    pub(super) async fn get(&self, user: &UserArn) -> Result<Option<T>, Problem> {
        if let Some(held) = self.known(user) {
            return Ok(held);
        }
        let _alone = self.at_the_store.lock().await;
        self.read(user).await
    }

    /// Returns a user's record where it has been read.
    pub(super) fn known(&self, user: &UserArn) -> Option<Option<T>> {
        self.lock().get(user).cloned()
    }

    /// Changes a user's record, which is none where there is none; afterwards the store has what `change` left. Whoever reads
    /// meanwhile gets what was before.
    ///
    /// # Errors
    /// What `change` or the store said; then nothing was changed.
    pub(super) async fn change<R>(
        &self,
        user: &UserArn,
        change: impl FnOnce(&mut Option<T>) -> Result<R, Problem>,
    ) -> Result<R, Problem> {
        let _alone = self.at_the_store.lock().await;
        let mut record = self.read(user).await?;
        let outcome = change(&mut record)?;
        let done = match &record {
            Some(record) => self.store.write(&T::key(user.as_str()), record.to_bytes()).await,
            None => self.store.delete(&T::key(user.as_str())).await,
        };
        // A store that waits for a person may still do it: then what it has is read again.
        match done {
            Ok(()) => drop(self.lock().insert(user.clone(), record)),
            Err(_) => drop(self.lock().remove(user)),
        }
        done?;
        Ok(outcome)
    }

    /// Drops everything from memory; the store keeps it.
    pub(super) fn forget_all(&self) {
        self.lock().clear();
    }

    /// Returns whose records were read.
    pub(super) fn users(&self) -> Vec<UserArn> {
        self.lock().keys().cloned().collect()
    }

    async fn read(&self, user: &UserArn) -> Result<Option<T>, Problem> {
        if let Some(held) = self.known(user) {
            return Ok(held);
        }
        let key = T::key(user.as_str());
        let found = match self.store.read(&key).await {
            Ok(found) => found
                .map(|bytes| T::from_bytes(user.as_str(), &bytes).map_err(|error| damaged(&key, &error)))
                .transpose(),
            Err(error) => Err(error),
        };
        let found = match found {
            Err(error @ StoreError::Damaged { .. }) if T::IS_CACHE => {
                tracing::warn!("{error}; what was in it is asked for again");
                None
            }
            found => found?,
        };
        self.lock().insert(user.clone(), found.clone());
        Ok(found)
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<UserArn, Option<T>>> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn damaged(key: &Key, error: &RecordError) -> StoreError {
    StoreError::Damaged { key: key.as_str().to_owned(), detail: error.to_string() }
}

#[cfg(test)]
mod tests {
    use super::super::record::{AccessKey, IamUserRecord, KeyState};
    use super::*;
    use crate::clock::from_unix_seconds;
    use crate::store::Records as _;
    use crate::store::memory::Memory;
    use std::sync::Arc;
    use tegata_protocol::Secret;

    fn alice() -> UserArn {
        UserArn::new("arn:aws:iam::123456789012:user/alice").unwrap()
    }

    fn record(id: &str) -> IamUserRecord {
        let secret = Secret::new("CANARY-secret-access-key".to_owned());
        let key = AccessKey::new(id, secret, from_unix_seconds(1), KeyState::InUse).unwrap();
        IamUserRecord::new(alice().as_str(), from_unix_seconds(1), key)
    }

    fn shelf(memory: &Memory) -> Shelf<IamUserRecord> {
        Shelf::new(Store::spawn(Box::new(memory.clone())).unwrap())
    }

    fn put(held: &mut Option<IamUserRecord>) -> Result<(), Problem> {
        *held = Some(record("AKIAFIRSTFIRSTFIRST1"));
        Ok(())
    }

    #[tokio::test]
    async fn a_record_is_written_through_and_read_once() {
        let memory = Memory::default();
        let first = shelf(&memory);
        assert!(first.get(&alice()).await.unwrap().is_none());
        first.change(&alice(), put).await.unwrap();
        let second = shelf(&memory);
        assert_eq!(second.get(&alice()).await.unwrap().unwrap().keys[0].id.as_str(), "AKIAFIRSTFIRSTFIRST1");
        memory.clone().delete(&IamUserRecord::key(alice().as_str())).unwrap();
        assert!(second.get(&alice()).await.unwrap().is_some(), "read once");
        second.forget_all();
        assert!(second.get(&alice()).await.unwrap().is_none());
    }

    #[tokio::test]
    async fn a_change_that_fails_changes_nothing() {
        let memory = Memory::default();
        let shelf = shelf(&memory);
        shelf.change(&alice(), put).await.unwrap();
        let fails = |held: &mut Option<IamUserRecord>| {
            *held = None;
            Err::<(), _>(Problem::Internal("on purpose"))
        };
        assert!(shelf.change(&alice(), fails).await.is_err());
        assert!(shelf.get(&alice()).await.unwrap().is_some());
        shelf
            .change(&alice(), |held| {
                *held = None;
                Ok(())
            })
            .await
            .unwrap();
        assert!(memory.clone().read(&IamUserRecord::key(alice().as_str())).unwrap().is_none(), "none is deleted");
    }

    #[tokio::test]
    async fn i6_a_record_of_a_newer_tegata_is_neither_none_nor_overwritten() {
        let mut memory = Memory::default();
        memory.write(&IamUserRecord::key(alice().as_str()), b"{\"version\":2}").unwrap();
        let shelf = shelf(&memory);
        assert!(matches!(shelf.get(&alice()).await, Err(Problem::Store(StoreError::Damaged { .. }))));
        assert!(shelf.change(&alice(), put).await.is_err());
        let kept = memory.read(&IamUserRecord::key(alice().as_str())).unwrap().unwrap();
        assert_eq!(kept.as_slice(), b"{\"version\":2}");
    }

    #[tokio::test]
    async fn changes_at_once_are_made_one_after_the_other() {
        let memory = Memory::default();
        let shelf = Arc::new(shelf(&memory));
        shelf.change(&alice(), put).await.unwrap();
        let changing: Vec<_> = (0..20)
            .map(|_| {
                let shelf = Arc::clone(&shelf);
                tokio::spawn(async move {
                    let later = |held: &mut Option<IamUserRecord>| {
                        let record = held.as_mut().unwrap();
                        record.proven_at += std::time::Duration::from_secs(1);
                        Ok(())
                    };
                    shelf.change(&alice(), later).await.unwrap();
                })
            })
            .collect();
        for changed in changing {
            changed.await.unwrap();
        }
        assert_eq!(shelf.get(&alice()).await.unwrap().unwrap().proven_at, from_unix_seconds(21));
    }
}
