//! `tegata shell-hook`: what the code of `tegata shell-init` calls. Standard output carries code for the shell to run, or nothing.

mod complete;
mod words;

use super::pick;
use crate::client::Client;
use crate::environment::Environment;
use crate::failure::{Failure, Kind};
use crate::hand::text;
use crate::output;
use crate::picker::recents;
use crate::profiles;
use crate::shell_init::Shell;
use crate::shell_init::directory::{Answer, DirectoryDefault};
use crate::shell_init::switch::{Now, State, Target};
use clap::{Args, Subcommand};
use std::path::{Path, PathBuf};
use std::time::Duration;
use tegata_protocol::ErrorCode;
use tegata_protocol::body::ProfileState;
use tegata_protocol::text::one_line;

/// How long a change of directory may be kept waiting.
const PATIENCE: Duration = Duration::from_millis(500);

/// Called by the code of `tegata shell-init`.
#[derive(Subcommand)]
pub(crate) enum ShellHook {
    Switch(Switch),
    Directory(Directory),
    Complete(complete::Complete),
}

/// Print the code that switches a shell: what `tg` runs.
#[derive(Args)]
#[command(disable_help_flag = true, after_help = "Examples:\n  tegata shell-hook switch --shell bash -- dev")]
pub(crate) struct Switch {
    #[arg(long)]
    shell: Shell,
    /// What the shell kept from the last time
    #[arg(long, default_value = "", hide_default_value = true)]
    state: String,
    /// What `tg` was given
    #[arg(last = true)]
    words: Vec<String>,
}

/// Print the code for having come into a directory.
#[derive(Args)]
#[command(disable_help_flag = true, after_help = "Examples:\n  tegata shell-hook directory --shell bash /src/.tegata")]
pub(crate) struct Directory {
    #[arg(long)]
    shell: Shell,
    /// What the shell kept from the last time
    #[arg(long, default_value = "", hide_default_value = true)]
    state: String,
    /// The nearest .tegata, if there is one
    file: Option<PathBuf>,
}

/// What a person wants of `tg`.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Wanted {
    Choose,
    Back,
    Clear,
    Profile(String),
}

impl ShellHook {
    pub(crate) fn run(self, environment: &Environment) -> Result<(), Failure> {
        match self {
            Self::Switch(command) => command.run(environment),
            Self::Directory(command) => command.run(environment),
            Self::Complete(command) => command.run(environment),
        }
    }
}

impl Switch {
    fn run(self, environment: &Environment) -> Result<(), Failure> {
        let (state, now) = (State::read(&self.state), Now::of(environment));
        refuse_served(&now)?;
        let name = match wanted(&self.words)? {
            Wanted::Choose => Some(pick::choose(environment, "")?),
            Wanted::Back => before(&state)?,
            Wanted::Clear => None,
            Wanted::Profile(name) => Some(name),
        };
        let to = name.map(|name| profiles::state(&Client::new(environment)?, environment, &name)).transpose()?;
        if let Some(to) = &to {
            recents::remember(environment, &to.name);
            notes(to, &now).iter().for_each(|note| output::tell(note));
        }
        let statements = state.by_hand(&now, to.map(target).as_ref());
        output::write_stdout(self.shell.code(&statements).as_bytes())
    }
}

/// The variables of an endpoint cannot be had back: whoever wants another profile leaves its shell.
fn refuse_served(now: &Now) -> Result<(), Failure> {
    match &now.served {
        None => Ok(()),
        Some(outer) => {
            let message = format!("this is a shell of {outer}, which has an endpoint of its own; leave it first");
            Err(Failure::new(Kind::Usage, message).mend("exit"))
        }
    }
}

fn wanted(words: &[String]) -> Result<Wanted, Failure> {
    match words.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        [] => Ok(Wanted::Choose),
        ["-"] => Ok(Wanted::Back),
        ["--clear"] => Ok(Wanted::Clear),
        ["--", name] => Ok(Wanted::Profile((*name).to_owned())),
        [name] if !name.starts_with('-') && !name.is_empty() => Ok(Wanted::Profile((*name).to_owned())),
        [_] => Err(Failure::new(Kind::Usage, "tg takes a profile, -, --clear or --trust").mend("tg --help")),
        _ => Err(Failure::new(Kind::Usage, "tg takes one profile; quote a name with blanks").mend("tg --help")),
    }
}

