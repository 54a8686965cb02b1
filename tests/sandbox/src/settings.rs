//! Every knob of the sandbox in one value, the same for Rust tests and, as JSON, for the control API.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::identity_provider::{IdentityProvider, TokenOrder};
use crate::metadata::{Container, Instance};
use crate::operation::Operation;
use crate::organization::{Organization, START_URL};
use crate::roles_anywhere::RolesAnywhere;
use crate::signin::ConsoleLogin;
use crate::sts::IamRole;

/// How the sandbox behaves. Changing it affects the next request; what was handed out keeps the life it was given.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// The Identity Center organisations, told apart by start URL.
    pub organizations: Vec<Organization>,
    /// The roles AssumeRole may reach.
    pub iam_roles: Vec<IamRole>,
    /// IAM Roles Anywhere.
    pub roles_anywhere: RolesAnywhere,
    /// The identity providers IAM knows.
    pub identity_providers: Vec<IdentityProvider>,
    /// What GitHub Actions says in the tokens of its jobs; the job says the audience.
    pub github_token: TokenOrder,
    /// The EC2 instance this machine is.
    pub instance: Instance,
    /// The ECS task this machine runs in.
    pub container: Container,
    /// How the browser consent of the PKCE flow ends.
    pub authorize: Consent,
    /// The device flow.
    pub device: DeviceFlow,
    /// AWS Sign-In, behind `aws login`.
    pub console_login: ConsoleLogin,
    /// How long things live.
    pub lifetimes: Lifetimes,
    /// What happens when a spent refresh token comes again.
    pub refresh_reuse: RefreshReuse,
    /// Whether a refresh answers with a new refresh token. AWS does; when false the old one stays good.
    pub refresh_rotation: bool,
    /// What GetRoleCredentials says in `expiration`.
    pub expiration: ExpirationForm,
    /// The portal's page size when a request has no `max_result`.
    pub page_size: usize,
    /// Length of session tokens in characters.
    pub session_token_length: usize,
    /// How far the `Date` header runs ahead of the sandbox's clock, in milliseconds; negative is behind.
    pub date_header_offset_ms: i64,
    /// Whether `x-amzn-ErrorType` carries the `:http://internal.amazon.com/coral/…` tail.
    pub error_type_tail: bool,
    /// Request limits per operation.
    pub throttle: BTreeMap<Operation, TokenBucket>,
    /// Where the organisation's own address sends browsers.
    pub own_address_leads_to: String,
    /// Whether it knows `HEAD`, or answers 405.
    pub own_address_knows_head: bool,
    /// How long after CreateAccessKey AWS does not know the key yet, in seconds: IAM is eventually consistent (IAM User Guide,
    /// "Changes that I make are not always immediately visible").
    #[serde(with = "seconds")]
    pub new_key_delay: Duration,
    /// The `user:password` the CONNECT proxy demands; absent means it asks for none.
    pub proxy_authorization: Option<String>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            organizations: vec![Organization::default()],
            iam_roles: vec![IamRole::default()],
            roles_anywhere: RolesAnywhere::default(),
            identity_providers: vec![IdentityProvider::default()],
            github_token: TokenOrder::default(),
            instance: Instance::default(),
            container: Container::default(),
            authorize: Consent::Auto,
            device: DeviceFlow::default(),
            console_login: ConsoleLogin::default(),
            lifetimes: Lifetimes::default(),
            refresh_reuse: RefreshReuse::Strict,
            refresh_rotation: true,
            expiration: ExpirationForm::Honest,
            page_size: 20,
            session_token_length: 600,
            date_header_offset_ms: 0,
            error_type_tail: true,
            throttle: BTreeMap::new(),
            own_address_leads_to: START_URL.to_owned(),
            own_address_knows_head: true,
            new_key_delay: Duration::ZERO,
            proxy_authorization: None,
        }
    }
}

impl Settings {
    /// The organisation with that start URL, a trailing slash or fragment aside.
    pub(crate) fn organization(&self, start_url: &str) -> Option<&Organization> {
        let bare = |url: &str| url.trim_end_matches('#').trim_end_matches('/').to_owned();
        self.organizations.iter().find(|organization| bare(&organization.start_url) == bare(start_url))
    }
}

/// How a browser consent ends.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Consent {
    /// Allowed at once, as the organisation's signed-in user: an immediate 302.
    #[default]
    Auto,
    /// A page with *Allow* and *Deny* for a person to click.
    Page,
    /// The redirect carries `error` and `error_description` instead of a code.
    Refuse {
        /// The OAuth error, `access_denied` for instance.
        error: String,
        /// The human text, sent percent-encoded.
        description: String,
    },
}

/// The device authorization flow (RFC 8628).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct DeviceFlow {
    /// Who decides.
    pub approval: DeviceApproval,
    /// The `interval` between polls in seconds; closer polls are slowed down.
    pub interval: u64,
    /// Whether the answer states the interval; without it clients fall back to five seconds.
    pub states_interval: bool,
    /// Sent as `verificationUri` instead of the sandbox's own page: for clients that must refuse hostile hosts.
    pub verification_uri: Option<String>,
}

impl Default for DeviceFlow {
    fn default() -> Self {
        Self { approval: DeviceApproval::AfterPolls(2), interval: 1, states_interval: true, verification_uri: None }
    }
}

/// Who decides about a device code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DeviceApproval {
    /// Approved as the signed-in user after this many pending polls.
    AfterPolls(u32),
    /// Pending until somebody decides on the device page or through the control API.
    Page,
    /// Denied.
    Denied,
}

