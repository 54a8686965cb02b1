//! A home for one test, the binary run in it, and a server in place of the daemon.

mod server;

pub(crate) use server::{Reply, Request, Server, answer, json, serve_until_ended};

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

/// How long a condition may take to come true before a test gives up: long enough for a machine that does other things.
const PATIENCE: Duration = Duration::from_secs(60);

/// A directory that is all a test and its processes know.
pub(crate) struct Home {
    directory: tempfile::TempDir,
}

impl Home {
    pub(crate) fn new() -> Self {
        Self { directory: tempfile::tempdir().unwrap() }
    }

    pub(crate) fn path(&self) -> &Path {
        self.directory.path()
    }

    pub(crate) fn socket(&self) -> PathBuf {
        self.path().join("t.sock")
    }

    /// Returns the binary with these arguments, in an environment of only this home.
    pub(crate) fn tegata<I: AsRef<OsStr>>(&self, arguments: impl IntoIterator<Item = I>) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_tegata"));
        command.args(arguments).env_clear().env("HOME", self.path()).env("TEGATA_SOCKET", self.socket());
        command.current_dir(self.path()).stdin(Stdio::null());
        command
    }

    /// Runs the binary with the words of a line as arguments.
    pub(crate) fn run(&self, line: &str) -> Run {
        Run::of(&mut self.tegata(line.split_whitespace()))
    }

    /// Runs the binary on a terminal, with `typed` at its keyboard. Standard output has both of its outputs.
    pub(crate) fn run_on_terminal(&self, line: &str, typed: &str) -> Run {
        let tegata = self.tegata(line.split_whitespace());
        let words = std::iter::once(tegata.get_program()).chain(tegata.get_args()).map(|word| word.to_str().unwrap());
        let command = shlex::try_join(words).unwrap();
        let typed_file = self.path().join("typed");
        std::fs::write(&typed_file, typed).unwrap();
        let mut script = Command::new("script");
        script.args(["--quiet", "--return", "--command", &command, "/dev/null"]);
        script.env_clear().envs(tegata.get_envs().filter_map(|(name, value)| Some((name, value?))));
        script.env("SHELL", "/bin/sh").env("PATH", "/usr/bin:/bin").current_dir(self.path());
        Run::of(script.stdin(std::fs::File::open(&typed_file).unwrap()))
    }
}

/// How a run ended.
#[derive(Debug)]
pub(crate) struct Run {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Run {
    pub(crate) fn of(command: &mut Command) -> Self {
        command.output().unwrap().into()
    }

    /// Checks what every failure looks like: nothing on standard output, one printable line on standard error.
    #[track_caller]
    pub(crate) fn is_one_line(&self, code: i32) -> &str {
        assert_eq!(self.code, Some(code), "{self:?}");
        assert_eq!(self.stdout, "", "{self:?}");
        let line = self.stderr.strip_suffix('\n').unwrap_or_else(|| panic!("no line end: {self:?}"));
        assert!(line.starts_with("tegata: "), "{self:?}");
        assert!(!line.chars().any(tegata_protocol::text::is_hostile), "{self:?}");
        line
    }

    /// Checks that all went well and nothing was said on standard error.
    #[track_caller]
    pub(crate) fn is_quiet_success(&self) -> &str {
        assert_eq!((self.code, self.stderr.as_str()), (Some(0), ""), "{self:?}");
        &self.stdout
    }
}

impl From<Output> for Run {
    fn from(output: Output) -> Self {
        Self {
            code: output.status.code(),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
        }
    }
}

/// Waits until `condition` has something.
#[track_caller]
pub(crate) fn eventually<T>(what: &str, mut condition: impl FnMut() -> Option<T>) -> T {
    #[allow(clippy::disallowed_methods, reason = "patience of a test, not time of the product")]
    let begin = Instant::now();
    loop {
        if let Some(value) = condition() {
            return value;
        }
        assert!(begin.elapsed() < PATIENCE, "never happened: {what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// Writes a program of the shell.
pub(crate) fn write_program(path: &Path, text: &str) {
    use std::os::unix::fs::PermissionsExt;
    std::fs::write(path, format!("#!/bin/sh\n{text}\n")).unwrap();
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o755)).unwrap();
}

/// Returns the words of a command line.
pub(crate) fn words(line: &str) -> Vec<OsString> {
    line.split_whitespace().map(OsString::from).collect()
}
