//! A live sign-in of AWS CLI v2 is moved into the daemon: its file is gone, its refresh token is spent, nobody signs in
//! again. Whatever is wrong with the file leaves it as it was, and a crash at any point leaves one sign-in that works.
#![cfg(feature = "system")]

use serde_json::{Value, json};
use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::Command;
use tegata_sandbox::{Operation, RefreshReuse, START_URL};
use tegata_tests::product::{Ended, Product, run};
use tegata_tests::{client, program};

/// Returns at once: the CLI waits for its browser before it serves the callback.
const BROWSER: &str = "#!/bin/sh\nsetsid curl -sL -m 20 \"$1\" >/dev/null 2>&1 </dev/null &\n";

/// Where AWS CLI keeps the sign-in to `corp`: SHA-1 of the name.
const FILE: &str = ".aws/sso/cache/ee0bfd2552fbd840c02cc48b6e823320543c450f.json";

/// A product that nobody has signed in to, with the sign-in of AWS CLI beside it.
fn beside_aws_cli() -> Product {
    let mut product = Product::new();
    product.store_in_files();
    let browser = product.path("browser");
    fs::write(&browser, BROWSER).unwrap();
    fs::set_permissions(&browser, fs::Permissions::from_mode(0o755)).unwrap();
    aws_signs_in(&product);
    product
}

/// Runs AWS CLI in the home of the product, two minutes at most.
fn aws(product: &Product, arguments: &[&str]) -> Ended {
    let mut command: Command = product.command("timeout");
    command.args(["-k", "5", "120"]).arg(client("awscli-v2/dist/aws")).args(arguments);
    for name in ["AWS_ENDPOINT_URL_SSO_OIDC", "AWS_ENDPOINT_URL_SSO", "AWS_ENDPOINT_URL_STS"] {
        command.env(name, product.sandbox().url());
    }
    command.env("BROWSER", format!("{} %s", product.path("browser").display()));
    run(command.env("AWS_EC2_METADATA_DISABLED", "true"))
}

fn aws_signs_in(product: &Product) {
    let ended = aws(product, &["sso", "login", "--sso-session", "corp"]);
    assert!(ended.stdout.contains("Successfully logged into Start URL"), "{ended:?}");
    assert!(product.path(FILE).exists());
}

fn adopt(product: &Product) -> Ended {
    product.run(&["adopt-session", "corp"])
}

fn json(file: &Path) -> Value {
    serde_json::from_slice(&fs::read(file).unwrap()).unwrap()
}

fn tomorrow(product: &Product) -> String {
    run(product.command("date").args(["-u", "-d", "tomorrow", "+%Y-%m-%dT%H:%M:%SZ"])).stdout.trim().to_owned()
}

/// What is left of AWS CLI's tokens and clients.
fn cached(product: &Product) -> Vec<PathBuf> {
    fs::read_dir(product.path(".aws/sso/cache")).unwrap().map(|entry| entry.unwrap().path()).collect()
}

fn refreshes(product: &Product) -> u64 {
    product.sandbox().calls(Operation::CreateTokenRefreshToken)
}

fn assert_moved(product: &Product, ended: &Ended) {
    assert_eq!((ended.code, ended.stderr.as_str()), (0, ""), "{ended:?}\n{}", product.daemon_log());
    assert!(ended.stdout.contains("is removed"), "{ended:?}");
    assert_eq!(cached(product), [] as [PathBuf; 0]);
}

/// One line, and everything as it was.
fn assert_refused(product: &Product, code: i32, says: &str) {
    let file = product.path(FILE);
    let before = fs::symlink_metadata(&file).unwrap().is_file().then(|| fs::read(&file).unwrap());
    let ended = adopt(product);
    assert_eq!((ended.code, ended.stdout.as_str()), (code, ""), "{says}: {ended:?}");
    assert!(ended.stderr.contains(says) && ended.stderr.lines().count() == 1, "{says}: {ended:?}");
    assert!(!ended.stderr.contains(tegata_sandbox::CANARY), "{ended:?}");
    let after = fs::symlink_metadata(&file).unwrap().is_file().then(|| fs::read(&file).unwrap());
    assert!(before == after, "{says}: the file was touched");
    assert_eq!(product.credentials("dev").code, 10, "{says}: nothing was taken over");
}

