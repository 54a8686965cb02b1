//! Append-only records of what was released, refused and changed: written before the thing itself happens.
//!
//! One JSON object a line, one file a month, nothing secret in any of them. The room knows no policy and decides nothing; if
//! it cannot write, its caller must not release. Records are in the kernel's hands when [`Audit::record`] returns and on
//! disk within a second, or at once with [`Audit::record_durably`]: that second is what a power cut can take.

mod event;
mod log;
mod month;
mod record;

pub use event::{Event, GrantEnd, KeyStep, KeyTail, Reached, StoreProblem};

use crate::caller::Caller;
use crate::clock::Clock;
use log::Log;
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

/// How many days records are kept where nothing else is said.
pub const KEEP_DAYS: u64 = 90;

/// How long records are gathered before the disk is asked to keep them.
const GATHER: Duration = Duration::from_millis(500);

/// Why a record was not written. Nothing may be released then.
#[derive(Debug, thiserror::Error)]
pub enum AuditError {
    /// The directory or a file in it is not one that only this user can write.
    #[error("the audit log {}: {detail}", .path.display())]
    Unfit {
        /// Which.
        path: PathBuf,
        /// What is wrong with it.
        detail: &'static str,
    },
    /// The system refused.
    #[error("cannot {what} the audit log {}: {source}", .path.display())]
    Io {
        /// What was tried.
        what: &'static str,
        /// The directory or file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// Less was written than asked for: the disk is full, or a limit was reached. The part was taken back.
    #[error("no room for a record in the audit log {}", .path.display())]
    NoRoom {
        /// The file.
        path: PathBuf,
    },
    /// The record could not be put into words; a fault of the daemon's own.
    #[error("cannot write down a record: {0}")]
    Encode(#[source] serde_json::Error),
}

/// The log of one daemon. It is the only writer of its directory.
#[derive(Debug)]
pub struct Audit {
    shared: Arc<Shared>,
    clock: Arc<dyn Clock>,
    syncing: Option<JoinHandle<()>>,
}

#[derive(Debug)]
struct Shared {
    state: Mutex<State>,
    /// Told when there is something to sync, and at the end.
    changed: Condvar,
}

#[derive(Debug)]
struct State {
    log: Log,
    /// Whether records were written that the disk was not asked to keep.
    dirty: bool,
    /// Whether the disk failed to keep some; the next record is refused unless it can by then.
    failed: bool,
    ended: bool,
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Audit {
    /// Opens the log in `dir`, which is made if it is not there. Records are kept for [`KEEP_DAYS`] days.
    ///
    /// # Errors
    /// [`AuditError`] when records could not be written there; also when a record of a torn line could not.
    pub fn open(dir: &Path, clock: Arc<dyn Clock>) -> Result<Self, AuditError> {
        Self::open_keeping(dir, clock, KEEP_DAYS)
    }

    /// Opens the log in `dir` and keeps records for so many days after the end of their month.
    ///
    /// # Errors
    /// As [`Audit::open`].
    pub fn open_keeping(dir: &Path, clock: Arc<dyn Clock>, days: u64) -> Result<Self, AuditError> {
        let (log, torn) = Log::open(dir, clock.now(), days)?;
        let state = State { log, dirty: false, failed: false, ended: false };
        let shared = Arc::new(Shared { state: Mutex::new(state), changed: Condvar::new() });
        let syncing = std::thread::Builder::new().name("audit".to_owned()).spawn({
            let shared = shared.clone();
            move || sync_until_ended(&shared)
        });
        let syncing = syncing.map_err(|source| AuditError::Io { what: "sync", path: dir.to_owned(), source })?;
        let audit = Self { shared, clock, syncing: Some(syncing) };
        if torn > 0 {
            audit.record(None, &Event::LogTorn { bytes: torn })?;
        }
        Ok(audit)
    }

    /// Writes a record; it is on disk within a second. `caller` is who asked, if somebody did.
    ///
    /// # Errors
    /// [`AuditError`]; then there is no record, and what it was to say must not happen.
    pub fn record(&self, caller: Option<&Caller>, event: &Event<'_>) -> Result<(), AuditError> {
        self.append(caller, event).map(drop)
    }

    /// Writes a record and returns when it is on disk.
    ///
    /// # Errors
    /// As [`Audit::record`]. When only the disk failed the record may be there all the same.
    pub fn record_durably(&self, caller: Option<&Caller>, event: &Event<'_>) -> Result<(), AuditError> {
        let file = self.append(caller, event)?;
        let dir = || self.shared.lock().log.dir().to_owned();
        file.sync_data().map_err(|source| AuditError::Io { what: "sync", path: dir(), source })
    }

    fn append(&self, caller: Option<&Caller>, event: &Event<'_>) -> Result<Arc<File>, AuditError> {
        let now = self.clock.now();
        let rest = record::rest(now, self.clock.since_boot(), caller, event).map_err(AuditError::Encode)?;
        let mut state = self.shared.lock();
        if state.failed {
            state.log.sync()?;
            state.failed = false;
        }
        let file = state.log.append(now, &rest)?;
        if !state.dirty {
            state.dirty = true;
            self.shared.changed.notify_one();
        }
        Ok(file)
    }
}

impl Drop for Audit {
    fn drop(&mut self) {
        self.shared.lock().ended = true;
        self.shared.changed.notify_one();
        if let Some(syncing) = self.syncing.take() {
            // It only ends by itself; a panic in it has been reported already.
            let _ = syncing.join();
        }
    }
}

/// Asks the disk to keep what was written, a little later so that many records cost one request.
fn sync_until_ended(shared: &Shared) {
    let mut state = shared.lock();
    loop {
        state = shared
            .changed
            .wait_while(state, |state| !state.dirty && !state.ended)
            .unwrap_or_else(PoisonError::into_inner);
        if !state.dirty {
            return;
        }
        let gathered = shared.changed.wait_timeout_while(state, GATHER, |state| !state.ended);
        state = gathered.unwrap_or_else(PoisonError::into_inner).0;
        state.dirty = false;
        let Some(file) = state.log.file() else { continue };
        drop(state);
        crate::failpoint!("audit.gathered.before");
        let synced = file.sync_data();
        crate::failpoint!("audit.gathered.after");
        state = shared.lock();
        if let Err(error) = synced {
            tracing::error!(%error, "the disk did not keep the audit log");
            state.failed = true;
        }
        state.log.close_if_gone();
    }
}

#[cfg(test)]
mod tests;
