//! One strict reading of a request's head, before hyper reads it: where two readers could differ, nobody is answered.
//!
//! hyper 1.12 takes bare line feeds, Transfer-Encoding beside Content-Length and equal Content-Lengths twice, and says nothing but a
//! status to what it refuses. Browsers send none of that. The checking is pure; [`read`] alone touches the stream.

use http::StatusCode;
use tokio::io::{AsyncRead, AsyncReadExt as _};

/// Every browser's head is a few hundred bytes.
pub(super) const LONGEST_HEAD: usize = 16 * 1024;
pub(super) const MOST_HEADERS: usize = 64;
const END: &[u8] = b"\r\n\r\n";

/// Why there is no head.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum NoHead {
    /// Whoever connected has gone.
    Gone,
    /// It is refused with this status.
    Refused(StatusCode),
}

/// Reads until the head is whole and found strict. What was read after it belongs to the body.
pub(super) async fn read(stream: &mut (impl AsyncRead + Unpin)) -> Result<Vec<u8>, NoHead> {
    let mut read = Vec::with_capacity(2048);
    loop {
        if let Some(end) = end(&read) {
            return check(&read[..end]).map(|()| read).map_err(NoHead::Refused);
        }
        if has_bare_line_feed(&read) {
            return Err(NoHead::Refused(StatusCode::BAD_REQUEST));
        }
        if read.len() >= LONGEST_HEAD {
            return Err(NoHead::Refused(StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE));
        }
        let room = LONGEST_HEAD - read.len();
        match (&mut *stream).take(room as u64).read_buf(&mut read).await {
            Ok(0) | Err(_) => return Err(NoHead::Gone),
            Ok(_) => {}
        }
    }
}

/// Where the body begins.
fn end(read: &[u8]) -> Option<usize> {
    read.windows(END.len()).position(|window| window == END).map(|at| at + END.len())
}

fn has_bare_line_feed(read: &[u8]) -> bool {
    (0..read.len()).any(|at| read[at] == b'\n' && (at == 0 || read[at - 1] != b'\r'))
}

/// Checks a whole head, its empty line included (RFC 9112, sections 2.2, 3, 5 and 6).
fn check(head: &[u8]) -> Result<(), StatusCode> {
    let bad = StatusCode::BAD_REQUEST;
    let text = head.strip_suffix(END).and_then(|head| std::str::from_utf8(head).ok()).ok_or(bad)?;
    // Visible ASCII, spaces and tabs: no browser sends anything else in a head, and this leaves no bare CR or LF in a line.
    let mut lines = text.split("\r\n");
    if !lines.clone().all(|line| line.bytes().all(|byte| byte == b'\t' || (b' '..=b'~').contains(&byte))) {
        return Err(bad);
    }
    if !lines.next().is_some_and(is_request_line) {
        return Err(bad);
    }
    if lines.clone().count() > MOST_HEADERS {
        return Err(StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE);
    }
    let fields: Option<Vec<_>> = lines.map(field).collect();
    if one_framing(&fields.ok_or(bad)?) { Ok(()) } else { Err(bad) }
}

/// A method, a path and the only version: no proxy's, tunnel's or HTTP/2's first line.
fn is_request_line(line: &str) -> bool {
    let mut words = line.split(' ');
    let method = words.next().is_some_and(|word| !word.is_empty() && word.bytes().all(|b| b.is_ascii_uppercase()));
    let target = words.next().is_some_and(|word| word.starts_with('/') && word.parse::<http::Uri>().is_ok());
    method && target && words.next() == Some("HTTP/1.1") && words.next().is_none()
}

/// A field's name and value. A folded line has no name, and a space before the colon is none of a name's characters.
fn field(line: &str) -> Option<(&str, &str)> {
    let (name, value) = line.split_once(':')?;
    let is_token = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
    (!name.is_empty() && name.bytes().all(is_token)).then(|| (name, value.trim_matches([' ', '\t'])))
}

/// At most one length, told in digits, and no other way of saying where the body ends.
fn one_framing(fields: &[(&str, &str)]) -> bool {
    let named = |wanted: &'static str| fields.iter().filter(move |(name, _)| name.eq_ignore_ascii_case(wanted));
    let is_number = |value: &str| !value.is_empty() && value.len() <= 19 && value.bytes().all(|b| b.is_ascii_digit());
    named("transfer-encoding").next().is_none()
        && named("content-length").count() <= 1
        && named("content-length").all(|(_, value)| is_number(value))
}

#[cfg(test)]
mod tests {
    use super::*;

    const OK: &str = "POST /api/view HTTP/1.1\r\nHost: tegata.localhost:1\r\nContent-Length: 2\r\n\r\n";

