//! The browser's part of the authorization code flow: `/authorize`, the consent, the code.

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

use super::{AUTHORIZATION_CODE, Desk, pages, redirect, refuse};
use crate::call::{Answer, Call, Parameters, invalid_request};
use crate::clock::{EpochMs, millis};
use crate::mint::{SecretKind, uuid};
use crate::reply::{Refusal, Reply};
use crate::settings::Consent as Ending;
use crate::sign_in::{Identity, SignInId};

/// An authorization request that passed every check and waits for a person.
#[derive(Debug, Clone)]
pub(super) struct Consent {
    client_id: String,
    issuer_url: String,
    redirect_uri: String,
    state: String,
    challenge: String,
}

/// An authorization code and what it was granted for.
#[derive(Debug)]
pub(super) struct Code {
    pub(super) client_id: String,
    pub(super) redirect_uri: String,
    pub(super) challenge: String,
    pub(super) who: Identity,
    pub(super) expires: EpochMs,
    /// The sign-in session it was spent on.
    pub(super) spent_on: Option<SignInId>,
}

const PARAMETERS: [&str; 7] =
    ["response_type", "client_id", "redirect_uri", "state", "code_challenge_method", "scopes", "code_challenge"];

/// `GET /authorize`.
pub(crate) fn authorize(desk: &mut Desk<'_>, call: &Call) -> Answer {
    let consent = read(desk, call)?;
    match desk.settings.authorize.clone() {
        Ending::Auto => allow(desk, &consent, None, 302, call.now),
        Ending::Refuse { error, description } => Ok(turned_down(&consent, &error, &description, 302)),
        Ending::Page => Ok(ask(desk, consent)),
    }
}

/// `POST /authorize`, the form of the consent page.
pub(crate) fn decide_authorization(desk: &mut Desk<'_>, call: &Call) -> Answer {
    let form = call.form()?;
    let consent = desk.oidc.consents.remove(form.required("consent")?);
    let consent = consent.ok_or_else(|| invalid_request("This request was already answered"))?;
    match form.required("decision")? {
        "allow" => allow(desk, &consent, form.get("user"), 303, call.now),
        "deny" => Ok(turned_down(&consent, "access_denied", "The user denied the request", 303)),
        _ => Err(invalid_request("decision must be allow or deny")),
    }
}

fn read(desk: &Desk<'_>, call: &Call) -> Result<Consent, Refusal> {
    let query = call.query_of(&PARAMETERS)?;
    let client_id = query.required("client_id")?;
    let client = desk.client(client_id, call)?;
    let redirect_uri = query.required("redirect_uri")?;
    if !client.redirect_uris.iter().any(|registered| redirect::matches(registered, redirect_uri)) {
        return Err(refuse("InvalidRedirectUriException", "redirect_uri is not registered"));
    }
    if !client.may_use(AUTHORIZATION_CODE) {
        return Err(refuse("UnauthorizedClientException", "The client did not register authorization_code"));
    }
    check_scopes(&query, &client.scopes)?;
    check_proof_key(&query)?;
    let issuer_url = client.issuer_url.ok_or_else(|| invalid_request("The client has no issuerUrl"))?;
    Ok(Consent {
        client_id: client_id.to_owned(),
        issuer_url,
        redirect_uri: redirect_uri.to_owned(),
        state: query.required("state")?.to_owned(),
        challenge: query.required("code_challenge")?.to_owned(),
    })
}

fn check_scopes(query: &Parameters, registered: &[String]) -> Result<(), Refusal> {
    let mut scopes = query.required("scopes")?.split(' ');
    if scopes.all(|scope| registered.iter().any(|known| known == scope)) {
        return Ok(());
    }
    Err(refuse("InvalidScopeException", "A scope is not registered"))
}

/// RFC 7636 section 4.3, with S256 as the only method; the challenge of a SHA-256 has 43 characters.
fn check_proof_key(query: &Parameters) -> Result<(), Refusal> {
    if query.required("response_type")? != "code" {
        return Err(invalid_request("response_type must be code"));
    }
    if query.required("code_challenge_method")? != "S256" {
        return Err(invalid_request("code_challenge_method must be S256"));
    }
    let challenge = query.required("code_challenge")?;
    let base64url = |b: u8| b.is_ascii_alphanumeric() || b == b'-' || b == b'_';
    if challenge.len() != 43 || !challenge.bytes().all(base64url) {
        return Err(invalid_request("code_challenge must be an unpadded base64url SHA-256"));
    }
    Ok(())
}

fn ask(desk: &mut Desk<'_>, consent: Consent) -> Reply {
    let id = uuid();
    let page = desk
        .settings
        .organization(&consent.issuer_url)
        .map(|organization| pages::consent(&id, &consent.client_id, organization))
        .unwrap_or_default();
    desk.oidc.consents.insert(id, consent);
    Reply::html(200, page)
}

fn allow(desk: &mut Desk<'_>, consent: &Consent, user: Option<&str>, status: u16, now: EpochMs) -> Answer {
    let who = desk.identity(&consent.issuer_url, user).ok_or_else(|| invalid_request("No such user"))?;
    let code = desk.mint.secret(SecretKind::AuthorizationCode, 0);
    let location = redirection(consent, &[("code", &code)]);
    desk.oidc.codes.insert(
        code,
        Code {
            client_id: consent.client_id.clone(),
            redirect_uri: consent.redirect_uri.clone(),
            challenge: consent.challenge.clone(),
            who,
            expires: now + millis(desk.settings.lifetimes.authorization_code),
            spent_on: None,
        },
    );
    Ok(Reply::redirect(status, location))
}

fn turned_down(consent: &Consent, error: &str, description: &str, status: u16) -> Reply {
    Reply::redirect(status, redirection(consent, &[("error", error), ("error_description", description)]))
}

/// The redirect URI with the parameters and the client's `state`.
fn redirection(consent: &Consent, parameters: &[(&str, &str)]) -> String {
    let mut location = consent.redirect_uri.clone();
    for (name, value) in parameters.iter().chain(&[("state", consent.state.as_str())]) {
        location.push(if location.contains('?') { '&' } else { '?' });
        location.push_str(name);
        location.push('=');
        location.extend(utf8_percent_encode(value, UNRESERVED));
    }
    location
}

/// Everything but the unreserved characters of RFC 3986.
const UNRESERVED: &percent_encoding::AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');
