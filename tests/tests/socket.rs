//! The local socket of the real daemon (security.md A1 to A23): what it is made as, and what it does with strange callers.
#![allow(clippy::unwrap_used, reason = "this is a test")]

use std::fs;
use std::io::{Read, Write};
use std::net::Shutdown;
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::Path;
use std::process::Stdio;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tegata_sandbox::{HoldUntil, Operation};
use tegata_tests::product::{PATIENCE, Product, run, wait_until};
use tegata_tests::program;

const STATUS: &str = "GET /v1/status HTTP/1.1\r\nTegata-Protocol: 1\r\n";

fn running() -> Product {
    let mut product = Product::new();
    product.start_daemon();
    product
}

fn mode(path: &Path) -> u32 {
    fs::symlink_metadata(path).unwrap().mode() & 0o777
}

/// Sends bytes and returns everything that comes back until the daemon hangs up.
fn exchange(product: &Product, bytes: impl AsRef<[u8]>) -> String {
    let mut stream = UnixStream::connect(product.socket()).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    // It may have answered and hung up before it has taken all.
    let _ = stream.write_all(bytes.as_ref());
    let mut answer = Vec::new();
    let mut chunk = [0; 4096];
    while let Ok(read @ 1..) = stream.read(&mut chunk) {
        answer.extend_from_slice(&chunk[..read]);
    }
    String::from_utf8_lossy(&answer).into_owned()
}

fn assert_serves(product: &Product) {
    let answer = exchange(product, format!("{STATUS}Connection: close\r\n\r\n"));
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
}

/// Starts a daemon that is to refuse, and returns the one line it says.
fn refused(product: &Product) -> String {
    let ended = run(&mut product.command(program("tegatad")));
    assert_ne!(ended.code, 0, "{ended:?}");
    assert_eq!(ended.stderr.lines().count(), 1, "{ended:?}");
    ended.stderr
}

fn socket_directory(product: &Product, mode: u32) {
    let directory = product.path("run/tegata");
    fs::create_dir(&directory).unwrap();
    fs::set_permissions(&directory, fs::Permissions::from_mode(mode)).unwrap();
}

#[test]
fn a1_without_a_mask_nothing_is_ever_seen_wider_than_for_the_user() {
    let product = Product::new();
    let (socket, directory, ended) = (product.socket(), product.path("run/tegata"), AtomicBool::new(false));
    std::thread::scope(|scope| {
        let watcher = scope.spawn(|| {
            let (mut wider, mut looks) = (Vec::new(), 0_u64);
            while !ended.load(Ordering::SeqCst) {
                for path in [&socket, &directory] {
                    if let Ok(found) = fs::symlink_metadata(path) {
                        looks += 1;
                        wider.extend((found.mode() & 0o077 != 0).then(|| format!("{:o} {path:?}", found.mode())));
                    }
                }
            }
            (wider, looks)
        });
        for _ in 0..10 {
            let mut shell = product.command("/bin/sh");
            let script = format!("umask 000; exec {}", program("tegatad").display());
            let mut daemon = shell.args(["-c", &script]).stderr(Stdio::null()).spawn().unwrap();
            wait_until("the daemon answers", || UnixStream::connect(&socket).is_ok());
            assert_eq!((mode(&socket), mode(&directory), mode(&product.state_dir())), (0o600, 0o700, 0o700));
            daemon.kill().unwrap();
            daemon.wait().unwrap();
            fs::remove_dir_all(&directory).unwrap();
        }
        ended.store(true, Ordering::SeqCst);
        let (wider, looks) = watcher.join().unwrap();
        assert!(wider.is_empty() && looks > 0, "{wider:?} in {looks} looks");
    });
}

#[test]
fn a5_a_link_in_place_of_the_directory_is_refused() {
    let product = Product::new();
    fs::create_dir(product.path("elsewhere")).unwrap();
    symlink(product.path("elsewhere"), product.path("run/tegata")).unwrap();
    assert!(refused(&product).contains("run/tegata"));
    assert_eq!(fs::read_dir(product.path("elsewhere")).unwrap().count(), 0);
}

