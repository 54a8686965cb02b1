//! A door with a scripted handler behind it, and a client that writes bytes and reads answers.

use bytes::Bytes;
use http::{Request, Response};
use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tegata_daemon::caller::{Caller, PeerError};
use tegata_daemon::serve::Answer;
use tegata_daemon::serve::door::{Door, Limits};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::{Semaphore, oneshot};
use tokio::task::JoinHandle;

/// What the handler behind the door saw and is told.
#[derive(Debug)]
pub(crate) struct Script {
    /// Requests that came through, as `METHOD target length-of-body`.
    pub(crate) seen: Mutex<Vec<String>>,
    /// Peers that were sent away.
    pub(crate) refused: Mutex<Vec<PeerError>>,
    /// `/hold` waits for one permit.
    pub(crate) release: Semaphore,
    /// How often the answer to `/secret` was given back after use.
    pub(crate) dropped: AtomicUsize,
    /// How many requests are being held.
    pub(crate) held: Semaphore,
}

impl Default for Script {
    fn default() -> Self {
        Self {
            seen: Mutex::default(),
            refused: Mutex::default(),
            dropped: AtomicUsize::new(0),
            release: Semaphore::new(0),
            held: Semaphore::new(0),
        }
    }
}

/// Stands for bytes that are wiped when dropped.
struct Secret(Arc<Script>);

impl AsRef<[u8]> for Secret {
    fn as_ref(&self) -> &[u8] {
        b"secret"
    }
}

impl Drop for Secret {
    fn drop(&mut self) {
        self.0.dropped.fetch_add(1, Ordering::SeqCst);
    }
}

#[derive(Clone, Debug)]
struct Handler(Arc<Script>);

impl Answer for Handler {
    async fn answer(&self, caller: &Caller, request: Request<Bytes>) -> Response<Bytes> {
        let (head, body) = request.into_parts();
        let seen = format!("{} {} {}", head.method, head.uri, body.len());
        self.0.seen.lock().unwrap().push(seen.clone());
        Response::new(match head.uri.path() {
            "/hold" => {
                self.0.held.add_permits(1);
                self.0.release.acquire().await.unwrap().forget();
                Bytes::from("held")
            }
            "/who" => Bytes::from(caller.process.pid.to_string()),
            "/uid" => Bytes::from(caller.uid.to_string()),
            "/secret" => Bytes::from_owner(Secret(self.0.clone())),
            "/panic" => {
                let held = tegata_protocol::Secret::new(String::from_utf8_lossy(&body).into_owned());
                panic!("no way out: {held:?} of {caller:?}")
            }
            "/large" => Bytes::from(vec![b'L'; 4 << 20]),
            _ => Bytes::from(seen),
        })
    }

    fn refused(&self, refusal: &PeerError) {
        self.0.refused.lock().unwrap().push(refusal.clone());
    }
}

/// An open door.
#[derive(Debug)]
pub(crate) struct Doorway {
    directory: tempfile::TempDir,
    pub(crate) script: Arc<Script>,
    shutdown: Option<oneshot::Sender<()>>,
    door: JoinHandle<()>,
}

pub(crate) fn own_uid() -> u32 {
    rustix::process::geteuid().as_raw()
}

impl Doorway {
    pub(crate) fn open() -> Self {
        Self::of(own_uid(), Limits::default())
    }

