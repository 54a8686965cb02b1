//! Errors as they cross the socket: a stable code, one line of text, the command that mends it.

use crate::Exit;
use serde::{Deserialize, Serialize};

/// What went wrong, for programs. Codes are stable; their texts are not.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum ErrorCode {
    /// No live credentials and no live sign-in session: a person has to sign in.
    SignInRequired,
    /// A person was asked to sign in and did not finish in time, refused, or was refused.
    SignInFailed,
    /// The start URL, region or endpoint of a known sign-in session is not the one it was first signed in with.
    SignInChanged,
    /// A passkey gesture is needed.
    ElevationRequired,
    /// Refused by a rule or by the human.
    Denied,
    /// Everything is locked until `tegata unlock`.
    Locked,
    /// No such profile or sign-in session.
    ProfileUnknown,
    /// The profile, or the file it is in, cannot be used as it is written.
    ProfileInvalid,
    /// No job of GitHub Actions was handed over, or GitHub does not take the one that was.
    JobRequired,
    /// The certificate of a profile, or its private key, cannot be used: not there, ended, or readable by others.
    CertificateUnusable,
    /// Tegata's own settings cannot be used as they are written.
    SettingsInvalid,
    /// The web console has no such place, or no session of that length.
    ConsoleInvalid,
    /// AWS refused the request.
    UpstreamRefused,
    /// AWS could not be reached, or did not answer in time or in shape.
    UpstreamUnavailable,
    /// The work is still under way after the time the caller was willing to wait.
    WaitEnded,
    /// The keyring is locked.
    KeyringLocked,
    /// The keyring denied access, or is not there.
    KeyringUnavailable,
    /// The two programs speak different protocol versions.
    ProtocolMismatch,
    /// The request is not one this API has.
    BadRequest,
    /// No such resource.
    NotFound,
    /// More was sent than is read.
    TooLarge,
    /// The daemon is ending.
    ShuttingDown,
    /// A record could not be written, so nothing was released.
    AuditFailed,
    /// A fault of the daemon's own.
    Internal,
}

impl ErrorCode {
    /// Returns the exit code `tegata` ends with on this error.
    #[must_use]
    pub fn exit(self) -> Exit {
        match self {
            Self::SignInRequired | Self::SignInFailed | Self::JobRequired => Exit::SignInNeeded,
            Self::ElevationRequired => Exit::ElevationNeeded,
            Self::Denied | Self::Locked => Exit::Denied,
            Self::SignInChanged
            | Self::ProfileUnknown
            | Self::ProfileInvalid
            | Self::CertificateUnusable
            | Self::SettingsInvalid => Exit::ProfileWrong,
            Self::UpstreamRefused | Self::UpstreamUnavailable | Self::WaitEnded => Exit::UpstreamFailed,
            Self::KeyringLocked | Self::KeyringUnavailable => Exit::KeyringUnavailable,
            Self::ProtocolMismatch | Self::ShuttingDown => Exit::DaemonUnreachable,
            Self::BadRequest | Self::NotFound | Self::TooLarge | Self::ConsoleInvalid => Exit::Usage,
            Self::AuditFailed | Self::Internal => Exit::Failed,
        }
    }

    /// Returns the HTTP status the daemon sends with this error.
    #[must_use]
    pub fn http_status(self) -> u16 {
        match self {
            Self::SignInRequired | Self::SignInFailed | Self::JobRequired => 401,
            Self::ElevationRequired | Self::Denied | Self::SignInChanged => 403,
            Self::Locked | Self::KeyringLocked => 423,
            Self::ProfileUnknown | Self::NotFound => 404,
            Self::ProfileInvalid | Self::CertificateUnusable | Self::SettingsInvalid | Self::ConsoleInvalid => 422,
            Self::BadRequest => 400,
            Self::TooLarge => 413,
            Self::ProtocolMismatch => 426,
            Self::UpstreamRefused | Self::UpstreamUnavailable => 502,
            Self::WaitEnded => 504,
            Self::KeyringUnavailable | Self::ShuttingDown => 503,
            Self::AuditFailed | Self::Internal => 500,
        }
    }
}

/// The body of every answer that is not a success.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ErrorBody {
    /// What went wrong, for programs.
    pub code: ErrorCode,
    /// What went wrong, for people: one line, printable, free of secrets.
    pub message: String,
    /// The command that mends it, where there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mend: Option<String>,
}

impl ErrorBody {
    /// Makes an error without a mending command; `message` is made printable and cut to one line.
    #[must_use]
    pub fn new(code: ErrorCode, message: impl AsRef<str>) -> Self {
        Self { code, message: crate::text::one_line(message.as_ref()), mend: None }
    }

    /// Adds the command that mends it.
    #[must_use]
    pub fn mend(mut self, command: impl AsRef<str>) -> Self {
        self.mend = Some(crate::text::one_line(command.as_ref()));
        self
    }
}

#[cfg(test)]
mod tests {
    use super::{ErrorBody, ErrorCode};

    #[test]
    fn the_wire_form_is_stable() {
        let body = ErrorBody::new(ErrorCode::SignInRequired, "sign-in corp has ended").mend("tegata login corp");
        let json = serde_json::to_string(&body).unwrap();
        assert_eq!(
            json,
            r#"{"code":"sign_in_required","message":"sign-in corp has ended","mend":"tegata login corp"}"#
        );
        assert_eq!(serde_json::from_str::<ErrorBody>(&json).unwrap(), body);
    }

    #[test]
    fn hostile_text_becomes_one_printable_line() {
        let body = ErrorBody::new(ErrorCode::UpstreamRefused, "a\u{1b}]52;c;x\u{7}\nb");
        assert!(!body.message.chars().any(char::is_control));
    }
}
