//! The HTTP control API: the library's power, in JSON.

use serde_json::{Value, json};
use tegata_sandbox::{Operation, Sandbox};

use crate::client::{Answer, Client, StsRequest, admin, open, portal, read, send, signed_in, string};

fn control(sandbox: &Sandbox, method: &str, path: &str, body: &Value) -> Answer {
    let body = if body.is_null() { Vec::new() } else { serde_json::to_vec(body).unwrap() };
    send(sandbox, method, &format!("/_control/{path}"), &[], &body)
}

fn read_json(sandbox: &Sandbox, path: &str) -> Value {
    let answer = control(sandbox, "GET", path, &Value::Null);
    assert_eq!(answer.status, 200, "{path}: {}", answer.text());
    answer.json()
}

#[test]
fn settings_are_read_and_patched() {
    let sandbox = Sandbox::start().unwrap();
    let patch = json!({"lifetimes": {"access_token": 1.5}, "refresh_reuse": {"tolerant_for": 60}, "throttle": {"ListAccounts": {"capacity": 1, "refill_per_second": 0.5}}});
    assert_eq!(control(&sandbox, "PATCH", "settings", &patch).status, 200);
    let settings = read_json(&sandbox, "settings");
    assert_eq!(
        (&settings["lifetimes"]["access_token"], &settings["refresh_reuse"]),
        (&json!(1.5), &json!({"tolerant_for": 60.0}))
    );
    assert_eq!(sandbox.settings().throttle.len(), 1);
    let wrong = control(&sandbox, "PATCH", "settings", &json!({"lifetime": 1}));
    assert!(wrong.status == 400 && string(&wrong.json()["error"]).contains("lifetime"));
}

#[test]
fn a_whole_organization_can_be_put_in() {
    let sandbox = Sandbox::start().unwrap();
    let accounts: Vec<Value> = (0..2000)
        .map(|n| {
            let roles: Vec<Value> = (0..5).map(|r| json!({"name": format!("役割{r}")})).collect();
            json!({"id": format!("{:012}", 300_000_000_000_u64 + n), "name": format!("部門{n}"), "email": "a@example.com", "roles": roles})
        })
        .collect();
    let patch = json!({"organizations": [{"accounts": accounts, "signed_in": "bob"}]});
    assert_eq!(control(&sandbox, "PATCH", "settings", &patch).status, 200);
    assert_eq!(sandbox.settings().organizations[0].accounts.len(), 2000);
    let page = portal(&sandbox, &signed_in(&sandbox).access, "/assignment/accounts?max_result=1").json();
    assert_eq!(page["accountList"][0]["accountName"], "部門0");
}

#[test]
fn the_clock_moves() {
    let sandbox = Sandbox::start().unwrap();
    let before = sandbox.now_ms();
    control(&sandbox, "POST", "clock", &json!({"move_ms": 3_600_000}));
    assert!(read_json(&sandbox, "clock")["now_ms"].as_i64().unwrap() >= before + 3_600_000);
}

#[test]
fn faults_are_put_listed_and_taken_off() {
    let sandbox = Sandbox::start().unwrap();
    let access = signed_in(&sandbox).access;
    let fault = json!({"operation": "ListAccounts", "skip": 1, "effect": {"error": {"status": 503, "code": "Busy", "message": "later"}}});
    assert_eq!(control(&sandbox, "POST", "faults", &fault).status, 200);
    control(&sandbox, "POST", "faults", &json!({"operation": "Logout", "times": 1, "effect": "hang"}));
    assert_eq!(read_json(&sandbox, "faults").as_array().unwrap().len(), 2);
    let statuses: Vec<u16> = (0..2).map(|_| portal(&sandbox, &access, "/assignment/accounts").status).collect();
    assert_eq!(statuses, [200, 503]);
    control(&sandbox, "DELETE", "faults", &Value::Null);
    assert_eq!(portal(&sandbox, &access, "/assignment/accounts").status, 200);
}

#[test]
fn holds_are_put_watched_and_released() {
    let sandbox = Sandbox::start().unwrap();
    let access = signed_in(&sandbox).access;
    control(&sandbox, "POST", "holds", &json!({"operation": "ListAccounts", "until": {"waiting": 9}}));
    let held = open(&sandbox, "GET", "/assignment/accounts", &[("x-amz-sso_bearer_token", &access)], b"");
    assert!(sandbox.wait_for_waiting(Operation::ListAccounts, 1, std::time::Duration::from_secs(20)));
    assert_eq!(read_json(&sandbox, "holds/ListAccounts"), json!({"waiting": 1}));
    let released = control(&sandbox, "DELETE", "holds/ListAccounts", &Value::Null).json();
    assert_eq!(released, json!({"released": true}));
    assert_eq!(read(held).unwrap().status, 200);
}

