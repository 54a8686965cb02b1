//! The store as other rooms hold it: an async handle to the one thread that talks to the keyring.
//!
//! Requests are done one after the other in the order in which they were made. A locked keyring asks a person and blocks
//! the thread until there is an answer, so no caller waits longer than [`PATIENCE`]; while the thread is known to be stuck,
//! new callers are told [`StoreError::Waiting`] almost at once.
//!
//! **What became of a request whose caller was told `Waiting`.** Not yet begun: it is dropped, nothing of it ever happens.
//! Begun: it goes on, and a write may still land when the person answers. Nothing is lost or reordered by that, as a later
//! write of the same key is done after it; the owner keeps the newest record in memory, waits for [`Store::settled`] and
//! writes again. Which of two records is newer, the owner tells by what is inside.

use super::{Bytes, Key, Kind, PATIENCE, Records, StoreError};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, TrySendError, sync_channel};
use std::time::Duration;
use tegata_protocol::Secret;
use tegata_protocol::body::{self, StoreState};
use tokio::sync::{oneshot, watch};

/// How many requests may wait for the thread. More are told [`StoreError::Waiting`] at once.
const QUEUE: usize = 64;

/// How long a request waits when the thread is known to be stuck.
const STUCK_PATIENCE: Duration = Duration::from_millis(250);

/// How often records are kept from ageing out. The kernel's persistent keyring forgets after three days.
const KEEP_ALIVE: Duration = Duration::from_secs(3600);

type Job = Box<dyn FnOnce(&mut dyn Records) + Send>;

/// The store of this daemon. Cheap to clone; the thread ends with the last clone.
#[derive(Clone, Debug)]
pub struct Store {
    kind: Kind,
    max_record_size: usize,
    jobs: SyncSender<Job>,
    progress: Arc<watch::Sender<Progress>>,
}

/// How the store stood when it last answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Standing {
    /// Whether it answers.
    pub state: StoreState,
    /// The last error, if the last request ended with one.
    pub error: Option<StoreError>,
}

impl Standing {
    fn after(outcome: Option<&StoreError>) -> Self {
        let state = match outcome {
            None | Some(StoreError::NoRoom { .. } | StoreError::Damaged { .. }) => StoreState::Ready,
            Some(StoreError::Locked | StoreError::Waiting) => StoreState::Locked,
            Some(StoreError::Denied { .. } | StoreError::Unavailable { .. }) => StoreState::Unavailable,
        };
        Self { state, error: outcome.cloned() }
    }
}

/// What the thread is at. Callers and thread change it under the one lock of the watch channel.
#[derive(Debug, Default)]
struct Progress {
    /// A request has begun and not ended.
    busy: bool,
    /// ... and a caller has lost patience over it.
    stuck: bool,
    /// `None` until something was asked.
    standing: Option<Standing>,
}

impl Store {
    /// Starts the thread that owns `records`. Nothing is opened before the first request.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] if the system gives no thread.
    pub fn spawn(records: Box<dyn Records>) -> Result<Self, StoreError> {
        let (jobs, queue) = sync_channel(QUEUE);
        let (kind, max_record_size) = (records.kind(), records.max_record_size());
        std::thread::Builder::new()
            .name(String::from("keyring"))
            .spawn(move || serve(records, &queue))
            .map_err(|error| StoreError::Unavailable { detail: format!("no thread for the keyring: {error}") })?;
        Ok(Self { kind, max_record_size, jobs, progress: Arc::new(watch::Sender::new(Progress::default())) })
    }

    /// Returns which store this is.
    #[must_use]
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// Returns the most bytes one record may have; see [`Records::max_record_size`].
    #[must_use]
    pub fn max_record_size(&self) -> usize {
        self.max_record_size
    }

