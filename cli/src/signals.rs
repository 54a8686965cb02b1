//! Signals that end a command which has something to tidy up first.

use crate::failure::{Failure, Kind};
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// The last signal that asked this process to end. From its making on, these signals no longer end the process by
/// themselves.
pub(crate) struct Signals(Arc<AtomicUsize>);

impl Signals {
    /// Catches Ctrl-C, a lost terminal, and a polite request to end.
    pub(crate) fn catch() -> Result<Self, Failure> {
        let last = Arc::new(AtomicUsize::new(0));
        for signal in [SIGINT, SIGHUP, SIGTERM] {
            let number = usize::try_from(signal).unwrap_or_default();
            signal_hook::flag::register_usize(signal, Arc::clone(&last), number)
                .map_err(|error| Failure::new(Kind::Failed, format!("cannot catch signal {signal}: {error}")))?;
        }
        Ok(Self(last))
    }

    /// Returns whether a signal has come.
    pub(crate) fn any(&self) -> bool {
        self.0.load(Ordering::Relaxed) != 0
    }

    /// Returns the failure a signal that has come ends the command with.
    pub(crate) fn failure(&self) -> Option<Failure> {
        let signal = u8::try_from(self.0.load(Ordering::Relaxed)).unwrap_or_default();
        (signal != 0).then(|| Failure::new(Kind::Signalled(signal), "cancelled"))
    }
}
