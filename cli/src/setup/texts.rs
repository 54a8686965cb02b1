//! What a person reads while setting up. Texts only.

use super::inventory::Fetched;
use super::plan::{Plan, Planned};
use super::session::Session;
use crate::aws_config::Written;
use crate::hand::text::command;
use crate::output;
use std::collections::HashMap;
use tegata_protocol::body::Profile;
use tegata_protocol::text::one_line;

/// The most profiles, names and lines of a difference that are shown to somebody who is about to say yes.
const SHOWN_ROWS: usize = 40;
const SHOWN_NAMES: usize = 8;
const SHOWN_LINES: usize = 200;

/// What the daemon would have stand before each profile, and what keeps it from being served.
#[derive(Debug, Default)]
pub(super) struct Gates(HashMap<String, (Option<String>, Option<String>)>);

impl Gates {
    /// Adds a page of what the daemon says.
    pub(super) fn add(&mut self, profiles: &[Profile]) {
        let entry = |profile: &Profile| (profile.name.clone(), (profile.gate.clone(), profile.problem.clone()));
        self.0.extend(profiles.iter().map(entry));
    }

    fn gate(&self, name: &str) -> Option<&str> {
        self.0.get(name)?.0.as_deref()
    }

    fn problem(&self, name: &str) -> Option<&str> {
        self.0.get(name)?.1.as_deref()
    }
}

/// `1 role`, `2 roles`, `2,000 roles`.
pub(super) fn count(number: usize, what: &str) -> String {
    let digits = number.to_string();
    let mut grouped = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    format!("{grouped} {what}{}", if number == 1 { "" } else { "s" })
}

/// Says what was found.
pub(super) fn fetched(session: &Session, fetched: &Fetched, roles: usize) -> String {
    let accounts = count(fetched.accounts.len(), "account");
    let before = match usize::try_from(fetched.resumed_from).unwrap_or_default() {
        0 => String::new(),
        before => format!("; {} were known from an earlier run", count(before, "account")),
    };
    format!("{}: {accounts} with {}{before}.", one_line(&session.name), count(roles, "role"))
}

/// Shows the first names of new profiles.
pub(super) fn names(plan: &Plan) -> String {
    let new: Vec<&Planned> = plan.profiles.iter().filter(|planned| planned.new).collect();
    let shown: Vec<&&Planned> = new.iter().take(SHOWN_NAMES).collect();
    let widest = shown.iter().map(|planned| planned.name.len()).max().unwrap_or_default();
    let which = if new.len() > shown.len() { ", the first of them" } else { "" };
    let mut lines: Vec<String> = vec![format!("{}{which}:", count(new.len(), "new profile"))];
    lines.extend(shown.iter().map(|planned| format!("  {:widest$}  {}", planned.name, planned.target)));
    lines.extend(clashes(plan));
    lines.join("\n")
}

/// Says which names were not to be had as the template says them.
fn clashes(plan: &Plan) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for clash in plan.clashes.iter().take(SHOWN_NAMES) {
        let why = if clash.taken { "has another owner" } else { "would be several" };
        let named: Vec<&str> = clash.named.iter().take(3).map(String::as_str).collect();
        let more = if clash.named.len() > named.len() { ", …" } else { "" };
        lines.push(format!("  {} {why}: {}{more}", clash.wanted, named.join(", ")));
    }
    if plan.clashes.len() > SHOWN_NAMES {
        lines.push(format!("  and {} more names were told apart", plan.clashes.len() - SHOWN_NAMES));
    }
    lines
}

/// Shows every profile as it will be.
pub(super) fn preview(plan: &Plan, gates: &Gates) -> String {
    let shown = plan.profiles.iter().filter(|planned| planned.new).chain(plan.profiles.iter().filter(|p| !p.new));
    let rows = shown.take(SHOWN_ROWS).map(|planned| {
        let account: String = one_line(&planned.target.account).chars().take(30).collect();
        [
            if planned.new { "+".to_owned() } else { " ".to_owned() },
            one_line(&planned.name),
            format!("{account} ({})", one_line(&planned.target.account_id)),
            one_line(&planned.target.role),
            gates.gate(&planned.name).map_or_else(|| "?".to_owned(), one_line),
            planned.read_only.as_deref().map_or_else(|| "-".to_owned(), one_line),
        ]
    });
    let mut lines = vec![output::table(["", "PROFILE", "ACCOUNT", "ROLE", "GATE", "READ-ONLY SIBLING"], rows)];
    if plan.profiles.len() > SHOWN_ROWS {
        lines.push(format!("  and {} more", count(plan.profiles.len() - SHOWN_ROWS, "profile")));
    }
    lines.extend(clashes(plan));
    let problems = plan.profiles.iter().filter_map(|planned| Some((planned, gates.problem(&planned.name)?)));
    lines.extend(
        problems.take(SHOWN_NAMES).map(|(planned, why)| format!("warning: {}: {}", planned.name, one_line(why))),
    );
    let removed: Vec<&str> = plan.removed().collect();
    if !removed.is_empty() {
        lines.push(format!("Goes: {}", listed(&removed)));
    }
    lines.join("\n")
}

