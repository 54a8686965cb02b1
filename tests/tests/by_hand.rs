//! Commands that need a hand, end to end: the real daemon, its real page, and a software passkey in place of the hand.

use std::process::Stdio;
use tegata_tests::hand::Hand;
use tegata_tests::product::{Ended, Product, wait_until};

/// What a person does on the page that a command prints.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Gesture {
    Approve,
    Refuse,
}

/// Runs a command, goes to the page that it prints, and returns how it ended.
fn by_hand(product: &Product, arguments: &[&str], hand: &mut Hand, gesture: Gesture) -> Ended {
    product.run_with_page(arguments, |url| {
        let view = if gesture == Gesture::Approve { hand.approve(url) } else { hand.refuse(url) };
        view.map(drop).map_err(|refused| format!("{refused:?}"))
    })
}

fn signed_in_with_a_passkey() -> (Product, Hand) {
    let (mut product, mut passkey) = (Product::new(), Hand::new());
    product.start_daemon();
    product.sign_in();
    let add = ["passkey", "add", "--person", "ann", "--name", "key", "--print"];
    let ended = by_hand(&product, &add, &mut passkey, Gesture::Approve);
    assert_eq!(ended.code, 0, "{ended:?}\n{}", product.daemon_log());
    assert!(ended.stdout.contains("key is enrolled.\nIt is the only one"), "{ended:?}");
    (product, passkey)
}

#[test]
fn a_command_runs_under_a_grant_that_ends_with_it() {
    let (product, mut passkey) = signed_in_with_a_passkey();
    let tegata = tegata_tests::program("tegata");
    let line = ["elevate", "admin", "--for", "5m", "--reason", "INC-42", "--print", "--"];
    let inner = [tegata.to_str().unwrap(), "credential-process"];
    let ended = by_hand(&product, &[&line[..], &inner[..]].concat(), &mut passkey, Gesture::Approve);
    assert_eq!(ended.code, 0, "{ended:?}\n{}", product.daemon_log());
    assert!(ended.stdout.contains("\"Version\":1"), "the command was served: {}", ended.stderr);
    assert!(ended.stderr.contains("Approved: admin may be used by "), "{}", ended.stderr);
    assert_eq!(product.run(&["drop"]).stdout, "No grant is live.\n");
}

#[test]
fn a_hand_that_refuses_ends_the_command_with_12() {
    let (product, mut passkey) = signed_in_with_a_passkey();
    let ended = by_hand(&product, &["elevate", "admin", "--print"], &mut passkey, Gesture::Refuse);
    assert_eq!(ended.code, 12, "{ended:?}\n{}", product.daemon_log());
    assert!(ended.stderr.ends_with("tegata: refused by hand\n"), "{ended:?}");
}

#[test]
fn what_is_locked_is_unlocked_by_hand() {
    let (product, mut passkey) = signed_in_with_a_passkey();
    assert_eq!(product.run(&["lock"]).code, 0);
    let ended = by_hand(&product, &["unlock", "--print"], &mut passkey, Gesture::Approve);
    assert_eq!(ended.code, 0, "{ended:?}\n{}", product.daemon_log());
    assert!(ended.stdout.ends_with("Unlocked.\n"), "{ended:?}");
    let tested = by_hand(&product, &["passkey", "test", "--print"], &mut passkey, Gesture::Approve);
    assert!(tested.stdout.ends_with("The passkey of ann works.\n"), "{tested:?}");
}

#[test]
fn a_tool_that_waits_is_served_once_it_is_approved() {
    let (product, mut passkey) = signed_in_with_a_passkey();
    let mut tool = product.tegata(&["credential-process", "--profile", "admin", "--wait", "60"]);
    let tool = tool.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    wait_until("the request is parked", || product.run(&["status"]).stdout.contains("tegata approve "));
    let ended = by_hand(&product, &["approve", "--print"], &mut passkey, Gesture::Approve);
    assert_eq!(ended.code, 0, "{ended:?}\n{}", product.daemon_log());
    let output = tool.wait_with_output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert!(String::from_utf8(output.stdout).unwrap().starts_with("{\"Version\":1"));
}

#[test]
fn a_tool_that_does_not_wait_ends_with_11_and_one_line() {
    let (product, _passkey) = signed_in_with_a_passkey();
    let ended = product.run(&["credential-process", "--profile", "admin", "--wait", "0"]);
    assert_eq!((ended.code, ended.stdout.as_str()), (11, ""), "{ended:?}");
    assert_eq!(ended.stderr.lines().count(), 1, "{ended:?}");
    assert!(ended.stderr.contains("; run: tegata "), "{ended:?}");
}

#[test]
fn settings_the_daemon_has_not_read_yet_are_checked() {
    let mut product = Product::new();
    product.start_daemon();
    assert!(product.run(&["policy", "check"]).stdout.starts_with("The settings can be used."));
    product.write_settings("stor = \"memory\"\n");
    let ended = product.run(&["policy", "check"]);
    assert_eq!((ended.code, ended.stdout.as_str()), (13, ""), "{ended:?}");
    assert!(ended.stderr.ends_with("line 1: Tegata does not know \"stor\"; nearest: store\n"), "{ended:?}");
}
