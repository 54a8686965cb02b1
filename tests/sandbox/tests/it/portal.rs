//! The SSO portal.

use std::time::Duration;

use serde_json::json;
use tegata_sandbox::{CANARY, ExpirationForm, Organization, RoleKeys, Sandbox};

use crate::client::{ACCOUNT, Answer, Client, portal, role_credentials, send, signed_in, string};

const UNAUTHORIZED: (u16, &str) = (401, "UnauthorizedException");
const INVALID_REQUEST: (u16, &str) = (400, "InvalidRequestException");

#[test]
fn role_credentials_are_fresh_on_every_call_and_expire_in_milliseconds() {
    let sandbox = Sandbox::start().unwrap();
    let access = signed_in(&sandbox).access;
    let one = role_credentials(&sandbox, &access, "Admin").json()["roleCredentials"].clone();
    let other = role_credentials(&sandbox, &access, "Admin").json()["roleCredentials"].clone();
    for name in ["accessKeyId", "secretAccessKey", "sessionToken"] {
        assert_ne!(one[name], other[name], "{name}");
    }
    assert!(string(&one["accessKeyId"]).starts_with("ASIA"));
    assert!(string(&one["secretAccessKey"]).contains(CANARY) && string(&one["sessionToken"]).contains(CANARY));
    let left = one["expiration"].as_i64().unwrap() - sandbox.now_ms();
    assert!((3_500_000..=3_600_000).contains(&left), "{left}");
}

#[test]
fn parameters_come_in_any_order() {
    let sandbox = Sandbox::start().unwrap();
    let access = signed_in(&sandbox).access;
    let target = format!("/federation/credentials?account_id={ACCOUNT}&role_name=Admin");
    assert_eq!(portal(&sandbox, &access, &target).status, 200);
    assert_eq!(role_credentials(&sandbox, &access, "Admin").status, 200);
}

#[test]
fn the_token_must_be_there_known_and_single() {
    let sandbox = Sandbox::start().unwrap();
    let access = signed_in(&sandbox).access;
    let with = |headers: &[(&str, &str)]| send(&sandbox, "GET", "/assignment/accounts", headers, b"");
    let header = ("x-amz-sso_bearer_token", access.as_str());
    assert_eq!(with(&[header]).status, 200);
    let refused = with(&[]);
    assert_eq!(refused.refusal(), UNAUTHORIZED);
    assert_eq!(refused.json(), json!({"message": "Session token not found or invalid"}));
    assert_eq!(with(&[("x-amz-sso_bearer_token", "unknown")]).refusal(), UNAUTHORIZED);
    assert_eq!(with(&[("authorization", access.as_str())]).refusal(), UNAUTHORIZED);
    assert_eq!(with(&[header, header]).refusal(), UNAUTHORIZED);
}

#[test]
fn an_access_token_expires() {
    let sandbox = Sandbox::start().unwrap();
    sandbox.configure(|settings| settings.lifetimes.access_token = Duration::from_secs(120));
    let access = signed_in(&sandbox).access;
    sandbox.advance(Duration::from_secs(60));
    assert_eq!(role_credentials(&sandbox, &access, "Admin").status, 200);
    sandbox.advance(Duration::from_secs(60));
    assert_eq!(role_credentials(&sandbox, &access, "Admin").refusal(), UNAUTHORIZED);
}

#[test]
fn a_refresh_token_is_no_access_token() {
    let sandbox = Sandbox::start().unwrap();
    let tokens = signed_in(&sandbox);
    assert_eq!(role_credentials(&sandbox, &tokens.refresh, "Admin").refusal(), UNAUTHORIZED);
}

#[test]
fn logout_answers_empty_and_kills_the_tokens() {
    let sandbox = Sandbox::start().unwrap();
    let client = Client::registered(&sandbox);
    let tokens = client.sign_in(&sandbox);
    let logout = || send(&sandbox, "POST", "/logout", &[("x-amz-sso_bearer_token", &tokens.access)], b"");
    let answer = logout();
    assert_eq!((answer.status, answer.body.len()), (200, 0));
    assert_eq!(role_credentials(&sandbox, &tokens.access, "Admin").refusal(), UNAUTHORIZED);
    assert_eq!(client.refresh(&sandbox, &tokens.refresh).refusal(), (400, "InvalidGrantException"));
    assert_eq!(logout().refusal(), UNAUTHORIZED);
}

