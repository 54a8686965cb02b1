//! The access key behind a profile is turned over in IAM. AWS CLI is served before, during and after; at any moment a key works.
#![cfg(feature = "system")]
#![allow(clippy::unwrap_used, reason = "this is a test")]

use serde_json::{Value, json};
use std::time::Duration;
use tegata_sandbox::{AccessKey, HoldUntil, Operation};
use tegata_tests::gated::records;
use tegata_tests::plaintext_key::{ALICE, alice, is_alice, with_plaintext_key};
use tegata_tests::product::{Ended, PATIENCE, Product, wait_until};

/// A product whose `dev` starts from Alice's key in the keyring.
fn imported(settings: &str) -> (Product, AccessKey) {
    let mut product = Product::new();
    product.store_in_files();
    product.write_settings(&format!("store = \"file\"\n[file_store]\nsystemd_credential = \"key\"\n{settings}"));
    let key = with_plaintext_key(&product);
    product.start_daemon();
    let ended = product.run(&["keys", "import", "--yes", "dev"]);
    assert_eq!(ended.code, 0, "{ended:?}\n{}", product.daemon_log());
    (product, key)
}

fn rotate(product: &Product, more: &[&str]) -> Ended {
    product.run(&[&["keys", "rotate", "dev"], more].concat())
}

/// What IAM has: the ids and whether each is active.
fn keys(product: &Product) -> Vec<(String, bool)> {
    alice(product).keys.into_iter().map(|key| (key.id, key.active)).collect()
}

#[test]
fn aws_cli_is_served_before_during_and_after() {
    let (product, old) = imported("");
    assert!(is_alice(&product), "before");
    product.sandbox().configure(|settings| settings.new_key_delay = Duration::from_secs(1));
    product.sandbox().hold(Operation::UpdateAccessKey, HoldUntil::Released);
    std::thread::scope(|scope| {
        let rotating = scope.spawn(|| rotate(&product, &[]));
        assert!(product.sandbox().wait_for_waiting(Operation::UpdateAccessKey, 1, PATIENCE));
        assert_eq!(keys(&product).iter().filter(|(_, active)| *active).count(), 2);
        assert!(is_alice(&product), "during");
        product.sandbox().release(Operation::UpdateAccessKey);
        let ended = rotating.join().unwrap();
        assert_eq!(ended.code, 0, "{ended:?}\n{}", product.daemon_log());
        assert!(ended.stdout.contains("A new access key of") && ended.stdout.contains("deactivated"), "{ended:?}");
    });
    let now = keys(&product);
    assert_eq!((now[0].clone(), now[1].1), ((old.id.clone(), false), true));
    assert!(product.sandbox().requests_of(Operation::GetCallerIdentity).len() >= 3, "it took AWS a while");
    assert!(is_alice(&product), "after");

    let again = rotate(&product, &[]);
    assert!(again.code == 0 && again.stdout.contains("no new one was made"), "{again:?}");
    let finished = rotate(&product, &["--finish"]);
    assert!(finished.code == 0 && finished.stdout.contains("is deleted"), "{finished:?}");
    assert_eq!(keys(&product), [(now[1].0.clone(), true)]);
    assert!(is_alice(&product), "and with the old one gone");
    let steps: Vec<_> = records(&product, "key_rotated").iter().map(|record| record["step"].clone()).collect();
    assert_eq!(steps, ["made", "in_use", "deactivated", "deactivated", "deactivated", "deleted"]);
    product.assert_no_canaries();
}

#[test]
fn the_daemon_deletes_the_old_key_when_its_time_has_come() {
    let (mut product, old) = imported("");
    assert_eq!(rotate(&product, &["--grace", "1s"]).code, 0);
    product.kill_daemon();
    product.start_daemon();
    wait_until("the old key is gone", || {
        !keys(&product).iter().any(|(id, _)| *id == old.id) || {
            // It looks when it starts, and every quarter of a minute; another start is sooner.
            product.kill_daemon();
            product.start_daemon();
            std::thread::park_timeout(Duration::from_millis(300));
            false
        }
    });
    assert_eq!(keys(&product).len(), 1);
    assert!(is_alice(&product));
}

#[test]
fn a_second_key_is_told_about_and_left() {
    let (product, old) = imported("");
    let second = product.sandbox().create_access_key(ALICE).unwrap();
    let refused = rotate(&product, &[]);
    assert_eq!((refused.code, refused.stdout.as_str()), (14, ""), "{refused:?}");
    assert!(
        refused.stderr.contains(&format!("aws iam delete-access-key --user-name alice --access-key-id {}", second.id))
    );
    assert_eq!(keys(&product), [(old.id, true), (second.id, true)]);
    assert_eq!(records(&product, "key_not_rotated").len(), 1);
}

