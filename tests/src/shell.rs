//! A shell of a user's: with a terminal of its own, or without any. What is typed into it runs in it, one line after the other.

use crate::product::{Ended, Product, wait_until};
use std::fs;
use std::io::Write;
use std::path::PathBuf;
use std::process::{Child, ChildStdin, Stdio};

/// A running shell. It ends with the value.
#[derive(Debug)]
pub struct Shell {
    process: Child,
    typed: ChildStdin,
    place: PathBuf,
    tegata: PathBuf,
    lines: usize,
}

/// A line that was typed and may still run.
#[derive(Debug)]
#[must_use]
pub struct Typed {
    place: PathBuf,
}

impl Shell {
    /// Opens a terminal with a shell in it: a kernel session with a controlling terminal (a pty of script(1)).
    ///
    /// # Panics
    /// When the machine lacks script(1).
    #[must_use]
    pub fn in_a_terminal(product: &Product) -> Self {
        Self::start(product, "script", &["--quiet", "--return", "--command", "exec sh", "/dev/null"])
    }

    /// Starts a shell in a kernel session without a terminal, as a desktop starts programs.
    ///
    /// # Panics
    /// When the machine lacks setsid(1).
    #[must_use]
    pub fn without_a_terminal(product: &Product) -> Self {
        Self::start(product, "setsid", &["sh"])
    }

    fn start(product: &Product, program: &str, arguments: &[&str]) -> Self {
        let place =
            tempfile::Builder::new().prefix("sh").tempdir_in(product.path("")).expect("a directory in the home");
        let mut command = product.command(program);
        command.args(arguments).stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
        let mut process = command.spawn().expect("a shell starts");
        let typed = process.stdin.take().expect("stdin is piped");
        Self { process, typed, place: place.keep(), tegata: product.cli_binary.clone(), lines: 0 }
    }

    /// Types a command line.
    ///
    /// # Panics
    /// When the shell is gone.
    pub fn types(&mut self, line: &str) -> Typed {
        self.lines += 1;
        let place = self.place.join(self.lines.to_string());
        let to = place.display();
        writeln!(self.typed, "{line} >{to}.out 2>{to}.err </dev/null; echo $? >{to}.part; mv {to}.part {to}.code")
            .and_then(|()| self.typed.flush())
            .expect("the shell reads");
        Typed { place }
    }

    /// Types `tegata` with arguments that need no quotes.
    pub fn types_tegata(&mut self, arguments: &str) -> Typed {
        self.types(&format!("{} {arguments}", self.tegata.display()))
    }

    /// Runs `tegata` to its end.
    pub fn tegata(&mut self, arguments: &str) -> Ended {
        self.types_tegata(arguments).ends()
    }

    /// Asks for a profile's credentials as a tool does that has no time.
    pub fn credentials(&mut self, profile: &str) -> Ended {
        self.tegata(&format!("credential-process --profile {profile} --wait 0"))
    }
}

impl Typed {
    /// Waits until the line has run.
    ///
    /// # Panics
    /// When it goes on.
    pub fn ends(self) -> Ended {
        let read = |kind: &str| fs::read_to_string(self.place.with_extension(kind)).unwrap_or_default();
        wait_until("the line has run", || self.place.with_extension("code").exists());
        Ended { code: read("code").trim().parse().expect("a code"), stdout: read("out"), stderr: read("err") }
    }
}

impl Drop for Shell {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
