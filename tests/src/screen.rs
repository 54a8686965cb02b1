//! A terminal as a person has it: a screen of cells, a keyboard, and programs that ask it what it can. It is tmux without a client.

use crate::product::{Product, run, wait_until};
use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::Command;

/// How wide and high a terminal is, in cells.
#[derive(Clone, Copy, Debug)]
pub struct Size {
    /// Characters in a line.
    pub columns: usize,
    /// Lines.
    pub rows: usize,
}

/// What most people have.
pub const USUAL: Size = Size { columns: 100, rows: 30 };

/// A terminal with a program in it. It ends with the value.
#[derive(Debug)]
pub struct Screen {
    socket: PathBuf,
    code: PathBuf,
}

impl Screen {
    /// Opens a terminal in the product's home and runs a program in it, with these variables on top of the product's.
    ///
    /// # Panics
    /// When the machine lacks tmux.
    #[must_use]
    pub fn open(product: &Product, variables: &[(&str, &str)], words: &[&str]) -> Self {
        let mut command = product.command("tmux");
        command.envs(variables.iter().copied());
        Self::start(command, &product.path(""), USUAL, words)
    }

    /// Opens a terminal of this size with a program in it. `tmux` is that program with the environment and the directory that
    /// both are to have; what the terminal needs lies in `place`.
    ///
    /// # Panics
    /// When the machine lacks tmux.
    #[must_use]
    pub fn start(mut tmux: Command, place: &Path, size: Size, words: &[&str]) -> Self {
        let directory = tempfile::Builder::new().prefix("sc").tempdir_in(place).expect("a directory").keep();
        let screen = Self { socket: directory.join("s"), code: directory.join("code") };
        tmux.env("TERM", "xterm-256color").args(["-u", "-f", "/dev/null", "-S"]).arg(&screen.socket);
        // The screen stays when the program has ended.
        tmux.args(["set-option", "-g", "remain-on-exit", "on", ";", "new-session", "-d"]);
        tmux.args(["-x", &size.columns.to_string(), "-y", &size.rows.to_string()]);
        // tmux may learn that the terminal is closed and never how the program ended.
        tmux.args(["sh", "-c", "\"$@\"; echo $? >\"$0.part\"; mv \"$0.part\" \"$0\""]).arg(&screen.code).args(words);
        let ended = run(&mut tmux);
        assert_eq!(ended.code, 0, "{ended:?}");
        screen
    }

    /// Types a text as it is.
    pub fn types(&self, text: &str) {
        self.tmux(&["send-keys", "-l", "--", text]);
    }

    /// Presses keys, by the names tmux has for them: `Enter`, `Escape`, `Up`, `C-c`, `Tab`.
    pub fn presses(&self, keys: &[&str]) {
        self.tmux(&[&["send-keys"], keys].concat());
    }

    /// Types a line and presses Enter.
    pub fn enters(&self, line: &str) {
        self.types(line);
        self.presses(&["Enter"]);
    }

    /// Returns what is on the screen and what has scrolled out of it, without blanks at the line ends.
    #[must_use]
    pub fn shown(&self) -> String {
        self.tmux(&["capture-pane", "-p", "-J", "-S", "-"]).lines().map(str::trim_end).collect::<Vec<_>>().join("\n")
    }

    /// As [`Screen::shown`], with the sequences that make text bold or coloured (ECMA-48, SGR).
    #[must_use]
    pub fn drawn(&self) -> String {
        self.tmux(&["capture-pane", "-e", "-p", "-J", "-S", "-"])
    }

    /// Waits until a text is on the screen, and returns the screen.
    ///
    /// # Panics
    /// When it does not come.
    pub fn shows(&self, text: &str) -> String {
        let shown = std::cell::RefCell::new(String::new());
        let waited = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            wait_until("the text is on the screen", || {
                *shown.borrow_mut() = self.shown();
                shown.borrow().contains(text)
            });
        }));
        assert!(waited.is_ok(), "{text:?} is not on the screen:\n{}", shown.borrow());
        shown.into_inner()
    }

    /// Waits until the program has ended, and returns its exit code.
    ///
    /// # Panics
    /// When it goes on.
    #[must_use]
    pub fn ends(&self) -> i32 {
        wait_until("the program ends", || self.code.exists());
        let code = std::fs::read_to_string(&self.code).expect("it has ended");
        code.trim().parse().expect("an exit code")
    }

    fn tmux(&self, words: &[&str]) -> String {
        let mut command = Command::new("tmux");
        command.arg("-u").arg("-S").arg(&self.socket).args(words.iter().map(OsStr::new)).env("LANG", "C.UTF-8");
        let ended = run(&mut command);
        assert_eq!(ended.code, 0, "{words:?} {ended:?}");
        ended.stdout
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        let _ = Command::new("tmux").arg("-S").arg(&self.socket).arg("kill-server").output();
    }
}
