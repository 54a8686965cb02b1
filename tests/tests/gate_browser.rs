//! The gate as a person meets it: a real Chromium with virtual authenticators, the real daemon and command line, a real AWS CLI.
#![cfg(feature = "system")]

use serde_json::{Value, json};
use std::sync::{LazyLock, Mutex, MutexGuard, PoisonError};
use tegata_sandbox::{Consent, IamRole};
use tegata_tests::chromium::{Chromium, Tab};
use tegata_tests::client;
use tegata_tests::product::{Ended, Product, run};

/// One for all, one story at a time.
static CHROMIUM: LazyLock<Mutex<Chromium>> = LazyLock::new(|| Mutex::new(Chromium::start()));

fn chromium() -> MutexGuard<'static, Chromium> {
    CHROMIUM.lock().unwrap_or_else(PoisonError::into_inner)
}

fn signed_in(rules: &str) -> Product {
    let mut product = Product::new();
    product.write_settings(&format!("store = \"memory\"\n{rules}"));
    product.start_daemon();
    product.sign_in();
    product
}

/// Runs a command that prints a page, and does there what `on_page` says.
fn by_hand(product: &Product, arguments: &[&str], on_page: impl FnOnce(&str)) -> Ended {
    product.run_with_page(&[arguments, &["--print"]].concat(), |url| {
        on_page(url);
        Ok(())
    })
}

fn add(product: &Product, person: &str, name: &str, on_page: impl FnOnce(&str)) {
    let ended = by_hand(product, &["passkey", "add", "--person", person, "--name", name], on_page);
    assert_eq!(ended.code, 0, "{ended:?}\n{}", product.daemon_log());
    assert!(ended.stdout.contains(&format!("{name} is enrolled.")), "{ended:?}");
}

/// Goes to a page that first asks `tab` for the gesture of its own passkey, then makes one on another authenticator.
fn gesture_then_enrolment(tab: Tab<'_>, url: &str) -> u64 {
    tab.visit(url);
    assert!(tab.shows("waits").contains("A passkey that is already enrolled says yes first"));
    tab.click("#approve");
    let _ = tab.text("#approve", "Create passkey");
    // Only the new one is touched from here on.
    let other = tab.add_authenticator("usb");
    tab.touch(0, false);
    tab.buttons_work();
    tab.click("#approve");
    assert!(tab.shows("approved").starts_with("Passkey created"));
    tab.touch(0, true);
    other
}

fn aws_identity(product: &Product, profile: &str) -> Ended {
    let mut aws = product.command(client("awscli-v2/dist/aws"));
    aws.env("AWS_ENDPOINT_URL_STS", product.sandbox().url());
    run(aws.args(["sts", "get-caller-identity", "--query", "Arn", "--output", "text", "--profile", profile]))
}

#[test]
fn a_sign_in_is_allowed_on_the_organisations_page_and_ends_on_tegatas() {
    let (chromium, mut product) = (chromium(), Product::new());
    product.sandbox().configure(|settings| settings.authorize = Consent::Page);
    product.start_daemon();
    let tab = chromium.tab("sign-in");
    let ended = by_hand(&product, &["login", "corp"], |url| {
        tab.open(url);
        tab.click("button.allow");
        let _ = tab.text("h1", "Back to the terminal");
        let address = tab.address();
        assert!(address.starts_with("http://127.0.0.1:") && !address.contains('?'), "no code is left in {address}");
    });
    assert_eq!(ended.code, 0, "{ended:?}\n{}", product.daemon_log());
    assert_eq!(product.credentials("dev").code, 0);
    let declined = by_hand(&product, &["login", "corp"], |url| {
        tab.open(url);
        tab.click("button[value=deny]");
        let _ = tab.text("h1", "Sign-in declined");
    });
    assert_eq!((declined.code, product.credentials("dev").code), (10, 0), "{declined:?}");
    product.assert_no_canaries();
}

