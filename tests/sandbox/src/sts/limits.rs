//! The input limits of AssumeRole, as its API model states them.

use std::ops::RangeInclusive;
use std::sync::LazyLock;

use regex::Regex;

use crate::call::Parameters;
use crate::reply::Refusal;

/// The parameters of an AssumeRole that are within their limits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Request {
    pub(super) role_arn: String,
    pub(super) session_name: String,
    pub(super) duration: i64,
    pub(super) external_id: Option<String>,
    pub(super) source_identity: Option<String>,
    pub(super) tags: Vec<(String, String)>,
    pub(super) transitive_tag_keys: Vec<String>,
    pub(super) policy: Option<String>,
    pub(super) policy_arns: Vec<String>,
    pub(super) serial_number: Option<String>,
}

/// Packed size allowed for session policies and tags together, in bytes of plain text: a guess at AWS's binary form.
const PACKED_LIMIT: usize = 4096;
const PLAIN: &str = "+=,.@-_";
/// The range of `DurationSeconds` of AssumeRole.
const SECONDS: RangeInclusive<i64> = 900..=43_200;

pub(super) fn check(parameters: &Parameters) -> Result<Request, Refusal> {
    let text = |name: &'static str| parameters.get(name);
    let role_arn = length("roleArn", Some(required(parameters, "RoleArn")?), 20, 2048)?;
    let session_name = length("roleSessionName", Some(required(parameters, "RoleSessionName")?), 2, 64)?;
    pattern("roleSessionName", session_name, PLAIN, "[\\w+=,.@-]*")?;
    let external_id = length("externalId", text("ExternalId"), 2, 1224)?;
    pattern("externalId", external_id, "+=,.@:/-_", "[\\w+=,.@:\\/-]*")?;
    let source_identity = length("sourceIdentity", text("SourceIdentity"), 2, 64)?;
    pattern("sourceIdentity", source_identity, PLAIN, "[\\w+=,.@-]*")?;
    if source_identity.is_some_and(|identity| identity.to_ascii_lowercase().starts_with("aws:")) {
        return Err(validation("Value at 'sourceIdentity' must not start with aws:"));
    }
    let (serial_number, _) = mfa(parameters)?;
    check_token_size(text("MinimumSessionTokenSize"))?;
    let tags = tags(parameters)?;
    let request = Request {
        role_arn: role_arn.unwrap_or_default().to_owned(),
        session_name: session_name.unwrap_or_default().to_owned(),
        duration: seconds(text("DurationSeconds"), &SECONDS, 3600)?,
        external_id: external_id.map(str::to_owned),
        source_identity: source_identity.map(str::to_owned),
        transitive_tag_keys: transitive_tag_keys(parameters, &tags)?,
        tags,
        policy: policy(text("Policy"))?,
        policy_arns: members(parameters, "PolicyArns", 10, &["arn"])?.into_iter().flatten().collect(),
        serial_number: serial_number.map(str::to_owned),
    };
    members(parameters, "ProvidedContexts", 5, &["ProviderArn", "ContextAssertion"])?;
    request.packed_size()?;
    Ok(request)
}

impl Request {
    /// How much of the packed limit is used, in percent.
    pub(super) fn packed_size(&self) -> Result<usize, Refusal> {
        let policy = self.policy.as_ref().map_or(0, String::len);
        let arns: usize = self.policy_arns.iter().map(String::len).sum();
        if policy + arns > 2048 {
            return Err(validation("The plaintext of Policy and PolicyArns together must be at most 2048 characters"));
        }
        let tags: usize = self.tags.iter().map(|(key, value)| key.len() + value.len()).sum();
        let percent = (policy + arns + tags).div_ceil(PACKED_LIMIT / 100);
        if percent > 100 {
            let message = format!("Packed policy consumes {percent}% of allotted space, please use smaller policy.");
            return Err(Refusal::new(400, "PackedPolicyTooLarge", message));
        }
        Ok(percent)
    }
}

