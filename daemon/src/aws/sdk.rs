//! [`SdkAws`]: AWS through its official SDK crates. The only room that calls them.
//!
//! The SDK neither retries nor reads the environment here: every client is built from our own settings, and
//! [`retry`](super::retry) repeats what may be repeated.

mod login;
mod own_address;
mod portal;
mod users;
mod web_identity;

use super::http::{Limits, SharedClient};
use super::iam::{KeysOf, LastUse, ListedKey, MadeKey, ServiceCredential, Wire};
use super::refusals::{Operation, failure};
use super::retry::{Bounds, Failure, bounded};
use super::{
    Authorize, Aws, AwsError, BoxFuture, CallerIdentity, Config, ConfigError, DeviceAuthorization, Endpoints, Grant,
    ListedAccount, LoginCall, LoginGrant, LoginTokens, Page, Registration, RoleToAssume, SessionToAsk, Tokens, answers,
    endpoints, federation, github, hints, machine, roles_anywhere,
};
use crate::clock::Clock;
use crate::credentials::Credentials;
use crate::github_job::Job;
use crate::names::{AccountId, Region, RoleName, StartUrl};
use crate::partition::Partition;
use crate::roles_anywhere::signing::Signed;
use aws_sdk_sts::types::{PolicyDescriptorType, Tag};
use aws_smithy_async::rt::sleep::TokioSleep;
use aws_smithy_async::time::TimeSource;
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use aws_smithy_types::retry::RetryConfig;
use aws_smithy_types::timeout::TimeoutConfig;
use aws_types::app_name::AppName;
use std::sync::Arc;
use std::time::{Duration, SystemTime};
use tegata_protocol::Secret;
use url::Url;

/// The name under which a registration shows up at AWS, and the name in the user agent. Says nothing about the person.
const CLIENT_NAME: &str = "tegata";

/// Registered without a port: on loopback any port of the authorize call then fits (RFC 8252 section 7.3).
const REGISTERED_REDIRECT_URI: &str = "http://127.0.0.1/oauth/callback";

const GRANT_TYPES: [&str; 3] = ["authorization_code", DEVICE_CODE, "refresh_token"];
const DEVICE_CODE: &str = "urn:ietf:params:oauth:grant-type:device_code";

/// Where a signing clock is so far off that AWS refuses for that reason alone (SigV4 allows five minutes).
const SKEW_WORTH_SAYING: u64 = 240;

/// AWS through its official SDK crates. Making one is cheap: nothing of TLS is loaded before the first call.
///
/// A client per call costs some ten microseconds and keeps nothing: connections live in the shared HTTP client.
#[derive(Debug)]
pub struct SdkAws {
    config: Config,
    http: SharedClient,
    /// For what is on this machine or one hop from it.
    near: SharedClient,
    bounds: Bounds,
    clock: Arc<dyn Clock>,
}

/// What every SDK client is built from; the three `Config` types have the same setters but no common trait.
macro_rules! client_config {
    ($service:ident, $self:ident, $region:ident, $address:expr) => {{
        let builder = $service::Config::builder()
            .behavior_version($service::config::BehaviorVersion::v2026_01_12())
            .region($service::config::Region::new($region.as_str().to_owned()))
            .http_client($self.http.clone())
            .sleep_impl(TokioSleep::new())
            .time_source(WallTime(Arc::clone(&$self.clock)))
            .retry_config(RetryConfig::disabled())
            .timeout_config(TimeoutConfig::disabled())
            .stalled_stream_protection($service::config::StalledStreamProtectionConfig::disabled());
        let mut builder = match $address {
            Some(url) => builder.endpoint_url(endpoints::base(url)),
            None => builder.use_fips($self.config.use_fips).use_dual_stack($self.config.use_dual_stack),
        };
        builder.set_app_name(AppName::new(CLIENT_NAME).ok());
        builder
    }};
}

impl SdkAws {
    /// Takes the settings as they are for the daemon's life.
    ///
    /// # Errors
    /// [`ConfigError`] names the setting that cannot be used.
    pub fn new(config: Config, clock: Arc<dyn Clock>) -> Result<Self, ConfigError> {
        Self::with_limits(config, clock, Limits::default(), Bounds::default())
    }

