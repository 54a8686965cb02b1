//! Questions to the person at the terminal.

use crate::failure::{Failure, Kind};
use crate::output;
use crate::signals::Signals;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use std::io::{self, IsTerminal};

/// How long a signal may go unnoticed that came just before the wait began.
const NOTICED_WITHIN: Timespec = Timespec { tv_sec: 0, tv_nsec: 250_000_000 };

/// Returns whether there is a person to ask.
pub(crate) fn somebody_is_there() -> bool {
    io::stdin().is_terminal() && io::stderr().is_terminal()
}

/// Asks and returns whether the answer is yes. No answer, or the end of the input, is no.
pub(crate) fn yes(question: &str, signals: &Signals) -> Result<bool, Failure> {
    Ok(is_yes(&line(question, signals)?))
}

/// Asks and returns the answer without the blanks around it. The end of the input is an empty answer.
pub(crate) fn line(question: &str, signals: &Signals) -> Result<String, Failure> {
    output::ask(question);
    wait_for_input(signals)?;
    let mut answer = String::new();
    io::stdin().read_line(&mut answer).map_err(|error| cannot_read(&error))?;
    Ok(answer.trim().to_owned())
}

/// Waits until there is something to read. Reading itself would go on through every signal.
fn wait_for_input(signals: &Signals) -> Result<(), Failure> {
    let stdin = io::stdin();
    loop {
        if let Some(failure) = signals.failure() {
            output::tell("");
            return Err(failure);
        }
        match poll(&mut [PollFd::new(&stdin, PollFlags::IN)], Some(&NOTICED_WITHIN)) {
            Ok(0) | Err(rustix::io::Errno::INTR) => {}
            Ok(_) => return Ok(()),
            Err(errno) => return Err(cannot_read(&errno.into())),
        }
    }
}

fn is_yes(answer: &str) -> bool {
    matches!(answer.trim().to_ascii_lowercase().as_str(), "y" | "yes")
}

fn cannot_read(error: &io::Error) -> Failure {
    Failure::new(Kind::Failed, format!("cannot read the answer: {error}"))
}

#[cfg(test)]
mod tests {
    use super::is_yes;

    #[test]
    fn only_yes_is_yes() {
        assert!(["y\n", "Y\n", "yes\n", " YES \r\n"].into_iter().all(is_yes));
        assert!(!["", "\n", "n\n", "yeah\n", "yy\n", "ABCD-EFGH\n"].into_iter().any(is_yes));
    }
}
