//! What can lower a gate, and what cannot: names, files, variables, requests, an older policy. And what a person is shown of a target.
#![allow(clippy::unwrap_used, clippy::panic, reason = "this is a test")]

use serde_json::{Value, json};
use std::fs;
use tegata_tests::hand::{Hand, OpenPage};
use tegata_tests::product::{Ended, Product, run};

const DEPLOY: &str = "arn:aws:iam::210987654321:role/team/Deploy";
const HERE: &str = "arn:aws:iam::123456789012:role/Reader";

/// A signed-in product with settings of its own, and one person's passkey.
fn enrolled(aws_config: &str, settings: &str) -> (Product, Hand) {
    let mut product = Product::new();
    product.write_aws_config(&format!("{}{aws_config}", product.default_aws_config()));
    product.write_settings(&format!("store = \"memory\"\n{settings}"));
    product.start_daemon();
    product.sign_in();
    let hand = product.enrol("alice", None);
    (product, hand)
}

fn at_once(product: &Product, profile: &str) -> Ended {
    product.run(&["credential-process", "--profile", profile, "--wait", "0"])
}

fn assert_gated(ended: &Ended, what: &str) {
    assert_eq!((ended.code, ended.stdout.as_str()), (11, ""), "{what}: {ended:?}");
}

/// An `admin` by another name, with whatever a profile might say about its gate.
fn also_admin(name: &str, more: &str) -> String {
    format!(
        "[profile {name}]\nregion = us-east-1\ntegata_sso_session = corp\ntegata_sso_account_id = 123456789012\n\
         tegata_sso_role_name = Admin\n{more}\n"
    )
}

#[test]
fn h10_neither_names_nor_files_nor_variables_nor_requests_lower_a_gate() {
    let through_admin =
        format!("[profile detour]\nregion = us-east-1\ntegata_source_profile = admin\ntegata_role_arn = {HERE}\n");
    let (product, _hand) = enrolled(&format!("{}{through_admin}", also_admin("harmless", "")), "");
    for profile in ["admin", "harmless", "detour"] {
        assert_gated(&at_once(&product, profile), profile);
    }

    let other_file = product.path("other-config");
    let session = product.default_aws_config().split("[profile").next().unwrap().to_owned();
    fs::write(&other_file, format!("{session}{}", also_admin("dev", ""))).unwrap();
    let settings = product.path("other/tegata");
    fs::create_dir_all(&settings).unwrap();
    fs::write(settings.join("config.toml"), "[[rule]]\nrole = \"Admin\"\ngate = \"none\"\n").unwrap();
    let mut command = product.tegata(&["credential-process", "--profile", "dev", "--wait", "0"]);
    command.env("AWS_CONFIG_FILE", &other_file);
    command.env("XDG_CONFIG_HOME", product.path("other")).env("TEGATA_GATE", "none").env("TEGATA_ELEVATED", "1");
    assert_gated(&run(&mut command), "dev of another file");

    let (status, said) = product.api("GET", "/v1/credentials?profile=admin&gate=none", None);
    assert_eq!((status, &said["code"]), (400, &json!("bad_request")));
    let (status, said) = product.api("POST", "/v1/grants", Some(&json!({ "profile": "admin", "holder": "user" })));
    assert_eq!((status, &said["code"]), (403, &json!("denied")), "{said}");
    let (_, asked) = product.api("POST", "/v1/grants", Some(&json!({ "profile": "admin", "seconds": 86_400 })));
    assert_eq!((&asked["window_seconds"], &asked["approvals_needed"]), (&json!(900), &json!(1)), "{asked}");
}

#[test]
fn h10_no_key_of_a_profile_lowers_its_gate() {
    let keys = ["tegata_gate = none", "tegata_passkey = false", "gate = none", "tegata_admin = false"];
    let named = |number: usize| format!("p{number}");
    let config: String = keys.iter().enumerate().map(|(number, key)| also_admin(&named(number), key)).collect();
    let (product, _hand) = enrolled(&config, "");
    for (number, key) in keys.iter().enumerate() {
        let ended = at_once(&product, &named(number));
        assert!([11, 13].contains(&ended.code) && ended.stdout.is_empty(), "{key}: {ended:?}");
    }
}

#[test]
fn h10_twin_the_rule_in_the_settings_does() {
    let (product, _hand) = enrolled("", "[[rule]]\nname = \"out\"\nrole = \"Admin\"\ngate = \"none\"\n");
    let served = product.credentials("admin");
    assert_eq!(served.code, 0, "{served:?}");
    let (_, explained) = product.api("GET", "/v1/policy?profile=admin", None);
    assert_eq!(explained["gate"], "open", "{explained}");
}

/// A product whose store outlives the daemon, with a passkey, under the policy that `rules` say.
fn under(rules: &str) -> (Product, Hand) {
    let mut product = Product::new();
    product.store_in_files();
    put(&product, rules);
    product.start_daemon();
    product.sign_in();
    let hand = product.enrol("alice", None);
    (product, hand)
}

