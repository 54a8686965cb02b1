//! Sign-ins from outside: raw TCP in place of the browser, a script in place of AWS.

mod browser;
mod device;
mod login;

use super::*;
use crate::aws::scripted::ScriptedAws;
use crate::clock::manual::ManualClock;
use crate::names::{SessionName, StartUrl};
use tegata_protocol::Secret;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

fn session() -> SignInSession {
    SignInSession {
        name: SessionName::new("corp").unwrap(),
        start_url: StartUrl::new("https://d-1234567890.awsapps.com/start").unwrap(),
        region: Region::new("us-east-1").unwrap(),
        scopes: vec![String::from("sso:account:access")],
    }
}

fn registration() -> Registration {
    Registration {
        client_id: String::from("client-1"),
        client_secret: Secret::new(String::from("secret-1")),
        expires_at: SystemTime::UNIX_EPOCH,
    }
}

const HOUR: Duration = Duration::from_secs(3600);

/// AWS that answers exchanges so: a success is tokens of this life.
fn answering(script: impl IntoIterator<Item = Result<Duration, AwsError>>) -> Arc<ScriptedAws> {
    let aws = ScriptedAws::new(Arc::new(ManualClock::at(SystemTime::UNIX_EPOCH)));
    script.into_iter().for_each(|outcome| aws.next_tokens(outcome));
    aws
}

async fn begun(aws: &Arc<ScriptedAws>, flow: SignInFlow) -> Result<Begun, SignInError> {
    let aws: Arc<dyn Aws> = Arc::<ScriptedAws>::clone(aws);
    begin(aws, &ManualClock::at(SystemTime::UNIX_EPOCH), &session(), flow, &registration()).await
}

/// A browser sign-in under way, and what its page's address says.
struct Browser {
    aws: Arc<ScriptedAws>,
    outcome: tokio::task::JoinHandle<Result<Tokens, SignInError>>,
    url: Url,
    state: String,
    port: u16,
}

impl Browser {
    async fn at_the_page() -> Self {
        let aws = answering([Ok(HOUR)]);
        let Begun { url, outcome, .. } = begun(&aws, SignInFlow::Pkce).await.unwrap();
        let redirect_uri = Url::parse(&parameter(&url, "redirect_uri")).unwrap();
        let (state, port) = (parameter(&url, "state"), redirect_uri.port().unwrap());
        Self { aws, outcome: tokio::spawn(outcome), url, state, port }
    }

    /// Sends a callback as a browser does and returns the whole answer.
    async fn callback(&self, query: &str) -> String {
        self.get(&format!("/oauth/callback?{query}")).await
    }

    async fn get(&self, target: &str) -> String {
        self.send(&format!("GET {target} HTTP/1.1\r\nHost: 127.0.0.1:{}\r\n\r\n", self.port)).await
    }

    async fn send(&self, request: &str) -> String {
        send_to(self.port, request).await
    }

    /// The sign-in still waits: the right answer ends it in tokens, with one token call in all.
    async fn assert_still_waiting(self) {
        assert!(self.aws.exchanges().is_empty(), "no token call before the right answer");
        let answer = self.callback(&format!("code=good&state={}", self.state)).await;
        assert_eq!(status(&answer), 200);
        assert!(self.outcome.await.unwrap().is_ok());
        assert_eq!(self.aws.exchanges().len(), 1);
    }
}

async fn send_to(port: u16, request: &str) -> String {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
    // The other side may have answered and closed before it read all.
    let _ = stream.write_all(request.as_bytes()).await;
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer).await;
    String::from_utf8(answer).unwrap()
}

fn parameter(url: &Url, name: &str) -> String {
    url.query_pairs().find(|(found, _)| found == name).unwrap().1.into_owned()
}

fn status(answer: &str) -> u16 {
    answer.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or(0)
}
