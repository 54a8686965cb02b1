//! The instance metadata service, version 2 (EC2 User Guide, "Use IMDSv2"). There is no version 1 here.

use std::collections::BTreeMap;

use serde_json::json;

use super::Machine;
use crate::call::{Answer, Call};
use crate::clock::{EpochMs, iso8601};
use crate::mint::SecretKind;
use crate::reply::{Refusal, Reply};

const TTL: &str = "x-aws-ec2-metadata-token-ttl-seconds";
const TOKEN: &str = "x-aws-ec2-metadata-token";
const SECONDS: std::ops::RangeInclusive<i64> = 1..=21_600;

/// The tokens handed out, and when each ends.
#[derive(Debug, Default)]
pub(crate) struct Sessions(BTreeMap<String, EpochMs>);

/// `PUT /latest/api/token`.
pub(crate) fn token(machine: &mut Machine<'_>, call: &Call) -> Answer {
    if call.header("x-forwarded-for").is_some() {
        return Err(refused(403, "Forbidden"));
    }
    let seconds = call.header(TTL).and_then(|text| text.parse().ok()).filter(|seconds| SECONDS.contains(seconds));
    let seconds: i64 = seconds.ok_or_else(|| refused(400, "Bad Request"))?;
    if !call.body.is_empty() {
        return Err(refused(400, "Bad Request"));
    }
    let token = machine.mint.secret(SecretKind::MetadataToken, 0);
    machine.sessions.0.insert(token.clone(), call.now + seconds * 1000);
    Ok(Reply::new(200, "text/plain", token).with(TTL, seconds.to_string()))
}

/// `GET /latest/meta-data/iam/security-credentials/`.
pub(crate) fn role_name(machine: &Machine<'_>, call: &Call) -> Answer {
    machine.admit(call)?;
    let name = machine.settings.instance.role_name().ok_or_else(not_found)?;
    Ok(Reply::new(200, "text/plain", name))
}

/// `GET /latest/meta-data/iam/security-credentials/NAME`.
pub(crate) fn credentials(machine: &mut Machine<'_>, call: &Call) -> Answer {
    machine.admit(call)?;
    let instance = &machine.settings.instance;
    let asked = call.path.rsplit('/').next();
    let role_arn = instance.role_arn.as_deref().filter(|_| asked == instance.role_name()).ok_or_else(not_found)?;
    let mut answer = machine.issue(role_arn, &instance.id, instance.life, call.now);
    answer["Code"] = "Success".into();
    answer["Type"] = "AWS-HMAC".into();
    answer["LastUpdated"] = iso8601(call.now).into();
    Ok(Reply::json(200, &answer))
}

/// Where the instance is; everything else is not found.
pub(crate) fn place(machine: &Machine<'_>, call: &Call) -> Answer {
    machine.admit(call)?;
    let instance = &machine.settings.instance;
    match call.path.trim_end_matches('/') {
        "/latest/meta-data/placement/region" => Ok(Reply::new(200, "text/plain", instance.region())),
        "/latest/meta-data/placement/availability-zone" => {
            Ok(Reply::new(200, "text/plain", instance.availability_zone.as_str()))
        }
        "/latest/dynamic/instance-identity/document" => Ok(Reply::json(
            200,
            &json!({"region": instance.region(), "availabilityZone": instance.availability_zone, "instanceId": instance.id}),
        )),
        _ => Err(not_found()),
    }
}

impl Machine<'_> {
    fn admit(&self, call: &Call) -> Result<(), Refusal> {
        let until = call.header(TOKEN).and_then(|token| self.sessions.0.get(token));
        match until {
            Some(until) if call.now < *until => Ok(()),
            _ => Err(refused(401, "Unauthorized")),
        }
    }
}

fn not_found() -> Refusal {
    refused(404, "Not Found")
}

fn refused(status: u16, title: &str) -> Refusal {
    Refusal::new(status, title, title)
}
