//! What a browser asks and what it is answered. Pure.

use subtle::ConstantTimeEq;
use tegata_protocol::Secret;

/// The head of a request.
pub(super) type Request = String;

/// What is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Asked {
    /// The page there is.
    ThePage,
    /// Anything else, or in any other way than a person's browser asks.
    Nothing,
}

/// Reads a head. The host has to be the address itself: a page elsewhere whose name leads to this machine asks by its own name.
pub(super) fn read(head: &str, port: u16, secret: &Secret) -> Asked {
    let mut lines = head.split("\r\n");
    let mut words = lines.next().unwrap_or_default().split(' ');
    let (method, target, version) = (words.next(), words.next().unwrap_or_default(), words.next());
    let headers: Vec<(&str, &str)> = lines.filter_map(|line| line.split_once(':')).collect();
    let values = |name: &str| {
        let of = headers.iter().filter(|(other, _)| other.eq_ignore_ascii_case(name));
        of.map(|(_, value)| value.trim().to_owned()).collect::<Vec<_>>()
    };
    let asked_well = method == Some("GET")
        && matches!(version, Some("HTTP/1.1" | "HTTP/1.0"))
        && words.next().is_none()
        && values("host") == [format!("127.0.0.1:{port}")]
        && values("origin").is_empty();
    let wanted = format!("/{}", secret.expose_secret());
    let right = bool::from(target.as_bytes().ct_eq(wanted.as_bytes()));
    if asked_well && right { Asked::ThePage } else { Asked::Nothing }
}

/// The one answer that leads on. Its address is in no page and is sent on to nobody (RFC 9110, 15.4.3).
pub(super) fn redirect(to: &Secret) -> Secret {
    Secret::new(format!(
        "HTTP/1.1 302 Found\r\nLocation: {}\r\nReferrer-Policy: no-referrer\r\nCache-Control: no-store\r\n\
         Content-Length: 0\r\nConnection: close\r\n\r\n",
        to.expose_secret()
    ))
}

pub(super) fn gone() -> String {
    page("410 Gone", "This address was good once and has been used. Run the command again.")
}

pub(super) fn not_found() -> String {
    page("404 Not Found", "There is nothing here.")
}

fn page(status: &str, text: &str) -> String {
    format!(
        "HTTP/1.1 {status}\r\nContent-Type: text/plain; charset=utf-8\r\nX-Content-Type-Options: nosniff\r\n\
         Cache-Control: no-store\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{text}\n",
        text.len() + 1
    )
}
