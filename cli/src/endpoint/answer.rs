//! What is answered, and in which words: an SDK shows its user what it finds under `message`.

use super::rules::Refusal;
use crate::failure::{Failure, Kind};
use crate::http::Response;
use serde_json::json;
use tegata_protocol::ErrorCode;

/// A whole answer. Credentials in it are wiped when it is dropped.
pub(super) struct Answer {
    status: u16,
    body: Body,
}

enum Body {
    /// What the daemon sent.
    Credentials(Response),
    /// Words of our own.
    Text(String),
}

impl Answer {
    pub(super) fn credentials(response: Response) -> Self {
        Self { status: 200, body: Body::Credentials(response) }
    }

    /// Answers a request that is not let in. Whoever has no token is told the same, whatever was wrong.
    pub(super) fn refused(refusal: Refusal) -> Self {
        let (status, code, message) = match refusal {
            Refusal::Malformed => (400, "bad_request", "this is no request of HTTP/1.1"),
            Refusal::TooLarge => (431, "too_large", "the request's head is larger than what is read"),
            Refusal::Method => (405, "bad_request", "there is only GET here"),
            Refusal::Forbidden => (403, "forbidden", "this endpoint is for another program"),
            Refusal::NotFound => (404, "not_found", "there is nothing here"),
        };
        Self::said(status, code, message)
    }

    /// Answers why there are no credentials. What a person has to mend is a 403, which the Rust SDK does not try again; what passes
    /// by itself is a 503, which it does. botocore and JS try again either way.
    pub(super) fn failed(failure: &Failure) -> Self {
        let message = failure.line().unwrap_or_default();
        match failure.kind {
            Kind::Reported(code) => Self::said(if passes(code) { 503 } else { 403 }, &name(code), &message),
            Kind::Unreachable => Self::said(503, "daemon_unreachable", &message),
            _ => Self::said(503, "failed", &message),
        }
    }

    /// The documented keys are in lower case; JS reads the others.
    fn said(status: u16, code: &str, message: &str) -> Self {
        let body = json!({ "code": code, "message": message, "Code": code, "Message": message });
        Self { status, body: Body::Text(body.to_string()) }
    }

    pub(super) fn body(&self) -> &[u8] {
        match &self.body {
            Body::Credentials(response) => response.body(),
            Body::Text(text) => text.as_bytes(),
        }
    }

    /// Every answer is stored nowhere, is no page and belongs to no page, and is the last one of its connection.
    pub(super) fn head(&self) -> String {
        let reason = match self.status {
            200 => "OK",
            400 => "Bad Request",
            403 => "Forbidden",
            404 => "Not Found",
            405 => "Method Not Allowed",
            431 => "Request Header Fields Too Large",
            _ => "Service Unavailable",
        };
        let allow = if self.status == 405 { "allow: GET\r\n" } else { "" };
        format!(
            "HTTP/1.1 {} {reason}\r\ncontent-type: application/json\r\ncontent-length: {}\r\ncache-control: no-store\r\n\
             x-content-type-options: nosniff\r\ncross-origin-resource-policy: same-origin\r\n{allow}connection: close\r\n\r\n",
            self.status,
            self.body().len()
        )
    }
}

/// Whether asking again soon may help without a person.
fn passes(code: ErrorCode) -> bool {
    matches!(
        code,
        ErrorCode::UpstreamUnavailable
            | ErrorCode::WaitEnded
            | ErrorCode::ShuttingDown
            | ErrorCode::AuditFailed
            | ErrorCode::Internal
    )
}

fn name(code: ErrorCode) -> String {
    serde_json::to_value(code).ok().and_then(|name| name.as_str().map(str::to_owned)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::Value;

    fn failed(kind: Kind) -> (u16, Value) {
        let failure = Failure::new(kind, "sign-in session corp has ended").mend("tegata login corp");
        let answer = Answer::failed(&failure);
        (answer.status, serde_json::from_slice(answer.body()).unwrap())
    }

    #[test]
    fn a_failure_is_said_in_both_spellings_with_what_mends_it() {
        let (status, body) = failed(Kind::Reported(ErrorCode::SignInRequired));
        let line = "tegata: sign-in session corp has ended; run: tegata login corp";
        assert_eq!(status, 403);
        assert_eq!(
            body,
            json!({ "code": "sign_in_required", "message": line, "Code": "sign_in_required", "Message": line })
        );
    }

    #[test]
    fn what_passes_by_itself_may_be_tried_again() {
        for code in [ErrorCode::UpstreamUnavailable, ErrorCode::WaitEnded, ErrorCode::ShuttingDown] {
            assert_eq!(failed(Kind::Reported(code)).0, 503, "{code:?}");
        }
        assert_eq!(failed(Kind::Unreachable).0, 503);
        for code in [ErrorCode::ElevationRequired, ErrorCode::Denied, ErrorCode::Locked, ErrorCode::ProfileUnknown] {
            assert_eq!(failed(Kind::Reported(code)).0, 403, "{code:?}");
        }
    }

    #[test]
    fn c15_c16_no_answer_lets_a_page_in_or_sets_a_cookie() {
        for refusal in [Refusal::Malformed, Refusal::TooLarge, Refusal::Method, Refusal::Forbidden, Refusal::NotFound] {
            let head = Answer::refused(refusal).head().to_ascii_lowercase();
            assert!(!head.contains("access-control") && !head.contains("set-cookie"), "{head}");
            assert!(head.contains("cache-control: no-store") && head.contains("connection: close"), "{head}");
        }
    }
}
