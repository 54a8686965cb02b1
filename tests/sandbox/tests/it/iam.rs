//! IAM: a user's access keys.

use std::time::Duration;

use tegata_sandbox::{AccessKey, IssuedCredentials, Sandbox};

use crate::client::{Answer, StsRequest, admin};

const ALICE: &str = "arn:aws:iam::123456789012:user/team/alice";
const BOB: &str = "arn:aws:iam::123456789012:user/bob";
const STRANGER: &str = "arn:aws:iam::210987654321:user/alice";
const PHONE: &str = "arn:aws:iam::123456789012:mfa/alice";

fn refusal(answer: &Answer) -> (u16, String) {
    (answer.status, answer.element("Code"))
}

fn credentials_of(sandbox: &Sandbox, arn: &str, key: &AccessKey) -> IssuedCredentials {
    let users = sandbox.iam_users();
    IssuedCredentials::of_key(users.iter().find(|user| user.arn == arn).unwrap(), key)
}

fn ready() -> (Sandbox, IssuedCredentials) {
    let sandbox = Sandbox::start().unwrap();
    for arn in [ALICE, BOB, STRANGER] {
        sandbox.add_iam_user(arn).unwrap();
    }
    let key = sandbox.create_access_key(ALICE).unwrap();
    let alice = credentials_of(&sandbox, ALICE, &key);
    (sandbox, alice)
}

fn iam(credentials: &IssuedCredentials, action: &str) -> StsRequest {
    StsRequest::iam(credentials, action)
}

/// The key that an accepted CreateAccessKey told of.
fn made(sandbox: &Sandbox, answer: &Answer) -> IssuedCredentials {
    assert_eq!(answer.status, 200, "{}", answer.text());
    let id = answer.element("AccessKeyId");
    let key = sandbox.iam_users()[0].key(&id).unwrap().clone();
    assert_eq!(answer.element("SecretAccessKey"), key.secret);
    credentials_of(sandbox, ALICE, &key)
}

#[test]
fn a_key_makes_the_second_and_there_is_no_third() {
    let (sandbox, alice) = ready();
    let answer = iam(&alice, "CreateAccessKey").send(&sandbox);
    assert_eq!((answer.element("UserName"), answer.element("Status")), ("alice".to_owned(), "Active".to_owned()));
    let second = made(&sandbox, &answer);
    assert_eq!(StsRequest::identity(&second).send(&sandbox).element("Arn"), ALICE);
    let third = iam(&second, "CreateAccessKey").send(&sandbox);
    assert_eq!(refusal(&third), (409, "LimitExceeded".to_owned()));
    let listed = iam(&alice, "ListAccessKeys").send(&sandbox);
    let text = listed.text();
    assert!(text.contains(&alice.access_key_id) && text.contains(&second.access_key_id), "{text}");
    assert!(!text.contains(&second.secret_access_key) && listed.element("IsTruncated") == "false", "{text}");
}

#[test]
fn a_listing_comes_in_pages() {
    let (sandbox, alice) = ready();
    sandbox.create_access_key(ALICE).unwrap();
    sandbox.configure(|settings| settings.page_size = 1);
    let first = iam(&alice, "ListAccessKeys").send(&sandbox);
    assert_eq!(
        (first.element("IsTruncated").as_str(), first.element("AccessKeyId")),
        ("true", alice.access_key_id.clone())
    );
    let rest = iam(&alice, "ListAccessKeys").with("Marker", &first.element("Marker")).send(&sandbox);
    assert_eq!(rest.element("IsTruncated"), "false");
    assert_ne!(rest.element("AccessKeyId"), alice.access_key_id);
}

#[test]
fn a_new_key_is_unknown_until_aws_has_heard_of_it() {
    let (sandbox, alice) = ready();
    sandbox.configure(|settings| settings.new_key_delay = Duration::from_secs(10));
    let new = made(&sandbox, &iam(&alice, "CreateAccessKey").send(&sandbox));
    let early = StsRequest::identity(&new).send(&sandbox);
    assert_eq!(refusal(&early), (403, "InvalidClientTokenId".to_owned()));
    sandbox.advance(Duration::from_secs(10));
    let later = StsRequest { age: -10, ..StsRequest::identity(&new) };
    assert_eq!(later.send(&sandbox).element("Arn"), ALICE);
}

#[test]
fn a_key_is_switched_off_and_on_and_deleted() {
    let (sandbox, alice) = ready();
    let second = made(&sandbox, &iam(&alice, "CreateAccessKey").send(&sandbox));
    let id = alice.access_key_id.clone();
    let set =
        |status: &str| iam(&second, "UpdateAccessKey").with("AccessKeyId", &id).with("Status", status).send(&sandbox);
    assert_eq!(set("Inactive").status, 200);
    assert_eq!(refusal(&iam(&alice, "ListAccessKeys").send(&sandbox)), (403, "InvalidClientTokenId".to_owned()));
    assert_eq!(set("Active").status, 200);
    assert_eq!(iam(&alice, "ListAccessKeys").send(&sandbox).status, 200);
    assert_eq!(refusal(&set("Perhaps")), (400, "ValidationError".to_owned()));
    let delete = || iam(&second, "DeleteAccessKey").with("AccessKeyId", &id).send(&sandbox);
    assert_eq!(delete().status, 200);
    assert_eq!(refusal(&delete()), (404, "NoSuchEntity".to_owned()));
    assert_eq!(refusal(&set("Active")), (404, "NoSuchEntity".to_owned()));
}

