//! IAM users whose access keys are in the store: the keys, the sessions made with them, the codes that these take.
//!
//! One GetSessionToken serves everybody who starts from the same user and device, however many ask at the same time. It must not
//! know who asks, what roles come after it, or what a terminal is.

mod codes;
mod logins;
pub mod record;
pub mod seeds_record;
mod sessions;
pub mod sessions_record;
mod shelf;
mod standing;

use crate::arns::{MfaSerial, UserArn};
use crate::aws::{Aws, AwsError, MfaCode, SessionToAsk};
use crate::cache::renew_at;
use crate::clock::Clock;
use crate::credentials::Credentials;
use crate::flight::Flights;
use crate::helper::{CommandLine, Commands, HelperError};
use crate::names::AccountId;
use crate::problem::Problem;
use crate::profile::IamUser;
use crate::record::RecordError;
use crate::store::{Bytes, Key, Store, StoreError};
use crate::totp::{self, Seed};
use codes::{Codes, Device};
pub use logins::Logins;
use record::{AccessKey, IamUserRecord};
use sessions::{Purpose, Sessions};
use shelf::{Record, Shelf};
pub use standing::BehindDevice;
use std::collections::{HashMap, HashSet};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};
use tegata_protocol::Secret;

/// How long access keys that are handed out are said to be good for, so that every SDK asks again.
const KEYS_LAST: Duration = Duration::from_secs(3600);

/// How long a live session whose renewal failed is not made anew, before jitter.
const RENEW_AGAIN: Duration = Duration::from_secs(30);

/// Where a code came from, as it is said when AWS did not take it.
const OF_SEED: &str = "the seed in the store";
const OF_COMMAND: &str = "totp_command";

type Made = Result<Arc<Credentials>, Problem>;

/// The IAM users of one daemon.
#[derive(Debug)]
pub struct IamUsers {
    aws: Arc<dyn Aws>,
    clock: Arc<dyn Clock>,
    /// What the commands of the settings print.
    commands: Arc<Commands>,
    keys: Shelf<IamUserRecord>,
    codes: Codes,
    sessions: Sessions,
    flights: Flights<Purpose, Made>,
    /// Until when, in boot time, a live session is not made anew after that failed.
    resting: Mutex<HashMap<Purpose, Duration>>,
    /// Goes up with every lock and sign-out: what was asked for before is not kept after it.
    era: AtomicU64,
}

impl Record for IamUserRecord {
    const IS_CACHE: bool = false;

    fn key(user: &str) -> Key {
        Self::key(user)
    }

    fn to_bytes(&self) -> Bytes {
        self.to_bytes()
    }

    fn from_bytes(user: &str, bytes: &[u8]) -> Result<Self, RecordError> {
        Self::from_bytes(user, bytes)
    }
}

impl IamUsers {
    /// Makes the table; nothing is read before it is asked for.
    #[must_use]
    pub fn new(aws: Arc<dyn Aws>, clock: Arc<dyn Clock>, store: Store, commands: Arc<Commands>) -> Self {
        let (keys, codes, sessions) =
            (Shelf::new(store.clone()), Codes::new(store.clone()), Sessions::new(store.clone()));
        let (flights, resting) = (Flights::default(), Mutex::default());
        Self { aws, clock, commands, keys, codes, sessions, flights, resting, era: AtomicU64::new(0) }
    }

    /// Returns what the store keeps of a user's access keys.
    ///
    /// # Errors
    /// What the store said.
    pub async fn keys(&self, user: &UserArn) -> Result<Option<IamUserRecord>, Problem> {
        self.keys.get(user).await
    }

    /// Changes what the store keeps of a user's access keys, which is none where there is none; `change` may make it none. It is in the
    /// store when this returns, and what signs the next request.
    ///
    /// # Errors
    /// What `change` said, [`StoreError`], or that the keys do not go together; then nothing was changed.
    pub async fn change_keys<R>(
        &self,
        user: &UserArn,
        change: impl FnOnce(&mut Option<IamUserRecord>) -> Result<R, Problem>,
    ) -> Result<R, Problem> {
        let checked = |record: &mut Option<IamUserRecord>| {
            let outcome = change(record)?;
            let fault = record.as_ref().and_then(|record| record.check().err());
            fault.map_or(Ok(outcome), |_| Err(Problem::Internal("the access keys do not go together")))
        };
        self.keys.change(user, checked).await
    }

    /// Returns the access keys in use, said to end within the hour.
    ///
    /// # Errors
    /// [`Problem::NoAccessKey`], or what the store said.
    pub async fn access_key(&self, user: &UserArn) -> Result<Credentials, Problem> {
        let key = self.in_use(user).await?;
        Ok(self.credentials_of(user, &key))
    }

