//! The console with programs nobody here wrote: a real Chromium that follows the link, and aws-consoler, which makes links of its own
//! from the credentials Tegata hands out.
#![cfg(feature = "system")]

use std::fs;
use std::os::unix::fs::PermissionsExt;
use tegata_tests::browser;
use tegata_tests::chromium::Chromium;
use tegata_tests::client;
use tegata_tests::product::{Product, run, wait_until};

fn signed_in() -> Product {
    let mut product = Product::new();
    product.start_daemon();
    product.sign_in();
    product
}

#[test]
fn a_real_browser_arrives_at_the_console_signed_in_and_switches_accounts() {
    let (chromium, mut product) = (Chromium::start(), signed_in());
    let told = product.path("told");
    let program = product.path("browser");
    let script = format!("#!/bin/sh\nprintf '%s' \"$1\" > '{0}.new' && mv '{0}.new' '{0}'\n", told.display());
    fs::write(&program, script).unwrap();
    fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
    product.environment.push(("BROWSER".to_owned(), program.display().to_string()));
    let tab = chromium.tab("console");
    let opened = |arguments: &[&str]| {
        std::thread::scope(|scope| {
            let running = scope.spawn(|| product.run(arguments));
            wait_until("the browser is told an address", || told.exists());
            tab.open(&fs::read_to_string(&told).unwrap());
            fs::remove_file(&told).unwrap();
            let ended = running.join().unwrap();
            assert_eq!(ended.code, 0, "{ended:?}\n{}", product.daemon_log());
        });
    };
    opened(&["console", "dev", "--service", "ec2"]);
    assert!(tab.text("#identity", "").contains(":assumed-role/AWSReservedSSO_ReadOnly_"));
    assert_eq!(tab.text("#place", ""), "https://us-east-1.console.aws.amazon.com/ec2/home?region=us-east-1");
    assert!(!tab.address().contains("SigninToken"), "{}", tab.address());
    opened(&["console", "admin"]);
    let _ = tab.text("p", "You must first log out");
    opened(&["console", "admin", "--logout-first"]);
    assert!(tab.text("#identity", "").contains(":assumed-role/AWSReservedSSO_Admin_"));
    product.assert_no_canaries();
}

#[test]
fn a_link_that_another_program_makes_of_tegatas_credentials_is_taken_as_well() {
    let product = signed_in();
    let mut consoler = product.command(client("python/bin/python"));
    consoler.args(["-m", "aws_consoler.cli", "--profile", "dev", "--region", "us-east-1"]);
    consoler.args(["--federation-endpoint", &format!("{}/federation", product.sandbox().url())]);
    let ended = run(consoler.args(["--sts-endpoint", &product.sandbox().url()]));
    assert_eq!(ended.code, 0, "{ended:?}\n{}", product.daemon_log());
    let link = ended.stdout.lines().find(|line| line.starts_with("http://127.0.0.1:")).unwrap();
    assert_eq!(browser::visit(link).status, 200, "{link}");
    let sign_in = product.sandbox().console_sign_ins().pop().unwrap();
    assert_eq!(sign_in.issuer, "consoler.local");
    assert!(sign_in.principal.arn.contains("ReadOnly"), "{sign_in:?}");
}
