//! What an assertion has to be.

use super::super::{Fault, GateError, MAX_ANSWER};
use super::stage::{ORIGIN, Stage};
use serde_json::{Value, json};
use tegata_authenticator::{Authenticator, Faults};

/// Bytes of a CBOR map with the `hmac-secret` extension, as security keys send it (CTAP 2.1, section 12.5).
const HMAC_SECRET: &[u8] = b"\xa1\x6bhmac-secret\x43abc";

/// Lets alice's device answer wrongly and expects a refusal for this reason, and that the device is still good.
async fn refused(faults: &Faults, why: Fault) {
    let mut stage = Stage::with_alice().await;
    assert_eq!(stage.approve_badly(faults).await, Err(GateError::Refused(why)), "{faults:?}");
    stage.approve().await.expect("a refused answer does no harm");
}

async fn accepted(faults: &Faults) {
    let mut stage = Stage::with_alice().await;
    stage.approve_badly(faults).await.unwrap_or_else(|error| panic!("{faults:?}: {error}"));
}

#[tokio::test]
async fn b1_an_approval_without_user_verification_is_refused() {
    refused(&Faults { user_verified: Some(false), ..Faults::default() }, Fault::NotVerified).await;
}

#[tokio::test]
async fn b1_twin_an_approval_with_user_verification_opens() {
    accepted(&Faults { user_verified: Some(true), ..Faults::default() }).await;
}

#[tokio::test]
async fn b2_an_approval_without_user_presence_is_refused() {
    refused(&Faults { user_present: Some(false), ..Faults::default() }, Fault::NotPresent).await;
}

#[tokio::test]
async fn b2_twin_an_approval_with_user_presence_opens() {
    accepted(&Faults { user_present: Some(true), ..Faults::default() }).await;
}

#[tokio::test]
async fn b3_an_approval_for_another_relying_party_is_refused() {
    for rp_id in ["localhost", "a.tegata.localhost", "example.com", ""] {
        refused(&Faults { rp_id: Some(rp_id.into()), ..Faults::default() }, Fault::RpId).await;
    }
}

#[tokio::test]
async fn b3_twin_an_approval_for_tegata_opens() {
    accepted(&Faults { rp_id: Some("tegata.localhost".into()), ..Faults::default() }).await;
}

#[tokio::test]
async fn b4_an_approval_of_another_origin_is_refused() {
    for origin in [
        "http://evil.localhost:7101",
        "http://tegata.localhost:7102",
        "http://tegata.localhost",
        "https://tegata.localhost:7101",
        "http://tegata.localhost.:7101",
        "http://localhost:7101",
        "http://other.localhost:7101",
        "http://a.tegata.localhost:7101",
        "http://127.0.0.1:7101",
        "http://[::1]:7101",
        "http://tegata.localhost:7101/",
        "http://tegata.localhost:7101/page",
        "http://user@tegata.localhost:7101",
        "http://TEGATA.localhost:7101",
        "null",
        "",
    ] {
        refused(&Faults { origin: Some(origin.into()), ..Faults::default() }, Fault::Origin).await;
    }
}

#[tokio::test]
async fn b4_twin_an_approval_of_the_page_opens() {
    accepted(&Faults { origin: Some(ORIGIN.into()), ..Faults::default() }).await;
}

#[tokio::test]
async fn b5_an_answer_to_another_kind_of_question_is_refused() {
    for kind in ["webauthn.create", "payment.get", "webauthn.get ", ""] {
        refused(&Faults { kind: Some(kind.into()), ..Faults::default() }, Fault::Kind).await;
    }
}

#[tokio::test]
async fn b5_twin_an_answer_to_get_opens() {
    accepted(&Faults { kind: Some("webauthn.get".into()), ..Faults::default() }).await;
}

#[tokio::test]
async fn b6_an_answer_to_another_challenge_is_refused() {
    refused(&Faults { challenge: Some("AAAA".into()), ..Faults::default() }, Fault::Challenge).await;
    let mut stage = Stage::with_alice().await;
    let (_, other) = stage.begin().await;
    let answer = stage.hand.get(&other, ORIGIN).unwrap();
    let (id, _) = stage.begin().await;
    assert_eq!(stage.finish(&id, &answer).await, Err(GateError::Refused(Fault::Challenge)));
}

#[tokio::test]
async fn b6_twin_each_of_two_answers_opens_its_own_ceremony() {
    let mut stage = Stage::with_alice().await;
    for (id, options) in [stage.begin().await, stage.begin().await] {
        let answer = stage.hand.get(&options, ORIGIN).unwrap();
        stage.finish(&id, &answer).await.unwrap();
    }
}

#[tokio::test]
async fn b7_a_wrong_signature_is_refused() {
    refused(&Faults { flip_signature: true, ..Faults::default() }, Fault::Signature).await;
}

