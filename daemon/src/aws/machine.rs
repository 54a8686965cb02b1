//! What the machine is told by AWS about itself: the credentials of an EC2 instance (version 2 of its metadata service) and of an ECS task.
//!
//! Asked by hand: the SDK's own readers of these take answers of any length, and let credentials live on that have ended.
//! Whoever answers is believed no more than anybody else on the network.

use super::answers::{Keys, LONGEST_CREDENTIALS, credentials, is_visible};
use super::http::SharedClient;
use super::refusals::{Operation, Refusal, judge, unreached};
use super::retry::{Again, Failure};
use crate::clock::from_rfc3339;
use crate::credentials::Credentials;
use crate::names::{AccountId, RoleArn, RoleName};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_types::body::SdkBody;
use serde::Deserialize;
use std::time::SystemTime;
use tegata_protocol::Secret;

/// The metadata service of EC2 (EC2 User Guide, "Access instance metadata").
pub(super) const INSTANCE: &str = "http://169.254.169.254";
/// The credentials endpoint of ECS (ECS Developer Guide, "Task IAM role").
pub(super) const CONTAINER: &str = "http://169.254.170.2";

/// EC2 User Guide, "Use IMDSv2": how long the service's own token is good for, 1 to 21,600 seconds. It is used at once.
const TOKEN_SECONDS: u16 = 60;
/// A token of the service has 56 characters.
const LONGEST_TOKEN: usize = 1024;

const ROLE: &str = "/latest/meta-data/iam/security-credentials/";

/// The credentials, in the form that both have.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Answer {
    code: Option<String>,
    message: Option<String>,
    access_key_id: Option<String>,
    secret_access_key: Option<String>,
    token: Option<String>,
    expiration: Option<String>,
    role_arn: Option<String>,
}

/// Asks the metadata service once: for a token, for the name of the role, for its credentials.
pub(super) async fn of_instance(http: &SharedClient, base: &str, now: SystemTime) -> Result<Credentials, Failure> {
    let operation = Operation::InstanceMetadata;
    let seconds = TOKEN_SECONDS.to_string();
    let token = asked(http, operation, "PUT", &format!("{base}/latest/api/token"), &[(TTL_HEADER, &seconds)]).await?;
    let token = Secret::new(text(&token).unwrap_or_default());
    if token.expose_secret().len() > LONGEST_TOKEN || !is_visible(token.expose_secret()) {
        return Err(
            operation.failed(Again::Never, "an answer without a usable token; is it a metadata service of version 2?")
        );
    }
    let own = [(TOKEN_HEADER, token.expose_secret())];
    let names = asked(http, operation, "GET", &format!("{base}{ROLE}"), &own).await?;
    let names = text(&names).unwrap_or_default();
    let name = RoleName::new(names.lines().next().unwrap_or_default().trim());
    let name = name.map_err(|error| operation.failed(Again::Never, format!("a role that is none: {error}")))?;
    let answer = asked(http, operation, "GET", &format!("{base}{ROLE}{name}"), &own).await?;
    read(operation, &answer, now)
}

const TTL_HEADER: &str = "x-aws-ec2-metadata-token-ttl-seconds";
const TOKEN_HEADER: &str = "x-aws-ec2-metadata-token";

/// Asks the credentials endpoint once, at the path that the task was told.
pub(super) async fn of_container(
    http: &SharedClient,
    base: &str,
    path: &str,
    now: SystemTime,
) -> Result<Credentials, Failure> {
    let operation = Operation::ContainerCredentials;
    let answer = asked(http, operation, "GET", &format!("{base}{path}"), &[]).await?;
    read(operation, &answer, now)
}

