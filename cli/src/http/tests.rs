use super::*;

/// A server that has said everything already, a few bytes per read.
struct Script {
    answer: Vec<u8>,
    said: usize,
    step: usize,
    heard: Vec<u8>,
}

impl Script {
    fn new(answer: impl AsRef<[u8]>) -> Self {
        Self { answer: answer.as_ref().to_vec(), said: 0, step: usize::MAX, heard: Vec::new() }
    }
}

impl Read for Script {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let rest = &self.answer[self.said..];
        let count = rest.len().min(buffer.len()).min(self.step);
        buffer[..count].copy_from_slice(&rest[..count]);
        self.said += count;
        Ok(count)
    }
}

impl Write for Script {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.heard.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn ask(answer: impl AsRef<[u8]>) -> Result<Response, Broken> {
    exchange(&mut Script::new(answer), &Request::new(Method::Get, "/v1/status", None))
}

fn refusal(answer: impl AsRef<[u8]>) -> &'static str {
    match ask(answer) {
        Err(Broken::Malformed(why)) => why,
        Err(other) => panic!("another error: {other:?}"),
        Ok(_) => panic!("it was accepted"),
    }
}

const GOOD: &str = "HTTP/1.1 200 OK\r\nTegata-Protocol: 1\r\nContent-Length: 4\r\n\r\nbody";

#[test]
fn a_request_is_one_head_and_its_body() {
    let mut script = Script::new(GOOD);
    exchange(&mut script, &Request::new(Method::Post, "/v1/sign-ins", Some(b"{}"))).ok().unwrap();
    assert_eq!(
        String::from_utf8(script.heard).unwrap(),
        "POST /v1/sign-ins HTTP/1.1\r\nhost: tegata\r\ntegata-protocol: 1\r\nconnection: close\r\n\
         content-type: application/json\r\ncontent-length: 2\r\n\r\n{}"
    );
}

#[test]
fn an_answer_is_read_whole_however_it_is_cut() {
    for step in [1, 2, 7, 64, usize::MAX] {
        let mut script = Script { step, ..Script::new(GOOD) };
        let response = exchange(&mut script, &Request::new(Method::Get, "/", None)).ok().unwrap();
        assert_eq!((response.status, response.protocol, response.body()), (200, Some(1), &b"body"[..]));
    }
}

#[test]
fn a_body_larger_than_the_first_read_is_read_whole() {
    let body = "x".repeat(300_000);
    let answer = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{body}", body.len());
    assert_eq!(ask(answer).ok().unwrap().body(), body.as_bytes());
}

#[test]
fn a_line_ends_exactly_once() {
    for body in ["abc", "abc\n"] {
        let answer = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{body}", body.len());
        assert_eq!(ask(answer).ok().unwrap().into_line().bytes(), b"abc\n");
    }
}

#[test]
fn an_answer_without_a_body_needs_no_length() {
    assert_eq!(ask("HTTP/1.1 204 No Content\r\n\r\n").ok().unwrap().body(), b"");
}

#[test]
fn answers_out_of_shape_are_refused() {
    assert_eq!(refusal("SSH-2.0-OpenSSH_9.2\r\n"), "it is not HTTP");
    assert_eq!(refusal("HTTP/1.1 200 OK\r\n\r\n"), "it has not exactly one Content-Length");
    assert_eq!(refusal("HTTP/1.1 200 OK\r\nContent-Length: +4\r\n\r\nbody"), "its Content-Length is no number");
    assert_eq!(refusal("HTTP/1.1 200 OK\r\nContent-Length: 4, 4\r\n\r\nbody"), "its Content-Length is no number");
    assert_eq!(
        refusal("HTTP/1.1 200 OK\r\nContent-Length: 4\r\nContent-Length: 5\r\n\r\nbody"),
        "it has not exactly one Content-Length"
    );
    assert_eq!(
        refusal("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\nbody"),
        "it has a Transfer-Encoding"
    );
    assert_eq!(refusal("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nbody"), "it is longer than it says");
}

#[test]
fn a_body_over_the_bound_is_refused_from_the_head_alone() {
    for length in ["1048577", "10000000", "9223372036854775808", "99999999999999999999999999"] {
        assert_eq!(refusal(format!("HTTP/1.1 200 OK\r\nContent-Length: {length}\r\n\r\n")), "it is too long");
    }
}

#[test]
fn a_head_without_an_end_is_refused_at_the_bound() {
    let endless = format!("HTTP/1.1 200 OK\r\nX: {}", "x".repeat(10_000_000));
    let mut script = Script { step: 4096, ..Script::new(endless) };
    let refused = exchange(&mut script, &Request::new(Method::Get, "/", None));
    assert!(matches!(refused, Err(Broken::Malformed("its head is too long"))));
    assert!(script.said <= 2 * MAX_HEAD_BYTES, "{} bytes were read", script.said);
}

#[test]
fn a_cut_answer_is_not_a_shorter_one() {
    let cut = &GOOD[..GOOD.len() - 1];
    assert!(matches!(ask(cut), Err(Broken::Closed { answered: true })));
    assert!(matches!(ask(""), Err(Broken::Closed { answered: false })));
}

#[test]
fn a_protocol_number_that_is_no_number_or_given_twice_counts_as_none() {
    for header in ["Tegata-Protocol: one", "Tegata-Protocol: 1\r\nTegata-Protocol: 2", "X: y"] {
        let response = ask(format!("HTTP/1.1 200 OK\r\n{header}\r\nContent-Length: 0\r\n\r\n")).ok().unwrap();
        assert_eq!(response.protocol, None, "{header}");
    }
}
