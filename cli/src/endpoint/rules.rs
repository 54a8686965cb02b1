//! Who is let in. Pure: a request and the one door there is → yes, or why not.

use super::head::Request;
use subtle::ConstantTimeEq;
use tegata_protocol::Secret;

/// What proxies add. Nobody in between is a client here (as EC2's metadata service has it).
const FORWARDED: [&str; 5] = ["x-forwarded-for", "x-forwarded-host", "x-forwarded-proto", "forwarded", "via"];
/// What browsers add. A page that was rebound to this address adds none of these: it has the wrong Host, and no token.
const OF_BROWSERS: [&str; 2] = ["origin", "referer"];
const FETCH_SITE: &str = "sec-fetch-site";

/// Why a request is not let in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Refusal {
    /// It is no request of HTTP/1.1 that has one meaning.
    Malformed,
    /// It is longer than what is read.
    TooLarge,
    /// Another method than GET.
    Method,
    /// Not the one client that was told the token. All reasons look the same from outside.
    Forbidden,
    /// Another path.
    NotFound,
}

/// The one door: an address, a path, a token.
pub(super) struct Door {
    host: String,
    path: String,
    token: Secret,
}

impl Door {
    pub(super) fn new(host: String, path: String, token: Secret) -> Self {
        Self { host, path, token }
    }

    /// Says whether a request may have the credentials. The path is looked at last: whoever has no token learns of none.
    pub(super) fn judge(&self, request: &Request) -> Result<(), Refusal> {
        if request.method != "GET" {
            return Err(Refusal::Method);
        }
        let knows_the_host = request.single("host") == Some(self.host.as_str());
        let is_forwarded = FORWARDED.iter().any(|name| request.has(name));
        let is_of_a_page = OF_BROWSERS.iter().any(|name| request.has(name))
            || request.has(FETCH_SITE) && request.single(FETCH_SITE) != Some("none");
        let knows_the_token = request.single("authorization").is_some_and(|sent| self.is_token(sent));
        if !knows_the_host || is_forwarded || is_of_a_page || !knows_the_token {
            return Err(Refusal::Forbidden);
        }
        if request.target == self.path { Ok(()) } else { Err(Refusal::NotFound) }
    }