    pub(crate) fn of(uid: u32, limits: Limits) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let listener = UnixListener::bind(directory.path().join("s")).unwrap();
        Self::behind(listener, directory, uid, limits)
    }

    /// Opens a door at a listener that is already bound at `directory`/s.
    pub(crate) fn behind(listener: UnixListener, directory: tempfile::TempDir, uid: u32, limits: Limits) -> Self {
        let script = Arc::new(Script::default());
        let (shutdown, ends) = oneshot::channel();
        let door = Door::for_user(uid, Handler(script.clone()), limits);
        let door = tokio::spawn(door.run(listener, async move {
            let _ = ends.await;
        }));
        Self { directory, script, shutdown: Some(shutdown), door }
    }

    pub(crate) fn path(&self) -> PathBuf {
        self.directory.path().join("s")
    }

    pub(crate) async fn connect(&self) -> Client {
        Client(UnixStream::connect(self.path()).await.unwrap())
    }

    /// Connects, sends, and returns everything that comes back until the door hangs up.
    pub(crate) async fn send(&self, bytes: impl AsRef<[u8]>) -> String {
        let mut client = self.connect().await;
        client.write(bytes).await;
        client.rest().await
    }

    /// Asks for a path on a connection of its own.
    pub(crate) async fn get(&self, path: &str) -> Reply {
        let mut client = self.connect().await;
        client.write(format!("GET {path} HTTP/1.1\r\n\r\n")).await;
        client.reply().await
    }

    /// Waits until the handler holds one more request.
    pub(crate) async fn held(&self) {
        self.script.held.acquire().await.unwrap().forget();
    }

    /// Lets one held request go.
    pub(crate) fn release(&self) {
        self.script.release.add_permits(1);
    }

    pub(crate) fn begin_to_close(&mut self) {
        let _ = self.shutdown.take().unwrap().send(());
    }

    /// Waits until the door is shut.
    pub(crate) async fn closed(self) {
        self.door.await.unwrap();
    }

    pub(crate) fn refused(&self) -> Vec<PeerError> {
        self.script.refused.lock().unwrap().clone()
    }
}

/// How long to wait for what must come.
const DEADLINE: Duration = Duration::from_secs(60);

/// One connection to a door.
#[derive(Debug)]
pub(crate) struct Client(pub(crate) UnixStream);

/// One answer.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) head: String,
    pub(crate) body: String,
}

impl Client {
    /// Writes; the door may hang up meanwhile.
    pub(crate) async fn write(&mut self, bytes: impl AsRef<[u8]>) {
        let _ = self.0.write_all(bytes.as_ref()).await;
    }

    /// Reads until the door hangs up. A door that closes with unread bytes resets the connection (unix(7)); what it said before that
    /// is read all the same.
    pub(crate) async fn rest(&mut self) -> String {
        let (mut rest, mut chunk) = (Vec::new(), [0; 4096]);
        let read = async {
            while let Ok(length @ 1..) = self.0.read(&mut chunk).await {
                rest.extend_from_slice(&chunk[..length]);
            }
        };
        let hung_up = tokio::time::timeout(DEADLINE, read).await.is_ok();
        let rest = String::from_utf8(rest).unwrap();
        assert!(hung_up, "the door says {rest:.300?} and does not hang up");
        rest
    }

    /// Reads one answer with a Content-Length.
    pub(crate) async fn reply(&mut self) -> Reply {
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            head.push(tokio::time::timeout(DEADLINE, self.0.read_u8()).await.expect("no answer comes").unwrap());
        }
        let head = String::from_utf8(head).unwrap().to_lowercase();
        let length = head.split("content-length: ").nth(1).unwrap().split("\r\n").next().unwrap();
        let mut body = vec![0; length.parse().unwrap()];
        self.0.read_exact(&mut body).await.unwrap();
        Reply { status: head[9..12].parse().unwrap(), head, body: String::from_utf8(body).unwrap() }
    }
}

/// The status of an answer as text.
pub(crate) fn status(answer: &str) -> u16 {
    answer.get(9..12).and_then(|digits| digits.parse().ok()).unwrap_or_else(|| panic!("no status in {answer:?}"))
}

/// A request head of exactly `length` bytes.
pub(crate) fn head_of(length: usize) -> String {
    let (begin, end) = ("GET /x HTTP/1.1\r\nx: ", "\r\n\r\n");
    format!("{begin}{}{end}", "a".repeat(length - begin.len() - end.len()))
}