#[test]
fn a_sign_in_of_aws_cli_is_moved_and_served() {
    let mut product = beside_aws_cli();
    product.start_daemon();
    let registrations = product.sandbox().calls(Operation::RegisterClient);
    assert_moved(&product, &product.run(&["adopt-session"]));
    product.assert_no_canaries();
    let identity = aws(&product, &["sts", "get-caller-identity", "--profile", "dev"]);
    assert!(identity.stdout.contains("AWSReservedSSO_ReadOnly_"), "{identity:?}");
    // The client that came along renews it, also in another daemon.
    product.kill_daemon();
    product.sandbox().forget_access_tokens();
    product.start_daemon();
    assert_eq!(product.credentials("admin").code, 0, "{}", product.daemon_log());
    assert_eq!((refreshes(&product), product.sandbox().calls(Operation::Authorize)), (2, 1), "nobody signed in again");
    assert_eq!(product.sandbox().calls(Operation::RegisterClient), registrations);
    let records: Vec<_> = product.audit().into_iter().filter(|record| record["event"] == "sign_in_adopted").collect();
    assert_eq!(records.len(), 1);
    assert_eq!((&records[0]["session"], &records[0]["proof"]), (&json!("corp"), &json!("renewed")));
    product.assert_no_canaries();
    assert_eq!(product.run(&["logout", "corp"]).code, 0);
    let again = adopt(&product);
    assert_eq!(again.code, 10, "{again:?}");
    assert!(
        again.stderr.contains("AWS CLI has no sign-in for corp") && again.stderr.ends_with("run: tegata login corp\n")
    );
}

#[test]
fn a_copy_that_was_kept_is_dead_and_whoever_brings_it_again_spends_nothing() {
    let mut product = beside_aws_cli();
    product.start_daemon();
    let copy = fs::read(product.path(FILE)).unwrap();
    assert_moved(&product, &adopt(&product));
    // As if the command had been killed before it removed the file.
    fs::write(product.path(FILE), &copy).unwrap();
    assert_moved(&product, &adopt(&product));
    assert_eq!(refreshes(&product), 1);
    assert_eq!(product.credentials("dev").code, 0);
    // AWS CLI is served no longer than its old access token lives.
    fs::write(product.path(FILE), &copy).unwrap();
    product.sandbox().forget_access_tokens();
    let native = "[profile native]\nsso_session = corp\nsso_account_id = 123456789012\nsso_role_name = Admin\nregion = us-east-1\n";
    product.write_aws_config(&format!("{}{native}", product.default_aws_config()));
    assert_ne!(aws(&product, &["sts", "get-caller-identity", "--profile", "native"]).code, 0);
}

#[test]
fn a_sign_in_that_nothing_renews_is_moved_and_ends_with_its_token() {
    let mut product = beside_aws_cli();
    product.start_daemon();
    let mut token = json(&product.path(FILE));
    token.as_object_mut().unwrap().remove("refreshToken");
    fs::write(product.path(FILE), token.to_string()).unwrap();
    let ended = adopt(&product);
    assert_eq!(ended.code, 0, "{ended:?}");
    assert!(ended.stdout.contains("Nothing renews it: it ends ") && !product.path(FILE).exists(), "{ended:?}");
    assert_eq!((refreshes(&product), product.sandbox().calls(Operation::ListAccounts)), (0, 1));
    assert_eq!(product.credentials("dev").code, 0);
}

#[test]
fn h4_whatever_is_wrong_with_the_file_is_one_line_and_leaves_it() {
    let mut product = beside_aws_cli();
    product.start_daemon();
    let (file, good) = (product.path(FILE), fs::read(product.path(FILE)).unwrap());
    let with = |field: &str, value: Value| {
        let mut token: Value = serde_json::from_slice(&good).unwrap();
        token[field] = value;
        token.to_string()
    };
    let past = "2020-01-01T00:00:00Z";
    let mut ended: Value = serde_json::from_slice(&good).unwrap();
    ended.as_object_mut().unwrap().remove("refreshToken");
    ended["expiresAt"] = json!(past);
    let cases = [
        (
            with("startUrl", json!("https://d-0000000000.awsapps.com/start")),
            10,
            "its start URL is https://d-0000000000",
        ),
        (with("startUrl", json!("http://evil.test/\u{1b}[2J")), 10, "is not taken over"),
        (with("region", json!("eu-west-1")), 10, "its region is eu-west-1"),
        (ended.to_string(), 10, "its access token has ended"),
        (with("registrationExpiresAt", json!(past)), 10, "its client registration has ended"),
        (with("expiresAt", json!("tomorrow")), 1, "has a time in expiresAt that is none"),
        (with("accessToken", json!(17)), 1, "is no sign-in of AWS CLI"),
        ("garbage \u{1b}[2J".to_owned(), 1, "is no sign-in of AWS CLI"),
        (String::new(), 1, "is no sign-in of AWS CLI"),
        (format!("{{\"a\":\"{}\"}}", "x".repeat(10 * 1024 * 1024)), 1, "is larger than the 32 KiB that are read"),
    ];
    for (text, code, says) in cases {
        fs::write(&file, text).unwrap();
        assert_refused(&product, code, says);
    }
    fs::remove_file(&file).unwrap();
    fs::write(product.path("elsewhere.json"), &good).unwrap();
    symlink(product.path("elsewhere.json"), &file).unwrap();
    assert_refused(&product, 1, "is a symbolic link");
    fs::remove_file(&file).unwrap();
    fs::create_dir(&file).unwrap();
    assert_refused(&product, 1, "is no file");
    fs::remove_dir(&file).unwrap();
    assert_eq!((refreshes(&product), product.sandbox().calls(Operation::ListAccounts)), (0, 0), "nothing was sent");
    // The twin: the very same file, as it was.
    fs::remove_file(product.path("elsewhere.json")).unwrap();
    fs::write(&file, &good).unwrap();
    assert_moved(&product, &adopt(&product));
    assert_eq!(product.credentials("dev").code, 0);
    product.assert_no_canaries();
}

