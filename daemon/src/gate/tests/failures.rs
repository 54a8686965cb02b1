//! Ten failures in a minute.

use super::super::{Fault, GateError};
use super::stage::{Stage, anybody, origin, request};
use crate::store::StoreError;
use crate::store::testing::Call;
use std::time::Duration;
use tegata_authenticator::Faults;

fn forged() -> Faults {
    Faults { flip_signature: true, ..Faults::default() }
}

async fn fail(stage: &mut Stage, times: usize) {
    for _ in 0..times {
        assert_eq!(stage.approve_badly(&forged()).await, Err(GateError::Refused(Fault::Signature)));
    }
}

fn cool_down(left: u64, began: bool) -> GateError {
    GateError::CoolDown { left: Duration::from_secs(left), began }
}

#[tokio::test]
async fn b31_ten_failures_in_a_minute_shut_the_gate_for_a_minute() {
    let mut stage = Stage::with_alice().await;
    let (open, options) = stage.begin().await;
    let good = stage.hand.get(&options, super::stage::ORIGIN).unwrap();
    fail(&mut stage, 9).await;
    stage.clock.advance(Duration::from_secs(59));
    assert_eq!(stage.approve_badly(&forged()).await, Err(cool_down(60, true)), "said once, for the notification");
    let begun = stage.gate.begin_approval(&origin(), &request(1), &anybody()).await;
    assert_eq!(begun.unwrap_err(), cool_down(60, false));
    assert_eq!(stage.begin_enrolment("bob", "bobs").await.unwrap_err(), cool_down(60, false));
    stage.clock.advance(Duration::from_secs(59));
    assert_eq!(stage.finish(&open, &good).await, Err(cool_down(1, false)), "nor does a ceremony under way end well");
}

#[tokio::test]
async fn b31_an_answer_in_a_cool_down_uses_its_ceremony_up() {
    let mut stage = Stage::with_alice().await;
    let (open, options) = stage.begin().await;
    let good = stage.hand.get(&options, super::stage::ORIGIN).unwrap();
    fail(&mut stage, 9).await;
    assert!(stage.approve_badly(&forged()).await.is_err());
    assert!(matches!(stage.finish(&open, &good).await, Err(GateError::CoolDown { .. })));
    stage.clock.advance(Duration::from_secs(60));
    assert_eq!(stage.finish(&open, &good).await, Err(GateError::NoSuchCeremony));
}

#[tokio::test]
async fn b31_answers_to_no_ceremony_count() {
    let mut stage = Stage::with_alice().await;
    let (used, _) = stage.begin().await;
    for _ in 0..9 {
        assert!(stage.finish_with(&used, b"{}").await.is_err());
    }
    assert_eq!(stage.approve_badly(&forged()).await, Err(cool_down(60, true)));
}

#[tokio::test]
async fn b31_failed_enrolments_count() {
    let mut stage = Stage::with_alice().await;
    fail(&mut stage, 9).await;
    let unverified = Faults { user_verified: Some(false), ..Faults::default() };
    let mut device = tegata_authenticator::Authenticator::new();
    std::mem::swap(&mut stage.hand, &mut device);
    assert_eq!(stage.enrol_badly(&unverified).await, Err(cool_down(60, true)));
}

#[tokio::test]
async fn b31_an_alert_is_not_lost_in_a_cool_down() {
    let mut stage = Stage::with_alice().await;
    stage.approve().await.unwrap();
    fail(&mut stage, 9).await;
    let refused = stage.approve_badly(&Faults { counter: Some(1), ..Faults::default() }).await;
    assert!(matches!(refused, Err(GateError::CounterWentBack { .. })), "{refused:?}");
    let begun = stage.gate.begin_approval(&origin(), &request(1), &anybody()).await;
    assert_eq!(begun.unwrap_err(), cool_down(60, true));
}

#[tokio::test]
async fn b31_twin_the_gate_opens_again_after_a_minute() {
    let mut stage = Stage::with_alice().await;
    fail(&mut stage, 9).await;
    assert!(stage.approve_badly(&forged()).await.is_err());
    stage.clock.advance(Duration::from_secs(60));
    fail(&mut stage, 9).await;
    stage.approve().await.unwrap();
}

#[tokio::test]
async fn b31_twin_failures_far_apart_shut_nothing() {
    let mut stage = Stage::with_alice().await;
    fail(&mut stage, 5).await;
    stage.clock.advance(Duration::from_secs(60));
    fail(&mut stage, 9).await;
    stage.approve().await.unwrap();
}

#[tokio::test]
async fn b31_twin_a_store_that_fails_is_nobodys_attempt() {
    let mut stage = Stage::with_alice().await;
    for _ in 0..12 {
        stage.store.fail(Call::Write, 1, StoreError::Locked);
        assert_eq!(stage.approve().await, Err(GateError::Store(StoreError::Locked)));
    }
    stage.approve().await.unwrap();
}

#[test]
fn b31_texts_are_one_line_with_what_mends_it() {
    let text = cool_down(60, true).to_string();
    assert_eq!(text, "too many gestures failed; wait 60 seconds and run the command again");
    assert!(cool_down(0, true).to_string().contains("1 seconds"));
}
