//! The token service of GitHub Actions: a job asks for a token of its own identity (GitHub's documentation, "OpenID Connect reference").
//! It is no service of AWS; the same client with the same bounds asks it.

use super::http::SharedClient;
use super::refusals::{Operation, Refusal, judge, retry_after, unreached};
use super::retry::{Again, Failure};
use crate::github_job::Job;
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_types::body::SdkBody;
use serde::Deserialize;
use std::time::SystemTime;
use tegata_protocol::Secret;
use zeroize::Zeroizing;

const OPERATION: Operation = Operation::GithubIdToken;

#[derive(Deserialize)]
struct Answer {
    value: Secret,
}

/// Asks once for a token for `audience`.
pub(super) async fn id_token(
    http: &SharedClient,
    job: &Job,
    audience: &str,
    now: SystemTime,
) -> Result<Secret, Failure> {
    let answer = http.exchange(request(job, audience)?).await.map_err(|error| unreached(OPERATION, &error))?;
    if !answer.status().is_success() {
        return Err(judge(OPERATION, &refusal(&answer, job.token(), now)));
    }
    let read: Result<Answer, _> = serde_json::from_slice(answer.body().bytes().unwrap_or_default());
    read.map(|answer| answer.value).map_err(|_| OPERATION.failed(Again::Never, "an answer that holds no token"))
}

fn request(job: &Job, audience: &str) -> Result<HttpRequest, Failure> {
    let unmade = || OPERATION.failed(Again::Never, "the request could not be made");
    let bearer = Zeroizing::new(format!("bearer {}", job.token().expose_secret()));
    let request = http::Request::get(job.url_for(audience).as_str())
        .header("authorization", bearer.as_str())
        .header("accept", "application/json; api-version=2.0")
        .header("user-agent", concat!("tegata/", env!("CARGO_PKG_VERSION")))
        .body(SdkBody::empty())
        .map_err(|_| unmade())?;
    HttpRequest::try_from(request).map_err(|_| unmade())
}

fn refusal(answer: &HttpResponse, sent: &Secret, now: SystemTime) -> Refusal {
    let body: serde_json::Value =
        answer.body().bytes().and_then(|body| serde_json::from_slice(body).ok()).unwrap_or_default();
    let said = |name: &str| body.get(name).and_then(serde_json::Value::as_str).map(str::to_owned);
    Refusal {
        status: answer.status().as_u16(),
        code: None,
        message: Some(said("message").unwrap_or_else(|| "no reason given".to_owned())),
        retry_after: answer.headers().get("retry-after").and_then(|value| retry_after(value, now)),
    }
    .without(&[sent])
}
