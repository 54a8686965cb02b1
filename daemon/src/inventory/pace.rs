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

/// A token bucket. Pure.
#[derive(Debug)]
struct Bucket {
    /// The time one token takes to come.
    interval: Duration,
    /// How far ahead of its time a token may be taken.
    ahead: Duration,
    /// The time at which the next token would be due if none were taken ahead of its time.
    due: Duration,
}

impl Bucket {
    fn full(rate: Rate) -> Self {
        let interval = Duration::from_secs(1) / rate.per_second.max(1);
        Self { interval, ahead: interval * rate.burst.saturating_sub(1), due: Duration::ZERO }
    }

    /// Takes a token, or says how long it takes until there is one.
    fn take(&mut self, now: Duration) -> Result<(), Duration> {
        let earliest = self.due.saturating_sub(self.ahead);
        if now < earliest {
            return Err(earliest - now);
        }
        self.due = self.due.max(now) + self.interval;
        Ok(())
    }

    /// Gives out nothing until then, and no burst either.
    fn empty_until(&mut self, then: Duration) {
        self.due = self.due.max(then + self.ahead);
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

    /// Gives nobody a turn for so long.
    pub(super) fn hold(&self, pause: Duration) {
        self.lock().empty_until(self.clock.since_boot() + pause);
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
        bucket.empty_until(at(5_000));
        bucket.empty_until(at(1_000));
        assert_eq!(bucket.take(at(4_900)), Err(Duration::from_millis(100)));
        let taken = [5_000, 5_000, 5_100].map(|millis| bucket.take(at(millis)).is_ok());
        assert_eq!(taken, [true, false, true]);
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
