//! The sign-in sessions: read once from the store, kept alive, renewed ahead, forgotten on sign-out.
//!
//! Renewal rotates the refresh token, and a token spent twice may cost the whole sign-in. So a refresh token is spent only
//! after a probe write has proved the store, by one flight per session, and a crash in between costs at most a new
//! sign-in, never credentials that are still alive.

pub mod adopt;
mod held;
pub mod record;
mod renew;
pub mod roles;

use crate::aws::{Aws, AwsError, Registration, Tokens};
use crate::clock::{Clock, rfc3339};
use crate::flight::Flights;
use crate::names::SessionName;
use crate::problem::Problem;
use crate::profile::SignInSession;
use crate::store::{Store, StoreError};
use held::{Held, Standing};
use record::{Pins, SignInRecord};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};
use tegata_protocol::{Secret, body};
use tokio::sync::watch;

/// A registration with less than this left is not used for a new sign-in: it has to outlive the sign-in session.
const REGISTRATION_AT_LEAST: Duration = Duration::from_secs(24 * 3600);

/// The sign-in sessions of one daemon.
#[derive(Debug)]
pub struct SignInSessions {
    aws: Arc<dyn Aws>,
    clock: Arc<dyn Clock>,
    store: Store,
    table: Mutex<HashMap<SessionName, Held>>,
    reading: Flights<SessionName, Result<Option<SignInRecord>, Problem>>,
    renewing: Flights<SessionName, Result<(), Problem>>,
    adopting: tokio::sync::Mutex<()>,
    changed: watch::Sender<u64>,
}

impl SignInSessions {
    /// Makes the table; nothing is read before it is asked for.
    #[must_use]
    pub fn new(aws: Arc<dyn Aws>, clock: Arc<dyn Clock>, store: Store) -> Self {
        let (changed, _) = watch::channel(0);
        Self {
            aws,
            clock,
            store,
            table: Mutex::default(),
            reading: Flights::default(),
            renewing: Flights::default(),
            adopting: tokio::sync::Mutex::default(),
            changed,
        }
    }

    /// Returns a bearer token that the portal should accept, renewing it if need be.
    ///
    /// # Errors
    /// [`Problem::SignInRequired`], [`Problem::SignInChanged`], or what the store or AWS said.
    pub async fn access_token(self: &Arc<Self>, session: &SignInSession) -> Result<Secret, Problem> {
        self.read(session).await?;
        match self.standing(&session.name) {
            Standing::Good(token) => Ok(token),
            Standing::Aging(token) => {
                self.renew_in_background(&session.name);
                Ok(token)
            }
            Standing::Over => Err(self.sign_in_required(&session.name)),
            Standing::Renewable => {
                self.renew(&session.name).await?;
                match self.standing(&session.name) {
                    Standing::Good(token) | Standing::Aging(token) => Ok(token),
                    Standing::Renewable | Standing::Over => Err(self.sign_in_required(&session.name)),
                }
            }
        }
    }

    /// Takes note that the portal refused `token`. Another token that came meanwhile is not touched.
    pub async fn refused(&self, name: &SessionName, token: &Secret, said: &str) {
        let ended = self.lock().get_mut(name).is_some_and(|held| held.refused(token, said));
        if ended {
            self.save(name).await;
            self.announce();
        }
    }

    /// Asks the portal with a bearer token of the session. A token that it refuses is renewed once; if that brings none that it
    /// takes, a person is needed.
    ///
    /// # Errors
    /// As [`SignInSessions::access_token`], or what AWS said.
    pub async fn ask_portal<T, F>(
        self: &Arc<Self>,
        session: &SignInSession,
        ask: impl Fn(Secret) -> F,
    ) -> Result<T, Problem>
    where
        F: Future<Output = Result<T, AwsError>>,
    {
        let token = self.access_token(session).await?;
        let refusal = match ask(token.clone()).await {
            Err(AwsError::SignInOver { message }) => message,
            answer => return Ok(answer?),
        };
        self.refused(&session.name, &token, &refusal).await;
        let token = self.access_token(session).await?;
        let answer = ask(token.clone()).await;
        if let Err(AwsError::SignInOver { message }) = &answer {
            self.refused(&session.name, &token, message).await;
            return Err(Problem::SignInRequired { session: session.name.clone(), why: "has ended".to_owned() });
        }
        Ok(answer?)
    }

