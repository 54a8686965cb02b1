//! An administrator's role behind an open permission set: what AWS sees of the grant, and what ends with it.
#![allow(clippy::unwrap_used, reason = "this is a test")]

use serde_json::{Value, json};
use std::time::{Duration, SystemTime};
use tegata_sandbox::{HoldUntil, IamRole, Operation};
use tegata_tests::gated::{gated, id, records};
use tegata_tests::hand::Hand;
use tegata_tests::product::{Ended, PATIENCE, Product, wait_until};

const OPS: &str = "arn:aws:iam::210987654321:role/Ops";
const REASON: &str = "障害対応 INC-42";
const OPS_RULE: &str = "[[rule]]\nname = \"ops\"\nrole = \"Ops\"\nreason = { pattern = \"INC-[0-9]+\" }\n";

/// `ops` is behind `dev`; this rule gates it, and its session carries an identity and the reason.
fn product(rule: &str) -> (Product, Hand) {
    let product = Product::new();
    product.sandbox().configure(|settings| {
        settings.iam_roles = vec![IamRole::new(OPS, &["arn:aws:iam::123456789012:root"])];
    });
    let ops = format!("[profile ops]\nregion = us-east-1\ntegata_source_profile = dev\ntegata_role_arn = {OPS}\n");
    product.write_aws_config(&format!("{}{ops}", product.default_aws_config()));
    let extras = "[profile.ops]\nsource_identity = \"alice\"\n";
    product.write_settings(&format!("store = \"memory\"\n{rule}{extras}"));
    gated(product)
}

fn asked() -> Value {
    json!({ "profile": "ops", "seconds": 600, "reason": REASON })
}

/// When credentials end, in seconds since the epoch.
fn expiry(product: &Product, served: &Ended) -> i64 {
    assert_eq!((served.code, served.stderr.as_str()), (0, ""), "{served:?}");
    let credentials: Value = serde_json::from_str(&served.stdout).unwrap();
    let mut date = product.command("date");
    let date = date.args(["+%s", "--date", credentials["Expiration"].as_str().unwrap()]);
    tegata_tests::product::run(date).stdout.trim().parse().unwrap()
}

fn now() -> i64 {
    SystemTime::UNIX_EPOCH.elapsed().unwrap().as_secs().try_into().unwrap()
}

#[test]
fn aws_sees_who_asked_on_which_host_under_which_grant_and_why() {
    let (product, mut hand) = product(OPS_RULE);
    let before = now();
    product.elevate(&mut hand, &asked());
    let served = product.credentials("ops");
    let ends = expiry(&product, &served);
    assert!(ends >= before + 600 && ends <= now() + 600, "they end with the grant: {ends}");
    let assumed = product.sandbox().assumed_roles();
    let grant = product.grants()[0].clone();
    assert_eq!(assumed.len(), 1);
    let user = tegata_tests::product::run(product.command("id").arg("-un")).stdout;
    let (name, id) = (&assumed[0].session_name, id(&grant));
    assert!(name.starts_with(&format!("{}@", user.trim())) && name.ends_with(id), "{name} {id}");
    assert_eq!(assumed[0].tags, [("Reason".to_owned(), REASON.to_owned())]);
    assert_eq!(assumed[0].source_identity.as_deref(), Some("alice"));
    assert_eq!(assumed[0].duration_seconds, 900, "the least that STS issues");
    assert!(grant["aws_accepts_until"].is_string(), "and that is told: {grant}");
    let released = records(&product, "released");
    assert_eq!((&released[0]["grant"], &records(&product, "granted")[0]["reason"]), (&json!(id), &json!(REASON)));
}

#[test]
fn the_open_part_of_the_chain_is_shared_with_who_needs_no_grant() {
    let (product, mut hand) = product(OPS_RULE);
    assert_eq!(product.credentials("dev").code, 0);
    product.elevate(&mut hand, &asked());
    assert_eq!(product.credentials("ops").code, 0);
    assert_eq!(product.sandbox().calls(Operation::GetRoleCredentials), 1);
}

#[test]
fn without_the_reason_that_the_rule_wants_nobody_is_asked() {
    let (product, _hand) = product(OPS_RULE);
    for body in [json!({ "profile": "ops" }), json!({ "profile": "ops", "reason": "because" })] {
        let (status, told) = product.api("POST", "/v1/grants", Some(&body));
        assert_eq!((status, &told["code"]), (400, &json!("bad_request")), "{told}");
    }
    assert!(product.waiting().is_empty());
}

