//! One request of the page: the rules, then the desk. Nothing is decided here.

use super::answer::{self, Answer};
use super::rules::{self, Act, LARGEST_BODY, Route, Site, TOKEN};
use crate::requests::PageDesk;
use crate::requests::view::{PageRefusal, View};
use bytes::Bytes;
use http::header::HeaderMap;
use http::{Request, StatusCode};
use http_body_util::{BodyExt as _, Limited};
use hyper::body::Incoming;
use serde::Serialize;
use std::time::Duration;
use tegata_protocol::text::one_line;
use tokio::time::timeout;

const BODY_WITHIN: Duration = Duration::from_secs(10);
/// Tokens are 32 bytes in base64url (43 characters); what is much longer is none.
const LONGEST_TOKEN: usize = 128;

/// What `/api/open` gives.
#[derive(Serialize)]
struct Opened<'a> {
    token: &'a str,
    view: View,
}

/// Answers one request.
pub(super) async fn answer(request: Request<Incoming>, desk: &dyn PageDesk, site: &Site) -> Answer {
    let (head, body) = request.into_parts();
    match rules::check(&head, site) {
        Err(status) => answer::refused(status),
        Ok(Route::Document) => answer::document(),
        Ok(Route::Api(act)) => match whole(body).await {
            Ok(body) => perform(act, &head.headers, &body, desk, site).await.unwrap_or_else(|no| answer::refusal(&no)),
            Err(status) => answer::refused(status),
        },
    }
}

/// Reads the body. Its length was told and is within bounds; hyper reads no more than was told.
async fn whole(body: Incoming) -> Result<Bytes, StatusCode> {
    let most = usize::try_from(LARGEST_BODY).unwrap_or(usize::MAX);
    match timeout(BODY_WITHIN, Limited::new(body, most).collect()).await {
        Ok(Ok(body)) => Ok(body.to_bytes()),
        Ok(Err(_)) => Err(StatusCode::BAD_REQUEST),
        Err(_) => Err(StatusCode::REQUEST_TIMEOUT),
    }
}

async fn perform(
    act: Act,
    headers: &HeaderMap,
    body: &[u8],
    desk: &dyn PageDesk,
    site: &Site,
) -> Result<Answer, PageRefusal> {
    let token = token(headers)?;
    let view = match act {
        Act::Open => {
            let (token, view) = desk.open(token)?;
            return Ok(answer::json(&Opened { token: token.expose_secret(), view: shown(view) }));
        }
        Act::Begin => return Ok(answer::json(&desk.begin(token, &site.origin).await?)),
        Act::View => desk.view(token)?,
        Act::Finish => desk.finish(token, &site.origin, body).await?,
        Act::Refuse => desk.refuse(token).await?,
    };
    Ok(answer::json(&shown(view)))
}

/// A header that is missing, there twice or no token at all is an unknown token.
fn token(headers: &HeaderMap) -> Result<&str, PageRefusal> {
    let token = rules::only(headers, &TOKEN).and_then(|value| std::str::from_utf8(value).ok());
    token.filter(|token| !token.is_empty() && token.len() <= LONGEST_TOKEN).ok_or(PageRefusal::NotYours)
}

/// Makes every text printable once more: names come from configuration files and from AWS.
fn shown(mut view: View) -> View {
    for text in [&mut view.profile, &mut view.account, &mut view.role, &mut view.reason, &mut view.person] {
        *text = text.as_deref().map(one_line);
    }
    for lines in [&mut view.requester, &mut view.changes, &mut view.approvals_given] {
        lines.iter_mut().for_each(|line| *line = one_line(line));
    }
    view
}
