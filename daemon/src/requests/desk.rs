//! Where requests, pages, ceremonies and grants meet: what a hand does becomes a grant, a passkey, or a refusal.

mod page;
mod told;

use super::Afterwards;
use super::pages::Pages;
use super::table::{Elevation, Entry, NoRequest, Table, Task};
use super::view::View;
use crate::audit::{Audit, Event, GrantEnd};
use crate::caller::Caller;
use crate::clock::Clock;
use crate::gate::Gate;
use crate::grant::Grants;
use crate::human::Human;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tegata_protocol::Secret;
use tokio::sync::watch;
use told::{asked, notice, requester};

/// What the desk works with.
#[derive(Debug)]
pub struct Rooms {
    /// What time it is.
    pub clock: Arc<dyn Clock>,
    /// The passkeys.
    pub gate: Arc<Gate>,
    /// The grants.
    pub grants: Arc<Grants>,
    /// The records.
    pub audit: Arc<Audit>,
    /// The human.
    pub human: Arc<dyn Human>,
    /// What follows from an approval, beyond a grant.
    pub afterwards: Arc<dyn Afterwards>,
    /// How long a request waits for a hand; shorter than a page lives.
    pub waits_for: Duration,
}

/// The requests of one daemon.
#[derive(Debug)]
pub struct Desk {
    rooms: Rooms,
    state: Mutex<Books>,
    changes: watch::Sender<()>,
}

#[derive(Debug)]
struct Books {
    table: Table,
    pages: Pages,
    /// Why everything that waited was ended last.
    all_ended: Option<GrantEnd>,
}

impl Desk {
    /// Makes a desk with nothing on it.
    #[must_use]
    pub fn new(rooms: Rooms) -> Self {
        let books = Books { table: Table::new(rooms.waits_for), pages: Pages::default(), all_ended: None };
        Self { rooms, state: Mutex::new(books), changes: watch::Sender::default() }
    }

    /// Parks a tool's request for a gated target, and tells the human once. Returns its id.
    ///
    /// # Errors
    /// [`NoRequest`].
    pub fn park(&self, caller: &Caller, elevation: Elevation) -> Result<String, NoRequest> {
        let parked = self.lock().table.park(elevation, requester(caller), self.now())?;
        if parked.is_new
            && let Some(entry) = self.entry(&parked.id)
        {
            self.record(Some(caller), &asked(&entry));
            if parked.is_first {
                self.rooms.human.notify(notice(&entry));
            }
            self.changed();
        }
        Ok(parked.id)
    }

    /// Asks for a hand on behalf of a person who is about to give it. Returns the id.
    ///
    /// # Errors
    /// [`NoRequest::TooMany`].
    pub fn ask(&self, caller: &Caller, task: Task) -> Result<String, NoRequest> {
        let id = self.lock().table.ask(task, requester(caller), self.now())?;
        if let Some(entry) = self.entry(&id) {
            self.record(Some(caller), &asked(&entry));
        }
        self.changed();
        Ok(id)
    }

    /// Gives a parked request the reason that it lacks.
    pub fn give_reason(&self, id: &str, reason: &str) {
        self.lock().table.give_reason(id, reason, self.now());
    }

    /// Makes a page for a request that waits. Returns the secret of its URL.
    #[must_use]
    pub fn make_page(&self, id: &str) -> Option<Secret> {
        let (now, mut books) = (self.now(), self.lock());
        books.table.pending(id, now)?;
        Some(books.pages.make(id, now))
    }

    /// Finds a request, also one that ended lately.
    #[must_use]
    pub fn entry(&self, id: &str) -> Option<Entry> {
        self.lock().table.find(id).cloned()
    }

    /// Says how a request stands, as soon as it has ended or `wait` is over.
    pub async fn stands(&self, id: &str, wait: Duration) -> Option<View> {
        let mut changes = self.changes.subscribe();
        let ended = async {
            while self.entry(id).is_some_and(|entry| !entry.has_ended()) && changes.changed().await.is_ok() {}
        };
        // Either it ends, or the time does; both are answers.
        let _ = tokio::time::timeout(wait, ended).await;
        self.entry(id).map(|entry| self.shown(&entry))
    }

    /// Returns when a request no longer waits for a hand.
    pub async fn ended(&self, id: &str) -> Option<Entry> {
        let mut changes = self.changes.subscribe();
        loop {
            match self.entry(id) {
                Some(entry) if !entry.has_ended() => changes.changed().await.ok()?,
                ended => return ended,
            }
        }
    }

    /// Returns those that wait, oldest first.
    #[must_use]
    pub fn waiting(&self) -> Vec<View> {
        let waiting: Vec<_> = self.lock().table.waiting(self.now()).cloned().collect();
        waiting.iter().map(|entry| self.shown(entry)).collect()
    }

    /// Ends a request because a person said no. Returns whether it was waiting.
    pub fn say_no(&self, id: &str) -> bool {
        let entry = self.lock().table.refuse(id, self.now());
        self.ended_by_person(entry)
    }

    /// Ends a request from where it was made, or refuses a tool's. Returns whether it was waiting.
    pub fn withdraw(&self, id: &str) -> bool {
        let entry = self.lock().table.withdraw(id, self.now());
        self.ended_by_person(entry)
    }

    fn ended_by_person(&self, entry: Option<Entry>) -> bool {
        let Some(entry) = entry else { return false };
        self.lock().pages.ended(&entry.id);
        self.record(None, &Event::HandRefused { request: &entry.id, purpose: entry.task.purpose() });
        self.changed();
        true
    }

    /// Ends everything that waits, and every page. What a hand has approved a moment ago becomes no grant any more.
    pub fn end_all(&self, why: GrantEnd) {
        let mut books = self.lock();
        books.all_ended = Some(why);
        books.table.end_all();
        books.pages.close_all();
        drop(books);
        self.changed();
    }

    /// Ends what nobody came for.
    pub fn sweep(&self) {
        if self.lock().table.sweep(self.now()) {
            self.changed();
        }
    }

    fn shown(&self, entry: &Entry) -> View {
        let left = entry.expires.saturating_sub(self.now());
        super::view::of(entry, left)
    }

    /// Writes a record that releases nothing; if that fails, the log says so.
    fn record(&self, caller: Option<&Caller>, event: &Event<'_>) {
        if let Err(error) = self.rooms.audit.record(caller, event) {
            tracing::error!("a record could not be written: {error}");
        }
    }

    fn changed(&self) {
        self.changes.send_replace(());
    }

    fn now(&self) -> Duration {
        self.rooms.clock.since_boot()
    }

    fn lock(&self) -> MutexGuard<'_, Books> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests;
