//! What IAM users ask of AWS, and what its refusals mean to them.

use super::AwsError;
use crate::names::AccountId;
use std::time::Duration;
use tegata_protocol::Secret;

/// A session of an IAM user to ask for (STS API reference, `GetSessionToken`).
#[derive(Clone, Debug)]
pub struct SessionToAsk<'a> {
    /// How long it lasts: 900 to 129,600 seconds.
    pub duration: Duration,
    /// A code of the user's device, where the session is to count as one with MFA.
    pub mfa: Option<MfaCode<'a>>,
}

/// A code of an MFA device. AWS takes it once.
#[derive(Clone, Copy, Debug)]
pub struct MfaCode<'a> {
    /// The device: a virtual one's ARN or a hardware one's serial number.
    pub serial: &'a str,
    /// Six digits.
    pub code: &'a Secret,
}

/// Who somebody with credentials is, as AWS says (STS API reference, `GetCallerIdentity`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CallerIdentity {
    /// The ARN: one printable line.
    pub arn: String,
    /// The account.
    pub account: AccountId,
}

impl AwsError {
    /// Whether AWS did not take the code of an MFA device: wrong, too old, or used before.
    #[must_use]
    pub fn is_wrong_code(&self) -> bool {
        matches!(self, Self::Refused { code, message, .. }
            if code == "AccessDenied" && message.contains("MultiFactorAuthentication failed"))
    }

    /// Whether AWS does not know the access key: it was deleted or deactivated (STS API reference, common errors).
    #[must_use]
    pub fn is_unknown_key(&self) -> bool {
        matches!(self, Self::Refused { code, .. } if code == "InvalidClientTokenId")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(code: &str, message: &str) -> AwsError {
        AwsError::Refused { operation: "GetSessionToken", code: code.to_owned(), message: message.to_owned() }
    }

    #[test]
    fn a_wrong_code_is_told_apart_from_a_missing_permission() {
        let wrong = "MultiFactorAuthentication failed with invalid MFA one time pass code. ";
        assert!(refused("AccessDenied", wrong).is_wrong_code());
        for other in [
            refused("AccessDenied", "User: arn:u is not authorized to perform: sts:GetSessionToken"),
            refused("ValidationError", wrong),
            AwsError::Unavailable { operation: "GetSessionToken", detail: wrong.to_owned() },
        ] {
            assert!(!other.is_wrong_code(), "{other}");
        }
    }

    #[test]
    fn a_key_that_is_gone_is_told_apart_from_a_wrong_secret() {
        assert!(
            refused("InvalidClientTokenId", "The security token included in the request is invalid.").is_unknown_key()
        );
        assert!(!refused("SignatureDoesNotMatch", "…").is_unknown_key());
    }
}