#[test]
fn a_passkey_made_in_the_browser_opens_administration_to_the_aws_cli() {
    let (chromium, product) = (chromium(), signed_in(""));
    let tab = chromium.tab("elevation");
    add(&product, "alice", "laptop", |url| assert!(tab.approve(url).starts_with("Passkey created")));
    let before = product.run(&["credential-process", "--profile", "admin", "--wait", "0"]);
    assert_eq!((before.code, before.stdout.as_str()), (11, ""), "{before:?}");
    let elevate = ["elevate", "admin", "--for", "5m", "--reason", "INC-42: stuck deployment"];
    let ended = by_hand(&product, &elevate, |url| {
        tab.visit(url);
        let card = tab.shows("waits");
        let code = product.parked()["code"].as_str().unwrap().to_owned();
        for shown in ["Approve admin?", &code, "123456789012", "5 minutes", "INC-42: stuck deployment", "Tier prompt:"]
        {
            assert!(card.contains(shown), "{shown} is not in {card}");
        }
        tab.click("#approve");
        assert!(tab.shows("approved").starts_with("Approved"));
    });
    assert_eq!(ended.code, 0, "{ended:?}\n{}", product.daemon_log());
    let identity = aws_identity(&product, "admin");
    let start = "arn:aws:sts::123456789012:assumed-role/AWSReservedSSO_Admin_";
    assert!(identity.code == 0 && identity.stdout.starts_with(start), "{identity:?}\n{}", product.daemon_log());
    assert_eq!(product.run(&["drop", "admin"]).code, 0);
    assert_eq!(product.run(&["credential-process", "--profile", "admin", "--wait", "0"]).code, 11);
    product.assert_no_canaries();
}

#[test]
fn a_second_passkey_takes_a_gesture_of_the_first_on_the_same_page_and_either_can_be_removed() {
    let (chromium, product) = (chromium(), signed_in(""));
    let tab = chromium.tab("second passkey");
    add(&product, "alice", "laptop", |url| assert!(tab.approve(url).starts_with("Passkey created")));
    add(&product, "alice", "yubikey", |url| assert_eq!(gesture_then_enrolment(tab, url), 1));
    assert_eq!(tab.passkeys(), json!([1, 1]));
    let (_, passkeys) = product.api("GET", "/v1/passkeys", None);
    let first = passkeys["passkeys"][0]["id"].as_str().unwrap();
    let removed = by_hand(&product, &["passkey", "remove", first], |url| {
        assert!(tab.approve(url).starts_with("Passkey removed"));
    });
    assert_eq!(removed.code, 0, "{removed:?}");
    let listed = product.run(&["passkey", "list"]).stdout;
    assert!(listed.contains("yubikey") && !listed.contains("laptop"), "{listed}");
    // Here is only the removed one now.
    let other = chromium.tab("second passkey, elsewhere");
    tab.carry(1, other);
    let works = by_hand(&product, &["passkey", "test"], |url| {
        tab.visit(url);
        tab.click("#approve");
        let _ = tab.text("#trouble", "The passkey was not used");
        let id = product.parked()["id"].as_str().unwrap().to_owned();
        assert!(other.approve(&product.page(&id)).starts_with("Your passkey works"));
    });
    assert_eq!(works.code, 0, "{works:?}");
}

const TWO_PEOPLE: &str = "[[rule]]\nname = \"two people\"\nrole = \"Admin\"\napprovals = 2\n";

#[test]
fn two_people_approve_each_on_a_page_of_their_own() {
    let (chromium, product) = (chromium(), signed_in(TWO_PEOPLE));
    let (alice, ben) = (chromium.tab("alice"), chromium.tab("ben"));
    add(&product, "alice", "laptop", |url| assert!(alice.approve(url).starts_with("Passkey created")));
    add(&product, "ben", "yubikey", |url| {
        let key = gesture_then_enrolment(alice, url);
        alice.carry(key, ben);
    });
    let ended = by_hand(&product, &["elevate", "admin", "--reason", "INC-42"], |url| {
        alice.visit(url);
        alice.click("#approve");
        let _ = alice.text("#approvals", "1 of 2 approvals: alice.");
        assert_eq!(product.run(&["credential-process", "--profile", "admin", "--wait", "0"]).code, 11);
        // The same person again is nobody else.
        alice.buttons_work();
        alice.click("#approve");
        let _ = alice.text("#trouble", "The passkey was not used");
        let id = product.parked()["id"].as_str().unwrap().to_owned();
        let second = by_hand(&product, &["approve", &id], |url| assert!(ben.approve(url).starts_with("Approved")));
        assert_eq!(second.code, 0, "{second:?}");
        let _ = alice.shows("approved");
    });
    assert_eq!(ended.code, 0, "{ended:?}\n{}", product.daemon_log());
    assert_eq!(product.credentials("admin").code, 0);
    let (_, grants) = product.api("GET", "/v1/grants", None);
    assert_eq!(grants["grants"][0]["approved_by"], json!(["alice", "ben"]));
}

