//! What config files were before they were written, so that it can be had again; and the right to write them, which one
//! process has at a time.

use super::change::{Change, without_lines};
use super::file::Origin;
use super::place::{self, Target};
use crate::environment::Environment;
use crate::failure::{Failure, Kind};
use crate::places;
use serde::{Deserialize, Serialize};
use std::fs::{self, DirBuilder, File, OpenOptions, TryLockError};
use std::io::{self, Read, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// How many backups are kept.
const KEPT: usize = 20;
/// The most bytes of a backup: what was, what was written, and what is said about them.
const MAX_BACKUP: u64 = 34 * 1024 * 1024;
/// The most bytes of the first line.
const MAX_HEAD: usize = 64 * 1024;
const SUFFIX: &str = ".backup";
const REPLACED: &str = ".replaced";

/// The backups of this user, held by this process until it is dropped.
#[derive(Debug)]
pub(crate) struct Backups {
    directory: PathBuf,
    lock: File,
}

/// The first line of a backup. The bytes of the file before and after follow, one behind the other.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Head {
    /// The file.
    file: PathBuf,
    /// How many bytes it had; nothing where there was no file.
    before: Option<usize>,
    /// How many it has been given; nothing where it was taken away.
    after: Option<usize>,
    /// Its mode before.
    mode: Option<u32>,
    /// The directory that was made for it.
    made: Option<PathBuf>,
}

/// A backup that can be put back.
#[derive(Debug)]
pub(crate) struct Undo {
    change: Change,
    backup: PathBuf,
    head: Head,
    /// What of the person's own would be lost.
    edited: Option<Vec<u8>>,
}

impl Backups {
    /// Takes them, and with them the right to write AWS config files.
    ///
    /// # Errors
    /// One line when another process has them, or the directory is not private.
    pub(crate) fn hold(environment: &Environment) -> Result<Self, Failure> {
        Self::at(places::state_home(environment)?.join("tegata/backups"))
    }

    fn at(directory: PathBuf) -> Result<Self, Failure> {
        DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(&directory)
            .map_err(|error| cannot("make", &directory, &error))?;
        // Not followed: a link could lead into a directory of somebody else.
        let found = directory.symlink_metadata().map_err(|error| cannot("use", &directory, &error))?;
        if !found.is_dir() || found.uid() != rustix::process::geteuid().as_raw() || found.mode() & 0o077 != 0 {
            let message = format!("{} is not a directory of yours alone", directory.display());
            return Err(Failure::new(Kind::Failed, message).mend(format!("chmod 700 {}", directory.display())));
        }
        let path = directory.join("lock");
        let no_follow = rustix::fs::OFlags::NOFOLLOW.bits().cast_signed();
        let lock =
            OpenOptions::new().write(true).create(true).truncate(false).mode(0o600).custom_flags(no_follow).open(&path);
        let lock = lock.map_err(|error| cannot("open", &path, &error))?;
        match lock.try_lock() {
            Ok(()) => Ok(Self { directory, lock }),
            Err(TryLockError::WouldBlock) => {
                Err(Failure::new(Kind::Failed, "another tegata setup is under way; finish or end that one first"))
            }
            Err(TryLockError::Error(error)) => Err(cannot("lock", &path, &error)),
        }
    }

    /// Keeps what a file is and what it is about to be, and forgets the oldest.
    pub(super) fn keep(
        &self,
        target: &Target,
        before: Option<&[u8]>,
        after: Option<&[u8]>,
    ) -> Result<PathBuf, Failure> {
        let head = Head {
            file: target.real(),
            before: before.map(<[u8]>::len),
            after: after.map(<[u8]>::len),
            mode: target.mode(),
            made: target.missing_directory().map(Path::to_owned),
        };
        let head = serde_json::to_vec(&head).map_err(|_| no_utf8(&head.file))?;
        let numbers = self.numbers()?;
        let number = numbers.last().map_or(1, |last| last + 1);
        let path = self.path(number, SUFFIX);
        self.write(&path, &[&head, b"\n", before.unwrap_or_default(), after.unwrap_or_default()])?;
        for old in numbers.iter().rev().skip(KEPT - 1) {
            for suffix in [SUFFIX, REPLACED] {
                let _ = fs::remove_file(self.path(*old, suffix));
            }
        }
        Ok(path)
    }

    /// Takes the lines that hold a secret out of every backup: they were kept before the secret was moved into the keyring.
    ///
    /// # Errors
    /// One line when a backup cannot be read or written.
    pub(crate) fn forget(&self, secret: &[u8]) -> Result<(), Failure> {
        let has = |bytes: &[u8]| !secret.is_empty() && bytes.windows(secret.len()).any(|part| part == secret);
        for number in self.numbers()? {
            let path = self.path(number, SUFFIX);
            if let Some((mut head, before, after)) = open(&path)?
                && [&before, &after].into_iter().flatten().any(|bytes| has(bytes))
            {
                let bare = |bytes: Option<Vec<u8>>| bytes.map(|bytes| without_lines(&bytes, secret));
                let (before, after) = (bare(before), bare(after));
                head.before = before.as_ref().map(Vec::len);
                head.after = after.as_ref().map(Vec::len);
                let head = serde_json::to_vec(&head).map_err(|_| no_utf8(&head.file))?;
                self.write(&path, &[&head, b"\n", &before.unwrap_or_default(), &after.unwrap_or_default()])?;
            }
            let replaced = self.path(number, REPLACED);
            if let Ok(bytes) = fs::read(&replaced)
                && has(&bytes)
            {
                self.write(&replaced, &[&without_lines(&bytes, secret)])?;
            }
        }
        Ok(())
    }

