//! Everything that can go wrong on the way.

use crate::world::World;
use tegata_daemon::aws::AwsError;
use tegata_protocol::Secret;
use tegata_sandbox::{Effect, Fault, Operation, Sandbox};
use tokio::task::JoinSet;

fn error(status: u16, code: &str, message: &str, retry_after: Option<u64>) -> Effect {
    Effect::Error { status, code: code.to_owned(), message: message.to_owned(), retry_after }
}

fn answer(status: u16, content_type: &str, body: &str) -> Effect {
    Effect::Answer { status, content_type: content_type.to_owned(), body: body.to_owned() }
}

/// Faults that leave no answer to use, and how many requests an operation that may be repeated makes of them.
fn faults() -> Vec<(Effect, u64)> {
    vec![
        (error(500, "InternalServerException", "oops", None), 3),
        (error(503, "ServiceUnavailable", "later", None), 3),
        (answer(504, "text/html", "<html>gateway</html>"), 3),
        (answer(403, "text/html", "<html>blocked by policy</html>"), 1),
        (answer(401, "text/html", "<html>sign in to the WLAN</html>"), 1),
        (answer(407, "text/html", ""), 1),
        (answer(200, "text/html", "<html>sign in to the WLAN</html>"), 1),
        (answer(200, "application/json", ""), 1),
        (answer(200, "application/json", "{}"), 1),
        (answer(200, "application/json", "null"), 3),
        (answer(200, "application/json", "{\"accessToken\":"), 3),
        (Effect::Garbage, 3),
        (Effect::Huge { bytes: 10 << 20 }, 1),
        (Effect::CutBody, 3),
        (Effect::LoseAnswer, 3),
        (Effect::ContentType(String::from("text/html")), 1),
    ]
}

fn assert_unavailable<T>(outcome: Result<T, AwsError>, world: &World, effect: &Effect) {
    let Err(error) = outcome else { panic!("{effect:?} passed for an answer") };
    assert!(matches!(error, AwsError::Unavailable { .. }), "{effect:?}: {error:?}");
    for secret in world.sandbox.minted_secrets() {
        assert!(!format!("{error:?}{error}").contains(&secret.canary), "{effect:?}: {error:?}");
    }
}

#[tokio::test]
async fn d4_d6_d7_no_fault_of_the_portal_passes_for_an_answer_and_repeats_are_bounded() {
    let mut cases = JoinSet::new();
    for (effect, calls) in faults() {
        cases.spawn(async move {
            let world = World::new();
            let (_, tokens) = world.signed_in().await;
            world.sandbox.fault(Fault::on(Operation::GetRoleCredentials, effect.clone()));
            assert_unavailable(world.role(&tokens, "Admin").await, &world, &effect);
            assert_eq!(world.sandbox.calls(Operation::GetRoleCredentials), calls, "{effect:?}");
            world.sandbox.clear_faults();
            assert!(world.role(&tokens, "Admin").await.is_ok(), "afterwards: {effect:?}");
        });
    }
    cases.join_all().await;
}

#[tokio::test]
async fn a_refresh_token_is_sent_once_whatever_happens_to_the_answer() {
    let mut cases = JoinSet::new();
    let throttled = (error(429, "TooManyRequestsException", "slow", None), 1);
    for (effect, _) in faults().into_iter().chain([throttled]) {
        cases.spawn(async move {
            let world = World::new();
            let (client, tokens) = world.signed_in().await;
            world.sandbox.fault(Fault::on(Operation::CreateTokenRefreshToken, effect.clone()));
            let token: &Secret = tokens.refresh_token.as_ref().unwrap();
            let error = world.refresh(&client, token).await.unwrap_err();
            assert!(error.is_passing(), "{effect:?}: {error:?}");
            assert_eq!(world.sandbox.calls(Operation::CreateTokenRefreshToken), 1, "{effect:?}");
        });
    }
    cases.join_all().await;
}

