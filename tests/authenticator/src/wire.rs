//! The bytes: client data, authenticator data and the attestation object (WebAuthn L3, sections 5.8.1, 6.1 and 6.5).

use crate::credential::Credential;
use crate::faults::Faults;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ciborium::Value as Cbor;
use p256::ecdsa::SigningKey;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

const USER_PRESENT: u8 = 1 << 0;
const USER_VERIFIED: u8 = 1 << 2;
const BACKUP_ELIGIBLE: u8 = 1 << 3;
const BACKUP_STATE: u8 = 1 << 4;
const ATTESTED: u8 = 1 << 6;
const EXTENSIONS: u8 = 1 << 7;

pub(crate) fn base64url(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

pub(crate) fn from_base64url(text: &str) -> Option<Vec<u8>> {
    URL_SAFE_NO_PAD.decode(text).ok()
}

/// Writes the client data as a browser does: these members in this order.
pub(crate) fn client_data(kind: &str, challenge: &str, origin: &str, faults: &Faults) -> Vec<u8> {
    let text = |told: &Option<String>, usual: &str| Value::from(told.as_deref().unwrap_or(usual)).to_string();
    let mut json = format!(
        r#"{{"type":{},"challenge":{},"origin":{},"crossOrigin":{}"#,
        text(&faults.kind, kind),
        text(&faults.challenge, challenge),
        text(&faults.origin, origin),
        faults.cross_origin.unwrap_or(false),
    );
    if let Some(top_origin) = &faults.top_origin {
        json.push_str(&format!(r#","topOrigin":{top_origin}"#));
    }
    if faults.padding > 0 {
        json.push_str(&format!(r#","padding":{}"#, json!("x".repeat(faults.padding))));
    }
    json.push_str(&faults.client_data_tail);
    json.push('}');
    json.into_bytes()
}

pub(crate) fn auth_data(credential: &Credential, faults: &Faults, counter: u32, attested: Option<&[u8]>) -> Vec<u8> {
    let flag = |told: Option<bool>, usual: bool, bit: u8| if told.unwrap_or(usual) { bit } else { 0 };
    let synced = credential.backup_eligible;
    let flags = flag(faults.user_present, true, USER_PRESENT)
        | flag(faults.user_verified, true, USER_VERIFIED)
        | flag(faults.backup_eligible, synced, BACKUP_ELIGIBLE)
        | flag(faults.backup_state, synced, BACKUP_STATE)
        | flag(None, attested.is_some(), ATTESTED)
        | flag(None, faults.extensions.is_some(), EXTENSIONS);
    let rp_id = faults.rp_id.as_deref().unwrap_or(&credential.rp_id);
    let mut bytes = Sha256::digest(rp_id.as_bytes()).to_vec();
    bytes.push(flags);
    bytes.extend(counter.to_be_bytes());
    bytes.extend(attested.unwrap_or_default());
    bytes.extend(faults.extensions.as_deref().unwrap_or_default());
    bytes.extend(&faults.trailing);
    bytes
}

/// Writes attested credential data: a model id of zeros, the credential id, the public key as a COSE key (RFC 9053, section 7.1).
pub(crate) fn attested(id: &[u8], key: &SigningKey) -> Vec<u8> {
    let mut bytes = vec![0; 16];
    bytes.extend(u16::try_from(id.len()).unwrap_or(u16::MAX).to_be_bytes());
    bytes.extend(id);
    let point = key.verifying_key().to_sec1_point(false);
    let coordinate = |half: Option<&[u8]>| Cbor::from(half.unwrap_or_default());
    let (x, y) = (point.x().map(|x| x.to_vec()), point.y().map(|y| y.to_vec()));
    let cose = [
        (1, 2.into()),
        (3, (-7).into()),
        (-1, 1.into()),
        (-2, coordinate(x.as_deref())),
        (-3, coordinate(y.as_deref())),
    ];
    bytes.extend(cbor(&Cbor::Map(cose.into_iter().map(|(label, value): (i64, Cbor)| (label.into(), value)).collect())));
    bytes
}

/// Writes an attestation object that attests nothing (WebAuthn L3, section 8.7).
pub(crate) fn attestation_object(auth_data: &[u8]) -> Vec<u8> {
    let members =
        [("fmt", Cbor::from("none")), ("attStmt", Cbor::Map(Vec::new())), ("authData", Cbor::from(auth_data))];
    cbor(&Cbor::Map(members.into_iter().map(|(name, value)| (name.into(), value)).collect()))
}

fn cbor(value: &Cbor) -> Vec<u8> {
    let mut bytes = Vec::new();
    // Writing into memory has nothing that can fail.
    let _ = ciborium::into_writer(value, &mut bytes);
    bytes
}
