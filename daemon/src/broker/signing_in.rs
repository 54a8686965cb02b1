//! Signing in and out, as people ask for it.

use super::Broker;
use super::logging_in::{at_console, starts_from_console};
use crate::audit::{Event, GrantEnd};
use crate::caller::Caller;
use crate::clock::rfc3339;
use crate::human::Notice;
use crate::problem::{Problem, quoted};
use crate::profile::{Profile, SignInSession, Source};
use crate::sign_in_sessions::adopt::{Offered, TakenOver};
use std::collections::HashSet;
use std::path::Path;
use std::sync::PoisonError;
use std::time::Duration;
use tegata_protocol::adoption::{AdoptSession, Adopted};
use tegata_protocol::body::{self, BeginSignIn, SignInFlow};
use tegata_protocol::{ErrorBody, ErrorCode};

impl Broker {
    /// Begins a sign-in for a session, a profile that uses one, or a start URL.
    ///
    /// # Errors
    /// Why it cannot begin.
    pub async fn begin_sign_in(&self, caller: &Caller, request: BeginSignIn) -> Result<body::SignIn, ErrorBody> {
        self.unlocked()?;
        self.gated.leads_as_accepted().await?;
        let config = self.config(request.config.as_deref().map(Path::new)).await?;
        if request.flow.is_console() {
            return self.begin_console_sign_in(caller, &request, &config).await;
        }
        if starts_from_console(&config, request.session.as_deref()) {
            return self.begin_console_sign_in(caller, &at_console(request), &config).await;
        }
        if let Some((profile, user)) = self.user_meant(&config, request.session.as_deref()) {
            return Ok(self.logins.begin(&profile, &user));
        }
        self.knows_a_person(&config, request.session.as_deref())?;
        if request.flow == SignInFlow::MfaCode {
            return Err(ErrorBody::new(ErrorCode::BadRequest, "codes are for profiles that start from an IAM user"));
        }
        let session = config.find_sign_in(request.session.as_deref()).map_err(Problem::from)?;
        let begun = self.attempts.begin(&session, request.flow).await.map_err(ErrorBody::from);
        let event = match &begun {
            Ok(_) => Event::SignInBegan { session: &session.name, flow: request.flow },
            Err(body) => Event::SignInFailed { session: &session.name, code: body.code },
        };
        self.note(Some(caller), &event);
        begun
    }

    /// Says how a sign-in stands, once it has ended or `wait` is over.
    ///
    /// # Errors
    /// [`ErrorCode::NotFound`].
    pub async fn sign_in(&self, id: &str, wait: Duration) -> Result<body::SignIn, ErrorBody> {
        let wait = wait.min(self.longest_wait);
        match self.attempts.stands(id, wait).await {
            Some(stands) => Ok(stands),
            None => self.logins.stands(id, wait).await.ok_or_else(no_such_sign_in),
        }
    }

    /// Cancels a sign-in: the callback listener closes, polling stops.
    ///
    /// # Errors
    /// [`ErrorCode::NotFound`].
    pub async fn cancel_sign_in(&self, id: &str) -> Result<(), ErrorBody> {
        if self.attempts.cancel(id) || self.logins.cancel(id) { Ok(()) } else { Err(no_such_sign_in()) }
    }

