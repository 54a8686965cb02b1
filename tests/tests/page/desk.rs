//! A desk with real WebAuthn ceremonies and requests made to order.

use serde_json::{Value, json};
use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard};
use subtle::ConstantTimeEq as _;
use tegata_daemon::aws::BoxFuture;
use tegata_daemon::policy::terms::Tier;
use tegata_daemon::requests::PageDesk;
use tegata_daemon::requests::view::{PageRefusal, Purpose, State, View};
use tegata_protocol::Secret;
use url::Url;
use webauthn_rs::prelude::{Passkey, PasskeyAuthentication, PasskeyRegistration, Uuid, Webauthn, WebauthnBuilder};

#[derive(Default)]
pub(crate) struct Desk(Mutex<Inner>);

#[derive(Default)]
struct Inner {
    requests: Vec<Request>,
    pages: Vec<Page>,
    passkeys: Vec<Passkey>,
    fail_next: Option<PageRefusal>,
}

struct Request {
    view: View,
    acts: Vec<String>,
}

struct Page {
    request: usize,
    secret: Option<String>,
    token: String,
    ceremony: Option<Ceremony>,
}

enum Ceremony {
    Enrolment(PasskeyRegistration),
    Approval(PasskeyAuthentication),
}

impl Desk {
    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().expect("another test thread panicked")
    }

    /// Makes a request as wanted and a page for it: its id and the page's secret.
    pub(crate) fn mint(&self, wanted: &Value) -> (String, String) {
        let mut inner = self.inner();
        let id = format!("r{}", inner.requests.len() + 1);
        inner.requests.push(Request { view: made(&id, wanted), acts: Vec::new() });
        drop(inner);
        let secret = self.second_page(&id);
        (id, secret)
    }

    /// Makes one more page for a request.
    pub(crate) fn second_page(&self, id: &str) -> String {
        let mut inner = self.inner();
        let request = inner.requests.iter().position(|request| request.view.id == id).expect("no such request");
        let secret = tegata_daemon::random::id();
        let token = tegata_daemon::random::id();
        inner.pages.push(Page { request, secret: Some(secret.clone()), token, ceremony: None });
        secret
    }

    pub(crate) fn change(&self, id: &str, change: &Value) {
        let mut inner = self.inner();
        let request = inner.requests.iter_mut().find(|request| request.view.id == id).expect("no such request");
        let mut wanted = json!({});
        merge(&mut wanted, &serde_json::to_value(&request.view).expect("a view is JSON"));
        merge(&mut wanted, change);
        request.view = made(id, &wanted);
    }

    pub(crate) fn fail_next(&self, message: &str) {
        self.inner().fail_next = Some(match message {
            "cool down" => PageRefusal::CoolDown,
            _ => PageRefusal::Unavailable(message.to_owned()),
        });
    }

    /// What the pages of a request did, in order; looking does not count.
    pub(crate) fn acts(&self, id: &str) -> Vec<String> {
        let inner = self.inner();
        inner
            .requests
            .iter()
            .find(|request| request.view.id == id)
            .map(|request| request.acts.clone())
            .unwrap_or_default()
    }

    fn begin_now(&self, token: &str, origin: &Url) -> Result<Value, PageRefusal> {
        let mut inner = self.inner();
        let inner = &mut *inner;
        let (page, request) = inner.find(token, "begin")?;
        let webauthn = webauthn(origin);
        let (options, ceremony) = if request.view.state == State::AwaitsEnrolment {
            let begun = webauthn.start_passkey_registration(Uuid::from_u128(1), "person", "Person", None);
            let (options, state) = begun.map_err(failed)?;
            (serde_json::to_value(options), Ceremony::Enrolment(state))
        } else {
            let begun = webauthn.start_passkey_authentication(&inner.passkeys);
            let (options, state) = begun.map_err(failed)?;
            (serde_json::to_value(options), Ceremony::Approval(state))
        };
        inner.pages[page].ceremony = Some(ceremony);
        Ok(options.expect("options are JSON"))
    }

    fn finish_now(&self, token: &str, origin: &Url, answer: &[u8]) -> Result<View, PageRefusal> {
        let mut inner = self.inner();
        let inner = &mut *inner;
        let (page, _) = inner.find(token, "finish")?;
        let webauthn = webauthn(origin);
        match inner.pages[page].ceremony.take() {
            Some(Ceremony::Enrolment(state)) => {
                let answer = serde_json::from_slice(answer).map_err(|_| refused("the answer is no passkey's"))?;
                inner.passkeys.push(webauthn.finish_passkey_registration(&answer, &state).map_err(failed)?);
            }
            Some(Ceremony::Approval(state)) => {
                let answer = serde_json::from_slice(answer).map_err(|_| refused("the answer is no passkey's"))?;
                webauthn.finish_passkey_authentication(&answer, &state).map_err(failed)?;
            }
            None => return Err(refused("no ceremony has begun")),
        }
        let view = &mut inner.requests[inner.pages[page].request].view;
        view.approvals_given.push(String::from("alice"));
        if view.approvals_given.len() >= usize::from(view.approvals_needed) {
            view.state = State::Approved;
        }
        Ok(view.clone())
    }
}

