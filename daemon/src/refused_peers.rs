//! Which connections of other users are written down: the first at once, then at most one record a minute, with a count.
//!
//! Whoever may connect may do so ten thousand times a second, and the log is on disk. It writes nothing itself.

use crate::clock::Clock;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// The least time between two records about one user.
pub(crate) const EVERY: Duration = Duration::from_secs(60);

/// Users told apart. One person may own 65,536 uids (subuid(5)); all further ones share a record.
const MOST: usize = 64;

/// What a record says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub(crate) struct Count {
    /// The user, or none for all who are not told apart.
    pub(crate) uid: Option<u32>,
    /// Connections since the last record about this user.
    pub(crate) times: u64,
}

/// The users who were sent away lately.
#[derive(Debug)]
pub(crate) struct RefusedPeers {
    clock: Arc<dyn Clock>,
    table: Mutex<HashMap<Option<u32>, Refused>>,
}

#[derive(Debug)]
struct Refused {
    /// Boot time of the last record.
    told_at: Duration,
    untold: u64,
}

impl Refused {
    fn tell(&mut self, uid: Option<u32>, now: Duration) -> Count {
        self.told_at = now;
        Count { uid, times: std::mem::take(&mut self.untold) }
    }
}

impl RefusedPeers {
    pub(crate) fn new(clock: Arc<dyn Clock>) -> Self {
        Self { clock, table: Mutex::default() }
    }

    /// Counts a connection that was sent away. Returns what is to be written now, if anything is.
    pub(crate) fn refused(&self, uid: u32) -> Option<Count> {
        let (now, mut table) = (self.clock.since_boot(), self.lock());
        let is_told_apart = table.contains_key(&Some(uid)) || table.len() < MOST;
        let uid = is_told_apart.then_some(uid);
        let known = table.contains_key(&uid);
        let refused = table.entry(uid).or_insert(Refused { told_at: now, untold: 0 });
        refused.untold += 1;
        (!known || now.saturating_sub(refused.told_at) >= EVERY).then(|| refused.tell(uid, now))
    }

    /// Returns what has been untold for as long as `after`, and forgets who has been quiet for [`EVERY`].
    pub(crate) fn untold(&self, after: Duration) -> Vec<Count> {
        let (now, mut table) = (self.clock.since_boot(), self.lock());
        let quiet = |refused: &Refused| refused.untold == 0 && now.saturating_sub(refused.told_at) >= EVERY;
        table.retain(|_, refused| !quiet(refused));
        let due = |refused: &Refused| refused.untold > 0 && now.saturating_sub(refused.told_at) >= after;
        table.iter_mut().filter(|(_, refused)| due(refused)).map(|(uid, refused)| refused.tell(*uid, now)).collect()
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Option<u32>, Refused>> {
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::manual::ManualClock;
    use std::time::SystemTime;

    fn peers() -> (Arc<ManualClock>, RefusedPeers) {
        let clock = Arc::new(ManualClock::at(SystemTime::UNIX_EPOCH));
        (clock.clone(), RefusedPeers::new(clock))
    }

    fn of(uid: u32, times: u64) -> Count {
        Count { uid: Some(uid), times }
    }

    #[test]
    fn the_first_is_told_at_once_and_the_rest_of_its_minute_with_the_next() {
        let (clock, peers) = peers();
        assert_eq!(peers.refused(1001), Some(of(1001, 1)));
        for _ in 0..10_000 {
            assert_eq!(peers.refused(1001), None);
        }
        clock.advance(EVERY - Duration::from_secs(1));
        assert_eq!(peers.refused(1001), None);
        clock.advance(Duration::from_secs(1));
        assert_eq!(peers.refused(1001), Some(of(1001, 10_002)));
        assert_eq!(peers.refused(1001), None);
    }

    #[test]
    fn each_user_has_a_minute_of_their_own() {
        let (_, peers) = peers();
        assert_eq!(peers.refused(1001), Some(of(1001, 1)));
        assert_eq!(peers.refused(0), Some(of(0, 1)));
    }

    #[test]
    fn what_nobody_follows_up_is_told_after_the_minute_and_only_once() {
        let (clock, peers) = peers();
        let _ = (peers.refused(1001), peers.refused(1001));
        assert_eq!(peers.untold(EVERY), []);
        clock.advance(EVERY);
        assert_eq!(peers.untold(EVERY), [of(1001, 1)]);
        assert_eq!(peers.untold(EVERY), []);
    }

    #[test]
    fn at_the_end_everything_is_told_at_once() {
        let (_, peers) = peers();
        let _ = (peers.refused(1001), peers.refused(1001), peers.refused(1001));
        assert_eq!(peers.untold(Duration::ZERO), [of(1001, 2)]);
    }

    #[test]
    fn more_users_than_are_told_apart_share_one_record_a_minute() {
        let (clock, peers) = peers();
        let told = (0..10_000).filter_map(|uid| peers.refused(uid)).collect::<Vec<_>>();
        assert_eq!(told.len(), MOST + 1);
        assert_eq!(told.last(), Some(&Count { uid: None, times: 1 }));
        clock.advance(EVERY);
        assert_eq!(peers.untold(EVERY), [Count { uid: None, times: 10_000 - MOST as u64 - 1 }]);
        // Those who have been quiet since then make room.
        assert_eq!(peers.refused(77_777), Some(of(77_777, 1)));
    }
}
