//! A gated profile: enrolled, approved by hand, used, dropped.
#![allow(clippy::unwrap_used, clippy::panic, reason = "this is a test")]

use serde_json::{Value, json};
use tegata_tests::gated::gated;
use tegata_tests::product::{Product, wait_until};

#[test]
fn an_administration_role_is_served_until_a_passkey_is_enrolled_and_then_waits_for_a_hand() {
    let mut product = Product::new();
    product.start_daemon();
    product.sign_in();
    assert_eq!(product.credentials("admin").code, 0, "nobody is locked out on the first day");
    let _hand = product.enrol("alice", None);
    let refused = product.run(&["credential-process", "--profile", "admin", "--wait", "0"]);
    assert_eq!((refused.code, refused.stdout.as_str()), (11, ""), "{refused:?}");
    assert_eq!(product.credentials("dev").code, 0, "what is not gated goes on");
    product.assert_no_canaries();
}

#[test]
fn a_tool_that_waits_is_served_when_the_hand_comes() {
    let (product, mut hand) = gated(Product::new());
    let served = std::thread::scope(|scope| {
        let tool = scope.spawn(|| product.credentials("admin"));
        let request = product.parked();
        assert_eq!((&request["purpose"], &request["profile"]), (&json!("elevate"), &json!("admin")));
        hand.approve(&product.page(request["id"].as_str().unwrap())).unwrap();
        tool.join().unwrap()
    });
    assert_eq!(served.code, 0, "{served:?}");
    let credentials: Value = serde_json::from_str(&served.stdout).unwrap();
    assert_eq!(credentials["AccountId"], "123456789012");
    assert!(product.waiting().is_empty());
    product.assert_no_canaries();
}

#[test]
fn a_dropped_grant_is_gone_and_what_was_issued_under_it_with_it() {
    let (product, mut hand) = gated(Product::new());
    product.elevate(&mut hand, &json!({ "profile": "admin", "seconds": 600, "reason": "INC-42" }));
    assert_eq!(product.credentials("admin").code, 0);
    let (_, grants) = product.api("GET", "/v1/grants", None);
    let grant = &grants["grants"][0];
    assert_eq!((&grant["reason"], &grant["tier"], &grant["yours"]), (&json!("INC-42"), &json!("prompt"), &json!(true)));
    assert_eq!(product.api("DELETE", "/v1/grants?profile=admin", None), (200, json!({ "dropped": 1 })));
    let refused = product.run(&["credential-process", "--profile", "admin", "--wait", "0"]);
    assert_eq!(refused.code, 11, "{refused:?}");
    let events: Vec<_> = product.audit().iter().map(|record| record["event"].as_str().unwrap().to_owned()).collect();
    for event in ["passkey_added", "hand_asked", "hand_given", "granted", "released", "grant_ended", "refused"] {
        assert!(events.iter().any(|there| there == event), "{event} is not in {events:?}");
    }
}

#[test]
fn who_says_no_is_not_asked_again_at_once() {
    let (product, hand) = gated(Product::new());
    let refused = std::thread::scope(|scope| {
        let tool = scope.spawn(|| product.credentials("admin"));
        let request = product.parked();
        hand.refuse(&product.page(request["id"].as_str().unwrap())).unwrap();
        tool.join().unwrap()
    });
    assert_eq!((refused.code, refused.stdout.as_str()), (12, ""), "{refused:?}");
    assert_eq!(product.credentials("admin").code, 12, "remembered");
    assert!(product.waiting().is_empty());
}

#[test]
fn the_page_is_there_only_while_somebody_has_one() {
    let (product, mut hand) = gated(Product::new());
    let (_, request) = product.api("POST", "/v1/grants", Some(&json!({ "profile": "admin" })));
    let url = product.page(request["id"].as_str().unwrap());
    let port: u16 = url.split("/#").next().unwrap().rsplit(':').next().unwrap().parse().unwrap();
    hand.approve(&url).unwrap();
    wait_until("nothing listens", || std::net::TcpStream::connect(("127.0.0.1", port)).is_err());
}
