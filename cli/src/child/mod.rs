//! A command run on behalf of the person: the same terminal, the same standard streams, its own end passed on.
//!
//! What its environment says about credentials is in `variables`; nothing here knows AWS.

mod relay;
mod variables;

pub(crate) use variables::{
    Changes, EndpointPlace, IN_THE_WAY, Region, StaticCredentials, static_credentials, through_endpoint,
};

use crate::failure::{Failure, Kind};
use relay::Relay;
use rustix::process::DumpableBehavior;
use std::ffi::OsString;
use std::io::{self, ErrorKind};
use std::os::unix::process::CommandExt;
use std::process::{Command, ExitStatus};

/// A command line and what its environment says.
pub(crate) struct Task<'a> {
    pub(crate) words: &'a [OsString],
    pub(crate) changes: Changes,
}

impl<'a> Task<'a> {
    /// Makes the task of a command that AWS tools in it know the profile of by name.
    pub(crate) fn of_named_profile(words: &'a [OsString], profile: &str) -> Self {
        Self { words, changes: variables::named_profile(profile) }
    }

    /// Runs the command beside this process, and returns when it has ended: well, or as it did.
    pub(crate) fn run(&self) -> Result<(), Failure> {
        let mut command = self.command()?;
        let mut relay = Relay::catch().map_err(|error| cannot("catch signals", &error))?;
        let child = command.spawn().map_err(|error| self.not_run(&error))?;
        ended(relay.wait(&child).map_err(|error| cannot("wait for the command", &error))?)
    }

    /// Puts the command in the place of this process. Returns only what kept it from that.
    pub(crate) fn replace_this_process(&self) -> Failure {
        match self.command() {
            Ok(mut command) => self.not_run(&command.exec()),
            Err(failure) => failure,
        }
    }

    fn command(&self) -> Result<Command, Failure> {
        let (program, arguments) = self
            .words
            .split_first()
            .filter(|(program, _)| !program.is_empty())
            .ok_or_else(|| Failure::new(Kind::Usage, "no command is named behind --"))?;
        let mut command = Command::new(program);
        command.args(arguments);
        self.changes.apply(&mut command);
        Ok(command)
    }

    /// The exit codes are those of env(1) and of every shell.
    fn not_run(&self, error: &io::Error) -> Failure {
        let program = self.words.first().map(|word| word.to_string_lossy()).unwrap_or_default();
        let code = if error.kind() == ErrorKind::NotFound { 127 } else { 126 };
        Failure::new(Kind::CommandNotRun(code), format!("cannot run {program}: {error}"))
    }
}

fn ended(status: ExitStatus) -> Result<(), Failure> {
    use std::os::unix::process::ExitStatusExt;
    match (status.code(), status.signal()) {
        (Some(0), _) => Ok(()),
        (Some(code), _) => Err(Failure::new(Kind::CommandEnded(u8::try_from(code).unwrap_or(u8::MAX)), "")),
        (None, signal) => Err(Failure::new(Kind::CommandKilled(signal.unwrap_or_default()), "")),
    }
}

/// Ends this process by the signal that ended the command, so that whoever waits sees the same end: a shell that runs a loop stops
/// at Ctrl-C only if its command was ended by it. Returns where the signal ends nobody.
pub(crate) fn die_by(signal: i32) {
    // The core of the command is the one that matters, and this process has held credentials.
    let _ = rustix::process::set_dumpable_behavior(DumpableBehavior::NotDumpable);
    let _ = signal_hook::low_level::emulate_default_handler(signal);
}

fn cannot(act: &str, error: &io::Error) -> Failure {
    Failure::new(Kind::Failed, format!("cannot {act}: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::process::ExitStatusExt;

    #[test]
    fn the_end_of_a_command_is_reported_as_it_was() {
        let kinds = [1 << 8, 255 << 8, 9, 15].map(|raw| ended(ExitStatus::from_raw(raw)).unwrap_err().kind);
        let expected =
            [Kind::CommandEnded(1), Kind::CommandEnded(255), Kind::CommandKilled(9), Kind::CommandKilled(15)];
        assert_eq!(kinds, expected);
        assert!(ended(ExitStatus::from_raw(0)).is_ok());
    }

    #[test]
    fn a_command_that_cannot_be_run_is_named() {
        let words = |word: &str| vec![OsString::from(word)];
        for (words, code) in [(words("/nowhere/x"), 127), (words("/"), 126), (words(""), 2), (vec![], 2)] {
            let failure = Task::of_named_profile(&words, "dev").run().unwrap_err();
            assert_eq!(failure.exit_code(), code, "{words:?}: {:?}", failure.line());
        }
    }
}