/// Returns the profile before the last switch; nothing where there was none set.
fn before(state: &State) -> Result<Option<String>, Failure> {
    match state.previous.as_deref() {
        None => {
            Err(Failure::new(Kind::Usage, "this shell has not been switched yet, so there is nothing to go back to"))
        }
        Some("") => Ok(None),
        Some(name) => Ok(Some(name.to_owned())),
    }
}

fn target(state: ProfileState) -> Target {
    Target { profile: state.name, region: state.region }
}

/// What the person should know about where they are now.
fn notes(to: &ProfileState, now: &Now) -> Vec<String> {
    let mut notes = Vec::new();
    notes.extend(unset(now));
    let gated = to.gate.as_deref() == Some("gated") && to.elevated_until.is_none();
    let mend = match (&to.sign_in_needed, to.locked) {
        (_, true) => Some(("everything is locked".to_owned(), "tegata unlock".to_owned())),
        (Some(who), _) if who.starts_with("arn:") => {
            Some(("a sign-in is needed".to_owned(), text::command("tegata login --console", &to.name)))
        }
        (Some(session), _) => Some(("a sign-in is needed".to_owned(), text::command("tegata login", session))),
        _ if to.code_for.is_some() => {
            Some(("an MFA device wants a code".to_owned(), text::command("tegata login", &to.name)))
        }
        _ if gated => Some((format!("{} is gated", to.name), text::command("tegata elevate", &to.name))),
        _ => None,
    };
    notes.extend(mend.map(|(what, mend)| one_line(&format!("tegata: {what}; run: {mend}"))));
    notes
}

fn unset(now: &Now) -> Option<String> {
    let names = now.in_the_way.join(", ");
    (!names.is_empty()).then(|| format!("tegata: unset {names}: tools prefer them to a profile"))
}

impl Directory {
    fn run(self, environment: &Environment) -> Result<(), Failure> {
        let (state, now) = (State::read(&self.state), Now::of(environment));
        if now.served.is_some() {
            // Whoever opened a shell of a profile wants that profile, wherever they go.
            return Ok(());
        }
        let to = match &self.file {
            Some(file) => trusted(environment, file).and_then(|default| found(environment, &default)),
            None => None,
        };
        let statements = match &to {
            Some((target, file)) => {
                let (profile, file) = (one_line(&target.profile), one_line(file));
                output::tell(&format!("tegata: this shell uses {profile}, as {file} says"));
                unset(&now).iter().for_each(|note| output::tell(note));
                state.enter(&now, target)
            }
            None => {
                if state.is_in_charge(&now) {
                    output::tell("tegata: this shell uses what it used before this directory");
                }
                state.leave(&now, |profile| at_once(environment, profile).ok()?.region)
            }
        };
        output::write_stdout(self.shell.code(&statements).as_bytes())
    }
}

/// Returns what a file says if the person trusts it with that. Otherwise says what there is to say, in one line.
fn trusted(environment: &Environment, file: &Path) -> Option<DirectoryDefault> {
    let default = match DirectoryDefault::read(file) {
        Ok(default) => default,
        Err(failure) => {
            failure.line().iter().for_each(|line| output::tell(line));
            return None;
        }
    };
    match default.answer(environment) {
        Some(Answer::Trusted) => Some(default),
        Some(Answer::Refused) => None,
        None => {
            output::tell(&default.question());
            None
        }
    }
}

/// Returns the profile if it is there, as far as can be known at once: without a daemon it is taken at its word.
fn found(environment: &Environment, default: &DirectoryDefault) -> Option<(Target, String)> {
    let target = match at_once(environment, &default.profile) {
        Ok(state) => target(state),
        Err(failure) if failure.kind == Kind::Reported(ErrorCode::ProfileUnknown) => {
            failure.line().iter().for_each(|line| output::tell(line));
            return None;
        }
        Err(_) => Target { profile: default.profile.clone(), region: None },
    };
    Some((target, default.file.clone()))
}

