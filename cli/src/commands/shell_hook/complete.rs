//! Completion: what may stand at the cursor. The commands come from the parser's own description, names from the daemon's memory.
//!
//! Whatever fails is no completion and no message: somebody is in the middle of a line. No sign-in is begun and no keyring read.

use super::words::{self, Line};
use crate::client::Client;
use crate::commands::Cli;
use crate::environment::Environment;
use crate::failure::Failure;
use crate::output;
use crate::profiles::{self, Effort};
use crate::shell_init::Shell;
use clap::{Arg, Args, Command, CommandFactory};
use tegata_protocol::body::Profile;
use tegata_protocol::text::is_hostile;

/// What `tg` takes beside profiles.
const OF_TG: [(&str, &str); 3] =
    [("-", "the profile before"), ("--clear", "no profile"), ("--trust", "the profile that .tegata names")];

/// Print what may stand at the cursor, one a line.
#[derive(Args)]
#[command(disable_help_flag = true, after_help = "Examples:\n  tegata shell-hook complete --shell fish -- tegata sta")]
pub(crate) struct Complete {
    #[arg(long)]
    shell: Shell,
    /// bash: its COMP_WORDBREAKS
    #[arg(long, default_value = "", hide_default_value = true, allow_hyphen_values = true)]
    breaks: String,
    /// fish and PowerShell: the word at the cursor, which may be empty
    #[arg(long, allow_hyphen_values = true)]
    word: Option<String>,
    /// The words up to the cursor; bash: the line up to there
    #[arg(last = true)]
    words: Vec<String>,
}

/// Something that may stand at the cursor.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Candidate {
    text: String,
    about: String,
}

impl Complete {
    pub(super) fn run(self, environment: &Environment) -> Result<(), Failure> {
        let line = self.line();
        let profiles = || known_profiles(environment).unwrap_or_default();
        let found = candidates(&line, &Cli::command(), &profiles);
        let text: String = found.iter().filter_map(|found| self.shown(found, &line)).map(|line| line + "\n").collect();
        output::write_stdout(text.as_bytes())
    }

    fn line(&self) -> Line {
        if self.shell == Shell::Bash {
            return words::read(self.words.first().map(String::as_str).unwrap_or_default(), &self.breaks);
        }
        let mut before = self.words.clone();
        let current = self.word.clone().or_else(|| before.pop()).unwrap_or_default();
        Line { before, current, ..Line::default() }
    }

    /// Returns the line for the shell. bash alone puts into the command line what it is given, so it is given it quoted.
    fn shown(&self, candidate: &Candidate, line: &Line) -> Option<String> {
        let Candidate { text, about } = candidate;
        if text.chars().chain(about.chars()).any(is_hostile) {
            return None;
        }
        if self.shell != Shell::Bash {
            return Some(if about.is_empty() { text.clone() } else { format!("{text}\t{about}") });
        }
        let replaced = text.get(line.kept..)?;
        match line.open {
            None => Some(words::escaped(replaced)),
            // Behind an open quote bash adds nothing: only what needs nothing is offered.
            Some(_) => {
                Some(replaced.to_owned()).filter(|text| words::escaped(&text.replace(' ', "")) == text.replace(' ', ""))
            }
        }
    }
}

/// Asks for the profiles, and starts the daemon for it: that costs milliseconds and asks nobody anything.
fn known_profiles(environment: &Environment) -> Result<Vec<Profile>, Failure> {
    profiles::all(&Client::new(environment)?, environment, Effort::FromMemory)
}

/// Returns what begins with what is typed.
fn candidates(line: &Line, cli: &Command, profiles: &dyn Fn() -> Vec<Profile>) -> Vec<Candidate> {
    let mut all = match line.before.split_first() {
        Some((program, before)) if program.rsplit('/').next() == Some("tg") => of_tg(before, &line.current, profiles),
        Some((_, before)) => of_command(before, &line.current, cli, profiles),
        None => Vec::new(),
    };
    all.retain(|candidate| candidate.text.starts_with(&line.current));
    all
}

fn of_tg(before: &[String], current: &str, profiles: &dyn Fn() -> Vec<Profile>) -> Vec<Candidate> {
    if !before.is_empty() {
        return Vec::new();
    }
    let own = OF_TG.iter().filter(|(text, _)| current.starts_with('-') && *text != "-");
    let own = own.map(|(text, about)| Candidate { text: (*text).to_owned(), about: (*about).to_owned() });
    own.chain(names(profiles())).collect()
}

