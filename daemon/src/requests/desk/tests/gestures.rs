//! From a request over a hand to what follows.

use super::*;
use crate::policy::terms::Approvals;
use crate::requests::testing::chain;

fn by_two() -> Elevation {
    let mut elevation = elevation("Admin", program(1));
    elevation.terms.approvals = Approvals::Two;
    elevation
}

#[tokio::test]
async fn a_gesture_makes_the_grant_that_was_asked_for() {
    let (stage, mut alice) = Stage::with_alice().await;
    let asked = Elevation { reason: Some("INC-42".to_owned()), window: 5 * MINUTE, ..elevation("Admin", program(1)) };
    let id = stage.ask(Task::Elevate(Box::new(asked)));
    let view = stage.gesture(&stage.page(&id), &mut alice).await.unwrap();
    let grant = stage.grants.find(&chain("Admin"), &caller(1)).unwrap();
    assert_eq!((view.state, view.grant.as_deref()), (State::Approved, Some(grant.id.as_str())));
    assert_eq!((grant.until - grant.since.boot(), grant.approved.reason.as_deref()), (5 * MINUTE, Some("INC-42")));
    assert_eq!((&grant.approved.holder, &grant.approved.approved_by[..]), (&program(1), &["alice".to_owned()][..]));
    assert_eq!(*stage.followed.grants.lock().unwrap(), [grant.id.to_string()]);
    assert!(stage.records().contains(grant.id.as_str()) && stage.records().contains("INC-42"));
    assert!(stage.summaries().is_empty() && stage.tasks().is_empty(), "who asks for his own hand is told nothing");
    assert!(stage.desk.waiting().is_empty() && !stage.desk.has_pages());
}

#[tokio::test]
async fn whoever_waits_hears_of_it() {
    let (stage, mut alice) = Stage::with_alice().await;
    let id = stage.park(1);
    let token = stage.page(&id);
    let gesture = async { stage.gesture(&token, &mut alice).await.unwrap() };
    let all = async { tokio::join!(stage.desk.stands(&id, 60 * MINUTE), stage.desk.ended(&id), gesture) };
    let (stands, ended, _) = soon(all).await;
    assert_eq!((stands.unwrap().state, ended.unwrap().state), (State::Approved, State::Approved));
    assert_eq!(stage.desk.stands(&stage.park(2), Duration::ZERO).await.unwrap().state, State::AwaitsGesture);
    assert!(stage.desk.ended("none").await.is_none() && stage.desk.stands("none", MINUTE).await.is_none());
}

#[tokio::test]
async fn a_tool_tells_the_human_once() {
    let (stage, _) = Stage::with_alice().await;
    let id = stage.park(1);
    assert_eq!(stage.park(1), id);
    let entry = stage.desk.entry(&id).unwrap();
    let told = stage.told.0.lock().unwrap().clone();
    assert_eq!(told.len(), 1);
    assert_eq!(told[0].summary, "Approve admin? (123456789012 Admin)");
    assert_eq!(told[0].body, format!("aws (pid 1) asks. Code: {}. Run: tegata approve {id}", entry.code));
    assert_eq!((entry.requester.len(), entry.requester[5].as_str()), (6, "aws (pid 6)"));
    assert_eq!(stage.desk.waiting().iter().map(|view| view.id.clone()).collect::<Vec<_>>(), [id]);
}

#[tokio::test]
async fn b20_two_approvals_take_two_people() {
    let (stage, mut alice) = Stage::with_alice().await;
    let mut second = stage.enrol(Authenticator::new(), "alice", "second").await;
    let mut bob = stage.enrol(Authenticator::new(), "bob", "bobs").await;
    let id = stage.ask(Task::Elevate(Box::new(by_two())));
    let (token, other) = (stage.page(&id), stage.page(&id));
    let overtaken = stage.begin(&other).await.unwrap();
    let view = stage.gesture(&token, &mut alice).await.unwrap();
    assert_eq!((view.state, view.approvals_given), (State::AwaitsGesture, vec!["alice".to_owned()]));
    assert!(stage.grants.live().is_empty());
    // Begun beside the first one, with her other passkey; then outside what the page may ask for.
    refused(stage.finish(&other, &second.get(&overtaken, ORIGIN).unwrap()).await, "another request");
    let options = stage.begin(&other).await.unwrap();
    assert!(alice.get(&options, ORIGIN).is_err() && second.get(&options, ORIGIN).is_err());
    let uses = Faults { uses: second.credential_ids().pop(), ..Faults::default() };
    refused(stage.finish(&other, &second.get_with(&options, ORIGIN, &uses).unwrap()).await, "may not approve");
    assert!(stage.grants.live().is_empty());
    let view = stage.gesture(&token, &mut bob).await.unwrap();
    assert_eq!((view.state, view.approvals_given.len()), (State::Approved, 2));
    assert_eq!(stage.grants.live()[0].approved.approved_by, ["alice", "bob"]);
}

#[tokio::test]
async fn nobody_approves_alone_what_takes_two() {
    let (stage, mut alice) = Stage::with_alice().await;
    let token = stage.page(&stage.ask(Task::Elevate(Box::new(by_two()))));
    stage.gesture(&token, &mut alice).await.unwrap();
    let begun = stage.begin(&token).await.unwrap_err();
    assert!(begun.to_string().contains("none of the enrolled passkeys may approve this"), "{begun}");
}

