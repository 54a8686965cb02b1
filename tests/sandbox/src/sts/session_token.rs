//! GetSessionToken: a session of an IAM user or of root, for long-term keys alone.

use serde::Serialize;

use super::limits::{self, validation};
use super::{Bench, Signed, answer, credentials, mfa, signed};
use crate::call::{Answer, Call, Parameters};
use crate::clock::{EpochMs, millis};
use crate::issued::PrincipalKind;
use crate::reply::Refusal;

/// The range of `DurationSeconds` and its default (STS API reference, GetSessionToken).
const SECONDS: std::ops::RangeInclusive<i64> = 900..=129_600;
const DEFAULT_SECONDS: i64 = 43_200;
/// The longest session of root; more is cut to it (the same page).
const ROOT_SECONDS: i64 = 3600;

/// A GetSessionToken that succeeded.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct UserSession {
    /// When, in milliseconds since the epoch.
    pub at_ms: EpochMs,
    /// The region of the signature.
    pub region: String,
    /// The user's ARN.
    pub user: String,
    /// The access key it was signed with.
    pub signed_with: String,
    /// `DurationSeconds`, 43200 when it was absent.
    pub duration_seconds: i64,
    /// The MFA device, when a code was sent.
    pub serial_number: Option<String>,
    /// The access key id of the credentials it got.
    pub access_key_id: String,
}

/// GetSessionToken.
pub(crate) fn get_session_token(bench: &mut Bench<'_>, call: &Call) -> Answer {
    let Signed { parameters, caller, region } = signed(bench, call)?;
    if !caller.is_long_term() {
        return Err(Refusal::new(403, "AccessDenied", "Cannot call GetSessionToken with session credentials"));
    }
    let asked = duration(&parameters)?;
    let serial_number = mfa::check(bench, &caller, &parameters, call.now)?;
    let seconds = if caller.principal.kind == PrincipalKind::Root { asked.min(ROOT_SECONDS) } else { asked };
    let life = bench.settings.lifetimes.user_session.map_or(seconds * 1000, millis);
    let expires = (call.now + life) / 1000 * 1000;
    let mut principal = caller.principal;
    principal.mfa = serial_number.is_some();
    let user = principal.arn.clone();
    let issued = bench.ledger.issue(bench.mint, bench.settings.session_token_length, expires, principal);
    bench.user_sessions.push(UserSession {
        at_ms: call.now,
        region,
        user,
        signed_with: caller.access_key_id,
        duration_seconds: asked,
        serial_number,
        access_key_id: issued.access_key_id.clone(),
    });
    Ok(answer("GetSessionToken", &credentials(&issued)))
}

fn duration(parameters: &Parameters) -> Result<i64, Refusal> {
    let text = parameters.get("DurationSeconds");
    let seconds = limits::seconds(text, &SECONDS, DEFAULT_SECONDS)?;
    let known = ["Action", "Version", "DurationSeconds", "SerialNumber", "TokenCode"];
    match parameters.0.keys().find(|name| !known.contains(&name.as_str())) {
        Some(stranger) => Err(validation(format!("Unknown parameter: {stranger}"))),
        None => Ok(seconds),
    }
}
