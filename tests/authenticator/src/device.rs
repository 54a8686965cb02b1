//! The device and the browser in front of it: `create` and `get`.

use crate::credential::Credential;
use crate::faults::Faults;
use crate::wire::{self, base64url, from_base64url};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

/// One device of one person.
#[derive(Clone, Debug)]
pub struct Authenticator {
    credentials: Vec<Credential>,
    counts: bool,
    backup_eligible: bool,
}

/// Why there is no answer, as a browser would say it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// The options exclude a credential that is here (`InvalidStateError`).
    AlreadyHere,
    /// No credential here is one that the options allow (`NotAllowedError`).
    NoneFits,
    /// The options are not `{"publicKey": …}` as WebAuthn has them.
    NoOptions,
}

impl std::fmt::Display for Refusal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::AlreadyHere => "InvalidStateError: the options exclude a passkey that this device has",
            Self::NoneFits => "NotAllowedError: this device has none of the passkeys that the options allow",
            Self::NoOptions => "TypeError: these are no WebAuthn options",
        })
    }
}

impl std::error::Error for Refusal {}

impl Default for Authenticator {
    fn default() -> Self {
        Self::new()
    }
}

impl Authenticator {
    /// Makes a device whose keys never leave it and that counts its signatures, as security keys do.
    #[must_use]
    pub fn new() -> Self {
        Self { credentials: Vec::new(), counts: true, backup_eligible: false }
    }

    /// Makes a device whose keys are synced and that counts nothing, as phones and password managers do.
    #[must_use]
    pub fn synced() -> Self {
        Self { credentials: Vec::new(), counts: false, backup_eligible: true }
    }

    /// Returns the ids of the credentials, oldest first.
    #[must_use]
    pub fn credential_ids(&self) -> Vec<Vec<u8>> {
        self.credentials.iter().map(|credential| credential.id.clone()).collect()
    }

    /// Answers `navigator.credentials.create(options)` of a page at `origin`.
    ///
    /// # Errors
    /// [`Refusal`].
    pub fn create(&mut self, options: &Value, origin: &str) -> Result<Value, Refusal> {
        self.create_with(options, origin, &Faults::default())
    }

    /// Answers `navigator.credentials.create(options)`, wrongly.
    ///
    /// # Errors
    /// [`Refusal`].
    pub fn create_with(&mut self, options: &Value, origin: &str, faults: &Faults) -> Result<Value, Refusal> {
        let options = &options["publicKey"];
        let challenge = options["challenge"].as_str().ok_or(Refusal::NoOptions)?;
        let rp_id = options["rp"]["id"].as_str().ok_or(Refusal::NoOptions)?;
        let user = options["user"]["id"].as_str().and_then(from_base64url).ok_or(Refusal::NoOptions)?;
        let excluded = descriptors(&options["excludeCredentials"]);
        let again = self.credentials.iter().position(|held| faults.makes_again.as_ref() == Some(&held.id));
        if again.is_none() && self.credentials.iter().any(|held| excluded.contains(&held.id)) {
            return Err(Refusal::AlreadyHere);
        }
        let mut credential = match again {
            Some(at) => self.credentials.remove(at),
            None => Credential::new(rp_id, &user, self.counts, self.backup_eligible),
        };
        let counter = credential.count(faults.counter);
        let attested = wire::attested(&credential.id, &credential.key);
        let auth_data = wire::auth_data(&credential, faults, counter, Some(&attested));
        let client_data = wire::client_data("webauthn.create", challenge, origin, faults);
        let answer = json!({
            "attestationObject": base64url(&wire::attestation_object(&auth_data)),
            "clientDataJSON": base64url(&client_data),
            "transports": ["internal"],
        });
        let answer = public_key_credential(&credential, faults, answer);
        self.credentials.push(credential);
        Ok(answer)
    }

    /// Answers `navigator.credentials.get(options)` of a page at `origin`.
    ///
    /// # Errors
    /// [`Refusal`].
    pub fn get(&mut self, options: &Value, origin: &str) -> Result<Value, Refusal> {
        self.get_with(options, origin, &Faults::default())
    }

    /// Answers `navigator.credentials.get(options)`, wrongly.
    ///
    /// # Errors
    /// [`Refusal`].
    pub fn get_with(&mut self, options: &Value, origin: &str, faults: &Faults) -> Result<Value, Refusal> {
        let options = &options["publicKey"];
        let challenge = options["challenge"].as_str().ok_or(Refusal::NoOptions)?;
        let rp_id = options["rpId"].as_str().ok_or(Refusal::NoOptions)?;
        let allowed = descriptors(&options["allowCredentials"]);
        let fits = |held: &Credential| match &faults.uses {
            Some(id) => held.id == *id,
            None => held.rp_id == rp_id && allowed.contains(&held.id),
        };
        let at = self.credentials.iter().position(fits).ok_or(Refusal::NoneFits)?;
        let counter = self.credentials[at].count(faults.counter);
        let credential = &self.credentials[at];
        let auth_data = wire::auth_data(credential, faults, counter, faults.attested.as_deref());
        let client_data = wire::client_data("webauthn.get", challenge, origin, faults);
        let mut signature = self.signer(credential, faults).sign(&signed(&auth_data, &client_data));
        if let (true, Some(last)) = (faults.flip_signature, signature.last_mut()) {
            *last ^= 1;
        }
        let answer = json!({
            "authenticatorData": base64url(&auth_data),
            "clientDataJSON": base64url(&client_data),
            "signature": base64url(&signature),
            "userHandle": base64url(faults.user_handle.as_ref().unwrap_or(&credential.user)),
        });
        Ok(public_key_credential(credential, faults, answer))
    }

    fn signer<'a>(&'a self, credential: &'a Credential, faults: &Faults) -> &'a Credential {
        self.credentials.iter().find(|held| faults.signs_with.as_ref() == Some(&held.id)).unwrap_or(credential)
    }

    /// Writes the device down, private keys included.
    #[must_use]
    pub fn to_json(&self) -> Value {
        let credentials: Vec<_> = self.credentials.iter().map(Credential::to_json).collect();
        json!({"credentials": credentials, "counts": self.counts, "backup_eligible": self.backup_eligible})
    }

    /// Reads what [`Authenticator::to_json`] wrote; `None` if it is anything else.
    #[must_use]
    pub fn from_json(json: &Value) -> Option<Self> {
        let credentials = json["credentials"].as_array()?.iter().map(Credential::from_json).collect::<Option<_>>()?;
        let backup_eligible = json["backup_eligible"].as_bool()?;
        Some(Self { credentials, counts: json["counts"].as_bool()?, backup_eligible })
    }
}

/// What an assertion signs: the authenticator data, then the hash of the client data (WebAuthn L3, section 6.3.3).
fn signed(auth_data: &[u8], client_data: &[u8]) -> Vec<u8> {
    [auth_data, &Sha256::digest(client_data)].concat()
}

fn descriptors(list: &Value) -> Vec<Vec<u8>> {
    let ids = list.as_array().into_iter().flatten().filter_map(|entry| entry["id"].as_str());
    ids.filter_map(from_base64url).collect()
}

fn public_key_credential(credential: &Credential, faults: &Faults, response: Value) -> Value {
    let raw_id = base64url(faults.raw_id.as_ref().unwrap_or(&credential.id));
    json!({
        "id": faults.id.clone().unwrap_or_else(|| raw_id.clone()),
        "rawId": raw_id,
        "type": faults.credential_type.as_deref().unwrap_or("public-key"),
        "authenticatorAttachment": "platform",
        "clientExtensionResults": {},
        "response": response,
    })
}