/// Where the cursor is in the description of the command line.
struct Position<'a> {
    command: &'a Command,
    /// How many words without a dash have been read that are no commands.
    positional: usize,
    /// The option whose value comes next.
    awaiting: Option<&'a Arg>,
}

fn of_command(before: &[String], current: &str, cli: &Command, profiles: &dyn Fn() -> Vec<Profile>) -> Vec<Candidate> {
    let mut position = Position { command: cli, positional: 0, awaiting: None };
    for word in before {
        if word == "--" {
            // A command of somebody else's follows.
            return Vec::new();
        }
        position.read(word);
    }
    if let Some(option) = position.awaiting {
        return values(option, profiles);
    }
    if let Some((name, _)) = current.split_once('=')
        && let Some(option) = name.strip_prefix("--").and_then(|name| position.option(name))
    {
        let prefixed = |found: Candidate| Candidate { text: format!("{name}={}", found.text), ..found };
        return values(option, profiles).into_iter().map(prefixed).collect();
    }
    if current.starts_with('-') { position.options() } else { position.words(profiles) }
}

impl<'a> Position<'a> {
    fn read(&mut self, word: &str) {
        if self.awaiting.take().is_some() {
            return;
        }
        if let Some(name) = word.strip_prefix("--") {
            self.awaiting = self.option(name).filter(|option| option.get_action().takes_values());
        } else if !word.starts_with('-') || word == "-" {
            match self.command.find_subcommand(word).filter(|_| self.positional == 0) {
                Some(command) => *self = Position { command, positional: 0, awaiting: None },
                None => self.positional += 1,
            }
        }
    }

    fn option(&self, name: &str) -> Option<&'a Arg> {
        self.command.get_arguments().find(|argument| argument.get_long() == Some(name))
    }

    fn options(&self) -> Vec<Candidate> {
        let shown = self.command.get_arguments().filter(|argument| !argument.is_hide_set());
        let named = shown.filter_map(|argument| Some((argument.get_long()?, argument.get_help())));
        let own = named.map(|(name, help)| Candidate { text: format!("--{name}"), about: first_line(help) });
        let help = Candidate { text: "--help".to_owned(), about: "Print help".to_owned() };
        own.chain([help]).collect()
    }

    fn words(&self, profiles: &dyn Fn() -> Vec<Profile>) -> Vec<Candidate> {
        let commands = self.command.get_subcommands().filter(|command| !command.is_hide_set() && self.positional == 0);
        let commands = commands
            .map(|command| Candidate { text: command.get_name().to_owned(), about: first_line(command.get_about()) });
        let argument = self.command.get_positionals().filter(|argument| !argument.is_last_set()).nth(self.positional);
        commands.chain(argument.map(|argument| values(argument, profiles)).unwrap_or_default()).collect()
    }
}

/// The sources, beside sign-in sessions, that `tegata login` takes a profile of.
const OF_PEOPLE: [&str; 4] = ["console", "iam-user", "roles-anywhere", "web-identity"];

/// Returns what an argument may be: what the parser lists, or names of the kind that it is called after.
fn values(argument: &Arg, profiles: &dyn Fn() -> Vec<Profile>) -> Vec<Candidate> {
    let listed = argument.get_possible_values();
    if !listed.is_empty() && argument.get_action().takes_values() {
        let listed = listed.iter().filter(|value| !value.is_hide_set());
        return listed
            .map(|value| Candidate { text: value.get_name().to_owned(), about: first_line(value.get_help()) })
            .collect();
    }
    match argument.get_id().as_str() {
        "profile" | "profiles" => names(profiles()).collect(),
        "session" => sign_ins(profiles()),
        _ => Vec::new(),
    }
}

fn names(profiles: Vec<Profile>) -> impl Iterator<Item = Candidate> {
    profiles.into_iter().map(|profile| {
        let reached = [profile.role, profile.account_id].into_iter().flatten().collect::<Vec<_>>().join(" in ");
        Candidate { text: profile.name, about: reached }
    })
}

/// Returns what a person signs in to: sign-in sessions, and the profiles that start from something else of theirs.
fn sign_ins(profiles: Vec<Profile>) -> Vec<Candidate> {
    let (of_sessions, others): (Vec<_>, Vec<_>) = profiles.into_iter().partition(|profile| profile.session.is_some());
    let mut sessions: Vec<_> = of_sessions.into_iter().filter_map(|profile| profile.session).collect();
    sessions.sort();
    sessions.dedup();
    let sessions = sessions.into_iter().map(|text| Candidate { text, about: "sign-in session".to_owned() });
    let own = |profile: &Profile| profile.source.as_deref().is_some_and(|source| OF_PEOPLE.contains(&source));
    sessions.chain(names(others.into_iter().filter(own).collect())).collect()
}

