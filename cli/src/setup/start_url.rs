//! An organisation's start URL as people have it: what it must look like, which region its host names, and what to call the
//! sign-in session. Pure; nobody is asked whether it is there.
//!
//! The URL is sent to nobody but the sign-in endpoint of the region that the person names, as text. An address of the organisation's
//! own is followed by the daemon, which decides what it may lead to.

use tegata_protocol::start_url::is_portal_of_aws;
use tegata_protocol::text::one_line;

/// The longest start URL that is read, in bytes: as the daemon.
const MAX_LENGTH: usize = 2048;
/// First labels of a host that say nothing of whose it is.
const GENERIC: [&str; 9] = ["aws", "identitycenter", "login", "portal", "signin", "sso", "start", "www", "home"];
/// The longest name of a sign-in session that is proposed.
const MAX_SESSION: usize = 40;

/// A start URL that has the form of one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct StartUrl {
    text: String,
    host: String,
}

impl StartUrl {
    /// Reads what a person typed or pasted. `acme.awsapps.com` and the address that the portal shows (`…/start/#/`) are
    /// completed and trimmed.
    ///
    /// # Errors
    /// One line that says what is wrong with it.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let text = text.trim();
        let shown = one_line(text);
        let wrong = |why: &str| Err(format!("{shown} {why}; a start URL is like https://acme.awsapps.com/start"));
        if text.is_empty() || text.len() > MAX_LENGTH {
            return wrong("is no start URL");
        }
        let rest = match text.split_once("://") {
            Some(("https", rest)) => rest,
            Some(_) => return wrong("does not begin with https://"),
            None => text,
        };
        let rest = rest.trim_end_matches("#/").trim_end_matches('#').trim_end_matches('/');
        let (host, path) = rest.split_once('/').map_or((rest, ""), |(host, path)| (host, path));
        let host = host.to_ascii_lowercase();
        if !is_host(&host) {
            return wrong("names no host");
        }
        if !path.bytes().all(|byte| byte.is_ascii_graphic() && !b"?#@\\\"'<>".contains(&byte)) {
            return wrong("has more than a path behind its host");
        }
        let portal = is_portal_of_aws(&host);
        let path = if path.is_empty() && portal && host.contains(".awsapps.") { "start" } else { path };
        let text = if path.is_empty() { format!("https://{host}") } else { format!("https://{host}/{path}") };
        Ok(Self { text, host })
    }

    /// Returns the URL as it is written into a file.
    pub(crate) fn as_str(&self) -> &str {
        &self.text
    }

    /// Returns whether the host is one of AWS's own portals.
    pub(crate) fn is_portal_of_aws(&self) -> bool {
        is_portal_of_aws(&self.host)
    }

    /// Returns the region that the host names: `ID.portal.REGION.app.aws`, `ID.REGION.portal.amazonaws.com`.
    pub(crate) fn region(&self) -> Option<&str> {
        self.is_portal_of_aws().then(|| self.host.split('.').skip(1).find(|label| names_a_region(label)))?
    }

    /// Returns what to call the sign-in session: the organisation's own word in the address.
    pub(crate) fn session_name(&self) -> String {
        let path = self.text.rsplit_once("/directory/").map(|(_, name)| name);
        let label = self.host.split('.').find(|label| !GENERIC.contains(label));
        let name: String = path.or(label).unwrap_or("aws").chars().filter(|c| is_session_character(*c)).collect();
        let name: String = name.trim_matches('-').chars().take(MAX_SESSION).collect();
        if name.is_empty() { "aws".to_owned() } else { name }
    }
}

/// Returns the name of a sign-in session that every AWS client reads in a section's header.
///
/// # Errors
/// One line that says what such a name is.
pub(crate) fn session_name(text: &str) -> Result<String, String> {
    let fits = text.len() <= 64 && text.starts_with(|c: char| c.is_ascii_alphanumeric());
    if fits && text.chars().all(is_session_character) {
        return Ok(text.to_owned());
    }
    Err(format!("{} is no name for a sign-in session: letters, digits, - _ and . to 64 characters", one_line(text)))
}

/// Returns a region of the form AWS gives them. Whether there is one is for AWS to say.
///
/// # Errors
/// One line that says what a region looks like.
pub(crate) fn region(text: &str) -> Result<String, String> {
    let text = text.trim();
    if names_a_region(text) {
        Ok(text.to_owned())
    } else {
        Err(format!("{} is no region such as us-east-1", one_line(text)))
    }
}

fn is_session_character(c: char) -> bool {
    c.is_ascii_alphanumeric() || "-_.".contains(c)
}

