//! The values that settings can have, each checked where it is read.

use serde::Deserialize;
use std::fmt;
use std::path::{Path, PathBuf};
use tegata_protocol::Secret;
use tegata_protocol::text::is_hostile;
use url::{Host, Url};

/// The longest path (Linux, PATH_MAX).
const MAX_PATH: usize = 4096;

/// A whole number from `LEAST` to `MOST`; `USUAL` where nothing is said.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "i64")]
pub struct Within<const LEAST: u64, const MOST: u64, const USUAL: u64>(u64);

impl<const LEAST: u64, const MOST: u64, const USUAL: u64> Within<LEAST, MOST, USUAL> {
    /// Returns the number.
    #[must_use]
    pub fn get(self) -> u64 {
        self.0
    }
}

impl<const LEAST: u64, const MOST: u64, const USUAL: u64> Default for Within<LEAST, MOST, USUAL> {
    fn default() -> Self {
        Self(USUAL)
    }
}

impl<const LEAST: u64, const MOST: u64, const USUAL: u64> TryFrom<i64> for Within<LEAST, MOST, USUAL> {
    type Error = String;

    fn try_from(number: i64) -> Result<Self, Self::Error> {
        let fits = u64::try_from(number).ok().filter(|number| (LEAST..=MOST).contains(number));
        fits.map(Self).ok_or_else(|| format!("{number} is not from {LEAST} to {MOST}"))
    }
}

/// A path from the root: the daemon has no working directory that anybody could mean.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
#[cfg_attr(test, derive(schemars::JsonSchema), schemars(with = "String", inline, title = "absolute path", extend("pattern" = "^/")))]
pub struct AbsolutePath(PathBuf);

impl AbsolutePath {
    /// Returns the path.
    #[must_use]
    pub fn as_path(&self) -> &Path {
        &self.0
    }
}

impl TryFrom<String> for AbsolutePath {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        if text.contains(is_hostile) || !text.starts_with('/') || text.len() > MAX_PATH {
            return Err("the path has to be absolute and of at most 4096 bytes, such as /etc/ssl/corp.pem");
        }
        Ok(Self(PathBuf::from(text)))
    }
}

/// The name of a credential that systemd hands to the service (systemd.exec(5): a file name, at most 255 bytes).
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
#[cfg_attr(test, derive(schemars::JsonSchema), schemars(with = "String", inline, title = "file name"))]
pub struct CredentialName(String);

impl CredentialName {
    /// Returns the name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for CredentialName {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        let fits = text.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'/' && byte != b':');
        if !fits || text.is_empty() || text.len() > 255 || text == "." || text == ".." {
            return Err("a credential's name is a file name");
        }
        Ok(Self(text))
    }
}

/// An endpoint in place of AWS's own: https, or http to a loopback address for a double in tests.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
#[cfg_attr(test, derive(schemars::JsonSchema), schemars(with = "String", inline, title = "https URL, or http on a loopback address", extend("pattern" = "^https?:")))]
pub struct EndpointUrl(Url);

impl EndpointUrl {
    /// Returns the URL.
    #[must_use]
    pub fn as_str(&self) -> &str {
        self.0.as_str().trim_end_matches('/')
    }
}

impl TryFrom<String> for EndpointUrl {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        const EXPECTED: &str =
            "an endpoint is https://HOST, or http:// to a loopback address, without user, query and fragment";
        let url = parse(&text).ok_or(EXPECTED)?;
        let bare =
            url.username().is_empty() && url.password().is_none() && url.query().is_none() && url.fragment().is_none();
        let safe = url.scheme() == "https" || (url.scheme() == "http" && is_loopback(&url));
        if bare && safe { Ok(Self(url)) } else { Err(EXPECTED) }
    }
}

/// A proxy. It may carry a user and a password, so only its scheme, host and port are ever shown.
#[derive(Clone, Deserialize)]
#[serde(try_from = "String")]
#[cfg_attr(test, derive(schemars::JsonSchema), schemars(with = "String", inline, title = "`http://[user:password@]host:port`, or `https://…`", extend("pattern" = "^https?:")))]
pub struct ProxyUrl {
    shown: String,
    whole: Secret,
}

impl ProxyUrl {
    /// Returns the URL with the user and the password it may carry.
    #[must_use]
    pub fn expose_secret(&self) -> &str {
        self.whole.expose_secret()
    }
}

impl TryFrom<String> for ProxyUrl {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        let whole = Secret::new(text);
        let url = parse(whole.expose_secret()).filter(|url| matches!(url.scheme(), "http" | "https"));
        let url = url.filter(|url| url.path() == "/" && url.query().is_none() && url.fragment().is_none());
        let url = url.ok_or("a proxy is http://HOST:PORT or https://HOST:PORT")?;
        let port = url.port().map(|port| format!(":{port}")).unwrap_or_default();
        Ok(Self { shown: format!("{}://{}{port}", url.scheme(), url.host_str().unwrap_or_default()), whole })
    }
}

impl fmt::Debug for ProxyUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.shown)
    }
}

impl fmt::Display for ProxyUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.shown)
    }
}

/// Equal when what is shown is: a password is not compared.
impl PartialEq for ProxyUrl {
    fn eq(&self, other: &Self) -> bool {
        self.shown == other.shown
    }
}

impl Eq for ProxyUrl {}

/// Hosts reached without the proxy: a name, `.example` for all names below it, an address or a network of addresses.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
#[cfg_attr(test, derive(schemars::JsonSchema), schemars(with = "String", inline, title = "host", extend("pattern" = r"^[A-Za-z0-9._:/\[\]*-]{1,255}$")))]
pub struct HostPattern(String);

impl HostPattern {
    /// Returns the pattern.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for HostPattern {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        let fits = text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b".-_:/[]*".contains(&byte));
        if !fits || text.is_empty() || text.len() > 255 {
            return Err("an entry of no_proxy is one host, such as internal.example or .example");
        }
        Ok(Self(text))
    }
}

fn parse(text: &str) -> Option<Url> {
    if text.contains(is_hostile) || text.contains(char::is_whitespace) || text.len() > 2048 {
        return None;
    }
    Url::parse(text).ok().filter(Url::has_host)
}

fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        Some(Host::Domain(name)) => name == "localhost",
        None => false,
    }
}
