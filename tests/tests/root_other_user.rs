//! The daemon of a user who is not root: what others, and other programs of the same user, can do to it.
#![cfg(all(feature = "system", feature = "root"))]
#![allow(clippy::unwrap_used, clippy::panic, reason = "this is a test")]

use rustix::fs::FlockOperation;
use std::fs::{self, File};
use std::io::{Read, Seek, Write};
use std::os::unix::fs::{PermissionsExt, chown};
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
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
        let home = Self { product, daemon };
        // The socket alone may be there before the daemon has made it private; the command would start a daemon of its own.
        wait_until("the daemon answers", || home.curl_by(NOBODY).stdout.contains("started_at"));
        home
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

/// What another program of the same user tries, each for itself: `$1` is the process, `$2` an address in its memory.
const SPIES: [&str; 6] = [
    "head -c 1 /proc/$1/environ",
    "cat /proc/$1/maps",
    "ls -l /proc/$1/fd/",
    "gcore -o \"$HOME/gcore\" $1 && test -s \"$HOME/gcore.$1\"",
    "python3 -c 'import os, sys; os.pread(os.open(f\"/proc/{sys.argv[1]}/mem\", 0), 8, int(sys.argv[2]))' $1 $2",
    "python3 -c '
import ctypes, sys
class Part(ctypes.Structure): _fields_ = [(\"base\", ctypes.c_void_p), (\"size\", ctypes.c_size_t)]
room = ctypes.create_string_buffer(8)
here, there = Part(ctypes.addressof(room), 8), Part(int(sys.argv[2]), 8)
sys.exit(ctypes.CDLL(None).process_vm_readv(int(sys.argv[1]), ctypes.byref(here), 1, ctypes.byref(there), 1, 0) != 8)' $1 $2",
];

/// Tries to read a process's memory, environment, descriptors and core as its own user.
fn spied(product: &Product, pid: u32) -> Vec<i32> {
    let maps = fs::read_to_string(format!("/proc/{pid}/maps")).unwrap();
    let address = u64::from_str_radix(maps.split('-').next().unwrap(), 16).unwrap().to_string();
    let spy = |script: &str| {
        let words = ["-c", script, "spy", &pid.to_string(), &address];
        run(&mut as_user(product, NOBODY, &PathBuf::from("/bin/sh"), &words)).code
    };
    SPIES.into_iter().map(spy).collect()
}

/// A program of `nobody` which everybody of the user may trace, also where Yama asks for that (prctl(2), PR_SET_PTRACER).
/// It lives until its stdin ends.
fn ordinary_program(product: &Product) -> Child {
    let script = "import ctypes, sys; ctypes.CDLL(None).prctl(0x59616d61, ctypes.c_ulong(-1)); print(flush=True); sys.stdin.read()";
    let mut program = as_user(product, NOBODY, &PathBuf::from("python3"), &["-c", script]);
    let mut program = program.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    program.stdout.take().unwrap().read_exact(&mut [0]).unwrap();
    program
}

#[test]
fn f2_f3_another_program_of_the_same_user_reads_nothing_of_the_daemon() {
    let home = Nobodys::running();
    let codes = spied(&home.product, home.daemon.id());
    assert!(codes.iter().all(|code| *code != 0), "{codes:?}");
}

#[test]
fn f2_f3_twin_it_reads_everything_of_a_program_that_is_not_hardened() {
    let home = Nobodys::running();
    let mut program = ordinary_program(&home.product);
    let codes = spied(&home.product, program.id());
    drop(program.stdin.take());
    program.wait().unwrap();
    assert_eq!(codes, [0; SPIES.len()]);
}

/// The machine's core dumps, piped to a program of the test, until this ends. There is one setting for the whole kernel, so
/// who wants it waits for who has it.
struct Dumps {
    setting: File,
    before: String,
    directory: PathBuf,
}

impl Dumps {
    /// `None` in a container that may not change the kernel's settings.
    fn caught_in(directory: PathBuf) -> Option<Self> {
        let mut setting = File::options().read(true).write(true).open("/proc/sys/kernel/core_pattern").ok()?;
        rustix::fs::flock(&setting, FlockOperation::LockExclusive).unwrap();
        let handler = directory.join("handler");
        let script = "#!/bin/sh\ncat >\"${0%/*}/part.$1\" && mv \"${0%/*}/part.$1\" \"${0%/*}/core.$1\"\n";
        fs::create_dir(&directory).unwrap();
        fs::write(&handler, script).unwrap();
        fs::set_permissions(&handler, fs::Permissions::from_mode(0o755)).unwrap();
        let mut before = String::new();
        setting.read_to_string(&mut before).unwrap();
        let dumps = Self { setting, before, directory };
        dumps.set(&format!("|{} %p\n", handler.display()));
        Some(dumps)
    }

    fn set(&self, pattern: &str) {
        (&self.setting).rewind().unwrap();
        (&self.setting).write_all(pattern.as_bytes()).unwrap();
    }

    fn of(&self, pid: u32) -> PathBuf {
        self.directory.join(format!("core.{pid}"))
    }

    /// Whether the core of an ordinary program arrives. In a container with a file system of its own it does not: the kernel
    /// starts the program that collects cores outside (core(5)).
    fn collect(&self, product: &Product) -> bool {
        let mut program = ordinary_program(product);
        assert!(crashed(&mut program));
        let deadline = Instant::now() + Duration::from_secs(5);
        while !self.of(program.id()).exists() && Instant::now() < deadline {
            std::thread::park_timeout(Duration::from_millis(5));
        }
        self.of(program.id()).exists()
    }
}

impl Drop for Dumps {
    fn drop(&mut self) {
        self.set(&self.before);
    }
}

/// Ends a process as a fault of its own would, and returns whether the kernel wrote a core.
fn crashed(process: &mut Child) -> bool {
    rustix::process::kill_process(rustix::process::Pid::from_child(process), rustix::process::Signal::ABORT).unwrap();
    let mut status = None;
    wait_until("it has crashed", || {
        status = process.try_wait().unwrap();
        status.is_some()
    });
    let status = status.unwrap();
    assert_eq!(status.signal(), Some(6), "{status:?}");
    status.core_dumped()
}

#[test]
fn f1_a_daemon_that_crashes_leaves_no_core_whoever_collects_them() {
    let mut home = Nobodys::running();
    let daemon = home.daemon.id();
    let Some(dumps) = Dumps::caught_in(home.product.path("dumps")).filter(|dumps| dumps.collect(&home.product)) else {
        assert!(!crashed(&mut home.daemon));
        eprintln!("this container may not choose who collects cores: that there is none was seen by its exit status");
        return;
    };
    assert!(!crashed(&mut home.daemon));
    // The twin: what is not hardened is collected, also after the daemon.
    assert!(dumps.collect(&home.product), "the core of an ordinary program is collected");
    assert!(!dumps.of(daemon).exists());
}
