//! What was measured and found, for people and for programs. Texts only.

use super::daemon::Daemon;
use super::facts::Facts;
use super::finding::{Finding, Severity};
use crate::output::Style;
use serde_json::{Value, json};
use tegata_protocol::body::{Profile, Status, StoreState};
use tegata_protocol::text::one_line;

/// Returns the page: what was measured, then the findings with their commands.
pub(super) fn page(facts: &Facts, findings: &[Finding], style: Style) -> String {
    let mut page = measured(facts);
    page.push('\n');
    if findings.is_empty() {
        page.push_str("Nothing was found.");
        return page;
    }
    let row = |finding: &Finding| {
        let mend = finding.mend.clone().unwrap_or_else(|| "-".to_owned());
        [finding.severity.word().to_owned(), finding.check.to_owned(), finding.line.clone(), mend]
    };
    page.push_str(&style.table(["SEVERITY", "CHECK", "WHAT", "MEND IT WITH"], findings.iter().map(row)));
    page.push_str("\n\n");
    page.push_str(&style.strong(&summary(findings)));
    page
}

fn summary(findings: &[Finding]) -> String {
    let count = |severity| findings.iter().filter(|finding| finding.severity == severity).count();
    let words = [(Severity::Error, "error"), (Severity::Warning, "warning"), (Severity::Note, "note")];
    let parts: Vec<_> = words
        .into_iter()
        .map(|(severity, word)| (count(severity), word))
        .filter(|(count, _)| *count > 0)
        .map(|(count, word)| format!("{count} {word}{}", if count == 1 { "" } else { "s" }))
        .collect();
    format!("{}.", parts.join(", "))
}

fn measured(facts: &Facts) -> String {
    let mut lines = vec![["tegata".to_owned(), one_line(&facts.version)]];
    if let Daemon::Running { status, profiles, .. } = &facts.daemon {
        lines.push(["tegatad".to_owned(), format!("{} (pid {})", one_line(&status.version), status.pid)]);
        lines.push(["store".to_owned(), format!("{}, {}", one_line(&status.store.kind), store_state(status))]);
        lines.push(["passkeys".to_owned(), status.passkeys.map_or_else(|| "not known".to_owned(), |n| n.to_string())]);
        lines.push(["clock".to_owned(), clock(status)]);
        lines.push(["tiers".to_owned(), tiers(profiles)]);
    } else {
        lines.push(["tegatad".to_owned(), "does not run, or does not answer".to_owned()]);
    }
    lines.push(["AWS config".to_owned(), one_line(&facts.config_file)]);
    let width = lines.iter().map(|[name, _]| name.len()).max().unwrap_or_default();
    lines.iter().map(|[name, value]| format!("{name:width$}  {value}\n")).collect()
}

fn store_state(status: &Status) -> &'static str {
    match (status.locked, status.store.state) {
        (true, _) => "Tegata is locked",
        (false, StoreState::Ready) => "ready",
        (false, StoreState::Locked) => "locked",
        (false, StoreState::Unavailable) => "not available",
    }
}

fn clock(status: &Status) -> String {
    match status.clock_skew_seconds {
        None => "not compared with AWS yet".to_owned(),
        Some(0) => "as AWS's".to_owned(),
        Some(seconds) => format!("{seconds:+} s against AWS"),
    }
}

/// How many profiles each tier has; the ones of a tier are in the JSON and in `tegata list`.
fn tiers(profiles: &[Profile]) -> String {
    let of = |profile: &Profile| one_line(profile.tier.as_deref().unwrap_or("none"));
    let mut names: Vec<String> = profiles.iter().map(of).collect();
    names.sort_unstable();
    names.dedup();
    let count = |tier: &str| profiles.iter().filter(|profile| of(profile) == tier).count();
    let parts: Vec<_> = names.iter().map(|tier| format!("{tier}: {}", count(tier))).collect();
    if parts.is_empty() { "no profile".to_owned() } else { parts.join(", ") }
}

/// Returns the same for programs.
pub(super) fn json(facts: &Facts, findings: &[Finding]) -> Value {
    let daemon = match &facts.daemon {
        Daemon::Absent => json!({ "state": "absent" }),
        Daemon::Silent { .. } => json!({ "state": "silent" }),
        Daemon::Running { status, profiles, .. } => json!({
            "state": "running",
            "version": status.version,
            "locked": status.locked,
            "store": status.store,
            "passkeys": status.passkeys,
            "clock_skew_seconds": status.clock_skew_seconds,
            "profiles": profiles.iter().map(|p| json!({ "name": p.name, "gate": p.gate, "tier": p.tier })).collect::<Vec<_>>(),
        }),
    };
    json!({
        "clean": !findings.iter().any(Finding::counts),
        "measured": { "version": facts.version, "aws_config": facts.config_file, "daemon": daemon },
        "findings": findings,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_has_what_was_measured_and_the_findings_aligned() {
        let facts = Facts::clean();
        let clean = page(&facts, &[], Style::PLAIN);
        assert!(
            clean.contains("store       secret-service, ready\n") && clean.contains("tiers       none: 1\n"),
            "{clean}"
        );
        assert!(clean.ends_with("\nNothing was found."));
        let findings = [
            Finding::new("store", Severity::Error, "it is locked").mend("tegata status"),
            Finding::new("shell", Severity::Note, "no tg"),
        ];
        let found = page(&facts, &findings, Style::PLAIN);
        assert!(
            found.contains("error     store  it is locked  tegata status\nnote      shell  no tg         -\n"),
            "{found}"
        );
        assert!(found.ends_with("\n\n1 error, 1 note."), "{found}");
    }

    #[test]
    fn programs_get_the_same() {
        let findings = [Finding::new("shell", Severity::Note, "no tg").mend("x")];
        let json = json(&Facts::clean(), &findings);
        assert_eq!(
            (&json["clean"], &json["measured"]["daemon"]["store"]["state"]),
            (&Value::Bool(true), &json!("ready"))
        );
        assert_eq!(json["findings"][0], json!({ "check": "shell", "severity": "note", "line": "no tg", "mend": "x" }));
    }
}
