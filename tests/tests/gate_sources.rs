//! The gate in front of every source: a rule for its kind, written after it was served, is not got round by what is kept of it, in memory or
//! in the store; nothing is asked before the hand, and with the hand it is served. The same for what the built-in rule gates, from the first
//! passkey on.
#![cfg(feature = "system")]
#![allow(clippy::unwrap_used, reason = "this is a test")]

use serde_json::json;
use std::time::Duration;
use tegata_tests::product::{Ended, Product};
use tegata_tests::sources::{Machine, Way};

fn at_once(product: &Product, way: Way) -> Ended {
    product.run(&["credential-process", "--profile", way.profile(), "--wait", "0"])
}

fn served(product: &Product, way: Way, when: &str) {
    let ended = product.credentials(way.profile());
    assert_eq!((ended.code, ended.stderr.as_str()), (0, ""), "{way:?} {when}: {ended:?}\n{}", product.daemon_log());
}

/// No credential, the exit code of a gate, and nobody was asked for one.
fn refused(product: &Product, way: Way, when: &str) {
    product.sandbox().forget_traffic();
    let ended = at_once(product, way);
    assert_eq!((ended.code, ended.stdout.as_str()), (11, ""), "{way:?} {when}: {ended:?}\n{}", product.daemon_log());
    let asked = product.sandbox().requests();
    assert!(asked.is_empty(), "{way:?} {when}: {asked:?}");
}

/// Served without a rule, so that what can be kept is kept; then the daemon starts with the rule.
fn warmed_up_and_gated(way: Way) -> Machine {
    let mut machine = way.machine();
    machine.person_does_their_part();
    served(machine.product(), way, "without a rule");
    let rule = format!("[[rule]]\nname = \"all\"\nsource = \"{}\"\ngate = \"passkey\"\n", way.kind());
    machine.restarts_with(&rule);
    machine
}

fn is_had_by_hand_alone(way: Way) {
    let machine = warmed_up_and_gated(way);
    let product = machine.product();
    refused(product, way, "before there is a passkey");
    // The first passkey goes by a fresh sign-in.
    product.sign_in();
    let mut hand = product.enrol("alice", None);
    if matches!(way, Way::GithubJob | Way::CertificateToken | Way::UserCode) {
        // A job and a PIN, which nothing keeps, and a code, whose session went with the rule, open no gate. The device shows the next code.
        product.sandbox().advance(Duration::from_secs(30));
        machine.person_does_their_part();
    }
    refused(product, way, "before the hand");
    product.elevate(&mut hand, &json!({ "profile": way.profile(), "seconds": 900 }));
    served(product, way, "with the hand");
    let (status, dropped) = product.api("DELETE", &format!("/v1/grants?profile={}", way.profile()), None);
    assert_eq!((status, &dropped["dropped"]), (200, &json!(1)));
    refused(product, way, "after the grant, with what was had under it in memory");
    product.assert_no_canaries();
}

/// What looks like administration is served until somebody can approve, and is in memory then.
fn is_gated_from_the_first_passkey_on(way: Way) {
    let machine = way.machine();
    machine.reaches_administration();
    machine.person_does_their_part();
    let product = machine.product();
    served(product, way, "on the first day");
    product.sign_in();
    let mut hand = product.enrol("alice", None);
    refused(product, way, "with what was had before in memory");
    product.elevate(&mut hand, &json!({ "profile": way.profile(), "seconds": 900 }));
    served(product, way, "with the hand");
    product.assert_no_canaries();
}

mod is_had_by_hand_alone {
    tegata_tests::test_every_way!(super::is_had_by_hand_alone);
}

// The built-in rule goes by names, and Alice has none of administration.
mod is_gated_from_the_first_passkey_on {
    tegata_tests::test_every_way_to_a_role!(super::is_gated_from_the_first_passkey_on);
}
