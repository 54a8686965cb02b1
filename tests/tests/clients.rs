//! AWS clients which nobody here wrote, fed by `credential_process`: each is served, and the daemon asked no more often than it must be.
//! The sandbox verifies every signature. What comes of expiries, restarts and an ended sign-in: `matrix.rs`.

#![cfg(feature = "system")]

use std::process::Command;
use tegata_sandbox::Operation;
use tegata_tests::client;
use tegata_tests::product::{Product, run};
use tegata_tests::sdk::{Client, Kind, Route};

/// How often a tool was served, and how often it was refused.
fn answers(product: &Product) -> (usize, usize) {
    let audit = product.audit();
    let count = |event: &str| audit.iter().filter(|record| record["event"] == event).count();
    (count("released"), count("refused"))
}

fn signed_in() -> Product {
    let mut product = Product::new();
    product.start_daemon();
    product.sign_in();
    product
}

fn is_served_and_asks_again_only_when_it_must(kind: Kind) {
    let product = signed_in();
    let mut client = Client::start(kind, Route::CredentialProcess, &product);
    for _ in 0..3 {
        client.succeeds();
    }
    let asked = if kind.ends_after_one_call() { 3 } else { 1 };
    assert_eq!(answers(&product), (asked, 0), "{kind:?}");
    assert_eq!(product.sandbox().calls(Operation::GetRoleCredentials), 1, "{kind:?}");
    assert_eq!(product.sandbox().calls(Operation::GetCallerIdentity), 3, "{kind:?}");
}

macro_rules! stories_of {
    ($($module:ident: $kind:expr;)*) => {$(
        mod $module {
            use super::*;

            #[test]
            fn is_served_and_asks_again_only_when_it_must() {
                super::is_served_and_asks_again_only_when_it_must($kind);
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