#[test]
fn a6_a_directory_others_write_to_is_refused_and_not_mended() {
    let product = Product::new();
    socket_directory(&product, 0o777);
    assert!(refused(&product).contains("chmod 700"));
    assert_eq!(mode(&product.path("run/tegata")), 0o777);
}

#[test]
fn a7_what_lies_in_the_socket_s_place_stays_there() {
    let product = Product::new();
    socket_directory(&product, 0o700);
    fs::write(product.socket(), "precious").unwrap();
    assert!(refused(&product).contains("tegata.sock"));
    assert_eq!(fs::read_to_string(product.socket()).unwrap(), "precious");
    fs::remove_file(product.socket()).unwrap();
    symlink(product.path("target.sock"), product.socket()).unwrap();
    let target = UnixListener::bind(product.path("target.sock")).unwrap();
    refused(&product);
    assert!(fs::symlink_metadata(product.socket()).unwrap().is_symlink());
    drop(target);
}

#[test]
fn a10_a_second_daemon_gives_way_and_the_first_serves_on() {
    let product = running();
    let second = run(&mut product.command(program("tegatad")));
    assert_eq!(second.code, 0, "{second:?}");
    assert_serves(&product);
}

#[test]
fn a11_a_daemon_whose_socket_is_gone_makes_room_for_the_next() {
    let mut product = running();
    fs::remove_file(product.socket()).unwrap();
    assert_eq!(product.daemon_ends(), 0, "{}", product.daemon_log());
    product.start_daemon();
    assert_serves(&product);
}

#[test]
fn a12_places_that_cannot_be_are_one_line() {
    for (name, value) in [
        ("XDG_RUNTIME_DIR", "relative".to_owned()),
        ("TEGATA_SOCKET", format!("/tmp/{}", "x".repeat(120))),
        ("TEGATA_SOCKET", "relative.sock".to_owned()),
        ("XDG_STATE_HOME", "relative".to_owned()),
    ] {
        let mut product = Product::new();
        product.environment.push((name.to_owned(), value));
        let line = refused(&product);
        assert!(line.contains(name) || line.contains("TEGATA_SOCKET"), "{line}");
    }
}

#[test]
fn a13_the_kernel_lists_the_socket_by_its_path_alone() {
    let mut product = Product::new();
    let pid = product.start_daemon();
    let listed = fs::read_to_string("/proc/net/unix").unwrap();
    let home = product.path("").display().to_string();
    let own: Vec<&str> = listed.lines().filter(|line| line.contains(&home)).collect();
    assert!(!own.is_empty() && own.iter().all(|line| !line.contains('@')), "{own:?}");
    assert!(!listed.lines().any(|line| line.contains("@tegata") || line.contains(&format!("@{pid}"))));
}

#[cfg(feature = "system")]
#[test]
fn a15_who_ends_before_the_answer_leaves_the_connection_to_nobody() {
    let product = running();
    product.sign_in();
    // A child connects and ends; its parent asks on the connection.
    let script = "import os, socket\n\
        s = socket.socket(socket.AF_UNIX)\n\
        pid = os.fork()\n\
        if pid == 0:\n    s.connect(os.environ['AT'])\n    os._exit(0)\n\
        os.waitpid(pid, 0)\n\
        try:\n    s.sendall(b'GET /v1/credentials?profile=dev HTTP/1.1\\r\\nTegata-Protocol: 1\\r\\nConnection: close\\r\\n\\r\\n')\n    print(s.recv(65536))\n\
        except OSError:\n    print(b'')\n";
    let mut python = product.command("python3");
    let ended = run(python.args(["-c", script]).env("AT", product.socket()));
    assert_eq!((ended.code, ended.stdout.trim()), (0, "b''"), "{ended:?}");
    assert_eq!(product.sandbox().calls(Operation::GetRoleCredentials), 0);
}

#[test]
fn a18_one_byte_too_many_is_refused_and_the_largest_request_is_not() {
    let product = running();
    let padded = |length: usize| {
        let begin = format!("{STATUS}Connection: close\r\nX: ");
        format!("{begin}{}\r\n\r\n", "a".repeat(length - begin.len() - 4))
    };
    assert!(exchange(&product, padded(16 * 1024)).starts_with("HTTP/1.1 200"));
    assert!(exchange(&product, padded(16 * 1024 + 1)).starts_with("HTTP/1.1 431"));
    let body = 64 * 1024 + 1;
    let post = format!("POST /v1/sign-ins HTTP/1.1\r\nTegata-Protocol: 1\r\nContent-Length: {body}\r\n\r\n");
    assert!(exchange(&product, post).starts_with("HTTP/1.1 413"));
}

