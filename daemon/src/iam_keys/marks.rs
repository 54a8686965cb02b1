//! Which users' rotations are not at their end, in a file that outlives the daemon: the store cannot be asked what it has. Nothing
//! secret in it; what is to be done stands in the record.

use crate::arns::UserArn;
use crate::clock::{from_unix_seconds, unix_seconds};
use crate::names::Region;
use crate::regular_file::{self, ReadError};
use serde::{Deserialize, Serialize};
use std::collections::HashMap;
use std::fs;
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, SystemTime};

/// The most bytes of the file: some thousand users.
const MAX_BYTES: usize = 4 * 1024 * 1024;

/// How long the background waits before it tries a rotation again that it could not go on with.
const AGAIN: Duration = Duration::from_secs(600);

/// The rotations of one user's daemon that are not at their end.
#[derive(Debug)]
pub struct Marks {
    path: PathBuf,
    writing: Mutex<()>,
    /// Boot time before which the background does not try again.
    resting: Mutex<HashMap<UserArn, Duration>>,
}

/// A rotation that is not at its end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Mark {
    pub(super) user: UserArn,
    pub(super) region: Region,
    /// When there is something to do.
    pub(super) due: SystemTime,
}

#[derive(Debug, Default, Serialize, Deserialize)]
struct File {
    rotations: Vec<Line>,
}

#[derive(Debug, Serialize, Deserialize)]
struct Line {
    user: String,
    region: String,
    due: i64,
}

impl Marks {
    /// Keeps them at `path`.
    #[must_use]
    pub fn at(path: PathBuf) -> Self {
        Self { path, writing: Mutex::default(), resting: Mutex::default() }
    }

    fn set(&self, mark: &Mark) -> std::io::Result<()> {
        self.change(|marks| {
            marks.retain(|other| other.user != mark.user);
            marks.push(mark.clone());
        })
    }

    /// Notes that a rotation of a user has begun: the next daemon goes on at once, this one's background only after a while.
    pub(super) fn begin(&self, mark: &Mark, boot: Duration) -> std::io::Result<()> {
        self.resting.lock().unwrap_or_else(PoisonError::into_inner).insert(mark.user.clone(), boot + AGAIN);
        self.set(mark)
    }

    /// Notes when there is something more to do for a user whose rotation has come as far as it can now.
    pub(super) fn wait(&self, mark: &Mark) -> std::io::Result<()> {
        self.resting.lock().unwrap_or_else(PoisonError::into_inner).remove(&mark.user);
        self.set(mark)
    }

    /// Notes that there is nothing more to do.
    pub(super) fn clear(&self, user: &UserArn) -> std::io::Result<()> {
        self.resting.lock().unwrap_or_else(PoisonError::into_inner).remove(user);
        if self.all().iter().any(|mark| mark.user == *user) {
            return self.change(|marks| marks.retain(|mark| mark.user != *user));
        }
        Ok(())
    }

    /// Whether [`Marks::take_due`] would return anything.
    pub(super) fn has_due(&self, now: SystemTime, boot: Duration) -> bool {
        let resting = self.resting.lock().unwrap_or_else(PoisonError::into_inner);
        self.all().iter().any(|mark| is_due(mark, &resting, now, boot))
    }

    /// Returns what is due and has not been tried a moment ago; it counts as tried from now on.
    pub(super) fn take_due(&self, now: SystemTime, boot: Duration) -> Vec<Mark> {
        let mut resting = self.resting.lock().unwrap_or_else(PoisonError::into_inner);
        let mut due = self.all();
        due.retain(|mark| is_due(mark, &resting, now, boot));
        for mark in &due {
            resting.insert(mark.user.clone(), boot + AGAIN);
        }
        due
    }

    /// Returns all of them. A file that cannot be read has none: the rotation goes on when somebody asks for it.
    fn all(&self) -> Vec<Mark> {
        let bytes = match regular_file::read(&self.path, MAX_BYTES) {
            Ok(found) => found.bytes,
            Err(ReadError::Missing) => return Vec::new(),
            Err(error) => {
                tracing::warn!("{}: {error}", self.path.display());
                return Vec::new();
            }
        };
        let file: File = serde_json::from_slice(&bytes).unwrap_or_else(|error| {
            tracing::warn!("{}: {error}", self.path.display());
            File::default()
        });
        let read = |line: Line| {
            let (user, region) = (UserArn::new(&line.user).ok()?, Region::new(&line.region).ok()?);
            Some(Mark { user, region, due: from_unix_seconds(line.due) })
        };
        file.rotations.into_iter().filter_map(read).collect()
    }

    fn change(&self, change: impl FnOnce(&mut Vec<Mark>)) -> std::io::Result<()> {
        let _alone = self.writing.lock().unwrap_or_else(PoisonError::into_inner);
        let mut marks = self.all();
        change(&mut marks);
        let line = |mark: &Mark| Line {
            user: mark.user.to_string(),
            region: mark.region.to_string(),
            due: unix_seconds(mark.due),
        };
        let file = File { rotations: marks.iter().map(line).collect() };
        self.replace(&serde_json::to_vec_pretty(&file)?)
    }

    fn replace(&self, bytes: &[u8]) -> std::io::Result<()> {
        let new = self.path.with_extension("new");
        let mut file = fs::OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&new)?;
        file.write_all(bytes)?;
        file.sync_all()?;
        crate::failpoint!("keys.mark.written");
        fs::rename(&new, &self.path)
    }
}

fn is_due(mark: &Mark, resting: &HashMap<UserArn, Duration>, now: SystemTime, boot: Duration) -> bool {
    mark.due <= now && resting.get(&mark.user).is_none_or(|until| *until <= boot)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mark(name: &str, due: i64) -> Mark {
        let user = UserArn::new(&format!("arn:aws:iam::123456789012:user/{name}")).unwrap();
        Mark { user, region: Region::new("us-east-1").unwrap(), due: from_unix_seconds(due) }
    }

    #[test]
    fn a_mark_outlives_the_daemon_and_is_due_once_in_a_while() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("key-rotations.json");
        Marks::at(path.clone()).wait(&mark("alice", 100)).unwrap();
        let marks = Marks::at(path);
        marks.wait(&mark("bob", 500)).unwrap();
        let (now, boot) = (from_unix_seconds(200), Duration::from_secs(10));
        assert_eq!(marks.take_due(now, boot), [mark("alice", 100)]);
        assert_eq!(marks.take_due(now, boot), [], "tried a moment ago");
        assert_eq!(marks.take_due(now, boot + AGAIN), [mark("alice", 100)]);
        marks.begin(&mark("alice", 100), boot + AGAIN).unwrap();
        assert!(!marks.has_due(now, boot + AGAIN), "under way");
        marks.clear(&mark("alice", 0).user).unwrap();
        assert_eq!(marks.all(), [mark("bob", 500)]);
    }

    #[test]
    fn what_is_no_such_file_has_no_marks() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("key-rotations.json");
        for text in ["", "{", "[]", r#"{"rotations":[{"user":"root\n","region":"x","due":1}]}"#] {
            fs::write(&path, text).unwrap();
            assert_eq!(Marks::at(path.clone()).all(), [], "{text}");
        }
    }
}
