//! Where requests, pages, ceremonies and grants meet: what a hand does becomes a grant, a passkey, or a refusal.

use super::pages::Pages;
use super::table::{Elevation, Entry, NoRequest, Table, Task};
use super::view::{PageRefusal, State, View};
use super::{Afterwards, PageDesk};
use crate::audit::{Audit, Event};
use crate::aws::BoxFuture;
use crate::caller::Caller;
use crate::clock::Clock;
use crate::gate::{Approver, Binding, CeremonyId, Gate, GateError, Who};
use crate::grant::{Approved, Grant, Grants};
use crate::human::{Human, Notice};
use crate::policy::terms::Tier;
use serde_json::Value;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tegata_protocol::Secret;
use tokio::sync::watch;
use url::Url;

/// The most programs that are shown of who asks.
const SHOWN_PROGRAMS: usize = 6;

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
    changes: watch::Sender<u64>,
}

#[derive(Debug)]
struct Books {
    table: Table,
    pages: Pages,
}

impl Desk {
    /// Makes a desk with nothing on it.
    #[must_use]
    pub fn new(rooms: Rooms) -> Self {
        let books = Books { table: Table::new(rooms.waits_for), pages: Pages::default() };
        Self { rooms, state: Mutex::new(books), changes: watch::Sender::new(0) }
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
            while self.entry(id).is_some_and(|entry| entry.state.is_pending()) && changes.changed().await.is_ok() {}
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
                Some(entry) if entry.state.is_pending() => changes.changed().await.ok()?,
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

    /// Ends everything that waits, and every page.
    pub fn end_all(&self) {
        let mut books = self.lock();
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

    async fn begun(&self, token: &str, origin: &Url) -> Result<Value, PageRefusal> {
        let entry = self.waiting_entry(token)?;
        let bound_to = Binding::new(entry.digest());
        let gate = &self.rooms.gate;
        let begun = match (&entry.task, entry.state) {
            (Task::AddPasskey { person, name, .. }, State::AwaitsEnrolment) => {
                gate.begin_enrolment(origin, person, name, &bound_to).await
            }
            _ => gate.begin_approval(origin, &bound_to, &who(&entry)).await,
        };
        let (ceremony, options) = begun.map_err(|error| self.failed(&entry, &error))?;
        self.lock().pages.begun(token, ceremony, self.now());
        Ok(options)
    }

    async fn finished(&self, token: &str, origin: &Url, answer: &[u8]) -> Result<View, PageRefusal> {
        let entry = self.waiting_entry(token)?;
        let ceremony = self.lock().pages.take_ceremony(token, self.now());
        let ceremony = ceremony.ok_or_else(|| self.failed(&entry, &GateError::NoSuchCeremony))?;
        match entry.state {
            State::AwaitsEnrolment => self.enrol(&entry, &ceremony, origin, answer).await?,
            _ => self.approve(&entry, &ceremony, origin, answer).await?,
        }
        self.changed();
        self.view(token)
    }

    async fn enrol(
        &self,
        entry: &Entry,
        ceremony: &CeremonyId,
        origin: &Url,
        answer: &[u8],
    ) -> Result<(), PageRefusal> {
        let bound_to = Binding::new(entry.digest());
        let made = self.rooms.gate.finish_enrolment(ceremony, origin, &bound_to, answer).await;
        let passkey = made.map_err(|error| self.failed(entry, &error))?;
        let added = Event::PasskeyAdded { passkey: passkey.id.as_str(), person: passkey.person.as_str() };
        self.record(None, &added);
        self.lock().table.enrolled(&entry.id, self.now());
        self.follow(entry).await
    }

    async fn approve(
        &self,
        entry: &Entry,
        ceremony: &CeremonyId,
        origin: &Url,
        answer: &[u8],
    ) -> Result<(), PageRefusal> {
        let bound_to = Binding::new(entry.digest());
        let approved = self.rooms.gate.finish_approval(ceremony, origin, &bound_to, answer).await;
        let approver = approved.map_err(|error| self.failed(entry, &error))?;
        self.record(None, &given(entry, &approver));
        let now_stands = self.lock().table.approve(entry, approver, self.now());
        let entry = now_stands.ok_or_else(|| PageRefusal::Ceremony(GateError::OtherRequest.to_string()))?;
        if entry.state != State::Approved {
            return Ok(());
        }
        let done = match &entry.task {
            Task::Elevate(elevation) => self.grant(&entry, elevation),
            _ => self.follow(&entry).await,
        };
        if done.is_err() {
            self.lock().table.failed(&entry.id);
            self.changed();
        }
        done
    }

    /// Makes the grant, once its record is on disk.
    fn grant(&self, entry: &Entry, elevation: &Elevation) -> Result<(), PageRefusal> {
        let approved_by = entry.hands.iter().map(|hand| hand.person.to_string()).collect();
        let Elevation { profile, chain, holder, terms, window, reason } = elevation.clone();
        let grant = self.rooms.grants.prepare(Approved { profile, chain, holder, terms, window, reason, approved_by });
        let recorded = self.rooms.audit.record_durably(None, &granted(entry, &grant));
        recorded.map_err(|error| PageRefusal::Unavailable(error.to_string()))?;
        self.rooms.afterwards.granted(&grant).map_err(PageRefusal::Unavailable)?;
        self.lock().table.granted(&entry.id, grant.id.clone());
        self.rooms.grants.add(grant);
        Ok(())
    }

    async fn follow(&self, entry: &Entry) -> Result<(), PageRefusal> {
        self.rooms.afterwards.approved(&entry.task).await.map_err(PageRefusal::Unavailable)
    }

    /// Says why a ceremony came to nothing, and alerts where somebody should know.
    fn failed(&self, entry: &Entry, error: &GateError) -> PageRefusal {
        let why = error.to_string();
        self.record(None, &Event::HandFailed { request: &entry.id, why: &why });
        let alert = |summary: &str| self.rooms.human.notify(Notice { summary: summary.to_owned(), body: why.clone() });
        match error {
            GateError::CounterWentBack { .. } => alert("A passkey may have been copied"),
            GateError::CoolDown { began: true, .. } => alert("Too many passkey gestures failed"),
            _ => {}
        }
        match error {
            GateError::CoolDown { .. } => PageRefusal::CoolDown,
            GateError::Store(_) | GateError::Damaged { .. } | GateError::Internal(_) => PageRefusal::Unavailable(why),
            _ => PageRefusal::Ceremony(why),
        }
    }

    /// Returns the request of a page, while it waits.
    fn waiting_entry(&self, token: &str) -> Result<Entry, PageRefusal> {
        let (now, mut books) = (self.now(), self.lock());
        let id = books.pages.request(token, now).ok_or(PageRefusal::NotYours)?;
        books.table.pending(&id, now).cloned().ok_or(PageRefusal::NotYours)
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
        self.changes.send_modify(|count| *count += 1);
    }

    fn now(&self) -> Duration {
        self.rooms.clock.since_boot()
    }

    fn lock(&self) -> MutexGuard<'_, Books> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl PageDesk for Desk {
    fn open(&self, secret: &str) -> Result<(Secret, View), PageRefusal> {
        let (token, id) = self.lock().pages.open(secret, self.now()).ok_or(PageRefusal::NotYours)?;
        let entry = self.entry(&id).ok_or(PageRefusal::NotYours)?;
        Ok((token, self.shown(&entry)))
    }

    fn view(&self, token: &str) -> Result<View, PageRefusal> {
        let id = self.lock().pages.request(token, self.now()).ok_or(PageRefusal::NotYours)?;
        let view = self.entry(&id).map(|entry| self.shown(&entry)).ok_or(PageRefusal::NotYours)?;
        if !view.state.is_pending() {
            self.lock().pages.close(token);
        }
        Ok(view)
    }

    fn begin<'a>(&'a self, token: &'a str, origin: &'a Url) -> BoxFuture<'a, Result<Value, PageRefusal>> {
        Box::pin(self.begun(token, origin))
    }

