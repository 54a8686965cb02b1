//! A directory that belongs to the user alone, and whole files in it.
//!
//! Everything goes through one descriptor of the directory and follows no link, so that nobody can put another file in a
//! record's place. What belongs to another user, or is open to others, is refused. Knows nothing of what the files hold.

use super::{Bytes, StoreError};
use rustix::fd::OwnedFd;
use rustix::fs::{AtFlags, FileType, Mode, OFlags};
use rustix::io::Errno;
use std::fs::File;
use std::io::{Read as _, Write as _};
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};
use tegata_protocol::text::one_line;

const NO_LINKS: OFlags = OFlags::NOFOLLOW.union(OFlags::CLOEXEC);

/// The directory.
#[derive(Debug)]
pub(super) struct Place {
    directory: PathBuf,
}

/// What a file holds.
pub(super) enum Content {
    /// There is no such file.
    None,
    /// More than was asked for.
    Oversized,
    /// All of it.
    Bytes(Bytes),
}

impl Place {
    pub(super) fn new(directory: PathBuf) -> Self {
        Self { directory }
    }

    /// Reads a file of at most `limit` bytes.
    pub(super) fn read(&self, name: &str, limit: usize) -> Result<Content, StoreError> {
        // Without NONBLOCK, opening a FIFO would wait for a writer.
        let flags = OFlags::RDONLY | OFlags::NONBLOCK | NO_LINKS;
        let file = match rustix::fs::openat(self.open()?, name, flags, Mode::empty()) {
            Ok(file) => file,
            Err(Errno::NOENT) => return Ok(Content::None),
            Err(error) => return Err(failure(&self.directory.join(name), error.into(), 0)),
        };
        read_private(file, &self.directory.join(name), limit)
    }

    /// Puts `content` in the place of the file: afterwards, crash or not, the old or the new one is there.
    pub(super) fn replace(&self, name: &str, content: &[u8]) -> Result<(), StoreError> {
        let directory = self.open()?;
        let temporary = format!(".{name}.tmp");
        let replaced = write_and_rename(&directory, &temporary, name, content);
        if replaced.is_err() {
            let _ = rustix::fs::unlinkat(&directory, &temporary, AtFlags::empty());
        }
        replaced.map_err(|error| failure(&self.directory.join(name), error, content.len()))
    }

    /// Gives a file another name, in place of what had it.
    pub(super) fn rename(&self, name: &str, other: &str) -> Result<(), StoreError> {
        let directory = self.open()?;
        rustix::fs::renameat(&directory, name, &directory, other)
            .and_then(|()| {
                crate::failpoint!("store.file.set-aside");
                rustix::fs::fsync(&directory)
            })
            .map_err(|error| failure(&self.directory.join(name), error.into(), 0))
    }

    /// Removes a file if it is there.
    pub(super) fn remove(&self, name: &str) -> Result<(), StoreError> {
        let directory = self.open()?;
        match rustix::fs::unlinkat(&directory, name, AtFlags::empty()) {
            Ok(()) => {
                crate::failpoint!("store.file.removed");
                rustix::fs::fsync(&directory)
            }
            Err(Errno::NOENT) => Ok(()),
            Err(error) => Err(error),
        }
        .map_err(|error| failure(&self.directory.join(name), error.into(), 0))
    }

