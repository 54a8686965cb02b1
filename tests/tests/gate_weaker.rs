//! Settings that a program of the user loosened: what was accepted holds over a restart, until a hand agrees.
#![allow(clippy::unwrap_used, reason = "this is a test")]

use serde_json::{Value, json};
use std::fs;
use tegata_sandbox::{IamRole, Operation, Sandbox};
use tegata_tests::gated::{IN_FILES, gated, id, records};
use tegata_tests::hand::Hand;
use tegata_tests::product::Product;

const READING: &str = "[[rule]]\nname = \"reading\"\nrole = \"ReadOnly\"\nwindow = \"5m\"\n";
const DEPLOY: &str = "arn:aws:iam::210987654321:role/Deploy";

/// Signed in and enrolled with these rules in force, over a store that lasts. `deploy` is a role behind `dev`.
fn ruled(rules: &str) -> (Product, Hand) {
    let mut product = Product::new();
    product.sandbox().configure(|settings| {
        settings.iam_roles = vec![IamRole::new(DEPLOY, &["arn:aws:iam::123456789012:root"])];
    });
    let deploy =
        format!("[profile deploy]\nregion = us-east-1\ntegata_source_profile = dev\ntegata_role_arn = {DEPLOY}\n");
    product.write_aws_config(&format!("{}{deploy}", product.default_aws_config()));
    product.store_in_files();
    product.write_settings(&format!("{IN_FILES}{rules}"));
    gated(product)
}

/// The daemon dies and comes back with other rules in `config.toml`.
fn comes_back_with(product: &mut Product, rules: &str) {
    product.kill_daemon();
    product.write_settings(&format!("{IN_FILES}{rules}"));
    product.start_daemon();
}

/// How a tool ends that has no time to wait for a hand.
fn code(product: &Product, profile: &str) -> i32 {
    let ended = product.run(&["credential-process", "--profile", profile, "--wait", "0"]);
    // Without any time, AWS is not waited for either.
    if ended.code == 14 { product.credentials(profile).code } else { ended.code }
}

/// What waits to be accepted, as the API says it; `status` says the same.
fn pending(product: &Product) -> Vec<String> {
    let (status, policy) = product.api("GET", "/v1/policy", None);
    assert_eq!(status, 200, "{policy}");
    let weaker: Vec<String> = serde_json::from_value(policy["weaker"].clone()).unwrap();
    let (_, stands) = product.api("GET", "/v1/status", None);
    let shown = product.run(&["status"]).stdout;
    for line in &weaker {
        let warning = format!("not in force until accepted (tegata policy accept): {line}");
        assert!(stands["warnings"].as_array().unwrap().contains(&Value::String(warning)), "{stands}");
        assert!(shown.contains("tegata policy accept"), "{shown}");
    }
    assert!(!weaker.is_empty() || !shown.contains("tegata policy accept"), "{shown}");
    weaker
}

fn accept(product: &Product, hand: &mut Hand) {
    let (status, request) = product.api("POST", "/v1/policy", None);
    assert_eq!((status, &request["purpose"]), (201, &json!("accept_policy")), "{request}");
    assert_eq!(request["changes"], json!(pending(product)), "the page shows what becomes weaker");
    assert_eq!(hand.approve(&product.page(id(&request))).unwrap()["state"], "approved");
    assert_eq!(records(product, "policy_accepted").len(), 1);
}

#[test]
fn a_deleted_rule_holds_until_a_hand_lets_it_go() {
    let (mut product, mut hand) = ruled(READING);
    assert_eq!(code(&product, "dev"), 11);
    comes_back_with(&mut product, "");
    assert_eq!(code(&product, "dev"), 11, "still gated as accepted");
    assert_eq!(pending(&product), ["rule reading is gone, or matches less than it did"]);
    accept(&product, &mut hand);
    assert_eq!((code(&product, "dev"), pending(&product).len()), (0, 0), "in force at once");
    comes_back_with(&mut product, "");
    assert_eq!((code(&product, "dev"), pending(&product).len()), (0, 0), "and over a restart");
}

#[test]
fn a_hand_that_says_no_leaves_everything_as_it_was() {
    let (mut product, hand) = ruled(READING);
    comes_back_with(&mut product, "");
    let (_, request) = product.api("POST", "/v1/policy", None);
    hand.refuse(&product.page(id(&request))).unwrap();
    assert_eq!((code(&product, "dev"), pending(&product).len()), (11, 1));
}

