//! A request as the page shows it, and why the page is refused. Texts are printable lines; nothing in here is secret.

use super::table::{Entry, Task};
use crate::policy::terms::Tier;
use serde::Serialize;
use std::time::Duration;
use tegata_protocol::gate::HandRequest;
pub use tegata_protocol::gate::{Purpose, RequestState as State};

/// A request that waits for a hand, for showing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct View {
    /// Names the request in commands.
    pub id: String,
    /// Two words that the terminal or the notification shows as well: the person compares them.
    pub code: String,
    /// What the hand is asked for.
    pub purpose: Purpose,
    /// How it stands.
    pub state: State,
    /// The profile that was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub profile: Option<String>,
    /// The account that is reached.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub account: Option<String>,
    /// The role that is reached: an ARN, or a permission set's name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub role: Option<String>,
    /// What stands between malware running as the user and this target.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tier: Option<Tier>,
    /// Why it is asked for, in the person's own words.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// How long the grant would live, in seconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub window_seconds: Option<u64>,
    /// Who asks, nearest program first: a name and a pid each.
    pub requester: Vec<String>,
    /// What would change: a passkey's name, what becomes weaker in a policy. One line each.
    pub changes: Vec<String>,
    /// Whose passkey is enrolled, where one is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub person: Option<String>,
    /// How many different people have to approve.
    pub approvals_needed: u8,
    /// Who has approved.
    pub approvals_given: Vec<String>,
    /// The grant that came of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub grant: Option<String>,
    /// Seconds until nobody waits any more.
    pub expires_in_seconds: u64,
}

/// Why the page got nothing. The text is shown to the person.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PageRefusal {
    /// The secret or token is unknown, used, or over. One answer for all, so that guessing teaches nothing.
    #[error("this page is over; run the command again")]
    NotYours,
    /// The ceremony did not succeed; the same page may try again.
    #[error("{0}")]
    Ceremony(String),
    /// Too many failed, for now.
    #[error("too many failed attempts; wait a minute and run the command again")]
    CoolDown,
    /// The daemon cannot: the store, the audit log.
    #[error("{0}")]
    Unavailable(String),
}

/// Shows a request that is waited for so long still.
#[must_use]
pub(super) fn of(entry: &Entry, left: Duration) -> View {
    let elevation = match &entry.task {
        Task::Elevate(elevation) => Some(&**elevation),
        _ => None,
    };
    let reached = elevation.map(|elevation| elevation.chain.reached());
    let (person, changes) = concerning(&entry.task);
    View {
        id: entry.id.clone(),
        code: entry.code.clone(),
        purpose: entry.task.purpose(),
        state: if entry.state.is_pending() && left.is_zero() { State::Expired } else { entry.state },
        profile: elevation.map(|elevation| elevation.profile.to_string()),
        account: reached.map(|(account, _)| account.to_owned()),
        role: reached.map(|(_, role)| role.to_owned()),
        tier: elevation.map(|_| Tier::Prompt),
        reason: elevation.and_then(|elevation| elevation.reason.clone()),
        window_seconds: elevation.map(|elevation| elevation.window.as_secs()),
        requester: entry.requester.clone(),
        changes,
        person,
        approvals_needed: entry.task.approvals_needed(),
        approvals_given: entry.hands.iter().map(|hand| hand.person.to_string()).collect(),
        grant: entry.grant.as_ref().map(ToString::to_string),
        expires_in_seconds: left.as_secs(),
    }
}

fn concerning(task: &Task) -> (Option<String>, Vec<String>) {
    match task {
        Task::AddPasskey { person, name, .. } => (Some(person.to_string()), vec![name.to_string()]),
        Task::RemovePasskey { person, name, .. } => (Some(person.to_string()), vec![name.to_string()]),
        Task::AcceptPolicy { weaker } => (None, weaker.clone()),
        Task::Elevate(_) | Task::TestPasskey { .. } | Task::Unlock => (None, Vec::new()),
    }
}

impl From<View> for HandRequest {
    fn from(view: View) -> Self {
        Self {
            id: view.id,
            code: view.code,
            purpose: view.purpose,
            state: view.state,
            profile: view.profile,
            account: view.account,
            role: view.role,
            tier: view.tier.map(|tier| crate::policy::tier_word(tier).to_owned()),
            reason: view.reason,
            window_seconds: view.window_seconds,
            requester: view.requester,
            changes: view.changes,
            person: view.person,
            approvals_needed: view.approvals_needed,
            approvals_given: view.approvals_given,
            grant: view.grant,
            expires_in_seconds: view.expires_in_seconds,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::requests::table::Table;
    use crate::requests::testing::{elevation, hand, program};

    /// What goes over the socket is a [`View`], and what is read on the other side a [`HandRequest`].
    fn assert_read_as_written(view: View) {
        let written = serde_json::to_value(&view).unwrap();
        let read: HandRequest = serde_json::from_value(written.clone()).unwrap();
        assert_eq!(serde_json::to_value(&read).unwrap(), written, "no field is lost or called something else");
        assert_eq!(read, HandRequest::from(view));
    }

    #[test]
    fn a_request_is_read_as_it_is_written() {
        let now = Duration::from_secs(1_000);
        let mut table = Table::new(Duration::from_secs(300));
        let asked = table.ask(Task::Elevate(Box::new(elevation("Admin", program(1)))), vec!["aws (pid 1)".into()], now);
        let mut entry = table.find(&asked.unwrap()).cloned().unwrap();
        entry.hands = vec![hand("alice", "one")];
        entry.grant = Some(crate::grant::GrantId::random());
        let Task::Elevate(elevation) = &mut entry.task else { panic!("{entry:?}") };
        elevation.reason = Some("障害対応 INC-42".to_owned());
        let view = View { person: Some("alice".to_owned()), changes: vec!["x".to_owned()], ..of(&entry, now) };
        assert!(view.tier.is_some() && view.grant.is_some() && view.window_seconds.is_some(), "{view:?}");
        for tier in [Tier::Prompt, Tier::Sealed, Tier::Enforced] {
            assert_read_as_written(View { tier: Some(tier), ..view.clone() });
        }
    }

    #[test]
    fn a_request_with_nothing_to_tell_is_read_as_it_is_written() {
        let mut table = Table::new(Duration::from_secs(300));
        let id = table.ask(Task::Unlock, vec![], Duration::ZERO).unwrap();
        assert_read_as_written(of(table.find(&id).unwrap(), Duration::ZERO));
    }
}