#[test]
fn d1_a_sign_in_that_aws_has_ended_is_refused_and_a_new_one_works() {
    let mut product = beside_aws_cli();
    product.start_daemon();
    product.sandbox().end_sign_in_sessions();
    assert_refused(&product, 10, "AWS says it is over");
    aws_signs_in(&product);
    assert_moved(&product, &adopt(&product));
    assert_eq!(product.credentials("dev").code, 0);
}

#[test]
fn a_sign_in_that_works_here_stays_and_so_does_that_of_aws_cli() {
    let mut product = Product::new();
    product.start_daemon();
    product.sign_in();
    let token = json!({
        "startUrl": START_URL, "region": "us-east-1", "accessToken": "another", "expiresAt": "2026-11-22T15:53:58Z",
        "clientId": "c", "clientSecret": "s", "registrationExpiresAt": tomorrow(&product), "refreshToken": "r",
    });
    fs::create_dir_all(product.path(".aws/sso/cache")).unwrap();
    fs::write(product.path(FILE), token.to_string()).unwrap();
    let ended = adopt(&product);
    assert_eq!(ended.code, 10, "{ended:?}");
    assert!(ended.stderr.ends_with("run: aws sso logout\n") && product.path(FILE).exists(), "{ended:?}");
    assert_eq!((refreshes(&product), product.credentials("dev").code), (0, 0));
}

#[test]
fn i1_a_crash_at_any_point_leaves_a_sign_in_that_works() {
    for failpoint in ["adopt.probed", "adopt.received", "adopt.stored"] {
        let mut product = beside_aws_cli();
        product.sandbox().configure(|settings| settings.refresh_reuse = RefreshReuse::Strict);
        crash(&mut product, failpoint);
    }
}

#[test]
fn i1_a_crash_where_nothing_renews_it_leaves_a_sign_in_that_works() {
    let mut product = beside_aws_cli();
    let mut token = json(&product.path(FILE));
    token.as_object_mut().unwrap().remove("refreshToken");
    fs::write(product.path(FILE), token.to_string()).unwrap();
    crash(&mut product, "adopt.portal-stored");
}

/// Adopts with a daemon that dies there, and again with one that does not.
fn crash(product: &mut Product, failpoint: &str) {
    product.never_start_a_daemon();
    product.daemon_binary = program("tegatad-failpoints");
    product.environment.push(("TEGATA_FAILPOINT".to_owned(), failpoint.to_owned()));
    product.start_daemon();
    let killed = adopt(product);
    assert_eq!((killed.code, product.daemon_ends()), (16, 128 + 9), "{failpoint}: {killed:?}");
    assert!(product.path(FILE).exists(), "{failpoint}: the file is removed last");
    product.environment.retain(|(name, _)| name != "TEGATA_FAILPOINT");
    product.daemon_binary = program("tegatad");
    product.start_daemon();
    let (again, spent) = (adopt(product), refreshes(product));
    assert_eq!(again.code, 0, "{failpoint}: {again:?}");
    assert!(spent <= 1 && !product.path(FILE).exists(), "{failpoint}: spent {spent} times");
    let served = product.credentials("dev");
    assert_eq!(served.code, 0, "{failpoint}: {served:?}\n{}", product.daemon_log());
}