    /// Returns a live session, made if need be: at once where no code is wanted, or one can be had without a person. One that is
    /// about to end is made anew on the same condition; if that fails, the live one is served.
    ///
    /// # Errors
    /// [`Problem::NoAccessKey`], [`Problem::PersonNeeded`] for a code, or what the store or AWS said.
    pub async fn session(self: &Arc<Self>, source: &IamUser) -> Made {
        let purpose = Purpose::of(source);
        let live = self.sessions.find(&purpose, self.now()).await?;
        if let Some(live) = &live
            && (renew_at(live) > self.now() || self.rests(&purpose) || !self.is_free(source).await)
        {
            return Ok(Arc::clone(live));
        }
        let (users, of, era) = (Arc::clone(self), source.clone(), self.era.load(Ordering::SeqCst));
        let flight = self.flights.join(&purpose, || async move { users.make(&of, era).await });
        let made = flight.landed().await.unwrap_or(Err(Problem::Internal("the request to AWS was lost")));
        match (made, live) {
            (Err(problem), Some(live)) => {
                tracing::warn!("the session of {} was not renewed: {problem}", source.user);
                let until = self.clock.since_boot() + crate::jitter::around(RENEW_AGAIN);
                self.resting.lock().unwrap_or_else(PoisonError::into_inner).insert(purpose, until);
                Ok(live)
            }
            (made, _) => made,
        }
    }

    /// Makes a session with a code that a person gave.
    ///
    /// # Errors
    /// [`Problem::CodeRefused`], also for a code that was sent already; else as [`IamUsers::session`].
    pub async fn session_by(&self, source: &IamUser, code: &Secret) -> Made {
        let (purpose, era) = (Purpose::of(source), self.era.load(Ordering::SeqCst));
        let Some(device) = device_of(source) else { return Err(Problem::Internal("there is no device")) };
        let refused = |why: String| Problem::CodeRefused { device: device.serial.clone(), why };
        if !totp::is_code(code.expose_secret()) {
            return Err(refused("it has six digits".to_owned()));
        }
        if let Some(wait) = self.codes.seconds_to_wait(&device, code, self.now()) {
            let seconds = wait.as_secs() + 1;
            return Err(refused(format!("it was sent already, and the device shows the next one in {seconds} s")));
        }
        match self.ask(source, Some((&device, code))).await {
            Err(Problem::Aws(error)) if error.is_wrong_code() => Err(refused(words(error))),
            made => {
                let made = Arc::new(made?);
                crate::failpoint!("codes.bought-by-hand");
                self.codes.was_taken(&device);
                self.keep(&purpose, &made, era).await;
                Ok(made)
            }
        }
    }

    /// Keeps the seed of a device.
    ///
    /// # Errors
    /// [`Problem::SeedThere`], or what the store said.
    pub async fn add_seed(&self, user: &UserArn, serial: &MfaSerial, seed: Seed) -> Result<(), Problem> {
        let device = Device { user: user.clone(), serial: serial.clone() };
        self.codes.add_seed(&device, seed, self.clock.now()).await
    }

    /// Forgets the seed of a device; returns whether there was one.
    ///
    /// # Errors
    /// What the store said.
    pub async fn remove_seed(&self, user: &UserArn, serial: &MfaSerial) -> Result<bool, Problem> {
        self.codes.remove_seed(&Device { user: user.clone(), serial: serial.clone() }).await
    }

    /// Whether the store has the seed of a device.
    ///
    /// # Errors
    /// What the store said.
    pub async fn has_seed(&self, user: &UserArn, serial: &MfaSerial) -> Result<bool, Problem> {
        self.codes.has_seed(&Device { user: user.clone(), serial: serial.clone() }).await
    }

    /// Forgets the sessions of a user, here and in the store; returns whether any was alive.
    ///
    /// # Errors
    /// What the store said.
    pub async fn sign_out(&self, user: &UserArn) -> Result<bool, Problem> {
        self.era.fetch_add(1, Ordering::SeqCst);
        let any = self.sessions.forget(user, self.now()).await?;
        crate::failpoint!("codes.sessions-forgotten");
        Ok(any)
    }

    /// Drops everything from memory, also what is being made; the store keeps what it has.
    pub fn forget_all(&self) {
        self.era.fetch_add(1, Ordering::SeqCst);
        self.keys.forget_all();
        self.codes.forget_all();
        self.sessions.forget_all();
    }

    /// Deletes the stored sessions of these users and of those that were met; what the store cannot delete now is returned.
    ///
    /// # Errors
    /// The first error of the store; the others are deleted all the same.
    pub async fn delete_sessions(&self, users: HashSet<UserArn>) -> Result<(), StoreError> {
        let mut outcome = Ok(());
        let known = self.sessions.users().into_iter();
        for user in known.chain(users).collect::<HashSet<_>>() {
            if let Err(Problem::Store(error)) = self.sign_out(&user).await {
                outcome = outcome.and(Err(error));
            }
        }
        outcome
    }

    /// Whether the next session costs nobody anything: no code, or one that is made here. A command may ask for a touch.
    async fn is_free(&self, source: &IamUser) -> bool {
        (source.mfa.is_none() || source.totp_command.is_none()) && self.is_automatic(source).await.unwrap_or(false)
    }

    fn rests(&self, purpose: &Purpose) -> bool {
        let resting = self.resting.lock().unwrap_or_else(PoisonError::into_inner);
        resting.get(purpose).is_some_and(|until| *until > self.clock.since_boot())
    }

