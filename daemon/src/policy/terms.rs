//! What a decision says: the words that policy, grants, gate and the person's screens share. Pure.

use std::fmt;
use std::num::NonZeroU32;
use std::time::Duration;

/// How long a grant lives where no rule says less.
pub const USUAL_WINDOW: Duration = Duration::from_secs(15 * 60);

/// What the daemon does with a request.
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use]
pub enum Decision {
    /// Served without a gesture.
    Open,
    /// Served under a grant with these terms.
    Gated(Terms),
    /// Not served now, whoever asks and whatever is gestured.
    Denied(Denial),
}

/// The terms on which a grant can be had: the strictest of every rule that matches.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Terms {
    /// The longest a grant may live.
    pub window: Duration,
    /// The most upstream issuances a grant allows; absent: as many as fit the window.
    pub uses: Option<NonZeroU32>,
    /// Who a grant may be for.
    pub scope: Scope,
    /// Whether a reason has to be given, and what it has to look like: every pattern has to match.
    pub reason: Option<ReasonRule>,
    /// How many different people have to approve.
    pub approvals: Approvals,
    /// Whether only passkeys that never leave their device count (WebAuthn L3, backup eligibility flag unset).
    pub device_bound: bool,
    /// The inline session policy in force while elevated, valid JSON, for the last role of the chain.
    pub session_policy: Option<String>,
    /// Whether the desktop is told when a grant is made.
    pub alert: bool,
    /// Whether each grant leaves a review item open.
    pub review: bool,
    /// The rules that decided, as a person knows them; the built-in one is `built-in`.
    pub rules: Vec<String>,
}

/// What a reason has to be.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ReasonRule {
    /// Regular expressions that each have to be found in it, such as `INC-[0-9]+`.
    pub patterns: Vec<String>,
}

/// Who a grant is for, narrowest last.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub enum Scope {
    /// Every program of the user. Only where a rule says so.
    User,
    /// The programs of one terminal: the kernel session and its leader's start time. Without a terminal: as `request`.
    Terminal,
    /// One program: the first ancestor that is neither `tegata` nor a shell one-liner, by pid and start time.
    Request,
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::User => "user",
            Self::Terminal => "terminal",
            Self::Request => "request",
        })
    }
}

/// How many different people have to approve.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Approvals {
    /// One.
    One,
    /// Two, each with a passkey of their own.
    Two,
}

/// Why a target is not to be had at all, for now.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("rule {rule} allows this {when}")]
pub struct Denial {
    /// The rule; several where they cannot hold together.
    pub rule: String,
    /// When it allows it, such as `Mon-Fri 09:00-18:00 Asia/Tokyo only`.
    pub when: String,
}

/// What stands between malware running as the user and a target. Measured, never configured.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Tier {
    /// The daemon's own refusal, which theft from the keyring goes round.
    Prompt,
    /// The stored source is ciphertext that only a gesture opens.
    Sealed,
    /// AWS itself refuses.
    Enforced,
}
