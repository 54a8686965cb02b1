//! Whose program is at the other end of a connection on this machine, as the kernel tells (proc(5), `/proc/net/tcp`).

use std::fs::File;
use std::io::Read;

/// The longest table that is read: some ten thousand connections.
const LONGEST: u64 = 4 * 1024 * 1024;

/// Whether the program that connected from `peer_port` to `own_port` is this user's, or root's, who may do anything anyhow. What the
/// kernel does not tell is no.
pub(super) fn is_this_user(peer_port: u16, own_port: u16) -> bool {
    if !cfg!(target_os = "linux") {
        return true;
    }
    let own = rustix::process::geteuid().as_raw();
    let tables = ["/proc/self/net/tcp", "/proc/self/net/tcp6"].map(read);
    let owner = tables.iter().find_map(|table| owner(table, peer_port, own_port));
    owner.is_some_and(|uid| uid == own || uid == 0)
}

fn read(path: &str) -> String {
    let mut text = String::new();
    match File::open(path) {
        Ok(file) => file.take(LONGEST).read_to_string(&mut text).map(|_| text).unwrap_or_default(),
        Err(_) => text,
    }
}

/// Finds the connection whose own side is the peer's and whose other side is ours.
fn owner(table: &str, peer_port: u16, own_port: u16) -> Option<u32> {
    table.lines().skip(1).find_map(|line| {
        let fields: Vec<&str> = line.split_whitespace().collect();
        let (local, remote, uid) = (fields.get(1)?, fields.get(2)?, fields.get(7)?);
        let is = |end: &str, port: u16| {
            let (address, digits) = end.split_once(':')?;
            // 127.0.0.0/8 in the byte order of the machine, or the same mapped into IPv6.
            let loopback = address.ends_with("7F") || address.starts_with("7F");
            Some(loopback && u16::from_str_radix(digits, 16).ok()? == port)
        };
        (is(local, peer_port)? && is(remote, own_port)?).then(|| uid.parse().ok()).flatten()
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::{Ipv4Addr, TcpListener, TcpStream};

    const TABLE: &str = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n   \
        0: 0100007F:1F90 0100007F:C350 01 00000000:00000000 00:00000000 00000000  1000        0 1 1 0 20 4 30 10 -1\n   \
        1: 0100007F:C350 0100007F:1F90 01 00000000:00000000 00:00000000 00000000  1001        0 2 1 0 20 4 30 10 -1\n   \
        2: 0A00000A:C351 0100007F:1F90 01 00000000:00000000 00:00000000 00000000  1002        0 3 1 0 20 4 30 10 -1\n";

    #[test]
    fn a1_the_owner_is_that_of_the_other_side() {
        assert_eq!(owner(TABLE, 0xC350, 0x1F90), Some(1001));
        assert_eq!(owner(TABLE, 0x1F90, 0xC350), Some(1000));
        assert_eq!(owner(TABLE, 0xC351, 0x1F90), None, "not from this machine");
        assert_eq!(owner(TABLE, 1, 2), None);
        assert_eq!(owner("", 0xC350, 0x1F90), None);
    }

    #[test]
    fn a1_twin_a_connection_of_this_process_is_this_users() {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let stream = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let (own, peer) = (listener.local_addr().unwrap().port(), stream.local_addr().unwrap().port());
        assert!(is_this_user(peer, own));
        assert!(!is_this_user(peer, peer), "what the kernel does not list is nobody's");
    }
}
