//! What the daemon does to its own process. Each step changes the process for good and some need a single thread, so there
//! is no test harness: the steps run in order, and a panic fails the run.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stdout, reason = "this is a test")]

use rustix::process::{Resource, getrlimit, umask};
use std::ffi::OsString;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use tegata_daemon::environment::Places;
use tegata_daemon::harden;
use tegata_daemon::instance::{Instance, Start};

fn main() {
    if std::env::args().any(|argument| argument == "--list") {
        return;
    }
    let steps: [(&str, fn()); 6] = [
        (
            "d13_twin_forgotten_variables_are_gone_for_every_library",
            d13_twin_forgotten_variables_are_gone_for_every_library,
        ),
        ("f1_twin_a_process_is_dumpable_until_it_is_hardened", f1_twin_a_process_is_dumpable_until_it_is_hardened),
        (
            "a1_the_socket_is_private_from_its_first_moment_without_a_mask",
            a1_the_socket_is_private_from_its_first_moment_without_a_mask,
        ),
        ("f1_a_hardened_process_leaves_no_core", f1_a_hardened_process_leaves_no_core),
        ("f1_what_a_hardened_process_writes_is_private", f1_what_a_hardened_process_writes_is_private),
        ("detaching_begins_a_session_and_leaves_the_directory", detaching_begins_a_session_and_leaves_the_directory),
    ];
    for (name, step) in steps {
        step();
        println!("{name} ... ok");
    }
}

#[allow(clippy::disallowed_methods, reason = "the environment is what is tested")]
fn d13_twin_forgotten_variables_are_gone_for_every_library() {
    assert!(std::env::var_os("CARGO_MANIFEST_DIR").is_some(), "cargo sets it for every test");
    harden::forget_variables(&[OsString::from("CARGO_MANIFEST_DIR"), OsString::from("NEVER_SET")]).unwrap();
    assert!(std::env::var_os("CARGO_MANIFEST_DIR").is_none());
}

fn f1_twin_a_process_is_dumpable_until_it_is_hardened() {
    assert!(harden::is_dumpable().unwrap());
}

fn a1_the_socket_is_private_from_its_first_moment_without_a_mask() {
    let old = umask(rustix::fs::Mode::empty());
    let root = tempfile::tempdir().unwrap();
    let places = places_in(root.path());
    let watched = places.socket.clone();
    let watcher = std::thread::spawn(move || first_mode_seen(&watched));
    let Start::First(instance) = Instance::start(&places, None, rustix::process::geteuid().as_raw()).unwrap() else {
        panic!("somebody else runs in this home");
    };
    assert_eq!(watcher.join().unwrap(), 0o600);
    assert_eq!(mode(&places.socket), 0o600);
    assert_eq!(mode(places.socket.parent().unwrap()), 0o700);
    assert_eq!(mode(&places.state_dir), 0o700);
    assert_eq!(mode(&places.state_dir.join(tegata_daemon::instance::LOCK_FILE)), 0o600);
    drop(instance);
    umask(old);
}

fn f1_a_hardened_process_leaves_no_core() {
    harden::process().unwrap();
    assert!(!harden::is_dumpable().unwrap());
    let core = getrlimit(Resource::Core);
    assert_eq!((core.current, core.maximum), (Some(0), Some(0)));
    assert!(rustix::thread::no_new_privs().unwrap());
}

fn f1_what_a_hardened_process_writes_is_private() {
    let root = tempfile::tempdir().unwrap();
    let file = root.path().join("record");
    std::fs::write(&file, "").unwrap();
    assert_eq!(mode(&file), 0o600);
}

fn detaching_begins_a_session_and_leaves_the_directory() {
    harden::detach().unwrap();
    assert_eq!(harden::session(std::process::id()).unwrap(), std::process::id());
    assert_eq!(std::env::current_dir().unwrap(), Path::new("/"));
    harden::detach().expect("a second time changes nothing");
}

fn places_in(root: &Path) -> Places {
    Places {
        home: root.to_owned(),
        runtime_dir: None,
        socket: root.join("run/tegata.sock"),
        state_dir: root.join("state"),
        config_toml: PathBuf::from("/nowhere"),
        aws_config: PathBuf::from("/nowhere"),
    }
}

fn first_mode_seen(path: &Path) -> u32 {
    loop {
        if let Ok(found) = std::fs::symlink_metadata(path) {
            return found.mode() & 0o7777;
        }
    }
}

fn mode(path: &Path) -> u32 {
    std::fs::symlink_metadata(path).unwrap().mode() & 0o7777
}
