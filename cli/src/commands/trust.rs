//! `tegata trust`: what the person says about a directory's `.tegata`.

use crate::environment::Environment;
use crate::failure::{Failure, Kind};
use crate::output;
use crate::shell_init::directory::{self, Answer, DirectoryDefault, FILE};
use clap::Args;
use std::path::{Path, PathBuf};
use tegata_protocol::text::one_line;

/// Trust the .tegata of a directory to name the profile of shells in it.
///
/// The answer is for this file with this profile in it: another name in it, or the same file elsewhere, is asked about again.
/// In a shell `tg --trust` does the same and switches at once.
#[derive(Args)]
#[command(after_help = "\
Examples:
  echo dev > .tegata && tegata trust
  tegata trust ~/work/shop
  tegata trust --refuse            not to be asked about this one again
  tegata trust --list")]
pub(crate) struct Trust {
    /// The directory or its .tegata [default: the nearest one from here upwards]
    #[arg(value_name = "PATH")]
    path: Option<PathBuf>,
    /// Never use it, and do not ask again
    #[arg(long, conflicts_with = "list")]
    refuse: bool,
    /// List what you have answered
    #[arg(long, conflicts_with = "path")]
    list: bool,
}

impl Trust {
    pub(crate) fn run(self, environment: &Environment) -> Result<(), Failure> {
        if self.list {
            return output::say(&listed(environment));
        }
        let default = DirectoryDefault::read(&self.file()?)?;
        let (answer, said) = match self.refuse {
            true => (Answer::Refused, "is not used"),
            false => (Answer::Trusted, "is trusted"),
        };
        default.keep(environment, answer)?;
        let (file, profile) = (one_line(&default.file), one_line(&default.profile));
        output::say(&format!("{file} with the profile {profile} {said}."))
    }

    fn file(&self) -> Result<PathBuf, Failure> {
        let path = self.path.as_deref().unwrap_or(Path::new("."));
        let path = std::path::absolute(path).map_err(|error| missing(path, &error.to_string()))?;
        if self.path.is_none() {
            let none = || missing(&path, &format!("no {FILE} here or above"));
            return directory::nearest(&path).ok_or_else(none);
        }
        Ok(if path.is_dir() { path.join(FILE) } else { path })
    }
}

fn missing(path: &Path, why: &str) -> Failure {
    Failure::new(Kind::Usage, format!("{}: {why}", path.display()))
}

fn listed(environment: &Environment) -> String {
    let answers = directory::answers(environment);
    if answers.is_empty() {
        return "No .tegata has been asked about.".to_owned();
    }
    let rows = answers.iter().map(|kept| {
        let answer = match kept.answer {
            Answer::Trusted => "trusted",
            Answer::Refused => "refused",
        };
        [answer.to_owned(), one_line(&kept.profile), one_line(&kept.file)]
    });
    output::table(["ANSWER", "PROFILE", "FILE"], rows)
}
