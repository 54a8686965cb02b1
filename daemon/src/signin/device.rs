//! The device code flow (RFC 8628): a code the person compares on a page, and polls until they have.

use super::SignInError;
use crate::aws::{Aws, AwsError, DeviceAuthorization, Endpoints, Grant, Registration, Tokens, is_loopback};
use crate::names::{Region, StartUrl};
use std::sync::Arc;
use std::time::Duration;
use tegata_protocol::text::one_line;
use tokio::time::Instant;
use url::Url;

/// RFC 8628 section 3.5: every `slow_down` adds five seconds, for good.
const SLOWER: Duration = Duration::from_secs(5);

/// A person who has finished on the page is not kept waiting for much longer after AWS is back; twice the interval where that
/// is more.
const LONGEST_PAUSE: Duration = Duration::from_secs(30);

/// Polls without one usable answer end the sign-in after this long: whoever waits learns that AWS is down, not that the
/// code is over.
const WITHOUT_ANSWER: Duration = Duration::from_secs(120);

/// Where AWS serves its portals. The list is that of `aws sso login`.
const PORTALS: [&str; 8] = [
    ".awsapps.com",
    ".awsapps.cn",
    ".app.aws",
    ".portal.amazonaws.com",
    ".portal.amazonaws.com.cn",
    ".portal.amazonaws.eu",
    ".app.amazonwebservices.com.cn",
    ".api.amazonwebservices.eu",
];
const IDENTITY_CENTERS: [&str; 4] = [
    "identitycenter.amazonaws.com",
    "identitycenter.amazonaws.com.cn",
    "identitycenter.amazonaws.eu",
    "identitycenter.us-gov.amazonaws.com",
];
const DOMAINS: [&str; 3] = ["amazonaws.com", "amazonaws.com.cn", "amazonaws.eu"];

/// A device sign-in whose page is out.
#[derive(Debug)]
pub(super) struct DeviceSignIn {
    aws: Arc<dyn Aws>,
    region: Region,
    client: Registration,
    pub(super) authorization: DeviceAuthorization,
    pub(super) page: Url,
    pub(super) page_with_code: Option<Url>,
}

impl DeviceSignIn {
    pub(super) async fn begin(
        aws: Arc<dyn Aws>,
        region: Region,
        client: Registration,
        start_url: &StartUrl,
    ) -> Result<Self, SignInError> {
        let authorization = aws.start_device_authorization(&region, &client, start_url).await?;
        let endpoints = aws.endpoints(&region)?;
        let own = |page: &str| {
            own_page(page, start_url, &region, &endpoints)
                .ok_or_else(|| SignInError::ForeignPage { page: one_line(page), start_url: start_url.to_string() })
        };
        let page = own(&authorization.verification_uri)?;
        let page_with_code = authorization.verification_uri_complete.as_deref().map(own).transpose()?;
        Ok(Self { aws, region, client, authorization, page, page_with_code })
    }

    /// Polls until the person has finished, AWS refuses or stays silent, or the code is over.
    pub(super) async fn finish(self) -> Result<Tokens, SignInError> {
        let code_ends = self.authorization.expires_in;
        tokio::time::timeout(code_ends, self.poll()).await.unwrap_or(Err(SignInError::TimedOut))
    }

    async fn poll(self) -> Result<Tokens, SignInError> {
        let mut pace = Pace::every(self.authorization.interval);
        loop {
            tokio::time::sleep(pace.pause).await;
            let grant = Grant::DeviceCode(&self.authorization.device_code);
            match self.aws.create_token(&self.region, &self.client, grant).await {
                Ok(tokens) => return Ok(tokens),
                Err(AwsError::Pending) => pace.answered(),
                Err(AwsError::SlowDown) => pace.told_to_slow_down(),
                // The person may well finish meanwhile, so it goes on, only slower and not for ever.
                Err(AwsError::Throttled { retry_after, .. }) if pace.goes_on(Instant::now(), retry_after) => {}
                Err(AwsError::Unavailable { .. }) if pace.goes_on(Instant::now(), None) => {}
                Err(AwsError::SignInOver { .. }) => return Err(SignInError::TimedOut),
                Err(AwsError::Refused { code, .. }) if is_refusal_by_the_person(&code) => {
                    return Err(SignInError::Declined);
                }
                Err(other) => return Err(other.into()),
            }
        }
    }
}

/// How long to wait before the next poll.
#[derive(Debug)]
struct Pace {
    interval: Duration,
    pause: Duration,
    unanswered_since: Option<Instant>,
}

