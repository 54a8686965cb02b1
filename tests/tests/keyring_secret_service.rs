//! The store over a real gnome-keyring on a private bus: kept, locked, asked about, deleted, damaged, restarted, gone
//! (security.md I3 to I8; the table of failures that was measured once and must not change unnoticed).
#![cfg(feature = "system")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "this is a test")]

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD as BASE64;
use sha2::{Digest as _, Sha256};
use std::collections::HashMap;
use std::io::Write as _;
use std::process::Stdio;
use tegata_tests::keyring::{Around, PrivateKeyring};
use tegata_tests::product::{run, wait_until};
use tegata_tests::program;
use tegata_tests::prompter::Prompter;
use tegata_tests::store_process::StoreProcess;

fn unlocked() -> PrivateKeyring {
    PrivateKeyring::start(Around::Nothing)
}

/// A keyring that is locked and has the record of `corp`.
fn locked(around: Around) -> PrivateKeyring {
    let keyring = PrivateKeyring::start(around);
    assert_eq!(keyring.store().ask("write corp tokens"), "ok");
    keyring.lock();
    keyring
}

/// Whether the bytes are anywhere in the files of the keyring's home.
fn found_in_files(keyring: &PrivateKeyring, canary: &str) -> bool {
    run(std::process::Command::new("grep").args(["-r", "-q", canary]).arg(keyring.path(""))).code == 0
}

#[test]
fn records_outlive_the_daemon_until_they_are_deleted() {
    let keyring = unlocked();
    let mut store = keyring.store();
    assert_eq!(store.ask("read corp"), "ok");
    assert_eq!(store.ask("write corp first tokens"), "ok");
    assert_eq!(store.ask("write corp second tokens"), "ok");
    assert_eq!(store.ask("write other more"), "ok");
    assert!(store.kill());
    let mut store = keyring.store();
    assert_eq!(store.ask("read corp"), "some second tokens");
    assert_eq!(store.ask("delete corp"), "ok");
    assert_eq!(store.ask("delete corp"), "ok");
    assert_eq!(store.ask("read corp"), "ok");
    assert_eq!(store.ask("read other"), "some more");
    assert!(store.ask("describe").contains("state: Ready"));
}

#[test]
fn a_record_may_have_a_megabyte() {
    let keyring = unlocked();
    let mut store = keyring.store();
    assert_eq!(store.ask("write corp 1000000*"), "ok");
    assert_eq!(store.ask("read corp"), "some 1000000*");
    assert!(store.ask("write corp 2000000*").starts_with("NoRoom "));
    assert_eq!(store.ask("read corp"), "some 1000000*");
}

/// Reads an envelope as its description says, without the daemon's code.
fn opened(key: &str, text: &str) -> Vec<u8> {
    let fields: Vec<&str> = text.split(':').collect();
    let &["tegata", "1", length, digest, encoded] = fields.as_slice() else { panic!("{text} is no envelope") };
    let bytes = BASE64.decode(encoded).unwrap();
    assert_eq!(bytes.len(), length.parse::<usize>().unwrap());
    let expected = Sha256::new().chain_update(key).chain_update([0]).chain_update(&bytes).finalize();
    assert_eq!(expected.iter().map(|byte| format!("{byte:02x}")).collect::<String>(), digest);
    bytes
}

#[test]
fn the_crate_keyring_reads_back_what_the_daemon_wrote() {
    let keyring = unlocked();
    let mut store = keyring.store();
    assert_eq!(store.ask("write corp {\"refresh_token\":\"手形\"}"), "ok");
    let key = store.ask("name corp");
    let read = keyring.store().ask("foreign-read corp");
    assert_eq!(opened(&key, &read), "{\"refresh_token\":\"手形\"}".as_bytes());
}

#[test]
fn i8_labels_and_attributes_show_neither_owner_nor_secret() {
    let keyring = unlocked();
    let mut store = keyring.store();
    let owner = "https://acme.awsapps.com/start#alice@example.com";
    assert_eq!(store.ask(&format!("write {owner} CANARY")), "ok");
    let name = store.ask(&format!("name {owner}"));
    let attributes = [("service", "tegata"), ("username", name.as_str())];
    let attributes = attributes.map(|(name, value)| (name.to_owned(), value.to_owned()));
    assert_eq!(keyring.visible(&name), [(String::from("Tegata: sign-in"), HashMap::from(attributes))]);
    assert!(!found_in_files(&keyring, "acme") && !found_in_files(&keyring, "CANARY"));
}

