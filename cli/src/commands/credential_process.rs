//! `tegata credential-process`: the hot path. AWS tools run it, some of them once per API call.
//!
//! The body of the daemon's answer is the `credential_process` JSON, so nothing is parsed on success: one request, one
//! answer, one write. Standard output has the JSON or nothing; standard error has nothing or one line, which SDKs quote in
//! their own errors.

use crate::client::{Client, Target};
use crate::environment::Environment;
use crate::failure::{Failure, Kind};
use crate::http::{Method, Request};
use crate::output;
use clap::Args;
use std::ffi::{OsStr, OsString};
use std::time::Duration;
use tegata_protocol::{DEFAULT_WAIT_SECONDS, MAX_WAIT_SECONDS, paths};

/// Print the credentials of a profile for an AWS tool, as JSON.
///
/// This is what `credential_process` in ~/.aws/config runs. It never asks anything and never opens a page: when a person
/// is needed it ends with one line that names the command to run.
#[derive(Args, Clone, Debug, PartialEq, Eq)]
#[command(after_help = "\
Examples:
  tegata credential-process --profile dev          what AWS tools run
  tegata credential-process --profile dev | jq -r .Expiration

In ~/.aws/config:
  [profile dev]
  credential_process = /usr/bin/tegata credential-process --profile dev")]
pub(crate) struct CredentialProcess {
    /// The profile [default: the value of AWS_PROFILE]
    #[arg(long, value_name = "NAME")]
    profile: Option<OsString>,
    /// Wait so many seconds for a person to sign in [default: 15, and only while somebody is signing in]
    #[arg(long, value_name = "SECONDS", value_parser = clap::value_parser!(u64).range(..=MAX_WAIT_SECONDS))]
    wait: Option<u64>,
    /// Print to a terminal too, where everybody behind you and the scrollback can read them
    #[arg(long)]
    force: bool,
}

/// Reads this command by hand. Nothing if the command line is another command, or asks for help: both are the parser's.
pub(crate) fn read(arguments: &[OsString]) -> Option<Result<CredentialProcess, Failure>> {
    let (name, options) = arguments.get(1..)?.split_first()?;
    if name != "credential-process" || options.iter().any(|option| option == "--help" || option == "-h") {
        return None;
    }
    Some(read_options(options))
}

fn read_options(options: &[OsString]) -> Result<CredentialProcess, Failure> {
    let (mut profile, mut wait, mut force) = (None, None, None);
    let mut options = options.iter();
    while let Some(option) = options.next() {
        let mut value_of = |name| value(name, option, &mut options);
        if let Some(value) = value_of("--profile")? {
            once("--profile", &mut profile, value)?;
        } else if let Some(value) = value_of("--wait")? {
            once("--wait", &mut wait, seconds(&value)?)?;
        } else if option == "--force" {
            once("--force", &mut force, true)?;
        } else {
            return Err(usage(format!("credential-process does not take {option:?}")));
        }
    }
    Ok(CredentialProcess { profile, wait, force: force.unwrap_or(false) })
}

/// Returns the value of an option if this is it, as `--name VALUE` or `--name=VALUE`.
fn value<'a>(
    name: &str,
    option: &OsStr,
    rest: &mut impl Iterator<Item = &'a OsString>,
) -> Result<Option<OsString>, Failure> {
    use std::os::unix::ffi::OsStrExt;
    match option.as_bytes().strip_prefix(name.as_bytes()) {
        Some([]) => match rest.next() {
            Some(value) if !value.as_bytes().starts_with(b"-") => Ok(Some(value.clone())),
            _ => Err(usage(format!("{name} needs a value"))),
        },
        Some([b'=', value @ ..]) => Ok(Some(OsStr::from_bytes(value).to_owned())),
        _ => Ok(None),
    }
}

fn once<T>(name: &str, place: &mut Option<T>, value: T) -> Result<(), Failure> {
    match place.replace(value) {
        None => Ok(()),
        Some(_) => Err(usage(format!("{name} is given twice"))),
    }
}

fn seconds(text: &OsStr) -> Result<u64, Failure> {
    let seconds = text.to_str().and_then(|text| text.parse().ok()).filter(|seconds| *seconds <= MAX_WAIT_SECONDS);
    seconds.ok_or_else(|| usage(format!("--wait takes 0 to {MAX_WAIT_SECONDS} seconds, not {text:?}")))
}

