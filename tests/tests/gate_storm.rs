//! Everybody at once before a gate: one notification, one page, one gesture, one request to AWS, an answer and a record for each.
#![cfg(feature = "system")]
#![allow(clippy::unwrap_used, reason = "this is a test")]

use std::collections::BTreeSet;
use tegata_sandbox::{CANARY, HoldUntil, IamRole, Operation};
use tegata_tests::crowd::Crowd;
use tegata_tests::desktop::Desktop;
use tegata_tests::gated::{gated, id, records};
use tegata_tests::hand::Hand;
use tegata_tests::product::{Ended, PATIENCE, Product};

const MANY: usize = 200;
const OPS: &str = "arn:aws:iam::210987654321:role/OpsAdmin";

/// A desktop, a permission set `admin` that is gated by its name, and behind an open one the role `ops`, gated as well.
fn product() -> (Product, Hand, Desktop) {
    let mut product = Product::new();
    product.sandbox().configure(|settings| {
        settings.iam_roles = vec![IamRole::new(OPS, &["arn:aws:iam::123456789012:root"])];
    });
    let ops = format!("[profile ops]\nregion = us-east-1\ntegata_source_profile = dev\ntegata_role_arn = {OPS}\n");
    product.write_aws_config(&format!("{}{ops}", product.default_aws_config()));
    let desktop = Desktop::of(&mut product);
    let (product, hand) = gated(product);
    (product, hand, desktop)
}

fn gather(product: &Product, profile: &str) -> Crowd {
    let crowd = Crowd::gather(product, MANY, &["credential-process", "--profile", profile, "--wait", "300"]);
    crowd.is_connected(product);
    crowd
}

/// Lets many tools wait for one hand, and AWS keep its answer back until all of them wait for that.
fn one_gesture_serves_many(profile: &str, operation: Operation) {
    let (product, mut hand, desktop) = product();
    let sandbox = product.sandbox();
    sandbox.hold(operation, HoldUntil::Released);
    let crowd = gather(&product, profile);
    let request = product.parked();
    desktop.shows(1);
    hand.approve(&product.page(id(&request))).unwrap();
    assert!(sandbox.wait_for_waiting(operation, 1, PATIENCE));
    assert!(sandbox.release(operation));
    let served = crowd.ends();
    let unserved = served.iter().find(|ended| ended.code != 0 || !ended.stderr.is_empty());
    assert!(unserved.is_none() && served.len() == MANY, "{unserved:?}\n{}", product.daemon_log());
    let answers: BTreeSet<&str> = served.iter().map(|ended| ended.stdout.as_str()).collect();
    assert_eq!(answers.len(), 1, "everybody got the same credentials");
    assert_eq!(sandbox.calls(operation), 1);
    assert_eq!(sandbox.calls(Operation::GetRoleCredentials), 1);
    one_hand_was_asked(&product, &desktop);
    assert_eq!((records(&product, "hand_given").len(), records(&product, "granted").len()), (1, 1));
    let (released, grants) = (records(&product, "released"), product.grants());
    assert_eq!((released.len(), grants.len()), (MANY, 1), "a record for each");
    assert!(released.iter().all(|record| record["grant"] == grants[0]["id"]), "{:?}", released[0]);
    assert!(!product.daemon_log().contains(CANARY));
}

fn one_hand_was_asked(product: &Product, desktop: &Desktop) {
    let hand_asked = records(product, "hand_asked");
    assert_eq!(hand_asked.iter().filter(|record| record["purpose"] == "elevate").count(), 1, "{hand_asked:?}");
    assert_eq!(desktop.shown().len(), 1, "{:?}", desktop.shown());
    assert!(product.waiting().is_empty());
}

#[test]
fn one_gesture_serves_two_hundred_tools_with_one_permission_set() {
    one_gesture_serves_many("admin", Operation::GetRoleCredentials);
}

#[test]
fn one_gesture_serves_two_hundred_tools_with_one_assumed_role() {
    one_gesture_serves_many("ops", Operation::AssumeRole);
}

#[test]
fn one_refusal_answers_two_hundred_tools_and_aws_hears_nothing() {
    let (product, hand, desktop) = product();
    let crowd = gather(&product, "admin");
    let request = product.parked();
    desktop.shows(1);
    hand.refuse(&product.page(id(&request))).unwrap();
    let refused = crowd.ends();
    let told = |ended: &&Ended| (ended.code, ended.stdout.as_str(), ended.stderr.lines().count()) == (12, "", 1);
    assert_eq!(refused.iter().find(|ended| !told(ended)).map(|ended| format!("{ended:?}")), None);
    assert_eq!(refused.len(), MANY);
    assert_eq!(product.sandbox().calls(Operation::GetRoleCredentials), 0);
    one_hand_was_asked(&product, &desktop);
    assert_eq!(records(&product, "hand_refused").len(), 1);
    assert_eq!(records(&product, "refused").len(), MANY, "a record for each");
}
