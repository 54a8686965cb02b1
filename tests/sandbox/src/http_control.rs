//! The control API over HTTP: `/_control/…` on the sandbox's own listeners, JSON both ways.
//!
//! | request | meaning |
//! |---|---|
//! | `GET`, `PATCH /_control/settings` | read; change by a JSON merge patch |
//! | `GET`, `POST /_control/clock` | `{"now_ms"}`; `{"move_ms": 60000}` |
//! | `GET`, `POST`, `DELETE /_control/faults` | list; put one; take all off |
//! | `POST /_control/holds` | `{"operation": "GetRoleCredentials", "until": {"waiting": 500}}` or `"released"` |
//! | `GET`, `DELETE /_control/holds/OPERATION` | `{"waiting"}`; release |
//! | `GET /_control/counters`, `requests`, `proxy-connects` | what came in; `DELETE /_control/traffic` forgets it |
//! | `GET /_control/minted-secrets`, `credentials`, `assumed-roles`, `logins`, `certificate-sessions`, `console-sign-ins` | what was handed out |
//! | `GET /_control/roles-for-tokens` | every AssumeRoleWithWebIdentity |
//! | `POST /_control/web-identity-tokens` | `{"subject": …, "audience": …}` → `{"token"}`, signed |
//! | `POST`, `DELETE /_control/github-jobs` | → `{"request_url", "request_token"}`; end all |
//! | `GET`, `POST /_control/devices` | list; `{"user_code", "decision": {"allow": "alice"}}` or `"deny"` |
//! | `DELETE /_control/sign-ins`, `access-tokens`, `registrations`, `logins` | make them dead |
//! | `GET`, `POST /_control/iam-users` | list; `{"arn", "mfa_serial"?}` makes one with an access key and, if asked for, a device |
//! | `POST /_control/mfa-codes` | `{"serial"}` → `{"code"}`, what the device shows now |
//! | `GET /_control/user-sessions` | every GetSessionToken that succeeded |

use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use crate::control::Control;
use crate::faults::Fault;
use crate::oidc::Decision;
use crate::operation::Operation;
use crate::reply::Reply;
use crate::traffic::HoldUntil;

/// The path of the control API.
pub(crate) const PREFIX: &str = "/_control/";

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct HoldOrder {
    operation: Operation,
    until: HoldUntil,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ClockOrder {
    move_ms: i64,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct DeviceOrder {
    user_code: String,
    decision: Decision,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct UserOrder {
    arn: String,
    mfa_serial: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct CodeOrder {
    serial: String,
}

/// Answers one control request; `path` is what follows the prefix.
pub(crate) fn handle(control: &Control, method: &str, path: &str, body: &[u8]) -> Reply {
    match answer(control, method, path, body) {
        Ok(Some(value)) => Reply::json(200, &value),
        Ok(None) => Reply::json(404, &json!({"error": format!("no control request {method} {PREFIX}{path}")})),
        Err(error) => Reply::json(400, &json!({"error": error.to_string()})),
    }
}

type Outcome = Result<Option<Value>, serde_json::Error>;

fn answer(control: &Control, method: &str, path: &str, body: &[u8]) -> Outcome {
    match method {
        "GET" => read(control, path),
        "POST" | "PATCH" => change(control, method, path, body),
        "DELETE" => remove(control, path),
        _ => Ok(None),
    }
}

fn read(control: &Control, path: &str) -> Outcome {
    let value = match path {
        "settings" => serde_json::to_value(control.settings())?,
        "clock" => json!({"now_ms": control.now_ms()}),
        "faults" => serde_json::to_value(control.faults())?,
        "counters" => serde_json::to_value(control.counters())?,
        "requests" => serde_json::to_value(control.requests())?,
        "proxy-connects" => serde_json::to_value(control.proxy_connects())?,
        "minted-secrets" => serde_json::to_value(control.minted_secrets())?,
        "credentials" => serde_json::to_value(control.issued_credentials())?,
        "assumed-roles" => serde_json::to_value(control.assumed_roles())?,
        "logins" => serde_json::to_value(control.logins())?,
        "certificate-sessions" => serde_json::to_value(control.certificate_sessions())?,
        "console-sign-ins" => serde_json::to_value(control.console_sign_ins())?,
        "roles-for-tokens" => serde_json::to_value(control.roles_for_tokens())?,
        "devices" => serde_json::to_value(control.device_authorizations())?,
        "iam-users" => serde_json::to_value(control.iam_users())?,
        "user-sessions" => serde_json::to_value(control.user_sessions())?,
        _ => match path.strip_prefix("holds/") {
            Some(operation) => json!({"waiting": control.waiting(named(operation)?)}),
            None => return Ok(None),
        },
    };
    Ok(Some(value))
}

fn change(control: &Control, method: &str, path: &str, body: &[u8]) -> Outcome {
    match (method, path) {
        ("PATCH", "settings") => control.patch(&parsed(body)?)?,
        ("POST", "clock") => control.move_clock(parsed::<ClockOrder>(body)?.move_ms),
        ("POST", "faults") => control.fault(parsed::<Fault>(body)?),
        ("POST", "holds") => {
            let order: HoldOrder = parsed(body)?;
            control.hold(order.operation, order.until);
        }
        ("POST", "web-identity-tokens") => {
            return Ok(Some(json!({"token": control.web_identity_token(&parsed(body)?)})));
        }
        ("POST", "github-jobs") => return serde_json::to_value(control.begin_github_job()).map(Some),
        ("POST", "devices") => {
            let order: DeviceOrder = parsed(body)?;
            return Ok(Some(json!({"found": control.decide_device(&order.user_code, &order.decision)})));
        }
        ("POST", "iam-users") => return add_user(control, &parsed(body)?).map(Some),
        ("POST", "mfa-codes") => {
            let order: CodeOrder = parsed(body)?;
            return Ok(Some(json!({"code": control.mfa_code(&order.serial)})));
        }
        _ => return Ok(None),
    }
    Ok(Some(json!({})))
}

fn add_user(control: &Control, order: &UserOrder) -> Result<Value, serde_json::Error> {
    let refused = serde::de::Error::custom::<crate::users::UserError>;
    control.add_iam_user(&order.arn).map_err(refused)?;
    control.create_access_key(&order.arn).map_err(refused)?;
    if let Some(serial) = &order.mfa_serial {
        control.enable_mfa(&order.arn, serial).map_err(refused)?;
    }
    serde_json::to_value(control.iam_users().pop())
}

fn remove(control: &Control, path: &str) -> Outcome {
    match path {
        "faults" => control.clear_faults(),
        "traffic" => control.forget_traffic(),
        "github-jobs" => control.end_github_jobs(),
        "sign-ins" => control.end_sign_in_sessions(),
        "access-tokens" => control.forget_access_tokens(),
        "registrations" => control.forget_registrations(),
        "logins" => control.end_logins(),
        _ => match path.strip_prefix("holds/") {
            Some(operation) => return Ok(Some(json!({"released": control.release(named(operation)?)}))),
            None => return Ok(None),
        },
    }
    Ok(Some(json!({})))
}

fn parsed<T: DeserializeOwned>(body: &[u8]) -> Result<T, serde_json::Error> {
    serde_json::from_slice(body)
}

fn named(operation: &str) -> Result<Operation, serde_json::Error> {
    serde_json::from_value(Value::String(operation.to_owned()))
}
