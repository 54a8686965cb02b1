//! What the released daemon must not hold.
#![cfg(feature = "system")]

use std::collections::BTreeSet;
use std::process::Command;
use tegata_tests::{failpoints, program};

/// The fail points that a program's file names.
fn named_by(name: &str) -> BTreeSet<String> {
    let mut grep = Command::new("grep");
    grep.args(["--text", "--only-matching", "--fixed-strings"]);
    for failpoint in failpoints::names() {
        grep.args(["-e", &failpoint]);
    }
    let found = grep.arg(program(name)).output().unwrap();
    // grep ends with 1 when it finds nothing, and with 2 when it could not look.
    assert!(matches!(found.status.code(), Some(0 | 1)), "{found:?}");
    String::from_utf8(found.stdout).unwrap().lines().map(str::to_owned).collect()
}

#[test]
fn the_daemon_has_no_fail_point() {
    assert_eq!(named_by("tegatad"), BTreeSet::new());
}

#[test]
fn the_daemon_for_tests_has_every_fail_point() {
    let names = failpoints::names();
    assert!(names.len() > 20, "{names:?}");
    assert_eq!(named_by("tegatad-failpoints"), names);
}
