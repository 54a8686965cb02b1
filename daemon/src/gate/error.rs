//! Why the gate did not open. Each text is one line for the person, with the command that mends it where one does.

use crate::names::{PasskeyName, Person};
use crate::store::StoreError;
use std::time::Duration;
use webauthn_rs::prelude::WebauthnError;

use super::passkey::PasskeyId;

/// Why the gate did not open.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum GateError {
    /// The ceremony is unknown, used, too old, or was pushed out by newer ones. One answer for all of them.
    #[error("this gesture came too late or was used before; run the command again")]
    NoSuchCeremony,
    /// The answer came from another page, or is for something else than what was shown when the ceremony began.
    #[error("this gesture was made for another request; run the command again")]
    OtherRequest,
    /// The answer is larger than any authenticator's.
    #[error("the browser's answer is larger than {limit} bytes")]
    TooLarge {
        /// The limit in bytes.
        limit: usize,
    },
    /// The answer does not prove what it has to.
    #[error("the passkey's answer was refused: {0}")]
    Refused(Fault),
    /// The sign counter did not go on: somebody else may hold a copy of this key. It is suspended from here on, and
    /// whoever reads this alerts the person.
    #[error("the passkey {name} of {person} may have been copied (its counter went back) and is suspended; {REPLACE}")]
    CounterWentBack {
        /// Which passkey.
        passkey: PasskeyId,
        /// Its name.
        name: PasskeyName,
        /// Its person.
        person: Person,
    },
    /// A passkey that was bound to its device now says it can be copied elsewhere, or the other way round.
    #[error("the passkey {name} is not as it was enrolled (whether it may leave its device has changed); {REPLACE}")]
    BackupEligibilityChanged {
        /// Which passkey.
        passkey: PasskeyId,
        /// Its name.
        name: PasskeyName,
    },
    /// The passkey was suspended before.
    #[error("the passkey {name} is suspended; {REPLACE}")]
    Suspended {
        /// Its name.
        name: PasskeyName,
    },
    /// Too many ceremonies failed.
    #[error("too many gestures failed; wait {} seconds and run the command again", left.as_secs().max(1))]
    CoolDown {
        /// How long it still lasts.
        left: Duration,
        /// Whether nobody was told of this cool-down before: true once per cool-down, for the notification.
        began: bool,
    },
    /// None is enrolled.
    #[error("no passkey is enrolled; run `tegata passkey add`")]
    NoPasskey,
    /// None of the enrolled ones may approve this.
    #[error("none of the enrolled passkeys may approve this; see `tegata passkey list`")]
    NoneFits,
    /// No passkey has this id.
    #[error("there is no passkey {id}; see `tegata passkey list`")]
    UnknownPasskey {
        /// The id.
        id: PasskeyId,
    },
    /// The authenticator made a credential that is enrolled already.
    #[error("this passkey is enrolled already; see `tegata passkey list`")]
    AlreadyEnrolled,
    /// Two passkeys of one name could not be told apart.
    #[error("there is a passkey of the name {name} already; choose another name")]
    NameTaken {
        /// The name.
        name: PasskeyName,
    },
    /// As many are enrolled as there may be.
    #[error("{limit} passkeys are enrolled; remove one with `tegata passkey remove` first")]
    TooMany {
        /// The limit.
        limit: usize,
    },
    /// The record cannot be read. The gate stays shut: that it is unreadable does not mean that there were none.
    #[error(
        "the record of the passkeys is damaged ({detail}), so none can approve; run `tegata passkey reset`, which asks you to sign in again"
    )]
    Damaged {
        /// What is wrong.
        detail: String,
    },
    /// The store did not do it, so nothing was approved or changed.
    #[error("{0}")]
    Store(StoreError),
    /// The page's origin is not one that the gate serves.
    #[error("{0:?} is not an origin of the approval page")]
    Origin(String),
    /// Cannot happen.
    #[error("internal error: {0}")]
    Internal(&'static str),
}

const REPLACE: &str = "remove it with `tegata passkey remove` and enrol it anew with `tegata passkey add`";

impl From<StoreError> for GateError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Damaged { detail, .. } => Self::Damaged { detail },
            other => Self::Store(other),
        }
    }
}

impl From<Fault> for GateError {
    fn from(fault: Fault) -> Self {
        Self::Refused(fault)
    }
}

impl GateError {
    /// Whether somebody tried and failed; otherwise the gate itself could not, or would not yet.
    pub(super) fn is_failed_ceremony(&self) -> bool {
        match self {
            Self::NoSuchCeremony
            | Self::OtherRequest
            | Self::TooLarge { .. }
            | Self::Refused(_)
            | Self::CounterWentBack { .. }
            | Self::BackupEligibilityChanged { .. }
            | Self::Suspended { .. }
            | Self::AlreadyEnrolled => true,
            Self::CoolDown { .. }
            | Self::NoPasskey
            | Self::NoneFits
            | Self::UnknownPasskey { .. }
            | Self::NameTaken { .. }
            | Self::TooMany { .. }
            | Self::Damaged { .. }
            | Self::Store(_)
            | Self::Origin(_)
            | Self::Internal(_) => false,
        }
    }
}

/// What is wrong with an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// Not what `PublicKeyCredential.toJSON()` gives.
    #[error("it is not what a browser sends ({0})")]
    Malformed(&'static str),
    /// `id`, `rawId` and the credential id that the authenticator signed are not one.
    #[error("it names two passkeys")]
    Ids,
    /// Made in a frame of another page.
    #[error("it was made inside another page")]
    Framed,
    /// Made on another page.
    #[error("it was made on another page")]
    Origin,
    /// Made for another relying party.
    #[error("it was made for another program")]
    RpId,
    /// Not the kind of ceremony that was begun.
    #[error("it answers another kind of question")]
    Kind,
    /// Not this ceremony's.
    #[error("it answers another question")]
    Challenge,
    /// Bytes where none belong, or too few.
    #[error("its authenticator data has the wrong shape")]
    AuthenticatorData,
    /// UP unset.
    #[error("nobody touched the device")]
    NotPresent,
    /// UV unset.
    #[error("the device did not check who you are (PIN, fingerprint or face)")]
    NotVerified,
    /// Of a passkey that may not approve this, or is not enrolled.
    #[error("this passkey may not approve this")]
    NotAllowed,
    /// Of another user.
    #[error("it names another person")]
    UserHandle,
    /// Wrong signature.
    #[error("its signature is wrong")]
    Signature,
    /// BS without BE, or both turned on.
    #[error("the passkey says it was copied, but not that it can be")]
    BackupFlags,
    /// Anything else that the library refuses.
    #[error("it does not verify")]
    Unverified,
}

impl From<&WebauthnError> for Fault {
    fn from(error: &WebauthnError) -> Self {
        match error {
            WebauthnError::UserNotPresent => Self::NotPresent,
            WebauthnError::UserNotVerified => Self::NotVerified,
            WebauthnError::InvalidRPIDHash => Self::RpId,
            WebauthnError::InvalidRPOrigin => Self::Origin,
            WebauthnError::InvalidClientDataType => Self::Kind,
            WebauthnError::MismatchedChallenge => Self::Challenge,
            WebauthnError::AuthenticationFailure => Self::Signature,
            WebauthnError::CredentialNotFound => Self::NotAllowed,
            WebauthnError::CredentialMayNotBeHardwareBound => Self::BackupFlags,
            _ => Self::Unverified,
        }
    }
}