#[tokio::test]
async fn b7_a_signature_of_another_enrolled_passkey_is_refused() {
    let mut stage = Stage::with_alice().await;
    let bobs = stage.enrol_device(Authenticator::new(), "bob", "bobs").await;
    // Alice's device signs under bob's name: it knows his credential id but not his key.
    let bobs_id = bobs.credential_ids().remove(0);
    let faults = Faults { raw_id: Some(bobs_id), user_handle: Some(user_handle(&bobs)), ..Faults::default() };
    assert_eq!(stage.approve_badly(&faults).await, Err(GateError::Refused(Fault::Signature)));
}

#[tokio::test]
async fn b7_what_was_changed_after_signing_is_refused() {
    let mut stage = Stage::with_alice().await;
    let (id, options) = stage.begin().await;
    let mut answer = stage.hand.get(&options, ORIGIN).unwrap();
    let other = stage.hand.get_with(&options, ORIGIN, &Faults { counter: Some(99), ..Faults::default() }).unwrap();
    answer["response"]["authenticatorData"] = other["response"]["authenticatorData"].clone();
    assert_eq!(stage.finish(&id, &answer).await, Err(GateError::Refused(Fault::Signature)));
}

#[tokio::test]
async fn b7_twin_each_passkey_opens_with_its_own_signature() {
    let mut stage = Stage::with_alice().await;
    let mut bobs = stage.enrol_device(Authenticator::new(), "bob", "bobs").await;
    let (id, options) = stage.begin().await;
    let answer = bobs.get(&options, ORIGIN).unwrap();
    assert_eq!(stage.finish(&id, &answer).await.unwrap().person.as_str(), "bob");
    assert_eq!(stage.approve().await.unwrap().person.as_str(), "alice");
}

#[tokio::test]
async fn b11_an_approval_in_a_frame_of_another_page_is_refused() {
    refused(&Faults { cross_origin: Some(true), ..Faults::default() }, Fault::Framed).await;
}

