//! The product over a keyring that gives nothing: a person who says no, a bus that denies, another program in its place.
//! Each ends in one line and exit code 15, says so in `tegata status`, keeps nothing elsewhere, and loses nothing.
#![cfg(feature = "system")]

use tegata_tests::canaries;
use tegata_tests::hijacker::{Hijacker, Manner};
use tegata_tests::keyring::{Around, PASSWORD, PrivateKeyring};
use tegata_tests::product::{Product, wait_until};
use tegata_tests::prompter::Prompter;
use tegata_tests::unlocker::Unlocker;

fn over(keyring: &PrivateKeyring) -> Product {
    let mut product = Product::new();
    product.write_settings("store = \"secret-service\"\n");
    product.environment.push((String::from("DBUS_SESSION_BUS_ADDRESS"), keyring.address()));
    product
}

/// A product that was served, whose daemon has ended: everything it has is in the keyring.
fn kept_in(keyring: &PrivateKeyring) -> Product {
    let mut product = over(keyring);
    product.start_daemon();
    product.sign_in();
    assert_eq!(product.credentials("dev").code, 0);
    wait_until("the role's credentials are in the keyring", || {
        !keyring.visible(tegata_daemon::sign_in_sessions::record::RolesRecord::key("corp").as_str()).is_empty()
    });
    product.kill_daemon();
    product
}

fn upstream_calls(product: &Product) -> u64 {
    product.sandbox().counters().values().sum()
}

/// Fails unless a call ends with one line that begins like this, `status` has that in its line about the store, and no
/// secret was put anywhere.
fn assert_refused(product: &Product, keyring: &PrivateKeyring, line: &str, status: &str) {
    let calls = upstream_calls(product);
    let refused = product.credentials("dev");
    assert_eq!((refused.code, refused.stdout.as_str(), refused.stderr.lines().count()), (15, "", 1), "{refused:?}");
    assert!(refused.stderr.starts_with(line) && refused.stderr.ends_with("; run: tegata status\n"), "{refused:?}");
    assert!(!refused.stderr.contains('\u{1b}'), "{refused:?}");
    let said = product.run(&["status"]);
    let store = said.stdout.lines().find(|line| line.starts_with("store ")).unwrap();
    assert!(said.code == 0 && store.contains(status), "{said:?}");
    assert_eq!(upstream_calls(product), calls, "nothing is fetched that could not be kept");
    product.assert_no_canaries();
    canaries::assert_none(&product.canaries().find_under(&keyring.path("")));
}

/// Fails unless the daemon serves what the keyring has kept.
fn assert_nothing_was_lost(product: &Product) {
    let calls = upstream_calls(product);
    let served = product.credentials("dev");
    assert_eq!((served.code, served.stderr.as_str()), (0, ""));
    assert_eq!(upstream_calls(product), calls);
    let status = product.run(&["status"]).stdout;
    assert!(status.contains("secret-service, ready\n"), "{status}");
}

fn hijacked(manner: Manner, line: &str, status: &str) {
    let mut keyring = PrivateKeyring::start(Around::Nothing);
    let mut product = kept_in(&keyring);
    keyring.kill();
    let hijacker = Hijacker::take_over(&keyring, manner);
    product.start_daemon();
    assert_refused(&product, &keyring, line, status);
    if manner != Manner::Silent {
        // Silence costs each command the whole time that a keyring may take.
        let login = product.sign_in_with(&["login", "corp", "--print"]);
        assert_eq!((login.code, login.stderr.lines().count()), (15, 1), "{login:?}");
    }
    let heard = hijacker.heard();
    assert!(!heard.is_empty() && !heard.iter().any(|(method, _)| method == "CreateItem"), "{heard:?}");
    for (method, body) in heard {
        canaries::assert_none(&product.canaries().find_in(&method, &body));
    }
    product.assert_no_canaries();
    drop(hijacker);
    keyring.restart();
    assert_nothing_was_lost(&product);
}

#[test]
fn i7_a_silent_program_in_the_keyrings_place_gets_nothing_and_loses_nothing() {
    hijacked(Manner::Silent, "tegata: the keyring is not available: ", "unavailable");
}

#[test]
fn i7_a_program_that_talks_nonsense_in_the_keyrings_place_gets_nothing_and_loses_nothing() {
    hijacked(Manner::Garbage, "tegata: the keyring is not available: ", "unavailable");
}

#[test]
fn i7_a_program_that_knows_nothing_in_the_keyrings_place_gets_nothing_and_loses_nothing() {
    hijacked(Manner::NotFound, "tegata: the keyring is not available: ", "unavailable");
}

#[test]
fn i7_a_program_that_wants_secrets_as_they_are_in_the_keyrings_place_gets_none() {
    hijacked(Manner::OnlyPlain, "tegata: the keyring is not available: ", "unavailable");
}

#[test]
fn i4_a_bus_that_denies_access_is_one_line_and_nothing_else() {
    let keyring = PrivateKeyring::start_denying();
    let mut product = over(&keyring);
    product.start_daemon();
    let denied = "tegata: the keyring denied access: org.freedesktop.DBus.Error.AccessDenied";
    assert_refused(&product, &keyring, denied, "secret-service, unavailable: the keyring denied access");
}

#[test]
fn i4_a_person_who_says_no_is_asked_once_and_loses_nothing() {
    let keyring = PrivateKeyring::start(Around::Nothing);
    let person = Prompter::sit_down(&keyring.address());
    let mut product = kept_in(&keyring);
    keyring.lock();
    product.start_daemon();
    std::thread::scope(|scope| {
        let refused = scope.spawn(|| product.credentials("dev"));
        person.dismiss();
        let refused = refused.join().unwrap();
        assert_eq!((refused.code, refused.stdout.as_str()), (15, ""));
    });
    assert_refused(&product, &keyring, "tegata: the keyring is locked; ", "secret-service, locked");
    assert_eq!(person.asked(), 1, "nobody is asked over and over");
    keyring.unlock();
    assert_nothing_was_lost(&product);
}

#[test]
fn i4_twin_a_person_who_gives_the_password_is_asked_once_and_served() {
    let keyring = PrivateKeyring::start(Around::Nothing);
    let person = Unlocker::sit_down(&keyring.address(), PASSWORD);
    let mut product = kept_in(&keyring);
    keyring.lock();
    product.start_daemon();
    assert_nothing_was_lost(&product);
    assert_eq!(person.asked(), 1);
}

#[test]
fn a_sign_in_asks_for_the_keyring_first_and_goes_on_with_the_password() {
    let keyring = PrivateKeyring::start(Around::Nothing);
    let person = Unlocker::sit_down(&keyring.address(), PASSWORD);
    let mut product = over(&keyring);
    keyring.lock();
    product.start_daemon();
    product.sign_in();
    assert_eq!(product.credentials("dev").code, 0);
    assert_eq!(person.asked(), 1);
    product.assert_no_canaries();
}

#[test]
fn i4_a_wrong_password_is_no_way_in() {
    let keyring = PrivateKeyring::start(Around::Nothing);
    let mut product = kept_in(&keyring);
    keyring.lock();
    let person = Unlocker::sit_down(&keyring.address(), "not the password");
    product.start_daemon();
    assert_refused(&product, &keyring, "tegata: the keyring is locked; ", "secret-service, locked");
    assert_eq!(person.asked(), 1);
}
