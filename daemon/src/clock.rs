//! Wall time and boot time. The only file of the daemon that asks what time it is.
//!
//! AWS expiry is wall time. Limits and grants count boot time, which goes on while the machine is suspended:
//! `Instant` does not on Linux (CLOCK_MONOTONIC), so a fifteen-minute grant would outlive a night with the lid closed.

use std::time::{Duration, SystemTime};

/// What time it is.
pub trait Clock: Send + Sync + std::fmt::Debug {
    /// Returns the wall time. It may jump.
    fn now(&self) -> SystemTime;
    /// Returns the time since boot, suspend included. It never goes back.
    fn since_boot(&self) -> Duration;
}

/// The machine's own clocks.
#[derive(Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[allow(clippy::disallowed_methods, reason = "this is the file that owns the clock")]
    fn now(&self) -> SystemTime {
        SystemTime::now()
    }

    fn since_boot(&self) -> Duration {
        let time = rustix::time::clock_gettime(rustix::time::ClockId::Boottime);
        Duration::new(time.tv_sec.unsigned_abs(), u32::try_from(time.tv_nsec).unwrap_or(0))
    }
}

/// Writes a wall time as RFC 3339 in UTC with whole seconds, `YYYY-MM-DDTHH:MM:SSZ`: the one form every AWS SDK parses.
#[must_use]
pub fn rfc3339(time: SystemTime) -> String {
    use aws_smithy_types::date_time::{DateTime, Format};
    let seconds = unix_seconds(time);
    DateTime::from_secs(seconds).fmt(Format::DateTime).unwrap_or_else(|_| String::from("9999-12-31T23:59:59Z"))
}

/// Returns whole seconds since 1970, negative before.
#[must_use]
pub fn unix_seconds(time: SystemTime) -> i64 {
    match time.duration_since(SystemTime::UNIX_EPOCH) {
        Ok(since) => i64::try_from(since.as_secs()).unwrap_or(i64::MAX),
        Err(before) => -i64::try_from(before.duration().as_secs()).unwrap_or(i64::MAX),
    }
}

/// Returns the wall time of whole seconds since 1970; times before 1970 become 1970.
#[must_use]
pub fn from_unix_seconds(seconds: i64) -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(u64::try_from(seconds).unwrap_or(0))
}

/// A clock that moves only when told. For tests.
pub mod manual {
    use super::{Clock, Duration, SystemTime};
    use std::sync::Mutex;

    /// A clock that moves only when told.
    #[derive(Debug)]
    pub struct ManualClock(Mutex<(SystemTime, Duration)>);

    impl ManualClock {
        /// Makes a clock that stands at `now`, one hour after boot.
        #[must_use]
        pub fn at(now: SystemTime) -> Self {
            Self(Mutex::new((now, Duration::from_secs(3600))))
        }

        /// Moves both clocks on.
        pub fn advance(&self, by: Duration) {
            let mut times = self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
            times.0 += by;
            times.1 += by;
        }

        /// Sets the wall clock, as a person or NTP may; boot time stays.
        pub fn jump_to(&self, now: SystemTime) {
            self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner).0 = now;
        }
    }

    impl Clock for ManualClock {
        fn now(&self) -> SystemTime {
            self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner).0
        }

        fn since_boot(&self) -> Duration {
            self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner).1
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn writes_the_form_every_sdk_parses() {
        assert_eq!(rfc3339(from_unix_seconds(1_795_338_478) + Duration::from_millis(999)), "2026-11-22T09:07:58Z");
    }

    #[test]
    fn boot_time_does_not_go_back() {
        let first = SystemClock.since_boot();
        assert!(SystemClock.since_boot() >= first && first > Duration::ZERO);
    }
}
