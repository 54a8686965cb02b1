//! Faults, holds and limits, as a client meets them.

use std::time::Duration;

use serde_json::json;
use tegata_sandbox::{Effect, Fault, HoldUntil, Operation, Sandbox, TokenBucket};

use crate::client::{Client, StsRequest, Tokens, admin, open, portal, read, role_credentials, signed_in};

const ACCOUNTS: &str = "/assignment/accounts";
const DEADLINE: Duration = Duration::from_secs(20);

fn error(status: u16, code: &str, message: &str) -> Effect {
    Effect::Error { status, code: code.to_owned(), message: message.to_owned(), retry_after: None }
}

#[test]
fn the_nth_call_answers_an_error_in_the_services_own_form() {
    let sandbox = Sandbox::start().unwrap();
    let access = signed_in(&sandbox).access;
    let text = "\u{1b}]52;c;x\u{7} \u{1b}[2J \u{202e}";
    sandbox.fault(Fault::on(Operation::ListAccounts, error(503, "ServiceUnavailable", text)).skip(1).times(1));
    let answers: Vec<u16> = (0..3).map(|_| portal(&sandbox, &access, ACCOUNTS).status).collect();
    assert_eq!(answers, [200, 503, 200]);
    sandbox.fault(Fault::on(Operation::ListAccounts, error(401, "UnauthorizedException", text)));
    let answer = portal(&sandbox, &access, ACCOUNTS);
    assert_eq!(answer.refusal(), (401, "UnauthorizedException"));
    assert_eq!(answer.json()["message"], text);
    sandbox.clear_faults();
    assert_eq!(portal(&sandbox, &access, ACCOUNTS).status, 200);
}

#[test]
fn sts_and_oidc_errors_keep_their_forms() {
    let sandbox = Sandbox::start().unwrap();
    let credentials = admin(&sandbox);
    sandbox.fault(Fault::on(Operation::GetCallerIdentity, error(500, "InternalFailure", "x")));
    let answer = StsRequest::identity(&credentials).send(&sandbox);
    assert_eq!(
        (answer.sts_refusal(), answer.element("Type")),
        ((500, "InternalFailure".to_owned()), "Receiver".to_owned())
    );
    sandbox.fault(Fault::on(Operation::CreateTokenRefreshToken, error(400, "InvalidGrantException", "x")));
    let answer = Client::registered(&sandbox).refresh(&sandbox, "x");
    assert_eq!(answer.json(), json!({"error": "invalid_grant", "error_description": "x"}));
}

#[test]
fn the_error_type_tail_can_be_left_out() {
    let sandbox = Sandbox::start().unwrap();
    let client = Client::registered(&sandbox);
    let with_tail = client.refresh(&sandbox, "x");
    assert!(
        with_tail.header("x-amzn-errortype").starts_with("InvalidGrantException:http://internal.amazon.com/coral/")
    );
    sandbox.configure(|settings| settings.error_type_tail = false);
    assert_eq!(client.refresh(&sandbox, "x").header("x-amzn-errortype"), "InvalidGrantException");
}

#[test]
fn bodies_can_be_garbage_huge_or_anything() {
    let sandbox = Sandbox::start().unwrap();
    let access = signed_in(&sandbox).access;
    let next = |effect: Effect| {
        sandbox.clear_faults();
        sandbox.fault(Fault::on(Operation::ListAccounts, effect));
        portal(&sandbox, &access, ACCOUNTS)
    };
    let garbage = next(Effect::Garbage);
    assert!(garbage.status == 200 && std::str::from_utf8(&garbage.body).is_err());
    assert_eq!(next(Effect::Huge { bytes: 10 << 20 }).body.len(), 10 << 20);
    let page = next(Effect::Answer { status: 502, content_type: "text/html".to_owned(), body: "<h1>".to_owned() });
    assert_eq!((page.status, page.text().as_str()), (502, "<h1>"));
    let redirect = next(Effect::Redirect { location: "http://127.0.0.1:9/".to_owned() });
    assert_eq!((redirect.status, redirect.header("location")), (302, "http://127.0.0.1:9/"));
    let typed = next(Effect::ContentType("text/html".to_owned()));
    assert_eq!(typed.header("content-type"), "text/html");
    assert!(typed.json()["accountList"].is_array(), "the real body under a wrong name");
}

#[test]
fn a_cut_body_is_shorter_than_its_length_says() {
    let sandbox = Sandbox::start().unwrap();
    let access = signed_in(&sandbox).access;
    sandbox.fault(Fault::on(Operation::ListAccounts, Effect::CutBody));
    let answer = portal(&sandbox, &access, ACCOUNTS);
    let promised: usize = answer.header("content-length").parse().unwrap();
    assert!(!answer.body.is_empty() && answer.body.len() < promised);
}

#[test]
fn a_lost_answer_has_done_its_work() {
    let sandbox = Sandbox::start().unwrap();
    let client = Client::registered(&sandbox);
    let tokens = client.sign_in(&sandbox);
    sandbox.fault(Fault::on(Operation::CreateTokenRefreshToken, Effect::LoseAnswer).times(1));
    let body = client.body(&json!({"grantType": "refresh_token", "refreshToken": tokens.refresh}));
    let headers = [("content-type", "application/json")];
    assert!(read(open(&sandbox, "POST", "/token", &headers, &serde_json::to_vec(&body).unwrap())).is_err());
    let again = client.refresh(&sandbox, &tokens.refresh);
    assert_eq!(again.refusal(), (400, "InvalidGrantException"), "the token was spent");
}