#[test]
fn a19_a_request_that_never_ends_is_given_up_and_others_are_served_meanwhile() {
    let product = running();
    let mut slow = UnixStream::connect(product.socket()).unwrap();
    slow.write_all(b"GET /v1/sta").unwrap();
    assert_serves(&product);
    slow.set_read_timeout(Some(PATIENCE)).unwrap();
    assert!(matches!(slow.read(&mut [0; 64]), Ok(0) | Err(_)), "it was answered");
    assert_serves(&product);
}

#[test]
fn a19_twin_who_waits_for_aws_is_not_hurried() {
    let product = running();
    product.sign_in();
    product.sandbox().hold(Operation::GetRoleCredentials, HoldUntil::Released);
    let mut tool = UnixStream::connect(product.socket()).unwrap();
    tool.set_read_timeout(Some(Duration::from_secs(6))).unwrap();
    let request = "GET /v1/credentials?profile=dev&wait=60 HTTP/1.1\r\nTegata-Protocol: 1\r\nConnection: close\r\n\r\n";
    tool.write_all(request.as_bytes()).unwrap();
    let patient = tool.read(&mut [0; 64]).unwrap_err();
    assert_eq!(patient.kind(), std::io::ErrorKind::WouldBlock, "longer than a request may take to arrive");
    product.sandbox().release(Operation::GetRoleCredentials);
    let mut answer = String::new();
    tool.set_read_timeout(Some(PATIENCE)).unwrap();
    tool.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
}

#[test]
fn a21_callers_that_leave_get_nothing_of_others_and_harm_nobody() {
    let product = running();
    product.sign_in();
    let request = "GET /v1/credentials?profile=dev HTTP/1.1\r\nTegata-Protocol: 1\r\n\r\n";
    for half in [true, false, true, false] {
        let mut stream = UnixStream::connect(product.socket()).unwrap();
        stream.write_all(request.as_bytes()).unwrap();
        if half {
            stream.shutdown(Shutdown::Write).unwrap();
        }
        drop(stream);
        let answer = exchange(&product, format!("{STATUS}Connection: close\r\n\r\n"));
        assert!(answer.starts_with("HTTP/1.1 200") && !answer.contains("CANARY"), "{answer}");
    }
    assert!(!product.daemon_log().contains("panicked"));
}

#[test]
fn a22_what_is_no_request_is_a_typed_error_and_the_end_of_the_connection() {
    let product = running();
    let deep = "[".repeat(10_000);
    let post = |body: &str| {
        format!("POST /v1/sign-ins HTTP/1.1\r\nTegata-Protocol: 1\r\nContent-Length: {}\r\n\r\n{body}", body.len())
    };
    for request in [
        "nonsense\r\n\r\n".to_owned(),
        "GET /v1/status\0 HTTP/1.1\r\n\r\n".to_owned(),
        post(&deep),
        post("{\"session\":\"a\",\"session\":\"b\"}"),
        post("{\"session\":1e400}"),
        post("{\"unknown\":true}"),
        post("{\"session\":NaN}"),
    ] {
        let answer = exchange(&product, &request);
        assert!(
            answer.starts_with("HTTP/1.1 400") && answer.contains("\"code\":\"bad_request\""),
            "{request:.80}: {answer}"
        );
    }
    assert_serves(&product);
}

#[test]
fn a23_two_requests_in_one_writing_are_answered_in_order() {
    let product = running();
    let long = format!(
        "GET /v1/lock HTTP/1.1\r\nTegata-Protocol: 1\r\nConnection: close\r\nX: {}\r\n\r\n",
        "a".repeat(15_000)
    );
    let answers = exchange(&product, format!("{STATUS}\r\n{long}"));
    let (first, second) = answers.split_at(answers.rfind("HTTP/1.1").unwrap());
    assert!(first.contains("started_at") && second.contains("{\"locked\":false}"), "{answers}");
}
