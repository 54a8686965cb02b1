//! The endpoint of `tegata exec` and a container: in a network of its own, bridged to ours, and in ours (security.md, C20 and C22).
//!
//! The machine is a network namespace too, so that nothing of the real one is changed. Needs root and ip(8).
#![cfg(feature = "root")]
#![allow(clippy::unwrap_used, reason = "this is a test")]

use std::fs;
use tegata_tests::product::{Ended, Product, run};

/// What runs below `exec` in the machine's network. A container is a process in a network namespace of its own, with one end of a
/// cable; `ask FROM ADDRESS PORT TOKEN` prints the status of an answer, `refused` where the
/// address is there and nobody listens, `unreachable` where it is not.
const IN_THE_MACHINE: &str = r#"
set -eu
ip link set lo up
unshare --net sleep 120 & container=$!
inside() { nsenter --target "$container" --net "$@"; }
until [ "$(readlink "/proc/$container/ns/net")" != "$(readlink /proc/self/ns/net)" ]; do :; done
ip link add cable type veth peer name eth0 netns "$container"
ip addr add 172.31.255.1/30 dev cable
ip link set cable up
inside ip addr add 172.31.255.2/30 dev eth0
inside ip link set eth0 up
address=${AWS_CONTAINER_CREDENTIALS_FULL_URI#http://}; host=${address%%/*}; port=${host#*:}; path=/${address#*/}
ask() { "$1" bash -c 'exec 3<>"/dev/tcp/$1/$2" || exit 7
    printf "GET %s HTTP/1.1\r\nHost: %s\r\nAuthorization: %s\r\n\r\n" "$3" "$4" "$5" >&3
    read -r _ status _ <&3; echo "$status"' ask "$2" "$3" "$path" "$host" "$4" 2>&1 | grep -m1 -o '^[0-9]*$\|refused\|unreachable'; }
here() { "$@"; }
stranger() { setpriv --reuid=65534 --regid=65534 --clear-groups "$@"; }
token=$AWS_CONTAINER_AUTHORIZATION_TOKEN
echo "bridged $(ask inside 172.31.255.1 "$port" "$token")"
echo "own-loopback $(ask inside 127.0.0.1 "$port" "$token")"
echo "host-network $(ask stranger 127.0.0.1 "$port" none)"
echo "client $(ask here 127.0.0.1 "$port" "$token")"
kill "$container"
"#;

#[test]
fn c20_c22_a_container_comes_to_the_endpoint_from_no_network_and_a_stranger_gets_nothing() {
    let mut product = Product::new();
    product.start_daemon();
    product.sign_in();
    let script = product.path("machine.sh");
    fs::write(&script, IN_THE_MACHINE).unwrap();
    let mut machine = product.command("unshare");
    machine.env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin").arg("--net").arg(&product.cli_binary);
    machine.args(["exec", "dev", "--", "bash"]).arg(&script);
    let Ended { code, stdout, stderr } = run(&mut machine);
    let expected = "bridged refused\nown-loopback unreachable\nhost-network 403\nclient 200\n";
    assert_eq!((code, stdout.as_str()), (0, expected), "{stderr}");
    product.assert_no_canaries();
}
