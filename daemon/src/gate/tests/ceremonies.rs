//! Which ceremony an answer may end: one, once, in time, on its own page, for its own request.

use super::super::relying_party;
use super::super::{Fault, GateError, MAX_OPEN, TIME_LIMIT, Who};
use super::stage::{ORIGIN, Stage, anybody, origin, request};
use crate::clock::from_unix_seconds;
use serde_json::json;
use std::sync::Arc;
use std::time::Duration;
use tegata_authenticator::Faults;
use url::Url;

#[tokio::test]
async fn an_enrolled_passkey_approves_in_this_life_of_the_daemon_and_the_next() {
    let mut stage = Stage::with_alice().await;
    let first = stage.approve().await.unwrap();
    assert_eq!(first.person.as_str(), "alice");
    stage.restart();
    assert_eq!(stage.approve().await.unwrap(), first);
}

#[tokio::test]
async fn b9_an_answer_opens_once() {
    let mut stage = Stage::with_alice().await;
    let (id, options) = stage.begin().await;
    let answer = stage.hand.get(&options, ORIGIN).unwrap();
    stage.finish(&id, &answer).await.unwrap();
    assert_eq!(stage.finish(&id, &answer).await, Err(GateError::NoSuchCeremony));
}

#[tokio::test]
async fn b9_a_refused_answer_ends_its_ceremony() {
    let mut stage = Stage::with_alice().await;
    let (id, options) = stage.begin().await;
    let bad = stage.hand.get_with(&options, ORIGIN, &Faults { flip_signature: true, ..Faults::default() }).unwrap();
    let good = stage.hand.get(&options, ORIGIN).unwrap();
    assert_eq!(stage.finish(&id, &bad).await, Err(GateError::Refused(Fault::Signature)));
    assert_eq!(stage.finish(&id, &good).await, Err(GateError::NoSuchCeremony));
}

#[tokio::test]
async fn b9_a_passkey_is_made_once() {
    let mut stage = Stage::empty();
    let (id, options) = stage.begin_enrolment("alice", "key").await.unwrap();
    let answer = stage.hand.create(&options, ORIGIN).unwrap();
    stage.finish_enrolment(&id, &answer).await.unwrap();
    assert_eq!(stage.finish_enrolment(&id, &answer).await, Err(GateError::NoSuchCeremony));
}

#[test]
fn b9_of_fifty_threads_with_one_answer_exactly_one_gets_through() {
    // A passkey without counter: nothing but the table keeps a second answer out.
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let mut stage = runtime.block_on(Stage::with_alices_phone());
    let (id, options) = runtime.block_on(stage.begin());
    let answer = stage.hand.get(&options, ORIGIN).unwrap().to_string();
    let start = std::sync::Barrier::new(50);
    let opened = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..50)
            .map(|_| {
                scope.spawn(|| {
                    start.wait();
                    runtime.block_on(stage.finish_with(&id, answer.as_bytes())).is_ok()
                })
            })
            .collect();
        threads.into_iter().filter_map(|thread| thread.join().ok()).filter(|opened| *opened).count()
    });
    assert_eq!(opened, 1);
}

#[tokio::test]
async fn b9_twin_each_ceremony_opens() {
    let mut stage = Stage::with_alice().await;
    for _ in 0..3 {
        stage.approve().await.unwrap();
    }
}

#[tokio::test]
async fn b10_a_ceremony_ends_after_two_minutes_of_boot_time() {
    let mut stage = Stage::with_alice().await;
    let (id, options) = stage.begin().await;
    let answer = stage.hand.get(&options, ORIGIN).unwrap();
    stage.clock.advance(TIME_LIMIT + Duration::from_millis(1));
    // Setting the clock back brings nothing back.
    stage.clock.jump_to(from_unix_seconds(0));
    assert_eq!(stage.finish(&id, &answer).await, Err(GateError::NoSuchCeremony));
    assert_eq!(TIME_LIMIT, Duration::from_secs(120));
}

