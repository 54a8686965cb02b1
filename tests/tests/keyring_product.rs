//! The product over stores that last: what a restart keeps, what a lock takes away, what a locked keyring costs.
#![cfg(feature = "system")]

use std::process::Stdio;
use tegata_daemon::sign_in_sessions::record::{RolesRecord, SignInRecord};
use tegata_daemon::store::Key;
use tegata_sandbox::Operation;
use tegata_tests::keyring::{Around, PrivateKeyring};
use tegata_tests::product::{Product, run, wait_until};

/// A product over a real gnome-keyring.
fn over(keyring: &PrivateKeyring) -> Product {
    let mut product = Product::new();
    product.write_settings("store = \"secret-service\"\n");
    product.environment.push((String::from("DBUS_SESSION_BUS_ADDRESS"), keyring.address()));
    product
}

fn roles() -> Key {
    RolesRecord::key("corp")
}

fn sign_in() -> Key {
    SignInRecord::key("corp")
}

fn has(keyring: &PrivateKeyring, key: &Key) -> bool {
    !keyring.visible(key.as_str()).is_empty()
}

/// Signs in, is served, and returns once the keyring has the role's credentials.
fn served_and_kept(product: &mut Product, keyring: &PrivateKeyring) {
    product.start_daemon();
    product.sign_in();
    assert_eq!(product.credentials("dev").code, 0);
    wait_until("the role's credentials are in the keyring", || has(keyring, &roles()));
}

fn upstream_calls(product: &Product) -> u64 {
    product.sandbox().counters().values().sum()
}

/// Signs in to a session, is served, and is served again after a power cut, by the store alone.
fn outlives_a_power_cut(product: &mut Product, session: &str, is_kept: impl Fn() -> bool) {
    product.start_daemon();
    let login = product.sign_in_with(&["login", session, "--print"]);
    assert_eq!(login.code, 0, "{login:?}");
    assert_eq!(product.credentials("dev").code, 0);
    wait_until("the role's credentials are in the store", is_kept);
    let calls = upstream_calls(product);
    product.kill_daemon();
    product.start_daemon();
    let served = product.credentials("dev");
    assert_eq!((served.code, served.stderr.as_str()), (0, ""));
    assert_eq!(upstream_calls(product), calls);
}

#[test]
fn after_kill_9_the_keyring_serves_without_a_call_to_aws() {
    let keyring = PrivateKeyring::start(Around::Nothing);
    outlives_a_power_cut(&mut over(&keyring), "corp", || has(&keyring, &roles()));
}

#[test]
fn after_kill_9_encrypted_files_serve_without_a_call_to_aws() {
    let mut product = Product::new();
    product.store_in_files();
    let record = product.state_dir().join(format!("secrets/{}.sealed", roles().as_str()));
    outlives_a_power_cut(&mut product, "corp", || record.exists());
}

#[test]
fn after_kill_9_the_kernel_keyring_serves_without_a_call_to_aws() {
    // The kernel's keyring is the user's own and not this home's: a sign-in session of this test's own name.
    let mut product = Product::new();
    product.write_settings("store = \"keyutils\"\n");
    let session = format!("test-{}", std::process::id());
    product.write_aws_config(&product.default_aws_config().replace("corp", &session));
    let description = format!("keyring:{}@tegata", RolesRecord::key(&session).as_str());
    outlives_a_power_cut(&mut product, &session, || kernel_has(&description));
    assert_eq!(product.run(&["logout", &session]).code, 0);
    // The kernel collects what nobody links to any more in its own time.
    wait_until("a sign-out has taken them away", || !kernel_has(&description));
}

/// Whether the user has a key of this name (proc_keys(5)).
fn kernel_has(description: &str) -> bool {
    std::fs::read_to_string("/proc/keys").unwrap().contains(description)
}

#[test]
fn a_lock_takes_role_credentials_out_of_the_keyring_and_outlives_the_daemon() {
    let keyring = PrivateKeyring::start(Around::Nothing);
    let mut product = over(&keyring);
    served_and_kept(&mut product, &keyring);
    assert_eq!(product.run(&["lock"]).code, 0);
    assert!(!has(&keyring, &roles()) && has(&keyring, &sign_in()));
    product.kill_daemon();
    product.start_daemon();
    let refused = product.credentials("dev");
    assert_eq!((refused.code, refused.stdout.as_str()), (12, ""));
    assert_eq!(refused.stderr, "tegata: Tegata is locked; run: tegata unlock\n");
    assert_eq!(product.run(&["unlock"]).code, 0);
    assert_eq!(product.credentials("dev").code, 0);
}

