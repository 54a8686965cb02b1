//! IAM Roles Anywhere: signatures made with certificates, verified from the received bytes; each refusal beside what is accepted.

use std::time::Duration;

use serde_json::json;
use tegata_sandbox::{CertificateAuthority, IssuedCredentials, KeyKind, Sandbox, Subject};

use crate::certificate_client::{ANCHOR, CertificateRequest, PROFILE, ROLE, authority, trusting};
use crate::client::{Answer, StsRequest, string};

const DENIED: (u16, &str) = (403, "AccessDeniedException");
const INVALID: (u16, &str) = (400, "ValidationException");

/// A sandbox that trusts an authority, and a request that it accepts.
fn ready() -> (Sandbox, CertificateAuthority, CertificateRequest) {
    let authority = authority();
    let sandbox = trusting(&authority);
    let request = CertificateRequest::of(&authority);
    assert_eq!(request.send(&sandbox).status, 201);
    (sandbox, authority, request)
}

/// Has credentials issued that live this long, counted from the second of asking or of being answered.
fn issued_for(seconds: i64, sandbox: &Sandbox, ask: impl FnOnce() -> Answer) -> (Answer, IssuedCredentials) {
    let second = || sandbox.now_ms() / 1000;
    let before = second();
    let answer = ask();
    let asked = before..=second();
    assert_eq!(answer.status, 201, "{}", answer.text());
    let issued = sandbox.issued_credentials().pop().unwrap();
    assert!(asked.contains(&(issued.expires_ms / 1000 - seconds)), "{} {asked:?}", issued.expires_ms);
    (answer, issued)
}

fn message(answer: &Answer) -> String {
    string(&answer.json()["message"])
}

/// Asserts a refusal with these words.
fn refused(answer: &Answer, refusal: (u16, &str), words: &str) {
    assert_eq!(answer.refusal(), refusal, "{}", answer.text());
    assert!(message(answer).contains(words), "{}", answer.text());
}

#[test]
fn a_certificate_gets_credentials_that_sts_accepts() {
    let (sandbox, _, request) = ready();
    let (answer, issued) = issued_for(3600, &sandbox, || request.send(&sandbox));
    assert_eq!(answer.header("content-type"), "application/json");
    let set = answer.json()["credentialSet"][0].clone();
    assert_eq!(set["roleArn"], ROLE);
    assert_eq!(set["sourceIdentity"], "CN=runner-7");
    let arn = "arn:aws:sts::123456789012:assumed-role/Runner/5a11c307";
    assert_eq!(set["assumedRoleUser"]["arn"], arn);
    assert_eq!(set["credentials"]["accessKeyId"], json!(issued.access_key_id));
    assert_eq!(StsRequest::identity(&issued).send(&sandbox).element("Arn"), arn);
    let session = sandbox.certificate_sessions().pop().unwrap();
    assert_eq!((session.session_name.as_str(), session.algorithm.as_str()), ("5a11c307", "AWS4-X509-ECDSA-SHA256"));
}

#[test]
fn rsa_keys_sign_under_their_own_name() {
    let (sandbox, authority, _) = ready();
    let issued = authority.issue(&Subject::new("runner-7").with_key(KeyKind::Rsa)).unwrap();
    let rsa = CertificateRequest { algorithm: "AWS4-X509-RSA-SHA256", ..CertificateRequest::new(issued.clone()) };
    assert_eq!(rsa.send(&sandbox).status, 201);
    let misnamed = CertificateRequest::new(issued).send(&sandbox);
    refused(&misnamed, DENIED, "does not match");
    let mut misnamed = CertificateRequest::of(&authority);
    misnamed.algorithm = "AWS4-X509-RSA-SHA256";
    refused(&misnamed.send(&sandbox), DENIED, "does not match");
    let mut hmac = CertificateRequest::of(&authority);
    hmac.algorithm = "AWS4-HMAC-SHA256";
    refused(&hmac.send(&sandbox), DENIED, "malformed");
}

