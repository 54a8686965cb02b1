//! The local API, asked as `curl --unix-socket` would.

use serde_json::Value;
use std::io::{self, Read, Write};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::Duration;

/// How long an answer may take.
const PATIENCE: Duration = Duration::from_secs(60);

/// Asks, and returns the status and the body.
///
/// # Panics
/// When nobody answers, or not in JSON.
#[must_use]
pub fn ask(socket: &Path, method: &str, path: &str, body: Option<&Value>) -> (u16, Value) {
    try_ask(socket, method, path, body).unwrap_or_else(|error| panic!("{method} {path}: {error}"))
}

fn try_ask(socket: &Path, method: &str, path: &str, body: Option<&Value>) -> io::Result<(u16, Value)> {
    let mut stream = UnixStream::connect(socket)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    let body = body.map(Value::to_string).unwrap_or_default();
    let length = if body.is_empty() { String::new() } else { format!("content-length: {}\r\n", body.len()) };
    write!(stream, "{method} {path} HTTP/1.1\r\nconnection: close\r\n{length}\r\n{body}")?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    parse(&answer)
}

/// Reads a status and a JSON body.
pub(crate) fn parse(answer: &str) -> io::Result<(u16, Value)> {
    let cut = || io::Error::new(io::ErrorKind::UnexpectedEof, format!("an answer that is none: {answer:?}"));
    let (head, body) = answer.split_once("\r\n\r\n").ok_or_else(cut)?;
    let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).ok_or_else(cut)?;
    let json = if body.is_empty() { Value::Null } else { serde_json::from_str(body).map_err(|_| cut())? };
    Ok((status, json))
}
