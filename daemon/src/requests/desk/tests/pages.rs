//! A page, its secrets, and what its gesture is for.

use super::*;

#[tokio::test]
async fn b19_a_request_that_changed_after_the_page_showed_it_takes_another_gesture() {
    let (stage, mut alice) = Stage::with_alice().await;
    let id = stage.park(1);
    let token = stage.page(&id);
    let answer = alice.get(&stage.begin(&token).await.unwrap(), ORIGIN).unwrap();
    stage.desk.give_reason(&id, "INC-42");
    refused(stage.finish(&token, &answer).await, "another request");
    let answer = alice.get(&stage.begin(&token).await.unwrap(), ORIGIN).unwrap();
    let longer = Elevation { window: 12 * 60 * MINUTE, ..elevation("Admin", program(1)) };
    assert_eq!(stage.ask(Task::Elevate(Box::new(longer))), id);
    refused(stage.finish(&token, &answer).await, "another request");
    assert!(stage.grants.live().is_empty() && stage.followed.grants.lock().unwrap().is_empty());
}

#[tokio::test]
async fn b19_twin_a_request_that_stayed_as_it_was_shown_is_approved() {
    let (stage, mut alice) = Stage::with_alice().await;
    let id = stage.park(1);
    stage.desk.give_reason(&id, "INC-42");
    let token = stage.page(&id);
    let answer = alice.get(&stage.begin(&token).await.unwrap(), ORIGIN).unwrap();
    stage.park(2);
    assert_eq!(stage.finish(&token, &answer).await.unwrap().state, State::Approved);
    assert_eq!(stage.grants.live()[0].approved.reason.as_deref(), Some("INC-42"));
}

#[tokio::test]
async fn b20_a_gesture_of_one_page_is_none_of_another() {
    let (stage, mut alice) = Stage::with_alice().await;
    let (mine, other) = (stage.park(1), stage.park(2));
    let (token, same, others) = (stage.page(&mine), stage.page(&mine), stage.page(&other));
    for stranger in [&same, &others] {
        let answer = alice.get(&stage.begin(&token).await.unwrap(), ORIGIN).unwrap();
        refused(stage.finish(stranger, &answer).await, "too late or was used");
        stage.begin(stranger).await.unwrap();
        refused(stage.finish(stranger, &answer).await, "another question");
    }
    let answer = alice.get(&stage.begin(&token).await.unwrap(), ORIGIN).unwrap();
    let elsewhere = Url::parse("http://tegata.localhost:7102").unwrap();
    let answered = stage.desk.finish(&token, &elsewhere, answer.to_string().as_bytes()).await;
    refused(answered, "another request");
    assert!(stage.grants.live().is_empty());
    assert_eq!((stage.state(&mine), stage.state(&other)), (State::AwaitsGesture, State::AwaitsGesture));
}

#[tokio::test]
async fn b20_twin_a_gesture_is_for_the_page_it_was_made_on_and_once() {
    let (stage, mut alice) = Stage::with_alice().await;
    let (mine, other) = (stage.park(1), stage.park(2));
    let (token, others) = (stage.page(&mine), stage.page(&other));
    stage.begin(&others).await.unwrap();
    let answer = alice.get(&stage.begin(&token).await.unwrap(), ORIGIN).unwrap();
    assert_eq!(stage.finish(&token, &answer).await.unwrap().state, State::Approved);
    assert_eq!(stage.finish(&token, &answer).await, Err(PageRefusal::NotYours));
    assert_eq!((stage.grants.live().len(), stage.state(&other)), (1, State::AwaitsGesture));
}

#[tokio::test]
async fn b27_no_page_is_opened_without_the_secret_of_its_url() {
    let (stage, _) = Stage::with_alice().await;
    let id = stage.park(1);
    let secret = stage.desk.make_page(&id).unwrap();
    for guess in ["", &id, "AAAA", &secret.expose_secret()[1..], &secret.expose_secret().to_lowercase()] {
        assert_eq!(stage.desk.open(guess).err(), Some(PageRefusal::NotYours), "{guess}");
    }
    let (token, _) = stage.desk.open(secret.expose_secret()).unwrap();
    assert_eq!(stage.desk.open(secret.expose_secret()).err(), Some(PageRefusal::NotYours), "it was used");
    assert_eq!(stage.desk.open(token.expose_secret()).err(), Some(PageRefusal::NotYours), "a token opens nothing");
    assert!(stage.desk.make_page("none").is_none());
}

#[tokio::test]
async fn b27_twin_the_secret_opens_the_page_of_its_request() {
    let (stage, _) = Stage::with_alice().await;
    let id = stage.park(1);
    let secret = stage.desk.make_page(&id).unwrap();
    let (token, view) = stage.desk.open(secret.expose_secret()).unwrap();
    assert_eq!((&view.id, &view.code), (&id, &stage.desk.entry(&id).unwrap().code));
    assert_eq!(stage.desk.view(token.expose_secret()).unwrap().id, id);
}

#[tokio::test]
async fn c11_without_a_page_token_nothing_is_said_or_done() {
    let (stage, mut alice) = Stage::with_alice().await;
    let id = stage.park(1);
    let secret = stage.desk.make_page(&id).unwrap();
    let token = stage.page(&id);
    assert!(secret.expose_secret().len() * 6 >= 128 && token.len() * 6 >= 128, "at least 128 bits each");
    let answer = alice.get(&stage.begin(&token).await.unwrap(), ORIGIN).unwrap();
    for stranger in ["", &id, secret.expose_secret(), &token[1..], &format!("{token} ")] {
        assert_eq!(stage.desk.view(stranger), Err(PageRefusal::NotYours));
        assert_eq!(stage.begin(stranger).await, Err(PageRefusal::NotYours));
        assert_eq!(stage.finish(stranger, &answer).await, Err(PageRefusal::NotYours));
        assert_eq!(stage.desk.refuse(stranger).await, Err(PageRefusal::NotYours));
    }
    assert_eq!(stage.state(&id), State::AwaitsGesture);
}

#[tokio::test]
async fn c11_a_token_dies_with_its_request() {
    let (stage, mut alice) = Stage::with_alice().await;
    let id = stage.park(1);
    let (token, other) = (stage.page(&id), stage.page(&id));
    stage.gesture(&token, &mut alice).await.unwrap();
    assert_eq!(stage.desk.view(&token), Err(PageRefusal::NotYours), "it has shown its end");
    assert_eq!(stage.begin(&other).await, Err(PageRefusal::NotYours));
    assert_eq!(stage.desk.view(&other).unwrap().state, State::Approved, "the other page shows the end once");
    assert_eq!(stage.desk.view(&other), Err(PageRefusal::NotYours));
    assert!(!stage.desk.has_pages());
}

#[tokio::test]
async fn c11_twin_a_token_is_good_for_its_own_request() {
    let (stage, mut alice) = Stage::with_alice().await;
    let (one, two) = (stage.park(1), stage.park(2));
    let (first, second) = (stage.page(&one), stage.page(&two));
    assert_ne!(first, second);
    assert_eq!((stage.desk.view(&first).unwrap().id, stage.desk.view(&second).unwrap().id), (one.clone(), two.clone()));
    stage.desk.refuse(&first).await.unwrap();
    assert_eq!((stage.state(&one), stage.state(&two)), (State::Refused, State::AwaitsGesture));
    stage.gesture(&second, &mut alice).await.unwrap();
}
