use super::*;
use crate::iam_users::record::KeyFault;
use crate::store::StoreError;
use crate::store::testing::Call;

fn problem(outcome: Result<Imported, Problem>) -> KeyProblem {
    match outcome {
        Err(Problem::Keys(problem)) => problem,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_key_is_proven_kept_read_back_and_used_once() {
    let world = World::new();
    world.knows(1);
    let imported = world.import().await.unwrap();
    assert_eq!((imported.user.as_str(), imported.kept), (ALICE, Kept::It));
    let record = world.keeper.users.keys(&alice()).await.unwrap().unwrap();
    let key = record.in_use().unwrap();
    assert_eq!((key.id.as_str(), key.secret.expose_secret()), (OLD, SECRET));
    assert_eq!(key.created_at, Some(from_unix_seconds(NOW - 100 * 86_400)), "its age is IAM's");
    let asked = world.aws.calls();
    assert!(asked.iter().any(|call| call.starts_with(&format!("session of {OLD}"))), "{asked:?}");
}

#[tokio::test]
async fn a_key_that_may_not_ask_iam_is_taken_without_its_age() {
    let world = World::new();
    let denied = ScriptedIam::refused("ListAccessKeys", "AccessDenied");
    world.aws.iam.lock().unwrap().failures.push_back(("ListAccessKeys", denied));
    world.knows(1);
    world.import().await.unwrap();
    let record = world.keeper.users.keys(&alice()).await.unwrap().unwrap();
    assert_eq!(record.in_use().unwrap().created_at, None);
}

#[tokio::test]
async fn root_is_refused_with_what_to_do_instead_and_nothing_is_kept() {
    let world = World::new();
    world.says(Ok("arn:aws:iam::123456789012:root"));
    let refused = problem(world.import().await);
    let said = refused.to_string();
    assert!(matches!(refused, KeyProblem::Root { .. }) && said.contains("delete the key in the console"), "{said}");
    assert_eq!(world.faults.count(Call::Write), 0);
}

#[tokio::test]
async fn what_is_no_long_term_key_of_a_user_is_refused() {
    let world = World::new();
    for arn in ["arn:aws:sts::123456789012:assumed-role/Admin/x", "arn:aws:sts::123456789012:federated-user/x"] {
        world.says(Ok(arn));
        assert!(matches!(problem(world.import().await), KeyProblem::NotAUser { .. }), "{arn}");
    }
    let session = world.keeper.import("ASIAIOSFODNN7EXAMPLE", Secret::new(SECRET.to_owned()), None).await;
    assert_eq!(problem(session), KeyProblem::Form(KeyFault::Temporary));
    for (code, why) in [("InvalidClientTokenId", "deactivated or deleted"), ("SignatureDoesNotMatch", "another one's")]
    {
        world.says(Err(ScriptedIam::refused("GetCallerIdentity", code)));
        let said = problem(world.import().await).to_string();
        assert!(said.contains("…OLD1") && said.contains(why) && !said.contains("CANARY"), "{said}");
    }
    assert_eq!(world.faults.count(Call::Write), 0);
}

#[tokio::test]
async fn a_key_that_makes_no_session_or_is_not_read_back_is_not_kept() {
    let world = World::new();
    world.knows(1);
    world.aws.next_role(Err(ScriptedIam::refused("GetSessionToken", "AccessDenied")));
    let refused = world.keeper.import(OLD, Secret::new(SECRET.to_owned()), Some(region())).await;
    assert!(refused.is_err() && world.kept().await.is_empty());

    let world = World::new();
    world.knows(1);
    // The first read looks what was there before.
    world.faults.fail(Call::Read, 2, StoreError::Locked);
    world.faults.fail(Call::Read, 3, StoreError::Locked);
    let refused = world.import().await;
    assert!(refused.is_err(), "{refused:?}");
}

#[tokio::test]
async fn another_key_of_the_user_does_not_take_the_place_of_one_that_works() {
    let world = World::imported().await;
    world.aws.iam.lock().unwrap().keys.push(ScriptedIam::key("AKIAOTHEROTHEROTHER2", from_unix_seconds(NOW)));
    let offer = || async {
        world.knows(1);
        world.keeper.import("AKIAOTHEROTHEROTHER2", Secret::new("s".repeat(40)), Some(region())).await
    };
    world.aws.next_role(Ok(HOUR));
    let kept = offer().await.unwrap().kept;
    assert_eq!(kept, Kept::Another { last_four: "OLD1".to_owned() });
    assert_eq!(world.kept().await, [("OLD1".to_owned(), KeyState::InUse)]);
    world.aws.next_role(Err(ScriptedIam::refused("GetSessionToken", "InvalidClientTokenId")));
    world.aws.next_role(Ok(HOUR));
    assert_eq!(offer().await.unwrap().kept, Kept::It, "the one that was there is dead");
    assert_eq!(world.kept().await, [("HER2".to_owned(), KeyState::InUse)]);
}

#[tokio::test]
async fn the_same_key_twice_is_the_same_key() {
    let world = World::imported().await;
    world.knows(1);
    assert_eq!(world.import().await.unwrap().kept, Kept::It);
    assert_eq!(world.kept().await, [("OLD1".to_owned(), KeyState::InUse)]);
}
