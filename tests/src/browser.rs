//! The least of a browser: fetches a page on a loopback address and follows its redirects, as a person's click would.

use std::io::{self, Read, Write};
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
    try_visit(url).unwrap_or_else(|error| panic!("{url}: {error}"))
}

/// Opens `url` and follows at most five redirects; an error when nobody answers one of them.
///
/// # Errors
/// What the connection said.
///
/// # Panics
/// When the address is not loopback http.
pub fn try_visit(url: &str) -> io::Result<Page> {
    let mut page = try_fetch(url)?;
    for _ in 0..5 {
        let Some(next) = page.header("location").filter(|_| (300..400).contains(&page.status)) else { break };
        page = try_fetch(&next)?;
    }
    Ok(page)
}

/// Opens `url` and follows nothing.
///
/// # Panics
/// As [`visit`].
#[must_use]
pub fn fetch(url: &str) -> Page {
    try_fetch(url).unwrap_or_else(|error| panic!("{url}: {error}"))
}

fn try_fetch(url: &str) -> io::Result<Page> {
    let rest = url.strip_prefix("http://").unwrap_or_else(|| panic!("not an http address: {url}"));
    let (authority, path) =
        rest.split_once('/').map_or((rest, String::from("/")), |(host, path)| (host, format!("/{path}")));
    let mut stream = TcpStream::connect(authority)?;
    assert!(stream.peer_addr().is_ok_and(|peer| peer.ip().is_loopback()), "{authority} is not this machine");
    stream.set_read_timeout(Some(PATIENCE))?;
    write!(stream, "GET {path} HTTP/1.1\r\nHost: {authority}\r\nAccept: text/html\r\nConnection: close\r\n\r\n")?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer)?;
    let answer = String::from_utf8_lossy(&answer).into_owned();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap_or((&answer, ""));
    let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or(0);
    Ok(Page { url: url.to_owned(), status, head: head.to_owned(), body: body.to_owned() })
}

impl Page {
    /// Returns a header's value.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<String> {
        let mut lines = self.head.lines().skip(1).filter_map(|line| line.split_once(':'));
        lines.find(|(found, _)| found.eq_ignore_ascii_case(name)).map(|(_, value)| value.trim().to_owned())
    }
}