#[test]
fn a_key_that_is_not_the_certificates_is_refused() {
    let (sandbox, authority, mut request) = ready();
    request.issued.private_key = authority.issue(&Subject::new("runner-7")).unwrap().private_key;
    refused(&request.send(&sandbox), DENIED, "does not match");
}

#[test]
fn the_serial_number_is_the_certificates_and_in_decimal() {
    let (sandbox, _, request) = ready();
    for serial in ["5a11c307", "1511113478", "01511113479", ""] {
        let request = CertificateRequest { serial: serial.to_owned(), ..request.clone() };
        assert_eq!(request.send(&sandbox).refusal(), DENIED, "{serial}");
    }
}

#[test]
fn every_header_the_service_asks_for_is_signed() {
    let authority = authority();
    let sandbox = trusting(&authority);
    let below = authority.intermediate("Acme devices").unwrap();
    let request = CertificateRequest::of(&below);
    assert_eq!(request.send(&sandbox).status, 201);
    for name in ["content-type", "host", "x-amz-date", "x-amz-x509", "x-amz-x509-chain"] {
        let request = CertificateRequest { unsigned: vec![name], ..request.clone() };
        refused(&request.send(&sandbox), DENIED, &format!("{name} must be signed"));
    }
}

#[test]
fn what_is_changed_after_signing_is_refused() {
    let (sandbox, _, request) = ready();
    let headers = request.headers(&sandbox);
    let body = request.clone().with("durationSeconds", json!(900));
    refused(&body.send_with(&sandbox, &headers), DENIED, "does not match");
    let query = CertificateRequest { query: "profileArn=x", ..request.clone() };
    refused(&query.send_with(&sandbox, &headers), DENIED, "does not match");
    let mut added = headers.clone();
    added.push(("x-amz-target".to_owned(), "other".to_owned()));
    refused(&request.send_with(&sandbox, &added), DENIED, "x-amz-target must be signed");
    assert_eq!(request.send_with(&sandbox, &headers).status, 201);
}

#[test]
fn another_authoritys_certificate_is_refused() {
    let (sandbox, _, _) = ready();
    let foreign = CertificateRequest::of(&CertificateAuthority::root("Acme root").unwrap());
    refused(&foreign.send(&sandbox), DENIED, "Untrusted signing certificate");
}

#[test]
fn a_chain_leads_to_the_anchor_or_is_refused() {
    let authority = authority();
    let sandbox = trusting(&authority);
    let below = authority.intermediate("Acme devices").unwrap();
    let request = CertificateRequest::of(&below);
    assert_eq!(request.send(&sandbox).status, 201);
    assert_eq!(sandbox.certificate_sessions()[0].intermediates, 1);
    let mut chainless = request.clone();
    chainless.issued.chain.clear();
    refused(&chainless.send(&sandbox), DENIED, "Untrusted signing certificate");
    let mut foreign = request.clone();
    foreign.issued.chain =
        CertificateAuthority::root("Other").unwrap().intermediate("Acme devices").unwrap().pem().into();
    refused(&foreign.send(&sandbox), DENIED, "Untrusted signing certificate");
    let mut long = request;
    long.issued.chain = long.issued.chain.repeat(6);
    refused(&long.send(&sandbox), DENIED, "Too many certificates");
}

#[test]
fn certificates_are_good_between_their_dates_by_the_sandboxs_clock() {
    let (sandbox, authority, _) = ready();
    let short = authority.issue(&Subject::new("runner-7").for_only(Duration::from_secs(2 * 3600))).unwrap();
    let request = CertificateRequest::new(short);
    assert_eq!(request.send(&sandbox).status, 201);
    sandbox.advance(Duration::from_secs(3601));
    refused(&request.send(&sandbox), DENIED, "expired");
    sandbox.move_clock(-3 * 3_600_000);
    refused(&request.send(&sandbox), DENIED, "not yet valid");
}