#[test]
fn one_use_is_one_issuance_and_the_second_is_refused() {
    let (product, mut hand) = product(&format!("{OPS_RULE}uses = 1\n"));
    // Lives that end before the grant does, so that a second issuance is needed.
    product.sandbox().configure(|settings| settings.lifetimes.assumed_role = Some(Duration::from_secs(3)));
    product.elevate(&mut hand, &asked());
    let ends = expiry(&product, &product.credentials("ops"));
    wait_until("the credentials have ended", || now() > ends);
    let refused = product.run(&["credential-process", "--profile", "ops", "--wait", "0"]);
    assert_eq!((refused.code, refused.stdout.as_str(), refused.stderr.lines().count()), (11, "", 1), "{refused:?}");
    assert_eq!(product.sandbox().calls(Operation::AssumeRole), 1);
}

/// AWS keeps its answer back, `ends` ends the grant meanwhile: the tool gets nothing, now or later.
fn nothing_comes_of(ends: impl Fn(&Product), codes: &[i32]) {
    let (product, mut hand) = product(OPS_RULE);
    product.elevate(&mut hand, &asked());
    product.sandbox().hold(Operation::AssumeRole, HoldUntil::Released);
    std::thread::scope(|scope| {
        let tool = scope.spawn(|| product.credentials("ops"));
        assert!(product.sandbox().wait_for_waiting(Operation::AssumeRole, 1, PATIENCE));
        ends(&product);
        product.sandbox().release(Operation::AssumeRole);
        let ended = tool.join().unwrap();
        assert_eq!((ended.stdout.as_str(), ended.stderr.lines().count()), ("", 1), "{ended:?}");
        assert!(codes.contains(&ended.code), "{ended:?}");
    });
    assert!(records(&product, "released").is_empty() && product.grants().is_empty());
    let later = product.run(&["credential-process", "--profile", "ops", "--wait", "0"]);
    assert!(later.code != 0 && later.stdout.is_empty(), "{later:?}");
}

#[test]
fn a_grant_that_is_dropped_while_aws_hangs_releases_nothing() {
    let drops =
        |product: &Product| assert_eq!(product.api("DELETE", "/v1/grants", None), (200, json!({ "dropped": 1 })));
    nothing_comes_of(drops, &[11]);
}

#[test]
fn a_lock_while_aws_hangs_releases_nothing() {
    nothing_comes_of(|product| assert_eq!(product.run(&["lock"]).code, 0), &[11, 12]);
}

#[test]
fn a_sign_out_while_aws_hangs_releases_nothing() {
    nothing_comes_of(|product| assert_eq!(product.run(&["logout", "corp"]).code, 0), &[10, 11]);
}

#[test]
fn signing_out_and_locking_end_grants_and_unlocking_takes_a_hand() {
    let (product, mut hand) = product(OPS_RULE);
    product.elevate(&mut hand, &asked());
    assert_eq!(product.run(&["logout", "corp"]).code, 0);
    assert!(product.grants().is_empty());
    product.sign_in();
    product.elevate(&mut hand, &asked());
    assert_eq!(product.run(&["lock"]).code, 0);
    assert!(product.grants().is_empty());
    let ended: Vec<_> = records(&product, "grant_ended").iter().map(|record| record["why"].clone()).collect();
    assert_eq!(ended, ["signed_out", "locked"]);
    assert_eq!(product.api("POST", "/v1/grants", Some(&asked())).0, 423, "nothing is granted while locked");
    let (status, request) = product.api("DELETE", "/v1/lock", None);
    assert_eq!((status, &request["purpose"]), (202, &json!("unlock")), "{request}");
    assert_eq!(product.credentials("dev").code, 12, "asking is not unlocking");
    assert_eq!(hand.approve(&product.page(id(&request))).unwrap()["state"], "approved", "the page works while locked");
    assert_eq!(product.credentials("dev").code, 0);
    assert!(product.grants().is_empty(), "unlocking brings no grant back");
}

#[test]
fn a_refused_unlocking_leaves_everything_locked() {
    let (product, hand) = product(OPS_RULE);
    assert_eq!(product.run(&["lock"]).code, 0);
    let (_, request) = product.api("DELETE", "/v1/lock", None);
    hand.refuse(&product.page(id(&request))).unwrap();
    assert_eq!(product.credentials("dev").code, 12);
    assert_eq!(product.api("GET", "/v1/lock", None), (200, json!({ "locked": true })));
}
