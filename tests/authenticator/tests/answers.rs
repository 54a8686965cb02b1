//! The answers, read by hand: what a relying party receives.
#![allow(clippy::unwrap_used, reason = "a test's helpers fail as its tests do")]

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use p256::ecdsa::signature::Verifier as _;
use p256::ecdsa::{Signature, VerifyingKey};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use tegata_authenticator::{Authenticator, Faults, Refusal};

const ORIGIN: &str = "http://tegata.localhost:7101";

fn creation(excluded: &[Vec<u8>]) -> Value {
    let excluded: Vec<_> = excluded.iter().map(|id| json!({"type": "public-key", "id": encode(id)})).collect();
    json!({"publicKey": {
        "challenge": "Y2hhbGxlbmdl", "rp": {"id": "tegata.localhost"}, "user": {"id": "dXNlcg"}, "excludeCredentials": excluded,
    }})
}

fn request(allowed: &[Vec<u8>]) -> Value {
    let allowed: Vec<_> = allowed.iter().map(|id| json!({"type": "public-key", "id": encode(id)})).collect();
    json!({"publicKey": {"challenge": "Y2hhbGxlbmdl", "rpId": "tegata.localhost", "allowCredentials": allowed}})
}

fn encode(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

fn decode(value: &Value) -> Vec<u8> {
    URL_SAFE_NO_PAD.decode(value.as_str().unwrap()).unwrap()
}

/// A device with one credential, and that credential's public key as the attestation object has it.
fn made() -> (Authenticator, VerifyingKey) {
    let mut device = Authenticator::new();
    let answer = device.create(&creation(&[]), ORIGIN).unwrap();
    let object: ciborium::Value =
        ciborium::from_reader(decode(&answer["response"]["attestationObject"]).as_slice()).unwrap();
    let data = object.as_map().unwrap().iter().find(|(name, _)| name.as_text() == Some("authData")).unwrap().1.clone();
    let data = data.into_bytes().unwrap();
    assert_eq!(data[32], 0b0100_0101, "AT, UV, UP");
    assert_eq!(data[55..87], device.credential_ids()[0]);
    let key: ciborium::Value = ciborium::from_reader(&data[87..]).unwrap();
    let coordinate = |label: i64| {
        let found = key.as_map().unwrap().iter().find(|(name, _)| name.as_integer() == Some(label.into()));
        found.unwrap().1.as_bytes().unwrap().clone()
    };
    let point = [&[4][..], &coordinate(-2), &coordinate(-3)].concat();
    (device, VerifyingKey::from_sec1_bytes(&point).unwrap())
}

#[test]
fn an_assertion_is_signed_by_the_key_that_was_made() {
    let (mut device, key) = made();
    for counter in [2_u8, 3] {
        let answer = device.get(&request(&device.credential_ids()), ORIGIN).unwrap();
        let (data, client) = (&answer["response"]["authenticatorData"], &answer["response"]["clientDataJSON"]);
        let (data, client) = (decode(data), decode(client));
        let signature = Signature::from_der(&decode(&answer["response"]["signature"])).unwrap();
        key.verify(&[&data[..], &Sha256::digest(&client)].concat(), &signature).unwrap();
        assert_eq!(data[..32], Sha256::digest("tegata.localhost")[..]);
        assert_eq!(data[32..], [0b101, 0, 0, 0, counter]);
        let client: Value = serde_json::from_slice(&client).unwrap();
        let expected =
            json!({"type": "webauthn.get", "challenge": "Y2hhbGxlbmdl", "origin": ORIGIN, "crossOrigin": false});
        assert_eq!(client, expected);
        assert_eq!(decode(&answer["response"]["userHandle"]), b"user");
        assert_eq!(answer["id"], answer["rawId"]);
    }
}

#[test]
fn a_device_refuses_what_a_device_refuses() {
    let (mut device, _) = made();
    assert_eq!(device.create(&creation(&device.credential_ids()), ORIGIN), Err(Refusal::AlreadyHere));
    assert_eq!(device.get(&request(&[b"other".to_vec()]), ORIGIN), Err(Refusal::NoneFits));
    let mut elsewhere = request(&device.credential_ids());
    elsewhere["publicKey"]["rpId"] = "localhost".into();
    assert_eq!(device.get(&elsewhere, ORIGIN), Err(Refusal::NoneFits));
    assert_eq!(device.get(&json!({}), ORIGIN), Err(Refusal::NoOptions));
    assert_eq!(device.create(&json!({"publicKey": {}}), ORIGIN), Err(Refusal::NoOptions));
}

#[test]
fn a_device_that_was_written_down_goes_on_where_it_was() {
    let (mut device, key) = made();
    device.get(&request(&device.credential_ids()), ORIGIN).unwrap();
    let mut again = Authenticator::from_json(&device.to_json()).unwrap();
    let answer = again.get(&request(&device.credential_ids()), ORIGIN).unwrap();
    let data = decode(&answer["response"]["authenticatorData"]);
    assert_eq!(data[36], 3, "the counter");
    let signature = Signature::from_der(&decode(&answer["response"]["signature"])).unwrap();
    let client = decode(&answer["response"]["clientDataJSON"]);
    key.verify(&[&data[..], &Sha256::digest(&client)].concat(), &signature).unwrap();
    assert!(
        Authenticator::from_json(&json!({"credentials": [{}], "counts": true, "backup_eligible": false})).is_none()
    );
}

#[test]
fn a_synced_device_counts_nothing_and_says_so() {
    let mut phone = Authenticator::synced();
    phone.create(&creation(&[]), ORIGIN).unwrap();
    let answer = phone.get(&request(&phone.credential_ids()), ORIGIN).unwrap();
    let data = decode(&answer["response"]["authenticatorData"]);
    assert_eq!(data[32..], [0b1_1101, 0, 0, 0, 0], "BS, BE, UV, UP; no counter");
}

#[test]
fn faults_change_what_they_name_and_nothing_else() {
    let (mut device, _) = made();
    let faults = Faults { user_verified: Some(false), trailing: vec![7], ..Faults::default() };
    let answer = device.get_with(&request(&device.credential_ids()), ORIGIN, &faults).unwrap();
    assert_eq!(decode(&answer["response"]["authenticatorData"])[32..], [0b001, 0, 0, 0, 2, 7]);
    assert!(!format!("{device:?}").contains(device.to_json()["credentials"][0]["key"].as_str().unwrap()));
}
