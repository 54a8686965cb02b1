//! From the browser to the last credentials of a login.

use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use serde_json::{Value, json};
use tegata_sandbox::{Effect, Fault, Operation, Sandbox, TokenBucket};

use super::{
    ALICE, CROSS_DEVICE, INVALID, OVER, authorize, authorize_fields, authorized_with, client, code, code_grant, error,
    issued, redeemed_with, refresh_token, token,
};
use crate::client::{REDIRECT, StsRequest, get, string};

#[test]
fn a_correct_request_is_redirected_with_code_and_state() {
    let answer = authorized_with("", None);
    assert_eq!((answer.status, answer.redirected("state").as_deref()), (302, Some("state-1")));
    assert!(answer.header("location").starts_with(&format!("{REDIRECT}?code=")));
}

#[test]
fn every_parameter_of_the_authorization_is_checked() {
    for (name, wrong) in [
        ("response_type", "token"),
        ("client_id", "arn:aws:signin:::devtools/other"),
        ("code_challenge_method", "S256"),
        ("scope", "openid profile"),
        ("redirect_uri", "http://localhost:40123/oauth/callback"),
        ("code_challenge", "short"),
        ("state", ""),
        ("scopes", "openid"),
    ] {
        assert_eq!(authorized_with(name, Some(wrong)).refusal(), INVALID, "{name}={wrong}");
    }
    for (name, _) in authorize_fields() {
        assert_eq!(authorized_with(name, None).refusal(), INVALID, "without {name}");
    }
}

#[test]
fn whoever_refuses_in_the_browser_sends_the_error_back() {
    let sandbox = Sandbox::start().unwrap();
    let refused = Some(("access_denied".to_owned(), "no & never".to_owned()));
    sandbox.configure(|settings| settings.console_login.refuse = refused);
    let answer = authorize(&sandbox, &authorize_fields());
    assert_eq!(answer.redirected("error").as_deref(), Some("access_denied"));
    assert_eq!(answer.redirected("error_description").as_deref(), Some("no & never"));
    assert_eq!(answer.redirected("code"), None);
}

#[test]
fn a_code_with_verifier_and_proof_gives_credentials_for_fifteen_minutes() {
    let sandbox = Sandbox::start().unwrap();
    let answer = client(1).redeem(&sandbox, &code(&sandbox));
    assert_eq!(answer.status, 200, "{}", answer.text());
    let body = answer.json();
    assert_eq!((&body["tokenType"], &body["expiresIn"]), (&json!("aws_sigv4"), &json!(900)));
    let id_token = string(&body["idToken"]);
    let payload = URL_SAFE_NO_PAD.decode(id_token.split('.').nth(1).unwrap()).unwrap();
    assert_eq!(serde_json::from_slice::<Value>(&payload).unwrap()["sub"], ALICE);
    let keys = issued(&sandbox);
    assert_eq!(body["accessToken"]["accessKeyId"], keys.access_key_id.as_str());
    assert_eq!(StsRequest::identity(&keys).send(&sandbox).element("Arn"), ALICE);
    sandbox.advance(Duration::from_secs(900));
    assert_eq!(StsRequest { age: -900, ..StsRequest::identity(&keys) }.send(&sandbox).status, 403);
}

#[test]
fn code_redirect_uri_and_verifier_must_all_fit() {
    let unknown = redeemed_with(|_, _, body| body["code"] = "unknown".into());
    assert_eq!((unknown.refusal(), error(&unknown).as_str()), (OVER, "AUTHCODE_EXPIRED"));
    for (member, wrong) in [
        ("redirectUri", "http://127.0.0.1:40124/oauth/callback"),
        ("codeVerifier", &"a".repeat(43)),
        ("codeVerifier", &"a".repeat(42)),
        ("codeVerifier", &format!("{} ", "a".repeat(43))),
        ("clientId", "other"),
        ("grantType", "password"),
        ("refreshToken", "x"),
        ("unknown", "x"),
    ] {
        assert_eq!(redeemed_with(|_, _, body| body[member] = wrong.into()).refusal(), INVALID, "{member}={wrong}");
    }
    let other = redeemed_with(|_, _, body| body["clientId"] = CROSS_DEVICE.into());
    assert_eq!(other.refusal(), OVER);
}

#[test]
fn a_code_is_used_once_and_not_late() {
    let (sandbox, client) = (Sandbox::start().unwrap(), client(1));
    let (once, late) = (code(&sandbox), code(&sandbox));
    let token = refresh_token(&client.redeem(&sandbox, &once));
    assert_eq!(error(&client.redeem(&sandbox, &once)), "AUTHCODE_EXPIRED");
    assert_eq!(error(&client.refresh(&sandbox, &token)), "TOKEN_EXPIRED", "the reuse ended what the first use began");
    sandbox.advance(Duration::from_secs(60));
    assert_eq!(error(&client.redeem(&sandbox, &late)), "AUTHCODE_EXPIRED");
}

#[test]
fn a_refresh_rotates_the_token_and_names_nobody() {
    let (sandbox, client) = (Sandbox::start().unwrap(), client(1));
    let first = client.log_in(&sandbox);
    let before = issued(&sandbox);
    let answer = client.refresh(&sandbox, &first);
    let body = answer.json();
    assert!(body["idToken"].is_null() && body["refreshToken"] != first.as_str(), "{body}");
    let after = issued(&sandbox);
    assert_ne!(before.access_key_id, after.access_key_id);
    assert_eq!(StsRequest::identity(&after).send(&sandbox).element("Arn"), ALICE);
    assert_eq!(client.refresh(&sandbox, &refresh_token(&answer)).status, 200);
    assert_eq!(sandbox.logins()[0].renewals, 2);
}