    /// Takes over a sign-in of another tool. Once this has succeeded the tool's own copy is of no use any more, or of no more
    /// than until its access token ends.
    ///
    /// # Errors
    /// Why it is not taken over; then the copy is what it was.
    pub async fn adopt(&self, caller: &Caller, name: &str, sent: &AdoptSession) -> Result<Adopted, ErrorBody> {
        self.unlocked()?;
        self.gated.leads_as_accepted().await?;
        let config = self.config(sent.config.as_deref().map(Path::new)).await?;
        let session = config.find_sign_in(Some(name)).map_err(Problem::from)?;
        let offered = Offered::read(sent, self.clock.now())
            .map_err(|why| Problem::NotAdopted { session: session.name.clone(), why });
        let taken = match offered {
            Ok(offered) => self.sign_in_sessions.adopt(&session, offered).await,
            Err(problem) => Err(problem),
        };
        let taken = taken.map_err(ErrorBody::from);
        let event = match &taken {
            Ok(TakenOver { proof, .. }) => Event::SignInAdopted { session: &session.name, proof: *proof },
            Err(body) => Event::SignInFailed { session: &session.name, code: body.code },
        };
        self.note(Some(caller), &event);
        let TakenOver { proof, expires_at } = taken?;
        Ok(Adopted { session: session.name.to_string(), proof, expires_at: rfc3339(expires_at) })
    }

    /// Signs out: revoked at AWS, forgotten here.
    ///
    /// # Errors
    /// What the configuration or the store said; then nothing was forgotten.
    pub async fn sign_out(
        &self,
        caller: &Caller,
        name: &str,
        config: Option<&Path>,
    ) -> Result<body::SignedOut, ErrorBody> {
        self.unlocked()?;
        self.gated.leads_as_accepted().await?;
        if let Some(user) = self.user_called(name, config).await {
            return self.forget_user_sessions(caller, &user).await;
        }
        if let Some(identity) = self.identity_called(name, config).await {
            return self.forget_console_login(caller, &identity).await;
        }
        let session = self.session_called(name, config).await?;
        let said = self.sign_in_sessions.sign_out(&session).await?;
        self.obtainer.forget(&session.name);
        self.inventories.forget(&session).await;
        let ended = self.grants.end_of_session(&session.name);
        self.note_ended(&ended, GrantEnd::SignedOut);
        let of_session = HashSet::from([session.name.clone()]);
        self.stored_roles.delete_all(&of_session).await.map_err(Problem::from)?;
        self.note(Some(caller), &Event::SignedOut { session: &session.name, revoked_upstream: said.is_ok() });
        Ok(body::SignedOut { session: session.name.to_string(), revoked_upstream: said.is_ok(), detail: said.err() })
    }

    /// Returns the sessions of the configuration and those met in this daemon's life.
    pub(crate) async fn sessions_known(&self, config: Option<&Path>) -> Vec<SignInSession> {
        let configured = self.config(config).await;
        let mut sessions = configured.map(|config| config.sign_in_sessions().to_vec()).unwrap_or_default();
        for known in self.sign_in_sessions.known() {
            if !sessions.iter().any(|session| session.name == known.name) {
                sessions.push(known);
            }
        }
        sessions
    }

    /// Returns the session a person means, also one that the configuration no longer has.
    async fn session_called(&self, name: &str, config: Option<&Path>) -> Result<SignInSession, Problem> {
        let known = || self.sign_in_sessions.known().into_iter().find(|session| session.name.as_str() == name);
        let configured = self.config(config).await.and_then(|config| Ok(config.find_sign_in(Some(name))?));
        configured.or_else(|problem| known().ok_or(problem))
    }

    /// Tells the human once that a tool met a source that only a person can revive.
    pub(super) fn tell(&self, profile: &Profile) {
        let Some(name) = profile.chain.source.sign_in_name() else { return };
        let first = self.told.lock().unwrap_or_else(PoisonError::into_inner).insert(name.to_owned());
        if first {
            let asked = profile.chain.session().map_or(profile.name.as_str(), |session| session.name.as_str());
            let how = if matches!(profile.chain.source, Source::Console { .. }) { "--console " } else { "" };
            self.human.notify(Notice {
                summary: format!("AWS sign-in needed: {asked}"),
                body: format!("A tool is waiting for credentials. Run: tegata login {how}{}", quoted(asked)),
            });
        }
    }
}

pub(super) fn no_such_sign_in() -> ErrorBody {
    ErrorBody::new(ErrorCode::NotFound, "no such sign-in is under way").mend("tegata login")
}
