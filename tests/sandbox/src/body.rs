//! Answer bodies that come whole, cut, or in a trickle.

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use hyper::body::{Body, Frame};
use tokio::time::{Sleep, sleep};

/// Time given to hyper to send what it has before a cut connection is closed.
const FLUSH: Duration = Duration::from_millis(20);

pub(crate) struct AnswerBody {
    rest: Bytes,
    piece: usize,
    pause: Duration,
    timer: Option<Pin<Box<Sleep>>>,
    cut: bool,
}

impl AnswerBody {
    pub(crate) fn whole(body: &[u8]) -> Self {
        let rest = Bytes::copy_from_slice(body);
        Self { piece: rest.len().max(1), rest, pause: Duration::ZERO, timer: None, cut: false }
    }

    /// The first half, then a closed connection.
    pub(crate) fn cut(body: &[u8]) -> Self {
        Self { cut: true, ..Self::whole(&body[..body.len() / 2]) }
    }

    /// Pieces with a pause after each.
    pub(crate) fn trickle(body: &[u8], piece: usize, pause: Duration) -> Self {
        Self { piece, pause, ..Self::whole(body) }
    }

    fn poll_timer(&mut self, context: &mut Context<'_>) -> Poll<()> {
        let Some(timer) = &mut self.timer else { return Poll::Ready(()) };
        std::task::ready!(timer.as_mut().poll(context));
        self.timer = None;
        Poll::Ready(())
    }
}

impl Body for AnswerBody {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, io::Error>>> {
        std::task::ready!(self.poll_timer(context));
        if self.rest.is_empty() {
            let end = self.cut.then(|| Err(io::Error::other("the body is cut on purpose")));
            return Poll::Ready(end);
        }
        let length = self.piece.min(self.rest.len());
        let piece = self.rest.split_to(length);
        if self.cut {
            self.timer = Some(Box::pin(sleep(FLUSH)));
        } else if !self.rest.is_empty() {
            self.timer = Some(Box::pin(sleep(self.pause)));
        }
        Poll::Ready(Some(Ok(Frame::data(piece))))
    }
}