pub(super) fn required<'a>(parameters: &'a Parameters, name: &str) -> Result<&'a str, Refusal> {
    let lower = format!("{}{}", name[..1].to_ascii_lowercase(), &name[1..]);
    parameters.get(name).ok_or_else(|| {
        validation(format!(
            "1 validation error detected: Value null at '{lower}' failed to satisfy constraint: Member must not be null"
        ))
    })
}

pub(super) fn length<'a>(
    name: &str,
    value: Option<&'a str>,
    least: usize,
    most: usize,
) -> Result<Option<&'a str>, Refusal> {
    let count = value.map_or(least, |value| value.chars().count());
    let constraint = if count < least {
        format!("greater than or equal to {least}")
    } else if count > most {
        format!("less than or equal to {most}")
    } else {
        return Ok(value);
    };
    Err(unsatisfied(value, name, &format!("Member must have length {constraint}")))
}

fn pattern(name: &str, value: Option<&str>, symbols: &str, regex: &str) -> Result<(), Refusal> {
    let legal = |c: char| c.is_ascii_alphanumeric() || symbols.contains(c);
    if value.is_none_or(|value| value.chars().all(legal)) {
        return Ok(());
    }
    Err(unsatisfied(value, name, &format!("Member must satisfy regular expression pattern: {regex}")))
}

fn unsatisfied(value: Option<&str>, name: &str, constraint: &str) -> Refusal {
    let value = value.unwrap_or_default();
    validation(format!(
        "1 validation error detected: Value '{value}' at '{name}' failed to satisfy constraint: {constraint}"
    ))
}

pub(super) fn validation(message: impl Into<String>) -> Refusal {
    Refusal::new(400, "ValidationError", message)
}

/// `DurationSeconds` within its range.
pub(super) fn seconds(text: Option<&str>, range: &RangeInclusive<i64>, default: i64) -> Result<i64, Refusal> {
    let Some(text) = text else { return Ok(default) };
    let seconds: i64 =
        text.parse().map_err(|_| Refusal::new(400, "MalformedInput", "DurationSeconds is not a number"))?;
    let constraint = if seconds < *range.start() {
        format!("greater than or equal to {}", range.start())
    } else if seconds > *range.end() {
        format!("less than or equal to {}", range.end())
    } else {
        return Ok(seconds);
    };
    Err(unsatisfied(Some(text), "durationSeconds", &format!("Member must have value {constraint}")))
}

/// `SerialNumber` and `TokenCode`, each within its limits when it is there.
pub(super) fn mfa(parameters: &Parameters) -> Result<(Option<&str>, Option<&str>), Refusal> {
    let serial_number = length("serialNumber", parameters.get("SerialNumber"), 9, 256)?;
    pattern("serialNumber", serial_number, "_+=/:,.@-", "[\\w+=/:,.@-]*")?;
    let code = parameters.get("TokenCode");
    check_token_code(code)?;
    Ok((serial_number, code))
}

fn check_token_code(code: Option<&str>) -> Result<(), Refusal> {
    if code.is_none_or(|code| code.len() == 6 && code.bytes().all(|b| b.is_ascii_digit())) {
        return Ok(());
    }
    Err(unsatisfied(code, "tokenCode", "Member must satisfy regular expression pattern: [\\d]*"))
}

fn check_token_size(size: Option<&str>) -> Result<(), Refusal> {
    if size.is_none_or(|size| size.parse().is_ok_and(|size: i64| (0..=4096).contains(&size))) {
        return Ok(());
    }
    Err(unsatisfied(size, "minimumSessionTokenSize", "Member must have value less than or equal to 4096"))
}

