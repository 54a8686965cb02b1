//! The endpoint over real sockets, with a source of the test's own in place of the daemon.

use super::*;
use crate::failure::Kind;
use crate::http::{self, Request as Asked};
use std::sync::atomic::{AtomicUsize, Ordering};
use tegata_protocol::ErrorCode;

const CREDENTIALS: &str =
    r#"{"AccessKeyId":"ASIAX","SecretAccessKey":"CANARY","Token":"t","Expiration":"2026-11-22T09:07:58Z"}"#;

/// What the daemon's connection reads and writes.
struct Daemon(&'static [u8]);

impl Read for Daemon {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.0.read(buffer)
    }
}

impl Write for Daemon {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn answered() -> Response {
    let answer = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{CREDENTIALS}", CREDENTIALS.len());
    http::exchange(&mut Daemon(answer.leak().as_bytes()), &Asked::new(http::Method::Get, "/", None)).unwrap()
}

struct Open {
    endpoint: Endpoint,
    host: String,
    path: String,
    asked: Arc<AtomicUsize>,
}

fn open() -> Open {
    let asked = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&asked);
    let endpoint = Endpoint::open(Box::new(move || {
        counted.fetch_add(1, Ordering::SeqCst);
        Ok(answered())
    }))
    .unwrap();
    let (host, path) = endpoint.url.strip_prefix("http://").unwrap().split_once('/').unwrap();
    Open { host: host.to_owned(), path: format!("/{path}"), asked, endpoint }
}

impl Open {
    fn head(&self) -> String {
        let token = self.endpoint.token.expose_secret();
        format!("GET {} HTTP/1.1\r\nHost: {}\r\nAuthorization: {token}\r\n\r\n", self.path, self.host)
    }

    fn connect(&self) -> TcpStream {
        let stream = TcpStream::connect(&self.host).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
        stream
    }

    fn ask(&self, request: &str) -> String {
        let mut stream = self.connect();
        stream.write_all(request.as_bytes()).unwrap();
        read(&mut stream)
    }
}

/// Everything up to the end of the connection.
fn read(stream: &mut TcpStream) -> String {
    let mut answer = String::new();
    let _ = stream.read_to_string(&mut answer);
    answer
}

#[test]
fn c29_the_address_is_the_literal_one_and_path_and_token_are_of_this_run() {
    let (one, two) = (open(), open());
    for open in [&one, &two] {
        assert!(open.host.starts_with("127.0.0.1:"), "{}", open.endpoint.url);
        assert_eq!((open.path.len(), open.endpoint.token.expose_secret().len()), (33, 64));
    }
    assert!(one.path != two.path && one.endpoint.token.expose_secret() != two.endpoint.token.expose_secret());
    assert!(!format!("{:?}", one.endpoint).contains(one.endpoint.token.expose_secret()));
}

#[test]
fn a_client_gets_what_the_daemon_sent_and_each_request_is_asked_anew() {
    let open = open();
    for times in 1..=2 {
        let answer = open.ask(&open.head());
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        assert!(head.starts_with("HTTP/1.1 200 OK\r\n") && head.contains("connection: close"), "{head}");
        assert_eq!((body, open.asked.load(Ordering::SeqCst)), (CREDENTIALS, times));
    }
}

#[test]
fn a_failure_reaches_the_client_in_words() {
    let endpoint = Endpoint::open(Box::new(|| {
        Err(Failure::new(Kind::Reported(ErrorCode::Locked), "Tegata is locked").mend("tegata unlock"))
    }))
    .unwrap();
    let (host, path) = endpoint.url.strip_prefix("http://").unwrap().split_once('/').unwrap();
    let open = Open { host: host.to_owned(), path: format!("/{path}"), asked: Arc::default(), endpoint };
    let answer = open.ask(&open.head());
    assert!(answer.starts_with("HTTP/1.1 403 "), "{answer}");
    assert!(answer.contains(r#""Message":"tegata: Tegata is locked; run: tegata unlock""#), "{answer}");
}

#[test]
fn c24_a_second_request_on_a_connection_is_never_served() {
    let open = open();
    let mut stream = open.connect();
    stream.write_all(open.head().as_bytes()).unwrap();
    let answer = read(&mut stream);
    assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
    let _ = stream.write_all(open.head().as_bytes());
    assert_eq!((read(&mut stream).as_str(), open.asked.load(Ordering::SeqCst)), ("", 1));
    let together = open.ask(&format!("{}{}", open.head(), open.head()));
    assert!(together.starts_with("HTTP/1.1 400 ") && !together.contains("CANARY"), "{together}");
}

#[test]
fn c24_a_head_without_end_is_cut_off_where_the_bound_is() {
    let open = open();
    let mut stream = open.connect();
    let filler = "x".repeat(1_000_000);
    let _ = stream.write_all(format!("GET {} HTTP/1.1\r\nX: {filler}", open.path).as_bytes());
    let answer = read(&mut stream);
    assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 431 "), "{answer}");
    assert_eq!(open.asked.load(Ordering::SeqCst), 0);
}

#[test]
fn c25_a_head_that_does_not_end_is_closed_and_others_are_served_meanwhile() {
    let open = open();
    let mut slow: Vec<_> = (0..8).map(|_| open.connect()).collect();
    for stream in &mut slow {
        stream.write_all(b"GET / HTTP/1.1\r\nHost: 127").unwrap();
    }
    assert!(open.ask(&open.head()).starts_with("HTTP/1.1 200 "));
    for stream in &mut slow {
        assert_eq!(read(stream), "", "ended without a word");
    }
}

#[test]
fn a20_whoever_speaks_is_served_however_many_say_nothing() {
    let open = open();
    let mut idle: Vec<_> = (0..200).map(|_| open.connect()).collect();
    assert!(open.ask(&open.head()).starts_with("HTTP/1.1 200 "));
    assert_eq!(read(&mut idle[0]), "", "the oldest gives way");
}
