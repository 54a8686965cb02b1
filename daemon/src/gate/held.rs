//! The enrolled passkeys of this daemon: read once, written through, changed by one hand at a time.

use super::passkey::{self, Enrolled};
use crate::store::{Key, Store, StoreError};
use std::sync::{Arc, Mutex, PoisonError};

/// The enrolled passkeys.
#[derive(Debug)]
pub(super) struct Held {
    store: Store,
    known: Mutex<Known>,
    /// Held across a change and its write: two changes at once would lose one of them.
    changing: tokio::sync::Mutex<()>,
}

#[derive(Clone, Debug)]
enum Known {
    Unread,
    Damaged(String),
    Passkeys(Arc<Vec<Enrolled>>),
}

/// What a look at the passkeys came to.
pub(super) enum Verdict<T, E> {
    /// Let it be so once it is written.
    Change(T),
    /// It is so at once, but `T` is only true once it is written: a counter never goes back, whatever the store does.
    Advance(T),
    /// It is so at once, and is written as well as may be.
    Tighten(E),
    /// Nothing changes.
    Refuse(E),
}

impl Held {
    pub(super) fn new(store: Store) -> Self {
        Self { store, known: Mutex::new(Known::Unread), changing: tokio::sync::Mutex::default() }
    }

    fn key() -> Key {
        Key::new("passkeys", "")
    }

    /// Returns the passkeys, reading them at the first call.
    ///
    /// # Errors
    /// [`StoreError::Damaged`] for as long as the record is; what the store said otherwise.
    pub(super) async fn list(&self) -> Result<Arc<Vec<Enrolled>>, StoreError> {
        if let Some(known) = self.known() {
            return known;
        }
        let _changing = self.changing.lock().await;
        self.read().await
    }

    /// Changes the passkeys as `decide` says. What is changed counts from when it is written.
    ///
    /// # Errors
    /// What `decide` or the store said.
    pub(super) async fn change<T, E: From<StoreError>>(
        &self,
        decide: impl FnOnce(&mut Vec<Enrolled>) -> Verdict<T, E>,
    ) -> Result<T, E> {
        let _changing = self.changing.lock().await;
        let mut passkeys = Vec::clone(&*self.read().await?);
        match decide(&mut passkeys) {
            Verdict::Change(done) => {
                self.write(&passkeys).await?;
                self.publish(passkeys);
                Ok(done)
            }
            Verdict::Advance(done) => {
                self.publish(passkeys.clone());
                crate::failpoint!("gate.verified");
                self.write(&passkeys).await?;
                crate::failpoint!("gate.stored");
                Ok(done)
            }
            Verdict::Tighten(why) => {
                self.publish(passkeys.clone());
                if let Err(error) = self.write(&passkeys).await {
                    tracing::warn!(%error, "a suspended passkey could not be written; it is suspended until tegatad ends");
                }
                Err(why)
            }
            Verdict::Refuse(why) => Err(why),
        }
    }

    /// Makes an empty record, in place of a good or of a damaged one.
    ///
    /// # Errors
    /// What the store said: then it is as it was before.
    pub(super) async fn forget_all(&self) -> Result<(), StoreError> {
        let _one_at_a_time = self.changing.lock().await;
        self.write(&[]).await?;
        self.publish(Vec::new());
        Ok(())
    }

    async fn read(&self) -> Result<Arc<Vec<Enrolled>>, StoreError> {
        if let Some(known) = self.known() {
            return known;
        }
        let found = match self.store.read(&Self::key()).await {
            Ok(None) => Ok(Vec::new()),
            Ok(Some(bytes)) => passkey::from_bytes(&bytes),
            Err(StoreError::Damaged { detail, .. }) => {
                self.remember_the_loss(&detail).await;
                Err(detail)
            }
            Err(error) => return Err(error),
        };
        match found {
            Ok(passkeys) => Ok(self.publish(passkeys)),
            Err(detail) => {
                tracing::warn!(detail, "the record of the passkeys is damaged; run `tegata passkey reset`");
                *self.lock() = Known::Damaged(detail.clone());
                Err(damaged(detail))
            }
        }
    }

    /// The store has set the damaged record aside: from its next reading on there would seem never to have been one.
    async fn remember_the_loss(&self, detail: &str) {
        if let Err(error) = self.store.write(&Self::key(), passkey::damaged(detail)).await {
            tracing::warn!(%error, "that the passkeys were lost is known until tegatad ends only");
        }
    }

    async fn write(&self, passkeys: &[Enrolled]) -> Result<(), StoreError> {
        self.store.write(&Self::key(), passkey::to_bytes(passkeys)).await
    }

    fn publish(&self, passkeys: Vec<Enrolled>) -> Arc<Vec<Enrolled>> {
        let passkeys = Arc::new(passkeys);
        *self.lock() = Known::Passkeys(Arc::clone(&passkeys));
        passkeys
    }

    fn known(&self) -> Option<Result<Arc<Vec<Enrolled>>, StoreError>> {
        match &*self.lock() {
            Known::Unread => None,
            Known::Damaged(detail) => Some(Err(damaged(detail.clone()))),
            Known::Passkeys(passkeys) => Some(Ok(Arc::clone(passkeys))),
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn damaged(detail: String) -> StoreError {
    StoreError::Damaged { key: Held::key().as_str().to_owned(), detail }
}
