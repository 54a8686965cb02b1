//! Who may approve, and what becomes of a passkey.

use super::super::{Fault, GateError, PasskeyId, Who};
use super::stage::{ORIGIN, Stage, origin, request};
use crate::names::{PasskeyName, Person};
use crate::store::StoreError;
use crate::store::testing::Call;
use serde_json::Value;
use tegata_authenticator::{Authenticator, Faults};

/// How many passkeys the options allow.
fn allowed(options: &Value) -> usize {
    options["publicKey"]["allowCredentials"].as_array().unwrap().len()
}

#[tokio::test]
async fn b21_a_passkey_that_may_not_approve_this_is_refused() {
    let mut stage = Stage::with_alice().await;
    let mut bobs = stage.enrol_device(Authenticator::synced(), "bob", "phone").await;
    let passkeys = stage.gate.passkeys().await.unwrap();
    let for_alice_only = [
        Who { except: vec![Person::new("bob").unwrap()], ..Who::default() },
        Who { only: Some(passkeys[0].id.clone()), ..Who::default() },
        Who { device_bound: true, ..Who::default() },
    ];
    for who in for_alice_only {
        let (id, options) = stage.gate.begin_approval(&origin(), &request(1), &who).await.unwrap();
        assert_eq!(allowed(&options), 1, "{who:?}");
        let faults = Faults { uses: bobs.credential_ids().pop(), ..Faults::default() };
        let answer = bobs.get_with(&options, ORIGIN, &faults).unwrap();
        assert_eq!(stage.finish(&id, &answer).await, Err(GateError::Refused(Fault::NotAllowed)), "{who:?}");
    }
}

#[tokio::test]
async fn b21_a_passkey_that_nobody_enrolled_is_refused() {
    let stage = Stage::with_alice().await;
    let mut stranger = Authenticator::new();
    let (_, options) = stage.begin_enrolment("mallory", "hers").await.unwrap();
    stranger.create(&options, ORIGIN).unwrap();
    let (id, options) = stage.begin().await;
    let faults = Faults { uses: stranger.credential_ids().pop(), ..Faults::default() };
    let answer = stranger.get_with(&options, ORIGIN, &faults).unwrap();
    assert_eq!(stage.finish(&id, &answer).await, Err(GateError::Refused(Fault::NotAllowed)));
}

#[tokio::test]
async fn b21_nobody_left_to_approve_is_said_at_once() {
    let stage = Stage::with_alice().await;
    let nobody = Who { except: vec![Person::new("alice").unwrap()], ..Who::default() };
    let refused = stage.gate.begin_approval(&origin(), &request(1), &nobody).await.unwrap_err();
    assert_eq!(refused, GateError::NoneFits);
    let none = Stage::empty().gate.begin_approval(&origin(), &request(1), &Who::default()).await.unwrap_err();
    assert_eq!(none, GateError::NoPasskey);
    assert!(none.to_string().contains("tegata passkey add"));
}

#[tokio::test]
async fn b21_twin_whoever_is_left_approves() {
    let mut stage = Stage::with_alice().await;
    let mut bobs = stage.enrol_device(Authenticator::synced(), "bob", "phone").await;
    let who = Who { except: vec![Person::new("alice").unwrap()], ..Who::default() };
    let (id, options) = stage.gate.begin_approval(&origin(), &request(1), &who).await.unwrap();
    let answer = bobs.get(&options, ORIGIN).unwrap();
    assert_eq!(stage.finish(&id, &answer).await.unwrap().person.as_str(), "bob");
    let (_, options) = stage.gate.begin_approval(&origin(), &request(1), &Who::default()).await.unwrap();
    assert_eq!(allowed(&options), 2);
}

