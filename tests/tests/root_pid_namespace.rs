//! A container as most runtimes start it: what runs in it is in a session whose leader is outside.
#![cfg(feature = "root")]
#![allow(clippy::unwrap_used, reason = "this is a test")]

use tegata_tests::product::{Product, run};

#[test]
fn callers_whose_session_began_outside_the_container_are_served() {
    let product = Product::new();
    let mut inside = product.command("unshare");
    inside.args([
        "--pid",
        "--fork",
        "--mount-proc",
        "--kill-child",
        "sh",
        "-c",
        "cut -d' ' -f6 /proc/self/stat && \"$0\" status --json",
    ]);
    let ended = run(inside.arg(&product.cli_binary));
    assert!(ended.code == 0 && ended.stdout.starts_with("0\n{"), "{ended:?}");
}