#[tokio::test]
async fn what_takes_a_device_takes_no_synced_passkey() {
    let stage = Stage::empty();
    let mut phone = stage.enrol(Authenticator::synced(), "alice", "phone").await;
    let mut strict = elevation("Admin", program(1));
    strict.terms.device_bound = true;
    let token = stage.page(&stage.ask(Task::Elevate(Box::new(strict))));
    assert!(matches!(stage.begin(&token).await, Err(PageRefusal::Ceremony(_))));
    stage.gesture(&stage.page(&stage.park(2)), &mut phone).await.unwrap();
}

#[tokio::test]
async fn k10_who_says_no_on_the_page_is_not_asked_again() {
    let (stage, mut alice) = Stage::with_alice().await;
    let id = stage.park(1);
    let (token, unopened) = (stage.page(&id), stage.desk.make_page(&id).unwrap());
    let options = stage.begin(&token).await.unwrap();
    assert_eq!(stage.desk.refuse(&token).await.unwrap().state, State::Refused);
    let answer = alice.get(&options, ORIGIN).unwrap();
    assert_eq!(stage.finish(&token, &answer).await, Err(PageRefusal::NotYours));
    assert_eq!(stage.desk.open(unopened.expose_secret()).err(), Some(PageRefusal::NotYours));
    assert_eq!(stage.desk.park(&caller(1), elevation("Admin", program(1))), Err(NoRequest::Refused));
    assert!(!stage.desk.say_no(&id) && stage.grants.live().is_empty() && stage.records().contains("refused"));
    assert_eq!(stage.summaries().len(), 1, "of the request, and not again");
}

#[tokio::test]
async fn k10_twin_a_person_may_ask_after_saying_no() {
    let (stage, mut alice) = Stage::with_alice().await;
    assert!(stage.desk.say_no(&stage.park(1)));
    let id = stage.ask(Task::Elevate(Box::new(elevation("Admin", program(1)))));
    stage.gesture(&stage.page(&id), &mut alice).await.unwrap();
    assert!(stage.desk.park(&caller(2), elevation("Admin", program(1))).is_ok(), "an approval clears the way");
}

#[tokio::test]
async fn a_request_that_nobody_came_for_is_over() {
    let (stage, mut alice) = Stage::with_alice().await;
    let id = stage.park(1);
    let token = stage.page(&id);
    stage.clock.advance(4 * MINUTE);
    let answer = alice.get(&stage.begin(&token).await.unwrap(), ORIGIN).unwrap();
    stage.clock.advance(MINUTE);
    assert_eq!(stage.finish(&token, &answer).await, Err(PageRefusal::NotYours));
    assert_eq!(stage.begin(&token).await, Err(PageRefusal::NotYours));
    assert!(stage.desk.make_page(&id).is_none() && stage.grants.live().is_empty());
    assert_eq!(stage.desk.view(&token).unwrap().state, State::Expired, "the open page says so");
    let waiting = stage.desk.ended(&id);
    stage.desk.sweep();
    assert_eq!(soon(waiting).await.unwrap().state, State::Expired);
}

#[tokio::test]
async fn policy_and_lock_follow_a_gesture() {
    let (stage, mut alice) = Stage::with_alice().await;
    let accept = stage.ask(Task::AcceptPolicy { weaker: vec!["rule prod is gone".to_owned()] });
    let view = stage.gesture(&stage.page(&accept), &mut alice).await.unwrap();
    assert_eq!((view.state, view.changes), (State::Approved, vec!["rule prod is gone".to_owned()]));
    let unlock = stage.ask(Task::Unlock);
    assert_eq!(stage.gesture(&stage.page(&unlock), &mut alice).await.unwrap().state, State::Approved);
    assert_eq!(stage.tasks(), [Purpose::AcceptPolicy, Purpose::Unlock]);
    assert!(stage.grants.live().is_empty());
}

#[tokio::test]
async fn what_ends_everything_while_a_grant_is_made_is_why_that_grant_ended() {
    let (stage, mut alice) = Stage::with_alice().await;
    stage.followed.end_all_meanwhile(&stage.desk, GrantEnd::PasskeysForgotten);
    let token = stage.page(&stage.park(1));
    let ended = PageRefusal::Unavailable("everything that waited was ended meanwhile".to_owned());
    assert_eq!(stage.gesture(&token, &mut alice).await, Err(ended));
    assert!(stage.grants.live().is_empty() && stage.records().contains("\"why\":\"passkeys_forgotten\""));
}

#[tokio::test]
async fn a_lock_ends_everything_that_waits() {
    let (stage, mut alice) = Stage::with_alice().await;
    let id = stage.park(1);
    let token = stage.page(&id);
    let answer = alice.get(&stage.begin(&token).await.unwrap(), ORIGIN).unwrap();
    let ended = stage.desk.ended(&id);
    stage.desk.end_all(GrantEnd::Locked);
    assert_eq!(stage.finish(&token, &answer).await, Err(PageRefusal::NotYours));
    assert_eq!(soon(ended).await.unwrap().state, State::Expired);
    assert!(!stage.desk.has_pages() && stage.desk.waiting().is_empty() && stage.grants.live().is_empty());
}
