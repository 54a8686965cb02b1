//! AWS's own Python client of IAM Roles Anywhere, which nobody here wrote, against the sandbox: its signatures are accepted with
//! every kind of key, and what it shows of a refusal is what the sandbox said. What passes here is what every other story may rely on.

#![cfg(feature = "system")]

use std::fs;
use std::io::Write;
use std::process::{Command, Stdio};

use serde_json::{Value, json};
use tegata_sandbox::{
    CertificateAuthority, IamRole, IssuedCertificate, KeyKind, Operation, RolesAnywhereProfile, Sandbox, Subject,
};
use tegata_tests::client;
use tempfile::TempDir;

const ANCHOR: &str = "arn:aws:rolesanywhere:us-east-1:123456789012:trust-anchor/11111111-2222-3333-4444-555555555555";
const PROFILE: &str = "arn:aws:rolesanywhere:us-east-1:123456789012:profile/66666666-7777-8888-9999-000000000000";
const ROLE: &str = "arn:aws:iam::123456789012:role/Runner";

/// A sandbox that trusts an authority, and a directory for a client's files.
struct Setting {
    sandbox: Sandbox,
    authority: CertificateAuthority,
    files: TempDir,
}

impl Setting {
    fn new() -> Self {
        let authority = CertificateAuthority::root("Acme root").unwrap();
        let sandbox = Sandbox::start().unwrap();
        sandbox.configure(|settings| {
            settings.roles_anywhere.trust_anchors.push(authority.trust_anchor(ANCHOR));
            settings.roles_anywhere.profiles.push(RolesAnywhereProfile::new(PROFILE, &[ROLE]));
            settings.iam_roles.push(IamRole::new(ROLE, &["rolesanywhere.amazonaws.com"]));
        });
        Self { sandbox, authority, files: tempfile::tempdir().unwrap() }
    }

    /// What the client is asked: by the sandbox's own address, with these certificates.
    fn arguments(&self, issued: &IssuedCertificate) -> Value {
        let file = |name: &str, text: &str| {
            let path = self.files.path().join(name);
            fs::write(&path, text).unwrap();
            path.display().to_string()
        };
        let mut arguments = json!({
            "profile_arn": PROFILE,
            "role_arn": ROLE,
            "trust_anchor_arn": ANCHOR,
            "certificate": file("certificate.pem", &issued.certificate),
            "private_key": file("key.pem", &issued.private_key),
            "endpoint": self.sandbox.tls_url().trim_start_matches("https://"),
            "verify": self.sandbox.ca_pem_path(),
            "session_duration": 900,
            "sts_endpoint": self.sandbox.tls_url(),
        });
        if !issued.chain.is_empty() {
            arguments["certificate_chain"] = json!(file("chain.pem", &issued.chain));
        }
        arguments
    }

    /// Runs the client and returns what it printed.
    fn run(&self, arguments: &Value) -> String {
        let mut python = Command::new(client("python/bin/python"));
        python.arg(concat!(env!("CARGO_MANIFEST_DIR"), "/clients/roles_anywhere.py"));
        python.env_clear().env("HOME", self.files.path()).env("PATH", "/usr/bin:/bin");
        let mut child = python.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        child.stdin.take().unwrap().write_all(arguments.to_string().as_bytes()).unwrap();
        String::from_utf8(child.wait_with_output().unwrap().stdout).unwrap()
    }
}

/// The session name is the serial number in hexadecimal.
const ARN: &str = "ok arn:aws:sts::123456789012:assumed-role/Runner/5a11c307\n";

#[test]
fn it_is_served_with_every_kind_of_key() {
    let setting = Setting::new();
    for (kind, algorithm) in [
        (KeyKind::P256, "AWS4-X509-ECDSA-SHA256"),
        (KeyKind::P384, "AWS4-X509-ECDSA-SHA256"),
        (KeyKind::Rsa, "AWS4-X509-RSA-SHA256"),
    ] {
        let issued = setting.authority.issue(&Subject::new("runner-7").with_key(kind)).unwrap();
        assert_eq!(setting.run(&setting.arguments(&issued)), ARN, "{kind:?}");
        let session = setting.sandbox.certificate_sessions().pop().unwrap();
        assert_eq!((session.algorithm.as_str(), session.duration_seconds), (algorithm, Some(900)), "{kind:?}");
    }
}

#[test]
fn it_is_served_with_a_chain_by_awss_own_host_name() {
    let setting = Setting::new();
    let devices = setting.authority.intermediate("Acme devices").unwrap();
    let issued = devices.issue(&Subject::new("runner-7")).unwrap();
    let mut arguments = setting.arguments(&issued);
    arguments.as_object_mut().unwrap().remove("endpoint");
    arguments["proxies"] = json!({"https": setting.sandbox.proxy_url()});
    arguments["sts_endpoint"] = json!("https://sts.us-east-1.amazonaws.com");
    assert_eq!(setting.run(&arguments), ARN);
    let request = setting.sandbox.requests_of(Operation::CreateSession).pop().unwrap();
    assert_eq!(request.host, "rolesanywhere.us-east-1.amazonaws.com");
    assert_eq!(setting.sandbox.certificate_sessions()[0].intermediates, 1);
}

#[test]
fn it_shows_its_user_what_was_refused() {
    let setting = Setting::new();
    let foreign = CertificateAuthority::root("Acme root").unwrap().issue(&Subject::new("runner-7")).unwrap();
    let said = setting.run(&setting.arguments(&foreign));
    assert_eq!(said, "error CreateSession failed (HTTP 403): Untrusted signing certificate\n");
    let mut wrong_key = setting.authority.issue(&Subject::new("runner-7")).unwrap();
    wrong_key.private_key = foreign.private_key;
    let said = setting.run(&setting.arguments(&wrong_key));
    assert!(said.starts_with("error CreateSession failed (HTTP 403): The request signature"), "{said}");
}
