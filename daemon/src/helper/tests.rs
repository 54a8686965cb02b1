//! Each side of the socket against an other end that is held by hand.

use super::message::{Answer, Request};
use super::*;
use frame::{Frame, encode};
use std::io::Write;
use std::os::unix::net::UnixStream;
use std::process::{Command, Stdio};
use std::thread::JoinHandle;
use std::time::Duration;

fn run(words: &[&str]) -> Operation {
    let words: Vec<String> = words.iter().map(|word| (*word).to_owned()).collect();
    Operation::Run { command: words.try_into().unwrap(), seconds: 60 }
}

/// A helper on a thread, and the daemon's end.
struct Serving {
    daemon: UnixStream,
    serving: JoinHandle<std::io::Result<()>>,
}

fn serving() -> Serving {
    let (daemon, theirs) = UnixStream::pair().unwrap();
    Serving { daemon, serving: std::thread::spawn(move || process::serve(theirs)) }
}

impl Serving {
    fn ask(&mut self, id: u64, operation: Operation) {
        self.daemon.write_all(&encode(&Request { id, operation }, b"").unwrap()).unwrap();
    }

    fn answer(&mut self) -> (Answer, Bytes) {
        let frame: Frame = frame::read(&mut self.daemon).unwrap().unwrap();
        (frame.head().unwrap(), frame.payload)
    }
}

#[test]
fn answers_come_when_they_are_ready_and_say_to_what() {
    let mut helper = serving();
    let directory = tempfile::tempdir().unwrap();
    let fifo = directory.path().join("fifo");
    rustix::fs::mknodat(rustix::fs::CWD, &fifo, rustix::fs::FileType::Fifo, rustix::fs::Mode::RWXU, 0).unwrap();
    helper.ask(1, run(&["/bin/cat", fifo.to_str().unwrap()]));
    helper.ask(2, run(&["/bin/echo", "quick"]));
    let (second, output) = helper.answer();
    assert_eq!((second, output.as_slice()), (Answer { id: 2, fault: None }, &b"quick"[..]));
    std::fs::write(&fifo, "slow").unwrap();
    let (first, output) = helper.answer();
    assert_eq!((first, output.as_slice()), (Answer { id: 1, fault: None }, &b"slow"[..]));
    drop(helper.daemon);
    assert!(helper.serving.join().unwrap().is_ok());
}

#[test]
fn more_than_it_can_do_at_once_is_refused() {
    let mut helper = serving();
    for id in 0..=32 {
        helper.ask(id, run(&["/bin/sleep", "1000"]));
    }
    let (refused, _) = helper.answer();
    assert_eq!(refused, Answer { id: 32, fault: Some(Fault::Busy) });
    drop(helper.daemon);
    assert!(helper.serving.join().unwrap().is_ok());
}

#[test]
fn a_daemon_that_speaks_nonsense_is_the_end() {
    let not_a_request = encode(&"hello", b"").unwrap();
    for nonsense in [&[0xff; 8][..], &not_a_request, &[0, 0, 0, 2, 0, 0, 0, 0, b'{', b'}']] {
        let mut helper = serving();
        helper.ask(1, run(&["/bin/sleep", "1000"]));
        helper.daemon.write_all(nonsense).unwrap();
        assert!(helper.serving.join().unwrap().is_err());
    }
}

/// A helper process that is none, and its end of the socket. It may outlive its test, and holds nothing that somebody waits for.
fn attached() -> (HelperProcess, UnixStream) {
    let (socket, theirs) = UnixStream::pair().unwrap();
    let mut process = Command::new("/bin/sleep");
    let process = process.arg("60").stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    (HelperProcess::attach(Started { process, socket }).unwrap(), theirs)
}

#[tokio::test]
async fn a_helper_that_speaks_nonsense_is_ended_and_nobody_waits_for_it() {
    let (helper, mut theirs) = attached();
    let asking = helper.ask(run(&["/bin/true"]), Bytes::default());
    theirs.write_all(&[0xff; 8]).unwrap();
    let expected = HelperError::Ended { how: "signal: 9 (SIGKILL), the frame is too long".to_owned() };
    assert_eq!(asking.await, Err(expected.clone()));
    assert_eq!(helper.ask(run(&["/bin/true"]), Bytes::default()).await, Err(expected.clone()));
    assert_eq!(expected.mend().as_deref(), Some("tegata daemon stop"));
    assert!(helper.ended().unwrap().contains("signal: 9"));
}

#[tokio::test(start_paused = true)]
async fn a_helper_that_says_nothing_is_not_waited_for_for_ever() {
    let (helper, mut theirs) = attached();
    let before = tokio::time::Instant::now();
    assert_eq!(helper.ask(run(&["/bin/true"]), Bytes::default()).await, Err(HelperError::Silent));
    assert!(before.elapsed() >= Duration::from_secs(60), "it had the time of the command");
    // What comes too late, or was never asked for, is passed over.
    for id in [0, 99] {
        theirs.write_all(&encode(&Answer { id, fault: None }, b"late").unwrap()).unwrap();
    }
    let asking = helper.ask(run(&["/bin/true"]), Bytes::default());
    theirs.write_all(&encode(&Answer { id: 1, fault: None }, b"in time").unwrap()).unwrap();
    assert_eq!(asking.await.unwrap().as_slice(), b"in time");
}

#[tokio::test]
async fn without_a_command_in_the_settings_there_is_no_helper() {
    assert_eq!(NoHelper.ask(run(&["/bin/true"]), Bytes::default()).await, Err(HelperError::NothingToRun));
}
