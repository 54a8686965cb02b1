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
    /// Returns the time since boot that the machine was awake. It never goes back.
    fn awake_since_boot(&self) -> Duration;

    /// Returns what both boot clocks say at one moment.
    fn uptime(&self) -> Uptime {
        // Two clocks are not read at once. Of several readings the one with the least time in it is next to it.
        let reading = |_| {
            let before = self.awake_since_boot();
            let boot = self.since_boot();
            (self.awake_since_boot().saturating_sub(before), Uptime { boot, awake: before })
        };
        (0..READINGS).map(reading).min_by_key(|(gap, _)| *gap).map_or_else(Uptime::default, |(_, uptime)| uptime)
    }
}

/// How often both boot clocks are read for one [`Uptime`].
const READINGS: u32 = 3;

/// What may lie between the two boot clocks of two readings without the machine having slept: far more than the readings
/// of a loaded machine are apart, far less than any suspend lasts.
const NOT_ASLEEP: Duration = Duration::from_secs(1);

/// A moment on both boot clocks: CLOCK_BOOTTIME goes on while the machine is suspended, CLOCK_MONOTONIC does not
/// (clock_gettime(2)). Where they began says nothing, in a time namespace least of all; how far they moved apart does.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Uptime {
    boot: Duration,
    awake: Duration,
}

impl Uptime {
    /// Returns the time since boot, suspend included.
    #[must_use]
    pub fn boot(&self) -> Duration {
        self.boot
    }

    /// Whether the machine slept between `earlier` and this moment.
    #[must_use]
    pub fn slept_since(&self, earlier: &Self) -> bool {
        let passed = self.boot.saturating_sub(earlier.boot);
        let awake = self.awake.saturating_sub(earlier.awake);
        passed.saturating_sub(awake) >= NOT_ASLEEP
    }
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
        read(rustix::time::ClockId::Boottime)
    }

    fn awake_since_boot(&self) -> Duration {
        read(rustix::time::ClockId::Monotonic)
    }
}

fn read(clock: rustix::time::ClockId) -> Duration {
    let time = rustix::time::clock_gettime(clock);
    Duration::new(time.tv_sec.unsigned_abs(), u32::try_from(time.tv_nsec).unwrap_or(0))
}

/// Writes a wall time as RFC 3339 in UTC with whole seconds, `YYYY-MM-DDTHH:MM:SSZ`: the one form every AWS SDK parses.
#[must_use]
pub fn rfc3339(time: SystemTime) -> String {
    use aws_smithy_types::date_time::{DateTime, Format};
    let seconds = unix_seconds(time);
    DateTime::from_secs(seconds).fmt(Format::DateTime).unwrap_or_else(|_| String::from("9999-12-31T23:59:59Z"))
}

/// Reads an RFC 3339 time in UTC, fractions of a second included; nothing where it is none, or before 1970.
#[must_use]
pub fn from_rfc3339(text: &str) -> Option<SystemTime> {
    use aws_smithy_types::date_time::{DateTime, Format};
    let read = DateTime::from_str(text, Format::DateTime).ok()?;
    SystemTime::try_from(read).ok().filter(|at| *at >= SystemTime::UNIX_EPOCH)
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
    use std::sync::{Mutex, MutexGuard, PoisonError};

    /// A clock that moves only when told.
    #[derive(Debug)]
    pub struct ManualClock(Mutex<Times>);

    #[derive(Clone, Copy, Debug)]
    struct Times {
        wall: SystemTime,
        boot: Duration,
        awake: Duration,
    }

    impl ManualClock {
        /// Makes a clock that stands at `now`, one hour after boot.
        #[must_use]
        pub fn at(now: SystemTime) -> Self {
            let hour = Duration::from_secs(3600);
            Self(Mutex::new(Times { wall: now, boot: hour, awake: hour }))
        }

        /// Moves all clocks on.
        pub fn advance(&self, by: Duration) {
            self.suspend(by);
            self.lock().awake += by;
        }

        /// Lets the machine sleep: wall and boot time go on, and nothing runs.
        pub fn suspend(&self, by: Duration) {
            let mut times = self.lock();
            times.wall += by;
            times.boot += by;
        }

        /// Sets the wall clock, as a person or NTP may; boot time stays.
        pub fn jump_to(&self, now: SystemTime) {
            self.lock().wall = now;
        }

        fn lock(&self) -> MutexGuard<'_, Times> {
            self.0.lock().unwrap_or_else(PoisonError::into_inner)
        }
    }

    impl Clock for ManualClock {
        fn now(&self) -> SystemTime {
            self.lock().wall
        }

        fn since_boot(&self) -> Duration {
            self.lock().boot
        }

        fn awake_since_boot(&self) -> Duration {
            self.lock().awake
        }
    }
}

