//! Whether everything is locked. A file marks it, so that a restart does not unlock.

use std::fs;
use std::io::ErrorKind;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};

/// The state of the lock.
#[derive(Debug)]
pub struct LockState {
    mark: PathBuf,
    locked: AtomicBool,
}

/// Why the mark could not be set or removed.
#[derive(Debug, thiserror::Error)]
#[error("{path}: {source}", path = path.display())]
pub struct LockError {
    path: PathBuf,
    source: std::io::Error,
}

impl LockState {
    /// Takes over the state that the file at `mark` tells. What cannot be looked at counts as locked.
    #[must_use]
    pub fn at(mark: PathBuf) -> Self {
        let absent = matches!(fs::symlink_metadata(&mark), Err(error) if error.kind() == ErrorKind::NotFound);
        Self { mark, locked: AtomicBool::new(!absent) }
    }

    /// Whether everything is locked.
    #[must_use]
    pub fn is_locked(&self) -> bool {
        self.locked.load(Ordering::SeqCst)
    }

    /// Locks at once; an error means that a restart would unlock.
    ///
    /// # Errors
    /// When the mark cannot be written.
    pub fn lock(&self) -> Result<(), LockError> {
        self.locked.store(true, Ordering::SeqCst);
        crate::failpoint!("lock.mark.before");
        let mark = fs::OpenOptions::new().create(true).append(true).open(&self.mark);
        mark.and_then(|file| file.sync_all()).map_err(|source| LockError { path: self.mark.clone(), source })?;
        crate::failpoint!("lock.mark.after");
        Ok(())
    }

    /// Unlocks once the mark is gone.
    ///
    /// # Errors
    /// When the mark cannot be removed: everything stays locked.
    pub fn unlock(&self) -> Result<(), LockError> {
        crate::failpoint!("unlock.mark.before");
        match fs::remove_file(&self.mark) {
            Err(source) if source.kind() != ErrorKind::NotFound => Err(LockError { path: self.mark.clone(), source }),
            _ => {
                crate::failpoint!("unlock.mark.after");
                self.locked.store(false, Ordering::SeqCst);
                Ok(())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::LockState;

    #[test]
    fn a_restart_does_not_unlock() {
        let dir = tempfile::tempdir().unwrap();
        let mark = dir.path().join("locked");
        let lock = LockState::at(mark.clone());
        assert!(!lock.is_locked());
        lock.lock().unwrap();
        assert!(lock.is_locked() && LockState::at(mark.clone()).is_locked());
        lock.unlock().unwrap();
        assert!(!lock.is_locked() && !LockState::at(mark).is_locked());
    }

    #[test]
    fn what_cannot_be_marked_is_locked_all_the_same() {
        let lock = LockState::at("/nonexistent/locked".into());
        assert!(!lock.is_locked());
        assert!(lock.lock().is_err());
        assert!(lock.is_locked());
    }
}
