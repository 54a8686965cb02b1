//! The socket of the real `tegatad`: one daemon, its permissions, a socket that goes away, a socket passed to it.

use std::io::{Read, Write};
use std::os::fd::OwnedFd;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

/// How long to wait for what must come.
const DEADLINE: Duration = Duration::from_secs(60);

/// A private home with a store in memory.
struct Home(tempfile::TempDir);

impl Home {
    fn new() -> Self {
        let home = Self(tempfile::tempdir().unwrap());
        std::fs::create_dir_all(home.at("config/tegata")).unwrap();
        std::fs::create_dir(home.at("runtime")).unwrap();
        std::fs::write(home.at("config/tegata/config.toml"), "store = \"memory\"\n").unwrap();
        home
    }

    fn at(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn socket(&self) -> PathBuf {
        self.at("runtime/tegata/tegata.sock")
    }

    /// A shell command, in which `$TEGATAD` is the daemon.
    fn command(&self, script: &str) -> Command {
        let mut command = Command::new("/bin/sh");
        command.args(["-c", script]).env_clear().env("TEGATAD", env!("CARGO_BIN_EXE_tegatad"));
        command.env("HOME", self.0.path()).env("XDG_RUNTIME_DIR", self.at("runtime"));
        command.env("XDG_CONFIG_HOME", self.at("config")).env("XDG_STATE_HOME", self.at("state"));
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        command
    }

    fn start(&self, script: &str) -> Running {
        Running(self.command(script).spawn().unwrap())
    }
}

/// A daemon that is killed when the test is over.
struct Running(Child);

impl Running {
    fn has_ended(&mut self) -> Option<ExitStatus> {
        self.0.try_wait().unwrap()
    }

