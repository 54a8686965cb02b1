//! CreateToken: three grants, one answer.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Deserialize;
use serde_json::json;
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use super::register::Registration;
use super::{AUTHORIZATION_CODE, DEVICE_CODE, Desk, REFRESH_TOKEN, device, is_past, refuse};
use crate::call::{Answer, Call, invalid_request};
use crate::reply::{Refusal, Reply};
use crate::sign_in::{Identity, SignInId, Tokens};

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Request {
    client_id: String,
    client_secret: String,
    grant_type: String,
    device_code: Option<String>,
    code: Option<String>,
    redirect_uri: Option<String>,
    code_verifier: Option<String>,
    refresh_token: Option<String>,
    /// In the model, and without effect.
    #[expect(dead_code, reason = "accepted and ignored, as AWS does")]
    scope: Option<Vec<String>>,
}

/// CreateToken.
pub(crate) fn create_token(desk: &mut Desk<'_>, call: &Call) -> Answer {
    let request: Request = call.json()?;
    let client = desk.authenticated(&request.client_id, &request.client_secret, call)?;
    if ![AUTHORIZATION_CODE, DEVICE_CODE, REFRESH_TOKEN].contains(&request.grant_type.as_str()) {
        return Err(refuse("UnsupportedGrantTypeException", "Unsupported grant type"));
    }
    if !client.may_use(&request.grant_type) {
        return Err(refuse("UnauthorizedClientException", "The client did not register this grant type"));
    }
    let tokens = match request.grant_type.as_str() {
        AUTHORIZATION_CODE => by_code(desk, &client, &request, call)?,
        DEVICE_CODE => by_device_code(desk, &client, &request, call)?,
        _ => by_refresh_token(desk, &request, call)?,
    };
    Ok(answer(&tokens))
}

fn answer(tokens: &Tokens) -> Reply {
    let mut answer = json!({"accessToken": tokens.access_token, "tokenType": "Bearer", "expiresIn": tokens.expires_in});
    if let Some(refresh_token) = &tokens.refresh_token {
        answer["refreshToken"] = refresh_token.as_str().into();
    }
    Reply::json(200, &answer)
}

fn given<'a>(value: Option<&'a String>, name: &str) -> Result<&'a str, Refusal> {
    let value = value.map(String::as_str).filter(|value| !value.is_empty());
    value.ok_or_else(|| invalid_request(format!("Missing required parameter: {name}")))
}

fn by_code(desk: &mut Desk<'_>, client: &Registration, request: &Request, call: &Call) -> Result<Tokens, Refusal> {
    let code = given(request.code.as_ref(), "code")?;
    let verifier = given(request.code_verifier.as_ref(), "codeVerifier")?;
    let redirect_uri = given(request.redirect_uri.as_ref(), "redirectUri")?;
    check_verifier(verifier)?;
    let who = redeemable(desk, code, &request.client_id, call)?;
    let found = &desk.oidc.codes[code];
    if found.redirect_uri != redirect_uri {
        return Err(refuse("InvalidGrantException", "redirectUri is not the one of the authorization request"));
    }
    let proof = URL_SAFE_NO_PAD.encode(Sha256::digest(verifier.as_bytes()));
    if !bool::from(proof.as_bytes().ct_eq(found.challenge.as_bytes())) {
        return Err(refuse("InvalidGrantException", "codeVerifier does not match the challenge"));
    }
    let id = open(desk, &who, &request.client_id, call);
    if let Some(code) = desk.oidc.codes.get_mut(code) {
        code.spent_on = Some(id);
    }
    Ok(mint(desk, id, client.is_refreshable(), None, call))
}

/// Who granted a code that is known, this client's, fresh and unused. A second use ends what the first one began
/// (RFC 6749 section 4.1.2).
fn redeemable(desk: &mut Desk<'_>, code: &str, client_id: &str, call: &Call) -> Result<Identity, Refusal> {
    let invalid = || refuse("InvalidGrantException", "Invalid authorization code provided");
    let found = desk.oidc.codes.get(code).filter(|found| found.client_id == client_id).ok_or_else(invalid)?;
    if let Some(id) = found.spent_on {
        desk.sign_ins.end(id);
        return Err(invalid());
    }
    if is_past(found.expires, call.now) {
        return Err(invalid());
    }
    Ok(found.who.clone())
}

/// RFC 7636 section 4.1: 43 to 128 unreserved characters.
fn check_verifier(verifier: &str) -> Result<(), Refusal> {
    let unreserved = |b: u8| b.is_ascii_alphanumeric() || b"-._~".contains(&b);
    if (43..=128).contains(&verifier.len()) && verifier.bytes().all(unreserved) {
        return Ok(());
    }
    Err(invalid_request("codeVerifier must be 43 to 128 unreserved characters"))
}

fn by_device_code(
    desk: &mut Desk<'_>,
    client: &Registration,
    request: &Request,
    call: &Call,
) -> Result<Tokens, Refusal> {
    let device_code = given(request.device_code.as_ref(), "deviceCode")?;
    let who = device::poll(desk, device_code, &request.client_id, call.now)?;
    let id = open(desk, &who, &request.client_id, call);
    Ok(mint(desk, id, client.is_refreshable(), None, call))
}

fn by_refresh_token(desk: &mut Desk<'_>, request: &Request, call: &Call) -> Result<Tokens, Refusal> {
    let token = given(request.refresh_token.as_ref(), "refreshToken")?;
    let id = desk.sign_ins.spend(token, &request.client_id, desk.settings, call.now);
    let id = id.ok_or_else(|| refuse("InvalidGrantException", "Invalid refresh token provided"))?;
    Ok(mint(desk, id, desk.settings.refresh_rotation, Some(token), call))
}

fn open(desk: &mut Desk<'_>, who: &Identity, client_id: &str, call: &Call) -> SignInId {
    desk.sign_ins.open(who, client_id, &desk.settings.lifetimes, call.now)
}

fn mint(desk: &mut Desk<'_>, id: SignInId, refreshable: bool, parent: Option<&str>, call: &Call) -> Tokens {
    desk.sign_ins.mint(id, refreshable, parent, (desk.mint, desk.settings, call.now))
}
