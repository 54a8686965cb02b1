//! Console logins: the callback, the text that is carried over, and what AWS is sent.

use super::super::login::{BegunLogin, Carrier, LoggedIn, NotCarried, begin};
use super::*;
use crate::aws::LoginClient;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

fn scripted() -> Arc<ScriptedAws> {
    let aws = ScriptedAws::new(Arc::new(ManualClock::at(SystemTime::UNIX_EPOCH)));
    aws.next_login(Ok(HOUR));
    aws
}

async fn login(aws: &Arc<ScriptedAws>, client: LoginClient) -> BegunLogin {
    let aws: Arc<dyn Aws> = Arc::<ScriptedAws>::clone(aws);
    let region = Region::new("us-east-1").unwrap();
    begin(aws, &ManualClock::at(SystemTime::UNIX_EPOCH), region, client).await.unwrap()
}

/// A login with the browser elsewhere: what its page's address says, and what takes the text.
struct Elsewhere {
    aws: Arc<ScriptedAws>,
    outcome: tokio::task::JoinHandle<Result<LoggedIn, SignInError>>,
    state: String,
    carrier: Carrier,
}

async fn elsewhere() -> Elsewhere {
    let aws = scripted();
    let BegunLogin { url, carrier, outcome, .. } = login(&aws, LoginClient::CrossDevice).await;
    assert_eq!(parameter(&url, "redirect_uri"), "https://us-east-1.signin.amazonaws.com/v1/sessions/confirmation");
    let (state, outcome) = (parameter(&url, "state"), tokio::spawn(outcome));
    Elsewhere { aws, outcome, state, carrier: carrier.unwrap() }
}

impl Elsewhere {
    fn carry(&self, text: &str) -> Result<(), NotCarried> {
        self.carrier.carry(&Secret::new(text.to_owned()))
    }

    fn text(&self, code: &str) -> String {
        STANDARD.encode(format!("state={}&code={code}", self.state))
    }
}

#[tokio::test]
async fn the_callback_brings_the_code_and_the_code_the_tokens() {
    let aws = scripted();
    let BegunLogin { url, carrier, outcome, expires_at } = login(&aws, LoginClient::SameDevice).await;
    assert!(carrier.is_none() && expires_at == SystemTime::UNIX_EPOCH + GIVE_UP_AFTER);
    assert_eq!(parameter(&url, "client_id"), "arn:aws:signin:::devtools/same-device");
    assert_eq!(
        (parameter(&url, "code_challenge_method"), parameter(&url, "scope")),
        ("SHA-256".into(), "openid".into())
    );
    let redirect_uri = parameter(&url, "redirect_uri");
    let port = Url::parse(&redirect_uri).unwrap().port().unwrap();
    let (state, outcome) = (parameter(&url, "state"), tokio::spawn(outcome));
    let target = format!("/oauth/callback?code=the-code&state={state}");
    let answer = send_to(port, &format!("GET {target} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n\r\n")).await;
    assert_eq!(status(&answer), 200);
    let login = outcome.await.unwrap().unwrap();
    assert_eq!(login.endpoint, "https://us-east-1.signin.amazonaws.com");
    assert!(login.tokens.id_token.is_some());
    let exchange = aws.exchanges().remove(0);
    assert_eq!((exchange.grant.as_str(), exchange.redirect_uri), ("the-code", redirect_uri));
    assert!(aws.calls()[0].ends_with("devtools/same-device"));
}

#[tokio::test]
async fn the_text_of_the_page_brings_the_tokens() {
    let wrapped = |text: &str| {
        let lines = text.as_bytes().chunks(40).map(|line| String::from_utf8_lossy(line).into_owned());
        lines.collect::<Vec<_>>().join("\n")
    };
    let changes: [&dyn Fn(&str) -> String; 4] =
        [&str::to_owned, &|text| format!(" {text}\r\n"), &|text| text.replace('=', ""), &wrapped];
    for change in changes {
        let login = elsewhere().await;
        login.carry(&change(&login.text("the-code"))).unwrap();
        assert!(login.outcome.await.unwrap().is_ok());
        let exchange = login.aws.exchanges().remove(0);
        assert_eq!(exchange.grant, "the-code");
        assert!(exchange.redirect_uri.ends_with("/v1/sessions/confirmation"));
        assert!(login.aws.calls()[0].ends_with("devtools/cross-device"));
    }
}

#[tokio::test]
async fn a_text_that_is_not_the_pages_leaves_the_login_as_it_is() {
    let login = elsewhere().await;
    let state = &login.state;
    for (text, refused) in [
        (String::new(), NotCarried::NoSuchText),
        ("not base64!".to_owned(), NotCarried::NoSuchText),
        ("AAAA".repeat(4096), NotCarried::NoSuchText),
        (STANDARD.encode("state=x"), NotCarried::NoSuchText),
        (STANDARD.encode(format!("state={state}")), NotCarried::NoSuchText),
        (STANDARD.encode(format!("state={state}&code=")), NotCarried::NoSuchText),
        (STANDARD.encode(format!("state={state}&code=a&code=b")), NotCarried::NoSuchText),
        (STANDARD.encode(format!("state={state}&state={state}&code=a")), NotCarried::NoSuchText),
        (STANDARD.encode(format!("state={state}&code={}", "a".repeat(3000))), NotCarried::NoSuchText),
        (STANDARD.encode("state=another&code=a"), NotCarried::OfAnother),
        (STANDARD.encode(format!("state={}&code=a", &state[1..])), NotCarried::OfAnother),
    ] {
        assert_eq!(login.carry(&text), Err(refused), "{text}");
    }
    assert!(!login.outcome.is_finished() && login.aws.exchanges().is_empty());
    login.carry(&login.text("a")).unwrap();
    assert!(login.outcome.await.unwrap().is_ok());
}

#[tokio::test]
async fn a_text_is_taken_once() {
    let login = elsewhere().await;
    login.carry(&login.text("a")).unwrap();
    assert_eq!(login.carry(&login.text("b")), Err(NotCarried::TakenBefore));
    login.outcome.await.unwrap().unwrap();
    assert_eq!(login.aws.exchanges().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_login_nobody_finishes_is_given_up() {
    for client in [LoginClient::SameDevice, LoginClient::CrossDevice] {
        let BegunLogin { outcome, carrier, .. } = login(&scripted(), client).await;
        assert_eq!(outcome.await.unwrap_err(), SignInError::TimedOut);
        drop(carrier);
    }
}

#[tokio::test]
async fn e3_nothing_of_a_login_is_shown() {
    let aws = scripted();
    let begun = login(&aws, LoginClient::CrossDevice).await;
    let state = parameter(&begun.url, "state");
    assert!(!format!("{begun:?}{:?}", begun.carrier).contains(&state));
}
