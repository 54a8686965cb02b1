//! CreateToken with a code or a refresh token, and what becomes of sign-in sessions.

use std::time::Duration;

use serde_json::{Value, json};
use tegata_sandbox::{RefreshReuse, Sandbox};

use crate::client::{Answer, Client, REDIRECT, Tokens, VERIFIER, registration, role_credentials};

const INVALID_GRANT: (u16, &str) = (400, "InvalidGrantException");
const INVALID_REQUEST: (u16, &str) = (400, "InvalidRequestException");

/// The answer to a code grant with one member changed.
fn with(change: impl Fn(&mut Value)) -> Answer {
    let sandbox = Sandbox::start().unwrap();
    let client = Client::registered(&sandbox);
    let code = client.code(&sandbox);
    let mut grant = json!({
        "grantType": "authorization_code", "code": code, "redirectUri": REDIRECT, "codeVerifier": VERIFIER,
    });
    change(&mut grant);
    client.token(&sandbox, &grant)
}

#[test]
fn a_code_with_its_verifier_gives_bearer_tokens() {
    let answer = with(|_| {}).json();
    assert_eq!((&answer["tokenType"], &answer["expiresIn"]), (&json!("Bearer"), &json!(3600)));
    assert!(answer["accessToken"].is_string() && answer["refreshToken"].is_string());
}

#[test]
fn the_scope_member_changes_nothing() {
    assert_eq!(with(|grant| grant["scope"] = json!(["sso:account:access"])).status, 200);
}

#[test]
fn code_redirect_uri_and_verifier_must_all_fit() {
    assert_eq!(with(|grant| grant["code"] = "unknown".into()).refusal(), INVALID_GRANT);
    let other_port = "http://127.0.0.1:40124/oauth/callback";
    assert_eq!(with(|grant| grant["redirectUri"] = other_port.into()).refusal(), INVALID_GRANT);
    let registered = "http://127.0.0.1/oauth/callback";
    assert_eq!(with(|grant| grant["redirectUri"] = registered.into()).refusal(), INVALID_GRANT);
    assert_eq!(with(|grant| grant["codeVerifier"] = "a".repeat(43).into()).refusal(), INVALID_GRANT);
}

#[test]
fn missing_members_and_impossible_verifiers_are_bad_requests() {
    for name in ["code", "redirectUri", "codeVerifier"] {
        assert_eq!(
            with(|grant| drop(grant.as_object_mut().unwrap().remove(name))).refusal(),
            INVALID_REQUEST,
            "{name}"
        );
    }
    for verifier in ["a".repeat(42), "a".repeat(129), format!("{} ", "a".repeat(43))] {
        assert_eq!(with(|grant| grant["codeVerifier"] = verifier.clone().into()).refusal(), INVALID_REQUEST);
    }
}

#[test]
fn a_code_is_used_once_and_its_reuse_ends_what_it_began() {
    let sandbox = Sandbox::start().unwrap();
    let client = Client::registered(&sandbox);
    let code = client.code(&sandbox);
    let tokens = Tokens::of(&client.redeem(&sandbox, &code));
    assert_eq!(role_credentials(&sandbox, &tokens.access, "Admin").status, 200);
    assert_eq!(client.redeem(&sandbox, &code).refusal(), INVALID_GRANT);
    assert_eq!(role_credentials(&sandbox, &tokens.access, "Admin").status, 401);
    assert_eq!(client.refresh(&sandbox, &tokens.refresh).refusal(), INVALID_GRANT);
}

#[test]
fn a_wrong_verifier_does_not_spend_the_code() {
    let sandbox = Sandbox::start().unwrap();
    let client = Client::registered(&sandbox);
    let code = client.code(&sandbox);
    let guess = json!({
        "grantType": "authorization_code", "code": code, "redirectUri": REDIRECT, "codeVerifier": "x".repeat(64),
    });
    assert_eq!(client.token(&sandbox, &guess).refusal(), INVALID_GRANT);
    assert_eq!(client.redeem(&sandbox, &code).status, 200);
}

