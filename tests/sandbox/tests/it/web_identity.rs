//! AssumeRoleWithWebIdentity: which tokens open which roles, and what is said of the others.

use std::time::Duration;

use tegata_sandbox::{Algorithm, IamRole, Operation, Sandbox, SecretKind, SignedBy, TokenOrder};

use crate::client::{Answer, StsRequest, form, get, send};

const ROLE: &str = "arn:aws:iam::210987654321:role/ci/Deploy";
const ISSUER: &str = "https://token.actions.githubusercontent.com";

fn ready() -> Sandbox {
    let sandbox = Sandbox::start().unwrap();
    sandbox.configure(|settings| settings.iam_roles = vec![IamRole::for_tokens(ROLE, ISSUER, "repo:octo-org/*")]);
    sandbox
}

fn ask(sandbox: &Sandbox, token: &str, more: &[(&str, &str)]) -> Answer {
    ask_with(sandbox, token, more, &[])
}

fn ask_with(sandbox: &Sandbox, token: &str, more: &[(&str, &str)], headers: &[(&str, &str)]) -> Answer {
    let mut fields = vec![
        ("Action", "AssumeRoleWithWebIdentity"),
        ("Version", "2011-06-15"),
        ("RoleArn", ROLE),
        ("RoleSessionName", "alice"),
        ("WebIdentityToken", token),
    ];
    for field in more {
        fields.retain(|(name, _)| name != &field.0);
        fields.push(*field);
    }
    let headers = [&[("content-type", "application/x-www-form-urlencoded")], headers].concat();
    send(sandbox, "POST", "/", &headers, form(&fields).as_bytes())
}

fn refused(sandbox: &Sandbox, order: TokenOrder) -> (u16, String) {
    ask(sandbox, &sandbox.web_identity_token(&order), &[]).sts_refusal()
}

fn is(status: u16, code: &str) -> (u16, String) {
    (status, code.to_owned())
}

#[test]
fn a_token_buys_the_role_without_a_signature() {
    let sandbox = ready();
    for algorithm in [Algorithm::Rs256, Algorithm::Es256] {
        let token = sandbox.web_identity_token(&TokenOrder { algorithm, ..TokenOrder::default() });
        let answer = ask(&sandbox, &token, &[("DurationSeconds", "14400")]);
        assert_eq!(answer.status, 200, "{}", answer.text());
        assert_eq!(answer.element("Arn"), "arn:aws:sts::210987654321:assumed-role/Deploy/alice");
        assert_eq!(answer.element("SubjectFromWebIdentityToken"), TokenOrder::default().subject);
        assert_eq!(answer.element("Audience"), "sts.amazonaws.com");
        let identity = StsRequest::identity(&sandbox.issued_credentials().pop().unwrap()).send(&sandbox);
        assert_eq!(identity.element("Arn"), "arn:aws:sts::210987654321:assumed-role/Deploy/alice");
    }
    let recorded = &sandbox.roles_for_tokens()[1];
    assert_eq!(
        (recorded.role_arn.as_str(), recorded.duration_seconds, recorded.issuer.as_str()),
        (ROLE, 14_400, ISSUER)
    );
    assert!(sandbox.assumed_roles().is_empty(), "it is no role chaining");
}

#[test]
fn a_token_that_is_none_is_no_identity() {
    let sandbox = ready();
    for token in ["abcd", "a.b.c", &"x".repeat(20_000)] {
        assert_eq!(ask(&sandbox, token, &[]).sts_refusal(), is(400, "InvalidIdentityToken"), "{}", token.len());
    }
    for signed_by in [SignedBy::Forger, SignedBy::Nobody] {
        let order = TokenOrder { signed_by, ..TokenOrder::default() };
        assert_eq!(refused(&sandbox, order), is(400, "InvalidIdentityToken"), "{signed_by:?}");
    }
}

#[test]
fn issuer_audience_subject_and_time_decide() {
    let sandbox = ready();
    let order = TokenOrder::default();
    let refused = |order| refused(&sandbox, order);
    let issuer = "https://evil.example".to_owned();
    assert_eq!(refused(TokenOrder { issuer, ..order.clone() }), is(400, "InvalidIdentityToken"));
    let audience = "sigstore".to_owned();
    assert_eq!(refused(TokenOrder { audience, ..order.clone() }), is(400, "InvalidIdentityToken"));
    let subject = "repo:evil-org/octo-repo:ref:refs/heads/main".to_owned();
    assert_eq!(refused(TokenOrder { subject, ..order.clone() }), is(403, "AccessDenied"));
    assert_eq!(refused(TokenOrder { life: -1, ..order.clone() }), is(400, "ExpiredTokenException"));
    let token = sandbox.web_identity_token(&order);
    assert_eq!(ask(&sandbox, &token, &[]).status, 200);
    sandbox.advance(Duration::from_secs(300));
    assert_eq!(ask(&sandbox, &token, &[]).sts_refusal(), is(400, "ExpiredTokenException"));
}

#[test]
fn a_provider_that_is_not_reached_is_said() {
    let sandbox = ready();
    sandbox.configure(|settings| settings.identity_providers[0].reachable = false);
    assert_eq!(refused(&sandbox, TokenOrder::default()), is(400, "IDPCommunicationError"));
}

