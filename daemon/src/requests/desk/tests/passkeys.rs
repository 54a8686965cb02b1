//! Passkeys that come and go.

use super::*;

#[tokio::test]
async fn the_first_passkey_is_made_without_a_gesture() {
    let stage = Stage::empty();
    let id = stage.ask(adding("alice", "key", false));
    assert_eq!(stage.state(&id), State::AwaitsEnrolment);
    let token = stage.page(&id);
    let options = stage.begin(&token).await.unwrap();
    assert_eq!(options["publicKey"]["user"]["name"], "alice");
    let answer = Authenticator::new().create(&options, ORIGIN).unwrap();
    let view = stage.finish(&token, &answer).await.unwrap();
    assert_eq!(
        (view.state, view.person.as_deref(), view.changes),
        (State::Approved, Some("alice"), vec!["key".to_owned()])
    );
    assert_eq!((stage.gate.passkeys().await.unwrap().len(), stage.tasks()), (1, vec![Purpose::AddPasskey]));
}

#[tokio::test]
async fn b26_another_passkey_is_not_made_before_a_gesture() {
    let (stage, mut alice) = Stage::with_alice().await;
    let token = stage.page(&stage.ask(adding("mallory", "hers", true)));
    let mut mallorys = Authenticator::new();
    let options = stage.begin(&token).await.unwrap();
    assert!(options["publicKey"]["user"].is_null(), "a gesture is asked for");
    assert!(mallorys.create(&options, ORIGIN).is_err() && mallorys.get(&options, ORIGIN).is_err());
    // A passkey made for the question that was asked is no gesture.
    let own = Stage::empty();
    let own_token = own.page(&own.ask(adding("mallory", "hers", false)));
    let made = mallorys.create(&own.begin(&own_token).await.unwrap(), ORIGIN).unwrap();
    assert!(matches!(stage.finish(&token, &made).await, Err(PageRefusal::Ceremony(_))));
    assert_eq!(stage.gate.passkeys().await.unwrap().len(), 1);
    assert!(stage.tasks().is_empty());
    // Nor does the answer to a gesture that came before the enrolment's options enrol anything.
    let early = stage.begin(&token).await.unwrap();
    let answer = alice.get(&early, ORIGIN).unwrap();
    assert_eq!(stage.finish(&token, &answer).await.unwrap().state, State::AwaitsEnrolment);
    assert!(matches!(stage.finish(&token, &answer).await, Err(PageRefusal::Ceremony(_))));
    assert_eq!(stage.gate.passkeys().await.unwrap().len(), 1);
}

#[tokio::test]
async fn b26_twin_after_the_gesture_another_passkey_is_made() {
    let (stage, mut alice) = Stage::with_alice().await;
    let id = stage.ask(adding("bob", "bobs", true));
    let token = stage.page(&id);
    assert_eq!(stage.gesture(&token, &mut alice).await.unwrap().state, State::AwaitsEnrolment);
    assert!(stage.tasks().is_empty(), "nothing has followed yet");
    let mut bob = Authenticator::new();
    let options = stage.begin(&token).await.unwrap();
    assert!(alice.create(&options, ORIGIN).is_err(), "the device of alice is excluded");
    let answer = bob.create(&options, ORIGIN).unwrap();
    assert_eq!(stage.finish(&token, &answer).await.unwrap().state, State::Approved);
    assert_eq!(stage.tasks(), [Purpose::AddPasskey]);
    stage.gesture(&stage.page(&stage.park(1)), &mut bob).await.unwrap();
    assert_eq!(stage.grants.live()[0].approved.approved_by, ["bob"]);
}

#[tokio::test]
async fn a_removal_takes_a_gesture() {
    let (stage, mut alice) = Stage::with_alice().await;
    let passkey = stage.gate.passkeys().await.unwrap().remove(0);
    let remove = Task::RemovePasskey { id: passkey.id, person: passkey.person, name: passkey.name };
    let token = stage.page(&stage.ask(remove));
    let forged = Faults { flip_signature: true, ..Faults::default() };
    refused(stage.gesture_badly(&token, &mut alice, &forged).await, "signature");
    assert!(stage.tasks().is_empty());
    let view = stage.gesture(&token, &mut alice).await.unwrap();
    assert_eq!((view.state, view.changes), (State::Approved, vec!["key".to_owned()]));
    assert_eq!(stage.tasks(), [Purpose::RemovePasskey]);
}

#[tokio::test]
async fn a_test_is_of_the_passkey_that_was_named() {
    let (stage, mut alice) = Stage::with_alice().await;
    let mut bob = stage.enrol(Authenticator::new(), "bob", "bobs").await;
    let bobs = stage.gate.passkeys().await.unwrap().remove(1).id;
    let token = stage.page(&stage.ask(Task::TestPasskey { id: Some(bobs) }));
    assert!(alice.get(&stage.begin(&token).await.unwrap(), ORIGIN).is_err());
    assert_eq!(stage.gesture(&token, &mut bob).await.unwrap().state, State::Approved);
    let any = stage.page(&stage.ask(Task::TestPasskey { id: None }));
    assert_eq!(stage.gesture(&any, &mut alice).await.unwrap().state, State::Approved);
}

#[tokio::test]
async fn without_a_passkey_nobody_approves() {
    let stage = Stage::empty();
    let begun = stage.begin(&stage.page(&stage.park(1))).await.unwrap_err();
    assert!(begun.to_string().contains("tegata passkey add"), "{begun}");
}
