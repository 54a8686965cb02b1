//! What is said over the socket: sizes, malformed requests, order.

use crate::common::{Client, Doorway, head_of, status};
use rustix::net::{SendAncillaryBuffer, SendAncillaryMessage, SendFlags};
use std::io::IoSlice;
use std::mem::MaybeUninit;
use std::os::fd::AsFd;
use std::path::Path;
use tegata_protocol::{ErrorBody, ErrorCode, MAX_BODY_BYTES, MAX_HEAD_BYTES};

/// The typed error in an answer.
fn code(answer: &str) -> ErrorCode {
    let body = answer.split_once("\r\n\r\n").unwrap().1;
    serde_json::from_str::<ErrorBody>(body).unwrap_or_else(|error| panic!("{error} in {answer:?}")).code
}

fn post_of(length: usize) -> String {
    format!("POST /x HTTP/1.1\r\ncontent-length: {length}\r\n\r\n{}", "b".repeat(length))
}

#[tokio::test]
async fn an_answer_names_the_protocol_its_length_and_nothing_to_store() {
    let reply = Doorway::open().get("/x").await;
    assert_eq!((reply.status, reply.body.as_str()), (200, "GET /x 0"));
    for header in ["tegata-protocol: 1\r\n", "content-length: 8\r\n", "cache-control: no-store\r\n"] {
        assert!(reply.head.contains(header), "{header} is not in {}", reply.head);
    }
    assert!(!reply.head.contains("set-cookie"));
}

#[tokio::test]
async fn a17_an_immense_body_is_refused_from_the_head_alone() {
    let doorway = Doorway::open();
    for length in ["9223372036854775808", "65537"] {
        let answer = doorway.send(format!("POST /x HTTP/1.1\r\ncontent-length: {length}\r\n\r\n")).await;
        assert_eq!((status(&answer), code(&answer)), (413, ErrorCode::TooLarge));
    }
    for head in ["content-length: 99999999999999999999", "content-length: -1", "transfer-encoding: chunked"] {
        let answer = doorway.send(format!("POST /x HTTP/1.1\r\n{head}\r\n\r\n")).await;
        assert_eq!((status(&answer), code(&answer)), (400, ErrorCode::BadRequest), "{head}");
    }
    assert!(doorway.script.seen.lock().unwrap().is_empty());
}

#[tokio::test]
async fn a17_a_body_nobody_announced_is_no_body() {
    let doorway = Doorway::open();
    let answer = doorway.send(format!("POST /x HTTP/1.1\r\n\r\n{}", "b".repeat(100_000))).await;
    assert!(answer.contains("POST /x 0") && answer.contains("HTTP/1.1 431"), "{answer:.300}");
}

#[tokio::test]
async fn a18_one_byte_too_many_is_refused_and_the_connection_closed() {
    let doorway = Doorway::open();
    let head = doorway.send(head_of(MAX_HEAD_BYTES + 1)).await;
    assert_eq!((status(&head), code(&head)), (431, ErrorCode::TooLarge));
    let body = doorway.send(post_of(MAX_BODY_BYTES + 1)).await;
    assert_eq!((status(&body), code(&body)), (413, ErrorCode::TooLarge));
    let endless = doorway.send("x".repeat(1 << 20)).await;
    assert_eq!(status(&endless), 431);
    let headers = doorway.send(format!("GET /x HTTP/1.1\r\n{}\r\n", "a: b\r\n".repeat(101))).await;
    assert_eq!(status(&headers), 431);
    assert!(doorway.script.seen.lock().unwrap().is_empty());
}

#[tokio::test]
async fn a18_twin_the_largest_request_is_served() {
    let doorway = Doorway::open();
    for request in [head_of(MAX_HEAD_BYTES), post_of(MAX_BODY_BYTES)] {
        let mut client = doorway.connect().await;
        client.write(request).await;
        assert_eq!(client.reply().await.status, 200);
    }
}

#[tokio::test]
async fn a22_what_is_no_request_gets_a_typed_error_and_the_connection_closed() {
    let doorway = Doorway::open();
    let heads: [&[u8]; 8] = [
        b"GET /\0 HTTP/1.1\r\n\r\n",
        b"GET /x HTTP/1.1\r\nx: a\0b\r\n\r\n",
        b"GET /\xff\xfe HTTP/1.1\r\n\r\n",
        b"\xff\xfe\xfd\r\n\r\n",
        b"\0\0\0\0\r\n\r\n",
        b"GET /x HTTP/1.1\r\nno colon\r\n\r\n",
        b"GET /x HTTP/1.1\r\nx : space\r\n\r\n",
        b"POST /x HTTP/1.1\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\n12",
    ];
    for head in heads {
        let answer = doorway.send(head).await;
        let shown = String::from_utf8_lossy(head);
        assert_eq!((status(&answer), code(&answer)), (400, ErrorCode::BadRequest), "{shown:?}");
        assert!(answer.contains("tegata-protocol: 1\r\n") && answer.matches("HTTP/1.1 4").count() == 1, "{answer}");
    }
    // A client of HTTP/2 could not read an answer.
    assert_eq!(doorway.send("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n").await, "");
    assert!(doorway.script.seen.lock().unwrap().is_empty());
}

