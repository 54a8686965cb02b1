//! Settings that lead to other hosts: no token follows them, also not in the background, until a hand agrees.
#![allow(clippy::unwrap_used, reason = "this is a test")]

use serde_json::json;
use std::fs;
use std::time::Duration;
use tegata_sandbox::{Operation, Sandbox};
use tegata_tests::gated::{IN_FILES, gated, id};
use tegata_tests::product::{Product, wait_until};

/// The life of the first access token: it is over before the daemon comes back.
const SHORT: Duration = Duration::from_secs(2);

/// A home over files whose sign-in session has to be renewed as soon as anybody looks at it.
fn due() -> Product {
    let mut product = Product::new();
    product.store_in_files();
    product.sandbox().configure(|settings| settings.lifetimes.access_token = SHORT);
    product
}

/// The daemon dies; when the token is over it comes back with these lines in place of its endpoints.
fn comes_back_with(product: &mut Product, lines: &str) {
    product.kill_daemon();
    let now = product.sandbox().now_ms();
    wait_until("the access token has ended", || product.sandbox().now_ms() > now + 2_000);
    fs::write(product.path(".config/tegata/config.toml"), format!("{IN_FILES}{lines}")).unwrap();
    product.start_daemon();
}

fn endpoints(url: &str) -> String {
    format!("[endpoints]\nsso_oidc = \"{url}\"\nsso = \"{url}\"\nsts = \"{url}\"\n")
}

/// A second sign-in session, for making the daemon look after all of them.
fn knows_another_session(product: &Product) {
    let config = product.default_aws_config();
    let other = config.lines().take(5).collect::<Vec<_>>().join("\n").replace("corp", "other");
    product.write_aws_config(&format!("{config}\n{other}\n"));
}

#[test]
fn h8_a_refresh_token_goes_to_no_endpoint_it_was_not_issued_at() {
    let mut product = due();
    knows_another_session(&product);
    product.start_daemon();
    product.sign_in();
    let elsewhere = Sandbox::start().unwrap();
    comes_back_with(&mut product, &endpoints(&elsewhere.url()));
    for _ in 0..2 {
        assert_eq!(product.credentials("dev").code, 13, "the session is not what it was");
        // Who signs in makes the daemon look after every session it has read.
        let login = product.sign_in_with(&["login", "other", "--print"]);
        assert_eq!(login.code, 0, "{login:?}");
    }
    let _ = product.run(&["logout", "corp"]);
    let corp: Vec<_> = product.sandbox().minted_secrets().into_iter().map(|secret| secret.value).collect();
    let leaked = |text: &str| corp.iter().any(|secret| text.contains(secret));
    for request in elsewhere.requests() {
        assert!(!leaked(&request.body) && !request.headers.values().any(|value| leaked(value)), "{request:?}");
    }
}

#[test]
fn h8_twin_at_its_own_endpoint_it_is_renewed() {
    let mut product = due();
    product.start_daemon();
    product.sign_in();
    let here = endpoints(&product.sandbox().url());
    comes_back_with(&mut product, &here);
    assert_eq!(product.credentials("dev").code, 0);
    assert!(product.sandbox().calls(Operation::CreateTokenRefreshToken) > 0);
}

#[test]
fn h8_no_token_goes_through_a_proxy_that_nobody_accepted() {
    let (mut product, mut hand) = gated(due());
    let here = endpoints(&product.sandbox().url());
    let elsewhere = Sandbox::start().unwrap();
    let proxy = format!(
        "[http]\nproxy = \"{}\"\nca_bundle = \"{}\"\n",
        elsewhere.proxy_url(),
        elsewhere.ca_pem_path().display()
    );
    comes_back_with(&mut product, &format!("{here}{proxy}"));
    product.sandbox().forget_traffic();
    for _ in 0..2 {
        assert!(product.run(&["status"]).stdout.contains("tegata policy accept"));
        assert_eq!(product.credentials("dev").code, 13);
    }
    let login = product.run(&["login", "corp", "--print"]);
    assert_eq!((login.code, login.stdout.as_str()), (13, ""), "{login:?}");
    assert!(login.stderr.ends_with("; run: tegata policy accept\n"), "{login:?}");
    let _ = product.run(&["logout", "corp"]);
    assert!(elsewhere.requests().is_empty() && elsewhere.proxy_connects().is_empty(), "{:?}", elsewhere.requests());
    assert!(product.sandbox().requests().is_empty(), "{:?}", product.sandbox().requests());
    let (status, request) = product.api("POST", "/v1/policy", None);
    assert_eq!((status, &request["purpose"]), (201, &json!("accept_policy")), "{request}");
    hand.approve(&product.page(id(&request))).unwrap();
    let accepted = product.run(&["status"]);
    assert!(!accepted.stdout.contains("tegata policy accept"), "{accepted:?}");
}
