//! What tier *prompt* does not stop (security.md K14): a program of the same user that reads the keyring has the administrator.
//!
//! Expected to succeed, so that the documents cannot drift from the truth.
#![cfg(feature = "system")]
#![allow(clippy::unwrap_used, reason = "this is a test")]

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use serde_json::{Value, json};
use std::io::{Read, Write};
use std::net::TcpStream;
use tegata_daemon::sign_in_sessions::record::SignInRecord;
use tegata_sandbox::Operation;
use tegata_tests::gated::{gated, id};
use tegata_tests::hand::{Hand, OpenPage};
use tegata_tests::keyring::{Around, PrivateKeyring};
use tegata_tests::product::{Product, run};

/// What every place has to say about tier prompt.
const TRUTH: &str = "a program running as you could still take the sign-in token from the keyring";

fn over(keyring: &PrivateKeyring) -> (Product, Hand) {
    let mut product = Product::new();
    product.write_settings("store = \"secret-service\"\n");
    product.environment.push((String::from("DBUS_SESSION_BUS_ADDRESS"), keyring.address()));
    gated(product)
}

/// Reads the sign-in session's record as any program of the user can: with secret-tool(1), and nothing of Tegata's.
fn stolen(keyring: &PrivateKeyring) -> Value {
    let key = SignInRecord::key("corp");
    let mut thief = keyring.command("secret-tool");
    let item = run(thief.args(["lookup", "service", "tegata", "username", key.as_str()])).stdout;
    let (_, record) = item.rsplit_once(':').unwrap();
    serde_json::from_slice(&STANDARD_NO_PAD.decode(record.trim()).unwrap()).unwrap()
}

/// Asks the portal for a role's credentials, as the API reference of `GetRoleCredentials` says.
fn role_credentials(product: &Product, token: &str) -> Value {
    let url = product.sandbox().url();
    let host = url.strip_prefix("http://").unwrap().trim_end_matches('/');
    let mut portal = TcpStream::connect(host).unwrap();
    let path = "/federation/credentials?role_name=Admin&account_id=123456789012";
    let head =
        format!("GET {path} HTTP/1.1\r\nHost: {host}\r\nx-amz-sso_bearer_token: {token}\r\nConnection: close\r\n\r\n");
    portal.write_all(head.as_bytes()).unwrap();
    let mut answer = String::new();
    portal.read_to_string(&mut answer).unwrap();
    serde_json::from_str(answer.split_once("\r\n\r\n").unwrap().1).unwrap_or_else(|_| panic!("{answer}"))
}

#[test]
fn k14_at_tier_prompt_a_program_of_the_same_user_gets_the_token_and_the_administrator() {
    let keyring = PrivateKeyring::start(Around::Nothing);
    let (product, _hand) = over(&keyring);
    let gate = product.run(&["credential-process", "--profile", "admin", "--wait", "0"]);
    assert_eq!((gate.code, gate.stdout.as_str()), (11, ""), "who asks Tegata is refused");
    let record = stolen(&keyring);
    let token = record["tokens"]["access_token"].as_str().unwrap();
    let credentials = role_credentials(&product, token);
    assert!(credentials["roleCredentials"]["secretAccessKey"].is_string(), "who asks AWS is served: {credentials}");
    assert_eq!(product.sandbox().calls(Operation::GetRoleCredentials), 1);
    assert!(product.audit().iter().all(|record| record["event"] != "released"), "and Tegata knows nothing of it");
}

#[test]
fn k14_twin_the_product_and_its_documents_say_so() {
    let (product, mut hand) = gated(Product::new());
    let (_, explained) = product.api("GET", "/v1/policy?profile=admin", None);
    assert_eq!(explained["tier"], "prompt", "{explained}");
    let (_, request) = product.api("POST", "/v1/grants", Some(&json!({ "profile": "admin" })));
    let page = OpenPage::open(&product.page(id(&request))).unwrap();
    assert_eq!(page.view["tier"], "prompt", "{}", page.view);
    hand.approve(&product.page(id(&request))).unwrap();
    for arguments in [&["status"][..], &["policy", "explain", "admin"]] {
        let said = product.run(arguments).stdout;
        assert!(said.contains("prompt: ") && said.contains(TRUTH), "{arguments:?}: {said}");
    }
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    for document in ["README.md", "SECURITY.md", "docs/threat-model.md"] {
        let text = std::fs::read_to_string(root.join(document)).unwrap();
        let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(text.contains(TRUTH) && text.contains("prompt"), "{document} does not say that {TRUTH}");
    }
}
