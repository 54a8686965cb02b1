//! What the page's requests are answered with. Every answer has the same headers: those that keep a page to itself.

use super::document::Document;
use crate::requests::view::PageRefusal;
use bytes::Bytes;
use http::header::{self, HeaderName, HeaderValue};
use http::{Response, StatusCode};
use http_body_util::Full;
use serde::Serialize;
use tegata_protocol::text::one_line;

pub(super) type Answer = Response<Full<Bytes>>;

/// A refusal as the page reads it.
#[derive(Serialize)]
struct Refusal<'a> {
    /// What the page does about it.
    error: &'static str,
    /// What it shows.
    message: &'a str,
}

/// The page.
pub(super) fn document() -> Answer {
    with_headers(StatusCode::OK, "text/html; charset=utf-8", Bytes::from_static(Document::get().bytes()))
}

/// What the desk said, as JSON.
pub(super) fn json(body: &impl Serialize) -> Answer {
    match serde_json::to_vec(body) {
        Ok(bytes) => with_headers(StatusCode::OK, "application/json", Bytes::from(bytes)),
        Err(_) => refused(StatusCode::INTERNAL_SERVER_ERROR),
    }
}

/// What the desk refused. An unknown token gets, to the byte, what every other refusal with 403 gets.
pub(super) fn refusal(refusal: &PageRefusal) -> Answer {
    let (status, error) = match refusal {
        PageRefusal::NotYours => return refused(StatusCode::FORBIDDEN),
        PageRefusal::Ceremony(_) => (StatusCode::UNPROCESSABLE_ENTITY, "ceremony"),
        PageRefusal::CoolDown => (StatusCode::TOO_MANY_REQUESTS, "cool_down"),
        PageRefusal::Unavailable(_) => (StatusCode::SERVICE_UNAVAILABLE, "unavailable"),
    };
    let message = one_line(&refusal.to_string());
    with_headers(status, "application/json", written(&Refusal { error, message: &message }))
}

/// A request that broke a rule.
pub(super) fn refused(status: StatusCode) -> Answer {
    let (error, message) = words(status);
    with_headers(status, "application/json", written(&Refusal { error, message: &message }))
}

/// The whole answer to a request that hyper never saw.
pub(super) fn unreadable(status: StatusCode) -> Vec<u8> {
    let (error, message) = words(status);
    let body = written(&Refusal { error, message: &message });
    let answer = with_headers(status, "application/json", body.clone());
    let mut bytes = format!("HTTP/1.1 {status}\r\ncontent-length: {}\r\n", body.len()).into_bytes();
    for (name, value) in answer.headers() {
        bytes.extend_from_slice(&[name.as_str().as_bytes(), b": ", value.as_bytes(), b"\r\n"].concat());
    }
    bytes.extend_from_slice(b"\r\n");
    bytes.extend_from_slice(&body);
    bytes
}

fn words(status: StatusCode) -> (&'static str, String) {
    if status == StatusCode::FORBIDDEN {
        ("over", PageRefusal::NotYours.to_string())
    } else {
        ("refused", status.canonical_reason().unwrap_or("refused").to_lowercase())
    }
}

fn written(refusal: &Refusal<'_>) -> Bytes {
    serde_json::to_vec(refusal).unwrap_or_default().into()
}

fn with_headers(status: StatusCode, kind: &'static str, body: Bytes) -> Answer {
    let mut response = Response::new(Full::new(body));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    headers.insert(header::CONTENT_SECURITY_POLICY, Document::get().policy());
    for (name, value) in ALWAYS {
        headers.insert(HeaderName::from_static(name), HeaderValue::from_static(value));
    }
    response
}

/// No cookie is among them, on purpose: ports do not keep cookies apart. Nor is anything that shares with other origins.
const ALWAYS: [(&str, &str); 8] = [
    ("cache-control", "no-store"),
    ("connection", "close"),
    ("cross-origin-opener-policy", "same-origin"),
    ("cross-origin-resource-policy", "same-origin"),
    ("permissions-policy", "publickey-credentials-get=(self), publickey-credentials-create=(self)"),
    ("referrer-policy", "no-referrer"),
    ("x-content-type-options", "nosniff"),
    ("x-frame-options", "DENY"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn c9_an_unknown_token_and_a_broken_rule_look_alike() {
        let (unknown, broken) = (refusal(&PageRefusal::NotYours), refused(StatusCode::FORBIDDEN));
        assert_eq!(unknown.status(), broken.status());
        assert_eq!(unknown.headers(), broken.headers());
        assert_eq!(format!("{:?}", unknown.body()), format!("{:?}", broken.body()));
    }

    #[test]
    fn c9_twin_what_the_page_has_to_tell_apart_is_told_apart() {
        let statuses = [
            PageRefusal::NotYours,
            PageRefusal::Ceremony(String::from("the passkey is not enrolled")),
            PageRefusal::CoolDown,
            PageRefusal::Unavailable(String::from("the keyring is locked")),
        ]
        .map(|error| refusal(&error).status().as_u16());
        assert_eq!(statuses, [403, 422, 429, 503]);
    }

    #[test]
    fn e10_a_refusal_is_one_bounded_line() {
        let hostile = PageRefusal::Unavailable(format!("a\u{1b}]52;c;x\u{7}\r\n\u{202e}{}", "b".repeat(10_000)));
        let body = format!("{:?}", refusal(&hostile).body());
        assert!(body.contains("u{1b}") && !body.contains('\u{202e}') && body.len() < 1000, "{body}");
    }

    #[test]
    fn c17_an_answer_that_hyper_never_saw_has_the_headers_too() {
        let answer = String::from_utf8(unreadable(StatusCode::BAD_REQUEST)).unwrap();
        assert!(answer.starts_with("HTTP/1.1 400 Bad Request\r\n"), "{answer}");
        for (name, value) in ALWAYS {
            assert!(answer.contains(&format!("\r\n{name}: {value}\r\n")), "{answer}");
        }
        assert!(answer.contains("\r\ncontent-security-policy: default-src 'none';"), "{answer}");
    }
}