impl Pace {
    fn every(interval: Duration) -> Self {
        Self { interval, pause: interval, unanswered_since: None }
    }

    /// AWS said that the person has not finished.
    fn answered(&mut self) {
        (self.pause, self.unanswered_since) = (self.interval, None);
    }

    fn told_to_slow_down(&mut self) {
        self.interval += SLOWER;
        self.answered();
    }

    /// A poll got no usable answer, or AWS asked for fewer. Doubles the pause, as RFC 8628 section 3.5 recommends, and never
    /// below what AWS asked for. Returns false once it has been so for [`WITHOUT_ANSWER`].
    fn goes_on(&mut self, now: Instant, asked: Option<Duration>) -> bool {
        let since = *self.unanswered_since.get_or_insert(now);
        let doubled = (self.pause * 2).min(LONGEST_PAUSE.max(self.interval * 2));
        self.pause = doubled.max(asked.unwrap_or_default());
        now.duration_since(since) < WITHOUT_ANSWER
    }
}

fn is_refusal_by_the_person(code: &str) -> bool {
    matches!(code, "AccessDeniedException" | "access_denied")
}

/// Returns the page if it is AWS's own or the organisation's: nobody is sent anywhere else with a code to type.
fn own_page(page: &str, start_url: &StartUrl, region: &Region, endpoints: &Endpoints) -> Option<Url> {
    let url = Url::parse(page).ok()?;
    if !url.username().is_empty() || url.password().is_some() {
        return None;
    }
    let on_the_double = Url::parse(&endpoints.sso_oidc)
        .is_ok_and(|endpoint| is_loopback(&endpoint) && endpoint.origin() == url.origin());
    let of_aws = url.scheme() == "https"
        && url.port().is_none()
        && url.domain().is_some_and(|host| host == start_url.host() || is_aws(host, region));
    (on_the_double || of_aws).then_some(url)
}

fn is_aws(host: &str, region: &Region) -> bool {
    PORTALS.iter().any(|portal| host.ends_with(portal))
        || IDENTITY_CENTERS.contains(&host)
        || DOMAINS.iter().any(|domain| host == format!("device.sso.{region}.{domain}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn own(page: &str, sso_oidc: &str) -> bool {
        let start_url = StartUrl::new("https://start.corp.example/portal").unwrap();
        let endpoints = Endpoints { sso_oidc: sso_oidc.to_owned(), sso: String::new() };
        own_page(page, &start_url, &Region::new("us-east-1").unwrap(), &endpoints).is_some()
    }

    #[test]
    fn g13_only_pages_of_aws_or_the_organisation_are_shown() {
        for page in [
            "http://device.sso.us-east-1.amazonaws.com/",
            "https://device.sso.eu-west-1.amazonaws.com/",
            "https://device.sso.us-east-1.amazonaws.com.evil.test/",
            "https://device.sso.us-east-1.amazonaws.com@evil.test/",
            "https://u:p@start.corp.example/",
            "https://start.corp.example:8443/",
            "https://evilawsapps.com/start",
            "https://awsapps.com/start",
            "https://start.corp.example.evil.test/",
            "https://127.0.0.1:7000/device",
            "javascript:alert(1)",
            "device.sso.us-east-1.amazonaws.com",
            "",
        ] {
            assert!(!own(page, "https://oidc.us-east-1.amazonaws.com"), "{page}");
        }
    }

    #[test]
    fn g13_twin_pages_of_aws_and_the_organisation_are_shown() {
        for page in [
            "https://device.sso.us-east-1.amazonaws.com/?user_code=ABCD-EFGH",
            "https://device.sso.us-east-1.amazonaws.com.cn/",
            "https://DEVICE.sso.us-east-1.amazonaws.com/",
            "https://start.corp.example/portal/#/device?user_code=ABCD-EFGH",
            "https://d-1234567890.awsapps.com/start/#/device",
            "https://ssoins-1.portal.us-east-1.app.aws/",
        ] {
            assert!(own(page, "https://oidc.us-east-1.amazonaws.com"), "{page}");
        }
    }

    #[test]
    fn a_page_on_this_machine_fits_a_double_on_this_machine_alone() {
        assert!(own("http://127.0.0.1:7000/device", "http://127.0.0.1:7000"));
        assert!(!own("http://127.0.0.1:7001/device", "http://127.0.0.1:7000"));
        assert!(!own("http://127.0.0.1:7000/device", "https://oidc.us-east-1.amazonaws.com"));
        assert!(!own("https://oidc.evil.test/device", "https://oidc.evil.test"));
    }
}
