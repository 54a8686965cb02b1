//! An IAM user's keys as a source: from the keyring alone, by a session, with a code that a person gives or a seed makes.

#[cfg(feature = "system")]
#[path = "iam_user/codes.rs"]
mod codes;
#[path = "iam_user/standing.rs"]
mod standing;

use std::io::Write;
use std::process::Stdio;
use std::time::Duration;
use tegata_sandbox::Operation;
use tegata_tests::iam_user::{ALICE, PHONE, product, section};
use tegata_tests::product::{Ended, Product, wait_until};

fn json(ended: &Ended) -> serde_json::Value {
    assert_eq!(ended.code, 0, "{ended:?}");
    serde_json::from_str(&ended.stdout).unwrap()
}

/// Signs in with a code on standard input, as a script would.
fn log_in(product: &Product, profile: &str, code: &str) -> Ended {
    let mut login = product.tegata(&["login", profile]);
    let mut child = login.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(format!("{code}\n").as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let ended =
        Ended { code: output.status.code().unwrap(), stdout: text(&output.stdout), stderr: text(&output.stderr) };
    product.heard(&["login", profile], &ended);
    ended
}

fn code(product: &Product) -> String {
    product.sandbox().mfa_code(PHONE).unwrap()
}

#[test]
fn a_key_in_the_store_hands_out_a_session_of_half_a_day() {
    let product = product("");
    let session = json(&product.credentials("keys"));
    assert!(session["AccessKeyId"].as_str().unwrap().starts_with("ASIA") && session["SessionToken"].is_string());
    assert_eq!(session["AccountId"], "123456789012");
    assert_eq!(json(&product.credentials("keys"))["AccessKeyId"], session["AccessKeyId"]);
    assert_eq!(product.sandbox().calls(Operation::GetSessionToken), 1);
    let made = product.sandbox().user_sessions().remove(0);
    assert_eq!((made.user.as_str(), made.duration_seconds, made.serial_number), (ALICE, 43_200, None));
    product.assert_no_canaries();
}

#[test]
fn one_code_serves_every_role_behind_the_device_and_survives_a_restart() {
    let mut product = product("");
    let wanted = product.credentials("deploy");
    assert_eq!((wanted.code, wanted.stdout.as_str()), (10, ""), "{wanted:?}");
    assert!(
        wanted.stderr.contains(&format!("MFA device {PHONE} wants a code; run: tegata login deploy")),
        "{wanted:?}"
    );
    let code = code(&product);
    let done = log_in(&product, "deploy", &code);
    assert_eq!((done.code, done.stderr.trim_end().lines().last()), (0, Some("Signed in to deploy.")), "{done:?}");
    let (deploy, audit) = (json(&product.credentials("deploy")), json(&product.credentials("audit")));
    assert!(deploy["AccountId"] == "210987654321" && audit["AccountId"] == "210987654321");
    assert_eq!(product.sandbox().calls(Operation::GetSessionToken), 1, "one for both");
    assert_eq!(product.sandbox().assumed_roles()[0].duration_seconds, 14_400, "a role behind a user is not chained");
    product.kill_daemon();
    product.start_daemon();
    json(&product.credentials("audit"));
    json(&product.credentials("mfa"));
    assert_eq!(product.sandbox().calls(Operation::GetSessionToken), 1, "the code is good for half a day");
    assert!(!product.daemon_log().contains(&code), "{}", product.daemon_log());
    let audit: Vec<String> = product.audit().iter().map(ToString::to_string).collect();
    assert!(audit.iter().any(|record| record.contains("user_session_made") && record.contains(PHONE)), "{audit:?}");
    assert!(!audit.iter().any(|record| record.contains(&format!("\"{code}\""))), "{audit:?}");
    product.assert_no_canaries();
}

#[test]
fn a_wrong_code_is_said_and_the_same_one_is_not_sent_again() {
    let product = product("");
    let wrong = if code(&product) == "000000" { "000001" } else { "000000" };
    let refused = log_in(&product, "mfa", wrong);
    assert_eq!(refused.code, 10, "{refused:?}");
    assert!(
        refused.stderr.contains("MultiFactorAuthentication failed with invalid MFA one time pass code"),
        "{refused:?}"
    );
    let again = log_in(&product, "mfa", wrong);
    assert!(again.stderr.contains("it was sent already, and the device shows the next one in"), "{again:?}");
    assert_eq!(product.sandbox().calls(Operation::GetSessionToken), 1);
    assert_eq!(log_in(&product, "mfa", &code(&product)).code, 0);
}

#[test]
fn a_request_waits_for_the_person_who_gives_the_code() {
    let product = product("");
    let waiting =
        product.tegata(&["credential-process", "--profile", "mfa", "--wait", "60"]).stdout(Stdio::piped()).spawn();
    let waiting = waiting.unwrap();
    wait_until("it was asked for", || !product.audit().is_empty() && product.run(&["status"]).code == 0);
    assert_eq!(log_in(&product, "mfa", &code(&product)).code, 0);
    let output = waiting.wait_with_output().unwrap();
    assert!(output.status.success() && String::from_utf8_lossy(&output.stdout).contains("SessionToken"));
}

#[test]
fn a_storm_of_callers_makes_one_session() {
    let product = product("");
    let callers: Vec<_> = (0..100)
        .map(|_| product.tegata(&["credential-process", "--profile", "keys"]).stdout(Stdio::piped()).spawn().unwrap())
        .collect();
    for caller in callers {
        assert!(caller.wait_with_output().unwrap().status.success());
    }
    assert_eq!(product.sandbox().calls(Operation::GetSessionToken), 1);
}

#[test]
fn keys_are_handed_out_where_the_settings_want_them_and_said_to_end_within_the_hour() {
    let product = product("[profile.keys]\nhand_out = \"keys\"\n");
    let keys = json(&product.credentials("keys"));
    assert!(keys["AccessKeyId"].as_str().unwrap().starts_with("AKIA") && keys.get("SessionToken").is_none(), "{keys}");
    assert!(keys["Expiration"].as_str().unwrap().ends_with('Z'));
    assert_eq!(product.sandbox().calls(Operation::GetSessionToken), 0);
    let exec = product.run(&["exec", "keys", "--", "true"]);
    assert!(exec.code == 13 && exec.stderr.contains("run: tegata exec --env keys -- COMMAND"), "{exec:?}");
    let env = product.run(&["exec", "--env", "keys", "--", "sh", "-c", "test -z \"${AWS_SESSION_TOKEN+x}\""]);
    assert_eq!(env.code, 0, "{env:?}");
}

#[test]
fn without_a_key_nothing_is_asked_of_aws_and_the_line_says_what_mends_it() {
    let mut product = Product::new();
    product.write_aws_config(&section("keys", &format!("tegata_iam_user = {ALICE}")));
    product.start_daemon();
    let ended = product.credentials("keys");
    let line = format!("tegata: no access key of {ALICE} is in the keyring; run: tegata keys import keys\n");
    assert_eq!((ended.code, ended.stdout.as_str(), ended.stderr.as_str()), (10, "", line.as_str()));
    assert!(product.sandbox().requests().is_empty());
}

#[test]
fn a_key_that_was_deactivated_is_named_by_its_end() {
    let product = product("");
    let id = product.sandbox().iam_users()[0].keys[0].id.clone();
    product.sandbox().set_access_key_active(ALICE, &id, false).unwrap();
    let ended = product.credentials("keys");
    let line =
        format!("AWS does not know access key …{} of {ALICE}: it was deactivated or deleted", &id[id.len() - 4..]);
    assert!(ended.code == 14 && ended.stderr.contains(&line) && !ended.stderr.contains(&id), "{ended:?}");
}

#[test]
fn the_gate_stands_in_front_of_an_iam_user() {
    let product = product("[[rule]]\nname = \"users\"\nsource = \"iam-user\"\ngate = \"passkey\"\n");
    let ended = product.credentials("keys");
    assert_eq!((ended.code, ended.stdout.as_str()), (11, ""), "{ended:?}");
    assert_eq!(product.sandbox().calls(Operation::GetSessionToken), 0, "decided before anything is asked");
}

#[test]
fn a_session_ends_and_is_asked_for_anew_and_a_code_has_to_be_given_again() {
    let product = product("");
    product.sandbox().configure(|settings| settings.lifetimes.user_session = Some(Duration::from_secs(2)));
    assert_eq!(log_in(&product, "mfa", &code(&product)).code, 0);
    wait_until("the session has ended", || product.credentials("mfa").code == 10);
    json(&product.credentials("keys"));
}

/// The URI that AWS's console would show for Alice's phone.
fn uri(product: &Product) -> String {
    let seed = product.sandbox().iam_users()[0].devices[0].seed.clone();
    format!("otpauth://totp/Amazon%20Web%20Services:alice@123456789012?secret={seed}&issuer=Amazon%20Web%20Services")
}

fn add_seed(product: &Product, text: &str) -> Ended {
    let mut add = product.tegata(&["totp", "add", "mfa"]);
    let mut child = add.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    // It reads no more of what is too long.
    let _ = child.stdin.take().unwrap().write_all(text.as_bytes());
    let output = child.wait_with_output().unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let ended =
        Ended { code: output.status.code().unwrap(), stdout: text(&output.stdout), stderr: text(&output.stderr) };
    product.heard(&["totp", "add", "mfa"], &ended);
    ended
}

#[test]
fn a_seed_in_the_keyring_needs_nobody_until_it_is_removed() {
    let product = product("");
    assert_eq!(add_seed(&product, &uri(&product)).code, 0);
    let again = add_seed(&product, &uri(&product));
    assert!(
        again.code == 2 && again.stderr.contains("in the keyring already; run: tegata totp remove mfa"),
        "{again:?}"
    );
    json(&product.credentials("deploy"));
    assert_eq!(product.sandbox().user_sessions()[0].serial_number.as_deref(), Some(PHONE));
    let listed = product.run(&["totp", "list"]);
    assert!(listed.stdout.contains(PHONE) && listed.stdout.contains("seed in the keyring"), "{listed:?}");
    assert_eq!(product.run(&["totp", "remove", "mfa"]).code, 0);
    assert_eq!(product.run(&["totp", "remove", "mfa"]).code, 1, "there is none any more");
    product.assert_no_canaries();
}

#[test]
fn a_seed_that_aws_does_not_take_is_tried_once() {
    let product = product("");
    assert_eq!(add_seed(&product, "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ\n").code, 0);
    for _ in 0..5 {
        let ended = product.credentials("mfa");
        assert!(ended.code == 10 && ended.stderr.contains("by hand: AWS did not take"), "{ended:?}");
    }
    assert_eq!(product.sandbox().calls(Operation::GetSessionToken), 1);
}

#[test]
fn hostile_seeds_are_refused_without_being_quoted() {
    let product = product("");
    let other_account = uri(&product).replace("@123456789012", "@210987654321");
    for hostile in [
        String::new(),
        "CANARY-NOT-BASE32-189".to_owned(),
        "otpauth://hotp/x?secret=CANARYCANARYCANA&counter=1".to_owned(),
        "otpauth://totp/x?secret=CANARY\u{0}CANARY".to_owned(),
        "https://evil.example/?secret=CANARYCANARYCANA".to_owned(),
        "otpauth://totp/x?secret=../../etc/CANARY;$(id)`id`".to_owned(),
        "A".repeat(1 << 20),
        other_account,
    ] {
        let ended = add_seed(&product, &hostile);
        assert!(ended.code == 2 && ended.stdout.is_empty(), "{hostile:.60?}: {ended:?}");
        assert!(!ended.stderr.contains("CANARY") && ended.stderr.lines().count() == 1, "{ended:?}");
    }
    assert!(product.run(&["totp", "list"]).stdout.contains("codes by hand"));
}