    /// Returns a registered client for a new sign-in: the one kept, or a new one that is kept from now on.
    ///
    /// # Errors
    /// [`Problem::SignInChanged`], or what the store or AWS said. The write proves the store before a person is bothered.
    pub async fn registration(&self, session: &SignInSession, renew: bool) -> Result<Registration, Problem> {
        self.read(session).await?;
        let kept = self.lock().get(&session.name).and_then(|held| held.own_registration().cloned());
        let now = self.clock.now();
        if let Some((client, scopes)) = kept.filter(|_| !renew)
            && scopes == session.scopes
            && client.expires_at > now + REGISTRATION_AT_LEAST
        {
            return Ok(client);
        }
        let client = self.aws.register(&session.region, &session.start_url, &session.scopes).await?;
        crate::failpoint!("sign-in.registered");
        let record = {
            let mut table = self.lock();
            let held = table.get_mut(&session.name).ok_or(Problem::Internal("the sign-in session is gone"))?;
            held.record.registration = Some((client.clone(), session.scopes.clone()));
            held.record.clone()
        };
        self.write(&record).await?;
        crate::failpoint!("sign-in.registration-stored");
        Ok(client)
    }

    /// Keeps the tokens of a finished sign-in. A store that fails now costs nothing at once: the tokens stay in memory,
    /// `status` says so, and the write is repeated.
    pub async fn signed_in(&self, session: &SignInSession, tokens: Tokens) -> Result<(), Problem> {
        self.read(session).await?;
        crate::failpoint!("sign-in.received");
        if let Some(held) = self.lock().get_mut(&session.name) {
            held.session = session.clone();
            held.record.tokens = Some(tokens);
            held.record.ended = None;
            held.record.spending_since = None;
            held.record.adopted = None;
            held.forget_failure();
        }
        self.save(&session.name).await;
        crate::failpoint!("sign-in.stored");
        self.announce();
        Ok(())
    }

    /// Ends a session at AWS and forgets it here. What AWS said is returned; forgetting does not depend on it.
    ///
    /// # Errors
    /// What the store said: then nothing is forgotten.
    pub async fn sign_out(&self, session: &SignInSession) -> Result<Result<(), String>, Problem> {
        self.load(session).await?;
        let said = self.revoke(&session.name).await;
        crate::failpoint!("sign-out.revoked");
        self.store.delete(&record::RolesRecord::key(session.name.as_str())).await?;
        self.store.delete(&SignInRecord::key(session.name.as_str())).await?;
        self.lock().remove(&session.name);
        self.announce();
        Ok(said)
    }

    /// Renews what is due in the background and repeats writes that failed.
    pub async fn look_after(self: &Arc<Self>) {
        let now = self.clock.now();
        let (due, unsaved): (Vec<_>, Vec<_>) = {
            let table = self.lock();
            let due = table.iter().filter(|(_, held)| held.renew_at().is_some_and(|at| at <= now));
            let unsaved = table.iter().filter(|(_, held)| held.unsaved.is_some());
            (due.map(|(name, _)| name.clone()).collect(), unsaved.map(|(name, _)| name.clone()).collect())
        };
        for name in due {
            self.renew_in_background(&name);
        }
        for name in unsaved {
            self.save(&name).await;
        }
    }

    /// Returns when the next session has to be renewed.
    #[must_use]
    pub fn next_due(&self) -> Option<SystemTime> {
        self.lock().values().filter_map(Held::renew_at).min()
    }

    /// Whether the session's tokens were kept under the pins the session has now.
    ///
    /// # Errors
    /// What the store said.
    pub async fn pins(&self, session: &SignInSession) -> Result<Pins, Problem> {
        self.read(session).await?;
        self.pins_now(session)
    }

    /// Returns a number that changes whenever somebody signed in or out or a session ended.
    #[must_use]
    pub fn changes(&self) -> watch::Receiver<u64> {
        self.changed.subscribe()
    }

    /// Drops everything from memory; the store keeps it.
    pub fn forget_all(&self) {
        self.lock().clear();
    }

    /// Says how a session stands, reading it if need be.
    pub async fn view(&self, session: &SignInSession) -> body::Session {
        let problem = self.read(session).await.err();
        let held = self.lock().get(&session.name).cloned();
        let tokens = held.as_ref().and_then(|held| held.record.tokens.as_ref());
        let now = self.clock.now();
        let state = match (&held, tokens) {
            (None, _) => body::SessionState::Unknown,
            (Some(_), Some(tokens)) if tokens.expires_at > now || tokens.refresh_token.is_some() => {
                body::SessionState::SignedIn
            }
            (Some(held), tokens) if tokens.is_some() || held.record.ended.is_some() => body::SessionState::Ended,
            _ => body::SessionState::SignedOut,
        };
        body::Session {
            name: session.name.to_string(),
            start_url: session.start_url.to_string(),
            region: session.region.to_string(),
            state,
            expires_at: tokens.filter(|tokens| tokens.expires_at > now).map(|tokens| rfc3339(tokens.expires_at)),
            renewable: tokens.is_some_and(|tokens| tokens.refresh_token.is_some()),
            last_error: problem
                .map(|problem| problem.to_string())
                .or_else(|| held.and_then(|held| held.unsaved.or(held.last_error))),
        }
    }

