//! Exit code 1: what fails in a way that no other code names (docs/exit-codes.md).

use std::fs::{self, File};
use std::process::Stdio;
use tegata_tests::product::{Ended, Product, wait_until};

fn served() -> Product {
    let mut product = Product::new();
    product.start_daemon();
    product.sign_in();
    assert_eq!(product.credentials("dev").code, 0);
    product
}

fn assert_failed(ended: &Ended, line: &str) {
    assert_eq!((ended.code, ended.stdout.as_str(), ended.stderr.lines().count()), (1, "", 1), "{ended:?}");
    assert!(ended.stderr.starts_with(line), "{ended:?}");
}

#[test]
fn l11_what_cannot_be_written_down_is_not_released() {
    let product = served();
    fs::remove_dir_all(product.state_dir()).unwrap();
    fs::write(product.state_dir(), "in the way").unwrap();
    let mut refused = None;
    // The daemon notices that its file is gone when it next asks the disk to keep it.
    wait_until("the daemon needs a new file", || {
        let ended = product.credentials("dev");
        refused = (ended.code != 0).then_some(ended);
        refused.is_some()
    });
    assert_failed(&refused.unwrap(), "tegata: cannot make the audit log ");
}

#[test]
fn l11_twin_once_it_can_be_written_down_it_is_released_without_a_restart() {
    let product = served();
    fs::remove_dir_all(product.state_dir()).unwrap();
    fs::write(product.state_dir(), "in the way").unwrap();
    wait_until("the daemon needs a new file", || product.credentials("dev").code == 1);
    fs::remove_file(product.state_dir()).unwrap();
    assert_eq!(product.credentials("dev").code, 0);
    assert_eq!(product.audit().last().unwrap()["event"], "released");
}

#[test]
fn a_lock_that_cannot_be_made_to_last_is_said() {
    let product = served();
    fs::remove_dir_all(product.state_dir()).unwrap();
    fs::write(product.state_dir(), "in the way").unwrap();
    assert_failed(&product.run(&["lock"]), "tegata: ");
}

#[test]
fn a_sign_out_of_nothing_is_said() {
    let mut product = Product::new();
    product.start_daemon();
    assert_failed(&product.run(&["logout"]), "tegata: no sign-in session is signed in; run: tegata status\n");
}

#[test]
fn an_output_that_takes_nothing_is_said() {
    let product = served();
    for arguments in [&["status"][..], &["list", "--json"], &["credential-process", "--profile", "dev"]] {
        let mut command = product.tegata(arguments);
        command.stdout(File::create("/dev/full").unwrap()).stderr(Stdio::piped());
        let ended = run_to(&mut command);
        assert_failed(&ended, "tegata: cannot write to standard output: ");
    }
}

/// Runs a command whose output the test has put somewhere itself.
fn run_to(command: &mut std::process::Command) -> Ended {
    let output = command.spawn().unwrap().wait_with_output().unwrap();
    let stderr = String::from_utf8(output.stderr).unwrap();
    Ended { code: output.status.code().unwrap_or(-1), stdout: String::new(), stderr }
}
