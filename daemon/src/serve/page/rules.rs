//! Which requests may be ours: what only the page in the person's own browser sends. Pure; the token comes after.
//!
//! A web page elsewhere cannot forge `Host`, `Origin` or `Sec-Fetch-Site` in a browser; a local program can forge all of them and has
//! to know a token.

use super::HOST;
use http::header::{CONTENT_LENGTH, CONTENT_TYPE, FORWARDED, HOST as HOST_HEADER, HeaderMap, ORIGIN, UPGRADE, VIA};
use http::request::Parts;
use http::{HeaderName, Method, StatusCode};
use url::Url;

/// Carries the one-time secret of the URL to `/api/open`, and the page token to the rest.
pub(super) const TOKEN: HeaderName = HeaderName::from_static("tegata-page");
/// A ceremony's answer with every extension is a few kilobytes.
pub(super) const LARGEST_BODY: u64 = 16 * 1024;

const SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");
const SEC_FETCH_MODE: HeaderName = HeaderName::from_static("sec-fetch-mode");
const SEC_FETCH_DEST: HeaderName = HeaderName::from_static("sec-fetch-dest");

/// Where the page is, as a browser says it.
#[derive(Debug)]
pub(super) struct Site {
    /// `tegata.localhost:PORT`
    pub(super) authority: String,
    /// `http://tegata.localhost:PORT`
    pub(super) origin: Url,
}

impl Site {
    pub(super) fn at(port: u16) -> Result<Self, url::ParseError> {
        let authority = format!("{HOST}:{port}");
        Ok(Self { origin: Url::parse(&format!("http://{authority}"))?, authority })
    }

    fn is_origin(&self, value: &[u8]) -> bool {
        value.strip_prefix(b"http://").is_some_and(|rest| rest == self.authority.as_bytes())
    }
}

/// What is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Route {
    /// The page, which is the same for everybody.
    Document,
    /// One of the calls the page makes.
    Api(Act),
}

/// What a page does with its request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Act {
    Open,
    View,
    Begin,
    Finish,
    Refuse,
}

impl Route {
    fn find(path: &str) -> Option<Self> {
        Some(match path {
            "/" => Self::Document,
            "/api/open" => Self::Api(Act::Open),
            "/api/view" => Self::Api(Act::View),
            "/api/begin" => Self::Api(Act::Begin),
            "/api/finish" => Self::Api(Act::Finish),
            "/api/refuse" => Self::Api(Act::Refuse),
            _ => return None,
        })
    }

    fn method(self) -> Method {
        match self {
            Self::Document => Method::GET,
            Self::Api(_) => Method::POST,
        }
    }
}

/// Returns what is asked for, or the status that a head which breaks a rule is answered with.
pub(super) fn check(head: &Parts, site: &Site) -> Result<Route, StatusCode> {
    let headers = &head.headers;
    // A second reading of what `wire` has already refused: these rules hold by themselves.
    if head.uri.authority().is_some() || headers.contains_key(UPGRADE) {
        return Err(StatusCode::BAD_REQUEST);
    }
    let is_ours = only(headers, &HOST_HEADER).is_some_and(|host| host == site.authority.as_bytes());
    if !is_ours || is_forwarded(headers) || head.uri.query().is_some() {
        return Err(StatusCode::FORBIDDEN);
    }
    let route = Route::find(head.uri.path()).ok_or(StatusCode::NOT_FOUND)?;
    if head.method != route.method() {
        return Err(StatusCode::METHOD_NOT_ALLOWED);
    }
    match route {
        Route::Document => navigation(headers)?,
        Route::Api(_) => call_of_the_page(headers, site)?,
    }
    Ok(route)
}

/// Returns a header's value where it is there exactly once.
pub(super) fn only<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<&'a [u8]> {
    let mut values = headers.get_all(name).iter();
    let value = values.next()?;
    values.next().is_none().then(|| value.as_bytes())
}

