//! The commands, one file each. Arguments become one struct per command; each command returns nothing or a [`Failure`].

mod adopt_session;
mod approve;
mod certificate;
mod console;
mod credential_process;
mod daemon;
mod doctor;
mod drop;
mod elevate;
mod env;
mod exec;
mod keys;
mod list;
mod lock;
pub(crate) mod login;
mod logout;
#[cfg(test)]
mod pages;
mod passkey;
mod pick;
mod policy;
mod prompt;
mod review;
mod setup;
mod shell;
mod shell_hook;
mod shell_init;
mod status;
mod totp;
mod trust;

use crate::child;
use crate::environment::Environment;
use crate::failure::{Failure, Kind};
use crate::output;
use clap::{Parser, Subcommand};
use std::ffi::OsString;
use std::process::ExitCode;
use tegata_protocol::{Exit, PROTOCOL_VERSION};

/// Short-lived AWS credentials for every tool, from one sign-in.
#[derive(Parser)]
#[command(name = "tegata", version = version(), arg_required_else_help = true)]
#[command(after_help = "\
Examples:
  tegata setup                             from a start URL to profiles that every tool can use
  tegata                                   on a terminal: choose a profile from a list
  tegata login corp                        sign in to the organisation of [sso-session corp]
  tegata status                            what is signed in, and until when
  tegata list                              the profiles, their gates, and which have credentials
  tegata console dev                       open AWS's web console, signed in
  tegata elevate prod-admin --for 30m      let a gated profile be used, by passkey
  tegata exec dev -- terraform plan        a command with the credentials of a profile
  aws s3 ls --profile dev                  any AWS tool, with this in ~/.aws/config:
      [profile dev]
      credential_process = /usr/bin/tegata credential-process --profile dev

Exit codes: 0 done, 1 failed, 2 wrong usage, 10 sign-in needed, 11 elevation needed, 12 denied,
13 profile wrong, 14 AWS refused or unreachable, 15 keyring unavailable, 16 daemon unreachable")]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    Setup(setup::Setup),
    Login(login::Login),
    Logout(logout::Logout),
    CredentialProcess(credential_process::CredentialProcess),
    Status(status::Status),
    List(list::List),
    Console(console::Console),
    #[command(subcommand)]
    Certificate(certificate::Certificate),
    Elevate(elevate::Elevate),
    AdoptSession(adopt_session::AdoptSession),
    Approve(approve::Approve),
    Drop(drop::Drop),
    Exec(exec::Exec),
    Shell(shell::Shell),
    Env(env::Env),
    #[command(subcommand)]
    Passkey(passkey::Passkey),
    #[command(subcommand)]
    Policy(policy::Policy),
    #[command(subcommand)]
    Review(review::Review),
    Lock(lock::Lock),
    Unlock(lock::Unlock),
    #[command(subcommand)]
    Daemon(daemon::Daemon),
    Doctor(doctor::Doctor),
    #[command(subcommand)]
    Keys(keys::Keys),
    #[command(subcommand)]
    Totp(totp::Totp),
    Pick(pick::Pick),
    ShellInit(shell_init::ShellInit),
    Trust(trust::Trust),
    Prompt(prompt::Prompt),
    #[command(subcommand, hide = true)]
    ShellHook(shell_hook::ShellHook),
}

/// Runs the command line and returns what the process ends with. `arguments` begins with the program's name.
pub(crate) fn run(arguments: &[OsString]) -> ExitCode {
    let environment = Environment::of_this_process();
    // AWS tools run this one many times a second: it does without the parser.
    if let Some(command) = credential_process::read(arguments) {
        return end(command.and_then(|command| command.run(&environment)));
    }
    // Shells run this one before every prompt.
    if let Some(command) = prompt::read(arguments) {
        return end(command.run(&environment));
    }
    if arguments.len() <= 1 && pick::somebody_can_choose() {
        return end(pick::Pick::default().run(&environment));
    }
    match Cli::try_parse_from(arguments) {
        Ok(cli) => end(cli.command.run(&environment)),
        Err(error) => {
            // Help and version come this way too, for standard output.
            let _ = error.print();
            ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(Exit::Usage as u8))
        }
    }
}

impl Command {
    fn run(self, environment: &Environment) -> Result<(), Failure> {
        match self {
            Self::Setup(command) => command.run(environment),
            Self::Login(command) => command.run(environment),
            Self::Logout(command) => command.run(environment),
            Self::CredentialProcess(command) => command.run(environment),
            Self::Status(command) => command.run(environment),
            Self::List(command) => command.run(environment),
            Self::Console(command) => command.run(environment),
            Self::Certificate(command) => command.run(environment),
            Self::Elevate(command) => command.run(environment),
            Self::AdoptSession(command) => command.run(environment),
            Self::Approve(command) => command.run(environment),
            Self::Drop(command) => command.run(environment),
            Self::Exec(command) => command.run(environment),
            Self::Shell(command) => command.run(environment),
            Self::Env(command) => command.run(environment),
            Self::Passkey(command) => command.run(environment),
            Self::Policy(command) => command.run(environment),
            Self::Review(command) => command.run(environment),
            Self::Lock(command) => command.run(environment),
            Self::Unlock(command) => command.run(environment),
            Self::Daemon(command) => command.run(environment),
            Self::Doctor(command) => command.run(environment),
            Self::Keys(command) => command.run(environment),
            Self::Totp(command) => command.run(environment),
            Self::Pick(command) => command.run(environment),
            Self::ShellInit(command) => command.run(),
            Self::Trust(command) => command.run(environment),
            Self::Prompt(command) => command.run(environment),
            Self::ShellHook(command) => command.run(environment),
        }
    }
}

/// Returns the AWS config file of the caller as text, for a request's body.
fn config_file(environment: &Environment) -> Result<Option<String>, Failure> {
    let file = environment.aws_config_file().map(|file| file.into_os_string().into_string()).transpose();
    file.map_err(|_| Failure::new(Kind::Usage, "AWS_CONFIG_FILE is not UTF-8"))
}

/// Says what went wrong, if anything did, and returns the exit code.
fn end(outcome: Result<(), Failure>) -> ExitCode {
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            if let Some(line) = failure.line() {
                output::tell(&line);
            }
            if let Kind::CommandKilled(signal) = failure.kind {
                child::die_by(signal);
            }
            ExitCode::from(failure.exit_code())
        }
    }
}

fn version() -> &'static str {
    format!("{} (protocol {PROTOCOL_VERSION})", env!("CARGO_PKG_VERSION")).leak()
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn every_command_shows_an_example() {
        fn check(command: &clap::Command) {
            if command.has_subcommands() {
                command.get_subcommands().for_each(check);
            } else {
                let help = command.get_after_help().map(ToString::to_string).unwrap_or_default();
                assert!(help.contains("tegata "), "`{}` has no example", command.get_name());
            }
        }
        check(&Cli::command());
    }
}
