//! An accepted connection → [`Caller`]: who asks, as a value made once and handed to policy, grants and audit.
//!
//! Only the uid authorises. Everything else can be forged by a program of the same user and is for binding and showing.
//! Judged is who connected, as the kernel noted it then (SO_PEERCRED, unix(7)): what a process becomes later, or whom it
//! hands the connection to, changes nothing, except that a connection whose maker has ended is worth nothing.

mod lineage;
mod stat;

use crate::harden;
use lineage::Lineages;
use rustix::event::{PollFd, PollFlags, Timespec};
use rustix::io::Errno;
use rustix::process::{Pid, PidfdFlags};
use std::os::fd::{AsFd, OwnedFd};
use std::time::Duration;

/// Who asks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Caller {
    /// The user, as the kernel told at connect (SO_PEERCRED).
    pub uid: u32,
    /// The group, as the kernel told at connect.
    pub gid: u32,
    /// The process that connected.
    pub process: Process,
    /// The kernel session (`setsid`) the process belongs to, and its leader's start time.
    pub login_session: Option<LoginSession>,
    /// Its ancestors, nearest first, at most sixteen, pid 1 left out because everything descends from it. For showing; never
    /// authorises. The nearest is alive; those above may have ended since they were first seen.
    pub ancestry: Vec<Process>,
}

/// A process, told apart from a later one with the same pid by its start time.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Process {
    /// Its pid in the daemon's pid namespace.
    pub pid: u32,
    /// When it started, as time since boot (`/proc/PID/stat` field 22).
    pub started: Duration,
    /// Its command name (`/proc/PID/stat` field 2), printable; at most fifteen characters and forgeable.
    pub name: String,
}

/// A terminal session: what a grant with scope `terminal` is bound to. While a session has a member, the kernel gives its
/// leader's pid to nobody else, so the pair never means two sessions.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct LoginSession {
    /// The session leader's pid (`/proc/PID/stat` field 6).
    pub leader: u32,
    /// The leader's start time since boot.
    pub leader_started: Duration,
    /// The controlling terminal's device number, if there is one (`/proc/PID/stat` field 7).
    pub terminal: Option<u32>,
}

/// Why a peer is not served.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PeerError {
    /// Another user. Root too: it needs no daemon to read this user's secrets, and a privileged program that was talked into
    /// connecting should find nothing here.
    #[error("user {uid} (pid {pid}) is not the daemon's user")]
    Foreign {
        /// The user.
        uid: u32,
        /// The process.
        pid: u32,
    },
    /// The process that connected has ended, so whoever holds the connection now is somebody else.
    #[error("process {pid}, which connected, has ended")]
    Gone {
        /// The process.
        pid: u32,
    },
    /// The process is in a pid namespace the daemon cannot see into.
    #[error("a process of user {uid} connected from a pid namespace that cannot be seen")]
    Invisible {
        /// The user.
        uid: u32,
    },
    /// The kernel does not tell.
    #[error("the kernel does not {step}: {cause}")]
    Unknown {
        /// What was asked of it.
        step: &'static str,
        /// What it answered.
        cause: Errno,
    },
}

/// Turns accepted connections into callers.
#[derive(Debug)]
pub struct Callers {
    uid: u32,
    lineages: Lineages,
}

impl Callers {
    /// Makes one that serves the user `uid` and nobody else.
    #[must_use]
    pub fn of_user(uid: u32) -> Self {
        Self { uid, lineages: Lineages::default() }
    }

    /// Says who connected `socket`. Blocks for two reads of `/proc` when the caller's parent has called before.
    ///
    /// # Errors
    /// [`PeerError`]: nothing may be sent to this peer.
    pub fn admit(&self, socket: &tokio::net::UnixStream) -> Result<(Caller, Connector), PeerError> {
        let unknown = |step| move |cause| PeerError::Unknown { step, cause };
        let peer = socket.peer_cred().map_err(|cause| PeerError::Unknown {
            step: "tell who connected",
            cause: Errno::from_io_error(&cause).unwrap_or(Errno::IO),
        })?;
        let pid = peer.pid().and_then(|pid| u32::try_from(pid).ok()).unwrap_or(0);
        if peer.uid() != self.uid {
            return Err(PeerError::Foreign { uid: peer.uid(), pid });
        }
        if pid == 0 {
            return Err(PeerError::Invisible { uid: peer.uid() });
        }
        let connector = Connector::of(socket, pid)?;
        let own = stat::read(pid).map_err(unknown("tell about the process that connected"))?;
        let own = own.ok_or(PeerError::Gone { pid })?;
        let (ancestry, login_session) = self.lineages.of(&own, &stat::read_or_none);
        // Looked at last: if it lives now, what was read above was about it and not about a successor with its pid.
        connector.require_alive()?;
        let process = own.into_process();
        Ok((Caller { uid: peer.uid(), gid: peer.gid(), process, login_session, ancestry }, connector))
    }
}

/// A hold on the process that connected: tells whether it still lives, never mistaking a later process for it.
#[derive(Debug)]
pub struct Connector {
    pid: u32,
    pidfd: OwnedFd,
}

impl Connector {
    fn of(socket: impl AsFd, pid: u32) -> Result<Self, PeerError> {
        let pidfd = match harden::peer_pidfd(socket) {
            // Before Linux 6.5: by number, so a process that ended between connect and accept and whose pid was given
            // away in that moment is taken for its successor, which then has to be of the same user all the same.
            Err(Errno::NOPROTOOPT) => open_by_number(pid),
            outcome => outcome,
        };
        match pidfd {
            Ok(pidfd) => Ok(Self { pid, pidfd }),
            Err(Errno::SRCH | Errno::INVAL | Errno::NODATA) => Err(PeerError::Gone { pid }),
            Err(cause) => Err(PeerError::Unknown { step: "hold on to the process that connected", cause }),
        }
    }

    /// Refuses if the process has ended. One system call.
    ///
    /// # Errors
    /// [`PeerError::Gone`].
    pub fn require_alive(&self) -> Result<(), PeerError> {
        // A process descriptor becomes readable when its process ends (pidfd_open(2)).
        let mut watched = [PollFd::new(&self.pidfd, PollFlags::IN)];
        let at_once = Timespec { tv_sec: 0, tv_nsec: 0 };
        match rustix::io::retry_on_intr(|| rustix::event::poll(&mut watched, Some(&at_once))) {
            Ok(0) => Ok(()),
            Ok(_) => Err(PeerError::Gone { pid: self.pid }),
            Err(cause) => Err(PeerError::Unknown { step: "tell whether the process that connected lives", cause }),
        }
    }
}

fn open_by_number(pid: u32) -> Result<OwnedFd, Errno> {
    let pid = i32::try_from(pid).ok().and_then(Pid::from_raw).ok_or(Errno::SRCH)?;
    rustix::process::pidfd_open(pid, PidfdFlags::empty())
}

#[cfg(test)]
mod tests;