#[tokio::test]
async fn b10_an_enrolment_ends_after_two_minutes() {
    let mut stage = Stage::empty();
    let (id, options) = stage.begin_enrolment("alice", "key").await.unwrap();
    let answer = stage.hand.create(&options, ORIGIN).unwrap();
    stage.clock.advance(Duration::from_secs(121));
    assert_eq!(stage.finish_enrolment(&id, &answer).await, Err(GateError::NoSuchCeremony));
}

#[tokio::test]
async fn b10_twin_a_ceremony_of_exactly_two_minutes_opens_whatever_the_wall_clock_says() {
    let mut stage = Stage::with_alice().await;
    let (id, options) = stage.begin().await;
    let answer = stage.hand.get(&options, ORIGIN).unwrap();
    stage.clock.advance(TIME_LIMIT);
    stage.clock.jump_to(from_unix_seconds(4_000_000_000));
    stage.finish(&id, &answer).await.unwrap();
}

#[tokio::test]
async fn j3_no_step_of_the_wall_clock_prolongs_an_open_challenge() {
    for wall in [0, 1_795_000_000 - 86_400, 1_795_000_000 + 3600, 4_294_967_295] {
        let mut stage = Stage::with_alice().await;
        let (id, options) = stage.begin().await;
        let answer = stage.hand.get(&options, ORIGIN).unwrap();
        stage.clock.jump_to(from_unix_seconds(wall));
        stage.clock.advance(TIME_LIMIT + Duration::from_millis(1));
        stage.clock.jump_to(from_unix_seconds(wall));
        assert_eq!(stage.finish(&id, &answer).await, Err(GateError::NoSuchCeremony), "open at {wall}");
    }
}

#[tokio::test]
async fn j3_twin_no_step_of_the_wall_clock_closes_an_open_challenge() {
    for wall in [0, 1_795_000_000 - 1, 1_795_000_000 + 1, 4_294_967_295] {
        let mut stage = Stage::with_alice().await;
        let (id, options) = stage.begin().await;
        let answer = stage.hand.get(&options, ORIGIN).unwrap();
        stage.clock.jump_to(from_unix_seconds(wall));
        assert!(stage.finish(&id, &answer).await.is_ok(), "closed at {wall}");
    }
}

#[tokio::test]
async fn b19_a_gesture_for_one_request_does_not_open_another() {
    let mut stage = Stage::with_alice().await;
    let (id, options) = stage.begin().await;
    let answer = stage.hand.get(&options, ORIGIN).unwrap().to_string();
    let other = stage.gate.finish_approval(&id, &origin(), &request(2), answer.as_bytes()).await;
    assert_eq!(other, Err(GateError::OtherRequest));
    let own = stage.gate.finish_approval(&id, &origin(), &request(1), answer.as_bytes()).await;
    assert_eq!(own, Err(GateError::NoSuchCeremony), "who tried it under another request has used it up");
    assert_eq!(format!("{:?}", request(1)), "Binding", "what it is for is told nowhere");
}

#[tokio::test]
async fn b19_an_enrolment_for_one_request_does_not_serve_another() {
    let mut stage = Stage::empty();
    let (id, options) = stage.begin_enrolment("alice", "key").await.unwrap();
    let answer = stage.hand.create(&options, ORIGIN).unwrap().to_string();
    let other = stage.gate.finish_enrolment(&id, &origin(), &request(9), answer.as_bytes()).await;
    assert_eq!(other, Err(GateError::OtherRequest));
}

#[tokio::test]
async fn b19_twin_two_requests_side_by_side_are_each_opened_by_their_own_gesture() {
    let mut stage = Stage::with_alice().await;
    for number in [1, 2] {
        let (id, options) = stage.gate.begin_approval(&origin(), &request(number), &anybody()).await.unwrap();
        let answer = stage.hand.get(&options, ORIGIN).unwrap().to_string();
        stage.gate.finish_approval(&id, &origin(), &request(number), answer.as_bytes()).await.unwrap();
    }
}

