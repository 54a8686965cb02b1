//! A sign-in to the console, from `tegata login --console` to what a tool signs with it: here with a browser on this machine, and
//! with one elsewhere. Whoever is refused leaves nothing behind.

mod config;
mod gate;
mod hostile;
mod renewal;
#[cfg(feature = "system")]
mod system;

use serde_json::Value;
use std::fs;
use std::process::Stdio;
use tegata_sandbox::Operation;
use tegata_tests::bounded::Bounded;
use tegata_tests::browser::visit;
use tegata_tests::crowd::Crowd;
use tegata_tests::iam_user::section;
use tegata_tests::product::{Ended, Product, run};

const ALICE: &str = "arn:aws:sts::123456789012:assumed-role/Admin/alice";
const BOB: &str = "arn:aws:iam::123456789012:user/bob";
const LOG_IN: [&str; 7] = ["login", "--console", "me", "--region", "us-east-1", "--print", "--yes"];

/// A machine with its daemon, and nobody signed in.
fn machine() -> Product {
    let mut product = Product::new();
    product.start_daemon();
    product
}

fn signed_in() -> Product {
    let product = machine();
    log_in(&product);
    product
}

/// The same over a store that outlives the daemon.
fn kept_in_files() -> Product {
    let mut product = Product::new();
    product.store_in_files();
    product.start_daemon();
    log_in(&product);
    product
}

fn log_in(product: &Product) {
    let ended = product.sign_in_with(&LOG_IN);
    assert_eq!(ended.code, 0, "{ended:?}\n{}", product.daemon_log());
}

fn process(product: &Product) -> Value {
    process_of(product, "me")
}

fn process_of(product: &Product, profile: &str) -> Value {
    let ended = product.credentials(profile);
    assert_eq!((ended.code, ended.stderr.as_str()), (0, ""), "{ended:?}\n{}", product.daemon_log());
    serde_json::from_str(&ended.stdout).unwrap()
}

/// The access key id that a tool is handed.
fn key(product: &Product) -> String {
    process(product)["AccessKeyId"].as_str().unwrap().to_owned()
}

/// How often AWS was asked for credentials of a login.
fn exchanges(product: &Product) -> u64 {
    let of = [Operation::CreateOAuth2TokenAuthorizationCode, Operation::CreateOAuth2TokenRefreshToken];
    of.into_iter().map(|operation| product.sandbox().calls(operation)).sum()
}

fn config(product: &Product) -> String {
    fs::read_to_string(product.path(".aws/config")).unwrap()
}

/// Who signs in to the console in the browser.
fn somebody_else_is_at_the_browser(product: &Product, identity: &str) {
    product.sandbox().configure(|settings| identity.clone_into(&mut settings.console_login.identity));
}

/// Asserts one printable line, this exit code, and what the line says.
fn assert_refused(ended: &Ended, code: i32, says: &[&str]) {
    let last = ended.stderr.trim_end_matches('\n').lines().last().unwrap_or_default();
    assert_eq!(ended.code, code, "{ended:?}");
    assert!(last.starts_with("tegata: ") && last.chars().count() < 1500, "{ended:?}");
    assert!(
        !ended.stderr.contains(|c: char| c != '\n' && c.is_control() || "\u{202e}\u{200b}".contains(c)),
        "{ended:?}"
    );
    for part in says {
        assert!(last.contains(part), "{part}: {ended:?}");
    }
}

/// As [`assert_refused`], for a tool: the line is all there is.
fn assert_tool_is_told(product: &Product, profile: &str, code: i32, line: &str) {
    let ended = product.credentials(profile);
    assert_eq!(
        (ended.code, ended.stdout.as_str(), ended.stderr.as_str()),
        (code, "", line),
        "{}",
        product.daemon_log()
    );
}

