//! The least a program can do for credentials: one round trip on the socket, and the bytes of the answer printed.
//!
//! It checks nothing, bounds nothing and wipes nothing; it is what the command line is compared with.

use std::io::{Read, Write};
use std::os::unix::net::UnixStream;

fn main() -> std::io::Result<()> {
    let mut arguments = std::env::args_os().skip(1);
    let (Some(socket), Some(profile)) = (arguments.next(), arguments.next().and_then(|name| name.into_string().ok()))
    else {
        return Err(std::io::Error::other("usage: bench-floor SOCKET PROFILE"));
    };
    let mut stream = UnixStream::connect(socket)?;
    let request = format!(
        "GET /v1/credentials?profile={profile}&wait=15 HTTP/1.1\r\nhost: tegata\r\ntegata-protocol: 1\r\n\
         connection: close\r\n\r\n"
    );
    stream.write_all(request.as_bytes())?;
    let mut answer = [0; 8192];
    let length = stream.read(&mut answer)?;
    let body = answer[..length].windows(4).position(|end| end == b"\r\n\r\n").map_or(length, |at| at + 4);
    let mut stdout = std::io::stdout();
    stdout.write_all(&answer[body..length])?;
    stdout.write_all(b"\n")?;
    stdout.flush()
}
