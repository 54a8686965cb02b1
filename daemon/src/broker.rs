//! The story of one request: caller → profile → credentials → record → answer.
//!
//! The broker knows every room and does nothing itself that a room could do; it is the one value the doors talk to.

mod certificates;
mod codes;
mod console;
mod jobs;
mod keys;
mod listing;
mod locking;
mod logging_in;
mod own_address;
mod signing_in;
mod wiring;

pub(crate) use certificates::certified;
pub use locking::Unlocking;
pub use wiring::Rooms;

use crate::afterwards::Consequences;
use crate::attempts::Attempts;
use crate::audit::{Audit, Event, GrantEnd};
use crate::caller::Caller;
use crate::clock::{Clock, rfc3339};
use crate::console_logins::ConsoleLogins;
use crate::credentials::Credentials;
use crate::gate::Gate;
use crate::gated::{Elevated, Gated, Patience};
use crate::grant::Grants;
use crate::helper::Helper;
use crate::human::{Human, Notice};
use crate::iam_keys::KeyKeeper;
use crate::iam_users::{IamUsers, Logins};
use crate::inventory::Inventories;
use crate::lock::LockState;
use crate::names::{ProfileName, SessionName};
use crate::obtain::Obtainer;
use crate::policy::terms::Decision;
use crate::problem::Problem;
use crate::profile::{Config, ConfigFiles, Profile, ProfileError};
use crate::provider::Providers;
use crate::refused_peers::{self, RefusedPeers};
use crate::requests::Desk;
use crate::reviews::Reviews;
use crate::serve::page::PageDoor;
use crate::sign_in_sessions::SignInSessions;
use crate::sign_in_sessions::roles::StoredRoles;
use crate::store::{Bytes, Store};
use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};
use tegata_protocol::body::{ContainerCredentials, ProcessCredentials};
use tegata_protocol::{CONTAINER_WAIT, DEFAULT_WAIT_SECONDS, ErrorBody, ErrorCode};
use tokio::sync::Notify;
use zeroize::Zeroizing;

/// Enough for any credentials, so that writing them never moves the buffer and leaves an unwiped copy behind.
const ROOM_FOR_CREDENTIALS: usize = 8 * 1024;

/// How long the file system may take to read a config file that a caller named.
const CONFIG_PATIENCE: Duration = Duration::from_secs(5);

/// How credentials are written, and for whom that is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// The `credential_process` JSON, for a program that may wait.
    Process,
    /// The JSON of the container credentials endpoint, for an HTTP door: it never waits for a person.
    Container,
}

/// What a tool asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ask {
    /// The profile, as the user typed it.
    pub profile: String,
    /// The caller's AWS config file; absent: the user's own.
    pub config: Option<PathBuf>,
    /// How long the caller waits, also for a person; absent: for work under way only, as long as every SDK does.
    pub wait: Option<Duration>,
    /// How the credentials are written.
    pub form: Form,
}

impl Ask {
    /// Whether a person may be waited for at all.
    fn may_wait_for_person(&self) -> bool {
        self.form == Form::Process
    }
}

/// Answers the doors.
#[derive(Debug)]
pub struct Broker {
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) aws: Arc<dyn crate::aws::Aws>,
    pub(crate) helper: Arc<dyn Helper>,
    pub(crate) human: Arc<dyn Human>,
    pub(crate) store: Store,
    files: Arc<ConfigFiles>,
    audit: Arc<Audit>,
    lock: Arc<LockState>,
    pub(crate) longest_wait: Duration,
    pub(crate) warnings: Vec<String>,
    pub(crate) cache: Arc<crate::cache::Cache>,
    pub(crate) sign_in_sessions: Arc<SignInSessions>,
    pub(crate) console_logins: Arc<ConsoleLogins>,
    pub(crate) iam_users: Arc<IamUsers>,
    pub(crate) logins: Logins,
    providers: Providers,
    stored_roles: Arc<StoredRoles>,
    pub(crate) obtainer: Arc<Obtainer>,
    pub(crate) keys: Arc<KeyKeeper>,
    pub(crate) attempts: Attempts,
    pub(crate) inventories: Inventories,
    pub(crate) gate: Arc<Gate>,
    pub(crate) grants: Arc<Grants>,
    pub(crate) desk: Arc<Desk>,
    pub(crate) gated: Arc<Gated>,
    pub(crate) page_door: PageDoor,
    pub(crate) reviews: Arc<Reviews>,
    pub(crate) consequences: Arc<Consequences>,
    refused_peers: RefusedPeers,
    /// The sign-in names for which the human has been told that a tool waits.
    told: Mutex<HashSet<String>>,
    pub(crate) started_at: SystemTime,
    end: Notify,
}

