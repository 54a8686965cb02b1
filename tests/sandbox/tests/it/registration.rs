//! RegisterClient.

use std::time::Duration;

use serde_json::{Value, json};
use tegata_sandbox::Sandbox;

use crate::client::{Client, post, registration, send};

fn refused(change: impl Fn(&mut Value)) -> (u16, String) {
    let sandbox = Sandbox::start().unwrap();
    let mut body = registration();
    change(&mut body);
    let answer = post(&sandbox, "/client/register", &body);
    let (status, exception) = answer.refusal();
    (status, exception.to_owned())
}

fn bad_request(exception: &str) -> (u16, String) {
    (400, exception.to_owned())
}

#[test]
fn a_registration_has_an_id_a_secret_and_ninety_days_in_seconds() {
    let sandbox = Sandbox::start().unwrap();
    let answer = post(&sandbox, "/client/register", &registration()).json();
    let (issued, expires) =
        (answer["clientIdIssuedAt"].as_i64().unwrap(), answer["clientSecretExpiresAt"].as_i64().unwrap());
    assert_eq!(expires - issued, 90 * 24 * 3600);
    assert!((issued - sandbox.now_ms() / 1000).abs() <= 5, "epoch seconds, not milliseconds");
}

#[test]
fn two_registrations_share_nothing() {
    let sandbox = Sandbox::start().unwrap();
    let (one, other) = (Client::registered(&sandbox), Client::registered(&sandbox));
    assert!(one.id != other.id && one.secret != other.secret);
    let mixed = Client { id: one.id, secret: other.secret };
    assert_eq!(mixed.refresh(&sandbox, "x").refusal(), (401, "InvalidClientException"));
}

#[test]
fn what_a_legacy_device_client_sends_is_accepted() {
    let sandbox = Sandbox::start().unwrap();
    let client = Client::with(&sandbox, &json!({"clientName": "botocore-client-1", "clientType": "public"}));
    client.start_device(&sandbox);
}

#[test]
fn name_and_type_are_required() {
    let without = |name: &'static str| refused(move |body| drop(body.as_object_mut().unwrap().remove(name)));
    assert_eq!(without("clientName"), bad_request("InvalidRequestException"));
    assert_eq!(without("clientType"), bad_request("InvalidRequestException"));
    assert_eq!(refused(|body| body["clientName"] = "".into()), bad_request("InvalidRequestException"));
}

#[test]
fn only_public_clients_register() {
    assert_eq!(
        refused(|body| body["clientType"] = "confidential".into()),
        bad_request("InvalidClientMetadataException")
    );
}

#[test]
fn unknown_grant_types_are_refused() {
    assert_eq!(refused(|body| body["grantTypes"] = json!(["password"])), bad_request("UnsupportedGrantTypeException"));
    assert_eq!(refused(|body| body["grantTypes"] = json!([])), bad_request("InvalidRequestException"));
}

#[test]
fn a_browser_client_needs_redirect_uris_and_an_issuer() {
    assert_eq!(refused(|body| body["redirectUris"] = json!([])), bad_request("InvalidRequestException"));
    assert_eq!(
        refused(|body| drop(body.as_object_mut().unwrap().remove("issuerUrl"))),
        bad_request("InvalidRequestException")
    );
}

#[test]
fn redirect_uris_are_https_or_loopback() {
    assert_eq!(
        refused(|body| body["redirectUris"] = json!(["http://evil.example/cb"])),
        bad_request("InvalidRedirectUriException")
    );
}

#[test]
fn an_issuer_nobody_knows_is_refused() {
    let elsewhere = |body: &mut Value| body["issuerUrl"] = "https://d-0000000000.awsapps.com/start".into();
    assert_eq!(refused(elsewhere), bad_request("InvalidRequestException"));
}

#[test]
fn an_entitled_application_is_named_by_its_arn() {
    assert_eq!(refused(|body| body["entitledApplicationArn"] = "app".into()), bad_request("InvalidRequestException"));
    let arn = "arn:aws:sso::123456789012:application/ssoins-1/apl-1";
    assert_eq!(refused(|body| body["entitledApplicationArn"] = arn.into()), (200, String::new()));
}

#[test]
fn scopes_are_words() {
    assert_eq!(refused(|body| body["scopes"] = json!(["two words"])), bad_request("InvalidScopeException"));
}

#[test]
fn misspelt_members_and_other_formats_are_refused() {
    assert_eq!(refused(|body| body["client_name"] = "x".into()), bad_request("InvalidRequestException"));
    let sandbox = Sandbox::start().unwrap();
    let body = serde_json::to_vec(&registration()).unwrap();
    for (content_type, body) in [("application/x-www-form-urlencoded", body.as_slice()), ("application/json", b"{")] {
        let answer = send(&sandbox, "POST", "/client/register", &[("content-type", content_type)], body);
        assert_eq!(answer.refusal(), (400, "InvalidRequestException"));
    }
    let accepted =
        send(&sandbox, "POST", "/client/register", &[("content-type", "application/json; charset=utf-8")], &body);
    assert_eq!(accepted.status, 200);
}

#[test]
fn a_client_is_known_until_its_registration_expires() {
    let sandbox = Sandbox::start().unwrap();
    sandbox.configure(|settings| settings.lifetimes.registration = Duration::from_secs(100));
    let client = Client::registered(&sandbox);
    assert_eq!(client.refresh(&sandbox, "x").refusal(), (400, "InvalidGrantException"));
    sandbox.advance(Duration::from_secs(101));
    assert_eq!(client.refresh(&sandbox, "x").refusal(), (401, "InvalidClientException"));
    assert_eq!(client.authorize(&sandbox).refusal(), (401, "InvalidClientException"));
}

#[test]
fn an_unknown_client_and_a_wrong_secret_are_refused_everywhere() {
    let sandbox = Sandbox::start().unwrap();
    let client = Client::registered(&sandbox);
    let stranger = Client { id: "nobody".to_owned(), ..client.clone() };
    let impostor = Client { secret: "wrong".to_owned(), ..client };
    for client in [stranger, impostor] {
        assert_eq!(client.refresh(&sandbox, "x").refusal(), (401, "InvalidClientException"));
        let body = client.body(&json!({"startUrl": tegata_sandbox::START_URL}));
        assert_eq!(post(&sandbox, "/device_authorization", &body).refusal(), (401, "InvalidClientException"));
    }
}

#[test]
fn a_client_registered_in_one_region_is_unknown_in_another() {
    let sandbox = Sandbox::start().unwrap();
    let mut body = registration();
    body["issuerUrl"] = tegata_sandbox::START_URL.into();
    let call = |region: &str, target: &str, body: &Value| {
        let host = format!("oidc.{region}.amazonaws.com");
        let headers = [("host", host.as_str()), ("content-type", "application/json")];
        send(&sandbox, "POST", target, &headers, &serde_json::to_vec(body).unwrap())
    };
    let answer = call("us-east-1", "/client/register", &body).json();
    let refresh = json!({
        "clientId": answer["clientId"], "clientSecret": answer["clientSecret"],
        "grantType": "refresh_token", "refreshToken": "x",
    });
    assert_eq!(call("us-east-1", "/token", &refresh).refusal(), (400, "InvalidGrantException"));
    assert_eq!(call("us-west-2", "/token", &refresh).refusal(), (401, "InvalidClientException"));
    assert_eq!(call("us-west-2", "/client/register", &body).refusal(), (400, "InvalidRequestException"));
}
