//! How AWS is reached: proxy, trusted certificates, endpoints. Plain values from Tegata's own settings; reads no
//! file and no environment, so that nobody who only starts the daemon can send its tokens elsewhere.

use std::fmt;
use url::Url;

/// How AWS is reached. The default goes straight to AWS's public endpoints and trusts what the system trusts.
#[derive(Clone, Default)]
pub struct Config {
    /// `[http] proxy`: `http://[user:password@]host:port` or `https://…`. Carries https only, as a CONNECT tunnel;
    /// plain http is spoken to loopback addresses alone and never through a proxy.
    pub proxy: Option<Url>,
    /// `[http] no_proxy`: host names (with their subdomains), addresses, networks such as `10.0.0.0/8`, or `*`.
    pub no_proxy: Vec<String>,
    /// The content of `[http] ca_bundle`, PEM. When set, **only** these certificates are trusted, as with the
    /// AWS CLI's `ca_bundle`; the system's are not added.
    pub ca_bundle_pem: Option<Vec<u8>>,
    /// `[endpoints]`: addresses used in place of AWS's own.
    pub endpoints: EndpointOverrides,
    /// Use the FIPS 140 endpoints. No effect on a service whose endpoint is overridden.
    pub use_fips: bool,
    /// Use the endpoints that have IPv6 as well. No effect on a service whose endpoint is overridden.
    pub use_dual_stack: bool,
}

/// Addresses used in place of AWS's own: https, or http to a loopback address.
#[derive(Clone, Debug, Default)]
pub struct EndpointOverrides {
    /// In place of `https://oidc.{region}.amazonaws.com`.
    pub sso_oidc: Option<Url>,
    /// In place of `https://portal.sso.{region}.amazonaws.com`.
    pub sso: Option<Url>,
    /// In place of `https://sts.{region}.amazonaws.com`.
    pub sts: Option<Url>,
    /// In place of `https://signin.aws.amazon.com`, where console links come from and lead to.
    pub federation: Option<Url>,
    /// In place of `https://{region}.signin.aws.amazon.com`.
    pub signin: Option<Url>,
    /// In place of `https://iam.amazonaws.com`.
    pub iam: Option<Url>,
    /// In place of `https://rolesanywhere.{region}.amazonaws.com`.
    pub rolesanywhere: Option<Url>,
    /// In place of `http://169.254.169.254`.
    pub ec2_metadata: Option<Url>,
    /// In place of `http://169.254.170.2`.
    pub ecs_container: Option<Url>,
    /// In place of GitHub's own hosts, for the token service of a GitHub Actions job.
    pub github_actions: Option<Url>,
}

impl EndpointOverrides {
    /// Returns them with the names that settings have for them.
    fn named(&self) -> [(&'static str, Option<&Url>); 10] {
        [
            ("sso_oidc", self.sso_oidc.as_ref()),
            ("sso", self.sso.as_ref()),
            ("sts", self.sts.as_ref()),
            ("federation", self.federation.as_ref()),
            ("signin", self.signin.as_ref()),
            ("iam", self.iam.as_ref()),
            ("rolesanywhere", self.rolesanywhere.as_ref()),
            ("ec2_metadata", self.ec2_metadata.as_ref()),
            ("ecs_container", self.ecs_container.as_ref()),
            ("github_actions", self.github_actions.as_ref()),
        ]
    }
}

/// Why AWS cannot be reached the way the settings say.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ConfigError {
    /// The proxy is not one.
    #[error("[http] proxy: {detail}; write it as http://host:port or http://user:password@host:port")]
    Proxy {
        /// What is wrong. Never the address itself: it may hold a password.
        detail: &'static str,
    },
    /// The CA bundle cannot be used.
    #[error("[http] ca_bundle: {detail}; it has to be a PEM file with at least one CA certificate")]
    CaBundle {
        /// What is wrong.
        detail: &'static str,
    },
    /// An endpoint is neither https nor on this machine.
    #[error(
        "[endpoints] {service}: {found} is neither https nor an http address of this machine such as http://127.0.0.1:7000"
    )]
    Endpoint {
        /// Which setting.
        service: &'static str,
        /// What was found, printable.
        found: String,
    },
}

impl Config {
    /// Returns the same for what no proxy leads to.
    pub(super) fn without_proxy(&self) -> Self {
        Self { proxy: None, no_proxy: Vec::new(), ..self.clone() }
    }

