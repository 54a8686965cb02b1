//! The rules every request head must keep before anything else is read of it. Pure.
//!
//! hyper accepts what its callers may want: several Hosts, absolute-form targets, TRACE, Transfer-Encoding beside Content-Length.
//! None of it means anything on this socket, so none of it is let in.

use http::header::{CONTENT_LENGTH, HOST, HeaderMap, ORIGIN, REFERER, TRANSFER_ENCODING};
use http::request::Parts;
use http::{Method, Uri};
use tegata_protocol::{
    ErrorBody, ErrorCode, MAX_BODY_BYTES, OLDEST_PROTOCOL_VERSION, PROTOCOL_HEADER, PROTOCOL_VERSION,
};

/// Refuses a head that breaks a rule.
pub(super) fn check(head: &Parts) -> Result<(), ErrorBody> {
    plain_target(&head.method, &head.uri)?;
    one_host(&head.headers)?;
    no_browser(&head.headers)?;
    bounded_body(&head.headers)?;
    // Ending the daemon is the mend of a mismatch, so it is understood in every version.
    if head.method == Method::DELETE && head.uri.path() == tegata_protocol::paths::DAEMON {
        return Ok(());
    }
    known_protocol(&head.headers)
}

fn bad(message: &str) -> ErrorBody {
    ErrorBody::new(ErrorCode::BadRequest, message)
}

/// A path, and no proxy's or tunnel's request (RFC 9112, 3.2: origin-form only).
fn plain_target(method: &Method, uri: &Uri) -> Result<(), ErrorBody> {
    if method == Method::TRACE || method == Method::CONNECT {
        return Err(bad("there is no such method here"));
    }
    let is_path = uri.scheme().is_none() && uri.authority().is_none() && uri.path().starts_with('/');
    if is_path { Ok(()) } else { Err(bad("the request's target is not a path")) }
}

fn one_host(headers: &HeaderMap) -> Result<(), ErrorBody> {
    if headers.get_all(HOST).iter().nth(1).is_some() { Err(bad("the request has two Host headers")) } else { Ok(()) }
}

/// A page in a browser is never a client: whatever proxies to this socket for one is refused.
fn no_browser(headers: &HeaderMap) -> Result<(), ErrorBody> {
    if headers.contains_key(ORIGIN) || headers.contains_key(REFERER) {
        return Err(ErrorBody::new(ErrorCode::Denied, "requests of web pages are not answered"));
    }
    Ok(())
}

/// A body whose whole length is told, so that one too large is refused before a byte of it is read.
fn bounded_body(headers: &HeaderMap) -> Result<(), ErrorBody> {
    if headers.contains_key(TRANSFER_ENCODING) {
        return Err(bad("the request has a Transfer-Encoding; its body must have a Content-Length"));
    }
    let Some(length) = headers.get(CONTENT_LENGTH) else { return Ok(()) };
    let length: u64 = length.to_str().ok().and_then(|text| text.parse().ok()).unwrap_or(u64::MAX);
    if length > MAX_BODY_BYTES as u64 {
        let message = format!("the request's body is larger than {MAX_BODY_BYTES} bytes");
        return Err(ErrorBody::new(ErrorCode::TooLarge, message));
    }
    Ok(())
}

