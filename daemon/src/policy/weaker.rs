//! Whether rules are weaker than those that were accepted. Says so too often rather than too seldom.

use super::demands::Demands;
use super::rule::{Gate, Rule};

/// Says in which ways `new` is weaker than `accepted`, one line each; nothing where it is not.
///
/// Not weaker means: for every accepted rule there are rules that match all that it matches and together demand at least as
/// much, and nothing is taken out of the built-in rule that was not. Rules only tighten one another, so this is enough.
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

/// Whether a rule takes something out of the built-in rule that was in it.
#[must_use]
pub fn takes_out(accepted: &[Rule], new: &Rule) -> bool {
    let was_out = |rule: &Rule| rule.gate == Gate::None && rule.matchers.cover(&new.matchers);
    new.gate == Gate::None && !accepted.iter().any(was_out)
}

fn taken_out(rule: &Rule) -> String {
    format!("rule {}: gate = \"none\" takes what it matches out of the built-in rule", rule.name)
}

#[cfg(test)]
#[path = "weaker_tests.rs"]
mod tests;