    /// Returns whether any file has a name that ends so.
    pub(super) fn has_any(&self, ending: &str) -> Result<bool, StoreError> {
        let failed = |error: Errno| failure(&self.directory, error.into(), 0);
        for entry in rustix::fs::Dir::read_from(self.open()?).map_err(failed)? {
            if entry.map_err(failed)?.file_name().to_bytes().ends_with(ending.as_bytes()) {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Returns the path of a file, for messages.
    pub(super) fn path(&self, name: &str) -> PathBuf {
        self.directory.join(name)
    }

    /// Opens the directory, made if it is not there.
    fn open(&self) -> Result<OwnedFd, StoreError> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | NO_LINKS;
        let opened = match rustix::fs::open(&self.directory, flags, Mode::empty()) {
            Err(Errno::NOENT) => {
                std::fs::DirBuilder::new()
                    .recursive(true)
                    .mode(0o700)
                    .create(&self.directory)
                    .map_err(|error| failure(&self.directory, error, 0))?;
                rustix::fs::open(&self.directory, flags, Mode::empty())
            }
            opened => opened,
        };
        let directory = opened.map_err(|error| failure(&self.directory, error.into(), 0))?;
        check_private(&directory, &self.directory)?;
        Ok(directory)
    }
}

/// Reads a private file by its path: a key file. The path is the user's own, so its last part may not be a link either.
pub(super) fn read_path(path: &Path, limit: usize) -> Result<Content, StoreError> {
    let flags = OFlags::RDONLY | OFlags::NONBLOCK | NO_LINKS;
    match rustix::fs::open(path, flags, Mode::empty()) {
        Ok(file) => read_private(file, path, limit),
        Err(Errno::NOENT) => Ok(Content::None),
        Err(error) => Err(failure(path, error.into(), 0)),
    }
}

fn read_private(file: OwnedFd, path: &Path, limit: usize) -> Result<Content, StoreError> {
    check_private(&file, path)?;
    let mut content = Bytes::new(Vec::with_capacity(limit.min(64 * 1024)));
    let mut bounded = File::from(file).take(limit as u64 + 1);
    bounded.read_to_end(&mut content).map_err(|error| failure(path, error, 0))?;
    Ok(if content.len() > limit { Content::Oversized } else { Content::Bytes(content) })
}

/// Refuses what belongs to another user (root excepted: systemd owns the credentials it hands out), what others may read or
/// write, and what is neither file nor directory.
fn check_private(opened: &OwnedFd, path: &Path) -> Result<(), StoreError> {
    let denied = |detail: String| StoreError::Denied { detail };
    let status = rustix::fs::fstat(opened).map_err(|error| failure(path, error.into(), 0))?;
    let path = path.display();
    if !matches!(FileType::from_raw_mode(status.st_mode), FileType::RegularFile | FileType::Directory) {
        return Err(denied(format!("{path} is not a file")));
    }
    let is_own = status.st_uid == rustix::process::geteuid().as_raw();
    if !is_own && status.st_uid != 0 {
        return Err(denied(format!("{path} belongs to user {}", status.st_uid)));
    }
    // A systemd credential is root's, with an access list for the user, whose mask shows as the group's right to read.
    let others = if is_own { 0o077 } else { 0o037 };
    if status.st_mode & others != 0 {
        return Err(denied(format!("others have access to {path}; run: chmod go= {path}")));
    }
    Ok(())
}

fn write_and_rename(directory: &OwnedFd, temporary: &str, name: &str, content: &[u8]) -> std::io::Result<()> {
    // Left by a crash.
    let _ = rustix::fs::unlinkat(directory, temporary, AtFlags::empty());
    let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | NO_LINKS;
    let mut file = File::from(rustix::fs::openat(directory, temporary, flags, Mode::RUSR | Mode::WUSR)?);
    crate::failpoint!("store.file.made");
    file.write_all(content)?;
    crate::failpoint!("store.file.written");
    file.sync_all()?;
    crate::failpoint!("store.file.synced");
    rustix::fs::renameat(directory, temporary, directory, name)?;
    crate::failpoint!("store.file.renamed");
    Ok(rustix::fs::fsync(directory)?)
}

fn failure(path: &Path, error: std::io::Error, size: usize) -> StoreError {
    let detail = one_line(&format!("{}: {error}", path.display()));
    match Errno::from_io_error(&error) {
        Some(Errno::NOSPC | Errno::DQUOT | Errno::FBIG) => StoreError::NoRoom { size, detail },
        Some(Errno::ACCESS | Errno::PERM | Errno::LOOP | Errno::NOTDIR) => StoreError::Denied { detail },
        _ => StoreError::Unavailable { detail },
    }
}
