//! Many clients at a time, each a process of its own and each request on a connection of its own, as real callers are.

use std::io::{BufRead, BufReader, Read, Write};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::process::{Child, Command, ExitCode, Stdio};
use std::time::Duration;

/// How many there are.
pub(crate) const CLIENTS: usize = 64;

/// What is asked for; the profile must be there.
const REQUEST: &[u8] = b"GET /v1/credentials?profile=dev&wait=15 HTTP/1.1\r\nhost: tegata\r\ntegata-protocol: 1\r\n\
                         connection: close\r\n\r\n";

/// How much work clients are given.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Work {
    /// As much as they can in this time.
    For(Duration),
    /// This many requests each.
    Requests(u64),
}

/// Lets all clients ask a server at once and returns how many answers they got.
///
/// # Panics
/// When an answer is none.
pub(crate) fn ask(socket: &Path, work: Work) -> u64 {
    let mut clients: Vec<_> = (0..CLIENTS).map(|_| Client::start(socket)).collect();
    clients.iter_mut().for_each(|client| client.begin(work));
    clients.into_iter().map(Client::answers).sum()
}

struct Client {
    process: Child,
    said: BufReader<std::process::ChildStdout>,
}

impl Client {
    fn start(socket: &Path) -> Self {
        let own = std::env::current_exe().expect("a program knows its own path");
        let mut command = Command::new(own);
        command.arg("client").arg(socket).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut process = command.spawn().expect("a client starts");
        let said = BufReader::new(process.stdout.take().expect("stdout is piped"));
        let mut client = Self { process, said };
        assert_eq!(client.line(), "ready\n");
        client
    }

    fn begin(&mut self, work: Work) {
        let line = match work {
            Work::For(time) => format!("for {}\n", time.as_millis()),
            Work::Requests(count) => format!("requests {count}\n"),
        };
        let stdin = self.process.stdin.as_mut().expect("stdin is piped");
        stdin.write_all(line.as_bytes()).expect("the client listens");
    }

    fn answers(mut self) -> u64 {
        let answers = self.line().trim().parse().expect("a client counts");
        self.process.wait().expect("the client ends");
        answers
    }

    fn line(&mut self) -> String {
        let mut line = String::new();
        self.said.read_line(&mut line).expect("the client says something");
        line
    }
}

/// Is one of the clients: waits for its work, does it, and says how many answers it got.
pub(crate) fn be_client(socket: &Path) -> ExitCode {
    println!("ready");
    let mut work = String::new();
    std::io::stdin().read_line(&mut work).expect("there is work");
    let (kind, amount) = work.trim().split_once(' ').expect("work has a kind and an amount");
    let amount: u64 = amount.parse().expect("the amount is a number");
    let begun = std::time::Instant::now();
    let mut answers = 0;
    while if kind == "for" { begun.elapsed().as_millis() < u128::from(amount) } else { answers < amount } {
        one_request(socket);
        answers += 1;
    }
    println!("{answers}");
    ExitCode::SUCCESS
}

fn one_request(socket: &Path) {
    let mut stream = UnixStream::connect(socket).expect("the server listens");
    stream.write_all(REQUEST).expect("the server reads");
    let mut answer = [0; 8192];
    let length = stream.read(&mut answer).expect("the server answers");
    assert!(answer[..length].starts_with(b"HTTP/1.1 200 "), "{}", String::from_utf8_lossy(&answer[..length]));
}

/// Asks once and returns the whole answer.
pub(crate) fn one_answer(socket: &Path) -> Vec<u8> {
    let mut stream = UnixStream::connect(socket).expect("the server listens");
    stream.write_all(REQUEST).expect("the server reads");
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).expect("the server answers");
    answer
}
