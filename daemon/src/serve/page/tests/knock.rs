//! Raw bytes in, everything that comes back out.

use std::time::Duration;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

/// Long past every limit of the door: reaching it is a failure.
pub(super) const PATIENCE: Duration = Duration::from_secs(90);

/// An answer, and that the connection was closed after it.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) head: String,
    pub(super) body: String,
}

/// Sends `bytes`, then reads until the other side closes.
pub(super) async fn knock(port: u16, bytes: &[u8]) -> Answer {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
    // The door may have answered and closed before the last byte.
    let _ = stream.write_all(bytes).await;
    read(&mut stream).await
}

pub(super) async fn read(stream: &mut TcpStream) -> Answer {
    let mut answer = Vec::new();
    tokio::time::timeout(PATIENCE, stream.read_to_end(&mut answer)).await.expect("the door did not close").unwrap();
    let answer = String::from_utf8(answer).unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap_or((&answer, ""));
    let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or(0);
    Answer { status, head: head.to_owned(), body: body.to_owned() }
}

impl Answer {
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        let mut lines = self.head.lines().skip(1).filter_map(|line| line.split_once(": "));
        lines.find(|(found, _)| found.eq_ignore_ascii_case(name)).map(|(_, value)| value)
    }

    pub(super) fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    /// What is the same for every refusal with the same reason: all but the date.
    pub(super) fn but_date(&self) -> String {
        let lines: Vec<_> = self.head.lines().filter(|line| !line.to_lowercase().starts_with("date:")).collect();
        format!("{}\n{}", lines.join("\n"), self.body)
    }
}
