//! The head of an answer, as our own daemon writes it; anything else is refused.
//!
//! Read by hand: parsers made for throughput ask the processor what it can do before they read a byte, and in a virtual
//! machine each such question is one for the hypervisor (docs/design/command-line.md).

use super::Broken;
use tegata_protocol::{MAX_RESPONSE_BYTES, PROTOCOL_HEADER};

const VERSION: &[u8] = b"HTTP/1.1 ";
const END: &[u8] = b"\r\n\r\n";
const NOT_HTTP: Broken = Broken::Malformed("it is not HTTP");

/// What matters of an answer's head.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Head {
    /// In bytes, up to the first one of the body.
    pub(super) length: usize,
    pub(super) status: u16,
    pub(super) protocol: Option<u32>,
    pub(super) content_length: usize,
}

impl Head {
    /// Reads a head; nothing while it is incomplete.
    pub(super) fn parse(bytes: &[u8]) -> Result<Option<Self>, Broken> {
        // Whoever does not speak HTTP may never send the end of a head.
        if !bytes.iter().zip(VERSION).all(|(byte, expected)| byte == expected) {
            return Err(NOT_HTTP);
        }
        let Some(end) = bytes.windows(END.len()).position(|window| window == END) else { return Ok(None) };
        let lines = bytes.get(..end + 2).unwrap_or_default().split_inclusive(|byte| *byte == b'\n');
        let mut lines = lines.map(|line| line.strip_suffix(b"\r\n"));
        let status = lines.next().flatten().and_then(status).ok_or(NOT_HTTP)?;
        let headers = lines.map(|line| line.and_then(header)).collect::<Option<_>>();
        let headers = Headers(headers.ok_or(NOT_HTTP)?);
        let content_length = headers.content_length(status)?;
        let protocol = headers.single(PROTOCOL_HEADER).and_then(number);
        Ok(Some(Self { length: end + END.len(), status, protocol, content_length }))
    }
}

/// Reads a status line (RFC 9112 section 4).
fn status(line: &[u8]) -> Option<u16> {
    let (status, reason) = line.strip_prefix(VERSION)?.split_at_checked(3)?;
    let status = number(status).and_then(|status| u16::try_from(status).ok())?;
    (status >= 100 && reason.starts_with(b" ") && is_visible(reason)).then_some(status)
}

/// Reads a header line (RFC 9112 section 5). One that goes on in the next line has no name there, and is refused.
fn header(line: &[u8]) -> Option<(&[u8], &[u8])> {
    let (name, value) = line.split_at(line.iter().position(|byte| *byte == b':')?);
    let is_name = !name.is_empty() && name.iter().all(|byte| byte.is_ascii_alphanumeric() || *byte == b'-');
    (is_name && is_visible(value)).then_some((name, value.strip_prefix(b":")?.trim_ascii()))
}

/// A line end alone would make two readers see different headers (RFC 9112 section 2.2).
fn is_visible(text: &[u8]) -> bool {
    text.iter().all(|byte| *byte == b'\t' || !byte.is_ascii_control())
}

/// Names and values.
struct Headers<'a>(Vec<(&'a [u8], &'a [u8])>);

impl<'a> Headers<'a> {
    fn content_length(&self, status: u16) -> Result<usize, Broken> {
        if self.all("transfer-encoding").next().is_some() {
            return Err(Broken::Malformed("it has a Transfer-Encoding"));
        }
        match self.single("content-length") {
            Some(value) => match number(value) {
                Some(length) if length as usize <= MAX_RESPONSE_BYTES => Ok(length as usize),
                Some(_) => Err(Broken::Malformed("it is too long")),
                None => Err(Broken::Malformed("its Content-Length is no number")),
            },
            // RFC 9112 section 6.3: an answer with this status has no body.
            None if status == 204 => Ok(0),
            None => Err(Broken::Malformed("it has not exactly one Content-Length")),
        }
    }

