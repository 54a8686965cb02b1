//! IAM as Tegata uses it: a user's own access keys. What is asked, and what comes back.

mod answers;
mod endpoint;
mod wire;

pub(super) use wire::Wire;

use crate::credentials::Credentials;
use std::time::SystemTime;
use tegata_protocol::Secret;

/// An access key as IAM lists it. IAM tells a secret access key once, when it is made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListedKey {
    /// `AKIA…`.
    pub id: String,
    /// Whether AWS accepts it.
    pub is_active: bool,
    /// When it was made, in whole seconds; absent where the answer does not say it in a form that can be read.
    pub created_at: Option<SystemTime>,
}

/// An access key that IAM has just made.
#[derive(Clone, Debug)]
pub struct MadeKey {
    /// `AKIA…`.
    pub id: String,
    /// The secret access key.
    pub secret: Secret,
    /// When it was made, in whole seconds.
    pub created_at: Option<SystemTime>,
}

/// The last use of an access key (IAM API reference, `AccessKeyLastUsed`). Uses are told up to some hours late.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LastUse {
    /// When.
    pub at: SystemTime,
    /// The service's name in signatures: one printable line.
    pub service: String,
    /// The region: one printable line.
    pub region: String,
}

/// What a user has for one service alone, as IAM lists it (IAM API reference, `ServiceSpecificCredentialMetadata`): a password for CodeCommit
/// or Keyspaces, a long-term API key for Bedrock. IAM tells no secret and no last use of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServiceCredential {
    /// `ACCA…`: 20 to 128 letters, digits and underscores.
    pub id: String,
    /// The service, `codecommit.amazonaws.com` for instance: one printable line.
    pub service: String,
    /// Whether AWS accepts it.
    pub is_active: bool,
    /// When it was made; absent where the answer does not say it in a form that can be read.
    pub created_at: Option<SystemTime>,
    /// When it ends by itself, if it does.
    pub expires_at: Option<SystemTime>,
}

/// Whose access keys are asked about, and what signs the request.
#[derive(Clone, Copy, Debug)]
pub struct KeysOf<'a> {
    /// The user.
    pub user: &'a crate::arns::UserArn,
    /// An access key of theirs: IAM takes no session without MFA (STS API reference, `GetSessionToken`).
    pub from: &'a Credentials,
}
