//! The browser's part: `/v1/authorize`, and the page from which a code is carried to another machine.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::Uri;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use super::logins::Code;
use super::{CONFIRMATION, CROSS_DEVICE, Reception, SAME_DEVICE, invalid};
use crate::call::{Answer, Call, Parameters};
use crate::clock::millis;
use crate::federation::html;
use crate::issued::Principal;
use crate::mint::SecretKind;
use crate::reply::{Refusal, Reply, escape};

const PARAMETERS: [&str; 7] =
    ["response_type", "client_id", "redirect_uri", "state", "code_challenge_method", "scope", "code_challenge"];

/// Everything but the unreserved characters of RFC 3986.
const UNRESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// `GET /v1/authorize`: whoever is signed in to the console agrees at once.
pub(crate) fn authorize(reception: &mut Reception<'_>, call: &Call) -> Answer {
    let query = call.query_of(&PARAMETERS)?;
    let redirect_uri = checked(&query, call)?;
    let state = query.required("state")?;
    let behaviour = &reception.settings.console_login;
    if let Some((error, description)) = &behaviour.refuse {
        let parameters = [("error", error.as_str()), ("error_description", description), ("state", state)];
        return Ok(Reply::redirect(302, redirection(redirect_uri, &parameters)));
    }
    let identity = behaviour.identity.clone();
    Principal::of_arn(&identity).ok_or_else(|| invalid("Nobody is signed in to the console"))?;
    let code = reception.mint.secret(SecretKind::AuthorizationCode, 0);
    let location = redirection(redirect_uri, &[("code", &code), ("state", state)]);
    let granted = Code {
        client_id: query.required("client_id")?.to_owned(),
        redirect_uri: redirect_uri.to_owned(),
        challenge: query.required("code_challenge")?.to_owned(),
        identity,
        expires: call.now + millis(reception.settings.lifetimes.authorization_code),
        spent_on: None,
    };
    reception.logins.codes.insert(code, granted);
    Ok(Reply::redirect(302, location))
}

/// The redirect URI of a request in which everything else is right, too.
fn checked<'a>(query: &'a Parameters, call: &Call) -> Result<&'a str, Refusal> {
    for (name, only) in [("response_type", "code"), ("code_challenge_method", "SHA-256"), ("scope", "openid")] {
        if query.required(name)? != only {
            return Err(invalid(&format!("{name} must be {only}")));
        }
    }
    let challenge = query.required("code_challenge")?;
    let base64url = |b: u8| b.is_ascii_alphanumeric() || b == b'-' || b == b'_';
    if challenge.len() != 43 || !challenge.bytes().all(base64url) {
        return Err(invalid("code_challenge must be an unpadded base64url SHA-256"));
    }
    let redirect_uri = query.required("redirect_uri")?;
    let right = match query.required("client_id")? {
        SAME_DEVICE => is_callback(redirect_uri),
        CROSS_DEVICE => redirect_uri == format!("{}{CONFIRMATION}", call.base_url()),
        _ => return Err(invalid("client_id is not known")),
    };
    if right { Ok(redirect_uri) } else { Err(invalid("redirect_uri is not one of this client")) }
}

/// A loopback IP literal with any port (RFC 8252 section 7.3) and the path that AWS's own clients have.
fn is_callback(uri: &str) -> bool {
    let Ok(parsed) = uri.parse::<Uri>() else { return false };
    let authority = parsed.authority().map_or("", |authority| authority.as_str());
    parsed.scheme_str() == Some("http")
        && parsed.host() == Some("127.0.0.1")
        && parsed.port_u16().is_some_and(|port| port > 0)
        && !authority.contains('@')
        && !uri.contains('#')
        && parsed.path_and_query().is_some_and(|path| path.as_str() == "/oauth/callback")
}

fn redirection(redirect_uri: &str, parameters: &[(&str, &str)]) -> String {
    let pairs = parameters.iter().map(|(name, value)| format!("{name}={}", utf8_percent_encode(value, UNRESERVED)));
    format!("{redirect_uri}?{}", pairs.collect::<Vec<_>>().join("&"))
}

/// `GET /v1/sessions/confirmation`: shows what a person pastes into the terminal of the other machine.
pub(crate) fn confirmation(reception: &Reception<'_>, call: &Call) -> Answer {
    let query = call.query_of(&["code", "state", "error", "error_description"])?;
    if let Some(error) = query.get("error") {
        let text = format!("{error}: {}", query.get("error_description").unwrap_or_default());
        return Ok(Reply::html(200, html("You are not signed in", &format!("<p>{}</p>", escape(&text)))));
    }
    let (code, state) = (query.required("code")?, query.required("state")?);
    if !reception.logins.codes.contains_key(code) {
        return Err(invalid("This code was never granted"));
    }
    let carried = STANDARD.encode(format!("state={state}&code={code}"));
    let body = format!("<p>Paste this into your terminal:</p>\n<code id=\"authorization-code\">{carried}</code>");
    Ok(Reply::html(200, html("Authorization code", &body)))
}

#[cfg(test)]
mod tests {
    use super::is_callback;

    #[test]
    fn only_the_loopback_callback_is_one_of_the_same_device() {
        assert!(is_callback("http://127.0.0.1:43123/oauth/callback"));
        for uri in [
            "http://127.0.0.1/oauth/callback",
            "http://127.0.0.1:0/oauth/callback",
            "http://localhost:43123/oauth/callback",
            "http://127.0.0.2:43123/oauth/callback",
            "https://127.0.0.1:43123/oauth/callback",
            "http://a@127.0.0.1:43123/oauth/callback",
            "http://127.0.0.1:43123/oauth/callback/",
            "http://127.0.0.1:43123/oauth/callback?x=1",
            "http://127.0.0.1:43123/oauth/callback#x",
            "http://127.0.0.1.evil.example:43123/oauth/callback",
            "",
        ] {
            assert!(!is_callback(uri), "{uri}");
        }
    }
}
