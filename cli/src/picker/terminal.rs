//! The person's terminal while they choose: keys come one by one, lines are drawn in place. It is left as it was found.

use super::keys::{Decoded, Key, decode};
use super::screen::Frame;
use crate::failure::{Failure, Kind};
use crate::signals::Signals;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use rustix::termios::{OptionalActions, Termios, tcgetattr, tcgetwinsize, tcsetattr};
use std::fs::{File, OpenOptions};
use std::io::{self, Write};

/// How long the rest of a key may take that began with Escape. A slow line needs some of it, a person does not notice it.
const REST_OF_KEY: Timespec = Timespec { tv_sec: 0, tv_nsec: 50_000_000 };
/// How long a signal or another size may go unnoticed.
const NOTICED_WITHIN: Timespec = Timespec { tv_sec: 0, tv_nsec: 250_000_000 };
/// Where the terminal does not say: the size of a VT100.
const USUAL_SIZE: (usize, usize) = (80, 24);

/// What happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Event {
    /// A key.
    Key(Key),
    /// The terminal has another size.
    Resized,
}

/// The controlling terminal, reading key by key.
pub(super) struct Terminal<'a> {
    file: File,
    before: Termios,
    signals: &'a Signals,
    /// What has come and is no key yet.
    pending: Vec<u8>,
    drawn_for: (usize, usize),
    /// How many lines are drawn.
    drawn: usize,
}

impl<'a> Terminal<'a> {
    /// Takes the terminal over until the value is dropped.
    pub(super) fn open(signals: &'a Signals) -> Result<Self, Failure> {
        let file = OpenOptions::new().read(true).write(true).open("/dev/tty").map_err(|_| nobody_there())?;
        let before = tcgetattr(&file).map_err(|_| nobody_there())?;
        let mut raw = before.clone();
        raw.make_raw();
        tcsetattr(&file, OptionalActions::Drain, &raw).map_err(|errno| broken(&errno.into()))?;
        Ok(Self { file, before, signals, pending: Vec::new(), drawn_for: USUAL_SIZE, drawn: 0 })
    }

    /// Returns its columns and rows.
    pub(super) fn size(&mut self) -> (usize, usize) {
        self.drawn_for = self.size_now();
        self.drawn_for
    }

    fn size_now(&self) -> (usize, usize) {
        match tcgetwinsize(&self.file) {
            Ok(size) if size.ws_col > 0 && size.ws_row > 0 => (size.ws_col.into(), size.ws_row.into()),
            _ => USUAL_SIZE,
        }
    }

    /// Draws in place of what was drawn before. The cursor stays in the first line.
    pub(super) fn draw(&mut self, frame: &Frame) -> Result<(), Failure> {
        self.write(&drawing(frame, self.drawn)).map_err(|error| broken(&error))?;
        self.drawn = frame.lines.len();
        Ok(())
    }

    fn write(&mut self, text: &str) -> io::Result<()> {
        self.file.write_all(text.as_bytes())
    }

    /// Waits for a key, another size, or a signal, which ends it.
    pub(super) fn wait(&mut self) -> Result<Event, Failure> {
        loop {
            if let Some(failure) = self.signals.failure() {
                return Err(failure);
            }
            if let Some(key) = self.next_key() {
                return Ok(Event::Key(key));
            }
            let patience = if self.pending.is_empty() { NOTICED_WITHIN } else { REST_OF_KEY };
            let came = match poll(&mut [PollFd::new(&self.file, PollFlags::IN)], Some(&patience)) {
                Ok(count) => count > 0,
                Err(Errno::INTR) => continue,
                Err(errno) => return Err(broken(&errno.into())),
            };
            if came {
                self.read()?;
            } else if !self.pending.is_empty() {
                // Nothing followed: Escape was the key, or a character came broken.
                self.pending.clear();
                return Ok(Event::Key(Key::Leave));
            } else if self.size_now() != self.drawn_for {
                return Ok(Event::Resized);
            }
        }
    }

    fn next_key(&mut self) -> Option<Key> {
        if self.pending.is_empty() {
            return None;
        }
        match decode(&self.pending) {
            Decoded::Key(key, length) => {
                self.pending.drain(..length.min(self.pending.len()));
                Some(key)
            }
            Decoded::Unfinished => None,
        }
    }

    fn read(&mut self) -> Result<(), Failure> {
        let mut bytes = [0; 256];
        match rustix::io::read(&self.file, &mut bytes) {
            // The terminal is gone.
            Ok(0) | Err(Errno::IO) => Err(Failure::new(Kind::Left, "")),
            Ok(count) => {
                self.pending.extend_from_slice(bytes.get(..count).unwrap_or_default());
                Ok(())
            }
            Err(Errno::INTR | Errno::AGAIN) => Ok(()),
            Err(errno) => Err(broken(&errno.into())),
        }
    }
}

impl Drop for Terminal<'_> {
    /// Wipes what was drawn. What fails now cannot be told to anybody.
    fn drop(&mut self) {
        let nothing = Frame { lines: vec![String::new()], cursor: 0 };
        let _ = self.write(&drawing(&nothing, self.drawn));
        let _ = tcsetattr(&self.file, OptionalActions::Drain, &self.before);
    }
}

/// Returns what draws a frame over so many lines. Line by line: a terminal multiplexer takes a screen that is erased at once for one to
/// be kept in its history.
fn drawing(frame: &Frame, over: usize) -> String {
    let surplus = over.saturating_sub(frame.lines.len());
    let lines = frame.lines.iter().map(String::as_str).chain(std::iter::repeat_n("", surplus));
    let text = lines.map(|line| format!("\r{line}\x1b[K")).collect::<Vec<_>>().join("\n");
    let below = (frame.lines.len() + surplus).saturating_sub(1);
    let up = if below > 0 { format!("\x1b[{below}A") } else { String::new() };
    let right = if frame.cursor > 0 { format!("\x1b[{}C", frame.cursor) } else { String::new() };
    format!("{text}\r{up}{right}")
}

fn nobody_there() -> Failure {
    Failure::new(Kind::Usage, "there is no terminal to choose a profile on; name the profile")
}

fn broken(error: &io::Error) -> Failure {
    Failure::new(Kind::Failed, format!("cannot use the terminal: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(lines: &[&str], cursor: usize) -> Frame {
        Frame { lines: lines.iter().map(|line| (*line).to_owned()).collect(), cursor }
    }

    #[test]
    fn a_frame_is_drawn_line_by_line_and_the_cursor_returns() {
        assert_eq!(drawing(&frame(&["> a", "b"], 3), 0), "\r> a\x1b[K\n\rb\x1b[K\r\x1b[1A\x1b[3C");
    }

    #[test]
    fn what_a_longer_frame_left_is_wiped() {
        assert_eq!(drawing(&frame(&[""], 0), 3), "\r\x1b[K\n\r\x1b[K\n\r\x1b[K\r\x1b[2A");
    }
}