    pub(crate) fn with_limits(
        config: Config,
        clock: Arc<dyn Clock>,
        limits: Limits,
        bounds: Bounds,
    ) -> Result<Self, ConfigError> {
        config.check()?;
        let http = SharedClient::new(config.clone(), limits, Arc::clone(&clock));
        let near = SharedClient::new(config.without_proxy(), limits.of_a_neighbour(), Arc::clone(&clock));
        Ok(Self { config, http, near, bounds, clock })
    }

    #[cfg(test)]
    pub(super) fn loaded_tls(&self) -> bool {
        self.http.is_ready()
    }

    fn oidc(&self, region: &Region) -> aws_sdk_ssooidc::Client {
        let address: Option<&Url> = self.config.endpoints.sso_oidc.as_ref();
        aws_sdk_ssooidc::Client::from_conf(client_config!(aws_sdk_ssooidc, self, region, address).build())
    }

    fn portal(&self, region: &Region) -> aws_sdk_sso::Client {
        let address: Option<&Url> = self.config.endpoints.sso.as_ref();
        aws_sdk_sso::Client::from_conf(client_config!(aws_sdk_sso, self, region, address).build())
    }

    fn signin(&self, region: &Region) -> aws_sdk_signin::Client {
        let address: Option<&Url> = self.config.endpoints.signin.as_ref();
        aws_sdk_signin::Client::from_conf(client_config!(aws_sdk_signin, self, region, address).build())
    }

    fn sts(&self, region: &Region, from: &Credentials) -> aws_sdk_sts::Client {
        let address: Option<&Url> = self.config.endpoints.sts.as_ref();
        let credentials = aws_credential_types::Credentials::new(
            from.access_key_id(),
            from.secret_access_key().expose_secret(),
            from.session_token().map(|token| token.expose_secret().to_owned()),
            None,
            CLIENT_NAME,
        );
        let config = client_config!(aws_sdk_sts, self, region, address)
            .identity_cache(aws_sdk_sts::config::IdentityCache::no_cache())
            .credentials_provider(credentials);
        aws_sdk_sts::Client::from_conf(config.build())
    }

