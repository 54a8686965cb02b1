//! The address that leads to a console link, asked for by another user of the machine, who can read what a browser was told.
#![cfg(all(feature = "system", feature = "root"))]
#![allow(clippy::unwrap_used, clippy::panic, reason = "this is a test")]

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::process::Stdio;
use tegata_tests::product::{Ended, Product, run, wait_until};

const OWNER: u32 = 65_534;
const OTHER: u32 = 65_533;

/// A product of another user than root, whose browser only keeps what it was told.
fn signed_in() -> Product {
    let mut product = Product::new();
    let told = product.path("told");
    let script = format!("#!/bin/sh\nprintf '%s' \"$1\" > '{0}.new' && mv '{0}.new' '{0}'\n", told.display());
    fs::write(product.path("browser"), script).unwrap();
    fs::set_permissions(product.path("browser"), fs::Permissions::from_mode(0o755)).unwrap();
    product.environment.push(("BROWSER".to_owned(), product.path("browser").display().to_string()));
    product.give_to(OWNER);
    product.start_daemon();
    product.sign_in();
    product
}

/// Fetches an address as a user of the machine, and says what came of the console that waits for its browser.
fn fetched_by(product: &Product, uid: u32) -> (Ended, Ended) {
    let mut command = product.tegata(&["console", "dev"]);
    let running = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let told = product.path("told");
    wait_until("the browser is told an address", || told.exists());
    let address = fs::read_to_string(&told).unwrap();
    let user = [format!("--reuid={uid}"), format!("--regid={uid}")];
    let mut curl = product.command("setpriv");
    curl.args(user)
        .args(["--clear-groups", "curl", "-s", "--max-time", "20", "-D", "-", address.trim()])
        .current_dir("/");
    let fetched = run(&mut curl);
    let output = running.wait_with_output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    let ended = Ended { code: output.status.code().unwrap(), stdout: text(output.stdout), stderr: text(output.stderr) };
    (fetched, ended)
}

#[test]
fn a1_another_user_who_read_the_address_gets_no_byte_and_the_person_is_told() {
    let product = signed_in();
    let (fetched, ended) = fetched_by(&product, OTHER);
    assert_eq!((fetched.stdout.as_str(), fetched.code == 0), ("", false), "{fetched:?}");
    assert_eq!((ended.code, ended.stdout.as_str()), (1, ""), "{ended:?}");
    assert!(ended.stderr.contains("not known to be yours"), "{ended:?}");
}

#[test]
fn a1_twin_the_same_user_is_led_on() {
    let product = signed_in();
    let (fetched, ended) = fetched_by(&product, OWNER);
    assert!(fetched.stdout.starts_with("HTTP/1.1 302") && fetched.stdout.contains("SigninToken="), "{fetched:?}");
    assert_eq!(ended.code, 0, "{ended:?}");
}
