//! What a request is answered with, and by whom.

use crate::caller::{Caller, PeerError};
use bytes::Bytes;
use http::header::{ALLOW, CACHE_CONTROL, CONNECTION, CONTENT_TYPE};
use http::{HeaderName, HeaderValue, Request, Response, StatusCode};
use std::future::Future;
use tegata_protocol::{ErrorBody, ErrorCode, PROTOCOL_HEADER, PROTOCOL_VERSION};

/// Whoever answers the requests that came through the door.
pub trait Answer: Send + Sync + 'static {
    /// Answers one request of a caller that is of the daemon's own user and alive. The future is dropped when the caller hangs up.
    fn answer(&self, caller: &Caller, request: Request<Bytes>) -> impl Future<Output = Response<Bytes>> + Send;

    /// Hears of a peer that was sent away without a byte.
    fn refused(&self, refusal: &PeerError);
}

/// Makes an answer out of JSON that is already written.
pub(super) fn json(status: StatusCode, json: Bytes) -> Response<Bytes> {
    let mut response = Response::new(json);
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}

/// Makes an answer out of anything that can be written as JSON and holds no secret.
pub(super) fn written(status: StatusCode, body: &impl serde::Serialize) -> Response<Bytes> {
    match serde_json::to_vec(body) {
        Ok(bytes) => json(status, Bytes::from(bytes)),
        Err(_) => error(&ErrorBody::new(ErrorCode::Internal, "the answer cannot be written as JSON")),
    }
}

/// Makes the answer that is an error.
pub(super) fn error(body: &ErrorBody) -> Response<Bytes> {
    let status = StatusCode::from_u16(body.code.http_status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    json(status, Bytes::from(serde_json::to_vec(body).unwrap_or_default()))
}

/// Makes the answer to a method a resource does not have (RFC 9110, 15.5.6: 405 with `Allow`).
pub(super) fn method_refused(body: &ErrorBody, allowed: &'static str) -> Response<Bytes> {
    let mut response = error(body);
    *response.status_mut() = StatusCode::METHOD_NOT_ALLOWED;
    response.headers_mut().insert(ALLOW, HeaderValue::from_static(allowed));
    response
}

/// Adds what every answer carries. A request that was not understood ends its connection: what follows on it may not be what it
/// seems to be.
pub(super) fn sealed(mut response: Response<Bytes>) -> Response<Bytes> {
    let closes = matches!(response.status().as_u16(), 400 | 405 | 413 | 414 | 426 | 431);
    let headers = response.headers_mut();
    headers.insert(HeaderName::from_static(PROTOCOL_HEADER), HeaderValue::from(PROTOCOL_VERSION));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    if closes {
        headers.insert(CONNECTION, HeaderValue::from_static("close"));
    }
    response
}

/// Writes the whole answer to a request whose head could not be read, in place of hyper's own, which has no body.
pub(super) fn unreadable(status: StatusCode) -> Vec<u8> {
    let body = match status {
        StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE | StatusCode::URI_TOO_LONG => {
            ErrorBody::new(ErrorCode::TooLarge, "the request's head is larger than what is read")
        }
        _ => ErrorBody::new(ErrorCode::BadRequest, "the request's head is not HTTP/1.1"),
    };
    let json = serde_json::to_string(&body).unwrap_or_default();
    let (reason, length) = (status.canonical_reason().unwrap_or("Bad Request"), json.len());
    format!(
        "HTTP/1.1 {} {reason}\r\n{PROTOCOL_HEADER}: {PROTOCOL_VERSION}\r\ncontent-type: application/json\r\n\
         cache-control: no-store\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n{json}",
        status.as_u16()
    )
    .into_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_answer_names_the_protocol_and_is_stored_nowhere() {
        let answer = sealed(json(StatusCode::OK, Bytes::from_static(b"{}")));
        assert_eq!(answer.headers()[PROTOCOL_HEADER], PROTOCOL_VERSION.to_string());
        assert_eq!(answer.headers()[CACHE_CONTROL], "no-store");
        assert!(!answer.headers().contains_key(CONNECTION));
    }

    #[test]
    fn a22_an_answer_to_a_malformed_request_ends_the_connection() {
        for code in [ErrorCode::BadRequest, ErrorCode::TooLarge, ErrorCode::ProtocolMismatch] {
            assert_eq!(sealed(error(&ErrorBody::new(code, "x"))).headers()[CONNECTION], "close");
        }
    }

    #[test]
    fn a22_twin_an_answer_that_is_an_error_of_another_kind_does_not() {
        for code in [ErrorCode::SignInRequired, ErrorCode::ProfileUnknown, ErrorCode::Internal, ErrorCode::NotFound] {
            assert!(!sealed(error(&ErrorBody::new(code, "x"))).headers().contains_key(CONNECTION), "{code:?}");
        }
    }

    #[test]
    fn an_error_has_its_code_in_the_body_and_its_status_outside() {
        let answer = error(&ErrorBody::new(ErrorCode::Locked, "locked").mend("tegata unlock"));
        assert_eq!(answer.status(), StatusCode::LOCKED);
        let body: ErrorBody = serde_json::from_slice(answer.body()).unwrap();
        assert_eq!((body.code, body.mend.as_deref()), (ErrorCode::Locked, Some("tegata unlock")));
    }
}
