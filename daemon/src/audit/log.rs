//! The files of records: one a month, appended to by one write per record, made whole again when a write falls short.

use super::AuditError;
use super::month::Month;
use super::record;
use rustix::fs::{FileType, Mode, OFlags};
use std::fs::{self, File};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::os::fd::OwnedFd;
use std::os::unix::fs::{DirBuilderExt, MetadataExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;

/// How much of a file's end is read to find its last record. No record is longer.
const TAIL: u64 = 256 * 1024;

#[derive(Debug)]
pub(super) struct Log {
    dir: PathBuf,
    keep_days: u64,
    next_seq: u64,
    current: Option<Current>,
    /// The line being written; kept for its room.
    line: Vec<u8>,
}

#[derive(Debug)]
struct Current {
    month: Month,
    path: PathBuf,
    file: Arc<File>,
    /// Where the last whole line ends, if part of a line stands behind it.
    torn_at: Option<u64>,
}

impl Log {
    /// Opens the log for the month of `now`. Returns with it how many bytes of a torn last line were taken off.
    pub(super) fn open(dir: &Path, now: SystemTime, keep_days: u64) -> Result<(Self, u64), AuditError> {
        let mut log = Self { dir: dir.to_owned(), keep_days, next_seq: 1, current: None, line: Vec::new() };
        let torn = log.turn_to(Month::of(now), now)?;
        log.next_seq = log.last_seq()?.map_or(1, |seq| seq + 1);
        Ok((log, torn))
    }

    pub(super) fn dir(&self) -> &Path {
        &self.dir
    }

    /// Returns the file in use, for syncing it without holding up the log.
    pub(super) fn file(&self) -> Option<Arc<File>> {
        self.current.as_ref().map(|current| current.file.clone())
    }

    /// Appends a record and returns the file it is in.
    pub(super) fn append(&mut self, now: SystemTime, rest: &[u8]) -> Result<Arc<File>, AuditError> {
        let month = Month::of(now);
        if self.current.as_ref().is_none_or(|current| current.month != month) {
            self.turn_to(month, now)?;
        }
        let Some(current) = &mut self.current else {
            return Err(AuditError::Unfit { path: self.dir.clone(), detail: "is not open" });
        };
        current.mend()?;
        record::line(&mut self.line, self.next_seq, rest);
        crate::failpoint!("audit.append.before");
        current.append(&self.line)?;
        crate::failpoint!("audit.append.after");
        self.next_seq += 1;
        Ok(current.file.clone())
    }

    /// Asks the disk to keep what is in the file in use.
    pub(super) fn sync(&self) -> Result<(), AuditError> {
        crate::failpoint!("audit.sync.before");
        self.file().map_or(Ok(()), |file| file.sync_data().map_err(|error| self.io("sync", error)))
    }

    /// Lets go of a file that was deleted, so that the next record begins a new one instead of vanishing.
    pub(super) fn close_if_gone(&mut self) {
        let gone = |current: &Current| current.file.metadata().is_ok_and(|file| file.nlink() == 0);
        if self.current.as_ref().is_some_and(gone) {
            self.current = None;
        }
    }

    fn turn_to(&mut self, month: Month, now: SystemTime) -> Result<u64, AuditError> {
        // What was written to the file before has to be on disk before it is out of sight.
        self.sync()?;
        let made = fs::DirBuilder::new().recursive(true).mode(0o700).create(&self.dir);
        made.map_err(|error| self.io("make", error))?;
        let dir = self.open_dir()?;
        let (current, torn) = Current::open(&dir, &self.dir, month)?;
        self.current = Some(current);
        self.delete_past(now);
        Ok(torn)
    }

    fn open_dir(&self) -> Result<OwnedFd, AuditError> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let dir = rustix::fs::open(&self.dir, flags, Mode::empty()).map_err(|error| self.io("open", error.into()))?;
        let file = File::from(dir);
        keep_private(&file, Mode::RWXU).map_err(|what| what.at(&self.dir))?;
        Ok(file.into())
    }

    /// Deletes the files that have been kept for long enough. A file that stays is no reason to refuse anybody.
    fn delete_past(&self, now: SystemTime) {
        for (month, path) in self.months() {
            if !month.is_past(self.keep_days, now) {
                continue;
            }
            if let Err(error) = fs::remove_file(&path) {
                tracing::warn!(path = %path.display(), %error, "old records could not be deleted");
            }
        }
    }

    fn months(&self) -> Vec<(Month, PathBuf)> {
        let Ok(entries) = fs::read_dir(&self.dir) else { return Vec::new() };
        let month = |entry: fs::DirEntry| Some((Month::of_file(entry.file_name().to_str()?)?, entry.path()));
        let mut months: Vec<_> = entries.filter_map(Result::ok).filter_map(month).collect();
        months.sort();
        months
    }

    /// Returns the highest number among the files' last records: the clock may have gone back a month.
    fn last_seq(&self) -> Result<Option<u64>, AuditError> {
        let mut last = None;
        for (_, path) in self.months() {
            let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
            let opened = rustix::fs::open(&path, flags, Mode::empty()).map(File::from).map_err(io::Error::from);
            let tail = opened.and_then(|file| tail(&file)).map_err(|error| self.io("read", error))?;
            last = last.max(tail.rsplit(|byte| *byte == b'\n').find_map(record::seq_of));
        }
        Ok(last)
    }

    fn io(&self, what: &'static str, source: io::Error) -> AuditError {
        AuditError::Io { what, path: self.dir.clone(), source }
    }
}