impl Broker {
    /// Answers a tool with the credentials of a profile, as JSON. A record of it is written before it is released; for a
    /// gated profile it is on disk before.
    ///
    /// # Errors
    /// Why there are no credentials; recorded as well.
    pub async fn credentials(&self, caller: &Caller, ask: &Ask) -> Result<Bytes, ErrorBody> {
        let outcome = self.released(caller, ask).await;
        match outcome {
            Ok((profile, Release::Open(credentials))) => {
                let released = Event::released(&profile, &credentials, None);
                self.record_for(caller, &released)?;
                Ok(json(&credentials, ask.form))
            }
            Ok((profile, Release::Elevated(Elevated { grant, credentials }))) => {
                let released = Event::released(&profile, &credentials, Some(&grant.id));
                self.audit.record_durably(Some(caller), &released).map_err(not_recorded)?;
                Ok(json(&credentials, ask.form))
            }
            Err(problem) => {
                let body = ErrorBody::from(problem);
                let profile = ProfileName::new(&ask.profile).ok();
                self.note(Some(caller), &Event::Refused { profile: profile.as_ref(), code: body.code });
                Err(body)
            }
        }
    }

    async fn released(&self, caller: &Caller, ask: &Ask) -> Result<(Arc<Profile>, Release), Problem> {
        self.unlocked()?;
        let name = ProfileName::new(&ask.profile).map_err(ProfileError::from)?;
        self.release(caller, ask, &name).await.map_err(|problem| problem.asked_for(&name))
    }

    async fn release(
        &self,
        caller: &Caller,
        ask: &Ask,
        name: &ProfileName,
    ) -> Result<(Arc<Profile>, Release), Problem> {
        let profile = self.config(ask.config.as_deref()).await?.resolve(name)?;
        let release = match self.gated.decide(&profile).await? {
            Decision::Open => {
                if self.gated.proposes(&profile) {
                    self.human.notify(proposal(&profile));
                }
                Release::Open(self.in_time(&profile, ask).await?)
            }
            Decision::Gated(terms) => {
                let patience = Patience { work: self.patience(ask), hand: ask.may_wait_for_person() };
                let served = self.gated.serve(caller, &profile, terms, patience).await;
                Release::Elevated(served.map_err(|problem| problem.asked_for(&profile.name))?)
            }
            Decision::Denied(denial) => return Err(denial.into()),
        };
        self.unlocked()?;
        Ok((profile, release))
    }

    fn patience(&self, ask: &Ask) -> Duration {
        let usual = match ask.form {
            Form::Process => Duration::from_secs(DEFAULT_WAIT_SECONDS),
            Form::Container => CONTAINER_WAIT,
        };
        ask.wait.unwrap_or(usual).min(self.longest_wait)
    }

    /// Waits as long as the caller does. A person is waited for only if the caller said so, or one is signing in now; once
    /// that one has given up, nobody is. Live credentials are not kept back because newer ones take their time.
    async fn in_time(&self, profile: &Profile, ask: &Ask) -> Result<Arc<Credentials>, Problem> {
        let chain = &profile.chain;
        let patience = self.patience(ask);
        let may_wait_for_person = ask.may_wait_for_person();
        let waits_for_person = may_wait_for_person && ask.wait.is_some_and(|wait| !wait.is_zero());
        let mut last = Problem::WaitEnded { seconds: patience.as_secs() };
        let answer = tokio::time::timeout(patience.max(Duration::from_millis(1)), async {
            let mut changes = self.sign_in_sessions.changes();
            let mut somebody_came = false;
            loop {
                changes.mark_unchanged();
                // Looked at first: who finishes meanwhile has changed something, and is asked after once more.
                let somebody_is_there = self.attempts.is_under_way(chain) || self.logins.is_under_way(chain);
                let problem = match self.obtainer.obtain(chain).await {
                    Err(problem) if problem.needs_person() => problem.asked_for(&profile.name),
                    answer => return answer.map_err(|problem| problem.asked_for(&profile.name)),
                };
                self.tell(profile);
                if !may_wait_for_person || !somebody_is_there && (somebody_came || !waits_for_person) {
                    return Err(problem);
                }
                somebody_came = somebody_is_there;
                last = problem;
                // The table outlives this wait.
                let _ = changes.changed().await;
            }
        });
        answer.await.unwrap_or_else(|_| self.obtainer.at_hand(chain).ok_or(last))
    }

    /// Asks the daemon to end.
    pub fn end(&self) {
        self.end.notify_one();
    }

    /// Returns when somebody asked the daemon to end.
    pub async fn ended(&self) {
        self.end.notified().await;
    }

    /// Takes note of a connection by another user, which got no byte.
    pub fn peer_refused(&self, uid: u32) {
        self.note_refused(self.refused_peers.refused(uid));
    }

    /// Writes down the connections by other users that were only counted so far.
    pub fn note_all_refused(&self) {
        self.note_refused(self.refused_peers.untold(Duration::ZERO));
    }

    /// Writes a record of the daemon's own.
    ///
    /// # Errors
    /// When it could not be written.
    pub fn record(&self, event: &Event<'_>) -> Result<(), crate::audit::AuditError> {
        self.audit.record(None, event)
    }

