//! AWS as the daemon sees it: one trait, its answers and its refusals. The SDK crates are known inside this room alone.
//!
//! Regions come with every call because several organisations live side by side; endpoints, proxy, CA and the FIPS and
//! dual-stack switches are fixed when the implementation is built, from Tegata's own settings and never from a caller.

mod answers;
mod config;
mod endpoints;
mod federation;
mod github;
mod hints;
mod http;
pub mod iam;
mod login;
mod machine;
mod refusals;
mod retry;
mod roles_anywhere;
#[cfg(test)]
pub(crate) mod scripted;
#[cfg(test)]
pub(crate) mod scripted_iam;
mod sdk;
mod trust;
mod users;

pub(crate) use config::is_loopback;
pub use config::{Config, ConfigError, EndpointOverrides};
pub use login::{AuthorizeLogin, LoginCall, LoginClient, LoginGrant, LoginTokens, login_url};
pub use sdk::SdkAws;
pub use users::{CallerIdentity, MfaCode, SessionToAsk};

use crate::credentials::Credentials;
use crate::github_job::Job;
use crate::names::{AccountId, Region, RoleArn, RoleName, StartUrl};
use crate::partition::Partition;
use crate::roles_anywhere::signing::Signed;
use iam::{KeysOf, LastUse, ListedKey, MadeKey, ServiceCredential};
use std::future::Future;
use std::pin::Pin;
use std::time::{Duration, SystemTime};
use tegata_protocol::Secret;

/// A future that a `dyn` trait can return.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// Why AWS gave no answer that can be used. Texts from AWS are already one printable line.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AwsError {
    /// The grant (code, device code, refresh token) or the token is over: only a person can go on.
    #[error("AWS says the sign-in is over: {message}")]
    SignInOver {
        /// AWS's own words.
        message: String,
    },
    /// The client registration is unknown or has expired: register again (SSO OIDC `InvalidClientException`, 401).
    #[error("AWS no longer knows this client: {message}")]
    ClientUnknown {
        /// AWS's own words.
        message: String,
    },
    /// The person has not finished (RFC 8628 section 3.5, `authorization_pending`).
    #[error("the person has not finished signing in")]
    Pending,
    /// Poll five seconds less often from now on (RFC 8628 section 3.5, `slow_down`).
    #[error("AWS asks to be polled less often")]
    SlowDown,
    /// AWS understood and refused.
    #[error("AWS refused {operation} ({code}): {message}")]
    Refused {
        /// The operation.
        operation: &'static str,
        /// AWS's error code, or the HTTP status.
        code: String,
        /// AWS's own words.
        message: String,
    },
    /// AWS asks for fewer requests, and still did after the retries.
    #[error("AWS asks for fewer requests ({operation})")]
    Throttled {
        /// The operation.
        operation: &'static str,
        /// What `Retry-After` said last, if it was there.
        retry_after: Option<Duration>,
    },
    /// No usable answer: not reached, not in time, not in shape, or a fault of AWS's (5xx).
    #[error("AWS did not answer {operation}: {detail}")]
    Unavailable {
        /// The operation.
        operation: &'static str,
        /// What happened.
        detail: String,
    },
}

impl AwsError {
    /// Whether the same request may succeed later without a person doing anything.
    #[must_use]
    pub fn is_passing(&self) -> bool {
        matches!(self, Self::Throttled { .. } | Self::Unavailable { .. } | Self::SlowDown | Self::Pending)
    }
}

/// A client registered at SSO OIDC (good for 90 days).
#[derive(Clone, Debug)]
pub struct Registration {
    /// The client id.
    pub client_id: String,
    /// The client secret.
    pub client_secret: Secret,
    /// When it has to be registered again.
    pub expires_at: SystemTime,
}

/// What a sign-in gives.
#[derive(Clone, Debug)]
pub struct Tokens {
    /// The bearer token of the portal. It opens every role assigned to the person: CreateToken's `scope` has no effect.
    pub access_token: Secret,
    /// When the access token ends.
    pub expires_at: SystemTime,
    /// When the access token was issued, by this machine's clock.
    pub issued_at: SystemTime,
    /// Renews the access token once; the answer carries the next one.
    pub refresh_token: Option<Secret>,
}

/// What a device-code sign-in starts with (RFC 8628 section 3.2).
#[derive(Clone, Debug)]
pub struct DeviceAuthorization {
    /// What the polls carry. Whoever has it gets the tokens.
    pub device_code: Secret,
    /// What the person compares.
    pub user_code: String,
    /// The page.
    pub verification_uri: String,
    /// The page with the code filled in.
    pub verification_uri_complete: Option<String>,
    /// How long the code is good for.
    pub expires_in: Duration,
    /// The least time between polls.
    pub interval: Duration,
}