#[test]
fn a_longer_window_is_cut_to_the_accepted_one_until_then() {
    let (mut product, mut hand) = ruled(READING);
    comes_back_with(&mut product, &READING.replace("5m", "1h"));
    assert_eq!(pending(&product).len(), 1);
    let hour = json!({ "profile": "dev", "seconds": 3600 });
    let granted = product.elevate(&mut hand, &hour);
    assert_eq!(granted["window_seconds"], 300, "{granted}");
    accept(&product, &mut hand);
    assert_eq!(product.elevate(&mut hand, &hour)["window_seconds"], 3600);
}

#[test]
fn an_administrator_is_not_taken_out_of_the_gate_by_an_edit() {
    let open = "[[rule]]\nname = \"open\"\nrole = \"Admin\"\ngate = \"none\"\n";
    let (mut product, mut hand) = ruled("");
    comes_back_with(&mut product, open);
    assert_eq!(code(&product, "admin"), 11);
    assert_eq!(pending(&product), ["rule open: gate = \"none\" takes what it matches out of the built-in rule"]);
    accept(&product, &mut hand);
    assert_eq!(code(&product, "admin"), 0);
}

#[test]
fn another_sts_endpoint_hears_nothing_before_it_is_accepted() {
    let (mut product, mut hand) = ruled("");
    assert_eq!(code(&product, "deploy"), 0);
    let elsewhere = Sandbox::start().unwrap();
    product.kill_daemon();
    let (here, there) = (product.sandbox().url(), elsewhere.url());
    let path = product.path(".config/tegata/config.toml");
    let settings = fs::read_to_string(&path).unwrap();
    let moved = settings.replace(&format!("sts = \"{here}\""), &format!("sts = \"{there}\""));
    assert_ne!(settings, moved);
    fs::write(path, moved).unwrap();
    product.start_daemon();
    for profile in ["deploy", "dev", "admin"] {
        let refused = product.run(&["credential-process", "--profile", profile, "--wait", "0"]);
        assert_eq!((refused.code, refused.stdout.as_str()), (13, ""), "{refused:?}");
        assert!(refused.stderr.ends_with("; run: tegata policy accept\n"), "{refused:?}");
        assert_eq!(refused.stderr.lines().count(), 1, "{refused:?}");
    }
    assert_eq!(pending(&product), [format!("the STS endpoint was {here} and is now {there}")]);
    assert!(elsewhere.requests().is_empty(), "{:?}", elsewhere.requests());
    accept(&product, &mut hand);
    let after = product.credentials("deploy");
    assert_ne!(after.code, 13, "{after:?}");
    assert!(elsewhere.calls(Operation::AssumeRole) > 0, "the person wanted it so");
}

#[test]
fn tightening_asks_nobody_and_counts_from_then_on() {
    let (mut product, _hand) = ruled("");
    assert_eq!(code(&product, "dev"), 0);
    comes_back_with(&mut product, READING);
    assert_eq!((code(&product, "dev"), pending(&product).len()), (11, 0));
    let (status, nothing) = product.api("POST", "/v1/policy", None);
    assert_eq!(status, 404, "{nothing}");
    comes_back_with(&mut product, "");
    assert_eq!((code(&product, "dev"), pending(&product).len()), (11, 1), "what was tightened was accepted");
}

#[test]
fn what_tightens_among_what_loosens_holds_at_once() {
    let (mut product, _hand) = ruled(READING);
    assert_eq!(code(&product, "deploy"), 11, "every station of a chain counts");
    comes_back_with(&mut product, "[[rule]]\nname = \"deploying\"\nrole = \"Deploy\"\nuses = 1\n");
    let (_, explained) = product.api("GET", "/v1/policy?profile=deploy", None);
    let rules: Vec<String> = serde_json::from_value(explained["rules"].clone()).unwrap();
    assert!(rules.iter().any(|rule| rule.contains("reading (as accepted)")), "{explained}");
    assert!(rules.iter().any(|rule| rule.contains("deploying")), "{explained}");
    assert_eq!(pending(&product), ["rule reading is gone, or matches less than it did"]);
}
