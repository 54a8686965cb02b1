//! What was looked at and found, for people and for programs. Texts only.

use super::git::Git;
use super::look::{Hit, Looked, NotLookedAt, Place};
use super::mend;
use super::reach::Reach;
use crate::output::Style;
use crate::scan::{Found, Severity};
use serde_json::{Value, json};
use tegata_protocol::text::one_line;

/// The most lines about what was not looked at; JSON has them all.
const MOST_LINES: usize = 10;

/// Returns the page: a block for each finding, the worst first, then what could not be looked at, then how many.
pub(super) fn page(looked: &Looked, style: Style) -> String {
    let mut blocks: Vec<String> = looked.hits.iter().map(|hit| block(hit, style)).collect();
    let advice = mend::advice(looked);
    if !advice.is_empty() {
        blocks.push(advice.join("\n"));
    }
    if !looked.not_looked_at.is_empty() {
        blocks.push(not_looked_at(&looked.not_looked_at));
    }
    blocks.push(style.strong(&summary(looked)));
    blocks.join("\n\n")
}

/// One finding: how bad and what, then where, who can read it, what mends it.
fn block(hit: &Hit, style: Style) -> String {
    let severity = word(hit.found.kind.severity());
    let coloured = match hit.found.kind.severity() {
        Severity::Error => style.alarm(severity),
        Severity::Warning => style.warning(severity),
        Severity::Note => style.faint(severity),
    };
    let mut lines = vec![format!("{coloured}{}{}", " ".repeat(9 - severity.len()), what(&hit.found))];
    let mut field = |name: &str, value: String| lines.push(format!("  {name:<6} {value}"));
    field("where", place(hit));
    if let Some(whose) = whose(hit) {
        field("whose", whose);
    }
    if let Some(open_to) = open_to(hit) {
        field("open", if is_wide_open(hit) { style.warning(&open_to) } else { open_to });
    }
    field("mend", one_line(&mend::command(hit)));
    lines.join("\n")
}

fn word(severity: Severity) -> &'static str {
    match severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
        Severity::Note => "note",
    }
}

/// `access key AKIA…VV7A, secret …xY9z`
fn what(found: &Found) -> String {
    let mut what = found.kind.words().to_owned();
    if let Some(id) = &found.key_id {
        what.push_str(&format!(" {}", one_line(id)));
    }
    match (&found.secret, &found.key_id) {
        (Some(secret), Some(_)) => what.push_str(&format!(", secret …{}", one_line(secret))),
        (Some(secret), None) => what.push_str(&format!(" …{}", one_line(secret))),
        (None, _) => what.push_str(", no secret beside it"),
    }
    what
}

fn place(hit: &Hit) -> String {
    match &hit.place {
        Place::Variables(names) => {
            names.iter().map(|name| format!("${}", one_line(name))).collect::<Vec<_>>().join(", ")
        }
        Place::File(path) => {
            let mut lines: Vec<String> = Vec::new();
            for place in &hit.found.places {
                let text =
                    if lines.is_empty() { format!("{}:{}", place.line, place.column) } else { place.line.to_string() };
                if lines.last().is_none_or(|last| last.split(':').next() != Some(text.as_str())) {
                    lines.push(text);
                }
            }
            let more = if hit.found.more > 0 { format!(" and {} more", hit.found.more) } else { String::new() };
            format!("{}:{}{more}", one_line(&path.to_string_lossy()), lines.join(", "))
        }
    }
}

fn whose(hit: &Hit) -> Option<String> {
    let profile = hit.profile.as_ref().map(|profile| format!("profile {}", one_line(profile)));
    let user = hit.found.user.as_ref().map(|user| format!("user {}", one_line(user)));
    let account = hit.found.account.as_ref().map(|account| format!("account {account}"));
    let parts: Vec<_> = [profile, user, account].into_iter().flatten().collect();
    (!parts.is_empty()).then(|| parts.join(", "))
}

