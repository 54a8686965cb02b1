//! An accepted connection → [`Caller`]: who asks, as a value made once and handed to policy, grants and audit.
//!
//! Only the uid authorises. Everything else can be forged by a program of the same user and is for binding and showing.
//! Judged is who connected, as the kernel noted it then (SO_PEERCRED, unix(7)): what a process becomes later, or whom it
//! hands the connection to, changes nothing, except that a connection whose maker has ended is worth nothing.

mod lineage;
mod recent;
mod stat;

use crate::harden;
use lineage::{Lineages, Processes};
use recent::Recent;
use rustix::event::{PollFd, PollFlags, Timespec};
use rustix::io::Errno;
use rustix::process::{Pid, PidfdFlags};
use stat::Stat;
use std::os::fd::{AsFd, OwnedFd};
use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant;

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
    /// authorises. A name is the one the ancestor had when it was first seen.
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

/// The most callers that are remembered, each with a descriptor.
const MAX_REMEMBERED: usize = 64;
/// For how long: a caller that becomes another program (exec) or loses its terminal is still told as it was until then.
const REMEMBERED_FOR: Duration = Duration::from_secs(1);

/// Turns accepted connections into callers.
#[derive(Debug)]
pub struct Callers {
    uid: u32,
    recent: Recent<(Stat, Arc<OwnedFd>)>,
    lineages: Lineages<Kernel>,
}

impl Callers {
    /// Makes one that serves the user `uid` and nobody else.
    #[must_use]
    pub fn of_user(uid: u32) -> Self {
        Self { uid, recent: Recent::new(MAX_REMEMBERED, REMEMBERED_FOR), lineages: Lineages::told_by(Kernel) }
    }

    /// Says who connected `socket`. Blocks for one read of `/proc` when the process has not called within the
    /// last second, and for one more per ancestor when nobody has called from under the same parent lately.
    ///
    /// # Errors
    /// [`PeerError`]: nothing may be sent to this peer.
    pub fn admit(&self, socket: &tokio::net::UnixStream) -> Result<(Caller, Connector), PeerError> {
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
        let now = Instant::now();
        let own = self.about(&connector, now)?;
        let (ancestry, login_session) = self.lineages.of(&own, now);
        let process = own.into_process();
        Ok((Caller { uid: peer.uid(), gid: peer.gid(), process, login_session, ancestry }, connector))
    }

    /// Reads about the process that connected, or remembers what was read a moment ago of the one that had its pid: if that one
    /// and this one both live, they are the same. Whether it lives is always looked at last, so that nothing is said of a
    /// successor with its pid.
    fn about(&self, connector: &Connector, now: Instant) -> Result<Stat, PeerError> {
        let pid = connector.pid;
        if let Some(known) = self.recent.get(pid, now) {
            let (own, pidfd) = &*known;
            if is_alive(pidfd) == Ok(true) && Kernel.session(pid) == Some(own.session) {
                return connector.require_alive().map(|()| own.clone());
            }
        }
        let own = stat::read(pid)
            .map_err(|cause| PeerError::Unknown { step: "tell about the process that connected", cause })?
            .ok_or(PeerError::Gone { pid })?;
        connector.require_alive()?;
        self.recent.put(pid, Arc::new((own.clone(), connector.pidfd.clone())), now);
        Ok(own)
    }
}

/// A hold on the process that connected: tells whether it still lives, never mistaking a later process for it.
#[derive(Debug)]
pub struct Connector {
    pid: u32,
    pidfd: Arc<OwnedFd>,
}

impl Connector {
    fn of(socket: impl AsFd, pid: u32) -> Result<Self, PeerError> {
        let pidfd = match harden::peer_pidfd(socket) {
            // Before Linux 6.5: by number, so a process that ended between connect and accept, and whose pid was given away in
            // that moment, is taken for its successor.
            Err(Errno::NOPROTOOPT) => open_by_number(pid),
            outcome => outcome,
        };
        match pidfd {
            Ok(pidfd) => Ok(Self { pid, pidfd: Arc::new(pidfd) }),
            Err(Errno::SRCH | Errno::INVAL | Errno::NODATA) => Err(PeerError::Gone { pid }),
            Err(cause) => Err(PeerError::Unknown { step: "hold on to the process that connected", cause }),
        }
    }

    /// Refuses if the process has ended. One system call.
    ///
    /// # Errors
    /// [`PeerError::Gone`].
    pub fn require_alive(&self) -> Result<(), PeerError> {
        match is_alive(&self.pidfd) {
            Ok(true) => Ok(()),
            Ok(false) => Err(PeerError::Gone { pid: self.pid }),
            Err(cause) => Err(PeerError::Unknown { step: "tell whether the process that connected lives", cause }),
        }
    }
}

/// The kernel of this machine.
#[derive(Debug)]
struct Kernel;

impl Processes for Kernel {
    type Hold = OwnedFd;

    fn stat(&self, pid: u32) -> Option<Stat> {
        stat::read(pid).ok().flatten()
    }

    fn hold(&self, pid: u32) -> Option<OwnedFd> {
        open_by_number(pid).ok()
    }

    fn all_live(&self, held: &[OwnedFd]) -> bool {
        let mut watched: Vec<PollFd<'_>> = held.iter().map(|pidfd| PollFd::new(pidfd, PollFlags::IN)).collect();
        none_readable(&mut watched).unwrap_or(false)
    }

    fn session(&self, pid: u32) -> Option<u32> {
        harden::session(pid).ok()
    }
}

/// Whether a process has not ended: a process descriptor becomes readable when its process ends (pidfd_open(2)).
fn is_alive(pidfd: &OwnedFd) -> Result<bool, Errno> {
    none_readable(&mut [PollFd::new(pidfd, PollFlags::IN)])
}

fn none_readable(watched: &mut [PollFd<'_>]) -> Result<bool, Errno> {
    let at_once = Timespec { tv_sec: 0, tv_nsec: 0 };
    rustix::io::retry_on_intr(|| rustix::event::poll(watched, Some(&at_once))).map(|readable| readable == 0)
}

fn pid_of(pid: u32) -> Option<Pid> {
    i32::try_from(pid).ok().and_then(Pid::from_raw)
}

fn open_by_number(pid: u32) -> Result<OwnedFd, Errno> {
    rustix::process::pidfd_open(pid_of(pid).ok_or(Errno::SRCH)?, PidfdFlags::empty())
}

#[cfg(test)]
mod tests;