    fn finish<'a>(
        &'a self,
        token: &'a str,
        origin: &'a Url,
        answer: &'a [u8],
    ) -> BoxFuture<'a, Result<View, PageRefusal>> {
        Box::pin(self.finished(token, origin, answer))
    }

    fn refuse<'a>(&'a self, token: &'a str) -> BoxFuture<'a, Result<View, PageRefusal>> {
        Box::pin(async move {
            let entry = self.waiting_entry(token)?;
            self.say_no(&entry.id);
            self.view(token)
        })
    }

    fn has_pages(&self) -> bool {
        self.lock().pages.any(self.now())
    }
}

/// Who may approve: whoever has not yet, with a passkey that the terms accept.
fn who(entry: &Entry) -> Who {
    let except = entry.hands.iter().map(|hand| hand.person.clone()).collect();
    match &entry.task {
        Task::Elevate(elevation) => Who { except, only: None, device_bound: elevation.terms.device_bound },
        Task::TestPasskey { id } => Who { except, only: id.clone(), device_bound: false },
        _ => Who { except, only: None, device_bound: false },
    }
}

/// Returns who asks: the programs above `tegata`, nearest first.
fn requester(caller: &Caller) -> Vec<String> {
    let programs = caller.ancestry.iter().take(SHOWN_PROGRAMS);
    programs.map(|process| format!("{} (pid {})", process.name, process.pid)).collect()
}

fn notice(entry: &Entry) -> Notice {
    let Task::Elevate(elevation) = &entry.task else {
        return Notice {
            summary: "Tegata waits for your hand".to_owned(),
            body: format!("Run: tegata approve {}", entry.id),
        };
    };
    let (account, role) = elevation.chain.reached();
    let by = entry.requester.first().map(|program| format!("{program} asks. ")).unwrap_or_default();
    Notice {
        summary: format!("Approve {}? ({account} {role})", elevation.profile),
        body: format!("{by}Code: {}. Run: tegata approve {}", entry.code, entry.id),
    }
}

fn asked(entry: &Entry) -> Event<'_> {
    let profile = match &entry.task {
        Task::Elevate(elevation) => Some(&elevation.profile),
        _ => None,
    };
    Event::HandAsked { request: &entry.id, purpose: entry.task.purpose(), profile }
}

fn given<'a>(entry: &'a Entry, approver: &'a Approver) -> Event<'a> {
    let (person, passkey) = (approver.person.as_str(), approver.passkey.as_str());
    Event::HandGiven { request: &entry.id, purpose: entry.task.purpose(), person, passkey }
}

fn granted<'a>(entry: &'a Entry, grant: &'a Grant) -> Event<'a> {
    let Approved { profile, holder, reason, approved_by, .. } = &grant.approved;
    Event::Granted {
        grant: &grant.id,
        request: &entry.id,
        profile,
        seconds: grant.until.saturating_sub(grant.since.boot()).as_secs(),
        holder,
        reason: reason.as_deref(),
        approved_by,
        tier: Tier::Prompt,
    }
}

#[cfg(test)]
mod tests;
