//! What decides about a profile, and why, in words.

use super::demands::{Demands, shown};
use super::hop::{Hop, hops};
use super::rule::{BUILT_IN, Gate, Rule};
use super::terms::{Approvals, Decision, Scope, Tier};
use super::{Demanding, Origin, Policy, tier};
use crate::names::ProfileName;
use crate::profile::{Chain, Source};
use std::time::SystemTime;
use tegata_protocol::gate::Explanation;
use tegata_protocol::text::one_line;

impl Policy {
    /// Says what decides about a target, and why.
    #[must_use]
    pub fn explain(
        &self,
        profile: &ProfileName,
        chain: &Chain,
        passkey_enrolled: bool,
        now: SystemTime,
    ) -> Explanation {
        let proposed = self.is_proposed(profile, chain, passkey_enrolled);
        let demanding = self.demanding(profile, chain, passkey_enrolled || proposed);
        let mut terms = demanding.joined().map(|joined| describe(&joined, &demanding)).unwrap_or_default();
        let gate = match self.decide(profile, chain, passkey_enrolled, now) {
            Decision::Open if proposed => "proposed",
            Decision::Open => "open",
            Decision::Gated(_) => "gated",
            Decision::Denied(denial) => {
                terms.insert(0, denial.to_string());
                "denied"
            }
        };
        Explanation {
            profile: one_line(profile.as_str()),
            target: target(chain),
            gate: gate.to_owned(),
            tier: (gate != "open").then(|| word(tier(chain)).to_owned()),
            rules: self.matching(profile, chain, passkey_enrolled),
            terms,
        }
    }

    fn matching(&self, profile: &ProfileName, chain: &Chain, passkey_enrolled: bool) -> Vec<String> {
        let mut lines: Vec<String> = self
            .rules
            .iter()
            .filter_map(|(origin, rule)| {
                let hop = hops(chain).find(|hop| rule.matchers.match_hop(profile, chain, *hop))?;
                let replaces =
                    hops(chain).any(|hop| hop.looks_like_administration() && rule.speaks_of(profile, chain, hop));
                let effect = effect(rule, replaces);
                Some(format!("{} ({origin}): {}{effect}", rule.name, matched(rule, profile, chain, hop)))
            })
            .collect();
        if let Some(hop) = hops(chain).find(|hop| self.is_built_in(profile, chain, *hop)) {
            let from_when = if passkey_enrolled { "" } else { ", as soon as a passkey is enrolled" };
            lines.push(format!("{BUILT_IN}: {} looks like administration{from_when}", hop.role));
        }
        lines
    }
}

impl std::fmt::Display for Origin {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::User => "yours",
            Self::Organisation => "your organisation's",
        })
    }
}

/// Returns a tier's word.
#[must_use]
pub fn word(tier: Tier) -> &'static str {
    match tier {
        Tier::Prompt => "prompt",
        Tier::Sealed => "sealed",
        Tier::Enforced => "enforced",
    }
}

/// Says what a chain reaches, station by station, and where it crosses into another account.
fn target(chain: &Chain) -> Vec<String> {
    let mut before = None;
    let mut lines = Vec::new();
    for (at, hop) in hops(chain).enumerate() {
        let account = hop.account.unwrap_or("?");
        let starts_here = at == 0 && chain.source.reached().is_some();
        let line = match (hop.arn, before.replace(account)) {
            _ if starts_here => start(chain, hop),
            (Some(arn), Some(last)) if last != account => {
                format!("role {arn}, in another account ({account}) than the one before ({last})")
            }
            (arn, _) => format!("role {}", arn.unwrap_or(hop.role)),
        };
        lines.push(one_line(&line));
    }
    lines
}

