//! Process hardening, and the few system calls no safe crate offers: the only file of the daemon with `unsafe` code.
//!
//! What it knows is the process it runs in. It must not know why the daemon wants any of it.
#![allow(unsafe_code, reason = "this is the file that owns it; every block says why it is sound")]

use rustix::io::Errno;
use rustix::process::{DumpableBehavior, Resource, Rlimit};
use std::ffi::OsString;
use std::os::fd::{AsFd, AsRawFd, FromRawFd, OwnedFd};
use std::path::Path;

/// The most open descriptors the daemon asks for: two for each of its connections, and room for the rest.
const DESCRIPTORS: u64 = 8192;

/// Room for one user's entry in the user database.
const USER_ENTRY: usize = 16 * 1024;

/// Why the process could not be made what it must be. Always fatal: half a hardening is none.
#[derive(Debug, thiserror::Error)]
pub enum HardenError {
    /// The kernel refused.
    #[error("the kernel refused to {step}: {cause}")]
    Refused {
        /// What was asked of it.
        step: &'static str,
        /// What it answered.
        cause: Errno,
    },
    /// `--detach` from a process that leads a process group, which may not begin a session (setsid(2), EPERM).
    #[error("cannot detach a job of an interactive shell; run: tegata daemon start")]
    LeadsGroup,
    /// The environment may only change while nobody else can read it.
    #[error("the environment can no longer be changed: the process has {threads} threads")]
    Threads {
        /// How many there are.
        threads: usize,
    },
    /// The kernel's list of this process's descriptors cannot be read.
    #[error("cannot list the open descriptors of this process in /proc/self/fd: {cause}")]
    DescriptorsUnknown {
        /// What went wrong.
        cause: std::io::Error,
    },
    /// The kernel's list of this process's threads cannot be read.
    #[error("cannot count the threads of this process in /proc/self/task: {cause}")]
    ThreadsUnknown {
        /// What went wrong.
        cause: std::io::Error,
    },
}

fn step(step: &'static str) -> impl FnOnce(Errno) -> HardenError {
    move |cause| HardenError::Refused { step, cause }
}

/// Makes the process unreadable to other programs of the same user, and its files unreadable to other users. The first
/// thing `main` does, while there is one thread.
///
/// Not dumpable: no core, no ptrace and no `/proc/PID/mem`, `environ` or `maps` for the same user (prctl(2),
/// PR_SET_DUMPABLE); root still can. No core size: holds even if something makes the process dumpable again. No new
/// privileges: nothing started from here can gain any. File mode mask 077.
///
/// # Errors
/// [`HardenError::Refused`] names the step.
pub fn process() -> Result<(), HardenError> {
    rustix::process::set_dumpable_behavior(DumpableBehavior::NotDumpable).map_err(step("forbid core dumps"))?;
    let none = Rlimit { current: Some(0), maximum: Some(0) };
    rustix::process::setrlimit(Resource::Core, none).map_err(step("limit core dumps to nothing"))?;
    rustix::thread::set_no_new_privs(true).map_err(step("forbid new privileges"))?;
    rustix::process::umask(rustix::fs::Mode::RWXG | rustix::fs::Mode::RWXO);
    raise_descriptor_limit()
}

/// Raises the soft limit of open descriptors as far as the daemon can use it and the hard limit allows: the usual 1,024
/// would be met by five hundred connections.
///
/// # Errors
/// [`HardenError::Refused`].
pub fn raise_descriptor_limit() -> Result<(), HardenError> {
    let old = rustix::process::getrlimit(Resource::Nofile);
    let wanted = old.maximum.map_or(DESCRIPTORS, |hard| hard.min(DESCRIPTORS));
    if old.current.is_none_or(|soft| soft >= wanted) {
        return Ok(());
    }
    let new = Rlimit { current: Some(wanted), maximum: old.maximum };
    rustix::process::setrlimit(Resource::Nofile, new).map_err(step("raise the limit of open files"))
}

