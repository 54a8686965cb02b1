//! The local socket and other users (security.md A2, A3, A4, A8, A14, A16): `make test-root`.
//!
//! Another user is a thread of this process with other credentials: on Linux they belong to the thread, and the kernel judges
//! and notes those of the thread that calls.
#![cfg(feature = "root")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "this is a test")]

use bytes::Bytes;
use http::{Request, Response};
use rustix::process::{Gid, Uid};
use std::io::{ErrorKind, Read, Write};
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use tegata_daemon::caller::{Caller, PeerError};
use tegata_daemon::environment::Places;
use tegata_daemon::instance::{Instance, InstanceError, SocketError, Start};
use tegata_daemon::serve::Answer;
use tegata_daemon::serve::door::{Door, Limits};

const ROOT: u32 = 0;
const NOBODY: u32 = 65534;

/// Runs `work` as another user, in a thread of its own that can become root again.
fn as_user<T: Send>(uid: u32, work: impl FnOnce() -> T + Send) -> T {
    std::thread::scope(|scope| {
        let thread = scope.spawn(|| {
            become_user(uid);
            work()
        });
        thread.join().unwrap()
    })
}

fn become_user(uid: u32) {
    rustix::thread::set_thread_groups(&[]).unwrap();
    let (user, group) = (Uid::from_raw(uid), Gid::from_raw(uid));
    rustix::thread::set_thread_res_gid(group, group, Gid::ROOT).unwrap();
    rustix::thread::set_thread_res_uid(user, user, Uid::ROOT).unwrap();
}

fn become_root_again() {
    rustix::thread::set_thread_res_uid(Uid::ROOT, Uid::ROOT, Uid::ROOT).unwrap();
}

fn chmod(path: &Path, mode: u32) {
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
}

/// A home that other users can walk into, so that only what the daemon makes keeps them out.
struct Home {
    _root: tempfile::TempDir,
    places: Places,
}

impl Home {
    fn new() -> Self {
        let root = tempfile::tempdir().unwrap();
        chmod(root.path(), 0o755);
        let at = |name: &str| root.path().join(name);
        let places = Places {
            home: at("home"),
            runtime_dir: None,
            socket: at("run/tegata.sock"),
            state_dir: at("state"),
            config_toml: at("config.toml"),
            aws_config: at("config"),
        };
        Self { _root: root, places }
    }

    fn socket(&self) -> &Path {
        &self.places.socket
    }

    fn directory(&self) -> &Path {
        self.socket().parent().unwrap()
    }

    fn start(&self) -> Result<Start, InstanceError> {
        Instance::start(&self.places, None, ROOT)
    }

    fn first(&self) -> Instance {
        let Start::First(instance) = self.start().unwrap() else { panic!("somebody else runs here") };
        instance
    }
}

/// Answers with the caller's uid, and writes down who was sent away.
#[derive(Clone, Default)]
struct Handler(Arc<Mutex<Vec<PeerError>>>);

impl Answer for Handler {
    async fn answer(&self, caller: &Caller, _request: Request<Bytes>) -> Response<Bytes> {
        Response::new(Bytes::from(format!("uid {}", caller.uid)))
    }

    fn refused(&self, refusal: &PeerError) {
        self.0.lock().unwrap().push(refusal.clone());
    }
}

/// A daemon's socket and door, open to one user.
struct Daemon {
    home: Home,
    _instance: Instance,
    handler: Handler,
    _runtime: tokio::runtime::Runtime,
}

impl Daemon {
    fn serving(uid: u32) -> Self {
        let home = Home::new();
        let mut instance = home.first();
        let handler = Handler::default();
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let _inside = runtime.enter();
        let listener = tokio::net::UnixListener::from_std(instance.listen().unwrap().unwrap()).unwrap();
        let door = Door::for_user(uid, handler.clone(), Limits::default());
        runtime.spawn(door.run(listener, std::future::pending()));
        Self { home, _instance: instance, handler, _runtime: runtime }
    }

    /// Lets everybody connect, as a mistake of somebody's would.
    fn opened_to_all(self) -> Self {
        chmod(self.home.directory(), 0o755);
        chmod(self.home.socket(), 0o666);
        self
    }

    fn socket(&self) -> PathBuf {
        self.home.socket().to_owned()
    }

    fn refused(&self) -> Vec<PeerError> {
        self.handler.0.lock().unwrap().clone()
    }
}

/// Asks on a connection and returns everything that comes back.
fn ask(mut stream: UnixStream) -> String {
    let mut answer = String::new();
    let _ = stream.write_all(b"GET /x HTTP/1.1\r\nconnection: close\r\n\r\n");
    let _ = stream.read_to_string(&mut answer);
    answer
}

