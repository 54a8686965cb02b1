//! Who may have what, and on which terms. Pure: rules in, decision out.
//!
//! Every rule that matches applies, and the strictest of what they demand holds. So the order of rules says nothing, another
//! rule can only tighten, and whether one set of rules is weaker than another can be told (docs/design/gates.md).

mod demands;
mod explain;
mod hop;
mod hours;
mod pattern;
mod reason;
mod rule;
pub mod terms;
mod weaker;

pub use demands::Demands;
pub use explain::word as tier_word;
pub use hours::{Days, Hours};
pub use pattern::Pattern;
pub use reason::{MAX_REASON, ReasonFault, check_reason, check_words, compile as compile_reason};
pub use rule::{BUILT_IN, Gate, Matchers, Rule, WINDOWS};
pub use weaker::{is_weaker, takes_out, until_accepted};

use crate::names::ProfileName;
use crate::profile::Chain;
use hop::{Hop, hops};
use std::time::{Duration, SystemTime};
use terms::{Decision, Denial, Tier};

/// The rules in force.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Policy {
    rules: Vec<(Origin, Rule)>,
    /// What the built-in rule demands.
    built_in: Demands,
}

/// Who wrote a rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Origin {
    /// The user, in `config.toml`.
    User,
    /// The organisation, in its policy file.
    Organisation,
}

impl Policy {
    /// Joins the rules of the user's that are in force and those of the organisation.
    #[must_use]
    pub fn new(rules: Vec<Rule>, organisation: Vec<Rule>) -> Self {
        let user = rules.into_iter().map(|rule| (Origin::User, rule));
        let organisation = organisation.into_iter().map(|rule| (Origin::Organisation, rule));
        Self { rules: user.chain(organisation).collect(), built_in: Demands::default() }
    }

    /// Returns how many rules are in force, the built-in one not counted.
    #[must_use]
    pub fn count(&self) -> usize {
        self.rules.len()
    }

    /// Decides about a target. `now` is wall time: hours and days are read from it, and nothing else.
    pub fn decide(&self, profile: &ProfileName, chain: &Chain, passkey_enrolled: bool, now: SystemTime) -> Decision {
        let demanding = self.demanding(profile, chain, passkey_enrolled);
        let Some(mut demands) = demanding.joined() else { return Decision::Open };
        if let Some(denial) = demanding.unhonourable(chain).or_else(|| demanding.outside_hours(now)) {
            return Decision::Denied(denial);
        }
        // A grant does not outlive the hours in which it can be had.
        demands.window = demanding.open_for(now, demands.window);
        Decision::Gated(demands.into_terms(demanding.names()))
    }

    /// Whether the built-in rule would gate this as soon as a passkey is enrolled, and nothing gates it now.
    #[must_use]
    pub fn is_proposed(&self, profile: &ProfileName, chain: &Chain, passkey_enrolled: bool) -> bool {
        let gated = |enrolled: bool| self.demanding(profile, chain, enrolled).joined().is_some();
        !gated(passkey_enrolled) && gated(true)
    }

    /// Collects what demands a passkey for this target.
    fn demanding(&self, profile: &ProfileName, chain: &Chain, passkey_enrolled: bool) -> Demanding<'_> {
        // Every served request comes past here: what matches nothing is not copied, and the chain is taken apart once.
        let hops: Vec<Hop<'_>> = hops(chain).collect();
        let matches = |rule: &Rule| hops.iter().any(|hop| rule.matchers.match_hop(profile, chain, *hop));
        let demands = self.rules.iter().filter_map(|(_, rule)| match &rule.gate {
            Gate::Passkey(demands) if matches(rule) => Some((rule.name.as_str(), demands)),
            _ => None,
        });
        let built_in = passkey_enrolled && hops.iter().any(|hop| self.is_built_in(profile, chain, *hop));
        let built_in = built_in.then_some((BUILT_IN, &self.built_in));
        Demanding(demands.chain(built_in).collect())
    }

    /// Whether the built-in rule is about this station: it looks like administration, and no rule speaks of it. A rule that
    /// speaks of another station of the chain does not count.
    fn is_built_in(&self, profile: &ProfileName, chain: &Chain, hop: Hop<'_>) -> bool {
        let speaks = |(_, rule): &(Origin, Rule)| rule.speaks_of(profile, chain, hop);
        hop.looks_like_administration() && !self.rules.iter().any(speaks)
    }
}

/// The rules that demand a passkey for one target, by name.
#[derive(Debug)]
struct Demanding<'a>(Vec<(&'a str, &'a Demands)>);

impl Demanding<'_> {
    fn joined(&self) -> Option<Demands> {
        self.0.iter().map(|(_, demands)| (*demands).clone()).reduce(Demands::join)
    }

    /// The names of the rules in order, each once.
    fn names(&self) -> Vec<String> {
        self.named(|_| true)
    }

    fn named(&self, which: impl Fn(&Demands) -> bool) -> Vec<String> {
        let names = self.0.iter().filter(|(_, demands)| which(demands)).map(|(name, _)| (*name).to_owned());
        names.collect::<std::collections::BTreeSet<_>>().into_iter().collect()
    }

    /// Says what AWS cannot do for this target, so that the rule cannot be kept.
    fn unhonourable(&self, chain: &Chain) -> Option<Denial> {
        let policies = self.joined()?.session_policies.len();
        let rule = self.named(|demands| !demands.session_policies.is_empty()).join(" and ");
        let when = match (policies, chain.narrowed()) {
            (0, _) => return None,
            (_, None) => {
                "through a role only: AWS takes no session policy for what the chain starts from (chain a role with tegata_role_arn)"
            }
            (1, _) => return None,
            _ => "with a session policy each, and AWS takes one; give them the same",
        };
        Some(Denial { rule, when: when.to_owned() })
    }

    fn outside_hours(&self, now: SystemTime) -> Option<Denial> {
        let all = self.0.iter().flat_map(|(name, demands)| demands.hours.iter().map(move |hours| (name, hours)));
        let mut outside = all.filter(|(_, hours)| hours.open_for(now, Duration::from_secs(1)).is_zero());
        outside.next().map(|(name, hours)| Denial { rule: (*name).to_owned(), when: format!("{hours} only") })
    }

    fn open_for(&self, now: SystemTime, window: Duration) -> Duration {
        let hours = self.0.iter().flat_map(|(_, demands)| &demands.hours);
        hours.fold(window, |window, hours| hours.open_for(now, window))
    }
}

/// Returns what stands between malware that runs as the user and this target: today the daemon's own refusal, for every
/// target, because its source can be read from the keyring.
#[must_use]
pub fn tier(_chain: &Chain) -> Tier {
    Tier::Prompt
}

/// Whether a station of this chain looks like administration, by its name.
#[must_use]
pub fn looks_like_administration(chain: &Chain) -> bool {
    hops(chain).any(Hop::looks_like_administration)
}

#[cfg(test)]
mod laws_tests;
#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;
