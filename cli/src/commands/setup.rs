//! `tegata setup`: what can be said on the command line. What is done with it is [`crate::setup`]'s.

use crate::environment::Environment;
use crate::failure::{Failure, Kind};
use crate::setup::{Agreement, TakeOver};
use clap::Args;

/// Have Tegata serve profiles that are there already, or take that back.
#[derive(Args)]
#[command(after_help = "\
Examples:
  tegata setup --adopt dev prod-admin              scripts keep their profile names
  tegata setup --from granted --dry-run            what would be written
  tegata setup --undo                              the AWS config file as it was, byte for byte")]
pub(crate) struct Setup {
    #[command(flatten)]
    take_over: TakeOver,
    /// Show the difference and write nothing
    #[arg(long)]
    dry_run: bool,
    /// Write without asking
    #[arg(long, short)]
    yes: bool,
}

impl Setup {
    pub(crate) fn run(self, environment: &Environment) -> Result<(), Failure> {
        if self.take_over.is_asked_for() {
            return self.take_over.run(Agreement { dry_run: self.dry_run, yes: self.yes }, environment);
        }
        Err(Failure::new(Kind::Usage, "say what to do: --adopt, --from or --undo").mend("tegata setup --help"))
    }
}