    fn checked(head: &str) -> Result<(), u16> {
        check(head.as_bytes()).map_err(|status| status.as_u16())
    }

    #[test]
    fn c24_a_head_that_two_readers_could_read_differently_is_refused() {
        for head in [
            "POST / HTTP/1.1\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n",
            "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n",
            "POST / HTTP/1.1\r\nTransfer-Encoding: xchunked\r\n\r\n",
            "POST / HTTP/1.1\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\n",
            "POST / HTTP/1.1\r\nContent-Length: 2\r\nContent-Length: 2\r\n\r\n",
            "POST / HTTP/1.1\r\nContent-Length: 2, 2\r\n\r\n",
            "POST / HTTP/1.1\r\nContent-Length: +2\r\n\r\n",
            "POST / HTTP/1.1\r\nContent-Length: -1\r\n\r\n",
            "POST / HTTP/1.1\r\nContent-Length: 0x2\r\n\r\n",
            "POST / HTTP/1.1\r\nContent-Length:\r\n\r\n",
            "POST / HTTP/1.1\r\nHost : a\r\n\r\n",
            "POST / HTTP/1.1\r\nHost: a\r\n folded: b\r\n\r\n",
            "POST / HTTP/1.1\r\n folded: b\r\n\r\n",
            "POST / HTTP/1.1\r\nno colon\r\n\r\n",
            "POST / HTTP/1.1\r\n: no name\r\n\r\n",
            "POST / HTTP/1.1\r\nHost: a\rX: b\r\n\r\n",
            "POST / HTTP/1.1\nHost: a\r\n\r\n",
            "POST / HTTP/1.1\r\nHost: a\0\r\n\r\n",
            "POST / HTTP/1.1\r\nHost: \u{e4}\r\n\r\n",
        ] {
            assert_eq!(checked(head), Err(400), "{head:?}");
        }
    }

    #[test]
    fn c24_first_lines_of_proxies_tunnels_and_other_versions_are_refused() {
        for line in [
            "GET http://evil.test/ HTTP/1.1",
            "CONNECT evil.test:443 HTTP/1.1",
            "OPTIONS * HTTP/1.1",
            "PRI * HTTP/2.0",
            "GET / HTTP/1.0",
            "GET / HTTP/2.0",
            "GET /",
            "GET  / HTTP/1.1",
            "GET / HTTP/1.1 ",
            " GET / HTTP/1.1",
            "get / HTTP/1.1",
            "",
        ] {
            assert_eq!(checked(&format!("{line}\r\nHost: a\r\n\r\n")), Err(400), "{line:?}");
        }
    }

    #[test]
    fn c24_twin_what_a_browser_sends_is_read() {
        assert_eq!(checked(OK), Ok(()));
        assert_eq!(
            checked("GET / HTTP/1.1\r\nHost:tegata.localhost:1\r\nsec-ch-ua: \"A\";v=\"1\"\r\nX-Empty:\r\n\r\n"),
            Ok(())
        );
    }

    #[test]
    fn c24_more_headers_than_any_browser_sends_are_refused() {
        let with = |count| format!("GET / HTTP/1.1\r\n{}\r\n", "A: b\r\n".repeat(count));
        assert_eq!(checked(&with(MOST_HEADERS)), Ok(()));
        assert_eq!(checked(&with(MOST_HEADERS + 1)), Err(431));
    }

    #[tokio::test]
    async fn what_follows_the_head_is_kept_for_the_body() {
        let sent = format!("{OK}{{}}");
        assert_eq!(read(&mut sent.as_bytes()).await.unwrap(), sent.as_bytes());
    }

    #[tokio::test]
    async fn c24_a_bare_line_feed_is_refused_before_the_head_has_an_end() {
        for sent in ["GET / HTTP/1.1\n\n", "\nGET / HTTP/1.1\r\n", "GET / HTTP/1.1\r\nHost: a\n\r\n"] {
            assert_eq!(read(&mut sent.as_bytes()).await, Err(NoHead::Refused(StatusCode::BAD_REQUEST)), "{sent:?}");
        }
    }

    #[tokio::test]
    async fn c24_a_head_without_end_is_read_up_to_the_limit() {
        let sent = format!("GET / HTTP/1.1\r\nA: {}", "a".repeat(1_000_000));
        let mut left = sent.as_bytes();
        assert_eq!(read(&mut left).await, Err(NoHead::Refused(StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE)));
        assert_eq!(left.len(), sent.len() - LONGEST_HEAD);
    }

    #[tokio::test]
    async fn a_head_cut_short_is_nobody() {
        assert_eq!(read(&mut &b"GET / HTT"[..]).await, Err(NoHead::Gone));
        assert_eq!(read(&mut &b""[..]).await, Err(NoHead::Gone));
    }
}
