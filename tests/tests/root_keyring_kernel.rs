//! The store over the kernel's real keyring, as users of their own: `make test-root`.
//!
//! Each test is another user id that nobody else has, so quotas and persistent keyrings are not shared.
#![cfg(all(feature = "system", feature = "root"))]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "this is a test")]

use std::os::unix::fs::PermissionsExt as _;
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};
use tegata_tests::canaries::assert_none;
use tegata_tests::product::{Ended, Product, run, wait_until};
use tegata_tests::program;
use tegata_tests::store_process::StoreProcess;
use tempfile::TempDir;

/// A user with nothing but a copy of the program.
struct User {
    uid: u32,
    home: TempDir,
}

impl User {
    fn new() -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let home = tempfile::tempdir().unwrap();
        std::fs::set_permissions(home.path(), std::fs::Permissions::from_mode(0o755)).unwrap();
        // By a program of its own: a copy that this process has open for writing cannot be run by its other threads.
        assert_eq!(run(Command::new("cp").arg(program("store-driver")).arg(home.path())).code, 0);
        let uid = 0x4000_0000 + std::process::id() * 64 + NEXT.fetch_add(1, Ordering::SeqCst);
        Self { uid, home }
    }

    fn command(&self, program: impl AsRef<std::ffi::OsStr>) -> Command {
        let mut command = Command::new("setpriv");
        let uid = self.uid.to_string();
        command.args(["--reuid", &uid, "--regid", &uid, "--clear-groups", "--"]).arg(program).env_clear();
        command.env("PATH", "/usr/bin:/bin");
        command
    }

    /// A store in a process without a session keyring of its own, like a service or a cron job.
    fn store(&self) -> StoreProcess {
        let mut command = self.command(self.home.path().join("store-driver"));
        command.arg("keyutils");
        StoreProcess::start(command)
    }

    /// A store in a login session.
    fn store_with_session(&self) -> StoreProcess {
        let mut command = self.command("keyctl");
        command.args(["session", "-"]).arg(self.home.path().join("store-driver")).arg("keyutils");
        StoreProcess::start(command)
    }

    /// Runs a shell command in a new session keyring, with the persistent keyring in it.
    fn keyctl(&self, script: &str) -> Ended {
        let script = format!("exec 2>/dev/null; keyctl get_persistent @s >/dev/null; {script}");
        run(self.command("keyctl").args(["session", "-", "sh", "-c", &script]))
    }

    /// Takes room of the user's quota, so that this many bytes are left or fewer, or gives it back.
    fn fill(&self, left: usize) {
        let script = "ring=$(keyctl get_persistent @s); head -c $1 /dev/zero | keyctl padd user filler $ring";
        let taken = self.keyctl(&script.replace("$1", &(20_000 - left).to_string()));
        assert_eq!(taken.code, 0, "{taken:?}");
    }

    fn make_room(&self) {
        let script = "ring=$(keyctl get_persistent @s); keyctl unlink $(keyctl search $ring user filler) $ring";
        assert_eq!(self.keyctl(script).code, 0);
    }

    /// What the kernel lists of this user's keys.
    fn keys(&self) -> String {
        let all = run(self.command("cat").arg("/proc/keys")).stdout;
        let own = format!(" {} ", self.uid);
        all.lines().filter(|line| line.contains(&own)).fold(String::new(), |keys, line| keys + line + "\n")
    }
}

#[test]
fn records_outlive_the_daemon_and_the_login_session_until_they_are_deleted() {
    let user = User::new();
    let mut store = user.store_with_session();
    assert_eq!(store.ask("read corp"), "ok");
    assert_eq!(store.ask("write corp first tokens"), "ok");
    assert_eq!(store.ask("write corp second tokens"), "ok");
    assert!(store.kill());
    let mut store = user.store_with_session();
    assert_eq!(store.ask("read corp"), "some second tokens");
    for round in 0..100 {
        assert_eq!(store.ask(&format!("write corp {round}")), "ok");
        assert_eq!(store.ask("delete corp"), "ok");
        assert_eq!(store.ask("read corp"), "ok", "round {round}");
    }
    assert_eq!(store.ask("delete corp"), "ok");
}

#[test]
fn a_process_without_a_session_keyring_gets_one_of_its_own() {
    let user = User::new();
    let mut store = user.store();
    assert_eq!(store.ask("write corp tokens"), "ok");
    assert_eq!(store.ask("read corp"), "some tokens");
    assert!(store.kill());
    assert_eq!(user.store().ask("read corp"), "some tokens");
    assert_eq!(user.store_with_session().ask("read corp"), "some tokens");
}

#[test]
fn i6_a_key_changed_by_another_program_is_set_aside() {
    let user = User::new();
    let mut store = user.store();
    assert_eq!(store.ask("write corp tokens"), "ok");
    let description = format!("keyring:{}@tegata", store.ask("name corp"));
    assert_eq!(user.keyctl(&format!("keyctl update $(keyctl search @s user {description}) garbage")).code, 0);
    let outcome = store.ask("read corp");
    assert!(outcome.starts_with("Damaged ") && outcome.ends_with("it was not written by tegatad"), "{outcome}");
    assert_eq!(store.ask("read corp"), "ok");
    assert_eq!(store.ask("write corp fresh"), "ok");
    assert_eq!(user.store().ask("read corp"), "some fresh");
}

