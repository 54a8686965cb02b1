//! The product over stores that last: what a restart keeps, what a lock takes away, what a locked keyring costs.
#![cfg(feature = "system")]

use tegata_daemon::sign_in_sessions::record::{RolesRecord, SignInRecord};
use tegata_daemon::store::Key;
use tegata_sandbox::Operation;
use tegata_tests::keyring::{Around, PrivateKeyring};
use tegata_tests::product::{Product, wait_until};

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

#[test]
fn after_kill_9_the_keyring_serves_without_a_call_to_aws() {
    let keyring = PrivateKeyring::start(Around::Nothing);
    let mut product = over(&keyring);
    served_and_kept(&mut product, &keyring);
    let calls = upstream_calls(&product);
    product.kill_daemon();
    product.start_daemon();
    let served = product.credentials("dev");
    assert_eq!((served.code, served.stderr.as_str()), (0, ""));
    assert_eq!(upstream_calls(&product), calls);
}

#[test]
fn after_kill_9_encrypted_files_serve_without_a_call_to_aws() {
    let mut product = Product::new();
    product.store_in_files();
    product.start_daemon();
    product.sign_in();
    assert_eq!(product.credentials("dev").code, 0);
    let record = product.state_dir().join(format!("secrets/{}.sealed", roles().as_str()));
    wait_until("the role's credentials are in a file", || record.exists());
    let calls = upstream_calls(&product);
    product.kill_daemon();
    product.start_daemon();
    let served = product.credentials("dev");
    assert_eq!((served.code, served.stderr.as_str()), (0, ""));
    assert_eq!(upstream_calls(&product), calls);
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
