//! A CONNECT proxy that leads every host to the sandbox's TLS listener, for clients that know no endpoint settings.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::{Method, Request, Response};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use subtle::ConstantTimeEq;
use tokio::net::{TcpListener, TcpStream};

use crate::control::Control;

/// Accepts connections until the runtime ends; `target` is the TLS listener.
pub(crate) async fn serve(listener: TcpListener, target: SocketAddr, control: Control) {
    loop {
        if let Ok((stream, _)) = listener.accept().await {
            let _ = stream.set_nodelay(true);
            tokio::spawn(serve_connection(stream, target, control.clone()));
        }
    }
}

async fn serve_connection(stream: TcpStream, target: SocketAddr, control: Control) {
    let service = service_fn(|request| {
        let answer = connect(request, target, &control);
        async { answer }
    });
    let _ = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(Duration::from_secs(30))
        .max_buf_size(16 * 1024)
        .serve_connection(TokioIo::new(stream), service)
        .with_upgrades()
        .await;
}

fn connect(request: Request<Incoming>, target: SocketAddr, control: &Control) -> io::Result<Response<Full<Bytes>>> {
    if request.method() != Method::CONNECT {
        return answer(405, None);
    }
    let wanted = control.with(|state| state.settings.proxy_authorization.clone());
    if wanted.is_some_and(|wanted| !is_authorized(&request, &wanted)) {
        return answer(407, Some(("proxy-authenticate", "Basic realm=\"sandbox\"")));
    }
    let host = request.uri().authority().map(ToString::to_string).unwrap_or_default();
    control.with(|state| state.traffic.connects.push(host));
    tokio::spawn(splice(request, target));
    answer(200, None)
}

fn is_authorized(request: &Request<Incoming>, wanted: &str) -> bool {
    let wanted = format!("Basic {}", STANDARD.encode(wanted));
    let given = request.headers().get("proxy-authorization");
    given.is_some_and(|given| bool::from(given.as_bytes().ct_eq(wanted.as_bytes())))
}

async fn splice(request: Request<Incoming>, target: SocketAddr) -> io::Result<()> {
    let client = hyper::upgrade::on(request).await.map_err(io::Error::other)?;
    let mut server = TcpStream::connect(target).await?;
    tokio::io::copy_bidirectional(&mut TokioIo::new(client), &mut server).await.map(drop)
}

fn answer(status: u16, header: Option<(&str, &str)>) -> io::Result<Response<Full<Bytes>>> {
    let mut response = Response::builder().status(status);
    if let Some((name, value)) = header {
        response = response.header(name, value);
    }
    response.body(Full::default()).map_err(io::Error::other)
}