#[test]
fn i3_locked_with_nobody_to_ask_is_said_and_nothing_is_kept_elsewhere() {
    let keyring = locked(Around::Nothing);
    let mut store = keyring.store();
    assert_eq!(store.ask("read corp"), "Locked the keyring is locked");
    assert_eq!(store.ask("write corp CANARY"), "Locked the keyring is locked");
    assert_eq!(store.ask("write new CANARY"), "Locked the keyring is locked");
    assert!(store.ask("describe").contains("state: Locked"));
    assert!(!found_in_files(&keyring, "CANARY"));
}

#[test]
fn i3_twin_unlocked_again_everything_is_still_there() {
    let keyring = locked(Around::Nothing);
    let mut store = keyring.store();
    assert!(store.ask("read corp").starts_with("Locked "));
    keyring.unlock();
    assert_eq!(store.ask("read corp"), "some tokens");
    assert_eq!(store.ask("write new tokens"), "ok");
}

#[test]
fn i3_a_dismissed_question_is_not_put_again_unless_a_person_wants_it() {
    let keyring = locked(Around::Nothing);
    let person = Prompter::sit_down(&keyring.address());
    let mut store = keyring.store();
    let reading = store.begin("read corp");
    person.dismiss();
    assert_eq!(store.wait(&reading), "Locked the keyring is locked");
    for request in ["read corp", "write corp new", "read other", "probe"] {
        assert_eq!(store.ask(request), "Locked the keyring is locked");
    }
    assert_eq!(person.asked(), 1);
    let unlocking = store.begin("unlock");
    person.dismiss();
    assert!(store.wait(&unlocking).starts_with("Locked "));
    assert_eq!(person.asked(), 2);
}

#[test]
fn i3_twin_a_keyring_that_was_unlocked_since_may_ask_again() {
    let keyring = locked(Around::Nothing);
    let person = Prompter::sit_down(&keyring.address());
    let mut store = keyring.store();
    let reading = store.begin("read corp");
    person.dismiss();
    assert!(store.wait(&reading).starts_with("Locked "));
    keyring.unlock();
    assert_eq!(store.ask("unlock"), "ok");
    assert_eq!(store.ask("read corp"), "some tokens");
    keyring.lock();
    let reading = store.begin("read corp");
    person.dismiss();
    assert!(store.wait(&reading).starts_with("Locked "));
}

#[test]
fn i3_while_a_person_is_asked_every_caller_hears_so_in_time() {
    let keyring = locked(Around::Nothing);
    let person = Prompter::sit_down(&keyring.address());
    let mut store = keyring.store();
    let first = store.begin("read corp");
    person.wait_for_question();
    let behind = store.begin("write corp never");
    let waiting = "Waiting the keyring waits for a person to unlock it";
    assert_eq!(store.wait(&first), waiting);
    assert_eq!(store.wait(&behind), waiting);
    for request in ["read corp", "read other", "probe"] {
        assert_eq!(store.ask(request), waiting);
    }
    assert!(store.ask("describe").contains("state: Locked"));
    keyring.unlock();
    person.dismiss();
    assert_eq!(store.ask("settled"), "ok");
    assert_eq!(store.ask("read corp"), "some tokens");
    assert_eq!(person.asked(), 1);
}

#[test]
fn i3_a_window_nobody_answers_holds_nobody_up() {
    let keyring = locked(Around::Display);
    let mut store = keyring.store();
    assert!(store.ask("read corp").starts_with("Waiting "));
    keyring.unlock();
    // The window closes as by its cross.
    let bus = keyring.connect();
    let call = |member: &str| {
        let daemon = "org.freedesktop.DBus";
        let name = "org.gnome.keyring.SystemPrompter";
        bus.call_method(Some(daemon), "/org/freedesktop/DBus", Some(daemon), member, &(name,))
    };
    let pid: u32 = call("GetConnectionUnixProcessID").unwrap().body().deserialize().unwrap();
    let pid = rustix::process::Pid::from_raw(pid.try_into().unwrap()).unwrap();
    rustix::process::kill_process(pid, rustix::process::Signal::TERM).unwrap();
    assert_eq!(store.ask("settled"), "ok");
    assert_eq!(store.ask("read corp"), "some tokens");
}

#[test]
fn i4_a_dismissed_write_changes_nothing() {
    let keyring = locked(Around::Nothing);
    let person = Prompter::sit_down(&keyring.address());
    let mut store = keyring.store();
    let writing = store.begin("write corp CANARY");
    person.dismiss();
    assert_eq!(store.wait(&writing), "Locked the keyring is locked");
    keyring.unlock();
    assert_eq!(store.ask("read corp"), "some tokens");
    assert!(!found_in_files(&keyring, "CANARY"));
}

#[test]
fn i4_twin_the_same_write_works_once_it_is_allowed() {
    let keyring = locked(Around::Nothing);
    let person = Prompter::sit_down(&keyring.address());
    let mut store = keyring.store();
    let writing = store.begin("write corp fresh");
    person.dismiss();
    assert!(store.wait(&writing).starts_with("Locked "));
    keyring.unlock();
    assert_eq!(store.ask("write corp fresh"), "ok");
    assert_eq!(keyring.store().ask("read corp"), "some fresh");
}

