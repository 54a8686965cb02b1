//! Signals and stops, passed on between whoever started `tegata` and the command it runs.

use rustix::process::{Pid, Signal, WaitOptions, getpgid, getpgrp, kill_process, waitpid};
use rustix::termios::tcgetpgrp;
use signal_hook::consts::{SIGCHLD, SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGTSTP, SIGUSR1, SIGUSR2};
use signal_hook::{flag, low_level::pipe};
use std::fs::File;
use std::io::{self, ErrorKind, Read};
use std::os::unix::net::UnixStream;
use std::os::unix::process::ExitStatusExt;
use std::process::{Child, ExitStatus};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// What may come to this process alone, and is for the command.
const PASSED_ON: [(i32, Signal); 7] = [
    (SIGTERM, Signal::TERM),
    (SIGHUP, Signal::HUP),
    (SIGUSR1, Signal::USR1),
    (SIGUSR2, Signal::USR2),
    (SIGINT, Signal::INT),
    (SIGQUIT, Signal::QUIT),
    (SIGTSTP, Signal::TSTP),
];

/// Keeps this process alive while the command runs, and passes on what it alone was told.
///
/// A stop is caught as well: this process stops after the command has, and not before. Else the shell takes the terminal back while the
/// command still reads from it, and the kernel gives the command the next key.
pub(super) struct Relay {
    woken: UnixStream,
    passed_on: Vec<(Arc<AtomicBool>, Signal)>,
    /// Whether this process is to stop as soon as the command has.
    told_to_stop: bool,
    command_stopped: bool,
}

impl Relay {
    /// Catches what is to be passed on. A signal that is ignored stays so, here and in the command: that is how nohup(1) and
    /// shells without job control keep it from their commands.
    pub(super) fn catch() -> io::Result<Self> {
        let (woken, waker) = UnixStream::pair()?;
        let ignored = ignored_signals();
        let mut passed_on = Vec::new();
        for (number, signal) in PASSED_ON.into_iter().filter(|(number, _)| ignored & bit(*number) == 0) {
            let asked = Arc::default();
            flag::register(number, Arc::clone(&asked))?;
            // Behind the flag: whoever is woken finds it set.
            pipe::register(number, waker.try_clone()?)?;
            passed_on.push((asked, signal));
        }
        pipe::register(SIGCHLD, waker)?;
        Ok(Self { woken, passed_on, told_to_stop: false, command_stopped: false })
    }

    /// Returns how the command ended.
    pub(super) fn wait(&mut self, child: &Child) -> io::Result<ExitStatus> {
        let child = Pid::from_child(child);
        loop {
            if let Some(status) = self.look_after(child)? {
                return Ok(status);
            }
            self.pass_on(child);
            if self.told_to_stop && self.command_stopped {
                self.stop(child)?;
            }
            match self.woken.read(&mut [0; 64]) {
                Err(error) if error.kind() != ErrorKind::Interrupted => return Err(error),
                _ => {}
            }
        }
    }

    /// Returns how the command ended, if it has, and notes whether it stands still. One that stopped with a process group of its own, as a
    /// shell does at `suspend`, has this process stop as well, so that the shell before gets the terminal.
    fn look_after(&mut self, child: Pid) -> io::Result<Option<ExitStatus>> {
        let options = WaitOptions::NOHANG | WaitOptions::UNTRACED | WaitOptions::CONTINUED;
        while let Some((_, status)) = waitpid(Some(child), options)? {
            if status.continued() {
                (self.command_stopped, self.told_to_stop) = (false, false);
            } else if status.stopped() {
                self.command_stopped = true;
                self.told_to_stop |= getpgid(Some(child)).is_ok_and(|group| group != getpgrp());
            } else {
                return Ok(Some(ExitStatus::from_raw(status.as_raw())));
            }
        }
        Ok(None)
    }

    fn pass_on(&mut self, child: Pid) {
        for (asked, signal) in &self.passed_on {
            if asked.swap(false, Ordering::Relaxed) {
                self.told_to_stop |= *signal == Signal::TSTP;
                if !is_from_terminal(*signal) {
                    // It may have ended meanwhile, which the next look finds.
                    let _ = kill_process(child, *signal);
                }
            }
        }
    }

    /// Stops this process, and lets the command go on with it.
    fn stop(&mut self, child: Pid) -> io::Result<()> {
        (self.told_to_stop, self.command_stopped) = (false, false);
        kill_process(rustix::process::getpid(), Signal::STOP)?;
        let _ = kill_process(child, Signal::CONT);
        Ok(())
    }
}

/// Whether the terminal has told the command itself: Ctrl-C, Ctrl-\ and Ctrl-Z reach every process of the group in the foreground.
fn is_from_terminal(signal: Signal) -> bool {
    let by_key = [Signal::INT, Signal::QUIT, Signal::TSTP].contains(&signal);
    by_key && File::open("/dev/tty").is_ok_and(|terminal| tcgetpgrp(terminal).is_ok_and(|group| group == getpgrp()))
}

fn bit(signal: i32) -> u64 {
    u32::try_from(signal - 1).ok().and_then(|shift| 1_u64.checked_shl(shift)).unwrap_or_default()
}

/// Returns the signals this process was started with as ignored; none where the kernel does not tell (proc_pid_status(5), SigIgn).
fn ignored_signals() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signal_has_its_bit_in_the_mask_of_the_kernel() {
        assert_eq!((bit(1), bit(15), bit(64)), (1, 1 << 14, 1 << 63));
        // Rust programs ignore SIGPIPE from their start on.
        assert_ne!(ignored_signals() & bit(13), 0);
    }

    #[test]
    fn only_what_a_key_sends_can_be_from_the_terminal() {
        assert!(!is_from_terminal(Signal::TERM) && !is_from_terminal(Signal::HUP));
    }
}
