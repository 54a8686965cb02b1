//! The sign-ins under way: each is a resource that a person's terminal follows and may cancel.
//!
//! One per sign-in session: whoever begins a second one joins the first.

use crate::audit::{Audit, Event};
use crate::aws::{Aws, Tokens};
use crate::clock::{Clock, rfc3339};
use crate::problem::Problem;
use crate::profile::{Chain, SignInSession};
use crate::sign_in_sessions::SignInSessions;
use crate::signin::{self, Begun, SignInError};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
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
    audit: Arc<Audit>,
    table: Mutex<Vec<Attempt>>,
    /// When a person last finished signing in, in boot time.
    last_finished: Arc<Mutex<Option<Duration>>>,
    beginning: tokio::sync::Mutex<()>,
}

#[derive(Debug)]
struct Attempt {
    session: SignInSession,
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
        audit: Arc<Audit>,
    ) -> Self {
        let (table, last_finished, beginning) = (Mutex::default(), Arc::default(), tokio::sync::Mutex::default());
        Self { aws, clock, sign_in_sessions, audit, table, last_finished, beginning }
    }

    /// Begins a sign-in, or joins the one under way for the same session and flow. Another flow replaces the one under way:
    /// the person has chosen anew.
    ///
    /// # Errors
    /// What the session table, AWS or the callback listener said.
    pub async fn begin(&self, session: &SignInSession, flow: SignInFlow) -> Result<SignIn, Problem> {
        let _one_at_a_time = self.beginning.lock().await;
        if let Some(view) = self.under_way(session, flow) {
            return Ok(view);
        }
        let begun = self.start(session, flow).await?;
        Ok(self.follow(session, flow, begun))
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
        self.lock().iter().any(|attempt| Some(attempt.session.name.as_str()) == name && attempt.is_pending())
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

    fn under_way(&self, session: &SignInSession, flow: SignInFlow) -> Option<SignIn> {
        let table = self.lock();
        let pending = table.iter().find(|attempt| attempt.session.name == session.name && attempt.is_pending())?;
        if pending.session == *session && pending.view.flow == flow {
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

    fn follow(&self, session: &SignInSession, flow: SignInFlow, begun: Begun) -> SignIn {
        let (ended, state) = watch::channel(SignInState::Pending);
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
        let (table, audit, of) = (Arc::clone(&self.sign_in_sessions), Arc::clone(&self.audit), session.clone());
        let (ends, finished, clock) = (ended.clone(), Arc::clone(&self.last_finished), Arc::clone(&self.clock));
        let task = tokio::spawn(async move {
            let outcome = finish(&table, &of, begun.outcome).await;
            note(&audit, &of, &outcome);
            if outcome == SignInState::Done {
                *finished.lock().unwrap_or_else(PoisonError::into_inner) = Some(clock.since_boot());
            }
            ends.send_replace(outcome);
            table.announce();
        });
        let attempt = Attempt { session: session.clone(), view: view.clone(), state, ended, task: task.abort_handle() };
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

async fn finish(
    table: &SignInSessions,
    session: &SignInSession,
    outcome: impl Future<Output = Result<Tokens, SignInError>>,
) -> SignInState {
    let kept = match outcome.await {
        Ok(tokens) => table.signed_in(session, tokens).await,
        Err(error) => Err(failed(session, error)),
    };
    match kept {
        Ok(()) => SignInState::Done,
        Err(problem) => SignInState::Failed { error: problem.into() },
    }
}

fn note(audit: &Audit, session: &SignInSession, outcome: &SignInState) {
    let event = match outcome {
        SignInState::Failed { error } => Event::SignInFailed { session: &session.name, code: error.code },
        SignInState::Done | SignInState::Pending => Event::SignInFinished { session: &session.name },
    };
    if let Err(error) = audit.record(None, &event) {
        tracing::error!("a record could not be written: {error}");
    }
}

fn failed(session: &SignInSession, error: SignInError) -> Problem {
    match error {
        SignInError::Aws(error) if error.is_passing() => Problem::Aws(error),
        error => Problem::SignInFailed { session: session.name.clone(), why: error.to_string() },
    }
}