/// Cuts a difference that is too long to be read before a question.
pub(super) fn start_of(diff: &str) -> String {
    let lines = diff.lines().count();
    if lines <= SHOWN_LINES {
        return diff.to_owned();
    }
    let shown: Vec<&str> = diff.lines().take(SHOWN_LINES).collect();
    let left = count(lines - SHOWN_LINES, "line");
    format!("{}\n… and {left} more; --dry-run shows all of them", shown.join("\n"))
}

pub(super) fn prune_question(plan: &Plan) -> String {
    let gone: Vec<&str> = plan.gone.iter().map(String::as_str).collect();
    let what = count(gone.len(), "profile");
    format!("{what} of roles that AWS no longer lists for you: {}\nRemove? [y/N] ", listed(&gone))
}

pub(super) fn not_pruned(plan: &Plan) -> String {
    let gone: Vec<&str> = plan.gone.iter().map(String::as_str).collect();
    format!("AWS no longer lists the roles of {}; --prune removes them", listed(&gone))
}

pub(super) fn nothing_to_do(session: &Session, plan: &Plan) -> String {
    let what = count(plan.profiles.len(), "profile");
    format!("Nothing to change: {what} of {} stand as they should.", one_line(&session.name))
}

/// Says what was done, and what comes next.
pub(super) fn written(session: &Session, plan: &Plan, gates: &Gates, written: &Written) -> String {
    let removed = match plan.removed().count() {
        0 => String::new(),
        removed => format!(", {removed} removed"),
    };
    let path = one_line(&written.path.display().to_string());
    let what = count(plan.profiles.len(), "profile");
    let mut lines =
        vec![format!("Wrote {path}: {what} of {}, {} new{removed}.", one_line(&session.name), plan.count_new())];
    if let Some(backup) = &written.backup {
        let backup = one_line(&backup.display().to_string());
        lines.push(format!("To take this back: tegata setup --undo (what was there is in {backup})"));
    }
    lines.extend(next(plan, gates));
    lines.join("\n")
}

/// The commands that come next.
fn next(plan: &Plan, gates: &Gates) -> Vec<String> {
    let with = |gate: &str| -> Vec<&Planned> {
        plan.profiles.iter().filter(|planned| gates.gate(&planned.name) == Some(gate)).collect()
    };
    let (open, proposed, gated) = (with("open"), with("proposed"), with("gated"));
    let mut lines = Vec::new();
    if let Some(first) = narrowest(&open).or(proposed.first()).or(gated.first()) {
        lines.push("Next:".to_owned());
        lines.push(format!("  {}", command("aws sts get-caller-identity --profile", &first.name)));
        lines.push("  tegata list".to_owned());
    }
    if let Some(first) = gated.first() {
        lines.push(format!("  {}", command("tegata elevate", &first.name)));
        lines.push(format!("    {} wait for a passkey gesture", count(gated.len(), "profile")));
    }
    if !proposed.is_empty() {
        lines.push("  tegata passkey add".to_owned());
        let what = count(proposed.len(), "administration profile");
        let them = if proposed.len() == 1 { "it" } else { "them" };
        lines.push(format!(
            "    {what} will be had by a passkey gesture only; until then any program of yours may use {them}"
        ));
    }
    lines
}

/// The first, or its sibling that only reads: what a person tries first should be able to do little.
fn narrowest<'a>(open: &'a [&'a Planned]) -> Option<&'a &'a Planned> {
    let first = open.first()?;
    open.iter().find(|planned| first.read_only.as_ref() == Some(&planned.name)).or(Some(first))
}

fn listed(names: &[&str]) -> String {
    let shown: Vec<String> = names.iter().take(SHOWN_NAMES).map(|name| one_line(name)).collect();
    let more =
        if names.len() > SHOWN_NAMES { format!(" and {} more", names.len() - SHOWN_NAMES) } else { String::new() };
    format!("{}{more}", shown.join(", "))
}

#[cfg(test)]
#[path = "texts_tests.rs"]
mod tests;
