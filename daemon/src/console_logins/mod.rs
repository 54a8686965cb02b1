//! The console logins (`aws login`): read once from the store, renewed while they are in use, forgotten on sign-out.
//!
//! A login is of one identity, whichever profiles name it: they share its credentials, and its refresh token is spent by one flight,
//! only after a probe write has proved the store (docs/design/rotation.md).

mod held;
pub mod record;
mod renew;
#[cfg(test)]
mod tests;

use crate::arns::IdentityArn;
use crate::aws::Aws;
use crate::clock::{Clock, rfc3339};
use crate::credentials::Credentials;
use crate::flight::Flights;
use crate::names::AccountId;
use crate::problem::Problem;
use crate::sign_in_sessions::SignInSessions;
use crate::signin::login::LoggedIn;
use crate::store::{Key, Store, StoreError};
use held::{Held, Standing};
use record::{LoginRecord, Renewal};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};
use tegata_protocol::body::{self, SessionState};

/// After this AWS asks for a new login (AWS CLI user guide, "Login for AWS local development using console credentials").
const LONGEST: Duration = Duration::from_secs(12 * 3600);

/// The console logins of one daemon.
#[derive(Debug)]
pub struct ConsoleLogins {
    aws: Arc<dyn Aws>,
    clock: Arc<dyn Clock>,
    store: Store,
    /// Who waits for a person is told there.
    sign_in_sessions: Arc<SignInSessions>,
    table: Mutex<HashMap<IdentityArn, Held>>,
    reading: Flights<IdentityArn, Result<Option<LoginRecord>, Problem>>,
    renewing: Flights<IdentityArn, Result<(), Problem>>,
}

impl ConsoleLogins {
    /// Makes the table; nothing is read before it is asked for.
    #[must_use]
    pub fn new(aws: Arc<dyn Aws>, clock: Arc<dyn Clock>, store: Store, sign_in_sessions: Arc<SignInSessions>) -> Self {
        let (table, reading, renewing) = (Mutex::default(), Flights::default(), Flights::default());
        Self { aws, clock, store, sign_in_sessions, table, reading, renewing }
    }

    /// Returns the newest credentials of an identity that can be had. Those that live are served when their renewal fails.
    ///
    /// # Errors
    /// [`Problem::LoginRequired`], [`Problem::LoginChanged`], or what the store or AWS said.
    pub async fn credentials(self: &Arc<Self>, identity: &IdentityArn) -> Result<Credentials, Problem> {
        self.load(identity).await?;
        let (renewed, live) = match self.standing(identity) {
            Standing::Good(credentials) => return Ok(credentials),
            Standing::Over => return Err(self.login_required(identity)),
            Standing::Aging(live) => (self.renew(identity).await, Some(live)),
            Standing::Renewable => (self.renew(identity).await, None),
        };
        match (renewed, self.standing(identity), live) {
            (_, Standing::Good(newest) | Standing::Aging(newest), _) => Ok(newest),
            // Meanwhile forgotten, by a lock or a sign-out: what was live before is not handed out after it.
            (Err(problem), _, _) => Err(problem),
            (Ok(()), _, _) => Err(self.login_required(identity)),
        }
    }

    /// Proves the store before a person is bothered: what a login gives could not be kept otherwise.
    ///
    /// # Errors
    /// What the store said.
    pub async fn prove_store(&self) -> Result<(), Problem> {
        let probe = Key::new("console-login", "probe");
        self.store.write(&probe, zeroize::Zeroizing::new(b"{}".to_vec())).await?;
        Ok(self.store.delete(&probe).await?)
    }

    /// Keeps a finished login. A store that fails now costs nothing at once: it stays in memory, `status` says so, and the write is
    /// repeated.
    pub async fn logged_in(&self, identity: &IdentityArn, login: LoggedIn) {
        crate::failpoint!("login.received");
        let LoggedIn { region, endpoint, client, key, tokens } = login;
        let renewal = Some(Renewal { client, key, refresh_token: tokens.refresh_token });
        let began_at = self.clock.now();
        let (spending_since, ended) = (None, None);
        let identity = identity.clone();
        let record = LoginRecord { identity, region, endpoint, began_at, renewal, spending_since, ended };
        let credentials = Some(in_account(tokens.credentials, &record.identity));
        let identity = record.identity.clone();
        self.lock().insert(identity.clone(), Held { credentials, ..Held::new(record) });
        self.save(&identity).await;
        crate::failpoint!("login.stored");
        self.sign_in_sessions.announce();
    }

    /// Forgets a login. AWS has no call by which a client such as this ends one: what it gave lives on to its own end, fifteen
    /// minutes at most. Returns whether there was one.
    ///
    /// # Errors
    /// What the store said: then nothing is forgotten.
    pub async fn forget(&self, identity: &IdentityArn) -> Result<bool, Problem> {
        self.load(identity).await?;
        self.store.delete(&LoginRecord::key(identity)).await?;
        let was = self.lock().remove(identity).is_some();
        // A renewal under way writes what it got; it is waited for, or joined by one that does nothing.
        let flight = self.renewing.join(identity, || async { Ok(()) });
        if flight.landed().await.is_ok() {
            self.store.delete(&LoginRecord::key(identity)).await?;
            self.lock().remove(identity);
        }
        self.sign_in_sessions.announce();
        Ok(was)
    }

