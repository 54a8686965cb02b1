//! The daemon of a user who is not root: what others, and other programs of the same user, can do to it.
#![cfg(feature = "root")]
#![allow(clippy::unwrap_used, clippy::panic, reason = "this is a test")]

use std::fs;
use std::os::unix::fs::{PermissionsExt, chown};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use tegata_tests::product::{Ended, Product, run, wait_until};
use tegata_tests::program;

const NOBODY: u32 = 65534;
const OTHER: u32 = 65533;

/// A product whose home and daemon belong to `nobody`.
struct Nobodys {
    product: Product,
    daemon: Child,
}

fn give_away(path: &Path) {
    chown(path, Some(NOBODY), Some(NOBODY)).unwrap();
    if path.is_dir() {
        fs::read_dir(path).unwrap().for_each(|entry| give_away(&entry.unwrap().path()));
    }
}

impl Nobodys {
    fn running() -> Self {
        let product = Product::new();
        fs::create_dir(product.path("bin")).unwrap();
        for name in ["tegata", "tegatad"] {
            // By a program of its own: a child of another test that holds the copy open for writing keeps it from running.
            let copied = run(product.command("cp").arg(program(name)).arg(product.path("bin")));
            assert_eq!(copied.code, 0, "{copied:?}");
        }
        give_away(&product.path(""));
        let mut command = as_user(&product, NOBODY, &product.path("bin/tegatad"), &[]);
        let daemon = command.stderr(Stdio::null()).spawn().unwrap();
        wait_until("the daemon listens", || product.socket().exists());
        Self { product, daemon }
    }

    fn by(&self, uid: u32, words: &[&str]) -> Ended {
        run(&mut as_user(&self.product, uid, &self.product.path("bin/tegata"), words))
    }

    /// Asks with a program that does not look whose socket it is.
    fn curl_by(&self, uid: u32) -> Ended {
        let options = ["-s", "--max-time", "20", "--unix-socket"];
        let mut curl = as_user(&self.product, uid, &PathBuf::from("curl"), &options);
        run(curl.arg(self.product.socket()).arg("http://x/v1/status"))
    }

    fn open_to_all(&self) {
        for (path, mode) in [("", 0o755), ("run", 0o755), ("run/tegata", 0o755), ("run/tegata/tegata.sock", 0o666)] {
            fs::set_permissions(self.product.path(path), fs::Permissions::from_mode(mode)).unwrap();
        }
    }
}

impl Drop for Nobodys {
    fn drop(&mut self) {
        let _ = self.daemon.kill();
        let _ = self.daemon.wait();
    }
}

fn as_user(product: &Product, uid: u32, program: &PathBuf, words: &[&str]) -> Command {
    let mut command = product.command("setpriv");
    command.arg(format!("--reuid={uid}")).arg(format!("--regid={uid}")).arg("--clear-groups").arg(program).args(words);
    command
}

#[test]
fn a2_another_user_is_kept_out_of_the_socket() {
    let home = Nobodys::running();
    fs::set_permissions(home.product.path(""), fs::Permissions::from_mode(0o755)).unwrap();
    fs::set_permissions(home.product.path("run"), fs::Permissions::from_mode(0o755)).unwrap();
    let mut shell = as_user(&home.product, OTHER, &PathBuf::from("/bin/sh"), &[]);
    let reach = format!("test -S {}", home.product.socket().display());
    assert_ne!(run(shell.args(["-c", &reach])).code, 0, "the directory shows its content");
}

#[test]
fn a3_another_user_at_an_opened_socket_is_refused_and_written_down() {
    let home = Nobodys::running();
    home.open_to_all();
    let ended = home.by(OTHER, &["daemon", "status"]);
    assert_eq!((ended.code, ended.stdout.as_str()), (16, ""), "{ended:?}");
    let curl = home.curl_by(OTHER);
    assert_eq!(curl.stdout, "", "{curl:?}");
    let refused = |record: &serde_json::Value| record["event"].as_str().is_some_and(|event| event.contains("peer"));
    wait_until("the record is written", || home.product.audit().iter().any(refused));
}

#[test]
fn a3_twin_its_own_user_is_served() {
    let home = Nobodys::running();
    home.open_to_all();
    assert!(home.curl_by(NOBODY).stdout.contains("started_at"));
    let ended = home.by(NOBODY, &["daemon", "status"]);
    assert_eq!(ended.code, 0, "{ended:?}");
}

#[test]
fn a14_root_is_another_user_to_the_daemon_and_to_the_command() {
    let home = Nobodys::running();
    let ended = home.by(0, &["daemon", "status"]);
    assert_eq!((ended.code, ended.stdout.as_str()), (16, ""), "{ended:?}");
}

/// Tries to read a process's memory, environment and core as its own user.
fn spied(product: &Product, pid: u32) -> Vec<i32> {
    let codes =
        [format!("head -c 1 /proc/{pid}/environ"), format!("cat /proc/{pid}/maps"), format!("ls -l /proc/{pid}/fd/")];
    let spy = |script: String| run(as_user(product, NOBODY, &PathBuf::from("/bin/sh"), &[]).args(["-c", &script])).code;
    codes.into_iter().map(spy).collect()
}

#[test]
fn f2_another_program_of_the_same_user_reads_nothing_of_the_daemon() {
    let home = Nobodys::running();
    let codes = spied(&home.product, home.daemon.id());
    assert!(codes.iter().all(|code| *code != 0), "{codes:?}");
}

#[test]
fn f2_twin_it_reads_everything_of_a_program_that_is_not_hardened() {
    let home = Nobodys::running();
    let mut sleeper = as_user(&home.product, NOBODY, &PathBuf::from("/bin/cat"), &[]);
    let mut sleeper = sleeper.stdin(Stdio::piped()).spawn().unwrap();
    let pid = sleeper.id();
    wait_until("it has become nobody's cat", || fs::read_to_string(format!("/proc/{pid}/comm")).unwrap() == "cat\n");
    let codes = spied(&home.product, pid);
    drop(sleeper.stdin.take());
    sleeper.wait().unwrap();
    assert_eq!(codes, [0, 0, 0]);
}