fn open_to(hit: &Hit) -> Option<String> {
    if matches!(hit.place, Place::Variables(_)) {
        return Some("every program started from this shell".to_owned());
    }
    let reach = hit.reach.map(|reach| format!("{} can read it", reach.words()));
    let git = hit.git.map(|git| match git {
        Git::Tracked => "git tracks it",
        Git::Untracked => "in a git work tree, not tracked",
        Git::Unknown => "in a git work tree",
    });
    let parts: Vec<_> = reach.into_iter().chain(git.map(str::to_owned)).collect();
    (!parts.is_empty()).then(|| parts.join("; "))
}

/// Whether others have it, or will.
fn is_wide_open(hit: &Hit) -> bool {
    hit.reach == Some(Reach::Everybody) || hit.git == Some(Git::Tracked)
}

fn not_looked_at(all: &[NotLookedAt]) -> String {
    let line =
        |one: &NotLookedAt| format!("not looked at: {} {}", one_line(&one.path.to_string_lossy()), one_line(&one.why));
    let mut lines: Vec<_> = all.iter().take(MOST_LINES).map(line).collect();
    if all.len() > MOST_LINES {
        lines.push(format!("not looked at: {} more", all.len() - MOST_LINES));
    }
    lines.join("\n")
}

/// `2 errors, 1 warning in 1,234 files and 12 variables.`
fn summary(looked: &Looked) -> String {
    let count = |severity| looked.hits.iter().filter(|hit| hit.found.kind.severity() == severity).count();
    let words = [Severity::Error, Severity::Warning, Severity::Note];
    let mut parts: Vec<_> = words
        .into_iter()
        .map(|severity| (count(severity), word(severity)))
        .filter(|(count, _)| *count > 0)
        .map(|(count, word)| plural(count as u64, word))
        .collect();
    if looked.more_hits > 0 {
        parts.push(format!("{} more that are not shown", looked.more_hits));
    }
    let found = if parts.is_empty() { "Nothing was found".to_owned() } else { parts.join(", ") };
    let variables = if looked.variables > 0 {
        format!(" and {}", plural(looked.variables as u64, "variable"))
    } else {
        String::new()
    };
    format!("{found} in {}{variables}.", plural(looked.files, "file"))
}

fn plural(count: u64, word: &str) -> String {
    format!("{count} {word}{}", if count == 1 { "" } else { "s" })
}

/// Returns the same for programs.
pub(super) fn json(looked: &Looked) -> Value {
    json!({
        "clean": super::is_clean(looked),
        "looked_at": { "files": looked.files, "bytes": looked.bytes, "variables": looked.variables, "passed_by": looked.passed_by },
        "not_looked_at": looked.not_looked_at.iter().map(|one| json!({ "path": one.path.to_string_lossy(), "why": one.why })).collect::<Vec<_>>(),
        "findings": looked.hits.iter().map(finding).collect::<Vec<_>>(),
        "more_findings": looked.more_hits,
    })
}

fn finding(hit: &Hit) -> Value {
    let found = &hit.found;
    let mut finding = json!({
        "kind": found.kind,
        "severity": found.kind.severity(),
        "key_id": found.key_id,
        "secret": found.secret,
        "account": found.account,
        "user": found.user,
        "profile": hit.profile,
        "mend": mend::command(hit),
    });
    let place = match &hit.place {
        Place::Variables(names) => json!({ "variables": names }),
        Place::File(path) => json!({
            "file": path.to_string_lossy(),
            "line": found.places.first().map(|place| place.line),
            "column": found.places.first().map(|place| place.column),
            "places": found.places,
            "more_places": found.more,
            "readable_by": hit.reach,
            "git": hit.git,
        }),
    };
    if let (Some(finding), Value::Object(place)) = (finding.as_object_mut(), place) {
        finding.extend(place);
        finding.retain(|_, value| !value.is_null());
    }
    finding
}
