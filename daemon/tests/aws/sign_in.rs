//! Whole sign-ins, and what becomes of their tokens.

use crate::world::World;
use std::time::Duration;
use tegata_daemon::aws::AwsError;
use tegata_daemon::signin::SignInError;
use tegata_protocol::Secret;
use tegata_protocol::body::SignInFlow;
use tegata_sandbox::{Consent, DeviceApproval, Operation, RefreshReuse};

#[tokio::test]
async fn a_browser_sign_in_ends_in_tokens_that_open_a_role() {
    let world = World::new();
    let (_, tokens) = world.signed_in().await;
    assert!(tokens.refresh_token.is_some());
    assert_eq!(tokens.expires_at.duration_since(tokens.issued_at).unwrap(), Duration::from_secs(3600));
    assert!(world.role(&tokens, "Admin").await.is_ok());
    assert_eq!(world.sandbox.calls(Operation::CreateTokenAuthorizationCode), 1);
}

#[tokio::test]
async fn g8_the_page_and_the_token_call_carry_the_same_redirect_uri() {
    let world = World::new();
    world.signed_in().await;
    let page = &world.sandbox.requests_of(Operation::Authorize)[0];
    let exchange = &world.sandbox.requests_of(Operation::CreateTokenAuthorizationCode)[0];
    let sent: serde_json::Value = serde_json::from_str(&exchange.body).unwrap();
    let (_, query) = page.target.split_once('?').unwrap();
    let shown = form_urlencoded::parse(query.as_bytes()).find(|(name, _)| name == "redirect_uri").unwrap().1;
    assert_eq!(sent["redirectUri"], shown.as_ref());
    assert!(page.target.contains("&scopes=sso%3Aaccount%3Aaccess&"), "{}", page.target);
}

#[tokio::test]
async fn g6_what_the_page_refuses_the_terminal_reports() {
    for (error, description, expected) in [
        ("access_denied", "User denied", SignInError::Declined),
        (
            "server_error",
            "Try\u{1b}[2J later",
            SignInError::Page { code: String::from("server_error"), message: String::from("Try\\u{1b}[2J later") },
        ),
    ] {
        let world = World::with(|settings| {
            settings.authorize = Consent::Refuse { error: error.to_owned(), description: description.to_owned() };
        });
        let client = world.register().await;
        assert_eq!(world.sign_in(&client).await.unwrap_err(), expected);
        assert_eq!(world.sandbox.calls(Operation::CreateTokenAuthorizationCode), 0);
    }
}

#[tokio::test]
async fn a_device_sign_in_ends_in_tokens_that_open_a_role() {
    let world = World::with(|settings| settings.device.approval = DeviceApproval::AfterPolls(1));
    let client = world.register().await;
    let begun = world.begin(SignInFlow::DeviceCode, &client).await.unwrap();
    assert_eq!(begun.user_code, Some(world.sandbox.device_authorizations()[0].user_code.clone()));
    assert!(begun.url.as_str().starts_with(&world.sandbox.url()), "{}", begun.url);
    let tokens = begun.outcome.await.unwrap();
    assert!(world.role(&tokens, "ReadOnly").await.is_ok());
    assert_eq!(world.sandbox.calls(Operation::CreateTokenDeviceCode), 2);
}

#[tokio::test]
async fn a_declined_device_sign_in_is_declined() {
    let world = World::with(|settings| settings.device.approval = DeviceApproval::Denied);
    let client = world.register().await;
    let begun = world.begin(SignInFlow::DeviceCode, &client).await.unwrap();
    assert_eq!(begun.outcome.await.unwrap_err(), SignInError::Declined);
}

#[tokio::test]
async fn g13_a_device_page_elsewhere_is_never_shown() {
    let world = World::with(|settings| {
        settings.device.verification_uri = Some(String::from("https://device.sso.us-east-1.amazonaws.com.evil.test/"));
    });
    let client = world.register().await;
    let refusal = world.begin(SignInFlow::DeviceCode, &client).await.unwrap_err();
    assert!(matches!(refusal, SignInError::ForeignPage { .. }), "{refusal}");
    assert_eq!(world.sandbox.calls(Operation::CreateTokenDeviceCode), 0);
}

fn refresh_token(tokens: &tegata_daemon::aws::Tokens) -> Secret {
    tokens.refresh_token.clone().unwrap()
}