#[test]
fn authorities_and_keys_not_meant_to_sign_do_not_sign() {
    let (sandbox, authority, _) = ready();
    let refusal = |change: &dyn Fn(&mut Subject)| {
        let mut subject = Subject::new("runner-7");
        change(&mut subject);
        message(&CertificateRequest::new(authority.issue(&subject).unwrap()).send(&sandbox))
    };
    assert_eq!(refusal(&|subject| subject.is_authority = true), "The certificate is one of an authority");
    assert_eq!(refusal(&|subject| subject.signs = false), "The certificate's key usage has no digital signature");
}

#[test]
fn signatures_have_the_date_the_region_and_the_service() {
    let (sandbox, _, request) = ready();
    let aged = |age| CertificateRequest { age, ..request.clone() }.send(&sandbox);
    assert_eq!((aged(800).status, aged(-800).status), (201, 201));
    refused(&aged(1000), DENIED, "Signature expired");
    refused(&aged(-1000), DENIED, "Signature not yet current");
    let service = CertificateRequest { service: "sts", ..request.clone() };
    refused(&service.send(&sandbox), DENIED, "correct service");
    let region = CertificateRequest { region: "eu-central-1", ..request.clone() };
    refused(&region.send(&sandbox), INVALID, "another region");
    let host = |host| CertificateRequest { host: Some(host), ..request.clone() }.send(&sandbox);
    assert_eq!(host("rolesanywhere.us-east-1.amazonaws.com").status, 201);
    assert_eq!(host("rolesanywhere-fips.us-east-1.amazonaws.com").status, 201);
    refused(&host("rolesanywhere.eu-central-1.amazonaws.com"), DENIED, "valid region");
    assert_eq!(host("sts.us-east-1.amazonaws.com").status, 404);
}

#[test]
fn durations_are_limited_by_the_api_the_profile_and_the_role() {
    let (sandbox, _, request) = ready();
    let asking = |seconds: i64| request.clone().with("durationSeconds", json!(seconds)).send(&sandbox);
    for seconds in [0, 899, 43_201, -900] {
        refused(&asking(seconds), INVALID, "durationSeconds");
    }
    issued_for(900, &sandbox, || asking(900));
    issued_for(3600, &sandbox, || asking(7200));
    sandbox.configure(|settings| settings.roles_anywhere.profiles[0].duration = Duration::from_secs(12 * 3600));
    issued_for(4 * 3600, &sandbox, || asking(4 * 3600));
    issued_for(3600, &sandbox, || request.send(&sandbox));
    refused(&asking(5 * 3600), DENIED, "MaxSessionDuration");
    refused(&request.clone().with("durationSeconds", json!("900")).send(&sandbox), INVALID, "number");
}

#[test]
fn the_three_arns_are_in_the_body_or_in_the_query() {
    let (sandbox, _, request) = ready();
    let encoded = "profileArn=arn%3Aaws%3Arolesanywhere%3Aus-east-1%3A123456789012%3Aprofile%2F66666666-7777-8888-9999-000000000000";
    let query = CertificateRequest { query: encoded, ..request.clone() };
    refused(&query.send(&sandbox), INVALID, "given twice");
    let mut query = query;
    query.body.as_object_mut().unwrap().remove("profileArn");
    assert_eq!(query.send(&sandbox).status, 201);
    query.query = "";
    refused(&query.send(&sandbox), INVALID, "profileArn");
    for (name, value) in [
        ("roleArn", "arn:aws:iam::123456789012:user/alice"),
        ("trustAnchorArn", PROFILE),
        ("profileArn", "arn:aws:rolesanywhere:eu-west-1:123456789012:profile/66666666-7777-8888-9999-000000000000"),
        ("instanceProperties", "text"),
        ("sessionname", "x"),
    ] {
        let answer = request.clone().with(name, json!(value)).send(&sandbox);
        assert_eq!(answer.refusal(), INVALID, "{name}");
    }
    let text = CertificateRequest { content_type: "text/plain", ..request.clone() };
    refused(&text.send(&sandbox), INVALID, "content type");
    let amazons = CertificateRequest { content_type: "application/x-amz-json-1.0", ..request };
    assert_eq!(amazons.send(&sandbox).status, 201);
}

