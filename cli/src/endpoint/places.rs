//! Places for connections whose request has not come yet: a bounded number, and the one that idles longest gives way.

use std::collections::VecDeque;
use std::io;
use std::net::{Shutdown, TcpStream};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Every program on the machine can connect: what it costs is bounded, and a client that speaks at once is served all the same.
const MOST: usize = 64;

/// The connections that have not sent a whole request.
#[derive(Clone, Debug, Default)]
pub(super) struct Places(Arc<Mutex<Waiting>>);

#[derive(Debug, Default)]
struct Waiting {
    /// Oldest first.
    connections: VecDeque<(u64, TcpStream)>,
    next: u64,
}

/// One of them; given back when dropped.
#[derive(Debug)]
pub(super) struct Place {
    places: Places,
    number: u64,
}

impl Places {
    /// Gives a connection a place; the oldest of too many is ended.
    pub(super) fn take(&self, stream: &TcpStream) -> io::Result<Place> {
        let stream = stream.try_clone()?;
        let mut waiting = self.lock();
        if waiting.connections.len() >= MOST
            && let Some((_, oldest)) = waiting.connections.pop_front()
        {
            // Its thread reads the end of it.
            let _ = oldest.shutdown(Shutdown::Both);
        }
        let number = waiting.next;
        waiting.next += 1;
        waiting.connections.push_back((number, stream));
        Ok(Place { places: self.clone(), number })
    }

    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.places.lock().connections.retain(|(number, _)| *number != self.number);
    }
}
