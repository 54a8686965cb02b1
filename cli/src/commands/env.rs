//! `tegata env`: prints the credentials of a profile as variables, for a shell or another program to take over.

mod format;

use super::exec::{Obtained, Of};
use crate::environment::Environment;
use crate::failure::{Failure, Kind};
use crate::output;
use crate::random;
use clap::{Args, ValueEnum};
use format::{CannotWrite, Variables};
use std::fs::OpenOptions;
use std::io::Write;
use std::path::PathBuf;
use tegata_protocol::text::one_line;
use zeroize::Zeroizing;

/// Print the credentials of a profile as variables.
///
/// They expire, and nothing renews them: `tegata exec` is better wherever it fits. What would be taken before them is unset where the
/// format can say so.
#[derive(Args)]
#[command(after_help = "\
Examples:
  eval \"$(tegata env dev)\"                                bash, zsh, sh
  tegata env dev --format fish | source
  tegata env dev --format powershell | Out-String | Invoke-Expression
  tegata env dev --format dotenv >.env.aws && docker run --env-file .env.aws …
  tegata env dev --format json | jq -r .AWS_CREDENTIAL_EXPIRATION
  tegata env dev --format github-actions                  for the later steps, masked in the log")]
pub(crate) struct Env {
    #[command(flatten)]
    of: Of,
    /// How they are written
    #[arg(long, value_enum, default_value_t = Format::Bash, value_name = "FORMAT")]
    format: Format,
    /// Print to a terminal too, where everybody behind you and the scrollback can read them
    #[arg(long)]
    force: bool,
}

/// How variables are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    /// For bash, zsh and sh
    Bash,
    /// For fish
    Fish,
    /// For PowerShell
    Powershell,
    /// One NAME=value a line
    Dotenv,
    /// One object
    Json,
    /// Into the file of GITHUB_ENV, masked in the log
    GithubActions,
}

impl Env {
    pub(crate) fn run(self, environment: &Environment) -> Result<(), Failure> {
        super::credential_process::refuse_terminal(self.force)?;
        // Before anything is released to go nowhere.
        let job = (self.format == Format::GithubActions).then(|| job_file(environment)).transpose()?;
        let changes = Obtained::obtain(&self.of, environment)?.variables();
        let variables = Variables::of(&changes).map_err(|error| cannot_write(&error))?;
        let text = match self.format {
            Format::Bash => Ok(format::bash(&variables)),
            Format::Fish => Ok(format::fish(&variables)),
            Format::Powershell => Ok(format::powershell(&variables)),
            Format::Dotenv => format::dotenv(&variables),
            Format::Json => Ok(format::json(&variables)),
            Format::GithubActions => Ok(format::github_masks(&variables)),
        };
        let text = Zeroizing::new(text.map_err(|error| cannot_write(&error))?);
        // The masks first: from then on the log shows none of the values.
        output::write_stdout(text.as_bytes())?;
        job.map_or(Ok(()), |job| hand_to_job(&job, &variables))
    }
}

fn job_file(environment: &Environment) -> Result<PathBuf, Failure> {
    let file = environment.get("GITHUB_ENV").map(PathBuf::from);
    file.ok_or_else(|| {
        Failure::new(Kind::Usage, "GITHUB_ENV is not set: --format github-actions is for a step of a workflow")
    })
}

fn hand_to_job(file: &PathBuf, variables: &Variables<'_>) -> Result<(), Failure> {
    let cannot = |error: std::io::Error| {
        Failure::new(Kind::Failed, format!("cannot write to {}: {error}", one_line(&file.display().to_string())))
    };
    let end = random::hex::<16>().map_err(cannot)?;
    let text = Zeroizing::new(format::github_variables(variables, end.expose_secret()));
    let mut file = OpenOptions::new().append(true).create(true).open(file).map_err(cannot)?;
    file.write_all(text.as_bytes()).map_err(cannot)
}

fn cannot_write(error: &CannotWrite) -> Failure {
    Failure::new(Kind::Failed, format!("{} cannot be written in this format", error.0))
}