#[tokio::test]
async fn b11_a_second_word_on_frames_is_refused() {
    let twice = Faults { client_data_tail: r#","crossOrigin":false"#.into(), ..Faults::default() };
    refused(&twice, Fault::Malformed("clientDataJSON")).await;
    let odd = Faults { client_data_tail: r#","cross\u004frigin":true"#.into(), ..Faults::default() };
    refused(&odd, Fault::Malformed("clientDataJSON")).await;
}

#[tokio::test]
async fn b11_twin_an_approval_in_the_page_itself_opens() {
    accepted(&Faults { cross_origin: Some(false), ..Faults::default() }).await;
}

#[tokio::test]
async fn b12_an_approval_below_another_top_origin_is_refused() {
    for top_origin in [json!("http://evil.test"), json!(ORIGIN), json!(""), Value::Null, json!(1)] {
        refused(&Faults { top_origin: Some(top_origin), ..Faults::default() }, Fault::Framed).await;
    }
}

#[tokio::test]
async fn b12_twin_client_data_may_hold_members_that_nobody_knows_yet() {
    accepted(&Faults { client_data_tail: r#","other_keys_can_be_added_here":"…""#.into(), ..Faults::default() }).await;
}

#[tokio::test]
async fn b13_a_passkey_whose_backup_eligibility_changed_is_refused() {
    let mut stage = Stage::with_alice().await;
    let faults = Faults { backup_eligible: Some(true), ..Faults::default() };
    for _ in 0..2 {
        let refused = stage.approve_badly(&faults).await;
        assert!(matches!(refused, Err(GateError::BackupEligibilityChanged { .. })), "{refused:?}");
    }
    assert!(stage.gate.passkeys().await.unwrap()[0].device_bound, "what was enrolled stays pinned");
}

#[tokio::test]
async fn b13_a_synced_passkey_that_claims_to_be_bound_is_refused() {
    let mut stage = Stage::empty();
    let mut phone = stage.enrol_device(Authenticator::synced(), "alice", "phone").await;
    let faults = Faults { backup_eligible: Some(false), backup_state: Some(false), ..Faults::default() };
    let (id, options) = stage.begin().await;
    let answer = phone.get_with(&options, ORIGIN, &faults).unwrap();
    let refused = stage.finish(&id, &answer).await;
    assert!(matches!(refused, Err(GateError::BackupEligibilityChanged { .. })), "{refused:?}");
}

#[tokio::test]
async fn b13_a_passkey_that_says_it_is_copied_but_not_that_it_can_be_is_refused() {
    refused(&Faults { backup_state: Some(true), ..Faults::default() }, Fault::BackupFlags).await;
    let both = Faults { backup_eligible: Some(true), backup_state: Some(true), ..Faults::default() };
    refused(&both, Fault::BackupFlags).await;
}

#[tokio::test]
async fn b13_twin_a_synced_passkey_may_be_copied_or_not() {
    let mut stage = Stage::empty();
    let mut phone = stage.enrol_device(Authenticator::synced(), "alice", "phone").await;
    for backup_state in [false, true, false] {
        let (id, options) = stage.begin().await;
        let faults = Faults { backup_state: Some(backup_state), ..Faults::default() };
        let answer = phone.get_with(&options, ORIGIN, &faults).unwrap();
        stage.finish(&id, &answer).await.unwrap();
    }
}

#[tokio::test]
async fn b14_bytes_after_the_authenticator_data_are_refused() {
    let shape = Fault::AuthenticatorData;
    refused(&Faults { trailing: vec![0], ..Faults::default() }, shape).await;
    refused(&Faults { trailing: vec![0xa0], ..Faults::default() }, shape).await;
    let after_map = Faults { extensions: Some(HMAC_SECRET.to_vec()), trailing: vec![0], ..Faults::default() };
    refused(&after_map, shape).await;
}

#[tokio::test]
async fn b14_extensions_that_are_no_map_are_refused() {
    for extensions in [&b""[..], b"\x00", b"\x80", b"\xa1\x00", b"\xbf"] {
        refused(&Faults { extensions: Some(extensions.to_vec()), ..Faults::default() }, Fault::AuthenticatorData).await;
    }
}

#[tokio::test]
async fn b14_an_assertion_that_brings_a_credential_along_is_refused() {
    let credential = [&[0; 16][..], &[0, 1], b"x", &[0xa0]].concat();
    refused(&Faults { attested: Some(credential), ..Faults::default() }, Fault::AuthenticatorData).await;
}

#[tokio::test]
async fn b14_authenticator_data_that_is_cut_short_is_refused() {
    let mut stage = Stage::with_alice().await;
    for kept in ["", "AAAA"] {
        let (id, options) = stage.begin().await;
        let mut answer = stage.hand.get(&options, ORIGIN).unwrap();
        answer["response"]["authenticatorData"] = kept.into();
        assert_eq!(stage.finish(&id, &answer).await, Err(GateError::Refused(Fault::AuthenticatorData)));
    }
}

#[tokio::test]
async fn b14_twin_one_map_of_extensions_is_accepted() {
    accepted(&Faults { extensions: Some(HMAC_SECRET.to_vec()), ..Faults::default() }).await;
}

#[tokio::test]
async fn b15_an_answer_that_names_two_passkeys_is_refused() {
    for id in ["", "AAAA", "AAAA="] {
        refused(&Faults { id: Some(id.into()), ..Faults::default() }, Fault::Ids).await;
    }
    let kind = Faults { credential_type: Some("password".into()), ..Faults::default() };
    refused(&kind, Fault::Malformed("type")).await;
}

#[tokio::test]
async fn b15_an_answer_of_another_user_is_refused() {
    for user in [vec![0; 16], Vec::new()] {
        refused(&Faults { user_handle: Some(user), ..Faults::default() }, Fault::UserHandle).await;
    }
    let mut stage = Stage::with_alice().await;
    let bobs = stage.enrol_device(Authenticator::new(), "bob", "bobs").await;
    let faults = Faults { user_handle: Some(user_handle(&bobs)), ..Faults::default() };
    assert_eq!(stage.approve_badly(&faults).await, Err(GateError::Refused(Fault::UserHandle)));
}

#[tokio::test]
async fn b15_twin_an_authenticator_need_not_name_the_user() {
    let mut stage = Stage::with_alice().await;
    let (id, options) = stage.begin().await;
    let mut answer = stage.hand.get(&options, ORIGIN).unwrap();
    answer["response"]["userHandle"] = Value::Null;
    stage.finish(&id, &answer).await.unwrap();
}

#[tokio::test]
async fn b16_an_answer_that_is_too_large_is_not_even_parsed() {
    let mut stage = Stage::with_alice().await;
    let (id, _) = stage.begin().await;
    let garbage = vec![b'{'; MAX_ANSWER + 1];
    let refused = stage.finish_with(&id, &garbage).await;
    assert_eq!(refused, Err(GateError::TooLarge { limit: 16_384 }));
    let faults = Faults { padding: 5_000_000, ..Faults::default() };
    assert_eq!(stage.approve_badly(&faults).await, Err(GateError::TooLarge { limit: MAX_ANSWER }));
}

#[tokio::test]
async fn b16_an_answer_that_is_no_json_is_refused() {
    let stage = Stage::with_alice().await;
    for garbage in [&b""[..], b"{", b"[]", b"null", b"\xff", &[b'['; MAX_ANSWER]] {
        let (id, _) = stage.begin().await;
        let refused = stage.finish_with(&id, garbage).await;
        assert_eq!(refused, Err(GateError::Refused(Fault::Malformed("JSON"))));
    }
}

#[tokio::test]
async fn b16_twin_an_answer_of_exactly_the_limit_opens() {
    let mut stage = Stage::with_alice().await;
    for (size, expected) in [(MAX_ANSWER, true), (MAX_ANSWER + 1, false)] {
        let (id, options) = stage.begin().await;
        let mut answer = stage.hand.get(&options, ORIGIN).unwrap().to_string().into_bytes();
        answer.resize(size, b' ');
        assert_eq!(stage.finish_with(&id, &answer).await.is_ok(), expected, "{size}");
    }
}

/// The user handle that a device holds for its first credential.
fn user_handle(device: &Authenticator) -> Vec<u8> {
    use base64::Engine as _;
    let user = device.to_json()["credentials"][0]["user"].clone();
    base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(user.as_str().unwrap()).unwrap()
}
