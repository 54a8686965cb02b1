//! `tegata doctor`: looks at everything that decides whether credentials are safe and tools get them, and names the command for what
//! it finds. Facts are gathered first; what is wrong with them is decided without looking at anything again.

mod certificates;
mod config_text;
mod credential_process;
mod daemon;
mod disk;
mod facts;
mod finding;
mod mend;
mod overrides;
mod permissions;
mod profiles;
mod report;
mod shell;
mod variables;

use crate::environment::Environment;
use crate::failure::{Failure, Kind};
use crate::output::{self, Progress, Style};
use clap::Args;
use facts::Facts;
use finding::Finding;
use tegata_protocol::Exit;

/// Look for what is wrong or unsafe, and name the command that mends it.
///
/// Measures the store, the gates, permissions, the clock, and looks for keys and tokens in files, variables and settings that lead tools
/// elsewhere. It changes nothing without --fix and starts no daemon: what only a running one knows is left out, and said so. Secrets
/// are shown by their last four characters.
///
/// Exit codes: 0 nothing was found, notes aside; 1 something was.
#[derive(Args)]
#[command(after_help = "\
Examples:
  tegata doctor
  tegata doctor --fix                              write this tegata's path where AWS config names one that is gone
  tegata doctor --json | jq -r '.findings[] | select(.severity == \"error\").line'")]
pub(crate) struct Doctor {
    /// Print what was measured and found, as JSON
    #[arg(long)]
    json: bool,
    /// Mend paths of tegata in AWS config that lead nowhere; a copy of the file is kept
    #[arg(long)]
    fix: bool,
}

impl Doctor {
    pub(crate) fn run(&self, environment: &Environment) -> Result<(), Failure> {
        let progress = Progress::begin("looking");
        let mut facts = Facts::gather(environment)?;
        drop(progress);
        if self.fix {
            if let Some(done) = mend::stale_paths(environment)? {
                output::tell(&done);
            }
            facts = Facts::gather(environment)?;
        }
        let findings = examine(&facts);
        let page = if self.json {
            output::pretty(&report::json(&facts, &findings))
        } else {
            report::page(&facts, &findings, Style::for_stdout(environment))
        };
        output::say(&page)?;
        if findings.iter().any(Finding::counts) {
            return Err(Failure::new(Kind::CommandEnded(Exit::Failed as u8), ""));
        }
        Ok(())
    }
}

/// Decides what is wrong, the worst first. Pure.
fn examine(facts: &Facts) -> Vec<Finding> {
    let checks = [
        daemon::findings,
        profiles::findings,
        certificates::findings,
        credential_process::findings,
        disk::findings,
        overrides::findings,
        variables::findings,
        permissions::findings,
        shell::findings,
        trials,
    ];
    let mut findings: Vec<_> = checks.into_iter().flat_map(|check| check(facts)).collect();
    findings.sort_by_key(|finding| finding.severity);
    findings
}

/// The trial's reminder names its own command.
fn trials(facts: &Facts) -> Vec<Finding> {
    facts.trials.iter().map(|line| Finding::new("access keys", finding::Severity::Warning, line)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_machine_with_nothing_wrong_has_no_finding() {
        assert_eq!(examine(&Facts::clean()), []);
    }

    #[test]
    fn the_worst_comes_first() {
        let mut facts = Facts::clean();
        facts.shell = facts::Shell { name: "zsh".to_owned(), file: "/home/a/.zshrc".to_owned(), integrated: false };
        facts.variables = vec!["AWS_ACCESS_KEY_ID".to_owned()];
        facts.daemon.status_mut().locked = true;
        let found = examine(&facts);
        let severities: Vec<_> = found.iter().map(|finding| finding.severity).collect();
        assert!(severities.is_sorted() && severities.len() == 3, "{found:?}");
    }
}
