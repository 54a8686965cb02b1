//! `CreateSession` of IAM Roles Anywhere: a request signed with a certificate's key in, credentials out. No SDK crate has this call.
//!
//! The request holds no secret, and may be sent again within minutes; the answer holds credentials and is read once.

use super::answers::{Keys, LONGEST_CREDENTIALS, credentials, is_session_of};
use super::http::SharedClient;
use super::refusals::{Operation, Refusal, judge, retry_after, unreached};
use super::retry::{Again, Failure};
use super::{AwsError, RoleToAssume};
use crate::clock::from_rfc3339;
use crate::credentials::Credentials;
use crate::names::AccountId;
use crate::roles_anywhere::signing::{PATH, Signed};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_types::body::SdkBody;
use serde::Deserialize;
use std::time::SystemTime;
use tegata_protocol::text::one_line;

const OPERATION: Operation = Operation::CreateSession;

/// IAM Roles Anywhere User Guide, "CreateSession API".
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Answer {
    credential_set: Vec<Set>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Set {
    assumed_role_user: Option<User>,
    credentials: Issued,
}

#[derive(Deserialize)]
struct User {
    arn: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Issued {
    access_key_id: Option<String>,
    secret_access_key: Option<String>,
    session_token: Option<String>,
    expiration: Option<String>,
}

/// Asks once.
pub(super) async fn create_session(
    http: &SharedClient,
    endpoint: &str,
    signed: &Signed,
    asked: &RoleToAssume,
    now: SystemTime,
) -> Result<Credentials, Failure> {
    let answer = http.exchange(request(endpoint, signed)?).await.map_err(|error| unreached(OPERATION, &error))?;
    if answer.status().is_success() {
        let read = read(answer.body().bytes().unwrap_or_default(), asked, now);
        return read.map_err(|error| Failure { error, again: Again::Never });
    }
    Err(judge(OPERATION, &refusal(&answer, now)))
}

fn request(endpoint: &str, signed: &Signed) -> Result<HttpRequest, Failure> {
    let unmade = || OPERATION.failed(Again::Never, "the request could not be made");
    let mut request = http::Request::post(format!("{endpoint}{PATH}"))
        .header("content-length", signed.body.len())
        .header("accept", "application/json")
        .header("user-agent", concat!("tegata/", env!("CARGO_PKG_VERSION")));
    for (name, value) in &signed.headers {
        request = request.header(*name, value);
    }
    let request = request.body(SdkBody::from(signed.body.clone())).map_err(|_| unmade())?;
    HttpRequest::try_from(request).map_err(|_| unmade())
}

fn read(body: &[u8], asked: &RoleToAssume, now: SystemTime) -> Result<Credentials, AwsError> {
    let unread = || {
        OPERATION.unavailable("an answer that holds no credentials; is there a sign-in page of a network in between?")
    };
    let Answer { credential_set } = serde_json::from_slice(body).map_err(|_| unread())?;
    let Set { assumed_role_user, credentials: issued } = credential_set.into_iter().next().ok_or_else(unread)?;
    let role = asked.role_arn.as_str();
    if let Some(User { arn }) = assumed_role_user.filter(|user| !is_session_of(&user.arn, role)) {
        return Err(OPERATION.unavailable(format!("credentials for another role: {}", one_line(&arn))));
    }
    let keys = Keys { id: issued.access_key_id, secret: issued.secret_access_key, token: issued.session_token };
    let expires_at = issued.expiration.as_deref().and_then(from_rfc3339);
    let account = AccountId::new(asked.role_arn.account_and_role().0).ok();
    credentials(OPERATION, keys, (expires_at, LONGEST_CREDENTIALS), account, now)
}

fn refusal(answer: &HttpResponse, now: SystemTime) -> Refusal {
    let body: serde_json::Value =
        answer.body().bytes().and_then(|body| serde_json::from_slice(body).ok()).unwrap_or_default();
    let in_body = |names: [&str; 2]| names.iter().find_map(|name| body.get(name)?.as_str().map(str::to_owned));
    // `AccessDeniedException:http://…`: what follows the colon is a name space.
    let kind = answer.headers().get("x-amzn-errortype").map(|kind| kind.split(':').next().unwrap_or_default());
    Refusal {
        status: answer.status().as_u16(),
        code: kind.filter(|kind| !kind.is_empty()).map(str::to_owned).or_else(|| in_body(["__type", "code"])),
        message: in_body(["message", "Message"]),
        retry_after: answer.headers().get("retry-after").and_then(|value| retry_after(value, now)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::from_unix_seconds;
    use crate::names::RoleArn;

    const NOW: i64 = 1_795_338_478; // 2026-11-22T09:07:58Z

    fn answer(arn: &str, expiration: &str) -> String {
        format!(
            r#"{{"credentialSet":[{{"assumedRoleUser":{{"arn":"{arn}","assumedRoleId":"AROA:x"}},"credentials":{{"accessKeyId":"ASIAEXAMPLE","secretAccessKey":"CANARY-s","sessionToken":"CANARY-t","expiration":"{expiration}"}},"packedPolicySize":1,"roleArn":"r","sourceIdentity":"CN=x"}}],"subjectArn":"s"}}"#
        )
    }

    fn reading(body: &str) -> Result<Credentials, AwsError> {
        let role = RoleToAssume::new(RoleArn::new("arn:aws:iam::123456789012:role/ci/Runner").unwrap());
        read(body.as_bytes(), &role, from_unix_seconds(NOW))
    }

    const ARN: &str = "arn:aws:sts::123456789012:assumed-role/Runner/5a11c307";

    #[test]
    fn an_answer_becomes_credentials_of_the_roles_account() {
        let read = reading(&answer(ARN, "2026-11-22T10:07:58Z")).unwrap();
        assert_eq!((read.access_key_id(), read.expires_at()), ("ASIAEXAMPLE", from_unix_seconds(NOW + 3600)));
        assert_eq!(read.account_id().map(AccountId::as_str), Some("123456789012"));
    }

    #[test]
    fn credentials_of_another_role_or_account_are_refused() {
        for arn in [
            "arn:aws:sts::999999999999:assumed-role/Runner/x",
            "arn:aws:sts::123456789012:assumed-role/Admin/x",
            "arn:aws:iam::123456789012:role/ci/Runner",
        ] {
            let refused = reading(&answer(arn, "2026-11-22T10:07:58Z")).unwrap_err().to_string();
            assert!(refused.contains("credentials for another role") && !refused.contains("CANARY"), "{refused}");
        }
    }

    #[test]
    fn what_cannot_be_right_is_no_answer() {
        for expiration in ["", "tomorrow", "2026-11-22T09:07:58Z", "2026-11-23T09:07:58Z", "1969-12-31T23:59:59Z"] {
            assert!(reading(&answer(ARN, expiration)).is_err(), "{expiration}");
        }
        for body in ["", "{}", r#"{"credentialSet":[]}"#, r#"{"credentialSet":[{"credentials":{}}]}"#, "<html>"] {
            assert!(matches!(reading(body), Err(AwsError::Unavailable { .. })), "{body}");
        }
    }
}
