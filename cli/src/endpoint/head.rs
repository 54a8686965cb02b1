//! The head of a request, as the AWS SDKs write it; anything two readers might understand differently is refused (RFC 9112, 11.2).

use super::rules::Refusal;
use tegata_protocol::Secret;

const END: &[u8] = b"\r\n\r\n";
/// SDKs send five to ten headers.
const MAX_HEADERS: usize = 64;

/// A request that is well-formed. Whether it is let in is another question.
#[derive(Debug)]
pub(super) struct Request {
    pub(super) method: String,
    /// As it was sent, query included.
    pub(super) target: String,
    /// Names in lower case. A value may be the token.
    headers: Vec<(String, Secret)>,
}

impl Request {
    /// Reads a head; nothing while it is incomplete.
    pub(super) fn parse(bytes: &[u8]) -> Result<Option<Self>, Refusal> {
        let Some(end) = bytes.windows(END.len()).position(|window| window == END) else {
            // A line end alone is none; who sends one may never send the end of a head.
            return if has_lone_line_end(bytes) { Err(Refusal::Malformed) } else { Ok(None) };
        };
        if bytes.len() > end + END.len() {
            // A second request, or a body that nothing announced.
            return Err(Refusal::Malformed);
        }
        let text = bytes.get(..end).and_then(|head| std::str::from_utf8(head).ok()).ok_or(Refusal::Malformed)?;
        let mut lines = text.split("\r\n");
        let (method, target) = lines.next().and_then(request_line).ok_or(Refusal::Malformed)?;
        let headers = lines.map(header).collect::<Option<Vec<_>>>().ok_or(Refusal::Malformed)?;
        if headers.len() > MAX_HEADERS {
            return Err(Refusal::TooLarge);
        }
        let request = Self { method: method.to_owned(), target: target.to_owned(), headers };
        request.has_no_body().then_some(Some(request)).ok_or(Refusal::Malformed)
    }

    /// Returns the value of a header that is there exactly once.
    pub(super) fn single(&self, name: &str) -> Option<&str> {
        let mut values = self.all(name);
        let value = values.next()?;
        values.next().is_none().then_some(value)
    }

    /// Whether a header is there, with whatever value.
    pub(super) fn has(&self, name: &str) -> bool {
        self.all(name).next().is_some()
    }

    fn all(&self, name: &str) -> impl Iterator<Item = &str> {
        self.headers.iter().filter(move |header| header.0 == name).map(|header| header.1.expose_secret())
    }

    /// A GET here has no body; a length is tolerated once, if it says so.
    fn has_no_body(&self) -> bool {
        let length = !self.has("content-length") || self.single("content-length") == Some("0");
        length && !self.has("transfer-encoding")
    }
}

/// `GET /path HTTP/1.1` (RFC 9112, 3): one blank, a target in origin form, this version.
fn request_line(line: &str) -> Option<(&str, &str)> {
    let (method, rest) = line.split_once(' ')?;
    let target = rest.strip_suffix(" HTTP/1.1")?;
    let is_method = !method.is_empty() && method.bytes().all(|byte| byte.is_ascii_uppercase());
    let is_target = target.starts_with('/') && target.bytes().all(|byte| byte.is_ascii_graphic());
    (is_method && is_target).then_some((method, target))
}

/// A header line (RFC 9112, 5). One that goes on in the next line has no name there, and is refused.
fn header(line: &str) -> Option<(String, Secret)> {
    let (name, value) = line.split_once(':')?;
    let is_name = !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte));
    let is_value = value.bytes().all(|byte| byte == b'\t' || !byte.is_ascii_control());
    (is_name && is_value).then(|| (name.to_ascii_lowercase(), Secret::new(value.trim_matches([' ', '\t']).to_owned())))
}

