//! IAM's query protocol: a form, signed, posted; XML back. `aws-sdk-iam` has all 180 operations of IAM; Tegata needs six.

use super::answers::{self, Elements};
use super::endpoint::endpoint;
use super::{KeysOf, LastUse, ListedKey, MadeKey, ServiceCredential};
use crate::aws::http::SharedClient;
use crate::aws::refusals::{Operation, judge, retry_after, unreached};
use crate::aws::retry::{Again, Bounds, Failure, bounded};
use crate::aws::{AwsError, Config};
use aws_sigv4::http_request::{SignableBody, SignableRequest, SigningSettings, sign};
use aws_sigv4::sign::v4;
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_types::body::SdkBody;
use std::time::SystemTime;
use tegata_protocol::Secret;

const VERSION: &str = "2010-05-08";
const FORM: &str = "application/x-www-form-urlencoded; charset=utf-8";
/// A user has two keys; a listing that goes on and on is not one of AWS's.
const MOST_PAGES: usize = 8;

/// What requests to IAM go out with.
#[derive(Debug)]
pub(in crate::aws) struct Wire<'a> {
    pub(in crate::aws) config: &'a Config,
    pub(in crate::aws) http: &'a SharedClient,
    pub(in crate::aws) bounds: Bounds,
    pub(in crate::aws) now: SystemTime,
}

type Parameters<'a> = [(&'a str, &'a str)];

impl Wire<'_> {
    /// One request, whatever happens to it: a key may have been made although no answer came.
    pub(in crate::aws) async fn create(&self, of: KeysOf<'_>) -> Result<MadeKey, AwsError> {
        let body = self.ask(Operation::CreateAccessKey, of, &[], self.bounds.once()).await?;
        answers::made_key(&body)
    }

    /// All keys of the user.
    pub(in crate::aws) async fn list(&self, of: KeysOf<'_>) -> Result<Vec<ListedKey>, AwsError> {
        let (mut keys, mut marker) = (Vec::new(), None::<String>);
        for _ in 0..MOST_PAGES {
            let parameters: Vec<_> = marker.iter().map(|marker| ("Marker", marker.as_str())).collect();
            let body = self.ask(Operation::ListAccessKeys, of, &parameters, self.bounds).await?;
            let (page, next) = answers::listed_keys(&body)?;
            keys.extend(page);
            match next {
                None => return Ok(keys),
                next => marker = next,
            }
        }
        Err(Operation::ListAccessKeys.unavailable("a listing without an end"))
    }

    pub(in crate::aws) async fn set_active(&self, of: KeysOf<'_>, id: &str, active: bool) -> Result<(), AwsError> {
        let status = if active { "Active" } else { "Inactive" };
        let parameters = [("AccessKeyId", id), ("Status", status)];
        let body = self.ask(Operation::UpdateAccessKey, of, &parameters, self.bounds).await?;
        answers::done(Operation::UpdateAccessKey, &body)
    }

    pub(in crate::aws) async fn delete(&self, of: KeysOf<'_>, id: &str) -> Result<(), AwsError> {
        let body = self.ask(Operation::DeleteAccessKey, of, &[("AccessKeyId", id)], self.bounds).await?;
        answers::done(Operation::DeleteAccessKey, &body)
    }

    pub(in crate::aws) async fn last_use(&self, of: KeysOf<'_>, id: &str) -> Result<Option<LastUse>, AwsError> {
        answers::last_use(&self.ask(Operation::GetAccessKeyLastUsed, of, &[("AccessKeyId", id)], self.bounds).await?)
    }

    /// Everything the user has for one service alone.
    pub(in crate::aws) async fn service_credentials(&self, of: KeysOf<'_>) -> Result<Vec<ServiceCredential>, AwsError> {
        let operation = Operation::ListServiceSpecificCredentials;
        let (mut all, mut marker) = (Vec::new(), None::<String>);
        for _ in 0..MOST_PAGES {
            let parameters: Vec<_> = marker.iter().map(|marker| ("Marker", marker.as_str())).collect();
            let body = self.ask(operation, of, &parameters, self.bounds).await?;
            let (page, next) = answers::service_credentials(&body)?;
            all.extend(page);
            match next {
                None => return Ok(all),
                next => marker = next,
            }
        }
        Err(operation.unavailable("a listing without an end"))
    }

    async fn ask(
        &self,
        operation: Operation,
        of: KeysOf<'_>,
        parameters: &Parameters<'_>,
        bounds: Bounds,
    ) -> Result<Vec<u8>, AwsError> {
        let (address, region) = endpoint(self.config, of.user.partition())?;
        let form = form(operation, of, parameters);
        bounded(bounds, operation.name(), || self.exchange(operation, of, &address, region, &form)).await
    }

    async fn exchange(
        &self,
        operation: Operation,
        of: KeysOf<'_>,
        address: &str,
        region: &str,
        form: &str,
    ) -> Result<Vec<u8>, Failure> {
        let unmade = || operation.failed(Again::Never, "the request could not be made");
        let request = signed(of, address, region, form, self.now).ok_or_else(unmade)?;
        let answer = self.http.exchange(request).await.map_err(|error| unreached(operation, &error))?;
        let body = answer.body().bytes().unwrap_or_default();
        if !answer.status().is_success() {
            return Err(self.refused(operation, of, &answer));
        }
        if Elements::read(body).is_none() {
            let detail = "an answer that is not XML of AWS; is there a sign-in page of a network in between?";
            return Err(operation.failed(Again::Never, detail));
        }
        Ok(body.to_vec())
    }

    fn refused(&self, operation: Operation, of: KeysOf<'_>, answer: &HttpResponse) -> Failure {
        let mut refusal = answers::refusal(answer.status().as_u16(), answer.body().bytes().unwrap_or_default());
        refusal.retry_after = answer.headers().get("retry-after").and_then(|value| retry_after(value, self.now));
        let sent: Vec<&Secret> = of.from.secrets().collect();
        judge(operation, &refusal.without(&sent))
    }
}

