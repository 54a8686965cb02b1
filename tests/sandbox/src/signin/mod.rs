//! AWS Sign-In, the service behind `aws login`: a browser's console session becomes credentials of fifteen minutes, renewed for twelve
//! hours by whoever holds the refresh token and the key it is bound to.
//!
//! Its paths, checks and error codes are those of the service's API reference and of what AWS CLI 2.38.5 sends. Beyond that it is strict:
//! a refresh token is good once, though AWS documents a refresh as idempotent for a while, and its reuse ends the login.

mod authorize;
mod logins;
mod proof;
mod token;

use std::time::Duration;

pub(crate) use authorize::{authorize, confirmation};
pub use logins::Login;
pub(crate) use logins::Logins;
use serde::{Deserialize, Serialize};
pub(crate) use token::create_oauth2_token;

use crate::issued::Ledger;
use crate::mint::Mint;
use crate::reply::Refusal;
use crate::settings::{Settings, seconds};

/// A client with a browser on its own machine.
const SAME_DEVICE: &str = "arn:aws:signin:::devtools/same-device";
/// A client whose browser is elsewhere; the person carries the code over.
const CROSS_DEVICE: &str = "arn:aws:signin:::devtools/cross-device";
const CONFIRMATION: &str = "/v1/sessions/confirmation";

/// How a console login goes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ConsoleLogin {
    /// The ARN of who is signed in to the console in the browser: a role session, an IAM user, or an account's root.
    pub identity: String,
    /// The OAuth error and its text that the browser brings back instead of a code.
    pub refuse: Option<(String, String)>,
    /// How long one set of credentials lives (AWS: 15 minutes, and never more).
    #[serde(with = "seconds")]
    pub credentials: Duration,
    /// How long a login can be renewed for (AWS: 12 hours).
    #[serde(with = "seconds")]
    pub total: Duration,
    /// How far a proof's `iat` may be from the sandbox's clock.
    #[serde(with = "seconds")]
    pub proof_skew: Duration,
}

impl Default for ConsoleLogin {
    /// Alice, as the role `Admin` of account 123456789012.
    fn default() -> Self {
        Self {
            identity: "arn:aws:sts::123456789012:assumed-role/Admin/alice".to_owned(),
            refuse: None,
            credentials: Duration::from_secs(15 * 60),
            total: Duration::from_secs(12 * 3600),
            proof_skew: Duration::from_secs(5 * 60),
        }
    }
}

/// What a handler works on.
pub(crate) struct Reception<'a> {
    pub(crate) logins: &'a mut Logins,
    pub(crate) ledger: &'a mut Ledger,
    pub(crate) mint: &'a mut Mint,
    pub(crate) settings: &'a Settings,
}

/// The exception and the `error` member of a refusal (API reference of AWS Sign-In, `OAuth2ErrorCode`).
pub(crate) fn error_names(code: &str) -> (&str, &str) {
    match code {
        "TOKEN_EXPIRED" | "AUTHCODE_EXPIRED" | "USER_CREDENTIALS_CHANGED" | "INSUFFICIENT_PERMISSIONS" => {
            ("AccessDeniedException", code)
        }
        "server_error" | "InternalServerException" => ("InternalServerException", "server_error"),
        "TooManyRequestsError" => (code, "INVALID_REQUEST"),
        _ => ("ValidationException", "INVALID_REQUEST"),
    }
}

/// A refusal with the status that AWS documents for its error code.
fn refuse(code: &str, message: &str) -> Refusal {
    let status = match code {
        "TOKEN_EXPIRED" | "AUTHCODE_EXPIRED" => 401,
        "USER_CREDENTIALS_CHANGED" | "INSUFFICIENT_PERMISSIONS" => 403,
        _ => 400,
    };
    Refusal::new(status, code, message)
}

fn invalid(message: &str) -> Refusal {
    refuse("INVALID_REQUEST", message)
}
