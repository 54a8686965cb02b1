//! Whether rules are weaker than those that were accepted. Says so too often rather than too seldom.

use super::demands::Demands;
use super::rule::{Gate, Rule};

/// Says in which ways `new` is weaker than `accepted`, one line each; nothing where it is not.
///
/// Not weaker means: for every accepted rule there are rules that match all that it matches and together demand at least as
/// much, and nothing leaves the built-in rule for less than it demands. Rules only tighten one another, so this is enough.
#[must_use]
pub fn is_weaker(accepted: &[Rule], new: &[Rule]) -> Vec<String> {
    let gone = accepted.iter().flat_map(|rule| match &rule.gate {
        Gate::Passkey(demands) => in_place_of(rule, demands, new),
        Gate::None => Vec::new(),
    });
    gone.chain(new.iter().filter(|rule| takes_out(accepted, rule)).map(taken_out)).collect()
}

/// Says what is weaker where `accepted` was.
fn in_place_of(accepted: &Rule, demands: &Demands, new: &[Rule]) -> Vec<String> {
    let covering = new.iter().filter_map(|rule| match &rule.gate {
        Gate::Passkey(demands) if rule.matchers.cover(&accepted.matchers) => Some(demands.clone()),
        _ => None,
    });
    let name = &accepted.name;
    match covering.reduce(Demands::join) {
        Some(joined) => joined.weaker_than(demands).iter().map(|weaker| format!("rule {name}: {weaker}")).collect(),
        None => vec![format!("rule {name} is gone, or matches less than it did")],
    }
}

/// Whether a rule may take something out of the built-in rule that was in it, and demands less in its place.
#[must_use]
pub fn takes_out(accepted: &[Rule], new: &Rule) -> bool {
    let is_milder = match &new.gate {
        Gate::None => true,
        Gate::Passkey(demands) => !demands.weaker_than(&Demands::default()).is_empty(),
    };
    let was_out = |rule: &Rule| rule.matchers.names_what_is_reached() && rule.matchers.cover(&new.matchers);
    is_milder && new.matchers.names_what_is_reached() && !accepted.iter().any(was_out)
}

fn taken_out(rule: &Rule) -> String {
    let what = match &rule.gate {
        Gate::None => "gate = \"none\" takes what it matches out of the built-in rule".to_owned(),
        Gate::Passkey(demands) => {
            let milder = demands.weaker_than(&Demands::default()).join(", ");
            format!("it may take the place of the built-in rule, and {milder}")
        }
    };
    format!("rule {}: {what}", rule.name)
}

/// Returns what of a rule that [`takes_out`] holds before it is accepted: nothing of `gate = "none"`; of a passkey rule the
/// gate, on terms at least as strict as the built-in rule's, so that what it matches is never open for the waiting.
#[must_use]
pub fn until_accepted(rule: &Rule) -> Option<Rule> {
    match &rule.gate {
        Gate::None => None,
        Gate::Passkey(demands) => Some(Rule {
            name: format!("{} (until accepted)", rule.name),
            matchers: rule.matchers.clone(),
            gate: Gate::Passkey(demands.clone().join(Demands::default())),
        }),
    }
}

#[cfg(test)]
#[path = "weaker_tests.rs"]
mod tests;
