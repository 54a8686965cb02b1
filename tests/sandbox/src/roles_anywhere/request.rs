//! What a CreateSession asks for, in the body or in the query (IAM Roles Anywhere User Guide, "CreateSession API").

use serde::Deserialize;
use serde_json::Value;

use super::refusals::invalid;
use crate::call::{Call, Parameters};
use crate::reply::Refusal;

const SHORTEST: i64 = 900;
const LONGEST: i64 = 43_200;

/// The parameters of a CreateSession that are within their limits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Request {
    pub(super) trust_anchor: Arn,
    pub(super) profile: Arn,
    pub(super) role_arn: String,
    pub(super) duration: Option<i64>,
    pub(super) role_session_name: Option<String>,
}

/// An ARN of this service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Arn {
    pub(super) text: String,
    pub(super) region: String,
}

/// The members of the body. Others are refused, which is stricter than AWS, so that misspelt ones show.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
struct Body {
    duration_seconds: Option<Value>,
    profile_arn: Option<String>,
    role_arn: Option<String>,
    trust_anchor_arn: Option<String>,
    role_session_name: Option<String>,
    instance_properties: Option<serde_json::Map<String, Value>>,
}

pub(super) fn check(call: &Call) -> Result<Request, Refusal> {
    let body = body(call)?;
    let query = Parameters::parse(call.query.as_bytes()).map_err(|refusal| invalid(refusal.message))?;
    if let Some(stranger) = query.0.keys().find(|name| !["profileArn", "roleArn", "trustAnchorArn"].contains(&&***name))
    {
        return Err(invalid(format!("Unknown parameter: {stranger}")));
    }
    let trust_anchor = service_arn(one("trustAnchorArn", body.trust_anchor_arn, &query)?, "trust-anchor/")?;
    let profile = service_arn(one("profileArn", body.profile_arn, &query)?, "profile/")?;
    let role_arn = role(one("roleArn", body.role_arn, &query)?)?;
    if trust_anchor.region != profile.region {
        return Err(invalid("Trust anchor and profile must be in the same region"));
    }
    let duration = duration(body.duration_seconds.as_ref())?;
    let role_session_name = session_name(body.role_session_name)?;
    let properties = body.instance_properties.unwrap_or_default();
    if properties.len() > 50 || properties.values().any(|value| !value.is_string()) {
        return Err(invalid("instanceProperties must be at most 50 strings"));
    }
    Ok(Request { trust_anchor, profile, role_arn, duration, role_session_name })
}

/// `application/json` is what the documentation says; `application/x-amz-json-1.0` is what AWS's own Python client sends.
fn body(call: &Call) -> Result<Body, Refusal> {
    let media_type = call.header("content-type").and_then(|value| value.split(';').next()).unwrap_or_default().trim();
    if !["application/json", "application/x-amz-json-1.0"].contains(&media_type) {
        return Err(invalid(format!("Unsupported content type: {media_type}")));
    }
    serde_json::from_slice(&call.body).map_err(|error| invalid(format!("The body is not valid: {error}")))
}

/// A parameter that may be in the body or in the query, and not in both.
fn one(name: &str, in_body: Option<String>, query: &Parameters) -> Result<String, Refusal> {
    match (in_body, query.get(name)) {
        (Some(value), None) => Ok(value),
        (None, Some(value)) => Ok(value.to_owned()),
        (Some(_), Some(_)) => Err(invalid(format!("{name} is given twice"))),
        (None, None) => Err(invalid(format!(
            "1 validation error detected: Value null at '{name}' failed to satisfy constraint: Member must not be null"
        ))),
    }
}

/// The patterns of the service's model are `^arn:aws(-[^:]+)?:rolesanywhere(:.*){2}(:trust-anchor.*)$` and the like, 1011
/// characters at most; this asks for every field.
fn service_arn(text: String, resource: &str) -> Result<Arn, Refusal> {
    let fields: Vec<&str> = text.splitn(6, ':').collect();
    let region = match fields[..] {
        ["arn", partition, "rolesanywhere", region, account, rest]
            if partition.starts_with("aws")
                && !region.is_empty()
                && is_account(account)
                && rest.starts_with(resource) =>
        {
            region.to_owned()
        }
        _ => return Err(invalid(format!("Value '{text}' is not the ARN of a {}", resource.trim_end_matches('/')))),
    };
    if text.len() > 1011 { Err(invalid("The ARN is too long")) } else { Ok(Arn { text, region }) }
}

fn role(text: String) -> Result<String, Refusal> {
    let fields: Vec<&str> = text.splitn(6, ':').collect();
    match fields[..] {
        ["arn", _, "iam", "", account, rest]
            if is_account(account) && rest.starts_with("role/") && text.len() <= 1011 =>
        {
            Ok(text)
        }
        _ => Err(invalid(format!("Value '{text}' is not the ARN of a role"))),
    }
}

fn is_account(text: &str) -> bool {
    text.len() == 12 && text.bytes().all(|b| b.is_ascii_digit())
}

fn duration(value: Option<&Value>) -> Result<Option<i64>, Refusal> {
    let Some(value) = value else { return Ok(None) };
    let seconds = value.as_i64().ok_or_else(|| invalid("durationSeconds must be a number"))?;
    let constraint = if seconds < SHORTEST {
        "greater than or equal to 900"
    } else if seconds > LONGEST {
        "less than or equal to 43200"
    } else {
        return Ok(Some(seconds));
    };
    Err(invalid(format!(
        "1 validation error detected: Value '{seconds}' at 'durationSeconds' failed to satisfy constraint: Member must \
         have value {constraint}"
    )))
}

fn session_name(name: Option<String>) -> Result<Option<String>, Refusal> {
    let legal = |c: char| c.is_ascii_alphanumeric() || "+=,.@-_".contains(c);
    match name {
        Some(name) if !(2..=64).contains(&name.len()) || !name.chars().all(legal) => {
            Err(invalid("1 validation error detected: Value at 'roleSessionName' failed to satisfy constraint"))
        }
        name => Ok(name),
    }
}