#[test]
fn the_profile_is_written_and_served() {
    let product = signed_in();
    let written = config(&product);
    for line in
        ["[profile me]", &format!("tegata_login_session = {ALICE}"), "region = us-east-1", "credential_process ="]
    {
        assert!(written.contains(line), "{line}: {written}");
    }
    let keys = process(&product);
    let issued = product.sandbox().issued_credentials();
    assert!(issued.iter().any(|issued| issued.access_key_id == keys["AccessKeyId"]), "{issued:?}");
    // Served from memory: nobody is asked again.
    assert_eq!((process(&product)["AccessKeyId"].clone(), exchanges(&product)), (keys["AccessKeyId"].clone(), 1));

    let status = product.run(&["status"]);
    assert!(status.stdout.contains(ALICE) && status.stdout.contains("signed in"), "{status:?}");
    product.assert_no_canaries();
}

/// Goes through a sign-in whose page is opened elsewhere: a wrong text first, then the page's.
fn carry_over(product: &Product, arguments: &[&str]) -> (Ended, String) {
    let mut running = Bounded::start(product.tegata(arguments).stdin(Stdio::piped()));
    let mut stdout = std::io::BufReader::new(running.process.stdout.take().unwrap());
    let mut url = String::new();
    std::io::BufRead::read_line(&mut stdout, &mut url).unwrap();
    let page = visit(url.trim());
    let (_, shown) = page.body.split_once("id=\"authorization-code\">").unwrap();
    let shown = shown.split('<').next().unwrap().to_owned();
    running.reads("not what the page shows");
    running.reads(&format!("  {shown}  "));
    let ended = running.ends();
    product.heard(arguments, &ended);
    (ended, shown)
}

#[test]
fn with_a_browser_elsewhere_the_text_of_the_page_is_carried_over() {
    let product = machine();
    let (ended, shown) = carry_over(&product, &[&LOG_IN[..], &["--remote"]].concat());
    assert_eq!(ended.code, 0, "{ended:?}\n{}", product.daemon_log());
    let said = &ended.stderr;
    assert!(said.contains(&format!("Signed in to the console as {ALICE}")) && !said.contains(&shown), "{said}");
    assert_eq!(product.sandbox().logins()[0].client_id, "arn:aws:signin:::devtools/cross-device");
    process(&product);
    product.assert_no_canaries();
}

#[test]
fn root_is_refused_with_the_reason_and_nothing_is_left() {
    let product = machine();
    somebody_else_is_at_the_browser(&product, "arn:aws:iam::123456789012:root");
    let ended = product.sign_in_with(&LOG_IN);
    assert_refused(&ended, 10, &["root user of the account", "run: tegata login --console me"]);
    assert!(!config(&product).contains("[profile me]"), "{}", config(&product));
}

#[test]
fn somebody_else_than_the_profile_names_is_refused_and_nothing_is_written() {
    let mut product = Product::new();
    product.store_in_files();
    let before = format!("{}{}", product.default_aws_config(), section("me", &format!("tegata_login_session = {BOB}")));
    product.write_aws_config(&before);
    product.start_daemon();
    let ended = product.sign_in_with(&LOG_IN);
    let said = format!("{ALICE} signed in, and the profile is of {BOB}; nothing was kept");
    assert_refused(&ended, 10, &[&said, "run: tegata login --console me"]);
    assert_eq!(config(&product), before);
    let kept = || fs::read_dir(product.state_dir().join("secrets")).into_iter().flatten().flatten();
    assert!(kept().all(|record| !record.file_name().to_string_lossy().starts_with("console-login-")));
    assert!(!product.run(&["status"]).stdout.contains(ALICE));
    let line = format!("tegata: {BOB} has not signed in to the console here; run: tegata login --console me\n");
    assert_tool_is_told(&product, "me", 10, &line);
    // The one it is of is let in, and the file stays as it is: it says everything.
    somebody_else_is_at_the_browser(&product, BOB);
    log_in(&product);
    process(&product);
    assert_eq!(config(&product), before);
    assert!(kept().any(|record| record.file_name().to_string_lossy().starts_with("console-login-")));
    product.assert_no_canaries();
}

