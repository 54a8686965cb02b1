//! A rule: what it matches, and what it does to what it matches. The settings make rules; the store keeps those accepted.

use super::demands::Demands;
use super::hop::Hop;
use super::pattern::Pattern;
use crate::names::ProfileName;
use crate::profile::{Chain, SourceKind};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::time::Duration;

/// The name of the rule that is there without anybody having written it.
pub const BUILT_IN: &str = "built-in";

/// The shortest and the longest window that a rule may set.
pub const WINDOWS: std::ops::RangeInclusive<Duration> = Duration::from_secs(60)..=Duration::from_secs(12 * 60 * 60);

/// A rule.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rule {
    /// What a person calls it.
    pub name: String,
    /// What it matches.
    #[serde(rename = "match")]
    pub matchers: Matchers,
    /// What it does.
    pub gate: Gate,
}

/// What a rule does to what it matches.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Gate {
    /// Lets it out of the built-in rule with nothing in its place: other rules hold.
    None,
    /// Puts it behind a passkey, on these terms at least, and in place of the built-in rule's.
    Passkey(Demands),
}

/// What a rule matches: each matcher that is there has to match, and of each matcher one pattern.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Matchers {
    /// Accounts.
    pub account: BTreeSet<Pattern>,
    /// Permission sets and roles by name, or roles by ARN where the pattern begins with `arn:`.
    pub role: BTreeSet<Pattern>,
    /// Sign-in sessions.
    pub session: BTreeSet<Pattern>,
    /// Kinds of sources.
    pub source: BTreeSet<SourceKind>,
    /// Profiles.
    pub profile: BTreeSet<Pattern>,
}

impl Rule {
    /// Whether the rule, and not the built-in one, says what holds for this station. By account or role only: what a profile
    /// is called in an AWS config file puts nothing else in the place of the built-in rule.
    pub(super) fn speaks_of(&self, profile: &ProfileName, chain: &Chain, hop: Hop<'_>) -> bool {
        self.matchers.names_what_is_reached() && self.matchers.match_hop(profile, chain, hop)
    }

    /// Whether this is a rule that the settings could have made. What comes out of the store is held against it.
    #[must_use]
    pub fn is_sound(&self) -> bool {
        let is_sound = |demands: &Demands| {
            WINDOWS.contains(&demands.window)
                && demands.reason.iter().flatten().all(|pattern| super::reason::compile(pattern).is_ok())
        };
        match &self.gate {
            Gate::None => self.matchers.names_what_is_reached(),
            Gate::Passkey(demands) => !self.matchers.is_empty() && is_sound(demands),
        }
    }
}

impl Matchers {
    /// Whether nothing at all is said. Such matchers match nothing.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Whether account or role is said: what is reached, which no AWS config file can call something else.
    #[must_use]
    pub fn names_what_is_reached(&self) -> bool {
        !self.account.is_empty() || !self.role.is_empty()
    }

    /// Whether everything that `other` matches is matched by these, too. May say no where it is so.
    pub(super) fn cover(&self, other: &Self) -> bool {
        !self.is_empty()
            && wider(&self.account, &other.account)
            && wider(&self.role, &other.role)
            && wider(&self.session, &other.session)
            && wider(&self.source, &other.source)
            && wider(&self.profile, &other.profile)
    }

    /// Whether they match a target at this station; where no account and role is said, they do at each or at none.
    pub(super) fn match_hop(&self, profile: &ProfileName, chain: &Chain, hop: Hop<'_>) -> bool {
        let session = chain.session().map_or("", |session| session.name.as_str());
        !self.is_empty()
            && any(&self.account, |pattern| hop.account.is_some_and(|account| pattern.matches(account)))
            && any(&self.role, |pattern| role(pattern, hop))
            && any(&self.session, |pattern| !session.is_empty() && pattern.matches(session))
            && any(&self.source, |kind| *kind == chain.source.kind())
            && any(&self.profile, |pattern| pattern.matches(profile.as_str()))
    }
}

fn any<T>(said: &BTreeSet<T>, fits: impl Fn(&T) -> bool) -> bool {
    said.is_empty() || said.iter().any(fits)
}

fn wider<T: Ord>(this: &BTreeSet<T>, other: &BTreeSet<T>) -> bool {
    this.is_empty() || (!other.is_empty() && this.is_superset(other))
}

fn role(pattern: &Pattern, hop: Hop<'_>) -> bool {
    if pattern.as_str().starts_with("arn:") {
        return hop.arn.is_some_and(|arn| pattern.matches(arn));
    }
    pattern.matches(hop.role)
}
