//! How long a grant lives, from outside: no longer than its daemon, no longer than the rules allow, whatever is asked for.
#![allow(clippy::unwrap_used, reason = "this is a test")]

use serde_json::{Value, json};
use tegata_tests::hand::Hand;
use tegata_tests::product::Product;

fn gated() -> (Product, Hand) {
    let mut product = Product::new();
    product.store_in_files();
    product.start_daemon();
    product.sign_in();
    let hand = product.enrol("alice", None);
    (product, hand)
}

fn is_refused(product: &Product) {
    let refused = product.run(&["credential-process", "--profile", "admin", "--wait", "2"]);
    assert_eq!((refused.code, refused.stdout.as_str()), (11, ""), "{refused:?}");
}

#[test]
fn j5_no_grant_outlives_its_daemon() {
    let (mut product, mut hand) = gated();
    product.elevate(&mut hand, &json!({ "profile": "admin" }));
    assert_eq!(product.credentials("admin").code, 0);
    product.kill_daemon();
    product.start_daemon();
    assert!(product.grants().is_empty());
    is_refused(&product);
    product.assert_no_canaries();
}

#[test]
fn j5_a_daemon_that_ends_ends_its_grants_first() {
    let (mut product, mut hand) = gated();
    product.elevate(&mut hand, &json!({ "profile": "admin" }));
    assert_eq!(product.run(&["daemon", "stop"]).code, 0);
    assert_eq!(product.daemon_ends(), 0);
    assert_eq!(product.ends_of_grants(), ["daemon_ended"]);
}

#[test]
fn j5_twin_the_passkey_outlives_the_daemon_and_approves_anew() {
    let (mut product, mut hand) = gated();
    product.kill_daemon();
    product.start_daemon();
    product.elevate(&mut hand, &json!({ "profile": "admin" }));
    assert_eq!(product.credentials("admin").code, 0);
}

#[test]
fn j6_no_asked_for_window_is_longer_than_the_rules_allow() {
    let (product, mut hand) = gated();
    for seconds in
        [json!(0), json!(-1), json!(0.5), json!(1e30), json!("60"), json!(18_446_744_073_709_551_616.0), json!([60])]
    {
        let (status, said) =
            product.api("POST", "/v1/grants", Some(&json!({ "profile": "admin", "seconds": &seconds })));
        assert_eq!((status, &said["code"]), (400, &json!("bad_request")), "{seconds}: {said}");
    }
    is_refused(&product);
    for seconds in [u64::MAX, i64::MAX.unsigned_abs(), 901] {
        product.elevate(&mut hand, &json!({ "profile": "admin", "seconds": seconds }));
        assert!(seconds_left(&product) <= 900, "{seconds}: {:?}", product.grants());
        assert_eq!(product.api("DELETE", "/v1/grants", None), (200, json!({ "dropped": 1 })));
    }
}

#[test]
fn j6_twin_a_shorter_window_is_what_was_asked_for() {
    let (product, mut hand) = gated();
    product.elevate(&mut hand, &json!({ "profile": "admin", "seconds": 600 }));
    assert!((1..=600).contains(&seconds_left(&product)));
    assert_eq!(product.credentials("admin").code, 0);
}

fn seconds_left(product: &Product) -> u64 {
    let grants: Vec<Value> = product.grants();
    assert_eq!(grants.len(), 1, "{grants:?}");
    grants[0]["seconds_left"].as_u64().unwrap()
}
