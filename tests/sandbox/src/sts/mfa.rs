//! The MFA parameters of GetSessionToken and AssumeRole.

use super::Bench;
use super::limits;
use crate::call::Parameters;
use crate::clock::EpochMs;
use crate::issued::IssuedCredentials;
use crate::reply::Refusal;

/// The device whose code was sent and is right; none when none was sent. The code is spent whatever comes afterwards.
///
/// Stricter than what AWS says: a session may not bring a code, for no device is a role's and a session already has its answer.
pub(super) fn check(
    bench: &mut Bench<'_>,
    caller: &IssuedCredentials,
    parameters: &Parameters,
    now: EpochMs,
) -> Result<Option<String>, Refusal> {
    let (serial, code) = limits::mfa(parameters)?;
    match (serial, code) {
        (None, None) => Ok(None),
        (Some(serial), Some(code)) => {
            let arn = &caller.principal.arn;
            if caller.is_long_term() && bench.users.spend_code(arn, serial, code, now) {
                return Ok(Some(serial.to_owned()));
            }
            Err(failed(" with invalid MFA one time pass code."))
        }
        _ => Err(failed(", must provide both MFA serial number and one time pass code.")),
    }
}

fn failed(how: &str) -> Refusal {
    Refusal::new(403, "AccessDenied", format!("MultiFactorAuthentication failed{how}"))
}
