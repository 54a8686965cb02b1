//! An address on this machine that leads to a secret one, once.
//!
//! A browser is told its page by its arguments, which every program of this user can read, and on many systems every user. So what
//! it is told is this address: random, good for one request within two minutes, for a program of this user alone. What it leads to is
//! in the answer and nowhere else.

mod owner;
mod request;

use crate::environment::Deadline;
use crate::failure::{Failure, Kind};
use crate::random;
use crate::signals::Signals;
use request::{Asked, Request};
use std::io::{Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};
use std::thread::{self, Thread};
use std::time::Duration;
use tegata_protocol::Secret;

/// How long a browser may take to start.
pub(crate) const PATIENCE: Duration = Duration::from_secs(120);
/// How long one connection may take to say what it wants.
const CONNECTION_PATIENCE: Duration = Duration::from_secs(10);
/// Connections at the same time; browsers open some ahead.
const MOST_CONNECTIONS: usize = 16;
/// The longest head that is read.
const LONGEST_HEAD: usize = 16 * 1024;
/// How long a signal may go unnoticed.
const NOTICED_WITHIN: Duration = Duration::from_millis(100);

/// The address, while nobody has asked for it.
pub(crate) struct OneShot {
    listener: TcpListener,
    place: Place,
}

#[derive(Clone)]
struct Place {
    port: u16,
    secret: Secret,
    to: Secret,
}

/// What came of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Came {
    /// The browser has what it came for.
    Taken,
    /// A program of another user asked, and got nothing.
    Stranger,
}

impl OneShot {
    /// Opens an address that leads to `to`.
    pub(crate) fn leading_to(to: Secret) -> Result<Self, Failure> {
        let cannot = |what: &str| Failure::new(Kind::Failed, format!("cannot open an address on this machine: {what}"));
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).map_err(|error| cannot(&error.to_string()))?;
        let port = listener.local_addr().map_err(|error| cannot(&error.to_string()))?.port();
        let secret = random::hex::<32>().map_err(|error| cannot(&error.to_string()))?;
        Ok(Self { listener, place: Place { port, secret, to } })
    }

    /// Returns the address. It is a secret for as long as it is good.
    pub(crate) fn address(&self) -> String {
        format!("http://127.0.0.1:{}/{}", self.place.port, self.place.secret.expose_secret())
    }

    /// Serves until the address was taken, or `meanwhile`, asked ten times a second, or a signal ends it.
    pub(crate) fn serve(
        self,
        signals: &Signals,
        mut meanwhile: impl FnMut() -> Result<(), Failure>,
    ) -> Result<(), Failure> {
        let deadline = Deadline::after(PATIENCE);
        let came = Arc::new(OnceLock::new());
        let Self { listener, place } = self;
        let (seen, waiting) = (Arc::clone(&came), thread::current());
        thread::spawn(move || accept(&listener, &place, &seen, &waiting));
        loop {
            thread::park_timeout(NOTICED_WITHIN);
            match came.get() {
                Some(Came::Taken) => return Ok(()),
                Some(Came::Stranger) => {
                    return Err(Failure::new(
                        Kind::Failed,
                        "a program that is not known to be yours asked for the page in place of your browser, and got nothing",
                    ));
                }
                None => {}
            }
            if let Some(failure) = signals.failure() {
                return Err(failure);
            }
            meanwhile()?;
            deadline.left().ok_or_else(|| {
                Failure::new(Kind::Failed, format!("no browser came within {} s", PATIENCE.as_secs()))
            })?;
        }
    }
}

/// Takes connections, each in a thread of its own: browsers open some that they say nothing on. The first that comes to something
/// wakes whoever waits.
fn accept(listener: &TcpListener, place: &Place, came: &Arc<OnceLock<Came>>, waiting: &Thread) {
    let (taken, open) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicUsize::new(0)));
    for stream in listener.incoming().flatten() {
        if open.fetch_add(1, Ordering::SeqCst) >= MOST_CONNECTIONS {
            open.fetch_sub(1, Ordering::SeqCst);
            continue;
        }
        let (place, taken, open) = (place.clone(), Arc::clone(&taken), Arc::clone(&open));
        let (came, waiting) = (Arc::clone(came), waiting.clone());
        thread::spawn(move || {
            if let Some(outcome) = answer(stream, &place, &taken) {
                came.get_or_init(|| outcome);
                waiting.unpark();
            }
            open.fetch_sub(1, Ordering::SeqCst);
        });
    }
}

