//! An address of an organisation's own: the one request to a host that is not AWS's. It carries nothing, and its answer's body is
//! not used.

use super::SdkAws;
use crate::aws::AwsError;
use crate::aws::refusals::{Operation, unreached};
use crate::names::StartUrl;
use aws_smithy_runtime_api::client::http::HttpConnector;
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_types::body::SdkBody;

/// What a server answers that does not know `HEAD` (RFC 9110, 405 and 501).
const METHOD_UNKNOWN: [u16; 2] = [405, 501];

impl SdkAws {
    pub(super) async fn location_at(&self, address: &StartUrl) -> Result<Option<String>, AwsError> {
        let answer = self.ask_address("HEAD", address).await?;
        if METHOD_UNKNOWN.contains(&answer.status().as_u16()) {
            return self.ask_address("GET", address).await.map(|answer| location(&answer));
        }
        Ok(location(&answer))
    }

    async fn ask_address(&self, method: &str, address: &StartUrl) -> Result<HttpResponse, AwsError> {
        let mut request = HttpRequest::new(SdkBody::empty());
        let made = request.set_method(method).is_ok() && request.set_uri(address.as_str()).is_ok();
        if !made {
            let detail = "the request could not be made".to_owned();
            return Err(AwsError::Unavailable { operation: Operation::FollowStartUrl.name(), detail });
        }
        let answer = HttpConnector::call(&self.http, request).await;
        answer.map_err(|error| unreached(Operation::FollowStartUrl, &error).error)
    }
}

fn location(answer: &HttpResponse) -> Option<String> {
    let redirects = (300..400).contains(&answer.status().as_u16());
    answer.headers().get("location").filter(|_| redirects).map(str::to_owned)
}
