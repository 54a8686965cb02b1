//! `tegata list`: the profiles, what they reach, and which have credentials.

use crate::client::{self, BRIEFLY, Client, Target};
use crate::environment::{self, Environment};
use crate::failure::Failure;
use crate::moment;
use crate::output::{self, Progress, Style};
use clap::Args;
use serde_json::{Value, json};
use tegata_protocol::body::{Profile, Profiles};
use tegata_protocol::{paths, text::one_line};

/// List the profiles of the AWS config file.
///
/// GATE says what stands before a profile: open, gated (a passkey gesture), proposed (gated as soon as a passkey is enrolled) or
/// denied (not at this time), and how strong that is; `tegata policy explain PROFILE` says why.
#[derive(Args)]
#[command(after_help = "\
Examples:
  tegata list
  tegata list --json | jq -r '.profiles[] | select(.problem).name'
  tegata list --json | jq -r '.profiles[] | select(.gate == \"gated\").name'
  AWS_CONFIG_FILE=./work.config tegata list")]
pub(crate) struct List {
    /// Print what the daemon says, as JSON
    #[arg(long)]
    json: bool,
}

impl List {
    pub(crate) fn run(&self, environment: &Environment) -> Result<(), Failure> {
        let client = Client::new(environment)?;
        let progress = Progress::begin("reading the profiles");
        let all = all_pages(&client, environment)?;
        drop(progress);
        if self.json {
            return output::say(&output::pretty(&all));
        }
        let all: Profiles = client::understood(all)?;
        let style = Style::for_stderr(environment);
        for warning in &all.warnings {
            output::tell(&format!("{} {}", style.warning("warning:"), one_line(warning)));
        }
        output::say(&page(&all.profiles, environment::now()))
    }
}

/// Reads page after page into one listing. What this build does not know about profiles is kept.
pub(super) fn all_pages(client: &Client<'_>, environment: &Environment) -> Result<Value, Failure> {
    let (mut profiles, mut warnings) = (Vec::new(), Vec::new());
    let mut next: Option<String> = None;
    loop {
        let target = Target::new(paths::PROFILES).with_config(environment).with(paths::QUERY_PAGE, next.as_ref());
        let mut page: Value = client.get(target.as_str(), BRIEFLY)?;
        let following = page.get("next_page").and_then(Value::as_str).map(str::to_owned);
        take_list(&mut page, "profiles", &mut profiles);
        take_list(&mut page, "warnings", &mut warnings);
        if following.is_none() || following == next {
            warnings.dedup();
            return Ok(json!({ "profiles": profiles, "warnings": warnings }));
        }
        next = following;
    }
}

fn take_list(page: &mut Value, name: &str, all: &mut Vec<Value>) {
    if let Some(Value::Array(list)) = page.get_mut(name) {
        all.append(list);
    }
}

fn page(profiles: &[Profile], now: i64) -> String {
    if profiles.is_empty() {
        return "The AWS config file has no profile that Tegata can serve.".to_owned();
    }
    let text = |text: &Option<String>| text.as_deref().map_or_else(|| "-".to_owned(), one_line);
    let rows = profiles.iter().map(|profile| {
        [
            one_line(&profile.name),
            text(&profile.account_id),
            text(&profile.role),
            start(profile, now),
            gate(profile),
            left(profile.expires_at.as_deref(), now),
            profile.problem.as_deref().map(one_line).unwrap_or_default(),
        ]
    });
    output::table(["PROFILE", "ACCOUNT", "ROLE", "STARTS FROM", "GATE", "CREDENTIALS", "PROBLEM"], rows)
}

/// Says what a profile starts from: the sign-in session, else the kind of source, with the end of its certificate.
fn start(profile: &Profile, now: i64) -> String {
    let start = profile.session.as_deref().or(profile.source.as_deref()).map_or_else(|| "-".to_owned(), one_line);
    match &profile.certificate_ends_at {
        Some(at) => format!("{start} (certificate: {})", left(Some(at), now)),
        None => start,
    }
}

/// Says what stands before a profile, and how strong that is.
fn gate(profile: &Profile) -> String {
    match (profile.gate.as_deref(), profile.tier.as_deref()) {
        (None, _) => "-".to_owned(),
        (Some(gate), None) => one_line(gate),
        (Some(gate), Some(tier)) => format!("{} ({})", one_line(gate), one_line(tier)),
    }
}

/// Says how long the credentials in memory live on.
fn left(expires_at: Option<&str>, now: i64) -> String {
    match expires_at.map(|at| (at, moment::parse(at))) {
        None => "-".to_owned(),
        Some((at, None)) => one_line(at),
        Some((_, Some(at))) if at <= now => "expired".to_owned(),
        Some((_, Some(at))) => format!("{} left", moment::duration(at - now)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn credentials_are_shown_by_what_is_left_of_them() {
        let now = moment::parse("2026-11-22T09:00:00Z").unwrap();
        let shown = [None, Some("2026-11-22T09:42:10Z"), Some("2026-11-22T08:59:59Z"), Some("soon\u{1b}[2J")];
        let shown = shown.map(|at| left(at, now));
        assert_eq!(shown, ["-", "42 min left", "expired", "soon\\u{1b}[2J"]);
    }
}
