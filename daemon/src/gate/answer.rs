//! What an answer has to look like before webauthn-rs verifies it: the checks that it does not make. Pure.
//!
//! Everything in here is what the sender says. Nothing of it counts before the signature over it was verified.

use super::error::{Fault, GateError};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ciborium::Value as Cbor;
use serde::{Deserialize, Deserializer};
use webauthn_rs::prelude::{PublicKeyCredential, RegisterPublicKeyCredential};

/// The most bytes of an answer. A security key's is about one KiB; a certificate chain in the attestation, a few more.
pub const MAX_ANSWER: usize = 16 * 1024;

/// RP ID hash, flags and counter (WebAuthn L3, section 6.1).
const AUTH_DATA_HEAD: usize = 32 + 1 + 4;

/// Model id and length of the credential id (WebAuthn L3, section 6.5.2).
const ATTESTED_HEAD: usize = 16 + 2;

/// What the authenticator says of itself and its new credential.
pub(super) struct Made {
    pub(super) credential: RegisterPublicKeyCredential,
    pub(super) backup_eligible: bool,
    pub(super) counter: u32,
}

/// Reads the answer to `navigator.credentials.get`.
///
/// # Errors
/// [`GateError::TooLarge`] and [`GateError::Refused`].
pub(super) fn assertion(answer: &[u8], origin: &str) -> Result<PublicKeyCredential, GateError> {
    bounded(answer)?;
    let credential: PublicKeyCredential = serde_json::from_slice(answer).map_err(|_| Fault::Malformed("JSON"))?;
    one_identity(&credential.id, &credential.raw_id, &credential.type_)?;
    made_on_our_page(&credential.response.client_data_json, origin)?;
    let data = AuthData::read(&credential.response.authenticator_data)?;
    if data.attested.is_some() { Err(Fault::AuthenticatorData.into()) } else { Ok(credential) }
}

/// Reads the answer to `navigator.credentials.create`.
///
/// # Errors
/// [`GateError::TooLarge`] and [`GateError::Refused`].
pub(super) fn registration(answer: &[u8], origin: &str) -> Result<Made, GateError> {
    bounded(answer)?;
    let credential: RegisterPublicKeyCredential =
        serde_json::from_slice(answer).map_err(|_| Fault::Malformed("JSON"))?;
    one_identity(&credential.id, &credential.raw_id, &credential.type_)?;
    made_on_our_page(&credential.response.client_data_json, origin)?;
    let bytes = auth_data_of(&credential.response.attestation_object)?;
    let AuthData { backup_eligible, counter, attested } = AuthData::read(&bytes)?;
    match attested {
        Some(id) if id == credential.raw_id => Ok(Made { credential, backup_eligible, counter }),
        Some(_) => Err(Fault::Ids.into()),
        None => Err(Fault::AuthenticatorData.into()),
    }
}

fn bounded(answer: &[u8]) -> Result<(), GateError> {
    if answer.len() > MAX_ANSWER { Err(GateError::TooLarge { limit: MAX_ANSWER }) } else { Ok(()) }
}

fn one_identity(id: &str, raw_id: &[u8], kind: &str) -> Result<(), Fault> {
    if kind != "public-key" {
        Err(Fault::Malformed("type"))
    } else if id != URL_SAFE_NO_PAD.encode(raw_id) {
        Err(Fault::Ids)
    } else {
        Ok(())
    }
}

/// What webauthn-rs does not look at in the client data (WebAuthn L3, section 5.8.1). A member given twice is refused.
#[derive(Deserialize)]
struct ClientData {
    origin: String,
    #[serde(rename = "crossOrigin", default)]
    cross_origin: bool,
    #[serde(rename = "topOrigin", default, deserialize_with = "present")]
    has_top_origin: bool,
}

/// Whatever the value, `null` included.
fn present<'de, D: Deserializer<'de>>(deserializer: D) -> Result<bool, D::Error> {
    serde::de::IgnoredAny::deserialize(deserializer).map(|_| true)
}

fn made_on_our_page(client_data: &[u8], origin: &str) -> Result<(), Fault> {
    let client_data: ClientData =
        serde_json::from_slice(client_data).map_err(|_| Fault::Malformed("clientDataJSON"))?;
    if client_data.cross_origin || client_data.has_top_origin {
        Err(Fault::Framed)
    } else if client_data.origin != origin {
        Err(Fault::Origin)
    } else {
        Ok(())
    }
}

/// Authenticator data that is neither too short nor too long (WebAuthn L3, section 6.1).
struct AuthData {
    backup_eligible: bool,
    counter: u32,
    /// The credential id in the attested credential data.
    attested: Option<Vec<u8>>,
}

impl AuthData {
    fn read(bytes: &[u8]) -> Result<Self, Fault> {
        let (head, mut rest) = bytes.split_at_checked(AUTH_DATA_HEAD).ok_or(Fault::AuthenticatorData)?;
        let (flags, counter) = (head[32], [head[33], head[34], head[35], head[36]]);
        let attested = if flags & 0x40 == 0 { None } else { Some(attested(&mut rest)?) };
        if flags & 0x80 != 0 {
            map(&mut rest)?;
        }
        if !rest.is_empty() {
            return Err(Fault::AuthenticatorData);
        }
        Ok(Self { backup_eligible: flags & 0x08 != 0, counter: u32::from_be_bytes(counter), attested })
    }
}

/// Reads attested credential data off `rest` and returns the credential id.
fn attested(rest: &mut &[u8]) -> Result<Vec<u8>, Fault> {
    let (head, after) = rest.split_at_checked(ATTESTED_HEAD).ok_or(Fault::AuthenticatorData)?;
    let length = usize::from(u16::from_be_bytes([head[16], head[17]]));
    let (id, after) = after.split_at_checked(length).ok_or(Fault::AuthenticatorData)?;
    *rest = after;
    map(rest)?;
    Ok(id.to_vec())
}

/// Reads one CBOR map off `rest`.
fn map(rest: &mut &[u8]) -> Result<Vec<(Cbor, Cbor)>, Fault> {
    match ciborium::from_reader(rest) {
        Ok(Cbor::Map(members)) => Ok(members),
        _ => Err(Fault::AuthenticatorData),
    }
}

/// Returns the authenticator data of an attestation object, which has to be one map with nothing after it.
fn auth_data_of(mut attestation_object: &[u8]) -> Result<Vec<u8>, Fault> {
    let members = map(&mut attestation_object).map_err(|_| Fault::Malformed("attestationObject"))?;
    let mut found = members.into_iter().filter(|(name, _)| name.as_text() == Some("authData"));
    match (found.next(), found.next(), attestation_object) {
        (Some((_, Cbor::Bytes(bytes))), None, []) => Ok(bytes),
        _ => Err(Fault::Malformed("attestationObject")),
    }
}
