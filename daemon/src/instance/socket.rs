//! The socket file: bound with the right mode from its first moment, replaced only when it is our own and stale.

use super::directory::OTHERS_WRITE;
use rustix::fs::Mode;
use rustix::io::Errno;
use rustix::net::{AddressFamily, SocketAddrUnix, SocketFlags, SocketType};
use std::fs::Metadata;
use std::os::fd::OwnedFd;
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// How many connections may wait to be accepted. The kernel cuts it to `net.core.somaxconn`, 4,096 since Linux 5.4.
const BACKLOG: i32 = 4096;

/// How often a running daemon looks whether its socket is still there.
const LOOK_AGAIN: Duration = Duration::from_secs(2);

/// Why the socket cannot be used. Nothing but a stale socket of the user's own is ever removed.
#[derive(Debug, thiserror::Error)]
pub enum SocketError {
    /// The path is taken by something that is no socket.
    #[error("{path:?} is {found}, not a socket; remove it and try again")]
    NotASocket {
        /// The path.
        path: PathBuf,
        /// What is there.
        found: &'static str,
    },
    /// The socket is another user's, or another user listens on it.
    #[error(
        "the socket {path:?} belongs to user {owner}, not to user {uid}; remove it, or set TEGATA_SOCKET to another path"
    )]
    Foreign {
        /// The path.
        path: PathBuf,
        /// Whose it is.
        owner: u32,
        /// Who the daemon is.
        uid: u32,
    },
    /// Others may connect to it.
    #[error("others may connect to {path:?} (mode {mode:04o}); a socket unit needs SocketMode=0600")]
    Shared {
        /// The path.
        path: PathBuf,
        /// Its mode bits.
        mode: u32,
    },
    /// A passed socket that has no path: abstract, or not bound.
    #[error(
        "socket activation passed a socket without a path; the unit must have a ListenStream with an absolute path"
    )]
    NoPath,
    /// The kernel refused.
    #[error("cannot {step} {path:?}: {cause}")]
    Refused {
        /// What was asked of it.
        step: &'static str,
        /// The path.
        path: PathBuf,
        /// What it answered.
        cause: std::io::Error,
    },
}

/// What binding came to.
#[derive(Debug)]
pub(super) enum Bound {
    /// The socket is ours; nobody can connect before it listens.
    Ours(BoundSocket, SocketFile),
    /// Some daemon of this user listens there already: one with another state directory, so with another lock.
    AlreadyServed,
}

/// A socket's place in the file system, and which socket is meant by it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SocketFile {
    path: PathBuf,
    device: u64,
    inode: u64,
    /// Whether this process made it, and so removes it.
    made_here: bool,
}

impl SocketFile {
    /// Returns the path.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Whether the path still leads to this socket.
    #[must_use]
    pub fn is_there(&self) -> bool {
        std::fs::symlink_metadata(&self.path).is_ok_and(|found| self.is(&found))
    }

    /// Returns once the socket has been removed or replaced, within two seconds of it. Nobody can reach the daemon any
    /// more, so it should end: the next command starts another one, which waits for this one's lock.
    pub async fn lost(&self) {
        while self.is_there() {
            tokio::time::sleep(LOOK_AGAIN).await;
        }
    }

    fn is(&self, found: &Metadata) -> bool {
        (found.dev(), found.ino()) == (self.device, self.inode)
    }

    /// Removes the socket if this process made it and it is still there.
    pub(super) fn remove(&self) {
        if self.made_here && self.is_there() {
            // It may be gone between the two calls, which is what was wanted.
            let _ = std::fs::remove_file(&self.path);
        }
    }
}

/// A socket that has its place and does not listen yet.
#[derive(Debug)]
pub(super) struct BoundSocket(OwnedFd);

impl BoundSocket {
    /// Lets callers connect; `path` is where it is bound.
    pub(super) fn listen(self, path: &Path) -> Result<UnixListener, SocketError> {
        rustix::net::listen(&self.0, BACKLOG).map_err(|errno| refused("listen on", path)(errno.into()))?;
        Ok(UnixListener::from(self.0))
    }
}

/// Binds at `path`. The caller holds the lock and has checked the directory.
pub(super) fn bind(path: &Path, uid: u32) -> Result<Bound, SocketError> {
    match look(path, uid)? {
        Found::Nothing => {}
        Found::Served => return Ok(Bound::AlreadyServed),
        Found::Stale => std::fs::remove_file(path).map_err(refused("remove the stale socket", path))?,
    }
    let socket = bind_privately(path).map_err(|errno| refused("bind the socket", path)(errno.into()))?;
    let file = checked(path, uid, true)?;
    Ok(Bound::Ours(BoundSocket(socket), file))
}

