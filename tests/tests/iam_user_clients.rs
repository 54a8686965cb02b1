//! AWS CLI v2, boto3 and JS with an IAM user as their source: who they are, when they end, what their users read.
#![cfg(feature = "system")]

use tegata_sandbox::Operation;
use tegata_tests::iam_user::{ALICE, PHONE, product};
use tegata_tests::product::Product;
use tegata_tests::sdk::{Called, Client, Kind};

const CLIENTS: [Kind; 3] = [Kind::AwsCliV2, Kind::Boto3, Kind::JsFromProcess];

fn called(kind: Kind, profile: &str, product: &Product) -> Called {
    Client::as_profile(kind, profile, product).call()
}

#[test]
fn each_client_is_the_user_by_a_session() {
    let product = product("");
    for kind in CLIENTS {
        assert_eq!(called(kind, "keys", &product), Called::Arn(ALICE.to_owned()), "{kind:?}");
    }
    assert_eq!(product.sandbox().calls(Operation::GetSessionToken), 1);
    let signed = product.sandbox().requests_of(Operation::GetCallerIdentity);
    assert!(signed.iter().all(|request| request.headers.contains_key("x-amz-security-token")), "{signed:?}");
}

#[test]
fn each_client_is_the_user_by_the_keys_themselves() {
    let product = product("[profile.keys]\nhand_out = \"keys\"\n");
    for kind in CLIENTS {
        assert_eq!(called(kind, "keys", &product), Called::Arn(ALICE.to_owned()), "{kind:?}");
    }
    let signed = product.sandbox().requests_of(Operation::GetCallerIdentity);
    assert!(signed.iter().all(|request| !request.headers.contains_key("x-amz-security-token")), "{signed:?}");
    assert_eq!(product.sandbox().calls(Operation::GetSessionToken), 0);
}

#[test]
fn each_clients_user_reads_that_a_code_is_wanted_and_how_to_give_it() {
    let product = product("");
    for kind in CLIENTS {
        let Called::Error(said) = called(kind, "mfa", &product) else { panic!("{kind:?} had credentials") };
        let line = format!("MFA device {PHONE} wants a code; run: tegata login mfa");
        assert!(said.contains(&line), "{kind:?}: {said}");
    }
}
