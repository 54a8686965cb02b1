//! The gate stands before a console login, too: what is in memory is not handed out before the hand, nor after the grant. And roles
//! may come after it.

use super::{ALICE, LOG_IN, exchanges, log_in, machine, process_of, signed_in};
use serde_json::json;
use tegata_sandbox::IamRole;
use tegata_tests::iam_user::section;
use tegata_tests::product::Product;

const DEPLOY: &str = "arn:aws:iam::210987654321:role/Deploy";
const DEVELOPER: &str = "arn:aws:sts::123456789012:assumed-role/Developer/bob";

fn with_role_behind(product: &Product, trusted: &str) {
    product.sandbox().configure(|settings| settings.iam_roles = vec![IamRole::new(DEPLOY, &[trusted])]);
    let role = section("deploy", &format!("tegata_role_arn = {DEPLOY}\ntegata_source_profile = me"));
    product.write_aws_config(&format!("{}{role}", super::config(product)));
}

#[test]
fn a_role_is_assumed_with_it_for_an_hour_at_most() {
    let product = signed_in();
    with_role_behind(&product, "arn:aws:iam::123456789012:role/Admin");
    let keys = process_of(&product, "deploy");
    assert_eq!(keys["AccountId"], "210987654321");
    let assumed = product.sandbox().assumed_roles().remove(0);
    assert_eq!((assumed.role_arn.as_str(), assumed.duration_seconds), (DEPLOY, 3600));
    // The role lives on where the login has to be renewed.
    assert_eq!(process_of(&product, "deploy")["AccessKeyId"], keys["AccessKeyId"]);
    assert_eq!(exchanges(&product), 1);
    product.assert_no_canaries();
}

/// Nothing of this profile is had, and AWS is asked for nothing.
fn waits_for_a_hand(product: &Product, profile: &str) {
    let asked = product.sandbox().requests().len();
    let ended = product.run(&["credential-process", "--profile", profile, "--wait", "0"]);
    assert_eq!((ended.code, ended.stdout.as_str()), (11, ""), "{ended:?}\n{}", product.daemon_log());
    assert_eq!(product.sandbox().requests().len(), asked, "{:?}", product.sandbox().requests());
}

#[test]
fn a_rule_for_the_kind_of_source_gates_it_and_every_role_behind_it() {
    let mut product = Product::new();
    product
        .write_settings("store = \"memory\"\n[[rule]]\nname = \"people\"\nsource = \"console\"\ngate = \"passkey\"\n");
    super::somebody_else_is_at_the_browser(&product, DEVELOPER);
    product.start_daemon();
    log_in(&product);
    with_role_behind(&product, "arn:aws:iam::123456789012:role/Developer");
    // The first passkey goes by a fresh sign-in.
    product.sign_in();
    let mut hand = product.enrol("alice", None);
    for profile in ["me", "deploy"] {
        waits_for_a_hand(&product, profile);
    }
    product.elevate(&mut hand, &json!({ "profile": "me", "seconds": 900 }));
    let key = process_of(&product, "me")["AccessKeyId"].clone();
    let issued = product.sandbox().issued_credentials();
    assert!(issued.iter().any(|issued| issued.access_key_id == key), "{key}");
    product.elevate(&mut hand, &json!({ "profile": "deploy", "seconds": 900 }));
    assert_eq!(process_of(&product, "deploy")["AccountId"], "210987654321");
    assert_eq!(product.api("DELETE", "/v1/grants", None).0, 200);
    for profile in ["me", "deploy"] {
        waits_for_a_hand(&product, profile);
    }
    product.assert_no_canaries();
}

#[test]
fn the_built_in_rule_gates_an_administrator_of_the_console() {
    let product = machine();
    let ended = product.sign_in_with(&LOG_IN);
    assert_eq!(ended.code, 0, "{ended:?}");
    // Open until there is a passkey, and shown as that.
    let row = |product: &Product| {
        let listed = product.run(&["list"]).stdout;
        listed.lines().find(|line| line.starts_with("me ")).unwrap_or_default().to_owned()
    };
    assert!(row(&product).contains("proposed"), "{}", row(&product));
    product.sign_in();
    let mut hand = product.enrol("alice", None);
    assert!(row(&product).contains("gated (prompt)"), "{}", row(&product));
    waits_for_a_hand(&product, "me");
    product.elevate(&mut hand, &json!({ "profile": "me" }));
    process_of(&product, "me");
    // Signing in again is no way round the gate, and ends no grant of who stays signed in.
    let grants = product.grants().len();
    log_in(&product);
    assert_eq!((product.grants().len(), grants), (1, 1));
    assert_eq!(product.run(&["logout", ALICE]).code, 0);
    assert!(product.grants().is_empty(), "who has signed out has no grant");
    log_in(&product);
    waits_for_a_hand(&product, "me");
}
