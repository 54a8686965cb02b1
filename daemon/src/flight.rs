//! One flight per key: however many ask for the same thing at the same time, it is fetched once.
//!
//! A flight is a task of its own: it goes on when the caller who started it leaves, and whoever comes before it lands
//! joins it. What it fetched is put where later callers find it *before* the flight leaves the table.

use std::collections::HashMap;
use std::fmt;
use std::future::Future;
use std::hash::Hash;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::watch;

/// The flights under way.
pub struct Flights<K, T> {
    under_way: Arc<Mutex<HashMap<K, watch::Receiver<Option<T>>>>>,
}

/// A flight joined; it lands whether or not anybody waits.
#[derive(Debug, Clone)]
pub struct Flight<T>(watch::Receiver<Option<T>>);

/// The flight's task ended without a result (it panicked, or the runtime is ending).
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the request was lost")]
pub struct Lost;

impl<K, T> Default for Flights<K, T> {
    fn default() -> Self {
        Self { under_way: Arc::default() }
    }
}

impl<K, T> fmt::Debug for Flights<K, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Flights")
    }
}

impl<K: Eq + Hash + Clone + Send + 'static, T: Clone + Send + Sync + 'static> Flights<K, T> {
    /// Joins the flight for `key`, or starts it with the future that `work` makes. That looks first at what the last flight brought: it may
    /// have landed after this caller had looked.
    pub fn join<F>(&self, key: &K, work: impl FnOnce() -> F) -> Flight<T>
    where
        F: Future<Output = T> + Send + 'static,
    {
        let mut under_way = self.lock();
        if let Some(flight) = under_way.get(key) {
            return Flight(flight.clone());
        }
        let (landed, flight) = watch::channel(None);
        under_way.insert(key.clone(), flight.clone());
        let work = work();
        let table = Departure { under_way: Arc::clone(&self.under_way), key: key.clone() };
        tokio::spawn(async move {
            let result = work.await;
            drop(table);
            landed.send_replace(Some(result));
        });
        Flight(flight)
    }

    /// Whether a flight for `key` is under way.
    #[must_use]
    pub fn is_under_way(&self, key: &K) -> bool {
        self.lock().contains_key(key)
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<K, watch::Receiver<Option<T>>>> {
        self.under_way.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Takes the flight off the table when it has landed, also when its task panicked.
struct Departure<K: Eq + Hash, T> {
    under_way: Arc<Mutex<HashMap<K, watch::Receiver<Option<T>>>>>,
    key: K,
}

impl<K: Eq + Hash, T> Drop for Departure<K, T> {
    fn drop(&mut self) {
        self.under_way.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.key);
    }
}

impl<T: Clone> Flight<T> {
    /// Waits for the landing.
    ///
    /// # Errors
    /// [`Lost`] when the flight's task ended without a result.
    pub async fn landed(mut self) -> Result<T, Lost> {
        self.0.wait_for(Option::is_some).await.ok().and_then(|result| result.clone()).ok_or(Lost)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use tokio::sync::Notify;

    #[tokio::test]
    async fn a_thousand_callers_make_one_flight() {
        let flights: Flights<&str, usize> = Flights::default();
        let (started, go) = (Arc::new(AtomicUsize::new(0)), Arc::new(Notify::new()));
        let joined: Vec<_> = (0..1000)
            .map(|_| {
                let (started, go) = (Arc::clone(&started), Arc::clone(&go));
                flights.join(&"key", move || async move {
                    started.fetch_add(1, Ordering::SeqCst);
                    go.notified().await;
                    7
                })
            })
            .collect();
        go.notify_one();
        for flight in joined {
            assert_eq!(flight.landed().await, Ok(7));
        }
        assert_eq!(started.load(Ordering::SeqCst), 1);
        assert!(!flights.is_under_way(&"key"));
    }

    #[tokio::test]
    async fn a_flight_goes_on_when_its_first_caller_leaves() {
        let flights: Flights<&str, usize> = Flights::default();
        let go = Arc::new(Notify::new());
        let waiting = Arc::clone(&go);
        drop(flights.join(&"key", move || async move {
            waiting.notified().await;
            1
        }));
        let second = flights.join(&"key", || async { 2 });
        go.notify_one();
        assert_eq!(second.landed().await, Ok(1));
    }

    #[tokio::test]
    async fn a_flight_that_panics_is_lost_and_the_next_one_starts() {
        let flights: Flights<&str, usize> = Flights::default();
        let lost = flights.join(&"key", || async { panic!("on purpose") });
        assert_eq!(lost.landed().await, Err(Lost));
        assert_eq!(flights.join(&"key", || async { 3 }).landed().await, Ok(3));
    }

    #[tokio::test]
    async fn other_keys_fly_alone() {
        let flights: Flights<u8, u8> = Flights::default();
        let (one, two) = (flights.join(&1, || async { 1 }), flights.join(&2, || async { 2 }));
        assert_eq!((one.landed().await, two.landed().await), (Ok(1), Ok(2)));
    }
}