#[test]
fn a_trickle_arrives_whole_in_the_end() {
    let sandbox = Sandbox::start().unwrap();
    let access = signed_in(&sandbox).access;
    sandbox.fault(Fault::on(Operation::ListAccounts, Effect::Trickle { bytes: 16, every_ms: 1 }));
    assert!(portal(&sandbox, &access, ACCOUNTS).json()["accountList"].is_array());
    sandbox.clear_faults();
    sandbox.fault(Fault::on(Operation::ListAccounts, Effect::Delay { ms: 1 }));
    assert_eq!(portal(&sandbox, &access, ACCOUNTS).status, 200);
}

#[test]
fn a_hanging_call_never_answers_and_harms_no_other() {
    let sandbox = Sandbox::start().unwrap();
    let access = signed_in(&sandbox).access;
    sandbox.fault(Fault::on(Operation::ListAccounts, Effect::Hang).times(1));
    let hanging = open(&sandbox, "GET", ACCOUNTS, &[("x-amz-sso_bearer_token", &access)], b"");
    assert!(sandbox.wait_for_calls(Operation::ListAccounts, 1, DEADLINE));
    assert_eq!(portal(&sandbox, &access, ACCOUNTS).status, 200);
    hanging.set_nonblocking(true).unwrap();
    assert_eq!(read(hanging).unwrap_err().kind(), std::io::ErrorKind::WouldBlock);
    assert_eq!(sandbox.requests_of(Operation::ListAccounts)[0].status, None);
}

#[test]
fn held_requests_wait_for_each_other() {
    let sandbox = Sandbox::start().unwrap();
    let access = signed_in(&sandbox).access;
    let ask = || open(&sandbox, "GET", ACCOUNTS, &[("x-amz-sso_bearer_token", &access)], b"");
    sandbox.hold(Operation::ListAccounts, HoldUntil::Waiting(50));
    let waiting: Vec<_> = (0..49).map(|_| ask()).collect();
    assert!(sandbox.wait_for_waiting(Operation::ListAccounts, 49, DEADLINE));
    let last = read(ask()).unwrap();
    assert_eq!(last.status, 200);
    assert!(waiting.into_iter().all(|stream| read(stream).unwrap().status == 200));
    assert_eq!(sandbox.calls(Operation::ListAccounts), 50);
}

#[test]
fn held_requests_wait_for_the_word() {
    let sandbox = Sandbox::start().unwrap();
    let access = signed_in(&sandbox).access;
    sandbox.hold(Operation::GetRoleCredentials, HoldUntil::Released);
    let target = "/federation/credentials?account_id=123456789012&role_name=Admin";
    let held = open(&sandbox, "GET", target, &[("x-amz-sso_bearer_token", &access)], b"");
    assert!(sandbox.wait_for_waiting(Operation::GetRoleCredentials, 1, DEADLINE));
    assert!(sandbox.issued_credentials().is_empty(), "nothing is done while it waits");
    assert!(sandbox.release(Operation::GetRoleCredentials));
    assert_eq!(read(held).unwrap().status, 200);
    assert_eq!(role_credentials(&sandbox, &access, "Admin").status, 200);
}

#[test]
fn a_client_that_hangs_up_is_not_waiting_any_more() {
    let sandbox = Sandbox::start().unwrap();
    sandbox.hold(Operation::ListAccounts, HoldUntil::Released);
    let held = open(&sandbox, "GET", ACCOUNTS, &[], b"");
    assert!(sandbox.wait_for_waiting(Operation::ListAccounts, 1, DEADLINE));
    drop(held);
    assert!(sandbox.wait_until_nobody_waits(Operation::ListAccounts, DEADLINE));
}

#[test]
fn too_many_requests_are_told_when_to_come_back() {
    let sandbox = Sandbox::start().unwrap();
    let access = signed_in(&sandbox).access;
    let bucket = TokenBucket { capacity: 2.0, refill_per_second: 0.1 };
    sandbox.configure(|settings| settings.throttle = [(Operation::ListAccounts, bucket)].into());
    let ask = || portal(&sandbox, &access, ACCOUNTS);
    assert_eq!((ask().status, ask().status), (200, 200));
    let limited = ask();
    assert_eq!(limited.refusal(), (429, "TooManyRequestsException"));
    let seconds: u64 = limited.header("retry-after").parse().unwrap();
    assert!((1..=10).contains(&seconds));
    assert_eq!(role_credentials(&sandbox, &access, "Admin").status, 200, "other operations have their own bucket");
    sandbox.advance(Duration::from_secs(seconds));
    assert_eq!(ask().status, 200);
}

#[test]
fn a_limited_sts_says_throttling() {
    let sandbox = Sandbox::start().unwrap();
    let credentials = admin(&sandbox);
    let bucket = TokenBucket { capacity: 0.0, refill_per_second: 1.0 };
    sandbox.configure(|settings| settings.throttle = [(Operation::GetCallerIdentity, bucket)].into());
    let answer = StsRequest::identity(&credentials).send(&sandbox);
    assert_eq!(answer.sts_refusal(), (400, "Throttling".to_owned()));
}

#[test]
fn a_transient_refusal_spends_nothing() {
    let sandbox = Sandbox::start().unwrap();
    let client = Client::registered(&sandbox);
    let tokens = client.sign_in(&sandbox);
    let transient = error(400, "InvalidGrantException", "Invalid refresh token provided");
    sandbox.fault(Fault::on(Operation::CreateTokenRefreshToken, transient).times(1));
    assert_eq!(client.refresh(&sandbox, &tokens.refresh).status, 400);
    assert!(!Tokens::of(&client.refresh(&sandbox, &tokens.refresh)).access.is_empty());
}