/// `us-east-1`, `us-gov-west-1`, `eusc-de-east-1`: words of lower-case letters, then a number.
fn names_a_region(text: &str) -> bool {
    let words: Vec<&str> = text.split('-').collect();
    let Some((number, words)) = words.split_last() else { return false };
    text.len() <= 32
        && words.len() >= 2
        && words.iter().all(|word| !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_lowercase()))
        && (1..=2).contains(&number.len())
        && number.bytes().all(|byte| byte.is_ascii_digit())
}

fn is_host(host: &str) -> bool {
    let label = |label: &str| {
        !label.is_empty()
            && label.len() <= 63
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
    };
    host.len() <= 253 && host.contains('.') && host.split('.').all(label)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(text: &str) -> StartUrl {
        StartUrl::parse(text).unwrap()
    }

    #[test]
    fn what_people_paste_becomes_the_address_aws_knows() {
        for (text, url) in [
            ("https://acme.awsapps.com/start", "https://acme.awsapps.com/start"),
            (" https://acme.awsapps.com/start/#/ ", "https://acme.awsapps.com/start"),
            ("acme.awsapps.com", "https://acme.awsapps.com/start"),
            ("https://ACME.awsapps.com/start/", "https://acme.awsapps.com/start"),
            ("https://ssoins-1.portal.us-east-1.app.aws", "https://ssoins-1.portal.us-east-1.app.aws"),
            ("https://aws.acme.example", "https://aws.acme.example"),
            (
                "https://start.us-gov-home.awsapps.com/directory/acme",
                "https://start.us-gov-home.awsapps.com/directory/acme",
            ),
        ] {
            assert_eq!(parsed(text).as_str(), url, "{text}");
        }
    }

    #[test]
    fn what_is_no_start_url_is_refused_and_shown_harmless() {
        for text in [
            "",
            "   ",
            "http://acme.awsapps.com/start",
            "ftp://acme.awsapps.com",
            "https://",
            "https:///start",
            "https://acme",
            "https://user@acme.awsapps.com/start",
            "https://acme.awsapps.com:8443/start",
            "https://acme.awsapps.com/start?x=y",
            "https://acme.awsapps.com/start#/x",
            "https://acme.awsapps.com/a b",
            "https://acme.awsapps.com/start\nsso_region = x",
            "https://-acme.awsapps.com/start",
            "https://аcme.awsapps.com/start",
            "https://acme.awsapps.com/\u{1b}[2J",
        ] {
            let error = StartUrl::parse(text).unwrap_err();
            assert!(!error.chars().any(tegata_protocol::text::is_hostile), "{text:?}: {error:?}");
        }
        assert!(StartUrl::parse(&format!("https://a.example/{}", "x".repeat(2048))).is_err());
    }

    #[test]
    fn the_region_is_read_from_hosts_of_aws_only() {
        for (url, region) in [
            ("https://ssoins-0123456789abcdef.portal.us-east-1.app.aws", Some("us-east-1")),
            ("https://ssoins-1.eu-central-1.portal.amazonaws.com", Some("eu-central-1")),
            ("https://ssoins-1.eusc-de-east-1.portal.amazonaws.eu", Some("eusc-de-east-1")),
            ("https://acme.awsapps.com/start", None),
            ("https://sso.us-east-1.acme.example", None),
            ("https://us-east-1.acme.awsapps.com/start", None),
        ] {
            assert_eq!(parsed(url).region(), region, "{url}");
        }
    }

    #[test]
    fn the_session_is_called_after_the_organisation() {
        for (url, name) in [
            ("https://acme.awsapps.com/start", "acme"),
            ("https://d-1234567890.awsapps.com/start", "d-1234567890"),
            ("https://ssoins-1.portal.us-east-1.app.aws", "ssoins-1"),
            ("https://aws.sso.acme.example", "acme"),
            ("https://start.us-gov-home.awsapps.com/directory/acme-gov", "acme-gov"),
        ] {
            let proposed = parsed(url).session_name();
            assert_eq!(proposed, name, "{url}");
            assert_eq!(session_name(&proposed), Ok(proposed.clone()));
        }
    }

    #[test]
    fn names_and_regions_that_break_a_file_are_refused() {
        for name in ["", "-x", "a b", "a]\n[b", "ä", &"x".repeat(65)] {
            assert!(session_name(name).is_err(), "{name:?}");
        }
        for name in ["", "us", "us-east", "us-east-1a", "US-EAST-1", "us--1", "us-east-111", "a.b-c-1"] {
            assert!(region(name).is_err(), "{name:?}");
        }
        assert_eq!(region(" us-gov-west-1 "), Ok("us-gov-west-1".to_owned()));
    }
}