#[test]
fn what_came_in_and_went_out_can_be_read() {
    let sandbox = Sandbox::start().unwrap();
    let credentials = crate::client::admin(&sandbox);
    assert_eq!(read_json(&sandbox, "counters")["GetRoleCredentials"], 1);
    assert_eq!(read_json(&sandbox, "requests")[0]["operation"], "RegisterClient");
    assert_eq!(read_json(&sandbox, "credentials")[0]["access_key_id"], json!(credentials.access_key_id));
    assert_eq!(read_json(&sandbox, "assumed-roles"), json!([]));
    assert_eq!(read_json(&sandbox, "proxy-connects"), json!([]));
    let minted = read_json(&sandbox, "minted-secrets");
    assert_eq!(minted.as_array().unwrap().len(), sandbox.minted_secrets().len());
    assert_eq!(minted[0]["kind"], "client_secret");
    control(&sandbox, "DELETE", "traffic", &Value::Null);
    assert_eq!(read_json(&sandbox, "counters"), json!({}));
}

#[test]
fn devices_are_listed_and_decided() {
    let sandbox = Sandbox::start().unwrap();
    sandbox.configure(|settings| settings.device.approval = tegata_sandbox::DeviceApproval::Page);
    let client = Client::registered(&sandbox);
    let device = client.start_device(&sandbox);
    let user_code = read_json(&sandbox, "devices")[0]["user_code"].clone();
    assert_eq!(user_code, device["userCode"]);
    let decided = control(&sandbox, "POST", "devices", &json!({"user_code": user_code, "decision": {"allow": "bob"}}));
    assert_eq!(decided.json(), json!({"found": true}));
    assert_eq!(client.poll(&sandbox, &device).status, 200);
    let again = control(&sandbox, "POST", "devices", &json!({"user_code": user_code, "decision": "deny"}));
    assert_eq!(again.json(), json!({"found": false}));
}

#[test]
fn sign_ins_tokens_and_registrations_can_be_made_dead() {
    for (path, statuses) in [("sign-ins", (401, 400)), ("access-tokens", (401, 200)), ("registrations", (200, 401))] {
        let sandbox = Sandbox::start().unwrap();
        let client = Client::registered(&sandbox);
        let tokens = client.sign_in(&sandbox);
        control(&sandbox, "DELETE", path, &Value::Null);
        let bearer = portal(&sandbox, &tokens.access, "/assignment/accounts").status;
        assert_eq!((bearer, client.refresh(&sandbox, &tokens.refresh).status), statuses, "{path}");
    }
}

#[test]
fn roles_and_their_trust_are_put_in_and_what_was_assumed_is_read() {
    let sandbox = Sandbox::start().unwrap();
    let keys = admin(&sandbox);
    let arn = "arn:aws:iam::210987654321:role/Partner";
    let trust =
        json!({"principals": ["*"], "external_id": "partner-7", "allows_tags": false, "allows_source_identity": false});
    let patch = json!({"iam_roles": [{"arn": arn, "max_session": 3600, "trust": trust}]});
    assert_eq!(control(&sandbox, "PATCH", "settings", &patch).status, 200);
    let request = || StsRequest::assume(&keys, arn).with("ExternalId", "partner-7");
    assert_eq!(request().with("SourceIdentity", "alice").send(&sandbox).status, 403);
    assert_eq!(request().send(&sandbox).status, 200);
    let recorded = read_json(&sandbox, "assumed-roles");
    assert_eq!(recorded.as_array().map(Vec::len), Some(1));
    assert_eq!((&recorded[0]["role_arn"], &recorded[0]["session_name"]), (&json!(arn), &json!("alice-session")));
    assert_eq!(recorded[0]["caller"], json!(keys.principal.arn));
    assert!(recorded[0]["at_ms"].is_i64() && recorded[0]["tags"] == json!([]));
}

#[test]
fn control_requests_are_no_traffic_and_unknown_ones_are_said() {
    let sandbox = Sandbox::start().unwrap();
    assert_eq!(control(&sandbox, "GET", "nonsense", &Value::Null).status, 404);
    assert_eq!(control(&sandbox, "POST", "faults", &json!({"operation": "Nonsense"})).status, 400);
    assert_eq!(control(&sandbox, "GET", "holds/Nonsense", &Value::Null).status, 400);
    assert!(sandbox.requests().is_empty());
}
