use super::knock::PATIENCE;
use super::*;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use tegata_protocol::Secret;
use tokio::net::TcpStream;
use tokio::time::timeout;

/// The addresses that some program of this machine listens on at a port, as the kernel lists them.
fn listening_at(port: u16) -> Vec<IpAddr> {
    let mut found = Vec::new();
    for table in ["/proc/net/tcp", "/proc/net/tcp6"] {
        for line in std::fs::read_to_string(table).unwrap_or_default().lines().skip(1) {
            let words: Vec<_> = line.split_whitespace().collect();
            let (address, at) = words[1].split_once(':').unwrap();
            if words[3] == "0A" && u16::from_str_radix(at, 16).unwrap() == port {
                found.push(address_of(address));
            }
        }
    }
    found
}

/// The kernel writes an address as words of 32 bits in its own byte order.
fn address_of(hex: &str) -> IpAddr {
    let words =
        hex.as_bytes().chunks(8).map(|word| u32::from_str_radix(std::str::from_utf8(word).unwrap(), 16).unwrap());
    let bytes: Vec<u8> = words.flat_map(u32::to_ne_bytes).collect();
    match <[u8; 4]>::try_from(bytes.as_slice()) {
        Ok(v4) => Ipv4Addr::from(v4).into(),
        Err(_) => Ipv6Addr::from(<[u8; 16]>::try_from(bytes.as_slice()).unwrap()).into(),
    }
}

async fn has_ipv6() -> bool {
    tokio::net::TcpListener::bind(("::1", 0)).await.is_ok()
}

#[tokio::test]
async fn c1_nothing_listens_once_nobody_has_a_page() {
    let house = House::open().await;
    house.desk.end_all();
    timeout(PATIENCE, house.page.closed()).await.expect("the page did not close");
    assert_eq!(listening_at(house.port()), [] as [IpAddr; 0]);
    assert!(TcpStream::connect(("127.0.0.1", house.port())).await.is_err());
    assert!(house.page.url(&Secret::new(String::from("secret-1"))).is_none());
}

#[tokio::test]
async fn c1_nothing_listens_once_the_page_is_dropped() {
    let House { page, .. } = House::open().await;
    let port = page.origin().port().unwrap();
    drop(page);
    let closed = async {
        while !listening_at(port).is_empty() {
            tokio::task::yield_now().await;
        }
    };
    timeout(PATIENCE, closed).await.expect("the port stayed open");
}

#[tokio::test]
async fn c1_twin_it_listens_while_somebody_has_a_page() {
    let house = House::open().await;
    assert!(!listening_at(house.port()).is_empty());
    let url = house.page.url(&Secret::new(String::from("secret-1"))).unwrap();
    assert_eq!(url.expose_secret(), format!("http://tegata.localhost:{}/#secret-1", house.port()));
}

#[tokio::test]
async fn c1_a_door_that_closed_opens_again_for_the_next_page() {
    let desk = no_pages();
    let door = PageDoor::new(Arc::clone(&desk) as _);
    desk.begin_anew();
    let secret = Secret::new(String::from("secret-1"));
    let first = door.url(&secret).await.unwrap();
    assert_eq!(door.url(&secret).await.unwrap().expose_secret(), first.expose_secret());
    desk.end_all();
    timeout(PATIENCE, door.page.lock().await.as_ref().unwrap().closed()).await.expect("the page did not close");
    desk.begin_anew();
    let again = door.url(&secret).await.unwrap();
    let port = url::Url::parse(again.expose_secret()).unwrap().port().unwrap();
    assert!(!listening_at(port).is_empty());
}

#[tokio::test]
async fn c2_only_the_two_loopback_addresses_are_listened_on() {
    let house = House::open().await;
    let mut wanted = vec![IpAddr::V4(Ipv4Addr::LOCALHOST)];
    if has_ipv6().await {
        wanted.push(Ipv6Addr::LOCALHOST.into());
    }
    assert_eq!(listening_at(house.port()), wanted);
}

#[tokio::test]
async fn c2_twin_both_answer() {
    let house = House::open().await;
    TcpStream::connect(("127.0.0.1", house.port())).await.unwrap();
    if has_ipv6().await {
        TcpStream::connect(("::1", house.port())).await.unwrap();
    }
}

#[tokio::test]
async fn two_pages_never_share_a_port() {
    let (one, two) = (House::open().await, House::open().await);
    assert_ne!(one.port(), two.port());
}
