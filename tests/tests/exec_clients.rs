//! AWS clients which nobody here wrote, below `tegata exec`: each takes its credentials from the endpoint, renews across expiry and
//! a restart of the daemon, and shows its user what its own way of showing errors leaves of our one line. The sandbox verifies
//! every signature.
#![cfg(feature = "system")]

use std::time::Duration;
use tegata_sandbox::Operation;
use tegata_tests::product::{Ended, Product, run, wait_until};
use tegata_tests::sdk::{Called, Client, Kind, Route, key_of, outlive_the_last_key};
use tegata_tests::{client, program};

/// A life of role credentials that a test can outlast. The daemon hands out at least a third of it.
const SHORT: Duration = Duration::from_secs(9);

/// A life that a call of the slowest client fits into on a busy machine.
const LAST: Duration = Duration::from_secs(12);

/// What our one line is when the sign-in has ended.
const MENDS: &str = "tegata: sign-in session corp has ended; run: tegata login corp";

fn signed_in(role_credentials: Option<Duration>) -> Product {
    let mut product = Product::new();
    product.sandbox().configure(|settings| settings.lifetimes.role_credentials = role_credentials);
    product.store_in_files();
    // What would be taken before the endpoint: keys under [default] in both files, and variables of somebody else.
    product.write_aws_config(&format!(
        "[default]\naws_access_key_id = AKIAWRONG\naws_secret_access_key = x\n{}",
        product.default_aws_config()
    ));
    std::fs::write(
        product.path(".aws/credentials"),
        "[default]\naws_access_key_id = AKIAWRONG\naws_secret_access_key = x\n",
    )
    .unwrap();
    for (name, value) in [
        ("AWS_PROFILE", "default"),
        ("AWS_ACCESS_KEY_ID", "AKIAWRONG"),
        ("AWS_SECRET_ACCESS_KEY", "x"),
        ("AWS_SECURITY_TOKEN", "x"),
        ("AWS_WEB_IDENTITY_TOKEN_FILE", "/nowhere"),
        ("AWS_ROLE_ARN", "arn:aws:iam::123456789012:role/wrong"),
        ("HTTP_PROXY", "http://127.0.0.1:9"),
        ("NO_PROXY", "localhost"),
    ] {
        product.environment.push((name.to_owned(), value.to_owned()));
    }
    product.start_daemon();
    product.sign_in();
    product
}

fn is_served_by_the_endpoint_whatever_else_lies_about(kind: Kind) {
    let product = signed_in(None);
    let mut client = Client::start(kind, Route::Exec, &product);
    for _ in 0..2 {
        client.succeeds();
    }
    assert_eq!(product.sandbox().calls(Operation::GetRoleCredentials), 1, "{kind:?}");
    assert_eq!(client.ends(), 0, "{kind:?}");
    let left: Vec<_> =
        std::fs::read_dir(product.path("run/tegata")).unwrap().flatten().map(|entry| entry.file_name()).collect();
    assert!(left.iter().all(|name| !name.to_string_lossy().contains("exec-")), "{left:?}");
    product.assert_no_canaries();
}

fn has_the_variables_of_exec_env_and_needs_no_daemon_any_more(kind: Kind) {
    let mut product = signed_in(None);
    // Of this way only the endpoint is kept from a proxy.
    product.environment.retain(|(name, _)| !name.ends_with("_PROXY"));
    let mut client = Client::start(kind, Route::ExecEnv, &product);
    client.succeeds();
    product.kill_daemon();
    client.succeeds();
    assert_eq!(client.ends(), 0, "{kind:?}");
    assert_eq!(product.audit().iter().filter(|record| record["event"] == "released").count(), 1, "{kind:?}");
}

fn renews_across_expiry_and_a_restart_of_the_daemon(kind: Kind) {
    let mut product = signed_in(Some(SHORT));
    let mut client = Client::start(kind, Route::Exec, &product);
    for window in 0..3 {
        if window > 0 {
            outlive_the_last_key(&product);
        }
        if window == 1 {
            product.kill_daemon();
            product.start_daemon();
        }
        client.succeeds();
    }
    let calls = product.sandbox().requests_of(Operation::GetCallerIdentity);
    assert!(calls.iter().all(|call| call.status == Some(200)), "{kind:?}: {calls:?}");
    let mut keys: Vec<String> = calls.iter().map(key_of).collect();
    keys.dedup();
    assert!(keys.len() >= 3, "{kind:?}: two expiries need three keys, not {keys:?}");
}

/// What a client shows of our line when the endpoint refuses it.
fn shows(kind: Kind, error: &str) {
    match kind {
        Kind::JsDefaultChain => assert!(error.contains("Could not load credentials from any providers"), "{error}"),
        // It drops the body of an answer that is no success.
        Kind::RustSdk => assert!(error.contains("StatusCode(403)"), "{error}"),
        _ => {
            let start = "Error when retrieving credentials from container-role: Error retrieving metadata: Received non 200 \
                         response 403 from container metadata: ";
            assert!(error.contains(start) && error.contains(MENDS), "{error}");
        }
    }
}

fn tells_its_user_when_the_sign_in_has_ended_and_goes_on_after_the_next(kind: Kind) {
    let product = signed_in(Some(LAST));
    let mut client = Client::start(kind, Route::Exec, &product);
    client.succeeds();
    product.sandbox().end_sign_in_sessions();
    let sandbox = product.sandbox();
    wait_until("all credentials have ended", || {
        sandbox.issued_credentials().iter().all(|issued| sandbox.now_ms() >= issued.expires_ms)
    });
    match client.call() {
        Called::Error(error) => shows(kind, &error),
        Called::Arn(arn) => panic!("{kind:?} is served as {arn}"),
    }
    product.sign_in();
    client.succeeds();
}

macro_rules! stories_of {
    ($($module:ident: $kind:expr;)*) => {$(
        mod $module {
            use super::*;

            #[test]
            fn is_served_by_the_endpoint_whatever_else_lies_about() {
                super::is_served_by_the_endpoint_whatever_else_lies_about($kind);
            }

            #[test]
            fn has_the_variables_of_exec_env_and_needs_no_daemon_any_more() {
                super::has_the_variables_of_exec_env_and_needs_no_daemon_any_more($kind);
            }

            #[test]
            fn renews_across_expiry_and_a_restart_of_the_daemon() {
                super::renews_across_expiry_and_a_restart_of_the_daemon($kind);
            }

            #[test]
            fn tells_its_user_when_the_sign_in_has_ended_and_goes_on_after_the_next() {
                super::tells_its_user_when_the_sign_in_has_ended_and_goes_on_after_the_next($kind);
            }
        }
    )*};
}

stories_of! {
    aws_cli_v2: Kind::AwsCliV2;
    aws_cli_v1: Kind::AwsCliV1;
    boto3: Kind::Boto3;
    js_default_chain: Kind::JsDefaultChain;
    rust_sdk: Kind::RustSdk;
}

#[test]
fn at_a_terminal_everything_is_as_without_tegata_in_between() {
    let mut product = Product::new();
    product.start_daemon();
    product.sign_in();
    let mut person = product.command(client("python/bin/python"));
    person.arg(concat!(env!("CARGO_MANIFEST_DIR"), "/clients/job_control.py")).arg(program("tegata"));
    let Ended { code, stdout, stderr } = run(&mut person);
    assert_eq!((code, stdout.lines().count()), (0, 8), "{stdout}{stderr}");
}
