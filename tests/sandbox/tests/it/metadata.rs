//! The instance metadata service and the ECS credentials endpoint.

use std::time::Duration;

use tegata_sandbox::{Sandbox, SecretKind};

use crate::client::{Answer, StsRequest, get, send};

const TOKEN: &str = "/latest/api/token";
const ROLE: &str = "/latest/meta-data/iam/security-credentials/";
const TTL: &str = "x-aws-ec2-metadata-token-ttl-seconds";

fn put(sandbox: &Sandbox, ttl: &str) -> Answer {
    send(sandbox, "PUT", TOKEN, &[(TTL, ttl)], b"")
}

fn ask(sandbox: &Sandbox, token: &str, target: &str) -> Answer {
    send(sandbox, "GET", target, &[("x-aws-ec2-metadata-token", token)], b"")
}

fn ready() -> (Sandbox, String) {
    let sandbox = Sandbox::start().unwrap();
    let token = put(&sandbox, "21600").text();
    (sandbox, token)
}

#[test]
fn an_instance_learns_its_role_its_credentials_and_where_it_is() {
    let (sandbox, token) = ready();
    assert_eq!(ask(&sandbox, &token, ROLE).text(), "Build");
    let answer = ask(&sandbox, &token, &format!("{ROLE}Build")).json();
    assert_eq!((answer["Code"].as_str(), answer["Type"].as_str()), (Some("Success"), Some("AWS-HMAC")));
    let issued = sandbox.issued_credentials().pop().unwrap();
    assert_eq!(answer["AccessKeyId"], issued.access_key_id.as_str());
    let arn = StsRequest::identity(&issued).send(&sandbox).element("Arn");
    assert_eq!(arn, "arn:aws:sts::123456789012:assumed-role/Build/i-0123456789abcdef0");
    assert_eq!(ask(&sandbox, &token, "/latest/meta-data/placement/region").text(), "eu-west-1");
    assert_eq!(ask(&sandbox, &token, "/latest/meta-data/placement/availability-zone/").text(), "eu-west-1a");
    let document = ask(&sandbox, &token, "/latest/dynamic/instance-identity/document").json();
    assert_eq!(document["region"], "eu-west-1");
    for unknown in ["/latest/meta-data/iam/security-credentials-extended/", &format!("{ROLE}Other")] {
        assert_eq!(ask(&sandbox, &token, unknown).status, 404, "{unknown}");
    }
}

#[test]
fn there_is_no_version_one() {
    let (sandbox, token) = ready();
    for target in [ROLE, &format!("{ROLE}Build"), "/latest/meta-data/placement/region"] {
        assert_eq!(get(&sandbox, target).status, 401, "{target}");
        assert_eq!(ask(&sandbox, "wrong", target).status, 401, "{target}");
        assert_eq!(ask(&sandbox, &token, target).status, 200, "{target}");
    }
}

#[test]
fn a_token_is_asked_for_as_documented_and_ends() {
    let (sandbox, _) = ready();
    for ttl in ["0", "21601", "-1", "x", ""] {
        assert_eq!(put(&sandbox, ttl).status, 400, "{ttl}");
    }
    assert_eq!(send(&sandbox, "PUT", TOKEN, &[], b"").status, 400);
    assert_eq!(send(&sandbox, "PUT", TOKEN, &[(TTL, "60"), ("x-forwarded-for", "1.2.3.4")], b"").status, 403);
    assert_eq!(send(&sandbox, "GET", TOKEN, &[(TTL, "60")], b"").status, 405);
    let answer = put(&sandbox, "60");
    assert_eq!((answer.status, answer.header(TTL)), (200, "60"));
    assert_eq!(ask(&sandbox, &answer.text(), ROLE).status, 200);
    sandbox.advance(Duration::from_secs(60));
    assert_eq!(ask(&sandbox, &answer.text(), ROLE).status, 401);
    assert_eq!(sandbox.minted_secrets()[0].kind, SecretKind::MetadataToken);
}

#[test]
fn an_instance_without_a_role_has_no_credentials() {
    let (sandbox, token) = ready();
    sandbox.configure(|settings| settings.instance.role_arn = None);
    assert_eq!(ask(&sandbox, &token, ROLE).status, 404);
}

#[test]
fn a_task_finds_its_credentials_at_its_own_path_only() {
    let (sandbox, _) = ready();
    let path = sandbox.settings().container.path;
    let answer = get(&sandbox, &path).json();
    assert_eq!(answer["RoleArn"], "arn:aws:iam::123456789012:role/Task");
    let issued = sandbox.issued_credentials().pop().unwrap();
    assert_eq!(answer["Token"], issued.session_token.as_str());
    for wrong in [format!("{path}x"), "/v2/credentials/".to_owned(), format!("{path}?x=1")] {
        assert_eq!(get(&sandbox, &wrong).status, 400, "{wrong}");
    }
    sandbox.configure(|settings| settings.container.authorization = Some("Basic abcd".to_owned()));
    assert_eq!(get(&sandbox, &path).status, 403);
    assert_eq!(send(&sandbox, "GET", &path, &[("authorization", "Basic abcd")], b"").status, 200);
}
