//! `/authorize`: the checks, the redirect, the consent page.

use tegata_sandbox::{Consent, Operation, Sandbox};

use crate::client::{Answer, Client, REDIRECT, Tokens, authorize, post_form, role_credentials};

/// The answer to an authorize request with one parameter changed, or removed.
fn with(name: &'static str, value: Option<&str>) -> Answer {
    let sandbox = Sandbox::start().unwrap();
    let mut fields = Client::registered(&sandbox).authorize_fields();
    fields.retain(|(known, _)| *known != name);
    if let Some(value) = value {
        fields.push((name, value.to_owned()));
    }
    authorize(&sandbox, &fields)
}

#[test]
fn a_correct_request_is_redirected_with_code_and_state() {
    let sandbox = Sandbox::start().unwrap();
    let answer = Client::registered(&sandbox).authorize(&sandbox);
    assert_eq!(answer.status, 302);
    assert!(answer.header("location").starts_with(&format!("{REDIRECT}?code=")));
    assert_eq!(answer.redirected("state").as_deref(), Some("state-1"));
    assert!(answer.redirected("code").unwrap().contains(tegata_sandbox::CANARY));
}

#[test]
fn a_state_comes_back_as_it_was_sent() {
    let state = "a b&c=d+e/é%";
    assert_eq!(with("state", Some(state)).redirected("state").as_deref(), Some(state));
}

#[test]
fn every_parameter_is_required() {
    for name in
        ["response_type", "client_id", "redirect_uri", "state", "code_challenge_method", "scopes", "code_challenge"]
    {
        assert_eq!(with(name, None).refusal(), (400, "InvalidRequestException"), "{name}");
        assert_eq!(with(name, Some("")).refusal(), (400, "InvalidRequestException"), "empty {name}");
    }
}

#[test]
fn only_code_with_s256_is_served() {
    assert_eq!(with("response_type", Some("token")).refusal(), (400, "InvalidRequestException"));
    assert_eq!(with("code_challenge_method", Some("plain")).refusal(), (400, "InvalidRequestException"));
    assert_eq!(with("code_challenge_method", Some("SHA-256")).refusal(), (400, "InvalidRequestException"));
    for challenge in ["short", &"a".repeat(44), &format!("{}=", "a".repeat(42))] {
        assert_eq!(with("code_challenge", Some(challenge)).refusal(), (400, "InvalidRequestException"), "{challenge}");
    }
}

#[test]
fn the_scope_parameter_is_plural_and_registered() {
    assert_eq!(with("scope", Some("sso:account:access")).refusal(), (400, "InvalidRequestException"));
    assert_eq!(with("scopes", Some("codewhisperer:completions")).refusal(), (400, "InvalidScopeException"));
    assert_eq!(with("scopes", Some("sso:account:access other")).refusal(), (400, "InvalidScopeException"));
}

#[test]
fn a_redirect_uri_matches_apart_from_the_loopback_port() {
    assert_eq!(with("redirect_uri", Some("http://127.0.0.1:1/oauth/callback")).status, 302);
    for uri in ["http://localhost:40123/oauth/callback", "http://127.0.0.1:40123/other", "https://evil.example/cb"] {
        let answer = with("redirect_uri", Some(uri));
        assert_eq!(answer.refusal(), (400, "InvalidRedirectUriException"), "{uri}");
        assert_eq!(answer.header("location"), "", "never redirects to an address it refuses");
    }
}

#[test]
fn a_repeated_parameter_is_refused() {
    let sandbox = Sandbox::start().unwrap();
    let mut fields = Client::registered(&sandbox).authorize_fields();
    fields.push(("state", "state-2".to_owned()));
    assert_eq!(authorize(&sandbox, &fields).refusal(), (400, "InvalidRequestException"));
}

#[test]
fn a_client_without_the_grant_may_not_authorize() {
    let sandbox = Sandbox::start().unwrap();
    let mut registration = crate::client::registration();
    registration["grantTypes"] = serde_json::json!(["refresh_token"]);
    let client = Client::with(&sandbox, &registration);
    assert_eq!(client.authorize(&sandbox).refusal(), (400, "UnauthorizedClientException"));
}

#[test]
fn a_refusal_on_demand_travels_in_the_redirect() {
    let sandbox = Sandbox::start().unwrap();
    let (error, description) = ("access_denied".to_owned(), "no <b>&</b> \u{1b}[2J".to_owned());
    sandbox.configure(|settings| settings.authorize = Consent::Refuse { error, description: description.clone() });
    let answer = Client::registered(&sandbox).authorize(&sandbox);
    assert_eq!(answer.status, 302);
    assert_eq!(answer.redirected("error").as_deref(), Some("access_denied"));
    assert_eq!(answer.redirected("error_description"), Some(description));
    assert_eq!((answer.redirected("state").as_deref(), answer.redirected("code")), (Some("state-1"), None));
}

/// Opens the consent page and gives the id its form carries.
fn consent(sandbox: &Sandbox, client: &Client) -> String {
    let page = client.authorize(sandbox);
    assert_eq!((page.status, page.header("content-type")), (200, "text/html; charset=utf-8"));
    let text = page.text();
    let after = text.split_once("name=\"consent\" value=\"").unwrap().1;
    after.split_once('"').unwrap().0.to_owned()
}

#[test]
fn a_person_who_clicks_allow_signs_in_as_whom_they_chose() {
    let sandbox = Sandbox::start().unwrap();
    sandbox.configure(|settings| settings.authorize = Consent::Page);
    let client = Client::registered(&sandbox);
    let id = consent(&sandbox, &client);
    let answer = post_form(&sandbox, "/authorize", &[("consent", &id), ("user", "bob"), ("decision", "allow")]);
    assert_eq!(answer.status, 303);
    let tokens = Tokens::of(&client.redeem(&sandbox, &answer.redirected("code").unwrap()));
    role_credentials(&sandbox, &tokens.access, "Admin");
    assert!(sandbox.issued_credentials()[0].principal.arn.ends_with("/bob"));
}

#[test]
fn a_person_who_clicks_deny_sends_access_denied() {
    let sandbox = Sandbox::start().unwrap();
    sandbox.configure(|settings| settings.authorize = Consent::Page);
    let id = consent(&sandbox, &Client::registered(&sandbox));
    let answer = post_form(&sandbox, "/authorize", &[("consent", &id), ("decision", "deny")]);
    assert_eq!(answer.redirected("error").as_deref(), Some("access_denied"));
    let again = post_form(&sandbox, "/authorize", &[("consent", &id), ("decision", "allow")]);
    assert_eq!(again.refusal(), (400, "InvalidRequestException"), "an answer is given once");
    assert_eq!(sandbox.calls(Operation::AuthorizeDecision), 2);
}
