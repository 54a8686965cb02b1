//! A handler that panics: what it says, and to whom. The panics happen in a process of their own, whose stderr is read.

use crate::common::Doorway;
use std::process::{Command, Stdio};

const CANARY: &str = "CANARY0123456789";

/// Not a test: serves one panic and one request in a process of its own.
#[tokio::test]
#[ignore = "run by the tests of panics"]
async fn panicking() {
    let doorway = Doorway::open();
    let request = format!("POST /panic HTTP/1.1\r\nx-token: {CANARY}\r\ncontent-length: 16\r\n\r\n{CANARY}");
    let said = doorway.send(request).await;
    println!("said {said:?}");
    println!("then {}", doorway.get("/x").await.status);
}

fn output() -> String {
    let mut child = Command::new(std::env::current_exe().unwrap());
    child.args(["--exact", "--ignored", "--nocapture", "panics::panicking"]).env("RUST_BACKTRACE", "full");
    let output = child.stdin(Stdio::null()).output().unwrap();
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

#[test]
fn e2_a_handler_that_panics_shows_no_secret_to_anybody() {
    let output = output();
    assert!(output.contains("panicked at") && output.contains("no way out"), "{output}");
    assert!(!output.contains("CANARY"), "{output}");
}

#[test]
fn e2_twin_a_panic_ends_its_own_connection_and_no_other() {
    let output = output();
    assert!(output.contains("said \"\"") && output.contains("then 200"), "{output}");
}
