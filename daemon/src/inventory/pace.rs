//! The pace at which the portal is asked: a token bucket. Knows no operation.
//!
//! The bucket is kept as one time (the "theoretical arrival time" of the generic cell rate algorithm, ITU-T I.371, annex A):
//! nothing has to be filled up, and no rounding adds up.

use crate::clock::Clock;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// So many calls at once, and so many a second from then on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate {
    /// Calls a second; at least 1.
    pub per_second: u32,
    /// Calls at once after a quiet time; at least 1.
    pub burst: u32,
}

/// The slowest pace: one call in this time.
const SLOWEST: Duration = Duration::from_secs(1);

/// A token bucket, which fills slower once AWS has asked for fewer calls: who else uses up the organisation's is not known
/// here. Pure.
#[derive(Debug)]
struct Bucket {
    rate: Rate,
    /// The time one token takes to come.
    interval: Duration,
    /// The time at which the next token would be due if none were taken ahead of its time.
    due: Duration,
    /// Until when nothing is given out.
    empty_until: Duration,
}

impl Bucket {
    fn full(rate: Rate) -> Self {
        Self { rate, interval: rate.interval(), due: Duration::ZERO, empty_until: Duration::ZERO }
    }

    /// How far ahead of its time a token may be taken.
    fn ahead(&self) -> Duration {
        self.interval * self.rate.burst.saturating_sub(1)
    }

    /// Takes a token, or says how long it takes until there is one.
    fn take(&mut self, now: Duration) -> Result<(), Duration> {
        let earliest = self.due.saturating_sub(self.ahead());
        if now < earliest {
            return Err(earliest - now);
        }
        self.due = self.due.max(now) + self.interval;
        Ok(())
    }

    /// Gives out nothing for so long, no burst after that, and half as much from then on. Calls that were under way together
    /// count once.
    fn empty(&mut self, now: Duration, pause: Duration) {
        if now >= self.empty_until {
            self.interval = (self.interval * 2).min(SLOWEST).max(self.rate.interval());
        }
        self.empty_until = self.empty_until.max(now + pause);
        self.due = self.due.max(self.empty_until + self.ahead());
    }

    /// Comes back to the usual pace, a fiftieth at a time.
    fn went_well(&mut self) {
        self.interval = (self.interval - self.interval / 50).max(self.rate.interval());
    }
}

impl Rate {
    fn interval(self) -> Duration {
        Duration::from_secs(1) / self.per_second.max(1)
    }
}

/// A token bucket that callers wait at.
#[derive(Debug)]
pub(super) struct Pace {
    clock: Arc<dyn Clock>,
    bucket: Mutex<Bucket>,
}

impl Pace {
    /// Begins with a full bucket.
    pub(super) fn new(clock: Arc<dyn Clock>, rate: Rate) -> Self {
        Self { clock, bucket: Mutex::new(Bucket::full(rate)) }
    }

    /// Returns when it is the caller's turn.
    pub(super) async fn turn(&self) {
        loop {
            let taken = self.lock().take(self.clock.since_boot());
            let Err(wait) = taken else { return };
            tokio::time::sleep(wait).await;
        }
    }

    /// Gives nobody a turn for so long, and turns more slowly for a while.
    pub(super) fn hold(&self, pause: Duration) {
        self.lock().empty(self.clock.since_boot(), pause);
    }

    /// Takes note of an answer.
    pub(super) fn went_well(&self) {
        self.lock().went_well();
    }

    fn lock(&self) -> MutexGuard<'_, Bucket> {
        self.bucket.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::from_unix_seconds;
    use crate::clock::paused::PausedClock;
    use tokio::time::Instant;

    const RATE: Rate = Rate { per_second: 10, burst: 3 };

    fn at(millis: u64) -> Duration {
        Duration::from_millis(1_000_000 + millis)
    }

    #[test]
    fn a_full_bucket_gives_its_burst_and_then_keeps_the_rate() {
        let mut bucket = Bucket::full(RATE);
        let taken = [0, 0, 0, 0, 99, 100, 100, 200].map(|millis| bucket.take(at(millis)).is_ok());
        assert_eq!(taken, [true, true, true, false, false, true, false, true]);
        assert_eq!(bucket.take(at(250)), Err(Duration::from_millis(50)));
    }

    #[test]
    fn quiet_time_fills_it_up_to_the_burst_and_no_further() {
        let mut bucket = Bucket::full(RATE);
        let mut taken = |millis| (0..10).filter(|_| bucket.take(at(millis)).is_ok()).count();
        assert_eq!([taken(0), taken(250), taken(3_600_000)], [3, 2, 3]);
    }

    #[test]
    fn d3_a_bucket_that_was_emptied_gives_nothing_before_its_time_and_no_burst_after_it() {
        let mut bucket = Bucket::full(RATE);
        bucket.empty(at(0), Duration::from_secs(5));
        bucket.empty(at(100), Duration::from_secs(1));
        assert_eq!(bucket.take(at(4_900)), Err(Duration::from_millis(100)));
        let taken = [5_000, 5_100, 5_200].map(|millis| bucket.take(at(millis)).is_ok());
        assert_eq!(taken, [true, false, true], "half as fast, however many were refused together");
    }

    #[test]
    fn d3_twin_a_bucket_comes_back_to_its_pace_and_never_above_it() {
        let mut bucket = Bucket::full(RATE);
        (0..100).for_each(|_| bucket.went_well());
        assert_eq!(bucket.interval, RATE.interval());
        for second in 0..20 {
            bucket.empty(at(second * 10_000), Duration::from_secs(1));
        }
        assert_eq!(bucket.interval, SLOWEST);
        (0..50).for_each(|_| bucket.went_well());
        assert!(bucket.interval < SLOWEST / 2 && bucket.interval > RATE.interval(), "{:?}", bucket.interval);
        (0..200).for_each(|_| bucket.went_well());
        assert_eq!(bucket.interval, RATE.interval());
    }

    #[tokio::test(start_paused = true)]
    async fn callers_wait_for_their_turn() {
        let pace = Pace::new(Arc::new(PausedClock::at(from_unix_seconds(0))), RATE);
        let begin = Instant::now();
        for _ in 0..23 {
            pace.turn().await;
        }
        let took = begin.elapsed();
        assert!((Duration::from_secs(2)..Duration::from_millis(2_050)).contains(&took), "{took:?}");
        pace.hold(Duration::from_secs(60));
        pace.turn().await;
        assert!(begin.elapsed() >= took + Duration::from_secs(60));
    }
}
