//! The sign-ins under way: each is a resource that a person's terminal follows and may cancel.
//!
//! One per sign-in session, and one per profile that a person signs in to the console for: whoever begins a second one joins the first.

mod console;
mod subject;

pub use console::ConsoleSignIn;

use crate::arns::IdentityArn;
use crate::audit::{Audit, Event};
use crate::aws::{Aws, Tokens};
use crate::clock::{Clock, rfc3339};
use crate::console_logins::ConsoleLogins;
use crate::problem::Problem;
use crate::profile::{Chain, SignInSession};
use crate::sign_in_sessions::SignInSessions;
use crate::signin::login::Carrier;
use crate::signin::{self, Begun, SignInError};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use subject::Subject;
use tegata_protocol::body::{SignIn, SignInFlow, SignInState};
use tegata_protocol::{ErrorBody, ErrorCode};
use tokio::sync::watch;
use tokio::task::AbortHandle;

/// Finished ones kept so that the terminal can read how they ended.
const KEPT: usize = 64;

/// The sign-ins of one daemon.
#[derive(Debug)]
pub struct Attempts {
    aws: Arc<dyn Aws>,
    clock: Arc<dyn Clock>,
    sign_in_sessions: Arc<SignInSessions>,
    console_logins: Arc<ConsoleLogins>,
    audit: Arc<Audit>,
    table: Mutex<Vec<Attempt>>,
    /// When a person last finished signing in, in boot time.
    last_finished: Arc<Mutex<Option<Duration>>>,
    beginning: tokio::sync::Mutex<()>,
}

#[derive(Debug)]
struct Attempt {
    subject: Subject,
    /// Takes the text that a person carries over, where one is awaited.
    carrier: Option<Carrier>,
    view: SignIn,
    state: watch::Receiver<SignInState>,
    ended: watch::Sender<SignInState>,
    task: AbortHandle,
}

impl Attempt {
    fn is_pending(&self) -> bool {
        *self.state.borrow() == SignInState::Pending
    }

    fn cancel(&self) {
        self.task.abort();
        let cancelled = || ErrorBody::new(ErrorCode::SignInFailed, "the sign-in was cancelled");
        self.ended.send_if_modified(|state| {
            let pending = *state == SignInState::Pending;
            if pending {
                *state = SignInState::Failed { error: cancelled() };
            }
            pending
        });
    }

    fn view(&self) -> SignIn {
        SignIn { state: self.state.borrow().clone(), ..self.view.clone() }
    }
}

impl Attempts {
    /// Makes the table.
    #[must_use]
    pub fn new(
        aws: Arc<dyn Aws>,
        clock: Arc<dyn Clock>,
        sign_in_sessions: Arc<SignInSessions>,
        console_logins: Arc<ConsoleLogins>,
        audit: Arc<Audit>,
    ) -> Self {
        let (table, last_finished, beginning) = (Mutex::default(), Arc::default(), tokio::sync::Mutex::default());
        Self { aws, clock, sign_in_sessions, console_logins, audit, table, last_finished, beginning }
    }

    /// Begins a sign-in, or joins the one under way for the same session and flow. Another flow replaces the one under way:
    /// the person has chosen anew.
    ///
    /// # Errors
    /// What the session table, AWS or the callback listener said.
    pub async fn begin(&self, session: &SignInSession, flow: SignInFlow) -> Result<SignIn, Problem> {
        let _one_at_a_time = self.beginning.lock().await;
        let subject = Subject::Session(session.clone());
        if let Some(view) = self.under_way(&subject, flow) {
            return Ok(view);
        }
        let begun = self.start(session, flow).await?;
        let view = SignIn {
            id: crate::random::id(),
            session: session.name.to_string(),
            start_url: session.start_url.to_string(),
            flow,
            url: begun.url.to_string(),
            url_with_code: begun.url_with_code.map(String::from),
            user_code: begun.user_code,
            device: None,
            said: None,
            expires_at: rfc3339(begun.expires_at),
            state: SignInState::Pending,
        };
        let outcome = finish(Arc::clone(&self.sign_in_sessions), session.clone(), begun.outcome);
        Ok(self.follow(subject, view, None, outcome))
    }

    /// Returns how a sign-in stands, as soon as it has ended or `wait` is over.
    pub async fn stands(&self, id: &str, wait: Duration) -> Option<SignIn> {
        let mut state = self.lock().iter().find(|attempt| attempt.view.id == id)?.state.clone();
        // Either it ends, or the time does; both are answers.
        let _ = tokio::time::timeout(wait, state.wait_for(|state| *state != SignInState::Pending)).await;
        self.lock().iter().find(|attempt| attempt.view.id == id).map(Attempt::view)
    }

