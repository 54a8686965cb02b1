//! Where the browser brings the code: one path on one port of 127.0.0.1, for one answer (RFC 8252 sections 7.3 and 8.3).
//!
//! Any local program and any web page can send requests here. Only the state tells the right one; the rest learns
//! nothing and changes nothing.

use super::SignInError;
use super::page::Page;
use super::pkce::State;
use http::{Method, Request, StatusCode, header};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use std::convert::Infallible;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tegata_protocol::Secret;
use tegata_protocol::text::one_line;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Notify, oneshot};
use tokio::task::{JoinHandle, JoinSet};

const PATH: &str = "/oauth/callback";
/// AWS's codes have about a kilobyte.
const LONGEST_CODE: usize = 8 * 1024;
const LONGEST_HEAD: usize = 64 * 1024;
const MOST_HEADERS: usize = 64;
const MOST_CONNECTIONS: usize = 64;
const HEAD_WITHIN: Duration = Duration::from_secs(5);
const CONNECTION_WITHIN: Duration = Duration::from_secs(10);
/// After the answer: long enough for the browser to get its page and for a reload to be told that it is over.
const LINGER: Duration = Duration::from_secs(10);

type Answer = Result<Secret, SignInError>;

/// A callback that listens. Dropping it closes the port.
#[derive(Debug)]
pub(super) struct Callback {
    redirect_uri: String,
    answer: oneshot::Receiver<Answer>,
    server: Server,
}

impl Callback {
    /// Takes a port that the system chooses and listens from now on.
    pub(super) async fn listen(state: State) -> Result<Self, SignInError> {
        let failed = |error: std::io::Error| SignInError::Listen { detail: error.to_string() };
        let listener = TcpListener::bind(SocketAddr::from((Ipv4Addr::LOCALHOST, 0))).await.map_err(failed)?;
        let host = listener.local_addr().map_err(failed)?.to_string();
        let redirect_uri = format!("http://{host}{PATH}");
        let (sender, answer) = oneshot::channel();
        let desk = Desk { host, state, waiting: Mutex::new(Some(sender)), answered: Notify::new() };
        let server = Server(Some(tokio::spawn(serve(listener, Arc::new(desk)))));
        Ok(Self { redirect_uri, answer, server })
    }

    /// Returns the redirect URI with the port, the same for the authorize and the token call.
    pub(super) fn redirect_uri(&self) -> &str {
        &self.redirect_uri
    }

    /// Waits for the code, at most as long as told.
    pub(super) async fn code(mut self, within: Duration) -> Answer {
        match tokio::time::timeout(within, &mut self.answer).await {
            Ok(Ok(answer)) => {
                self.server.linger();
                answer
            }
            Ok(Err(_)) | Err(_) => Err(SignInError::TimedOut),
        }
    }
}

/// The serving task: ends with its owner, except after an answer, when it ends by itself a little later.
#[derive(Debug)]
struct Server(Option<JoinHandle<()>>);

impl Server {
    fn linger(&mut self) {
        self.0 = None;
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if let Some(task) = &self.0 {
            task.abort();
        }
    }
}

/// What all connections share.
#[derive(Debug)]
struct Desk {
    host: String,
    state: State,
    waiting: Mutex<Option<oneshot::Sender<Answer>>>,
    answered: Notify,
}

async fn serve(listener: TcpListener, desk: Arc<Desk>) {
    let closing = async {
        desk.answered.notified().await;
        tokio::time::sleep(LINGER).await;
    };
    tokio::select! {
        () = accept(&listener, &desk) => {}
        () = closing => {}
    }
}

async fn accept(listener: &TcpListener, desk: &Arc<Desk>) {
    let mut connections = JoinSet::new();
    loop {
        while connections.try_join_next().is_some() {}
        if connections.len() >= MOST_CONNECTIONS {
            connections.join_next().await;
        }
        match listener.accept().await {
            Ok((stream, _)) => {
                drop(connections.spawn(tokio::time::timeout(CONNECTION_WITHIN, converse(stream, Arc::clone(desk)))))
            }
            // Out of descriptors, or a connection that ended at once: neither is worth spinning for.
            Err(_) => tokio::time::sleep(Duration::from_millis(100)).await,
        }
    }
}