    /// Returns which store is in use.
    #[must_use]
    pub fn store_kind(&self) -> crate::store::Kind {
        self.store.kind()
    }

    /// Whether a person is waiting for what only this daemon can finish: a sign-in, an inventory.
    #[must_use]
    pub fn is_waited_for(&self) -> bool {
        self.attempts.any_under_way() || self.logins.any_under_way() || self.inventories.any_under_way()
    }

    /// Looks after everything that goes on without a caller: renewal ahead, repeated writes, memories to clear.
    pub async fn look_after(&self) {
        self.desk.sweep();
        self.note_ended(&self.grants.end_slept_through(), GrantEnd::Suspended);
        self.note_ended(&self.grants.sweep(), GrantEnd::Expired);
        self.note_refused(self.refused_peers.untold(refused_peers::EVERY));
        // Asked only once there is something to send: then the store has been read before, and is no locked keyring.
        let something_lives =
            self.obtainer.next_due().or(self.sign_in_sessions.next_due()).is_some() || self.console_logins.is_unsaved();
        if self.lock.is_locked() || something_lives && self.gated.leads_as_accepted().await.is_err() {
            return;
        }
        self.obtainer.renew_ahead();
        self.sign_in_sessions.look_after().await;
        self.console_logins.look_after().await;
    }

    /// Goes on with rotations of access keys that are due. It looks at a file first, so that no keyring is asked for nothing.
    pub async fn look_after_keys(&self) {
        if !self.lock.is_locked() && self.keys.has_due() && self.gated.leads_as_accepted().await.is_ok() {
            self.keys.look_after().await;
        }
    }

    /// Clears what belonged to the time before somebody signed in or out; who is still needed has been told already.
    pub fn after_change(&self) {
        self.obtainer.forget_failures();
        let is_needed = |name: &str| {
            self.console_logins.has_ended(name)
                || SessionName::new(name).is_ok_and(|name| self.sign_in_sessions.has_ended(&name))
        };
        self.told.lock().unwrap_or_else(PoisonError::into_inner).retain(|name| is_needed(name));
    }

    /// Reads the AWS config. A path that a caller names may lie on a mount that does not answer: then it costs its own
    /// caller a while and nobody else anything.
    pub(crate) async fn config(&self, path: Option<&Path>) -> Result<Arc<Config>, Problem> {
        let Some(path) = path.map(Path::to_owned) else { return Ok(self.files.load(None)?) };
        let (files, of) = (Arc::clone(&self.files), path.clone());
        let reading = tokio::task::spawn_blocking(move || files.load(Some(&of)));
        match tokio::time::timeout(CONFIG_PATIENCE, reading).await {
            Ok(Ok(read)) => Ok(read?),
            Ok(Err(_)) | Err(_) => {
                let detail = format!("no answer after {} s", CONFIG_PATIENCE.as_secs());
                Err(ProfileError::File { file: tegata_protocol::text::one_line(&path.to_string_lossy()), detail }
                    .into())
            }
        }
    }

    /// Writes a record without which nothing may happen.
    pub(crate) fn record_for(&self, caller: &Caller, event: &Event<'_>) -> Result<(), ErrorBody> {
        self.audit.record(Some(caller), event).map_err(not_recorded)
    }

    fn note_refused(&self, counts: impl IntoIterator<Item = refused_peers::Count>) {
        for refused_peers::Count { uid, times } in counts {
            self.note(None, &Event::PeerRefused { uid, times });
        }
    }

    /// Writes a record that releases nothing; if that fails, the log says so.
    pub(crate) fn note(&self, caller: Option<&Caller>, event: &Event<'_>) {
        if let Err(error) = self.audit.record(caller, event) {
            tracing::error!("a record could not be written: {error}");
        }
    }
}

/// What leaves the daemon.
enum Release {
    Open(Arc<Credentials>),
    Elevated(Elevated),
}

fn not_recorded(error: crate::audit::AuditError) -> ErrorBody {
    ErrorBody::new(ErrorCode::AuditFailed, error.to_string())
}

fn proposal(profile: &Profile) -> Notice {
    Notice {
        summary: format!("{} looks like administration", profile.name),
        body: "Any program may use it. To put it behind your hand, run: tegata passkey add".to_owned(),
    }
}

fn json(credentials: &Credentials, form: Form) -> Bytes {
    let mut json = Zeroizing::new(Vec::with_capacity(ROOM_FOR_CREDENTIALS));
    let body = ProcessCredentials {
        access_key_id: credentials.access_key_id(),
        secret_access_key: credentials.secret_access_key(),
        session_token: credentials.session_token(),
        expiration: &rfc3339(credentials.expires_at()),
        account_id: credentials.account_id().map(crate::names::AccountId::as_str),
    };
    // Writing plain text fields into memory has nothing that can fail.
    let _ = match form {
        Form::Process => serde_json::to_writer(&mut *json, &body),
        Form::Container => serde_json::to_writer(&mut *json, &ContainerCredentials(body)),
    };
    json.push(b'\n');
    json
}