    fn is_token(&self, sent: &str) -> bool {
        self.token.expose_secret().as_bytes().ct_eq(sent.as_bytes()).into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TOKEN: &str = "0123456789abcdef";

    fn judge(method: &str, target: &str, headers: &[(&str, &str)]) -> Result<(), Refusal> {
        let lines: String = headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
        let head = format!("{method} {target} HTTP/1.1\r\n{lines}\r\n");
        let request = Request::parse(head.as_bytes()).unwrap().unwrap();
        Door::new("127.0.0.1:4000".to_owned(), "/own".to_owned(), Secret::new(TOKEN.to_owned())).judge(&request)
    }

    fn with(more: &[(&str, &str)]) -> Result<(), Refusal> {
        judge("GET", "/own", &[&[("Host", "127.0.0.1:4000"), ("Authorization", TOKEN)][..], more].concat())
    }

    #[test]
    fn c3_twin_the_one_client_is_let_in() {
        assert_eq!(with(&[]), Ok(()));
        assert_eq!(with(&[("Accept", "application/json"), ("User-Agent", "python-urllib3/2")]), Ok(()));
        assert_eq!(with(&[("Sec-Fetch-Site", "none")]), Ok(()));
    }

    #[test]
    fn c3_every_other_host_is_refused() {
        for host in [
            "",
            "127.0.0.1",
            "127.0.0.1:4001",
            "localhost:4000",
            "localhost.:4000",
            "LOCALHOST:4000",
            "[::1]:4000",
            "tegata.localhost:4000",
            "127.0.0.1:4000@evil.test",
            "evil.test@127.0.0.1:4000",
            "127.0.0.1.nip.io:4000",
            "127.1:4000",
            "0.0.0.0:4000",
            "127.0.0.1:04000",
            "127.0.0.1:4000,127.0.0.1:4000",
        ] {
            assert_eq!(
                judge("GET", "/own", &[("Host", host), ("Authorization", TOKEN)]),
                Err(Refusal::Forbidden),
                "{host}"
            );
        }
        assert_eq!(judge("GET", "/own", &[("Authorization", TOKEN)]), Err(Refusal::Forbidden), "none");
        let twice = [("Host", "127.0.0.1:4000"), ("Host", "127.0.0.1:4000"), ("Authorization", TOKEN)];
        assert_eq!(judge("GET", "/own", &twice), Err(Refusal::Forbidden), "two");
    }

    #[test]
    fn c5_what_was_forwarded_is_refused() {
        for name in ["X-Forwarded-For", "x-forwarded-host", "X-FORWARDED-PROTO", "Forwarded", "Via"] {
            assert_eq!(with(&[(name, "127.0.0.1")]), Err(Refusal::Forbidden), "{name}");
        }
    }

    #[test]
    fn c6_c8_what_a_page_sends_is_refused() {
        for value in ["http://127.0.0.1:4000", "null", ""] {
            assert_eq!(with(&[("Origin", value)]), Err(Refusal::Forbidden), "{value}");
            assert_eq!(with(&[("Referer", value)]), Err(Refusal::Forbidden), "{value}");
        }
        for value in ["cross-site", "same-site", "same-origin", "", "none, none"] {
            assert_eq!(with(&[("Sec-Fetch-Site", value)]), Err(Refusal::Forbidden), "{value}");
        }
        assert_eq!(with(&[("Sec-Fetch-Site", "none"), ("Sec-Fetch-Site", "none")]), Err(Refusal::Forbidden));
    }

    #[test]
    fn c9_every_other_token_is_refused() {
        let host = ("Host", "127.0.0.1:4000");
        for sent in [
            "",
            "0123456789abcde",
            "0123456789abcdef0",
            "0123456789abcdeF",
            "Bearer 0123456789abcdef",
            "Basic 0123456789abcdef",
            "0123456789abcdef, x",
            "\"0123456789abcdef\"",
        ] {
            assert_eq!(judge("GET", "/own", &[host, ("Authorization", sent)]), Err(Refusal::Forbidden), "{sent}");
        }
        assert_eq!(judge("GET", "/own", &[host]), Err(Refusal::Forbidden), "none");
        let twice = [host, ("Authorization", TOKEN), ("Authorization", TOKEN)];
        assert_eq!(judge("GET", "/own", &twice), Err(Refusal::Forbidden), "two");
        let in_query = format!("/own?token={TOKEN}");
        assert_eq!(judge("GET", &in_query, &[host]), Err(Refusal::Forbidden), "in the query");
    }

    #[test]
    fn c28_there_is_one_path_and_it_is_compared_byte_by_byte() {
        for target in [
            "/",
            "/own/",
            "/OWN",
            "//own",
            "/own?",
            "/own?x=1",
            "/own%00",
            "/./own",
            "/own/../own",
            "/%6fwn",
            "/own#x",
            "/role-arn/arn:aws:iam::123456789012:role/Admin",
            "/latest/meta-data/iam/security-credentials/",
        ] {
            let headers = [("Host", "127.0.0.1:4000"), ("Authorization", TOKEN)];
            assert_eq!(judge("GET", target, &headers), Err(Refusal::NotFound), "{target}");
            assert_eq!(judge("GET", target, &headers[..1]), Err(Refusal::Forbidden), "{target} without a token");
        }
    }

    #[test]
    fn c24_only_get_is_a_method() {
        for method in ["POST", "PUT", "HEAD", "DELETE", "OPTIONS", "TRACE", "PATCH"] {
            let headers = [("Host", "127.0.0.1:4000"), ("Authorization", TOKEN)];
            assert_eq!(judge(method, "/own", &headers), Err(Refusal::Method), "{method}");
        }
    }
}
