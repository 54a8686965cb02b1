//! The story of one request: caller → profile → credentials → record → answer.
//!
//! The broker knows every room and does nothing itself that a room could do; it is the one value the doors talk to.

use crate::accepted_policy::{AcceptedPolicy, Wanted};
use crate::afterwards::Consequences;
use crate::attempts::Attempts;
use crate::audit::{Audit, Event, GrantEnd};
use crate::caller::Caller;
use crate::clock::{Clock, rfc3339};
use crate::credentials::Credentials;
use crate::gate::Gate;
use crate::gated::{self, Elevated, Gated};
use crate::grant::Grants;
use crate::human::{Human, Notice};
use crate::local_user::LocalUser;
use crate::lock::LockState;
use crate::names::{ProfileName, SessionName};
use crate::obtain::Obtainer;
use crate::policy::Rule;
use crate::policy::terms::Decision;
use crate::problem::Problem;
use crate::profile::{Chain, Config, ConfigFiles, Profile, ProfileError, SignInSession};
use crate::refused_peers::{self, RefusedPeers};
use crate::requests::view::View;
use crate::requests::{self, Desk, Task};
use crate::reviews::Reviews;
use crate::serve::page::PageDoor;
use crate::sign_in_sessions::SignInSessions;
use crate::sign_in_sessions::roles::StoredRoles;
use crate::store::{Bytes, Store, StoreError};
use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::{Duration, SystemTime};
use tegata_protocol::body::{self, BeginSignIn, ProcessCredentials};
use tegata_protocol::{DEFAULT_WAIT_SECONDS, ErrorBody, ErrorCode};
use tokio::sync::Notify;
use zeroize::Zeroizing;

/// Enough for any credentials, so that writing them never moves the buffer and leaves an unwiped copy behind.
const ROOM_FOR_CREDENTIALS: usize = 8 * 1024;

/// How long the file system may take to read a config file that a caller named.
const CONFIG_PATIENCE: Duration = Duration::from_secs(5);

/// What a tool asks for.
#[derive(Clone, Debug)]
pub struct Ask {
    /// The profile, as the user typed it.
    pub profile: String,
    /// The caller's AWS config file; absent: the user's own.
    pub config: Option<PathBuf>,
    /// How long the caller waits, also for a person; absent: for work under way only, as long as every SDK does.
    pub wait: Option<Duration>,
}

/// The rooms, wired.
#[derive(Debug)]
pub struct Rooms {
    /// What time it is.
    pub clock: Arc<dyn Clock>,
    /// AWS.
    pub aws: Arc<dyn crate::aws::Aws>,
    /// The human.
    pub human: Arc<dyn Human>,
    /// The lasting secrets.
    pub store: Store,
    /// The AWS config files.
    pub files: Arc<ConfigFiles>,
    /// The records.
    pub audit: Arc<Audit>,
    /// Whether everything is locked.
    pub lock: LockState,
    /// The longest any request may wait.
    pub longest_wait: Duration,
    /// Whom role sessions are named after.
    pub user: LocalUser,
    /// What a person should know since the start, one line each.
    pub warnings: Vec<String>,
    /// What the settings say of what is accepted by hand.
    pub wanted: Wanted,
    /// The organisation's rules.
    pub organisation: Vec<Rule>,
    /// The review items.
    pub reviews: Reviews,
}

/// Answers the doors.
#[derive(Debug)]
pub struct Broker {
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) aws: Arc<dyn crate::aws::Aws>,
    pub(crate) human: Arc<dyn Human>,
    pub(crate) store: Store,
    files: Arc<ConfigFiles>,
    audit: Arc<Audit>,
    lock: Arc<LockState>,
    pub(crate) longest_wait: Duration,
    pub(crate) warnings: Vec<String>,
    pub(crate) cache: Arc<crate::cache::Cache>,
    pub(crate) sign_in_sessions: Arc<SignInSessions>,
    stored_roles: Arc<StoredRoles>,
    pub(crate) obtainer: Arc<Obtainer>,
    pub(crate) attempts: Attempts,
    pub(crate) gate: Arc<Gate>,
    pub(crate) grants: Arc<Grants>,
    pub(crate) desk: Arc<Desk>,
    pub(crate) gated: Arc<Gated>,
    pub(crate) page_door: PageDoor,
    pub(crate) reviews: Arc<Reviews>,
    pub(crate) consequences: Arc<Consequences>,
    refused_peers: RefusedPeers,
    /// The sessions whose end the human has been told of.
    told: Mutex<HashSet<SessionName>>,
    pub(crate) started_at: SystemTime,
    end: Notify,
}

