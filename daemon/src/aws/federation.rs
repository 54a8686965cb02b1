//! `getSigninToken`: credentials in, a sign-in token of the web console out. No SDK crate has this call.
//!
//! Asked by POST, so that no credentials are in any URL; the body is wiped once it has been sent.

use super::http::SharedClient;
use super::refusals::{Operation, Refusal, judge, retry_after, unreached};
use super::retry::{Again, Failure};
use crate::credentials::Credentials;
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_types::body::SdkBody;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde::{Deserialize, Serialize};
use std::time::{Duration, SystemTime};
use tegata_protocol::Secret;
use zeroize::Zeroizing;

const OPERATION: Operation = Operation::GetSigninToken;
/// Enough for any credentials, so that writing them never moves the buffer and leaves an unwiped copy behind.
const ROOM: usize = 32 * 1024;
/// A token has some hundred to two thousand characters.
const LONGEST_TOKEN: usize = 32 * 1024;

/// The credentials as the endpoint reads them.
#[derive(Serialize)]
struct Session<'a> {
    #[serde(rename = "sessionId")]
    id: &'a str,
    #[serde(rename = "sessionKey")]
    key: &'a str,
    #[serde(rename = "sessionToken")]
    token: &'a str,
}

#[derive(Deserialize)]
struct Answer {
    #[serde(rename = "SigninToken")]
    token: Secret,
}

/// Asks once.
pub(super) async fn sign_in_token(
    http: &SharedClient,
    endpoint: &str,
    from: &Credentials,
    lasts: Option<Duration>,
    now: SystemTime,
) -> Result<Secret, Failure> {
    let request = request(endpoint, from, lasts)?;
    let answer = http.exchange(request).await.map_err(|error| unreached(OPERATION, &error))?;
    if answer.status().is_success() {
        return token(answer.body().bytes().unwrap_or_default());
    }
    Err(judge(OPERATION, &refusal(&answer, from, now)))
}

fn request(endpoint: &str, from: &Credentials, lasts: Option<Duration>) -> Result<HttpRequest, Failure> {
    let unmade = || OPERATION.failed(Again::Never, "the request could not be made");
    let body = bytes::Bytes::from_owner(body(from, lasts).ok_or_else(unmade)?);
    let request = http::Request::post(format!("{endpoint}/federation"))
        .header("content-type", "application/x-www-form-urlencoded")
        .header("content-length", body.len())
        .header("accept", "application/json")
        .header("user-agent", concat!("tegata/", env!("CARGO_PKG_VERSION")))
        .body(SdkBody::from(body))
        .map_err(|_| unmade())?;
    HttpRequest::try_from(request).map_err(|_| unmade())
}

fn body(from: &Credentials, lasts: Option<Duration>) -> Option<Zeroizing<Vec<u8>>> {
    let session = Session {
        id: from.access_key_id(),
        key: from.secret_access_key().expose_secret(),
        token: from.session_token()?.expose_secret(),
    };
    let mut json = Zeroizing::new(Vec::with_capacity(ROOM));
    serde_json::to_writer(&mut *json, &session).ok()?;
    let mut body = Zeroizing::new(Vec::with_capacity(3 * ROOM));
    body.extend_from_slice(b"Action=getSigninToken");
    if let Some(lasts) = lasts {
        body.extend_from_slice(format!("&SessionDuration={}", lasts.as_secs()).as_bytes());
    }
    body.extend_from_slice(b"&Session=");
    for piece in percent_encoding::percent_encode(&json, NON_ALPHANUMERIC) {
        body.extend_from_slice(piece.as_bytes());
    }
    Some(body)
}

fn token(body: &[u8]) -> Result<Secret, Failure> {
    let unread = || {
        OPERATION.failed(
            Again::Never,
            "an answer that is not a sign-in token; is there a sign-in page of a network in between?",
        )
    };
    let Answer { token } = serde_json::from_slice(body).map_err(|_| unread())?;
    let text = token.expose_secret();
    let fits = !text.is_empty() && text.len() <= LONGEST_TOKEN && text.bytes().all(|byte| byte.is_ascii_graphic());
    if fits { Ok(token) } else { Err(unread()) }
}

/// What the endpoint said. Its errors have no form that AWS documents: JSON with a message is read, a page is not quoted.
fn refusal(answer: &HttpResponse, from: &Credentials, now: SystemTime) -> Refusal {
    let body: serde_json::Value =
        answer.body().bytes().and_then(|body| serde_json::from_slice(body).ok()).unwrap_or_default();
    let text = |names: [&str; 3]| names.iter().find_map(|name| body.get(name)?.as_str().map(str::to_owned));
    let message = text(["message", "Message", "error_description"]);
    let refused = matches!(answer.status().as_u16(), 400 | 401 | 403);
    let unsaid =
        || "no reason given; the credentials may have ended, or be none that can sign in to the console".to_owned();
    // What is sent back may be in the form it was sent in.
    let encoded =
        |secret: &Secret| Secret::new(utf8_percent_encode(secret.expose_secret(), NON_ALPHANUMERIC).to_string());
    let encoded: Vec<Secret> = from.secrets().map(encoded).collect();
    let sent: Vec<&Secret> = from.secrets().chain(&encoded).collect();
    Refusal {
        status: answer.status().as_u16(),
        code: text(["code", "Code", "error"]),
        message: message.or_else(|| refused.then(unsaid)),
        retry_after: answer.headers().get("retry-after").and_then(|value| retry_after(value, now)),
    }
    .without(&sent)
}
