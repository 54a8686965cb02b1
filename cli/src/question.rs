//! Questions to the person at the terminal.

use crate::failure::{Failure, Kind};
use crate::output;
use crate::signals::Signals;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::termios::{LocalModes, OptionalActions, Termios, tcgetattr, tcsetattr};
use std::io::{self, IsTerminal};
use tegata_protocol::Secret;
use zeroize::Zeroizing;

/// How long a signal may go unnoticed that came just before the wait began.
const NOTICED_WITHIN: Timespec = Timespec { tv_sec: 0, tv_nsec: 250_000_000 };

/// The longest line of a terminal in its usual mode (termios(3), N_TTY).
const LONGEST_LINE: usize = 4096;

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

/// Asks for what must not be seen: nothing of the answer appears on the terminal. The end of the input is an empty answer.
pub(crate) fn hidden(question: &str, signals: &Signals) -> Result<Secret, Failure> {
    let silence = Silence::begin()?;
    output::ask(question);
    wait_for_input(signals)?;
    // Not by way of the standard library, whose buffer is not wiped. A terminal hands over one line at a time.
    let mut line = Zeroizing::new(vec![0; LONGEST_LINE]);
    let length = rustix::io::read(io::stdin(), &mut line[..]).map_err(|errno| cannot_read(&errno.into()))?;
    drop(silence);
    output::tell("");
    secret(line.get(..length).unwrap_or_default())
}

/// Reads the first line of what is piped in, where there is nobody to ask.
pub(crate) fn piped() -> Result<Secret, Failure> {
    let (mut line, mut length) = (Zeroizing::new(vec![0; LONGEST_LINE]), 0);
    while let Some(room) = line.get_mut(length..).filter(|room| !room.is_empty()) {
        let read = rustix::io::read(io::stdin(), room).map_err(|errno| cannot_read(&errno.into()))?;
        length += read;
        if read == 0 || line.get(..length).is_some_and(|so_far| so_far.contains(&b'\n')) {
            break;
        }
    }
    secret(line.get(..length).unwrap_or_default())
}

/// The first line of these bytes.
fn secret(bytes: &[u8]) -> Result<Secret, Failure> {
    let line = bytes.split(|byte| *byte == b'\n').next().unwrap_or_default();
    let line = std::str::from_utf8(line).map_err(|_| Failure::new(Kind::Usage, "the answer is no text in UTF-8"))?;
    Ok(Secret::new(line.trim_end_matches('\r').to_owned()))
}

/// The terminal without echo, until it is dropped.
struct Silence(Termios);

impl Silence {
    fn begin() -> Result<Self, Failure> {
        let stdin = io::stdin();
        let before = tcgetattr(&stdin).map_err(|errno| cannot_read(&errno.into()))?;
        let mut silent = before.clone();
        silent.local_modes.remove(LocalModes::ECHO);
        tcsetattr(&stdin, OptionalActions::Flush, &silent).map_err(|errno| cannot_read(&errno.into()))?;
        Ok(Self(before))
    }
}

impl Drop for Silence {
    fn drop(&mut self) {
        let _ = tcsetattr(io::stdin(), OptionalActions::Drain, &self.0);
    }
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
    use super::{is_yes, secret};

    #[test]
    fn a_secret_is_the_first_line() {
        for (bytes, expected) in [("1234\n", "1234"), ("1234\r\n5", "1234"), (" 12 ", " 12 "), ("", ""), ("\n", "")] {
            assert_eq!(secret(bytes.as_bytes()).unwrap().expose_secret(), expected);
        }
        assert!(secret(b"\xff\n").is_err());
    }

    #[test]
    fn only_yes_is_yes() {
        assert!(["y\n", "Y\n", "yes\n", " YES \r\n"].into_iter().all(is_yes));
        assert!(!["", "\n", "n\n", "yeah\n", "yy\n", "ABCD-EFGH\n"].into_iter().any(is_yes));
    }
}
