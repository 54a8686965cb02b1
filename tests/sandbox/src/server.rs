//! The listeners: bytes in, one request's story, bytes out. Knows no AWS rule.

use std::convert::Infallible;
use std::io;
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::{BodyExt, Limited};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

use crate::body::AnswerBody;
use crate::call::Call;
use crate::control::Control;
use crate::faults::Delivery;
use crate::http_control;
use crate::operation::{Endpoint, Operation, operation};
use crate::reply::Reply;
use crate::traffic::RecordedRequest;

/// Longest request body read, in bytes.
const BODY_LIMIT: usize = 256 * 1024;
/// Longest control body read: room for an organisation of 2,000 accounts with 5 roles each.
const CONTROL_BODY_LIMIT: usize = 16 << 20;
const HEAD_LIMIT: usize = 64 * 1024;
const READ_DEADLINE: Duration = Duration::from_secs(30);

/// Accepts connections until the runtime ends.
pub(crate) async fn serve_http(listener: TcpListener, control: Control) {
    loop {
        if let Ok((stream, _)) = listener.accept().await {
            let _ = stream.set_nodelay(true);
            tokio::spawn(serve(stream, control.clone(), false));
        }
    }
}

/// The same behind TLS.
pub(crate) async fn serve_tls(listener: TcpListener, acceptor: TlsAcceptor, control: Control) {
    loop {
        if let Ok((stream, _)) = listener.accept().await {
            let (acceptor, control) = (acceptor.clone(), control.clone());
            tokio::spawn(async move {
                let handshake = tokio::time::timeout(READ_DEADLINE, acceptor.accept(stream)).await;
                if let Ok(Ok(stream)) = handshake {
                    serve(stream, control, true).await;
                }
            });
        }
    }
}

async fn serve(stream: impl AsyncRead + AsyncWrite + Unpin, control: Control, tls: bool) {
    let service = service_fn(|request| respond(request, control.clone(), tls));
    let _ = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(READ_DEADLINE)
        .max_buf_size(HEAD_LIMIT)
        .serve_connection(TokioIo::new(stream), service)
        .await;
}

/// A lost answer is an error here: hyper then closes the connection.
async fn respond(request: Request<Incoming>, control: Control, tls: bool) -> io::Result<Response<AnswerBody>> {
    let path = request.uri().path().to_owned();
    if let Some(rest) = path.strip_prefix(http_control::PREFIX) {
        return control_answer(request, &control, rest).await;
    }
    let Some(call) = read(request, tls).await? else {
        let (reply, date) = control.with(|state| (state.too_large(Operation::Unknown.service()), state.date()));
        return deliver(Delivery::Whole(reply), date).await;
    };
    let (delivery, date) = answer(call, &control).await;
    deliver(delivery, date).await
}

async fn control_answer(request: Request<Incoming>, control: &Control, path: &str) -> io::Result<Response<AnswerBody>> {
    let method = request.method().to_string();
    let Some(body) = read_body(request.into_body(), CONTROL_BODY_LIMIT).await? else {
        return whole(Reply::new(413, "text/plain", "too large"), None);
    };
    whole(http_control::handle(control, &method, path, &body), None)
}

async fn read(request: Request<Incoming>, tls: bool) -> io::Result<Option<Call>> {
    let (head, body) = request.into_parts();
    let Some(body) = read_body(body, BODY_LIMIT).await? else { return Ok(None) };
    let host = head.headers.get("host").and_then(|host| host.to_str().ok()).unwrap_or_default();
    let endpoint = Endpoint::of_host(host);
    let (method, path) = (head.method.to_string(), head.uri.path().to_owned());
    let query = head.uri.query().unwrap_or_default().to_owned();
    let operation = operation(&endpoint, &method, &path, &query, &body);
    Ok(Some(Call { operation, endpoint, tls, method, path, query, headers: head.headers, body, now: 0 }))
}

/// The whole body; `None` when it is longer than the limit.
async fn read_body(body: Incoming, limit: usize) -> io::Result<Option<Bytes>> {
    match tokio::time::timeout(READ_DEADLINE, Limited::new(body, limit).collect()).await {
        Ok(Ok(collected)) => Ok(Some(collected.to_bytes())),
        Ok(Err(error)) if error.is::<http_body_util::LengthLimitError>() => Ok(None),
        Ok(Err(error)) => Err(io::Error::other(error)),
        Err(elapsed) => Err(io::Error::new(io::ErrorKind::TimedOut, elapsed)),
    }
}

/// Records the request, lets a hold keep it, and handles it.
async fn answer(mut call: Call, control: &Control) -> (Delivery, String) {
    let operation = call.operation;
    let (number, held) = control.with(|state| {
        call.now = state.clock.now();
        let number = state.traffic.record(RecordedRequest::of(&call));
        (number, state.traffic.join_hold(operation))
    });
    if let Some(held) = held {
        let place = Place { control, operation, number: held.number };
        held.wait().await;
        drop(place);
    }
    control.with(|state| {
        let delivery = state.handle(&mut call);
        if let Some(status) = delivery.status() {
            state.traffic.answered(number, status);
        }
        (delivery, state.date())
    })
}

/// Gives up a place in a hold, also when the client goes away while it waits.
struct Place<'a> {
    control: &'a Control,
    operation: Operation,
    number: u64,
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        self.control.with(|state| state.traffic.leave_hold(self.operation, self.number));
    }
}

async fn deliver(delivery: Delivery, date: String) -> io::Result<Response<AnswerBody>> {
    let date = Some(date);
    match delivery {
        Delivery::Whole(reply) => whole(reply, date),
        Delivery::Cut(reply) => response(&reply, AnswerBody::cut(&reply.body), date),
        Delivery::Trickle { reply, bytes, every_ms } => {
            let body = AnswerBody::trickle(&reply.body, bytes, Duration::from_millis(every_ms));
            response(&reply, body, date)
        }
        Delivery::Late { reply, ms } => {
            tokio::time::sleep(Duration::from_millis(ms)).await;
            whole(reply, date)
        }
        Delivery::Never => {
            let never: Infallible = std::future::pending().await;
            match never {}
        }
        Delivery::Closed => Err(io::Error::other("the answer is lost on purpose")),
    }
}

fn whole(reply: Reply, date: Option<String>) -> io::Result<Response<AnswerBody>> {
    let body = AnswerBody::whole(&reply.body);
    response(&reply, body, date)
}

fn response(reply: &Reply, body: AnswerBody, date: Option<String>) -> io::Result<Response<AnswerBody>> {
    let mut response = Response::builder()
        .status(reply.status)
        .header("content-type", &reply.content_type)
        .header("content-length", reply.body.len());
    for (name, value) in reply.headers.iter().map(|(name, value)| (*name, value)) {
        response = response.header(name, value);
    }
    if let Some(date) = date {
        response = response.header("date", date);
    }
    response.body(body).map_err(io::Error::other)
}