#[test]
fn limits_and_parameters_are_those_of_the_api() {
    let sandbox = ready();
    let token = sandbox.web_identity_token(&TokenOrder::default());
    for (name, value) in [
        ("WebIdentityToken", "abc"),
        ("WebIdentityToken", &"x".repeat(20_001)),
        ("RoleSessionName", "a"),
        ("DurationSeconds", "899"),
        ("DurationSeconds", "43201"),
        ("DurationSeconds", "14401"),
        ("ExternalId", "external"),
        ("SourceIdentity", "alice"),
        ("Tags.member.1.Key", "Team"),
    ] {
        let answer = ask(&sandbox, &token, &[(name, value)]);
        assert_eq!(answer.sts_refusal(), is(400, "ValidationError"), "{name}: {}", answer.text());
    }
    let signed = ask_with(&sandbox, &token, &[], &[("authorization", "AWS4-HMAC-SHA256 x")]);
    assert_eq!(signed.sts_refusal(), is(400, "ValidationError"));
    let policy = r#"{"Version":"2012-10-17","Statement":[]}"#;
    let narrowed = [("Policy", policy), ("PolicyArns.member.1.arn", "arn:aws:iam::aws:policy/ReadOnlyAccess")];
    assert_eq!(ask(&sandbox, &token, &narrowed).status, 200);
    assert_eq!(sandbox.roles_for_tokens()[0].policy.as_deref(), Some(policy));
}

#[test]
fn a_role_that_trusts_no_token_is_not_for_one_and_the_other_way_round() {
    let sandbox = ready();
    sandbox.configure(|settings| settings.iam_roles = vec![IamRole::new(ROLE, &["*"])]);
    assert_eq!(refused(&sandbox, TokenOrder::default()), is(403, "AccessDenied"));
    sandbox.configure(|settings| settings.iam_roles = vec![IamRole::for_tokens(ROLE, ISSUER, "*")]);
    let credentials = crate::client::admin(&sandbox);
    assert_eq!(StsRequest::assume(&credentials, ROLE).send(&sandbox).sts_refusal(), is(403, "AccessDenied"));
}

#[test]
fn a_role_behind_one_for_a_token_is_chained() {
    let sandbox = ready();
    let behind = IamRole::new("arn:aws:iam::210987654321:role/Behind", &[ROLE]);
    sandbox.configure(|settings| settings.iam_roles.push(behind));
    ask(&sandbox, &sandbox.web_identity_token(&TokenOrder::default()), &[]);
    let credentials = sandbox.issued_credentials().pop().unwrap();
    let assume = StsRequest::assume(&credentials, "arn:aws:iam::210987654321:role/Behind");
    assert_eq!(assume.clone().with("DurationSeconds", "3601").send(&sandbox).sts_refusal(), is(400, "ValidationError"));
    assert_eq!(assume.send(&sandbox).status, 200);
}

#[test]
fn the_keys_are_published_and_every_token_is_a_canary() {
    let sandbox = ready();
    let configuration = get(&sandbox, "/.well-known/openid-configuration").json();
    let keys = configuration["jwks_uri"].as_str().unwrap().strip_prefix(&sandbox.url()).unwrap().to_owned();
    let keys = get(&sandbox, &keys).json();
    let of = |name: &str| keys["keys"].as_array().unwrap().iter().map(|key| key[name].clone()).collect::<Vec<_>>();
    assert_eq!((of("kty"), of("alg")), (vec!["RSA".into(), "EC".into()], vec!["RS256".into(), "ES256".into()]));
    let token = sandbox.web_identity_token(&TokenOrder::default());
    let minted = sandbox.minted_secrets().pop().unwrap();
    assert_eq!((minted.kind, minted.value), (SecretKind::WebIdentityToken, token));
}

#[test]
fn a_job_of_github_gets_a_token_for_whom_it_asks() {
    let sandbox = ready();
    let job = sandbox.begin_github_job();
    let target = |job: &tegata_sandbox::GithubJob| job.request_url.strip_prefix(&sandbox.url()).unwrap().to_owned();
    let with = |target: &str, token: &str| {
        send(&sandbox, "GET", target, &[("authorization", &format!("bearer {token}"))], b"")
    };
    let asked = format!("{}&audience=sts.amazonaws.com", target(&job));
    let answer = with(&asked, &job.request_token);
    let token = answer.json()["value"].as_str().unwrap().to_owned();
    assert_eq!(ask(&sandbox, &token, &[]).status, 200);
    let without = with(&target(&job), &job.request_token).json()["value"].as_str().unwrap().to_owned();
    assert_eq!(ask(&sandbox, &without, &[]).element("Message"), "Incorrect token audience");
    let other = sandbox.begin_github_job();
    for (target, token) in [(&asked, "wrong"), (&asked, &other.request_token), (&target(&other), &job.request_token)] {
        assert_eq!(with(target, token).status, 401);
    }
    assert_eq!(get(&sandbox, &asked).status, 401);
    let (bare, _) = asked.split_once('?').unwrap();
    assert_eq!(with(bare, &job.request_token).status, 400);
    sandbox.end_github_jobs();
    assert_eq!(with(&asked, &job.request_token).status, 401);
    assert_eq!(sandbox.calls(Operation::GithubIdToken), 8);
}
