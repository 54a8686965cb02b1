//! Nobody starts the daemon: the first command does, however many come at once, and nothing of its caller goes along.
#![allow(clippy::unwrap_used, reason = "this is a test")]

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::os::unix::net::UnixListener;
use std::process::Stdio;
use tegata_tests::product::{Product, run};

/// A home whose daemon is started by its commands, and ended with the test.
struct Unattended(Product);

impl Unattended {
    fn new() -> Self {
        Self(Product::new())
    }

    fn status(&self) -> serde_json::Value {
        let ended = self.0.run(&["status", "--json"]);
        assert_eq!(ended.code, 0, "{ended:?}");
        serde_json::from_str(&ended.stdout).unwrap()
    }

    fn pid(&self) -> u64 {
        self.status()["pid"].as_u64().unwrap()
    }

    fn started(&self) -> usize {
        self.0.audit().iter().filter(|record| record["event"] == "daemon_started").count()
    }
}

impl Drop for Unattended {
    fn drop(&mut self) {
        let _ = self.0.run(&["daemon", "stop"]);
    }
}

#[test]
fn the_first_command_starts_the_daemon_and_the_next_finds_it() {
    let home = Unattended::new();
    assert_eq!(home.pid(), home.pid());
    assert_eq!(home.started(), 1);
}

#[test]
fn a10_fifty_commands_at_once_start_one_daemon_and_all_are_answered() {
    let home = Unattended::new();
    let spawn = |_| {
        let mut command = home.0.tegata(&["credential-process", "--profile", "dev"]);
        command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
    };
    let racing: Vec<_> = (0..50).map(spawn).collect();
    for tool in racing {
        let output = tool.wait_with_output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(10), "{said}");
        assert!(said.contains("tegata login corp"), "{said}");
    }
    assert_eq!(home.started(), 1);
}

#[test]
fn a9_a_dead_daemon_and_the_socket_it_left_are_replaced() {
    let mut home = Unattended::new();
    let dead = home.0.start_daemon();
    home.0.kill_daemon();
    assert!(home.0.socket().exists(), "a killed daemon leaves its socket");
    assert_ne!(home.pid(), u64::from(dead));
}

#[test]
fn a_caller_s_endpoints_do_not_bend_the_daemon_it_starts() {
    let mut home = Unattended::new();
    home.0.environment.push(("AWS_ENDPOINT_URL_SSO_OIDC".to_owned(), "http://127.0.0.1:9".to_owned()));
    home.0.environment.push(("HTTPS_PROXY".to_owned(), "http://127.0.0.1:9".to_owned()));
    home.0.sign_in();
    assert_eq!(home.0.credentials("dev").code, 0);
    assert!(!home.status()["warnings"].to_string().contains("AWS_ENDPOINT_URL"), "they never got there");
}

#[test]
fn d13_endpoints_in_the_environment_of_a_daemon_started_by_hand_are_ignored_and_reported() {
    let mut product = Product::new();
    product.environment.push(("AWS_ENDPOINT_URL_SSO_OIDC".to_owned(), "http://127.0.0.1:9".to_owned()));
    product.start_daemon();
    product.sign_in();
    let status = product.run(&["status"]);
    assert!(status.stdout.contains("AWS_ENDPOINT_URL_SSO_OIDC"), "{status:?}");
}

#[test]
fn d13_twin_a_clean_environment_is_not_worth_a_word() {
    let mut product = Product::new();
    product.start_daemon();
    assert!(!product.run(&["status"]).stdout.contains("ignored from"));
}

#[cfg(feature = "root")]
#[test]
fn d13_the_kernel_shows_only_the_short_list_in_the_daemon_s_environment() {
    let mut home = Unattended::new();
    for name in ["AWS_PROFILE", "AWS_ENDPOINT_URL", "HTTPS_PROXY", "SSL_CERT_FILE", "TEGATA_LOG", "RUST_LOG", "EDITOR"]
    {
        home.0.environment.push((name.to_owned(), "/nowhere".to_owned()));
    }
    let environ = fs::read_to_string(format!("/proc/{}/environ", home.pid())).unwrap();
    let mut names: Vec<&str> = environ.split('\0').filter_map(|variable| variable.split('=').next()).collect();
    names.retain(|name| !name.is_empty());
    names.sort_unstable();
    assert_eq!(names, ["HOME", "LANG", "XDG_CONFIG_HOME", "XDG_RUNTIME_DIR", "XDG_STATE_HOME"]);
}

