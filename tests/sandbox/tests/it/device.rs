//! The device flow. Time passes by moving the sandbox's clock.

use std::time::Duration;

use serde_json::json;
use tegata_sandbox::{Decision, DeviceApproval, START_URL, Sandbox};

use crate::client::{Client, Tokens, get, post, post_form, role_credentials, string};

const PENDING: (u16, &str) = (400, "AuthorizationPendingException");
const INTERVAL: Duration = Duration::from_secs(1);

fn sandbox(approval: DeviceApproval) -> Sandbox {
    let sandbox = Sandbox::start().unwrap();
    sandbox.configure(|settings| settings.device.approval = approval);
    sandbox
}

#[test]
fn the_answer_names_code_page_life_and_interval() {
    let sandbox = Sandbox::start().unwrap();
    let device = Client::registered(&sandbox).start_device(&sandbox);
    let user_code = string(&device["userCode"]);
    assert_eq!(string(&device["verificationUri"]), format!("{}/device", sandbox.url()));
    assert_eq!(string(&device["verificationUriComplete"]), format!("{}/device?user_code={user_code}", sandbox.url()));
    assert_eq!((&device["expiresIn"], &device["interval"]), (&json!(600), &json!(1)));
}

#[test]
fn a_code_is_pending_for_the_stated_polls_and_then_good_once() {
    let sandbox = sandbox(DeviceApproval::AfterPolls(2));
    let client = Client::registered(&sandbox);
    let device = client.start_device(&sandbox);
    for _ in 0..2 {
        assert_eq!(client.poll(&sandbox, &device).refusal(), PENDING);
        sandbox.advance(INTERVAL);
    }
    let tokens = Tokens::of(&client.poll(&sandbox, &device));
    assert!(!tokens.refresh.is_empty());
    assert_eq!(role_credentials(&sandbox, &tokens.access, "Admin").status, 200);
    sandbox.advance(INTERVAL);
    assert_eq!(client.poll(&sandbox, &device).refusal(), (400, "InvalidGrantException"));
}

#[test]
fn polls_closer_than_the_interval_slow_down_by_five_seconds() {
    let sandbox = sandbox(DeviceApproval::Page);
    let client = Client::registered(&sandbox);
    let device = client.start_device(&sandbox);
    assert_eq!(client.poll(&sandbox, &device).refusal(), PENDING);
    assert_eq!(client.poll(&sandbox, &device).refusal(), (400, "SlowDownException"));
    sandbox.advance(Duration::from_secs(5));
    assert_eq!(client.poll(&sandbox, &device).refusal(), (400, "SlowDownException"), "the interval is six seconds now");
    sandbox.advance(Duration::from_secs(11));
    assert_eq!(client.poll(&sandbox, &device).refusal(), PENDING);
}

#[test]
fn an_interval_left_unsaid_is_five_seconds() {
    let sandbox = sandbox(DeviceApproval::Page);
    sandbox.configure(|settings| settings.device.states_interval = false);
    let client = Client::registered(&sandbox);
    let device = client.start_device(&sandbox);
    assert!(device["interval"].is_null());
    assert_eq!(client.poll(&sandbox, &device).refusal(), PENDING);
    sandbox.advance(Duration::from_secs(4));
    assert_eq!(client.poll(&sandbox, &device).refusal(), (400, "SlowDownException"));
}

#[test]
fn a_code_dies_after_600_seconds() {
    let sandbox = sandbox(DeviceApproval::AfterPolls(0));
    let client = Client::registered(&sandbox);
    let (late, in_time) = (client.start_device(&sandbox), client.start_device(&sandbox));
    sandbox.advance(Duration::from_secs(595));
    assert_eq!(client.poll(&sandbox, &in_time).status, 200);
    sandbox.advance(Duration::from_secs(5));
    assert_eq!(client.poll(&sandbox, &late).refusal(), (400, "ExpiredTokenException"));
}