    /// Returns the value of a header that is there exactly once.
    fn single(&self, name: &str) -> Option<&'a [u8]> {
        let mut values = self.all(name);
        let value = values.next()?;
        values.next().is_none().then_some(value)
    }

    fn all(&self, name: &str) -> impl Iterator<Item = &'a [u8]> {
        self.0.iter().filter(move |header| header.0.eq_ignore_ascii_case(name.as_bytes())).map(|header| header.1)
    }
}

/// Reads digits and nothing else. A number too large for its type is the largest.
fn number(digits: &[u8]) -> Option<u32> {
    if digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    Some(digits.iter().fold(0, |number: u32, digit| number.saturating_mul(10).saturating_add(u32::from(digit - b'0'))))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(head: &str) -> Option<Head> {
        Head::parse(head.as_bytes()).ok().flatten()
    }

    #[test]
    fn a_head_is_read_to_its_end_and_no_further() {
        let head = "HTTP/1.1 200 OK\r\nTegata-Protocol:1\r\nCONTENT-LENGTH: \t 7 \r\n\r\n";
        let wanted = Head { length: head.len(), status: 200, protocol: Some(1), content_length: 7 };
        assert_eq!(read(&format!("{head}{{\"a\":1}}\r\n\r\n")), Some(wanted));
    }

    #[test]
    fn every_beginning_of_a_head_is_an_incomplete_one() {
        let head = "HTTP/1.1 503 Service Unavailable\r\ncontent-length: 0\r\n\r\n";
        for length in 0..head.len() {
            assert!(matches!(Head::parse(&head.as_bytes()[..length]), Ok(None)), "{length} bytes");
        }
        assert_eq!(read(head).map(|head| head.status), Some(503));
    }

    #[test]
    fn a_reason_may_be_empty_or_foreign() {
        for reason in ["", "OK", "Все хорошо"] {
            assert!(read(&format!("HTTP/1.1 204 {reason}\r\n\r\n")).is_some(), "{reason:?}");
        }
    }

    #[test]
    fn h1_heads_two_readers_may_understand_differently_are_refused() {
        for head in [
            "http/1.1 200 OK\r\n",
            "HTTP/1.0 200 OK\r\n",
            "HTTP/1.1 200\r\n",
            "HTTP/1.1  200 OK\r\n",
            "HTTP/1.1 20 OK\r\n",
            "HTTP/1.1 2000 OK\r\n",
            "HTTP/1.1 099 OK\r\n",
            "HTTP/1.1 +20 OK\r\n",
            "HTTP/1.1 200 O\rK\r\n",
            "HTTP/1.1 200 OK\nContent-Length: 3\r\n",
            "HTTP/1.1 200 OK\r\nX\r\n",
            "HTTP/1.1 200 OK\r\n: x\r\n",
            "HTTP/1.1 200 OK\r\nX : x\r\n",
            "HTTP/1.1 200 OK\r\n X: x\r\n",
            "HTTP/1.1 200 OK\r\nX: x\r\n y\r\n",
            "HTTP/1.1 200 OK\r\nX: x\nContent-Length: 3\r\n",
            "HTTP/1.1 200 OK\r\nX: x\rContent-Length: 3\r\n",
            "HTTP/1.1 200 OK\r\nX: \0\r\n",
            "HTTP/1.1 200 OK\r\nX: \u{7f}\r\n",
        ] {
            let answer = format!("{head}Content-Length: 0\r\n\r\n");
            assert!(matches!(Head::parse(answer.as_bytes()), Err(Broken::Malformed("it is not HTTP"))), "{answer:?}");
        }
    }

    #[test]
    fn h1_twin_the_same_head_written_properly_is_read() {
        let answer = "HTTP/1.1 200 OK\r\nX-1: x y\tz\r\nContent-Length: 0\r\n\r\n";
        assert_eq!(read(answer).map(|head| head.content_length), Some(0));
    }
}