/// Binds a socket that has mode 0600 from its first moment: Linux gives the file the mode of the socket's own inode, less
/// the mask (`unix_bind_bsd` in the kernel's net/unix/af_unix.c). No mask is changed, so no other file is affected, and nobody
/// can connect before `listen`.
fn bind_privately(path: &Path) -> Result<OwnedFd, Errno> {
    let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
    let socket = rustix::net::socket_with(AddressFamily::UNIX, SocketType::STREAM, flags, None)?;
    rustix::fs::fchmod(&socket, Mode::RUSR | Mode::WUSR)?;
    rustix::net::bind(&socket, &SocketAddrUnix::new(path)?)?;
    Ok(socket)
}

/// Checks a socket that a service manager bound: a path of its own, the user's, open to nobody else, in a private directory.
pub(super) fn check_passed(listener: &UnixListener, uid: u32) -> Result<SocketFile, super::InstanceError> {
    let address = listener.local_addr().map_err(refused("tell the path of", Path::new("the passed socket")))?;
    let path = address.as_pathname().filter(|path| path.is_absolute()).ok_or(SocketError::NoPath)?;
    if let Some(parent) = path.parent() {
        super::directory::private(parent, uid)?;
    }
    let file = checked(path, uid, false)?;
    listener.set_nonblocking(true).map_err(refused("set up", path))?;
    Ok(file)
}

/// Whether a daemon of this user answers at `path`.
pub(super) fn is_served(path: &Path, uid: u32) -> Result<bool, SocketError> {
    Ok(matches!(look(path, uid)?, Found::Served))
}

enum Found {
    Nothing,
    Stale,
    Served,
}

/// Says what is at `path`, without following links, and refuses what is not this user's socket.
fn look(path: &Path, uid: u32) -> Result<Found, SocketError> {
    let found = match std::fs::symlink_metadata(path) {
        Ok(found) => found,
        Err(cause) if cause.kind() == std::io::ErrorKind::NotFound => return Ok(Found::Nothing),
        Err(cause) => return Err(refused("look at", path)(cause)),
    };
    own_socket(path, &found, uid)?;
    match listener_uid(path) {
        Ok(owner) if owner == uid => Ok(Found::Served),
        Ok(owner) => Err(SocketError::Foreign { path: path.to_owned(), owner, uid }),
        // A full backlog: somebody listens and is busy.
        Err(Errno::AGAIN) => Ok(Found::Served),
        Err(Errno::CONNREFUSED) => Ok(Found::Stale),
        Err(Errno::NOENT) => Ok(Found::Nothing),
        Err(errno) => Err(refused("connect to", path)(errno.into())),
    }
}

/// Connects, without ever blocking, and returns who listens: SO_PEERCRED of the connecting side is the user who called
/// `listen` (unix(7)).
fn listener_uid(path: &Path) -> Result<u32, Errno> {
    let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
    let socket = rustix::net::socket_with(AddressFamily::UNIX, SocketType::STREAM, flags, None)?;
    rustix::net::connect(&socket, &SocketAddrUnix::new(path)?)?;
    Ok(rustix::net::sockopt::socket_peercred(&socket)?.uid.as_raw())
}

/// Returns the identity of the socket at `path` after checking that it is the user's and open to nobody else.
fn checked(path: &Path, uid: u32, made_here: bool) -> Result<SocketFile, SocketError> {
    let found = std::fs::symlink_metadata(path).map_err(refused("look at", path))?;
    own_socket(path, &found, uid)?;
    let mode = found.mode() & 0o7777;
    // Connecting takes write permission (unix(7)); reading and executing a socket mean nothing.
    if mode & OTHERS_WRITE != 0 {
        return Err(SocketError::Shared { path: path.to_owned(), mode });
    }
    Ok(SocketFile { path: path.to_owned(), device: found.dev(), inode: found.ino(), made_here })
}

fn own_socket(path: &Path, found: &Metadata, uid: u32) -> Result<(), SocketError> {
    let kind = found.file_type();
    if !kind.is_socket() {
        let found = match kind {
            kind if kind.is_symlink() => "a symbolic link",
            kind if kind.is_dir() => "a directory",
            kind if kind.is_fifo() => "a named pipe",
            _ => "a file",
        };
        return Err(SocketError::NotASocket { path: path.to_owned(), found });
    }
    let owner = found.uid();
    if owner == uid { Ok(()) } else { Err(SocketError::Foreign { path: path.to_owned(), owner, uid }) }
}

fn refused(step: &'static str, path: &Path) -> impl FnOnce(std::io::Error) -> SocketError {
    let path = path.to_owned();
    move |cause| SocketError::Refused { step, path, cause }
}