#[test]
fn i5_a_key_deleted_behind_our_back_is_gone_and_can_be_written_anew() {
    let user = User::new();
    let mut store = user.store();
    assert_eq!(store.ask("write corp tokens"), "ok");
    let description = format!("keyring:{}@tegata", store.ask("name corp"));
    assert_eq!(user.keyctl(&format!("keyctl invalidate $(keyctl search @s user {description})")).code, 0);
    assert_eq!(store.ask("read corp"), "ok");
    assert_eq!(store.ask("write corp fresh"), "ok");
    assert_eq!(user.store().ask("read corp"), "some fresh");
}

#[test]
fn i2_over_quota_the_old_record_stays_and_nothing_of_the_new_one_is_left() {
    let user = User::new();
    let mut store = user.store();
    assert_eq!(store.ask("write corp 6000*"), "ok");
    assert!(store.ask("write corp 20000*").starts_with("NoRoom "));
    assert!(store.ask("write other 14000*").starts_with("NoRoom "));
    assert!(store.ask("write other 30000*").starts_with("NoRoom "));
    assert_eq!(store.ask("read corp"), "some 6000*");
    assert_eq!(store.ask("read other"), "ok");
    // The kernel collects what nobody links to any more in its own time.
    wait_until("nothing of the new ones is left", || user.keys().matches("@tegata").count() == 1);
    assert!(store.ask("describe").contains("state: Ready"));
}

#[test]
fn i2_twin_what_makes_room_may_be_written() {
    let user = User::new();
    let mut store = user.store();
    assert_eq!(store.ask("write roles 12000*"), "ok");
    assert!(store.ask("write corp 3000*").starts_with("NoRoom "));
    assert_eq!(store.ask("write roles 6000*"), "ok");
    assert_eq!(store.ask("write corp 3000*"), "ok");
    assert_eq!(store.ask("read roles"), "some 6000*");
}

/// The days themselves cannot be watched: /proc/keys shows whole ones, and only the kernel may set them. That opening the
/// persistent keyring restarts them is its documented behaviour (keyctl_get_persistent(3)).
#[test]
fn keeping_alive_brings_back_what_fell_out_of_the_persistent_keyring() {
    let user = User::new();
    let mut store = user.store();
    assert_eq!(store.ask("write corp tokens"), "ok");
    let description = format!("keyring:{}@tegata", store.ask("name corp"));
    let falls = "ring=$(keyctl get_persistent @s); keyctl unlink $(keyctl search $ring user";
    assert_eq!(user.keyctl(&format!("{falls} {description}) $ring")).code, 0);
    assert_eq!(user.store().ask("read corp"), "ok");
    assert_eq!(store.ask("keep-alive"), "ok");
    assert!(store.kill());
    assert_eq!(user.store().ask("read corp"), "some tokens");
}

/// A product of this user over the kernel's keyring.
fn product_of(user: &User) -> Product {
    let mut product = Product::new();
    product.write_settings("store = \"keyutils\"\n");
    product.give_to(user.uid);
    product
}

const NO_ROOM: &str = "the kernel's key quota for this user is used up";

#[test]
fn i2_a_sign_in_that_could_not_be_kept_ends_before_it_begins() {
    let user = User::new();
    let mut product = product_of(&user);
    user.fill(1000);
    product.start_daemon();
    let refused = product.sign_in_with(&["login", "corp", "--print"]);
    assert_eq!((refused.code, refused.stdout.as_str(), refused.stderr.lines().count()), (15, "", 1), "{refused:?}");
    assert!(refused.stderr.ends_with(&format!("{NO_ROOM}; run: tegata status\n")), "{refused:?}");
    assert!(product.run(&["status"]).stdout.contains(NO_ROOM));
    assert_none(&product.canaries().find_under(&product.path(".local")));
}

#[test]
fn i2_twin_with_room_again_the_same_daemon_signs_in() {
    let user = User::new();
    let mut product = product_of(&user);
    user.fill(1000);
    product.start_daemon();
    assert_eq!(product.sign_in_with(&["login", "corp", "--print"]).code, 15);
    user.make_room();
    product.sign_in();
    assert_eq!(product.credentials("dev").code, 0);
    assert_eq!(product.run(&["logout", "corp"]).code, 0);
}

#[test]
fn i2_what_found_no_room_is_served_from_memory_and_kept_once_there_is_some() {
    let user = User::new();
    let mut product = product_of(&user);
    // Enough for the registration that a sign-in begins with, too little for the tokens it ends with.
    user.fill(2600);
    product.start_daemon();
    product.sign_in();
    assert_eq!(product.credentials("dev").code, 0);
    let status = product.run(&["status"]).stdout;
    assert!(status.contains("not kept") && status.contains(NO_ROOM), "{status}");
    assert_none(&product.canaries().find_under(&product.path(".local")));
    user.make_room();
    assert_eq!(product.credentials("admin").code, 0);
    wait_until("what was not kept is kept", || !product.run(&["status"]).stdout.contains("not kept"));
    product.kill_daemon();
    product.start_daemon();
    assert_eq!(product.credentials("dev").code, 0);
    assert_eq!(product.run(&["logout", "corp"]).code, 0);
}