#[test]
fn a_code_expires() {
    let sandbox = Sandbox::start().unwrap();
    sandbox.configure(|settings| settings.lifetimes.authorization_code = Duration::from_millis(60_500));
    let client = Client::registered(&sandbox);
    let (early, late) = (client.code(&sandbox), client.code(&sandbox));
    sandbox.advance(Duration::from_secs(50));
    assert_eq!(client.redeem(&sandbox, &early).status, 200);
    sandbox.advance(Duration::from_secs(11));
    assert_eq!(client.redeem(&sandbox, &late).refusal(), INVALID_GRANT);
}

#[test]
fn a_code_belongs_to_the_client_it_was_granted_to() {
    let sandbox = Sandbox::start().unwrap();
    let client = Client::registered(&sandbox);
    let code = client.code(&sandbox);
    assert_eq!(Client::registered(&sandbox).redeem(&sandbox, &code).refusal(), INVALID_GRANT);
    assert_eq!(client.redeem(&sandbox, &code).status, 200);
}

#[test]
fn unknown_and_unregistered_grant_types_are_told_apart() {
    let sandbox = Sandbox::start().unwrap();
    let client = Client::registered(&sandbox);
    let unknown = client.token(&sandbox, &json!({"grantType": "password"}));
    assert_eq!(unknown.refusal(), (400, "UnsupportedGrantTypeException"));
    let device_only = json!({"clientName": "n", "clientType": "public", "scopes": ["sso:account:access"]});
    let device_only = Client::with(&sandbox, &device_only);
    assert_eq!(device_only.redeem(&sandbox, "x").refusal(), (400, "UnauthorizedClientException"));
    assert_eq!(client.redeem(&sandbox, "x").refusal(), INVALID_GRANT);
}

#[test]
fn without_scopes_there_is_no_refresh_token() {
    let sandbox = Sandbox::start().unwrap();
    sandbox.configure(|settings| settings.device.approval = tegata_sandbox::DeviceApproval::AfterPolls(0));
    let device = |registration: Value| {
        let client = Client::with(&sandbox, &registration);
        client.poll(&sandbox, &client.start_device(&sandbox)).json()
    };
    let legacy = device(json!({"clientName": "n", "clientType": "public"}));
    assert!(legacy["accessToken"].is_string() && legacy["refreshToken"].is_null());
    assert!(device(registration())["refreshToken"].is_string());
}

#[test]
fn strict_reuse_is_refused_and_revokes_the_family() {
    let sandbox = Sandbox::start().unwrap();
    let client = Client::registered(&sandbox);
    let first = client.sign_in(&sandbox);
    let second = Tokens::of(&client.refresh(&sandbox, &first.refresh));
    assert_eq!(role_credentials(&sandbox, &second.access, "Admin").status, 200);
    let reuse = client.refresh(&sandbox, &first.refresh);
    assert_eq!(reuse.refusal(), INVALID_GRANT);
    assert_eq!(reuse.json()["error_description"], "Invalid refresh token provided");
    assert_eq!(client.refresh(&sandbox, &second.refresh).refusal(), INVALID_GRANT);
    assert_eq!(role_credentials(&sandbox, &second.access, "Admin").status, 401);
}

#[test]
fn tolerant_reuse_is_accepted_within_its_time() {
    let sandbox = Sandbox::start().unwrap();
    sandbox.configure(|settings| settings.refresh_reuse = RefreshReuse::TolerantFor(Duration::from_secs(60)));
    let client = Client::registered(&sandbox);
    let first = client.sign_in(&sandbox);
    let lost = Tokens::of(&client.refresh(&sandbox, &first.refresh));
    let kept = Tokens::of(&client.refresh(&sandbox, &first.refresh));
    assert!(lost.refresh != kept.refresh);
    assert_eq!(role_credentials(&sandbox, &kept.access, "Admin").status, 200);
    sandbox.advance(Duration::from_secs(61));
    assert_eq!(client.refresh(&sandbox, &first.refresh).refusal(), INVALID_GRANT);
}

