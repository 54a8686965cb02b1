//! The connections there are: what each is doing, and which must go.
//!
//! Time here is tokio's: limits count while the machine runs, and tests move them.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore};
use tokio::time::Instant;

/// What a connection is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    /// No request is in progress, since then.
    Idle(Instant),
    /// The first byte of a request came then; the rest has not come yet.
    Receiving(Instant),
    /// A whole request is being worked on. Takes as long as it takes.
    Working,
    /// The answer has been on its way since then.
    Delivering(Instant),
    /// It has to go, and reads and sends nothing more.
    Closed,
}

/// One connection, as the door and its own task both see it.
#[derive(Debug)]
pub(super) struct Connection {
    phase: Mutex<Phase>,
    told: Notify,
}

/// What bytes on their way out are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Outgoing {
    /// Part of an answer of ours.
    Answer,
    /// Something hyper says on its own: no answer of ours is there.
    Automatic,
    /// Not to be sent: the connection has to go.
    Nothing,
}

/// What the door tells a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Order {
    /// Finish what is in progress, then end.
    Finish,
    /// End now.
    Close,
}

impl Connection {
    fn new() -> Self {
        Self { phase: Mutex::new(Phase::Idle(Instant::now())), told: Notify::new() }
    }

    fn phase(&self) -> MutexGuard<'_, Phase> {
        self.phase.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Bytes came in. Returns whether they may be read: not any more once the connection has to go.
    pub(super) fn received(&self) -> bool {
        let mut phase = self.phase();
        if let Phase::Idle(_) = *phase {
            *phase = Phase::Receiving(Instant::now());
        }
        *phase != Phase::Closed
    }

    /// A whole request is there.
    pub(super) fn working(&self) {
        self.turn_to(Phase::Working);
    }

    /// The answer is there.
    pub(super) fn delivering(&self) {
        self.turn_to(Phase::Delivering(Instant::now()));
    }

    /// Everything written has left.
    pub(super) fn flushed(&self) {
        let mut phase = self.phase();
        if let Phase::Delivering(_) = *phase {
            *phase = Phase::Idle(Instant::now());
        }
    }

    /// Says what bytes that are about to be written must be.
    pub(super) fn outgoing(&self) -> Outgoing {
        match *self.phase() {
            Phase::Idle(_) | Phase::Receiving(_) => Outgoing::Automatic,
            Phase::Working | Phase::Delivering(_) => Outgoing::Answer,
            Phase::Closed => Outgoing::Nothing,
        }
    }

    /// Waits to be told something.
    pub(super) async fn order(&self) -> Order {
        self.told.notified().await;
        if *self.phase() == Phase::Closed { Order::Close } else { Order::Finish }
    }

    fn turn_to(&self, next: Phase) {
        let mut phase = self.phase();
        if *phase != Phase::Closed {
            *phase = next;
        }
    }

    fn finish(&self) {
        self.told.notify_one();
    }

    fn close_if(&self, must_go: impl Fn(Phase) -> bool) {
        let mut phase = self.phase();
        if must_go(*phase) {
            *phase = Phase::Closed;
            self.told.notify_one();
        }
    }
}

/// How long a connection may be in a phase.
#[derive(Clone, Copy, Debug)]
pub(super) struct Patience {
    /// For a request to come in whole.
    pub(super) receive: Duration,
    /// For an answer to be taken.
    pub(super) deliver: Duration,
}

/// All connections of a door.
#[derive(Debug)]
pub(super) struct Connections {
    most: u32,
    room: Arc<Semaphore>,
    table: Arc<Mutex<Table>>,
    arrived: Notify,
}

#[derive(Debug, Default)]
struct Table {
    connections: HashMap<u64, Arc<Connection>>,
    next: u64,
}

/// A connection's place among the others, given back when dropped.
#[derive(Debug)]
pub(super) struct Place {
    pub(super) connection: Arc<Connection>,
    id: u64,
    table: Arc<Mutex<Table>>,
    _room: OwnedSemaphorePermit,
}

impl Drop for Place {
    fn drop(&mut self) {
        self.table.lock().unwrap_or_else(PoisonError::into_inner).connections.remove(&self.id);
    }
}

/// How long to wait before looking again for an idle connection among `most` that were busy.
const LOOK_AGAIN: Duration = Duration::from_millis(50);

impl Connections {
    pub(super) fn at_most(most: u32) -> Self {
        Self { most, room: Arc::new(Semaphore::new(most as usize)), table: Arc::default(), arrived: Notify::new() }
    }

    /// Returns a place for one more connection. When there is none, the connection that has been idle for longest loses its own; one
    /// with a request in progress never does, so this waits while all have one.
    pub(super) async fn place(&self) -> Place {
        loop {
            if let Ok(room) = self.room.clone().try_acquire_owned() {
                return self.enter(room);
            }
            self.close_oldest_idle();
            if let Ok(Ok(room)) = tokio::time::timeout(LOOK_AGAIN, self.room.clone().acquire_owned()).await {
                return self.enter(room);
            }
        }
    }

    fn enter(&self, room: OwnedSemaphorePermit) -> Place {
        let connection = Arc::new(Connection::new());
        let id = {
            let mut table = self.table();
            table.next += 1;
            let id = table.next;
            table.connections.insert(id, connection.clone());
            id
        };
        self.arrived.notify_one();
        Place { connection, id, table: self.table.clone(), _room: room }
    }

