//! IAM users at STS: long-term keys, their sessions, MFA devices.

use std::time::Duration;

use serde_json::json;
use tegata_sandbox::{AccessKey, IamRole, IssuedCredentials, Operation, Sandbox};

use crate::client::{Answer, StsRequest, admin, get, send};

const ALICE: &str = "arn:aws:iam::123456789012:user/team/alice";
const ROOT: &str = "arn:aws:iam::123456789012:root";
const PHONE: &str = "arn:aws:iam::123456789012:mfa/alice";
const DEPLOY: &str = "arn:aws:iam::210987654321:role/Deploy";
const STEP: Duration = Duration::from_secs(30);

fn refusal(answer: &Answer) -> (u16, String, String) {
    (answer.status, answer.element("Code"), answer.element("Message"))
}

fn is_denied(answer: &Answer, how: &str) {
    let (status, code, message) = refusal(answer);
    assert!((status, code.as_str()) == (403, "AccessDenied") && message.contains(how), "{status} {code} {message}");
}

fn credentials_of(sandbox: &Sandbox, arn: &str, key: &AccessKey) -> IssuedCredentials {
    let users = sandbox.iam_users();
    IssuedCredentials::of_key(users.iter().find(|user| user.arn == arn).unwrap(), key)
}

/// A sandbox where Alice has a key and a phone, at the start of a step.
fn ready() -> (Sandbox, IssuedCredentials) {
    let sandbox = Sandbox::start().unwrap();
    sandbox.move_clock(30_000 - sandbox.now_ms().rem_euclid(30_000));
    sandbox.add_iam_user(ALICE).unwrap();
    sandbox.enable_mfa(ALICE, PHONE).unwrap();
    let key = sandbox.create_access_key(ALICE).unwrap();
    let credentials = credentials_of(&sandbox, ALICE, &key);
    (sandbox, credentials)
}

fn session(credentials: &IssuedCredentials) -> StsRequest {
    StsRequest::new(credentials, "GetSessionToken")
}

fn with_code(sandbox: &Sandbox, request: StsRequest) -> StsRequest {
    request.with("SerialNumber", PHONE).with("TokenCode", &sandbox.mfa_code(PHONE).unwrap())
}

/// The credentials of a request that succeeds.
fn issued(sandbox: &Sandbox, request: &StsRequest) -> IssuedCredentials {
    let answer = request.send(sandbox);
    assert_eq!(answer.status, 200, "{}", answer.text());
    sandbox.issued_credentials().pop().unwrap()
}

#[test]
fn a_key_speaks_for_its_user_and_its_use_is_noted() {
    let (sandbox, alice) = ready();
    let answer = StsRequest::identity(&alice).send(&sandbox);
    assert_eq!((answer.element("Arn").as_str(), answer.element("Account").as_str()), (ALICE, "123456789012"));
    let user = sandbox.iam_users().remove(0);
    assert_eq!(answer.element("UserId"), user.user_id);
    let last = user.keys[0].last_used.clone().unwrap();
    assert_eq!((last.service.as_str(), last.region.as_str()), ("sts", "us-east-1"));
}

#[test]
fn an_inactive_or_deleted_key_is_unknown_and_a_refused_use_is_not_noted() {
    let (sandbox, alice) = ready();
    let id = alice.access_key_id.clone();
    sandbox.set_access_key_active(ALICE, &id, false).unwrap();
    let asked = || refusal(&StsRequest::identity(&alice).send(&sandbox));
    assert_eq!((asked().0, asked().1.as_str()), (403, "InvalidClientTokenId"));
    assert_eq!(sandbox.iam_users()[0].keys[0].last_used, None);
    sandbox.set_access_key_active(ALICE, &id, true).unwrap();
    assert_eq!(asked().0, 200);
    sandbox.delete_access_key(ALICE, &id).unwrap();
    assert_eq!((asked().0, asked().1.as_str()), (403, "InvalidClientTokenId"));
}

#[test]
fn a_session_outlives_the_key_it_was_made_with_but_not_its_own_time() {
    let (sandbox, alice) = ready();
    let session = issued(&sandbox, &session(&alice).with("DurationSeconds", "900"));
    sandbox.delete_access_key(ALICE, &alice.access_key_id).unwrap();
    assert_eq!(StsRequest::identity(&session).send(&sandbox).element("Arn"), ALICE);
    sandbox.advance(Duration::from_secs(900));
    let later = StsRequest { age: -900, ..StsRequest::identity(&session) };
    assert_eq!(later.send(&sandbox).element("Code"), "ExpiredToken");
}