    /// Ends a sign-in that is under way: the callback listener closes, polling stops. Returns whether there is such a one.
    pub fn cancel(&self, id: &str) -> bool {
        let table = self.lock();
        let Some(attempt) = table.iter().find(|attempt| attempt.view.id == id) else { return false };
        attempt.cancel();
        self.sign_in_sessions.announce();
        true
    }

    /// Ends every sign-in under way.
    pub fn cancel_all(&self) {
        self.lock().iter().for_each(Attempt::cancel);
    }

    /// Whether a person is signing in now to what a chain starts from.
    #[must_use]
    pub fn is_under_way(&self, chain: &Chain) -> bool {
        let name = chain.source.sign_in_name();
        self.lock().iter().any(|attempt| attempt.is_pending() && name.is_some() && attempt.subject.waited_for() == name)
    }

    /// Whether a person is signing in to any session now.
    #[must_use]
    pub fn any_under_way(&self) -> bool {
        self.lock().iter().any(Attempt::is_pending)
    }

    /// Returns when a person last finished signing in, in boot time; absent: not in this daemon's life.
    #[must_use]
    pub fn last_finished(&self) -> Option<Duration> {
        *self.last_finished.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn under_way(&self, subject: &Subject, flow: SignInFlow) -> Option<SignIn> {
        let table = self.lock();
        let pending = table.iter().find(|attempt| attempt.is_pending() && attempt.subject.rivals(subject))?;
        if pending.subject == *subject && pending.view.flow == flow {
            return Some(pending.view());
        }
        pending.cancel();
        None
    }

    /// A client that AWS has forgotten is registered anew, once.
    async fn start(&self, session: &SignInSession, flow: SignInFlow) -> Result<Begun, Problem> {
        let client = self.sign_in_sessions.registration(session, false).await?;
        let begun = signin::begin(Arc::clone(&self.aws), &*self.clock, session, flow, &client).await;
        let begun = match begun {
            Err(error) if error.asks_for_registration() => {
                let client = self.sign_in_sessions.registration(session, true).await?;
                signin::begin(Arc::clone(&self.aws), &*self.clock, session, flow, &client).await
            }
            begun => begun,
        };
        begun.map_err(|error| failed(session, error))
    }

    /// Follows a sign-in to its end. `outcome` has kept what it gave when it ends well.
    fn follow(
        &self,
        subject: Subject,
        view: SignIn,
        carrier: Option<Carrier>,
        outcome: impl Future<Output = Outcome> + Send + 'static,
    ) -> SignIn {
        let (ended, state) = watch::channel(SignInState::Pending);
        let (table, audit, of) = (Arc::clone(&self.sign_in_sessions), Arc::clone(&self.audit), subject.clone());
        let (ends, finished, clock) = (ended.clone(), Arc::clone(&self.last_finished), Arc::clone(&self.clock));
        let task = tokio::spawn(async move {
            let outcome = outcome.await.map_err(ErrorBody::from);
            note(&audit, &of.ended(&outcome));
            let state = match outcome {
                Ok(identity) => {
                    *finished.lock().unwrap_or_else(PoisonError::into_inner) = Some(clock.since_boot());
                    SignInState::Done { identity: identity.map(|identity| identity.to_string()) }
                }
                Err(error) => SignInState::Failed { error },
            };
            ends.send_replace(state);
            table.announce();
        });
        let task = task.abort_handle();
        let attempt = Attempt { subject, carrier, view: view.clone(), state, ended, task };
        let mut table = self.lock();
        if table.len() >= KEPT {
            table.retain(Attempt::is_pending);
        }
        table.push(attempt);
        drop(table);
        // Who waits for a person has to see this one come, or it would not see them go either.
        self.sign_in_sessions.announce();
        view
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Attempt>> {
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// How a sign-in ended; with a sign-in to the console: whose it is.
type Outcome = Result<Option<IdentityArn>, Problem>;

async fn finish(
    table: Arc<SignInSessions>,
    session: SignInSession,
    outcome: impl Future<Output = Result<Tokens, SignInError>>,
) -> Outcome {
    let tokens = outcome.await.map_err(|error| failed(&session, error))?;
    table.signed_in(&session, tokens).await.map(|()| None)
}

fn note(audit: &Audit, event: &Event<'_>) {
    if let Err(error) = audit.record(None, event) {
        tracing::error!("a record could not be written: {error}");
    }
}

fn failed(session: &SignInSession, error: SignInError) -> Problem {
    match error {
        SignInError::Aws(error) if error.is_passing() => Problem::Aws(error),
        error => Problem::SignInFailed { session: session.name.clone(), why: error.to_string() },
    }
}
