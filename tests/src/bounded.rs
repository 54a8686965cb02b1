//! Programs that end: whoever goes on for too long is killed, so that a story fails and does not hang.

use crate::product::{Ended, code_of};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{Pid, PidfdFlags, Signal, pidfd_open, pidfd_send_signal};
use std::fs::File;
use std::io::{PipeWriter, Read, Write};
use std::os::fd::OwnedFd;
use std::process::{Child, Command, Stdio};
use std::thread::JoinHandle;
use std::time::Duration;

/// How long one program of a story may run. Nothing that works takes half of it, also on a busy machine.
pub const LONGEST: Duration = Duration::from_secs(120);

/// A program that is killed when it goes on for too long.
#[derive(Debug)]
pub struct Bounded {
    /// The program.
    pub process: Child,
    watch: Option<Watch>,
}

/// Waits beside a program for its end.
#[derive(Debug)]
struct Watch {
    /// Its end tells the thread that there is nothing left to watch.
    done: PipeWriter,
    thread: JoinHandle<()>,
}

impl Bounded {
    /// Starts a program whose output is read by the test.
    ///
    /// # Panics
    /// When it cannot be started.
    #[must_use]
    pub fn start(command: &mut Command) -> Self {
        Self::start_for(command, LONGEST)
    }

    /// Starts one that may run for so long.
    ///
    /// # Panics
    /// As [`Bounded::start`].
    #[must_use]
    pub fn start_for(command: &mut Command, longest: Duration) -> Self {
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        let process = command.spawn().unwrap_or_else(|error| panic!("{command:?}: {error}"));
        let watch = Some(Watch::over(&process, longest));
        Self { process, watch }
    }

    /// Writes a line to its standard input, which has to be a pipe. Whoever has ended does not read it.
    ///
    /// # Panics
    /// When it is no pipe.
    pub fn reads(&mut self, line: &str) {
        let _ = writeln!(self.process.stdin.as_mut().expect("a pipe"), "{line}");
    }

    /// Waits for its end. Standard input ends with that.
    ///
    /// # Panics
    /// When the system does not let it.
    pub fn ends(mut self) -> Ended {
        drop(self.process.stdin.take());
        let stderr = self.process.stderr.take().map(|mut stderr| {
            std::thread::spawn(move || {
                let mut text = Vec::new();
                let _ = stderr.read_to_end(&mut text);
                text
            })
        });
        let mut stdout = Vec::new();
        let _ = self.process.stdout.take().map(|mut out| out.read_to_end(&mut stdout));
        let stderr = stderr.map(|thread| thread.join().expect("it only reads")).unwrap_or_default();
        let status = self.process.wait().expect("it is our child");
        let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
        Ended { code: code_of(status), stdout: text(stdout), stderr: text(stderr) }
    }
}

impl Drop for Bounded {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
        if let Some(Watch { done, thread }) = self.watch.take() {
            drop(done);
            let _ = thread.join();
        }
    }
}

impl Watch {
    fn over(process: &Child, longest: Duration) -> Self {
        let process = pidfd_open(Pid::from_child(process), PidfdFlags::empty()).expect("it is our child");
        let (over, done) = std::io::pipe().expect("a pipe");
        let thread = std::thread::spawn(move || kill_after(longest, &process, &File::from(OwnedFd::from(over))));
        Self { done, thread }
    }
}

/// The descriptor is the process: another one that has its number by then is not meant (pidfd_open(2)).
fn kill_after(longest: Duration, process: &OwnedFd, over: &File) {
    let longest = Timespec {
        tv_sec: i64::try_from(longest.as_secs()).unwrap_or(i64::MAX),
        tv_nsec: longest.subsec_nanos().into(),
    };
    let ended = poll(&mut [PollFd::new(process, PollFlags::IN), PollFd::new(over, PollFlags::IN)], Some(&longest));
    if ended == Ok(0) {
        let _ = pidfd_send_signal(process, Signal::KILL);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_goes_on_is_killed_and_what_it_said_is_kept() {
        let mut command = Command::new("sh");
        command.args(["-c", "echo begun; exec sleep 600"]);
        let ended = Bounded::start_for(&mut command, Duration::from_millis(200)).ends();
        assert_eq!((ended.code, ended.stdout.as_str()), (137, "begun\n"));
    }

    #[test]
    fn what_ends_by_itself_is_told_by_its_own_code() {
        let mut command = Command::new("sh");
        command.args(["-c", "read -r line; echo \"$line\" >&2; exit 7"]).stdin(Stdio::piped());
        let mut running = Bounded::start(&mut command);
        running.reads("a line");
        let ended = running.ends();
        assert_eq!((ended.code, ended.stderr.as_str()), (7, "a line\n"));
    }
}
