//! IAM users: sessions made with their access keys, and roles assumed with these.

use crate::roles::{assume, deploy};
use crate::world::{World, region};
use std::time::Duration;
use tegata_daemon::aws::{Aws as _, AwsError, MfaCode, RoleToAssume, SessionToAsk};
use tegata_daemon::credentials::Credentials;
use tegata_protocol::Secret;

const ALICE: &str = "arn:aws:iam::123456789012:user/alice";
const PHONE: &str = "arn:aws:iam::123456789012:mfa/alice";

/// Alice with a phone, and her key.
fn alice(world: &World) -> Credentials {
    let sandbox = &world.sandbox;
    sandbox.add_iam_user(ALICE).unwrap();
    sandbox.enable_mfa(ALICE, PHONE).unwrap();
    let key = sandbox.create_access_key(ALICE).unwrap();
    let now = std::time::SystemTime::UNIX_EPOCH;
    Credentials::of_access_key(&key.id, Secret::new(key.secret), None, now, now + Duration::from_secs(3600))
}

async fn session(world: &World, from: &Credentials, code: Option<&str>) -> Result<Credentials, AwsError> {
    let code = code.map(|code| Secret::new(code.to_owned()));
    let mfa = code.as_ref().map(|code| MfaCode { serial: PHONE, code });
    let asked = SessionToAsk { duration: Duration::from_secs(129_600), mfa };
    world.aws.get_session_token(&region("us-east-1"), from, &asked).await
}

#[tokio::test]
async fn a_key_is_its_users_and_makes_a_session_of_a_day_and_a_half() {
    let world = World::new();
    let key = alice(&world);
    assert_eq!(world.aws.caller_identity(&region("us-east-1"), &key).await.unwrap().arn, ALICE);
    let made = session(&world, &key, None).await.unwrap();
    assert!(made.lifetime().abs_diff(Duration::from_secs(129_600)) < Duration::from_secs(60));
    assert_eq!(world.aws.caller_identity(&region("us-east-1"), &made).await.unwrap().arn, ALICE);
    assert!(matches!(session(&world, &made, None).await, Err(AwsError::Refused { .. })), "only keys make a session");
}

#[tokio::test]
async fn a_code_buys_one_session_which_opens_a_role_that_wants_mfa_for_hours() {
    let world = World::with(|settings| settings.iam_roles[0].trust.requires_mfa = true);
    let key = alice(&world);
    let long = RoleToAssume { duration: Some(Duration::from_secs(14_400)), ..deploy() };
    assert!(matches!(assume(&world, &key, long.clone()).await, Err(AwsError::Refused { .. })));
    let code = world.sandbox.mfa_code(PHONE).unwrap();
    let made = session(&world, &key, Some(&code)).await.unwrap();
    assert!(assume(&world, &made, long).await.unwrap().lifetime() > Duration::from_secs(14_000));
    assert!(session(&world, &key, Some(&code)).await.unwrap_err().is_wrong_code(), "a second time");
}

#[tokio::test]
async fn a_key_that_was_switched_off_is_unknown() {
    let world = World::new();
    let key = alice(&world);
    world.sandbox.set_access_key_active(ALICE, key.access_key_id(), false).unwrap();
    assert!(session(&world, &key, None).await.unwrap_err().is_unknown_key());
}
