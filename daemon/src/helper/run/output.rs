//! What a program writes: all of its stdout, the last line of its stderr, each up to a limit.

use super::{MAX_OUTPUT, MAX_STDERR};
use std::fs::File;
use std::io::{ErrorKind, Read};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::process::Child;
use tegata_protocol::text::one_line;
use zeroize::Zeroizing;

/// How much of stderr is kept: the last of it.
const KEPT_STDERR: usize = 4 * 1024;
/// The most characters of its last line that are shown.
const MAX_SAID: usize = 300;
/// From how many characters on a word could be a token, and is not shown.
const TOKEN: usize = 40;
/// How much is read at once.
const CHUNK: usize = 8 * 1024;

/// Why a program is no longer attended to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ended {
    /// It ended.
    Itself,
    /// Its time is over.
    Overtime,
    /// It wrote too much.
    TooMuch,
}

/// The reading ends of a program's pipes, and what came out of them.
pub(super) struct Output {
    stdout: Option<File>,
    stderr: Option<File>,
    /// Made as large as it can become, so that it never moves and leaves a copy behind.
    text: Zeroizing<Vec<u8>>,
    said: Zeroizing<Vec<u8>>,
    said_in_all: usize,
}

impl Output {
    /// Takes the pipes of a program.
    pub(super) fn of(child: &mut Child) -> Self {
        Self {
            stdout: child.stdout.take().map(|pipe| unblocked(pipe.into())),
            stderr: child.stderr.take().map(|pipe| unblocked(pipe.into())),
            text: Zeroizing::new(Vec::with_capacity(MAX_OUTPUT + CHUNK)),
            said: Zeroizing::new(Vec::with_capacity(KEPT_STDERR + CHUNK)),
            said_in_all: 0,
        }
    }

    /// Returns the pipes that something may still come out of.
    pub(super) fn open(&self) -> impl Iterator<Item = BorrowedFd<'_>> {
        [&self.stdout, &self.stderr].into_iter().flatten().map(AsFd::as_fd)
    }

    /// Reads what is there, and no more than it takes to be too much.
    pub(super) fn take_what_is_there(&mut self) {
        let mut chunk = Zeroizing::new([0_u8; CHUNK]);
        while self.text.len() <= MAX_OUTPUT && read(&mut self.stdout, &mut chunk[..], &mut self.text) {}
        while self.said_in_all <= MAX_STDERR && read(&mut self.stderr, &mut chunk[..], &mut self.said) {
            let over = self.said.len().saturating_sub(KEPT_STDERR);
            self.said_in_all += over;
            self.said.drain(..over);
        }
    }

    pub(super) fn is_too_much(&self) -> bool {
        self.text.len() > MAX_OUTPUT || self.said_in_all > MAX_STDERR
    }

    /// Returns stdout without the end of its last line, as `$(…)` in a shell does for one line.
    pub(super) fn into_text(mut self) -> Zeroizing<Vec<u8>> {
        for end in [b'\n', b'\r'] {
            if self.text.last() == Some(&end) {
                self.text.pop();
            }
        }
        self.text
    }

    /// Returns the last line of stderr that says something, made printable. A word that could be a token is not shown.
    pub(super) fn last_line(&self) -> Option<String> {
        let said = String::from_utf8_lossy(&self.said);
        let line = said.lines().map(str::trim).rfind(|line| !line.is_empty())?;
        let shown: String = without_tokens(line).chars().take(MAX_SAID).collect();
        Some(one_line(&shown))
    }
}

/// Reads once; returns whether there may be more now.
fn read(pipe: &mut Option<File>, chunk: &mut [u8], into: &mut Vec<u8>) -> bool {
    let Some(file) = pipe else { return false };
    match file.read(chunk) {
        Ok(0) => *pipe = None,
        Ok(count) => {
            into.extend_from_slice(chunk.get(..count).unwrap_or_default());
            return true;
        }
        Err(error) if error.kind() == ErrorKind::WouldBlock => {}
        Err(error) if error.kind() == ErrorKind::Interrupted => return true,
        Err(_) => *pipe = None,
    }
    false
}

fn unblocked(pipe: OwnedFd) -> File {
    // Where this fails, reading could wait for a program that has ended; it is not known to fail for a pipe.
    let _ = rustix::io::ioctl_fionbio(&pipe, true);
    File::from(pipe)
}

/// Replaces long runs of the characters that tokens are made of (base64url, JWS compact form).
fn without_tokens(line: &str) -> String {
    let of_token = |c: char| c.is_ascii_alphanumeric() || "-_.+=".contains(c);
    let mut shown = String::with_capacity(line.len());
    for part in line.split_inclusive(|c| !of_token(c)) {
        let word = part.trim_end_matches(|c| !of_token(c));
        if word.len() >= TOKEN {
            shown.push('…');
            shown.push_str(part.get(word.len()..).unwrap_or_default());
        } else {
            shown.push_str(part);
        }
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_that_could_be_a_token_is_not_shown() {
        let token = format!("eyJhbGciOiJSUzI1NiJ9.{}.c2ln", "A".repeat(40));
        assert_eq!(without_tokens(&format!("token={token}: expired")), "…: expired");
        assert_eq!(without_tokens(&format!("got '{token}' (é)")), "got '…' (é)");
        let path = "/home/alice/.local/share/token/cache/2026-11-22.json: no such file";
        assert_eq!(without_tokens(path), path);
        assert_eq!(without_tokens(""), "");
    }
}