#[test]
fn i4_a_bus_that_denies_access_is_said() {
    let keyring = PrivateKeyring::start_denying();
    let outcome = keyring.store().ask("read corp");
    assert!(
        outcome.starts_with("Denied the keyring denied access: org.freedesktop.DBus.Error.AccessDenied"),
        "{outcome}"
    );
}

#[test]
fn i5_an_item_deleted_behind_our_back_is_gone_and_can_be_written_anew() {
    let keyring = unlocked();
    let mut store = keyring.store();
    assert_eq!(store.ask("write corp tokens"), "ok");
    keyring.delete_items(&store.ask("name corp"));
    assert_eq!(store.ask("read corp"), "ok");
    assert_eq!(store.ask("write corp fresh"), "ok");
    assert_eq!(store.ask("read corp"), "some fresh");
}

#[test]
fn i5_twin_its_neighbour_is_untouched() {
    let keyring = unlocked();
    let mut store = keyring.store();
    assert_eq!(store.ask("write corp tokens"), "ok");
    assert_eq!(store.ask("write other more"), "ok");
    keyring.delete_items(&store.ask("name corp"));
    assert_eq!(store.ask("read other"), "some more");
}

#[test]
fn i6_what_cannot_be_read_back_is_set_aside_and_a_new_sign_in_works() {
    let keyring = unlocked();
    let mut store = keyring.store();
    assert_eq!(store.ask("write corp tokens"), "ok");
    let sound = store.ask("foreign-read corp");
    let name = store.ask("name corp");
    let damages = [
        (sound.replace("tegata:1:6:", "tegata:1:6:0"), "its checksum is wrong", true),
        (sound[..sound.len() - 3].to_owned(), "it is cut short", true),
        (sound.replace("tegata:1:", "tegata:9:"), "it was written by another version of tegatad", true),
        (String::from("hunter2"), "it was not written by tegatad", true),
        (String::from("3000000*"), "it is too large", false),
    ];
    for (damage, flaw, kept) in damages {
        assert_eq!(store.ask(&format!("foreign-write corp {damage}")), "ok");
        let outcome = store.ask("read corp");
        assert!(outcome.starts_with("Damaged ") && outcome.ends_with(flaw), "{outcome}");
        assert_eq!(store.ask("read corp"), "ok", "{flaw}");
        assert_eq!(keyring.visible(&format!("{name}.damaged")).len(), usize::from(kept), "{flaw}");
        assert_eq!(store.ask("write corp fresh"), "ok");
        assert_eq!(store.ask("read corp"), "some fresh");
        assert_eq!(store.ask("delete corp"), "ok");
        assert!(keyring.visible(&format!("{name}.damaged")).is_empty());
    }
}

#[test]
fn i6_twin_a_foreign_copy_beside_a_sound_record_does_no_harm() {
    let keyring = unlocked();
    let mut store = keyring.store();
    assert_eq!(store.ask("write corp tokens"), "ok");
    let name = store.ask("name corp");
    let mut tool = keyring.command("secret-tool");
    tool.args(["store", "--label=copy", "service", "tegata", "username", &name, "one", "more"]);
    let mut tool = tool.stdin(Stdio::piped()).spawn().unwrap();
    tool.stdin.take().unwrap().write_all(b"garbage").unwrap();
    assert!(tool.wait().unwrap().success());
    assert_eq!(keyring.visible(&name).len(), 2);
    assert_eq!(store.ask("read corp"), "some tokens");
    assert_eq!(store.ask("write corp fresh"), "ok");
    assert_eq!(keyring.visible(&name).len(), 1);
    assert_eq!(keyring.store().ask("read corp"), "some fresh");
}

#[test]
fn i7_a_restarted_keyring_daemon_is_found_again() {
    let mut keyring = unlocked();
    let mut store = keyring.store();
    assert_eq!(store.ask("write corp tokens"), "ok");
    keyring.restart();
    assert_eq!(store.ask("read corp"), "some tokens");
    keyring.restart();
    assert_eq!(store.ask("write corp fresh"), "ok");
    assert_eq!(store.ask("read corp"), "some fresh");
}

#[test]
fn i7_a_daemon_that_the_bus_started_again_is_locked_and_not_empty() {
    let mut keyring = unlocked();
    let mut store = keyring.store();
    assert_eq!(store.ask("write corp tokens"), "ok");
    keyring.kill();
    assert_eq!(store.ask("read corp"), "Locked the keyring is locked");
    keyring.unlock();
    assert_eq!(store.ask("read corp"), "some tokens");
}