/// A clock that goes with the time of a test that tokio has paused.
#[cfg(test)]
pub(crate) mod paused {
    use super::{Clock, Duration, SystemTime};
    use tokio::time::Instant;

    /// A clock that goes with tokio's.
    #[derive(Debug)]
    pub(crate) struct PausedClock {
        began_at: SystemTime,
        began: Instant,
    }

    impl PausedClock {
        /// Makes a clock that stands at `now`, one hour after boot.
        pub(crate) fn at(now: SystemTime) -> Self {
            Self { began_at: now, began: Instant::now() }
        }
    }

    impl Clock for PausedClock {
        fn now(&self) -> SystemTime {
            self.began_at + self.began.elapsed()
        }

        fn since_boot(&self) -> Duration {
            Duration::from_secs(3600) + self.began.elapsed()
        }

        fn awake_since_boot(&self) -> Duration {
            self.since_boot()
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
    fn reads_what_it_writes_and_nothing_else() {
        let at = from_unix_seconds(1_795_338_478);
        assert_eq!(from_rfc3339(&rfc3339(at)), Some(at));
        assert_eq!(from_rfc3339("2026-11-22T09:07:58.5Z"), Some(at + Duration::from_millis(500)));
        for text in ["", "soon", "2026-11-22", "2026-13-22T09:07:58Z", "1969-12-31T23:59:59Z", "2026-11-22T09:07:58"] {
            assert_eq!(from_rfc3339(text), None, "{text}");
        }
    }

    #[test]
    fn boot_time_does_not_go_back() {
        let first = SystemClock.since_boot();
        assert!(SystemClock.since_boot() >= first && first > Duration::ZERO);
    }

    #[test]
    fn j2_boot_time_that_passed_unseen_was_sleep() {
        let clock = manual::ManualClock::at(from_unix_seconds(0));
        let before = clock.uptime();
        clock.suspend(NOT_ASLEEP);
        assert!(clock.uptime().slept_since(&before));
        clock.advance(Duration::from_secs(3600));
        assert!(clock.uptime().slept_since(&before), "it does not forget");
    }

    #[test]
    fn j2_twin_time_that_passed_awake_was_not() {
        let clock = manual::ManualClock::at(from_unix_seconds(0));
        let before = clock.uptime();
        clock.advance(Duration::from_secs(86_400));
        clock.jump_to(from_unix_seconds(4_000_000_000));
        clock.suspend(NOT_ASLEEP - Duration::from_millis(1));
        assert!(!clock.uptime().slept_since(&before));
        assert!(!SystemClock.uptime().slept_since(&SystemClock.uptime()));
    }

    #[test]
    fn where_the_clocks_began_says_nothing() {
        let at = |boot, awake| Uptime { boot: Duration::from_secs(boot), awake: Duration::from_secs(awake) };
        assert!(!at(20, 1_020).slept_since(&at(10, 1_010)));
        assert!(at(30, 1_020).slept_since(&at(10, 1_010)));
        assert!(!at(5, 5).slept_since(&at(10, 10)), "a later moment is not earlier");
    }
}