fn form(operation: Operation, of: KeysOf<'_>, parameters: &Parameters<'_>) -> String {
    let mut form = form_urlencoded::Serializer::new(String::new());
    form.append_pair("Action", operation.name()).append_pair("Version", VERSION);
    // The one operation that is not about a user: the key tells whose it is.
    if operation != Operation::GetAccessKeyLastUsed {
        form.append_pair("UserName", of.user.name());
    }
    form.extend_pairs(parameters).finish()
}

/// A signed request (AWS General Reference, "Create a signed AWS API request").
fn signed(of: KeysOf<'_>, address: &str, region: &str, form: &str, now: SystemTime) -> Option<HttpRequest> {
    let secret = of.from.secret_access_key().expose_secret();
    let token = of.from.session_token().map(|token| token.expose_secret().to_owned());
    let identity =
        aws_credential_types::Credentials::new(of.from.access_key_id(), secret, token, None, "tegata").into();
    let settings = SigningSettings::default();
    let parameters =
        v4::SigningParams::builder().identity(&identity).region(region).name("iam").time(now).settings(settings);
    let uri = format!("{address}/");
    let mut request = http::Request::post(&uri)
        .header("content-type", FORM)
        .header("content-length", form.len())
        .header("user-agent", concat!("tegata/", env!("CARGO_PKG_VERSION")))
        .body(SdkBody::from(form))
        .ok()?;
    let headers = [("content-type", FORM)];
    let to_sign = SignableRequest::new("POST", &uri, headers.into_iter(), SignableBody::Bytes(form.as_bytes())).ok()?;
    let (instructions, _) = sign(to_sign, &parameters.build().ok()?.into()).ok()?.into_parts();
    instructions.apply_to_request_http1x(&mut request);
    HttpRequest::try_from(request).ok()
}
