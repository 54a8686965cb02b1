//! Both loopback addresses on one random port: accepts, keeps every limit, closes when nobody has a page any more.
//!
//! One request per connection. Whoever wants to smuggle a second one finds nobody reading.

use super::rules::Site;
use super::stream::Rewound;
use super::{answer, api, wire};
use crate::requests::PageDesk;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use std::convert::Infallible;
use std::io::{Error, ErrorKind, Result};
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::timeout;

const MOST_CONNECTIONS: usize = 128;
const HEAD_WITHIN: Duration = Duration::from_secs(5);
/// All of a connection: the head, the body (10 s of its own), the desk's answer and taking it.
const CONNECTION_WITHIN: Duration = Duration::from_secs(60);
/// For whoever was answered before its last byte came; closing at once would reset the connection and lose the answer.
const FAREWELL_WITHIN: Duration = Duration::from_secs(1);
const FAREWELL_BYTES: usize = 256 * 1024;
/// How often the desk is asked whether anybody has a page, and how many times it has to say no.
const LOOK: Duration = Duration::from_millis(500);
const LOOKS_WITHOUT_PAGES: u32 = 4;
/// How many ports are tried for one that is free on both addresses.
const PORTS_TRIED: usize = 16;
/// How long to wait after `accept` failed: for descriptors, mostly, which others have to give back first.
const ACCEPT_AGAIN: Duration = Duration::from_millis(100);

/// A listening page.
#[derive(Debug)]
pub(super) struct Listener {
    site: Arc<Site>,
    open: watch::Receiver<bool>,
    task: JoinHandle<()>,
}

impl Listener {
    /// Listens from now on.
    pub(super) async fn open(desk: Arc<dyn PageDesk>) -> Result<Self> {
        let sockets = Sockets::bind().await?;
        let site = Arc::new(Site::at(sockets.v4.local_addr()?.port()).map_err(Error::other)?);
        let (state, open) = watch::channel(true);
        let task = tokio::spawn(serve(sockets, Arc::clone(&desk), Arc::clone(&site), state));
        Ok(Self { site, open, task })
    }

    pub(super) fn site(&self) -> &Site {
        &self.site
    }

    /// Whether it listens, and goes on to as long as the desk has pages.
    pub(super) fn is_open(&self) -> bool {
        *self.open.borrow() && !self.task.is_finished()
    }