impl CredentialProcess {
    pub(crate) fn run(&self, environment: &Environment) -> Result<(), Failure> {
        let profile = self.profile.clone().or_else(|| environment.get("AWS_PROFILE")).filter(|name| !name.is_empty());
        let profile = profile.ok_or_else(|| usage("no profile is named: pass --profile NAME or set AWS_PROFILE"))?;
        refuse_terminal(self.force)?;
        let target = Target::new(paths::CREDENTIALS)
            .with(paths::QUERY_PROFILE, Some(profile))
            .with_config(environment)
            .with(paths::QUERY_WAIT, self.wait.map(|seconds| seconds.to_string()));
        let request = Request::new(Method::Get, target.as_str(), None);
        let patience = Duration::from_secs(self.wait.unwrap_or(DEFAULT_WAIT_SECONDS));
        let credentials = Client::new(environment)?.send(&request, patience)?.into_line();
        if !is_object(credentials.bytes()) {
            return Err(Failure::new(Kind::Unreachable, "tegatad sent something that is not credentials")
                .mend("tegata daemon stop"));
        }
        output::write_stdout(credentials.bytes())
    }
}

/// Keeps credentials from a terminal unless they are to go there.
pub(super) fn refuse_terminal(force: bool) -> Result<(), Failure> {
    if force || !rustix::termios::isatty(rustix::stdio::stdout()) {
        return Ok(());
    }
    Err(usage("standard output is a terminal, and credentials stay in its scrollback: pass --force to print them"))
}

/// Tells one JSON object on one line from anything else a broken server may send, without parsing it.
fn is_object(line: &[u8]) -> bool {
    matches!(line, [b'{', inner @ .., b'}', b'\n'] if !inner.contains(&b'\n'))
}

fn usage(message: impl AsRef<str>) -> Failure {
    Failure::new(Kind::Usage, message)
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;

    #[derive(Parser)]
    struct ByParser {
        #[command(flatten)]
        command: CredentialProcess,
    }

    fn line(options: &str) -> Vec<OsString> {
        std::iter::once("credential-process").chain(options.split_whitespace()).map(OsString::from).collect()
    }

    fn by_hand(options: &str) -> Option<Result<CredentialProcess, Failure>> {
        let line: Vec<OsString> = std::iter::once("tegata".into()).chain(line(options)).collect();
        read(&line)
    }

    #[test]
    fn reading_by_hand_and_by_the_parser_agree() {
        for options in [
            "",
            "--profile dev",
            "--profile=dev",
            "--profile= ",
            "--profile=--wait",
            "--profile dev --wait 0 --force",
            "--wait=600 --profile 開発",
            "--wait 600",
            "--wait 601",
            "--wait -1",
            "--wait 1.5",
            "--wait",
            "--wait=",
            "--profile",
            "--profile --force",
            "--profile dev --profile dev",
            "--wait 1 --wait 1",
            "--force --force",
            "--force=yes",
            "--profiles dev",
            "--prof dev",
            "-p dev",
            "dev",
            "-- --profile dev",
        ] {
            let parsed = ByParser::try_parse_from(line(options)).ok().map(|parsed| parsed.command);
            assert_eq!(by_hand(options).unwrap().ok(), parsed, "{options:?}");
        }
    }

    #[test]
    fn wrong_usage_is_one_line_and_exit_code_2() {
        for options in ["--wat", "--wait x", "--profile", "\u{1b}[2J"] {
            let failure = by_hand(options).unwrap().unwrap_err();
            assert_eq!(failure.exit_code(), 2);
            assert!(!failure.line().unwrap().chars().any(char::is_control), "{options:?}");
        }
    }

    #[test]
    fn help_and_other_commands_are_left_to_the_parser() {
        assert!(by_hand("--profile dev --help").is_none());
        assert!(by_hand("-h").is_none());
        assert!(read(&["tegata".into(), "status".into()]).is_none());
        assert!(read(&["tegata".into()]).is_none());
        assert!(read(&[]).is_none());
    }

    #[test]
    fn e9_only_one_object_on_one_line_is_credentials() {
        for line in ["\n", "null\n", "[]\n", "{\"a\":1}\n{\"b\":2}\n", "<html></html>\n", "{\"a\":1\n"] {
            assert!(!is_object(line.as_bytes()), "{line:?}");
        }
    }

    #[test]
    fn e9_twin_an_object_on_one_line_is_credentials() {
        assert!(is_object(b"{\"Version\":1}\n"));
    }
}