#[tokio::test]
async fn a_refresh_brings_new_tokens_and_a_spent_refresh_token_ends_the_sign_in() {
    let world = World::new();
    let (client, first) = world.signed_in().await;
    let second = world.refresh(&client, &refresh_token(&first)).await.unwrap();
    assert!(world.role(&second, "Admin").await.is_ok());
    assert_ne!(refresh_token(&first).expose_secret(), refresh_token(&second).expose_secret());
    let spent = world.refresh(&client, &refresh_token(&first)).await.unwrap_err();
    assert!(matches!(spent, AwsError::SignInOver { .. }), "{spent}");
    assert_eq!(world.sandbox.calls(Operation::CreateTokenRefreshToken), 2, "a refused grant is not repeated");
}

#[tokio::test]
async fn where_aws_tolerates_it_a_spent_refresh_token_serves_once_more() {
    let world = World::with(|settings| settings.refresh_reuse = RefreshReuse::TolerantFor(Duration::from_secs(60)));
    let (client, first) = world.signed_in().await;
    for _ in 0..2 {
        assert!(world.refresh(&client, &refresh_token(&first)).await.is_ok());
    }
    world.advance(Duration::from_secs(61));
    assert!(matches!(world.refresh(&client, &refresh_token(&first)).await, Err(AwsError::SignInOver { .. })));
}

#[tokio::test]
async fn d1_an_ended_session_is_over_for_both_tokens() {
    let world = World::new();
    let (client, tokens) = world.signed_in().await;
    world.sandbox.end_sign_in_sessions();
    assert!(matches!(world.role(&tokens, "Admin").await, Err(AwsError::SignInOver { .. })));
    assert!(matches!(world.refresh(&client, &refresh_token(&tokens)).await, Err(AwsError::SignInOver { .. })));
    let calls = world.sandbox.calls(Operation::GetRoleCredentials);
    assert_eq!(calls, 1, "no loop");
}

#[tokio::test]
async fn d1_twin_an_expired_access_token_is_renewed_with_the_refresh_token() {
    let world = World::new();
    let (client, tokens) = world.signed_in().await;
    world.advance(Duration::from_secs(3601));
    assert!(matches!(world.role(&tokens, "Admin").await, Err(AwsError::SignInOver { .. })));
    let renewed = world.refresh(&client, &refresh_token(&tokens)).await.unwrap();
    assert!(world.role(&renewed, "Admin").await.is_ok());
}

#[tokio::test]
async fn g14_a_forgotten_client_asks_to_be_registered_again_in_every_flow() {
    let world = World::new();
    let (client, tokens) = world.signed_in().await;
    world.sandbox.forget_registrations();
    let refused = world.refresh(&client, &refresh_token(&tokens)).await.unwrap_err();
    assert!(matches!(refused, AwsError::ClientUnknown { .. }), "{refused}");
    assert!(world.begin(SignInFlow::DeviceCode, &client).await.unwrap_err().asks_for_registration());
    let again = world.register().await;
    assert!(world.sign_in(&again).await.is_ok());
}

#[tokio::test]
async fn g14_a_client_of_90_days_ago_is_unknown() {
    let world = World::new();
    let client = world.register().await;
    world.advance(Duration::from_secs(90 * 86_400 + 1));
    assert!(
        client.expires_at
            < std::time::SystemTime::UNIX_EPOCH + Duration::from_millis(world.sandbox.now_ms().unsigned_abs())
    );
    assert!(world.begin(SignInFlow::DeviceCode, &client).await.unwrap_err().asks_for_registration());
}

#[tokio::test]
async fn signing_out_ends_the_tokens_but_not_the_credentials() {
    let world = World::new();
    let (client, tokens) = world.signed_in().await;
    let credentials = world.role(&tokens, "Admin").await.unwrap();
    let region = crate::world::region("us-east-1");
    tegata_daemon::aws::Aws::logout(world.aws.as_ref(), &region, &tokens.access_token).await.unwrap();
    assert!(matches!(world.role(&tokens, "Admin").await, Err(AwsError::SignInOver { .. })));
    assert!(matches!(world.refresh(&client, &refresh_token(&tokens)).await, Err(AwsError::SignInOver { .. })));
    assert!(crate::roles::assume(&world, &credentials, crate::roles::deploy()).await.is_ok());
}
