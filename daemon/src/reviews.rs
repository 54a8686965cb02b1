//! Review items: what was done behind a break-glass door stays open until somebody has looked at it. Nothing secret in it.

use crate::grant::Grant;
use crate::regular_file::{self, ReadError};
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use tegata_protocol::gate::{Review, Reviews as Body};

/// The most bytes of the file: a thousand items.
const MAX_BYTES: usize = 1024 * 1024;

/// Why an item could not be opened or closed.
#[derive(Debug, thiserror::Error)]
pub enum ReviewError {
    /// No such item is open.
    #[error("there is no open review {id}; see: tegata review list")]
    Unknown {
        /// What was asked for.
        id: String,
    },
    /// A review that says nothing.
    #[error("a review is closed with what it found; add --note TEXT")]
    NoNote,
    /// The file could not be read or written.
    #[error("{path}: {detail}", path = .path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What the system said.
        detail: String,
    },
}

/// The open review items of one user, in a file that outlives the daemon.
#[derive(Debug)]
pub struct Reviews {
    path: PathBuf,
    writing: Mutex<()>,
}

impl Reviews {
    /// Keeps them at `path`.
    #[must_use]
    pub fn at(path: PathBuf) -> Self {
        Self { path, writing: Mutex::default() }
    }

    /// Lists those that are open, oldest first.
    ///
    /// # Errors
    /// [`ReviewError::File`].
    pub fn open(&self) -> Result<Vec<Review>, ReviewError> {
        let bytes = match regular_file::read(&self.path, MAX_BYTES) {
            Ok(found) => found.bytes,
            Err(ReadError::Missing) => return Ok(Vec::new()),
            Err(error) => return Err(self.fails(&error)),
        };
        serde_json::from_slice::<Body>(&bytes).map(|body| body.reviews).map_err(|error| self.fails(&error))
    }

    /// Opens one for a grant that is about to live. It is on disk when this returns.
    ///
    /// # Errors
    /// [`ReviewError::File`]; then there is none.
    pub fn add(&self, grant: &Grant, granted_at: String) -> Result<(), ReviewError> {
        let review = Review {
            id: grant.id.to_string(),
            profile: grant.approved.profile.to_string(),
            reason: grant.approved.reason.clone(),
            approved_by: grant.approved.approved_by.clone(),
            granted_at,
        };
        self.change(|reviews| {
            reviews.push(review);
            Ok(())
        })
    }

    /// Closes one.
    ///
    /// # Errors
    /// [`ReviewError`]; then it is still open.
    pub fn close(&self, id: &str, note: &str) -> Result<(), ReviewError> {
        if note.trim().is_empty() {
            return Err(ReviewError::NoNote);
        }
        self.change(|reviews| {
            let at = reviews.iter().position(|review| review.id == id);
            at.map(|at| drop(reviews.remove(at))).ok_or_else(|| ReviewError::Unknown { id: id.to_owned() })
        })
    }

    fn change(&self, change: impl FnOnce(&mut Vec<Review>) -> Result<(), ReviewError>) -> Result<(), ReviewError> {
        let _one_at_a_time = self.writing.lock().unwrap_or_else(PoisonError::into_inner);
        let mut reviews = self.open()?;
        change(&mut reviews)?;
        let text = serde_json::to_vec_pretty(&Body { reviews }).map_err(|error| self.fails(&error))?;
        replace(&self.path, &text).map_err(|error| self.fails(&error))
    }

    fn fails(&self, error: &impl ToString) -> ReviewError {
        ReviewError::File { path: self.path.clone(), detail: error.to_string() }
    }
}

/// Puts a whole file in the place of another, on disk before it is there.
fn replace(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    let new = path.with_extension("new");
    let mut file = fs::File::create(&new)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    crate::failpoint!("reviews.before-rename");
    fs::rename(&new, path)?;
    path.parent().map_or(Ok(()), |directory| fs::File::open(directory)?.sync_all())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::from_unix_seconds;
    use crate::clock::manual::ManualClock;
    use crate::grant::{Approved, Grants};
    use crate::requests::testing::{elevation, program};
    use std::sync::Arc;

    fn grant() -> Arc<Grant> {
        let crate::requests::Elevation { profile, chain, holder, terms, window, .. } = elevation("Admin", program(1));
        let reason = Some("障害対応 INC-42".to_owned());
        let approved_by = vec!["alice".to_owned(), "bob".to_owned()];
        let grants = Grants::new(Arc::new(ManualClock::at(from_unix_seconds(0))));
        grants.prepare(Approved { profile, chain, holder, terms, window, reason, approved_by })
    }

    #[test]
    fn an_item_stays_open_over_restarts_until_it_is_closed_with_a_note() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("reviews.json");
        let grant = grant();
        Reviews::at(path.clone()).add(&grant, "2026-11-22T09:00:00Z".to_owned()).unwrap();
        let reviews = Reviews::at(path);
        let open = reviews.open().unwrap();
        assert_eq!((open.len(), open[0].id.as_str()), (1, grant.id.as_str()));
        assert!(matches!(reviews.close(grant.id.as_str(), "  "), Err(ReviewError::NoNote)));
        assert!(matches!(reviews.close("other", "looked"), Err(ReviewError::Unknown { .. })));
        assert_eq!(reviews.open().unwrap(), open);
        reviews.close(grant.id.as_str(), "as planned").unwrap();
        assert!(reviews.open().unwrap().is_empty());
    }

    #[test]
    fn what_cannot_be_written_or_read_is_an_error() {
        let dir = tempfile::tempdir().unwrap();
        let nowhere = Reviews::at(dir.path().join("none/reviews.json"));
        assert!(nowhere.add(&grant(), String::new()).is_err());
        let damaged = Reviews::at(dir.path().join("reviews.json"));
        fs::write(&damaged.path, "{").unwrap();
        assert!(damaged.open().is_err() && damaged.add(&grant(), String::new()).is_err());
        assert_eq!(fs::read(&damaged.path).unwrap(), b"{", "what may be somebody's evidence is not overwritten");
    }
}
