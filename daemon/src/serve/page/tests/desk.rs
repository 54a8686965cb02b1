//! A desk without passkeys: two requests, one secret each, and a list of what was done.

use crate::aws::BoxFuture;
use crate::policy::terms::Tier;
use crate::requests::PageDesk;
use crate::requests::view::{PageRefusal, Purpose, State, View};
use std::sync::{Mutex, MutexGuard};
use subtle::ConstantTimeEq as _;
use tegata_protocol::Secret;
use url::Url;

#[derive(Debug)]
pub(super) struct Desk(Mutex<Inner>);

#[derive(Debug)]
struct Inner {
    cards: Vec<Card>,
    done: Vec<String>,
    ended: bool,
}

#[derive(Debug)]
struct Card {
    secret: Option<String>,
    token: String,
    view: View,
}

impl Default for Desk {
    fn default() -> Self {
        let card = |number| Card {
            secret: Some(format!("secret-{number}")),
            token: crate::random::id(),
            view: view(&format!("r{number}")),
        };
        Self(Mutex::new(Inner { cards: vec![card(1), card(2)], done: Vec::new(), ended: false }))
    }
}

impl Desk {
    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap()
    }

    /// What was done, in order, such as `finish r1 http://tegata.localhost:1/`.
    pub(super) fn done(&self) -> Vec<String> {
        self.inner().done.clone()
    }

    pub(super) fn end_all(&self) {
        self.inner().ended = true;
    }

    pub(super) fn begin_anew(&self) {
        self.inner().ended = false;
    }

    pub(super) fn change(&self, change: impl Fn(&mut View)) {
        self.inner().cards.iter_mut().for_each(|card| change(&mut card.view));
    }

    fn act(&self, what: &str, token: &str, state: Option<State>) -> Result<View, PageRefusal> {
        let mut inner = self.inner();
        let card = inner.cards.iter_mut().find(|card| card.secret.is_none() && same(&card.token, token));
        let card = card.ok_or(PageRefusal::NotYours)?;
        card.view.state = state.unwrap_or(card.view.state);
        let view = card.view.clone();
        inner.done.push(format!("{what} {}", view.id));
        Ok(view)
    }
}

fn same(one: &str, other: &str) -> bool {
    one.as_bytes().ct_eq(other.as_bytes()).into()
}

impl PageDesk for Desk {
    fn open(&self, secret: &str) -> Result<(Secret, View), PageRefusal> {
        let mut inner = self.inner();
        let card = inner.cards.iter_mut().find(|card| card.secret.as_deref().is_some_and(|own| same(own, secret)));
        let card = card.ok_or(PageRefusal::NotYours)?;
        card.secret = None;
        let opened = (Secret::new(card.token.clone()), card.view.clone());
        inner.done.push(format!("open {}", opened.1.id));
        Ok(opened)
    }

    fn view(&self, token: &str) -> Result<View, PageRefusal> {
        self.act("view", token, None)
    }

    fn begin<'a>(&'a self, token: &'a str, origin: &'a Url) -> BoxFuture<'a, Result<serde_json::Value, PageRefusal>> {
        Box::pin(async move {
            self.act(&format!("begin {origin}"), token, None)?;
            Ok(serde_json::json!({"publicKey": {"challenge": "AA"}}))
        })
    }

    fn finish<'a>(
        &'a self,
        token: &'a str,
        origin: &'a Url,
        answer: &'a [u8],
    ) -> BoxFuture<'a, Result<View, PageRefusal>> {
        let answer = String::from_utf8_lossy(answer);
        Box::pin(async move { self.act(&format!("finish {origin} {answer}"), token, Some(State::Approved)) })
    }

    fn refuse<'a>(&'a self, token: &'a str) -> BoxFuture<'a, Result<View, PageRefusal>> {
        Box::pin(async move { self.act("refuse", token, Some(State::Refused)) })
    }

    fn has_pages(&self) -> bool {
        !self.inner().ended
    }
}

fn view(id: &str) -> View {
    View {
        id: id.to_owned(),
        code: String::from("amber otter"),
        purpose: Purpose::Elevate,
        state: State::AwaitsGesture,
        profile: Some(String::from("prod-admin")),
        account: Some(String::from("123456789012")),
        role: Some(String::from("AdministratorAccess")),
        tier: Some(Tier::Prompt),
        reason: None,
        window_seconds: Some(900),
        requester: vec![String::from("terraform 4242")],
        changes: Vec::new(),
        person: None,
        approvals_needed: 1,
        approvals_given: Vec::new(),
        grant: None,
        expires_in_seconds: 300,
    }
}