#[tokio::test]
async fn b20_a_ceremony_begun_on_one_page_does_not_end_on_another() {
    let mut stage = Stage::with_alice().await;
    for page in ["http://tegata.localhost:7102", "https://tegata.localhost:7101", "http://localhost:7101"] {
        let (id, options) = stage.begin().await;
        let answer = stage.hand.get(&options, ORIGIN).unwrap().to_string();
        let page = Url::parse(page).unwrap();
        let elsewhere = stage.gate.finish_approval(&id, &page, &request(1), answer.as_bytes()).await;
        assert_eq!(elsewhere, Err(GateError::OtherRequest), "{page}");
    }
}

#[tokio::test]
async fn b20_a_ceremony_of_one_kind_does_not_end_as_the_other() {
    let mut stage = Stage::with_alice().await;
    let (approval, options) = stage.begin().await;
    let answer = stage.hand.get(&options, ORIGIN).unwrap().to_string();
    let enrolled = stage.gate.finish_enrolment(&approval, &origin(), &request(1), answer.as_bytes()).await;
    assert_eq!(enrolled, Err(GateError::NoSuchCeremony));
    let (enrolment, _) = stage.begin_enrolment("bob", "bobs").await.unwrap();
    let approved = stage.gate.finish_approval(&enrolment, &origin(), &request(0), answer.as_bytes()).await;
    assert_eq!(approved, Err(GateError::NoSuchCeremony));
}

#[tokio::test]
async fn b20_twin_a_ceremony_ends_on_the_page_of_its_origin_however_that_is_written() {
    let mut stage = Stage::with_alice().await;
    let (id, options) = stage.begin().await;
    let answer = stage.hand.get(&options, ORIGIN).unwrap().to_string();
    let same = Url::parse("http://TEGATA.localhost:7101/").unwrap();
    stage.gate.finish_approval(&id, &same, &request(1), answer.as_bytes()).await.unwrap();
}

#[tokio::test]
async fn b30_the_browser_is_asked_for_a_gesture_and_nothing_softer() {
    let stage = Stage::with_alice().await;
    let (_, options) = stage.begin().await;
    assert_eq!(options.as_object().unwrap().keys().collect::<Vec<_>>(), ["publicKey"], "no `mediation`: no autofill");
    let asked = &options["publicKey"];
    assert_eq!(asked["userVerification"], "required");
    assert_eq!(asked["rpId"], "tegata.localhost");
    assert_eq!(asked["timeout"], 120_000);
    let ids = asked["allowCredentials"].as_array().unwrap();
    assert_eq!(ids.len(), 1, "an empty list would ask for any passkey of the site");
}

