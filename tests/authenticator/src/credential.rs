//! One key pair and what a device remembers with it.

use crate::wire::{base64url, from_base64url};
use p256::ecdsa::signature::Signer as _;
use p256::ecdsa::{Signature, SigningKey};
use serde_json::{Value, json};

/// A credential: a P-256 key, for one relying party and one of its users.
#[derive(Clone)]
pub struct Credential {
    pub(crate) id: Vec<u8>,
    pub(crate) rp_id: String,
    pub(crate) user: Vec<u8>,
    pub(crate) key: SigningKey,
    /// The last counter signed; absent: a device that does not count and always says zero.
    pub(crate) counter: Option<u32>,
    pub(crate) backup_eligible: bool,
}

impl std::fmt::Debug for Credential {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Credential")
            .field("id", &base64url(&self.id))
            .field("rp_id", &self.rp_id)
            .finish_non_exhaustive()
    }
}

impl Credential {
    pub(crate) fn new(rp_id: &str, user: &[u8], counts: bool, backup_eligible: bool) -> Self {
        let id = random::<32>().to_vec();
        let counter = counts.then_some(0);
        Self { id, rp_id: rp_id.to_owned(), user: user.to_vec(), key: new_key(), counter, backup_eligible }
    }

    /// Returns the credential id.
    #[must_use]
    pub fn id(&self) -> &[u8] {
        &self.id
    }

    /// Counts a use, or goes on from `told`. Returns what is signed.
    pub(crate) fn count(&mut self, told: Option<u32>) -> u32 {
        let next = told.or(self.counter.map(|last| last.saturating_add(1))).unwrap_or(0);
        self.counter = self.counter.map(|_| next);
        next
    }

    /// Signs (ES256, as DER: WebAuthn L3, section 6.5.5).
    pub(crate) fn sign(&self, message: &[u8]) -> Vec<u8> {
        let signature: Signature = self.key.sign(message);
        signature.to_der().as_bytes().to_vec()
    }

    pub(crate) fn to_json(&self) -> Value {
        json!({
            "id": base64url(&self.id), "rp_id": self.rp_id, "user": base64url(&self.user),
            "key": base64url(&self.key.to_bytes()), "counter": self.counter, "backup_eligible": self.backup_eligible,
        })
    }

    pub(crate) fn from_json(json: &Value) -> Option<Self> {
        let bytes = |field: &str| json[field].as_str().and_then(from_base64url);
        Some(Self {
            id: bytes("id")?,
            rp_id: json["rp_id"].as_str()?.to_owned(),
            user: bytes("user")?,
            key: SigningKey::from_slice(&bytes("key")?).ok()?,
            counter: json["counter"].as_u64().and_then(|counter| u32::try_from(counter).ok()),
            backup_eligible: json["backup_eligible"].as_bool()?,
        })
    }
}

fn random<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    // Linux cannot fail here once it has booted (getrandom(2)).
    let _ = getrandom::fill(&mut bytes);
    bytes
}

fn new_key() -> SigningKey {
    loop {
        // Nearly every 256-bit number is below the group's order; the rest is drawn again.
        if let Ok(key) = SigningKey::from_slice(&random::<32>()) {
            return key;
        }
    }
}
