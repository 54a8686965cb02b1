//! Reads a file that others may have written: only a regular one, only so many bytes, never blocking on what it may be.

use rustix::fs::{FileType, Mode, OFlags, Stat};
use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

/// A file's content, and what the system said about it when it was read.
#[derive(Debug)]
pub(crate) struct Content {
    pub(crate) bytes: Vec<u8>,
    pub(crate) stat: Stat,
}

/// Why a file was not read.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ReadError {
    /// There is none.
    #[error("no such file")]
    Missing,
    /// A directory, a device, a pipe, a socket.
    #[error("is a {0}, not a file")]
    NotRegular(&'static str),
    /// More than is read.
    #[error("larger than the {} KiB that are read", .0 / 1024)]
    TooLarge(usize),
    /// The system refused.
    #[error("cannot {what}: {source}")]
    Io {
        /// What was tried.
        what: &'static str,
        /// What the system said.
        source: io::Error,
    },
}

/// Asks what is at `path`, links followed.
///
/// # Errors
/// [`ReadError::Missing`], or what the system said.
pub(crate) fn stat(path: &Path) -> Result<Stat, ReadError> {
    rustix::fs::stat(path).map_err(|error| io_error("look at it", error.into()))
}

/// Reads the file at `path`, links followed.
///
/// # Errors
/// [`ReadError`].
pub(crate) fn read(path: &Path, most: usize) -> Result<Content, ReadError> {
    // Asked before it is opened, because opening a device can do something; asked again afterwards, because it may have changed.
    regular(&stat(path)?, most)?;
    let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
    let file = rustix::fs::open(path, flags, Mode::empty()).map_err(|error| io_error("open it", error.into()))?;
    let stat = rustix::fs::fstat(&file).map_err(|error| io_error("look at it", error.into()))?;
    let size = regular(&stat, most)?;
    let mut bytes = Vec::with_capacity(size + 1);
    let limit = u64::try_from(most).unwrap_or(u64::MAX).saturating_add(1);
    File::from(file).take(limit).read_to_end(&mut bytes).map_err(|source| io_error("read it", source))?;
    if bytes.len() > most { Err(ReadError::TooLarge(most)) } else { Ok(Content { bytes, stat }) }
}

/// Returns the size of a regular file that is small enough.
fn regular(stat: &Stat, most: usize) -> Result<usize, ReadError> {
    let kind = match FileType::from_raw_mode(stat.st_mode) {
        FileType::RegularFile => {
            let size = usize::try_from(stat.st_size).unwrap_or(usize::MAX);
            return if size > most { Err(ReadError::TooLarge(most)) } else { Ok(size) };
        }
        FileType::Directory => "directory",
        FileType::Fifo => "pipe",
        FileType::Socket => "socket",
        FileType::CharacterDevice | FileType::BlockDevice => "device",
        _ => "thing of its own kind",
    };
    Err(ReadError::NotRegular(kind))
}

fn io_error(what: &'static str, source: io::Error) -> ReadError {
    if source.kind() == io::ErrorKind::NotFound { ReadError::Missing } else { ReadError::Io { what, source } }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_read_through_a_link() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("file"), "text").unwrap();
        std::os::unix::fs::symlink("file", dir.path().join("link")).unwrap();
        assert_eq!(read(&dir.path().join("link"), 4).unwrap().bytes, b"text");
    }

    #[test]
    fn what_is_no_file_is_refused_before_it_can_block() {
        let dir = tempfile::tempdir().unwrap();
        let fifo = dir.path().join("fifo");
        rustix::fs::mknodat(rustix::fs::CWD, &fifo, FileType::Fifo, Mode::RUSR, 0).unwrap();
        for path in [fifo.as_path(), dir.path(), Path::new("/dev/zero")] {
            assert!(matches!(read(path, 100), Err(ReadError::NotRegular(_))), "{}", path.display());
        }
    }

    #[test]
    fn a_file_that_is_too_large_or_claims_to_be_empty_is_bounded() {
        let dir = tempfile::tempdir().unwrap();
        let sparse = dir.path().join("sparse");
        File::create(&sparse).unwrap().set_len(50 * 1024 * 1024).unwrap();
        assert!(matches!(read(&sparse, 100), Err(ReadError::TooLarge(100))));
        // /proc says size 0 and has content.
        assert!(matches!(read(Path::new("/proc/self/status"), 10), Err(ReadError::TooLarge(10))));
    }

    #[test]
    fn what_is_not_there_is_told_apart_from_what_cannot_be_read() {
        let dir = tempfile::tempdir().unwrap();
        assert!(matches!(read(&dir.path().join("none"), 10), Err(ReadError::Missing)));
        let loops = dir.path().join("loop");
        std::os::unix::fs::symlink("loop", &loops).unwrap();
        assert!(matches!(read(&loops, 10), Err(ReadError::Io { .. })));
    }
}
