//! `tegata keys scan`: where AWS credentials lie about. What is one is decided by `crate::scan`, which sees bytes only; here files are
//! found, opened with care, read, and what was found is told.

mod exclude;
mod git;
mod look;
mod mend;
mod places;
mod reach;
mod read;
mod report;
mod walk;

use crate::environment::Environment;
use crate::failure::{Failure, Kind};
use crate::output::{self, Progress, Style};
use crate::scan::Severity;
use crate::signals::Signals;
use clap::Args;
use exclude::Exclusions;
use look::{Looked, Looking};
use std::fs;
use std::path::PathBuf;
use tegata_protocol::Exit;

/// Find AWS credentials that lie about in files and variables.
///
/// Without PATH it looks at this shell's variables, at the files of your home directory that tools keep credentials in (AWS files, shell
/// start-up files and histories, git, Docker, Terraform), and at files of such names below the current directory (.env, Terraform,
/// Serverless, Docker and CI files). With PATH it looks at every text file there. It changes nothing, asks nobody and needs no daemon.
///
/// Links are not followed, and what no person writes is left out: node_modules, target, git's objects and the like. Secrets are shown by
/// their last four characters.
///
/// Exit codes: 0 nothing was found, notes aside; 1 something was, or part of it could not be looked at.
#[derive(Args)]
#[command(after_help = "\
Examples:
  tegata keys scan
  tegata keys scan ~/src --exclude '*/fixtures/*'
  tegata keys scan . --json | jq -r '.findings[] | \"\\(.file):\\(.line) \\(.kind)\"'")]
pub(crate) struct Scan {
    /// Files and directories to look at instead
    #[arg(value_name = "PATH")]
    paths: Vec<PathBuf>,
    /// Leave out files and directories whose name or path fits, with * and ?
    #[arg(long, value_name = "PATTERN")]
    exclude: Vec<String>,
    /// Leave out nothing by itself: node_modules, target and the like as well
    #[arg(long)]
    all: bool,
    /// Print what was looked at and found, as JSON
    #[arg(long)]
    json: bool,
}

impl Scan {
    pub(crate) fn run(self, environment: &Environment) -> Result<(), Failure> {
        let signals = Signals::catch()?;
        let progress = Progress::counting("looking", "files");
        // Findings are known by the files that links lead to.
        let aws_files =
            places::aws_files(environment).into_iter().filter_map(|file| fs::canonicalize(file).ok()).collect();
        let exclusions = Exclusions::new(self.exclude, self.all);
        let mut looking = Looking::new(exclusions, aws_files, &signals, progress.counter());
        if self.paths.is_empty() {
            places::look(environment, &mut looking)?;
        } else {
            walk::named(&self.paths, &mut looking)?;
        }
        let looked = looking.done();
        drop(progress);
        tell(&looked, self.json, environment)
    }
}

fn tell(looked: &Looked, as_json: bool, environment: &Environment) -> Result<(), Failure> {
    let page = if as_json {
        output::pretty(&report::json(looked))
    } else {
        report::page(looked, Style::for_stdout(environment))
    };
    output::say(&page)?;
    if is_clean(looked) { Ok(()) } else { Err(Failure::new(Kind::CommandEnded(Exit::Failed as u8), "")) }
}

/// Whether nothing that counts was found, and everything was looked at.
fn is_clean(looked: &Looked) -> bool {
    looked.not_looked_at.is_empty() && looked.hits.iter().all(|hit| hit.found.kind.severity() == Severity::Note)
}
