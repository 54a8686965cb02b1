//! A person at a terminal: a pty of script(1) with `tegata` in it. What is drawn is read, keys are typed when it is time.

use crate::product::{PATIENCE, Product, code_of, wait_until};
use std::io::{Read, Write};
use std::process::{Child, ChildStdin, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Instant;

/// A `tegata` that runs in a terminal. It ends with the value.
#[derive(Debug)]
pub struct Terminal {
    process: Child,
    typed: ChildStdin,
    drawn: Arc<Mutex<Vec<u8>>>,
    reader: Option<JoinHandle<()>>,
    /// How much of what was drawn a test has looked at.
    seen: usize,
    command: String,
}

impl Terminal {
    /// Starts `tegata` with arguments that need no quotes, in a terminal of 24 lines of 120 characters.
    ///
    /// # Panics
    /// When the machine lacks script(1).
    #[must_use]
    pub fn tegata(product: &Product, arguments: &str) -> Self {
        let line = format!("stty rows 24 cols 120; exec {} {arguments}", product.cli_binary.display());
        let mut command = product.command("script");
        command.args(["--quiet", "--return", "--command", &line, "/dev/null"]).env("TERM", "xterm-256color");
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut process = command.spawn().expect("a terminal opens");
        let (typed, mut output) = (process.stdin.take().expect("piped"), process.stdout.take().expect("piped"));
        let drawn = Arc::new(Mutex::new(Vec::new()));
        let into = Arc::clone(&drawn);
        let reader = std::thread::spawn(move || {
            let mut bytes = [0; 4096];
            while let Ok(count @ 1..) = output.read(&mut bytes) {
                into.lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(&bytes[..count]);
            }
        });
        Self { process, typed, drawn, reader: Some(reader), seen: 0, command: format!("tegata {arguments}") }
    }

    /// Everything that was drawn so far, without what moves the cursor and colours.
    #[must_use]
    pub fn text(&self) -> String {
        without_escapes(&self.drawn.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Waits until this is drawn, after all that a test has waited for before.
    ///
    /// # Panics
    /// When it never is.
    pub fn shows(&mut self, what: &str) {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let text = self.text();
            if let Some(at) = text.get(self.seen..).and_then(|rest| rest.find(what)) {
                self.seen += at + what.len();
                return;
            }
            let ended = self.process.try_wait().expect("ours").is_some();
            assert!(!ended && Instant::now() < deadline, "waited in vain for {what:?} in\n{text}");
            std::thread::park_timeout(std::time::Duration::from_millis(5));
        }
    }

    /// Types keys: text, or `\r`, `\x1b[B`, `\x03`.
    ///
    /// # Panics
    /// When the terminal is gone.
    pub fn types(&mut self, keys: &str) {
        self.typed.write_all(keys.as_bytes()).and_then(|()| self.typed.flush()).expect("the terminal reads");
    }

    /// Waits for the end and returns the exit code and everything that was drawn.
    ///
    /// # Panics
    /// When it goes on.
    pub fn ends(mut self, product: &Product) -> (i32, String) {
        let mut status = None;
        wait_until("the command in the terminal ends", || {
            status = self.process.try_wait().expect("ours");
            status.is_some()
        });
        if let Some(reader) = self.reader.take() {
            reader.join().expect("the reader ends");
        }
        let (code, text) = (code_of(status.expect("it has ended")), self.text());
        let ended = crate::product::Ended { code, stdout: text.clone(), stderr: String::new() };
        product.heard(&[self.command.as_str()], &ended);
        (code, text)
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Leaves out control sequences (ECMA-48) and carriage returns.
fn without_escapes(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(bytes);
    let mut plain = String::with_capacity(text.len());
    let mut characters = text.chars();
    while let Some(c) = characters.next() {
        match c {
            '\u{1b}' if characters.next() == Some('[') => {
                let _ = characters.by_ref().find(|c| ('\u{40}'..='\u{7e}').contains(c));
            }
            '\u{1b}' | '\r' => {}
            other => plain.push(other),
        }
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::without_escapes;

    #[test]
    fn what_moves_the_cursor_is_left_out() {
        assert_eq!(without_escapes("\x1b[2Ka\x1b[1;32mb\x1b[0m\r\n開\x1b[10D".as_bytes()), "ab\n開");
    }
}