#[test]
fn a_session_token_lasts_from_900_to_129600_seconds_and_half_a_day_when_nothing_is_said() {
    let (sandbox, alice) = ready();
    let life = |seconds: &str| {
        let made = issued(&sandbox, &session(&alice).with("DurationSeconds", seconds));
        (made.expires_ms - sandbox.now_ms() + 1500) / 1000
    };
    assert!((899..=901).contains(&life("900")) && (129_599..=129_601).contains(&life("129600")));
    let half_a_day = issued(&sandbox, &session(&alice)).expires_ms - sandbox.now_ms();
    assert!((43_190_000..=43_200_000).contains(&half_a_day), "{half_a_day}");
    for seconds in ["899", "129601"] {
        let refused = session(&alice).with("DurationSeconds", seconds).send(&sandbox);
        assert_eq!((refused.status, refused.element("Code").as_str()), (400, "ValidationError"), "{seconds}");
    }
    let record = sandbox.user_sessions().remove(0);
    assert_eq!((record.user.as_str(), record.signed_with, record.duration_seconds), (ALICE, alice.access_key_id, 900));
}

#[test]
fn roots_session_lasts_an_hour_and_root_assumes_no_role() {
    let sandbox = Sandbox::start().unwrap();
    sandbox.add_iam_user(ROOT).unwrap();
    let root = credentials_of(&sandbox, ROOT, &sandbox.create_access_key(ROOT).unwrap());
    assert_eq!(StsRequest::identity(&root).send(&sandbox).element("Arn"), ROOT);
    let life = issued(&sandbox, &session(&root).with("DurationSeconds", "7200")).expires_ms - sandbox.now_ms();
    assert!((3_590_000..=3_600_000).contains(&life), "{life}");
    is_denied(&StsRequest::assume(&root, DEPLOY).send(&sandbox), "root accounts");
}

#[test]
fn only_long_term_keys_make_a_session() {
    let (sandbox, alice) = ready();
    let made = issued(&sandbox, &session(&alice));
    for caller in [made, admin(&sandbox)] {
        is_denied(&session(&caller).send(&sandbox), "Cannot call GetSessionToken with session credentials");
    }
}

#[test]
fn a_session_asks_who_it_is_and_assumes_roles_and_no_more() {
    let (sandbox, alice) = ready();
    let made = issued(&sandbox, &session(&alice));
    assert_eq!(StsRequest::identity(&made).send(&sandbox).status, 200);
    assert_eq!(StsRequest::assume(&made, DEPLOY).send(&sandbox).status, 200);
    is_denied(&StsRequest::new(&made, "GetFederationToken").send(&sandbox), "Cannot call GetFederationToken");
    let by_key = StsRequest::new(&alice, "GetFederationToken").send(&sandbox);
    assert_eq!(by_key.element("Code"), "InvalidAction", "which this double does not have");
}

#[test]
fn iam_is_open_to_a_key_a_role_and_a_session_with_mfa() {
    let (sandbox, alice) = ready();
    assert!(alice.may_call_iam() && admin(&sandbox).may_call_iam());
    assert!(!issued(&sandbox, &session(&alice)).may_call_iam());
    assert!(issued(&sandbox, &with_code(&sandbox, session(&alice))).may_call_iam());
}

#[test]
fn a_code_buys_one_session_and_the_next_one_waits_for_the_next_step() {
    let (sandbox, alice) = ready();
    let request = with_code(&sandbox, session(&alice));
    assert!(issued(&sandbox, &request).principal.mfa);
    is_denied(&request.send(&sandbox), "MultiFactorAuthentication failed with invalid MFA one time pass code.");
    sandbox.advance(STEP);
    assert!(issued(&sandbox, &with_code(&sandbox, session(&alice))).principal.mfa);
    assert_eq!(sandbox.user_sessions()[1].serial_number.as_deref(), Some(PHONE));
}

#[test]
fn a_code_is_taken_one_step_late_but_not_two() {
    let (sandbox, alice) = ready();
    let (late, later) = (with_code(&sandbox, session(&alice)), with_code(&sandbox, session(&alice)));
    sandbox.advance(STEP);
    assert_eq!(late.send(&sandbox).status, 200);
    sandbox.advance(STEP);
    is_denied(&later.send(&sandbox), "invalid MFA one time pass code");
}

#[test]
fn a_wrong_code_a_strangers_device_and_half_of_the_two_are_refused() {
    let (sandbox, alice) = ready();
    let code = sandbox.mfa_code(PHONE).unwrap();
    let wrong = if code == "000000" { "000001" } else { "000000" };
    let request = || session(&alice);
    is_denied(&request().with("SerialNumber", PHONE).with("TokenCode", wrong).send(&sandbox), "invalid MFA");
    let stranger = request().with("SerialNumber", "arn:aws:iam::123456789012:mfa/bob").with("TokenCode", &code);
    is_denied(&stranger.send(&sandbox), "invalid MFA");
    for half in [request().with("SerialNumber", PHONE), request().with("TokenCode", &code)] {
        is_denied(&half.send(&sandbox), "must provide both MFA serial number and one time pass code");
    }
    assert_eq!(with_code(&sandbox, request()).send(&sandbox).status, 200, "none of them spent it");
}

