//! One received request, and the strict reading of its parameters.

use std::collections::BTreeMap;

use bytes::Bytes;
use http::HeaderMap;
use serde::de::DeserializeOwned;

use crate::clock::EpochMs;
use crate::operation::{Endpoint, Operation};
use crate::reply::{Refusal, Reply};

/// What handling a request gives.
pub(crate) type Answer = Result<Reply, Refusal>;

/// A request with its body, and when it was handled.
#[derive(Debug)]
pub(crate) struct Call {
    pub(crate) operation: Operation,
    pub(crate) endpoint: Endpoint,
    /// Whether it came over TLS.
    pub(crate) tls: bool,
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) query: String,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
    pub(crate) now: EpochMs,
}

impl Call {
    /// The only value of a header, when it is readable text.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let mut values = self.headers.get_all(name).iter();
        let only = values.next()?;
        if values.next().is_some() { None } else { only.to_str().ok() }
    }

    /// Scheme and authority of the address that was called.
    pub(crate) fn base_url(&self) -> String {
        let scheme = if self.tls { "https" } else { "http" };
        format!("{scheme}://{}", self.header("host").unwrap_or_default())
    }

    /// The JSON body of an SSO OIDC or Sign-In request. Members the service model does not have are refused, which is stricter than
    /// AWS, so that misspelt ones show.
    pub(crate) fn json<T: DeserializeOwned>(&self) -> Result<T, Refusal> {
        self.expect_content_type("application/json")?;
        serde_json::from_slice(&self.body).map_err(|error| invalid_request(format!("The body is not valid: {error}")))
    }

    /// The form body of a page or of an STS request.
    pub(crate) fn form(&self) -> Result<Parameters, Refusal> {
        self.expect_content_type("application/x-www-form-urlencoded")?;
        Parameters::parse(&self.body)
    }

    /// The query parameters, of which only these may occur.
    pub(crate) fn query_of(&self, known: &[&str]) -> Result<Parameters, Refusal> {
        let parameters = Parameters::parse(self.query.as_bytes())?;
        match parameters.0.keys().find(|name| !known.contains(&name.as_str())) {
            Some(stranger) => Err(invalid_request(format!("Unknown parameter: {stranger}"))),
            None => Ok(parameters),
        }
    }

    fn expect_content_type(&self, wanted: &str) -> Result<(), Refusal> {
        let media_type = self.header("content-type").and_then(|value| value.split(';').next()).unwrap_or_default();
        if media_type.trim().eq_ignore_ascii_case(wanted) {
            return Ok(());
        }
        Err(invalid_request(format!("Content-Type must be {wanted}")))
    }
}

/// Decoded parameters, each given once.
#[derive(Debug, Default)]
pub(crate) struct Parameters(pub(crate) BTreeMap<String, String>);

impl Parameters {
    /// Reads `application/x-www-form-urlencoded` text; a repeated name is refused.
    pub(crate) fn parse(text: &[u8]) -> Result<Self, Refusal> {
        let mut parameters = BTreeMap::new();
        for (name, value) in form_urlencoded::parse(text) {
            if parameters.insert(name.to_string(), value.into_owned()).is_some() {
                return Err(invalid_request(format!("Duplicate parameter: {name}")));
            }
        }
        Ok(Self(parameters))
    }

    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }

    /// A parameter that must be there and not be empty.
    pub(crate) fn required(&self, name: &str) -> Result<&str, Refusal> {
        self.get(name)
            .filter(|value| !value.is_empty())
            .ok_or_else(|| invalid_request(format!("Missing required parameter: {name}")))
    }
}

pub(crate) fn invalid_request(message: impl Into<String>) -> Refusal {
    Refusal::new(400, "InvalidRequestException", message)
}
