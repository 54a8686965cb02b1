//! A crash at the moment a review item is written: there is no grant without its review, and no review is half written.
#![cfg(feature = "system")]
#![allow(clippy::unwrap_used, reason = "this is a test")]

use serde_json::json;
use tegata_tests::gated::{IN_FILES, gated, id};
use tegata_tests::hand::OpenPage;
use tegata_tests::product::Product;
use tegata_tests::program;

const REVIEWED: &str = "[[rule]]\nname = \"reviewed\"\nrole = \"Admin\"\nreview = true\n";

fn reviews(product: &Product) -> usize {
    let (status, body) = product.api("GET", "/v1/reviews", None);
    assert_eq!(status, 200, "{body}");
    body["reviews"].as_array().unwrap().len()
}

#[test]
fn i1_a_crash_at_the_review_leaves_no_grant_and_no_damage() {
    let mut product = Product::new();
    product.store_in_files();
    product.write_settings(&format!("{IN_FILES}{REVIEWED}"));
    let (mut product, mut hand) = gated(product);
    product.kill_daemon();
    product.daemon_binary = program("tegatad-failpoints");
    product.environment.push(("TEGATA_FAILPOINT".to_owned(), "reviews.before-rename".to_owned()));
    product.start_daemon();
    let (_, request) = product.api("POST", "/v1/grants", Some(&json!({ "profile": "admin" })));
    let mut page = OpenPage::open(&product.page(id(&request))).unwrap();
    let answer = hand.device.get(&page.begin().unwrap(), &page.origin).unwrap();
    let unanswered = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| page.finish(&answer)));
    assert!(unanswered.is_err(), "the daemon died before it could answer");
    assert_eq!(product.daemon_ends(), 128 + 9, "{}", product.daemon_log());
    product.environment.retain(|(name, _)| name != "TEGATA_FAILPOINT");
    product.daemon_binary = program("tegatad");
    product.start_daemon();
    assert!(product.grants().is_empty() && reviews(&product) == 0);
    product.elevate(&mut hand, &json!({ "profile": "admin" }));
    assert_eq!((product.grants().len(), reviews(&product)), (1, 1));
}
