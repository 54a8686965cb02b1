//! The one HTTP client behind every call to AWS: timeouts, proxy, trust and the largest answer are decided here, once.
//!
//! It knows no AWS operation. Nothing of TLS is loaded before the first call, so that the daemon starts at once.

use super::config::Config;
use super::trust;
use crate::clock::{Clock, unix_seconds};
use aws_smithy_async::rt::sleep::TokioSleep;
use aws_smithy_http_client::Connector;
use aws_smithy_http_client::proxy::ProxyConfig;
use aws_smithy_http_client::tls::rustls_provider::CryptoMode;
use aws_smithy_http_client::tls::{Provider, TlsContext};
use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::body::SdkBody;
use aws_smithy_types::date_time::{DateTime, Format};
use http_body_util::{BodyExt as _, LengthLimitError, Limited};
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;
use tokio::sync::OnceCell;

/// The longest body that is read. AWS's own answers have a few kilobytes.
pub(crate) const LONGEST_BODY: usize = 1024 * 1024;

/// A `Date` header has whole seconds and is as old as the way it came: less than this is no difference.
const SMALLEST_SKEW: i64 = 2;

const UNKNOWN_SKEW: i64 = i64::MIN;

/// How long the parts of one exchange may take.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    /// Name lookup, TCP, proxy and TLS together.
    pub(crate) connect: Duration,
    /// From the request to the head of the answer.
    pub(crate) read: Duration,
    /// All of it, the last byte of the body included.
    pub(crate) exchange: Duration,
    /// How long an unused connection is kept. Short: after a suspend it is dead and only looks alive.
    pub(crate) idle: Duration,
}

impl Limits {
    /// Returns those for who is on this machine or one hop away: where nobody answers, nobody is waited for.
    pub(crate) fn of_a_neighbour(self) -> Self {
        Self {
            connect: self.connect.min(Duration::from_secs(1)),
            read: self.read.min(Duration::from_secs(2)),
            exchange: self.exchange.min(Duration::from_secs(3)),
            idle: self.idle,
        }
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(5),
            read: Duration::from_secs(15),
            exchange: Duration::from_secs(20),
            idle: Duration::from_secs(10),
        }
    }
}

/// Why an exchange was cut off here, whatever the other side wanted.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CutOff {
    /// It took too long.
    #[error("no complete answer within {} s", .0.as_secs_f32())]
    TooSlow(Duration),
    /// The body is longer than [`LONGEST_BODY`].
    #[error("the answer is longer than 1 MiB")]
    TooLong,
    /// A success that is neither JSON nor XML: something else than AWS answered.
    #[error("the answer is neither JSON nor XML; is there a sign-in page of a network in between?")]
    NotAws,
    /// Nothing can vouch for AWS.
    #[error("no certificate is trusted: {0}; set [http] ca_bundle")]
    Trust(&'static str),
    /// The connector could not be made.
    #[error("TLS could not be set up")]
    Tls,
}

/// The client that all SDK clients share. Cloning shares connections and the measured skew.
#[derive(Clone)]
pub(crate) struct SharedClient(Arc<Wire>);

struct Wire {
    config: Config,
    limits: Limits,
    clock: Arc<dyn Clock>,
    connector: OnceCell<SharedHttpConnector>,
    skew: AtomicI64,
}

impl SharedClient {
    pub(crate) fn new(config: Config, limits: Limits, clock: Arc<dyn Clock>) -> Self {
        let (connector, skew) = (OnceCell::new(), AtomicI64::new(UNKNOWN_SKEW));
        Self(Arc::new(Wire { config, limits, clock, connector, skew }))
    }

    /// Returns how many seconds this machine's clock is ahead of the last `Date` header (negative: behind).
    pub(crate) fn clock_skew_seconds(&self) -> Option<i64> {
        match self.0.skew.load(Ordering::Relaxed) {
            UNKNOWN_SKEW => None,
            skew => Some(skew),
        }
    }

    #[cfg(test)]
    pub(super) fn is_ready(&self) -> bool {
        self.0.connector.initialized()
    }
}

impl fmt::Debug for SharedClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("SharedClient").field(&self.0.config).finish()
    }
}

impl SharedClient {
    /// Makes one exchange whose answer is read by its content, whatever it calls itself.
    pub(super) async fn exchange(&self, request: HttpRequest) -> Result<HttpResponse, ConnectorError> {
        self.within_bounds(request, Believed::ByContent).await
    }