impl Inner {
    /// A page by its token, and its request, which remembers what was done.
    fn find(&mut self, token: &str, what: &str) -> Result<(usize, &mut Request), PageRefusal> {
        let page = self.pages.iter().position(|page| page.secret.is_none() && same(&page.token, token));
        let page = page.ok_or(PageRefusal::NotYours)?;
        let request = &mut self.requests[self.pages[page].request];
        if what != "view" {
            request.acts.push(what.to_owned());
        }
        if what != "view"
            && let Some(refusal) = self.fail_next.take()
        {
            return Err(refusal);
        }
        Ok((page, request))
    }
}

impl PageDesk for Desk {
    fn open(&self, secret: &str) -> Result<(Secret, View), PageRefusal> {
        let mut inner = self.inner();
        let page = inner.pages.iter_mut().find(|page| page.secret.as_deref().is_some_and(|own| same(own, secret)));
        let page = page.ok_or(PageRefusal::NotYours)?;
        page.secret = None;
        let (token, request) = (Secret::new(page.token.clone()), page.request);
        inner.requests[request].acts.push(String::from("open"));
        Ok((token, inner.requests[request].view.clone()))
    }

    fn view(&self, token: &str) -> Result<View, PageRefusal> {
        self.inner().find(token, "view").map(|(_, request)| request.view.clone())
    }

    fn begin<'a>(&'a self, token: &'a str, origin: &'a Url) -> BoxFuture<'a, Result<Value, PageRefusal>> {
        Box::pin(async move { self.begin_now(token, origin) })
    }

    fn finish<'a>(
        &'a self,
        token: &'a str,
        origin: &'a Url,
        answer: &'a [u8],
    ) -> BoxFuture<'a, Result<View, PageRefusal>> {
        Box::pin(async move { self.finish_now(token, origin, answer) })
    }

    fn refuse<'a>(&'a self, token: &'a str) -> BoxFuture<'a, Result<View, PageRefusal>> {
        Box::pin(async move {
            let mut inner = self.inner();
            let (_, request) = inner.find(token, "refuse")?;
            request.view.state = State::Refused;
            Ok(request.view.clone())
        })
    }

    fn has_pages(&self) -> bool {
        true
    }
}

fn webauthn(origin: &Url) -> Webauthn {
    let builder = WebauthnBuilder::new(tegata_daemon::serve::page::HOST, origin).expect("the origin does not fit");
    builder.rp_name("Tegata").build().expect("the relying party cannot be made")
}

fn failed(error: impl std::fmt::Display) -> PageRefusal {
    PageRefusal::Ceremony(format!("the passkey was not accepted: {error}"))
}

fn refused(message: &str) -> PageRefusal {
    PageRefusal::Ceremony(message.to_owned())
}

fn same(one: &str, other: &str) -> bool {
    one.as_bytes().ct_eq(other.as_bytes()).into()
}

fn merge(into: &mut Value, from: &Value) {
    for (name, value) in from.as_object().into_iter().flatten() {
        into[name] = value.clone();
    }
}

/// A request as wanted; where nothing is said, an elevation of `prod-admin`.
fn made(id: &str, wanted: &Value) -> View {
    let text = |name: &str| wanted.get(name).and_then(Value::as_str).map(str::to_owned);
    let lines = |name: &str| {
        let lines = wanted.get(name).and_then(Value::as_array);
        lines.map(|lines| lines.iter().filter_map(Value::as_str).map(str::to_owned).collect()).unwrap_or_default()
    };
    let number = |name: &str| wanted.get(name).and_then(Value::as_u64);
    let purposes = HashMap::from([
        ("add_passkey", Purpose::AddPasskey),
        ("remove_passkey", Purpose::RemovePasskey),
        ("test_passkey", Purpose::TestPasskey),
        ("accept_policy", Purpose::AcceptPolicy),
        ("unlock", Purpose::Unlock),
    ]);
    let states = HashMap::from([
        ("awaits_enrolment", State::AwaitsEnrolment),
        ("approved", State::Approved),
        ("refused", State::Refused),
        ("expired", State::Expired),
    ]);
    let tiers = HashMap::from([("prompt", Tier::Prompt), ("sealed", Tier::Sealed), ("enforced", Tier::Enforced)]);
    View {
        id: id.to_owned(),
        code: text("code").unwrap_or_else(|| String::from("amber otter")),
        purpose: text("purpose").and_then(|name| purposes.get(name.as_str()).copied()).unwrap_or(Purpose::Elevate),
        state: text("state").and_then(|name| states.get(name.as_str()).copied()).unwrap_or(State::AwaitsGesture),
        profile: text("profile"),
        account: text("account"),
        role: text("role"),
        tier: text("tier").and_then(|name| tiers.get(name.as_str()).copied()),
        reason: text("reason"),
        window_seconds: number("window_seconds"),
        requester: lines("requester"),
        changes: lines("changes"),
        person: text("person"),
        approvals_needed: number("approvals_needed").and_then(|count| count.try_into().ok()).unwrap_or(1),
        approvals_given: lines("approvals_given"),
        grant: None,
        expires_in_seconds: number("expires_in_seconds").unwrap_or(300),
    }
}