#[test]
fn i3_a_locked_keyring_is_one_line_and_nothing_else() {
    let keyring = PrivateKeyring::start(Around::Nothing);
    let mut product = over(&keyring);
    served_and_kept(&mut product, &keyring);
    product.kill_daemon();
    keyring.lock();
    product.start_daemon();
    let refused = product.credentials("dev");
    assert_eq!((refused.code, refused.stdout.as_str()), (15, ""));
    assert_eq!(refused.stderr, "tegata: the keyring is locked; run: tegata status\n");
}

#[test]
fn i3_twin_unlocked_again_it_serves_without_a_restart() {
    let keyring = PrivateKeyring::start(Around::Nothing);
    let mut product = over(&keyring);
    served_and_kept(&mut product, &keyring);
    product.kill_daemon();
    keyring.lock();
    product.start_daemon();
    assert_eq!(product.credentials("dev").code, 15);
    keyring.unlock();
    let calls = upstream_calls(&product);
    assert_eq!(product.credentials("dev").code, 0);
    assert_eq!(upstream_calls(&product), calls);
}

#[test]
fn i5_records_deleted_behind_our_back_cost_one_sign_in() {
    let keyring = PrivateKeyring::start(Around::Nothing);
    let mut product = over(&keyring);
    served_and_kept(&mut product, &keyring);
    for key in [roles(), sign_in()] {
        keyring.delete_items(key.as_str());
    }
    assert_eq!(product.credentials("dev").code, 0, "what is in memory is served");
    product.kill_daemon();
    product.start_daemon();
    let refused = product.credentials("dev");
    assert_eq!((refused.code, refused.stdout.as_str()), (10, ""));
    assert!(refused.stderr.ends_with("; run: tegata login corp\n"), "{refused:?}");
    product.sign_in();
    assert_eq!(product.credentials("dev").code, 0);
}

#[test]
fn i7_a_keyring_daemon_that_comes_back_is_used_again() {
    let mut keyring = PrivateKeyring::start(Around::Nothing);
    let mut product = over(&keyring);
    served_and_kept(&mut product, &keyring);
    keyring.restart();
    assert_eq!(product.credentials("dev").code, 0);
    assert_eq!(product.credentials("admin").code, 0);
    assert_eq!(product.run(&["lock"]).code, 0);
    assert!(!has(&keyring, &roles()), "the lock reached the keyring that came back");
}

#[test]
fn i7_twin_without_a_bus_live_credentials_are_served_and_the_rest_is_one_line() {
    let mut keyring = PrivateKeyring::start(Around::Nothing);
    let mut product = over(&keyring);
    served_and_kept(&mut product, &keyring);
    keyring.kill_bus();
    assert_eq!(product.credentials("dev").code, 0);
    let issued = product.sandbox().calls(Operation::GetRoleCredentials);
    assert_eq!(product.credentials("admin").code, 0, "the tokens are in memory");
    assert_eq!(product.sandbox().calls(Operation::GetRoleCredentials), issued + 1);
    product.kill_daemon();
    product.start_daemon();
    let refused = product.credentials("dev");
    assert_eq!((refused.code, refused.stdout.as_str(), refused.stderr.lines().count()), (15, "", 1), "{refused:?}");
}

#[test]
fn i8_the_keyring_shows_every_program_nothing_of_the_sign_in() {
    let keyring = PrivateKeyring::start(Around::Nothing);
    let mut product = over(&keyring);
    served_and_kept(&mut product, &keyring);
    for key in [roles(), sign_in()] {
        let visible = format!("{:?}", keyring.visible(key.as_str()));
        for secret in ["corp", "awsapps", "http", "alice", "CANARY", "123456789012", "ReadOnly"] {
            assert!(!visible.contains(secret), "{secret} in {visible}");
        }
    }
}

#[test]
fn i8_twin_the_keyring_shows_that_the_items_are_tegatas() {
    let keyring = PrivateKeyring::start(Around::Nothing);
    let mut product = over(&keyring);
    served_and_kept(&mut product, &keyring);
    let visible = keyring.visible(sign_in().as_str());
    let [(label, attributes)] = visible.as_slice() else { panic!("{visible:?}") };
    assert_eq!((label.as_str(), attributes["service"].as_str()), ("Tegata: sign-in", "tegata"));
}