#[test]
fn a_role_may_require_mfa_by_session_or_by_code() {
    let (sandbox, alice) = ready();
    sandbox.configure(|settings| settings.iam_roles[0].trust.requires_mfa = true);
    is_denied(&StsRequest::assume(&alice, DEPLOY).send(&sandbox), "sts:AssumeRole");
    is_denied(&StsRequest::assume(&issued(&sandbox, &session(&alice)), DEPLOY).send(&sandbox), "sts:AssumeRole");
    assert_eq!(with_code(&sandbox, StsRequest::assume(&alice, DEPLOY)).send(&sandbox).status, 200);
    sandbox.advance(STEP);
    let with_mfa = issued(&sandbox, &with_code(&sandbox, session(&alice)));
    let role = issued(&sandbox, &StsRequest::assume(&with_mfa, DEPLOY));
    assert!(!role.principal.mfa, "a role's session has no MFA of its own");
    let next = "arn:aws:iam::210987654321:role/Next";
    sandbox.configure(|settings| {
        let mut role = IamRole::new(next, &[DEPLOY]);
        role.trust.requires_mfa = true;
        settings.iam_roles.push(role);
    });
    is_denied(&StsRequest::assume(&role, next).send(&sandbox), "sts:AssumeRole");
}

#[test]
fn a_session_brings_no_code() {
    let (sandbox, alice) = ready();
    let made = issued(&sandbox, &session(&alice));
    is_denied(&with_code(&sandbox, StsRequest::assume(&made, DEPLOY)).send(&sandbox), "invalid MFA");
}

#[test]
fn a_role_behind_a_user_is_not_chained_and_the_next_one_is() {
    let (sandbox, alice) = ready();
    let next = "arn:aws:iam::210987654321:role/Next";
    sandbox.configure(|settings| settings.iam_roles.push(IamRole::new(next, &[DEPLOY])));
    let made = issued(&sandbox, &session(&alice));
    for caller in [&alice, &made] {
        let four_hours = StsRequest::assume(caller, DEPLOY).with("DurationSeconds", "14400");
        let role = issued(&sandbox, &four_hours);
        let chained = StsRequest::assume(&role, next).with("DurationSeconds", "3601").send(&sandbox);
        assert!(chained.element("Message").contains("role chaining"), "{}", chained.text());
    }
    let longer = StsRequest::assume(&alice, DEPLOY).with("DurationSeconds", "14401").send(&sandbox);
    assert!(longer.element("Message").contains("MaxSessionDuration"), "{}", longer.text());
}

#[test]
fn a_users_policy_and_a_roles_trust_both_have_to_allow() {
    let (sandbox, alice) = ready();
    assert_eq!(StsRequest::assume(&alice, DEPLOY).send(&sandbox).status, 200);
    sandbox.deny_iam_user(ALICE, &["sts:AssumeRole"]).unwrap();
    is_denied(&StsRequest::assume(&alice, DEPLOY).send(&sandbox), "sts:AssumeRole");
    sandbox.deny_iam_user(ALICE, &[]).unwrap();
    let bobs = IamRole::new(DEPLOY, &["arn:aws:iam::123456789012:user/bob"]);
    sandbox.configure(|settings| settings.iam_roles = vec![bobs]);
    is_denied(&StsRequest::assume(&alice, DEPLOY).send(&sandbox), "sts:AssumeRole");
    sandbox.configure(|settings| settings.iam_roles = vec![IamRole::new(DEPLOY, &[ALICE])]);
    assert_eq!(StsRequest::assume(&alice, DEPLOY).send(&sandbox).status, 200);
}

#[test]
fn a_long_term_key_with_a_session_token_is_refused() {
    let (sandbox, mut alice) = ready();
    alice.session_token = "IQoJb3JpZ2luX2VjE".to_owned();
    assert_eq!(StsRequest::identity(&alice).send(&sandbox).element("Code"), "InvalidClientTokenId");
}

#[test]
fn the_control_api_makes_users_and_shows_codes() {
    let sandbox = Sandbox::start().unwrap();
    sandbox.move_clock(30_000 - sandbox.now_ms().rem_euclid(30_000));
    let order = json!({"arn": ALICE, "mfa_serial": PHONE}).to_string();
    let post = |path: &str, body: &str| send(&sandbox, "POST", path, &[], body.as_bytes());
    let made = post("/_control/iam-users", &order).json();
    assert_eq!(made["keys"][0]["secret"], sandbox.iam_users()[0].keys[0].secret);
    assert_eq!(post("/_control/iam-users", &order).status, 400, "a second time");
    let code = post("/_control/mfa-codes", &json!({"serial": PHONE}).to_string()).json();
    assert_eq!(code["code"], sandbox.mfa_code(PHONE).unwrap());
    let alice = credentials_of(&sandbox, ALICE, &sandbox.iam_users()[0].keys[0]);
    issued(&sandbox, &session(&alice));
    assert_eq!(get(&sandbox, "/_control/user-sessions").json()[0]["user"], ALICE);
    assert_eq!(sandbox.calls(Operation::GetSessionToken), 1);
}
