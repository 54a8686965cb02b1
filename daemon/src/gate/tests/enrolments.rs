//! What a new passkey has to be.

use super::super::{Fault, GateError, MAX_PASSKEYS, answer};
use super::stage::{ORIGIN, Stage};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use tegata_authenticator::{Authenticator, Faults, Refusal};

async fn refused(faults: &Faults, why: Fault) {
    let mut stage = Stage::empty();
    assert_eq!(stage.enrol_badly(faults).await, Err(GateError::Refused(why)), "{faults:?}");
    assert_eq!(stage.gate.passkeys().await.unwrap(), []);
}

#[tokio::test]
async fn b1_a_passkey_made_without_user_verification_is_refused() {
    refused(&Faults { user_verified: Some(false), ..Faults::default() }, Fault::NotVerified).await;
}

#[tokio::test]
async fn b2_a_passkey_made_without_user_presence_is_refused() {
    refused(&Faults { user_present: Some(false), ..Faults::default() }, Fault::NotPresent).await;
}

#[tokio::test]
async fn b3_a_passkey_made_for_another_relying_party_is_refused() {
    refused(&Faults { rp_id: Some("localhost".into()), ..Faults::default() }, Fault::RpId).await;
}

#[tokio::test]
async fn b4_a_passkey_made_on_another_page_is_refused() {
    for origin in ["http://tegata.localhost:7102", "http://a.tegata.localhost:7101", "http://localhost:7101"] {
        refused(&Faults { origin: Some(origin.into()), ..Faults::default() }, Fault::Origin).await;
    }
}

#[tokio::test]
async fn b5_an_assertion_makes_no_passkey() {
    refused(&Faults { kind: Some("webauthn.get".into()), ..Faults::default() }, Fault::Kind).await;
}

#[tokio::test]
async fn b6_a_passkey_made_for_another_challenge_is_refused() {
    refused(&Faults { challenge: Some("AAAA".into()), ..Faults::default() }, Fault::Challenge).await;
}

#[tokio::test]
async fn b11_a_passkey_made_in_a_frame_is_refused() {
    refused(&Faults { cross_origin: Some(true), ..Faults::default() }, Fault::Framed).await;
}

#[tokio::test]
async fn b12_a_passkey_made_below_another_top_origin_is_refused() {
    refused(&Faults { top_origin: Some("http://evil.test".into()), ..Faults::default() }, Fault::Framed).await;
}

#[tokio::test]
async fn b13_a_passkey_that_is_copied_but_cannot_be_is_refused() {
    refused(&Faults { backup_state: Some(true), ..Faults::default() }, Fault::BackupFlags).await;
}

#[tokio::test]
async fn b13_twin_where_a_passkey_may_go_is_pinned_at_enrolment() {
    let mut stage = Stage::with_alice().await;
    stage.enrol_device(Authenticator::synced(), "bob", "phone").await;
    let bound: Vec<_> = stage.gate.passkeys().await.unwrap().iter().map(|passkey| passkey.device_bound).collect();
    assert_eq!(bound, [true, false]);
}

#[tokio::test]
async fn b14_bytes_after_a_new_passkeys_data_are_refused() {
    refused(&Faults { trailing: vec![0], ..Faults::default() }, Fault::AuthenticatorData).await;
    let after_map = Faults { extensions: Some(vec![0xa0]), trailing: vec![0xa0], ..Faults::default() };
    refused(&after_map, Fault::AuthenticatorData).await;
}

#[tokio::test]
async fn b14_bytes_around_the_attestation_object_are_refused() {
    let stage = Stage::empty();
    let (_, options) = stage.begin_enrolment("alice", "key").await.unwrap();
    let good = Authenticator::new().create(&options, ORIGIN).unwrap();
    let object = URL_SAFE_NO_PAD.decode(good["response"]["attestationObject"].as_str().unwrap()).unwrap();
    // A second "authData" ahead of the real one, in a map of four; a byte behind the map; no map at all.
    let twice = [&[0xa4, 0x68][..], b"authData", &[0x41, 0], &object[1..]].concat();
    for bad in [twice, [&object[..], &[0]].concat(), vec![0x80], Vec::new()] {
        let mut answer = good.clone();
        answer["response"]["attestationObject"] = URL_SAFE_NO_PAD.encode(bad).into();
        let refused = answer::registration(answer.to_string().as_bytes(), ORIGIN).err();
        assert_eq!(refused, Some(GateError::Refused(Fault::Malformed("attestationObject"))));
    }
    assert!(answer::registration(good.to_string().as_bytes(), ORIGIN).is_ok());
}

#[tokio::test]
async fn b14_an_assertions_data_makes_no_passkey() {
    let mut stage = Stage::with_alice().await;
    let (_, options) = stage.begin().await;
    let assertion = stage.hand.get(&options, ORIGIN).unwrap();
    let data = URL_SAFE_NO_PAD.decode(assertion["response"]["authenticatorData"].as_str().unwrap()).unwrap();
    let object = [&[0xa1, 0x68][..], b"authData", &[0x58, 37], &data].concat();
    let (_, options) = stage.begin_enrolment("bob", "bobs").await.unwrap();
    let mut answer = Authenticator::new().create(&options, ORIGIN).unwrap();
    answer["response"]["attestationObject"] = URL_SAFE_NO_PAD.encode(object).into();
    let refused = answer::registration(answer.to_string().as_bytes(), ORIGIN).err();
    assert_eq!(refused, Some(GateError::Refused(Fault::AuthenticatorData)));
}

