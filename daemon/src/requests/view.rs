//! A request as the page shows it, and why the page is refused. Texts are printable lines; nothing in here is secret.

use serde::Serialize;
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
    pub tier: Option<crate::policy::terms::Tier>,
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