/// A client that says nothing speaks today's protocol, so that `curl --unix-socket` is a client.
fn known_protocol(headers: &HeaderMap) -> Result<(), ErrorBody> {
    let mut spoken = headers.get_all(PROTOCOL_HEADER).iter();
    let Some(first) = spoken.next() else { return Ok(()) };
    let text = first.to_str().unwrap_or("?");
    let known = text.parse().is_ok_and(|number| (OLDEST_PROTOCOL_VERSION..=PROTOCOL_VERSION).contains(&number));
    if known && spoken.next().is_none() {
        return Ok(());
    }
    let message = format!("tegata speaks protocol {text:?} and the running tegatad protocol {PROTOCOL_VERSION}");
    Err(ErrorBody::new(ErrorCode::ProtocolMismatch, message).mend("tegata daemon stop"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::Request;

    fn check_request(method: &str, uri: &str, headers: &[(&str, &str)]) -> Result<(), ErrorCode> {
        let mut request = Request::builder().method(method).uri(uri);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        check(&request.body(()).unwrap().into_parts().0).map_err(|error| error.code)
    }

    fn with(headers: &[(&str, &str)]) -> Result<(), ErrorCode> {
        check_request("GET", "/v1/status", headers)
    }

    #[test]
    fn an_ordinary_request_keeps_the_rules() {
        assert_eq!(with(&[("host", "tegata"), ("tegata-protocol", "1"), ("content-length", "65536")]), Ok(()));
    }

    #[test]
    fn c6_twin_curl_is_a_client() {
        assert_eq!(with(&[("host", "localhost"), ("user-agent", "curl/8.0"), ("accept", "*/*")]), Ok(()));
    }

    #[test]
    fn the_mend_of_a_protocol_mismatch_is_understood_in_every_version() {
        let foreign = [("tegata-protocol", "99")];
        assert_eq!(check_request("DELETE", "/v1/daemon", &foreign), Ok(()));
        assert_eq!(check_request("GET", "/v1/status", &foreign), Err(ErrorCode::ProtocolMismatch));
    }

    #[test]
    fn targets_of_proxies_and_tunnels_are_refused() {
        for (method, uri) in [
            ("GET", "http://evil.test/v1/status"),
            ("CONNECT", "evil.test:443"),
            ("OPTIONS", "*"),
            ("TRACE", "/v1/status"),
        ] {
            assert_eq!(check_request(method, uri, &[]), Err(ErrorCode::BadRequest), "{method} {uri}");
        }
    }

    #[test]
    fn two_hosts_are_refused() {
        assert_eq!(with(&[("host", "a"), ("host", "a")]), Err(ErrorCode::BadRequest));
    }

    #[test]
    fn c6_a_web_page_is_refused_whatever_it_says() {
        for value in ["null", "http://localhost", ""] {
            assert_eq!(with(&[("origin", value)]), Err(ErrorCode::Denied));
            assert_eq!(with(&[("referer", value)]), Err(ErrorCode::Denied));
        }
    }

    #[test]
    fn a17_a_body_too_large_is_refused_from_the_head_alone() {
        for length in ["65537", "9223372036854775808", "99999999999999999999999"] {
            assert_eq!(with(&[("content-length", length)]), Err(ErrorCode::TooLarge), "{length}");
        }
    }

    #[test]
    fn a17_a_body_of_unknown_length_is_refused_from_the_head_alone() {
        assert_eq!(with(&[("transfer-encoding", "chunked")]), Err(ErrorCode::BadRequest));
        assert_eq!(with(&[("transfer-encoding", "chunked"), ("content-length", "1")]), Err(ErrorCode::BadRequest));
    }

    #[test]
    fn m1_another_protocol_is_refused_with_both_numbers_and_the_command_that_mends_it() {
        for spoken in ["0", "2", "99", "-1", "one", "", "1.0"] {
            assert_eq!(with(&[("tegata-protocol", spoken)]), Err(ErrorCode::ProtocolMismatch), "{spoken}");
        }
        let head = Request::builder().header("tegata-protocol", "7").body(()).unwrap().into_parts().0;
        let error = check(&head).unwrap_err();
        assert!(error.message.contains("\"7\"") && error.message.contains("protocol 1"), "{}", error.message);
        assert!(error.mend.is_some());
    }

    #[test]
    fn m1_two_protocol_numbers_are_none() {
        assert_eq!(with(&[("tegata-protocol", "1"), ("tegata-protocol", "1")]), Err(ErrorCode::ProtocolMismatch));
    }
}
