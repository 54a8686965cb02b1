//! `tegata keys`: the end of long-lived keys, from finding them to having none.

mod import;
mod report;
mod rotate;
mod scan;

use crate::environment::Environment;
use crate::failure::Failure;
use clap::Subcommand;

/// Find long-lived keys and put an end to them.
#[derive(Subcommand)]
pub(crate) enum Keys {
    Scan(scan::Scan),
    Import(import::Import),
    Rotate(rotate::Rotate),
    Report(report::Report),
}

impl Keys {
    pub(crate) fn run(self, environment: &Environment) -> Result<(), Failure> {
        match self {
            Self::Scan(command) => command.run(environment),
            Self::Import(command) => command.run(environment),
            Self::Rotate(command) => command.run(environment),
            Self::Report(command) => command.run(environment),
        }
    }
}