    /// Whether the session is known to need a person.
    #[must_use]
    pub fn has_ended(&self, name: &SessionName) -> bool {
        self.lock().contains_key(name) && matches!(self.standing(name), Standing::Over)
    }

    /// Returns the sessions in memory.
    #[must_use]
    pub fn known(&self) -> Vec<SignInSession> {
        self.lock().values().map(|held| held.session.clone()).collect()
    }

    /// Reads the session's record, once in the daemon's life, and holds it against the session as configured now.
    async fn read(&self, session: &SignInSession) -> Result<(), Problem> {
        self.load(session).await?;
        let pins = self.pins_now(session)?;
        let mut table = self.lock();
        let held = table.get_mut(&session.name).ok_or(Problem::Internal("the sign-in session is gone"))?;
        let Some(difference) = held.record.pins.difference(&pins) else { return Ok(()) };
        if held.record.tokens.is_some() || held.record.ended.is_some() {
            return Err(Problem::SignInChanged { session: session.name.clone(), difference });
        }
        *held = Held::new(session.clone(), SignInRecord::empty(session.name.as_str(), pins));
        Ok(())
    }

    async fn load(&self, session: &SignInSession) -> Result<(), Problem> {
        if self.lock().contains_key(&session.name) {
            return Ok(());
        }
        let pins = self.pins_now(session)?;
        let flight = self.reading.join(&session.name, || read_record(self.store.clone(), session.name.clone()));
        let found = flight.landed().await.map_err(|_| Problem::Internal("the reading was lost"))??;
        let record = found.unwrap_or_else(|| SignInRecord::empty(session.name.as_str(), pins));
        self.lock().entry(session.name.clone()).or_insert_with(|| Held::new(session.clone(), record));
        Ok(())
    }

    fn pins_now(&self, session: &SignInSession) -> Result<Pins, Problem> {
        Ok(Pins::new(session, self.aws.endpoints(&session.region)?))
    }

    fn standing(&self, name: &SessionName) -> Standing {
        self.lock().get(name).map_or(Standing::Over, |held| held.standing(self.clock.now()))
    }

    fn sign_in_required(&self, name: &SessionName) -> Problem {
        let table = self.lock();
        let held = table.get(name);
        let was_in = held.is_some_and(|held| held.record.tokens.is_some() || held.record.ended.is_some());
        let why = if was_in { "has ended" } else { "has not been signed in to" };
        Problem::SignInRequired { session: name.clone(), why: why.to_owned() }
    }

    /// Writes what memory holds; a failure is shown in `status` and repeated by [`SignInSessions::look_after`].
    async fn save(&self, name: &SessionName) {
        let Some(record) = self.lock().get(name).map(|held| held.record.clone()) else { return };
        let written = self.write(&record).await;
        if let Some(held) = self.lock().get_mut(name) {
            held.unsaved = written.err().map(|problem| format!("not kept: {problem}"));
        }
    }

    async fn write(&self, record: &SignInRecord) -> Result<(), Problem> {
        Ok(self.store.write(&SignInRecord::key(&record.session), record.to_bytes()).await?)
    }

    /// Tells AWS, unless the tokens' host is no longer the one they were issued for: then they go nowhere.
    async fn revoke(&self, name: &SessionName) -> Result<(), String> {
        let nothing = || "it was not signed in".to_owned();
        let held = self.lock().get(name).cloned().ok_or_else(nothing)?;
        let tokens = held.record.tokens.ok_or_else(nothing)?;
        let region = crate::names::Region::new(&held.record.pins.region).map_err(|error| error.to_string())?;
        let endpoints = self.aws.endpoints(&region).map_err(|error| error.to_string())?;
        if endpoints != held.record.pins.endpoints {
            return Err("its endpoint is no longer the one it was signed in at".to_owned());
        }
        self.aws.logout(&region, &tokens.access_token).await.map_err(|error| error.to_string())
    }

    /// Tells whoever waits for a person to look again.
    pub(crate) fn announce(&self) {
        self.changed.send_modify(|count| *count += 1);
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<SessionName, Held>> {
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Reads a session's record. A damaged one counts as none: the store has set it aside and a new sign-in replaces it.
async fn read_record(store: Store, name: SessionName) -> Result<Option<SignInRecord>, Problem> {
    match store.read(&SignInRecord::key(name.as_str())).await {
        Ok(None) => Ok(None),
        Ok(Some(bytes)) => Ok(SignInRecord::from_bytes(name.as_str(), &bytes)
            .inspect_err(|damage| {
                tracing::warn!("the record of sign-in session {name} {damage}; a new sign-in replaces it")
            })
            .ok()),
        Err(StoreError::Damaged { key, detail }) => {
            tracing::warn!("record {key} was damaged ({detail}) and set aside; a new sign-in replaces it");
            Ok(None)
        }
        Err(error) => Err(error.into()),
    }
}

#[cfg(test)]
mod tests;
