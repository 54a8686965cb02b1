use super::*;
use crate::aws::iam::LastUse;
use crate::store::testing::Call;

const DAY: Duration = Duration::from_secs(86_400);
const NO_GRACE: Wanted = Wanted::Rotate { grace: Some(Duration::ZERO) };

fn problem(outcome: Result<Rotated, Problem>) -> KeyProblem {
    match outcome {
        Err(Problem::Keys(problem)) => problem,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_new_key_is_made_proven_switched_to_and_the_old_one_goes_after_its_grace_time() {
    let mut world = World::imported().await;
    world.knows(1);
    let rotated = world.rotate(Wanted::Rotate { grace: Some(DAY) }).await.unwrap();
    let delete_after = from_unix_seconds(NOW + 86_400);
    assert!(rotated.began && rotated.in_use.last_four() == "MA01");
    assert_eq!(rotated.old[0].fate, Fate::Deactivated { delete_after });
    assert_eq!(world.at_iam(), [("OLD1".to_owned(), false), ("MA01".to_owned(), true)]);
    assert!(world.aws.calls().contains(&format!("set {OLD} to false with AKIAMADEMADEMADEMA01")), "the new key signs");

    let again = world.rotate(Wanted::Rotate { grace: Some(DAY) }).await.unwrap();
    assert!(!again.began, "one rotation after the other");
    world.restart();
    assert!(!world.keeper.has_due());
    world.clock.advance(DAY);
    assert!(world.keeper.has_due());
    world.keeper.look_after().await;
    let done = world.rotate(Wanted::GoOn).await.unwrap();
    assert_eq!(done.in_use.last_four(), "MA01");
    assert_eq!(world.at_iam(), [("MA01".to_owned(), true)]);
    assert_eq!(world.kept().await, [("MA01".to_owned(), KeyState::InUse)]);
    assert!(!world.keeper.has_due());
    let records = world.records();
    for step in ["made", "in_use", "deactivated", "deleted"] {
        assert!(records.contains(&format!("\"step\":\"{step}\"")), "{step}: {records}");
    }
    assert!(!records.contains("CANARY") && !records.contains(OLD), "{records}");
}

#[tokio::test]
async fn finish_deletes_the_old_key_at_once_and_makes_none() {
    let world = World::imported().await;
    world.knows(1);
    world.rotate(Wanted::Rotate { grace: Some(DAY) }).await.unwrap();
    let done = world.rotate(Wanted::Finish).await.unwrap();
    assert_eq!((done.began, &done.old[0].fate), (false, &Fate::Deleted));
    assert!(world.rotate(Wanted::Finish).await.unwrap().old.is_empty());
    assert_eq!(world.at_iam(), [("MA01".to_owned(), true)]);
}

#[tokio::test]
async fn a_second_key_is_told_about_and_never_touched() {
    let world = World::imported().await;
    let mut other = ScriptedIam::key("AKIAOTHEROTHEROTHER2", from_unix_seconds(NOW - 5));
    other.is_active = false;
    world.aws.iam.lock().unwrap().keys.push(other);
    let said = problem(world.rotate(NO_GRACE).await).to_string();
    assert!(said.contains("AKIAOTHEROTHEROTHER2 (inactive)") && said.contains("aws iam delete-access-key"), "{said}");
    assert_eq!(world.at_iam(), [("OLD1".to_owned(), true), ("HER2".to_owned(), false)]);
    assert!(!world.keeper.has_due());
}

#[tokio::test]
async fn a_key_that_aws_has_not_heard_of_is_tried_again_for_a_while() {
    let world = World::imported().await;
    (0..4).for_each(|_| world.says(Err(unknown())));
    world.knows(1);
    world.rotate(NO_GRACE).await.unwrap();
    let asked = world.aws.calls().iter().filter(|call| *call == "who is AKIAMADEMADEMADEMA01").count();
    assert_eq!(asked, 5);
    assert_eq!(world.at_iam(), [("MA01".to_owned(), true)]);
}

#[tokio::test]
async fn a_key_that_aws_does_not_come_to_know_is_not_used_and_not_lost() {
    let world = World::imported().await;
    (0..11).for_each(|_| world.says(Err(unknown())));
    let said = problem(world.rotate(NO_GRACE).await);
    assert!(matches!(said, KeyProblem::Unknown { .. }));
    assert_eq!(world.kept().await[0], ("OLD1".to_owned(), KeyState::InUse));
    world.knows(1);
    let rotated = world.rotate(NO_GRACE).await.unwrap();
    assert_eq!((rotated.began, rotated.in_use.last_four()), (false, "MA01"), "no other key is made");
    assert_eq!(world.at_iam(), [("MA01".to_owned(), true)]);
}

#[tokio::test]
async fn who_goes_on_keeps_the_grace_time_that_the_rotation_began_with() {
    for (wanted, kept) in [(Wanted::GoOn, 3 * DAY), (Wanted::Rotate { grace: None }, 3 * DAY)] {
        let mut world = World::imported().await;
        (0..11).for_each(|_| world.says(Err(unknown())));
        let begun = world.rotate(Wanted::Rotate { grace: Some(3 * DAY) }).await;
        assert!(matches!(problem(begun), KeyProblem::Unknown { .. }));
        world.restart();
        world.clock.advance(DAY);
        world.knows(1);
        let rotated = world.rotate(wanted).await.unwrap();
        let delete_after = world.clock.now() + kept;
        assert_eq!(rotated.old[0].fate, Fate::Deactivated { delete_after }, "{wanted:?}");
        assert!(world.at_iam().contains(&("OLD1".to_owned(), false)), "it can be had back");
    }
}

#[tokio::test]
async fn a_new_key_that_somebody_deleted_is_not_waited_for_any_more() {
    let world = World::imported().await;
    (0..11).for_each(|_| world.says(Err(unknown())));
    let _ = world.rotate(NO_GRACE).await;
    world.aws.iam.lock().unwrap().keys.truncate(1);
    world.knows(1);
    let rotated = world.rotate(NO_GRACE).await.unwrap();
    assert_eq!((rotated.began, rotated.in_use.last_four()), (true, "MA02"));
}

#[tokio::test]
async fn a_new_key_that_is_somebody_elses_is_not_used() {
    let world = World::imported().await;
    world.says(Ok("arn:aws:iam::123456789012:user/eve"));
    assert!(matches!(problem(world.rotate(NO_GRACE).await), KeyProblem::Wrong { .. }));
    assert_eq!(world.kept().await[0], ("OLD1".to_owned(), KeyState::InUse));
    assert!(world.at_iam().contains(&("OLD1".to_owned(), true)));
}

#[tokio::test]
async fn a_key_whose_answer_was_lost_is_deleted_and_another_one_made() {
    let mut world = World::imported().await;
    world.aws.iam.lock().unwrap().lose_next_key = true;
    assert!(matches!(world.rotate(NO_GRACE).await, Err(Problem::Aws(_))));
    assert_eq!(world.at_iam().len(), 2);
    world.restart();
    assert!(world.keeper.has_due(), "the next start goes on");
    world.knows(1);
    let rotated = world.rotate(NO_GRACE).await.unwrap();
    assert_eq!((rotated.began, world.at_iam()), (true, vec![("MA02".to_owned(), true)]));
    assert!(world.records().contains("lost_deleted"));
}

#[tokio::test]
async fn a_key_that_was_used_or_made_at_another_time_is_not_taken_for_a_lost_one() {
    for (made, used) in [(NOW, true), (NOW - 3_600, false), (NOW + 3_600, false)] {
        let world = World::imported().await;
        world.keeper.change(&alice(), |record| record.making_since = Some(from_unix_seconds(NOW))).await.unwrap();
        let id = "AKIAOTHEROTHEROTHER2";
        {
            let mut iam = world.aws.iam.lock().unwrap();
            iam.keys.push(ScriptedIam::key(id, from_unix_seconds(made)));
            let last = LastUse { at: from_unix_seconds(made), service: "s3".to_owned(), region: "x".to_owned() };
            used.then(|| iam.uses.insert(id.to_owned(), last));
        }
        assert!(matches!(problem(world.rotate(NO_GRACE).await), KeyProblem::Second { .. }), "{made} {used}");
        assert!(world.at_iam().contains(&("HER2".to_owned(), true)));
    }
}

#[tokio::test]
async fn a_refusal_to_make_a_key_leaves_nothing_behind() {
    let world = World::imported().await;
    let denied = ScriptedIam::refused("CreateAccessKey", "AccessDenied");
    world.aws.iam.lock().unwrap().failures.push_back(("CreateAccessKey", denied));
    assert!(matches!(world.rotate(NO_GRACE).await, Err(Problem::Aws(_))));
    assert!(!world.keeper.has_due());
    world.knows(1);
    assert!(world.rotate(NO_GRACE).await.unwrap().began);
}

#[tokio::test]
async fn an_old_key_that_iam_does_not_let_go_is_said_to_be_left() {
    let world = World::imported().await;
    let denied = ScriptedIam::refused("UpdateAccessKey", "AccessDenied");
    world.aws.iam.lock().unwrap().failures.push_back(("UpdateAccessKey", denied));
    world.knows(1);
    let rotated = world.rotate(NO_GRACE).await.unwrap();
    assert!(matches!(&rotated.old[0].fate, Fate::Left { why } if why.contains("AccessDenied")), "{rotated:?}");
    assert_eq!(world.rotate(NO_GRACE).await.unwrap().old[0].fate, Fate::Deleted);
}

#[tokio::test]
async fn everybody_who_asks_at_the_same_time_gets_one_rotation() {
    let world = World::imported().await;
    world.knows(1);
    let (one, other) = tokio::join!(
        world.rotate(Wanted::Rotate { grace: Some(DAY) }),
        world.rotate(Wanted::Rotate { grace: Some(DAY) })
    );
    assert_eq!(one.unwrap(), other.unwrap());
    assert_eq!(world.at_iam().len(), 2);
}

/// The daemon dies before or after each write of the record. Whatever it leaves has a key that works, and who comes next ends with
/// exactly one.
#[tokio::test]
async fn a_crash_at_any_write_leaves_a_key_that_works_and_resuming_ends_with_one() {
    let mut met = 0;
    for nth in 1..10 {
        for after in [false, true] {
            let mut world = World::imported().await;
            let crash = if after { Faults::crash_after } else { Faults::crash_before };
            crash(&world.faults, Call::Write, nth);
            world.knows(4);
            let outcome = world.rotate(NO_GRACE).await;
            met += usize::from(outcome.is_err());
            world.restart();
            let works = |record: &IamUserRecord, world: &World| {
                let key = record.in_use().unwrap().id.as_str()[16..].to_owned();
                world.at_iam().contains(&(key, true))
            };
            let record = world.keeper.users.keys(&alice()).await.unwrap().unwrap();
            assert!(works(&record, &world), "write {nth}, after: {after}: {:?}", world.at_iam());
            world.rotate(NO_GRACE).await.unwrap();
            let record = world.keeper.users.keys(&alice()).await.unwrap().unwrap();
            let context = format!("write {nth}, after: {after}: {:?} {:?}", world.at_iam(), world.kept().await);
            assert!(works(&record, &world) && world.at_iam().len() == 1 && record.keys.len() == 1, "{context}");
            assert_ne!(record.in_use().unwrap().id.as_str(), OLD, "{context}");
            assert!(!world.keeper.has_due(), "{context}");
        }
    }
    assert_eq!(met, 8, "a rotation writes its record four times");
}
