//! The door of the local socket: accepts, says who it is, keeps every limit, and hands whole requests on.
//!
//! It takes a bound listener and a future that ends it, so whoever calls decides where they come from. It knows no resource.

use super::answer::{self, Answer};
use super::connection::{Connection, Connections, Order, Patience, Place};
use super::rules;
use super::stream::Watched;
use crate::caller::{Caller, Callers, Connector, PeerError};
use bytes::Bytes;
use http::{Request, Response};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;
use tegata_protocol::{ErrorBody, ErrorCode, MAX_HEAD_BYTES};
use tokio::net::{UnixListener, UnixStream};

/// What one door takes at most.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Connections at a time.
    pub connections: u32,
    /// For a request to come in whole, from its first byte to its last; the time it waits for its answer does not count.
    pub receive: Duration,
    /// For an answer to be taken by a caller that does not read.
    pub deliver: Duration,
    /// For requests in progress when the door closes.
    pub grace: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections: 1024,
            receive: Duration::from_secs(5),
            deliver: Duration::from_secs(30),
            grace: Duration::from_secs(5),
        }
    }
}

/// How often slow connections are looked for.
const SWEEP: Duration = Duration::from_millis(500);
/// How long to wait after `accept` failed: for descriptors, mostly, which others have to give back first.
const ACCEPT_AGAIN: Duration = Duration::from_millis(100);

/// A door that is open to one user.
#[derive(Debug)]
pub struct Door<A> {
    callers: Callers,
    connections: Connections,
    limits: Limits,
    handler: A,
}

/// Everything one connection's requests need.
struct Visit<A> {
    door: Arc<Door<A>>,
    caller: Caller,
    connector: Connector,
    connection: Arc<Connection>,
}

impl<A: Answer> Door<A> {
    /// Makes a door that serves the user `uid` and nobody else, with what `handler` answers.
    pub fn for_user(uid: u32, handler: A, limits: Limits) -> Arc<Self> {
        Arc::new(Self {
            callers: Callers::of_user(uid),
            connections: Connections::at_most(limits.connections),
            limits,
            handler,
        })
    }

    /// Serves until `shutdown` is ready, then finishes what is in progress within [`Limits::grace`].
    pub async fn run(self: Arc<Self>, listener: UnixListener, shutdown: impl Future<Output = ()>) {
        tokio::select! {
            biased;
            () = shutdown => {}
            () = self.accept(&listener) => {}
            () = self.sweep() => {}
        }
        drop(listener);
        self.connections.end(self.limits.grace).await;
    }

    async fn accept(self: &Arc<Self>, listener: &UnixListener) {
        loop {
            match listener.accept().await {
                Ok((stream, _)) => {
                    let place = self.connections.place().await;
                    tokio::spawn(self.clone().serve(stream, place));
                }
                Err(error) => {
                    tracing::warn!(%error, "cannot accept a connection");
                    self.connections.close_oldest_idle();
                    tokio::time::sleep(ACCEPT_AGAIN).await;
                }
            }
        }
    }

    /// Closes slow connections; sleeps while there is none at all, so that an idle daemon wakes nobody's processor.
    async fn sweep(&self) {
        let patience = Patience { receive: self.limits.receive, deliver: self.limits.deliver };
        loop {
            self.connections.any().await;
            tokio::time::sleep(SWEEP).await;
            self.connections.close_slow(patience);
        }
    }

    async fn serve(self: Arc<Self>, stream: UnixStream, place: Place) {
        let connection = place.connection.clone();
        let (caller, connector) = match self.callers.admit(&stream) {
            Ok(known) => known,
            Err(refusal) => return self.handler.refused(&refusal),
        };
        let stream = TokioIo::new(Watched::new(stream, connection.clone()));
        let visit = Arc::new(Visit { door: self, caller, connector, connection: connection.clone() });
        let service = service_fn(move |request| visit.clone().answer(request));
        let mut served = pin!(http().serve_connection(stream, service));
        loop {
            tokio::select! {
                biased;
                // An error is the peer's hanging up or talking something else than HTTP; it has been told what there is to tell.
                _ = served.as_mut() => return,
                order = connection.order() => match order {
                    Order::Finish => served.as_mut().graceful_shutdown(),
                    Order::Close => return,
                },
            }
        }
    }
}

/// No header timeout of hyper's own: it would count from the connection's first moment and not the body.
fn http() -> http1::Builder {
    let mut http = http1::Builder::new();
    http.header_read_timeout(None).max_header_size(MAX_HEAD_BYTES).max_buf_size(MAX_HEAD_BYTES);
    http.auto_date_header(false);
    http
}

impl<A: Answer> Visit<A> {
    /// Answers one request, or ends the connection without a byte when the process that made it has ended.
    async fn answer(self: Arc<Self>, request: Request<Incoming>) -> Result<Response<Full<Bytes>>, PeerError> {
        self.require_connector()?;
        let answer = match whole(request).await {
            Ok(request) => {
                self.connection.working();
                self.door.handler.answer(&self.caller, request).await
            }
            Err(error) => answer::error(&error),
        };
        // Again: the answer may have taken a minute, and it must not go to whoever holds the connection by now.
        self.require_connector()?;
        self.connection.delivering();
        Ok(answer::sealed(answer).map(Full::new))
    }

    fn require_connector(&self) -> Result<(), PeerError> {
        self.connector.require_alive().inspect_err(|refusal| self.door.handler.refused(refusal))
    }
}

/// Reads the rest of a request whose head keeps the rules.
async fn whole(request: Request<Incoming>) -> Result<Request<Bytes>, ErrorBody> {
    let (head, body) = request.into_parts();
    rules::check(&head)?;
    // Its length is told and within bounds, and hyper reads no more than was told.
    let cut_short = |_| ErrorBody::new(ErrorCode::BadRequest, "the request's body ended early");
    let body = body.collect().await.map_err(cut_short)?.to_bytes();
    Ok(Request::from_parts(head, body))
}
