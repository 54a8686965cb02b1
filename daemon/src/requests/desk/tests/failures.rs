//! Gestures that came to nothing, and grants that could not be made.

use super::*;

#[tokio::test]
async fn a_counter_that_went_back_alerts_and_suspends() {
    let (stage, mut alice) = Stage::with_alice().await;
    stage.gesture(&stage.page(&stage.ask(Task::TestPasskey { id: None })), &mut alice).await.unwrap();
    let token = stage.page(&stage.ask(Task::Elevate(Box::new(elevation("Admin", program(1))))));
    let copied = Faults { counter: Some(1), ..Faults::default() };
    refused(stage.gesture_badly(&token, &mut alice, &copied).await, "may have been copied");
    assert_eq!(stage.summaries(), ["A passkey may have been copied"]);
    assert!(stage.told.0.lock().unwrap()[0].body.contains("tegata passkey remove"));
    assert!(matches!(stage.begin(&token).await, Err(PageRefusal::Ceremony(_))), "it is suspended");
    assert_eq!((stage.summaries().len(), stage.grants.live().len()), (1, 0));
    assert!(stage.records().contains("may have been copied"));
}

#[tokio::test]
async fn b31_too_many_failures_alert_once_and_the_page_says_wait() {
    let (stage, mut alice) = Stage::with_alice().await;
    let token = stage.page(&stage.ask(Task::Elevate(Box::new(elevation("Admin", program(1))))));
    let forged = Faults { flip_signature: true, ..Faults::default() };
    for _ in 0..9 {
        refused(stage.gesture_badly(&token, &mut alice, &forged).await, "signature");
    }
    assert!(stage.summaries().is_empty());
    assert_eq!(stage.gesture_badly(&token, &mut alice, &forged).await, Err(PageRefusal::CoolDown));
    assert_eq!(stage.begin(&token).await, Err(PageRefusal::CoolDown));
    assert_eq!(stage.begin(&token).await, Err(PageRefusal::CoolDown));
    assert_eq!(stage.summaries(), ["Too many passkey gestures failed"]);
    stage.clock.advance(MINUTE);
    assert_eq!(stage.gesture(&token, &mut alice).await.unwrap().state, State::Approved);
}

#[tokio::test]
async fn a_grant_that_cannot_be_recorded_is_not_made() {
    let (stage, mut alice) = Stage::with_alice().await;
    let id = stage.park(1);
    let token = stage.page(&id);
    stage.break_audit();
    let answer = stage.gesture(&token, &mut alice).await;
    assert!(matches!(answer, Err(PageRefusal::Unavailable(_))), "{answer:?}");
    assert!(stage.grants.live().is_empty() && stage.followed.grants.lock().unwrap().is_empty());
    assert_eq!((stage.state(&id), stage.desk.entry(&id).unwrap().grant), (State::Expired, None));
    assert!(
        matches!(soon(stage.desk.ended(&id)).await.unwrap().state, State::Expired),
        "who waits hears that it came to nothing"
    );
}

#[tokio::test]
async fn a_grant_whose_review_cannot_be_kept_is_not_made() {
    let (stage, mut alice) = Stage::with_alice().await;
    let id = stage.park(1);
    *stage.followed.fails.lock().unwrap() = Some("no review".to_owned());
    let answer = stage.gesture(&stage.page(&id), &mut alice).await;
    assert_eq!(answer, Err(PageRefusal::Unavailable("no review".to_owned())));
    assert!(stage.grants.live().is_empty() && stage.desk.entry(&id).unwrap().grant.is_none());
    assert_eq!(stage.state(&id), State::Expired);
}

#[tokio::test]
async fn what_was_approved_and_could_not_be_done_is_over() {
    let (stage, mut alice) = Stage::with_alice().await;
    *stage.followed.fails.lock().unwrap() = Some("the keyring is locked".to_owned());
    let id = stage.ask(Task::Unlock);
    let answer = stage.gesture(&stage.page(&id), &mut alice).await;
    assert_eq!(answer, Err(PageRefusal::Unavailable("the keyring is locked".to_owned())));
    assert_eq!(stage.state(&id), State::Expired);
}

#[tokio::test]
async fn a_page_that_began_nothing_finishes_nothing() {
    let (stage, mut alice) = Stage::with_alice().await;
    let token = stage.page(&stage.park(1));
    let options = stage.begin(&token).await.unwrap();
    let answer = alice.get(&options, ORIGIN).unwrap();
    let forged = Faults { flip_signature: true, ..Faults::default() };
    let bad = alice.get_with(&options, ORIGIN, &forged).unwrap();
    refused(stage.finish(&token, &bad).await, "signature");
    refused(stage.finish(&token, &answer).await, "too late or was used");
    assert!(stage.grants.live().is_empty() && stage.records().contains("signature"));
}
