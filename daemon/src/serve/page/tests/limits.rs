use super::knock::{PATIENCE, read};
use super::*;
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpStream;

#[tokio::test]
async fn c24_whatever_could_smuggle_is_refused_and_nothing_after_it_is_served() {
    let house = House::open().await;
    let second = "GET / HTTP/1.1\r\nHost: HOST\r\n\r\n";
    let post = "POST /api/view HTTP/1.1\r\nHost: HOST\r\n";
    for (first, status) in [
        (format!("{post}Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"), 400),
        (format!("{post}Transfer-Encoding: chunked\r\n\r\n1;{}\r\na\r\n0\r\n\r\n", "x".repeat(1 << 20)), 400),
        (format!("{post}Transfer-Encoding: xchunked\r\n\r\n"), 400),
        (format!("{post}Content-Length: 0\r\nContent-Length: 5\r\n\r\nhello"), 400),
        (format!("{post}Content-Length: 0\r\nContent-Length: 0\r\n\r\n"), 400),
        (String::from("GET / HTTP/1.1\nHost: HOST\n\n"), 400),
        (String::from("GET / HTTP/1.1\r\nHost: HOST\r\n folded\r\n\r\n"), 400),
        (String::from("GET / HTTP/1.1\r\nHost : HOST\r\n\r\n"), 400),
        (format!("GET / HTTP/1.1\r\nHost: HOST\r\n{}\r\n", "A: b\r\n".repeat(101)), 431),
        (format!("GET / HTTP/1.1\r\nHost: HOST\r\nA: {}\r\n\r\n", "b".repeat(1 << 20)), 431),
        (String::from("TRACE / HTTP/1.1\r\nHost: HOST\r\n\r\n"), 405),
        (String::from("CONNECT evil.test:443 HTTP/1.1\r\nHost: HOST\r\n\r\n"), 400),
        (String::from("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"), 400),
    ] {
        let answer = house.send(&format!("{first}{second}")).await;
        let shown: String = first.chars().take(80).collect();
        assert_eq!(answer.status, status, "{shown:?}: {answer:?}");
        assert!(!answer.body.contains("<html") && !answer.body.contains("HTTP/1.1"), "{shown:?}: {answer:?}");
    }
    assert!(house.desk.done().is_empty());
}

#[tokio::test]
async fn c24_even_a_good_request_is_the_last_of_its_connection() {
    let house = House::open().await;
    let get = "GET / HTTP/1.1\r\nHost: HOST\r\n\r\n";
    let answer = house.send(&format!("{get}{get}")).await;
    assert_eq!((answer.status, answer.body.matches("<!doctype html>").count()), (200, 1));
    assert_eq!(answer.body.matches("HTTP/1.1 ").count(), 0);
}

#[tokio::test]
async fn c24_twin_a_head_and_body_in_many_pieces_are_one_request() {
    let house = House::open().await;
    let token = house.token("secret-1").await;
    let host = format!("tegata.localhost:{}", house.port());
    let text = format!(
        "POST /api/view HTTP/1.1\r\nHost: {host}\r\nOrigin: http://{host}\r\nSec-Fetch-Site: same-origin\r\n\
         Content-Type: application/json\r\nContent-Length: 2\r\nTegata-Page: {token}\r\n\r\n{{}}"
    );
    let mut stream = TcpStream::connect(("127.0.0.1", house.port())).await.unwrap();
    for piece in text.as_bytes().chunks(7) {
        stream.write_all(piece).await.unwrap();
        tokio::task::yield_now().await;
    }
    assert_eq!(read(&mut stream).await.status, 200);
}

#[tokio::test]
async fn c25_a_head_that_does_not_end_is_given_up() {
    let house = House::open().await;
    let mut silent = TcpStream::connect(("127.0.0.1", house.port())).await.unwrap();
    let mut halfway = TcpStream::connect(("127.0.0.1", house.port())).await.unwrap();
    halfway.write_all(b"GET / HTTP/1.1\r\nHost: tegata").await.unwrap();
    let (silent, halfway) = tokio::join!(read(&mut silent), read(&mut halfway));
    assert_eq!((silent.status, halfway.status), (0, 0), "{silent:?} {halfway:?}");
}

#[tokio::test]
async fn c25_twin_others_are_served_meanwhile() {
    let house = House::open().await;
    let mut held = Vec::new();
    for _ in 0..32 {
        held.push(TcpStream::connect(("127.0.0.1", house.port())).await.unwrap());
    }
    assert_eq!(house.send("GET / HTTP/1.1\r\nHost: HOST\r\n\r\n").await.status, 200);
}

#[tokio::test]
async fn c26_a_body_over_the_cap_is_refused_before_it_is_read() {
    let house = House::open().await;
    let token = house.token("secret-1").await;
    let answer = house.call("finish", &format!("Tegata-Page: {token}\r\n"), &"x".repeat(5_000_000)).await;
    assert_eq!(answer.status, 413);
    assert_eq!(house.desk.done(), ["open r1"]);
}

#[tokio::test]
async fn c26_a_body_that_does_not_come_is_given_up() {
    let house = House::open().await;
    let host = format!("tegata.localhost:{}", house.port());
    let mut stream = TcpStream::connect(("127.0.0.1", house.port())).await.unwrap();
    let head = format!(
        "POST /api/view HTTP/1.1\r\nHost: {host}\r\nOrigin: http://{host}\r\nSec-Fetch-Site: same-origin\r\n\
         Content-Type: application/json\r\nContent-Length: 2\r\nTegata-Page: x\r\n\r\n{{"
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    let answer = tokio::time::timeout(PATIENCE, read(&mut stream)).await.unwrap();
    assert_eq!(answer.status, 408, "{answer:?}");
}

#[tokio::test]
async fn c26_twin_a_body_at_the_cap_is_read() {
    let house = House::open().await;
    let token = house.token("secret-1").await;
    let answer = house.call("finish", &format!("Tegata-Page: {token}\r\n"), &"x".repeat(16 * 1024)).await;
    assert_eq!(answer.status, 200);
}