    /// Reads a record; `None` only if the store is unlocked and has no such record.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn read(&self, key: &Key) -> Result<Option<Bytes>, StoreError> {
        let key = key.clone();
        self.ask(move |records| records.read(&key)).await
    }

    /// Writes a record in place of the old one. After an error the old one is still there, except after
    /// [`StoreError::Waiting`]: then the new one may still land (see the head of this module).
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn write(&self, key: &Key, bytes: Bytes) -> Result<(), StoreError> {
        if bytes.len() > self.max_record_size {
            let detail = format!("a record may have {} bytes", self.max_record_size);
            return Err(StoreError::NoRoom { size: bytes.len(), detail });
        }
        let key = key.clone();
        self.ask(move |records| {
            crate::failpoint!("store.write.before");
            let written = records.write(&key, &bytes);
            crate::failpoint!("store.write.after");
            written
        })
        .await
    }

    /// Deletes a record; deleting what is not there is no error.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn delete(&self, key: &Key) -> Result<(), StoreError> {
        let key = key.clone();
        self.ask(move |records| {
            crate::failpoint!("store.delete.before");
            let deleted = records.delete(&key);
            crate::failpoint!("store.delete.after");
            deleted
        })
        .await
    }

    /// Looks whether the store would answer, without asking a person anything.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn probe(&self) -> Result<(), StoreError> {
        self.ask(|records| records.probe()).await
    }

    /// Unlocks the store because a person wants it now, who is asked even if the last question was dismissed. A read or
    /// write asks by itself, but only until one question was dismissed. `passphrase` is for the encrypted file.
    ///
    /// # Errors
    /// [`StoreError`]; [`StoreError::Waiting`] while the person has not answered.
    pub async fn unlock(&self, passphrase: Option<Secret>) -> Result<(), StoreError> {
        self.ask(move |records| records.unlock(passphrase.as_ref())).await
    }

    /// Forgets the key of the encrypted file; an OS keyring is the person's own to lock.
    ///
    /// # Errors
    /// [`StoreError::Waiting`] if the thread is stuck.
    pub async fn lock(&self) -> Result<(), StoreError> {
        self.ask(|records| {
            records.lock();
            Ok(())
        })
        .await
    }

    /// Keeps records from ageing out where a store forgets what is not used. The thread does this by itself once an hour of
    /// being awake; worth calling after the machine was suspended.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn keep_alive(&self) -> Result<(), StoreError> {
        self.ask(|records| records.keep_alive()).await
    }

    /// Returns how the store stood when it last answered; before the first request, `None`.
    #[must_use]
    pub fn standing(&self) -> Option<Standing> {
        self.progress.borrow().standing.clone()
    }

    /// Returns what `status` shows. Asks the store (but no person) if it was never asked or did not answer last time.
    pub async fn describe(&self) -> body::Store {
        if self.standing().is_none_or(|standing| standing.state != StoreState::Ready) {
            let _ = self.probe().await;
        }
        let standing = self.standing().unwrap_or_else(|| Standing::after(Some(&StoreError::Waiting)));
        let detail = standing.error.map(|error| error.to_string());
        body::Store { kind: self.kind.to_string(), state: standing.state, detail }
    }

    /// Waits until the thread is no longer stuck with a request that a caller gave up on. After a
    /// [`StoreError::Waiting`], this is the moment to read or write again.
    pub async fn settled(&self) {
        let mut progress = self.progress.subscribe();
        // The sender lives in `self`, so waiting cannot end early.
        let _ = progress.wait_for(|progress| !progress.stuck).await;
    }

    async fn ask<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut dyn Records) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let (answer, answered) = oneshot::channel();
        let progress = Arc::clone(&self.progress);
        let patience = if progress.borrow().stuck { STUCK_PATIENCE } else { PATIENCE };
        let job: Job = Box::new(move |records| attend(records, &progress, work, answer));
        match self.jobs.try_send(job) {
            Ok(()) => {}
            Err(TrySendError::Full(_)) => return Err(self.lose_patience()),
            Err(TrySendError::Disconnected(_)) => return Err(thread_ended()),
        }
        match tokio::time::timeout(patience, answered).await {
            Ok(Ok(result)) => result,
            Ok(Err(_)) => Err(thread_ended()),
            Err(_elapsed) => Err(self.lose_patience()),
        }
    }

    fn lose_patience(&self) -> StoreError {
        self.progress.send_modify(|progress| {
            if progress.busy {
                progress.stuck = true;
                progress.standing = Some(Standing::after(Some(&StoreError::Waiting)));
            }
        });
        StoreError::Waiting
    }
}

fn thread_ended() -> StoreError {
    StoreError::Unavailable { detail: String::from("the keyring thread has ended; run: tegata daemon stop") }
}

/// The thread: one job after the other, for as long as anybody holds the store.
fn serve(mut records: Box<dyn Records>, queue: &Receiver<Job>) {
    loop {
        match queue.recv_timeout(KEEP_ALIVE) {
            Ok(job) => job(records.as_mut()),
            Err(RecvTimeoutError::Timeout) => {
                if let Err(error) = records.keep_alive() {
                    tracing::warn!(%error, "keeping records alive failed");
                }
            }
            Err(RecvTimeoutError::Disconnected) => return,
        }
    }
}

/// Does one request, unless its caller has gone.
fn attend<T>(
    records: &mut dyn Records,
    progress: &watch::Sender<Progress>,
    work: impl FnOnce(&mut dyn Records) -> Result<T, StoreError>,
    answer: oneshot::Sender<Result<T, StoreError>>,
) {
    if answer.is_closed() {
        return;
    }
    progress.send_modify(|progress| progress.busy = true);
    let result = work(records);
    let standing = Standing::after(result.as_ref().err());
    progress
        .send_modify(|progress| *progress = Progress { busy: false, stuck: false, standing: Some(standing.clone()) });
    if answer.send(result).is_err() {
        tracing::info!(state = ?standing.state, error = ?standing.error, "the keyring answered after its caller had gone");
    }
}

#[cfg(test)]
mod tests;