#[test]
fn the_name_of_the_profile_is_enough_and_a_sign_in_session_of_that_name_goes_first() {
    let product = Product::new();
    let own = section("me", &format!("tegata_login_session = {ALICE}"));
    let role = "tegata_role_arn = arn:aws:iam::210987654321:role/Deploy\ntegata_source_profile = me";
    let named_alike = section("corp", &format!("tegata_login_session = {ALICE}"));
    let roles = section("deploy", role);
    let before = format!("{}{own}{roles}{named_alike}", product.default_aws_config());
    product.write_aws_config(&before);
    let mut product = product;
    product.start_daemon();
    for profile in ["me", "deploy"] {
        let ended = product.sign_in_with(&["login", profile, "--print"]);
        let said = format!("Signed in to the console as {ALICE} until ");
        assert!(ended.code == 0 && ended.stderr.contains(&said), "{ended:?}\n{}", product.daemon_log());
    }
    let (ended, _) = carry_over(&product, &["login", "me", "--device-code", "--print"]);
    assert_eq!(ended.code, 0, "{ended:?}");
    let clients: Vec<_> = product.sandbox().logins().into_iter().map(|login| login.client_id).collect();
    let of = |name: &str| format!("arn:aws:signin:::devtools/{name}-device");
    assert_eq!(clients, [of("same"), of("same"), of("cross")]);
    process(&product);
    product.sign_in();
    assert_eq!(product.sandbox().logins().len(), 3, "corp is the organisation");
    assert_eq!(product.run(&["logout", "corp"]).code, 0);
    process(&product);
    assert_eq!(config(&product), before);
}

#[test]
fn a_tool_is_told_at_once_or_waits_for_the_person_if_it_says_so() {
    let product = Product::new();
    product.write_aws_config(&section("me", &format!("tegata_login_session = {ALICE}")));
    let mut product = product;
    product.start_daemon();
    let line = format!("tegata: {ALICE} has not signed in to the console here; run: tegata login --console me\n");
    assert_tool_is_told(&product, "me", 10, &line);
    let patient = Crowd::gather(&product, 3, &["credential-process", "--profile", "me", "--wait", "120"]);
    patient.is_connected(&product);
    log_in(&product);
    for ended in patient.ends() {
        assert!(ended.code == 0 && ended.stdout.contains("SessionToken"), "{}", ended.stderr);
    }
}

#[test]
fn it_is_shown_everywhere_and_forgotten_by_its_profile() {
    let product = signed_in();
    let prompt = || run(product.tegata(&["prompt"]).env("AWS_PROFILE", "me")).stdout;
    process(&product);
    assert!(prompt().starts_with("me 1") && prompt().ends_with("m\n"), "{}", prompt());
    let listed = product.run(&["list"]).stdout;
    let row = listed.lines().find(|line| line.starts_with("me ")).unwrap();
    for cell in ["123456789012", "Admin", "console", "min left"] {
        assert!(row.contains(cell), "{cell}: {row}");
    }
    let status: Value = product.api("GET", "/v1/status", None).1;
    let identity = &status["identities"][0];
    assert_eq!((identity["arn"].as_str(), identity["profile"].as_str()), (Some(ALICE), Some("me")), "{status}");
    assert_eq!((identity["state"].as_str(), identity["region"].as_str()), (Some("signed_in"), Some("us-east-1")));

    let out = product.run(&["logout", "me"]);
    assert!(out.code == 0 && out.stdout.starts_with(&format!("Signed out of {ALICE} here only")), "{out:?}");
    let line = format!("tegata: {ALICE} has not signed in to the console here; run: tegata login --console me\n");
    assert_tool_is_told(&product, "me", 10, &line);
    assert!(product.run(&["status"]).stdout.contains("signed out"));
    assert_eq!(product.run(&["logout"]).code, 1, "nobody is left");
    product.assert_no_canaries();
}