/// A page of a listing at the portal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page<T> {
    /// What is on it.
    pub items: Vec<T>,
    /// What to ask for the next page with; absent on the last.
    pub next: Option<String>,
}

/// An account that the person has a role in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListedAccount {
    /// The account.
    pub id: AccountId,
    /// Its name: one printable line, cut to a bound.
    pub name: String,
    /// The mail address of its root user: one printable line, cut to a bound.
    pub email: String,
}

/// What is exchanged for tokens.
#[derive(Debug)]
pub enum Grant<'a> {
    /// An authorization code (RFC 6749 section 4.1.3, RFC 7636 section 4.5).
    Code {
        /// The code from the callback.
        code: &'a Secret,
        /// The PKCE verifier whose challenge the authorize URL carried.
        verifier: &'a Secret,
        /// Byte for byte the one of the authorize URL, port included.
        redirect_uri: &'a str,
    },
    /// A device code (RFC 8628 section 3.4).
    DeviceCode(&'a Secret),
    /// A refresh token (RFC 6749 section 6).
    RefreshToken(&'a Secret),
}

/// What the authorize URL carries.
#[derive(Debug)]
pub struct Authorize<'a> {
    /// The registered client's id.
    pub client_id: &'a str,
    /// The loopback callback with its port (RFC 8252 section 7.3).
    pub redirect_uri: &'a str,
    /// The state that must come back.
    pub state: &'a str,
    /// The S256 challenge (RFC 7636 section 4.2).
    pub challenge: &'a str,
    /// The scopes.
    pub scopes: &'a [String],
}

/// A role to assume, and what the request for it carries (STS API reference, `AssumeRole`).
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct RoleToAssume {
    /// The role.
    pub role_arn: RoleArn,
    /// `role_session_name`, or absent for one made from user and host.
    pub role_session_name: Option<String>,
    /// `external_id`.
    pub external_id: Option<String>,
    /// `duration_seconds`, 900 to 43,200; one hour at most behind another role (role chaining).
    pub duration: Option<Duration>,
    /// Who acts, for the whole rest of the chain: 2 to 64 characters of `[\w+=,.@-]`, not beginning with `aws:`.
    pub source_identity: Option<String>,
    /// Session tags in order: at most 50, keys of 128 and values of 256 characters.
    pub session_tags: Vec<(String, String)>,
    /// The keys of the tags that the roles after this one inherit.
    pub transitive_tag_keys: Vec<String>,
    /// An inline session policy (JSON); with `policy_arns` at most 2,048 characters.
    pub session_policy: Option<String>,
    /// Managed policies that narrow the session: at most 10.
    pub policy_arns: Vec<String>,
    /// The key of the session tag that carries the reason of an elevation; absent where the role must get no such tag.
    pub reason_tag: Option<String>,
}

impl RoleToAssume {
    /// A role that is asked for with nothing but its ARN.
    #[must_use]
    pub fn new(role_arn: RoleArn) -> Self {
        Self {
            role_arn,
            role_session_name: None,
            external_id: None,
            duration: None,
            source_identity: None,
            session_tags: Vec::new(),
            transitive_tag_keys: Vec::new(),
            session_policy: None,
            policy_arns: Vec::new(),
            reason_tag: None,
        }
    }
}

/// Returns the wall time by AWS's clock, when this machine's is so many seconds ahead of it, as far as that is known: expiry is judged
/// by the clock of who enforces it.
#[must_use]
pub fn time_at_aws(now: SystemTime, ahead_seconds: Option<i64>) -> SystemTime {
    let ahead = ahead_seconds.unwrap_or(0);
    let by = Duration::from_secs(ahead.unsigned_abs());
    if ahead > 0 { now.checked_sub(by).unwrap_or(now) } else { now + by }
}

/// Where the tokens of one sign-in session are sent: pinned at the first sign-in.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Endpoints {
    /// The SSO OIDC endpoint.
    pub sso_oidc: String,
    /// The SSO portal endpoint.
    pub sso: String,
}

/// What AWS does for Tegata. Implementations retry passing faults themselves, bounded, and obey `Retry-After`.
pub trait Aws: Send + Sync + std::fmt::Debug {
    /// Returns where tokens of a sign-in session in this region go.
    ///
    /// # Errors
    /// [`AwsError::Refused`] when no endpoint exists for the region with the switches set.
    fn endpoints(&self, region: &Region) -> Result<Endpoints, AwsError>;