fn has_lone_line_end(bytes: &[u8]) -> bool {
    let mut before = 0;
    bytes.iter().any(|byte| std::mem::replace(&mut before, *byte) != b'\r' && *byte == b'\n')
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEAD: &str = "GET /x HTTP/1.1\r\nHost: 127.0.0.1:1\r\nAccept: */*\r\nAuthorization: t\r\n\r\n";

    #[test]
    fn c24_twin_the_head_of_an_sdk_is_read_once_it_is_whole() {
        for length in 0..HEAD.len() {
            assert!(matches!(Request::parse(&HEAD.as_bytes()[..length]), Ok(None)), "{length} bytes");
        }
        let request = Request::parse(HEAD.as_bytes()).unwrap().unwrap();
        assert_eq!((request.method.as_str(), request.target.as_str()), ("GET", "/x"));
        assert_eq!((request.single("host"), request.single("authorization")), (Some("127.0.0.1:1"), Some("t")));
        assert!(request.has("accept") && !request.has("origin"));
    }

    #[test]
    fn c24_heads_two_readers_may_understand_differently_are_refused() {
        for head in [
            "GET /x HTTP/1.0\r\nHost: a\r\n\r\n",
            "GET /x HTTP/2.0\r\nHost: a\r\n\r\n",
            "GET  /x HTTP/1.1\r\nHost: a\r\n\r\n",
            "GET /x  HTTP/1.1\r\nHost: a\r\n\r\n",
            "GET /x y HTTP/1.1\r\nHost: a\r\n\r\n",
            "get /x HTTP/1.1\r\nHost: a\r\n\r\n",
            "GET http://evil.test/x HTTP/1.1\r\nHost: a\r\n\r\n",
            "CONNECT evil.test:443 HTTP/1.1\r\nHost: a\r\n\r\n",
            "OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n",
            "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
            "GET /x HTTP/1.1\nHost: a\r\n\r\n",
            "GET /x HTTP/1.1\r\nHost: a\n\n",
            "GET /x HTTP/1.1\r\nHost: a\rX: b\r\n\r\n",
            "GET /x HTTP/1.1\r\nHost : a\r\n\r\n",
            "GET /x HTTP/1.1\r\n Host: a\r\n\r\n",
            "GET /x HTTP/1.1\r\nHost: a\r\n b\r\n\r\n",
            "GET /x HTTP/1.1\r\nHost\r\n\r\n",
            "GET /x HTTP/1.1\r\n: a\r\n\r\n",
            "GET /x HTTP/1.1\r\nX: \0\r\n\r\n",
            "GET /x HTTP/1.1\r\nContent-Length: 0\r\nContent-Length: 0\r\n\r\n",
            "GET /x HTTP/1.1\r\nContent-Length: 5\r\n\r\nhello",
            "GET /x HTTP/1.1\r\nContent-Length: +0\r\n\r\n",
            "GET /x HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
            "GET /x HTTP/1.1\r\nTransfer-Encoding: xchunked\r\n\r\n",
            "GET /x HTTP/1.1\r\nHost: a\r\n\r\nGET /y HTTP/1.1\r\n\r\n",
            "\r\n\r\n",
            "\r\nGET /x HTTP/1.1\r\nHost: a\r\n\r\n",
        ] {
            assert!(matches!(Request::parse(head.as_bytes()), Err(Refusal::Malformed)), "{head:?}");
        }
    }

    #[test]
    fn c24_more_headers_than_any_client_sends_are_too_many() {
        let head = |count| format!("GET /x HTTP/1.1\r\n{}\r\n", "X: y\r\n".repeat(count));
        assert!(matches!(Request::parse(head(101).as_bytes()), Err(Refusal::TooLarge)));
        assert!(matches!(Request::parse(head(64).as_bytes()), Ok(Some(_))));
    }

    #[test]
    fn a_header_that_is_there_twice_has_no_value() {
        let request = Request::parse(b"GET /x HTTP/1.1\r\nhost: a\r\nHOST: a\r\n\r\n").unwrap().unwrap();
        assert!(request.single("host").is_none() && request.has("host"));
    }

    #[test]
    fn e3_the_token_is_not_in_what_is_shown_of_a_request() {
        let head = "GET /x HTTP/1.1\r\nAuthorization: CANARY\r\n\r\n";
        assert!(!format!("{:?}", Request::parse(head.as_bytes()).unwrap()).contains("CANARY"));
    }
}