impl Current {
    fn open(dir: &OwnedFd, dir_path: &Path, month: Month) -> Result<(Self, u64), AuditError> {
        let path = dir_path.join(month.file_name());
        let io = |what, source| AuditError::Io { what, path: path.clone(), source };
        let flags =
            OFlags::RDWR | OFlags::APPEND | OFlags::CREATE | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
        let file = rustix::fs::openat(dir, month.file_name(), flags, Mode::RUSR | Mode::WUSR)
            .map_err(|error| io("open", error.into()))?;
        let file = File::from(file);
        keep_private(&file, Mode::RUSR | Mode::WUSR).map_err(|what| what.at(&path))?;
        crate::failpoint!("audit.file.opened");
        // A new name is only lasting when its directory was synced.
        rustix::fs::fsync(dir).map_err(|error| io("sync", error.into()))?;
        let end = file.metadata().map_err(|error| io("look at", error))?.len();
        let torn = torn_bytes(&tail(&file).map_err(|error| io("read", error))?);
        if torn == TAIL {
            return Err(AuditError::Unfit { path, detail: "holds no records; move it away" });
        }
        let mut current = Self { month, path: path.clone(), file: Arc::new(file), torn_at: None };
        if torn > 0 {
            current.torn_at = Some(end.saturating_sub(torn));
            current.mend()?;
        }
        Ok((current, torn))
    }

    /// Takes off what is there of a line that could not be written whole.
    fn mend(&mut self) -> Result<(), AuditError> {
        if let Some(end) = self.torn_at {
            crate::failpoint!("audit.mend.before");
            self.file.set_len(end).map_err(|error| self.io("mend", error))?;
            crate::failpoint!("audit.mend.after");
            self.torn_at = None;
        }
        Ok(())
    }

    fn append(&mut self, line: &[u8]) -> Result<(), AuditError> {
        let written = loop {
            match (&*self.file).write(line) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                written => break written.map_err(|error| self.io("write", error))?,
            }
        };
        if written == line.len() {
            return Ok(());
        }
        if written > 0 {
            let end = self.file.metadata().map_err(|error| self.io("look at", error))?.len();
            self.torn_at = Some(end.saturating_sub(u64::try_from(written).unwrap_or(0)));
            self.mend()?;
        }
        Err(AuditError::NoRoom { path: self.path.clone() })
    }

    fn io(&self, what: &'static str, source: io::Error) -> AuditError {
        AuditError::Io { what, path: self.path.clone(), source }
    }
}

/// What is wrong with a directory or file, before it is known where it is.
enum Unkept {
    Unfit(&'static str),
    Io(io::Error),
}

impl Unkept {
    fn at(self, path: &Path) -> AuditError {
        match self {
            Self::Unfit(detail) => AuditError::Unfit { path: path.to_owned(), detail },
            Self::Io(source) => AuditError::Io { what: "look at", path: path.to_owned(), source },
        }
    }
}

/// Checks that this is ours and what it should be, and takes away what others may do with it.
fn keep_private(file: &File, mode: Mode) -> Result<(), Unkept> {
    let stat = rustix::fs::fstat(file).map_err(|error| Unkept::Io(error.into()))?;
    let kind = FileType::from_raw_mode(stat.st_mode);
    if kind != FileType::RegularFile && kind != FileType::Directory {
        return Err(Unkept::Unfit("is not a file"));
    }
    if stat.st_uid != rustix::process::geteuid().as_raw() {
        return Err(Unkept::Unfit("belongs to another user"));
    }
    if stat.st_mode & 0o077 != 0 {
        rustix::fs::fchmod(file, mode).map_err(|error| Unkept::Io(error.into()))?;
    }
    Ok(())
}

/// Reads the end of a file.
fn tail(mut file: &File) -> io::Result<Vec<u8>> {
    let end = file.metadata()?.len();
    file.seek(SeekFrom::Start(end.saturating_sub(TAIL)))?;
    let mut tail = Vec::new();
    file.take(TAIL).read_to_end(&mut tail)?;
    Ok(tail)
}

/// Returns how many bytes stand behind the last line end.
fn torn_bytes(tail: &[u8]) -> u64 {
    let whole = tail.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
    u64::try_from(tail.len() - whole).unwrap_or(0)
}