/// Whether it came through somebody else's hands (the rule of AWS's instance metadata service, IMDSv2).
fn is_forwarded(headers: &HeaderMap) -> bool {
    headers.keys().any(|name| *name == FORWARDED || *name == VIA || name.as_str().starts_with("x-forwarded-"))
}

/// The person's own going there: a typed or handed-over address, or a reload. A link on some web page is not, nor is a frame, an
/// image or a script. Browsers that send none of these headers are let in: the document holds nothing, and no act goes without them.
fn navigation(headers: &HeaderMap) -> Result<(), StatusCode> {
    let is = |name: &HeaderName, wanted: &[&[u8]]| {
        !headers.contains_key(name) || only(headers, name).is_some_and(|value| wanted.contains(&value))
    };
    let is_own = is(&SEC_FETCH_SITE, &[b"none", b"same-origin"])
        && is(&SEC_FETCH_MODE, &[b"navigate"])
        && is(&SEC_FETCH_DEST, &[b"document"])
        && !headers.contains_key(ORIGIN);
    if !is_own {
        return Err(StatusCode::FORBIDDEN);
    }
    match only(headers, &CONTENT_LENGTH) {
        None | Some(b"0") => Ok(()),
        Some(_) => Err(StatusCode::BAD_REQUEST),
    }
}

