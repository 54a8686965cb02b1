//! Console logins against the sandbox, which checks every part of a proof and lets no refresh token be used twice.

use crate::world::{World, browse, region};
use std::sync::Arc;
use std::time::Duration;
use tegata_daemon::aws::{Aws, AwsError, LoginCall, LoginClient, LoginGrant, LoginTokens, SdkAws};
use tegata_daemon::clock::Clock;
use tegata_daemon::signin::SignInError;
use tegata_daemon::signin::dpop::ProofKey;
use tegata_daemon::signin::identity::of_token;
use tegata_daemon::signin::login::{LoggedIn, begin};
use tegata_protocol::Secret;
use tegata_sandbox::{Effect, Fault, Operation};

const ALICE: &str = "arn:aws:sts::123456789012:assumed-role/Admin/alice";

impl World {
    /// Logs in by the browser on this machine.
    async fn log_in(&self) -> Result<LoggedIn, SignInError> {
        let aws: Arc<dyn Aws> = Arc::<SdkAws>::clone(&self.aws);
        let clock: &dyn Clock = self.clock.as_ref();
        let begun = begin(aws, clock, region("us-east-1"), LoginClient::SameDevice).await?;
        let person = tokio::spawn(browse(begun.url));
        let outcome = begun.outcome.await;
        person.await.unwrap();
        outcome
    }

    async fn renew(&self, login: &LoggedIn, key: &ProofKey, token: &Secret) -> Result<LoginTokens, AwsError> {
        let call = LoginCall { region: &login.region, client: login.client, key };
        self.aws.login_tokens(&call, LoginGrant::RefreshToken(token)).await
    }
}

#[tokio::test]
async fn a_login_says_who_it_is_and_is_renewed_with_its_key() {
    let world = World::new();
    let login = world.log_in().await.unwrap();
    assert_eq!(of_token(login.tokens.id_token.as_ref()).unwrap().as_str(), ALICE);
    assert_eq!(login.tokens.credentials.lifetime(), Duration::from_secs(900));
    let mut token = login.tokens.refresh_token.clone();
    for renewals in 1..=3 {
        let tokens = world.renew(&login, &login.key, &token).await.unwrap();
        assert!(tokens.id_token.is_none());
        assert_eq!(world.sandbox.logins()[0].renewals, renewals);
        token = tokens.refresh_token;
    }
    let requests = world.sandbox.requests_of(Operation::CreateOAuth2TokenRefreshToken);
    assert!(requests.iter().all(|request| !request.headers.contains_key("authorization")), "{requests:?}");
}

#[tokio::test]
async fn a_stolen_refresh_token_is_of_no_use_without_the_key() {
    let world = World::new();
    let login = world.log_in().await.unwrap();
    let (token, other) = (&login.tokens.refresh_token, ProofKey::fresh().unwrap());
    let refused = world.renew(&login, &other, token).await.unwrap_err();
    assert!(matches!(refused, AwsError::SignInOver { .. }), "{refused}");
    assert!(world.renew(&login, &login.key, token).await.is_ok());
}

#[tokio::test]
async fn d1_a_refresh_token_used_twice_is_the_end_and_asked_for_once() {
    let world = World::new();
    let login = world.log_in().await.unwrap();
    let token = &login.tokens.refresh_token;
    world.renew(&login, &login.key, token).await.unwrap();
    let refused = world.renew(&login, &login.key, token).await.unwrap_err();
    assert!(matches!(&refused, AwsError::SignInOver { message } if message.contains("used before")), "{refused}");
    assert_eq!(world.sandbox.calls(Operation::CreateOAuth2TokenRefreshToken), 2);
}

#[tokio::test]
async fn what_aws_says_of_a_login_is_understood() {
    let world = World::new();
    let login = world.log_in().await.unwrap();
    let token = &login.tokens.refresh_token;
    for (status, code, is) in [
        (403, "USER_CREDENTIALS_CHANGED", "AWS says the sign-in is over: the password was changed (on demand)"),
        (403, "INSUFFICIENT_PERMISSIONS", "AWS refused CreateOAuth2Token (INSUFFICIENT_PERMISSIONS): on demand;"),
        (400, "INVALID_REQUEST", "AWS refused CreateOAuth2Token (INVALID_REQUEST): on demand"),
        (429, "TooManyRequestsError", "AWS asks for fewer requests (CreateOAuth2Token)"),
        (500, "server_error", "AWS did not answer CreateOAuth2Token: a fault of its own (HTTP 500)"),
    ] {
        let effect =
            Effect::Error { status, code: code.to_owned(), message: "on demand".to_owned(), retry_after: None };
        world.sandbox.fault(Fault::on(Operation::CreateOAuth2TokenRefreshToken, effect));
        let before = world.sandbox.calls(Operation::CreateOAuth2TokenRefreshToken);
        let refused = world.renew(&login, &login.key, token).await.unwrap_err().to_string();
        assert!(refused.starts_with(is), "{refused}");
        assert_eq!(world.sandbox.calls(Operation::CreateOAuth2TokenRefreshToken), before + 1, "sent once");
        world.sandbox.clear_faults();
    }
    assert!(world.renew(&login, &login.key, token).await.is_ok());
}

#[tokio::test]
async fn a_proof_follows_awss_clock_once_that_is_known() {
    let world = World::new();
    let login = world.log_in().await.unwrap();
    world.clock.advance(Duration::from_secs(3600));
    let token = &login.tokens.refresh_token;
    let refused = world.renew(&login, &login.key, token).await;
    // The skew was known from the answer before; the clock has jumped since.
    assert!(
        matches!(&refused, Err(AwsError::Refused { message, .. }) if message.contains("ahead of AWS")),
        "{refused:?}"
    );
    let tokens = world.renew(&login, &login.key, token).await.unwrap();
    let left = tokens.credentials.expires_at().duration_since(world.clock.now() - Duration::from_secs(3600)).unwrap();
    assert!((895..=905).contains(&left.as_secs()), "{left:?}");
}

#[tokio::test]
async fn what_the_page_refuses_the_terminal_reports() {
    let world = World::with(|settings| {
        settings.console_login.refuse = Some(("access_denied".to_owned(), "no".to_owned()));
    });
    assert_eq!(world.log_in().await.unwrap_err(), SignInError::Declined);
    assert_eq!(world.sandbox.calls(Operation::CreateOAuth2TokenAuthorizationCode), 0);
}
