//! Why a caller gets no credentials, and how that is said outside: one line and the command that mends it.

use crate::arns::{IdentityArn, MfaSerial, UserArn};
use crate::aws::AwsError;
use crate::certificates;
use crate::console::ConsoleFault;
use crate::gate::GateError;
use crate::github_job::JobFault;
use crate::helper::HelperError;
use crate::iam_keys::KeyProblem;
use crate::names::{ProfileName, SessionName};
use crate::policy::ReasonFault;
use crate::policy::terms::Denial;
use crate::profile::ProfileError;
use crate::provider::{ElevationError, TokenError};
use crate::requests::NoRequest;
use crate::sign_in_sessions::adopt::NoAdoption;
use crate::store::StoreError;
use tegata_protocol::{ErrorBody, ErrorCode};

/// Why a request ends without what it asked for. Cheap to clone: everybody in a flight gets one.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Problem {
    /// A person has to sign in.
    #[error("sign-in session {session} {why}")]
    SignInRequired {
        /// The sign-in session.
        session: SessionName,
        /// What became of it, to follow its name.
        why: String,
    },
    /// A person has to do something for a source that is no sign-in session.
    #[error("{what} {why}")]
    PersonNeeded {
        /// What it is done for, as a person knows it: who signs in, a device.
        what: String,
        /// What became of it, to follow that.
        why: String,
        /// The profile that was asked for; absent until somebody who knows it has put it in.
        profile: Option<ProfileName>,
    },
    /// Whoever a profile starts as has to sign in to the console.
    #[error("{identity} {why}")]
    LoginRequired {
        /// Who.
        identity: IdentityArn,
        /// What became of it, to follow that.
        why: String,
        /// The profile that was asked for; absent until somebody who knows it has put it in.
        profile: Option<ProfileName>,
    },
    /// A console login leads elsewhere than when it was made.
    #[error("the console login of {identity} is not what it was: {difference}")]
    LoginChanged {
        /// Who.
        identity: IdentityArn,
        /// What differs.
        difference: String,
        /// As in [`Problem::LoginRequired`].
        profile: Option<ProfileName>,
    },
    /// A person began to sign in to the console for a profile and it came to nothing.
    #[error("signing in to the console for {profile} failed: {why}")]
    LoginFailed {
        /// The profile.
        profile: ProfileName,
        /// Why.
        why: String,
    },
    /// No access key of the IAM user is in the store.
    #[error("no access key of {user} is in the keyring")]
    NoAccessKey {
        /// The user.
        user: UserArn,
        /// The profile that was asked for; absent until somebody who knows it has put it in.
        profile: Option<ProfileName>,
    },
    /// AWS does not know the access key that is in use.
    #[error("AWS does not know access key …{last_four} of {user}: it was deactivated or deleted")]
    KeyRefused {
        /// The user.
        user: UserArn,
        /// The end of the key's id.
        last_four: String,
        /// The profile that was asked for; absent until somebody who knows it has put it in.
        profile: Option<ProfileName>,
    },
    /// A code that a person gave is not good.
    #[error("the code of MFA device {device} is not good: {why}")]
    CodeRefused {
        /// The device.
        device: MfaSerial,
        /// Why.
        why: String,
    },
    /// A seed is there already.
    #[error("the seed of MFA device {device} is in the keyring already")]
    SeedThere {
        /// The device.
        device: MfaSerial,
        /// The profile that was asked for; absent until somebody who knows it has put it in.
        profile: Option<ProfileName>,
    },
    /// AWS has no user with so many devices.
    #[error("the keyring has {most} MFA devices of this user, which is as many as AWS has")]
    TooManyDevices {
        /// How many there may be.
        most: usize,
    },
    /// A certificate of this machine or its key cannot be used.
    #[error("{fault}")]
    Certificate {
        /// Why.
        fault: certificates::Fault,
        /// The profile that was asked for; absent until somebody who knows it has put it in.
        profile: Option<ProfileName>,
    },
    /// A person began to sign in and it came to nothing.
    #[error("signing in to {session} failed: {why}")]
    SignInFailed {
        /// The sign-in session.
        session: SessionName,
        /// Why.
        why: String,
    },
    /// A sign-in of another tool was not taken over.
    #[error("the sign-in of AWS CLI for {session} is not taken over: {why}")]
    NotAdopted {
        /// The sign-in session.
        session: SessionName,
        /// Why.
        why: NoAdoption,
    },
    /// The session is not the one that was signed in to.
    #[error("sign-in session {session} is not what it was when signed in to: {difference}")]
    SignInChanged {
        /// The sign-in session.
        session: SessionName,
        /// What differs.
        difference: String,
    },
    /// An access key is not taken in, or not turned over.
    #[error(transparent)]
    Keys(#[from] KeyProblem),
    /// The configuration cannot be used.
    #[error(transparent)]
    Profile(#[from] ProfileError),
    /// The target cannot be issued on the terms of its gate.
    #[error(transparent)]
    Elevation(#[from] ElevationError),
    /// There is no token to assume a role with.
    #[error(transparent)]
    Token(#[from] TokenError),
    /// A job of GitHub Actions has to be handed over first.
    #[error("the credentials start from a job of GitHub Actions, and no job was handed over")]
    JobRequired {
        /// The profile that was asked for; absent until somebody who knows it has put it in.
        profile: Option<ProfileName>,
    },
    /// What was handed over is no job.
    #[error(transparent)]
    Job(#[from] JobFault),
    /// The daemon does not run in an ECS task, as far as it was told.
    #[error("this is no ECS task: AWS_CONTAINER_CREDENTIALS_RELATIVE_URI {why}, as the daemon was started")]
    NoTask {
        /// What is wrong with the variable, to follow its name.
        why: &'static str,
    },
    /// What the settings name to be run did not do it.
    #[error(transparent)]
    Helper(#[from] HelperError),
    /// AWS gave nothing usable.
    #[error(transparent)]
    Aws(#[from] AwsError),
    /// The store gave nothing.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A hand has to approve first, and has not.
    #[error("{profile} is gated and waits for a hand")]
    ElevationRequired {
        /// The profile.
        profile: ProfileName,
        /// The request that waits.
        request: String,
    },
    /// A hand was waited for until the request's time was over.
    #[error("nobody approved {profile} in time")]
    NobodyApproved {
        /// The profile.
        profile: ProfileName,
    },
    /// Only a passkey opens this, and none is enrolled.
    #[error("this is gated by a passkey, and none is enrolled")]
    NoPasskey,
    /// A person said no, a moment ago.
    #[error("{profile} was refused by hand")]
    RefusedByHand {
        /// The profile.
        profile: ProfileName,
    },
    /// No rule lets this be had now.
    #[error(transparent)]
    DeniedByRule(#[from] Denial),
    /// The reason will not do.
    #[error(transparent)]
    Reason(#[from] ReasonFault),
    /// The rules allow no grant for so many programs.
    #[error("rule {rule} allows no grant for so many programs")]
    TooWide {
        /// The rules.
        rule: String,
    },
    /// There is no gate to open.
    #[error("{profile} is not gated; use it as it is")]
    NotGated {
        /// The profile.
        profile: ProfileName,
    },
    /// A grant ended while something was being done under it.
    #[error("the grant for {profile} has ended")]
    GrantEnded {
        /// The profile.
        profile: ProfileName,
    },
    /// A grant has no use left.
    #[error("the grant for {profile} is used up")]
    GrantUsedUp {
        /// The profile.
        profile: ProfileName,
    },
    /// Too much waits for a hand.
    #[error(transparent)]
    NoRequest(#[from] NoRequest),
    /// The settings lead elsewhere than was accepted.
    #[error("the settings were changed and not accepted: {what}")]
    NotAccepted {
        /// What was changed.
        what: String,
    },
    /// The passkeys did not do it.
    #[error(transparent)]
    Gate(#[from] GateError),
    /// It takes a sign-in of the last minutes.
    #[error("this takes a sign-in of the last {minutes} minutes")]
    FreshSignInRequired {
        /// How fresh.
        minutes: u64,
    },
    /// No link to the console can be made of what was asked for.
    #[error(transparent)]
    Console(#[from] ConsoleFault),
    /// Everything is locked.
    #[error("Tegata is locked")]
    Locked,
    /// It takes longer than the caller waits.
    #[error("no answer after {seconds} s; the request goes on in the background")]
    WaitEnded {
        /// How long the caller waited.
        seconds: u64,
    },
    /// A fault of the daemon's own.
    #[error("{0}")]
    Internal(&'static str),
}

impl Problem {
    /// Whether asking again soon may help without a person doing anything.
    #[must_use]
    pub fn is_passing(&self) -> bool {
        matches!(self, Self::Aws(error) if error.is_passing())
            || matches!(self, Self::Token(error) if error.is_passing())
            || matches!(self, Self::Helper(error) if !error.is_configuration())
            || matches!(self, Self::WaitEnded { .. } | Self::Internal(_))
    }

    /// Whether only a person can help, by signing in or the like.
    #[must_use]
    pub fn needs_person(&self) -> bool {
        matches!(self, Self::SignInRequired { .. } | Self::PersonNeeded { .. } | Self::LoginRequired { .. })
    }

    /// Puts in the profile that was asked for, so that the command that mends it can name it.
    #[must_use]
    pub fn asked_for(self, name: &ProfileName) -> Self {
        match self {
            Self::PersonNeeded { what, why, .. } => Self::PersonNeeded { what, why, profile: Some(name.clone()) },
            Self::LoginRequired { identity, why, .. } => {
                Self::LoginRequired { identity, why, profile: Some(name.clone()) }
            }
            Self::LoginChanged { identity, difference, .. } => {
                Self::LoginChanged { identity, difference, profile: Some(name.clone()) }
            }
            Self::NoAccessKey { user, .. } => Self::NoAccessKey { user, profile: Some(name.clone()) },
            Self::KeyRefused { user, last_four, .. } => {
                Self::KeyRefused { user, last_four, profile: Some(name.clone()) }
            }
            Self::SeedThere { device, .. } => Self::SeedThere { device, profile: Some(name.clone()) },
            Self::JobRequired { .. } => Self::JobRequired { profile: Some(name.clone()) },
            Self::Certificate { fault, .. } => Self::Certificate { fault, profile: Some(name.clone()) },
            other => other,
        }
    }

    fn code(&self) -> ErrorCode {
        match self {
            Self::Keys(problem) => problem.code(),
            Self::SignInRequired { .. }
            | Self::PersonNeeded { .. }
            | Self::LoginRequired { .. }
            | Self::NoAccessKey { .. }
            | Self::Aws(AwsError::SignInOver { .. }) => ErrorCode::SignInRequired,
            Self::SignInFailed { .. }
            | Self::LoginFailed { .. }
            | Self::NotAdopted { .. }
            | Self::CodeRefused { .. } => ErrorCode::SignInFailed,
            Self::Certificate { .. } => ErrorCode::CertificateUnusable,
            Self::JobRequired { .. } | Self::Token(TokenError::JobRefused { .. }) => ErrorCode::JobRequired,
            Self::Token(error) if error.is_passing() => ErrorCode::UpstreamUnavailable,
            Self::Token(_) | Self::NoTask { .. } => ErrorCode::ProfileInvalid,
            Self::Job(_) => ErrorCode::BadRequest,
            Self::KeyRefused { .. } => ErrorCode::UpstreamRefused,
            Self::SignInChanged { .. } | Self::LoginChanged { .. } => ErrorCode::SignInChanged,
            Self::Profile(ProfileError::Unknown { .. }) => ErrorCode::ProfileUnknown,
            Self::Profile(_) | Self::Elevation(_) => ErrorCode::ProfileInvalid,
            Self::Helper(error) if error.is_configuration() => ErrorCode::ProfileInvalid,
            Self::Helper(_) => ErrorCode::UpstreamUnavailable,
            Self::Aws(error) if error.is_passing() => ErrorCode::UpstreamUnavailable,
            Self::Aws(_) => ErrorCode::UpstreamRefused,
            Self::Store(StoreError::Locked | StoreError::Waiting) => ErrorCode::KeyringLocked,
            Self::Store(_) => ErrorCode::KeyringUnavailable,
            Self::ElevationRequired { .. }
            | Self::NobodyApproved { .. }
            | Self::NoPasskey
            | Self::GrantEnded { .. }
            | Self::GrantUsedUp { .. } => ErrorCode::ElevationRequired,
            Self::RefusedByHand { .. } | Self::DeniedByRule(_) | Self::TooWide { .. } | Self::NoRequest(_) => {
                ErrorCode::Denied
            }
            Self::Console(ConsoleFault::Nowhere(_) | ConsoleFault::UserSession(_)) => ErrorCode::ProfileInvalid,
            Self::Console(_) => ErrorCode::ConsoleInvalid,
            Self::Reason(_) | Self::NotGated { .. } | Self::SeedThere { .. } | Self::TooManyDevices { .. } => {
                ErrorCode::BadRequest
            }
            Self::NotAccepted { .. } => ErrorCode::SettingsInvalid,
            Self::FreshSignInRequired { .. } => ErrorCode::SignInRequired,
            Self::Gate(error) => gate_code(error),
            Self::Locked => ErrorCode::Locked,
            Self::WaitEnded { .. } => ErrorCode::WaitEnded,
            Self::Internal(_) => ErrorCode::Internal,
        }
    }

    fn mend(&self) -> Option<String> {
        match self {
            Self::NotAdopted { why: NoAdoption::SignedInHere, .. } => Some("aws sso logout".to_owned()),
            Self::SignInRequired { session, .. } | Self::NotAdopted { session, .. } => {
                Some(format!("tegata login {}", quoted(session.as_str())))
            }
            Self::PersonNeeded { profile, .. } | Self::JobRequired { profile } => {
                Some(format!("tegata login {}", shown(profile.as_ref())))
            }
            Self::LoginRequired { profile, .. } | Self::LoginChanged { profile, .. } => {
                Some(format!("tegata login --console {}", shown(profile.as_ref())))
            }
            Self::LoginFailed { profile, .. } => Some(format!("tegata login --console {}", shown(Some(profile)))),
            Self::NoAccessKey { profile, .. } | Self::KeyRefused { profile, .. } => {
                Some(format!("tegata keys import {}", shown(profile.as_ref())))
            }
            Self::SeedThere { profile, .. } => Some(format!("tegata totp remove {}", shown(profile.as_ref()))),
            Self::Certificate { fault, profile } => fault.mend(profile.as_ref()),
            Self::SignInChanged { session, .. } => {
                let name = quoted(session.as_str());
                Some(format!("tegata logout {name} && tegata login {name}"))
            }
            Self::Helper(error) => error.mend(),
            // Started again from a shell of the task, it is told.
            Self::NoTask { .. } => Some("tegata daemon stop".to_owned()),
            Self::Profile(error) => error.mend().map(str::to_owned),
            Self::ElevationRequired { request, .. } => Some(format!("tegata approve {request}")),
            Self::NoPasskey => Some("tegata passkey add".to_owned()),
            Self::NobodyApproved { profile }
            | Self::RefusedByHand { profile }
            | Self::GrantEnded { profile }
            | Self::GrantUsedUp { profile } => Some(format!("tegata elevate {}", quoted(profile.as_str()))),
            Self::NotAccepted { .. } => Some("tegata policy accept".to_owned()),
            Self::NoRequest(_) => Some("tegata approve".to_owned()),
            Self::FreshSignInRequired { .. } => Some("tegata login".to_owned()),
            Self::Locked => Some("tegata unlock".to_owned()),
            Self::Store(_) => Some("tegata status".to_owned()),
            _ => None,
        }
    }
}

impl From<Problem> for ErrorBody {
    fn from(problem: Problem) -> Self {
        let body = Self::new(problem.code(), problem.to_string());
        match problem.mend() {
            Some(command) => body.mend(command),
            None => body,
        }
    }
}

fn gate_code(error: &GateError) -> ErrorCode {
    match error {
        GateError::Store(StoreError::Locked | StoreError::Waiting) => ErrorCode::KeyringLocked,
        GateError::Store(_) | GateError::Damaged { .. } => ErrorCode::KeyringUnavailable,
        GateError::UnknownPasskey { .. } => ErrorCode::NotFound,
        GateError::NameTaken { .. } | GateError::TooMany { .. } => ErrorCode::BadRequest,
        GateError::Internal(_) => ErrorCode::Internal,
        _ => ErrorCode::Denied,
    }
}

/// Returns a profile's name for a command; a place for it where nobody knows it.
fn shown(profile: Option<&ProfileName>) -> String {
    profile.map_or_else(|| "PROFILE".to_owned(), |name| quoted(name.as_str()))
}

/// Returns `word` so that a POSIX shell reads it as one word: what is offered for copying must mean what it says.
#[must_use]
pub fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "_-./:@+=,".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', r"'\''"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tegata_protocol::Exit;

    fn body(problem: Problem) -> ErrorBody {
        problem.into()
    }

    #[test]
    fn an_ended_sign_in_names_the_one_command() {
        let session = SessionName::new("corp").unwrap();
        let body = body(Problem::SignInRequired { session, why: "has ended".into() });
        assert_eq!(body.message, r#"sign-in session corp has ended"#);
        assert_eq!(body.mend.as_deref(), Some("tegata login corp"));
        assert_eq!(body.code.exit(), Exit::SignInNeeded);
    }

    #[test]
    fn what_no_sign_in_session_gives_is_had_by_the_profile() {
        let needed = |profile| Problem::PersonNeeded { what: "device X".into(), why: "wants a code".into(), profile };
        let asked_for = needed(None).asked_for(&ProfileName::new("my prod").unwrap());
        let body = body(asked_for);
        assert_eq!((body.message.as_str(), body.code.exit()), ("device X wants a code", Exit::SignInNeeded));
        assert_eq!(body.mend.as_deref(), Some("tegata login 'my prod'"));
    }

    #[test]
    fn an_ended_request_is_not_named_as_the_mend() {
        let body = body(Problem::NobodyApproved { profile: ProfileName::new("admin").unwrap() });
        assert_eq!((body.message.as_str(), body.code.exit()), ("nobody approved admin in time", Exit::ElevationNeeded));
        assert_eq!(body.mend.as_deref(), Some("tegata elevate admin"));
    }

    #[test]
    fn a_name_with_metacharacters_is_one_word_in_the_command() {
        assert_eq!(quoted("corp; rm -rf ~"), "'corp; rm -rf ~'");
        assert_eq!(quoted("it's"), r"'it'\''s'");
        assert_eq!(quoted(""), "''");
        assert_eq!(quoted("a.b/c@d"), "a.b/c@d");
    }

    #[test]
    fn each_kind_has_the_exit_code_of_the_table() {
        let exit = |problem| body(problem).code.exit();
        assert_eq!(exit(Problem::Store(StoreError::Locked)), Exit::KeyringUnavailable);
        assert_eq!(exit(Problem::Locked), Exit::Denied);
        assert_eq!(exit(Problem::Aws(AwsError::Throttled { operation: "x", retry_after: None })), Exit::UpstreamFailed);
        assert_eq!(exit(Problem::WaitEnded { seconds: 15 }), Exit::UpstreamFailed);
    }
}