/// Whether the same user may read this process's memory or make it dump core.
///
/// # Errors
/// [`HardenError::Refused`].
pub fn is_dumpable() -> Result<bool, HardenError> {
    let behavior = rustix::process::dumpable_behavior().map_err(step("tell whether core dumps are forbidden"))?;
    Ok(behavior != DumpableBehavior::NotDumpable)
}

/// Leaves the terminal and the directory the process was started in: `tegatad --detach`. Whoever starts it has already put
/// the three standard descriptors elsewhere.
///
/// # Errors
/// [`HardenError::LeadsGroup`] in a job that an interactive shell started directly.
pub fn detach() -> Result<(), HardenError> {
    let own = rustix::process::getpid().as_raw_pid().cast_unsigned();
    if session(own).map_err(step("tell the session"))? != own {
        rustix::process::setsid().map_err(|cause| match cause {
            Errno::PERM => HardenError::LeadsGroup,
            cause => HardenError::Refused { step: "begin a session", cause },
        })?;
    }
    rustix::process::chdir(Path::new("/")).map_err(step("leave the working directory"))
}

/// Closes every descriptor from `first` on: what whoever started the daemon left open. A pipe among them would keep its
/// reader waiting for as long as the daemon runs. Before anything is opened here, while there is one thread.
///
/// # Errors
/// [`HardenError::DescriptorsUnknown`], and [`HardenError::Threads`] once there is a second thread.
pub fn close_inherited(first: i32) -> Result<(), HardenError> {
    require_one_thread()?;
    let open = std::fs::read_dir("/proc/self/fd").map_err(|cause| HardenError::DescriptorsUnknown { cause })?;
    let numbers: Vec<i32> = open.flatten().filter_map(|entry| entry.file_name().to_str()?.parse().ok()).collect();
    for number in numbers.into_iter().filter(|number| *number >= first) {
        // SAFETY: nothing in this process owns a descriptor from `first` on: it has one thread, which has opened none but
        // the listing above, and that is closed (then this is EBADF, which changes nothing).
        unsafe { libc::close(number) };
    }
    Ok(())
}

/// Removes variables from the process environment, so that no library finds what the daemon says it ignores
/// (rustls-native-certs reads `SSL_CERT_FILE` wherever it is used).
///
/// # Errors
/// [`HardenError::Threads`] once there is a second thread, which might be reading the environment.
pub fn forget_variables(names: &[OsString]) -> Result<(), HardenError> {
    require_one_thread()?;
    for name in names {
        // SAFETY: `remove_var` is unsound only if another thread reads or writes the environment meanwhile. The kernel
        // has just counted one thread, which is this one, and it starts no other before the loop ends.
        unsafe { std::env::remove_var(name) }
    }
    Ok(())
}

fn require_one_thread() -> Result<(), HardenError> {
    let threads = std::fs::read_dir("/proc/self/task").map_err(|cause| HardenError::ThreadsUnknown { cause })?.count();
    if threads != 1 {
        return Err(HardenError::Threads { threads });
    }
    Ok(())
}

/// Returns the session a process is in, by the pid of its leader: 0 if the leader is outside this pid namespace, as in a
/// container that a runtime started without a session of its own (getsid(2) gives pids as the asker's namespace has them).
///
/// # Errors
/// `ESRCH` if there is no such process.
pub fn session(pid: u32) -> Result<u32, Errno> {
    let pid = libc::pid_t::try_from(pid).map_err(|_| Errno::SRCH)?;
    // SAFETY: takes and gives numbers alone. (rustix takes the answer for a number that is never 0.)
    let leader = unsafe { libc::getsid(pid) };
    u32::try_from(leader).map_err(|_| Errno::from_io_error(&std::io::Error::last_os_error()).unwrap_or(Errno::IO))
}