/// What `fetch` of the page sends and what no other page can: a missing header is a refusal.
fn call_of_the_page(headers: &HeaderMap, site: &Site) -> Result<(), StatusCode> {
    let from_page = only(headers, &ORIGIN).is_some_and(|origin| site.is_origin(origin))
        && only(headers, &SEC_FETCH_SITE) == Some(b"same-origin");
    if !from_page {
        return Err(StatusCode::FORBIDDEN);
    }
    if only(headers, &CONTENT_TYPE) != Some(b"application/json") {
        return Err(StatusCode::UNSUPPORTED_MEDIA_TYPE);
    }
    let length = only(headers, &CONTENT_LENGTH).ok_or(StatusCode::LENGTH_REQUIRED)?;
    let length = std::str::from_utf8(length).ok().and_then(|digits| digits.parse().ok()).unwrap_or(u64::MAX);
    if length > LARGEST_BODY { Err(StatusCode::PAYLOAD_TOO_LARGE) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::Request;

    const PORT: u16 = 7102;
    const OURS: &str = "tegata.localhost:7102";
    const ORIGIN_HERE: &str = "http://tegata.localhost:7102";

    fn check_request(method: &str, uri: &str, headers: &[(&str, &str)]) -> Result<Route, u16> {
        let mut request = Request::builder().method(method).uri(uri);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let head = request.body(()).unwrap().into_parts().0;
        check(&head, &Site::at(PORT).unwrap()).map_err(|status| status.as_u16())
    }

    /// What the page sends, with some headers in place of its own; an empty value leaves the header out.
    fn post(path: &str, changed: &[(&'static str, &'static str)]) -> Result<Route, u16> {
        let own = [
            ("host", OURS),
            ("origin", ORIGIN_HERE),
            ("sec-fetch-site", "same-origin"),
            ("content-type", "application/json"),
            ("content-length", "2"),
        ];
        let kept = own.iter().filter(|(name, _)| !changed.iter().any(|(other, _)| name == other));
        let headers: Vec<_> = kept.chain(changed.iter().filter(|(_, value)| !value.is_empty())).copied().collect();
        check_request("POST", path, &headers)
    }

    fn get(headers: &[(&str, &str)]) -> Result<Route, u16> {
        let mut all = vec![("host", OURS)];
        all.extend_from_slice(headers);
        check_request("GET", "/", &all)
    }

    #[test]
    fn every_route_has_its_one_method() {
        for (path, act) in [
            ("/api/open", Act::Open),
            ("/api/view", Act::View),
            ("/api/begin", Act::Begin),
            ("/api/finish", Act::Finish),
            ("/api/refuse", Act::Refuse),
        ] {
            assert_eq!(post(path, &[]), Ok(Route::Api(act)));
            for method in ["GET", "HEAD", "PUT", "DELETE", "OPTIONS", "TRACE", "PATCH"] {
                assert_eq!(check_request(method, path, &[("host", OURS)]), Err(405), "{method} {path}");
            }
        }
        for method in ["POST", "HEAD", "OPTIONS", "TRACE"] {
            assert_eq!(check_request(method, "/", &[("host", OURS)]), Err(405), "{method} /");
        }
        for path in ["/favicon.ico", "/api", "/api/", "/api/open/", "//", "/api/../", "/%61pi/open", "/index.html"] {
            assert_eq!(check_request("GET", path, &[("host", OURS)]), Err(404), "{path}");
            assert_eq!(post(path, &[]), Err(404), "{path}");
        }
    }

    #[test]
    fn c3_any_other_host_is_refused() {
        for host in [
            "",
            "tegata.localhost",
            "tegata.localhost:7103",
            "tegata.localhost.:7102",
            "localhost.",
            "localhost:7102",
            "TEGATA.localhost:7102",
            "tegata.localhost:7102@evil",
            "localhost:7102@evil",
            "evil.tegata.localhost:7102",
            "tegata.localhost:07102",
            "127.0.0.1:7102",
            "127.0.0.1.nip.io",
            "[::1]:7102",
            "xn--tegata-9k6c.localhost:7102",
            " tegata.localhost:7102 x",
        ] {
            assert_eq!(check_request("GET", "/", &[("host", host)]), Err(403), "{host}");
        }
        let long = format!("{}.localhost:7102", "a".repeat(300));
        assert_eq!(check_request("GET", "/", &[("host", &long)]), Err(403));
    }

    #[test]
    fn c3_no_host_and_two_are_refused() {
        assert_eq!(check_request("GET", "/", &[]), Err(403));
        assert_eq!(check_request("GET", "/", &[("host", OURS), ("host", OURS)]), Err(403));
        assert_eq!(check_request("GET", "/", &[("host", OURS), ("host", "evil")]), Err(403));
    }

    #[test]
    fn c3_twin_the_host_of_the_page_is_let_in() {
        assert_eq!(check_request("GET", "/", &[("host", OURS)]), Ok(Route::Document));
    }

    #[test]
    fn c4_a_whole_address_as_target_is_refused() {
        for uri in ["http://evil.test/", "http://tegata.localhost:7103/", "http://tegata.localhost:7102/"] {
            assert_eq!(check_request("GET", uri, &[("host", OURS)]), Err(400), "{uri}");
        }
    }

    #[test]
    fn c4_twin_a_path_as_target_is_let_in() {
        assert_eq!(check_request("GET", "/", &[("host", OURS)]), Ok(Route::Document));
    }

    #[test]
    fn c5_what_came_through_a_proxy_is_refused() {
        for name in ["x-forwarded-for", "x-forwarded-host", "x-forwarded-proto", "forwarded", "via"] {
            assert_eq!(get(&[(name, "")]), Err(403), "{name}");
            assert_eq!(check_request("POST", "/api/view", &[("host", OURS), (name, "x")]), Err(403), "{name}");
        }
    }

    #[test]
    fn c5_twin_other_headers_of_browsers_are_let_in() {
        assert_eq!(get(&[("accept", "text/html"), ("dnt", "1"), ("x-requested-with", "x")]), Ok(Route::Document));
    }

    #[test]
    fn c7_a_call_of_another_origin_is_refused() {
        for origin in [
            "",
            "null",
            "http://tegata.localhost",
            "http://tegata.localhost:7103",
            "http://a.tegata.localhost:7102",
            "http://localhost:7102",
            "http://127.0.0.1:7102",
            "https://tegata.localhost:7102",
            "http://tegata.localhost:7102/",
            "http://TEGATA.localhost:7102",
            "http://tegata.localhost:7102 http://evil.test",
        ] {
            assert_eq!(post("/api/refuse", &[("origin", origin)]), Err(403), "{origin}");
        }
        assert_eq!(post("/api/refuse", &[("origin", ORIGIN_HERE), ("origin", ORIGIN_HERE)]), Err(403));
    }

    #[test]
    fn c7_twin_a_call_of_the_page_is_let_in() {
        assert_eq!(post("/api/refuse", &[("origin", ORIGIN_HERE)]), Ok(Route::Api(Act::Refuse)));
    }

    #[test]
    fn c8_a_call_that_is_not_of_the_same_origin_is_refused() {
        for site in ["", "none", "same-site", "cross-site", "Same-Origin", "same-origin, none"] {
            assert_eq!(post("/api/view", &[("sec-fetch-site", site)]), Err(403), "{site}");
        }
    }

    #[test]
    fn c8_a_page_that_something_else_than_the_person_asks_for_is_refused() {
        for headers in [
            [("sec-fetch-site", "cross-site"), ("sec-fetch-mode", "navigate"), ("sec-fetch-dest", "document")],
            [("sec-fetch-site", "same-site"), ("sec-fetch-mode", "navigate"), ("sec-fetch-dest", "document")],
            [("sec-fetch-site", "same-origin"), ("sec-fetch-mode", "navigate"), ("sec-fetch-dest", "iframe")],
            [("sec-fetch-site", "none"), ("sec-fetch-mode", "no-cors"), ("sec-fetch-dest", "image")],
            [("sec-fetch-site", "none"), ("sec-fetch-mode", "websocket"), ("sec-fetch-dest", "empty")],
        ] {
            assert_eq!(get(&headers), Err(403), "{headers:?}");
        }
        assert_eq!(get(&[("origin", ORIGIN_HERE)]), Err(403));
    }

    #[test]
    fn c8_twin_a_typed_address_a_reload_and_an_old_browser_get_the_page() {
        let by = |site| [("sec-fetch-site", site), ("sec-fetch-mode", "navigate"), ("sec-fetch-dest", "document")];
        for headers in [&by("none")[..], &by("same-origin"), &[]] {
            assert_eq!(get(headers), Ok(Route::Document));
        }
        assert_eq!(post("/api/view", &[("sec-fetch-site", "same-origin")]), Ok(Route::Api(Act::View)));
    }

    #[test]
    fn c9_a_token_in_the_address_is_refused() {
        for uri in ["/?token=x", "/?", "/api/view?token=x"] {
            assert_eq!(check_request("GET", uri, &[("host", OURS)]), Err(403), "{uri}");
        }
    }

    #[test]
    fn c13_a_body_that_needs_no_preflight_is_refused() {
        for kind in
            ["", "text/plain", "application/x-www-form-urlencoded", "multipart/form-data", "application/json; x"]
        {
            assert_eq!(post("/api/view", &[("content-type", kind)]), Err(415), "{kind}");
        }
    }

    #[test]
    fn c14_an_upgrade_is_refused() {
        assert_eq!(get(&[("connection", "upgrade"), ("upgrade", "websocket")]), Err(400));
    }

    #[test]
    fn c26_a_body_too_large_or_of_no_told_length_is_refused_from_the_head_alone() {
        assert_eq!(post("/api/finish", &[("content-length", "16384")]), Ok(Route::Api(Act::Finish)));
        assert_eq!(post("/api/finish", &[("content-length", "16385")]), Err(413));
        assert_eq!(post("/api/finish", &[("content-length", "99999999999999999999999")]), Err(413));
        assert_eq!(post("/api/finish", &[("content-length", "")]), Err(411));
        assert_eq!(get(&[("content-length", "1")]), Err(400));
    }
}
