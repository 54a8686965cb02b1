//! One sandbox, AWS as the daemon sees it there, and a person with a browser.

use std::sync::Arc;
use std::time::{Duration, SystemTime};
use tegata_daemon::aws::{Aws, AwsError, Config, EndpointOverrides, Grant, Registration, SdkAws, Tokens};
use tegata_daemon::clock::Clock;
use tegata_daemon::clock::manual::ManualClock;
use tegata_daemon::credentials::Credentials;
use tegata_daemon::names::{AccountId, Region, RoleName, SessionName, StartUrl};
use tegata_daemon::profile::SignInSession;
use tegata_daemon::signin::{Begun, SignInError, begin};
use tegata_protocol::Secret;
use tegata_protocol::body::SignInFlow;
use tegata_sandbox::{START_URL, Sandbox, Settings};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use url::Url;

pub(crate) struct World {
    pub(crate) sandbox: Sandbox,
    pub(crate) clock: Arc<ManualClock>,
    pub(crate) aws: Arc<SdkAws>,
}

impl World {
    pub(crate) fn new() -> Self {
        Self::with(|_| {})
    }

    /// A world whose sandbox is set up differently.
    pub(crate) fn with(change: impl FnOnce(&mut Settings)) -> Self {
        let sandbox = Sandbox::start().unwrap();
        sandbox.configure(change);
        let here = || Some(Url::parse(&sandbox.url()).unwrap());
        let endpoints = EndpointOverrides {
            sso_oidc: here(),
            sso: here(),
            sts: here(),
            federation: here(),
            signin: here(),
            ..EndpointOverrides::default()
        };
        Self::reaching(sandbox, |_| Config { endpoints, ..Config::default() })
    }

    /// A world that reaches its sandbox as told.
    pub(crate) fn reaching(sandbox: Sandbox, config: impl FnOnce(&Sandbox) -> Config) -> Self {
        let now = SystemTime::UNIX_EPOCH + Duration::from_millis(sandbox.now_ms().unsigned_abs());
        let clock = Arc::new(ManualClock::at(now));
        let aws = SdkAws::new(config(&sandbox), Arc::<ManualClock>::clone(&clock)).unwrap();
        Self { sandbox, clock, aws: Arc::new(aws) }
    }

    /// Time passes at AWS and here.
    pub(crate) fn advance(&self, by: Duration) {
        self.sandbox.advance(by);
        self.clock.advance(by);
    }

    pub(crate) async fn register(&self) -> Registration {
        self.try_register(&region("us-east-1")).await.unwrap()
    }

    pub(crate) async fn try_register(&self, region: &Region) -> Result<Registration, AwsError> {
        self.aws.register(region, &session().start_url, &session().scopes).await
    }

    pub(crate) async fn begin(&self, flow: SignInFlow, client: &Registration) -> Result<Begun, SignInError> {
        let aws: Arc<dyn Aws> = Arc::<SdkAws>::clone(&self.aws);
        let clock: &dyn Clock = self.clock.as_ref();
        begin(aws, clock, &session(), flow, client).await
    }

    /// Signs in with the browser flow; the person agrees unless the sandbox is told otherwise.
    pub(crate) async fn sign_in(&self, client: &Registration) -> Result<Tokens, SignInError> {
        let begun = self.begin(SignInFlow::Pkce, client).await.unwrap();
        let person = tokio::spawn(browse(begun.url));
        let outcome = begun.outcome.await;
        person.await.unwrap();
        outcome
    }

    /// A client and the tokens of a fresh sign-in.
    pub(crate) async fn signed_in(&self) -> (Registration, Tokens) {
        let client = self.register().await;
        let tokens = self.sign_in(&client).await.unwrap();
        (client, tokens)
    }

    pub(crate) async fn refresh(&self, client: &Registration, token: &Secret) -> Result<Tokens, AwsError> {
        self.aws.create_token(&region("us-east-1"), client, Grant::RefreshToken(token)).await
    }

    pub(crate) async fn role(&self, tokens: &Tokens, role: &str) -> Result<Credentials, AwsError> {
        let (account, role) = (AccountId::new("123456789012").unwrap(), RoleName::new(role).unwrap());
        self.aws.role_credentials(&region("us-east-1"), &tokens.access_token, &account, &role).await
    }
}

pub(crate) fn region(name: &str) -> Region {
    Region::new(name).unwrap()
}

pub(crate) fn session() -> SignInSession {
    SignInSession {
        name: SessionName::new("corp").unwrap(),
        start_url: StartUrl::new(START_URL).unwrap(),
        region: region("us-east-1"),
        scopes: vec![String::from("sso:account:access")],
    }
}

/// Opens a page, follows its redirect as a browser does, and returns the last page.
pub(crate) async fn browse(page: Url) -> String {
    let answer = get(&page).await;
    let location =
        answer.lines().find_map(|line| line.to_ascii_lowercase().starts_with("location: ").then(|| &line[10..]));
    match location {
        Some(location) => get(&Url::parse(location).unwrap()).await,
        None => answer,
    }
}

async fn get(url: &Url) -> String {
    let host = format!("{}:{}", url.host_str().unwrap(), url.port().unwrap());
    let target = format!("{}?{}", url.path(), url.query().unwrap_or_default());
    let mut stream = TcpStream::connect(&host).await.unwrap();
    let request = format!("GET {target} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await.unwrap();
    String::from_utf8(answer).unwrap()
}
