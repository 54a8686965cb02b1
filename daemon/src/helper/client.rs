//! The daemon's side of the helper process: many requests over one socket, answered in any order.

use super::frame;
use super::message::{Answer, Request};
use super::start::Started;
use super::{Bytes, Helper, HelperError, Operation};
use crate::aws::BoxFuture;
use std::collections::HashMap;
use std::io;
use std::process::Child;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;
use tokio::io::{AsyncWriteExt, BufReader};
use tokio::net::UnixStream;
use tokio::net::unix::{OwnedReadHalf, OwnedWriteHalf};
use tokio::sync::{mpsc, oneshot};

/// How much longer than an operation may take its answer may: the helper itself ends what takes too long.
const GRACE: Duration = Duration::from_secs(5);

/// Requests that may wait to be written.
const QUEUE: usize = 16;

type Done = Result<Bytes, HelperError>;

/// A helper process. When the last handle is dropped, the helper ends.
#[derive(Debug)]
pub struct HelperProcess {
    shared: Arc<Shared>,
    frames: mpsc::Sender<Bytes>,
}

#[derive(Debug, Default)]
struct Shared {
    next: AtomicU64,
    waiting: Mutex<HashMap<u64, oneshot::Sender<Done>>>,
    /// How the helper ended.
    ended: OnceLock<String>,
}

impl HelperProcess {
    /// Takes charge of a helper that was started. Inside a runtime.
    ///
    /// # Errors
    /// What the system said of the socket.
    pub fn attach(Started { process, socket }: Started) -> io::Result<Self> {
        socket.set_nonblocking(true)?;
        let (from, to) = UnixStream::from_std(socket)?.into_split();
        let shared = Arc::new(Shared::default());
        let (frames, queue) = mpsc::channel(QUEUE);
        tokio::spawn(write(queue, to));
        tokio::spawn(Arc::clone(&shared).read(from, process));
        Ok(Self { shared, frames })
    }

    async fn perform(&self, operation: Operation, input: Bytes) -> Done {
        let limit = operation.limit() + GRACE;
        let id = self.shared.next.fetch_add(1, Ordering::Relaxed);
        let frame = frame::encode(&Request { id, operation }, &input);
        let frame = frame.map_err(|_| HelperError::Silent)?;
        let answered = self.shared.expect(id)?;
        if self.frames.send(frame).await.is_err() {
            return Err(self.shared.gone());
        }
        match tokio::time::timeout(limit, answered).await {
            Ok(Ok(done)) => done,
            Ok(Err(_)) => Err(self.shared.gone()),
            Err(_) => {
                self.shared.lock().remove(&id);
                Err(HelperError::Silent)
            }
        }
    }
}

impl Helper for HelperProcess {
    fn ask(&self, operation: Operation, input: Bytes) -> BoxFuture<'_, Done> {
        Box::pin(self.perform(operation, input))
    }

    fn ended(&self) -> Option<String> {
        self.shared.ended.get().cloned()
    }
}

/// Writes frames, each to its end: who asked may leave in between.
async fn write(mut queue: mpsc::Receiver<Bytes>, mut to: OwnedWriteHalf) {
    while let Some(frame) = queue.recv().await {
        if to.write_all(&frame).await.is_err() {
            // Reading says why.
            return;
        }
    }
}

impl Shared {
    /// Hands answers to those who wait for them, until the helper is gone; then nobody waits any more.
    async fn read(self: Arc<Self>, from: OwnedReadHalf, process: Child) {
        let mut from = BufReader::new(from);
        let lost = loop {
            match frame::receive(&mut from).await {
                Ok(Some(frame)) => match frame.head::<Answer>() {
                    Ok(answer) => self.deliver(answer, frame.payload),
                    Err(error) => break Some(error),
                },
                Ok(None) => break None,
                Err(error) => break Some(error),
            }
        };
        let how = tokio::task::spawn_blocking(move || buried(process)).await.unwrap_or_default();
        let how = lost.map_or(how.clone(), |error| format!("{how}, {error}"));
        tracing::error!("the helper process has ended ({how})");
        let mut waiting = self.lock();
        let _ = self.ended.set(how);
        waiting.drain().for_each(|(_, waiting)| drop(waiting.send(Err(self.gone()))));
    }

    fn deliver(&self, Answer { id, fault }: Answer, payload: Bytes) {
        // Nobody waits any more for what comes too late.
        if let Some(waiting) = self.lock().remove(&id) {
            let _ = waiting.send(fault.map_or(Ok(payload), |fault| Err(fault.into())));
        }
    }

    fn expect(&self, id: u64) -> Result<oneshot::Receiver<Done>, HelperError> {
        let mut waiting = self.lock();
        if self.ended.get().is_some() {
            return Err(self.gone());
        }
        let (answer, answered) = oneshot::channel();
        waiting.insert(id, answer);
        Ok(answered)
    }

    fn gone(&self) -> HelperError {
        let how = self.ended.get().cloned().unwrap_or_else(|| "just now".to_owned());
        HelperError::Ended { how }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<u64, oneshot::Sender<Done>>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Makes sure that the process is gone, and returns how it ended.
fn buried(mut process: Child) -> String {
    // It closed its end, so it is ending or of no use.
    let ended = process.try_wait().ok().flatten();
    if ended.is_none() {
        let _ = process.kill();
    }
    ended.or_else(|| process.wait().ok()).map_or_else(|| "how is not known".to_owned(), |status| status.to_string())
}
