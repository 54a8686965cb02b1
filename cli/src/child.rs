//! A command run on behalf of the person: the same terminal, the same standard streams, its own end passed on.

use crate::failure::{Failure, Kind};
use rustix::process::{Pid, Signal, kill_process};
use signal_hook::consts::{SIGCHLD, SIGHUP, SIGINT, SIGQUIT, SIGTERM};
use signal_hook::{flag, low_level::pipe};
use std::ffi::OsString;
use std::io::{self, ErrorKind, Read};
use std::os::unix::net::UnixStream;
use std::os::unix::process::ExitStatusExt;
use std::process::{Child, Command, ExitStatus};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// Variables that an SDK or a tool prefers to a named profile (AWS SDKs and Tools Reference Guide, "Standardized credential
/// providers"; `AWS_SECURITY_TOKEN` is boto 2's word): with one of them the command would run as somebody else.
pub(crate) const IN_THE_WAY: [&str; 13] = [
    "AWS_ACCESS_KEY_ID",
    "AWS_SECRET_ACCESS_KEY",
    "AWS_SESSION_TOKEN",
    "AWS_SECURITY_TOKEN",
    "AWS_CREDENTIAL_EXPIRATION",
    "AWS_DEFAULT_PROFILE",
    "AWS_ROLE_ARN",
    "AWS_ROLE_SESSION_NAME",
    "AWS_WEB_IDENTITY_TOKEN_FILE",
    "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
    "AWS_CONTAINER_CREDENTIALS_FULL_URI",
    "AWS_CONTAINER_AUTHORIZATION_TOKEN",
    "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE",
];

/// Runs a command with `AWS_PROFILE` set, and returns when it has ended: well, or as [`Kind::CommandEnded`].
pub(crate) fn run(words: &[OsString], profile: &str) -> Result<(), Failure> {
    let Some((program, arguments)) = words.split_first() else {
        return Err(Failure::new(Kind::Usage, "no command is named behind --"));
    };
    let mut relay = Relay::catch().map_err(|error| cannot("catch signals", &error))?;
    let mut command = Command::new(program);
    command.args(arguments).env("AWS_PROFILE", profile);
    for name in IN_THE_WAY {
        command.env_remove(name);
    }
    let child = command
        .spawn()
        .map_err(|error| Failure::new(Kind::Usage, format!("cannot run {}: {error}", program.to_string_lossy())))?;
    let status = relay.wait(child).map_err(|error| cannot("wait for the command", &error))?;
    match exit_code(status) {
        0 => Ok(()),
        code => Err(Failure::new(Kind::CommandEnded(code), "")),
    }
}

/// What a shell reports: the command's own code, or 128 and the signal that ended it.
fn exit_code(status: ExitStatus) -> u8 {
    let code = status.code().or_else(|| status.signal().map(|signal| 128 + signal));
    code.and_then(|code| u8::try_from(code).ok()).unwrap_or(u8::MAX)
}

fn cannot(act: &str, error: &io::Error) -> Failure {
    Failure::new(Kind::Failed, format!("cannot {act}: {error}"))
}

/// Keeps this process alive while the command runs, and passes on what it alone was told.
///
/// Ctrl-C and Ctrl-\ reach the command by themselves, since it is in the same process group; it decides what they mean.
struct Relay {
    woken: UnixStream,
    passed_on: [(Arc<AtomicBool>, Signal); 2],
}

impl Relay {
    fn catch() -> io::Result<Self> {
        let (woken, waker) = UnixStream::pair()?;
        let passed_on = [(Arc::default(), Signal::TERM), (Arc::default(), Signal::HUP)];
        for (asked, signal) in &passed_on {
            flag::register(signal.as_raw(), Arc::clone(asked))?;
        }
        // Behind the flags: whoever is woken finds them set.
        for signal in [SIGCHLD, SIGINT, SIGQUIT, SIGTERM, SIGHUP] {
            pipe::register(signal, waker.try_clone()?)?;
        }
        Ok(Self { woken, passed_on })
    }

    fn wait(&mut self, mut child: Child) -> io::Result<ExitStatus> {
        loop {
            if let Some(status) = child.try_wait()? {
                return Ok(status);
            }
            for (asked, signal) in &self.passed_on {
                if asked.swap(false, Ordering::Relaxed) {
                    // It may have ended meanwhile, which the next look finds.
                    let _ = kill_process(Pid::from_child(&child), *signal);
                }
            }
            match self.woken.read(&mut [0; 64]) {
                Err(error) if error.kind() != ErrorKind::Interrupted => return Err(error),
                _ => {}
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_of_a_command_is_reported_as_a_shell_does() {
        let codes = [0, 1 << 8, 255 << 8, 9, 15].map(|raw| exit_code(ExitStatus::from_raw(raw)));
        assert_eq!(codes, [0, 1, 255, 137, 143]);
    }
}