#[tokio::test]
async fn a22_two_readings_of_one_request_are_none() {
    let doorway = Doorway::open();
    let smuggled =
        "POST /x HTTP/1.1\r\ncontent-length: 5\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\nGET /y HTTP/1.1\r\n\r\n";
    for request in [smuggled, "GET /x HTTP/1.1\r\nhost: a\r\nhost: b\r\n\r\n", "TRACE /x HTTP/1.1\r\n\r\n"] {
        let answer = doorway.send(request).await;
        assert_eq!((status(&answer), code(&answer)), (400, ErrorCode::BadRequest), "{request}");
    }
    assert_eq!(status(&doorway.send("GET http://evil.test/x HTTP/1.1\r\n\r\n").await), 400);
    assert!(doorway.script.seen.lock().unwrap().is_empty());
}

#[tokio::test]
async fn a_web_page_is_never_a_client() {
    let doorway = Doorway::open();
    let mut client = doorway.connect().await;
    client.write("GET /x HTTP/1.1\r\norigin: http://localhost\r\n\r\n").await;
    assert_eq!(client.reply().await.status, 403);
}

#[tokio::test]
async fn m1_a_client_of_another_protocol_is_told_both_numbers() {
    let answer = Doorway::open().send("GET /x HTTP/1.1\r\ntegata-protocol: 9\r\n\r\n").await;
    assert_eq!((status(&answer), code(&answer)), (426, ErrorCode::ProtocolMismatch));
    assert!(answer.contains("\\\"9\\\"") && answer.contains("tegatad protocol 1"), "{answer}");
}

#[tokio::test]
async fn a23_pipelined_requests_are_answered_in_order_also_when_one_is_larger_than_a_buffer() {
    let doorway = Doorway::open();
    let mut client = doorway.connect().await;
    let both = format!("GET /first HTTP/1.1\r\n\r\n{}GET /third HTTP/1.1\r\n\r\n", post_of(60_000));
    client.write(both).await;
    assert_eq!(client.reply().await.body, "GET /first 0");
    assert_eq!(client.reply().await.body, "POST /x 60000");
    assert_eq!(client.reply().await.body, "GET /third 0");
}

#[tokio::test]
async fn a23_a_bad_request_behind_a_good_one_ends_the_line() {
    let doorway = Doorway::open();
    let answers = doorway.send("GET /first HTTP/1.1\r\n\r\nnonsense\r\n\r\nGET /third HTTP/1.1\r\n\r\n").await;
    assert!(answers.contains("GET /first 0") && answers.contains("bad_request"), "{answers}");
    assert_eq!(*doorway.script.seen.lock().unwrap(), ["GET /first 0"]);
}

#[tokio::test]
async fn a23_twin_a_good_request_behind_a_good_one_is_served() {
    let doorway = Doorway::open();
    let last = "GET /third HTTP/1.1\r\nconnection: close\r\n\r\n";
    let answers = doorway.send(format!("GET /first HTTP/1.1\r\n\r\n{last}")).await;
    assert!(answers.contains("GET /first 0") && answers.contains("GET /third 0"), "{answers}");
}

#[tokio::test]
async fn a25_descriptors_sent_with_a_request_are_closed_and_the_request_is_served() {
    let doorway = Doorway::open();
    let mut client = doorway.connect().await;
    let sent = tempfile::NamedTempFile::new().unwrap();
    for _ in 0..3 {
        send_with_descriptors(&mut client, sent.as_file()).await;
        assert_eq!(client.reply().await.status, 200);
        assert_eq!(descriptors_of(sent.path()), 1, "only the test's own is open");
    }
}

/// Sends a request with the most descriptors one message carries (the kernel's SCM_MAX_FD).
async fn send_with_descriptors(client: &mut Client, file: &std::fs::File) {
    const MOST: usize = 253;
    let many = [file.as_fd(); MOST];
    let mut space = vec![MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(MOST))];
    let mut ancillary = SendAncillaryBuffer::new(&mut space);
    assert!(ancillary.push(SendAncillaryMessage::ScmRights(&many)));
    client.0.writable().await.unwrap();
    let request = [IoSlice::new(b"GET /x HTTP/1.1\r\n\r\n")];
    rustix::net::sendmsg(&client.0, &request, &mut ancillary, SendFlags::empty()).unwrap();
}

/// How many descriptors of this process are open on a file.
fn descriptors_of(file: &Path) -> usize {
    let all = std::fs::read_dir("/proc/self/fd").unwrap().flatten();
    all.filter(|entry| std::fs::read_link(entry.path()).is_ok_and(|target| target == file)).count()
}
