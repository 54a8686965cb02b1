//! What a ceremony does wrong. Everything left alone is as a good authenticator and a good browser do it.

/// What a ceremony does wrong: set the fields, leave the rest.
///
/// ```
/// use tegata_authenticator::Faults;
/// let unverified = Faults { user_verified: Some(false), ..Faults::default() };
/// ```
#[derive(Clone, Debug, Default)]
pub struct Faults {
    /// The UP flag.
    pub user_present: Option<bool>,
    /// The UV flag.
    pub user_verified: Option<bool>,
    /// The BE flag.
    pub backup_eligible: Option<bool>,
    /// The BS flag.
    pub backup_state: Option<bool>,
    /// The sign counter, in place of the next one; the device goes on from it.
    pub counter: Option<u32>,
    /// The RP ID whose hash is signed.
    pub rp_id: Option<String>,
    /// The origin in the client data, in place of the page's.
    pub origin: Option<String>,
    /// The type in the client data, such as `payment.get`.
    pub kind: Option<String>,
    /// The challenge in the client data, in base64url.
    pub challenge: Option<String>,
    /// `crossOrigin` in the client data; a browser always says it.
    pub cross_origin: Option<bool>,
    /// `topOrigin` in the client data.
    pub top_origin: Option<serde_json::Value>,
    /// Further text at the end of the client data's object, such as `,"crossOrigin":false`.
    pub client_data_tail: String,
    /// Bytes of padding in the client data.
    pub padding: usize,
    /// `id` beside `rawId`.
    pub id: Option<String>,
    /// `id` and `rawId`, in place of the credential's own.
    pub raw_id: Option<Vec<u8>>,
    /// `type` of the credential.
    pub credential_type: Option<String>,
    /// `userHandle` of an assertion.
    pub user_handle: Option<Vec<u8>>,
    /// The ED flag, and these bytes as extensions.
    pub extensions: Option<Vec<u8>>,
    /// The AT flag of an assertion, and these bytes as attested credential data.
    pub attested: Option<Vec<u8>>,
    /// Bytes after the authenticator data; they are signed.
    pub trailing: Vec<u8>,
    /// Flips a bit of the signature.
    pub flip_signature: bool,
    /// Signs with the key of this credential, under the other one's id.
    pub signs_with: Option<Vec<u8>>,
    /// Uses this credential, whether or not the options allow it.
    pub uses: Option<Vec<u8>>,
    /// Answers `create` with this credential, which is here already, whether or not the options exclude it.
    pub makes_again: Option<Vec<u8>>,
}