/// Returns the login name of a user as the user database has it, wherever that is (getpwuid_r(3)).
#[must_use]
pub fn user_name(uid: u32) -> Option<String> {
    let mut entry = std::mem::MaybeUninit::<libc::passwd>::uninit();
    let mut texts = vec![0_u8; USER_ENTRY];
    let mut found: *mut libc::passwd = std::ptr::null_mut();
    // SAFETY: `entry`, `texts` and `found` are live and writable, and the length is that of `texts`.
    let error =
        unsafe { libc::getpwuid_r(uid, entry.as_mut_ptr(), texts.as_mut_ptr().cast(), texts.len(), &raw mut found) };
    if error != 0 || found.is_null() {
        return None;
    }
    // SAFETY: on success `found` is `entry`, filled in; its name is a C string in `texts`. Both are live.
    let name = unsafe { std::ffi::CStr::from_ptr((*found).pw_name) };
    name.to_str().ok().map(str::to_owned)
}

/// Returns the machine's name (gethostname(2)).
#[must_use]
pub fn host_name() -> Option<String> {
    let mut name = [0_u8; 256];
    // SAFETY: `name` is live and writable, and the length is its own; the last byte stays 0.
    let error = unsafe { libc::gethostname(name.as_mut_ptr().cast(), name.len() - 1) };
    let name = std::ffi::CStr::from_bytes_until_nul(&name).ok()?;
    if error == 0 { name.to_str().ok().map(str::to_owned) } else { None }
}

/// Returns a descriptor of the process that connected the other end of `socket`: of that process for ever, also when its
/// pid has been given to another (Linux 6.5, unix(7), SO_PEERPIDFD).
///
/// # Errors
/// `ENOPROTOOPT` on older kernels; `ESRCH` or `EINVAL` where the process has already ended and been reaped.
pub fn peer_pidfd(socket: impl AsFd) -> Result<OwnedFd, Errno> {
    let mut pidfd: libc::c_int = -1;
    let mut size = libc::socklen_t::try_from(size_of::<libc::c_int>()).map_err(|_| Errno::INVAL)?;
    // SAFETY: the descriptor is open for the length of the call because it is borrowed; `pidfd` and `size` are live,
    // aligned and of the type this option writes, and `size` says how large `pidfd` is.
    let outcome = unsafe {
        libc::getsockopt(
            socket.as_fd().as_raw_fd(),
            libc::SOL_SOCKET,
            libc::SO_PEERPIDFD,
            (&raw mut pidfd).cast(),
            &raw mut size,
        )
    };
    if outcome != 0 {
        return Err(Errno::from_io_error(&std::io::Error::last_os_error()).unwrap_or(Errno::IO));
    }
    if pidfd < 0 {
        return Err(Errno::SRCH);
    }
    // SAFETY: the kernel has just opened this descriptor for this call (with FD_CLOEXEC), so nobody else owns it.
    Ok(unsafe { OwnedFd::from_raw_fd(pidfd) })
}

// What changes the whole process is tested in daemon/tests/process.rs, which has one thread.
#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::net::UnixStream;

    #[test]
    fn f1_twin_a_process_is_dumpable_until_it_is_hardened() {
        assert!(is_dumpable().unwrap());
    }

    #[test]
    fn d13_the_environment_is_not_touched_once_there_are_threads() {
        let waiting = std::sync::Arc::new(std::sync::Barrier::new(2));
        let held = waiting.clone();
        let other = std::thread::spawn(move || held.wait());
        let refused = forget_variables(&[OsString::from("SSL_CERT_FILE")]);
        assert!(matches!(close_inherited(3), Err(HardenError::Threads { .. })));
        waiting.wait();
        other.join().unwrap();
        assert!(matches!(refused, Err(HardenError::Threads { threads }) if threads > 1), "{refused:?}");
    }

    #[test]
    fn a_peer_can_be_held_on_to_by_descriptor() {
        let (ours, _theirs) = UnixStream::pair().unwrap();
        match peer_pidfd(&ours) {
            Ok(pidfd) => assert!(pidfd.as_raw_fd() > 2),
            Err(errno) => assert_eq!(errno, Errno::NOPROTOOPT, "only kernels before 6.5 have no such option"),
        }
    }

    #[test]
    fn what_is_no_socket_has_no_peer() {
        assert_eq!(peer_pidfd(std::io::stdin()).unwrap_err(), Errno::NOTSOCK);
    }
}
