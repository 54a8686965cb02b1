//! `tegata policy`: what decides about a profile, what is in force, and accepting what is weaker.

use crate::client::{self, BRIEFLY, Client, Target};
use crate::environment::Environment;
use crate::failure::Failure;
use crate::hand::{Hand, Owner, PageOptions, text};
use crate::output::{self, Progress};
use crate::signals::Signals;
use crate::start;
use clap::{Args, Subcommand};
use serde_json::Value;
use std::path::PathBuf;
use tegata_protocol::gate::{Explanation, HandRequest, PolicyState};
use tegata_protocol::{paths, text::one_line};

/// See which rules decide about a profile, check the settings, accept weaker ones.
#[derive(Subcommand)]
pub(crate) enum Policy {
    Explain(Explain),
    Check(Check),
    Accept(Accept),
}

/// Explain which rules decide about a profile, and what they demand.
#[derive(Args)]
#[command(after_help = "\
Examples:
  tegata policy explain prod-admin
  tegata policy explain prod-admin --json | jq -r .gate")]
pub(crate) struct Explain {
    /// The profile
    profile: String,
    /// Print what the daemon says, as JSON
    #[arg(long)]
    json: bool,
}

/// Check the settings as they are written, and show what of them is in force.
///
/// Reads the files anew with the daemon's own reader. With a file: only whether that one can be used.
#[derive(Args)]
#[command(after_help = "\
Examples:
  tegata policy check
  tegata policy check ./config.toml         before it is put in place")]
pub(crate) struct Check {
    /// A settings file to read instead of those in use
    file: Option<PathBuf>,
}

/// Accept settings that are weaker than those in force, by a passkey gesture.
#[derive(Args)]
#[command(after_help = "\
Example:
  tegata policy check && tegata policy accept")]
pub(crate) struct Accept {
    #[command(flatten)]
    page: PageOptions,
}

impl Policy {
    pub(crate) fn run(self, environment: &Environment) -> Result<(), Failure> {
        match self {
            Self::Explain(command) => command.run(environment),
            Self::Check(command) => command.run(environment),
            Self::Accept(command) => command.run(environment),
        }
    }
}

impl Explain {
    fn run(&self, environment: &Environment) -> Result<(), Failure> {
        let target =
            Target::new(paths::POLICY).with(paths::QUERY_PROFILE, Some(&self.profile)).with_config(environment);
        let progress = Progress::begin("asking tegatad");
        let explanation: Value = Client::new(environment)?.get(target.as_str(), BRIEFLY)?;
        drop(progress);
        if self.json {
            return output::say(&output::pretty(&explanation));
        }
        output::say(&explained(&client::understood(explanation)?))
    }
}

fn explained(explanation: &Explanation) -> String {
    let profile = one_line(&explanation.profile);
    let gate = match explanation.gate.as_str() {
        "open" => "open: served without a gesture".to_owned(),
        "gated" => "gated: served after a passkey gesture".to_owned(),
        "proposed" => "proposed: served now, gated as soon as a passkey is enrolled (tegata passkey add)".to_owned(),
        "denied" => "denied at this time".to_owned(),
        other => one_line(other),
    };
    let mut lines = vec![format!("{profile} is {gate}.")];
    if let Some(tier) = &explanation.tier {
        lines.push(format!("Tier {}.", text::tier(tier).map_or_else(|| one_line(tier), str::to_owned)));
    }
    for (title, entries) in
        [("Reaches", &explanation.target), ("Rules that match", &explanation.rules), ("Terms", &explanation.terms)]
    {
        lines.push(String::new());
        lines.push(format!("{title}:"));
        lines.extend(entries.iter().map(|entry| format!("  {}", one_line(entry))));
        if entries.is_empty() {
            lines.push("  none".to_owned());
        }
    }
    lines.join("\n")
}

impl Check {
    fn run(&self, environment: &Environment) -> Result<(), Failure> {
        start::check_settings(self.file.as_deref())?;
        if let Some(file) = &self.file {
            return output::say(&format!("{} can be used.", one_line(&file.to_string_lossy())));
        }
        let state: PolicyState = Client::new(environment)?.get(paths::POLICY, BRIEFLY)?;
        output::say(&in_force(&state))
    }
}

fn in_force(state: &PolicyState) -> String {
    let rules = match state.rules {
        0 => "No rule but the built-in one is in force.".to_owned(),
        1 => "1 rule is in force.".to_owned(),
        count => format!("{count} rules are in force."),
    };
    if state.weaker.is_empty() {
        return format!("The settings can be used. {rules}");
    }
    let weaker: Vec<_> = state.weaker.iter().map(|line| format!("  {}", one_line(line))).collect();
    format!(
        "The settings can be used. {rules}\nWeaker than what was accepted, and not in force:\n{}\nAccept it with: tegata policy accept",
        weaker.join("\n")
    )
}

impl Accept {
    fn run(self, environment: &Environment) -> Result<(), Failure> {
        let showing = self.page.showing(environment)?;
        let signals = Signals::catch()?;
        let client = Client::new(environment)?.ended_by(&signals);
        let request: HandRequest = client.post_nothing(paths::POLICY)?;
        let client = client.without_starting();
        let again = "tegata policy accept".to_owned();
        Hand { client: &client, signals: &signals, environment, showing, owner: Owner::ThisCommand, again }
            .give(&request, None)?;
        output::say("Accepted: the settings are in force as they are written.")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_explanation_says_gate_tier_path_rules_and_terms() {
        let explanation = Explanation {
            profile: "prod-admin".to_owned(),
            target: vec!["AdministratorAccess in 123456789012".to_owned()],
            gate: "gated".to_owned(),
            tier: Some("prompt".to_owned()),
            rules: vec!["built-in: looks like administration".to_owned()],
            terms: vec![],
        };
        insta::assert_snapshot!(explained(&explanation), @"
        prod-admin is gated: served after a passkey gesture.
        Tier prompt: this asks before Tegata answers; a program running as you could still take the sign-in token from the keyring.

        Reaches:
          AdministratorAccess in 123456789012

        Rules that match:
          built-in: looks like administration

        Terms:
          none
        ");
    }

    #[test]
    fn what_is_weaker_is_named_and_said_not_to_be_in_force() {
        let state = PolicyState { rules: 2, weaker: vec!["rule prod: 1 h instead of 15 min".to_owned()] };
        insta::assert_snapshot!(in_force(&state), @"
        The settings can be used. 2 rules are in force.
        Weaker than what was accepted, and not in force:
          rule prod: 1 h instead of 15 min
        Accept it with: tegata policy accept
        ");
    }
}
