//! Who is let in, for how long, how many at a time, and how the door shuts.

use crate::common::{Client, Doorway, head_of, own_uid};
use std::time::Duration;
use tegata_daemon::caller::PeerError;
use tegata_daemon::serve::door::Limits;
use tokio::io::AsyncWriteExt;
use tokio::time::Instant;

#[tokio::test]
async fn a3_foreign_uid_gets_no_byte() {
    let doorway = Doorway::of(own_uid() + 1, Limits::default());
    assert_eq!(doorway.send("GET /x HTTP/1.1\r\n\r\n").await, "");
    assert_eq!(doorway.refused(), [PeerError::Foreign { uid: own_uid(), pid: std::process::id() }]);
    assert!(doorway.script.seen.lock().unwrap().is_empty());
}

#[tokio::test]
async fn a3_twin_own_uid_is_served() {
    let doorway = Doorway::open();
    assert_eq!(doorway.get("/who").await.body, std::process::id().to_string());
    assert!(doorway.refused().is_empty());
}

/// Sends `bytes` one per second of paused time until the door hangs up; returns what it said and the seconds it took.
async fn trickle(mut client: Client, bytes: String) -> (String, u64) {
    let begin = Instant::now();
    for byte in bytes.bytes() {
        if client.0.write_all(&[byte]).await.is_err() {
            break;
        }
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
    (client.rest().await, begin.elapsed().as_secs())
}

#[tokio::test(start_paused = true)]
async fn a19_a_request_that_trickles_in_is_closed_after_five_seconds_in_all() {
    let doorway = Doorway::open();
    let (said, seconds) = trickle(doorway.connect().await, head_of(60)).await;
    assert_eq!(said, "");
    assert!((5..=6).contains(&seconds), "{seconds}");
}

#[tokio::test(start_paused = true)]
async fn a19_the_body_does_not_begin_the_five_seconds_anew() {
    let doorway = Doorway::open();
    let mut client = doorway.connect().await;
    client.write("POST /x HTTP/1.1\r\ncontent-le").await;
    tokio::time::sleep(Duration::from_secs(3)).await;
    client.write("ngth: 60\r\n\r\n").await;
    let (said, seconds) = trickle(client, "b".repeat(60)).await;
    assert_eq!(said, "");
    assert!((2..=3).contains(&seconds), "{seconds}");
}

#[tokio::test(start_paused = true)]
async fn a19_others_are_served_meanwhile() {
    let doorway = Doorway::open();
    let slow = tokio::spawn(trickle(doorway.connect().await, head_of(60)));
    tokio::time::sleep(Duration::from_secs(2)).await;
    assert_eq!(doorway.get("/x").await.status, 200);
    slow.await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a19_twin_a_complete_request_waits_for_its_answer_as_long_as_it_takes() {
    let doorway = Doorway::open();
    let mut client = doorway.connect().await;
    client.write("GET /hold HTTP/1.1\r\n\r\n").await;
    doorway.held().await;
    tokio::time::sleep(Duration::from_secs(600)).await;
    doorway.release();
    assert_eq!(client.reply().await.body, "held");
    // And so may the next request on the same connection.
    tokio::time::sleep(Duration::from_secs(600)).await;
    client.write("GET /x HTTP/1.1\r\n\r\n").await;
    assert_eq!(client.reply().await.status, 200);
}

#[tokio::test]
async fn a20_two_thousand_idle_connections_leave_the_newest_and_the_one_at_work() {
    tegata_daemon::harden::raise_descriptor_limit().unwrap();
    let doorway = Doorway::open();
    let mut working = doorway.connect().await;
    working.write("GET /hold HTTP/1.1\r\n\r\n").await;
    doorway.held().await;
    let mut idle = Vec::new();
    for _ in 0..2000 {
        idle.push(doorway.connect().await);
    }
    assert_eq!(doorway.get("/x").await.status, 200);
    // 1,024 places: the one at work, the one just used, and these.
    let newest = idle.split_off(2000 - 1022);
    for mut dropped in idle {
        assert_eq!(dropped.rest().await, "");
    }
    for mut kept in newest.into_iter().rev().take(100) {
        kept.write("GET /x HTTP/1.1\r\n\r\n").await;
        assert_eq!(kept.reply().await.status, 200);
    }
    doorway.release();
    assert_eq!(working.reply().await.body, "held");
}

#[tokio::test]
async fn a20_twin_a_thousand_connections_are_all_kept() {
    tegata_daemon::harden::raise_descriptor_limit().unwrap();
    let doorway = Doorway::open();
    let mut clients = Vec::new();
    for _ in 0..1023 {
        clients.push(doorway.connect().await);
    }
    assert_eq!(doorway.get("/x").await.status, 200);
    for mut client in clients {
        client.write("GET /x HTTP/1.1\r\n\r\n").await;
        assert_eq!(client.reply().await.status, 200);
    }
}

#[tokio::test]
async fn a21_callers_that_leave_in_the_middle_harm_nobody_and_leave_nothing_behind() {
    let doorway = Doorway::open();
    let mut half_closed = doorway.connect().await;
    half_closed.write("GET /hold HTTP/1.1\r\n\r\n").await;
    doorway.held().await;
    half_closed.0.shutdown().await.unwrap();
    assert_eq!(half_closed.rest().await, "", "who leaves is not waited for");
    for _ in 0..20 {
        let mut leaves = doorway.connect().await;
        leaves.write("GET /large HTTP/1.1\r\n\r\n").await;
        leaves.0.readable().await.unwrap();
        drop(leaves);
        let reply = doorway.get("/x").await;
        assert_eq!((reply.status, reply.body.as_str()), (200, "GET /x 0"));
    }
}

#[tokio::test]
async fn a21_twin_a_caller_that_stays_gets_the_whole_answer() {
    let reply = Doorway::open().get("/large").await;
    assert!(reply.body.len() == 4 << 20 && reply.body.bytes().all(|byte| byte == b'L'));
}

#[tokio::test]
async fn a_secret_is_given_back_to_be_wiped_while_the_connection_stays() {
    let doorway = Doorway::open();
    let mut client = doorway.connect().await;
    for times in 1..=2 {
        client.write("GET /secret HTTP/1.1\r\n\r\n").await;
        assert_eq!(client.reply().await.body, "secret");
        // The door is done with the answer before it reads the next request.
        client.write("GET /x HTTP/1.1\r\n\r\n").await;
        client.reply().await;
        assert_eq!(doorway.script.dropped.load(std::sync::atomic::Ordering::SeqCst), times);
    }
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_is_not_taken_is_given_up() {
    let doorway = Doorway::open();
    let mut client = doorway.connect().await;
    client.write("GET /large HTTP/1.1\r\n\r\n").await;
    tokio::time::sleep(Duration::from_secs(60)).await;
    assert!(client.rest().await.len() < 4 << 20);
}

#[tokio::test]
async fn shutting_finishes_what_is_in_progress_and_lets_nobody_in() {
    let mut doorway = Doorway::open();
    let mut working = doorway.connect().await;
    working.write("GET /hold HTTP/1.1\r\n\r\n").await;
    doorway.held().await;
    let mut idle = doorway.connect().await;
    idle.write("GET /x HTTP/1.1\r\n\r\n").await;
    idle.reply().await;
    doorway.begin_to_close();
    assert_eq!(idle.rest().await, "");
    assert!(tokio::net::UnixStream::connect(doorway.path()).await.is_err());
    doorway.release();
    assert_eq!(working.reply().await.body, "held");
    doorway.closed().await;
}

#[tokio::test(start_paused = true)]
async fn shutting_waits_five_seconds_and_no_longer() {
    let mut doorway = Doorway::open();
    let mut working = doorway.connect().await;
    working.write("GET /hold HTTP/1.1\r\n\r\n").await;
    doorway.held().await;
    let begin = Instant::now();
    doorway.begin_to_close();
    doorway.closed().await;
    assert_eq!(begin.elapsed().as_secs(), 5);
    assert_eq!(working.rest().await, "");
}
