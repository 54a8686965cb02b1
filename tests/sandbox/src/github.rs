//! The token service of GitHub Actions (GitHub's documentation, "OpenID Connect reference"): a job asks for an identity token.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::call::{Answer, Call, Parameters};
use crate::identity_provider::{self, SigningKeys, TokenOrder};
use crate::mint::{Mint, SecretKind, uuid};
use crate::reply::{Refusal, Reply};

/// A job that may ask for identity tokens: what its steps find in their environment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct GithubJob {
    /// `ACTIONS_ID_TOKEN_REQUEST_URL`.
    pub request_url: String,
    /// `ACTIONS_ID_TOKEN_REQUEST_TOKEN`.
    pub request_token: String,
}

/// The jobs that run: their tokens and paths.
#[derive(Debug, Default)]
pub(crate) struct Jobs(BTreeSet<(String, String)>);

impl Jobs {
    /// Begins a job. `base_url` is where the service is.
    pub(crate) fn begin(&mut self, mint: &mut Mint, base_url: &str) -> GithubJob {
        let token = mint.secret(SecretKind::JobToken, 0);
        let path = format!("/{}/idtoken", uuid());
        self.0.insert((token.clone(), path.clone()));
        GithubJob { request_url: format!("{base_url}{path}?api-version=2.0"), request_token: token }
    }

    /// Ends all jobs.
    pub(crate) fn end_all(&mut self) {
        self.0.clear();
    }
}

/// `GET …/idtoken?api-version=2.0&audience=…`.
pub(crate) fn id_token(jobs: &Jobs, keys: &SigningKeys, mint: &mut Mint, order: &TokenOrder, call: &Call) -> Answer {
    let scheme = call.header("authorization").and_then(|value| value.split_once(' '));
    let token = scheme.filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer")).map(|(_, token)| token);
    let is_known = token.is_some_and(|token| jobs.0.contains(&(token.to_owned(), call.path.clone())));
    if !is_known {
        return Err(Refusal::new(401, "Unauthorized", "The token of this job is not valid"));
    }
    let parameters = Parameters::parse(call.query.as_bytes())?;
    if parameters.get("api-version") != Some("2.0") {
        return Err(Refusal::new(400, "BadRequest", "api-version is missing"));
    }
    let usual = "https://github.com/octo-org";
    let audience = parameters.get("audience").unwrap_or(usual).to_owned();
    let value = identity_provider::sign(&TokenOrder { audience, ..order.clone() }, keys, mint, call.now);
    Ok(Reply::json(200, &json!({ "count": value.len(), "value": value })))
}
