//! A few things read a moment ago, by pid.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::time::Instant;

/// What was read of some processes, each for a while. Whoever asks has to make sure that it is still about the same process.
#[derive(Debug)]
pub(super) struct Recent<V> {
    most: usize,
    lasts: Duration,
    entries: Mutex<HashMap<u32, (Arc<V>, Instant)>>,
}

impl<V> Recent<V> {
    /// Keeps at most `most` entries, each for `lasts`.
    pub(super) fn new(most: usize, lasts: Duration) -> Self {
        Self { most, lasts, entries: Mutex::default() }
    }

    pub(super) fn get(&self, pid: u32, now: Instant) -> Option<Arc<V>> {
        let entries = self.entries();
        let (value, read_at) = entries.get(&pid)?;
        (now.duration_since(*read_at) < self.lasts).then(|| value.clone())
    }

    /// Keeps one more, in place of the one that was read first if there is no room.
    pub(super) fn put(&self, pid: u32, value: Arc<V>, now: Instant) {
        let mut entries = self.entries();
        entries.insert(pid, (value, now));
        if entries.len() > self.most {
            let oldest = entries.iter().min_by_key(|(_, (_, read_at))| *read_at).map(|(pid, _)| *pid);
            oldest.map(|pid| entries.remove(&pid));
        }
    }

    fn entries(&self) -> MutexGuard<'_, HashMap<u32, (Arc<V>, Instant)>> {
        self.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn what_was_read_is_known_for_its_time_and_no_longer() {
        let (recent, now) = (Recent::new(2, SECOND), Instant::now());
        recent.put(7, Arc::new("seven"), now);
        assert_eq!(recent.get(7, now + SECOND / 2).as_deref(), Some(&"seven"));
        assert_eq!(recent.get(7, now + SECOND), None);
        assert_eq!(recent.get(8, now), None);
    }

    #[test]
    fn memory_is_bounded_and_the_first_read_goes_first() {
        let (recent, now) = (Recent::new(2, SECOND), Instant::now());
        for (pid, later) in [(1, 0), (2, 1), (3, 2)] {
            recent.put(pid, Arc::new(pid), now + SECOND / 100 * later);
        }
        let known = [1, 2, 3].map(|pid| recent.get(pid, now + SECOND / 10).is_some());
        assert_eq!(known, [false, true, true]);
        assert_eq!(recent.entries().len(), 2);
    }
}