    fn ends(&mut self) -> ExitStatus {
        wait_for("the daemon ends", || self.has_ended())
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn wait_for<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    #[allow(clippy::disallowed_methods, reason = "a deadline for a process that runs on the real clock")]
    let begin = Instant::now();
    loop {
        if let Some(seen) = look() {
            return seen;
        }
        assert!(begin.elapsed() < DEADLINE, "{what} does not come");
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// Asks for a resource, waiting until a daemon answers.
fn ask(socket: &Path, method: &str, resource: &str) -> String {
    let mut stream = wait_for("a daemon that answers", || UnixStream::connect(socket).ok());
    stream.set_read_timeout(Some(DEADLINE)).unwrap();
    write!(stream, "{method} {resource} HTTP/1.1\r\nconnection: close\r\n\r\n").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

fn mode(path: &Path) -> u32 {
    std::fs::symlink_metadata(path).unwrap().mode() & 0o7777
}

#[test]
fn a1_the_daemons_files_are_private_whatever_mask_it_was_started_with() {
    let home = Home::new();
    let _daemon = home.start("umask 000; exec \"$TEGATAD\"");
    assert!(ask(&home.socket(), "GET", "/v1/status").starts_with("HTTP/1.1 200"));
    assert_eq!((mode(&home.socket()), mode(&home.at("runtime/tegata"))), (0o600, 0o700));
    assert_eq!(mode(&home.at("state/tegata")), 0o700);
    for entry in std::fs::read_dir(home.at("state/tegata")).unwrap() {
        let path = entry.unwrap().path();
        assert_eq!(mode(&path) & 0o077, 0, "{}", path.display());
    }
}

#[test]
fn a_daemon_that_does_not_start_has_never_listened() {
    for _ in 0..20 {
        let home = Home::new();
        let settings = "store = \"memory\"\n[http]\nca_bundle = \"/nowhere/ca.pem\"\n";
        std::fs::write(home.at("config/tegata/config.toml"), settings).unwrap();
        let mut daemon = home.start("exec \"$TEGATAD\"");
        // Without a pause: what must not be would last a moment.
        let ended = wait_for("the daemon's end", || {
            (0..100_000).find_map(|_| {
                assert!(UnixStream::connect(home.socket()).is_err(), "somebody was let in");
                daemon.has_ended()
            })
        });
        assert_eq!((ended.code(), home.socket().exists()), (Some(13), false));
    }
}

#[test]
fn a10_of_daemons_started_together_one_stays_and_the_others_end_well() {
    for round in 0..20 {
        let home = Home::new();
        let mut daemons: Vec<Running> = (0..3).map(|_| home.start("exec \"$TEGATAD\"")).collect();
        assert!(ask(&home.socket(), "GET", "/v1/status").starts_with("HTTP/1.1 200"));
        let ended = wait_for("the losers' end", || {
            let ended: Vec<ExitStatus> = daemons.iter_mut().filter_map(Running::has_ended).collect();
            (ended.len() >= 2).then_some(ended)
        });
        assert!(ended.len() == 2 && ended.iter().all(ExitStatus::success), "round {round}: {ended:?}");
    }
}

#[test]
fn a11_a_daemon_whose_socket_was_deleted_ends_and_the_next_one_serves() {
    let home = Home::new();
    let mut first = home.start("exec \"$TEGATAD\"");
    ask(&home.socket(), "GET", "/v1/status");
    std::fs::remove_file(home.socket()).unwrap();
    let _next = home.start("exec \"$TEGATAD\"");
    assert!(first.ends().success());
    assert!(ask(&home.socket(), "GET", "/v1/status").starts_with("HTTP/1.1 200"));
}

#[test]
fn a9_a_killed_daemons_socket_is_replaced() {
    let home = Home::new();
    let first = home.start("exec \"$TEGATAD\"");
    ask(&home.socket(), "GET", "/v1/status");
    drop(first);
    assert!(home.socket().exists() && UnixStream::connect(home.socket()).is_err());
    let _next = home.start("exec \"$TEGATAD\"");
    assert!(ask(&home.socket(), "GET", "/v1/status").starts_with("HTTP/1.1 200"));
}

#[test]
fn a_daemon_that_is_told_to_end_answers_first_and_takes_its_socket_along() {
    let home = Home::new();
    let mut daemon = home.start("exec \"$TEGATAD\"");
    assert!(ask(&home.socket(), "DELETE", "/v1/daemon").starts_with("HTTP/1.1 200"));
    assert!(daemon.ends().success());
    assert!(!home.socket().exists());
}

#[test]
fn a_socket_passed_by_a_service_manager_is_served_and_left_in_place() {
    let home = Home::new();
    let passed = home.at("runtime/passed.sock");
    let listener = UnixListener::bind(&passed).unwrap();
    std::fs::set_permissions(&passed, std::fs::Permissions::from_mode(0o600)).unwrap();
    let mut command = home.command("LISTEN_PID=$$ LISTEN_FDS=1 exec \"$TEGATAD\" 3<&0 0</dev/null");
    let mut daemon = Running(command.stdin(OwnedFd::from(listener)).spawn().unwrap());
    drop(command);
    assert!(ask(&passed, "GET", "/v1/status").starts_with("HTTP/1.1 200"));
    assert!(!home.socket().exists());
    ask(&passed, "DELETE", "/v1/daemon");
    assert!(daemon.ends().success());
    assert!(passed.exists());
}

#[test]
fn a_descriptor_that_was_passed_to_another_process_is_not_taken_for_the_socket() {
    let home = Home::new();
    let listener = UnixListener::bind(home.at("runtime/passed.sock")).unwrap();
    let mut command = home.command("LISTEN_PID=1 LISTEN_FDS=1 exec \"$TEGATAD\" 3<&0 0</dev/null");
    let _daemon = Running(command.stdin(OwnedFd::from(listener)).spawn().unwrap());
    assert!(ask(&home.socket(), "GET", "/v1/status").starts_with("HTTP/1.1 200"));
}

#[test]
fn d13_status_names_the_variables_the_daemon_ignores() {
    let home = Home::new();
    let script = "AWS_ENDPOINT_URL_STS=http://evil.test HTTPS_PROXY=http://CANARY.test exec \"$TEGATAD\"";
    let _daemon = home.start(script);
    let status = ask(&home.socket(), "GET", "/v1/status");
    assert!(status.contains("AWS_ENDPOINT_URL_STS, HTTPS_PROXY"), "{status}");
    assert!(!status.contains("CANARY"));
}
