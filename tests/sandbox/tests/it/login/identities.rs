//! Who the credentials of a login are.

use tegata_sandbox::{IamRole, IssuedCredentials, Sandbox};

use super::{ALICE, client, issued};
use crate::client::StsRequest;

/// Signs in as this identity and returns the credentials.
fn keys_of(sandbox: &Sandbox, identity: &str) -> IssuedCredentials {
    sandbox.configure(|settings| settings.console_login.identity = identity.to_owned());
    client(1).log_in(sandbox);
    issued(sandbox)
}

#[test]
fn a_user_a_role_and_root_are_each_who_they_are() {
    for (arn, user_id) in [
        (ALICE, "AROA"),
        ("arn:aws:iam::123456789012:user/team/bob", "AIDA"),
        ("arn:aws:iam::123456789012:root", "123456789012"),
    ] {
        let sandbox = Sandbox::start().unwrap();
        let answer = StsRequest::identity(&keys_of(&sandbox, arn)).send(&sandbox);
        assert_eq!((answer.element("Arn").as_str(), answer.element("Account").as_str()), (arn, "123456789012"));
        assert!(answer.element("UserId").starts_with(user_id), "{}", answer.text());
    }
}

#[test]
fn a_role_from_a_role_is_chained_a_role_from_a_user_is_not_and_root_gets_none() {
    let sandbox = Sandbox::start().unwrap();
    let deploy = "arn:aws:iam::210987654321:role/Deploy";
    let role = IamRole::new(deploy, &["arn:aws:iam::123456789012:root"]);
    sandbox.configure(|settings| settings.iam_roles = vec![role]);
    let assume = |identity: &str, seconds: &str| {
        let keys = keys_of(&sandbox, identity);
        StsRequest::assume(&keys, deploy).with("DurationSeconds", seconds).send(&sandbox)
    };
    assert_eq!(assume(ALICE, "3600").status, 200);
    let chained = assume(ALICE, "3601");
    assert_eq!(chained.sts_refusal(), (400, "ValidationError".to_owned()));
    assert!(chained.text().contains("role chaining"), "{}", chained.text());
    assert_eq!(assume("arn:aws:iam::123456789012:user/bob", "7200").status, 200);
    assert_eq!(assume("arn:aws:iam::123456789012:root", "900").sts_refusal(), (403, "AccessDenied".to_owned()));
}
