//! One request and one answer of HTTP/1.1 over anything that reads and writes.
//!
//! The answer has a Content-Length, an upper bound, and nothing behind its body; whatever is not so is refused. The buffer
//! is wiped when dropped, since the answer may be credentials. Patience is the stream's: a read that gives up ends it.

mod head;

use head::Head;
use std::io::{self, ErrorKind, Read, Write};
use std::ops::Range;
use tegata_protocol::{MAX_HEAD_BYTES, PROTOCOL_HEADER, PROTOCOL_VERSION};
use zeroize::Zeroizing;

/// Takes credentials as AWS usually gives them, and a head, in one read. Every page more is one to map and to wipe.
const FIRST_READ: usize = 4 * 1024;

/// A method of the local API.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Method {
    Get,
    Post,
    Put,
    Delete,
}

/// A request, ready to be written at once. Wiped when dropped: its body may hold tokens.
pub(crate) struct Request {
    bytes: Zeroizing<Vec<u8>>,
    head: usize,
    /// Whether asking twice does no more than asking once.
    pub(crate) repeatable: bool,
}

impl Request {
    /// Makes a request. `target` is a path and query whose variable parts are percent-encoded.
    pub(crate) fn new(method: Method, target: &str, body: Option<&[u8]>) -> Self {
        let name = match method {
            Method::Get => "GET",
            Method::Post => "POST",
            Method::Put => "PUT",
            Method::Delete => "DELETE",
        };
        let version = PROTOCOL_VERSION.to_string();
        // Not by `format!`: the hot path does without the pages of code that formatting needs.
        let head = [
            name,
            " ",
            target,
            " HTTP/1.1\r\nhost: tegata\r\n",
            PROTOCOL_HEADER,
            ": ",
            &version,
            "\r\nconnection: close\r\n",
        ];
        let mut bytes = Zeroizing::new(head.concat().into_bytes());
        if let Some(body) = body {
            let length = body.len();
            // Room for the rest of the head as well: the body is never moved once it is in here.
            bytes.reserve(length + 128);
            bytes.extend(format!("content-type: application/json\r\ncontent-length: {length}\r\n").as_bytes());
        }
        bytes.extend(b"\r\n");
        let head = bytes.len();
        bytes.extend(body.unwrap_or_default());
        Self { bytes, head, repeatable: method != Method::Post }
    }

    /// Returns the length of the head in bytes.
    pub(crate) fn head_len(&self) -> usize {
        self.head
    }
}

/// An answer.
pub(crate) struct Response {
    pub(crate) status: u16,
    /// The protocol number the server speaks, if it names one.
    pub(crate) protocol: Option<u32>,
    buffer: Buffer,
    body: Range<usize>,
}

impl Response {
    /// Returns the body.
    pub(crate) fn body(&self) -> &[u8] {
        self.buffer.filled().get(self.body.clone()).unwrap_or_default()
    }

    /// Returns the body, ended by exactly one line end.
    pub(crate) fn into_line(mut self) -> Line {
        if self.body().last() != Some(&b'\n') {
            self.buffer.push(b'\n');
            self.body.end += 1;
        }
        Line { buffer: self.buffer, start: self.body.start }
    }
}

/// A body as one line. Wiped when dropped.
pub(crate) struct Line {
    buffer: Buffer,
    start: usize,
}

impl Line {
    /// Returns the bytes, line end included.
    pub(crate) fn bytes(&self) -> &[u8] {
        self.buffer.filled().get(self.start..).unwrap_or_default()
    }
}

/// Why there is no answer.
#[derive(Debug)]
pub(crate) enum Broken {
    /// The server closed the connection; `answered` if it had begun to answer.
    Closed { answered: bool },
    /// Patience ran out.
    TimedOut,
    /// The person interrupted.
    Interrupted,
    /// The answer is not one this protocol has.
    Malformed(&'static str),
    /// The connection failed.
    Failed(io::Error),
}

/// Writes the request and reads the answer.
pub(crate) fn exchange(stream: &mut (impl Read + Write), request: &Request) -> Result<Response, Broken> {
    match stream.write_all(&request.bytes) {
        Ok(()) => {}
        // A server may answer before it has read everything, and close: the answer is waiting all the same.
        Err(error) if is_closed(&error) => {}
        Err(error) => return Err(broken(error)),
    }
    receive(stream)
}

fn receive(stream: &mut impl Read) -> Result<Response, Broken> {
    let mut buffer = Buffer::new();
    let head = loop {
        buffer.read_more(stream)?;
        if let Some(head) = Head::parse(buffer.filled())? {
            break head;
        }
        if buffer.filled().len() >= MAX_HEAD_BYTES {
            return Err(Broken::Malformed("its head is too long"));
        }
    };
    let end = head.length + head.content_length;
    buffer.reserve(end);
    while buffer.filled().len() < end {
        buffer.read_more(stream)?;
    }
    if buffer.filled().len() > end {
        return Err(Broken::Malformed("it is longer than it says"));
    }
    Ok(Response { status: head.status, protocol: head.protocol, buffer, body: head.length..end })
}

/// Received bytes. Wiped when dropped, and when it has to move.
struct Buffer {
    bytes: Zeroizing<Vec<u8>>,
    filled: usize,
}

impl Buffer {
    fn new() -> Self {
        Self { bytes: Zeroizing::new(vec![0; FIRST_READ]), filled: 0 }
    }

    fn filled(&self) -> &[u8] {
        self.bytes.get(..self.filled).unwrap_or_default()
    }

    /// Reads once; the end of the stream is an error, since more was expected.
    fn read_more(&mut self, stream: &mut impl Read) -> Result<(), Broken> {
        if self.filled == self.bytes.len() {
            self.reserve(self.bytes.len() * 2);
        }
        let answered = self.filled > 0;
        match stream.read(self.bytes.get_mut(self.filled..).unwrap_or_default()) {
            Ok(0) => Err(Broken::Closed { answered }),
            Ok(count) => {
                self.filled += count;
                Ok(())
            }
            Err(error) if is_closed(&error) => Err(Broken::Closed { answered }),
            Err(error) => Err(broken(error)),
        }
    }

    /// Makes room for `length` bytes in all. `Vec` would leave the old bytes behind unwiped.
    fn reserve(&mut self, length: usize) {
        if length > self.bytes.len() {
            let mut larger = Zeroizing::new(vec![0; length]);
            larger.iter_mut().zip(self.filled()).for_each(|(to, from)| *to = *from);
            self.bytes = larger;
        }
    }

    fn push(&mut self, byte: u8) {
        self.reserve(self.filled + 1);
        if let Some(free) = self.bytes.get_mut(self.filled) {
            *free = byte;
            self.filled += 1;
        }
    }
}

fn is_closed(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::BrokenPipe | ErrorKind::ConnectionReset | ErrorKind::UnexpectedEof)
}

fn broken(error: io::Error) -> Broken {
    match error.kind() {
        ErrorKind::WouldBlock | ErrorKind::TimedOut => Broken::TimedOut,
        ErrorKind::Interrupted => Broken::Interrupted,
        _ => Broken::Failed(error),
    }
}

#[cfg(test)]
mod tests;
