//! CreateOAuth2Token: a code or a refresh token, with a proof, becomes credentials.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Deserialize;
use serde_json::json;
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use super::logins::{Login, LoginId};
use super::{CROSS_DEVICE, Reception, SAME_DEVICE, invalid, proof, refuse};
use crate::call::{Answer, Call};
use crate::clock::millis;
use crate::issued::Principal;
use crate::mint::SecretKind;
use crate::reply::{Refusal, Reply};

/// The longest life of one set of credentials, in milliseconds.
const CREDENTIALS_MAX_MS: i64 = 15 * 60 * 1000;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Request {
    client_id: String,
    grant_type: String,
    code: Option<String>,
    code_verifier: Option<String>,
    redirect_uri: Option<String>,
    refresh_token: Option<String>,
}

/// `POST /v1/token`.
pub(crate) fn create_oauth2_token(reception: &mut Reception<'_>, call: &Call) -> Answer {
    let request: Request = call.json()?;
    if !call.query.is_empty() || call.header("authorization").is_some() {
        return Err(invalid("This grant is neither signed nor has a query"));
    }
    if ![SAME_DEVICE, CROSS_DEVICE].contains(&request.client_id.as_str()) {
        return Err(invalid("clientId is not known"));
    }
    let thumbprint = proof::verified(reception, call)?;
    match request.grant_type.as_str() {
        "authorization_code" => by_code(reception, call, &request, thumbprint),
        "refresh_token" => by_refresh_token(reception, call, &request, &thumbprint),
        _ => Err(invalid("grantType is not supported")),
    }
}

fn by_code(reception: &mut Reception<'_>, call: &Call, request: &Request, thumbprint: String) -> Answer {
    only(&[(request.refresh_token.as_ref(), "refreshToken")])?;
    let code = given(request.code.as_ref(), "code", 1..=512)?;
    let verifier = given(request.code_verifier.as_ref(), "codeVerifier", 43..=128)?;
    let redirect_uri = given(request.redirect_uri.as_ref(), "redirectUri", 1..=2048)?;
    let identity = redeemable(reception, call, code, &request.client_id)?;
    let found = &reception.logins.codes[code];
    if found.redirect_uri != redirect_uri {
        return Err(invalid("redirectUri is not the one of the authorization request"));
    }
    let challenge = URL_SAFE_NO_PAD.encode(Sha256::digest(verifier.as_bytes()));
    if !bool::from(challenge.as_bytes().ct_eq(found.challenge.as_bytes())) {
        return Err(invalid("codeVerifier does not match the challenge"));
    }
    let id = reception.logins.open(Login {
        at_ms: call.now,
        identity,
        client_id: request.client_id.clone(),
        thumbprint,
        ends_ms: call.now + millis(reception.settings.console_login.total),
        renewals: 0,
        ended: false,
    });
    if let Some(code) = reception.logins.codes.get_mut(code) {
        code.spent_on = Some(id);
    }
    answer(reception, call, id, true)
}

/// Whom a code was granted to that is known, this client's, fresh and unused. A second use ends what the first one began (RFC 6749
/// section 4.1.2).
fn redeemable(reception: &mut Reception<'_>, call: &Call, code: &str, client_id: &str) -> Result<String, Refusal> {
    let expired = || refuse("AUTHCODE_EXPIRED", "The authorization code is not valid");
    let found = reception.logins.codes.get(code).filter(|found| found.client_id == client_id).ok_or_else(expired)?;
    if let Some(id) = found.spent_on {
        reception.logins.end(id);
        return Err(expired());
    }
    if call.now >= found.expires { Err(expired()) } else { Ok(found.identity.clone()) }
}

fn by_refresh_token(reception: &mut Reception<'_>, call: &Call, request: &Request, thumbprint: &str) -> Answer {
    only(&[
        (request.code.as_ref(), "code"),
        (request.code_verifier.as_ref(), "codeVerifier"),
        (request.redirect_uri.as_ref(), "redirectUri"),
    ])?;
    let token = given(request.refresh_token.as_ref(), "refreshToken", 1..=2048)?;
    let id = reception.logins.spend(token, &request.client_id, thumbprint, call.now)?;
    answer(reception, call, id, false)
}

fn answer(reception: &mut Reception<'_>, call: &Call, id: LoginId, first: bool) -> Answer {
    let Reception { logins, ledger, mint, settings } = reception;
    let login = logins.all[id].clone();
    let principal = Principal::of_arn(&login.identity).ok_or_else(|| invalid("The identity is not known"))?;
    let life = millis(settings.console_login.credentials).min(CREDENTIALS_MAX_MS);
    let expires = login.ends_ms.min(call.now + life);
    let keys = ledger.issue(mint, settings.session_token_length, expires, principal);
    let refresh_token = mint.secret(SecretKind::RefreshToken, 0);
    logins.carry_on(id, &refresh_token);
    let mut body = json!({
        "accessToken": {
            "accessKeyId": keys.access_key_id,
            "secretAccessKey": keys.secret_access_key,
            "sessionToken": keys.session_token,
        },
        "tokenType": "aws_sigv4",
        "expiresIn": (expires - call.now) / 1000,
        "refreshToken": refresh_token,
    });
    if first {
        body["idToken"] = id_token(&login, call, &mint.secret(SecretKind::IdTokenSignature, 0)).into();
    }
    Ok(Reply::json(200, &body).with("cache-control", "no-store"))
}

/// A JWT that names the identity; nobody can check its signature, which is a canary.
fn id_token(login: &Login, call: &Call, signature: &str) -> String {
    let now = call.now / 1000;
    let header = json!({"alg": "ES384", "typ": "JWT"});
    let payload = json!({
        "sub": login.identity,
        "aud": login.client_id,
        "iss": call.base_url(),
        "iat": now,
        "exp": now + 900,
    });
    let [header, payload] = [header, payload].map(|part| URL_SAFE_NO_PAD.encode(part.to_string()));
    format!("{header}.{payload}.{signature}")
}

fn given<'a>(
    value: Option<&'a String>,
    name: &str,
    length: std::ops::RangeInclusive<usize>,
) -> Result<&'a str, Refusal> {
    let value = value.ok_or_else(|| invalid(&format!("{name} is required")))?;
    let unreserved = |b: u8| b.is_ascii_alphanumeric() || b"-._~".contains(&b);
    if !length.contains(&value.len()) || name == "codeVerifier" && !value.bytes().all(unreserved) {
        return Err(invalid(&format!("{name} is not valid")));
    }
    Ok(value)
}

/// Members that belong to the other grant.
fn only(others: &[(Option<&String>, &str)]) -> Result<(), Refusal> {
    match others.iter().find(|(value, _)| value.is_some()) {
        Some((_, name)) => Err(invalid(&format!("{name} is not of this grant"))),
        None => Ok(()),
    }
}
