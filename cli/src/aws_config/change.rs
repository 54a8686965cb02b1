//! What a file is and what it is to be: shown, then written at once or not at all.

use super::backups::Backups;
use super::file::{ConfigFile, Origin};
use super::{diff, place};
use crate::failure::Failure;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// A file as it was read, and as it is to be.
#[must_use = "nothing is written before `write`"]
pub(crate) struct Change {
    origin: Arc<Origin>,
    /// Nothing where the file is to be no more.
    after: Option<Vec<u8>>,
}

/// What has been written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Written {
    /// The file, as it was named.
    pub(crate) path: PathBuf,
    /// What it was before; nothing where nothing had to be written.
    pub(crate) backup: Option<PathBuf>,
}

impl Change {
    /// # Errors
    /// One line when the result would be larger than is read.
    pub(super) fn to(origin: Arc<Origin>, after: Vec<u8>) -> Result<Self, Failure> {
        // What cannot be read again is not written.
        ConfigFile::of(Arc::clone(&origin), after.clone())?;
        let unchanged = origin.bytes.is_none() && after.is_empty();
        Ok(Self { origin, after: (!unchanged).then_some(after) })
    }

    pub(super) fn back(origin: Arc<Origin>, after: Option<Vec<u8>>) -> Self {
        Self { origin, after }
    }

    /// Returns the file as it would be, to change it further.
    pub(crate) fn file(&self) -> Result<ConfigFile, Failure> {
        ConfigFile::of(Arc::clone(&self.origin), self.after.clone().unwrap_or_default())
    }

    /// Returns the path of the file as it was named.
    pub(crate) fn path(&self) -> &Path {
        &self.origin.path
    }

    /// Returns whether there is nothing to write.
    pub(crate) fn is_empty(&self) -> bool {
        self.origin.bytes == self.after
    }

    /// Returns the difference for a person: a unified diff, printable, in which values of secret keys are hidden.
    pub(crate) fn diff(&self) -> String {
        let text = |bytes: &Option<Vec<u8>>| bytes.clone().unwrap_or_default();
        diff::unified(&self.origin.path, &text(&self.origin.bytes), &text(&self.after))
    }

    /// Writes it, with a backup of what was there. The file keeps its mode, its owner and the link that leads to it; one that
    /// was not there gets the mode 0600, and its directory 0700.
    ///
    /// # Errors
    /// One line when the file is no longer as it was read, belongs to somebody else, may not be written to, or when the system
    /// refuses. Then nothing has been changed.
    pub(crate) fn write(self, backups: &Backups) -> Result<Written, Failure> {
        if self.is_empty() {
            return Ok(Written { path: self.origin.path.clone(), backup: None });
        }
        let target = place::Target::find(&self.origin.path)?;
        target.is_still(self.origin.bytes.as_deref())?;
        let backup = backups.keep(&target, self.origin.bytes.as_deref(), self.after.as_deref())?;
        match self.put(&target) {
            Ok(()) => Ok(Written { path: self.origin.path.clone(), backup: Some(backup) }),
            Err(failure) => {
                // It says what was never written.
                let _ = std::fs::remove_file(&backup);
                Err(failure)
            }
        }
    }

    /// Writes it as [`Change::write`] does, with a backup that has no line with this secret: what was moved into the keyring is not to lie
    /// in another file in its place.
    ///
    /// # Errors
    /// As [`Change::write`].
    pub(crate) fn write_without(self, backups: &Backups, secret: &[u8]) -> Result<Written, Failure> {
        if self.is_empty() {
            return Ok(Written { path: self.origin.path.clone(), backup: None });
        }
        let target = place::Target::find(&self.origin.path)?;
        target.is_still(self.origin.bytes.as_deref())?;
        let bare = |bytes: &Option<Vec<u8>>| bytes.as_ref().map(|bytes| without_lines(bytes, secret));
        let backup = backups.keep(&target, bare(&self.origin.bytes).as_deref(), bare(&self.after).as_deref())?;
        self.put(&target)?;
        Ok(Written { path: self.origin.path.clone(), backup: Some(backup) })
    }

    /// Writes it and keeps nothing of what was: for a file of secrets.
    ///
    /// # Errors
    /// As [`Change::write`].
    pub(crate) fn write_unkept(self) -> Result<(), Failure> {
        if self.is_empty() {
            return Ok(());
        }
        let target = place::Target::find(&self.origin.path)?;
        self.put(&target)
    }

    /// Writes it without a backup.
    pub(super) fn put(&self, target: &place::Target) -> Result<(), Failure> {
        target.is_still(self.origin.bytes.as_deref())?;
        match &self.after {
            Some(after) => target.replace(after),
            None => target.remove(),
        }
    }
}

/// Returns a text without the lines that hold these bytes.
pub(super) fn without_lines(text: &[u8], secret: &[u8]) -> Vec<u8> {
    let holds = |line: &&[u8]| !secret.is_empty() && line.windows(secret.len()).any(|part| part == secret);
    text.split_inclusive(|byte| *byte == b'\n').filter(|line| !holds(line)).flatten().copied().collect()
}

/// The text may hold secrets of the person's.
impl fmt::Debug for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Change").field("path", &self.origin.path).field("is_empty", &self.is_empty()).finish()
    }
}

#[cfg(test)]
#[path = "change_tests.rs"]
mod tests;
