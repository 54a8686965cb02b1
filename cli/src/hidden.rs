//! A line that a person types or pastes without it being shown, at a terminal or through a pipe.
//!
//! The terminal gives its keys one by one meanwhile: as whole lines it would cut a long one off, at 4,095 characters (termios(3),
//! "Canonical and noncanonical mode").

use crate::failure::{Failure, Kind};
use crate::output;
use crate::signals::Signals;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use rustix::termios::{LocalModes, OptionalActions, QueueSelector, Termios, tcflush, tcgetattr, tcsetattr};
use std::io::{self, IsTerminal, Stdin};
use tegata_protocol::Secret;
use zeroize::Zeroizing;

/// How long a signal may go unnoticed.
const NOTICED_WITHIN: Timespec = Timespec { tv_sec: 0, tv_nsec: 250_000_000 };

/// Asks, and returns what was typed, without the blanks around it: at most so many bytes.
///
/// # Errors
/// The end of the input before a line, one that is longer, a signal, or a terminal that does not work.
pub(crate) fn line(question: &str, most: usize, signals: &Signals) -> Result<Secret, Failure> {
    let stdin = io::stdin();
    // Before the question: what is typed from then on is the answer, all of it.
    let quiet = if stdin.is_terminal() { Some(Quiet::begin(&stdin)?) } else { None };
    output::ask(question);
    let line = read(&stdin, most, signals);
    if quiet.is_some() {
        output::tell("");
    }
    line
}

/// A terminal that shows nothing and waits for no line end, until it is dropped.
struct Quiet<'a> {
    stdin: &'a Stdin,
    before: Termios,
}

impl<'a> Quiet<'a> {
    fn begin(stdin: &'a Stdin) -> Result<Self, Failure> {
        let before = tcgetattr(stdin).map_err(|errno| broken(errno.into()))?;
        let mut quiet = before.clone();
        quiet.local_modes.remove(LocalModes::ECHO | LocalModes::ICANON);
        tcsetattr(stdin, OptionalActions::Drain, &quiet).map_err(|errno| broken(errno.into()))?;
        // What is left of an earlier line is no answer to this question.
        let _ = tcflush(stdin, QueueSelector::IFlush);
        Ok(Self { stdin, before })
    }
}

impl Drop for Quiet<'_> {
    fn drop(&mut self) {
        let _ = tcsetattr(self.stdin, OptionalActions::Drain, &self.before);
    }
}

fn read(stdin: &Stdin, most: usize, signals: &Signals) -> Result<Secret, Failure> {
    let mut line = Line::new(most);
    loop {
        if let Some(failure) = signals.failure() {
            return Err(failure);
        }
        match poll(&mut [PollFd::new(stdin, PollFlags::IN)], Some(&NOTICED_WITHIN)) {
            Ok(0) | Err(Errno::INTR) => continue,
            Ok(_) => {}
            Err(errno) => return Err(broken(errno.into())),
        }
        // One byte at a time: what follows the line is for whoever reads next.
        let mut byte = Zeroizing::new([0_u8; 1]);
        match rustix::io::read(stdin, byte.as_mut_slice()) {
            Ok(0) => return line.end(),
            Ok(_) if line.take(byte[0]) => return line.end(),
            Ok(_) => {}
            Err(Errno::INTR | Errno::AGAIN) => {}
            Err(errno) => return Err(broken(errno.into())),
        }
    }
}

/// A line as it is typed.
struct Line {
    /// Room for all of it from the start, so that it never moves and leaves a copy behind.
    bytes: Zeroizing<Vec<u8>>,
    most: usize,
    too_long: bool,
}

impl Line {
    fn new(most: usize) -> Self {
        Self { bytes: Zeroizing::new(Vec::with_capacity(most)), most, too_long: false }
    }

    /// Takes a byte and returns whether the line has ended.
    fn take(&mut self, byte: u8) -> bool {
        match byte {
            b'\n' | b'\r' => return true,
            // End of transmission: the end of the input where nothing was typed.
            0x04 => return true,
            0x08 | 0x7f => drop(self.bytes.pop()),
            // Erase the line.
            0x15 => self.bytes.clear(),
            _ if self.bytes.len() == self.most => self.too_long = true,
            byte => self.bytes.push(byte),
        }
        false
    }

    fn end(self) -> Result<Secret, Failure> {
        if self.too_long {
            return Err(Failure::new(Kind::Usage, format!("the line is longer than {} bytes", self.most)));
        }
        let text = std::str::from_utf8(&self.bytes).map_err(|_| Failure::new(Kind::Usage, "the line is no text"))?;
        match text.trim() {
            "" => Err(Failure::new(Kind::RefusedByPerson, "cancelled: nothing was entered")),
            text => Ok(Secret::new(text.to_owned())),
        }
    }
}

fn broken(error: io::Error) -> Failure {
    Failure::new(Kind::Failed, format!("cannot read from the terminal: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn typed(keys: &str, most: usize) -> Result<String, Failure> {
        let mut line = Line::new(most);
        let _ = keys.bytes().any(|byte| line.take(byte));
        line.end().map(|text| text.expose_secret().to_owned())
    }

    #[test]
    fn a_line_is_what_was_typed_up_to_its_end() {
        assert_eq!(typed("  abc=\r\nrest", 16).unwrap(), "abc=");
        assert_eq!(typed("abc\x7fd", 16).unwrap(), "abd");
        assert_eq!(typed("wrong\x15right\n", 16).unwrap(), "right");
        assert_eq!(typed(&"a".repeat(8192), 8192).unwrap().len(), 8192);
    }

    #[test]
    fn nothing_and_too_much_are_no_lines() {
        for keys in ["", "\n", "  \r", "\x04"] {
            assert_eq!(typed(keys, 16).unwrap_err().exit_code(), 12, "{keys:?}");
        }
        let failure = typed(&"CANARY".repeat(10), 16).unwrap_err();
        assert!(failure.exit_code() == 2 && !failure.line().unwrap().contains("CANARY"));
    }
}
