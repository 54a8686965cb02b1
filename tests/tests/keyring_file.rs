//! The store in encrypted files, in a process of its own: the real cost, a full disk, no plaintext (security.md I2, I3, I9).
#![cfg(feature = "system")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "this is a test")]

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::Command;
use tegata_tests::program;
use tegata_tests::store_process::StoreProcess;
use tempfile::TempDir;

fn store(kind: &str, directory: &Path) -> StoreProcess {
    let mut command = Command::new(program("store-driver"));
    command.env_clear().arg(kind).arg(directory);
    StoreProcess::start(command)
}

fn with_key_file() -> TempDir {
    let home = tempfile::tempdir().unwrap();
    fs::write(home.path().join("key"), [9; 32]).unwrap();
    fs::set_permissions(home.path().join("key"), fs::Permissions::from_mode(0o600)).unwrap();
    home
}

#[test]
fn i3_a_passphrase_opens_the_records_and_a_wrong_one_does_not() {
    let home = tempfile::tempdir().unwrap();
    let directory = home.path().join("records");
    let mut first = store("file", &directory);
    assert_eq!(first.ask("read corp"), "Locked the keyring is locked");
    assert_eq!(first.ask("unlock correct-horse-battery"), "ok");
    assert_eq!(first.ask("write corp CANARY"), "ok");
    assert!(first.kill());
    let mut second = store("file", &directory);
    let denied = "Denied the keyring denied access: the passphrase is wrong";
    assert_eq!(second.ask("unlock wrong-horse-battery"), denied);
    assert_eq!(second.ask("read corp"), "Locked the keyring is locked");
    assert_eq!(second.ask("unlock correct-horse-battery"), "ok");
    assert_eq!(second.ask("read corp"), "some CANARY");
    for file in fs::read_dir(&directory).unwrap() {
        let content = fs::read(file.unwrap().path()).unwrap();
        assert!(!content.windows(6).any(|window| window == b"CANARY"));
    }
}

#[test]
fn i2_a_full_disk_is_no_room_and_leaves_the_old_record() {
    let home = with_key_file();
    assert_eq!(store("key-file", home.path()).ask("write corp old"), "ok");
    let mut limited = Command::new("sh");
    // Blocks of 512 bytes or 1 KiB, by shell: four are enough for `old` and too few for 100 kB.
    let script = r#"trap "" XFSZ; ulimit -f 4; exec "$@""#;
    limited.env_clear().args(["-c", script, "sh"]).arg(program("store-driver")).arg("key-file").arg(home.path());
    let mut limited = StoreProcess::start(limited);
    let outcome = limited.ask("write corp 100000*");
    assert!(outcome.starts_with("NoRoom "), "{outcome}");
    assert_eq!(limited.ask("read corp"), "some old");
    assert_eq!(limited.ask("write corp new"), "ok");
    assert_eq!(store("key-file", home.path()).ask("read corp"), "some new");
    let names: Vec<_> =
        fs::read_dir(home.path().join("records")).unwrap().map(|file| file.unwrap().file_name()).collect();
    assert_eq!(names.len(), 2, "something was left behind: {names:?}");
}