#[test]
fn a_reused_refresh_token_is_refused_and_ends_the_login() {
    let (sandbox, client) = (Sandbox::start().unwrap(), client(1));
    let first = client.log_in(&sandbox);
    let second = refresh_token(&client.refresh(&sandbox, &first));
    let reused = client.refresh(&sandbox, &first);
    assert_eq!((reused.refusal(), error(&reused).as_str()), (OVER, "TOKEN_EXPIRED"));
    assert_eq!(client.refresh(&sandbox, &second).refusal(), OVER);
    assert!(sandbox.logins()[0].ended);
}

#[test]
fn a_refresh_with_another_key_is_refused() {
    let (sandbox, alice, mallory) = (Sandbox::start().unwrap(), client(1), client(2));
    let first = alice.log_in(&sandbox);
    assert_eq!(mallory.refresh(&sandbox, &first).refusal(), OVER);
    assert_eq!(alice.refresh(&sandbox, &first).status, 200, "it was not spent by the wrong key");
}

#[test]
fn a_login_is_over_after_twelve_hours_and_its_last_credentials_end_with_it() {
    let (sandbox, client) = (Sandbox::start().unwrap(), client(1));
    sandbox.configure(|settings| settings.console_login.proof_skew = Duration::from_secs(13 * 3600));
    let mut token = client.log_in(&sandbox);
    sandbox.advance(Duration::from_secs(12 * 3600 - 300));
    let answer = client.refresh(&sandbox, &token);
    let left = answer.json()["expiresIn"].as_i64().unwrap();
    assert!((290..=300).contains(&left), "{left}");
    token = refresh_token(&answer);
    sandbox.advance(Duration::from_secs(300));
    let over = client.refresh(&sandbox, &token);
    assert_eq!((over.refusal(), error(&over).as_str()), (OVER, "TOKEN_EXPIRED"));
}

#[test]
fn credentials_never_live_longer_than_fifteen_minutes() {
    let sandbox = Sandbox::start().unwrap();
    sandbox.configure(|settings| settings.console_login.credentials = Duration::from_secs(3600));
    assert_eq!(client(1).redeem(&sandbox, &code(&sandbox)).json()["expiresIn"], 900);
    sandbox.configure(|settings| settings.console_login.credentials = Duration::from_secs(20));
    assert_eq!(client(1).redeem(&sandbox, &code(&sandbox)).json()["expiresIn"], 20);
}

#[test]
fn changed_credentials_missing_permissions_too_many_requests_and_failures_come_on_demand() {
    let (sandbox, client) = (Sandbox::start().unwrap(), client(1));
    let token = client.log_in(&sandbox);
    for (status, code, exception, named) in [
        (403, "USER_CREDENTIALS_CHANGED", "AccessDeniedException", "USER_CREDENTIALS_CHANGED"),
        (403, "INSUFFICIENT_PERMISSIONS", "AccessDeniedException", "INSUFFICIENT_PERMISSIONS"),
        (429, "TooManyRequestsError", "TooManyRequestsError", "INVALID_REQUEST"),
        (500, "server_error", "InternalServerException", "server_error"),
    ] {
        let effect =
            Effect::Error { status, code: code.to_owned(), message: "on demand".to_owned(), retry_after: None };
        sandbox.fault(Fault::on(Operation::CreateOAuth2TokenRefreshToken, effect).times(1));
        let answer = client.refresh(&sandbox, &token);
        assert_eq!((answer.refusal(), error(&answer).as_str()), ((status, exception), named));
        sandbox.clear_faults();
    }
    let bucket = TokenBucket { capacity: 0.0, refill_per_second: 1.0 };
    sandbox.configure(|settings| settings.throttle = [(Operation::CreateOAuth2TokenRefreshToken, bucket)].into());
    let answer = client.refresh(&sandbox, &token);
    assert_eq!((answer.refusal(), answer.header("retry-after")), ((429, "TooManyRequestsError"), "1"));
    sandbox.configure(|settings| settings.throttle.clear());
    let token = refresh_token(&client.refresh(&sandbox, &token));
    sandbox.end_logins();
    let changed = client.refresh(&sandbox, &token);
    assert_eq!((changed.refusal().0, error(&changed).as_str()), (403, "USER_CREDENTIALS_CHANGED"));
}

#[test]
fn a_code_is_carried_over_from_another_device() {
    let (sandbox, client) = (Sandbox::start().unwrap(), client(1));
    let confirmation = format!("{}/v1/sessions/confirmation", sandbox.url());
    let mut fields = authorize_fields();
    fields.retain(|(name, _)| !["client_id", "redirect_uri"].contains(name));
    fields.extend([("client_id", CROSS_DEVICE.to_owned()), ("redirect_uri", confirmation.clone())]);
    let answer = authorize(&sandbox, &fields);
    let code = answer.redirected("code").unwrap();
    let page = get(&sandbox, answer.header("location").strip_prefix(&sandbox.url()).unwrap());
    assert!(page.text().contains(&STANDARD.encode(format!("state=state-1&code={code}"))), "{}", page.text());
    let mut body = code_grant(&code);
    body["clientId"] = CROSS_DEVICE.into();
    body["redirectUri"] = confirmation.into();
    assert_eq!(token(&sandbox, &client.proof(&sandbox), &body).status, 200);
    assert_eq!(get(&sandbox, "/v1/sessions/confirmation?code=x&state=y").refusal(), INVALID);
    for elsewhere in [REDIRECT, "https://evil.example/v1/sessions/confirmation"] {
        fields.retain(|(name, _)| *name != "redirect_uri");
        fields.push(("redirect_uri", elsewhere.to_owned()));
        assert_eq!(authorize(&sandbox, &fields).refusal(), INVALID, "{elsewhere}");
    }
}