#[test]
fn i7_a_keyring_daemon_that_dies_while_it_asks_leaves_nobody_waiting() {
    let mut keyring = locked(Around::Nothing);
    let person = Prompter::sit_down(&keyring.address());
    let mut store = keyring.store();
    let reading = store.begin("read corp");
    person.wait_for_question();
    keyring.kill();
    let outcome = store.wait(&reading);
    assert!(outcome.starts_with("Unavailable ") && outcome.ends_with("ended while it asked"), "{outcome}");
    // The bus starts another one, which is locked and asks as well.
    let reading = store.begin("read corp");
    person.dismiss_until(|| store.outcome(&reading).is_some());
    assert_eq!(store.wait(&reading), "Locked the keyring is locked");
    keyring.unlock();
    assert_eq!(store.ask("read corp"), "some tokens");
}

#[test]
fn i7_no_keyring_yet_is_no_empty_keyring() {
    let keyring = PrivateKeyring::start_bus(Around::Nothing, true);
    let mut store = keyring.store();
    let outcome = store.ask("read corp");
    assert!(outcome.starts_with("Unavailable ") && outcome.contains("no default keyring"), "{outcome}");
    let outcome = store.ask("write corp CANARY");
    assert!(outcome.starts_with("Unavailable "), "{outcome}");
    assert!(!found_in_files(&keyring, "CANARY"));
}

#[test]
fn i7_a_dead_bus_is_said_at_once_and_nothing_is_kept_elsewhere() {
    let mut keyring = unlocked();
    let mut store = keyring.store();
    assert_eq!(store.ask("write corp tokens"), "ok");
    keyring.kill_bus();
    for request in ["read corp", "write corp CANARY", "delete corp", "probe", "unlock"] {
        let outcome = store.ask(request);
        assert!(outcome.starts_with("Unavailable ") && outcome.contains("set store = "), "{outcome}");
    }
    assert!(!found_in_files(&keyring, "CANARY"));
}

#[test]
fn i7_no_bus_at_all_names_the_choices() {
    let home = tempfile::tempdir().unwrap();
    let mut command = std::process::Command::new(program("store-driver"));
    command.env_clear().env("HOME", home.path()).arg("auto");
    let mut store = StoreProcess::start(command);
    let outcome = store.ask("write corp CANARY");
    assert!(outcome.starts_with("Unavailable ") && outcome.contains("no D-Bus session bus"), "{outcome}");
    assert!(outcome.contains(r#"set store = "keyutils", "file" or "memory" in config.toml"#), "{outcome}");
    assert_eq!(std::fs::read_dir(home.path()).unwrap().count(), 0);
}

#[test]
fn i7_a_bus_without_a_keyring_names_the_choices() {
    let keyring = PrivateKeyring::start_bus(Around::Nothing, false);
    let outcome = keyring.store().ask("read corp");
    assert!(outcome.starts_with("Unavailable ") && outcome.contains("set store = "), "{outcome}");
}

/// Another program of the same user may take the keyring's name. It is then the keyring: nothing on this side can tell
/// (docs/design/store.md). What holds: it stalls nobody for good, and the true one is found again.
#[test]
fn i7_a_silent_program_under_the_keyrings_name_stalls_nobody_for_good() {
    let keyring = PrivateKeyring::start_bus(Around::Nothing, false);
    let taken = keyring.connect();
    // Served by nothing: calls to it are never answered.
    let hijacker = silent_owner(&taken, &keyring);
    let mut store = keyring.store();
    let outcome = store.ask("read corp");
    assert!(outcome.starts_with("Unavailable ") || outcome.starts_with("Waiting "), "{outcome}");
    drop(hijacker);
    let mut keyring = keyring;
    keyring.restart();
    wait_until("the true keyring is found", || store.ask("read corp") == "ok");
    assert_eq!(store.ask("write corp tokens"), "ok");
}

/// A process that owns the name and is stopped.
struct Stopped(std::process::Child);

impl Drop for Stopped {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn silent_owner(bus: &zbus::blocking::Connection, keyring: &PrivateKeyring) -> Stopped {
    let mut command = keyring.command("gnome-keyring-daemon");
    command.args(["--foreground", "--start", "--components=secrets"]).stdout(Stdio::null()).stderr(Stdio::null());
    let daemon = Stopped(command.spawn().unwrap());
    wait_until("the name is taken", || {
        let daemon = "org.freedesktop.DBus";
        let name = "org.freedesktop.secrets";
        let owned = bus.call_method(Some(daemon), "/org/freedesktop/DBus", Some(daemon), "NameHasOwner", &(name,));
        owned.unwrap().body().deserialize().unwrap()
    });
    let pid = rustix::process::Pid::from_child(&daemon.0);
    rustix::process::kill_process(pid, rustix::process::Signal::STOP).unwrap();
    daemon
}