fn first_line(help: Option<&clap::builder::StyledStr>) -> String {
    help.map(ToString::to_string).unwrap_or_default().lines().next().unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn profiles() -> Vec<Profile> {
        ["dev", "corp:prod admin", "x\u{1b}[2J", "$(touch x)"]
            .map(|name| Profile {
                name: name.to_owned(),
                session: Some("corp".to_owned()),
                source: None,
                account_id: Some("123456789012".to_owned()),
                role: Some("ReadOnly".to_owned()),
                expires_at: None,
                problem: None,
                tier: None,
                certificate_ends_at: None,
                read_only: None,
                gate: None,
            })
            .to_vec()
    }

    fn at(line: &str) -> Vec<String> {
        let complete = Complete {
            shell: Shell::Bash,
            breaks: " \t\n\"'@><=;|&(:".to_owned(),
            word: None,
            words: vec![line.to_owned()],
        };
        let read = complete.line();
        let found = candidates(&read, &Cli::command(), &profiles);
        found.iter().filter_map(|found| complete.shown(found, &read)).collect()
    }

    #[test]
    fn commands_and_their_options_are_completed() {
        assert_eq!(at("tegata stat"), ["status"]);
        assert_eq!(at("tegata daemon st"), ["start", "stop", "status"]);
        assert_eq!(at("tegata status --j"), ["--json"]);
        assert_eq!(at("/usr/bin/tegata shell-init f"), ["fish"]);
        assert!(!at("tegata ").contains(&"shell-hook".to_owned()), "it is not for people");
    }

    #[test]
    fn names_of_profiles_stand_where_a_profile_does() {
        let all = ["dev", "corp:prod\\ admin", "\\$\\(touch\\ x\\)"];
        for line in
            ["tegata elevate ", "tegata credential-process --profile ", "tegata policy explain ", "tegata drop --all "]
        {
            assert_eq!(at(line), all, "{line}");
        }
        assert_eq!(at("tegata credential-process --profile=d"), ["dev"]);
        assert_eq!(at("tegata elevate corp:pr"), ["prod\\ admin"], "bash replaces what is behind the colon");
        assert_eq!(at("tegata login "), ["corp"]);
        let of_console = |mut profile: Profile| {
            (profile.session, profile.source) = (None, Some("console".to_owned()));
            profile
        };
        let found = sign_ins(profiles().into_iter().chain(profiles().into_iter().take(1).map(of_console)).collect());
        assert_eq!(found.iter().map(|found| found.text.as_str()).collect::<Vec<_>>(), ["corp", "dev"]);
        assert!(at("tegata elevate dev -- ter").is_empty() && at("tegata elevate dev ").is_empty());
    }

    #[test]
    fn tg_completes_profiles_and_what_it_takes_beside() {
        assert_eq!(at("tg "), ["dev", "corp:prod\\ admin", "\\$\\(touch\\ x\\)"]);
        assert_eq!(at("tg --"), ["--clear", "--trust"]);
        assert!(at("tg dev ").is_empty());
    }

    #[test]
    fn within_quotes_only_what_needs_no_quotes_is_offered() {
        assert_eq!(at("tegata elevate 'd"), ["dev"]);
        assert_eq!(at("tegata elevate 'corp:prod a"), ["corp:prod admin"]);
        assert!(at("tegata elevate \"$").is_empty());
    }

    #[test]
    fn e11_a_hostile_name_is_never_offered() {
        let complete =
            |shell| Complete { shell, breaks: String::new(), word: None, words: vec!["tg".to_owned(), String::new()] };
        for shell in [Shell::Zsh, Shell::Fish, Shell::Powershell] {
            let (complete, line) = (complete(shell), complete(shell).line());
            let found = candidates(&line, &Cli::command(), &profiles);
            let shown: Vec<_> = found.iter().filter_map(|found| complete.shown(found, &line)).collect();
            assert_eq!(
                shown,
                ["dev", "corp:prod admin", "$(touch x)"].map(|name| format!("{name}\tReadOnly in 123456789012"))
            );
        }
    }
}
