//! The least a server can do: accept, read the request, append a line to a file, write the same answer to everybody.
//!
//! Two ways of it, so that the daemon is compared with the faster: blocking threads that all accept, and tokio.

use std::fs::{File, OpenOptions};
use std::io::{Error, Read, Result, Write};
use std::os::unix::net::UnixListener;
use std::sync::Arc;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

/// What is done for every request.
struct Work {
    log: File,
    line: Vec<u8>,
    answer: Vec<u8>,
}

fn main() -> Result<()> {
    let arguments: Vec<_> = std::env::args().skip(1).collect();
    let [way, socket, log, line_length, answer] = &arguments[..] else {
        return Err(Error::other("usage: bench-bare-server threads|tokio SOCKET LOG LINE-LENGTH ANSWER-FILE"));
    };
    let length = line_length.parse::<usize>().map_err(Error::other)?;
    let mut line = vec![b'x'; length.saturating_sub(1)];
    line.push(b'\n');
    let log = OpenOptions::new().create(true).append(true).open(log)?;
    let work = Arc::new(Work { log, line, answer: std::fs::read(answer)? });
    let listener = UnixListener::bind(socket)?;
    if way == "tokio" { by_tokio(listener, work) } else { by_threads(&listener, &work) }
}

/// As many threads as tokio has by default.
fn by_threads(listener: &UnixListener, work: &Work) -> Result<()> {
    let threads = std::thread::available_parallelism()?.get();
    std::thread::scope(|scope| {
        let serving: Vec<_> = (0..threads).map(|_| scope.spawn(|| serve_forever(listener, work))).collect();
        serving.into_iter().try_for_each(|thread| thread.join().unwrap_or_else(|_| Err(Error::other("it panicked"))))
    })
}

fn serve_forever(listener: &UnixListener, work: &Work) -> Result<()> {
    loop {
        let (mut stream, _) = listener.accept()?;
        let mut request = [0; 8192];
        let _ = stream.read(&mut request)?;
        (&work.log).write_all(&work.line)?;
        // A client that went away is its own affair.
        let _ = stream.write_all(&work.answer);
    }
}

#[tokio::main]
async fn by_tokio(listener: UnixListener, work: Arc<Work>) -> Result<()> {
    listener.set_nonblocking(true)?;
    let listener = tokio::net::UnixListener::from_std(listener)?;
    loop {
        let (mut stream, _) = listener.accept().await?;
        let work = Arc::clone(&work);
        tokio::spawn(async move {
            let mut request = [0; 8192];
            let _ = stream.read(&mut request).await?;
            (&work.log).write_all(&work.line)?;
            stream.write_all(&work.answer).await
        });
    }
}