#[test]
fn the_last_use_of_a_key_is_told_within_its_account() {
    let (sandbox, alice) = ready();
    let bobs = sandbox.create_access_key(BOB).unwrap();
    let strangers = sandbox.create_access_key(STRANGER).unwrap();
    let used = |id: &str| iam(&alice, "GetAccessKeyLastUsed").with("AccessKeyId", id).send(&sandbox);
    let never = used(&bobs.id);
    assert_eq!((never.element("UserName"), never.element("ServiceName")), ("bob".to_owned(), "N/A".to_owned()));
    assert!(!never.text().contains("LastUsedDate"));
    StsRequest::identity(&credentials_of(&sandbox, BOB, &bobs)).send(&sandbox);
    let since = used(&bobs.id);
    assert_eq!((since.element("ServiceName"), since.element("Region")), ("sts".to_owned(), "us-east-1".to_owned()));
    assert!(since.text().contains("<LastUsedDate>20"));
    assert_eq!(refusal(&used(&strangers.id)), (404, "NoSuchEntity".to_owned()));
}

#[test]
fn a_user_is_told_of_by_name_or_by_its_key() {
    let (sandbox, alice) = ready();
    let own = iam(&alice, "GetUser").send(&sandbox);
    assert_eq!((own.element("Arn"), own.element("Path")), (ALICE.to_owned(), "/team/".to_owned()));
    assert_eq!(iam(&alice, "GetUser").with("UserName", "bob").send(&sandbox).element("Arn"), BOB);
    assert_eq!(
        refusal(&iam(&alice, "GetUser").with("UserName", "eve").send(&sandbox)),
        (404, "NoSuchEntity".to_owned())
    );
}

#[test]
fn a_session_without_mfa_may_not_call_iam_and_a_role_names_the_user() {
    let (sandbox, alice) = ready();
    sandbox.enable_mfa(ALICE, PHONE).unwrap();
    let session = |request: StsRequest| {
        assert_eq!(request.send(&sandbox).status, 200);
        sandbox.issued_credentials().pop().unwrap()
    };
    let bare = session(StsRequest::new(&alice, "GetSessionToken"));
    assert_eq!(refusal(&iam(&bare, "ListAccessKeys").send(&sandbox)), (403, "InvalidClientTokenId".to_owned()));
    let code = sandbox.mfa_code(PHONE).unwrap();
    let asked = StsRequest::new(&alice, "GetSessionToken").with("SerialNumber", PHONE).with("TokenCode", &code);
    assert_eq!(iam(&session(asked), "ListAccessKeys").send(&sandbox).status, 200);
    let role = admin(&sandbox);
    assert_eq!(refusal(&iam(&role, "ListAccessKeys").send(&sandbox)), (400, "ValidationError".to_owned()));
    let named = iam(&role, "ListAccessKeys").with("UserName", "alice").send(&sandbox);
    assert_eq!(named.element("AccessKeyId"), alice.access_key_id);
}

#[test]
fn iam_is_one_service_in_one_region_and_knows_policies() {
    let (sandbox, alice) = ready();
    let at = |host: &str, region: &'static str| {
        let asked = StsRequest { region, host: Some(host.to_owned()), ..iam(&alice, "ListAccessKeys") };
        refusal(&asked.send(&sandbox))
    };
    assert_eq!(at("iam.amazonaws.com", "us-east-1").0, 200);
    assert_eq!(at("iam.amazonaws.com", "eu-west-1"), (403, "SignatureDoesNotMatch".to_owned()));
    assert_eq!(at("iam.cn-north-1.amazonaws.com.cn", "cn-north-1"), (403, "InvalidClientTokenId".to_owned()));
    assert_eq!(StsRequest { region: "eu-west-1", ..iam(&alice, "ListAccessKeys") }.send(&sandbox).status, 200);
    let sts = StsRequest { service: "sts", ..iam(&alice, "ListAccessKeys") };
    assert_eq!(refusal(&sts.send(&sandbox)), (403, "SignatureDoesNotMatch".to_owned()));
    assert_eq!(refusal(&iam(&alice, "DeleteUser").send(&sandbox)), (400, "InvalidAction".to_owned()));
    let strange = iam(&alice, "ListAccessKeys").with("Usrname", "alice");
    assert_eq!(refusal(&strange.send(&sandbox)), (400, "ValidationError".to_owned()));
    sandbox.deny_iam_user(ALICE, &["iam:CreateAccessKey"]).unwrap();
    assert_eq!(refusal(&iam(&alice, "CreateAccessKey").send(&sandbox)), (403, "AccessDenied".to_owned()));
    assert_eq!(iam(&alice, "ListAccessKeys").send(&sandbox).status, 200);
}
