//! The least of a browser: fetches a page on a loopback address and follows its redirects, as a person's click would.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

/// How long one page may take.
const PATIENCE: Duration = Duration::from_secs(20);

/// A page as it came in the end.
#[derive(Debug)]
pub struct Page {
    /// Its address, after the redirects.
    pub url: String,
    /// The HTTP status.
    pub status: u16,
    /// The head, as sent.
    pub head: String,
    /// The body.
    pub body: String,
}

/// Opens `url` and follows at most five redirects.
///
/// # Panics
/// When the address is not loopback http, or nobody answers.
#[must_use]
pub fn visit(url: &str) -> Page {
    let mut page = fetch(url);
    for _ in 0..5 {
        let Some(next) = page.header("location").filter(|_| (300..400).contains(&page.status)) else { break };
        page = fetch(&next);
    }
    page
}

/// Opens `url` and follows nothing.
///
/// # Panics
/// As [`visit`].
#[must_use]
pub fn fetch(url: &str) -> Page {
    let rest = url.strip_prefix("http://").unwrap_or_else(|| panic!("not an http address: {url}"));
    let (authority, path) =
        rest.split_once('/').map_or((rest, String::from("/")), |(host, path)| (host, format!("/{path}")));
    let mut stream = TcpStream::connect(authority).unwrap_or_else(|error| panic!("{authority}: {error}"));
    assert!(stream.peer_addr().is_ok_and(|peer| peer.ip().is_loopback()), "{authority} is not this machine");
    stream.set_read_timeout(Some(PATIENCE)).expect("a socket has timeouts");
    write!(stream, "GET {path} HTTP/1.1\r\nHost: {authority}\r\nAccept: text/html\r\nConnection: close\r\n\r\n")
        .expect("the page is asked for");
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).expect("the page arrives and the connection ends, as was asked for");
    let answer = String::from_utf8_lossy(&answer).into_owned();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap_or((&answer, ""));
    let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or(0);
    Page { url: url.to_owned(), status, head: head.to_owned(), body: body.to_owned() }
}

impl Page {
    /// Returns a header's value.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<String> {
        let mut lines = self.head.lines().skip(1).filter_map(|line| line.split_once(':'));
        lines.find(|(found, _)| found.eq_ignore_ascii_case(name)).map(|(_, value)| value.trim().to_owned())
    }
}