    fn iam(&self) -> Wire<'_> {
        Wire { config: &self.config, http: &self.http, bounds: self.bounds, now: self.now() }
    }

    /// For what is not signed.
    fn sts_for_nobody(&self, region: &Region) -> aws_sdk_sts::Client {
        let address: Option<&Url> = self.config.endpoints.sts.as_ref();
        aws_sdk_sts::Client::from_conf(client_config!(aws_sdk_sts, self, region, address).build())
    }

    fn now(&self) -> SystemTime {
        self.clock.now()
    }

    fn failed<E: ProvideErrorMetadata>(
        &self,
        operation: Operation,
        error: &SdkError<E, HttpResponse>,
        sent: &[&Secret],
    ) -> Failure {
        failure(operation, error, self.now(), sent)
    }

    /// A refused signature may only mean that this machine's clock is wrong: then it says so.
    fn with_clock_hint(&self, error: AwsError) -> AwsError {
        let skew = self.http.clock_skew_seconds().unwrap_or(0);
        match error {
            AwsError::Refused { operation, code, message } if skew.unsigned_abs() >= SKEW_WORTH_SAYING => {
                let side = if skew > 0 { "ahead of" } else { "behind" };
                let message = format!("{message} (this machine's clock is {} s {side} AWS)", skew.unsigned_abs());
                AwsError::Refused { operation, code, message }
            }
            other => other,
        }
    }

    async fn register_client(
        &self,
        region: &Region,
        start_url: &StartUrl,
        scopes: &[String],
    ) -> Result<Registration, AwsError> {
        let operation = Operation::RegisterClient;
        let client = self.oidc(region);
        let request = || {
            client
                .register_client()
                .client_name(CLIENT_NAME)
                .client_type("public")
                .set_scopes(Some(scopes.to_vec()))
                .redirect_uris(REGISTERED_REDIRECT_URI)
                .set_grant_types(Some(GRANT_TYPES.map(str::to_owned).to_vec()))
                .issuer_url(start_url.as_str())
        };
        let answer = bounded(self.bounds, operation.name(), || async {
            request().send().await.map_err(|error| self.failed(operation, &error, &[]))
        });
        answers::registration(answer.await?, self.now())
    }

    async fn start_device(
        &self,
        region: &Region,
        client: &Registration,
        start_url: &StartUrl,
    ) -> Result<DeviceAuthorization, AwsError> {
        let operation = Operation::StartDeviceAuthorization;
        let oidc = self.oidc(region);
        let request = || {
            oidc.start_device_authorization()
                .client_id(&client.client_id)
                .client_secret(client.client_secret.expose_secret())
                .start_url(start_url.as_str())
        };
        let answer = bounded(self.bounds, operation.name(), || async {
            request().send().await.map_err(|error| self.failed(operation, &error, &[&client.client_secret]))
        });
        answers::device_authorization(answer.await?)
    }

    /// One request, whatever happens to it: the grant may be spent although no answer came.
    async fn exchange(&self, region: &Region, client: &Registration, grant: Grant<'_>) -> Result<Tokens, AwsError> {
        let operation = Operation::CreateToken { polled: matches!(grant, Grant::DeviceCode(_)) };
        let request = self
            .oidc(region)
            .create_token()
            .client_id(&client.client_id)
            .client_secret(client.client_secret.expose_secret());
        let sent = match grant {
            Grant::Code { code, verifier, .. } => vec![&client.client_secret, code, verifier],
            Grant::DeviceCode(code) => vec![&client.client_secret, code],
            Grant::RefreshToken(token) => vec![&client.client_secret, token],
        };
        let request = match grant {
            Grant::Code { code, verifier, redirect_uri } => request
                .grant_type("authorization_code")
                .code(code.expose_secret())
                .code_verifier(verifier.expose_secret())
                .redirect_uri(redirect_uri),
            Grant::DeviceCode(code) => request.grant_type(DEVICE_CODE).device_code(code.expose_secret()),
            Grant::RefreshToken(token) => request.grant_type("refresh_token").refresh_token(token.expose_secret()),
        };
        let answer = request.send().await.map_err(|error| self.failed(operation, &error, &sent).error)?;
        answers::tokens(operation, answer, self.now())
    }

    async fn assume(&self, region: &Region, from: &Credentials, role: &RoleToAssume) -> Result<Credentials, AwsError> {
        let operation = Operation::AssumeRole;
        let sts = self.sts(region, from);
        let tags = tags(&role.session_tags)?;
        let policy_arns: Vec<_> =
            role.policy_arns.iter().map(|arn| PolicyDescriptorType::builder().arn(arn).build()).collect();
        let request = || {
            sts.assume_role()
                .role_arn(role.role_arn.as_str())
                .role_session_name(role.role_session_name.as_deref().unwrap_or(CLIENT_NAME))
                .set_external_id(role.external_id.clone())
                .set_duration_seconds(role.duration.map(whole_seconds))
                .set_source_identity(role.source_identity.clone())
                .set_tags(present(tags.clone()))
                .set_transitive_tag_keys(present(role.transitive_tag_keys.clone()))
                .set_policy(role.session_policy.clone())
                .set_policy_arns(present(policy_arns.clone()))
        };
        let sent: Vec<&Secret> = from.secrets().collect();
        let answer = bounded(self.bounds, operation.name(), || async {
            request().send().await.map_err(|error| self.failed(operation, &error, &sent))
        });
        let answer = answer.await.map_err(|error| hints::explained(self.with_clock_hint(error), role))?;
        answers::assumed_role(answer, role, self.now())
    }
}

fn tags(tags: &[(String, String)]) -> Result<Vec<Tag>, AwsError> {
    let tag = |(key, value): &(String, String)| Tag::builder().key(key).value(value).build();
    tags.iter()
        .map(tag)
        .collect::<Result<_, _>>()
        .map_err(|error| Operation::AssumeRole.unavailable(format!("a session tag cannot be sent: {error}")))
}

/// An empty list is left out: query parameters have no way to say one.
fn present<T>(list: Vec<T>) -> Option<Vec<T>> {
    (!list.is_empty()).then_some(list)
}

fn whole_seconds(duration: Duration) -> i32 {
    i32::try_from(duration.as_secs()).unwrap_or(i32::MAX)
}

impl Aws for SdkAws {
    fn endpoints(&self, region: &Region) -> Result<Endpoints, AwsError> {
        endpoints::endpoints(&self.config, region)
    }

    fn authorize_url(&self, region: &Region, request: &Authorize<'_>) -> Result<Url, AwsError> {
        endpoints::authorize_url(&self.endpoints(region)?.sso_oidc, request)
    }

