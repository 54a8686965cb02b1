//! What a page does with the request it was opened for: a ceremony with the gate, and what follows from its gesture.

use super::told::{given, granted};
use super::{Desk, Entry};
use crate::audit::{Event, GrantEnd};
use crate::aws::BoxFuture;
use crate::gate::{Binding, CeremonyId, GateError, Who};
use crate::grant::Approved;
use crate::human::Notice;
use crate::requests::PageDesk;
use crate::requests::table::{Elevation, Task};
use crate::requests::view::{PageRefusal, State, View};
use serde_json::Value;
use tegata_protocol::Secret;
use url::Url;

impl Desk {
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
        // Nobody sees the request ended without the grant, and nothing that ends all comes in between.
        let mut books = self.lock();
        if !books.table.granted(&entry.id, grant.id.clone()) {
            let why = books.all_ended.unwrap_or(GrantEnd::Expired);
            drop(books);
            self.record(None, &Event::GrantEnded { grant: &grant.id, why });
            return Err(PageRefusal::Unavailable("everything that waited was ended meanwhile".to_owned()));
        }
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