/// Answers one connection. Whoever is not this user gets no byte.
fn answer(mut stream: TcpStream, place: &Place, taken: &AtomicBool) -> Option<Came> {
    let (peer, own) = (stream.peer_addr().ok()?, stream.local_addr().ok()?);
    if !owner::is_this_user(peer.port(), own.port()) {
        return Some(Came::Stranger);
    }
    let head = read_head(&mut stream)?;
    let answer = match request::read(&head, place.port, &place.secret) {
        Asked::ThePage if taken.swap(true, Ordering::SeqCst) => request::gone(),
        Asked::ThePage => {
            let _ = stream.write_all(request::redirect(&place.to).expose_secret().as_bytes());
            return Some(Came::Taken);
        }
        Asked::Nothing => request::not_found(),
    };
    let _ = stream.write_all(answer.as_bytes());
    None
}

/// Reads a head, bounded in length and time.
fn read_head(stream: &mut TcpStream) -> Option<Request> {
    let deadline = Deadline::after(CONNECTION_PATIENCE);
    let mut head = Vec::new();
    let mut piece = [0_u8; 2 * 1024];
    while !head.windows(4).any(|window| window == b"\r\n\r\n") {
        stream.set_read_timeout(Some(deadline.left()?)).ok()?;
        let count = stream.read(&mut piece).ok().filter(|count| *count > 0)?;
        head.extend_from_slice(piece.get(..count)?);
        if head.len() > LONGEST_HEAD {
            return None;
        }
    }
    String::from_utf8(head).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn open() -> (String, u16, thread::JoinHandle<Result<(), String>>) {
        let to = Secret::new("https://signin.aws.amazon.com/federation?SigninToken=CANARY".to_owned());
        let page = OneShot::leading_to(to).unwrap();
        let (address, port) = (page.address(), page.place.port);
        let serving = thread::spawn(move || {
            let signals = Signals::catch().unwrap();
            page.serve(&signals, || Ok(())).map_err(|failure| failure.line().unwrap())
        });
        (address, port, serving)
    }

    fn ask(port: u16, head: &str) -> String {
        let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).unwrap();
        stream.write_all(head.as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer
    }

    fn get(port: u16, path: &str) -> String {
        ask(port, &format!("GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n\r\n"))
    }

    #[test]
    fn the_address_leads_to_the_secret_one_once() {
        let (address, port, serving) = open();
        let path = address.strip_prefix(&format!("http://127.0.0.1:{port}")).unwrap().to_owned();
        assert_eq!(path.len(), 65);
        assert!(get(port, "/").starts_with("HTTP/1.1 404") && get(port, "/favicon.ico").starts_with("HTTP/1.1 404"));
        let first = get(port, &path);
        assert!(first.starts_with("HTTP/1.1 302 Found\r\n") && first.contains("SigninToken=CANARY\r\n"), "{first}");
        assert!(
            first.contains("\r\nReferrer-Policy: no-referrer\r\n") && first.contains("\r\nCache-Control: no-store\r\n")
        );
        assert_eq!(serving.join().unwrap(), Ok(()));
        let second = get(port, &path);
        assert!(second.starts_with("HTTP/1.1 410") && !second.contains("CANARY"), "{second}");
    }

    #[test]
    fn c2_a_request_by_another_name_gets_nothing_and_spends_nothing() {
        let (address, port, serving) = open();
        let path = address.strip_prefix(&format!("http://127.0.0.1:{port}")).unwrap().to_owned();
        for head in [
            format!("GET {path} HTTP/1.1\r\nHost: evil.example:{port}\r\n\r\n"),
            format!("GET {path} HTTP/1.1\r\n\r\n"),
            format!("GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nHost: 127.0.0.1:{port}\r\n\r\n"),
            format!("HEAD {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n\r\n"),
            format!("POST {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n\r\n"),
            format!("GET {path}x HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n\r\n"),
            format!("GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nOrigin: http://evil.example\r\n\r\n"),
            "\r\n\r\n".to_owned(),
        ] {
            let answer = ask(port, &head);
            assert!(answer.starts_with("HTTP/1.1 404") && !answer.contains("CANARY"), "{head}: {answer}");
        }
        assert!(get(port, &path).starts_with("HTTP/1.1 302"));
        assert_eq!(serving.join().unwrap(), Ok(()));
    }

    #[test]
    fn a_connection_that_says_nothing_keeps_nobody_waiting() {
        let (address, port, serving) = open();
        let path = address.strip_prefix(&format!("http://127.0.0.1:{port}")).unwrap().to_owned();
        let silent: Vec<_> = (0..4).map(|_| TcpStream::connect((Ipv4Addr::LOCALHOST, port)).unwrap()).collect();
        assert!(get(port, &path).starts_with("HTTP/1.1 302"));
        assert_eq!(serving.join().unwrap(), Ok(()));
        drop(silent);
    }

    #[test]
    fn what_goes_wrong_meanwhile_ends_it() {
        let page = OneShot::leading_to(Secret::new("https://x".to_owned())).unwrap();
        let signals = Signals::catch().unwrap();
        let ended = page.serve(&signals, || Err(Failure::new(Kind::Failed, "the browser is gone")));
        assert_eq!(ended.unwrap_err().line().as_deref(), Some("tegata: the browser is gone"));
    }
}
