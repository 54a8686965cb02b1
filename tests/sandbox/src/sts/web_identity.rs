//! AssumeRoleWithWebIdentity: unsigned; a token of an identity provider stands for the caller.

use serde::{Deserialize, Serialize};

use super::limits::{self, Request, validation};
use super::role::IamRole;
use super::{Bench, answer, credentials, parameters};
use crate::call::{Answer, Call, Parameters};
use crate::clock::{EpochMs, millis};
use crate::identity_provider::{self, Claims};
use crate::issued::IssuedCredentials;
use crate::reply::{Refusal, escape};

/// Which tokens a role trusts: the `Federated` principal of its trust policy and the conditions on it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct TrustedTokens {
    /// The `iss`.
    pub issuer: String,
    /// The `aud` (`StringEquals`); empty: any that IAM knows of the provider.
    pub audience: String,
    /// The `sub` (`StringLike`): `*` is any characters, `?` one.
    pub subject: String,
}

/// An AssumeRoleWithWebIdentity that succeeded.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RoleForToken {
    /// When, in milliseconds since the epoch.
    pub at_ms: EpochMs,
    /// The region of the address that was asked; absent where it names none.
    pub region: Option<String>,
    /// The role assumed.
    pub role_arn: String,
    /// The role session name.
    pub session_name: String,
    /// `DurationSeconds`, 3600 when it was absent.
    pub duration_seconds: i64,
    /// The token's `iss`.
    pub issuer: String,
    /// The token's `aud`.
    pub audience: String,
    /// The token's `sub`.
    pub subject: String,
    /// The inline session policy.
    pub policy: Option<String>,
    /// The managed session policies.
    pub policy_arns: Vec<String>,
    /// The access key id of the credentials it got.
    pub access_key_id: String,
}

/// AssumeRoleWithWebIdentity.
pub(crate) fn assume_role_with_web_identity(bench: &mut Bench<'_>, call: &Call) -> Answer {
    if call.header("authorization").is_some() {
        // AWS says of this call that it is not signed; whoever signs it has credentials, and should not need it.
        return Err(validation("AssumeRoleWithWebIdentity is not signed"));
    }
    let parameters = parameters(call)?;
    let request = check(&parameters)?;
    let claims = claims(bench, parameters.get("WebIdentityToken").unwrap_or_default(), call.now)?;
    let role = bench.settings.iam_roles.iter().find(|role| role.arn == request.role_arn);
    let role = role.filter(|role| role.trust.tokens.as_ref().is_some_and(|trusted| trusted.trust(&claims)));
    let role = role
        .cloned()
        .ok_or_else(|| Refusal::new(403, "AccessDenied", "Not authorized to perform sts:AssumeRoleWithWebIdentity"))?;
    if request.duration.saturating_mul(1000) > millis(role.max_session) {
        return Err(validation("The requested DurationSeconds exceeds the MaxSessionDuration set for this role."));
    }
    let issued = issue(bench, call, &role, &request);
    let result = result(&issued, &claims, &request)?;
    bench.for_tokens.push(record(call, &issued, claims, request));
    Ok(answer("AssumeRoleWithWebIdentity", &result))
}

/// The limits of AssumeRole's parameters hold; of them, only these exist here (STS API reference).
fn check(parameters: &Parameters) -> Result<Request, Refusal> {
    const KNOWN: [&str; 8] = [
        "Action",
        "Version",
        "RoleArn",
        "RoleSessionName",
        "WebIdentityToken",
        "ProviderId",
        "DurationSeconds",
        "Policy",
    ];
    let known = |name: &str| KNOWN.contains(&name) || name.starts_with("PolicyArns.member.");
    if let Some(stranger) = parameters.0.keys().find(|name| !known(name)) {
        return Err(validation(format!("Unknown parameter: {stranger}")));
    }
    limits::length("webIdentityToken", Some(limits::required(parameters, "WebIdentityToken")?), 4, 20_000)?;
    limits::length("providerId", parameters.get("ProviderId"), 4, 2048)?;
    limits::check(parameters)
}

