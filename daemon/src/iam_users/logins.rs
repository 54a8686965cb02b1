//! The codes that persons are asked for: each asking is a resource that a person's terminal follows and may cancel.
//!
//! One per profile: whoever begins a second one joins the first. Where a code can be had without a person, nobody is asked.

use super::IamUsers;
use crate::arns::MfaSerial;
use crate::audit::{Audit, Event};
use crate::clock::{Clock, rfc3339};
use crate::credentials::Credentials;
use crate::names::ProfileName;
use crate::problem::Problem;
use crate::profile::{Chain, IamUser, Profile, Source};
use crate::sign_in_sessions::SignInSessions;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};
use tegata_protocol::body::{SignIn, SignInFlow, SignInState};
use tegata_protocol::{ErrorBody, ErrorCode, Secret};
use tokio::sync::watch;
use tokio::task::AbortHandle;

/// How long a person is waited for.
const PATIENCE: Duration = Duration::from_secs(300);
/// How many codes that AWS does not take end it.
const TRIES: u32 = 3;
/// Ended ones kept so that the terminal can read how they ended.
const KEPT: usize = 64;

/// The askings of one daemon.
#[derive(Debug)]
pub struct Logins {
    shared: Arc<Shared>,
    table: Mutex<Vec<Login>>,
}

/// What outlives the call that began it.
#[derive(Debug)]
struct Shared {
    users: Arc<IamUsers>,
    clock: Arc<dyn Clock>,
    sign_in_sessions: Arc<SignInSessions>,
    audit: Arc<Audit>,
}

#[derive(Debug)]
struct Login {
    id: String,
    profile: ProfileName,
    source: IamUser,
    until: Duration,
    expires_at: SystemTime,
    stage: watch::Sender<Stage>,
    task: AbortHandle,
}

/// How it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Stage {
    /// AWS is being asked, or a code is being had without a person.
    Working { refused: u32 },
    /// A person's code is wanted.
    WantsCode { device: MfaSerial, said: Option<String>, refused: u32 },
    /// It is over.
    Ended(SignInState),
}

impl Login {
    fn is_pending(&self) -> bool {
        !matches!(*self.stage.borrow(), Stage::Ended(_))
    }

    fn view(&self) -> SignIn {
        let (state, device, said) = match &*self.stage.borrow() {
            Stage::Working { .. } => (SignInState::Pending, None, None),
            Stage::WantsCode { device, said, .. } => (SignInState::Pending, Some(device.to_string()), said.clone()),
            Stage::Ended(state) => (state.clone(), None, None),
        };
        SignIn {
            id: self.id.clone(),
            session: self.profile.to_string(),
            start_url: String::new(),
            flow: SignInFlow::MfaCode,
            url: String::new(),
            url_with_code: None,
            user_code: None,
            device,
            said,
            expires_at: rfc3339(self.expires_at),
            state,
        }
    }

    fn end(&self, code: ErrorCode, message: &str) {
        self.task.abort();
        self.stage.send_if_modified(|stage| {
            let pending = !matches!(stage, Stage::Ended(_));
            if pending {
                let error = ErrorBody::new(code, message);
                *stage = Stage::Ended(SignInState::Failed { error });
            }
            pending
        });
    }
}

impl Logins {
    /// Makes the table.
    #[must_use]
    pub fn new(
        users: Arc<IamUsers>,
        clock: Arc<dyn Clock>,
        sign_in_sessions: Arc<SignInSessions>,
        audit: Arc<Audit>,
    ) -> Self {
        let shared = Arc::new(Shared { users, clock, sign_in_sessions, audit });
        Self { shared, table: Mutex::default() }
    }

    /// Begins a login for a profile that starts from an IAM user, or joins the one under way.
    pub fn begin(&self, profile: &Profile, source: &IamUser) -> SignIn {
        let mut table = self.table();
        if let Some(pending) = table.iter().find(|login| login.profile == profile.name && login.is_pending()) {
            if pending.source == *source {
                return pending.view();
            }
            pending.end(ErrorCode::SignInFailed, "the profile was changed meanwhile");
        }
        let (stage, _) = watch::channel(Stage::Working { refused: 0 });
        let (shared, of, name, moves) = (Arc::clone(&self.shared), source.clone(), profile.name.clone(), stage.clone());
        let task = tokio::spawn(async move { shared.without_a_person(&name, &of, &moves).await });
        let login = Login {
            id: crate::random::id(),
            profile: profile.name.clone(),
            source: source.clone(),
            until: self.shared.clock.since_boot() + PATIENCE,
            expires_at: self.shared.clock.now() + PATIENCE,
            stage,
            task: task.abort_handle(),
        };
        let view = login.view();
        if table.len() >= KEPT {
            table.retain(Login::is_pending);
        }
        table.push(login);
        drop(table);
        // Who waits for a person has to see this one come, or it would not see them go either.
        self.shared.sign_in_sessions.announce();
        view
    }

    /// Returns how a login stands, as soon as it has ended, a code is wanted, or `wait` is over.
    pub async fn stands(&self, id: &str, wait: Duration) -> Option<SignIn> {
        self.sweep();
        let mut stage = self.table().iter().find(|login| login.id == id)?.stage.subscribe();
        // Either it moves on, or the time does; both are answers.
        let _ = tokio::time::timeout(wait, stage.wait_for(|stage| !matches!(stage, Stage::Working { .. }))).await;
        self.table().iter().find(|login| login.id == id).map(Login::view)
    }

