//! The first day: what looks like administration is served, and the person hears once what to do about it.
#![cfg(feature = "system")]
#![allow(clippy::unwrap_used, clippy::panic, reason = "this is a test")]

use tegata_tests::desktop::Desktop;
use tegata_tests::product::Product;

#[test]
fn a_gate_is_proposed_once_and_is_there_with_the_first_passkey() {
    let mut product = Product::new();
    let desktop = Desktop::of(&mut product);
    product.start_daemon();
    product.sign_in();
    for profile in ["dev", "admin", "admin"] {
        assert_eq!(product.credentials(profile).code, 0);
    }
    desktop.shows(1);
    product.enrol("alice", None);
    assert_eq!(product.run(&["credential-process", "--profile", "admin", "--wait", "0"]).code, 11);
    // The second one asks for the hand.
    desktop.shows(2);
    let shown = desktop.shown();
    assert!(
        shown[0].contains("admin looks like administration") && shown[0].contains("tegata passkey add"),
        "{shown:?}"
    );
    assert!(
        shown.len() == 2 && shown[1].contains("Approve admin?") && shown[1].contains("tegata approve"),
        "{shown:?}"
    );
}