    async fn within_bounds(&self, request: HttpRequest, believed: Believed) -> Result<HttpResponse, ConnectorError> {
        let within = self.0.limits.exchange;
        match tokio::time::timeout(within, self.0.exchange(request, believed)).await {
            Ok(outcome) => outcome,
            Err(_) => Err(ConnectorError::timeout(CutOff::TooSlow(within).into())),
        }
    }
}

/// What makes a success one of AWS's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Believed {
    /// It calls itself JSON or XML, as the SDK expects.
    ByType,
    /// Whoever asked looks at what is in it.
    ByContent,
}

impl HttpClient for SharedClient {
    /// The settings an SDK client would bring are ignored: one connector with one set of limits serves all of them.
    fn http_connector(&self, _: &HttpConnectorSettings, _: &RuntimeComponents) -> SharedHttpConnector {
        SharedHttpConnector::new(self.clone())
    }
}

impl HttpConnector for SharedClient {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let client = self.clone();
        HttpConnectorFuture::new(async move { client.within_bounds(request, Believed::ByType).await })
    }
}

impl Wire {
    async fn exchange(&self, request: HttpRequest, believed: Believed) -> Result<HttpResponse, ConnectorError> {
        let answer = self.connector().await?.call(request).await?;
        if let Some(date) = answer.headers().get("date") {
            self.note_date(date);
        }
        let (head, body) =
            answer.try_into_http1x().map_err(|error| ConnectorError::other(error.into(), None))?.into_parts();
        let body = whole_body(body).await?;
        let called_right = believed == Believed::ByContent || is_json_or_xml(&head.headers);
        if head.status.is_success() && !body.is_empty() && !called_right {
            return Err(ConnectorError::other(CutOff::NotAws.into(), None));
        }
        HttpResponse::try_from(http::Response::from_parts(head, SdkBody::from(body)))
            .map_err(|error| ConnectorError::other(error.into(), None))
    }

    async fn connector(&self) -> Result<&SharedHttpConnector, ConnectorError> {
        let make = || async {
            let (config, limits) = (self.config.clone(), self.limits);
            // Reads the system's certificates: a file of 250 KB.
            tokio::task::spawn_blocking(move || connect_as_told(&config, limits)).await.unwrap_or(Err(CutOff::Tls))
        };
        self.connector.get_or_try_init(make).await.map_err(|error| ConnectorError::user(error.into()))
    }

    fn note_date(&self, date: &str) {
        let Ok(theirs) = DateTime::from_str(date, Format::HttpDate) else { return };
        let ahead = unix_seconds(self.clock.now()).saturating_sub(theirs.secs());
        self.skew.store(if ahead.abs() < SMALLEST_SKEW { 0 } else { ahead }, Ordering::Relaxed);
    }
}

fn connect_as_told(config: &Config, limits: Limits) -> Result<SharedHttpConnector, CutOff> {
    let trust = trust::store(config).map_err(CutOff::Trust)?;
    let tls = TlsContext::builder().with_trust_store(trust).build().map_err(|_| CutOff::Tls)?;
    let proxy = match &config.proxy {
        // For https alone: a proxy sees the name of the host it tunnels to, never a request.
        Some(url) => ProxyConfig::https(url.as_str()).map_err(|_| CutOff::Tls)?.no_proxy(config.no_proxy.join(",")),
        // Said explicitly, so that no environment variable is asked.
        None => ProxyConfig::disabled(),
    };
    let connector = Connector::builder()
        .tls_provider(Provider::rustls(CryptoMode::Ring))
        .tls_context(tls)
        .proxy_config(proxy)
        .sleep_impl(TokioSleep::new())
        .pool_idle_timeout(limits.idle)
        .connector_settings(
            HttpConnectorSettings::builder().connect_timeout(limits.connect).read_timeout(limits.read).build(),
        )
        .build();
    Ok(SharedHttpConnector::new(connector))
}

async fn whole_body(body: SdkBody) -> Result<bytes::Bytes, ConnectorError> {
    match Limited::new(body, LONGEST_BODY).collect().await {
        Ok(collected) => Ok(collected.to_bytes()),
        Err(error) if error.is::<LengthLimitError>() => Err(ConnectorError::other(CutOff::TooLong.into(), None)),
        Err(error) => Err(ConnectorError::io(error)),
    }
}

fn is_json_or_xml(headers: &http::HeaderMap) -> bool {
    let Some(kind) = headers.get(http::header::CONTENT_TYPE) else { return true };
    let essence = kind.to_str().unwrap_or_default().split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    essence.contains("json") || essence.contains("xml")
}
