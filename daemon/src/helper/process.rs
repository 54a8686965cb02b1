//! The helper process, from its first moment to its last: `tegatad --helper`, with the daemon at the other end of its stdin.

use super::frame;
use super::message::{Answer, Operation, Request};
use super::run::Runner;
use super::tokens::Tokens;
use super::{Bytes, Fault};
use crate::harden::{self, HardenError};
use std::io::{self, Write};
use std::os::fd::AsFd;
use std::os::unix::net::UnixStream;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use zeroize::Zeroizing;

/// What it is called in a list of processes (at most 15 bytes, prctl(2), PR_SET_NAME).
const NAME: &std::ffi::CStr = c"tegatad-helper";

/// How many things are done at the same time.
const MOST_AT_ONCE: usize = 32;

/// Why the helper process cannot be what it is for.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ServeError {
    /// Somebody else than a daemon started it.
    #[error("--helper is for tegatad itself: it talks to the daemon that started it")]
    NoDaemon,
    /// It could not be made what it must be.
    #[error(transparent)]
    Harden(#[from] HardenError),
    /// What the daemon sent could not be read, or the answer not be sent.
    #[error("the helper lost its daemon: {0}")]
    Lost(#[from] io::Error),
}

/// Serves the daemon until it closes its end, which the kernel does for a daemon that was killed. The process is hardened
/// already, has one thread, and an environment that was made for it.
///
/// # Errors
/// [`ServeError`].
pub(crate) fn main() -> Result<(), ServeError> {
    harden::close_inherited(3)?;
    let stdin = io::stdin().as_fd().try_clone_to_owned()?;
    let daemon = UnixStream::from(stdin);
    daemon.peer_addr().map_err(|_| ServeError::NoDaemon)?;
    // A session of its own: a Ctrl-C meant for the daemon is the daemon's, and no program it runs has a terminal to ask on.
    harden::detach()?;
    // For people who look at processes; without it, the name is that of a link in /proc.
    let _ = rustix::thread::set_name(NAME);
    Ok(serve(daemon)?)
}

/// Does what is asked for until there is nobody to ask; then nothing it started is left.
pub(crate) fn serve(mut daemon: UnixStream) -> io::Result<()> {
    let desk = Arc::new(Desk {
        to: Mutex::new(daemon.try_clone()?),
        runner: Runner::default(),
        tokens: Tokens::default(),
        busy: AtomicUsize::new(0),
    });
    let served = requests(&mut daemon, &desk);
    desk.runner.end();
    served
}

fn requests(daemon: &mut UnixStream, desk: &Arc<Desk>) -> io::Result<()> {
    while let Some(frame) = frame::read(daemon)? {
        let request: Request = frame.head()?;
        desk.take(request, frame.payload)?;
    }
    Ok(())
}

/// What the threads of the helper share.
#[derive(Debug)]
struct Desk {
    to: Mutex<UnixStream>,
    runner: Runner,
    tokens: Tokens,
    busy: AtomicUsize,
}

impl Desk {
    /// Does what was asked on a thread of its own, so that the end of the daemon is noticed meanwhile.
    fn take(self: &Arc<Self>, Request { id, operation }: Request, input: Bytes) -> io::Result<()> {
        if self.busy.fetch_add(1, Ordering::SeqCst) >= MOST_AT_ONCE {
            self.busy.fetch_sub(1, Ordering::SeqCst);
            return self.answer(id, Err(Fault::Busy));
        }
        let desk = Arc::clone(self);
        let work = move || {
            let done = desk.perform(&operation, &input);
            desk.busy.fetch_sub(1, Ordering::SeqCst);
            // Nobody to tell it to: the reading thread learns the same and ends the process.
            let _ = desk.answer(id, done);
        };
        std::thread::Builder::new().name("operation".to_owned()).spawn(work).map(drop)
    }

    fn perform(&self, operation: &Operation, input: &Bytes) -> Result<Bytes, Fault> {
        match operation {
            Operation::Run { command, seconds } => self.runner.run(command, Duration::from_secs(*seconds)),
            Operation::TokenCertificates { module, object } => self.tokens.certificates(module, object),
            Operation::TokenSign { module, object } => self.tokens.sign(module, object, input),
            Operation::TokenOpen { module, object } => self.tokens.open(module, object, input),
            Operation::TokensClose => Ok(self.tokens.close()),
        }
    }

    fn answer(&self, id: u64, done: Result<Bytes, Fault>) -> io::Result<()> {
        let (fault, payload) = match done {
            Ok(output) => (None, output),
            Err(fault) => (Some(fault), Zeroizing::default()),
        };
        let frame = frame::encode(&Answer { id, fault }, &payload)?;
        self.to.lock().unwrap_or_else(PoisonError::into_inner).write_all(&frame)
    }
}
