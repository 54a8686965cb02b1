//! Fifteen minutes, again and again, by AWS's clock: renewed ahead, served from memory meanwhile, ended by AWS and by nobody else.

use super::{ALICE, assert_tool_is_told, exchanges, kept_in_files, key, log_in, process, signed_in};
use std::time::Duration;
use tegata_tests::product::{Product, run, wait_until};

/// Moves AWS's clock on. The daemon hears of it by AWS's next answer: here, of a sign-in to something else.
fn later(product: &Product, minutes: u64) {
    product.sandbox().advance(Duration::from_secs(minutes * 60));
    product.sign_in();
}

fn renewals(product: &Product) -> u64 {
    product.sandbox().logins().last().unwrap().renewals
}

fn has_to_sign_in_again(product: &Product, why: &str) {
    let line = format!("tegata: {ALICE} has to sign in to the console again ({why}); run: tegata login --console me\n");
    assert_tool_is_told(product, "me", 10, &line);
    let status = product.run(&["status"]).stdout;
    assert!(status.contains("ended") && status.contains("run: tegata login --console me"), "{status}");
    let doctor = product.run(&["doctor"]).stdout;
    assert!(doctor.contains(&format!("the console login of {ALICE} has ended")), "{doctor}");
    let prompt = run(product.tegata(&["prompt"]).env("AWS_PROFILE", "me")).stdout;
    assert_eq!(prompt, "me signed out\n");
}

#[test]
fn every_quarter_of_an_hour_is_renewed_ahead_until_aws_wants_the_person_after_twelve_hours() {
    let product = signed_in();
    for already in 0..4 {
        let first = key(&product);
        later(&product, 6);
        assert_eq!((key(&product), renewals(&product)), (first.clone(), already), "more than half is left");
        later(&product, 3);
        // Nobody waits: what lives is served while the next ones are had.
        wait_until("newer ones are served", || key(&product) != first);
        assert_eq!(renewals(&product), already + 1);
    }
    let (login, others) = (product.sandbox().logins(), exchanges(&product));
    assert_eq!((login.len(), others), (1, 5), "one person, one key, one token spent for each quarter");
    later(&product, 12 * 60);
    has_to_sign_in_again(&product, "The session has expired");
    let asked = exchanges(&product);
    has_to_sign_in_again(&product, "The session has expired");
    assert_eq!(exchanges(&product), asked, "a dead token is not sent again");
    log_in(&product);
    process(&product);
    product.assert_no_canaries();
}

#[test]
fn a_changed_password_ends_it_and_what_lives_is_served_to_its_end() {
    let product = signed_in();
    let last = key(&product);
    product.sandbox().end_logins();
    later(&product, 9);
    wait_until("AWS has said no", || {
        assert_eq!(key(&product), last);
        product.run(&["status"]).stdout.contains("the password was changed")
    });
    later(&product, 7);
    has_to_sign_in_again(&product, "the password was changed (The credentials of the user have changed)");
}

#[test]
fn a_lock_takes_what_is_in_memory_and_an_unlock_renews_it_without_the_person() {
    let product = signed_in();
    let first = key(&product);
    assert_eq!(product.run(&["lock"]).code, 0);
    assert_tool_is_told(&product, "me", 12, "tegata: Tegata is locked; run: tegata unlock\n");
    let login = product.sign_in_with(&super::LOG_IN);
    assert!(login.code == 12 && login.stderr.contains("run: tegata unlock"), "{login:?}");
    let status = product.api("GET", "/v1/status", None).1;
    assert_eq!(status["identities"][0]["state"], "unknown", "{status}");
    assert_eq!((renewals(&product), product.sandbox().logins().len()), (0, 1));
    assert_eq!(product.run(&["unlock"]).code, 0);
    assert_ne!(key(&product), first);
    assert_eq!((renewals(&product), product.sandbox().logins().len()), (1, 1));
    product.assert_no_canaries();
}

#[test]
fn a_login_lasts_over_a_restart_of_the_daemon() {
    let mut product = kept_in_files();
    for renewals in 1..=3 {
        product.kill_daemon();
        product.start_daemon();
        key(&product);
        assert_eq!((product.sandbox().logins().len(), product.sandbox().logins()[0].renewals), (1, renewals));
    }
    product.assert_no_canaries();
}
