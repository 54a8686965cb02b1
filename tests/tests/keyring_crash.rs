//! The store's process killed at every seam of a write (security.md I1): the old record or the new one, never neither.
#![cfg(all(feature = "system", feature = "failpoints"))]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "this is a test")]

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::process::Command;
use tegata_tests::keyring::{Around, PrivateKeyring};
use tegata_tests::program;
use tegata_tests::store_process::StoreProcess;

/// Writes `new` over `old` with this fail point armed, then over what is left of it without, as a restarted daemon would.
fn crash(command: impl Fn() -> Command, failpoint: &str, left: &str) {
    assert_eq!(StoreProcess::start(command()).ask("write corp old"), "ok");
    let mut armed = command();
    armed.env("STORE_DRIVER_FAILPOINT", failpoint);
    let mut armed = StoreProcess::start(armed);
    assert_eq!(armed.ask("write corp new"), "killed", "{failpoint} was not reached");
    assert!(armed.kill(), "{failpoint} was not the end");
    let mut restarted = StoreProcess::start(command());
    assert_eq!(restarted.ask("read corp"), format!("some {left}"), "after {failpoint}");
    assert_eq!(restarted.ask("write corp newest"), "ok", "after {failpoint}");
    assert_eq!(restarted.ask("read corp"), "some newest", "after {failpoint}");
}

#[test]
fn i1_in_the_secret_service() {
    let keyring = PrivateKeyring::start(Around::Nothing);
    for (failpoint, left) in [("store.write.before", "old"), ("store.write.after", "new")] {
        let command = || {
            let mut command = keyring.command(program("store-driver"));
            command.arg("secret-service");
            command
        };
        crash(command, failpoint, left);
    }
}

#[test]
fn i1_in_encrypted_files() {
    let seams = [
        ("store.write.before", "old"),
        ("store.file.written", "old"),
        ("store.file.synced", "old"),
        ("store.file.renamed", "new"),
        ("store.write.after", "new"),
    ];
    for (failpoint, left) in seams {
        let home = tempfile::tempdir().unwrap();
        fs::write(home.path().join("key"), [9; 32]).unwrap();
        fs::set_permissions(home.path().join("key"), fs::Permissions::from_mode(0o600)).unwrap();
        let command = || {
            let mut command = Command::new(program("store-driver"));
            command.env_clear().arg("key-file").arg(home.path());
            command
        };
        crash(command, failpoint, left);
    }
}

#[test]
fn i1_the_first_write_ever_killed_leaves_a_store_that_can_be_used() {
    // The first replacing is that of the parameters, the second that of the record.
    for failpoint in ["store.file.written", "store.file.renamed", "store.file.written@2", "store.file.renamed@2"] {
        let home = tempfile::tempdir().unwrap();
        fs::write(home.path().join("key"), [9; 32]).unwrap();
        fs::set_permissions(home.path().join("key"), fs::Permissions::from_mode(0o600)).unwrap();
        let command = || {
            let mut command = Command::new(program("store-driver"));
            command.env_clear().arg("key-file").arg(home.path());
            command
        };
        let mut armed = command();
        armed.env("STORE_DRIVER_FAILPOINT", failpoint);
        assert_eq!(StoreProcess::start(armed).ask("write corp new"), "killed", "{failpoint} was not reached");
        let mut restarted = StoreProcess::start(command());
        assert_eq!(restarted.ask("write corp newest"), "ok", "after {failpoint}");
        assert_eq!(restarted.ask("read corp"), "some newest", "after {failpoint}");
    }
}