/// What a token says, once everything about it but the role's trust is in order.
fn claims(bench: &Bench<'_>, token: &str, now: EpochMs) -> Result<Claims, Refusal> {
    let invalid = |message: String| Refusal::new(400, "InvalidIdentityToken", message);
    let read = identity_provider::read(token);
    let read = read.ok_or_else(|| invalid("The ID Token provided is not a valid JWT.".to_owned()))?;
    let claims = &read.claims;
    let provider = bench.settings.identity_providers.iter().find(|provider| provider.issuer == claims.iss);
    let provider = provider
        .ok_or_else(|| invalid(format!("No OpenIDConnect provider found in your account for {}", claims.iss)))?;
    if !provider.reachable {
        let message = format!("The identity provider {} could not be reached", claims.iss);
        return Err(Refusal::new(400, "IDPCommunicationError", message));
    }
    if !read.is_signed_with(bench.keys) {
        return Err(invalid("Couldn't retrieve verification key from your identity provider".to_owned()));
    }
    if !provider.audiences.contains(&claims.aud) {
        return Err(invalid("Incorrect token audience".to_owned()));
    }
    let seconds = now / 1000;
    if claims.exp <= seconds {
        let message = format!(
            "Token expired: current date/time {seconds} must be before the expiration date/time {}",
            claims.exp
        );
        return Err(Refusal::new(400, "ExpiredTokenException", message));
    }
    Ok(read.claims)
}

impl TrustedTokens {
    fn trust(&self, claims: &Claims) -> bool {
        self.issuer == claims.iss
            && (self.audience.is_empty() || self.audience == claims.aud)
            && is_like(&self.subject, &claims.sub)
    }
}

/// `StringLike` of IAM policies.
fn is_like(pattern: &str, text: &str) -> bool {
    let mut pattern_chars = pattern.chars();
    match pattern_chars.next() {
        None => text.is_empty(),
        Some('*') => {
            let rest = pattern_chars.as_str();
            (0..=text.len()).filter(|at| text.is_char_boundary(*at)).any(|at| is_like(rest, &text[at..]))
        }
        Some(wanted) => {
            let mut text_chars = text.chars();
            text_chars.next().is_some_and(|found| wanted == '?' || wanted == found)
                && is_like(pattern_chars.as_str(), text_chars.as_str())
        }
    }
}

fn issue(bench: &mut Bench<'_>, call: &Call, role: &IamRole, request: &Request) -> IssuedCredentials {
    let life = bench.settings.lifetimes.assumed_role.map_or(request.duration * 1000, millis);
    let expires = (call.now + life) / 1000 * 1000;
    let principal = role.principal(&request.session_name);
    bench.ledger.issue(bench.mint, bench.settings.session_token_length, expires, principal)
}

fn result(issued: &IssuedCredentials, claims: &Claims, request: &Request) -> Result<String, Refusal> {
    let principal = &issued.principal;
    let provider = format!(
        "arn:{}:iam::{}:oidc-provider/{}",
        principal.partition,
        principal.account,
        claims.iss.trim_start_matches("https://")
    );
    Ok(format!(
        "<SubjectFromWebIdentityToken>{}</SubjectFromWebIdentityToken><Audience>{}</Audience><Provider>{}</Provider>\
         <AssumedRoleUser><AssumedRoleId>{}</AssumedRoleId><Arn>{}</Arn></AssumedRoleUser>\
         {}<PackedPolicySize>{}</PackedPolicySize>",
        escape(&claims.sub),
        escape(&claims.aud),
        escape(&provider),
        escape(&principal.user_id),
        escape(&principal.arn),
        credentials(issued),
        request.packed_size()?,
    ))
}

fn record(call: &Call, issued: &IssuedCredentials, claims: Claims, request: Request) -> RoleForToken {
    RoleForToken {
        at_ms: call.now,
        region: call.endpoint.region().map(str::to_owned),
        role_arn: request.role_arn,
        session_name: request.session_name,
        duration_seconds: request.duration,
        issuer: claims.iss,
        audience: claims.aud,
        subject: claims.sub,
        policy: request.policy,
        policy_arns: request.policy_arns,
        access_key_id: issued.access_key_id.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::is_like;

    #[test]
    fn a_subject_is_matched_as_iam_matches() {
        for (pattern, text, is) in [
            ("repo:octo-org/*", "repo:octo-org/octo-repo:ref:refs/heads/main", true),
            ("repo:octo-org/*:ref:*", "repo:octo-org/octo-repo:pull_request", false),
            ("repo:a?c", "repo:abc", true),
            ("repo:a?c", "repo:ac", false),
            ("repo:abc", "repo:abcd", false),
            ("*", "", true),
            ("", "x", false),
            ("é*", "élan", true),
        ] {
            assert_eq!(is_like(pattern, text), is, "{pattern} {text}");
        }
    }
}
