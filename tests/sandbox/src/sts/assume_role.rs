//! AssumeRole: limits, then who may, then for how long.

use serde::Serialize;

use super::limits::{self, Request, validation};
use super::role::IamRole;
use super::{Bench, Signed, answer, credentials, mfa, signed};
use crate::call::{Answer, Call};
use crate::clock::{EpochMs, millis};
use crate::issued::{IssuedCredentials, Principal, PrincipalKind};
use crate::reply::{Refusal, escape};

/// The longest session of a role assumed with a role's credentials, in seconds.
const CHAINED_MAX: i64 = 3600;

/// An AssumeRole that succeeded, with everything it carried: what CloudTrail shows of it, and the policies.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct AssumedRole {
    /// When, in milliseconds since the epoch (`eventTime`).
    pub at_ms: EpochMs,
    /// The region that was asked (`awsRegion`): of the signature, which has to be the endpoint's.
    pub region: String,
    /// The ARN of the session that asked (`userIdentity.arn`).
    pub caller: String,
    /// The role assumed.
    pub role_arn: String,
    /// The role session name.
    pub session_name: String,
    /// `DurationSeconds`, 3600 when it was absent.
    pub duration_seconds: i64,
    /// `ExternalId`.
    pub external_id: Option<String>,
    /// The source identity in force, inherited or set.
    pub source_identity: Option<String>,
    /// `Tags`, in order.
    pub tags: Vec<(String, String)>,
    /// `TransitiveTagKeys`.
    pub transitive_tag_keys: Vec<String>,
    /// The transitive tags of the roles before this one, which hold here, too.
    pub inherited_tags: Vec<(String, String)>,
    /// The inline session policy.
    pub policy: Option<String>,
    /// The managed session policies.
    pub policy_arns: Vec<String>,
    /// `SerialNumber`.
    pub serial_number: Option<String>,
    /// The access key id of the credentials it got.
    pub access_key_id: String,
}

/// AssumeRole.
pub(crate) fn assume_role(bench: &mut Bench<'_>, call: &Call) -> Answer {
    let Signed { parameters, caller, region } = signed(bench, call)?;
    let request = limits::check(&parameters)?;
    let with_code = mfa::check(bench, &caller, &parameters, call.now)?.is_some();
    let role = reachable(bench, &caller.principal, &request)?;
    if role.trust.requires_mfa && !with_code && !caller.principal.mfa {
        return Err(denied(&caller.principal, "sts:AssumeRole", &role.arn));
    }
    check_conditions(&role, &caller.principal, &request)?;
    check_duration(&role, caller.principal.kind, request.duration)?;
    let issued = issue(bench, call, &role, &caller.principal, &request);
    let result = result(&issued, &request)?;
    bench.assumed.push(record(call.now, region, &caller.principal, &issued, request));
    Ok(answer("AssumeRole", &result))
}

/// The role, when it exists, trusts the caller, and the caller's own policy lets it ask. Root may assume none (IAM User Guide).
fn reachable(bench: &Bench<'_>, caller: &Principal, request: &Request) -> Result<IamRole, Refusal> {
    if caller.kind == PrincipalKind::Root {
        return Err(Refusal::new(403, "AccessDenied", "Roles may not be assumed by root accounts."));
    }
    let role = bench.settings.iam_roles.iter().find(|role| role.arn == request.role_arn);
    let role = role.filter(|role| role.trust.allows(caller) && may(caller, "sts:AssumeRole"));
    role.cloned().ok_or_else(|| denied(caller, "sts:AssumeRole", &request.role_arn))
}

