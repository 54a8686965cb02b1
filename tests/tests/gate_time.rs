//! First passkeys, pages, ends and crashes of a gate (security.md B26 to B29).
#![allow(clippy::unwrap_used, reason = "this is a test")]

use serde_json::{Value, json};
use std::time::SystemTime;
use tegata_sandbox::Operation;
#[cfg(feature = "system")]
use tegata_tests::failpoints;
use tegata_tests::gated::{IN_FILES, gated, id, records};
use tegata_tests::hand::{Hand, OpenPage};
use tegata_tests::product::{Product, wait_until};

fn passkey(person: &str) -> Value {
    json!({ "person": person, "name": format!("{person}'s key") })
}

fn passkeys(product: &Product) -> Vec<Value> {
    let (status, passkeys) = product.api("GET", "/v1/passkeys", None);
    assert_eq!(status, 200, "{passkeys}");
    passkeys["passkeys"].as_array().unwrap().clone()
}

#[test]
fn b26_a_first_passkey_takes_a_sign_in_of_the_last_minutes() {
    let mut product = Product::new();
    product.store_in_files();
    product.write_settings(IN_FILES);
    product.start_daemon();
    let (status, told) = product.api("POST", "/v1/passkeys", Some(&passkey("mallory")));
    assert_eq!((status, &told["code"], &told["mend"]), (401, &json!("sign_in_required"), &json!("tegata login")));
    product.sign_in();
    // A sign-in that another daemon saw is none of the last minutes.
    product.kill_daemon();
    product.start_daemon();
    assert_eq!(product.credentials("dev").code, 0, "the sign-in itself lives");
    assert_eq!(product.api("POST", "/v1/passkeys", Some(&passkey("mallory"))).0, 401);
    let add = product.run(&["passkey", "add", "--person", "mallory", "--name", "key", "--print"]);
    assert_eq!((add.code, add.stdout.as_str()), (10, ""), "{add:?}");
    assert!(add.stderr.ends_with("; run: tegata login\n"), "{add:?}");
    assert!(product.waiting().is_empty() && passkeys(&product).is_empty());
}

#[test]
fn b26_twin_a_fresh_sign_in_vouches_for_the_first_passkey() {
    let (product, _hand) = gated(Product::new());
    assert_eq!(passkeys(&product).len(), 1);
    assert_eq!(records(&product, "passkey_added").len(), 1);
}

#[test]
fn b26_another_passkey_takes_a_gesture_of_an_enrolled_one_however_fresh_the_sign_in() {
    let (product, mut hand) = gated(Product::new());
    product.sign_in();
    let (status, request) = product.api("POST", "/v1/passkeys", Some(&passkey("mallory")));
    assert_eq!((status, &request["state"]), (201, &json!("awaits_gesture")), "{request}");
    let mut page = OpenPage::open(&product.page(id(&request))).unwrap();
    let options = page.begin().unwrap();
    let mut mallory = Hand::new();
    assert!(mallory.device.get(&options, &page.origin).is_err(), "a device that is not enrolled has nothing to say");
    assert!(page.finish(&json!({ "id": "x" })).is_err());
    assert_eq!(passkeys(&product).len(), 1);
    let _bob = product.enrol("bob", Some(&mut hand));
    assert_eq!(passkeys(&product).len(), 2);
}

#[test]
fn b27_an_enrolment_page_without_its_one_time_secret_is_closed() {
    let mut product = Product::new();
    product.start_daemon();
    product.sign_in();
    let (_, request) = product.api("POST", "/v1/passkeys", Some(&passkey("alice")));
    let url = product.page(id(&request));
    let (address, secret) = url.split_once("/#").unwrap();
    let guess = "A".repeat(secret.len());
    for wrong in [String::new(), guess, secret[1..].to_owned()] {
        assert_eq!(OpenPage::open(&format!("{address}/#{wrong}")).unwrap_err().0, 403);
    }
    let mut first = OpenPage::open(&url).unwrap();
    assert_eq!(OpenPage::open(&url).unwrap_err().0, 403, "it was used");
    let options = first.begin().unwrap();
    let made = Hand::new().device.create(&options, &first.origin).unwrap();
    first.finish(&made).unwrap();
    assert_eq!(passkeys(&product).len(), 1, "who opened it first goes on");
}

#[test]
fn b27_twin_the_page_with_its_secret_enrols() {
    let (product, mut hand) = gated(Product::new());
    let (status, request) = product.api("POST", "/v1/passkeys/test", None);
    assert_eq!(status, 201, "{request}");
    assert_eq!(hand.approve(&product.page(id(&request))).unwrap()["state"], "approved");
}