#[test]
fn tolerant_reuse_can_end_with_the_use_of_the_new_token() {
    let sandbox = Sandbox::start().unwrap();
    sandbox.configure(|settings| settings.refresh_reuse = RefreshReuse::TolerantUntilNewIsUsed);
    let client = Client::registered(&sandbox);
    let first = client.sign_in(&sandbox);
    let second = Tokens::of(&client.refresh(&sandbox, &first.refresh));
    assert_eq!(client.refresh(&sandbox, &first.refresh).status, 200);
    assert_eq!(client.refresh(&sandbox, &second.refresh).status, 200);
    assert_eq!(client.refresh(&sandbox, &first.refresh).refusal(), INVALID_GRANT);
}

#[test]
fn without_rotation_the_old_token_stays() {
    let sandbox = Sandbox::start().unwrap();
    sandbox.configure(|settings| settings.refresh_rotation = false);
    let client = Client::registered(&sandbox);
    let first = client.sign_in(&sandbox);
    for _ in 0..3 {
        let answer = client.refresh(&sandbox, &first.refresh);
        assert!(answer.json()["refreshToken"].is_null());
    }
}

#[test]
fn refresh_works_until_the_sign_in_session_is_over() {
    let sandbox = Sandbox::start().unwrap();
    let client = Client::registered(&sandbox);
    let first = client.sign_in(&sandbox);
    sandbox.advance(Duration::from_secs(7 * 3600));
    let second = Tokens::of(&client.refresh(&sandbox, &first.refresh));
    sandbox.advance(Duration::from_secs(3600));
    assert_eq!(client.refresh(&sandbox, &second.refresh).refusal(), INVALID_GRANT);
}

#[test]
fn a_refresh_token_can_expire_before_its_session() {
    let sandbox = Sandbox::start().unwrap();
    sandbox.configure(|settings| settings.lifetimes.refresh_token = Duration::from_secs(600));
    let client = Client::registered(&sandbox);
    let (early, late) = (client.sign_in(&sandbox), client.sign_in(&sandbox));
    sandbox.advance(Duration::from_secs(500));
    assert_eq!(client.refresh(&sandbox, &early.refresh).status, 200);
    sandbox.advance(Duration::from_secs(100));
    assert_eq!(client.refresh(&sandbox, &late.refresh).refusal(), INVALID_GRANT);
    assert_eq!(role_credentials(&sandbox, &late.access, "Admin").status, 200);
}

#[test]
fn an_administrator_ends_every_sign_in_session() {
    let sandbox = Sandbox::start().unwrap();
    let client = Client::registered(&sandbox);
    let tokens = client.sign_in(&sandbox);
    sandbox.end_sign_in_sessions();
    assert_eq!(role_credentials(&sandbox, &tokens.access, "Admin").refusal(), (401, "UnauthorizedException"));
    assert_eq!(client.refresh(&sandbox, &tokens.refresh).refusal(), INVALID_GRANT);
    let anew = client.sign_in(&sandbox);
    assert_eq!(role_credentials(&sandbox, &anew.access, "Admin").status, 200);
}

#[test]
fn forgotten_access_tokens_leave_the_refresh_token_good() {
    let sandbox = Sandbox::start().unwrap();
    let client = Client::registered(&sandbox);
    let tokens = client.sign_in(&sandbox);
    sandbox.forget_access_tokens();
    assert_eq!(role_credentials(&sandbox, &tokens.access, "Admin").status, 401);
    let renewed = Tokens::of(&client.refresh(&sandbox, &tokens.refresh));
    assert_eq!(role_credentials(&sandbox, &renewed.access, "Admin").status, 200);
}

#[test]
fn forgotten_registrations_are_invalid_clients() {
    let sandbox = Sandbox::start().unwrap();
    let client = Client::registered(&sandbox);
    let tokens = client.sign_in(&sandbox);
    sandbox.forget_registrations();
    assert_eq!(client.refresh(&sandbox, &tokens.refresh).refusal(), (401, "InvalidClientException"));
}
