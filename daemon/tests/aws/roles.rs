//! Credentials: of the portal, and of roles assumed with them.

use crate::world::{World, region};
use std::time::Duration;
use tegata_daemon::aws::{Aws as _, AwsError, RoleToAssume};
use tegata_daemon::credentials::{Credentials, Parts};
use tegata_daemon::names::RoleArn;
use tegata_protocol::Secret;
use tegata_sandbox::{ExpirationForm, IamRole, Operation, TokenBucket};

pub(crate) fn deploy() -> RoleToAssume {
    RoleToAssume {
        role_session_name: Some(String::from("alice@laptop")),
        duration: Some(Duration::from_secs(900)),
        ..RoleToAssume::new(RoleArn::new("arn:aws:iam::210987654321:role/Deploy").unwrap())
    }
}

pub(crate) async fn assume(world: &World, from: &Credentials, role: RoleToAssume) -> Result<Credentials, AwsError> {
    world.aws.assume_role(&region("us-east-1"), from, &role).await
}

async fn admin(world: &World) -> Credentials {
    let (_, tokens) = world.signed_in().await;
    world.role(&tokens, "Admin").await.unwrap()
}

fn refused_with(outcome: Result<Credentials, AwsError>) -> (String, String) {
    match outcome.unwrap_err() {
        AwsError::Refused { code, message, .. } => (code, message),
        other => panic!("not a refusal: {other:?}"),
    }
}

#[tokio::test]
async fn role_credentials_are_those_the_portal_issued() {
    let world = World::new();
    let credentials = admin(&world).await;
    let issued = &world.sandbox.issued_credentials()[0];
    assert_eq!(credentials.access_key_id(), issued.access_key_id);
    assert_eq!(credentials.account_id().unwrap().as_str(), "123456789012");
    let (lifetime, hour) = (credentials.lifetime(), Duration::from_secs(3600));
    assert!(lifetime.abs_diff(hour) < Duration::from_secs(60), "{lifetime:?}");
}

#[tokio::test]
async fn a_role_that_is_not_assigned_is_refused_and_the_sign_in_lives_on() {
    let world = World::new();
    let (_, tokens) = world.signed_in().await;
    let (code, message) = refused_with(world.role(&tokens, "Nobody").await);
    assert_eq!((code.as_str(), message.as_str()), ("ForbiddenException", "No access"));
    assert_eq!(world.sandbox.calls(Operation::GetRoleCredentials), 1);
    assert!(world.role(&tokens, "Admin").await.is_ok());
}

#[tokio::test]
async fn d9_no_form_of_a_wrong_expiry_is_believed() {
    let world = World::new();
    let (_, tokens) = world.signed_in().await;
    for form in [
        ExpirationForm::Past,
        ExpirationForm::Seconds,
        ExpirationForm::Text,
        ExpirationForm::FarFuture,
        ExpirationForm::Zero,
        ExpirationForm::Missing,
    ] {
        world.sandbox.configure(|settings| settings.expiration = form);
        let refusal = world.role(&tokens, "Admin").await.unwrap_err();
        assert!(matches!(refusal, AwsError::Unavailable { .. }), "{form:?}: {refusal}");
    }
    world.sandbox.configure(|settings| settings.expiration = ExpirationForm::Honest);
    assert!(world.role(&tokens, "Admin").await.is_ok());
}

#[tokio::test]
async fn a_role_is_assumed_with_a_signature_that_holds() {
    let world = World::new();
    let from = admin(&world).await;
    let credentials = assume(&world, &from, deploy()).await.unwrap();
    assert_eq!(credentials.account_id().unwrap().as_str(), "210987654321");
    assert!(credentials.lifetime().abs_diff(Duration::from_secs(900)) < Duration::from_secs(60));
    let sent = &world.sandbox.requests_of(Operation::AssumeRole)[0];
    assert!(sent.body.contains("RoleSessionName=alice%40laptop"), "{}", sent.body);
}

#[tokio::test]
async fn a_signature_with_other_keys_is_refused() {
    let world = World::new();
    let from = admin(&world).await;
    let forged = Credentials::from(Parts {
        access_key_id: from.access_key_id().to_owned(),
        secret_access_key: Secret::new(String::from("another")),
        session_token: from.session_token().cloned().unwrap_or_default(),
        expires_at: from.expires_at(),
        issued_at: from.issued_at(),
        account_id: None,
    });
    assert_eq!(refused_with(assume(&world, &forged, deploy()).await).0, "SignatureDoesNotMatch");
}

#[tokio::test]
async fn what_sts_refuses_is_reported_in_its_words() {
    let world = World::with(|settings| {
        let mut partner = IamRole::new("arn:aws:iam::210987654321:role/Partner", &["arn:aws:iam::123456789012:root"]);
        partner.trust.external_id = Some(String::from("ext-1"));
        settings.iam_roles.push(partner);
    });
    let from = admin(&world).await;
    let partner = |external_id: Option<&str>| RoleToAssume {
        role_arn: RoleArn::new("arn:aws:iam::210987654321:role/Partner").unwrap(),
        external_id: external_id.map(str::to_owned),
        ..deploy()
    };
    assert_eq!(refused_with(assume(&world, &from, partner(None)).await).0, "AccessDenied");
    assert!(assume(&world, &from, partner(Some("ext-1"))).await.is_ok());
    let chained = RoleToAssume { duration: Some(Duration::from_secs(2 * 3600)), ..deploy() };
    let (code, message) = refused_with(assume(&world, &from, chained).await);
    assert!(code == "ValidationError" && message.contains("1 hour session limit"), "{code}: {message}");
}

#[tokio::test]
async fn d18_a_clock_twenty_minutes_off_is_named() {
    let world = World::new();
    let from = admin(&world).await;
    world.clock.advance(Duration::from_secs(1200));
    let (code, message) = refused_with(assume(&world, &from, deploy()).await);
    let skew = world.aws.clock_skew_seconds().unwrap();
    assert!((1190..=1200).contains(&skew), "{skew}");
    assert!(message.contains(&format!("clock is {skew} s ahead of AWS")), "{code}: {message}");
    assert_eq!(world.sandbox.calls(Operation::AssumeRole), 1, "no tight loop");
}

#[tokio::test]
async fn d18_twin_a_clock_that_is_right_has_no_skew() {
    let world = World::new();
    admin(&world).await;
    assert!(world.aws.clock_skew_seconds().unwrap().abs() <= 2);
}

#[tokio::test]
async fn d3_too_many_requests_are_waited_for_as_long_as_aws_asks() {
    let world = World::new();
    let (_, tokens) = world.signed_in().await;
    let bucket = TokenBucket { capacity: 1.0, refill_per_second: 1.0 };
    world.sandbox.configure(|settings| settings.throttle = [(Operation::GetRoleCredentials, bucket)].into());
    assert!(world.role(&tokens, "Admin").await.is_ok());
    assert!(world.role(&tokens, "Admin").await.is_ok());
    assert_eq!(world.sandbox.calls(Operation::GetRoleCredentials), 3, "one of them was told to come back");
}