#[test]
fn i6_damaged_and_oversized_items_cost_one_sign_in() {
    let keyring = PrivateKeyring::start(Around::Nothing);
    let mut product = over(&keyring);
    for damage in ["printf garbage", "head -c 3000000 /dev/zero | tr '\\0' x"] {
        served_and_kept(&mut product, &keyring);
        product.kill_daemon();
        damage_items(&keyring, damage);
        product.start_daemon();
        let refused = product.credentials("dev");
        assert_eq!((refused.code, refused.stdout.as_str()), (10, ""), "{refused:?}");
        product.sign_in();
        assert_eq!(product.credentials("dev").code, 0);
        product.kill_daemon();
    }
}

#[test]
fn i6_damaged_and_oversized_items_of_one_session_leave_the_other_alone() {
    let keyring = PrivateKeyring::start(Around::Nothing);
    let mut product = over(&keyring);
    let sessions = product.default_aws_config();
    let other = sessions.replace("corp", "other").replace("[profile ", "[profile other-");
    product.write_aws_config(&(sessions + &other));
    served_and_kept(&mut product, &keyring);
    assert_eq!(product.sign_in_with(&["login", "other", "--print"]).code, 0);
    assert_eq!(product.credentials("other-dev").code, 0);
    wait_until("both are kept", || has(&keyring, &RolesRecord::key("other")));
    for damage in ["printf garbage", "head -c 3000000 /dev/zero | tr '\\0' x"] {
        product.kill_daemon();
        damage_items(&keyring, damage);
        let calls = upstream_calls(&product);
        product.start_daemon();
        assert_eq!(product.credentials("dev").code, 10);
        assert_eq!(product.credentials("other-dev").code, 0);
        assert_eq!(upstream_calls(&product), calls, "what was kept is served");
        assert_eq!(product.credentials("other-admin").code, 0, "the tokens were kept as well");
        let status = product.run(&["status"]).stdout;
        let row = |name: &str| status.lines().find(|line| line.starts_with(name)).unwrap_or(&status).to_owned();
        assert!(row("corp ").contains("signed out") && row("other ").contains("signed in"), "{status}");
        product.sign_in();
        assert_eq!(product.credentials("dev").code, 0);
        wait_until("it is kept again", || has(&keyring, &roles()));
    }
}

/// Puts what `script` prints in the place of both records of `corp`.
fn damage_items(keyring: &PrivateKeyring, script: &str) {
    for key in [roles(), sign_in()] {
        let script = format!("{script} | secret-tool store --label=x service tegata username {}", key.as_str());
        let planted = run(keyring.command("sh").args(["-c", &script]));
        assert_eq!(planted.code, 0, "{planted:?}");
    }
}

#[test]
fn i6_twin_a_sound_item_needs_no_sign_in() {
    let keyring = PrivateKeyring::start(Around::Nothing);
    let mut product = over(&keyring);
    served_and_kept(&mut product, &keyring);
    product.kill_daemon();
    product.start_daemon();
    assert_eq!(product.credentials("admin").code, 0);
}

#[test]
fn a_window_that_nobody_answers_holds_up_nothing_else() {
    let keyring = PrivateKeyring::start(Around::Display);
    let mut product = over(&keyring);
    served_and_kept(&mut product, &keyring);
    keyring.lock();
    // A session that was never read: its record takes the keyring, which asks a person who is not there.
    let other = product.default_aws_config().replace("corp", "other").replace("profile dev", "profile far");
    product.write_aws_config(&(product.default_aws_config() + &other.replace("profile admin", "profile farther")));
    let mut asks = product.tegata(&["credential-process", "--profile", "far"]);
    let mut asks = asks.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    wait_until("the keyring is asked", || product.run(&["status"]).stdout.contains("waits for a person"));
    assert_eq!(product.credentials("dev").code, 0, "credentials in memory need no keyring");
    assert_eq!(asks.wait().unwrap().code(), Some(15));
}

#[test]
fn a_program_with_the_crate_keyring_reads_what_the_daemon_wrote() {
    let keyring = PrivateKeyring::start(Around::Nothing);
    let mut product = over(&keyring);
    served_and_kept(&mut product, &keyring);
    let mut reader = keyring.command(std::env::current_exe().unwrap());
    let account = sign_in();
    let read = run(reader.env("TEGATA_TEST_ACCOUNT", account.as_str()).args(["--exact", "reader", "--nocapture"]));
    assert!(read.stdout.contains("read tegata:1:"), "{read:?}");
}

/// The other side of the test before: a process of its own, as the crate finds the bus by its environment.
#[test]
fn reader() {
    let Ok(account) = std::env::var("TEGATA_TEST_ACCOUNT") else { return };
    let item = keyring::v1::Entry::new("tegata", &account).unwrap().get_password().unwrap();
    println!("read {}", &item[..9]);
}