fn check_conditions(role: &IamRole, caller: &Principal, request: &Request) -> Result<(), Refusal> {
    if role.trust.external_id.is_some() && role.trust.external_id != request.external_id {
        return Err(denied(caller, "sts:AssumeRole", &role.arn));
    }
    if let (Some(wanted), Some(set)) = (&request.source_identity, &caller.source_identity)
        && wanted != set
    {
        return Err(validation("The source identity is already set for this assume role session"));
    }
    let carries_identity = request.source_identity.is_some() || caller.source_identity.is_some();
    if carries_identity && !(role.trust.allows_source_identity && may(caller, "sts:SetSourceIdentity")) {
        return Err(denied(caller, "sts:SetSourceIdentity", &role.arn));
    }
    let carries_tags = !request.tags.is_empty() || !caller.transitive_tags.is_empty();
    if carries_tags && !(role.trust.allows_tags && may(caller, "sts:TagSession")) {
        return Err(denied(caller, "sts:TagSession", &role.arn));
    }
    let inherited = |key: &str| caller.transitive_tags.iter().any(|(known, _)| known.eq_ignore_ascii_case(key));
    if request.tags.iter().any(|(key, _)| inherited(key)) {
        let message = "One of the specified transitive tag keys can't be set because it conflicts with a transitive tag key from the calling session.";
        return Err(Refusal::new(400, "InvalidParameterValue", message));
    }
    Ok(())
}

/// The role's own maximum first, then the hour of a chain, when the caller is itself a role session.
fn check_duration(role: &IamRole, caller: PrincipalKind, duration: i64) -> Result<(), Refusal> {
    if duration.saturating_mul(1000) > millis(role.max_session) {
        return Err(validation("The requested DurationSeconds exceeds the MaxSessionDuration set for this role."));
    }
    if caller == PrincipalKind::Role && duration > CHAINED_MAX {
        return Err(validation(
            "The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining.",
        ));
    }
    Ok(())
}

fn issue(
    bench: &mut Bench<'_>,
    call: &Call,
    role: &IamRole,
    caller: &Principal,
    request: &Request,
) -> IssuedCredentials {
    let mut principal =
        Principal::of_role(&caller.partition, role.account(), role.path(), role.name(), &request.session_name);
    principal.source_identity = request.source_identity.clone().or_else(|| caller.source_identity.clone());
    principal.transitive_tags.clone_from(&caller.transitive_tags);
    let transitive = |key: &str| request.transitive_tag_keys.iter().any(|known| known.eq_ignore_ascii_case(key));
    principal.transitive_tags.extend(request.tags.iter().filter(|(key, _)| transitive(key)).cloned());
    principal.denied.clone_from(&role.denied);
    let life = bench.settings.lifetimes.assumed_role.map_or(request.duration * 1000, millis);
    let expires = (call.now + life) / 1000 * 1000;
    bench.ledger.issue(bench.mint, bench.settings.session_token_length, expires, principal)
}

fn result(issued: &IssuedCredentials, request: &Request) -> Result<String, Refusal> {
    let principal = &issued.principal;
    let source_identity = principal.source_identity.as_deref();
    let source_identity = source_identity
        .map(|identity| format!("<SourceIdentity>{}</SourceIdentity>", escape(identity)))
        .unwrap_or_default();
    let packed = if request.policy.is_none() && request.policy_arns.is_empty() && request.tags.is_empty() {
        String::new()
    } else {
        format!("<PackedPolicySize>{}</PackedPolicySize>", request.packed_size()?)
    };
    Ok(format!(
        "<AssumedRoleUser><AssumedRoleId>{}</AssumedRoleId><Arn>{}</Arn></AssumedRoleUser>\
         {}{packed}{source_identity}",
        escape(&principal.user_id),
        escape(&principal.arn),
        credentials(issued),
    ))
}

fn record(
    at_ms: EpochMs,
    region: String,
    caller: &Principal,
    issued: &IssuedCredentials,
    request: Request,
) -> AssumedRole {
    AssumedRole {
        at_ms,
        region,
        inherited_tags: caller.transitive_tags.clone(),
        caller: caller.arn.clone(),
        role_arn: request.role_arn,
        session_name: request.session_name,
        duration_seconds: request.duration,
        external_id: request.external_id,
        source_identity: issued.principal.source_identity.clone(),
        tags: request.tags,
        transitive_tag_keys: request.transitive_tag_keys,
        policy: request.policy,
        policy_arns: request.policy_arns,
        serial_number: request.serial_number,
        access_key_id: issued.access_key_id.clone(),
    }
}

fn may(caller: &Principal, action: &str) -> bool {
    !caller.denied.iter().any(|denied| denied == action)
}

fn denied(caller: &Principal, action: &str, resource: &str) -> Refusal {
    let message = format!("User: {} is not authorized to perform: {action} on resource: {resource}", caller.arn);
    Refusal::new(403, "AccessDenied", message)
}
