//! What the daemon and its helper say to each other. Both are the same program, so there are no versions.

use super::{CommandLine, Fault};
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// One thing to do.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Operation {
    /// Runs a program to its end and returns what it printed. It gets no input.
    Run {
        /// The program.
        command: CommandLine,
        /// Seconds after which it is killed.
        seconds: u64,
    },
}

impl Operation {
    /// Returns how long the operation may take.
    #[must_use]
    pub fn limit(&self) -> Duration {
        match self {
            Self::Run { seconds, .. } => Duration::from_secs(*seconds),
        }
    }
}

/// The head of a request; the payload is the operation's input.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Request {
    pub(super) id: u64,
    pub(super) operation: Operation,
}

/// The head of an answer; the payload is the operation's output, if it was done.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Answer {
    pub(super) id: u64,
    pub(super) fault: Option<Fault>,
}
