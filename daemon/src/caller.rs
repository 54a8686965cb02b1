//! An accepted connection → [`Caller`]: who asks, as a value made once and handed to policy, grants and audit.
//!
//! Only the uid authorises. Everything else can be forged by a program of the same user and is for binding and showing.

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
    /// Its ancestors, nearest first, at most sixteen. For showing; never authorises.
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

/// A terminal session: what a grant with scope `terminal` is bound to.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct LoginSession {
    /// The session leader's pid (`/proc/PID/stat` field 6).
    pub leader: u32,
    /// The leader's start time since boot.
    pub leader_started: Duration,
    /// The controlling terminal's device number, if there is one (`/proc/PID/stat` field 7).
    pub terminal: Option<u32>,
}