impl Broker {
    /// Wires the rooms.
    #[must_use]
    pub fn new(rooms: Rooms) -> Self {
        let Rooms { clock, aws, human, store, files, audit, lock, longest_wait, .. } = rooms;
        let cache = Arc::new(crate::cache::Cache::default());
        let sign_in_sessions = Arc::new(SignInSessions::new(Arc::clone(&aws), Arc::clone(&clock), store.clone()));
        let stored_roles = Arc::new(StoredRoles::new(store.clone(), Arc::clone(&clock), Arc::clone(&cache)));
        let providers = crate::provider::Providers {
            aws: Arc::clone(&aws),
            sign_in_sessions: Arc::clone(&sign_in_sessions),
            user: Arc::new(rooms.user),
        };
        let stored = Arc::clone(&stored_roles);
        let obtainer = Arc::new(Obtainer::new(Arc::clone(&clock), Arc::clone(&cache), providers.clone(), stored));
        let attempts =
            Attempts::new(Arc::clone(&aws), Arc::clone(&clock), Arc::clone(&sign_in_sessions), Arc::clone(&audit));
        let (lock, reviews) = (Arc::new(lock), Arc::new(rooms.reviews));
        let gate = Arc::new(Gate::new(store.clone(), Arc::clone(&clock)));
        let grants = Arc::new(Grants::new(Arc::clone(&clock)));
        let accepted = AcceptedPolicy::new(store.clone());
        let consequences = Arc::new(Consequences {
            clock: Arc::clone(&clock),
            gate: Arc::clone(&gate),
            lock: Arc::clone(&lock),
            reviews: Arc::clone(&reviews),
            audit: Arc::clone(&audit),
            human: Arc::clone(&human),
            accepted: accepted.clone(),
            wanted: rooms.wanted.clone(),
            gated: OnceLock::new(),
            obtainer: Arc::clone(&obtainer),
            stored_roles: Arc::clone(&stored_roles),
            sign_in_sessions: Arc::clone(&sign_in_sessions),
        });
        let desk = Arc::new(Desk::new(requests::desk::Rooms {
            clock: Arc::clone(&clock),
            gate: Arc::clone(&gate),
            grants: Arc::clone(&grants),
            audit: Arc::clone(&audit),
            human: Arc::clone(&human),
            afterwards: Arc::<Consequences>::clone(&consequences),
        }));
        let gated = gated::Rooms {
            clock: Arc::clone(&clock),
            gate: Arc::clone(&gate),
            grants: Arc::clone(&grants),
            desk: Arc::clone(&desk),
            accepted,
            wanted: rooms.wanted,
            organisation: rooms.organisation,
        };
        let gated = Arc::new(Gated::new(gated, providers, Arc::clone(&obtainer)));
        // Set once: the consequences have just been made.
        let _ = consequences.gated.set(Arc::downgrade(&gated));
        let page_door = PageDoor::new(Arc::<Desk>::clone(&desk));
        let (started_at, warnings) = (clock.now(), rooms.warnings);
        let (told, end, refused_peers) = (Mutex::default(), Notify::new(), RefusedPeers::new(Arc::clone(&clock)));
        Self {
            clock,
            aws,
            human,
            store,
            files,
            audit,
            lock,
            longest_wait,
            warnings,
            cache,
            sign_in_sessions,
            stored_roles,
            obtainer,
            attempts,
            gate,
            grants,
            desk,
            gated,
            page_door,
            reviews,
            consequences,
            refused_peers,
            told,
            started_at,
            end,
        }
    }

