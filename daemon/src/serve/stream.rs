//! The stream under hyper: reports to its [`Connection`] what passes, and says in full what hyper would say without a body.

use super::answer;
use super::connection::{Connection, Outgoing};
use http::StatusCode;
use std::io::{Error, ErrorKind, IoSlice, Result};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::UnixStream;

/// A stream that is watched.
#[derive(Debug)]
pub(super) struct Watched {
    stream: UnixStream,
    connection: Arc<Connection>,
}

impl Watched {
    pub(super) fn new(stream: UnixStream, connection: Arc<Connection>) -> Self {
        Self { stream, connection }
    }

    /// Sends the full answer in place of hyper's automatic one (400, 414 or 431 without a body, after which it closes).
    fn poll_replace(&mut self, cx: &mut Context<'_>, head: &[u8], length: usize) -> Poll<Result<usize>> {
        let status = head.get(9..12).and_then(|digits| StatusCode::from_bytes(digits).ok());
        let answer = answer::unreadable(status.unwrap_or(StatusCode::BAD_REQUEST));
        let written = ready!(Pin::new(&mut self.stream).poll_write(cx, &answer))?;
        // It is a few hundred bytes into an empty buffer; a peer that filled it before is not told.
        if written == answer.len() { Poll::Ready(Ok(length)) } else { Poll::Ready(Err(ErrorKind::WriteZero.into())) }
    }
}

fn aborted() -> Error {
    Error::from(ErrorKind::ConnectionAborted)
}

/// Whether these bytes are a whole answer that hyper made up, and not its leave to send a body.
fn is_refusal(head: &[u8]) -> bool {
    !head.starts_with(b"HTTP/1.1 100 ")
}

impl AsyncRead for Watched {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<Result<()>> {
        let before = buffer.filled().len();
        ready!(Pin::new(&mut self.stream).poll_read(cx, buffer))?;
        if buffer.filled().len() > before && !self.connection.received() {
            return Poll::Ready(Err(aborted()));
        }
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Watched {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<Result<usize>> {
        match self.connection.outgoing() {
            Outgoing::Automatic if is_refusal(bytes) => self.poll_replace(cx, bytes, bytes.len()),
            Outgoing::Automatic | Outgoing::Answer => Pin::new(&mut self.stream).poll_write(cx, bytes),
            Outgoing::Nothing => Poll::Ready(Err(aborted())),
        }
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<Result<usize>> {
        let head = slices.first().map_or(&[][..], |slice| slice);
        match self.connection.outgoing() {
            Outgoing::Automatic if is_refusal(head) => {
                self.poll_replace(cx, head, slices.iter().map(|slice| slice.len()).sum())
            }
            Outgoing::Automatic | Outgoing::Answer => Pin::new(&mut self.stream).poll_write_vectored(cx, slices),
            Outgoing::Nothing => Poll::Ready(Err(aborted())),
        }
    }

    /// Keeps hyper from copying bodies, which hold secrets, into a buffer nobody wipes.
    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<()>> {
        ready!(Pin::new(&mut self.stream).poll_flush(cx))?;
        self.connection.flushed();
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