#[test]
fn a_role_not_assigned_to_the_user_is_forbidden() {
    let sandbox = Sandbox::start().unwrap();
    let access = signed_in(&sandbox).access;
    sandbox.configure(|settings| settings.organizations[0].accounts[0].roles[0].assigned_to = vec!["bob".to_owned()]);
    let refused = role_credentials(&sandbox, &access, "Admin");
    assert_eq!((refused.refusal(), refused.json()), ((403, "ForbiddenException"), json!({"message": "No access"})));
    assert_eq!(role_credentials(&sandbox, &access, "Nonesuch").refusal(), (403, "ForbiddenException"));
    assert_eq!(role_credentials(&sandbox, &access, "ReadOnly").status, 200);
    let roles = portal(&sandbox, &access, &format!("/assignment/roles?account_id={ACCOUNT}")).json();
    assert_eq!(roles["roleList"], json!([{"roleName": "ReadOnly", "accountId": ACCOUNT}]));
}

#[test]
fn required_parameters_are_checked_and_misspelt_ones_refused() {
    let sandbox = Sandbox::start().unwrap();
    let access = signed_in(&sandbox).access;
    for target in [
        "/federation/credentials?role_name=Admin",
        "/federation/credentials?account_id=123456789012",
        "/federation/credentials?account_id=12345&role_name=Admin",
        "/federation/credentials?account_id=123456789012&role_name=Admin&duration=900",
        "/federation/credentials?account_id=123456789012&role_name=Admin&role_name=Admin",
        "/assignment/roles",
        "/assignment/accounts?max_results=10",
        "/assignment/accounts?max_result=0",
        "/assignment/accounts?max_result=101",
        "/assignment/accounts?max_result=",
        "/assignment/accounts?next_token=",
        "/assignment/accounts?next_token=guess",
    ] {
        assert_eq!(portal(&sandbox, &access, target).refusal(), INVALID_REQUEST, "{target}");
    }
    assert_eq!(portal(&sandbox, &access, "/assignment/accounts?max_result=100").status, 200);
}

/// Every page of a list, as (items in order, number of pages).
fn all(sandbox: &Sandbox, access: &str, target: &str, list: &str) -> (Vec<serde_json::Value>, usize) {
    let (mut items, mut pages, mut next) = (Vec::new(), 0, None::<String>);
    loop {
        let joint = if target.contains('?') { '&' } else { '?' };
        let token = next.map_or(String::new(), |token| format!("{joint}next_token={token}"));
        let page = portal(sandbox, access, &format!("{target}{token}")).json();
        items.extend(page[list].as_array().unwrap().clone());
        pages += 1;
        next = page["nextToken"].as_str().map(str::to_owned);
        if next.is_none() {
            return (items, pages);
        }
    }
}

#[test]
fn two_thousand_accounts_come_page_by_page_each_once() {
    let sandbox = Sandbox::start().unwrap();
    sandbox.configure(|settings| settings.organizations = vec![Organization::generated(2000, 5)]);
    let access = signed_in(&sandbox).access;
    let (accounts, pages) = all(&sandbox, &access, "/assignment/accounts?max_result=100", "accountList");
    assert_eq!((accounts.len(), pages), (2000, 20));
    assert_eq!(
        (&accounts[0]["accountId"], &accounts[1999]["accountId"]),
        (&json!("100000000001"), &json!("100000002000"))
    );
    assert!(accounts.iter().any(|account| string(&account["accountName"]).starts_with("本番環境")));
    let accounts_read = accounts.iter().map(|account| string(&account["accountId"]));
    for account in accounts_read.step_by(40) {
        let target = format!("/assignment/roles?account_id={account}");
        assert_eq!(all(&sandbox, &access, &target, "roleList").0.len(), 5);
    }
    let (roles, pages) = all(&sandbox, &access, "/assignment/roles?account_id=100000000007&max_result=2", "roleList");
    assert_eq!((roles.len(), pages), (5, 3));
}

#[test]
fn a_list_without_max_result_has_pages_too() {
    let sandbox = Sandbox::start().unwrap();
    sandbox.configure(|settings| settings.organizations = vec![Organization::generated(45, 1)]);
    let access = signed_in(&sandbox).access;
    assert_eq!(all(&sandbox, &access, "/assignment/accounts", "accountList").1, 3);
}

