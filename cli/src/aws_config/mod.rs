//! An AWS config file as text: what stands in it, what it would be with other profiles, the difference, writing that, and
//! taking it back. Byte for byte: whatever is not to be changed stays as it is, however odd it is.
//!
//! Knows the format and its files, not where profiles come from: accounts, roles and sign-in sessions are other rooms'. The
//! daemon reads the same format with a parser of its own; this one also knows where in the file everything stands.

mod backups;
mod change;
mod command;
mod diff;
mod file;
#[cfg(test)]
pub(crate) mod odd;
mod place;
mod section;
mod section_edits;
mod text;

pub(crate) use backups::Backups;
pub(crate) use change::{Change, Written};
pub(crate) use command::Program;
pub(crate) use file::{ConfigFile, Edit};
pub(crate) use section::{Section, SectionKind};
pub(crate) use section_edits::Entry;

use crate::environment::Environment;
use crate::failure::{Failure, Kind};
use std::path::{Path, PathBuf};
use tegata_protocol::ErrorCode;

/// Returns the AWS config file in use: the one `AWS_CONFIG_FILE` names, else `~/.aws/config`.
pub(crate) fn path(environment: &Environment) -> Result<PathBuf, Failure> {
    match environment.aws_config_file() {
        Some(file) => Ok(file),
        None => below_home(environment, ".aws/config"),
    }
}

/// Returns the AWS credentials file in use: the one `AWS_SHARED_CREDENTIALS_FILE` names, else `~/.aws/credentials`.
pub(crate) fn credentials_path(environment: &Environment) -> Result<PathBuf, Failure> {
    match environment.aws_credentials_file() {
        Some(file) => Ok(file),
        None => below_home(environment, ".aws/credentials"),
    }
}

fn below_home(environment: &Environment, path: &str) -> Result<PathBuf, Failure> {
    let home = environment.get("HOME").map(PathBuf::from).filter(|home| home.is_absolute());
    let home = home.ok_or_else(|| Failure::new(Kind::Usage, "HOME is no absolute path, so ~/.aws is nowhere"))?;
    Ok(home.join(path))
}

/// The failure of a file, or of a profile in it, that cannot be used as it is written.
fn invalid(path: &Path, detail: impl std::fmt::Display) -> Failure {
    Failure::new(Kind::Reported(ErrorCode::ProfileInvalid), format!("{}: {detail}", path.display()))
}
