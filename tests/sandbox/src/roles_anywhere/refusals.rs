//! The refusals of CreateSession. The three texts with a name of their own were seen by users of AWS's client; the others
//! are made up, and their status is the documented one.

use crate::reply::Refusal;

pub(super) fn invalid(message: impl Into<String>) -> Refusal {
    Refusal::new(400, "ValidationException", message)
}

pub(super) fn not_found(message: impl Into<String>) -> Refusal {
    Refusal::new(404, "ResourceNotFoundException", message)
}

pub(super) fn denied(message: impl Into<String>) -> Refusal {
    Refusal::new(403, "AccessDeniedException", message)
}

/// No path of trust leads from the certificate to the anchor.
pub(super) fn untrusted() -> Refusal {
    denied("Untrusted signing certificate")
}

/// The role does not trust the service, or the profile does not have it.
pub(super) fn unable(role_arn: &str) -> Refusal {
    denied(format!("Unable to assume role for {role_arn}"))
}

/// The request names the role session, and the profile does not let it.
pub(super) fn name_not_accepted() -> Refusal {
    denied("Not authorized to set roleSessionName.")
}
