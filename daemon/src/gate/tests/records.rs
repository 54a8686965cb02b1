//! The record: read once, and shut for good when it cannot be read.

use super::super::{Fault, GateError, Who};
use super::stage::{ORIGIN, Stage, origin, request};
use crate::store::testing::Call;
use crate::store::{Key, Records, StoreError};
use serde_json::{Value, json};
use tegata_authenticator::Authenticator;

fn key() -> Key {
    Key::new("passkeys", "")
}

/// What somebody does to the record.
type Tampering = fn(&mut Value);

/// Rewrites the record below the daemon and starts the next one.
fn tamper(stage: &mut Stage, with: impl FnOnce(&mut Value)) {
    let mut record = serde_json::from_slice(&stage.memory.read(&key()).unwrap().unwrap()).unwrap();
    with(&mut record);
    stage.memory.write(&key(), record.to_string().as_bytes()).unwrap();
    stage.restart();
}

/// Expects that nothing opens and nothing is enrolled, and that the person is told what mends it.
async fn is_shut(stage: &Stage, why: &str) {
    let listed = stage.gate.passkeys().await;
    assert!(matches!(&listed, Err(StoreError::Damaged { detail, .. }) if detail.contains(why)), "{why}: {listed:?}");
    let begun = stage.gate.begin_approval(&origin(), &request(1), &Who::default()).await.unwrap_err();
    assert!(begun.to_string().contains("tegata passkey reset"), "{begun}");
    let enrolled = stage.begin_enrolment("mallory", "hers").await.unwrap_err();
    assert!(matches!(enrolled, GateError::Damaged { .. }), "{enrolled}");
}

#[tokio::test]
async fn a_record_that_cannot_be_read_keeps_the_gate_shut() {
    let changes: [(&str, Tampering); 6] = [
        ("version 2", |record| record["version"] = json!(2)),
        ("not readable", |record| record["passkeys"] = json!("none")),
        ("not readable", |record| record["passkeys"][0]["counter"] = json!(-1)),
        ("not readable", |record| record["passkeys"][0]["passkey"] = json!({})),
        ("one passkey twice", |record| {
            let twice = record["passkeys"][0].clone();
            record["passkeys"].as_array_mut().unwrap().push(twice);
        }),
        ("holds the character", |record| record["passkeys"][0]["person"] = json!("ali\u{202e}ce")),
    ];
    for (why, change) in changes {
        let mut stage = Stage::with_alice().await;
        tamper(&mut stage, change);
        is_shut(&stage, why).await;
        stage.restart();
        is_shut(&stage, why).await;
    }
}

#[tokio::test]
async fn a_record_that_the_store_has_set_aside_keeps_the_gate_shut_in_the_next_life_too() {
    let mut stage = Stage::with_alice().await;
    stage.restart();
    stage.store.damage(&key());
    is_shut(&stage, "told to be").await;
    stage.restart();
    is_shut(&stage, "told to be").await;
}

#[tokio::test]
async fn a_loss_that_cannot_be_written_down_keeps_the_gate_shut_in_this_life() {
    let mut stage = Stage::with_alice().await;
    stage.restart();
    stage.store.damage(&key());
    stage.store.fail(Call::Write, 1, StoreError::Locked);
    is_shut(&stage, "told to be").await;
    is_shut(&stage, "told to be").await;
}

#[tokio::test]
async fn forgetting_a_damaged_record_makes_room_for_new_passkeys() {
    let mut stage = Stage::with_alice().await;
    tamper(&mut stage, |record| record["version"] = json!(2));
    stage.store.fail(Call::Write, 1, StoreError::Locked);
    assert_eq!(stage.gate.forget_all().await, Err(GateError::Store(StoreError::Locked)));
    is_shut(&stage, "version 2").await;
    stage.gate.forget_all().await.unwrap();
    assert_eq!(stage.gate.passkeys().await, Ok(Vec::new()));
    stage.hand = Authenticator::new();
    stage.enrol("alice", "key").await;
    stage.restart();
    stage.approve().await.unwrap();
}

#[tokio::test]
async fn good_passkeys_are_forgotten_once_that_is_written() {
    let mut stage = Stage::with_alice().await;
    let (id, options) = stage.begin().await;
    let answer = stage.hand.get(&options, ORIGIN).unwrap();
    stage.store.fail(Call::Write, 1, StoreError::Locked);
    assert_eq!(stage.gate.forget_all().await, Err(GateError::Store(StoreError::Locked)));
    assert_eq!(stage.gate.passkeys().await.unwrap().len(), 1);
    stage.gate.forget_all().await.unwrap();
    assert_eq!(
        stage.finish(&id, &answer).await,
        Err(GateError::Refused(Fault::NotAllowed)),
        "nor is one under way good"
    );
    let begun = stage.gate.begin_approval(&origin(), &request(1), &Who::default()).await;
    assert_eq!(begun.unwrap_err(), GateError::NoPasskey);
    stage.restart();
    assert_eq!(stage.gate.passkeys().await, Ok(Vec::new()));
}

#[tokio::test]
async fn a_store_that_does_not_answer_opens_nothing_and_is_asked_again() {
    let mut stage = Stage::with_alice().await;
    stage.restart();
    stage.store.always(Some(StoreError::Locked));
    assert_eq!(stage.gate.passkeys().await, Err(StoreError::Locked));
    let begun = stage.gate.begin_approval(&origin(), &request(1), &Who::default()).await;
    assert_eq!(begun.unwrap_err(), GateError::Store(StoreError::Locked));
    assert_eq!(stage.gate.forget_all().await, Err(GateError::Store(StoreError::Locked)));
    stage.store.always(None);
    stage.approve().await.unwrap();
}

#[tokio::test]
async fn the_record_is_read_once() {
    let mut stage = Stage::with_alice().await;
    stage.restart();
    let gate = &stage.gate;
    let (one, two, three) = tokio::join!(gate.passkeys(), gate.passkeys(), gate.passkeys());
    assert_eq!((one.unwrap().len(), two.unwrap().len(), three.unwrap().len()), (1, 1, 1));
    stage.approve().await.unwrap();
    assert_eq!(stage.store.count(Call::Read), 1);
}

#[tokio::test]
async fn a_passkey_of_another_rp_id_is_kept_and_not_asked_for() {
    let mut stage = Stage::with_alice().await;
    tamper(&mut stage, |record| record["passkeys"][0]["rp_id"] = json!("localhost"));
    assert_eq!(stage.gate.passkeys().await.unwrap().len(), 1);
    let begun = stage.gate.begin_approval(&origin(), &request(1), &Who::default()).await;
    assert_eq!(begun.unwrap_err(), GateError::NoneFits);
}

#[tokio::test]
async fn two_enrolments_that_end_at_once_are_both_kept() {
    let mut stage = Stage::empty();
    let ceremonies =
        [stage.begin_enrolment("alice", "one").await.unwrap(), stage.begin_enrolment("bob", "two").await.unwrap()];
    let answers = ceremonies.map(|(id, options)| (id, Authenticator::new().create(&options, ORIGIN).unwrap()));
    let [(first, one), (second, two)] = &answers;
    // The first is at its write when the second begins, and stays there until the second can go no further.
    stage.store.hold();
    let release = async { stage.store.release() };
    let (one, two, ()) = tokio::join!(stage.finish_enrolment(first, one), stage.finish_enrolment(second, two), release);
    assert!(one.is_ok() && two.is_ok());
    assert_eq!(stage.gate.passkeys().await.unwrap().len(), 2);
    stage.restart();
    assert_eq!(stage.gate.passkeys().await.unwrap().len(), 2);
}
