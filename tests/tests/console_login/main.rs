//! A sign-in to the console, from `tegata login --console` to what a tool signs with it: here with a browser on this machine, and
//! with one elsewhere. Whoever is refused leaves nothing behind.

use serde_json::Value;
use std::io::Write;
use std::process::Stdio;
use tegata_sandbox::Operation;
use tegata_tests::browser::visit;
use tegata_tests::product::{Ended, Product};

const ALICE: &str = "arn:aws:sts::123456789012:assumed-role/Admin/alice";
const LOG_IN: [&str; 7] = ["login", "--console", "me", "--region", "us-east-1", "--print", "--yes"];

/// A machine with its daemon, and nobody signed in.
fn machine() -> Product {
    let mut product = Product::new();
    product.start_daemon();
    product
}

fn signed_in() -> Product {
    let product = machine();
    let ended = product.sign_in_with(&LOG_IN);
    assert_eq!(ended.code, 0, "{ended:?}\n{}", product.daemon_log());
    product
}

fn process(product: &Product) -> Value {
    let ended = product.credentials("me");
    assert_eq!(ended.code, 0, "{ended:?}\n{}", product.daemon_log());
    serde_json::from_str(&ended.stdout).unwrap()
}

fn config(product: &Product) -> String {
    std::fs::read_to_string(product.path(".aws/config")).unwrap()
}

fn assert_refused(ended: &Ended, code: i32, says: &[&str]) {
    assert_eq!(ended.code, code, "{ended:?}");
    for part in says {
        assert!(ended.stderr.contains(part), "{part}: {ended:?}");
    }
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
    let calls = product.sandbox().calls(Operation::CreateOAuth2Token);
    assert_eq!(process(&product)["AccessKeyId"], keys["AccessKeyId"]);
    assert_eq!(product.sandbox().calls(Operation::CreateOAuth2Token), calls);

    let status = product.run(&["status"]);
    assert!(status.stdout.contains(ALICE) && status.stdout.contains("signed in"), "{status:?}");
    product.assert_no_canaries();
}

#[test]
fn with_a_browser_elsewhere_the_text_of_the_page_is_carried_over() {
    let product = machine();
    let mut command =
        product.tegata(&["login", "--console", "me", "--region", "us-east-1", "--remote", "--print", "--yes"]);
    let mut running = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut stdout = std::io::BufReader::new(running.stdout.take().unwrap());
    let mut url = String::new();
    std::io::BufRead::read_line(&mut stdout, &mut url).unwrap();
    let page = visit(url.trim());
    let (_, shown) = page.body.split_once("id=\"authorization-code\">").unwrap();
    let shown = shown.split('<').next().unwrap();
    let mut stdin = running.stdin.take().unwrap();
    writeln!(stdin, "not what the page shows").unwrap();
    writeln!(stdin, "  {shown}  ").unwrap();
    let output = running.wait_with_output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{said}\n{}", product.daemon_log());
    assert!(said.contains(&format!("Signed in to the console as {ALICE}")) && !said.contains(shown), "{said}");
    assert_eq!(product.sandbox().logins()[0].client_id, "arn:aws:signin:::devtools/cross-device");
    process(&product);
    product.assert_no_canaries();
}

#[test]
fn root_is_refused_with_the_reason_and_nothing_is_left() {
    let product = machine();
    product
        .sandbox()
        .configure(|settings| "arn:aws:iam::123456789012:root".clone_into(&mut settings.console_login.identity));
    let ended = product.sign_in_with(&LOG_IN);
    assert_refused(&ended, 10, &["root"]);
    let written = std::fs::read_to_string(product.path(".aws/config")).unwrap_or_default();
    assert!(!written.contains("[profile me]"), "{written}");
}
