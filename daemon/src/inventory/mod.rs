//! Inventories: which accounts and roles a sign-in session reaches, found out within a token bucket of its own.
//!
//! Each is a resource that a person's terminal follows and may stop; one per sign-in session, so that whoever begins a
//! second one joins the first. What was found when one is interrupted is where the next goes on. This room knows AWS and
//! the sign-in sessions, and no profile.

mod found;
mod kept;
mod pace;
mod walk;

pub use pace::Rate;

use crate::aws::Aws;
use crate::clock::Clock;
use crate::problem::Problem;
use crate::profile::SignInSession;
use crate::sign_in_sessions::SignInSessions;
use kept::Shelf;
use pace::Pace;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tegata_protocol::ErrorBody;
use tegata_protocol::inventory::{Inventory, InventoryAccount, InventoryState};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use walk::Walk;

/// Finished ones kept so that the terminal can read what was found.
const KEPT: usize = 4;

/// Where inventories are kept and how fast they are made.
#[derive(Clone, Debug)]
pub struct Options {
    /// The directory that what was found is kept in.
    pub directory: PathBuf,
    /// The pace, for all inventories of the daemon together.
    pub rate: Rate,
}

/// The inventories of one daemon.
#[derive(Debug)]
pub struct Inventories {
    aws: Arc<dyn Aws>,
    clock: Arc<dyn Clock>,
    sign_in_sessions: Arc<SignInSessions>,
    directory: PathBuf,
    pace: Arc<Pace>,
    table: Mutex<Vec<Entry>>,
    /// Held while one begins or is stopped: two would write to one file.
    changing: tokio::sync::Mutex<()>,
}

/// How far an inventory is.
#[derive(Clone, Debug, Default)]
struct Standing {
    found: u32,
    done: u32,
    end: Option<End>,
}

#[derive(Clone, Debug)]
enum End {
    Done(Arc<Vec<InventoryAccount>>),
    Failed(ErrorBody),
}

#[derive(Debug)]
struct Entry {
    id: String,
    session: SignInSession,
    resumed_from: u32,
    standing: watch::Sender<Standing>,
    task: Option<JoinHandle<()>>,
}

/// Ends the standing of a task when the task does, whatever the reason. The first end counts.
struct Ending(watch::Sender<Standing>);

impl Ending {
    fn is(&self, end: End) {
        self.0.send_modify(|standing| standing.end = standing.end.take().or(Some(end)));
    }
}

impl Drop for Ending {
    fn drop(&mut self) {
        self.is(End::Failed(Problem::Internal("the inventory was lost").into()));
    }
}

impl Inventories {
    /// Makes the table; nothing is read before one begins.
    #[must_use]
    pub fn new(
        aws: Arc<dyn Aws>,
        clock: Arc<dyn Clock>,
        sign_in_sessions: Arc<SignInSessions>,
        options: Options,
    ) -> Self {
        let pace = Arc::new(Pace::new(Arc::clone(&clock), options.rate));
        let (table, changing) = (Mutex::default(), tokio::sync::Mutex::default());
        Self { aws, clock, sign_in_sessions, directory: options.directory, pace, table, changing }
    }

    /// Begins an inventory where an earlier one was interrupted, or joins the one under way for the same session.
    pub async fn begin(&self, session: &SignInSession) -> Inventory {
        let _one_at_a_time = self.changing.lock().await;
        if let Some(under_way) = self.under_way(session) {
            return under_way;
        }
        // Another one of that name is of another organisation: the configuration has changed.
        self.end(&|entry| entry.session.name == session.name, &Problem::Internal("another inventory took its place"))
            .await;
        let (shelf, now) = (Shelf::of(&self.directory, session), self.clock.now());
        let of = shelf.clone();
        let kept = tokio::task::spawn_blocking(move || of.load(now)).await.ok().flatten();
        let (found, done) = kept.as_ref().map_or((0, 0), |kept| (kept.found.found(), kept.found.done()));
        let standing = watch::Sender::new(Standing { found, done, end: None });
        let walk = Walk {
            aws: Arc::clone(&self.aws),
            clock: Arc::clone(&self.clock),
            sign_in_sessions: Arc::clone(&self.sign_in_sessions),
            pace: Arc::clone(&self.pace),
            session: session.clone(),
            shelf,
            standing: standing.clone(),
        };
        let ending = Ending(standing.clone());
        let task = tokio::spawn(async move {
            ending.is(match walk.finish(kept).await {
                Ok(accounts) => End::Done(Arc::new(accounts)),
                Err(problem) => End::Failed(problem.into()),
            });
        });
        let (id, session, task) = (crate::random::id(), session.clone(), Some(task));
        self.enter(Entry { id, session, resumed_from: done, standing, task })
    }