#[tokio::test]
async fn b22_a_removed_passkey_approves_nothing_not_even_what_is_under_way() {
    let mut stage = Stage::with_alice().await;
    stage.enrol_device(Authenticator::new(), "bob", "bobs").await;
    let (open, options) = stage.begin().await;
    let answer = stage.hand.get(&options, ORIGIN).unwrap();
    let alices = stage.gate.passkeys().await.unwrap().remove(0);
    assert_eq!(stage.gate.remove(&alices.id).await, Ok(alices.clone()));
    assert_eq!(stage.finish(&open, &answer).await, Err(GateError::Refused(Fault::NotAllowed)));
    stage.restart();
    let (id, options) = stage.begin().await;
    let faults = Faults { uses: stage.hand.credential_ids().pop(), ..Faults::default() };
    let answer = stage.hand.get_with(&options, ORIGIN, &faults).unwrap();
    assert_eq!(stage.finish(&id, &answer).await, Err(GateError::Refused(Fault::NotAllowed)));
    assert_eq!(stage.gate.remove(&alices.id).await, Err(GateError::UnknownPasskey { id: alices.id }));
}

#[tokio::test]
async fn b22_a_removal_that_cannot_be_written_is_said() {
    let mut stage = Stage::with_alice().await;
    let alices = stage.gate.passkeys().await.unwrap().remove(0);
    stage.store.fail(Call::Write, 1, StoreError::Locked);
    assert_eq!(stage.gate.remove(&alices.id).await, Err(GateError::Store(StoreError::Locked)));
    assert_eq!(stage.gate.passkeys().await.unwrap(), [alices]);
    stage.approve().await.unwrap();
}

#[tokio::test]
async fn b22_twin_the_others_approve_as_before() {
    let mut stage = Stage::with_alice().await;
    let mut bobs = stage.enrol_device(Authenticator::new(), "bob", "bobs").await;
    let (open, options) = stage.begin().await;
    let answer = bobs.get(&options, ORIGIN).unwrap();
    let alices = stage.gate.passkeys().await.unwrap().remove(0);
    stage.gate.remove(&alices.id).await.unwrap();
    assert_eq!(stage.finish(&open, &answer).await.unwrap().person.as_str(), "bob");
}

#[tokio::test]
async fn a_passkey_can_be_given_another_name() {
    let mut stage = Stage::with_alice().await;
    stage.enrol_device(Authenticator::new(), "bob", "bobs").await;
    let name = |text: &str| PasskeyName::new(text).unwrap();
    let id = stage.gate.passkeys().await.unwrap().remove(0).id;
    assert_eq!(stage.gate.rename(&id, &name("鍵")).await.unwrap().name, name("鍵"));
    assert_eq!(stage.gate.rename(&id, &name("鍵")).await.unwrap().name, name("鍵"), "its own name is not taken");
    assert_eq!(stage.gate.rename(&id, &name("bobs")).await, Err(GateError::NameTaken { name: name("bobs") }));
    let unknown = PasskeyId::parse("aaaaaaaa").unwrap();
    let refused = stage.gate.rename(&unknown, &name("x")).await.unwrap_err();
    assert_eq!(refused.to_string(), "there is no passkey aaaaaaaa; see `tegata passkey list`");
    stage.restart();
    assert_eq!(stage.gate.passkeys().await.unwrap()[0].name, name("鍵"));
    stage.approve().await.unwrap();
}

#[tokio::test]
async fn ids_are_short_and_stay() {
    let mut stage = Stage::with_alice().await;
    let id = stage.gate.passkeys().await.unwrap().remove(0).id;
    assert_eq!(PasskeyId::parse(id.as_str()), Some(id.clone()));
    stage.restart();
    assert_eq!(stage.gate.passkeys().await.unwrap()[0].id, id);
    for bad in ["", "aaaaaaa", "aaaaaaaaa", "aaaaaaa1", "AAAAAAAA", "aaaaaaa\n"] {
        assert_eq!(PasskeyId::parse(bad), None, "{bad:?}");
    }
}

#[test]
fn an_id_is_the_head_of_the_digest_of_its_credential_id() {
    // SHA-256 of nothing begins e3 b0 c4 42 98; in base32 that is 4oymiquy.
    assert_eq!(PasskeyId::of(&Vec::new()).as_str(), "4oymiquy");
}