async fn asked(
    http: &SharedClient,
    operation: Operation,
    method: &str,
    url: &str,
    headers: &[(&'static str, &str)],
) -> Result<HttpResponse, Failure> {
    let unmade = || operation.failed(Again::Never, "the request could not be made");
    let mut request = http::Request::builder().method(method).uri(url);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    if method == "PUT" {
        request = request.header("content-length", "0");
    }
    let request = request.header("accept", "*/*").body(SdkBody::empty()).map_err(|_| unmade())?;
    let request = HttpRequest::try_from(request).map_err(|_| unmade())?;
    let answer = http.exchange(request).await.map_err(|error| unreached(operation, &error))?;
    if answer.status().is_success() { Ok(answer) } else { Err(refused(operation, &answer)) }
}

/// A refusal has a page or nothing behind it: the status says what there is to say.
fn refused(operation: Operation, answer: &HttpResponse) -> Failure {
    let body: serde_json::Value =
        answer.body().bytes().and_then(|body| serde_json::from_slice(body).ok()).unwrap_or_default();
    let said = |names: [&str; 2]| names.iter().find_map(|name| body.get(name)?.as_str().map(str::to_owned));
    let status = answer.status().as_u16();
    let usual = match (operation, status) {
        (Operation::InstanceMetadata, 403) => "the metadata service of this instance is switched off",
        (Operation::InstanceMetadata, 404) => "the instance has no role, or this is no EC2 instance",
        _ => "no reason given",
    };
    let message = Some(said(["message", "Message"]).unwrap_or_else(|| usual.to_owned()));
    judge(operation, &Refusal { status, code: said(["code", "Code"]), message, retry_after: None })
}

fn read(operation: Operation, answer: &HttpResponse, now: SystemTime) -> Result<Credentials, Failure> {
    let never = |error| Failure { error, again: Again::Never };
    let body = answer.body().bytes().unwrap_or_default();
    let answer: Answer = serde_json::from_slice(body)
        .map_err(|_| operation.failed(Again::Never, "an answer that holds no credentials"))?;
    if let Some(code) = answer.code.filter(|code| code != "Success") {
        let refusal = Refusal { status: 400, code: Some(code), message: answer.message, retry_after: None };
        return Err(judge(operation, &refusal));
    }
    let keys = Keys { id: answer.access_key_id, secret: answer.secret_access_key, token: answer.token };
    let expires_at = answer.expiration.as_deref().and_then(from_rfc3339);
    let role = answer.role_arn.and_then(|arn| RoleArn::new(&arn).ok());
    let account = role.and_then(|role| AccountId::new(role.account_and_role().0).ok());
    credentials(operation, keys, (expires_at, LONGEST_CREDENTIALS), account, now).map_err(never)
}

fn text(answer: &HttpResponse) -> Option<String> {
    std::str::from_utf8(answer.body().bytes()?).ok().map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aws::AwsError;
    use crate::clock::from_unix_seconds;

    const NOW: i64 = 1_795_338_478; // 2026-11-22T09:07:58Z

    fn reading(body: &str) -> Result<Credentials, AwsError> {
        let answer = http::Response::new(SdkBody::from(body));
        let answer = HttpResponse::try_from(answer).unwrap();
        read(Operation::InstanceMetadata, &answer, from_unix_seconds(NOW)).map_err(|failure| failure.error)
    }

    fn with(name: &str, value: &str) -> String {
        let mut answer = serde_json::json!({
            "Code": "Success", "Type": "AWS-HMAC", "LastUpdated": "2026-11-22T09:00:00Z", "AccessKeyId": "ASIAEXAMPLE",
            "SecretAccessKey": "CANARY-s", "Token": "CANARY-t", "Expiration": "2026-11-22T15:07:58Z",
        });
        answer[name] = value.into();
        answer.to_string()
    }

    #[test]
    fn credentials_are_read_with_the_account_of_a_task() {
        let read = reading(&with("Type", "AWS-HMAC")).unwrap();
        assert_eq!((read.access_key_id(), read.expires_at()), ("ASIAEXAMPLE", from_unix_seconds(NOW + 6 * 3600)));
        assert_eq!(read.account_id(), None);
        let read = reading(&with("RoleArn", "arn:aws:iam::123456789012:role/Task")).unwrap();
        assert_eq!(read.account_id().map(AccountId::as_str), Some("123456789012"));
    }

    #[test]
    fn d9_an_answer_that_cannot_be_right_gives_no_credentials_and_is_not_quoted() {
        for body in [
            with("Expiration", "2026-11-22T09:07:58Z"),
            with("Expiration", "2025-01-01T00:00:00Z"),
            with("Expiration", "9999-12-31T23:59:59Z"),
            with("Expiration", "1795338478"),
            with("Expiration", ""),
            with("AccessKeyId", ""),
            with("Token", "a\nb"),
            with("SecretAccessKey", "a b"),
            with("Code", "Failed"),
            "{}".to_owned(),
            "[]".to_owned(),
            "<html>CANARY</html>".to_owned(),
            r#"{"AccessKeyId": 1}"#.to_owned(),
        ] {
            let error = reading(&body).unwrap_err().to_string();
            assert!(!error.contains("CANARY"), "{error}");
        }
    }

    #[test]
    fn a_code_other_than_success_is_a_refusal_in_its_own_words() {
        let mut answer: serde_json::Value =
            serde_json::from_str(&with("Code", "AssumeRoleUnauthorizedAccess")).unwrap();
        answer["Message"] = "EC2 cannot assume the role Build.\u{1b}[2J".into();
        let error = reading(&answer.to_string()).unwrap_err().to_string();
        assert!(error.contains("(AssumeRoleUnauthorizedAccess): EC2 cannot assume the role Build.\\u{1b}"), "{error}");
    }
}
