//! AWS from a script: each token call gets the next outcome; the script must be long enough.

use crate::aws::{
    Authorize, Aws, AwsError, BoxFuture, DeviceAuthorization, Endpoints, Grant, Registration, RoleToAssume, Tokens,
};
use crate::credentials::Credentials;
use crate::names::{AccountId, Region, RoleName, StartUrl};
use std::collections::VecDeque;
use std::sync::Mutex;
use std::time::{Duration, SystemTime};
use tegata_protocol::Secret;
use tokio::time::Instant;
use url::Url;

/// One token call: what was exchanged and when.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Exchange {
    pub(super) grant: String,
    pub(super) verifier: String,
    pub(super) redirect_uri: String,
    pub(super) at: Instant,
}

#[derive(Debug)]
pub(super) struct ScriptedAws {
    outcomes: Mutex<VecDeque<Result<Tokens, AwsError>>>,
    device: Result<DeviceAuthorization, AwsError>,
    exchanges: Mutex<Vec<Exchange>>,
}

impl ScriptedAws {
    pub(super) fn answering(outcomes: impl IntoIterator<Item = Result<Tokens, AwsError>>) -> Self {
        let outcomes = Mutex::new(outcomes.into_iter().collect());
        Self { outcomes, device: Ok(device_authorization()), exchanges: Mutex::default() }
    }

    /// Only a device sign-in is begun, with this answer.
    pub(super) fn starting(device: Result<DeviceAuthorization, AwsError>) -> Self {
        Self { device, ..Self::answering([]) }
    }

    pub(super) fn exchanges(&self) -> Vec<Exchange> {
        self.exchanges.lock().unwrap().clone()
    }
}

pub(super) fn tokens() -> Tokens {
    Tokens {
        access_token: Secret::new(String::from("access-1")),
        expires_at: SystemTime::UNIX_EPOCH + Duration::from_secs(3600),
        issued_at: SystemTime::UNIX_EPOCH,
        refresh_token: None,
    }
}

pub(super) fn device_authorization() -> DeviceAuthorization {
    DeviceAuthorization {
        device_code: Secret::new(String::from("device-1")),
        user_code: String::from("ABCD-EFGH"),
        verification_uri: String::from("https://device.sso.us-east-1.amazonaws.com/"),
        verification_uri_complete: Some(String::from(
            "https://device.sso.us-east-1.amazonaws.com/?user_code=ABCD-EFGH",
        )),
        expires_in: Duration::from_secs(600),
        interval: Duration::from_secs(1),
    }
}

impl Aws for ScriptedAws {
    fn endpoints(&self, region: &Region) -> Result<Endpoints, AwsError> {
        Ok(Endpoints { sso_oidc: format!("https://oidc.{region}.amazonaws.com"), sso: String::from("unused") })
    }

    fn authorize_url(&self, region: &Region, request: &Authorize<'_>) -> Result<Url, AwsError> {
        let mut url = Url::parse(&format!("{}/authorize", self.endpoints(region)?.sso_oidc)).unwrap();
        url.query_pairs_mut()
            .append_pair("client_id", request.client_id)
            .append_pair("redirect_uri", request.redirect_uri)
            .append_pair("state", request.state)
            .append_pair("code_challenge", request.challenge)
            .append_pair("scopes", &request.scopes.join(" "));
        Ok(url)
    }

    fn start_device_authorization<'a>(
        &'a self,
        _: &'a Region,
        _: &'a Registration,
        _: &'a StartUrl,
    ) -> BoxFuture<'a, Result<DeviceAuthorization, AwsError>> {
        Box::pin(async { self.device.clone() })
    }

    fn create_token<'a>(
        &'a self,
        _: &'a Region,
        _: &'a Registration,
        grant: Grant<'a>,
    ) -> BoxFuture<'a, Result<Tokens, AwsError>> {
        let (grant, verifier, redirect_uri) = match grant {
            Grant::Code { code, verifier, redirect_uri } => (code, verifier.expose_secret(), redirect_uri),
            Grant::DeviceCode(code) => (code, "", ""),
            Grant::RefreshToken(_) => panic!("a sign-in has nothing to refresh"),
        };
        self.exchanges.lock().unwrap().push(Exchange {
            grant: grant.expose_secret().to_owned(),
            verifier: verifier.to_owned(),
            redirect_uri: redirect_uri.to_owned(),
            at: Instant::now(),
        });
        let outcome = self.outcomes.lock().unwrap().pop_front().expect("more token calls than outcomes");
        Box::pin(async { outcome })
    }

    fn register<'a>(
        &'a self,
        _: &'a Region,
        _: &'a StartUrl,
        _: &'a [String],
    ) -> BoxFuture<'a, Result<Registration, AwsError>> {
        panic!("a sign-in brings its client")
    }

    fn role_credentials<'a>(
        &'a self,
        _: &'a Region,
        _: &'a Secret,
        _: &'a AccountId,
        _: &'a RoleName,
    ) -> BoxFuture<'a, Result<Credentials, AwsError>> {
        panic!("a sign-in fetches no credentials")
    }

    fn logout<'a>(&'a self, _: &'a Region, _: &'a Secret) -> BoxFuture<'a, Result<(), AwsError>> {
        panic!("a sign-in signs nobody out")
    }

    fn assume_role<'a>(
        &'a self,
        _: &'a Region,
        _: &'a Credentials,
        _: &'a RoleToAssume,
    ) -> BoxFuture<'a, Result<Credentials, AwsError>> {
        panic!("a sign-in assumes no role")
    }

    fn clock_skew_seconds(&self) -> Option<i64> {
        None
    }
}
