//! What the daemon does not do itself: it runs no programs and loads no libraries. What the settings name runs in a helper
//! process, which is started before the daemon's second thread, only where there is such a setting, and ends with the daemon.
//!
//! It must not know what is made of an output. How it is built, and why: `docs/design/helper.md`.

mod client;
mod command_line;
mod commands;
mod fault;
mod frame;
mod message;
pub(crate) mod process;
mod run;
#[cfg(test)]
pub(crate) mod scripted;
mod start;
#[cfg(test)]
mod tests;
mod tokens;
mod trusted;

pub use client::HelperProcess;
pub use command_line::CommandLine;
pub use commands::Commands;
pub use fault::{Fault, HelperError};
pub use message::Operation;
pub use start::{ARGUMENT, StartError, Started, start, start_program};

use crate::aws::BoxFuture;
use std::fmt;
use zeroize::Zeroizing;

/// Bytes that may be a secret, wiped when dropped.
pub type Bytes = Zeroizing<Vec<u8>>;

/// Somebody who does what the daemon must not.
pub trait Helper: fmt::Debug + Send + Sync {
    /// Does one thing. `input` is what goes with the operation and must not be seen; at most 256 KiB.
    ///
    /// # Errors
    /// [`HelperError`].
    fn ask(&self, operation: Operation, input: Bytes) -> BoxFuture<'_, Result<Bytes, HelperError>>;

    /// Returns how the helper ended, once it has: one line.
    fn ended(&self) -> Option<String> {
        None
    }
}

/// The helper of a daemon whose settings name nothing to run.
#[derive(Debug, Default)]
pub struct NoHelper;

impl Helper for NoHelper {
    fn ask(&self, _: Operation, _: Bytes) -> BoxFuture<'_, Result<Bytes, HelperError>> {
        Box::pin(async { Err(HelperError::NothingToRun) })
    }
}