    async fn make(&self, source: &IamUser, era: u64) -> Made {
        let (purpose, device) = (Purpose::of(source), device_of(source));
        // Whoever looked just before the last flight landed, and asked just after, needs no other one.
        if let Some(live) = self.sessions.known(&purpose, self.now()).filter(|live| renew_at(live) > self.now()) {
            return Ok(live);
        }
        // Before a code is spent on it.
        self.in_use(&source.user).await?;
        let (origin, code) = match (&device, &source.totp_command) {
            (None, _) => (OF_SEED, None),
            (Some(device), Some(words)) => (OF_COMMAND, Some(self.of_command(device, words).await?)),
            (Some(device), None) => (OF_SEED, Some(self.codes.of_seed(device, || self.now()).await?)),
        };
        let made = self.ask(source, device.as_ref().zip(code.as_ref())).await;
        if let (Err(Problem::Aws(error)), Some(device)) = (&made, &device)
            && error.is_wrong_code()
        {
            self.codes.was_refused(device, origin);
            let why = format!("did not take the code of {origin} ({})", words(error.clone()));
            return Err(codes::wanted(device, &format!("wants a code by hand: AWS {why}")));
        }
        let made = Arc::new(made?);
        if device.is_some() {
            crate::failpoint!("codes.bought-by-seed");
        }
        self.keep(&purpose, &made, era).await;
        Ok(made)
    }

    /// Runs the command of the settings. One that prints what was sent already is run once more, in the next step.
    async fn of_command(&self, device: &Device, words: &[String]) -> Result<Secret, Problem> {
        self.codes.may_be_automatic(device)?;
        let command = CommandLine::try_from(words.to_vec()).map_err(Problem::Internal)?;
        for _ in 0..2 {
            let printed = self.commands.output(&command).await?;
            let code = Secret::new(printed.expose_secret().trim().to_owned());
            if !totp::is_code(code.expose_secret()) {
                let what = "something that is no code of six digits";
                return Err(HelperError::Unusable { program: command.shown(), what }.into());
            }
            match self.codes.seconds_to_wait(device, &code, self.now()) {
                None => return Ok(code),
                Some(wait) => tokio::time::sleep(wait).await,
            }
        }
        Err(codes::wanted(device, "wants another code than its command prints: that one was sent already"))
    }

    /// Asks AWS for a session. A key that was replaced while it was asked is not the end of it.
    async fn ask(&self, source: &IamUser, code: Option<(&Device, &Secret)>) -> Result<Credentials, Problem> {
        let key = self.in_use(&source.user).await?;
        let from = self.credentials_of(&source.user, &key);
        let duration = Purpose::of(source).asked;
        let mfa = code.map(|(device, code)| MfaCode { serial: device.serial.as_str(), code });
        if let Some((device, code)) = code {
            self.codes.sending(device, code, self.now());
        }
        let asked = SessionToAsk { duration, mfa };
        let error = match self.aws.get_session_token(&source.region, &from, &asked).await {
            Err(error) if error.is_unknown_key() => error,
            answer => return Ok(answer?),
        };
        let now_in_use = self.in_use(&source.user).await?;
        if now_in_use.id == key.id {
            let last_four = key.id.last_four().to_owned();
            return Err(Problem::KeyRefused { user: source.user.clone(), last_four, profile: None });
        }
        if let Some((device, _)) = code {
            // It was sent once.
            return Err(codes::wanted(device, "wants another code: the access key was replaced meanwhile"));
        }
        tracing::info!("the access key was replaced while it was asked for a session: {error}");
        let from = self.credentials_of(&source.user, &now_in_use);
        Ok(self.aws.get_session_token(&source.region, &from, &asked).await?)
    }

    async fn in_use(&self, user: &UserArn) -> Result<AccessKey, Problem> {
        let key = self.keys.get(user).await?.and_then(|record| record.in_use().cloned());
        key.ok_or_else(|| Problem::NoAccessKey { user: user.clone(), profile: None })
    }

    fn credentials_of(&self, user: &UserArn, key: &AccessKey) -> Credentials {
        let (now, account) = (self.clock.now(), AccountId::new(user.account()).ok());
        Credentials::of_access_key(key.id.as_str(), key.secret.clone(), account, now, now + KEYS_LAST)
    }

    async fn keep(&self, purpose: &Purpose, made: &Arc<Credentials>, era: u64) {
        if self.era.load(Ordering::SeqCst) == era {
            self.sessions.insert(purpose, made, self.now()).await;
            crate::failpoint!("codes.session-kept");
        }
    }

    /// What time it is for whoever judges codes and sessions.
    fn now(&self) -> SystemTime {
        self.aws.time(self.clock.now())
    }
}

fn device_of(source: &IamUser) -> Option<Device> {
    Some(Device { user: source.user.clone(), serial: source.mfa.clone()? })
}

/// AWS's own words.
fn words(error: AwsError) -> String {
    match error {
        AwsError::Refused { message, .. } => message.trim_end_matches([' ', '.']).to_owned(),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests;
