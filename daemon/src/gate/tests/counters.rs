//! The sign counter, and that it is written down before anybody hears of an approval.

use super::super::{Fault, GateError, PasskeyView};
use super::stage::{ORIGIN, Stage, anybody, origin, request};
use crate::clock::Clock;
use crate::store::StoreError;
use crate::store::testing::Call;
use std::sync::Arc;
use tegata_authenticator::Faults;

fn counter(counter: u32) -> Faults {
    Faults { counter: Some(counter), ..Faults::default() }
}

fn gone() -> StoreError {
    StoreError::Unavailable { detail: String::from("gone") }
}

async fn only_passkey(stage: &Stage) -> PasskeyView {
    stage.gate.passkeys().await.unwrap().remove(0)
}

#[tokio::test]
async fn b8_a_counter_that_does_not_go_on_suspends_the_passkey() {
    for (first, then) in [(7, 7), (7, 6), (7, 0)] {
        let mut stage = Stage::with_alice().await;
        stage.approve_badly(&counter(first)).await.unwrap();
        let (open, options) = stage.begin().await;
        let refused = stage.approve_badly(&counter(then)).await.unwrap_err();
        let passkey = only_passkey(&stage).await;
        let GateError::CounterWentBack { passkey: id, name, person } = refused else { panic!("{refused}") };
        assert_eq!((id, name, person), (passkey.id, passkey.name, passkey.person), "the alert can name it");
        assert!(passkey.suspended);
        // From here on neither a new ceremony nor one under way knows it, in this life or the next.
        let good = stage.hand.get_with(&options, ORIGIN, &counter(50)).unwrap();
        assert!(matches!(stage.finish(&open, &good).await, Err(GateError::Suspended { .. })));
        stage.restart();
        assert!(only_passkey(&stage).await.suspended);
        let begun = stage.gate.begin_approval(&origin(), &request(1), &anybody()).await;
        assert_eq!(begun.unwrap_err(), GateError::NoneFits);
    }
}

#[tokio::test]
async fn b8_a_suspension_that_cannot_be_written_holds_all_the_same() {
    let mut stage = Stage::with_alice().await;
    stage.approve_badly(&counter(7)).await.unwrap();
    stage.store.always(Some(gone()));
    let refused = stage.approve_badly(&counter(7)).await;
    assert!(matches!(refused, Err(GateError::CounterWentBack { .. })), "{refused:?}");
    assert!(only_passkey(&stage).await.suspended);
}

#[tokio::test]
async fn b8_a_wrong_signature_with_an_old_counter_suspends_nobody() {
    let mut stage = Stage::with_alice().await;
    stage.approve_badly(&counter(7)).await.unwrap();
    let forged = Faults { flip_signature: true, ..counter(3) };
    assert_eq!(stage.approve_badly(&forged).await, Err(GateError::Refused(Fault::Signature)));
    assert!(!only_passkey(&stage).await.suspended);
    stage.approve_badly(&counter(8)).await.unwrap();
}

#[tokio::test]
async fn b8_twin_a_counter_that_goes_on_opens() {
    let mut stage = Stage::with_alice().await;
    for next in [7, 8, 100, u32::MAX] {
        stage.approve_badly(&counter(next)).await.unwrap();
    }
}

#[tokio::test]
async fn b8_twin_a_passkey_that_never_counts_opens() {
    let mut stage = Stage::with_alices_phone().await;
    for _ in 0..3 {
        stage.approve().await.unwrap();
    }
}

#[tokio::test]
async fn b29_of_two_overlapping_ceremonies_the_earlier_counter_is_refused() {
    let mut stage = Stage::with_alice().await;
    let ((early, early_options), (late, late_options)) = (stage.begin().await, stage.begin().await);
    let first = stage.hand.get_with(&early_options, ORIGIN, &counter(7)).unwrap();
    let second = stage.hand.get_with(&late_options, ORIGIN, &counter(8)).unwrap();
    stage.finish(&late, &second).await.unwrap();
    let refused = stage.finish(&early, &first).await;
    assert!(matches!(refused, Err(GateError::CounterWentBack { .. })), "{refused:?}");
}

#[tokio::test]
async fn b29_a_passkey_that_counted_and_stops_is_refused_even_side_by_side() {
    let mut stage = Stage::empty();
    let (id, options) = stage.begin_enrolment("alice", "key").await.unwrap();
    let made = stage.hand.create_with(&options, ORIGIN, &counter(0)).unwrap();
    stage.finish_enrolment(&id, &made).await.unwrap();
    let ((early, early_options), (late, late_options)) = (stage.begin().await, stage.begin().await);
    let zero = stage.hand.get_with(&early_options, ORIGIN, &counter(0)).unwrap();
    let one = stage.hand.get_with(&late_options, ORIGIN, &counter(1)).unwrap();
    stage.finish(&late, &one).await.unwrap();
    let refused = stage.finish(&early, &zero).await;
    assert!(matches!(refused, Err(GateError::CounterWentBack { .. })), "{refused:?}");
}