#[test]
fn who_may_not_deactivate_is_told_what_an_administrator_runs() {
    let (product, old) = imported("");
    product.sandbox().deny_iam_user(ALICE, &["iam:UpdateAccessKey"]).unwrap();
    let ended = rotate(&product, &[]);
    let command = format!("aws iam update-access-key --user-name alice --access-key-id {} --status Inactive", old.id);
    assert!(ended.code == 14 && ended.stderr.contains(&command), "{ended:?}");
    assert!(ended.stdout.contains("is in use") && is_alice(&product));
    product.sandbox().deny_iam_user(ALICE, &[]).unwrap();
    assert_eq!(rotate(&product, &["--finish"]).code, 0);
    assert_eq!(keys(&product).len(), 1);
}

#[test]
fn the_passkey_gate_stands_before_a_rotation() {
    let (product, old) = imported("[[rule]]\nname = \"alice\"\nsource = \"iam-user\"\ngate = \"passkey\"\n");
    // The first passkey goes by a fresh sign-in.
    let own = std::fs::read_to_string(product.path(".aws/config")).unwrap();
    let session = product.default_aws_config();
    product.write_aws_config(&format!("{}\n{own}", session.split("[profile").next().unwrap()));
    product.sign_in();
    let mut hand = product.enrol("alice", None);
    let refused = rotate(&product, &[]);
    assert_eq!(refused.code, 11, "{refused:?}");
    assert_eq!(keys(&product), [(old.id.clone(), true)]);
    product.elevate(&mut hand, &json!({ "profile": "dev", "seconds": 600 }));
    let rotated = rotate(&product, &["--grace", "0s"]);
    assert_eq!(rotated.code, 0, "{rotated:?}");
    let keys = keys(&product);
    assert!(keys.len() == 1 && keys[0].1 && keys[0].0 != old.id, "{keys:?}");
    let asked = records(&product, "key_rotation_asked");
    assert!(asked.len() == 1 && asked[0]["grant"].is_string(), "under the grant: {asked:?}");
}

#[test]
fn age_and_last_use_are_reported_and_an_old_key_is_said_to_be_old() {
    let (mut product, old) = imported("[profile.dev]\nkey_max_age_days = 90\n");
    let unused = product.sandbox().create_access_key(ALICE).unwrap();
    let git = product.sandbox().create_service_credential(ALICE, "codecommit.amazonaws.com", None).unwrap();
    let ends = product.sandbox().now_ms() + 86_400_000;
    product.sandbox().create_service_credential(ALICE, "bedrock.amazonaws.com", Some(ends)).unwrap();
    product.sandbox().configure(|settings| settings.page_size = 1);
    let report = product.run(&["keys", "report"]);
    assert_eq!(report.code, 0, "{report:?}");
    let delete = format!(
        "CodeCommit password …{}, to remove it: aws iam delete-service-specific-credential --user-name alice \
         --service-specific-credential-id {}",
        &git.id[16..],
        git.id
    );
    assert!(report.stdout.contains(&delete) && report.stdout.contains("Bedrock API key"), "{report:?}");
    let lines: Vec<_> = report.stdout.lines().collect();
    assert!(lines[1].contains(&unused.id[16..]) && lines[1].contains("never"), "{report:?}");
    assert!(lines[2].contains(&old.id[16..]) && lines[2].contains("iam in us-east-1"), "{report:?}");
    let off = format!("aws iam update-access-key --user-name alice --access-key-id {} --status Inactive", unused.id);
    assert!(report.stdout.contains(&off), "{report:?}");
    let json: Value = serde_json::from_str(&product.run(&["keys", "report", "--json"]).stdout).unwrap();
    assert_eq!(json["users"][0]["max_age_days"], 90);
    let services = json["users"][0]["for_services"].as_array().unwrap();
    assert!(services[0].get("expires_at").is_none() && services[1]["expires_at"].is_string(), "{services:?}");
    product.sandbox().deny_iam_user(ALICE, &["iam:ListServiceSpecificCredentials"]).unwrap();
    let without = product.run(&["keys", "report"]);
    assert!(
        without.code == 0 && without.stdout.contains("passwords and API keys for one service: AWS refused"),
        "{without:?}"
    );
    assert!(without.stdout.contains(&unused.id[16..]), "the keys are told about all the same: {without:?}");
    assert!(!product.run(&["status"]).stdout.contains("days old"));
    product.kill_daemon();
    product.assert_no_canaries();
}
