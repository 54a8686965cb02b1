//! What a person signs in to. Pure.

use super::ConsoleSignIn;
use crate::arns::IdentityArn;
use crate::audit::Event;
use crate::profile::SignInSession;
use tegata_protocol::ErrorBody;

/// What a person signs in to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Subject {
    /// A sign-in session of IAM Identity Center.
    Session(SignInSession),
    /// The console, for a profile.
    Console(ConsoleSignIn),
}

impl Subject {
    /// Whether only one of the two can be under way: a person who begins the other has chosen anew.
    pub(super) fn rivals(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Session(own), Self::Session(other)) => own.name == other.name,
            (Self::Console(own), Self::Console(other)) => own.profile == other.profile,
            _ => false,
        }
    }

    /// Returns the name under which tools wait for it, where that is known before it has ended.
    pub(super) fn waited_for(&self) -> Option<&str> {
        match self {
            Self::Session(session) => Some(session.name.as_str()),
            Self::Console(wanted) => wanted.expected.as_ref().map(IdentityArn::as_str),
        }
    }

    /// Returns the record of its end.
    pub(super) fn ended<'a>(&'a self, outcome: &'a Result<Option<IdentityArn>, ErrorBody>) -> Event<'a> {
        match (self, outcome) {
            (Self::Session(session), Ok(_)) => Event::SignInFinished { session: &session.name },
            (Self::Session(session), Err(error)) => Event::SignInFailed { session: &session.name, code: error.code },
            (Self::Console(wanted), Ok(identity)) => {
                Event::ConsoleLoginFinished { profile: &wanted.profile, identity: identity.as_ref() }
            }
            (Self::Console(wanted), Err(error)) => {
                Event::ConsoleLoginFailed { profile: &wanted.profile, code: error.code }
            }
        }
    }
}
