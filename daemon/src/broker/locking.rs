//! Locked means locked: memory dropped, stored role credentials deleted, nothing served until unlocked.

use super::Broker;
use crate::audit::{Event, GrantEnd};
use crate::caller::Caller;
use crate::problem::Problem;
use crate::requests::Task;
use crate::requests::view::View;
use crate::store::StoreError;
use tegata_protocol::body;
use tegata_protocol::{ErrorBody, ErrorCode};

/// What became of unlocking.
#[derive(Debug)]
pub enum Unlocking {
    /// It is done.
    Done(body::Lock),
    /// A hand has to do it.
    AwaitsHand(Box<View>),
}

impl Broker {
    /// Locks: memory dropped, stored role credentials deleted, nothing served until unlocked, also not after a restart.
    ///
    /// # Errors
    /// What the store said; everything is locked all the same.
    pub async fn lock(&self, caller: &Caller) -> Result<body::Lock, ErrorBody> {
        self.lock.lock().map_err(|error| ErrorBody::new(ErrorCode::Internal, error.to_string()))?;
        self.attempts.cancel_all();
        self.inventories.stop_all(&Problem::Locked).await;
        self.obtainer.forget_all();
        self.end_grants(GrantEnd::Locked, &|_| true);
        self.desk.end_all();
        let deleted = self.delete_stored_roles().await;
        self.sign_in_sessions.forget_all();
        self.note(Some(caller), &Event::Locked);
        match deleted {
            Ok(()) => Ok(body::Lock { locked: true }),
            Err(error) => Err(ErrorBody {
                message: format!("locked, but stored role credentials remain: {error}"),
                ..Problem::from(error).into()
            }),
        }
    }

    /// Deletes what a lock that was cut short by a crash left in the store. Everything is locked, whatever the store says.
    pub async fn finish_locking(&self) {
        if !self.lock.is_locked() {
            return;
        }
        if let Err(error) = self.delete_stored_roles().await {
            tracing::warn!("locked, but stored role credentials remain: {error}");
        }
    }

    /// Unlocks, or asks for the hand that it takes where a passkey is enrolled.
    ///
    /// # Errors
    /// When the mark of the lock cannot be removed, or the store cannot say whether there is a passkey.
    pub async fn unlock(&self, caller: &Caller) -> Result<Unlocking, ErrorBody> {
        if self.lock.is_locked() && self.gated.standing().await.map_err(Problem::from)?.has_passkey() {
            return self.ask(caller, Task::Unlock).await.map(|view| Unlocking::AwaitsHand(Box::new(view)));
        }
        self.lock.unlock().map_err(|error| ErrorBody::new(ErrorCode::Internal, error.to_string()))?;
        self.note(Some(caller), &Event::Unlocked);
        Ok(Unlocking::Done(self.locked()))
    }

    /// Says whether everything is locked.
    #[must_use]
    pub fn locked(&self) -> body::Lock {
        body::Lock { locked: self.lock.is_locked() }
    }

    async fn delete_stored_roles(&self) -> Result<(), StoreError> {
        let sessions: Vec<_> = self.sessions_known(None).await.into_iter().map(|session| session.name).collect();
        self.stored_roles.delete_all(&sessions).await
    }

    pub(crate) fn unlocked(&self) -> Result<(), Problem> {
        if self.lock.is_locked() { Err(Problem::Locked) } else { Ok(()) }
    }
}