    /// Gives the code that a login wants. It is sent in the background; [`Logins::stands`] says what became of it.
    ///
    /// # Errors
    /// [`ErrorCode::NotFound`], or [`ErrorCode::BadRequest`] where no code is wanted.
    pub fn give(&self, id: &str, code: Secret) -> Result<SignIn, ErrorBody> {
        self.sweep();
        let mut table = self.table();
        let login = table.iter_mut().find(|login| login.id == id);
        let login = login.ok_or_else(|| ErrorBody::new(ErrorCode::NotFound, "no such sign-in is under way"))?;
        let mut wanted = None;
        login.stage.send_if_modified(|stage| {
            let Stage::WantsCode { refused, .. } = stage else { return false };
            wanted = Some(*refused);
            *stage = Stage::Working { refused: *refused };
            true
        });
        let refused =
            wanted.ok_or_else(|| ErrorBody::new(ErrorCode::BadRequest, "this sign-in wants no code just now"))?;
        let (shared, source) = (Arc::clone(&self.shared), login.source.clone());
        let (name, moves) = (login.profile.clone(), login.stage.clone());
        let task = tokio::spawn(async move { shared.by_code(&name, &source, &code, refused, &moves).await });
        login.task = task.abort_handle();
        Ok(login.view())
    }

    /// Ends a login that is under way. Returns whether there is such a one.
    pub fn cancel(&self, id: &str) -> bool {
        let table = self.table();
        let Some(login) = table.iter().find(|login| login.id == id) else { return false };
        login.end(ErrorCode::SignInFailed, "the sign-in was cancelled");
        drop(table);
        self.shared.sign_in_sessions.announce();
        true
    }

    /// Ends every login under way.
    pub fn cancel_all(&self) {
        self.table().iter().for_each(|login| login.end(ErrorCode::SignInFailed, "the sign-in was cancelled"));
    }

    /// Whether a person is giving a code now for what a chain starts from.
    #[must_use]
    pub fn is_under_way(&self, chain: &Chain) -> bool {
        self.sweep();
        let Source::IamUser(user) = &chain.source else { return false };
        self.table().iter().any(|login| login.source.user == user.user && login.is_pending())
    }

    /// Whether a person is giving a code now.
    #[must_use]
    pub fn any_under_way(&self) -> bool {
        self.sweep();
        self.table().iter().any(Login::is_pending)
    }

    /// Ends those whose person did not come.
    fn sweep(&self) {
        let now = self.shared.clock.since_boot();
        let mut any = false;
        for login in self.table().iter().filter(|login| login.until <= now && login.is_pending()) {
            login.end(ErrorCode::SignInFailed, "no code was given in time");
            any = true;
        }
        if any {
            self.shared.sign_in_sessions.announce();
        }
    }

    fn table(&self) -> MutexGuard<'_, Vec<Login>> {
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Shared {
    /// Makes the session without a person, where that can be; otherwise a code is wanted from now on.
    async fn without_a_person(&self, profile: &ProfileName, source: &IamUser, stage: &watch::Sender<Stage>) {
        let made = match self.users.is_automatic(source).await {
            Ok(true) => self.users.session(source).await,
            Ok(false) => {
                // Asking a person for a code that nothing can be signed with would be worse than saying so.
                let key = self.users.access_key(&source.user).await;
                key.and_then(|_| Err(Problem::PersonNeeded { what: String::new(), why: String::new(), profile: None }))
            }
            Err(problem) => Err(problem),
        };
        let next = match (made, &source.mfa) {
            (Err(Problem::PersonNeeded { why, .. }), Some(device)) => {
                let said = Some(why).filter(|why| why.contains("AWS")).map(|why| format!("the device {why}"));
                Stage::WantsCode { device: device.clone(), said, refused: 0 }
            }
            (made, _) => self.ended(profile, source, made),
        };
        stage.send_replace(next);
        self.sign_in_sessions.announce();
    }

    async fn by_code(
        &self,
        profile: &ProfileName,
        source: &IamUser,
        code: &Secret,
        refused: u32,
        stage: &watch::Sender<Stage>,
    ) {
        let next = match (self.users.session_by(source, code).await, &source.mfa) {
            (Err(problem @ Problem::CodeRefused { .. }), Some(device)) if refused + 1 < TRIES => {
                self.note(&Event::CodeRefused { profile, device });
                Stage::WantsCode { device: device.clone(), said: Some(problem.to_string()), refused: refused + 1 }
            }
            (Err(problem), Some(device)) if problem.is_passing() && refused + 1 < TRIES => {
                let said = Some(format!("{problem}; the code may be spent, so give the next one"));
                Stage::WantsCode { device: device.clone(), said, refused: refused + 1 }
            }
            (made, _) => self.ended(profile, source, made),
        };
        stage.send_replace(next);
        self.sign_in_sessions.announce();
    }

    fn ended(&self, profile: &ProfileName, source: &IamUser, made: Result<Arc<Credentials>, Problem>) -> Stage {
        let device = source.mfa.as_ref();
        match made {
            Ok(session) => {
                let expires_at = session.expires_at();
                self.note(&Event::UserSessionMade { profile, user: &source.user, device, expires_at });
                Stage::Ended(SignInState::Done { identity: None })
            }
            Err(problem) => {
                let error = ErrorBody::from(problem.asked_for(profile));
                self.note(&Event::UserSessionFailed { profile, user: &source.user, device, code: error.code });
                Stage::Ended(SignInState::Failed { error })
            }
        }
    }

    fn note(&self, event: &Event<'_>) {
        if let Err(error) = self.audit.record(None, event) {
            tracing::error!("a record could not be written: {error}");
        }
    }
}

#[cfg(test)]
#[path = "logins_tests.rs"]
mod tests;