    /// Checks everything that can be checked without reaching anybody.
    pub(super) fn check(&self) -> Result<(), ConfigError> {
        self.proxy.as_ref().map_or(Ok(()), check_proxy)?;
        if let Some(pem) = &self.ca_bundle_pem {
            super::trust::usable(pem).map_err(|detail| ConfigError::CaBundle { detail })?;
        }
        let mut given = self.endpoints.named().into_iter().filter_map(|(service, url)| Some((service, url?)));
        given.try_for_each(|(service, url)| check_endpoint(service, url))
    }
}

fn check_proxy(url: &Url) -> Result<(), ConfigError> {
    let refuse = |detail| Err(ConfigError::Proxy { detail });
    match url.scheme() {
        "http" | "https" => {}
        _ => return refuse("only http and https proxies are supported"),
    }
    if url.host_str().unwrap_or_default().is_empty() {
        return refuse("the host is missing");
    }
    if !matches!(url.path(), "" | "/") || url.query().is_some() || url.fragment().is_some() {
        return refuse("something follows the port");
    }
    Ok(())
}

fn check_endpoint(service: &'static str, url: &Url) -> Result<(), ConfigError> {
    let plain =
        url.username().is_empty() && url.password().is_none() && url.query().is_none() && url.fragment().is_none();
    let kept_private = url.scheme() == "https" || (url.scheme() == "http" && is_loopback(url));
    if plain && kept_private {
        return Ok(());
    }
    let mut shown = url.clone();
    let _ = shown.set_username("").and_then(|()| shown.set_password(None));
    Err(ConfigError::Endpoint { service, found: tegata_protocol::text::one_line(shown.as_str()) })
}

/// Whether an address is on this machine, whatever a resolver says.
pub(crate) fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(url::Host::Ipv4(address)) => address.is_loopback(),
        Some(url::Host::Ipv6(address)) => address.is_loopback(),
        Some(url::Host::Domain(name)) => name == "localhost",
        None => false,
    }
}

/// A proxy's address may carry a password, so only its host is shown.
impl fmt::Debug for Config {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { proxy, no_proxy, ca_bundle_pem, endpoints, use_fips, use_dual_stack } = self;
        f.debug_struct("Config")
            .field("proxy", &proxy.as_ref().map(|url| url.host_str().unwrap_or_default()))
            .field("no_proxy", no_proxy)
            .field("ca_bundle_pem", &ca_bundle_pem.as_ref().map(Vec::len))
            .field("endpoints", endpoints)
            .field("use_fips", use_fips)
            .field("use_dual_stack", use_dual_stack)
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn endpoint(url: &str) -> Config {
        let sts = Some(Url::parse(url).unwrap());
        Config { endpoints: EndpointOverrides { sts, ..EndpointOverrides::default() }, ..Config::default() }
    }

    #[test]
    fn an_endpoint_is_https_or_on_this_machine() {
        for good in ["https://vpce-1.sts.us-east-1.vpce.amazonaws.com", "http://127.0.0.1:7000", "http://[::1]:7000"] {
            assert_eq!(endpoint(good).check(), Ok(()), "{good}");
        }
        for bad in ["http://sts.evil.test", "ftp://127.0.0.1", "https://u:CANARY@sts.test", "https://sts.test/?x=1"] {
            let refusal = endpoint(bad).check().unwrap_err().to_string();
            assert!(refusal.starts_with("[endpoints] sts: ") && !refusal.contains("CANARY"), "{refusal}");
        }
    }

    #[test]
    fn a_proxy_is_http_or_https_with_a_host_only() {
        let with = |url: &str| Config { proxy: Some(Url::parse(url).unwrap()), ..Config::default() };
        for good in ["http://proxy.corp:8080", "https://proxy.corp", "http://user:p%40ss@proxy.corp:8080/"] {
            assert_eq!(with(good).check(), Ok(()), "{good}");
        }
        for bad in ["socks5://proxy.corp:1080", "http://proxy.corp/path", "http://proxy.corp/?x"] {
            assert!(with(bad).check().is_err(), "{bad}");
        }
    }

    #[test]
    fn e3_the_password_of_a_proxy_is_never_shown() {
        let config =
            Config { proxy: Some(Url::parse("http://user:CANARY@proxy.corp:1").unwrap()), ..Config::default() };
        let shown = format!("{config:?}{config:#?}");
        assert!(shown.contains("proxy.corp") && !shown.contains("CANARY"), "{shown}");
    }

    #[test]
    fn a_ca_bundle_without_a_certificate_is_refused() {
        for bad in
            [&b""[..], b"no pem", b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", &[0xff; 4000]]
        {
            let config = Config { ca_bundle_pem: Some(bad.to_vec()), ..Config::default() };
            assert!(matches!(config.check(), Err(ConfigError::CaBundle { .. })), "{bad:?}");
        }
    }
}
