//! What the released daemon must not hold.
#![cfg(feature = "system")]

use std::collections::BTreeSet;
use std::process::Command;
use tegata_tests::{failpoints, program};

/// The fail points that a program's file names. Each is looked for alone: a linker may keep `lock.x` as the end of `unlock.x`.
fn named_by(name: &str) -> BTreeSet<String> {
    let is_named = |failpoint: &String| {
        let mut grep = Command::new("grep");
        let grep = grep.args(["--text", "--quiet", "--fixed-strings", "-e", failpoint]).arg(program(name));
        let ended = grep.status().unwrap();
        // grep ends with 1 when it finds nothing, and with 2 when it could not look.
        assert!(matches!(ended.code(), Some(0 | 1)), "{ended:?}");
        ended.success()
    };
    failpoints::names().into_iter().filter(is_named).collect()
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