#[tokio::test]
async fn b30_a_new_passkey_is_not_asked_to_be_discoverable() {
    let stage = Stage::with_alice().await;
    let (_, options) = stage.begin_enrolment("bob", "bobs").await.unwrap();
    assert_eq!(options.as_object().unwrap().keys().collect::<Vec<_>>(), ["publicKey"]);
    let asked = &options["publicKey"];
    assert_eq!(asked["authenticatorSelection"]["residentKey"], "discouraged");
    assert_eq!(asked["authenticatorSelection"]["requireResidentKey"], json!(false));
    assert_eq!(asked["authenticatorSelection"]["userVerification"], "required");
    assert_eq!(asked["rp"], json!({"id": "tegata.localhost", "name": "Tegata"}));
    assert_eq!(asked["attestation"], "none");
    assert_eq!(asked["timeout"], 120_000);
    assert_eq!(asked["user"]["name"], "bob");
    assert_eq!(asked["excludeCredentials"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn b30_twin_the_options_are_ones_that_a_device_answers() {
    let mut stage = Stage::with_alice().await;
    let (id, options) = stage.gate.begin_approval(&origin(), &request(1), &Who::default()).await.unwrap();
    let answer = stage.hand.get(&options, ORIGIN).unwrap();
    stage.finish(&id, &answer).await.unwrap();
}

/// The verifier by itself, without the gate's own look at the origin.
#[tokio::test]
async fn b32_the_verifier_takes_no_other_port_and_no_subdomain() {
    let mut stage = Stage::with_alice().await;
    let passkeys = stage.gate.held.list().await.unwrap();
    let webauthn = relying_party::at(&origin()).unwrap();
    assert_eq!(webauthn.get_allowed_origins(), [origin()]);
    for elsewhere in ["http://tegata.localhost:7102", "http://a.tegata.localhost:7101", "https://tegata.localhost:7101"]
    {
        let (options, state) = webauthn.start_passkey_authentication(&[passkeys[0].passkey.clone()]).unwrap();
        let answer = stage.hand.get(&serde_json::to_value(&options).unwrap(), elsewhere).unwrap();
        let answer = serde_json::from_value(answer).unwrap();
        let refused = webauthn.finish_passkey_authentication(&answer, &state).unwrap_err();
        assert_eq!(Fault::from(&refused), Fault::Origin, "{elsewhere}");
    }
}

#[tokio::test]
async fn b32_no_ceremony_begins_on_a_page_that_is_not_tegatas() {
    let stage = Stage::with_alice().await;
    for page in [
        "http://localhost:7101",
        "http://127.0.0.1:7101",
        "http://[::1]:7101",
        "http://a.tegata.localhost:7101",
        "http://tegata.localhost.:7101",
        "https://tegata.localhost:7101",
        "http://tegata.localhost",
        "http://user@tegata.localhost:7101",
        "http://tegata.localhost:7101/page",
        "http://tegata.localhost:7101/?x",
        "data:text/html,x",
    ] {
        let refused = stage.gate.begin_approval(&Url::parse(page).unwrap(), &request(1), &anybody()).await;
        assert!(matches!(refused, Err(GateError::Origin(_))), "{page}: {refused:?}");
    }
}

#[tokio::test]
async fn b32_twin_the_page_may_be_on_another_port_in_the_next_life() {
    let mut stage = Stage::with_alice().await;
    stage.restart();
    let page = Url::parse("http://tegata.localhost:40000").unwrap();
    let (id, options) = stage.gate.begin_approval(&page, &request(1), &anybody()).await.unwrap();
    let answer = stage.hand.get(&options, "http://tegata.localhost:40000").unwrap().to_string();
    stage.gate.finish_approval(&id, &page, &request(1), answer.as_bytes()).await.unwrap();
}

#[tokio::test]
async fn the_oldest_of_too_many_open_ceremonies_ends() {
    let mut stage = Stage::with_alice().await;
    let mut ceremonies = Vec::new();
    for _ in 0..=MAX_OPEN {
        ceremonies.push(stage.begin().await);
    }
    for (number, (id, options)) in ceremonies.into_iter().enumerate() {
        let answer = stage.hand.get(&options, ORIGIN).unwrap();
        let opened = stage.finish(&id, &answer).await;
        assert_eq!(opened.is_ok(), number > 0, "{number}: {opened:?}");
    }
    assert_eq!(MAX_OPEN, 16);
}

#[tokio::test]
async fn the_next_life_of_the_daemon_knows_no_ceremony_of_this_one() {
    let mut stage = Stage::with_alice().await;
    let (id, options) = stage.begin().await;
    let answer = stage.hand.get(&options, ORIGIN).unwrap();
    stage.restart();
    assert_eq!(stage.finish(&id, &answer).await, Err(GateError::NoSuchCeremony));
}

#[tokio::test]
async fn ceremonies_that_ran_out_make_room() {
    let stage = Arc::new(Stage::with_alice().await);
    for _ in 0..MAX_OPEN {
        stage.begin().await;
    }
    stage.clock.advance(TIME_LIMIT + Duration::from_secs(1));
    let kept = stage.begin().await.0;
    for _ in 1..MAX_OPEN {
        stage.begin().await;
    }
    let answered = stage.finish_with(&kept, b"{}").await;
    assert_eq!(answered, Err(GateError::Refused(Fault::Malformed("JSON"))), "it is still there");
}
