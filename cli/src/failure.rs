//! What ends a command early: a kind, one line of text, the command that mends it.
//!
//! The kind alone decides the exit code. Texts may come from the daemon, from AWS or from a file, so they are made one
//! printable line here, whoever made them.

use serde::Deserialize;
use tegata_protocol::{ErrorBody, ErrorCode, Exit, text::one_line};

/// What kind of failure it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// The command line is wrong.
    Usage,
    /// Something on this side failed that no other kind names.
    Failed,
    /// The daemon cannot be reached, started or understood.
    Unreachable,
    /// The person said no.
    RefusedByPerson,
    /// The daemon answered with this error.
    Reported(ErrorCode),
    /// The daemon answered with an error this build does not know.
    ReportedUnknown,
    /// This signal ended the command.
    Signalled(u8),
    /// The command that was run ended like this, and has said itself what there was to say.
    CommandEnded(u8),
    /// The command that was run was ended by this signal.
    CommandKilled(i32),
    /// The command could not be run; with the exit code a shell has for that.
    CommandNotRun(u8),
    /// The person left without choosing, and knows it.
    Left,
    /// Nobody reads standard output any more: not worth a word (`tegata list | head -1`).
    OutputClosed,
}

/// What ends a command early.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Failure {
    pub(crate) kind: Kind,
    message: String,
    mend: Option<String>,
}

impl Failure {
    /// Makes a failure without a mending command.
    pub(crate) fn new(kind: Kind, message: impl AsRef<str>) -> Self {
        Self { kind, message: one_line(message.as_ref()), mend: None }
    }

    /// Adds the command that mends it.
    pub(crate) fn mend(mut self, command: impl AsRef<str>) -> Self {
        self.mend = Some(one_line(command.as_ref()));
        self
    }

    /// Makes the failure of an error the daemon reported.
    pub(crate) fn reported(error: &ErrorBody) -> Self {
        let failure = Self::new(Kind::Reported(error.code), &error.message);
        match &error.mend {
            Some(mend) => failure.mend(mend),
            None => failure,
        }
    }

    /// Makes the failure of an answer that is not a success. A newer daemon may send codes this build does not know:
    /// their text is shown all the same.
    pub(crate) fn from_answer(status: u16, body: &[u8]) -> Self {
        if let Ok(error) = serde_json::from_slice::<ErrorBody>(body) {
            return Self::reported(&error);
        }
        match serde_json::from_slice::<UnknownError>(body) {
            Ok(UnknownError { message, mend }) => {
                Self { mend: mend.map(|mend| one_line(&mend)), ..Self::new(Kind::ReportedUnknown, message) }
            }
            Err(_) => Self::new(Kind::Unreachable, format!("tegatad answered with status {status} and no reason"))
                .mend("tegata daemon stop"),
        }
    }

    /// Returns what happened, without the command.
    pub(crate) fn message(&self) -> &str {
        &self.message
    }

    /// Returns the command that mends it, where there is one.
    pub(crate) fn mending(&self) -> Option<&str> {
        self.mend.as_deref()
    }

    /// Returns the line for standard error, without a line end, or nothing where nothing is worth saying.
    pub(crate) fn line(&self) -> Option<String> {
        match (self.kind, &self.mend) {
            (Kind::OutputClosed | Kind::CommandEnded(_) | Kind::CommandKilled(_) | Kind::Left, _) => None,
            (_, None) => Some(format!("tegata: {}", self.message)),
            (_, Some(mend)) => Some(format!("tegata: {}; run: {mend}", self.message)),
        }
    }

    /// Returns the exit code.
    pub(crate) fn exit_code(&self) -> u8 {
        match self.kind {
            Kind::OutputClosed => Exit::Done as u8,
            Kind::Failed | Kind::ReportedUnknown => Exit::Failed as u8,
            Kind::Usage => Exit::Usage as u8,
            Kind::Unreachable => Exit::DaemonUnreachable as u8,
            Kind::RefusedByPerson => Exit::Denied as u8,
            Kind::Reported(code) => code.exit() as u8,
            Kind::CommandEnded(code) | Kind::CommandNotRun(code) => code,
            Kind::CommandKilled(signal) => u8::try_from(signal).map_or(u8::MAX, |signal| 128_u8.saturating_add(signal)),
            // What a shell reports for a program that a signal ended.
            Kind::Left => 130,
            Kind::Signalled(signal) => 128_u8.saturating_add(signal),
        }
    }
}

/// An error whose code this build does not know.
#[derive(Deserialize)]
struct UnknownError {
    message: String,
    mend: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line_names_what_happened_and_what_mends_it() {
        let failure = Failure::new(Kind::Unreachable, "it is gone").mend("tegata daemon start");
        assert_eq!(failure.line().unwrap(), "tegata: it is gone; run: tegata daemon start");
    }

    #[test]
    fn hostile_text_stays_one_printable_line() {
        let body = br#"{"code":"upstream_refused","message":"a\u001b[2J\nb","mend":"x\u202ey\rz"}"#;
        let line = Failure::from_answer(502, body).line().unwrap();
        assert!(!line.chars().any(tegata_protocol::text::is_hostile), "{line:?}");
    }

    #[test]
    fn an_error_code_of_a_newer_daemon_still_shows_its_text() {
        let failure =
            Failure::from_answer(403, br#"{"code":"moon_phase","message":"not tonight","mend":"tegata wait"}"#);
        assert_eq!(
            (failure.exit_code(), failure.line().unwrap().as_str()),
            (1, "tegata: not tonight; run: tegata wait")
        );
    }

    #[test]
    fn an_answer_without_a_reason_is_the_daemon_s_fault() {
        for body in [&b""[..], b"<html>", b"[]", b"{}"] {
            assert_eq!(Failure::from_answer(500, body).exit_code(), 16);
        }
    }

    #[test]
    fn a_command_that_ended_badly_has_spoken_for_itself() {
        let failure = Failure::new(Kind::CommandEnded(137), "");
        assert_eq!((failure.exit_code(), failure.line()), (137, None));
    }

    #[test]
    fn a_closed_output_is_success_and_silent() {
        let failure = Failure::new(Kind::OutputClosed, "");
        assert_eq!((failure.exit_code(), failure.line()), (0, None));
    }
}
