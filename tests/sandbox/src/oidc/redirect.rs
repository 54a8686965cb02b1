//! Redirect URIs: which may be registered, and when a requested one is the registered one.

use http::Uri;

/// Whether a client may register this URI: https, or http on a loopback IP literal (RFC 8252 sections 7.3 and 8.3), with
/// neither fragment nor user information.
pub(super) fn may_be_registered(uri: &str) -> bool {
    let Some(parsed) = parse(uri) else { return false };
    let user_info = parsed.authority().is_some_and(|authority| authority.as_str().contains('@'));
    if uri.contains('#') || user_info {
        return false;
    }
    match parsed.scheme_str() {
        Some("https") => true,
        Some("http") => is_loopback(&parsed),
        _ => false,
    }
}

/// Whether a requested URI is a registered one. On a loopback IP literal any port will do (RFC 8252 section 7.3);
/// everywhere else, `localhost` included, the two must be equal byte for byte.
pub(super) fn matches(registered: &str, requested: &str) -> bool {
    if registered == requested {
        return true;
    }
    let (Some(registered), Some(wanted)) = (parse(registered), parse(requested)) else { return false };
    is_loopback(&registered)
        && !requested.contains('#')
        && registered.scheme_str() == Some("http")
        && wanted.scheme_str() == Some("http")
        && registered.host() == wanted.host()
        && registered.path_and_query() == wanted.path_and_query()
        && !wanted.authority().is_some_and(|authority| authority.as_str().contains('@'))
}

fn parse(uri: &str) -> Option<Uri> {
    uri.parse::<Uri>().ok().filter(|uri| uri.host().is_some())
}

fn is_loopback(uri: &Uri) -> bool {
    matches!(uri.host(), Some("127.0.0.1" | "[::1]"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const REGISTERED: &str = "http://127.0.0.1/oauth/callback";

    #[test]
    fn a_loopback_uri_matches_on_any_port() {
        assert!(matches(REGISTERED, REGISTERED));
        assert!(matches(REGISTERED, "http://127.0.0.1:43123/oauth/callback"));
        assert!(matches("http://[::1]/cb", "http://[::1]:8080/cb"));
        assert!(matches("http://127.0.0.1:1/cb", "http://127.0.0.1:2/cb"));
    }

    #[test]
    fn anything_but_the_port_must_be_equal() {
        for requested in [
            "http://127.0.0.1:43123/oauth/callback/",
            "http://127.0.0.1:43123/other",
            "http://127.0.0.1:43123/oauth/callback?x=1",
            "http://127.0.0.1:43123/oauth/callback#x",
            "http://localhost:43123/oauth/callback",
            "http://127.0.0.2:43123/oauth/callback",
            "https://127.0.0.1:43123/oauth/callback",
            "http://evil@127.0.0.1:43123/oauth/callback",
            "http://127.0.0.1.evil.example/oauth/callback",
            "",
        ] {
            assert!(!matches(REGISTERED, requested), "{requested}");
        }
        assert!(!matches("https://app.example/cb", "https://app.example:8443/cb"));
        assert!(!matches("http://localhost/cb", "http://localhost:8080/cb"));
    }

    #[test]
    fn only_https_and_loopback_uris_can_be_registered() {
        assert!(may_be_registered(REGISTERED));
        assert!(may_be_registered("https://app.example/cb"));
        for uri in [
            "http://app.example/cb",
            "http://localhost/cb",
            "ftp://127.0.0.1/cb",
            "/cb",
            "https://a@b.example/",
            "https://b.example/#x",
        ] {
            assert!(!may_be_registered(uri), "{uri}");
        }
    }
}
