//! A twin of AWS that answers by script. For tests: it fails on what the script does not have.

use super::iam::{KeysOf, LastUse, ListedKey, MadeKey, ServiceCredential};
use super::scripted_iam::ScriptedIam;
use super::{
    Authorize, Aws, AwsError, BoxFuture, CallerIdentity, DeviceAuthorization, Endpoints, Grant, ListedAccount,
    LoginCall, LoginGrant, LoginTokens, Page, Registration, RoleToAssume, SessionToAsk, Tokens,
};
use crate::clock::Clock;
use crate::credentials::{Credentials, Parts};
use crate::github_job::Job;
use crate::names::{AccountId, Region, RoleName, StartUrl};
use crate::partition::Partition;
use crate::roles_anywhere::signing::Signed;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use std::collections::VecDeque;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tegata_protocol::Secret;
use tokio::time::Instant;

/// One exchange of what a person's sign-in gave: what was sent and when.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Exchange {
    pub(crate) grant: String,
    pub(crate) verifier: String,
    pub(crate) redirect_uri: String,
    pub(crate) at: Instant,
}

/// What the portal lists.
#[derive(Clone, Debug, Default)]
pub(crate) struct Listing {
    pub(crate) accounts: Vec<(ListedAccount, Vec<RoleName>)>,
    /// Entries of a page; 0 is all of them.
    pub(crate) page_size: usize,
    /// What the next calls answer instead of what is listed, each in its turn.
    pub(crate) failures: VecDeque<Option<AwsError>>,
    /// From this call on (counted from 1) none is answered.
    pub(crate) silent_from: Option<usize>,
    pub(crate) asked: usize,
}

impl Listing {
    fn page<T: Clone>(&self, of: &[T], page: Option<&str>) -> Page<T> {
        let size = if self.page_size == 0 { of.len() } else { self.page_size };
        let from = page.map_or(0, |page| page.parse().expect("a page of this script"));
        let items: Vec<T> = of.iter().skip(from).take(size).cloned().collect();
        let next = (from + items.len() < of.len()).then(|| (from + items.len()).to_string());
        Page { items, next }
    }
}

/// Who logs in to the console unless a test says otherwise.
pub(crate) const ALICE: &str = "arn:aws:sts::123456789012:assumed-role/Admin/alice";

/// AWS by script.
#[derive(Debug)]
pub(crate) struct ScriptedAws {
    clock: Arc<dyn Clock>,
    pub(crate) host: Mutex<String>,
    pub(crate) tokens: Mutex<VecDeque<Result<Duration, AwsError>>>,
    pub(crate) roles: Mutex<VecDeque<Result<Duration, AwsError>>>,
    /// What StartDeviceAuthorization answers.
    pub(crate) device: Mutex<Result<DeviceAuthorization, AwsError>>,
    pub(crate) calls: Mutex<Vec<String>>,
    pub(crate) listing: Mutex<Listing>,
    /// Where an organisation's own address leads.
    pub(crate) location: Mutex<Option<String>>,
    /// What CreateOAuth2Token answers.
    pub(crate) logins: Mutex<VecDeque<Result<Duration, AwsError>>>,
    /// Who logs in, as the identity token says.
    pub(crate) identity: Mutex<String>,
    /// The roles that were asked for, as they were asked for.
    pub(crate) assumed: Mutex<Vec<RoleToAssume>>,
    /// Who callers are, each in its turn.
    pub(crate) identities: Mutex<VecDeque<Result<CallerIdentity, AwsError>>>,
    /// IAM.
    pub(crate) iam: Mutex<ScriptedIam>,
    /// What the next GetSessionToken waits for before it answers.
    pub(crate) held: Mutex<Option<Arc<tokio::sync::Notify>>>,
    /// What the token service of GitHub Actions answers, in order.
    pub(crate) github: Mutex<VecDeque<Result<Secret, AwsError>>>,
    exchanges: Mutex<Vec<Exchange>>,
    minted: AtomicUsize,
}

