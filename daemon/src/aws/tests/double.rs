//! An AWS double made of bytes: it plays prepared answers, right or broken, and keeps what it was asked.

use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::TcpListener;

/// What the double does with one request.
#[derive(Clone, Debug)]
pub(super) enum Play {
    /// Sends these bytes and closes.
    Bytes(Vec<u8>),
    /// Sends these bytes, then keeps the connection open and silent.
    Hang(Vec<u8>),
    /// Sends these bytes, then one more every few milliseconds without end.
    Trickle(Vec<u8>),
    /// Sends these bytes, then zeros without end.
    Flood(Vec<u8>),
}

/// A complete answer.
pub(super) fn answer(status: &str, headers: &[(&str, &str)], body: &str) -> Play {
    let mut text = format!("HTTP/1.1 {status}\r\nContent-Length: {}\r\nConnection: close\r\n", body.len());
    for (name, value) in headers {
        text.push_str(&format!("{name}: {value}\r\n"));
    }
    Play::Bytes(format!("{text}\r\n{body}").into_bytes())
}

/// A complete JSON answer.
pub(super) fn json(status: &str, body: &str) -> Play {
    answer(status, &[("Content-Type", "application/json")], body)
}

/// The double; each request gets the next play, the last one again and again.
#[derive(Clone)]
pub(super) struct Double {
    pub(super) port: u16,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Double {
    pub(super) async fn playing(plays: Vec<Play>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let double = Self { port: listener.local_addr().unwrap().port(), asked: Arc::default() };
        let serving = double.clone();
        tokio::spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                let next = serving.asked.lock().unwrap().len().min(plays.len() - 1);
                tokio::spawn(serving.clone().serve(stream, plays[next].clone()));
            }
        });
        double
    }

    pub(super) fn url(&self) -> url::Url {
        url::Url::parse(&format!("http://127.0.0.1:{}", self.port)).unwrap()
    }

    /// Everything asked so far: head and body of each request as text.
    pub(super) fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().clone()
    }

    /// Answers one request on a connection that is there already.
    pub(super) async fn serve(self, mut stream: impl AsyncRead + AsyncWrite + Unpin, play: Play) {
        let Some(request) = read_request(&mut stream).await else { return };
        self.asked.lock().unwrap().push(request);
        let _ = perform(&mut stream, play).await;
    }
}

/// Reads one request with a `Content-Length` body; nothing when the connection ended before.
pub(super) async fn read_request(stream: &mut (impl AsyncRead + Unpin)) -> Option<String> {
    let mut text = Vec::new();
    loop {
        if stream.read_buf(&mut text).await.ok()? == 0 {
            return None;
        }
        let shown = String::from_utf8_lossy(&text);
        let Some(head_ends) = shown.find("\r\n\r\n") else { continue };
        let lower = shown[..head_ends].to_ascii_lowercase();
        let length = lower.lines().find_map(|line| line.strip_prefix("content-length:"));
        let length: usize = length.map_or(0, |length| length.trim().parse().unwrap());
        if text.len() >= head_ends + 4 + length {
            return Some(shown.into_owned());
        }
    }
}

async fn perform(stream: &mut (impl AsyncWrite + Unpin), play: Play) -> std::io::Result<()> {
    match play {
        Play::Bytes(bytes) => {
            stream.write_all(&bytes).await?;
            stream.shutdown().await
        }
        Play::Hang(bytes) => {
            stream.write_all(&bytes).await?;
            std::future::pending().await
        }
        Play::Trickle(bytes) => {
            stream.write_all(&bytes).await?;
            loop {
                stream.write_all(b" ").await?;
                stream.flush().await?;
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        }
        Play::Flood(bytes) => {
            stream.write_all(&bytes).await?;
            loop {
                stream.write_all(&[b'0'; 64 * 1024]).await?;
            }
        }
    }
}
