//! The background: sleeps until something is due, looks after it, and starts again.

use crate::broker::Broker;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

/// The longest sleep: clocks jump and machines suspend, so they are looked at again after this.
const AT_MOST: Duration = Duration::from_secs(15);

/// The shortest sleep, so that what cannot be renewed does not keep the machine awake.
const AT_LEAST: Duration = Duration::from_millis(200);

/// Looks after renewal, and after grants whose time is over, until the daemon ends.
pub async fn run(broker: Arc<Broker>) {
    let (mut changes, mut grants) = (broker.sign_in_sessions.changes(), broker.grants.changes());
    broker.look_after_keys().await;
    loop {
        let due = [broker.obtainer.next_due(), broker.sign_in_sessions.next_due()].into_iter().flatten().min();
        let to_renewal = due.map(|at| until(at, broker.clock.now()));
        let to_end = broker.grants.next_end().map(|end| end.saturating_sub(broker.clock.since_boot()));
        tokio::select! {
            () = tokio::time::sleep(sleeps(to_renewal, to_end)) => {}
            () = broker.obtainer.newly_in_use() => {}
            Ok(()) = grants.changed() => {}
            Ok(()) = changes.changed() => broker.after_change(),
        }
        broker.look_after().await;
        broker.look_after_keys().await;
    }
}

fn until(at: SystemTime, now: SystemTime) -> Duration {
    at.duration_since(now).unwrap_or_default()
}

/// How long to sleep, when the next renewal is so far and the next grant ends so soon.
fn sleeps(to_renewal: Option<Duration>, to_end: Option<Duration>) -> Duration {
    to_renewal.into_iter().chain(to_end).min().unwrap_or(AT_MOST).clamp(AT_LEAST, AT_MOST)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::from_unix_seconds;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn it_wakes_when_a_grant_ends_and_not_only_when_something_is_renewed() {
        for (to_renewal, to_end, sleeps_for) in [
            (None, None, AT_MOST),
            (Some(600 * SECOND), None, AT_MOST),
            (Some(3 * SECOND), None, 3 * SECOND),
            (None, Some(2 * SECOND), 2 * SECOND),
            (Some(600 * SECOND), Some(2 * SECOND), 2 * SECOND),
            (Some(2 * SECOND), Some(600 * SECOND), 2 * SECOND),
            (None, Some(Duration::ZERO), AT_LEAST),
        ] {
            assert_eq!(sleeps(to_renewal, to_end), sleeps_for, "{to_renewal:?} {to_end:?}");
        }
    }

    #[test]
    fn what_was_due_long_ago_is_due_now() {
        assert_eq!(until(from_unix_seconds(10), from_unix_seconds(7)), 3 * SECOND);
        assert_eq!(until(from_unix_seconds(7), from_unix_seconds(10)), Duration::ZERO);
    }
}
