//! The connection to the daemon: made, its owner checked, and bounded in time.

use crate::environment::Deadline;
use crate::failure::{Failure, Kind};
use crate::signals::Signals;
use rustix::io::Errno;
use rustix::net::sockopt::{Timeout, set_socket_timeout, socket_peercred};
use rustix::net::{AddressFamily, SocketAddrUnix, SocketFlags, SocketType, connect, socket_with};
use std::io::{self, ErrorKind, Read, Write};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::Duration;

/// How long a daemon with a full queue may take to accept, and to take a request.
const ACCEPT_PATIENCE: Duration = Duration::from_secs(10);

/// Why there is no connection.
#[derive(Debug)]
pub(crate) enum NoConnection {
    /// Nobody listens there: the daemon does not run.
    NobodyListens,
    /// Anything else; starting a daemon would not mend it.
    Failed(Failure),
}

/// A connection to a daemon of this user, and how long it may take.
pub(crate) struct Connection<'a> {
    stream: UnixStream,
    deadline: Deadline,
    signals: Option<&'a Signals>,
    /// The kernel already counts the time of the first read.
    timed: bool,
}

impl<'a> Connection<'a> {
    /// Connects to the daemon. Nothing is sent to a server of another user.
    pub(crate) fn open(socket: &Path, patience: Duration, signals: Option<&'a Signals>) -> Result<Self, NoConnection> {
        let stream = open_socket(socket).map_err(|errno| not_connected(socket, errno))?;
        let server = socket_peercred(&stream).map_err(|errno| not_connected(socket, errno))?;
        check_server(server.uid.as_raw(), rustix::process::geteuid().as_raw(), socket).map_err(NoConnection::Failed)?;
        set_socket_timeout(&stream, Timeout::Recv, Some(patience)).map_err(|errno| not_connected(socket, errno))?;
        Ok(Self { stream, deadline: Deadline::after(patience), signals, timed: true })
    }

    /// Gives the next read what is left of the time.
    fn set_time_left(&mut self) -> io::Result<()> {
        let left = self.deadline.left().ok_or(ErrorKind::TimedOut)?;
        self.stream.set_read_timeout(Some(left))
    }
}

impl Read for Connection<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            if !std::mem::take(&mut self.timed) {
                self.set_time_left()?;
            }
            match self.stream.read(buffer) {
                // Also after a stop and a continue, which no handler sees (signal(7)).
                Err(error) if error.kind() == ErrorKind::Interrupted && !self.signals.is_some_and(Signals::any) => {}
                other => return other,
            }
        }
    }
}

impl Write for Connection<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.stream.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn open_socket(path: &Path) -> rustix::io::Result<UnixStream> {
    let socket = socket_with(AddressFamily::UNIX, SocketType::STREAM, SocketFlags::CLOEXEC, None)?;
    // Bounds connecting too: a connect waits while the queue of the listener is full (unix(7)).
    set_socket_timeout(&socket, Timeout::Send, Some(ACCEPT_PATIENCE))?;
    let address = SocketAddrUnix::new(path)?;
    loop {
        match connect(&socket, &address) {
            Err(Errno::INTR) => {}
            Err(errno) => return Err(errno),
            Ok(()) => return Ok(socket.into()),
        }
    }
}

fn not_connected(socket: &Path, errno: Errno) -> NoConnection {
    let failed = |message: String| NoConnection::Failed(Failure::new(Kind::Unreachable, message));
    match errno {
        Errno::NOENT | Errno::CONNREFUSED => NoConnection::NobodyListens,
        Errno::AGAIN | Errno::TIMEDOUT => NoConnection::Failed(
            Failure::new(Kind::Unreachable, format!("tegatad takes no connections at {}", socket.display()))
                .mend("pkill -x tegatad"),
        ),
        Errno::ACCESS => failed(format!("another user owns the way to {}", socket.display())),
        Errno::PROTOTYPE => failed(format!("what listens at {} is not tegatad", socket.display())),
        errno => failed(format!("cannot connect to {}: {}", socket.display(), io::Error::from(errno))),
    }
}

/// Refuses a server of another user: whoever can bind a socket where this one is expected would otherwise be told which
/// profiles there are, and could hand out credentials of their own choice.
fn check_server(server: u32, own: u32, socket: &Path) -> Result<(), Failure> {
    if server == own {
        return Ok(());
    }
    let message = format!("what listens at {} runs as uid {server}, you are uid {own}", socket.display());
    Err(Failure::new(Kind::Unreachable, message).mend("unset TEGATA_SOCKET XDG_RUNTIME_DIR"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a8_a_server_of_another_user_is_refused() {
        for (server, own) in [(1001, 1000), (0, 1000), (1000, 0), (u32::MAX, 1000)] {
            let failure = check_server(server, own, Path::new("/run/t.sock")).unwrap_err();
            assert_eq!(failure.exit_code(), 16);
            assert!(failure.line().unwrap().contains(&format!("runs as uid {server}, you are uid {own}")));
        }
    }

    #[test]
    fn a8_twin_a_server_of_this_user_is_accepted() {
        assert!(check_server(1000, 1000, Path::new("/run/t.sock")).is_ok());
        assert!(check_server(0, 0, Path::new("/run/t.sock")).is_ok());
    }

    #[test]
    fn only_a_missing_listener_is_a_reason_to_start_one() {
        let path = Path::new("/run/t.sock");
        for errno in [Errno::NOENT, Errno::CONNREFUSED] {
            assert!(matches!(not_connected(path, errno), NoConnection::NobodyListens));
        }
        for errno in [Errno::ACCESS, Errno::AGAIN, Errno::PROTOTYPE, Errno::NOTDIR, Errno::LOOP, Errno::NAMETOOLONG] {
            match not_connected(path, errno) {
                NoConnection::Failed(failure) => assert!(failure.line().unwrap().contains("/run/t.sock")),
                NoConnection::NobodyListens => panic!("{errno:?} would start a daemon"),
            }
        }
    }
}
