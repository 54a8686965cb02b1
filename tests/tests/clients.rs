//! AWS clients which nobody here wrote, fed by `credential_process`: each is served, renews across expiry, and shows its
//! user what its own way of showing errors leaves of our one line. The sandbox verifies every signature.

#![cfg(feature = "system")]

use std::process::Command;
use std::time::Duration;
use tegata_sandbox::Operation;
use tegata_tests::client;
use tegata_tests::product::{Product, run, wait_until};
use tegata_tests::sdk::{Called, Client, Kind, Route, key_of, outlive_the_last_key};

/// A life of role credentials that a test can outlast. The daemon hands out at least a third of it.
const SHORT: Duration = Duration::from_secs(9);

/// A life that two calls of the slowest client fit into on a busy machine, since nothing renews them.
const LAST: Duration = Duration::from_secs(25);

/// What our one line is when the sign-in has ended.
const MENDS: &str = "tegata: sign-in session corp has ended; run: tegata login corp";

/// What the user of this client learns when a sign-in has ended.
trait Shows {
    fn shows_what_mends(self, error: &str);
    fn attempts_at_a_call(self) -> usize;
}

impl Shows for Kind {
    /// Asserts that the user of this client learns what mends an ended sign-in, as far as the client lets us tell.
    fn shows_what_mends(self, error: &str) {
        match self {
            // It tries the next source of its chain and forgets what this one said.
            Self::JsDefaultChain => assert!(error.contains("Could not load credentials from any providers"), "{error}"),
            Self::AwsCliV2 | Self::AwsCliV1 | Self::Boto3 => {
                assert!(
                    error.contains(&format!("Error when retrieving credentials from custom-process: {MENDS}")),
                    "{error}"
                );
            }
            Self::JsFromProcess => assert!(error.contains("Command failed: ") && error.contains(MENDS), "{error}"),
            Self::RustSdk => assert!(error.contains(&format!("exit status: 10. Stderr: {MENDS}")), "{error}"),
            // It leaves our line on the terminal and says itself only how the program ended.
            Self::GoSdk => assert!(error.ends_with("error in credential_process: exit status 10"), "{error}"),
            Self::JavaSdk => assert!(error.contains(MENDS), "{error}"),
        }
    }

    /// How often a client runs the program before it gives a call up.
    fn attempts_at_a_call(self) -> usize {
        match self {
            // Once for the profile's turn in the chain, once for the turn of processes.
            Self::JsDefaultChain => 2,
            _ => 1,
        }
    }
}

/// How often a tool was served, and how often it was refused.
fn answers(product: &Product) -> (usize, usize) {
    let audit = product.audit();
    let count = |event: &str| audit.iter().filter(|record| record["event"] == event).count();
    (count("released"), count("refused"))
}

fn signed_in(role_credentials: Option<Duration>) -> Product {
    let mut product = Product::new();
    product.sandbox().configure(|settings| settings.lifetimes.role_credentials = role_credentials);
    product.start_daemon();
    product.sign_in();
    product
}

fn is_served_and_asks_again_only_when_it_must(kind: Kind) {
    let product = signed_in(None);
    let mut client = Client::start(kind, Route::CredentialProcess, &product);
    for _ in 0..3 {
        client.succeeds();
    }
    let asked = if kind.ends_after_one_call() { 3 } else { 1 };
    assert_eq!(answers(&product), (asked, 0), "{kind:?}");
    assert_eq!(product.sandbox().calls(Operation::GetRoleCredentials), 1, "{kind:?}");
    assert_eq!(product.sandbox().calls(Operation::GetCallerIdentity), 3, "{kind:?}");
}

fn renews_across_expiry(kind: Kind) {
    let product = signed_in(Some(SHORT));
    let mut client = Client::start(kind, Route::CredentialProcess, &product);
    for window in 0..3 {
        if window > 0 {
            outlive_the_last_key(&product);
        }
        client.succeeds();
        client.succeeds();
    }
    let calls = product.sandbox().requests_of(Operation::GetCallerIdentity);
    assert!(calls.iter().all(|call| call.status == Some(200)), "{kind:?}: {calls:?}");
    let mut keys: Vec<String> = calls.iter().map(key_of).collect();
    keys.dedup();
    assert!(keys.len() >= 3, "{kind:?}: two expiries need three keys, not {keys:?}");
}

fn tells_its_user_when_the_sign_in_has_ended(kind: Kind) {
    let product = signed_in(Some(LAST));
    let mut client = Client::start(kind, Route::CredentialProcess, &product);
    client.succeeds();
    product.sandbox().end_sign_in_sessions();
    client.succeeds();
    let sandbox = product.sandbox();
    wait_until("all credentials have ended", || {
        sandbox.issued_credentials().iter().all(|issued| sandbox.now_ms() >= issued.expires_ms)
    });
    let (_, refused_before) = answers(&product);
    match client.call() {
        Called::Error(error) => kind.shows_what_mends(&error),
        Called::Arn(arn) => panic!("{kind:?} is served as {arn}"),
    }
    assert_eq!(answers(&product).1 - refused_before, kind.attempts_at_a_call(), "{kind:?}");
    product.sign_in();
    client.succeeds();
}

macro_rules! stories_of {
    ($($module:ident: $kind:expr;)*) => {$(
        mod $module {
            use super::*;

            #[test]
            fn is_served_and_asks_again_only_when_it_must() {
                super::is_served_and_asks_again_only_when_it_must($kind);
            }

            #[test]
            fn renews_across_expiry() {
                super::renews_across_expiry($kind);
            }

            #[test]
            fn tells_its_user_when_the_sign_in_has_ended() {
                super::tells_its_user_when_the_sign_in_has_ended($kind);
            }
        }
    )*};
}

stories_of! {
    aws_cli_v2: Kind::AwsCliV2;
    aws_cli_v1: Kind::AwsCliV1;
    boto3: Kind::Boto3;
    js_default_chain: Kind::JsDefaultChain;
    js_from_process: Kind::JsFromProcess;
    rust_sdk: Kind::RustSdk;
    go_sdk: Kind::GoSdk;
    java_sdk: Kind::JavaSdk;
}

#[test]
fn they_are_the_versions_the_reference_measured() {
    let product = Product::new();
    let says = |command: &mut Command| run(command).stdout;
    assert!(says(product.command(client("awscli-v2/dist/aws")).arg("--version")).starts_with("aws-cli/2.38.5 "));
    assert!(says(product.command(client("python/bin/aws")).arg("--version")).starts_with("aws-cli/1.46.3 "));
    let boto3 = "import boto3; print(boto3.__version__)";
    assert_eq!(says(product.command(client("python/bin/python")).args(["-c", boto3])), "1.44.5\n");
    let js = "console.log(require('@aws-sdk/credential-providers/package.json').version)";
    let mut node = product.command("node");
    node.env("NODE_PATH", client("node/node_modules")).args(["-e", js]);
    assert_eq!(says(&mut node), "3.1169.0\n");
}