fn seconds() -> u64 {
    SystemTime::UNIX_EPOCH.elapsed().unwrap().as_secs()
}

#[test]
fn b28_after_its_end_a_grant_serves_nobody() {
    let (product, mut hand) = gated(Product::new());
    product.elevate(&mut hand, &json!({ "profile": "admin", "seconds": 2 }));
    wait_until("the grant has ended", || product.grants().is_empty());
    let refused = product.run(&["credential-process", "--profile", "admin", "--wait", "0"]);
    assert_eq!((refused.code, refused.stdout.as_str()), (11, ""), "{refused:?}");
    assert_eq!(product.sandbox().calls(Operation::GetRoleCredentials), 0);
}

#[test]
fn b28_twin_until_its_end_it_serves_credentials_that_end_with_it() {
    let (product, mut hand) = gated(Product::new());
    let ended = product.elevate(&mut hand, &json!({ "profile": "admin", "seconds": 20 }));
    assert_eq!(ended["window_seconds"], 20, "{ended}");
    let latest = seconds() + 20;
    let served = product.credentials("admin");
    assert_eq!(served.code, 0, "{served:?}");
    let credentials: Value = serde_json::from_str(&served.stdout).unwrap();
    let mut date = product.command("date");
    let date = date.args(["+%s", "--date", credentials["Expiration"].as_str().unwrap()]);
    let ends: u64 = tegata_tests::product::run(date).stdout.trim().parse().unwrap();
    assert!(ends <= latest, "{ends} {latest}");
}

/// The fail points between a verified gesture and what follows from it, as the sources name them.
#[cfg(feature = "system")]
fn seams() -> Vec<String> {
    let seams: Vec<_> = failpoints::names().into_iter().filter(|name| name.starts_with("gate.")).collect();
    assert!(seams.len() >= 2, "{seams:?}");
    seams
}

/// Dies at a seam of a gesture. Returns the product with its daemon back, the hand, and the answer that was under way.
#[cfg(feature = "system")]
fn dies_at(failpoint: &str) -> (Product, Hand, Value) {
    let mut product = Product::new();
    product.store_in_files();
    product.write_settings(IN_FILES);
    let (mut product, hand) = gated(product);
    product.kill_daemon();
    product.daemon_binary = tegata_tests::program("tegatad-failpoints");
    product.environment.push((String::from("TEGATA_FAILPOINT"), failpoint.to_owned()));
    product.start_daemon();
    let (_, request) = product.api("POST", "/v1/grants", Some(&json!({ "profile": "admin" })));
    let page = OpenPage::open(&product.page(id(&request))).unwrap();
    let mut hand = hand;
    let answer = hand.device.get(&page.begin().unwrap(), &page.origin).unwrap();
    let mut finishing = page;
    let lost = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| finishing.finish(&answer)));
    assert!(lost.is_err(), "nobody answered: {lost:?}");
    assert_eq!(product.daemon_ends(), 128 + 9, "{}", product.daemon_log());
    product.environment.retain(|(name, _)| name != "TEGATA_FAILPOINT");
    product.daemon_binary = tegata_tests::program("tegatad");
    product.start_daemon();
    (product, hand, answer)
}

#[cfg(feature = "system")]
#[test]
fn b29_a_crash_before_or_behind_the_counter_s_write_releases_nothing_and_is_no_use_again() {
    for failpoint in seams() {
        let (product, _hand, answer) = dies_at(&failpoint);
        assert!(product.grants().is_empty() && records(&product, "granted").is_empty(), "{failpoint}");
        let (_, request) = product.api("POST", "/v1/grants", Some(&json!({ "profile": "admin" })));
        let mut page = OpenPage::open(&product.page(id(&request))).unwrap();
        page.begin().unwrap();
        assert!(page.finish(&answer).is_err(), "{failpoint}: the answer from before");
        let refused = product.run(&["credential-process", "--profile", "admin", "--wait", "0"]);
        assert_eq!((refused.code, refused.stdout.as_str()), (11, ""), "{failpoint}: {refused:?}");
        assert_eq!(product.sandbox().calls(Operation::GetRoleCredentials), 0, "{failpoint}");
    }
}

#[cfg(feature = "system")]
#[test]
fn b29_twin_after_the_crash_the_same_passkey_approves_anew() {
    for failpoint in seams() {
        let (product, mut hand, _) = dies_at(&failpoint);
        product.elevate(&mut hand, &json!({ "profile": "admin" }));
        assert_eq!(product.credentials("admin").code, 0, "{failpoint}");
    }
}
