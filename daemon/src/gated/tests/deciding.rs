//! What decides, and what stands in its way.

use super::*;

const ELSEWHERE: &str = "[endpoints]\nsts = 'https://evil.example'\n";

#[tokio::test]
async fn administration_is_gated_from_the_first_passkey_on() {
    let world = World::new("").await;
    assert_eq!(world.gated.decide(&profile("admin")).await, Ok(Decision::Open));
    assert_eq!(world.gated.explain(&profile("admin")).await.unwrap().gate, "proposed");
    world.enrol().await;
    assert_eq!(world.terms("admin").await.rules, [crate::policy::BUILT_IN]);
    assert_eq!(world.gated.decide(&profile("dev")).await, Ok(Decision::Open));
    assert_eq!(world.gated.explain(&profile("admin")).await.unwrap().gate, "gated");
}

#[tokio::test]
async fn what_decides_is_read_once_and_again_when_told() {
    let world = World::new("").await;
    assert!(world.gated.known_standing().is_none());
    let first = world.gated.standing().await.unwrap();
    assert!(Arc::ptr_eq(&first, &world.gated.standing().await.unwrap()));
    assert!(world.gated.known_standing().is_some() && first.passkeys == Some(0) && !first.has_passkey());
    world.gated.reconsider().await;
    assert!(world.gated.known_standing().is_none());
    assert!(!Arc::ptr_eq(&first, &world.gated.standing().await.unwrap()));
}

#[tokio::test]
async fn a_gate_is_proposed_once_and_only_where_administration_is_open() {
    let world = World::new("").await;
    assert!(!world.gated.proposes(&profile("admin")), "it is not known yet what decides");
    world.gated.standing().await.unwrap();
    assert!(!world.gated.proposes(&profile("dev")));
    assert!(world.gated.proposes(&profile("admin")));
    assert!(!world.gated.proposes(&profile("admin")), "said already");
    let enrolled = World::new("").await;
    enrolled.enrol().await;
    enrolled.gated.standing().await.unwrap();
    assert!(!enrolled.gated.proposes(&profile("admin")), "it is gated");
}

#[tokio::test]
async fn who_is_still_reading_does_not_put_back_what_decided_before() {
    let world = World::new("").await;
    world.store.hold();
    let release = async { world.store.release() };
    let (read, (), ()) = tokio::join!(world.gated.standing(), world.gated.reconsider(), release);
    assert!(read.is_ok() && world.gated.known_standing().is_none());
}

#[tokio::test]
async fn a_damaged_record_of_passkeys_keeps_what_is_gated_gated() {
    let memory = Memory::default();
    memory.clone().write(&Key::new("passkeys", ""), b"{}").unwrap();
    let world = World::over(memory, "").await;
    assert_eq!(world.terms("admin").await.rules, [crate::policy::BUILT_IN]);
    let standing = world.gated.standing().await.unwrap();
    assert!(standing.has_passkey() && standing.passkeys.is_none() && !standing.pending.is_empty());
    let parked = world.serve_within("admin", Duration::ZERO).await.unwrap_err();
    assert!(matches!(parked, Problem::ElevationRequired { .. } | Problem::WaitEnded { .. }), "{parked}");
    assert!(world.asked().is_empty());
}

#[tokio::test]
async fn settings_that_lead_elsewhere_serve_nothing_until_they_are_accepted() {
    let before = World::new(DEV).await;
    before.gated.standing().await.unwrap();
    before.enrol().await;
    let world = World::over(before.memory.clone(), &format!("{DEV}{ELSEWHERE}")).await;
    let refused = world.gated.decide(&profile("admin")).await.unwrap_err();
    assert!(matches!(&refused, Problem::NotAccepted { what } if what.contains("the STS endpoint")), "{refused}");
    assert_eq!(tegata_protocol::ErrorBody::from(refused).mend.as_deref(), Some("tegata policy accept"));
    let user = ElevationWanted { window: None, reason: None, holder: HolderWanted::Terminal };
    assert!(matches!(world.gated.ask(&caller(1), &profile("dev"), &user).await, Err(Problem::NotAccepted { .. })));
    world.gated.rooms.accepted.accept(&world.gated.rooms.wanted).await.unwrap();
    world.gated.reconsider().await;
    assert!(world.gated.decide(&profile("admin")).await.is_ok());
}

#[tokio::test]
async fn settings_that_lead_elsewhere_are_followed_while_no_passkey_is_enrolled() {
    let world = World::new(ELSEWHERE).await;
    assert_eq!(world.gated.decide(&profile("dev")).await, Ok(Decision::Open));
    assert!(world.gated.standing().await.unwrap().pending.is_empty());
}

#[tokio::test]
async fn a_store_that_does_not_answer_decides_nothing() {
    let world = World::new(DEV).await;
    world.store.always(Some(StoreError::Locked));
    assert_eq!(world.gated.decide(&profile("dev")).await, Err(Problem::Store(StoreError::Locked)));
    assert_eq!(world.gated.decide(&profile("admin")).await, Err(Problem::Store(StoreError::Locked)));
    assert!(world.gated.known_standing().is_none());
    world.store.always(None);
    assert!(matches!(world.gated.decide(&profile("dev")).await, Ok(Decision::Gated(_))));
}
