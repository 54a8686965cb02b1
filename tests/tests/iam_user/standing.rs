//! How a user and what is behind one stands: shown, signed out, under a grant, in the console, and with an old key.

use super::{code, json, log_in};
use std::fs;
use std::time::{Duration, SystemTime};
use tegata_sandbox::Operation;
use tegata_tests::iam_user::{ALICE, PHONE, keep, prepared, product};
use tegata_tests::product::{Product, run};

#[test]
fn a_wanted_code_is_shown_and_who_signs_out_is_asked_again() {
    let product = product("");
    let prompt = |product: &Product| run(product.tegata(&["prompt"]).env("AWS_PROFILE", "deploy")).stdout;
    assert_eq!(prompt(&product), "deploy\n", "nobody knows yet, and the keyring is not asked for a prompt");
    let wanted = format!("{PHONE} wants a code; run: tegata login mfa");
    let status = product.run(&["status"]);
    assert!(status.stdout.contains(&wanted), "{status:?}");
    assert_eq!(prompt(&product), "deploy wants a code\n");
    assert_eq!(log_in(&product, "deploy", &code(&product)).code, 0);
    json(&product.credentials("deploy"));
    let status = product.run(&["status"]);
    assert!(status.stdout.contains("given") && !status.stdout.contains("wants a code"), "{status:?}");
    assert!(prompt(&product).ends_with("m\n"), "{}", prompt(&product));

    let out = product.run(&["logout"]);
    assert!(out.code == 0 && out.stdout.starts_with(&format!("Signed out of {ALICE} here only")), "{out:?}");
    let by_arn = product.run(&["logout", ALICE]);
    assert!(by_arn.code == 0 && by_arn.stdout.contains("there was no session"), "{by_arn:?}");
    let again = product.credentials("deploy");
    assert_eq!((again.code, again.stdout.as_str()), (10, ""), "{again:?}");
    assert_eq!(prompt(&product), "deploy wants a code\n");
    let records = product.audit();
    assert!(records.iter().any(|record| record["event"] == "user_sessions_forgotten" && record["user"] == ALICE));
    json(&product.credentials("keys"));
    assert!(!product.audit().iter().any(|record| record.to_string().contains("key_removed")), "the key stays");
}

#[test]
fn the_console_is_not_for_a_user_and_is_for_a_role_behind_one() {
    let product = product("");
    let refused = product.run(&["console", "keys", "--print"]);
    assert_eq!((refused.code, refused.stdout.as_str()), (13, ""), "{refused:?}");
    assert!(refused.stderr.contains("takes no session of an IAM user's own access keys"), "{refused:?}");
    assert_eq!(product.sandbox().calls(Operation::GetSessionToken), 0, "nothing was asked of AWS for it");
    assert_eq!(log_in(&product, "deploy", &code(&product)).code, 0);
    let link = product.run(&["console", "deploy", "--for", "2h", "--print"]);
    assert_eq!(link.code, 0, "a role behind a user is not chained, so AWS takes a duration: {link:?}");
    assert_eq!(tegata_tests::browser::visit(link.stdout.trim()).status, 200);
}

#[test]
fn a_role_behind_a_user_lasts_as_long_as_the_grant_and_the_profile_let_it() {
    let product = product("[[rule]]\nname = \"deploy\"\nrole = \"Deploy\"\ngate = \"passkey\"\nwindow = \"8h\"\n");
    // The first passkey goes by a fresh sign-in.
    let own = fs::read_to_string(product.path(".aws/config")).unwrap();
    product.write_aws_config(&format!("{}\n{own}", product.default_aws_config().split("[profile").next().unwrap()));
    product.sign_in();
    let mut hand = product.enrol("alice", None);
    assert_eq!(log_in(&product, "mfa", &code(&product)).code, 0);
    assert_eq!(product.run(&["credential-process", "--profile", "deploy", "--wait", "0"]).code, 11);
    for (grant, lasts) in [(2 * 3600, 2 * 3600 - 60..=2 * 3600), (6 * 3600, 14_400..=14_400)] {
        product.elevate(&mut hand, &serde_json::json!({ "profile": "deploy", "seconds": grant }));
        json(&product.credentials("deploy"));
        let asked = product.sandbox().assumed_roles().pop().unwrap().duration_seconds;
        assert!(lasts.contains(&asked), "{grant} s: {asked}");
        assert_eq!(product.run(&["drop", "deploy"]).code, 0);
    }
    assert_eq!(product.sandbox().calls(Operation::GetSessionToken), 1, "one code for all of it");
}

#[test]
fn a_key_older_than_the_settings_allow_is_said_to_be_by_status_and_doctor() {
    let mut product = prepared("[profile.keys]\nkey_max_age_days = 90\n");
    let key = product.sandbox().iam_users()[0].keys[0].clone();
    let days = |days: u64| Duration::from_secs(days * 86_400);
    for (age, is_old) in [(days(90) - Duration::from_secs(60), false), (days(91), true)] {
        keep(&product, &key, SystemTime::now() - age);
        product.start_daemon();
        for command in ["status", "doctor"] {
            let said = product.run(&[command]).stdout;
            let line = format!("access key …{} behind keys is 91 days old, and 90 are allowed", &key.id[16..]);
            assert_eq!(said.contains(&line) && said.contains("tegata keys rotate keys"), is_old, "{command}: {said}");
        }
        product.kill_daemon();
    }
}