    /// Returns the page on which the person authorizes.
    ///
    /// # Errors
    /// As [`Aws::endpoints`].
    fn authorize_url(&self, region: &Region, request: &Authorize<'_>) -> Result<url::Url, AwsError>;

    /// Registers a public client for this organisation (SSO OIDC `RegisterClient`).
    fn register<'a>(
        &'a self,
        region: &'a Region,
        start_url: &'a StartUrl,
        scopes: &'a [String],
    ) -> BoxFuture<'a, Result<Registration, AwsError>>;

    /// Asks an address of an organisation's own where it sends browsers, and goes there no further: what `Location` says, if it
    /// says anything. Nothing is sent along.
    fn redirect_of<'a>(&'a self, address: &'a StartUrl) -> BoxFuture<'a, Result<Option<String>, AwsError>>;

    /// Begins a device-code sign-in (SSO OIDC `StartDeviceAuthorization`).
    fn start_device_authorization<'a>(
        &'a self,
        region: &'a Region,
        client: &'a Registration,
        start_url: &'a StartUrl,
    ) -> BoxFuture<'a, Result<DeviceAuthorization, AwsError>>;

    /// Exchanges a grant for tokens (SSO OIDC `CreateToken`). Never retried after the request left: a grant is good once.
    fn create_token<'a>(
        &'a self,
        region: &'a Region,
        client: &'a Registration,
        grant: Grant<'a>,
    ) -> BoxFuture<'a, Result<Tokens, AwsError>>;

    /// Fetches credentials of an assigned role (SSO portal `GetRoleCredentials`).
    fn role_credentials<'a>(
        &'a self,
        region: &'a Region,
        access_token: &'a Secret,
        account: &'a AccountId,
        role: &'a RoleName,
    ) -> BoxFuture<'a, Result<Credentials, AwsError>>;

    /// Lists accounts the person has a role in (SSO portal `ListAccounts`): the first page, or the one `page` says. One
    /// request and no second: who asks for many keeps the pace.
    fn list_accounts<'a>(
        &'a self,
        region: &'a Region,
        access_token: &'a Secret,
        page: Option<&'a str>,
    ) -> BoxFuture<'a, Result<Page<ListedAccount>, AwsError>>;

    /// Lists the roles of the person in an account (SSO portal `ListAccountRoles`), as [`Aws::list_accounts`] does.
    fn list_account_roles<'a>(
        &'a self,
        region: &'a Region,
        access_token: &'a Secret,
        account: &'a AccountId,
        page: Option<&'a str>,
    ) -> BoxFuture<'a, Result<Page<RoleName>, AwsError>>;

    /// Ends the sign-in session at AWS (SSO portal `Logout`). Role credentials already issued live on.
    fn logout<'a>(&'a self, region: &'a Region, access_token: &'a Secret) -> BoxFuture<'a, Result<(), AwsError>>;

    /// Assumes a role (STS `AssumeRole`) at the regional endpoint.
    fn assume_role<'a>(
        &'a self,
        region: &'a Region,
        from: &'a Credentials,
        role: &'a RoleToAssume,
    ) -> BoxFuture<'a, Result<Credentials, AwsError>>;

    /// Assumes a role for a token of an identity provider (STS `AssumeRoleWithWebIdentity`) at the regional endpoint. Nothing is
    /// signed; of the role, the session name, the duration and the policies are sent.
    fn assume_role_with_web_identity<'a>(
        &'a self,
        region: &'a Region,
        token: &'a Secret,
        role: &'a RoleToAssume,
    ) -> BoxFuture<'a, Result<Credentials, AwsError>>;

    /// Asks the metadata service of the EC2 instance that this machine is for the credentials of its role (version 2).
    fn instance_credentials(&self) -> BoxFuture<'_, Result<Credentials, AwsError>>;

    /// Asks the credentials endpoint of the ECS task that this machine runs in, at the path that the task was told.
    fn container_credentials<'a>(&'a self, path: &'a str) -> BoxFuture<'a, Result<Credentials, AwsError>>;

    /// Asks the token service of GitHub Actions for a token of a job, for `audience`. It is not AWS, and refuses as if it were.
    fn github_id_token<'a>(&'a self, job: &'a Job, audience: &'a str) -> BoxFuture<'a, Result<Secret, AwsError>>;

    /// Makes a session of an IAM user (STS `GetSessionToken`) at the regional endpoint; `from` are the user's access keys. With a code it is
    /// never retried after the request left: a code is good once.
    fn get_session_token<'a>(
        &'a self,
        region: &'a Region,
        from: &'a Credentials,
        asked: &'a SessionToAsk<'a>,
    ) -> BoxFuture<'a, Result<Credentials, AwsError>>;

    /// Asks who somebody with these credentials is (STS `GetCallerIdentity`). Everybody may ask.
    fn caller_identity<'a>(
        &'a self,
        region: &'a Region,
        from: &'a Credentials,
    ) -> BoxFuture<'a, Result<CallerIdentity, AwsError>>;

    /// Makes a user another access key (IAM `CreateAccessKey`). Never retried after the request left: a key may have been made whose
    /// secret nobody was told.
    fn create_access_key<'a>(&'a self, of: KeysOf<'a>) -> BoxFuture<'a, Result<MadeKey, AwsError>>;

    /// Lists a user's access keys (IAM `ListAccessKeys`), all pages of it.
    fn list_access_keys<'a>(&'a self, of: KeysOf<'a>) -> BoxFuture<'a, Result<Vec<ListedKey>, AwsError>>;

    /// Switches an access key of a user on or off (IAM `UpdateAccessKey`).
    fn set_access_key_active<'a>(
        &'a self,
        of: KeysOf<'a>,
        id: &'a str,
        active: bool,
    ) -> BoxFuture<'a, Result<(), AwsError>>;

    /// Deletes an access key of a user for good (IAM `DeleteAccessKey`).
    fn delete_access_key<'a>(&'a self, of: KeysOf<'a>, id: &'a str) -> BoxFuture<'a, Result<(), AwsError>>;

    /// Tells when an access key of a user was last used (IAM `GetAccessKeyLastUsed`); absent: never, as far as IAM knows yet.
    fn access_key_last_used<'a>(
        &'a self,
        of: KeysOf<'a>,
        id: &'a str,
    ) -> BoxFuture<'a, Result<Option<LastUse>, AwsError>>;

    /// Lists what a user has for one service alone (IAM `ListServiceSpecificCredentials`), all pages of it.
    fn list_service_credentials<'a>(
        &'a self,
        of: KeysOf<'a>,
    ) -> BoxFuture<'a, Result<Vec<ServiceCredential>, AwsError>>;

    /// Returns where the console of a partition is signed in to, without a path.
    ///
    /// # Errors
    /// [`AwsError::Refused`] when no such endpoint is known with the switches set.
    fn federation(&self, partition: Partition, region: &Region) -> Result<String, AwsError>;

    /// Exchanges credentials for a sign-in token of the web console, good for 15 minutes (IAM User Guide, "Enable custom identity
    /// broker access to the AWS console"). `endpoint` is one of [`Aws::federation`]; `lasts` is how long the console session is to
    /// last, absent: as long as the credentials.
    fn sign_in_token<'a>(
        &'a self,
        endpoint: &'a str,
        from: &'a Credentials,
        lasts: Option<Duration>,
    ) -> BoxFuture<'a, Result<Secret, AwsError>>;

    /// Returns where console logins of a region begin and their tokens go, without a path.
    ///
    /// # Errors
    /// As [`Aws::endpoints`].
    fn login_endpoint(&self, region: &Region) -> Result<String, AwsError>;

    /// Exchanges a grant for credentials and the next refresh token (Sign-In `CreateOAuth2Token`), with a proof of the login's key.
    /// Never retried after the request left: a grant is good once.
    fn login_tokens<'a>(
        &'a self,
        call: &'a LoginCall<'a>,
        grant: LoginGrant<'a>,
    ) -> BoxFuture<'a, Result<LoginTokens, AwsError>>;

    /// Returns the endpoint of IAM Roles Anywhere in a region, without a path.
    ///
    /// # Errors
    /// [`AwsError::Refused`] when no such endpoint is known with the switches set.
    fn roles_anywhere(&self, region: &Region) -> Result<String, AwsError>;

    /// Exchanges a request signed with a certificate's key for credentials of a role (IAM Roles Anywhere `CreateSession`).
    /// `endpoint` is one of [`Aws::roles_anywhere`], for whose host the request was signed.
    fn create_session<'a>(
        &'a self,
        endpoint: &'a str,
        signed: &'a Signed,
        role: &'a RoleToAssume,
    ) -> BoxFuture<'a, Result<Credentials, AwsError>>;

    /// Returns how many seconds this machine's clock is ahead of AWS (negative: behind), as the last `Date` header told.
    fn clock_skew_seconds(&self) -> Option<i64>;

    /// Returns what time it is by AWS's clock, as far as that is known, when it is `now` by this machine's: what ends, and which code is
    /// shown, is judged by the clock of who enforces it.
    fn time(&self, now: SystemTime) -> SystemTime {
        let ahead = self.clock_skew_seconds().unwrap_or(0);
        let by = Duration::from_secs(ahead.unsigned_abs());
        if ahead > 0 { now.checked_sub(by).unwrap_or(now) } else { now + by }
    }
}

#[cfg(test)]
mod tests;