/// Says what a chain starts from.
fn start(chain: &Chain, hop: Hop<'_>) -> String {
    let (account, arn) = (hop.account.unwrap_or("?"), hop.arn.unwrap_or(hop.role));
    match &chain.source {
        Source::SignIn { session, .. } => {
            format!("permission set {} in account {account} (sign-in session {})", hop.role, session.name)
        }
        Source::Console { .. } => format!("{arn}, by a sign-in to the console"),
        Source::WebIdentity { .. } => format!("role {arn}, by a web identity token"),
        Source::RolesAnywhere(_) => format!("role {arn}, by a certificate (IAM Roles Anywhere)"),
        Source::IamUser(_) => format!("{arn}, by access keys in the store"),
        Source::Ec2Instance { .. } | Source::EcsContainer { .. } => arn.to_owned(),
    }
}

/// Says by what a rule matches.
fn matched(rule: &Rule, profile: &ProfileName, chain: &Chain, hop: Hop<'_>) -> String {
    let session = chain.session().map_or("", |session| session.name.as_str());
    let matchers = &rule.matchers;
    let by = [
        ("account", hop.account.unwrap_or_default(), !matchers.account.is_empty()),
        ("role", hop.role, !matchers.role.is_empty()),
        ("sign-in session", session, !matchers.session.is_empty()),
        ("source", chain.source.kind().word(), !matchers.source.is_empty()),
        ("profile", profile.as_str(), !matchers.profile.is_empty()),
    ];
    let by = by.iter().filter(|(_, _, said)| *said).map(|(what, found, _)| format!("{what} {}", one_line(found)));
    format!("matches {}", by.collect::<Vec<_>>().join(", "))
}

fn effect(rule: &Rule, replaces_built_in: bool) -> &'static str {
    match (&rule.gate, rule.matchers.names_what_is_reached()) {
        (Gate::None, _) => "; takes it out of the built-in rule",
        (Gate::Passkey(_), true) if replaces_built_in => "; in place of the built-in rule",
        (Gate::Passkey(_), true) => "",
        (Gate::Passkey(_), false) => "; names neither account nor role, so a profile of another name may go round it",
    }
}

/// Says the terms, one line each, with the rules that demand them.
fn describe(joined: &Demands, by: &Demanding<'_>) -> Vec<String> {
    let mut lines = Vec::new();
    let mut say = |what: String, demanded: &dyn Fn(&Demands) -> bool| {
        lines.push(format!("{what} ({})", by.named(demanded).join(", ")));
    };
    say(format!("for at most {}", shown(joined.window)), &|one| one.window == joined.window);
    if let Some(uses) = joined.uses {
        say(format!("{uses} times at most"), &|one| one.uses == joined.uses);
    }
    say(scope(joined.scope).to_owned(), &|one| one.scope == joined.scope);
    match &joined.reason {
        Some(patterns) if patterns.is_empty() => say("with a reason".to_owned(), &|one| one.reason.is_some()),
        Some(patterns) => {
            for pattern in patterns {
                say(format!("with a reason that contains {pattern}"), &|one| {
                    one.reason.as_ref().is_some_and(|patterns| patterns.contains(pattern))
                });
            }
        }
        None => {}
    }
    if joined.approvals == Approvals::Two {
        say("two different people approve".to_owned(), &|one| one.approvals == Approvals::Two);
    }
    for hours in &joined.hours {
        say(format!("{hours} only"), &|one| one.hours.contains(hours));
    }
    if joined.device_bound {
        say("passkeys only that never leave their device".to_owned(), &|one| one.device_bound);
    }
    if !joined.session_policies.is_empty() {
        say("under a session policy".to_owned(), &|one| !one.session_policies.is_empty());
    }
    if joined.alert {
        say("the desktop is told".to_owned(), &|one| one.alert);
    }
    if joined.review {
        say("a review stays open".to_owned(), &|one| one.review);
    }
    lines
}

fn scope(scope: Scope) -> &'static str {
    match scope {
        Scope::User => "for every program of the user, where asked for",
        Scope::Terminal => "for the programs of one terminal",
        Scope::Request => "for one program",
    }
}

#[cfg(test)]
#[path = "explain_tests.rs"]
mod tests;