impl ScriptedAws {
    pub(crate) fn new(clock: Arc<dyn Clock>) -> Arc<Self> {
        let (tokens, roles, calls) = (Mutex::default(), Mutex::default(), Mutex::default());
        let host = Mutex::new("amazonaws.com".to_owned());
        let (device, exchanges, minted) =
            (Mutex::new(Ok(device_authorization())), Mutex::default(), AtomicUsize::new(0));
        let (assumed, listing, location) = (Mutex::default(), Mutex::default(), Mutex::default());
        let (logins, identity) = (Mutex::default(), Mutex::new(ALICE.to_owned()));
        let (identities, iam, held, github) = (Mutex::default(), Mutex::default(), Mutex::default(), Mutex::default());
        Arc::new(Self {
            clock,
            host,
            tokens,
            roles,
            device,
            calls,
            listing,
            location,
            logins,
            identity,
            assumed,
            identities,
            iam,
            held,
            github,
            exchanges,
            minted,
        })
    }

    /// The next CreateToken answers so; a success is a token of this life with a refresh token.
    pub(crate) fn next_tokens(&self, answer: Result<Duration, AwsError>) {
        self.tokens.lock().unwrap().push_back(answer);
    }

    /// The next GetRoleCredentials, AssumeRole or GetSessionToken answers so; a success is credentials of this life.
    pub(crate) fn next_role(&self, answer: Result<Duration, AwsError>) {
        self.roles.lock().unwrap().push_back(answer);
    }

    /// The next CreateOAuth2Token answers so; a success is credentials of this life with a refresh token.
    pub(crate) fn next_login(&self, answer: Result<Duration, AwsError>) {
        self.logins.lock().unwrap().push_back(answer);
    }

    /// What a login that did not come by a call gives.
    pub(crate) fn mint_login(&self, life: Duration) -> LoginTokens {
        let credentials = self.credentials(life);
        let n = self.minted.fetch_add(1, Ordering::SeqCst);
        LoginTokens { credentials, refresh_token: Secret::new(format!("refresh-{n}")), id_token: None }
    }

    pub(crate) fn calls(&self) -> Vec<String> {
        self.calls.lock().unwrap().clone()
    }

    pub(crate) fn exchanges(&self) -> Vec<Exchange> {
        self.exchanges.lock().unwrap().clone()
    }

    pub(crate) fn mint(&self, life: Duration) -> Tokens {
        let n = self.minted.fetch_add(1, Ordering::SeqCst);
        Tokens {
            access_token: Secret::new(format!("access-{n}")),
            expires_at: self.clock.now() + life,
            issued_at: self.clock.now(),
            refresh_token: Some(Secret::new(format!("refresh-{n}"))),
        }
    }

    fn credentials(&self, life: Duration) -> Credentials {
        let n = self.minted.fetch_add(1, Ordering::SeqCst);
        Credentials::from(Parts {
            access_key_id: format!("ASIA{n:016}"),
            secret_access_key: Secret::new(format!("secret-{n}")),
            session_token: Secret::new(format!("token-{n}")),
            expires_at: self.clock.now() + life,
            issued_at: self.clock.now(),
            account_id: None,
        })
    }

    fn called(&self, call: String) {
        self.calls.lock().unwrap().push(call);
    }

    fn exchanged(&self, grant: &Secret, verifier: &str, redirect_uri: &str) {
        self.exchanges.lock().unwrap().push(Exchange {
            grant: grant.expose_secret().to_owned(),
            verifier: verifier.to_owned(),
            redirect_uri: redirect_uri.to_owned(),
            at: Instant::now(),
        });
    }

    /// Takes the turn of a listing: answers, fails or stays silent as the script says.
    async fn list<T>(&self, call: String, page: impl FnOnce(&Listing) -> Page<T>) -> Result<Page<T>, AwsError> {
        self.called(call);
        tokio::task::yield_now().await;
        let silent = {
            let mut listing = self.listing.lock().unwrap();
            listing.asked += 1;
            listing.silent_from.is_some_and(|from| listing.asked >= from)
        };
        if silent {
            std::future::pending::<()>().await;
        }
        let mut listing = self.listing.lock().unwrap();
        listing.failures.pop_front().flatten().map_or_else(|| Ok(page(&listing)), Err)
    }