    /// Answers a tool with the `credential_process` JSON of a profile. A record of it is written before it is released; for a
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
                Ok(process_json(&credentials))
            }
            Ok((profile, Release::Elevated(Elevated { grant, credentials }))) => {
                let released = Event::released(&profile, &credentials, Some(&grant.id));
                self.audit.record_durably(Some(caller), &released).map_err(not_recorded)?;
                Ok(process_json(&credentials))
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
        let profile = self.config(ask.config.as_deref()).await?.resolve(&name)?;
        let release = match self.gated.decide(&profile).await? {
            Decision::Open => Release::Open(self.in_time(&profile.chain, ask.wait).await?),
            Decision::Gated(terms) => {
                let patience = self.patience(ask.wait);
                Release::Elevated(self.gated.serve(caller, &profile, terms, patience).await?)
            }
            Decision::Denied(denial) => return Err(denial.into()),
        };
        self.unlocked()?;
        Ok((profile, release))
    }

    fn patience(&self, wait: Option<Duration>) -> Duration {
        wait.unwrap_or(Duration::from_secs(DEFAULT_WAIT_SECONDS)).min(self.longest_wait)
    }

    /// Waits as long as the caller does. A person is waited for only if the caller said so, or one is signing in now; once
    /// that one has given up, nobody is.
    async fn in_time(&self, chain: &Arc<Chain>, wait: Option<Duration>) -> Result<Arc<Credentials>, Problem> {
        let session = chain.session();
        let patience = self.patience(wait);
        let waits_for_person = wait.is_some_and(|wait| !wait.is_zero());
        let mut last = Problem::WaitEnded { seconds: patience.as_secs() };
        let answer = tokio::time::timeout(patience.max(Duration::from_millis(1)), async {
            let mut changes = self.sign_in_sessions.changes();
            let mut somebody_came = false;
            loop {
                changes.mark_unchanged();
                // Looked at first: who finishes meanwhile has changed something, and is asked after once more.
                let somebody_is_there = self.attempts.is_under_way(&session.name);
                let problem = match self.obtainer.obtain(chain).await {
                    Err(problem @ Problem::SignInRequired { .. }) => problem,
                    answer => return answer,
                };
                self.tell(session);
                if !somebody_is_there && (somebody_came || !waits_for_person) {
                    return Err(problem);
                }
                somebody_came = somebody_is_there;
                last = problem;
                // The table outlives this wait.
                let _ = changes.changed().await;
            }
        });
        answer.await.unwrap_or_else(|_| Err(last))
    }

    /// Begins a sign-in for a session, a profile that uses one, or a start URL.
    ///
    /// # Errors
    /// Why it cannot begin.
    pub async fn begin_sign_in(&self, caller: &Caller, request: BeginSignIn) -> Result<body::SignIn, ErrorBody> {
        self.unlocked()?;
        self.gated.leads_as_accepted().await?;
        let config = self.config(request.config.as_deref().map(Path::new)).await?;
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
        self.attempts.stands(id, wait.min(self.longest_wait)).await.ok_or_else(no_such_sign_in)
    }

    /// Cancels a sign-in: the callback listener closes, polling stops.
    ///
    /// # Errors
    /// [`ErrorCode::NotFound`].
    pub async fn cancel_sign_in(&self, id: &str) -> Result<(), ErrorBody> {
        if self.attempts.cancel(id) { Ok(()) } else { Err(no_such_sign_in()) }
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
        let session = self.session_called(name, config).await?;
        let said = self.sign_in_sessions.sign_out(&session).await?;
        self.obtainer.forget(&session.name);
        let ended = self.grants.end_of_session(&session.name);
        ended.iter().for_each(|grant| {
            self.note(None, &Event::GrantEnded { grant: &grant.id, why: GrantEnd::SignedOut });
        });
        self.stored_roles.delete_all(std::slice::from_ref(&session.name)).await.map_err(Problem::from)?;
        self.note(Some(caller), &Event::SignedOut { session: &session.name, revoked_upstream: said.is_ok() });
        Ok(body::SignedOut { session: session.name.to_string(), revoked_upstream: said.is_ok(), detail: said.err() })
    }

    /// Locks: memory dropped, stored role credentials deleted, nothing served until unlocked, also not after a restart.
    ///
    /// # Errors
    /// What the store said; everything is locked all the same.
    pub async fn lock(&self, caller: &Caller) -> Result<body::Lock, ErrorBody> {
        self.lock.lock().map_err(|error| ErrorBody::new(ErrorCode::Internal, error.to_string()))?;
        self.attempts.cancel_all();
        self.obtainer.forget_all();
        self.end_grants(GrantEnd::Locked, &|_| true);
        self.desk.end_all();
        let deleted = self.delete_stored_roles().await;
        self.sign_in_sessions.forget_all();
        self.note(Some(caller), &Event::Locked);
        match deleted {
            Ok(()) => Ok(body::Lock { locked: true }),
            Err(error) => Err(ErrorBody {
                message: format!("locked, but stored role credentials remain: {error}"),
                ..Problem::from(error).into()
            }),
        }
    }

    /// Deletes what a lock that was cut short by a crash left in the store. Everything is locked, whatever the store says.
    pub async fn finish_locking(&self) {
        if !self.lock.is_locked() {
            return;
        }
        if let Err(error) = self.delete_stored_roles().await {
            tracing::warn!("locked, but stored role credentials remain: {error}");
        }
    }

    /// Unlocks, or asks for the hand that it takes where a passkey is enrolled.
    ///
    /// # Errors
    /// When the mark of the lock cannot be removed, or the store cannot say whether there is a passkey.
    pub async fn unlock(&self, caller: &Caller) -> Result<Unlocking, ErrorBody> {
        if self.lock.is_locked() && self.gated.standing().await.map_err(Problem::from)?.has_passkey() {
            return self.ask(caller, Task::Unlock).await.map(|view| Unlocking::AwaitsHand(Box::new(view)));
        }
        self.lock.unlock().map_err(|error| ErrorBody::new(ErrorCode::Internal, error.to_string()))?;
        self.note(Some(caller), &Event::Unlocked);
        Ok(Unlocking::Done(self.locked()))
    }

    /// Says whether everything is locked.
    #[must_use]
    pub fn locked(&self) -> body::Lock {
        body::Lock { locked: self.lock.is_locked() }
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

    /// Whether a person is signing in now.
    #[must_use]
    pub fn is_signing_in(&self) -> bool {
        self.attempts.any_under_way()
    }

    /// Looks after everything that goes on without a caller: renewal ahead, repeated writes, memories to clear.
    pub async fn look_after(&self) {
        self.desk.sweep();
        for grant in self.grants.sweep() {
            self.note(None, &Event::GrantEnded { grant: &grant.id, why: GrantEnd::Expired });
        }
        self.note_refused(self.refused_peers.untold(refused_peers::EVERY));
        // Asked only once there is something to send: then the store has been read before, and is no locked keyring.
        let something_lives = self.obtainer.next_due().or(self.sign_in_sessions.next_due()).is_some();
        if self.lock.is_locked() || something_lives && self.gated.leads_as_accepted().await.is_err() {
            return;
        }
        self.obtainer.renew_ahead();
        self.sign_in_sessions.look_after().await;
    }

    /// Clears what belonged to the time before somebody signed in or out; who is still needed has been told already.
    pub fn after_change(&self) {
        self.obtainer.forget_failures();
        self.told.lock().unwrap_or_else(PoisonError::into_inner).retain(|name| self.sign_in_sessions.has_ended(name));
    }

    async fn delete_stored_roles(&self) -> Result<(), StoreError> {
        let sessions: Vec<_> = self.sessions_known(None).await.into_iter().map(|session| session.name).collect();
        self.stored_roles.delete_all(&sessions).await
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

    /// Returns the session a person means, also one that the configuration no longer has.
    async fn session_called(&self, name: &str, config: Option<&Path>) -> Result<SignInSession, Problem> {
        let known = || self.sign_in_sessions.known().into_iter().find(|session| session.name.as_str() == name);
        let configured = self.config(config).await.and_then(|config| Ok(config.find_sign_in(Some(name))?));
        configured.or_else(|problem| known().ok_or(problem))
    }

    pub(crate) fn unlocked(&self) -> Result<(), Problem> {
        if self.lock.is_locked() { Err(Problem::Locked) } else { Ok(()) }
    }

    /// Tells the human once that a tool met a session that only a person can revive.
    fn tell(&self, session: &SignInSession) {
        let first = self.told.lock().unwrap_or_else(PoisonError::into_inner).insert(session.name.clone());
        if first {
            let name = crate::problem::quoted(session.name.as_str());
            let summary = format!("AWS sign-in needed: {}", session.name);
            self.human.notify(Notice {
                summary,
                body: format!("A tool is waiting for credentials. Run: tegata login {name}"),
            });
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

/// What became of unlocking.
#[derive(Debug)]
pub enum Unlocking {
    /// It is done.
    Done(body::Lock),
    /// A hand has to do it.
    AwaitsHand(Box<View>),
}

fn not_recorded(error: crate::audit::AuditError) -> ErrorBody {
    ErrorBody::new(ErrorCode::AuditFailed, error.to_string())
}

fn no_such_sign_in() -> ErrorBody {
    ErrorBody::new(ErrorCode::NotFound, "no such sign-in is under way").mend("tegata login")
}

fn process_json(credentials: &Credentials) -> Bytes {
    let mut json = Zeroizing::new(Vec::with_capacity(ROOM_FOR_CREDENTIALS));
    let body = ProcessCredentials {
        access_key_id: credentials.access_key_id(),
        secret_access_key: credentials.secret_access_key(),
        session_token: credentials.session_token(),
        expiration: &rfc3339(credentials.expires_at()),
        account_id: credentials.account_id().map(crate::names::AccountId::as_str),
    };
    // Writing plain text fields into memory has nothing that can fail.
    let _ = serde_json::to_writer(&mut *json, &body);
    json.push(b'\n');
    json
}