fn at_once(environment: &Environment, profile: &str) -> Result<ProfileState, Failure> {
    let client = Client::new(environment)?.without_starting();
    profiles::state_at_once(&client, environment, profile, PATIENCE)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wanted_by(words: &[&str]) -> Result<Wanted, u8> {
        let words: Vec<_> = words.iter().map(|word| (*word).to_owned()).collect();
        wanted(&words).map_err(|failure| failure.exit_code())
    }

    #[test]
    fn tg_takes_one_thing() {
        assert_eq!(wanted_by(&[]), Ok(Wanted::Choose));
        assert_eq!(wanted_by(&["-"]), Ok(Wanted::Back));
        assert_eq!(wanted_by(&["--clear"]), Ok(Wanted::Clear));
        assert_eq!(wanted_by(&["dev"]), Ok(Wanted::Profile("dev".to_owned())));
        assert_eq!(wanted_by(&["--", "-odd"]), Ok(Wanted::Profile("-odd".to_owned())));
        for words in [&["--claer"][..], &["-x"], &[""], &["a", "b"], &["--clear", "dev"]] {
            assert_eq!(wanted_by(words), Err(2), "{words:?}");
        }
    }

    #[test]
    fn a_shell_with_an_endpoint_is_not_switched() {
        let within = [("TEGATA_PROFILE", "dev"), ("AWS_CONTAINER_CREDENTIALS_FULL_URI", "http://127.0.0.1:1/x")];
        assert_eq!(refuse_served(&Now::of(&Environment::of(&within))).unwrap_err().exit_code(), 2);
        assert!(refuse_served(&Now::of(&Environment::of(&within[..1]))).is_ok());
        assert!(refuse_served(&Now::of(&Environment::of(&within[1..]))).is_ok(), "somebody else's endpoint, as in ECS");
    }

    #[test]
    fn there_is_a_way_back_only_after_a_switch() {
        let with = |previous: Option<&str>| {
            let mut state = State::default();
            state.previous = previous.map(str::to_owned);
            state
        };
        assert!(before(&with(None)).is_err());
        assert_eq!(before(&with(Some(""))).unwrap(), None);
        assert_eq!(before(&with(Some("dev"))).unwrap().as_deref(), Some("dev"));
    }

    #[test]
    fn a_switch_says_what_stands_in_the_way_and_what_mends_it() {
        let state = ProfileState {
            name: "prod admin".to_owned(),
            region: None,
            expires_at: None,
            gate: Some("gated".to_owned()),
            elevated_until: None,
            pin_for: None,
            sign_in_needed: None,
            code_for: None,
            locked: false,
        };
        let environment = Environment::of(&[("AWS_ACCESS_KEY_ID", "AKIA"), ("AWS_SESSION_TOKEN", "secret")]);
        insta::assert_snapshot!(notes(&state, &Now::of(&environment)).join("\n"), @"
        tegata: unset AWS_ACCESS_KEY_ID, AWS_SESSION_TOKEN: tools prefer them to a profile
        tegata: prod admin is gated; run: tegata elevate 'prod admin'
        ");
        let elevated = ProfileState { elevated_until: Some("2026-11-22T09:42:10Z".to_owned()), ..state.clone() };
        assert!(notes(&elevated, &Now::default()).is_empty());
        let coded = ProfileState { code_for: Some("GAHT12345678".to_owned()), gate: None, ..state.clone() };
        let said = "tegata: an MFA device wants a code; run: tegata login 'prod admin'";
        assert_eq!(notes(&coded, &Now::default()), [said]);
        let ended = ProfileState { sign_in_needed: Some("corp".to_owned()), ..state.clone() };
        assert_eq!(notes(&ended, &Now::default()), ["tegata: a sign-in is needed; run: tegata login corp"]);
        let console = ProfileState { sign_in_needed: Some("arn:aws:iam::123456789012:user/bob".to_owned()), ..state };
        let note = "tegata: a sign-in is needed; run: tegata login --console 'prod admin'";
        assert_eq!(notes(&console, &Now::default()), [note]);
    }
}