#[tokio::test]
async fn b29_twin_overlapping_ceremonies_that_end_in_order_both_open() {
    let mut stage = Stage::with_alice().await;
    let ceremonies = [stage.begin().await, stage.begin().await];
    for (id, options) in ceremonies {
        let answer = stage.hand.get(&options, ORIGIN).unwrap();
        stage.finish(&id, &answer).await.unwrap();
    }
}

#[tokio::test]
async fn b29_an_approval_that_cannot_be_written_is_refused_and_its_counter_is_spent() {
    let mut stage = Stage::with_alice().await;
    let (open, options) = stage.begin().await;
    let copied = stage.hand.get_with(&options, ORIGIN, &counter(7)).unwrap();
    stage.store.fail(Call::Write, 1, gone());
    assert_eq!(stage.approve_badly(&counter(7)).await, Err(GateError::Store(gone())));
    let again = stage.finish(&open, &copied).await;
    assert!(matches!(again, Err(GateError::CounterWentBack { .. })), "{again:?}");
}

#[tokio::test]
async fn b29_a_crash_once_the_approval_is_written_leaves_no_counter_to_use_again() {
    let mut stage = Stage::with_alice().await;
    stage.store.crash_after(Call::Write, 1);
    assert!(stage.approve_badly(&counter(7)).await.is_err(), "nobody hears of it");
    stage.restart();
    assert!(only_passkey(&stage).await.last_used_at.is_some());
    let refused = stage.approve_badly(&counter(7)).await;
    assert!(matches!(refused, Err(GateError::CounterWentBack { .. })), "{refused:?}");
}

#[tokio::test]
async fn b29_a_crash_before_the_approval_is_written_has_approved_nothing() {
    let mut stage = Stage::with_alice().await;
    let (id, options) = stage.begin().await;
    let answer = stage.hand.get(&options, ORIGIN).unwrap();
    stage.store.crash_before(Call::Write, 1);
    assert!(stage.finish(&id, &answer).await.is_err());
    stage.restart();
    assert_eq!(only_passkey(&stage).await.last_used_at, None);
    assert_eq!(stage.finish(&id, &answer).await, Err(GateError::NoSuchCeremony), "nor does it later");
    stage.approve().await.unwrap();
}

#[tokio::test]
async fn b29_nobody_hears_of_an_approval_before_it_is_written() {
    let mut stage = Stage::with_alice().await;
    let (id, options) = stage.begin().await;
    let answer = stage.hand.get(&options, ORIGIN).unwrap();
    let (gate, store) = (Arc::clone(&stage.gate), stage.store.clone());
    store.hold();
    let mut finish = tokio::spawn(async move { Stage::finish_at(&gate, &id, &answer).await });
    let (told, mut writing) = tokio::sync::oneshot::channel();
    let watched = store.clone();
    // A thread of its own: the runtime would wait for ever for one of its own that waits for a write that never comes.
    std::thread::spawn(move || {
        watched.until_held(1);
        let _ = told.send(());
    });
    tokio::select! {
        early = &mut finish => panic!("it is known before it is written: {early:?}"),
        _ = &mut writing => {}
    }
    assert!(!finish.is_finished());
    store.release();
    finish.await.unwrap().unwrap();
}

#[tokio::test]
async fn b29_a_passkey_that_cannot_be_written_is_not_enrolled() {
    let mut stage = Stage::empty();
    let (id, options) = stage.begin_enrolment("alice", "key").await.unwrap();
    let answer = stage.hand.create(&options, ORIGIN).unwrap();
    stage.store.fail(Call::Write, 1, gone());
    assert_eq!(stage.finish_enrolment(&id, &answer).await, Err(GateError::Store(gone())));
    assert_eq!(stage.gate.passkeys().await.unwrap(), []);
}

#[tokio::test]
async fn b29_twin_what_an_approval_leaves_is_in_the_store_when_it_is_known() {
    let mut stage = Stage::with_alice().await;
    stage.approve_badly(&counter(7)).await.unwrap();
    stage.restart();
    assert_eq!(only_passkey(&stage).await.last_used_at, Some(stage.clock.now()));
    assert_eq!(stage.gate.held.list().await.unwrap()[0].counter, 7);
    stage.approve_badly(&counter(8)).await.unwrap();
}
