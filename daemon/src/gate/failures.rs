//! Ten failed ceremonies within a minute shut the gate for a minute: nobody guesses at it, nobody tires the person out. Pure.

use super::error::GateError;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// So many failures ...
const LIMIT: usize = 10;

/// ... within this time shut the gate ...
const WITHIN: Duration = Duration::from_secs(60);

/// ... for this long.
const COOL_DOWN: Duration = Duration::from_secs(60);

/// The failures of late. All times are boot time.
#[derive(Debug, Default)]
pub(super) struct Failures(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    at: Vec<Duration>,
    until: Option<Duration>,
    told: bool,
}

impl Failures {
    /// Says whether the gate is shut.
    ///
    /// # Errors
    /// [`GateError::CoolDown`].
    pub(super) fn check(&self, now: Duration) -> Result<(), GateError> {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match state.until {
            Some(until) if now < until => {
                Err(GateError::CoolDown { left: until - now, began: !std::mem::replace(&mut state.told, true) })
            }
            _ => Ok(()),
        }
    }

    /// Counts a failure. Returns what to say in its place when it was one too many. What itself alerts the person stays.
    pub(super) fn count(&self, failure: GateError, now: Duration) -> GateError {
        if !failure.is_failed_ceremony() {
            return failure;
        }
        self.add(now);
        if matches!(failure, GateError::CounterWentBack { .. }) {
            return failure;
        }
        self.check(now).err().unwrap_or(failure)
    }

    fn add(&self, now: Duration) {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        state.at.retain(|at| now.saturating_sub(*at) < WITHIN);
        state.at.push(now);
        if state.at.len() >= LIMIT {
            *state = State { at: Vec::new(), until: Some(now + COOL_DOWN), told: false };
        }
    }
}
