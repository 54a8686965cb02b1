//! What a newcomer runs first works, and says what stands in for the hand.

use std::process::{Command, Stdio};
use tegata_tests::product::{Ended, run};
use tegata_tests::program;

fn demo(environment: &[(&str, &str)]) -> Ended {
    let mut demo = Command::new(program("demo"));
    demo.env_remove("STAY").envs(environment.iter().copied()).stdin(Stdio::null());
    run(&mut demo)
}

#[test]
fn the_demo_goes_through_the_main_job() {
    let ended = demo(&[]);
    assert_eq!((ended.code, ended.stderr.as_str()), (0, ""), "{ended:?}");
    let steps = [
        "Signed in to corp",
        "assumed-role/AWSReservedSSO_ReadOnly_",
        "a SOFTWARE authenticator",
        "first key is enrolled.",
        "(exit code 11)",
        "Approved: admin may be used by ",
        "assumed-role/AWSReservedSSO_Admin_",
        "1 grant ended.",
        "(exit code 11)",
        "grant_ended ",
    ];
    let mut rest = ended.stdout.as_str();
    for step in steps {
        rest = rest.split_once(step).unwrap_or_else(|| panic!("{step:?} does not come in:\n{}", ended.stdout)).1;
    }
    assert!(!ended.stdout.contains("Everything keeps running"), "{ended:?}");
}

#[test]
fn a_demo_that_stays_says_how_to_go_on_and_ends_with_its_input() {
    let ended = demo(&[("STAY", "1"), ("BROWSER", "")]);
    assert_eq!(ended.code, 0, "{ended:?}");
    assert!(ended.stdout.contains("  tegata passkey reset --yes\n"), "{ended:?}");
}
