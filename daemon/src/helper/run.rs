//! Runs one program to its end, in the helper: bounded in time and in what it writes, and never alone at the end.
//!
//! A program is one process group. When it has ended, or had to be ended, whatever is left of the group is killed; what began
//! a group of its own on purpose (an agent that stays) is not.

mod output;

use super::trusted::{self, Distrust};
use super::{CommandLine, Fault};
use crate::clock::{Clock, SystemClock};
use output::{Ended, Output};
use rustix::event::{PollFd, PollFlags, Timespec};
use rustix::io::Errno;
use rustix::process::{Pid, PidfdFlags, Signal};
use std::collections::HashSet;
use std::io;
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tegata_protocol::text::one_line;
use zeroize::Zeroizing;

/// The most bytes of stdout.
pub(super) const MAX_OUTPUT: usize = 64 * 1024;
/// The most bytes of stderr, of which the last line is kept.
pub(super) const MAX_STDERR: usize = 1024 * 1024;

/// Runs programs, and knows those under way.
#[derive(Debug, Default)]
pub(super) struct Runner {
    under_way: Mutex<UnderWay>,
}

#[derive(Debug, Default)]
struct UnderWay {
    ending: bool,
    groups: HashSet<Pid>,
}

impl Runner {
    /// Runs a program and returns what it printed, without the end of its last line.
    ///
    /// It gets this process's environment, which holds nothing but what the daemon chose for it, `/dev/null` to read, and no
    /// other descriptor.
    pub(super) fn run(&self, command: &CommandLine, limit: Duration) -> Result<Zeroizing<Vec<u8>>, Fault> {
        let program = command.shown();
        trusted::check(command.program()).map_err(|Distrust { why, mend }| Fault::NotTrusted {
            program: program.clone(),
            why,
            mend,
        })?;
        let not_started =
            |error: &dyn ToString| Fault::NotStarted { program: program.clone(), why: one_line(&error.to_string()) };
        let mut child = self.spawn(command).map_err(|error| not_started(&error))?.ok_or(Fault::Ending)?;
        let mut output = Output::of(&mut child);
        let ended = attend(&child, &mut output, SystemClock.awake_since_boot() + limit);
        let status = self.finish(&mut child, &mut output).map_err(|error| not_started(&error))?;
        let said = output.last_line();
        match ended.map_err(|error| not_started(&error))? {
            Ended::Overtime => Err(Fault::Overtime { program, seconds: limit.as_secs(), said }),
            Ended::TooMuch => Err(Fault::TooMuch { program }),
            Ended::Itself if output.is_too_much() => Err(Fault::TooMuch { program }),
            Ended::Itself if status.success() => Ok(output.into_text()),
            Ended::Itself => Err(Fault::Failed { program, status: shown(status), said }),
        }
    }

    /// Kills everything under way, and starts nothing any more.
    pub(super) fn end(&self) {
        let mut under_way = self.lock();
        under_way.ending = true;
        under_way.groups.drain().for_each(kill);
    }

    /// Starts a program; none where everything is ending.
    fn spawn(&self, command: &CommandLine) -> io::Result<Option<Child>> {
        // Held until the program is on the list: nothing is started that `end` would not know.
        let mut under_way = self.lock();
        if under_way.ending {
            return Ok(None);
        }
        let child = Command::new(command.program())
            .args(command.arguments())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .process_group(0)
            .spawn()?;
        under_way.groups.insert(Pid::from_child(&child));
        Ok(Some(child))
    }

    /// Kills what is left of the group, takes what is left in the pipes, and learns how the program ended.
    fn finish(&self, child: &mut Child, output: &mut Output) -> io::Result<ExitStatus> {
        let group = Pid::from_child(child);
        // The program may have ended, but nobody has waited for it: its number is still its own.
        kill(group);
        output.take_what_is_there();
        // Off the list before the number can become somebody else's.
        self.lock().groups.remove(&group);
        child.wait()
    }

    fn lock(&self) -> MutexGuard<'_, UnderWay> {
        self.under_way.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn kill(group: Pid) {
    // It may have no member any more.
    let _ = rustix::process::kill_process_group(group, Signal::KILL);
}

/// Reads what the program writes until it ends, writes too much, or its time (`until`, on the clock that stops in suspend) is over.
fn attend(child: &Child, output: &mut Output, until: Duration) -> io::Result<Ended> {
    let end = rustix::process::pidfd_open(Pid::from_child(child), PidfdFlags::empty())?;
    loop {
        let Some(left) = until.checked_sub(SystemClock.awake_since_boot()) else { return Ok(Ended::Overtime) };
        let ended = wait(end.as_fd(), output, left)?;
        output.take_what_is_there();
        if output.is_too_much() {
            return Ok(Ended::TooMuch);
        }
        if ended {
            return Ok(Ended::Itself);
        }
    }
}

/// Waits until there is something to read or the program has ended; returns whether it has.
fn wait(end: BorrowedFd<'_>, output: &Output, at_most: Duration) -> io::Result<bool> {
    let mut watched = vec![PollFd::from_borrowed_fd(end, PollFlags::IN)];
    watched.extend(output.open().map(|pipe| PollFd::from_borrowed_fd(pipe, PollFlags::IN)));
    let at_most = Timespec::try_from(at_most).map_err(|_| Errno::INVAL)?;
    match rustix::event::poll(&mut watched, Some(&at_most)) {
        Ok(_) | Err(Errno::INTR) => Ok(watched.first().is_some_and(|end| !end.revents().is_empty())),
        Err(error) => Err(error.into()),
    }
}

fn shown(status: ExitStatus) -> String {
    match (status.code(), status.signal()) {
        (Some(code), _) => format!("exit status {code}"),
        (None, Some(signal)) => format!("signal {signal}"),
        (None, None) => status.to_string(),
    }
}

#[cfg(test)]
mod tests;
