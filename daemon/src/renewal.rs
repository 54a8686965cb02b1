//! The background: sleeps until something is due, renews it, and starts again.

use crate::broker::Broker;
use std::sync::Arc;
use std::time::Duration;

/// The longest sleep: clocks jump and machines suspend, so the wall clock is looked at again after this.
const AT_MOST: Duration = Duration::from_secs(15);

/// The shortest sleep, so that what cannot be renewed does not keep the machine awake.
const AT_LEAST: Duration = Duration::from_millis(200);

/// Looks after renewal until the daemon ends.
pub async fn run(broker: Arc<Broker>) {
    let mut changes = broker.sign_in_sessions.changes();
    loop {
        let due = [broker.obtainer.next_due(), broker.sign_in_sessions.next_due()].into_iter().flatten().min();
        let sleeps = due.map_or(AT_MOST, |at| at.duration_since(broker.clock.now()).unwrap_or_default());
        tokio::select! {
            () = tokio::time::sleep(sleeps.clamp(AT_LEAST, AT_MOST)) => {}
            () = broker.obtainer.newly_in_use() => {}
            Ok(()) = changes.changed() => broker.after_change(),
        }
        broker.look_after().await;
    }
}
