//! AWS clients which nobody here wrote, below `tegata exec`, with everything in the way that they would take before its endpoint or
//! after it. The sandbox verifies every signature. Expiry, a restart of the daemon and an ended sign-in are those of `matrix`.
#![cfg(feature = "system")]

use std::net::TcpListener;
use tegata_tests::gated::records;
use tegata_tests::product::{Ended, Product, run, wait_until};
use tegata_tests::sdk::{Called, Client, Kind, Route};
use tegata_tests::{client, program};

fn signed_in() -> Product {
    let mut product = Product::new();
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

fn is_served_by_the_endpoint_and_by_nothing_else_that_lies_about(kind: Kind) {
    let mut product = signed_in();
    // What every chain asks after an endpoint that refuses.
    let machine = TcpListener::bind("127.0.0.1:0").unwrap();
    machine.set_nonblocking(true).unwrap();
    let role_of_the_machine = format!("http://{}", machine.local_addr().unwrap());
    product.environment.push(("AWS_EC2_METADATA_SERVICE_ENDPOINT".to_owned(), role_of_the_machine));
    let mut client = Client::start(kind, Route::Exec, &product);
    wait_until("exec has what it needs to start the client", || !records(&product, "released").is_empty());
    assert_eq!(product.run(&["lock"]).code, 0);
    let refused = client.call();
    assert!(matches!(refused, Called::Error(_)), "{kind:?}: {refused:?}");
    assert!(machine.accept().is_err(), "{kind:?} asks for the role of the machine");
    assert_eq!(product.run(&["unlock"]).code, 0);
    for _ in 0..2 {
        client.succeeds();
    }
    assert_eq!(client.ends(), 0, "{kind:?}");
    let left = std::fs::read_dir(product.path("run/tegata")).unwrap().flatten().map(|entry| entry.file_name());
    let left: Vec<_> = left.filter(|name| name.to_string_lossy().contains("exec-")).collect();
    assert!(left.is_empty(), "{left:?}");
    product.assert_no_canaries();
}

fn has_the_variables_of_exec_env_and_needs_no_daemon_any_more(kind: Kind) {
    let mut product = signed_in();
    // Of this way only the endpoint is kept from a proxy.
    product.environment.retain(|(name, _)| !name.ends_with("_PROXY"));
    let mut client = Client::start(kind, Route::ExecEnv, &product);
    client.succeeds();
    product.kill_daemon();
    client.succeeds();
    assert_eq!(client.ends(), 0, "{kind:?}");
    assert_eq!(product.audit().iter().filter(|record| record["event"] == "released").count(), 1, "{kind:?}");
}

macro_rules! stories_of {
    ($($module:ident: $kind:expr;)*) => {$(
        mod $module {
            use super::*;

            #[test]
            fn is_served_by_the_endpoint_and_by_nothing_else_that_lies_about() {
                super::is_served_by_the_endpoint_and_by_nothing_else_that_lies_about($kind);
            }

            #[test]
            fn has_the_variables_of_exec_env_and_needs_no_daemon_any_more() {
                super::has_the_variables_of_exec_env_and_needs_no_daemon_any_more($kind);
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
    go_sdk: Kind::GoSdk;
    java_sdk: Kind::JavaSdk;
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