#[test]
fn a2_another_user_cannot_connect_for_the_directory_and_not_for_the_socket_alone() {
    let daemon = Daemon::serving(ROOT);
    let connect = || as_user(NOBODY, || UnixStream::connect(daemon.socket()).map(|_| ()).map_err(|error| error.kind()));
    assert_eq!(connect(), Err(ErrorKind::PermissionDenied), "the directory keeps them out");
    chmod(daemon.home.directory(), 0o755);
    assert_eq!(connect(), Err(ErrorKind::PermissionDenied), "the socket keeps them out without the directory");
    chmod(daemon.home.directory(), 0o700);
    chmod(&daemon.socket(), 0o666);
    assert_eq!(connect(), Err(ErrorKind::PermissionDenied), "the directory keeps them out without the socket");
    assert!(daemon.refused().is_empty());
}

#[test]
fn a2_twin_the_user_connects() {
    let daemon = Daemon::serving(ROOT);
    assert!(ask(UnixStream::connect(daemon.socket()).unwrap()).ends_with("uid 0"));
}

#[test]
fn a3_another_user_that_gets_to_the_socket_gets_no_byte_and_is_written_down() {
    let daemon = Daemon::serving(ROOT).opened_to_all();
    let answer = as_user(NOBODY, || ask(UnixStream::connect(daemon.socket()).unwrap()));
    assert_eq!(answer, "");
    assert_eq!(daemon.refused(), [PeerError::Foreign { uid: NOBODY, pid: std::process::id() }]);
}

#[test]
fn a3_twin_the_user_is_served_through_the_same_open_socket() {
    let daemon = Daemon::serving(ROOT).opened_to_all();
    assert!(ask(UnixStream::connect(daemon.socket()).unwrap()).ends_with("uid 0"));
    assert!(daemon.refused().is_empty());
}

#[test]
fn a4_a_directory_that_another_user_made_first_is_refused() {
    let home = Home::new();
    std::fs::create_dir(home.directory()).unwrap();
    chown(home.directory(), Some(NOBODY), None).unwrap();
    let error = home.start().unwrap_err().to_string();
    assert!(error.contains("belongs to user 65534"), "{error}");
    assert_eq!(std::fs::metadata(home.directory()).unwrap().uid(), NOBODY);
}

#[test]
fn a8_a_socket_another_user_already_listens_on_is_refused_and_stays() {
    let home = Home::new();
    std::fs::create_dir(home.directory()).unwrap();
    chmod(home.directory(), 0o1777);
    let attacker = as_user(NOBODY, || UnixListener::bind(home.socket()).unwrap());
    chmod(home.directory(), 0o700);
    let error = home.start().unwrap_err();
    let InstanceError::Socket(SocketError::Foreign { owner: NOBODY, uid: ROOT, .. }) = error else { panic!("{error}") };
    assert!(home.socket().exists());
    drop(attacker);
}

#[test]
fn a8_who_listens_counts_and_not_only_whose_the_file_is() {
    let home = Home::new();
    std::fs::create_dir(home.directory()).unwrap();
    chmod(home.directory(), 0o1777);
    let attacker = as_user(NOBODY, || UnixListener::bind(home.socket()).unwrap());
    chown(home.socket(), Some(ROOT), Some(ROOT)).unwrap();
    chmod(home.directory(), 0o700);
    let error = home.start().unwrap_err();
    let InstanceError::Socket(SocketError::Foreign { owner: NOBODY, .. }) = error else { panic!("{error}") };
    drop(attacker);
}

#[test]
fn a8_twin_a_stale_socket_of_ones_own_is_replaced() {
    let home = Home::new();
    std::fs::create_dir(home.directory()).unwrap();
    chmod(home.directory(), 0o700);
    drop(UnixListener::bind(home.socket()).unwrap());
    drop(home.first());
}

#[test]
fn a14_root_is_another_user_to_a_daemon_that_is_not_roots() {
    let daemon = Daemon::serving(NOBODY).opened_to_all();
    assert_eq!(ask(UnixStream::connect(daemon.socket()).unwrap()), "");
    assert_eq!(daemon.refused(), [PeerError::Foreign { uid: ROOT, pid: std::process::id() }]);
}

#[test]
fn a14_twin_that_daemon_serves_its_own_user() {
    let daemon = Daemon::serving(NOBODY).opened_to_all();
    let answer = as_user(NOBODY, || ask(UnixStream::connect(daemon.socket()).unwrap()));
    assert!(answer.ends_with("uid 65534"), "{answer}");
}

#[test]
fn a16_who_becomes_the_user_after_connecting_is_still_who_connected() {
    let daemon = Daemon::serving(ROOT).opened_to_all();
    let answer = as_user(NOBODY, || {
        let stream = UnixStream::connect(daemon.socket()).unwrap();
        become_root_again();
        ask(stream)
    });
    assert_eq!(answer, "");
    assert_eq!(daemon.refused(), [PeerError::Foreign { uid: NOBODY, pid: std::process::id() }]);
}

#[test]
fn a16_twin_the_user_who_becomes_somebody_else_after_connecting_is_still_served() {
    let daemon = Daemon::serving(ROOT);
    let answer = as_user(ROOT, || {
        let stream = UnixStream::connect(daemon.socket()).unwrap();
        become_user(NOBODY);
        ask(stream)
    });
    assert!(answer.ends_with("uid 0"), "{answer}");
}