#[test]
fn the_daemon_is_started_shown_and_stopped_by_hand() {
    let home = Unattended::new();
    let code = |word| home.0.run(&["daemon", word]).code;
    assert_eq!((code("status"), code("start"), code("status")), (16, 0, 0));
    assert_eq!((code("stop"), code("status"), code("stop")), (0, 16, 0));
}

/// Answers one request as a daemon of another age would.
fn serve_once(listener: UnixListener, protocol: u32) {
    let (mut stream, _) = listener.accept().unwrap();
    let mut reader = BufReader::new(stream.try_clone().unwrap());
    let mut line = String::new();
    while reader.read_line(&mut line).is_ok_and(|read| read > 2) {
        line.clear();
    }
    let body = "{\"Version\":1,\"SecretAccessKey\":\"x\"}";
    let head = format!("HTTP/1.1 200 OK\r\nTegata-Protocol: {protocol}\r\nContent-Length: {}\r\n\r\n", body.len());
    stream.write_all(format!("{head}{body}").as_bytes()).unwrap();
}

#[test]
fn a_daemon_of_another_protocol_is_named_with_both_numbers() {
    let product = Product::new();
    fs::create_dir(product.path("run/tegata")).unwrap();
    let listener = UnixListener::bind(product.socket()).unwrap();
    let serving = std::thread::spawn(move || serve_once(listener, 9));
    let ended = product.credentials("dev");
    serving.join().unwrap();
    assert_eq!((ended.code, ended.stdout.as_str(), ended.stderr.lines().count()), (16, "", 1), "{ended:?}");
    assert!(ended.stderr.contains('9') && ended.stderr.contains('1'), "{ended:?}");
    assert!(ended.stderr.contains("; run: tegata daemon stop"), "{ended:?}");
}

#[test]
fn f1_a_daemon_that_aborts_leaves_no_core() {
    let mut product = Product::new();
    let pid = product.start_daemon();
    let mut kill = product.command("/bin/sh");
    assert_eq!(run(kill.args(["-c", &format!("kill -ABRT {pid}")])).code, 0);
    assert_eq!(product.daemon_ends(), 134);
    let names = fs::read_dir(product.path("")).unwrap().map(|entry| entry.unwrap().file_name());
    assert!(names.into_iter().all(|name| !name.to_string_lossy().starts_with("core")));
}

/// A pipe that its opener leaves open to its children would keep whoever reads it waiting as long as the daemon runs.
#[test]
fn e6_the_daemon_holds_no_descriptor_of_whoever_started_it() {
    let home = Unattended::new();
    let mut shell = home.0.command("/bin/sh");
    let tegata = tegata_tests::program("tegata");
    // Descriptor 3 is a copy of the pipe: `output()` returns once nobody has it open any more.
    shell.args(["-c", &format!("exec 3>&1; {} daemon start", tegata.display())]);
    assert_eq!(run(&mut shell).code, 0);
    assert_eq!(home.0.run(&["daemon", "status"]).code, 0);
}

#[cfg(feature = "system")]
#[test]
fn systemd_hands_the_socket_over_and_the_daemon_serves_on_it() {
    let product = Product::new();
    fs::create_dir(product.path("run/tegata")).unwrap();
    let mut activate = product.command("/bin/sh");
    let daemon = tegata_tests::program("tegatad");
    let mut script = format!("umask 077; exec systemd-socket-activate --listen={}", product.socket().display());
    for name in ["HOME", "XDG_RUNTIME_DIR", "XDG_CONFIG_HOME", "XDG_STATE_HOME"] {
        script.push_str(&format!(" --setenv={name}"));
    }
    script.push_str(&format!(" {}", daemon.display()));
    let mut service = activate.args(["-c", &script]).stderr(Stdio::null()).spawn().unwrap();
    tegata_tests::product::wait_until("systemd listens", || product.socket().exists());
    let ended = product.run(&["daemon", "status"]);
    let pid = service.id();
    let stopped = product.run(&["daemon", "stop"]);
    let _ = service.kill();
    service.wait().unwrap();
    assert!(ended.code == 0 && ended.stdout.contains(&format!("(pid {pid})")), "{ended:?} {stopped:?}");
    assert!(product.socket().exists(), "the socket is systemd's to remove");
}