fn put(product: &Product, rules: &str) {
    product.write_settings(&format!("store = \"file\"\n{rules}[file_store]\nsystemd_credential = \"key\"\n"));
}

fn restart_with(product: &mut Product, rules: &str) -> Value {
    assert_eq!(product.run(&["daemon", "stop"]).code, 0);
    product.daemon_ends();
    put(product, rules);
    product.start_daemon();
    product.api("GET", "/v1/policy", None).1
}

fn window(minutes: u8) -> String {
    format!("[[rule]]\nname = \"readers\"\nrole = \"ReadOnly\"\nwindow = \"{minutes}m\"\n")
}

#[test]
fn h11_an_older_policy_that_is_put_back_does_not_hold_until_a_hand_accepts_it() {
    let (mut product, mut hand) = under(&window(5));
    assert_gated(&at_once(&product, "dev"), "as accepted");
    let state = restart_with(&mut product, "");
    assert_eq!(state["weaker"], json!(["rule readers is gone, or matches less than it did"]));
    assert_gated(&at_once(&product, "dev"), "as accepted, over the restart");
    let status = product.run(&["status"]).stdout;
    assert!(status.contains("tegata policy accept"), "{status}");

    let (_, request) = product.api("POST", "/v1/policy", None);
    assert_eq!(request["changes"], state["weaker"], "the hand sees what it accepts");
    assert_eq!(hand.approve(&product.page(request["id"].as_str().unwrap())).unwrap()["state"], "approved");
    assert_eq!(product.credentials("dev").code, 0);
}

#[test]
fn h11_twin_a_tighter_policy_is_taken_silently_and_then_holds() {
    let (mut product, _hand) = under(&window(5));
    let window_of_dev = |product: &Product| {
        let (_, asked) = product.api("POST", "/v1/grants", Some(&json!({ "profile": "dev" })));
        asked["window_seconds"].clone()
    };
    assert_eq!(window_of_dev(&product), 300);
    assert_eq!(restart_with(&mut product, &window(2))["weaker"], json!([]));
    assert_eq!(window_of_dev(&product), 120);
    let back = restart_with(&mut product, &window(5));
    assert_eq!(back["weaker"], json!(["rule readers: the window is 5m in place of 2m"]));
    assert_eq!(window_of_dev(&product), 120);
}

/// A product with a role behind `dev` that every rule gates.
fn with_role(arn: &str) -> (Product, Hand) {
    let config =
        format!("[profile deploy]\nregion = us-east-1\ntegata_source_profile = dev\ntegata_role_arn = {arn}\n");
    enrolled(&config, "[[rule]]\nname = \"roles\"\nrole = [\"Deploy\", \"Reader\"]\ngate = \"passkey\"\n")
}

#[test]
fn h12_a_role_in_another_account_is_shown_wherever_a_person_decides() {
    let (product, _hand) = with_role(DEPLOY);
    let explained = product.run(&["policy", "explain", "deploy"]).stdout;
    let crossing = format!("role {DEPLOY}, in another account (210987654321) than the one before (123456789012)");
    assert!(explained.contains(&crossing), "{explained}");
    let listed = product.run(&["list"]).stdout;
    let line = listed.lines().find(|line| line.starts_with("deploy")).unwrap_or_else(|| panic!("{listed}"));
    assert!(line.contains("210987654321") && line.contains("Deploy"), "{listed}");

    let (_, request) = product.api("POST", "/v1/grants", Some(&json!({ "profile": "deploy" })));
    let page = OpenPage::open(&product.page(request["id"].as_str().unwrap())).unwrap();
    for view in [&request, &page.view] {
        assert_eq!(view["account"], "210987654321", "{view}");
        assert!(view["role"].as_str().is_some_and(|role| role.contains("Deploy")), "{view}");
    }
}

#[test]
fn h12_twin_a_role_in_the_same_account_crosses_nothing() {
    let (product, _hand) = with_role(HERE);
    let explained = product.run(&["policy", "explain", "deploy"]).stdout;
    assert!(explained.contains(&format!("role {HERE}")) && !explained.contains("another account"), "{explained}");
    let (_, request) = product.api("POST", "/v1/grants", Some(&json!({ "profile": "deploy" })));
    assert_eq!(request["account"], "123456789012", "{request}");
}

#[test]
fn a_passkey_that_is_not_enrolled_cannot_be_tried() {
    let (product, mut hand) = enrolled("", "");
    let (status, said) = product.api("POST", "/v1/passkeys/aaaaaaaa/test", None);
    assert_eq!((status, &said["code"]), (404, &json!("not_found")), "{said}");
    let (_, passkeys) = product.api("GET", "/v1/passkeys", None);
    let path = format!("/v1/passkeys/{}/test", passkeys["passkeys"][0]["id"].as_str().unwrap());
    let (status, request) = product.api("POST", &path, None);
    assert_eq!(status, 201, "{request}");
    assert_eq!(hand.approve(&product.page(request["id"].as_str().unwrap())).unwrap()["state"], "approved");
}
