//! A server in place of the daemon: one thread, one answer per connection.

use super::Home;
use serde_json::Value;
use std::io::{Read, Write};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;

/// A request as it came.
#[derive(Clone, Debug)]
pub(crate) struct Request {
    pub(crate) head: String,
    pub(crate) body: String,
}

impl Request {
    /// Returns method and target.
    pub(crate) fn line(&self) -> &str {
        self.head.lines().next().unwrap().strip_suffix(" HTTP/1.1").unwrap()
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap()
    }

    fn read(stream: &mut UnixStream) -> Option<Self> {
        let mut bytes = Vec::new();
        let head_end = loop {
            read_some(stream, &mut bytes)?;
            if let Some(at) = bytes.windows(4).position(|window| window == b"\r\n\r\n") {
                break at + 4;
            }
        };
        let head = String::from_utf8(bytes[..head_end].to_vec()).unwrap();
        let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
        let end = head_end + length.map_or(0, |length| length.parse::<usize>().unwrap());
        while bytes.len() < end {
            read_some(stream, &mut bytes)?;
        }
        Some(Self { head, body: String::from_utf8(bytes[head_end..].to_vec()).unwrap() })
    }
}

fn read_some(stream: &mut UnixStream, bytes: &mut Vec<u8>) -> Option<()> {
    let mut some = [0; 4096];
    let count = stream.read(&mut some).ok().filter(|count| *count > 0)?;
    bytes.extend_from_slice(&some[..count]);
    Some(())
}

/// What to answer.
pub(crate) enum Reply {
    /// These bytes, then the end.
    Bytes(Vec<u8>),
    /// These bytes, then nothing, for as long as the server lives.
    BytesThenSilence(Vec<u8>),
    /// These bytes, one every so often.
    Drip(Vec<u8>, Duration),
    /// These bytes, then the server is gone.
    BytesThenGone(Vec<u8>),
}

/// Returns a well-formed answer.
pub(crate) fn answer(status: u16, protocol: &str, body: &str) -> Vec<u8> {
    format!(
        "HTTP/1.1 {status} -\r\nTegata-Protocol: {protocol}\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    )
    .into_bytes()
}

/// Returns a well-formed answer of JSON.
pub(crate) fn json(status: u16, body: &Value) -> Reply {
    Reply::Bytes(answer(status, "1", &body.to_string()))
}

/// A server that lives until it is dropped.
pub(crate) struct Server {
    socket: PathBuf,
    requests: Arc<Mutex<Vec<Request>>>,
    ending: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Server {
    /// Serves the socket of a home.
    pub(crate) fn start(home: &Home, mut handler: impl FnMut(&Request) -> Reply + Send + 'static) -> Self {
        let listener = UnixListener::bind(home.socket()).unwrap();
        let (requests, ending) = (Arc::new(Mutex::new(Vec::new())), Arc::new(AtomicBool::new(false)));
        let (seen, end) = (Arc::clone(&requests), Arc::clone(&ending));
        let thread = std::thread::spawn(move || serve(&listener, &seen, &end, &mut handler));
        Self { socket: home.socket(), requests, ending, thread: Some(thread) }
    }

    /// Answers everything with the same bytes.
    pub(crate) fn always(home: &Home, bytes: impl Into<Vec<u8>>) -> Self {
        let bytes = bytes.into();
        Self::start(home, move |_| Reply::Bytes(bytes.clone()))
    }

    /// Answers everything with the same status and body.
    pub(crate) fn always_json(home: &Home, status: u16, body: &Value) -> Self {
        Self::always(home, answer(status, "1", &body.to_string()))
    }

    /// Returns the requests that have come.
    pub(crate) fn requests(&self) -> Vec<Request> {
        self.requests.lock().unwrap().clone()
    }

    /// Returns method and target of the requests that have come.
    pub(crate) fn lines(&self) -> Vec<String> {
        self.requests().iter().map(|request| request.line().to_owned()).collect()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.ending.store(true, Ordering::SeqCst);
        // Wakes the thread, if it still listens.
        let _ = UnixStream::connect(&self.socket);
        if let Some(thread) = self.thread.take() {
            let ended = thread.join();
            assert!(ended.is_ok() || std::thread::panicking(), "the server of the test failed");
        }
    }
}

fn serve(
    listener: &UnixListener,
    seen: &Mutex<Vec<Request>>,
    ending: &AtomicBool,
    handler: &mut dyn FnMut(&Request) -> Reply,
) {
    let mut silent = Vec::new();
    while let Ok((mut stream, _)) = listener.accept() {
        if ending.load(Ordering::SeqCst) {
            return;
        }
        let Some(request) = Request::read(&mut stream) else { continue };
        seen.lock().unwrap().push(request.clone());
        match handler(&request) {
            Reply::Bytes(bytes) => drop(stream.write_all(&bytes)),
            Reply::BytesThenSilence(bytes) => {
                drop(stream.write_all(&bytes));
                silent.push(stream);
            }
            Reply::Drip(bytes, pause) => drip(&mut stream, &bytes, pause),
            Reply::BytesThenGone(bytes) => {
                drop(stream.write_all(&bytes));
                return;
            }
        }
    }
}

/// Ends early when the other side has gone.
fn drip(stream: &mut UnixStream, bytes: &[u8], pause: Duration) {
    for byte in bytes {
        if stream.write_all(&[*byte]).is_err() {
            return;
        }
        std::thread::sleep(pause);
    }
}

/// Serves one well-formed answer to everybody until asked to end. For the process that stands in for `tegatad`.
pub(crate) fn serve_until_ended(socket: &Path, body: &str) {
    let listener = UnixListener::bind(socket).unwrap();
    while let Ok((mut stream, _)) = listener.accept() {
        let Some(request) = Request::read(&mut stream) else { continue };
        drop(stream.write_all(&answer(200, "1", body)));
        if request.line() == "DELETE /v1/daemon" {
            return;
        }
    }
}