#[test]
fn anchors_profiles_and_roles_that_are_not_there_or_do_not_trust_are_refused() {
    let (sandbox, _, request) = ready();
    let other = |arn: &str| format!("{}0", &arn[..arn.len() - 1]);
    let asking = |name: &str, value: &str| request.clone().with(name, json!(value)).send(&sandbox);
    refused(&asking("trustAnchorArn", &other(ANCHOR)), (404, "ResourceNotFoundException"), "Trust anchor");
    refused(&asking("profileArn", &PROFILE.replace("6666", "7777")), (404, "ResourceNotFoundException"), "Profile");
    let role = "arn:aws:iam::210987654321:role/Deploy";
    refused(&asking("roleArn", role), DENIED, &format!("Unable to assume role for {role}"));
    sandbox.configure(|settings| settings.roles_anywhere.profiles[0].roles.push(role.to_owned()));
    refused(&asking("roleArn", role), DENIED, "Unable to assume role");
    sandbox.configure(|settings| settings.roles_anywhere.trust_anchors[0].enabled = false);
    assert_eq!(request.send(&sandbox).status, 404);
}

#[test]
fn only_a_profile_that_accepts_it_lets_the_session_be_named() {
    let (sandbox, _, request) = ready();
    let named = request.with("roleSessionName", json!("laptop"));
    refused(&named.send(&sandbox), DENIED, "Not authorized to set roleSessionName.");
    sandbox.configure(|settings| settings.roles_anywhere.profiles[0].accepts_role_session_name = true);
    assert_eq!(named.send(&sandbox).status, 201);
    assert_eq!(sandbox.certificate_sessions().pop().unwrap().session_name, "laptop");
    refused(&named.with("roleSessionName", json!("a b")).send(&sandbox), INVALID, "roleSessionName");
}

#[test]
fn a_role_behind_it_is_chained_and_lasts_an_hour_at_most() {
    let (sandbox, _, request) = ready();
    assert_eq!(request.send(&sandbox).status, 201);
    let credentials = sandbox.issued_credentials().pop().unwrap();
    let deploy = || StsRequest::assume(&credentials, "arn:aws:iam::210987654321:role/Deploy");
    let long = deploy().with("DurationSeconds", "7200").send(&sandbox);
    assert!(long.element("Message").contains("role chaining"), "{}", long.text());
    assert_eq!(deploy().with("DurationSeconds", "3600").send(&sandbox).status, 200);
    let assumed = sandbox.assumed_roles().pop().unwrap();
    assert_eq!(assumed.source_identity.as_deref(), Some("CN=runner-7"));
}

#[test]
fn a_request_without_certificate_date_or_signature_is_refused() {
    let (sandbox, _, request) = ready();
    let headers = request.headers(&sandbox);
    for name in ["x-amz-x509", "x-amz-date", "authorization"] {
        let without: Vec<_> = headers.iter().filter(|(known, _)| known != name).cloned().collect();
        assert_eq!(request.send_with(&sandbox, &without).refusal(), DENIED, "{name}");
    }
    for certificate in ["", "!", "AAAA", "MIIB"] {
        let mut changed = headers.clone();
        changed
            .iter_mut()
            .filter(|(name, _)| name == "x-amz-x509")
            .for_each(|(_, value)| *value = certificate.to_owned());
        assert_eq!(request.send_with(&sandbox, &changed).refusal(), DENIED, "{certificate}");
    }
}