    /// Returns once there is a connection.
    pub(super) async fn any(&self) {
        while self.table().connections.is_empty() {
            self.arrived.notified().await;
        }
    }

    /// Closes every connection that has been receiving or delivering for too long.
    pub(super) fn close_slow(&self, patience: Patience) {
        let now = Instant::now();
        let too_slow = |phase| match phase {
            Phase::Receiving(since) => now.duration_since(since) >= patience.receive,
            Phase::Delivering(since) => now.duration_since(since) >= patience.deliver,
            Phase::Idle(_) | Phase::Working | Phase::Closed => false,
        };
        self.table().connections.values().for_each(|connection| connection.close_if(too_slow));
    }

    /// Closes the connection that has been idle for longest, if any is.
    pub(super) fn close_oldest_idle(&self) {
        let table = self.table();
        let idle = table.connections.values().filter_map(|connection| match *connection.phase() {
            Phase::Idle(since) => Some((since, connection)),
            _ => None,
        });
        if let Some((_, oldest)) = idle.min_by_key(|(since, _)| *since) {
            // It may have begun to receive meanwhile; then it stays.
            oldest.close_if(|phase| matches!(phase, Phase::Idle(_)));
        }
    }

    /// Lets every connection finish what is in progress for at most `grace`, then closes what is left.
    pub(super) async fn end(&self, grace: Duration) {
        self.table().connections.values().for_each(|connection| connection.finish());
        if tokio::time::timeout(grace, self.room.acquire_many(self.most)).await.is_err() {
            self.table().connections.values().for_each(|connection| connection.close_if(|_| true));
        }
    }

    fn table(&self) -> MutexGuard<'_, Table> {
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PATIENCE: Patience = Patience { receive: Duration::from_secs(5), deliver: Duration::from_secs(30) };

    fn is_closed(place: &Place) -> bool {
        *place.connection.phase() == Phase::Closed
    }

    async fn pass(seconds: u64) {
        tokio::time::advance(Duration::from_secs(seconds)).await;
    }

    #[tokio::test(start_paused = true)]
    async fn a19_a_request_that_comes_too_slowly_is_closed_and_its_bytes_are_no_longer_read() {
        let connections = Connections::at_most(9);
        let place = connections.place().await;
        assert!(place.connection.received());
        pass(4).await;
        // Another byte does not begin the time anew.
        assert!(place.connection.received());
        connections.close_slow(PATIENCE);
        assert!(!is_closed(&place));
        pass(1).await;
        connections.close_slow(PATIENCE);
        assert_eq!(place.connection.order().await, Order::Close);
        assert!(!place.connection.received());
    }

    #[tokio::test(start_paused = true)]
    async fn a19_twin_waiting_for_an_answer_or_for_a_request_costs_no_patience() {
        let connections = Connections::at_most(9);
        let (working, idle) = (connections.place().await, connections.place().await);
        working.connection.received();
        working.connection.working();
        pass(3600).await;
        connections.close_slow(PATIENCE);
        assert!(!is_closed(&working) && !is_closed(&idle));
    }

    #[tokio::test(start_paused = true)]
    async fn an_answer_nobody_takes_is_given_up() {
        let connections = Connections::at_most(9);
        let place = connections.place().await;
        place.connection.delivering();
        pass(30).await;
        connections.close_slow(PATIENCE);
        assert!(is_closed(&place));
    }

    #[tokio::test(start_paused = true)]
    async fn a20_the_oldest_idle_connection_makes_room() {
        let connections = Connections::at_most(3);
        let mut places = Vec::new();
        for _ in 0..3 {
            places.push(connections.place().await);
            pass(1).await;
        }
        // The first has just been used, so the second is the oldest.
        places[0].connection.delivering();
        places[0].connection.flushed();
        let oldest = places.remove(1);
        let leaves = async {
            assert_eq!(oldest.connection.order().await, Order::Close);
            drop(oldest);
        };
        let (_newest, ()) = tokio::join!(connections.place(), leaves);
        assert!(!places.iter().any(is_closed));
    }

    #[tokio::test(start_paused = true)]
    async fn a20_a_request_in_progress_is_never_dropped_for_room() {
        let connections = Connections::at_most(3);
        let places = [connections.place().await, connections.place().await, connections.place().await];
        places[0].connection.received();
        places[1].connection.working();
        places[2].connection.delivering();
        let waited = tokio::time::timeout(Duration::from_secs(60), connections.place()).await;
        assert!(waited.is_err() && !places.iter().any(is_closed));
    }

    #[tokio::test(start_paused = true)]
    async fn a20_twin_a_place_that_is_given_back_is_given_on() {
        let connections = Connections::at_most(1);
        let only = connections.place().await;
        only.connection.working();
        let leaves = async {
            tokio::task::yield_now().await;
            drop(only);
        };
        let (_next, ()) = tokio::join!(connections.place(), leaves);
        assert_eq!(connections.table().connections.len(), 1);
    }

    #[tokio::test(start_paused = true)]
    async fn ending_lets_work_finish_and_closes_what_does_not() {
        let connections = Connections::at_most(2);
        let (quick, slow) = (connections.place().await, connections.place().await);
        quick.connection.working();
        slow.connection.working();
        let finishes = async {
            assert_eq!(quick.connection.order().await, Order::Finish);
            drop(quick);
        };
        tokio::join!(connections.end(Duration::from_secs(5)), finishes);
        assert!(is_closed(&slow));
    }
}