    /// Finds what a file was before it was written last.
    ///
    /// # Errors
    /// One line when there is no backup of it, and when it was edited since, unless `force`.
    pub(crate) fn undo(&self, path: &Path, force: bool) -> Result<Undo, Failure> {
        let target = Target::find(path)?;
        let file = target.real();
        let now = place::read(path)?;
        for number in self.numbers()?.into_iter().rev() {
            let backup = self.path(number, SUFFIX);
            let Some((head, before, after)) = open(&backup)?.filter(|(head, ..)| head.file == file) else { continue };
            if now == before {
                // It was kept, and then nothing came of the write.
                let _ = fs::remove_file(&backup);
                continue;
            }
            let edited = now != after;
            if edited && !force {
                let message =
                    format!("{} was edited since tegata wrote it; --force gives these edits up", path.display());
                return Err(Failure::new(Kind::Failed, message).mend("tegata setup --undo --force"));
            }
            let edited = if edited { now.clone() } else { None };
            let change = Change::back(Arc::new(Origin { path: path.to_owned(), bytes: now }), before);
            return Ok(Undo { change, backup, head, edited });
        }
        let message =
            format!("there is nothing to undo: tegata has written nothing to {} that it still knows", path.display());
        Err(Failure::new(Kind::Failed, message))
    }

    /// Returns the numbers of the backups, oldest first.
    fn numbers(&self) -> Result<Vec<u64>, Failure> {
        let entries = fs::read_dir(&self.directory).map_err(|error| cannot("read", &self.directory, &error))?;
        let names = entries.flatten().filter_map(|entry| entry.file_name().into_string().ok());
        let mut numbers: Vec<u64> = names.filter_map(|name| name.strip_suffix(SUFFIX)?.parse().ok()).collect();
        numbers.sort_unstable();
        Ok(numbers)
    }

    fn path(&self, number: u64, suffix: &str) -> PathBuf {
        self.directory.join(format!("{number:06}{suffix}"))
    }

    /// Writes a file of this directory at once or not at all.
    fn write(&self, path: &Path, parts: &[&[u8]]) -> Result<(), Failure> {
        let beside = self.directory.join("new");
        let _ = fs::remove_file(&beside);
        let written = (|| {
            let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&beside)?;
            parts.iter().try_for_each(|part| file.write_all(part))?;
            file.sync_all()?;
            fs::rename(&beside, path)
        })();
        if let Err(error) = written {
            let _ = fs::remove_file(&beside);
            let message =
                format!("cannot keep a backup in {}, so nothing is written: {error}", self.directory.display());
            return Err(Failure::new(Kind::Failed, message));
        }
        place::sync_directory(&self.directory);
        Ok(())
    }
}

impl Drop for Backups {
    fn drop(&mut self) {
        // Closing is not enough while a program that this one has just started still holds a copy of the descriptor (flock(2)).
        let _ = self.lock.unlock();
    }
}

impl Undo {
    /// Returns the difference it makes, for a person.
    pub(crate) fn diff(&self) -> String {
        self.change.diff()
    }

    /// Puts back what was there. What the person had edited is kept beside the backups; its path is returned.
    ///
    /// # Errors
    /// As [`Change::write`].
    pub(crate) fn write(self, backups: &Backups) -> Result<Option<PathBuf>, Failure> {
        let target = Target::find(&self.head.file)?;
        let kept = match &self.edited {
            Some(edited) => {
                let path = self.backup.with_extension(REPLACED.trim_start_matches('.'));
                backups.write(&path, &[edited])?;
                Some(path)
            }
            None => None,
        };
        self.change.put(&target)?;
        if let Some(made) = &self.head.made {
            // Unless something else is in it by now.
            let _ = fs::remove_dir(made);
        }
        let _ = fs::remove_file(&self.backup);
        Ok(kept)
    }
}

/// What a backup says, and the file before and after.
type Opened = (Head, Option<Vec<u8>>, Option<Vec<u8>>);

/// Reads a backup; one that is not whole is none.
fn open(path: &Path) -> Result<Option<Opened>, Failure> {
    let no_follow = rustix::fs::OFlags::NOFOLLOW.bits().cast_signed();
    let file = OpenOptions::new().read(true).custom_flags(no_follow).open(path);
    let file = file.map_err(|error| cannot("read", path, &error))?;
    let mut bytes = Vec::new();
    file.take(MAX_BACKUP).read_to_end(&mut bytes).map_err(|error| cannot("read", path, &error))?;
    Ok(parse(&bytes))
}

fn parse(bytes: &[u8]) -> Option<Opened> {
    let line = bytes.iter().take(MAX_HEAD).position(|byte| *byte == b'\n')?;
    let head: Head = serde_json::from_slice(bytes.get(..line)?).ok()?;
    let rest = bytes.get(line + 1..)?;
    let (before, after) = rest.split_at_checked(head.before.unwrap_or(0))?;
    if after.len() != head.after.unwrap_or(0) {
        return None;
    }
    let (before, after) = (head.before.map(|_| before.to_vec()), head.after.map(|_| after.to_vec()));
    Some((head, before, after))
}

fn no_utf8(path: &Path) -> Failure {
    Failure::new(Kind::Usage, format!("the path of the AWS config file is not UTF-8: {}", path.display()))
}

fn cannot(act: &str, path: &Path, error: &io::Error) -> Failure {
    Failure::new(Kind::Failed, format!("cannot {act} {}: {error}", path.display()))
}

#[cfg(test)]
impl Backups {
    /// Takes backups in a directory of a test's own.
    pub(crate) fn below(directory: &Path) -> Self {
        Self::at(directory.join("state/tegata/backups")).expect("the directory is private")
    }
}

#[cfg(test)]
#[path = "backups_tests.rs"]
mod tests;