#[test]
fn a_no_on_the_page_is_the_tools_answer_and_a_lock_ends_the_page() {
    let (chromium, product) = (chromium(), signed_in(""));
    let tab = chromium.tab("refusal");
    add(&product, "alice", "laptop", |url| assert!(tab.approve(url).starts_with("Passkey created")));
    let refused = std::thread::scope(|scope| {
        let tool = scope.spawn(|| product.credentials("admin"));
        let id = product.parked()["id"].as_str().unwrap().to_owned();
        tab.visit(&product.page(&id));
        tab.click("#refuse");
        assert!(tab.shows("refused").contains("Nothing was given out"));
        tool.join().unwrap()
    });
    assert_eq!((refused.code, refused.stdout.as_str()), (12, ""), "{refused:?}");
    let ended = by_hand(&product, &["elevate", "admin"], |url| {
        tab.visit(url);
        assert_eq!(product.run(&["lock"]).code, 0);
        assert!(tab.shows("stopped").starts_with("This page is over"));
    });
    assert_ne!(ended.code, 0, "{ended:?}");
    product.assert_no_canaries();
}

#[test]
fn a_page_whose_time_is_over_says_so_and_the_tool_that_waited_goes_without() {
    let (chromium, mut product) = (chromium(), Product::new());
    product.store_in_files();
    product.start_daemon();
    product.sign_in();
    let tab = chromium.tab("expiry");
    add(&product, "alice", "laptop", |url| assert!(tab.approve(url).starts_with("Passkey created")));
    product.kill_daemon();
    let file = "store = \"file\"\n[file_store]\nsystemd_credential = \"key\"\n";
    product.write_settings(&format!("{file}[limits]\nhand_seconds = 10\n"));
    product.start_daemon();
    let late = std::thread::scope(|scope| {
        let tool = scope.spawn(|| product.run(&["credential-process", "--profile", "admin", "--wait", "60"]));
        let id = product.parked()["id"].as_str().unwrap().to_owned();
        tab.visit(&product.page(&id));
        assert!(tab.shows("waits").contains("admin"));
        assert!(tab.shows("expired").starts_with("Nobody waits any more"));
        tool.join().unwrap()
    });
    assert_eq!((late.code, late.stdout.as_str()), (11, ""), "{late:?}");
    assert!(late.stderr.contains("nobody approved admin in time; run: tegata elevate admin"), "{late:?}");
    product.assert_no_canaries();
}

const OPS: &str = "arn:aws:iam::210987654321:role/team/OpsAdmin";

#[test]
fn the_reason_and_the_grant_are_where_cloudtrail_shows_them() {
    let (chromium, mut product) = (chromium(), Product::new());
    let tab = chromium.tab("reason");
    product.sandbox().configure(|settings| {
        settings.iam_roles = vec![IamRole::new(OPS, &["arn:aws:iam::123456789012:root"])];
    });
    let ops = format!(
        "[profile ops]\nregion = us-east-1\ntegata_source_profile = dev\ntegata_role_arn = {OPS}\n\
         credential_process = {} credential-process --profile ops\n",
        product.cli_binary.display()
    );
    product.write_aws_config(&format!("{}{ops}", product.default_aws_config()));
    product.start_daemon();
    product.sign_in();
    add(&product, "alice", "laptop", |url| assert!(tab.approve(url).starts_with("Passkey created")));
    let elevate = ["elevate", "ops", "--reason", "INC-42: 障害対応"];
    let ended = by_hand(&product, &elevate, |url| assert!(tab.approve(url).starts_with("Approved")));
    assert_eq!(ended.code, 0, "{ended:?}\n{}", product.daemon_log());
    let identity = aws_identity(&product, "ops");
    assert_eq!(identity.code, 0, "{identity:?}\n{}", product.daemon_log());
    let (_, grants) = product.api("GET", "/v1/grants", None);
    let grant = grants["grants"][0]["id"].as_str().unwrap();
    let assumed = product.sandbox().assumed_roles();
    let [role] = assumed.as_slice() else { panic!("{assumed:?}") };
    assert_eq!(role.tags, [("Reason".to_owned(), "INC-42: 障害対応".to_owned())]);
    assert!(role.session_name.ends_with(grant), "{} does not name {grant}", role.session_name);
    let arn = format!("arn:aws:sts::210987654321:assumed-role/OpsAdmin/{}", role.session_name);
    assert_eq!(identity.stdout.trim(), arn);
    let granted: Vec<Value> = product.audit().into_iter().filter(|record| record["event"] == "granted").collect();
    assert_eq!((&granted[0]["grant"], &granted[0]["reason"]), (&json!(grant), &json!("INC-42: 障害対応")));
}
