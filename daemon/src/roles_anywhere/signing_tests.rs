use super::*;
use crate::clock::from_rfc3339;
use crate::roles_anywhere::PrivateKey;

const ROLE: &str = "arn:aws:iam::123456789012:role/Runner";
const PROFILE: &str = "arn:aws:rolesanywhere:us-east-1:123456789012:profile/66666666-7777-8888-9999-000000000000";
const ANCHOR: &str = "arn:aws:rolesanywhere:us-east-1:123456789012:trust-anchor/11111111-2222-3333-4444-555555555555";

fn asked() -> SessionRequest<'static> {
    SessionRequest {
        duration_seconds: Some(900),
        profile_arn: PROFILE,
        role_arn: ROLE,
        role_session_name: None,
        trust_anchor_arn: ANCHOR,
    }
}

fn unsigned(certificates: &str, host: &str) -> Unsigned {
    let certificates = Certificates::from_pem(certificates).unwrap();
    let now = from_rfc3339("2026-11-22T09:07:58Z").unwrap();
    Unsigned::new(&asked(), &certificates, (host, "us-east-1"), now)
}

fn header<'a>(signed: &'a Signed, name: &str) -> &'a str {
    signed.headers.iter().find(|(known, _)| *known == name).map_or("", |(_, value)| value)
}

#[test]
fn rsa_requests_are_those_of_awss_own_client_to_the_byte() {
    let unsigned = unsigned(include_str!("vectors/rsa.chain.pem"), "rolesanywhere.us-east-1.amazonaws.com");
    let expected = include_str!("vectors/rsa.string-to-sign.txt");
    assert_eq!(std::str::from_utf8(unsigned.string_to_sign()).unwrap(), expected);
    let key = PrivateKey::from_pem(include_str!("vectors/rsa.pkcs8.pem"), None).unwrap();
    let signature = key.sign(unsigned.string_to_sign()).unwrap();
    let signed = unsigned.signed(&signature);
    assert_eq!(header(&signed, "authorization"), include_str!("vectors/rsa.authorization.txt").trim_end());
}

#[test]
fn ecdsa_requests_say_the_same_as_awss_own_client() {
    let unsigned = unsigned(include_str!("vectors/p256.certificate.pem"), "127.0.0.1:7000");
    let expected = include_str!("vectors/p256.string-to-sign.txt");
    assert_eq!(std::str::from_utf8(unsigned.string_to_sign()).unwrap(), expected);
    let signed = unsigned.signed(&[0x30, 0x06]);
    assert_eq!(
        header(&signed, "authorization"),
        "AWS4-X509-ECDSA-SHA256 Credential=1511113479/20261122/us-east-1/rolesanywhere/aws4_request, \
         SignedHeaders=content-type;host;x-amz-date;x-amz-x509, Signature=3006"
    );
    assert_eq!(header(&signed, "x-amz-x509-chain"), "");
}

#[test]
fn certificates_are_sent_in_one_line_each() {
    let signed = unsigned(include_str!("vectors/rsa.chain.pem"), "h").signed(&[]);
    for name in ["x-amz-x509", "x-amz-x509-chain"] {
        let value = header(&signed, name);
        assert!(value.starts_with("MII") && value.bytes().all(|byte| byte.is_ascii_graphic()), "{name}: {value}");
    }
}

#[test]
fn what_is_not_asked_for_is_not_in_the_body() {
    let body = |request: &SessionRequest<'_>| serde_json::to_string(request).unwrap();
    let plain = SessionRequest { duration_seconds: None, ..asked() };
    assert!(!body(&plain).contains("duration") && !body(&plain).contains("roleSessionName"));
    let named = SessionRequest { role_session_name: Some("laptop"), ..plain };
    assert!(body(&named).contains(r#""roleSessionName":"laptop""#));
}
