//! Signing in to the console and forgetting it, as people ask for it.

use super::Broker;
use super::signing_in::no_such_sign_in;
use crate::arns::IdentityArn;
use crate::attempts::ConsoleSignIn;
use crate::audit::{Event, GrantEnd};
use crate::caller::Caller;
use crate::names::{ProfileName, Region};
use crate::problem::Problem;
use crate::profile::{Chain, Config, ConsoleWish, ProfileError, Source};
use std::path::Path;
use tegata_protocol::body::{self, BeginSignIn, ConsoleIdentity, SessionState, SignInFlow};
use tegata_protocol::{ErrorBody, ErrorCode, Secret};

/// AWS Sign-In has no call by which its client for developers ends a login (its API reference).
const NOT_REVOKED: &str = "AWS has no call for it; what was handed out ends within 15 minutes";

impl Broker {
    /// Begins a sign-in to the console for a profile, which need not be there yet.
    pub(super) async fn begin_console_sign_in(
        &self,
        caller: &Caller,
        request: &BeginSignIn,
        config: &Config,
    ) -> Result<body::SignIn, ErrorBody> {
        let missing = || ErrorBody::new(ErrorCode::ProfileInvalid, "session has to name the profile to sign in for");
        let name = request.session.as_deref().ok_or_else(missing)?;
        let profile = ProfileName::new(name).map_err(|error| Problem::from(ProfileError::from(error)))?;
        let wish = config.console_wish(&profile).map_err(Problem::from)?;
        let region = region(&profile, request.region.as_deref(), &wish)?;
        let wanted = ConsoleSignIn { profile, region, expected: wish.identity };
        let begun = self.attempts.begin_console(wanted.clone(), request.flow).await.map_err(ErrorBody::from);
        let event = match &begun {
            Ok(_) => Event::ConsoleLoginBegan { profile: &wanted.profile, flow: request.flow },
            Err(body) => Event::ConsoleLoginFailed { profile: &wanted.profile, code: body.code },
        };
        self.note(Some(caller), &event);
        begun
    }

    /// Takes the text that a person carried over from AWS's page; a wrong one leaves the sign-in as it is.
    ///
    /// # Errors
    /// [`ErrorCode::NotFound`] where no sign-in awaits one, [`ErrorCode::BadRequest`] for a wrong one.
    pub fn carry_code(&self, id: &str, text: &Secret) -> Result<(), ErrorBody> {
        let carried = self.attempts.carry(id, text).ok_or_else(no_such_sign_in)?;
        carried.map_err(|why| ErrorBody::new(ErrorCode::BadRequest, why.to_string()))
    }

    /// Returns the identity that a person means: by its ARN, or by a profile that starts from it. The name of a sign-in session goes
    /// first.
    pub(super) async fn identity_called(&self, name: &str, config: Option<&Path>) -> Option<IdentityArn> {
        if let Ok(identity) = IdentityArn::new(name) {
            return Some(identity);
        }
        let config = self.config(config).await.ok()?;
        let profile = config.resolve(&ProfileName::new(name).ok()?).ok().filter(|_| !is_session(&config, name))?;
        match &profile.chain.source {
            Source::Console { identity, .. } => Some(identity.clone()),
            _ => None,
        }
    }

    pub(super) async fn forget_console_login(
        &self,
        caller: &Caller,
        identity: &IdentityArn,
    ) -> Result<body::SignedOut, ErrorBody> {
        let was = self.console_logins.forget(identity).await?;
        let of = |chain: &Chain| matches!(&chain.source, Source::Console { identity: own, .. } if own == identity);
        self.obtainer.forget_where(of);
        let ended = self.grants.end_where(&of);
        self.note_ended(&ended, GrantEnd::SignedOut);
        self.note(Some(caller), &Event::ConsoleLoginForgotten { identity });
        let detail = if was { NOT_REVOKED } else { "it was not signed in" };
        Ok(body::SignedOut { session: identity.to_string(), revoked_upstream: false, detail: Some(detail.to_owned()) })
    }

    /// Says how everybody stands who signed in to the console, or whom a profile names.
    pub(crate) async fn identity_views(&self, config: Option<&Path>) -> Vec<ConsoleIdentity> {
        let mut identities = match self.config(config).await {
            Ok(config) => config.console_identities().into_iter().map(|(who, profile)| (who, Some(profile))).collect(),
            Err(_) => Vec::new(),
        };
        for known in self.console_logins.known() {
            if !identities.iter().any(|(identity, _)| *identity == known) {
                identities.push((known, None));
            }
        }
        let mut views = Vec::new();
        for (identity, profile) in identities {
            let view =
                if self.locked().locked { unknown(&identity) } else { self.console_logins.view(&identity).await };
            views.push(ConsoleIdentity { profile: profile.map(|name| name.to_string()), ..view });
        }
        views
    }
}

/// Whether `tegata login` is asked for a profile that somebody signs in to the console for. The name of a sign-in session goes first.
pub(super) fn starts_from_console(config: &Config, what: Option<&str>) -> bool {
    let profile = what.filter(|name| !is_session(config, name)).and_then(|name| ProfileName::new(name).ok());
    profile.is_some_and(|name| config.is_of_console_login(&name))
}

/// The same sign-in at the console: a browser that is elsewhere stays there.
pub(super) fn at_console(request: BeginSignIn) -> BeginSignIn {
    let elsewhere = request.flow == SignInFlow::DeviceCode;
    BeginSignIn { flow: if elsewhere { SignInFlow::ConsoleRemote } else { SignInFlow::Console }, ..request }
}

fn is_session(config: &Config, name: &str) -> bool {
    config.sign_in_sessions().iter().any(|session| session.name.as_str() == name)
}

/// While locked the store is not asked.
fn unknown(identity: &IdentityArn) -> ConsoleIdentity {
    ConsoleIdentity {
        arn: identity.to_string(),
        profile: None,
        region: None,
        state: SessionState::Unknown,
        expires_at: None,
        last_error: None,
    }
}

fn region(profile: &ProfileName, asked: Option<&str>, wish: &ConsoleWish) -> Result<Region, Problem> {
    match (asked, &wish.region) {
        (Some(text), _) => Ok(Region::new(text).map_err(ProfileError::from)?),
        (None, Some(region)) => Ok(region.clone()),
        (None, None) => {
            let profile = tegata_protocol::text::one_line(profile.as_str());
            Err(ProfileError::Invalid { profile, detail: "no region is said to sign in to".to_owned() }.into())
        }
    }
}