/// How long things live. Each is in seconds in JSON, fractions allowed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Lifetimes {
    /// A client registration (AWS: 90 days).
    #[serde(with = "seconds")]
    pub registration: Duration,
    /// An authorization code.
    #[serde(with = "seconds")]
    pub authorization_code: Duration,
    /// A device code (AWS: 600 s).
    #[serde(with = "seconds")]
    pub device_code: Duration,
    /// An access token (AWS: one hour), never longer than its sign-in session.
    #[serde(with = "seconds")]
    pub access_token: Duration,
    /// A refresh token, never longer than its sign-in session.
    #[serde(with = "seconds")]
    pub refresh_token: Duration,
    /// The portal session behind the tokens (AWS: 8 hours by default).
    #[serde(with = "seconds")]
    pub sign_in_session: Duration,
    /// Credentials of GetRoleCredentials, in place of the role's own session duration.
    #[serde(with = "optional_seconds")]
    pub role_credentials: Option<Duration>,
    /// Credentials of AssumeRole, in place of what was asked for; the asking is checked all the same.
    #[serde(with = "optional_seconds")]
    pub assumed_role: Option<Duration>,
    /// Credentials of CreateSession, in place of what was asked for; the asking is checked all the same.
    #[serde(with = "optional_seconds")]
    pub certificate_session: Option<Duration>,
    /// Credentials of GetSessionToken, in place of what was asked for; the asking is checked all the same.
    #[serde(with = "optional_seconds")]
    pub user_session: Option<Duration>,
}

impl Default for Lifetimes {
    fn default() -> Self {
        let hours = |n: u64| Duration::from_secs(n * 3600);
        Self {
            registration: hours(90 * 24),
            authorization_code: Duration::from_secs(60),
            device_code: Duration::from_secs(600),
            access_token: hours(1),
            refresh_token: hours(90 * 24),
            sign_in_session: hours(8),
            role_credentials: None,
            assumed_role: None,
            certificate_session: None,
            user_session: None,
        }
    }
}

/// What happens when a refresh token that was already spent comes again.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RefreshReuse {
    /// Refused, and the whole sign-in session ends.
    Strict,
    /// Accepted for this long after it was spent, in seconds; later as in `Strict`.
    TolerantFor(#[serde(with = "seconds")] Duration),
    /// Accepted until a token it was exchanged for has itself been used; later as in `Strict`.
    TolerantUntilNewIsUsed,
}

/// What GetRoleCredentials says in `expiration`. The credentials themselves keep their real life.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ExpirationForm {
    /// Milliseconds since the epoch, as AWS does.
    #[default]
    Honest,
    /// Milliseconds, an hour ago.
    Past,
    /// Seconds instead of milliseconds.
    Seconds,
    /// A string.
    Text,
    /// The year 9999, in milliseconds.
    FarFuture,
    /// Zero.
    Zero,
    /// No such member.
    Missing,
}

/// A token bucket: `capacity` requests at once, `refill_per_second` afterwards.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TokenBucket {
    /// Tokens when full.
    pub capacity: f64,
    /// Tokens per second of the sandbox's clock.
    pub refill_per_second: f64,
}

/// Durations as JSON numbers of seconds.
pub(crate) mod seconds {
    use std::time::Duration;

    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    pub(crate) fn serialize<S: Serializer>(duration: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_f64(duration.as_secs_f64())
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
        Duration::try_from_secs_f64(f64::deserialize(deserializer)?).map_err(D::Error::custom)
    }
}

/// The same, `null` for none.
mod optional_seconds {
    use std::time::Duration;

    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    #[expect(clippy::ref_option, reason = "the signature serde's `with` calls")]
    pub(super) fn serialize<S: Serializer>(duration: &Option<Duration>, serializer: S) -> Result<S::Ok, S::Error> {
        match duration {
            Some(duration) => super::seconds::serialize(duration, serializer),
            None => serializer.serialize_none(),
        }
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Duration>, D::Error> {
        let seconds = Option::<f64>::deserialize(deserializer)?;
        seconds.map(|n| Duration::try_from_secs_f64(n).map_err(D::Error::custom)).transpose()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_survive_the_trip_through_json() {
        let mut settings = Settings::default();
        settings.lifetimes.access_token = Duration::from_millis(1500);
        settings.refresh_reuse = RefreshReuse::TolerantFor(Duration::from_secs(60));
        settings.throttle.insert(Operation::ListAccounts, TokenBucket { capacity: 2.0, refill_per_second: 0.5 });
        let json = serde_json::to_string(&settings).unwrap();
        assert_eq!(serde_json::from_str::<Settings>(&json).unwrap(), settings);
    }

    #[test]
    fn an_unknown_knob_is_an_error() {
        let error = serde_json::from_str::<Settings>(r#"{"lifetimes": {"acces_token": 5}}"#).unwrap_err();
        assert!(error.to_string().contains("acces_token"));
    }

    #[test]
    fn a_negative_lifetime_is_an_error() {
        assert!(serde_json::from_str::<Settings>(r#"{"lifetimes": {"access_token": -1}}"#).is_err());
    }

    #[test]
    fn an_organization_is_found_by_its_start_url_with_or_without_a_trailing_slash() {
        let settings = Settings::default();
        assert!(settings.organization("https://d-1234567890.awsapps.com/start/").is_some());
        assert!(settings.organization("https://d-1234567890.awsapps.com/start/#").is_some());
        assert!(settings.organization("https://d-0000000000.awsapps.com/start").is_none());
    }
}
