//! The request for a session and its signature: Signature Version 4's canonical request, signed with a certificate's key.

use super::certificate::Certificates;
use super::key::Algorithm;
use crate::clock::rfc3339;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Serialize;
use sha2::{Digest as _, Sha256};
use std::time::SystemTime;

/// The path of `CreateSession`.
pub const PATH: &str = "/sessions";

/// What `CreateSession` asks for, as its body says it.
#[derive(Clone, Copy, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct SessionRequest<'a> {
    /// `durationSeconds`, 900 to 43,200; the profile's where nothing is said.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub duration_seconds: Option<u64>,
    /// The profile of IAM Roles Anywhere.
    pub profile_arn: &'a str,
    /// The role.
    pub role_arn: &'a str,
    /// `roleSessionName`; AWS takes it only where the profile accepts one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub role_session_name: Option<&'a str>,
    /// The trust anchor.
    pub trust_anchor_arn: &'a str,
}

/// A request that waits for its signature.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unsigned {
    body: Vec<u8>,
    headers: Vec<(&'static str, String)>,
    /// The head of the `Authorization` header, up to the signature.
    credential: String,
    string_to_sign: String,
}

/// A request that can be sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signed {
    /// The body.
    pub body: Vec<u8>,
    /// The headers, `host` included.
    pub headers: Vec<(&'static str, String)>,
}

impl Unsigned {
    /// Makes the request to an endpoint of `host` (with its port, where it has one of its own) in a region.
    #[must_use]
    pub fn new(
        request: &SessionRequest<'_>,
        certificates: &Certificates,
        (host, region): (&str, &str),
        now: SystemTime,
    ) -> Self {
        let algorithm = certificates.public_key().algorithm();
        let body = serde_json::to_vec(request).unwrap_or_default();
        let date = rfc3339(now).replace(['-', ':'], "");
        let headers = headers(certificates, host, &date);
        let scope = format!("{}/{region}/rolesanywhere/aws4_request", date.get(..8).unwrap_or_default());
        let names = headers.iter().map(|(name, _)| *name).collect::<Vec<_>>().join(";");
        let canonical = hex(&Sha256::digest(canonical_request(&headers, &names, &body)));
        let string_to_sign = format!("{}\n{date}\n{scope}\n{canonical}", algorithm.name());
        let credential = credential(algorithm, &certificates.serial_decimal(), &scope, &names);
        Self { body, headers, credential, string_to_sign }
    }

    /// Returns what the key has to sign.
    #[must_use]
    pub fn string_to_sign(&self) -> &[u8] {
        self.string_to_sign.as_bytes()
    }

    /// Takes the signature.
    #[must_use]
    pub fn signed(self, signature: &[u8]) -> Signed {
        let mut headers = self.headers;
        headers.push(("authorization", format!("{}{}", self.credential, hex(signature))));
        Signed { body: self.body, headers }
    }
}

/// The headers that are signed: all there are, sorted by name.
fn headers(certificates: &Certificates, host: &str, date: &str) -> Vec<(&'static str, String)> {
    let mut headers = vec![
        ("content-type", "application/json".to_owned()),
        ("host", host.to_owned()),
        ("x-amz-date", date.to_owned()),
        ("x-amz-x509", STANDARD.encode(certificates.leaf())),
    ];
    if !certificates.intermediates().is_empty() {
        let chain: Vec<String> = certificates.intermediates().iter().map(|der| STANDARD.encode(der)).collect();
        headers.push(("x-amz-x509-chain", chain.join(",")));
    }
    headers
}

/// AWS General Reference, "Create a signed AWS API request": method, path, query, headers, their names, the body's digest.
fn canonical_request(headers: &[(&'static str, String)], names: &str, body: &[u8]) -> String {
    let lines: String = headers.iter().map(|(name, value)| format!("{name}:{value}\n")).collect();
    format!("POST\n{PATH}\n\n{lines}\n{names}\n{}", hex(&Sha256::digest(body)))
}

fn credential(algorithm: Algorithm, serial: &str, scope: &str, names: &str) -> String {
    format!("{} Credential={serial}/{scope}, SignedHeaders={names}, Signature=", algorithm.name())
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
#[path = "signing_tests.rs"]
mod tests;
