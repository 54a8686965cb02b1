//! `tegata pick`, and `tegata` alone on a terminal: choosing a profile from a list.

use crate::client::Client;
use crate::environment::Environment;
use crate::failure::{Failure, Kind};
use crate::output;
use crate::picker::{self, Row, recents};
use crate::profiles::{self, Effort};
use crate::shell_init::{Shell, Statement};
use clap::Args;
use std::io::IsTerminal;
use std::path::Path;
use tegata_protocol::body::Profile;

/// Choose a profile from a list, by typing some of its name, account or role.
///
/// The choice is printed: its name, or on a terminal the line that puts it into effect. `tegata` alone does the same.
#[derive(Args, Default)]
#[command(after_help = "\
Examples:
  tegata pick
  tegata pick prod                            with this typed already
  AWS_PROFILE=$(tegata pick) terraform plan
  tg                                          switches the shell (tegata shell-init)")]
pub(crate) struct Pick {
    /// What is typed already
    #[arg(value_name = "TEXT")]
    typed: Option<String>,
}

impl Pick {
    pub(crate) fn run(&self, environment: &Environment) -> Result<(), Failure> {
        let profile = choose(environment, self.typed.as_deref().unwrap_or_default())?;
        recents::remember(environment, &profile);
        if !std::io::stdout().is_terminal() {
            return output::say(&profile);
        }
        let shell = of_person(environment);
        output::write_stdout(shell.code(&[Statement::Export("AWS_PROFILE", profile)]).as_bytes())?;
        output::tell("That line puts it into effect in this shell. To have tg do it: tegata shell-init --help");
        Ok(())
    }
}

/// Whether `tegata` alone finds somebody who can choose.
pub(crate) fn somebody_can_choose() -> bool {
    std::io::stdin().is_terminal() && std::io::stdout().is_terminal() && std::io::stderr().is_terminal()
}

/// Lets the person choose a profile.
pub(crate) fn choose(environment: &Environment, typed: &str) -> Result<String, Failure> {
    let all = profiles::all(&Client::new(environment)?, environment, Effort::AsNeeded)?;
    let rows = rows(all, &recents::recent(environment));
    if rows.is_empty() {
        let message = "the AWS config file has no profile that Tegata can serve";
        return Err(Failure::new(Kind::Failed, message).mend("tegata list"));
    }
    picker::pick(environment, rows, typed)
}

/// Returns the profiles that can be served: those used lately first, newest first, then the others in their order.
fn rows(all: Vec<Profile>, recent: &[String]) -> Vec<Row> {
    let place = |name: &String| recent.iter().position(|recent| recent == name);
    let mut rows: Vec<_> =
        all.into_iter().filter(|profile| profile.problem.is_none()).map(|p| (place(&p.name), p)).collect();
    rows.sort_by_key(|(place, _)| place.unwrap_or(usize::MAX));
    rows.into_iter().map(|(place, profile)| row(profile, place.is_some())).collect()
}

fn row(profile: Profile, recent: bool) -> Row {
    let gate = profile.gate.filter(|gate| gate != "open");
    let beside = [profile.role, profile.account_id, profile.session, gate].map(Option::unwrap_or_default).to_vec();
    Row { name: profile.name, beside, recent }
}

/// Returns the shell the person probably sits in.
fn of_person(environment: &Environment) -> Shell {
    let shell = environment.get("SHELL").unwrap_or_default();
    match Path::new(&shell).file_name().and_then(|name| name.to_str()) {
        Some("fish") => Shell::Fish,
        Some("pwsh") => Shell::Powershell,
        _ => Shell::Bash,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn profile(name: &str, problem: Option<&str>) -> Profile {
        Profile {
            name: name.to_owned(),
            session: Some("corp".to_owned()),
            source: None,
            account_id: Some("123456789012".to_owned()),
            role: Some("ReadOnly".to_owned()),
            expires_at: None,
            problem: problem.map(str::to_owned),
            tier: None,
            certificate_ends_at: None,
            read_only: None,
            gate: Some("open".to_owned()),
        }
    }

    #[test]
    fn what_was_used_lately_comes_first_and_what_cannot_be_served_not_at_all() {
        let all = vec![profile("a", None), profile("b", None), profile("broken", Some("no role")), profile("c", None)];
        let rows = rows(all, &["c".to_owned(), "gone".to_owned(), "broken".to_owned(), "b".to_owned()]);
        let shown: Vec<_> = rows.iter().map(|row| (row.name.as_str(), row.recent)).collect();
        assert_eq!(shown, [("c", true), ("b", true), ("a", false)]);
        assert_eq!(rows[0].beside, ["ReadOnly", "123456789012", "corp", ""]);
    }

    #[test]
    fn the_line_is_in_the_words_of_the_person_s_shell() {
        let shell = |path| of_person(&Environment::of(&[("SHELL", path)]));
        assert_eq!(
            ["/usr/bin/fish", "/bin/zsh", "/opt/pwsh", ""].map(shell),
            [Shell::Fish, Shell::Bash, Shell::Powershell, Shell::Bash]
        );
    }
}
