//! What rules demand, joined to the strictest: in whatever order and however often rules are joined, the same comes out.

use super::hours::Hours;
use super::terms::{Approvals, ReasonRule, Scope, Terms, USUAL_WINDOW};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::num::NonZeroU32;
use std::time::Duration;

/// What one rule demands, or several joined.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Demands {
    /// The longest a grant may live, in whole seconds.
    #[serde(rename = "window_seconds", with = "seconds")]
    pub window: Duration,
    /// The most upstream issuances of a grant.
    pub uses: Option<NonZeroU32>,
    /// Who a grant may be for.
    pub scope: Scope,
    /// Regular expressions that each have to be found in the reason; absent where none has to be given.
    pub reason: Option<BTreeSet<String>>,
    /// How many different people.
    pub approvals: Approvals,
    /// When: inside all of them.
    pub hours: BTreeSet<Hours>,
    /// Whether only passkeys count that never leave their device.
    pub device_bound: bool,
    /// Session policies while elevated. AWS takes one.
    pub session_policies: BTreeSet<String>,
    /// Whether the desktop is told.
    pub alert: bool,
    /// Whether a review item stays open.
    pub review: bool,
}

/// A passkey, and otherwise as little as a rule can demand by saying nothing.
impl Default for Demands {
    fn default() -> Self {
        Self {
            window: USUAL_WINDOW,
            uses: None,
            scope: Scope::Terminal,
            reason: None,
            approvals: Approvals::One,
            hours: BTreeSet::new(),
            device_bound: false,
            session_policies: BTreeSet::new(),
            alert: false,
            review: false,
        }
    }
}

impl Demands {
    /// Joins both to the strictest.
    #[must_use]
    pub fn join(self, other: Self) -> Self {
        Self {
            window: self.window.min(other.window),
            uses: [self.uses, other.uses].into_iter().flatten().min(),
            scope: self.scope.max(other.scope),
            reason: match (self.reason, other.reason) {
                (Some(one), Some(two)) => Some(&one | &two),
                (one, two) => one.or(two),
            },
            approvals: self.approvals.max(other.approvals),
            hours: &self.hours | &other.hours,
            device_bound: self.device_bound || other.device_bound,
            session_policies: &self.session_policies | &other.session_policies,
            alert: self.alert || other.alert,
            review: self.review || other.review,
        }
    }
}

impl Demands {
    /// Returns the terms of a grant; `rules` are those that demand it.
    #[must_use]
    pub fn into_terms(self, rules: Vec<String>) -> Terms {
        Terms {
            window: self.window,
            uses: self.uses,
            scope: self.scope,
            reason: self.reason.map(|patterns| ReasonRule { patterns: patterns.into_iter().collect() }),
            approvals: self.approvals,
            device_bound: self.device_bound,
            session_policy: self.session_policies.into_iter().next(),
            alert: self.alert,
            review: self.review,
            rules,
        }
    }

    /// Says what is weaker here than in `accepted`, a few words each; nothing where these are at least as strict.
    #[must_use]
    pub fn weaker_than(&self, accepted: &Self) -> Vec<String> {
        let mut weaker = Vec::new();
        let mut say = |is_weaker: bool, words: String| {
            if is_weaker {
                weaker.push(words)
            }
        };
        let uses = |demands: &Self| demands.uses.map_or("any number".to_owned(), |uses| uses.to_string());
        say(
            self.window > accepted.window,
            format!("the window is {} in place of {}", shown(self.window), shown(accepted.window)),
        );
        say(
            accepted.uses.is_some_and(|most| self.uses.is_none_or(|uses| uses > most)),
            format!("{} uses in place of {}", uses(self), uses(accepted)),
        );
        say(self.scope < accepted.scope, format!("the scope is {} in place of {}", self.scope, accepted.scope));
        let reason = |patterns: &BTreeSet<String>| self.reason.as_ref().is_none_or(|own| !own.is_superset(patterns));
        say(accepted.reason.as_ref().is_some_and(reason), "less is asked of the reason".to_owned());
        say(self.approvals < accepted.approvals, "one approval is enough".to_owned());
        let outside = |hours: &&Hours| !self.hours.iter().any(|own| own.are_within(hours));
        for hours in accepted.hours.iter().filter(outside) {
            say(true, format!("it is no longer limited to {hours}"));
        }
        say(accepted.device_bound && !self.device_bound, "passkeys that are copied between devices count".to_owned());
        say(!self.session_policies.is_superset(&accepted.session_policies), "the session policy is another".to_owned());
        say(accepted.alert && !self.alert, "the desktop is not told".to_owned());
        say(accepted.review && !self.review, "no review is asked for".to_owned());
        weaker
    }
}

/// Writes a length of time as `1h 30m`.
pub(super) fn shown(duration: Duration) -> String {
    let (hours, minutes, seconds) = (duration.as_secs() / 3_600, duration.as_secs() / 60 % 60, duration.as_secs() % 60);
    let parts = [(hours, 'h'), (minutes, 'm'), (seconds, 's')];
    let parts: Vec<String> =
        parts.iter().filter(|(count, _)| *count > 0).map(|(count, unit)| format!("{count}{unit}")).collect();
    if parts.is_empty() { "0s".to_owned() } else { parts.join(" ") }
}

mod seconds {
    use serde::{Deserialize, Deserializer, Serializer};
    use std::time::Duration;

    pub(super) fn serialize<S: Serializer>(duration: &Duration, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_u64(duration.as_secs())
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Duration, D::Error> {
        u64::deserialize(from).map(Duration::from_secs)
    }
}

#[cfg(test)]
mod tests {
    use super::shown;
    use std::time::Duration;

    #[test]
    fn lengths_of_time_are_written_as_people_write_them() {
        for (seconds, text) in
            [(0, "0s"), (59, "59s"), (60, "1m"), (900, "15m"), (3_600, "1h"), (5_461, "1h 31m 1s"), (43_200, "12h")]
        {
            assert_eq!(shown(Duration::from_secs(seconds)), text);
        }
    }
}