    pub(super) async fn closed(&self) {
        let mut open = self.open.clone();
        // An error is that the task has ended.
        while *open.borrow_and_update() && open.changed().await.is_ok() {}
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// What is listened on.
struct Sockets {
    v4: TcpListener,
    v6: Option<TcpListener>,
}

impl Sockets {
    /// Takes a port that nobody has on either address: a browser tries ::1 first, and whoever sat there would be the page.
    async fn bind() -> Result<Self> {
        for _ in 0..PORTS_TRIED {
            let v4 = TcpListener::bind(SocketAddr::from((Ipv4Addr::LOCALHOST, 0))).await?;
            let port = v4.local_addr()?.port();
            match TcpListener::bind(SocketAddr::from((Ipv6Addr::LOCALHOST, port))).await {
                Ok(v6) => return Ok(Self { v4, v6: Some(v6) }),
                Err(error) if error.kind() == ErrorKind::AddrInUse => {}
                Err(error) if has_no_ipv6(&error) => return Ok(Self { v4, v6: None }),
                Err(error) => return Err(error),
            }
        }
        Err(ErrorKind::AddrInUse.into())
    }

    async fn accept(&self) -> Result<TcpStream> {
        let v6 = async {
            match &self.v6 {
                Some(listener) => listener.accept().await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            accepted = self.v4.accept() => accepted,
            accepted = v6 => accepted,
        }
        .map(|(stream, _)| stream)
    }
}

/// Switched off (no such address), or not in this kernel (no such family).
fn has_no_ipv6(error: &Error) -> bool {
    let unsupported = rustix::io::Errno::AFNOSUPPORT.raw_os_error();
    error.kind() == ErrorKind::AddrNotAvailable || error.raw_os_error() == Some(unsupported)
}

/// Dropping what this holds closes the port and every connection.
async fn serve(sockets: Sockets, desk: Arc<dyn PageDesk>, site: Arc<Site>, state: watch::Sender<bool>) {
    tokio::select! {
        () = accept(&sockets, &desk, &site) => {}
        () = without_pages(desk.as_ref(), &state) => {}
    }
    drop(sockets);
    state.send_replace(false);
}

/// Returns when nobody has had a page for a while. The last look and the closing are one step for whoever asks `is_open`: a secret that
/// the desk knew before it asked is never met by a page that closes.
async fn without_pages(desk: &dyn PageDesk, state: &watch::Sender<bool>) {
    let mut looks = 0;
    loop {
        tokio::time::sleep(LOOK).await;
        looks = if desk.has_pages() { 0 } else { looks + 1 };
        if looks >= LOOKS_WITHOUT_PAGES && state.send_if_modified(|open| close_unless(open, desk.has_pages())) {
            return;
        }
    }
}

fn close_unless(open: &mut bool, has_pages: bool) -> bool {
    *open = has_pages;
    !has_pages
}

async fn accept(sockets: &Sockets, desk: &Arc<dyn PageDesk>, site: &Arc<Site>) {
    let mut connections = JoinSet::new();
    loop {
        while connections.try_join_next().is_some() {}
        if connections.len() >= MOST_CONNECTIONS {
            connections.join_next().await;
        }
        match sockets.accept().await {
            Ok(stream) => {
                let conversation = converse(stream, Arc::clone(desk), Arc::clone(site));
                drop(connections.spawn(timeout(CONNECTION_WITHIN, conversation)));
            }
            Err(error) => {
                tracing::warn!(%error, "cannot accept a connection to the approval page");
                tokio::time::sleep(ACCEPT_AGAIN).await;
            }
        }
    }
}

/// One request and its answer.
async fn converse(mut stream: TcpStream, desk: Arc<dyn PageDesk>, site: Arc<Site>) {
    match timeout(HEAD_WITHIN, wire::read(&mut stream)).await {
        Ok(Ok(read)) => answer_by_hyper(Rewound::new(read, stream), desk, site).await,
        Ok(Err(wire::NoHead::Refused(status))) => {
            if stream.write_all(&answer::unreadable(status)).await.is_ok() {
                farewell(stream).await;
            }
        }
        Ok(Err(wire::NoHead::Gone)) | Err(_) => {}
    }
}

async fn answer_by_hyper(stream: Rewound, desk: Arc<dyn PageDesk>, site: Arc<Site>) {
    let service = service_fn(|request| {
        let (desk, site) = (Arc::clone(&desk), Arc::clone(&site));
        async move { Ok::<_, Infallible>(api::answer(request, desk.as_ref(), &site).await) }
    });
    let conversation = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_WITHIN)
        .max_buf_size(wire::LONGEST_HEAD)
        .max_headers(wire::MOST_HEADERS)
        .keep_alive(false)
        .serve_connection(TokioIo::new(stream), service)
        .without_shutdown();
    match conversation.await {
        Ok(parts) => farewell(parts.io.into_inner().into_stream()).await,
        Err(_) => tracing::debug!("a connection to the approval page broke off"),
    }
}

/// Says that nothing more comes and reads what is still on its way, for a bounded while (RFC 9112, section 9.6).
async fn farewell(mut stream: TcpStream) {
    let _ = timeout(FAREWELL_WITHIN, async {
        stream.shutdown().await?;
        let mut unread = [0; 4096];
        let mut left = FAREWELL_BYTES;
        loop {
            match stream.read(&mut unread).await? {
                0 => return Ok::<_, Error>(()),
                read => left = left.saturating_sub(read),
            }
            if left == 0 {
                return Ok(());
            }
        }
    })
    .await;
}
