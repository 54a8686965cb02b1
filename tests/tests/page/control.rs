//! How the browser tests ask for requests and see what became of them: one line of JSON each way, on a loopback port.

use crate::desk::Desk;
use serde_json::{Value, json};
use std::sync::Arc;
use tegata_daemon::serve::page::PageDoor;
use tegata_protocol::Secret;
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{TcpListener, TcpStream};

/// Listens until the test ends; returns the port.
pub(crate) async fn listen(desk: Arc<Desk>, door: Arc<PageDoor>) -> u16 {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("no port");
    let port = listener.local_addr().expect("no address").port();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(obey(stream, Arc::clone(&desk), Arc::clone(&door)));
        }
    });
    port
}

async fn obey(stream: TcpStream, desk: Arc<Desk>, door: Arc<PageDoor>) {
    let mut stream = BufReader::new(stream);
    let mut line = String::new();
    while stream.read_line(&mut line).await.is_ok_and(|read| read > 0) {
        let order: Value = serde_json::from_str(&line).expect("the order is no JSON");
        let answer = perform(&order, &desk, &door).await;
        stream.write_all(format!("{answer}\n").as_bytes()).await.expect("nobody hears the answer");
        line.clear();
    }
}

async fn perform(order: &Value, desk: &Desk, door: &PageDoor) -> Value {
    if let Some(wanted) = order.get("mint") {
        let (id, secret) = desk.mint(wanted);
        let url = door.url(&Secret::new(secret)).await.expect("the page does not listen");
        return json!({"id": id, "url": url.expose_secret()});
    }
    if let Some(id) = order.get("page").and_then(Value::as_str) {
        let url = door.url(&Secret::new(desk.second_page(id))).await.expect("the page does not listen");
        return json!({"url": url.expose_secret()});
    }
    if let Some(change) = order.get("change") {
        desk.change(order["id"].as_str().expect("no id"), change);
    }
    if let Some(message) = order.get("fail").and_then(Value::as_str) {
        desk.fail_next(message);
    }
    json!({"acts": desk.acts(order["id"].as_str().unwrap_or_default())})
}
