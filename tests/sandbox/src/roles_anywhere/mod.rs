//! IAM Roles Anywhere: `POST /sessions`, credentials for a certificate. In no SDK's model; the rules are those of the User
//! Guide ("The IAM Roles Anywhere authentication process").

mod authority;
mod certificate;
mod refusals;
mod request;
mod settings;
mod signature;

pub use authority::{CertificateAuthority, IssuedCertificate, KeyKind, Subject};
pub use settings::{RolesAnywhere, RolesAnywhereProfile, TrustAnchor};

use serde::Serialize;
use serde_json::json;

use self::certificate::Presented;
use self::refusals::{denied, invalid, name_not_accepted, not_found, unable};
use self::request::Request;
use self::signature::Signed;
use crate::call::{Answer, Call};
use crate::clock::{EpochMs, iso8601, millis};
use crate::issued::{IssuedCredentials, Ledger, Principal};
use crate::mint::Mint;
use crate::reply::{Refusal, Reply};
use crate::settings::Settings;
use crate::sigv4::hex;
use crate::sts::IamRole;

/// The name of the service in a role's trust policy.
const PRINCIPAL: &str = "rolesanywhere.amazonaws.com";

/// What the handler works on.
pub(crate) struct Registry<'a> {
    pub(crate) ledger: &'a mut Ledger,
    pub(crate) mint: &'a mut Mint,
    pub(crate) sessions: &'a mut Vec<CertificateSession>,
    pub(crate) settings: &'a Settings,
}

/// A CreateSession that succeeded, with everything it carried.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CertificateSession {
    /// When, in milliseconds since the epoch.
    pub at_ms: EpochMs,
    /// The region of the signature's scope.
    pub region: String,
    /// The trust anchor.
    pub trust_anchor_arn: String,
    /// The profile.
    pub profile_arn: String,
    /// The role.
    pub role_arn: String,
    /// The role session's name: the serial number in hexadecimal, unless the request named it.
    pub session_name: String,
    /// `CN=` and the subject's common name.
    pub source_identity: String,
    /// `durationSeconds`, when it was asked for.
    pub duration_seconds: Option<i64>,
    /// `AWS4-X509-RSA-SHA256` or `AWS4-X509-ECDSA-SHA256`.
    pub algorithm: String,
    /// How many intermediate certificates came along.
    pub intermediates: usize,
    /// The access key id of the credentials it got.
    pub access_key_id: String,
}

/// CreateSession: who signs, what is asked for, whether the certificate is trusted for it, for how long.
pub(crate) fn create_session(registry: &mut Registry<'_>, call: &Call) -> Answer {
    let presented = certificate::presented(call)?;
    let signed = signature::verify(call, &presented)?;
    let request = request::check(call)?;
    check_region(&signed, &request)?;
    let anywhere = &registry.settings.roles_anywhere;
    let anchor =
        anywhere.trust_anchor(&request.trust_anchor.text).ok_or_else(|| not_found("Trust anchor not found"))?;
    presented.check_chain(anchor, call.now)?;
    let (role, seconds) = reachable(registry.settings, &request)?;
    let (issued, session) = issue(registry, call, &role, seconds, &presented, &signed, request);
    let reply = reply(&issued, &session, &presented);
    registry.sessions.push(session);
    Ok(reply)
}

fn check_region(signed: &Signed, request: &Request) -> Result<(), Refusal> {
    if signed.region == request.trust_anchor.region {
        return Ok(());
    }
    Err(invalid("The trust anchor is in another region"))
}

/// The role and how long its credentials live, when the profile has it and it trusts the service.
fn reachable(settings: &Settings, request: &Request) -> Result<(IamRole, i64), Refusal> {
    let profile = settings.roles_anywhere.profile(&request.profile.text);
    let profile = profile.ok_or_else(|| not_found("Profile not found"))?;
    if request.role_session_name.is_some() && !profile.accepts_role_session_name {
        return Err(name_not_accepted());
    }
    let role = settings.iam_roles.iter().find(|role| role.arn == request.role_arn);
    let trusts = |role: &&IamRole| {
        let trust = &role.trust;
        trust.principals.iter().any(|principal| principal == PRINCIPAL)
            && trust.allows_source_identity
            && trust.allows_tags
    };
    let role = role.filter(|role| profile.roles.contains(&role.arn)).filter(trusts);
    let role = role.ok_or_else(|| unable(&request.role_arn))?;
    let seconds = request.duration.unwrap_or(3600).min(millis(profile.duration) / 1000);
    if seconds * 1000 > millis(role.max_session) {
        return Err(denied("The requested DurationSeconds exceeds the MaxSessionDuration set for this role."));
    }
    Ok((role.clone(), seconds))
}

fn issue(
    registry: &mut Registry<'_>,
    call: &Call,
    role: &IamRole,
    seconds: i64,
    presented: &Presented,
    signed: &Signed,
    request: Request,
) -> (IssuedCredentials, CertificateSession) {
    let session_name = request.role_session_name.unwrap_or_else(|| hex(&presented.serial));
    let source_identity = format!("CN={}", presented.common_name);
    let mut principal = role.principal(&session_name);
    principal.source_identity = Some(source_identity.clone());
    let life = registry.settings.lifetimes.certificate_session.map_or(seconds * 1000, millis);
    let expires = (call.now + life) / 1000 * 1000;
    let length = registry.settings.session_token_length;
    let issued = registry.ledger.issue(registry.mint, length, expires, principal);
    let session = CertificateSession {
        at_ms: call.now,
        region: signed.region.clone(),
        trust_anchor_arn: request.trust_anchor.text,
        profile_arn: request.profile.text,
        role_arn: request.role_arn,
        session_name,
        source_identity,
        duration_seconds: request.duration,
        algorithm: signed.algorithm.to_owned(),
        intermediates: presented.intermediates(),
        access_key_id: issued.access_key_id.clone(),
    };
    (issued, session)
}

fn reply(issued: &IssuedCredentials, session: &CertificateSession, presented: &Presented) -> Reply {
    let Principal { arn, user_id, partition, account, .. } = &issued.principal;
    let subject =
        format!("arn:{partition}:rolesanywhere:{}:{account}:subject/{}", session.region, hex(&presented.serial));
    let set = json!({
        "assumedRoleUser": {"arn": arn, "assumedRoleId": user_id},
        "credentials": {
            "accessKeyId": issued.access_key_id,
            "secretAccessKey": issued.secret_access_key,
            "sessionToken": issued.session_token,
            "expiration": iso8601(issued.expires_ms),
        },
        "packedPolicySize": 1,
        "roleArn": session.role_arn,
        "sourceIdentity": session.source_identity,
    });
    Reply::json(201, &json!({"credentialSet": [set], "subjectArn": subject}))
}