fn policy(text: Option<&str>) -> Result<Option<String>, Refusal> {
    let Some(text) = length("policy", text, 1, 2048)? else { return Ok(None) };
    if !text.chars().all(|c| matches!(c, '\t' | '\n' | '\r' | '\u{20}'..='\u{ff}')) {
        let pattern = "[\\u0009\\u000A\\u000D\\u0020-\\u00FF]+";
        return Err(unsatisfied(
            Some(text),
            "policy",
            &format!("Member must satisfy regular expression pattern: {pattern}"),
        ));
    }
    let document: Option<serde_json::Value> = serde_json::from_str(text).ok();
    // A policy without a version is one of 2008 (IAM JSON policy elements: Version).
    let version = |document: &serde_json::Value| {
        document.get("Version").is_none_or(|version| matches!(version.as_str(), Some("2012-10-17" | "2008-10-17")))
    };
    let has_statements =
        |document: &serde_json::Value| document["Statement"].is_array() || document["Statement"].is_object();
    if document.is_some_and(|document| version(&document) && has_statements(&document)) {
        return Ok(Some(text.to_owned()));
    }
    Err(Refusal::new(400, "MalformedPolicyDocument", "Syntax errors in policy."))
}

/// Letters, separators, numbers by their Unicode class; a tab or a line feed is none of them.
fn is_tag_text(text: &str) -> bool {
    static PATTERN: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(r"^[\p{L}\p{Z}\p{N}_.:/=+\-@]*$").ok());
    PATTERN.as_ref().is_some_and(|pattern| pattern.is_match(text))
}

fn tags(parameters: &Parameters) -> Result<Vec<(String, String)>, Refusal> {
    let mut tags: Vec<(String, String)> = Vec::new();
    for member in members(parameters, "Tags", 50, &["Key", "Value"])? {
        let [key, value] = member.as_slice() else { return Err(validation("A tag needs a Key and a Value")) };
        length("tags.member.key", Some(key), 1, 128)?;
        length("tags.member.value", Some(value), 0, 256)?;
        if !is_tag_text(key) || !is_tag_text(value) {
            return Err(unsatisfied(
                Some(key),
                "tags.member.key",
                "Member must satisfy regular expression pattern: [\\p{L}\\p{Z}\\p{N}_.:/=+\\-@]+",
            ));
        }
        if tags.iter().any(|(known, _)| known.to_lowercase() == key.to_lowercase()) {
            return Err(Refusal::new(
                400,
                "InvalidParameterValue",
                "Duplicate tag keys found. Please note that Tag keys are case insensitive.",
            ));
        }
        tags.push((key.clone(), value.clone()));
    }
    Ok(tags)
}

fn transitive_tag_keys(parameters: &Parameters, tags: &[(String, String)]) -> Result<Vec<String>, Refusal> {
    let keys: Vec<String> = members(parameters, "TransitiveTagKeys", 50, &[""])?.into_iter().flatten().collect();
    let known = |key: &String| tags.iter().any(|(tag, _)| tag.eq_ignore_ascii_case(key));
    match keys.iter().find(|key| !known(key)) {
        Some(stranger) => Err(Refusal::new(
            400,
            "InvalidParameterValue",
            format!("The specified transitive tag key {stranger} is not among the tags."),
        )),
        None => Ok(keys),
    }
}

/// The members `NAME.member.1`, `.2`, … of a list, each with these fields (`""` for a plain list), numbered without a gap.
fn members(parameters: &Parameters, name: &str, most: usize, fields: &[&str]) -> Result<Vec<Vec<String>>, Refusal> {
    let prefix = format!("{name}.member.");
    let present = parameters.0.keys().filter(|key| key.starts_with(&prefix)).count();
    let mut members = Vec::new();
    let mut read = 0;
    loop {
        let key =
            |field: &str| format!("{prefix}{}{}{field}", members.len() + 1, if field.is_empty() { "" } else { "." });
        let values: Vec<String> =
            fields.iter().filter_map(|field| parameters.get(&key(field))).map(str::to_owned).collect();
        if values.is_empty() {
            break;
        }
        if values.len() < fields.len() {
            return Err(validation(format!("A member of {name} is incomplete")));
        }
        read += values.len();
        members.push(values);
    }
    if read != present {
        return Err(validation(format!(
            "The members of {name} are not numbered from 1 without a gap, or have unknown fields"
        )));
    }
    if members.len() > most {
        return Err(validation(format!("{name} must have at most {most} members")));
    }
    Ok(members)
}

#[cfg(test)]
#[path = "limits_tests.rs"]
mod tests;