async fn converse(stream: TcpStream, desk: Arc<Desk>) {
    let service = service_fn(|request| {
        let page = desk.receive(&request);
        async move { Ok::<_, Infallible>(page.response()) }
    });
    let conversation = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_WITHIN)
        .max_buf_size(LONGEST_HEAD)
        .max_headers(MOST_HEADERS)
        .keep_alive(false)
        .serve_connection(TokioIo::new(stream), service);
    if conversation.await.is_err() {
        tracing::debug!("a connection to the sign-in callback broke off");
    }
}

impl Desk {
    fn receive(&self, request: &Request<Incoming>) -> Page {
        if let Err(status) = self.check(request) {
            return Page::Refused(status);
        }
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        if waiting.is_none() {
            return Page::Gone;
        }
        let Some(answer) = read(request.uri().query().unwrap_or_default(), &self.state) else {
            return Page::Refused(StatusCode::BAD_REQUEST);
        };
        let page = match &answer {
            Ok(_) => Page::Received,
            Err(SignInError::Declined) => Page::Declined,
            Err(_) => Page::Ended,
        };
        // A receiver that is gone is a sign-in that was cancelled: the browser is told nothing else.
        let _ = waiting.take().map(|waiting| waiting.send(answer));
        self.answered.notify_one();
        page
    }

    /// Checks everything but the query.
    fn check<B>(&self, request: &Request<B>) -> Result<(), StatusCode> {
        let mut hosts = request.headers().get_all(header::HOST).iter();
        let host_fits = hosts.next().is_some_and(|host| host == self.host.as_str()) && hosts.next().is_none();
        // Only a proxy is sent a whole address (RFC 9112 section 3.2.2), and there is none between a browser and here.
        if !host_fits || request.uri().authority().is_some() {
            return Err(StatusCode::FORBIDDEN);
        }
        if request.method() != Method::GET {
            return Err(StatusCode::METHOD_NOT_ALLOWED);
        }
        if request.uri().path() != PATH {
            return Err(StatusCode::NOT_FOUND);
        }
        let has_body = [header::CONTENT_LENGTH, header::TRANSFER_ENCODING];
        if has_body.iter().any(|name| request.headers().contains_key(name)) {
            return Err(StatusCode::BAD_REQUEST);
        }
        Ok(())
    }
}

/// Reads the query of an authorization response (RFC 6749 section 4.1.2). Nothing, when it is not one for this state.
fn read(query: &str, state: &State) -> Option<Answer> {
    if !state.is(&only(query, "state")?) {
        return None;
    }
    match (present(query, "code"), present(query, "error")) {
        (true, false) => {
            let code = only(query, "code").filter(|code| !code.is_empty() && code.len() <= LONGEST_CODE)?;
            Some(Ok(Secret::new(code)))
        }
        (false, true) => {
            let code = only(query, "error")?;
            if code == "access_denied" {
                return Some(Err(SignInError::Declined));
            }
            let message = only(query, "error_description").unwrap_or_else(|| String::from("no reason given"));
            Some(Err(SignInError::Page { code: one_line(&code), message: one_line(&message) }))
        }
        _ => None,
    }
}

fn present(query: &str, name: &str) -> bool {
    form_urlencoded::parse(query.as_bytes()).any(|(found, _)| found == name)
}

/// Returns a parameter that is there exactly once (RFC 6749 section 3.1).
fn only(query: &str, name: &str) -> Option<String> {
    let mut found = form_urlencoded::parse(query.as_bytes()).filter(|(found, _)| found == name);
    let (_, value) = found.next()?;
    found.next().is_none().then(|| value.into_owned())
}