    /// Says how an inventory stands, at its next step or once `wait` is over, with the accounts from the one of number `page`
    /// on if it is done.
    pub async fn stands(&self, id: &str, wait: Duration, page: usize) -> Option<Inventory> {
        let mut steps = self.lock().iter().find(|entry| entry.id == id)?.standing.subscribe();
        if steps.borrow_and_update().end.is_none() {
            // Either it makes a step, or the time is over; both are answers.
            let _ = tokio::time::timeout(wait, steps.changed()).await;
        }
        self.lock().iter().find(|entry| entry.id == id).map(|entry| entry.view(page))
    }

    /// Stops an inventory and forgets it; what it found stays for the next. Returns whether there is such a one.
    pub async fn stop(&self, id: &str) -> bool {
        let _one_at_a_time = self.changing.lock().await;
        let found = {
            let mut table = self.lock();
            table.iter().position(|entry| entry.id == id).map(|at| table.swap_remove(at))
        };
        let Some(mut entry) = found else { return false };
        gone(entry.task.take()).await;
        true
    }

    /// Stops every inventory under way; what they found stays for the next.
    pub async fn stop_all(&self, why: &Problem) {
        let _one_at_a_time = self.changing.lock().await;
        self.end(&|_| true, why).await;
    }

    /// Stops the inventory of a session that is signed out, and deletes what was kept of it: who signs in next may be
    /// somebody else.
    pub async fn forget(&self, session: &SignInSession) {
        let _one_at_a_time = self.changing.lock().await;
        let why = Problem::SignInRequired { session: session.name.clone(), why: "was signed out".to_owned() };
        self.end(&|entry| entry.session.name == session.name, &why).await;
        Shelf::of(&self.directory, session).forget();
    }

    /// Whether one is under way.
    #[must_use]
    pub fn any_under_way(&self) -> bool {
        self.lock().iter().any(Entry::is_under_way)
    }

    fn under_way(&self, session: &SignInSession) -> Option<Inventory> {
        let table = self.lock();
        let entry = table.iter().find(|entry| entry.session == *session && entry.is_under_way())?;
        Some(entry.view(0))
    }

    /// Ends those under way that are meant, and returns once their tasks are gone.
    async fn end(&self, meant: &(dyn Fn(&Entry) -> bool + Sync), why: &Problem) {
        let failed = ErrorBody::from(why.clone());
        let end = |entry: &mut Entry| {
            Ending(entry.standing.clone()).is(End::Failed(failed.clone()));
            entry.task.take()
        };
        let mut tasks = Vec::new();
        tasks.extend(self.lock().iter_mut().filter(|entry| entry.is_under_way() && meant(entry)).map(end));
        for task in tasks {
            gone(task).await;
        }
    }

    fn enter(&self, entry: Entry) -> Inventory {
        let view = entry.view(0);
        let mut table = self.lock();
        let ended: Vec<String> =
            table.iter().filter(|entry| !entry.is_under_way()).map(|entry| entry.id.clone()).collect();
        let surplus = (ended.len() + 1).saturating_sub(KEPT);
        table.retain(|entry| !ended.iter().take(surplus).any(|id| *id == entry.id));
        table.push(entry);
        view
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Entry>> {
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Aborts a task and returns once it is gone: from then on nothing writes to its file.
async fn gone(task: Option<JoinHandle<()>>) {
    let Some(task) = task else { return };
    task.abort();
    let _ = task.await;
}

impl Entry {
    fn is_under_way(&self) -> bool {
        self.standing.borrow().end.is_none()
    }

    fn view(&self, page: usize) -> Inventory {
        let standing = self.standing.borrow().clone();
        let (state, error, (accounts, next_page)) = match standing.end {
            None => (InventoryState::Running, None, Default::default()),
            Some(End::Failed(error)) => (InventoryState::Failed, Some(error), Default::default()),
            Some(End::Done(accounts)) => (InventoryState::Done, None, found::page(&accounts, page)),
        };
        Inventory {
            id: self.id.clone(),
            session: self.session.name.to_string(),
            state,
            accounts_found: standing.found,
            accounts_done: standing.done,
            resumed_from: self.resumed_from,
            error,
            accounts,
            next_page,
        }
    }
}

#[cfg(test)]
mod tests;
