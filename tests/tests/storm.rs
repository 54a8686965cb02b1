//! Everybody at once: however many tools ask, AWS is asked once and a person is bothered once.

use std::collections::BTreeSet;
use tegata_sandbox::{HoldUntil, Operation};
use tegata_tests::crowd::Crowd;
use tegata_tests::product::{Ended, PATIENCE, Product};

const MANY: usize = 500;
const DEV: [&str; 3] = ["credential-process", "--profile", "dev"];
const ENDED: &str = "tegata: sign-in session corp has ended; run: tegata login corp\n";

fn signed_in() -> Product {
    let mut product = Product::new();
    product.start_daemon();
    product.sign_in();
    product
}

/// Lets `size` tools ask while AWS keeps the first answer back until all of them wait.
fn storm(product: &Product, size: usize) -> Vec<Ended> {
    let sandbox = product.sandbox();
    sandbox.hold(Operation::GetRoleCredentials, HoldUntil::Released);
    let crowd = Crowd::gather(product, size, &DEV);
    crowd.is_connected(product);
    assert!(sandbox.wait_for_waiting(Operation::GetRoleCredentials, 1, PATIENCE));
    assert!(sandbox.release(Operation::GetRoleCredentials));
    crowd.ends()
}

fn are_all_told_to_sign_in(ended: &[Ended]) {
    let told = |ended: &&Ended| (ended.code, ended.stdout.as_str(), ended.stderr.as_str()) == (10, "", ENDED);
    assert_eq!(ended.iter().find(|ended| !told(ended)).map(|ended| format!("{ended:?}")), None);
}

#[test]
fn five_hundred_cold_callers_cost_one_request_and_all_are_served() {
    let product = signed_in();
    let served = storm(&product, MANY);
    assert_eq!(served.len(), MANY);
    let unserved = served.iter().find(|ended| ended.code != 0 || !ended.stderr.is_empty());
    assert!(unserved.is_none(), "{unserved:?}\n{}", product.daemon_log());
    let answers: BTreeSet<&str> = served.iter().map(|ended| ended.stdout.as_str()).collect();
    assert_eq!(answers.len(), 1, "everybody got the same credentials");
    assert_eq!(product.sandbox().calls(Operation::GetRoleCredentials), 1);
    let audit = product.audit();
    assert_eq!(audit.iter().filter(|record| record["event"] == "released").count(), MANY, "a record for each");
}

#[test]
fn five_hundred_callers_on_an_ended_sign_in_open_no_page_and_cost_two_requests() {
    let product = signed_in();
    let sandbox = product.sandbox();
    sandbox.end_sign_in_sessions();
    sandbox.forget_traffic();
    let told = storm(&product, MANY);
    assert_eq!(told.len(), MANY);
    are_all_told_to_sign_in(&told);
    assert_eq!(sandbox.calls(Operation::Authorize) + sandbox.calls(Operation::StartDeviceAuthorization), 0, "no page");
    let upstream: Vec<_> = sandbox.requests().iter().map(|request| request.operation).collect();
    assert_eq!(upstream, [Operation::GetRoleCredentials, Operation::CreateTokenRefreshToken]);
    are_all_told_to_sign_in(&Crowd::gather(&product, 50, &DEV).ends());
    assert_eq!(sandbox.requests().len(), 2, "what only a person can mend is not asked for again");
}

#[cfg(feature = "system")]
#[test]
fn a_storm_on_an_ended_sign_in_raises_one_notification_and_so_does_the_next_end() {
    let mut product = Product::new();
    let desktop = tegata_tests::desktop::Desktop::of(&mut product);
    product.start_daemon();
    product.sign_in();
    for end in 1..=2 {
        product.sandbox().end_sign_in_sessions();
        are_all_told_to_sign_in(&storm(&product, if end == 1 { MANY } else { 50 }));
        desktop.shows(end);
        are_all_told_to_sign_in(&Crowd::gather(&product, 50, &DEV).ends());
        assert_eq!(desktop.shown().len(), end, "{:?}", desktop.shown());
        product.sign_in();
    }
    let shown = desktop.shown();
    assert!(shown.iter().all(|notice| notice.contains("AWS sign-in needed: corp")), "{shown:?}");
    assert!(shown.iter().all(|notice| notice.contains("Run: tegata login corp")), "{shown:?}");
    let secrets = product.sandbox().minted_secrets();
    let leaked = |notice: &String| secrets.iter().any(|secret| notice.contains(&secret.canary));
    assert!(!shown.iter().any(leaked) && !secrets.is_empty(), "{shown:?}");
}
