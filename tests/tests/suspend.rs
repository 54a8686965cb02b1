//! The machine goes to sleep, or the screen is locked: what a hand approved ends, and who waits goes on waiting.
#![cfg(feature = "system")]
#![allow(clippy::unwrap_used, reason = "this is a test")]

use serde_json::json;
use tegata_tests::desktop::Desktop;
use tegata_tests::hand::Hand;
use tegata_tests::login_manager::LoginManager;
use tegata_tests::product::{Product, wait_until};
use zbus::blocking::connection;

const OTHER_USER: u32 = 64_999;

/// A product with a grant that was used, and a login manager that the daemon listens to. `mine` and `other` are sessions.
fn with_a_grant() -> (Product, LoginManager, Hand) {
    let mut product = Product::new();
    let manager = LoginManager::of(&mut product);
    manager.add_login_session("mine", rustix::process::getuid().as_raw());
    manager.add_login_session("other", OTHER_USER);
    product.environment.push(("TEGATA_LOG".to_owned(), "info".to_owned()));
    product.start_daemon();
    wait_until("the daemon listens", || product.daemon_log().contains("the system bus tells when grants end"));
    product.sign_in();
    let mut hand = product.enrol("alice", None);
    elevate(&product, &mut hand);
    (product, manager, hand)
}

fn elevate(product: &Product, hand: &mut Hand) {
    product.elevate(hand, &json!({ "profile": "admin" }));
    assert_eq!(product.credentials("admin").code, 0);
}

fn ends_as(product: &Product, whys: &[&str]) {
    wait_until("the grant ends", || product.grants().is_empty());
    wait_until("its end is recorded", || product.ends_of_grants().len() >= whys.len());
    assert_eq!(product.ends_of_grants(), whys);
    let refused = product.run(&["credential-process", "--profile", "admin", "--wait", "0"]);
    assert_eq!((refused.code, refused.stdout.as_str()), (11, ""), "{refused:?}");
}

#[test]
fn j2_grants_end_when_the_machine_goes_to_sleep_or_the_screen_is_locked() {
    let (product, manager, mut hand) = with_a_grant();
    manager.prepare_for_sleep(true);
    ends_as(&product, &["suspended"]);
    elevate(&product, &mut hand);
    manager.lock("mine");
    ends_as(&product, &["suspended", "desktop_locked"]);
    elevate(&product, &mut hand);
    manager.set_locked_hint("mine", true);
    ends_as(&product, &["suspended", "desktop_locked", "desktop_locked"]);
    assert_eq!(product.credentials("dev").code, 0, "what is not gated goes on");
    product.assert_no_canaries();
}

#[test]
fn j2_twin_neither_waking_nor_another_users_screen_nor_an_impostor_ends_a_grant() {
    let (product, manager, mut hand) = with_a_grant();
    manager.is_impersonated();
    // Signals are followed in their order: had one of those ended the grant, it would be gone as suspended.
    manager.lock("mine");
    ends_as(&product, &["desktop_locked"]);
    elevate(&product, &mut hand);
    manager.lock("other");
    manager.set_locked_hint("other", true);
    manager.unlock("mine");
    manager.set_locked_hint("mine", false);
    manager.prepare_for_sleep(false);
    assert_eq!(product.grants().len(), 1);
    manager.prepare_for_sleep(true);
    ends_as(&product, &["desktop_locked", "suspended"]);
}

#[test]
fn j2_grants_end_when_a_screen_saver_begins() {
    let mut product = Product::new();
    let _desktop = Desktop::of(&mut product);
    let address = product.environment.last().unwrap().1.clone();
    let saver = connection::Builder::address(address.as_str()).unwrap().name("org.gnome.ScreenSaver").unwrap();
    let saver = saver.build().unwrap();
    let is_active = |active: bool| {
        let (path, name) = ("/org/gnome/ScreenSaver", "org.gnome.ScreenSaver");
        saver.emit_signal(None::<&str>, path, name, "ActiveChanged", &(active,)).unwrap();
    };
    product.environment.push(("TEGATA_LOG".to_owned(), "info".to_owned()));
    product.start_daemon();
    wait_until("the daemon listens", || product.daemon_log().contains("the session bus tells when grants end"));
    product.sign_in();
    let mut hand = product.enrol("alice", None);
    elevate(&product, &mut hand);
    is_active(false);
    assert_eq!(product.grants().len(), 1);
    is_active(true);
    ends_as(&product, &["desktop_locked"]);
}

#[test]
fn who_waits_for_a_hand_goes_on_waiting_over_a_locked_screen() {
    let (product, manager, mut hand) = with_a_grant();
    let (status, request) = product.api("POST", "/v1/grants", Some(&json!({ "profile": "admin", "seconds": 60 })));
    assert_eq!(status, 201, "{request}");
    manager.lock("mine");
    ends_as(&product, &["desktop_locked"]);
    hand.approve(&product.page(request["id"].as_str().unwrap())).unwrap();
    assert_eq!(product.credentials("admin").code, 0);
}
