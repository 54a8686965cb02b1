//! The credentials endpoint that `exec` owns for its child: HTTP on 127.0.0.1, one path, one token, one profile.
//!
//! The protocol is that of containers (AWS SDKs and Tools Reference Guide, "Container credential provider"). Nothing is kept here:
//! every request that is let in is asked of the daemon, so a daemon that was restarted is simply asked anew. It ends with the process.
//! It must not know where credentials come from.

mod answer;
mod head;
mod places;
mod rules;

use crate::environment::Deadline;
use crate::failure::Failure;
use crate::http::Response;
use crate::random;
use answer::Answer;
use head::Request;
use places::Places;
use rules::Door;
use std::io::{self, ErrorKind, Read, Write};
use std::net::{Ipv4Addr, Shutdown, TcpListener, TcpStream};
use std::sync::Arc;
use std::time::Duration;
use tegata_protocol::{MAX_HEAD_BYTES, Secret};
use zeroize::Zeroizing;

/// How long a client may take to send its head; SDKs send it at once.
const HEAD_PATIENCE: Duration = Duration::from_secs(5);
/// How long a client may take to accept its answer.
const ANSWER_PATIENCE: Duration = Duration::from_secs(5);
/// Between two attempts to accept when the process has no descriptor left.
const WHEN_FULL: Duration = Duration::from_millis(20);
/// A connection needs little: a head, an answer, one exchange with the daemon.
const STACK: usize = 512 * 1024;

/// Asks for the credentials of the one profile, in the form of this endpoint.
pub(crate) type Source = dyn Fn() -> Result<Response, Failure> + Send + Sync;

/// An endpoint that listens. Its threads live as long as the process.
#[derive(Debug)]
pub(crate) struct Endpoint {
    /// `http://127.0.0.1:PORT/PATH`: the literal address, which every SDK takes and no name server decides about.
    pub(crate) url: String,
    /// What a client has to send in `Authorization`, 256 bits.
    pub(crate) token: Secret,
}

impl Endpoint {
    /// Listens on a port of the kernel's choice, on 127.0.0.1 alone.
    ///
    /// # Errors
    /// When the machine has no port, no randomness or no thread to give.
    pub(crate) fn open(source: Box<Source>) -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        let host = listener.local_addr()?.to_string();
        let (path, token) = (format!("/{}", random::hex::<16>()?.expose_secret()), random::hex::<32>()?);
        let url = format!("http://{host}{path}");
        let site = Arc::new(Site { door: Door::new(host, path, token.clone()), source, places: Places::default() });
        std::thread::Builder::new().name("endpoint".to_owned()).spawn(move || site.serve(&listener))?;
        Ok(Self { url, token })
    }
}

/// What every connection needs.
struct Site {
    door: Door,
    source: Box<Source>,
    places: Places,
}

impl Site {
    fn serve(self: &Arc<Self>, listener: &TcpListener) {
        loop {
            let Ok((stream, _)) = listener.accept() else {
                std::thread::sleep(WHEN_FULL);
                continue;
            };
            let Ok(place) = self.places.take(&stream) else { continue };
            let site = Arc::clone(self);
            let connection = move || {
                // A client that went away misses nothing.
                let _ = site.attend(&stream, place);
            };
            // Without a thread the connection closes, and the client tries again.
            let _ = std::thread::Builder::new().stack_size(STACK).spawn(connection);
        }
    }

    /// One request, one answer, and the end of the connection, whatever else was sent.
    fn attend(&self, stream: &TcpStream, place: places::Place) -> io::Result<()> {
        let received = receive(stream);
        // From here on it is no longer the client that is waited for.
        drop(place);
        let answer = match received {
            Ok(request) => self.answer(&request),
            Err(NoHead::Wrong(answer)) => answer,
            Err(NoHead::Broken(error)) => return Err(error),
        };
        stream.set_write_timeout(Some(ANSWER_PATIENCE))?;
        let mut writer = stream;
        writer.write_all(answer.head().as_bytes())?;
        writer.write_all(answer.body())?;
        finish(stream)
    }

    fn answer(&self, request: &Request) -> Answer {
        match self.door.judge(request) {
            Err(refusal) => Answer::refused(refusal),
            Ok(()) => match (self.source)() {
                Ok(response) => Answer::credentials(response),
                Err(failure) => Answer::failed(&failure),
            },
        }
    }
}

/// Why there is no request.
enum NoHead {
    /// What came is none, and this is said to it.
    Wrong(Answer),
    /// The connection failed, or took too long.
    Broken(io::Error),
}

fn receive(mut stream: &TcpStream) -> Result<Request, NoHead> {
    let deadline = Deadline::after(HEAD_PATIENCE);
    let (mut bytes, mut filled) = (Zeroizing::new(vec![0; MAX_HEAD_BYTES]), 0);
    loop {
        let left = deadline.left().ok_or_else(|| NoHead::Broken(ErrorKind::TimedOut.into()))?;
        stream.set_read_timeout(Some(left)).map_err(NoHead::Broken)?;
        match stream.read(bytes.get_mut(filled..).unwrap_or_default()) {
            Ok(0) if filled == bytes.len() => return Err(NoHead::Wrong(Answer::refused(rules::Refusal::TooLarge))),
            Ok(0) => return Err(NoHead::Broken(ErrorKind::UnexpectedEof.into())),
            Ok(count) => filled += count,
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(NoHead::Broken(error)),
        }
        match Request::parse(bytes.get(..filled).unwrap_or_default()) {
            Ok(Some(request)) => return Ok(request),
            Ok(None) => {}
            Err(refusal) => return Err(NoHead::Wrong(Answer::refused(refusal))),
        }
    }
}

/// Ends a connection so that the answer arrives: a close with unread bytes would reset it (RFC 9112, 9.6).
fn finish(mut stream: &TcpStream) -> io::Result<()> {
    stream.shutdown(Shutdown::Write)?;
    stream.set_read_timeout(Some(Duration::from_millis(100)))?;
    let mut rest = [0; 4096];
    // Bounded: whoever goes on sending is cut off all the same.
    for _ in 0..16 {
        if stream.read(&mut rest)? == 0 {
            break;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests;