#[test]
fn a_next_token_belongs_to_its_list_and_sign_in() {
    let sandbox = Sandbox::start().unwrap();
    sandbox.configure(|settings| settings.organizations = vec![Organization::generated(3, 3)]);
    let (mine, yours) = (signed_in(&sandbox).access, signed_in(&sandbox).access);
    let page = portal(&sandbox, &mine, "/assignment/accounts?max_result=1").json();
    let next = format!("max_result=1&next_token={}", string(&page["nextToken"]));
    assert_eq!(portal(&sandbox, &mine, &format!("/assignment/accounts?{next}")).status, 200);
    assert_eq!(portal(&sandbox, &yours, &format!("/assignment/accounts?{next}")).refusal(), INVALID_REQUEST);
    let roles = format!("/assignment/roles?account_id=100000000001&{next}");
    assert_eq!(portal(&sandbox, &mine, &roles).refusal(), INVALID_REQUEST);
}

#[test]
fn japanese_role_names_travel_percent_encoded() {
    let sandbox = Sandbox::start().unwrap();
    sandbox.configure(|settings| settings.organizations = vec![Organization::generated(1, 5)]);
    let access = signed_in(&sandbox).access;
    let role: String = form_urlencoded::byte_serialize("Audit+Log".as_bytes()).collect();
    let target = format!("/federation/credentials?account_id=100000000001&role_name={role}");
    assert_eq!(portal(&sandbox, &access, &target).status, 200);
}

fn expiration(form: ExpirationForm) -> (serde_json::Value, i64) {
    let sandbox = Sandbox::start().unwrap();
    sandbox.configure(|settings| settings.expiration = form);
    let answer: Answer = role_credentials(&sandbox, &signed_in(&sandbox).access, "Admin");
    (answer.json()["roleCredentials"]["expiration"].clone(), sandbox.now_ms())
}

#[test]
fn expiration_can_be_forced_into_every_wrong_form() {
    let (honest, now) = expiration(ExpirationForm::Honest);
    assert!(honest.as_i64().unwrap() > now);
    let (past, now) = expiration(ExpirationForm::Past);
    assert!(past.as_i64().unwrap() < now);
    let (seconds, now) = expiration(ExpirationForm::Seconds);
    assert!(seconds.as_i64().unwrap() < now / 100);
    assert!(expiration(ExpirationForm::Text).0.is_string());
    assert!(expiration(ExpirationForm::Missing).0.is_null());
    assert_eq!(expiration(ExpirationForm::Zero).0, json!(0));
    assert!(expiration(ExpirationForm::FarFuture).0.as_i64().unwrap() > 253_402_300_000_000);
}

#[test]
fn lifetimes_of_seconds_are_possible_and_else_the_role_decides() {
    let sandbox = Sandbox::start().unwrap();
    sandbox.configure(|settings| settings.organizations[0].accounts[0].roles[0].session = Duration::from_secs(7200));
    let access = signed_in(&sandbox).access;
    let left = || {
        let answer = role_credentials(&sandbox, &access, "Admin").json();
        answer["roleCredentials"]["expiration"].as_i64().unwrap() - sandbox.now_ms()
    };
    assert!((7_100_000..=7_200_000).contains(&left()));
    sandbox.configure(|settings| settings.lifetimes.role_credentials = Some(Duration::from_millis(2500)));
    assert!(left() <= 2500);
}

#[test]
fn keys_that_somebody_else_issued_are_handed_out_as_they_are() {
    let sandbox = Sandbox::start().unwrap();
    let keys = RoleKeys {
        access_key_id: "ASIAELSEWHERE".into(),
        secret_access_key: "secret".into(),
        session_token: "token".into(),
    };
    sandbox.configure(|settings| settings.organizations[0].accounts[0].roles[0].keys = Some(keys));
    let answer = role_credentials(&sandbox, &signed_in(&sandbox).access, "Admin").json();
    let given = &answer["roleCredentials"];
    assert_eq!((&given["accessKeyId"], &given["secretAccessKey"]), (&json!("ASIAELSEWHERE"), &json!("secret")));
    assert_eq!(given["sessionToken"], json!("token"));
}
