//! The daemon's own directories: made private, or refused when somebody else made them.

use crate::environment::Places;
use rustix::io::Errno;
use std::fs::DirBuilder;
use std::os::unix::fs::{DirBuilderExt, MetadataExt};
use std::path::{Path, PathBuf};

/// Bits with which somebody else could put files into a directory, or connect to a socket.
pub(super) const OTHERS_WRITE: u32 = 0o022;

/// Why a directory cannot be used. It is never repaired: whoever loosened it may already have used that.
#[derive(Debug, thiserror::Error)]
pub enum DirectoryError {
    /// Cannot be made or looked at.
    #[error("cannot use the directory {path:?}: {cause}")]
    Unusable {
        /// The directory.
        path: PathBuf,
        /// What went wrong.
        cause: std::io::Error,
    },
    /// Something else is there: a link, a file.
    #[error("{path:?} is {found}, not a directory; remove it and try again")]
    NotADirectory {
        /// The path.
        path: PathBuf,
        /// What is there.
        found: &'static str,
    },
    /// Somebody else's.
    #[error(
        "the directory {path:?} belongs to user {owner}, not to user {uid}; remove it, or set {variable} to one of your own"
    )]
    Foreign {
        /// The directory.
        path: PathBuf,
        /// Whose it is.
        owner: u32,
        /// Who the daemon is.
        uid: u32,
        /// What would choose another one.
        variable: &'static str,
    },
    /// Others may write into it.
    #[error("others may write into {path:?} (mode {mode:04o}); see what is in it, then run: chmod 700 {path:?}")]
    Shared {
        /// The directory.
        path: PathBuf,
        /// Its mode bits.
        mode: u32,
    },
    /// `XDG_RUNTIME_DIR` names nothing.
    #[error("XDG_RUNTIME_DIR is {path:?}, which does not exist; log in again, or unset it")]
    RuntimeMissing {
        /// Its value.
        path: PathBuf,
    },
}

/// Makes the directory the socket lies in, or checks the one that is there.
///
/// The runtime directory is the login's own (XDG Base Directory Specification: owned by the user, mode 0700). It is not made here
/// and only its owner is checked: WSL's is open to all, and the private directory inside it is what counts.
pub(super) fn for_socket(places: &Places, uid: u32) -> Result<(), DirectoryError> {
    let Some(parent) = places.socket.parent() else { return Ok(()) };
    if let Some(runtime) = places.runtime_dir.as_deref().filter(|runtime| parent.starts_with(runtime)) {
        let found = std::fs::metadata(runtime).map_err(|cause| match cause.kind() {
            std::io::ErrorKind::NotFound => DirectoryError::RuntimeMissing { path: runtime.to_owned() },
            _ => DirectoryError::Unusable { path: runtime.to_owned(), cause },
        })?;
        owned(runtime, found.uid(), uid, "XDG_RUNTIME_DIR")?;
    }
    private(parent, uid)
}

/// Makes a directory with mode 0700, parents too, or checks the one that is there: a directory and no link, the user's
/// own, writable by nobody else.
pub(super) fn private(path: &Path, uid: u32) -> Result<(), DirectoryError> {
    let unusable = |cause| DirectoryError::Unusable { path: path.to_owned(), cause };
    DirBuilder::new().recursive(true).mode(0o700).create(path).or_else(|cause| match cause.kind() {
        // Something is there; what it is gets told below.
        std::io::ErrorKind::AlreadyExists => Ok(()),
        _ => Err(unusable(cause)),
    })?;
    let found = std::fs::symlink_metadata(path).map_err(unusable)?;
    if !found.is_dir() {
        let found = if found.is_symlink() { "a symbolic link" } else { "a file" };
        return Err(DirectoryError::NotADirectory { path: path.to_owned(), found });
    }
    owned(path, found.uid(), uid, "TEGATA_SOCKET or XDG_STATE_HOME")?;
    let mode = found.mode() & 0o7777;
    if mode & OTHERS_WRITE != 0 {
        return Err(DirectoryError::Shared { path: path.to_owned(), mode });
    }
    // Looking at it is not enough: a directory that cannot be entered is found out here, not at the first write.
    rustix::fs::access(path, rustix::fs::Access::WRITE_OK | rustix::fs::Access::EXEC_OK)
        .map_err(|errno: Errno| unusable(errno.into()))
}

fn owned(path: &Path, owner: u32, uid: u32, variable: &'static str) -> Result<(), DirectoryError> {
    if owner == uid { Ok(()) } else { Err(DirectoryError::Foreign { path: path.to_owned(), owner, uid, variable }) }
}