    fn register<'a>(
        &'a self,
        region: &'a Region,
        start_url: &'a StartUrl,
        scopes: &'a [String],
    ) -> BoxFuture<'a, Result<Registration, AwsError>> {
        Box::pin(self.register_client(region, start_url, scopes))
    }

    fn redirect_of<'a>(&'a self, address: &'a StartUrl) -> BoxFuture<'a, Result<Option<String>, AwsError>> {
        Box::pin(self.location_at(address))
    }

    fn start_device_authorization<'a>(
        &'a self,
        region: &'a Region,
        client: &'a Registration,
        start_url: &'a StartUrl,
    ) -> BoxFuture<'a, Result<DeviceAuthorization, AwsError>> {
        Box::pin(self.start_device(region, client, start_url))
    }

    fn create_token<'a>(
        &'a self,
        region: &'a Region,
        client: &'a Registration,
        grant: Grant<'a>,
    ) -> BoxFuture<'a, Result<Tokens, AwsError>> {
        Box::pin(self.exchange(region, client, grant))
    }

    fn role_credentials<'a>(
        &'a self,
        region: &'a Region,
        access_token: &'a Secret,
        account: &'a AccountId,
        role: &'a RoleName,
    ) -> BoxFuture<'a, Result<Credentials, AwsError>> {
        Box::pin(self.get_role_credentials(region, access_token, account, role))
    }

    fn list_accounts<'a>(
        &'a self,
        region: &'a Region,
        access_token: &'a Secret,
        page: Option<&'a str>,
    ) -> BoxFuture<'a, Result<Page<ListedAccount>, AwsError>> {
        Box::pin(self.accounts_page(region, access_token, page))
    }

    fn list_account_roles<'a>(
        &'a self,
        region: &'a Region,
        access_token: &'a Secret,
        account: &'a AccountId,
        page: Option<&'a str>,
    ) -> BoxFuture<'a, Result<Page<RoleName>, AwsError>> {
        Box::pin(self.roles_page(region, access_token, account, page))
    }

    fn logout<'a>(&'a self, region: &'a Region, access_token: &'a Secret) -> BoxFuture<'a, Result<(), AwsError>> {
        Box::pin(self.end_session(region, access_token))
    }

    fn assume_role<'a>(
        &'a self,
        region: &'a Region,
        from: &'a Credentials,
        role: &'a RoleToAssume,
    ) -> BoxFuture<'a, Result<Credentials, AwsError>> {
        Box::pin(self.assume(region, from, role))
    }

    fn assume_role_with_web_identity<'a>(
        &'a self,
        region: &'a Region,
        token: &'a Secret,
        role: &'a RoleToAssume,
    ) -> BoxFuture<'a, Result<Credentials, AwsError>> {
        Box::pin(self.assume_with_token(region, token, role))
    }

    fn instance_credentials(&self) -> BoxFuture<'_, Result<Credentials, AwsError>> {
        let (operation, bounds) = (Operation::InstanceMetadata, self.bounds.of_a_neighbour());
        let own = self.config.endpoints.ec2_metadata.as_ref().map(endpoints::base);
        Box::pin(async move {
            let base = own.as_deref().unwrap_or(machine::INSTANCE);
            bounded(bounds, operation.name(), || machine::of_instance(&self.near, base, self.now())).await
        })
    }

    fn container_credentials<'a>(&'a self, path: &'a str) -> BoxFuture<'a, Result<Credentials, AwsError>> {
        let (operation, bounds) = (Operation::ContainerCredentials, self.bounds.of_a_neighbour());
        let own = self.config.endpoints.ecs_container.as_ref().map(endpoints::base);
        Box::pin(async move {
            let base = own.as_deref().unwrap_or(machine::CONTAINER);
            bounded(bounds, operation.name(), || machine::of_container(&self.near, base, path, self.now())).await
        })
    }

    fn github_id_token<'a>(&'a self, job: &'a Job, audience: &'a str) -> BoxFuture<'a, Result<Secret, AwsError>> {
        let attempt = move || github::id_token(&self.http, job, audience, self.now());
        Box::pin(bounded(self.bounds, Operation::GithubIdToken.name(), attempt))
    }

    fn get_session_token<'a>(
        &'a self,
        region: &'a Region,
        from: &'a Credentials,
        asked: &'a SessionToAsk<'a>,
    ) -> BoxFuture<'a, Result<Credentials, AwsError>> {
        Box::pin(self.session_token(region, from, asked))
    }

    fn caller_identity<'a>(
        &'a self,
        region: &'a Region,
        from: &'a Credentials,
    ) -> BoxFuture<'a, Result<CallerIdentity, AwsError>> {
        Box::pin(self.identity_of(region, from))
    }

    fn create_access_key<'a>(&'a self, of: KeysOf<'a>) -> BoxFuture<'a, Result<MadeKey, AwsError>> {
        Box::pin(async move { self.iam().create(of).await.map_err(|error| self.with_clock_hint(error)) })
    }

    fn list_access_keys<'a>(&'a self, of: KeysOf<'a>) -> BoxFuture<'a, Result<Vec<ListedKey>, AwsError>> {
        Box::pin(async move { self.iam().list(of).await.map_err(|error| self.with_clock_hint(error)) })
    }

    fn set_access_key_active<'a>(
        &'a self,
        of: KeysOf<'a>,
        id: &'a str,
        active: bool,
    ) -> BoxFuture<'a, Result<(), AwsError>> {
        Box::pin(async move { self.iam().set_active(of, id, active).await })
    }

    fn delete_access_key<'a>(&'a self, of: KeysOf<'a>, id: &'a str) -> BoxFuture<'a, Result<(), AwsError>> {
        Box::pin(async move { self.iam().delete(of, id).await })
    }

    fn access_key_last_used<'a>(
        &'a self,
        of: KeysOf<'a>,
        id: &'a str,
    ) -> BoxFuture<'a, Result<Option<LastUse>, AwsError>> {
        Box::pin(async move { self.iam().last_use(of, id).await })
    }

    fn list_service_credentials<'a>(
        &'a self,
        of: KeysOf<'a>,
    ) -> BoxFuture<'a, Result<Vec<ServiceCredential>, AwsError>> {
        Box::pin(async move { self.iam().service_credentials(of).await })
    }

    fn federation(&self, partition: Partition, region: &Region) -> Result<String, AwsError> {
        endpoints::federation(&self.config, partition, region)
    }

    fn sign_in_token<'a>(
        &'a self,
        endpoint: &'a str,
        from: &'a Credentials,
        lasts: Option<Duration>,
    ) -> BoxFuture<'a, Result<Secret, AwsError>> {
        let operation = Operation::GetSigninToken;
        let attempt = move || federation::sign_in_token(&self.http, endpoint, from, lasts, self.now());
        Box::pin(async move {
            let token = bounded(self.bounds, operation.name(), attempt).await;
            token.map_err(|error| self.with_clock_hint(error))
        })
    }

    fn login_endpoint(&self, region: &Region) -> Result<String, AwsError> {
        endpoints::signin(&self.config, region)
    }

    fn login_tokens<'a>(
        &'a self,
        call: &'a LoginCall<'a>,
        grant: LoginGrant<'a>,
    ) -> BoxFuture<'a, Result<LoginTokens, AwsError>> {
        Box::pin(self.exchange_for_login(call, grant))
    }

    fn roles_anywhere(&self, region: &Region) -> Result<String, AwsError> {
        endpoints::roles_anywhere(&self.config, region)
    }

    fn create_session<'a>(
        &'a self,
        endpoint: &'a str,
        signed: &'a Signed,
        role: &'a RoleToAssume,
    ) -> BoxFuture<'a, Result<Credentials, AwsError>> {
        let operation = Operation::CreateSession;
        let attempt = move || roles_anywhere::create_session(&self.http, endpoint, signed, role, self.now());
        Box::pin(async move {
            let credentials = bounded(self.bounds, operation.name(), attempt).await;
            credentials.map_err(|error| hints::of_certificate(self.with_clock_hint(error)))
        })
    }

    fn clock_skew_seconds(&self) -> Option<i64> {
        self.http.clock_skew_seconds()
    }
}

/// The SDK signs with the daemon's clock, so that tests can move it.
#[derive(Debug)]
struct WallTime(Arc<dyn Clock>);

impl TimeSource for WallTime {
    fn now(&self) -> SystemTime {
        self.0.now()
    }
}
