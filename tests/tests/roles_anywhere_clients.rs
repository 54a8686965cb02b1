//! AWS clients which nobody here wrote, fed by `credential_process` with roles for a certificate: who they are by a signed call, that
//! they live on across the end of their credentials, and what their user sees when AWS refuses. The sandbox verifies every signature.
#![cfg(feature = "system")]

use std::time::Duration;
use tegata_sandbox::Operation;
use tegata_tests::certified::Certified;
use tegata_tests::product::wait_until;
use tegata_tests::sdk::{Called, Client, Kind, Route, key_of, outlive_the_last_key};

/// A life of credentials that a test can outlast. The daemon hands out at least a third of it.
const SHORT: Duration = Duration::from_secs(9);

/// Who a certificate with this serial number is.
const ARN: &str = "arn:aws:sts::123456789012:assumed-role/Runner/5a11c307";

fn started(life: Option<Duration>) -> Certified {
    let mut certified = Certified::new();
    certified.product.sandbox().configure(|settings| settings.lifetimes.certificate_session = life);
    certified.product.start_daemon();
    certified
}

fn is_who_the_certificate_says(kind: Kind) {
    let certified = started(None);
    let sandbox = certified.product.sandbox();
    let mut client = Client::start(kind, Route::CredentialProcess, &certified.product);
    for _ in 0..2 {
        assert_eq!(client.call(), Called::Arn(ARN.to_owned()), "{kind:?}");
    }
    assert_eq!(sandbox.calls(Operation::CreateSession), 1, "{kind:?}");
    let request = sandbox.requests_of(Operation::CreateSession).pop().unwrap();
    assert!(
        request.headers["authorization"].starts_with("AWS4-X509-ECDSA-SHA256 Credential=1511113479/"),
        "{request:?}"
    );
}

fn lives_on_across_the_end_of_its_credentials(kind: Kind) {
    let certified = started(Some(SHORT));
    let mut client = Client::start(kind, Route::CredentialProcess, &certified.product);
    assert_eq!(client.call(), Called::Arn(ARN.to_owned()), "{kind:?}");
    outlive_the_last_key(&certified.product);
    assert_eq!(client.call(), Called::Arn(ARN.to_owned()), "{kind:?}");
    let calls = certified.product.sandbox().requests_of(Operation::GetCallerIdentity);
    assert!(calls.iter().all(|call| call.status == Some(200)), "{kind:?}: {calls:?}");
    let mut keys: Vec<String> = calls.iter().map(key_of).collect();
    keys.dedup();
    assert!(keys.len() >= 2, "{kind:?}: an expiry needs two keys, not {keys:?}");
}

fn tells_its_user_what_aws_refused(kind: Kind) {
    let certified = started(None);
    certified.product.sandbox().configure(|settings| settings.roles_anywhere.profiles[0].roles.clear());
    let mut client = Client::start(kind, Route::CredentialProcess, &certified.product);
    let line = "AWS refused CreateSession (AccessDeniedException): Unable to assume role for arn:aws:iam::123456789012:role/ci/Runner";
    match client.call() {
        Called::Error(error) if kind == Kind::JsDefaultChain => {
            assert!(error.contains("Could not load credentials from any providers"), "{error}");
        }
        Called::Error(error) => assert!(error.contains(line), "{kind:?}: {error}"),
        Called::Arn(arn) => panic!("{kind:?} is served as {arn}"),
    }
    wait_until("the refusal is written down", || {
        certified
            .product
            .audit()
            .iter()
            .any(|record| record["event"] == "refused" && record["code"] == "upstream_refused")
    });
}

macro_rules! stories_of {
    ($($module:ident: $kind:expr;)*) => {$(
        mod $module {
            use super::*;

            #[test]
            fn is_who_the_certificate_says() {
                super::is_who_the_certificate_says($kind);
            }

            #[test]
            fn lives_on_across_the_end_of_its_credentials() {
                super::lives_on_across_the_end_of_its_credentials($kind);
            }

            #[test]
            fn tells_its_user_what_aws_refused() {
                super::tells_its_user_what_aws_refused($kind);
            }
        }
    )*};
}

stories_of! {
    aws_cli_v2: Kind::AwsCliV2;
    boto3: Kind::Boto3;
    js_from_process: Kind::JsFromProcess;
    js_default_chain: Kind::JsDefaultChain;
}
