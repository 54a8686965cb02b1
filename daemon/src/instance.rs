//! One daemon per user: the lock, the directories and the socket it is reached by.
//!
//! Everything here happens before the first request and, but for [`Instance::listen`], while there is one thread. Whoever holds the lock may replace a
//! stale socket; nobody ever deletes what is not a socket, follows a link, or repairs permissions that somebody else chose.
//! It must not know what is said over the socket. Why it is built like this: `docs/design/local-socket.md`.

mod directory;
mod socket;

pub use directory::DirectoryError;
pub use socket::{SocketError, SocketFile};

use crate::environment::Places;
use rustix::fs::OFlags;
use socket::BoundSocket;
use std::fs::{File, OpenOptions, TryLockError};
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// The lock file's name in the state directory. It holds the pid of whoever has the lock, for people to read.
pub const LOCK_FILE: &str = "tegatad.lock";

/// How often a daemon that is second looks again whether the first serves, or has ended.
const LOOK_AGAIN: Duration = Duration::from_millis(20);
/// How many times it looks: ten seconds, more than a daemon takes to begin or to end.
const LOOKS: u32 = 500;

/// How starting ended.
#[derive(Debug)]
#[must_use]
pub enum Start {
    /// This is the daemon.
    First(Instance),
    /// Another daemon of this user already answers; this one has nothing to do and ends with success.
    AlreadyRunning,
}

/// The one daemon of this user. Dropping it removes the socket it made and gives the lock back.
#[derive(Debug)]
pub struct Instance {
    listening: Option<Listening>,
    socket: SocketFile,
    /// Held for life: closing the file releases the lock.
    _lock: File,
}

/// Since when callers can connect.
#[derive(Debug)]
enum Listening {
    /// Not before [`Instance::listen`]: the socket was bound here.
    Later(BoundSocket),
    /// A service manager listens, and has kept callers waiting.
    Already(UnixListener),
}

/// Why the daemon cannot start.
#[derive(Debug, thiserror::Error)]
pub enum InstanceError {
    /// A directory is not what it must be.
    #[error(transparent)]
    Directory(#[from] DirectoryError),
    /// The socket is not what it must be.
    #[error(transparent)]
    Socket(#[from] SocketError),
    /// The lock file cannot be used.
    #[error("cannot lock {path:?}: {cause}")]
    Lock {
        /// The lock file.
        path: PathBuf,
        /// What went wrong.
        cause: std::io::Error,
    },
    /// Another daemon has the lock and does not serve at the expected place.
    #[error("another tegatad (pid {holder}) holds {path:?} but does not answer at {socket:?}; end it and try again")]
    Unresponsive {
        /// The lock file.
        path: PathBuf,
        /// Where it would have to answer.
        socket: PathBuf,
        /// What the lock file says.
        holder: String,
    },
    /// The sockets a service manager passed are not the one socket that is expected.
    #[error(
        "socket activation passed {found}; the unit must have exactly one ListenStream with the path of the socket"
    )]
    Activation {
        /// What was passed.
        found: &'static str,
    },
}

impl Instance {
    /// Becomes this user's daemon: makes the directories, takes the lock and binds the socket, or takes the one a service
    /// manager bound (`passed`, from [`passed_listener`]). `uid` is the user the process runs as. Nobody can connect to a socket
    /// that was bound here before [`Instance::listen`].
    ///
    /// # Errors
    /// [`InstanceError`] says what is in the way and what to do about it.
    pub fn start(places: &Places, passed: Option<UnixListener>, uid: u32) -> Result<Start, InstanceError> {
        directory::private(&places.state_dir, uid)?;
        let Some(lock) = take_lock(&places.state_dir.join(LOCK_FILE), &places.socket, uid)? else {
            return Ok(Start::AlreadyRunning);
        };
        let (listening, socket) = match passed {
            Some(listener) => {
                let socket = socket::check_passed(&listener, uid)?;
                (Listening::Already(listener), socket)
            }
            None => {
                directory::for_socket(places, uid)?;
                match socket::bind(&places.socket, uid)? {
                    socket::Bound::Ours(bound, socket) => (Listening::Later(bound), socket),
                    socket::Bound::AlreadyServed => return Ok(Start::AlreadyRunning),
                }
            }
        };
        Ok(Start::First(Self { listening: Some(listening), socket, _lock: lock }))
    }

    /// Listens and hands over the listener, non-blocking. There is one; the second call returns `None`.
    ///
    /// # Errors
    /// [`InstanceError::Socket`] if the kernel refuses.
    pub fn listen(&mut self) -> Result<Option<UnixListener>, InstanceError> {
        Ok(match self.listening.take() {
            Some(Listening::Later(bound)) => Some(bound.listen(self.socket.path())?),
            Some(Listening::Already(listener)) => Some(listener),
            None => None,
        })
    }

    /// Returns the socket's place in the file system, to be watched with [`SocketFile::lost`].
    #[must_use]
    pub fn socket(&self) -> &SocketFile {
        &self.socket
    }
}

impl Drop for Instance {
    fn drop(&mut self) {
        // Before the lock goes, so that no successor's socket can be meant.
        self.socket.remove();
    }
}

/// Takes the socket a service manager passed to this process (sd_listen_fds(3)). Call it once, with one thread, and only if
/// [`Environment::activated`](crate::environment::Environment::activated).
///
/// # Errors
/// [`InstanceError::Activation`] if it is not exactly one Unix stream socket.
pub fn passed_listener() -> Result<UnixListener, InstanceError> {
    let mut passed = listenfd::ListenFd::from_env();
    if passed.len() != 1 {
        return Err(InstanceError::Activation { found: "no socket, or more than one" });
    }
    match passed.take_unix_listener(0) {
        Ok(Some(listener)) => Ok(listener),
        Ok(None) | Err(_) => Err(InstanceError::Activation { found: "something else than a Unix stream socket" }),
    }
}

/// Takes the lock, or returns `None` when its holder serves. A holder that has lost its socket is about to end
/// ([`SocketFile::lost`]), and one that has none yet is about to serve: both are waited for.
fn take_lock(path: &Path, socket: &Path, uid: u32) -> Result<Option<File>, InstanceError> {
    let failed = |cause| InstanceError::Lock { path: path.to_owned(), cause };
    let nofollow = i32::try_from(OFlags::NOFOLLOW.bits()).unwrap_or(0);
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false).mode(0o600).custom_flags(nofollow);
    let lock = options.open(path).map_err(failed)?;
    for _ in 0..LOOKS {
        match lock.try_lock() {
            Ok(()) => return write_holder(lock).map(Some).map_err(failed),
            Err(TryLockError::WouldBlock) if socket::is_served(socket, uid)? => return Ok(None),
            Err(TryLockError::WouldBlock) => std::thread::sleep(LOOK_AGAIN),
            Err(TryLockError::Error(cause)) => return Err(failed(cause)),
        }
    }
    Err(InstanceError::Unresponsive { path: path.to_owned(), socket: socket.to_owned(), holder: read_holder(path) })
}

fn write_holder(mut lock: File) -> std::io::Result<File> {
    lock.set_len(0)?;
    writeln!(lock, "{}", std::process::id())?;
    Ok(lock)
}

fn read_holder(path: &Path) -> String {
    let text = std::fs::read_to_string(path).unwrap_or_default();
    text.trim().parse::<u32>().map_or_else(|_| "unknown".to_owned(), |pid| pid.to_string())
}

#[cfg(test)]
mod tests;