/// The paused clock leaps over the limits as soon as nobody has anything left to do but wait.
#[tokio::test]
async fn d5_silence_and_trickling_end_in_time() {
    for effect in [Effect::Hang, Effect::HangAfterwards, Effect::Trickle { bytes: 1, every_ms: 1000 }] {
        let world = World::new();
        let (client, tokens) = world.signed_in().await;
        world.sandbox.fault(Fault::on(Operation::GetRoleCredentials, effect.clone()));
        world.sandbox.fault(Fault::on(Operation::CreateTokenRefreshToken, effect.clone()));
        tokio::time::pause();
        assert_unavailable(world.role(&tokens, "Admin").await, &world, &effect);
        let token = tokens.refresh_token.unwrap();
        assert_unavailable(world.refresh(&client, &token).await, &world, &effect);
        tokio::time::resume();
    }
}

#[tokio::test]
async fn d5_twin_an_answer_that_takes_its_time_is_an_answer() {
    let world = World::new();
    let (_, tokens) = world.signed_in().await;
    world.sandbox.fault(Fault::on(Operation::GetRoleCredentials, Effect::Delay { ms: 300 }));
    assert!(world.role(&tokens, "Admin").await.is_ok());
    world.sandbox.clear_faults();
    world.sandbox.fault(Fault::on(Operation::GetRoleCredentials, Effect::Trickle { bytes: 100, every_ms: 10 }));
    assert!(world.role(&tokens, "Admin").await.is_ok());
    assert_eq!(world.sandbox.calls(Operation::GetRoleCredentials), 2);
}

#[tokio::test]
async fn d3_asking_for_fewer_requests_is_obeyed() {
    for (retry_after, calls) in [(Some(3600), 1), (Some(0), 3), (None, 3)] {
        let world = World::new();
        let (_, tokens) = world.signed_in().await;
        let effect = error(429, "TooManyRequestsException", "slow down", retry_after);
        world.sandbox.fault(Fault::on(Operation::GetRoleCredentials, effect));
        let refusal = world.role(&tokens, "Admin").await.unwrap_err();
        assert!(
            matches!(&refusal, AwsError::Throttled { retry_after: after, .. } if after.map(|a| a.as_secs()) == retry_after),
            "{refusal:?}"
        );
        assert_eq!(world.sandbox.calls(Operation::GetRoleCredentials), calls);
    }
}

#[tokio::test]
async fn d4_twin_a_fault_that_passes_goes_unseen() {
    let world = World::new();
    let (_, tokens) = world.signed_in().await;
    let oops = error(500, "InternalServerException", "oops", None);
    world.sandbox.fault(Fault::on(Operation::GetRoleCredentials, oops).times(2));
    assert!(world.role(&tokens, "Admin").await.is_ok());
}

#[tokio::test]
async fn d8_a_redirect_to_another_host_is_not_followed() {
    let (world, elsewhere) = (World::new(), Sandbox::start().unwrap());
    let (client, tokens) = world.signed_in().await;
    for operation in [Operation::GetRoleCredentials, Operation::CreateTokenRefreshToken] {
        let location = format!("{}/token", elsewhere.url());
        world.sandbox.fault(Fault::on(operation, Effect::Redirect { location }));
    }
    assert!(world.role(&tokens, "Admin").await.unwrap_err().to_string().contains("not followed"));
    assert!(
        world.refresh(&client, &tokens.refresh_token.unwrap()).await.unwrap_err().to_string().contains("not followed")
    );
    assert!(elsewhere.requests().is_empty());
}

#[tokio::test]
async fn e10_escape_sequences_in_texts_of_aws_arrive_harmless() {
    let hostile = "\u{1b}]52;c;AAAA\u{7}\u{1b}[2J\rspoof\n\u{202e}\u{9b}31m";
    let world = World::new();
    let (client, tokens) = world.signed_in().await;
    let credentials = world.role(&tokens, "Admin").await.unwrap();
    for operation in [Operation::GetRoleCredentials, Operation::CreateTokenRefreshToken, Operation::AssumeRole] {
        world.sandbox.fault(Fault::on(operation, error(400, "InvalidRequestException", hostile, None)));
    }
    let shown = [
        world.role(&tokens, "Admin").await.unwrap_err(),
        world.refresh(&client, &tokens.refresh_token.clone().unwrap()).await.unwrap_err(),
        crate::roles::assume(&world, &credentials, crate::roles::deploy()).await.unwrap_err(),
    ];
    for error in shown {
        let text = error.to_string();
        assert!(!text.chars().any(tegata_protocol::text::is_hostile), "{text:?}");
        assert!(text.contains("spoof") || matches!(error, AwsError::Unavailable { .. }), "{text:?}");
    }
}