#[tokio::test]
async fn b14_twin_a_new_passkey_may_bring_one_map_of_extensions() {
    let mut stage = Stage::empty();
    stage.enrol_badly(&Faults { extensions: Some(vec![0xa0]), ..Faults::default() }).await.unwrap();
}

#[tokio::test]
async fn b15_a_new_passkey_has_one_id() {
    refused(&Faults { id: Some("AAAA".into()), ..Faults::default() }, Fault::Ids).await;
    // `id` and `rawId` agree, but the authenticator has signed another one.
    refused(&Faults { raw_id: Some(b"other".to_vec()), ..Faults::default() }, Fault::Ids).await;
}

#[tokio::test]
async fn b16_a_new_passkeys_answer_is_bounded() {
    let mut stage = Stage::empty();
    let refused = stage.enrol_badly(&Faults { padding: 20_000, ..Faults::default() }).await;
    assert!(matches!(refused, Err(GateError::TooLarge { .. })), "{refused:?}");
}

#[tokio::test]
async fn a_device_that_is_enrolled_is_not_enrolled_again() {
    let mut stage = Stage::with_alice().await;
    let (id, options) = stage.begin_enrolment("alice", "again").await.unwrap();
    assert_eq!(stage.hand.create(&options, ORIGIN), Err(Refusal::AlreadyHere));
    let again = Faults { makes_again: stage.hand.credential_ids().pop(), ..Faults::default() };
    let answer = stage.hand.create_with(&options, ORIGIN, &again).unwrap();
    assert_eq!(stage.finish_enrolment(&id, &answer).await, Err(GateError::Refused(Fault::Unverified)));
}

#[tokio::test]
async fn a_passkey_enrolled_in_two_ceremonies_at_once_is_enrolled_once() {
    let mut stage = Stage::empty();
    let (first, options) = stage.begin_enrolment("alice", "one").await.unwrap();
    let (second, others) = stage.begin_enrolment("mallory", "two").await.unwrap();
    let made = stage.hand.create(&options, ORIGIN).unwrap();
    stage.finish_enrolment(&first, &made).await.unwrap();
    let again = Faults { makes_again: stage.hand.credential_ids().pop(), ..Faults::default() };
    let made = stage.hand.create_with(&others, ORIGIN, &again).unwrap();
    assert_eq!(stage.finish_enrolment(&second, &made).await, Err(GateError::AlreadyEnrolled));
    assert_eq!(stage.gate.passkeys().await.unwrap().len(), 1);
}

#[tokio::test]
async fn two_passkeys_never_have_one_name() {
    let mut stage = Stage::with_alice().await;
    let taken = stage.begin_enrolment("bob", "key").await.unwrap_err();
    assert!(matches!(taken, GateError::NameTaken { .. }), "{taken}");
    let ceremonies =
        [stage.begin_enrolment("bob", "new").await.unwrap(), stage.begin_enrolment("bob", "new").await.unwrap()];
    let mut outcomes = Vec::new();
    for (id, options) in ceremonies {
        let answer = Authenticator::new().create(&options, ORIGIN).unwrap();
        outcomes.push(stage.finish_enrolment(&id, &answer).await);
    }
    assert!(outcomes[0].is_ok());
    assert!(matches!(outcomes[1], Err(GateError::NameTaken { .. })), "{outcomes:?}");
    stage.restart();
    assert_eq!(stage.gate.passkeys().await.unwrap().len(), 2);
}

#[tokio::test]
async fn there_is_an_end_to_passkeys() {
    let mut stage = Stage::empty();
    for number in 0..MAX_PASSKEYS {
        stage.enrol_device(Authenticator::new(), "alice", &format!("key {number}")).await;
    }
    let refused = stage.begin_enrolment("alice", "one more").await.unwrap_err();
    assert_eq!(refused, GateError::TooMany { limit: MAX_PASSKEYS });
}

#[tokio::test]
async fn a_person_spelled_otherwise_is_the_same_person() {
    let mut stage = Stage::with_alice().await;
    let mut second = stage.enrol_device(Authenticator::new(), "ALICE", "second").await;
    let people: Vec<_> = stage.gate.passkeys().await.unwrap().into_iter().map(|passkey| passkey.person).collect();
    assert_eq!(people[0], people[1]);
    // And it carries the same user handle, so that an authenticator does not show two accounts.
    let (id, options) = stage.begin().await;
    let answer = second.get(&options, ORIGIN).unwrap();
    assert_eq!(answer["response"]["userHandle"], stage.hand.get(&options, ORIGIN).unwrap()["response"]["userHandle"]);
    assert_eq!(stage.finish(&id, &answer).await.unwrap().person.as_str(), "alice");
}