    /// Repeats writes that failed.
    pub async fn look_after(&self) {
        let unsaved: Vec<_> = {
            let table = self.lock();
            table.iter().filter(|(_, held)| held.unsaved.is_some()).map(|(who, _)| who.clone()).collect()
        };
        for identity in unsaved {
            self.save(&identity).await;
        }
    }

    /// Whether something waits to be written.
    #[must_use]
    pub fn is_unsaved(&self) -> bool {
        self.lock().values().any(|held| held.unsaved.is_some())
    }

    /// Drops everything from memory; the store keeps what renews.
    pub fn forget_all(&self) {
        self.lock().clear();
    }

    /// Drops credentials of these identities from memory; the next ones take a renewal.
    pub fn forget_credentials(&self, of: impl Fn(&IdentityArn) -> bool) {
        self.lock().iter_mut().filter(|(who, _)| of(who)).for_each(|(_, held)| held.credentials = None);
    }

    /// Whether the login of an identity is known to need a person.
    #[must_use]
    pub fn has_ended(&self, identity: &str) -> bool {
        let now = self.aws_time();
        let table = self.lock();
        let held = table.iter().find(|(who, _)| who.as_str() == identity).map(|(_, held)| held);
        held.is_some_and(|held| matches!(held.standing(now), Standing::Over))
    }

    /// Returns the identities in memory.
    #[must_use]
    pub fn known(&self) -> Vec<IdentityArn> {
        self.lock().keys().cloned().collect()
    }

    /// Says how the login of an identity stands, reading it if need be.
    pub async fn view(&self, identity: &IdentityArn) -> body::ConsoleIdentity {
        let problem = self.load(identity).await.err();
        let (held, now) = (self.lock().get(identity).cloned(), self.aws_time());
        let state = match (&problem, held.as_ref().map(|held| held.standing(now))) {
            (Some(_), _) => SessionState::Unknown,
            (None, None) => SessionState::SignedOut,
            (None, Some(Standing::Over)) => SessionState::Ended,
            (None, Some(_)) => SessionState::SignedIn,
        };
        let until = held.as_ref().filter(|held| held.record.renewal.is_some());
        body::ConsoleIdentity {
            arn: identity.to_string(),
            profile: None,
            region: held.as_ref().map(|held| held.record.region.to_string()),
            state,
            expires_at: until.map(|held| rfc3339(held.record.began_at + LONGEST)),
            last_error: problem
                .map(|problem| problem.to_string())
                .or_else(|| held.and_then(|held| held.unsaved.or(held.record.ended).or(held.last_error))),
        }
    }

    /// Reads an identity's record, once in the daemon's life.
    async fn load(&self, identity: &IdentityArn) -> Result<(), Problem> {
        if self.lock().contains_key(identity) {
            return Ok(());
        }
        let flight = self.reading.join(identity, || read_record(self.store.clone(), identity.clone()));
        let found = flight.landed().await.map_err(|_| Problem::Internal("the reading was lost"))??;
        if let Some(record) = found {
            self.lock().entry(identity.clone()).or_insert_with(|| Held::new(record));
        }
        Ok(())
    }

    fn standing(&self, identity: &IdentityArn) -> Standing {
        let now = self.aws_time();
        self.lock().get(identity).map_or(Standing::Over, |held| held.standing(now))
    }

    fn login_required(&self, identity: &IdentityArn) -> Problem {
        let table = self.lock();
        let why = match table.get(identity).map(|held| held.record.ended.as_deref()) {
            None => "has not signed in to the console here".to_owned(),
            Some(None) => "has to sign in to the console again".to_owned(),
            Some(Some(said)) => format!("has to sign in to the console again ({said})"),
        };
        Problem::LoginRequired { identity: identity.clone(), why, profile: None }
    }

    /// Expiry is judged by the clock of who enforces it.
    fn aws_time(&self) -> SystemTime {
        self.aws.time(self.clock.now())
    }

    /// Writes what memory holds; a failure is shown in `status` and repeated by [`ConsoleLogins::look_after`].
    async fn save(&self, identity: &IdentityArn) {
        let Some(record) = self.lock().get(identity).map(|held| held.record.clone()) else { return };
        let written = self.write(&record).await;
        if let Some(held) = self.lock().get_mut(identity) {
            held.unsaved = written.err().map(|problem| format!("not kept: {problem}"));
        }
    }

    async fn write(&self, record: &LoginRecord) -> Result<(), Problem> {
        Ok(self.store.write(&LoginRecord::key(&record.identity), record.to_bytes()).await?)
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<IdentityArn, Held>> {
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// AWS's answer names no account; the identity does.
fn in_account(credentials: Credentials, identity: &IdentityArn) -> Credentials {
    match AccountId::new(identity.account()) {
        Ok(account) => credentials.of_account(account),
        Err(_) => credentials,
    }
}

/// Reads a record. A damaged one counts as none: the store has set it aside and a new login replaces it.
async fn read_record(store: Store, identity: IdentityArn) -> Result<Option<LoginRecord>, Problem> {
    match store.read(&LoginRecord::key(&identity)).await {
        Ok(None) => Ok(None),
        Ok(Some(bytes)) => Ok(LoginRecord::from_bytes(&identity, &bytes)
            .inspect_err(|error| {
                tracing::warn!("the record of the console login of {identity} {error}; it is not used")
            })
            .ok()),
        Err(StoreError::Damaged { key, detail }) => {
            tracing::warn!("record {key} was damaged ({detail}) and set aside");
            Ok(None)
        }
        Err(error) => Err(error.into()),
    }
}