#[test]
fn a_denied_code_is_access_denied() {
    let sandbox = sandbox(DeviceApproval::Denied);
    let client = Client::registered(&sandbox);
    let device = client.start_device(&sandbox);
    assert_eq!(client.poll(&sandbox, &device).refusal(), (400, "AccessDeniedException"));
}

#[test]
fn a_code_belongs_to_the_client_that_asked() {
    let sandbox = sandbox(DeviceApproval::AfterPolls(0));
    let client = Client::registered(&sandbox);
    let device = client.start_device(&sandbox);
    let other = Client::registered(&sandbox);
    assert_eq!(other.poll(&sandbox, &device).refusal(), (400, "InvalidGrantException"));
    assert_eq!(other.poll(&sandbox, &json!({"deviceCode": "unknown"})).refusal(), (400, "InvalidGrantException"));
    assert_eq!(client.poll(&sandbox, &device).status, 200);
}

#[test]
fn a_person_decides_on_the_page() {
    let sandbox = sandbox(DeviceApproval::Page);
    let client = Client::registered(&sandbox);
    let device = client.start_device(&sandbox);
    assert_eq!(client.poll(&sandbox, &device).refusal(), PENDING);
    let user_code = string(&device["userCode"]);
    let page = get(&sandbox, &format!("/device?user_code={user_code}")).text();
    assert!(page.contains(&format!("value=\"{user_code}\"")));
    let typed = user_code.to_lowercase();
    let fields = [("user_code", typed.as_str()), ("user", "bob"), ("decision", "allow")];
    assert_eq!(post_form(&sandbox, "/device", &fields).status, 200);
    assert_eq!(post_form(&sandbox, "/device", &fields).status, 404, "decided once");
    sandbox.advance(INTERVAL);
    let tokens = Tokens::of(&client.poll(&sandbox, &device));
    role_credentials(&sandbox, &tokens.access, "Admin");
    assert!(sandbox.issued_credentials()[0].principal.arn.ends_with("/bob"));
}

#[test]
fn the_control_api_decides_like_a_person() {
    let sandbox = sandbox(DeviceApproval::Page);
    let client = Client::registered(&sandbox);
    let device = client.start_device(&sandbox);
    assert!(!sandbox.decide_device("AAAA-AAAA", &Decision::Deny));
    assert!(sandbox.decide_device(&string(&device["userCode"]), &Decision::Deny));
    assert_eq!(client.poll(&sandbox, &device).refusal(), (400, "AccessDeniedException"));
    assert_eq!(sandbox.device_authorizations()[0].decision, Some(Decision::Deny));
}

#[test]
fn the_verification_page_can_be_forced_to_a_hostile_host() {
    let sandbox = Sandbox::start().unwrap();
    sandbox.configure(|settings| settings.device.verification_uri = Some("https://evil.example/x".to_owned()));
    let device = Client::registered(&sandbox).start_device(&sandbox);
    assert_eq!(device["verificationUri"], "https://evil.example/x");
    assert!(string(&device["verificationUriComplete"]).starts_with("https://evil.example/x?user_code="));
}

#[test]
fn start_url_and_grant_are_checked() {
    let sandbox = Sandbox::start().unwrap();
    let client = Client::registered(&sandbox);
    let unknown = client.body(&json!({"startUrl": "https://d-0000000000.awsapps.com/start"}));
    assert_eq!(post(&sandbox, "/device_authorization", &unknown).refusal(), (400, "InvalidRequestException"));
    let missing = client.body(&json!({}));
    assert_eq!(post(&sandbox, "/device_authorization", &missing).refusal(), (400, "InvalidRequestException"));
    let mut browser_only = crate::client::registration();
    browser_only["grantTypes"] = json!(["authorization_code", "refresh_token"]);
    let body = Client::with(&sandbox, &browser_only).body(&json!({"startUrl": START_URL}));
    assert_eq!(post(&sandbox, "/device_authorization", &body).refusal(), (400, "UnauthorizedClientException"));
}
