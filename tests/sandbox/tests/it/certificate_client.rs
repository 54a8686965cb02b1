//! A client of IAM Roles Anywhere, open to tampering before and after it signs.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use rcgen::{KeyPair, SigningKey};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use tegata_sandbox::{CertificateAuthority, IamRole, IssuedCertificate, RolesAnywhereProfile, Sandbox, Subject};

use crate::client::{Answer, send};

pub(crate) const ANCHOR: &str =
    "arn:aws:rolesanywhere:us-east-1:123456789012:trust-anchor/11111111-2222-3333-4444-555555555555";
pub(crate) const PROFILE: &str =
    "arn:aws:rolesanywhere:us-east-1:123456789012:profile/66666666-7777-8888-9999-000000000000";
pub(crate) const ROLE: &str = "arn:aws:iam::123456789012:role/ci/Runner";
/// The serial number of [`Subject::new`] in decimal: not the digits of its hexadecimal form.
pub(crate) const SERIAL: &str = "1511113479";

/// A sandbox that trusts an authority.
pub(crate) fn trusting(authority: &CertificateAuthority) -> Sandbox {
    let sandbox = Sandbox::start().unwrap();
    sandbox.configure(|settings| {
        settings.roles_anywhere.trust_anchors.push(authority.trust_anchor(ANCHOR));
        settings.roles_anywhere.profiles.push(RolesAnywhereProfile::new(PROFILE, &[ROLE]));
        settings.iam_roles.push(IamRole::new(ROLE, &["rolesanywhere.amazonaws.com"]));
    });
    sandbox
}

pub(crate) fn authority() -> CertificateAuthority {
    CertificateAuthority::root("Acme root").unwrap()
}

/// A CreateSession that is about to be signed.
#[derive(Debug, Clone)]
pub(crate) struct CertificateRequest {
    pub(crate) issued: IssuedCertificate,
    pub(crate) algorithm: &'static str,
    pub(crate) serial: String,
    pub(crate) service: &'static str,
    pub(crate) region: &'static str,
    pub(crate) host: Option<&'static str>,
    pub(crate) content_type: &'static str,
    pub(crate) body: Value,
    pub(crate) query: &'static str,
    /// Headers that are sent and not signed.
    pub(crate) unsigned: Vec<&'static str>,
    /// Seconds by which the signature lags behind the sandbox's clock.
    pub(crate) age: i64,
}

impl CertificateRequest {
    pub(crate) fn new(issued: IssuedCertificate) -> Self {
        Self {
            issued,
            algorithm: "AWS4-X509-ECDSA-SHA256",
            serial: SERIAL.to_owned(),
            service: "rolesanywhere",
            region: "us-east-1",
            host: None,
            content_type: "application/json",
            body: json!({"profileArn": PROFILE, "roleArn": ROLE, "trustAnchorArn": ANCHOR}),
            query: "",
            unsigned: Vec::new(),
            age: 0,
        }
    }

    /// The request of a new certificate of this authority.
    pub(crate) fn of(authority: &CertificateAuthority) -> Self {
        Self::new(authority.issue(&Subject::new("runner-7")).unwrap())
    }

    pub(crate) fn with(mut self, name: &str, value: Value) -> Self {
        self.body[name] = value;
        self
    }

    pub(crate) fn body(&self) -> Vec<u8> {
        serde_json::to_vec(&self.body).unwrap()
    }

    fn target(&self) -> String {
        if self.query.is_empty() { "/sessions".to_owned() } else { format!("/sessions?{}", self.query) }
    }

    /// Every header of the signed request, sorted by name except for the last, the signature.
    pub(crate) fn headers(&self, sandbox: &Sandbox) -> Vec<(String, String)> {
        let date = amz_date(sandbox.now_ms() / 1000 - self.age);
        let here = sandbox.url().trim_start_matches("http://").to_owned();
        let mut headers = vec![
            ("content-type".to_owned(), self.content_type.to_owned()),
            ("host".to_owned(), self.host.map_or(here, str::to_owned)),
            ("x-amz-date".to_owned(), date.clone()),
            ("x-amz-x509".to_owned(), der(&self.issued.certificate)[0].clone()),
        ];
        if !self.issued.chain.is_empty() {
            headers.push(("x-amz-x509-chain".to_owned(), der(&self.issued.chain).join(",")));
        }
        let signed: Vec<_> = headers.iter().filter(|(name, _)| !self.unsigned.contains(&&**name)).collect();
        let names = signed.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>().join(";");
        let lines: String = signed.iter().map(|(name, value)| format!("{name}:{value}\n")).collect();
        let canonical =
            format!("POST\n/sessions\n{}\n{lines}\n{names}\n{}", self.query, hex(&Sha256::digest(self.body())));
        let scope = format!("{}/{}/{}/aws4_request", &date[..8], self.region, self.service);
        let text = format!("{}\n{date}\n{scope}\n{}", self.algorithm, hex(&Sha256::digest(canonical.as_bytes())));
        let key = KeyPair::from_pem(&self.issued.private_key).unwrap();
        let signature = hex(&key.sign(text.as_bytes()).unwrap());
        let (algorithm, serial) = (self.algorithm, &self.serial);
        let authorization =
            format!("{algorithm} Credential={serial}/{scope}, SignedHeaders={names}, Signature={signature}");
        headers.push(("authorization".to_owned(), authorization));
        headers
    }

    pub(crate) fn send(&self, sandbox: &Sandbox) -> Answer {
        self.send_with(sandbox, &self.headers(sandbox))
    }

    /// Sends this body with headers that were made before.
    pub(crate) fn send_with(&self, sandbox: &Sandbox, headers: &[(String, String)]) -> Answer {
        let headers: Vec<(&str, &str)> = headers.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        send(sandbox, "POST", &self.target(), &headers, &self.body())
    }
}

/// Each certificate of a PEM text in one line of base64.
fn der(pem: &str) -> Vec<String> {
    let blocks = pem.split("-----END CERTIFICATE-----").filter(|block| block.contains("BEGIN"));
    let inner =
        blocks.map(|block| block.split_once("-----BEGIN CERTIFICATE-----").unwrap().1.split_whitespace().collect());
    inner.inspect(|text: &String| assert!(STANDARD.decode(text).is_ok())).collect()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|b| format!("{b:02x}")).collect()
}

fn amz_date(seconds: i64) -> String {
    let at = time::OffsetDateTime::from_unix_timestamp(seconds).unwrap();
    let (month, day) = (u8::from(at.month()), at.day());
    format!("{:04}{month:02}{day:02}T{:02}{:02}{:02}Z", at.year(), at.hour(), at.minute(), at.second())
}