    fn role(&self) -> Result<Credentials, AwsError> {
        let answer = self.roles.lock().unwrap().pop_front().expect("the script has an answer for this role");
        answer.map(|life| self.credentials(life))
    }
}

/// A device sign-in of AWS's own that lives ten minutes and is polled every second.
pub(crate) fn device_authorization() -> DeviceAuthorization {
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
        let host = self.host.lock().unwrap();
        Ok(Endpoints {
            sso_oidc: format!("https://oidc.{region}.{host}"),
            sso: format!("https://portal.sso.{region}.{host}"),
        })
    }

    fn authorize_url(&self, region: &Region, request: &Authorize<'_>) -> Result<url::Url, AwsError> {
        let mut url = url::Url::parse(&format!("{}/authorize", self.endpoints(region)?.sso_oidc)).unwrap();
        url.query_pairs_mut()
            .append_pair("client_id", request.client_id)
            .append_pair("redirect_uri", request.redirect_uri)
            .append_pair("state", request.state)
            .append_pair("code_challenge", request.challenge)
            .append_pair("scopes", &request.scopes.join(" "));
        Ok(url)
    }

    fn register<'a>(
        &'a self,
        _: &'a Region,
        _: &'a StartUrl,
        _: &'a [String],
    ) -> BoxFuture<'a, Result<Registration, AwsError>> {
        self.called("register".to_owned());
        let expires_at = self.clock.now() + Duration::from_secs(90 * 24 * 3600);
        let registration =
            Registration { client_id: "client".into(), client_secret: Secret::new("client-secret".into()), expires_at };
        Box::pin(async move { Ok(registration) })
    }

    fn redirect_of<'a>(&'a self, address: &'a StartUrl) -> BoxFuture<'a, Result<Option<String>, AwsError>> {
        self.called(format!("redirect of {address}"));
        let location = self.location.lock().unwrap().clone();
        Box::pin(async move { Ok(location) })
    }

    fn start_device_authorization<'a>(
        &'a self,
        _: &'a Region,
        _: &'a Registration,
        _: &'a StartUrl,
    ) -> BoxFuture<'a, Result<DeviceAuthorization, AwsError>> {
        Box::pin(async { self.device.lock().unwrap().clone() })
    }

    fn create_token<'a>(
        &'a self,
        _: &'a Region,
        _: &'a Registration,
        grant: Grant<'a>,
    ) -> BoxFuture<'a, Result<Tokens, AwsError>> {
        match grant {
            Grant::RefreshToken(token) => self.called(format!("refresh {}", token.expose_secret())),
            Grant::DeviceCode(code) => self.exchanged(code, "", ""),
            Grant::Code { code, verifier, redirect_uri } => {
                self.exchanged(code, verifier.expose_secret(), redirect_uri);
            }
        }
        Box::pin(async move {
            // The other tasks get their turn, as they would while a request is on its way.
            tokio::task::yield_now().await;
            let answer = self.tokens.lock().unwrap().pop_front().expect("the script has tokens");
            answer.map(|life| self.mint(life))
        })
    }

    fn role_credentials<'a>(
        &'a self,
        _: &'a Region,
        token: &'a Secret,
        _: &'a AccountId,
        role: &'a RoleName,
    ) -> BoxFuture<'a, Result<Credentials, AwsError>> {
        self.called(format!("role {role} by {}", token.expose_secret()));
        Box::pin(async move {
            tokio::task::yield_now().await;
            self.role()
        })
    }

    fn list_accounts<'a>(
        &'a self,
        _: &'a Region,
        token: &'a Secret,
        page: Option<&'a str>,
    ) -> BoxFuture<'a, Result<Page<ListedAccount>, AwsError>> {
        let call = format!("accounts {} by {}", page.unwrap_or("first"), token.expose_secret());
        Box::pin(self.list(call, move |listing| {
            let accounts: Vec<_> = listing.accounts.iter().map(|(account, _)| account.clone()).collect();
            listing.page(&accounts, page)
        }))
    }

    fn list_account_roles<'a>(
        &'a self,
        _: &'a Region,
        token: &'a Secret,
        account: &'a AccountId,
        page: Option<&'a str>,
    ) -> BoxFuture<'a, Result<Page<RoleName>, AwsError>> {
        let call = format!("roles {account} {} by {}", page.unwrap_or("first"), token.expose_secret());
        Box::pin(self.list(call, move |listing| {
            let found = listing.accounts.iter().find(|(listed, _)| listed.id == *account);
            listing.page(&found.expect("an account of this script").1, page)
        }))
    }

    fn logout<'a>(&'a self, region: &'a Region, token: &'a Secret) -> BoxFuture<'a, Result<(), AwsError>> {
        self.called(format!("logout {} at {}", token.expose_secret(), self.endpoints(region).unwrap().sso));
        Box::pin(async { Ok(()) })
    }

    fn assume_role<'a>(
        &'a self,
        _: &'a Region,
        from: &'a Credentials,
        role: &'a RoleToAssume,
    ) -> BoxFuture<'a, Result<Credentials, AwsError>> {
        self.called(format!("assume {} by {}", role.role_arn, from.access_key_id()));
        self.assumed.lock().unwrap().push(role.clone());
        Box::pin(async { self.role() })
    }

    fn assume_role_with_web_identity<'a>(
        &'a self,
        _: &'a Region,
        token: &'a Secret,
        role: &'a RoleToAssume,
    ) -> BoxFuture<'a, Result<Credentials, AwsError>> {
        self.called(format!("assume {} for {}", role.role_arn, token.expose_secret()));
        self.assumed.lock().unwrap().push(role.clone());
        Box::pin(async { self.role() })
    }

    fn instance_credentials(&self) -> BoxFuture<'_, Result<Credentials, AwsError>> {
        self.called("instance".to_owned());
        Box::pin(async { self.role() })
    }

    fn container_credentials<'a>(&'a self, path: &'a str) -> BoxFuture<'a, Result<Credentials, AwsError>> {
        self.called(format!("container {path}"));
        Box::pin(async { self.role() })
    }

    fn github_id_token<'a>(&'a self, job: &'a Job, audience: &'a str) -> BoxFuture<'a, Result<Secret, AwsError>> {
        self.called(format!("github {} for {audience}", job.token().expose_secret()));
        let answer = self.github.lock().unwrap().pop_front().expect("an answer of GitHub in the script");
        Box::pin(async { answer })
    }

    fn get_session_token<'a>(
        &'a self,
        _: &'a Region,
        from: &'a Credentials,
        asked: &'a SessionToAsk<'a>,
    ) -> BoxFuture<'a, Result<Credentials, AwsError>> {
        let code = asked.mfa.map(|mfa| format!(" with {} of {}", mfa.code.expose_secret(), mfa.serial));
        let seconds = asked.duration.as_secs();
        self.called(format!("session of {} for {seconds}{}", from.access_key_id(), code.unwrap_or_default()));
        let held = self.held.lock().unwrap().take();
        Box::pin(async move {
            match held {
                Some(held) => held.notified().await,
                None => tokio::task::yield_now().await,
            }
            self.role()
        })
    }

    fn caller_identity<'a>(
        &'a self,
        _: &'a Region,
        from: &'a Credentials,
    ) -> BoxFuture<'a, Result<CallerIdentity, AwsError>> {
        self.called(format!("who is {}", from.access_key_id()));
        let known = self.iam.lock().unwrap().knows(from.access_key_id());
        Box::pin(async move {
            if !known {
                return Err(ScriptedIam::refused("GetCallerIdentity", "InvalidClientTokenId"));
            }
            self.identities.lock().unwrap().pop_front().expect("the script knows this caller")
        })
    }

    fn create_access_key<'a>(&'a self, of: KeysOf<'a>) -> BoxFuture<'a, Result<MadeKey, AwsError>> {
        self.called(format!("make a key for {} with {}", of.user.name(), of.from.access_key_id()));
        Box::pin(async move { self.iam.lock().unwrap().create(of, self.clock.now()) })
    }

    fn list_access_keys<'a>(&'a self, of: KeysOf<'a>) -> BoxFuture<'a, Result<Vec<ListedKey>, AwsError>> {
        self.called(format!("list keys with {}", of.from.access_key_id()));
        Box::pin(async move { self.iam.lock().unwrap().list(of) })
    }

    fn set_access_key_active<'a>(
        &'a self,
        of: KeysOf<'a>,
        id: &'a str,
        active: bool,
    ) -> BoxFuture<'a, Result<(), AwsError>> {
        self.called(format!("set {id} to {active} with {}", of.from.access_key_id()));
        Box::pin(async move { self.iam.lock().unwrap().set_active(of, id, active) })
    }

    fn delete_access_key<'a>(&'a self, of: KeysOf<'a>, id: &'a str) -> BoxFuture<'a, Result<(), AwsError>> {
        self.called(format!("delete {id} with {}", of.from.access_key_id()));
        Box::pin(async move { self.iam.lock().unwrap().delete(of, id) })
    }

    fn access_key_last_used<'a>(
        &'a self,
        of: KeysOf<'a>,
        id: &'a str,
    ) -> BoxFuture<'a, Result<Option<LastUse>, AwsError>> {
        self.called(format!("last use of {id} with {}", of.from.access_key_id()));
        Box::pin(async move { self.iam.lock().unwrap().last_use(of, id) })
    }

    fn list_service_credentials<'a>(
        &'a self,
        of: KeysOf<'a>,
    ) -> BoxFuture<'a, Result<Vec<ServiceCredential>, AwsError>> {
        self.called(format!("list service credentials with {}", of.from.access_key_id()));
        Box::pin(async move { self.iam.lock().unwrap().list_service_credentials(of) })
    }

    fn federation(&self, partition: Partition, region: &Region) -> Result<String, AwsError> {
        Ok(format!("https://{}", partition.federation_host(region)))
    }

    fn sign_in_token<'a>(
        &'a self,
        endpoint: &'a str,
        from: &'a Credentials,
        lasts: Option<Duration>,
    ) -> BoxFuture<'a, Result<Secret, AwsError>> {
        let seconds = lasts.map(|lasts| lasts.as_secs());
        self.called(format!("console of {endpoint} by {} for {seconds:?}", from.access_key_id()));
        Box::pin(async { Ok(Secret::new("sign-in-token".to_owned())) })
    }

    fn login_endpoint(&self, region: &Region) -> Result<String, AwsError> {
        Ok(format!("https://{region}.signin.{}", self.host.lock().unwrap()))
    }

    fn login_tokens<'a>(
        &'a self,
        call: &'a LoginCall<'a>,
        grant: LoginGrant<'a>,
    ) -> BoxFuture<'a, Result<LoginTokens, AwsError>> {
        let is_code = matches!(grant, LoginGrant::Code { .. });
        match grant {
            LoginGrant::RefreshToken(token) => {
                self.called(format!("renew {} in {}", token.expose_secret(), call.region));
            }
            LoginGrant::Code { code, verifier, redirect_uri } => {
                self.called(format!("login by {}", call.client.id()));
                self.exchanged(code, verifier.expose_secret(), redirect_uri);
            }
        }
        Box::pin(async move {
            tokio::task::yield_now().await;
            let answer = self.logins.lock().unwrap().pop_front().expect("the script has a login");
            let tokens = self.mint_login(answer?);
            let identity = serde_json::json!({ "sub": *self.identity.lock().unwrap() }).to_string();
            let id_token = format!("e30.{}.c2ln", URL_SAFE_NO_PAD.encode(identity));
            Ok(LoginTokens { id_token: is_code.then(|| Secret::new(id_token)), ..tokens })
        })
    }

    fn roles_anywhere(&self, region: &Region) -> Result<String, AwsError> {
        Ok(format!("https://rolesanywhere.{region}.{}", self.host.lock().unwrap()))
    }

    fn create_session<'a>(
        &'a self,
        endpoint: &'a str,
        signed: &'a Signed,
        role: &'a RoleToAssume,
    ) -> BoxFuture<'a, Result<Credentials, AwsError>> {
        let body = String::from_utf8_lossy(&signed.body).into_owned();
        self.called(format!("session of {} at {endpoint}: {body}", role.role_arn));
        Box::pin(async { self.role() })
    }

    fn clock_skew_seconds(&self) -> Option<i64> {
        None
    }
}
