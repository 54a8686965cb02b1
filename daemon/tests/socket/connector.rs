//! Whose connection it is: the process that made it, for as long as it lives (A15).
//!
//! The test runs itself as the child that connects; the child hands the connection over, with SCM_RIGHTS.

use crate::common::{Client, Doorway, own_uid};
use rustix::net::{
    RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, SendAncillaryBuffer, SendAncillaryMessage, SendFlags,
};
use std::io::{IoSlice, IoSliceMut, Read};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::process::{Child, Command};
use tegata_daemon::caller::PeerError;
use tegata_daemon::serve::door::Limits;
use tokio::net::UnixListener;

const SOCKET: &str = "TEGATA_TEST_SOCKET";

/// A process that has connected to a socket and handed the connection over. It ends when told to.
struct Connector {
    child: Child,
    line: UnixStream,
}

impl Connector {
    fn connect(socket: &Path) -> (Self, Client) {
        let (line, theirs) = UnixStream::pair().unwrap();
        let mut command = Command::new(std::env::current_exe().unwrap());
        command.args(["--exact", "connector::child_connects_and_hands_over", "--ignored"]).env(SOCKET, socket);
        let child = command.stdin(OwnedFd::from(theirs)).stdout(std::process::Stdio::null()).spawn().unwrap();
        // The command still holds the other end; without it, a child that fails is noticed here.
        drop(command);
        let connection = UnixStream::from(receive(&line));
        connection.set_nonblocking(true).unwrap();
        (Self { child, line }, Client(tokio::net::UnixStream::from_std(connection).unwrap()))
    }

    fn pid(&self) -> u32 {
        self.child.id()
    }

    fn end(mut self) {
        drop(self.line);
        self.child.wait().unwrap();
    }
}

#[test]
#[ignore = "the child of the tests below"]
#[allow(clippy::disallowed_methods, reason = "the child is told by its environment")]
fn child_connects_and_hands_over() {
    let Some(socket) = std::env::var_os(SOCKET) else { return };
    let connection = UnixStream::connect(socket).unwrap();
    let mut line = UnixStream::from(std::io::stdin().as_fd().try_clone_to_owned().unwrap());
    send(&line, &connection);
    drop(connection);
    let _ = line.read(&mut [0]);
}

fn send(line: &UnixStream, descriptor: &UnixStream) {
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
    let mut ancillary = SendAncillaryBuffer::new(&mut space);
    let descriptors = [descriptor.as_fd()];
    assert!(ancillary.push(SendAncillaryMessage::ScmRights(&descriptors)));
    rustix::net::sendmsg(line, &[IoSlice::new(b"x")], &mut ancillary, SendFlags::empty()).unwrap();
}

fn receive(line: &UnixStream) -> OwnedFd {
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
    let mut ancillary = RecvAncillaryBuffer::new(&mut space);
    let mut byte = [0];
    rustix::net::recvmsg(line, &mut [IoSliceMut::new(&mut byte)], &mut ancillary, RecvFlags::empty()).unwrap();
    let message = ancillary.drain().next().expect("the child ended before it had connected");
    let RecvAncillaryMessage::ScmRights(mut descriptors) = message else { panic!("no descriptor came") };
    descriptors.next().unwrap()
}

#[tokio::test]
async fn a15_a_connection_whose_maker_has_ended_is_refused() {
    let doorway = Doorway::open();
    let (connector, mut client) = Connector::connect(&doorway.path());
    client.write("GET /who HTTP/1.1\r\n\r\n").await;
    assert_eq!(client.reply().await.body, connector.pid().to_string());
    let pid = connector.pid();
    connector.end();
    client.write("GET /who HTTP/1.1\r\n\r\n").await;
    assert_eq!(client.rest().await, "");
    assert_eq!(doorway.refused(), [PeerError::Gone { pid }]);
    assert_eq!(doorway.script.seen.lock().unwrap().len(), 1);
}

#[tokio::test]
async fn a15_a_connection_whose_maker_ended_before_it_was_accepted_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    let listener = UnixListener::bind(directory.path().join("s")).unwrap();
    let (connector, mut client) = Connector::connect(&directory.path().join("s"));
    let pid = connector.pid();
    connector.end();
    let doorway = Doorway::behind(listener, directory, own_uid(), Limits::default());
    client.write("GET /who HTTP/1.1\r\n\r\n").await;
    assert_eq!(client.rest().await, "");
    assert_eq!(doorway.refused(), [PeerError::Gone { pid }]);
    assert!(doorway.script.seen.lock().unwrap().is_empty());
}

#[tokio::test]
async fn a15_an_answer_does_not_go_to_whoever_holds_the_connection_by_then() {
    let doorway = Doorway::open();
    let (connector, mut client) = Connector::connect(&doorway.path());
    client.write("GET /hold HTTP/1.1\r\n\r\n").await;
    doorway.held().await;
    connector.end();
    doorway.release();
    assert_eq!(client.rest().await, "");
    assert_eq!(doorway.refused().len(), 1);
}

#[tokio::test]
async fn a15_twin_while_its_maker_lives_a_connection_is_the_makers_whoever_holds_it() {
    let doorway = Doorway::open();
    let (connector, mut client) = Connector::connect(&doorway.path());
    for _ in 0..2 {
        client.write("GET /who HTTP/1.1\r\n\r\n").await;
        let reply = client.reply().await;
        assert_eq!((reply.status, reply.body), (200, connector.pid().to_string()));
    }
    connector.end();
}
