//! A command below `tegata exec` that says what it found in its environment and then waits, and its endpoint, asked byte by byte.

use crate::product::{PATIENCE, Product, code_of};
use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::process::{Child, ChildStdin, Stdio};

/// What the command runs: its environment, a mark, then nothing until its input ends.
const SAY_AND_WAIT: &str = "env -0; printf 'that is all\\0'; exec cat >/dev/null";

/// A running `tegata exec`. It is killed with the value.
#[derive(Debug)]
pub struct Exec {
    process: Child,
    stdin: Option<ChildStdin>,
    /// The command's environment.
    pub variables: BTreeMap<String, String>,
}

/// What the endpoint answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// The status; 0 for a connection that ended without a word.
    pub status: u16,
    /// The head, in lower case.
    pub head: String,
    /// The body.
    pub body: String,
}

impl Answer {
    /// Returns the body as JSON.
    ///
    /// # Panics
    /// When it is none.
    #[must_use]
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }
}

impl Exec {
    /// Starts one for a profile, with options.
    ///
    /// # Panics
    /// When it does not come so far that the command runs.
    #[must_use]
    pub fn start(product: &Product, options: &[&str]) -> Self {
        let arguments = [&["exec"], options, &["--", "/bin/sh", "-c", SAY_AND_WAIT]].concat();
        let mut command = product.tegata(&arguments);
        let stderr = std::fs::File::create(product.path("exec.stderr")).expect("a file");
        let mut process =
            command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(stderr).spawn().expect("tegata runs");
        let stdin = process.stdin.take();
        let output = BufReader::new(process.stdout.take().expect("stdout is piped"));
        let lines = output.split(0).map(|line| String::from_utf8(line.expect("output")).expect("text"));
        let mut variables = BTreeMap::new();
        for line in lines {
            match line.split_once('=') {
                Some((name, value)) => drop(variables.insert(name.to_owned(), value.to_owned())),
                None => return Self { process, stdin, variables },
            }
        }
        panic!("no command ran: {}", std::fs::read_to_string(product.path("exec.stderr")).unwrap_or_default())
    }

    /// Returns the pid of `tegata`.
    #[must_use]
    pub fn pid(&self) -> u32 {
        self.process.id()
    }

    /// Returns the address of the endpoint.
    ///
    /// # Panics
    /// When the command was told none.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.url().0.parse().unwrap_or_else(|error| panic!("{error}: {:?}", self.url()))
    }

    /// Returns host and path of the endpoint.
    ///
    /// # Panics
    /// When the command was told none.
    #[must_use]
    pub fn url(&self) -> (&str, String) {
        let url = self.variables["AWS_CONTAINER_CREDENTIALS_FULL_URI"].strip_prefix("http://").expect("http");
        let (host, path) = url.split_once('/').expect("a path");
        (host, format!("/{path}"))
    }

    /// Returns what clients send in `Authorization`.
    #[must_use]
    pub fn token(&self) -> &str {
        &self.variables["AWS_CONTAINER_AUTHORIZATION_TOKEN"]
    }

    /// Asks as an SDK does.
    #[must_use]
    pub fn get(&self) -> Answer {
        let (host, path) = self.url();
        self.send(&format!("GET {path} HTTP/1.1\r\nHost: {host}\r\nAuthorization: {}\r\n\r\n", self.token()))
    }

    /// Asks for a path, with these headers besides a Host and the token.
    #[must_use]
    pub fn get_with(&self, path: &str, headers: &[(&str, &str)]) -> Answer {
        let more: String = headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
        let (host, token) = (self.url().0, self.token());
        self.send(&format!("GET {path} HTTP/1.1\r\nHost: {host}\r\nAuthorization: {token}\r\n{more}\r\n"))
    }

    /// Sends bytes and returns what came back until the connection ended.
    ///
    /// # Panics
    /// When nobody listens.
    #[must_use]
    pub fn send(&self, request: &str) -> Answer {
        let mut stream = TcpStream::connect(self.address()).expect("the endpoint listens");
        stream.set_read_timeout(Some(PATIENCE)).expect("a timeout");
        // An endpoint that has read enough may be gone before the rest is written.
        let _ = stream.write_all(request.as_bytes());
        received(&mut stream)
    }

    /// Lets the command end, and returns the exit code.
    ///
    /// # Panics
    /// When it does not.
    pub fn ends(mut self) -> i32 {
        drop(self.stdin.take());
        code_of(self.process.wait().expect("tegata ends"))
    }
}

/// Reads an answer to the end of its connection.
pub fn received(stream: &mut TcpStream) -> Answer {
    let mut bytes = Vec::new();
    let _ = stream.read_to_end(&mut bytes);
    let text = String::from_utf8_lossy(&bytes).into_owned();
    let (head, body) = text.split_once("\r\n\r\n").unwrap_or_default();
    let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or_default();
    Answer { status, head: head.to_ascii_lowercase(), body: body.to_owned() }
}

impl Drop for Exec {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
