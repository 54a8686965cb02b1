//! mairu 0.12: an agent that holds credentials in memory, and a credential server for it.
//!
//! The server speaks what mairu documents for such servers: OAuth 2.0 (the device grant here, which needs no browser), then
//! `POST assume-role`. `tests/bench/run` installs mairu itself.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::os::unix::fs::DirBuilderExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use tegata_tests::product::{run, wait_until};
use tempfile::TempDir;

const DEVICE: &str = r#"{"device_code":"d","user_code":"ABCD-EFGH","verification_uri":"http://127.0.0.1/","expires_in":600,"interval":5}"#;
const TOKEN: &str = r#"{"access_token":"t","token_type":"Bearer","expires_in":43200}"#;
/// As long as the sandbox's credentials.
const SECRET: &str = "0123456789012345678901234567890123456789";

/// The agent, signed in, with one role in its cache. Ends with the value.
pub(crate) struct Mairu {
    home: TempDir,
    agent: Child,
    assumed: Arc<AtomicU64>,
}

impl Mairu {
    /// Starts the server and the agent, signs in (which takes the five seconds that its polling takes) and asks once.
    pub(crate) fn start() -> Self {
        let (url, assumed) = start_server();
        let home = tempfile::tempdir().expect("a temporary home");
        let mut private = std::fs::DirBuilder::new();
        private.recursive(true).mode(0o700);
        for directory in [".config/mairu/servers.d", "run"] {
            private.create(home.path().join(directory)).expect("a directory");
        }
        let server = serde_json::json!({"url": url, "id": "bench", "oauth": {
            "client_id": "bench",
            "token_endpoint": format!("{url}oauth/token"),
            "device_code_grant": {"device_authorization_endpoint": format!("{url}oauth/device")},
        }});
        std::fs::write(home.path().join(".config/mairu/servers.d/bench.json"), server.to_string())
            .expect("the server is configured");
        let mut agent = command(home.path(), &["agent"]);
        let agent = agent.stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("mairu runs: tests/bench/run");
        let mairu = Self { home, agent, assumed };
        wait_until("mairu's agent listens", || mairu.home.path().join("run/mairu/mairu-agent.sock").exists());
        let mut sign_in = command(mairu.home.path(), &["login", "--oauth-grant-type", "device_code", "bench"]);
        for command in [&mut sign_in, &mut mairu.credential_process()] {
            let ended = run(command);
            assert_eq!(ended.code, 0, "{ended:?}");
        }
        mairu
    }

    /// Returns the call that is measured.
    pub(crate) fn credential_process(&self) -> Command {
        command(self.home.path(), &["credential-process", "bench", "ReadOnly"])
    }

    /// Returns how often it asked its server for the role's credentials.
    pub(crate) fn assumed(&self) -> u64 {
        self.assumed.load(Ordering::SeqCst)
    }
}

impl Drop for Mairu {
    fn drop(&mut self) {
        let _ = self.agent.kill();
        let _ = self.agent.wait();
    }
}

fn command(home: &Path, arguments: &[&str]) -> Command {
    let own = std::env::current_exe().expect("a program knows its own path");
    let target =
        own.ancestors().find(|directory| directory.join("CACHEDIR.TAG").is_file()).expect("a target directory");
    let mut command = Command::new(target.join("bench/mairu/bin/mairu"));
    command.args(arguments).env_clear().env("HOME", home).env("PATH", "/usr/bin:/bin").stdin(Stdio::null());
    command.env("XDG_RUNTIME_DIR", home.join("run")).env("MAIRU_NO_AUTO_AGENT", "1");
    command
}

/// Starts the credential server. It lives as long as the program.
fn start_server() -> (String, Arc<AtomicU64>) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port is free");
    let url = format!("http://{}/", listener.local_addr().expect("it has an address"));
    let assumed = Arc::new(AtomicU64::new(0));
    let count = Arc::clone(&assumed);
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            // A client that hangs up is its own affair.
            let _ = answer(stream, &count);
        }
    });
    (url, assumed)
}

fn answer(stream: TcpStream, assumed: &AtomicU64) -> std::io::Result<()> {
    let mut reader = BufReader::new(stream);
    let (mut path, mut length) = (String::new(), 0);
    for line in reader.by_ref().lines() {
        let line = line?;
        if path.is_empty() {
            line.split(' ').nth(1).unwrap_or_default().clone_into(&mut path);
        } else if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
            length = value.trim().parse().unwrap_or(0);
        } else if line.is_empty() {
            break;
        }
    }
    reader.read_exact(&mut vec![0; length])?;
    let body = match path.as_str() {
        "/oauth/device" => DEVICE.to_owned(),
        "/oauth/token" => TOKEN.to_owned(),
        "/assume-role" => {
            assumed.fetch_add(1, Ordering::SeqCst);
            credentials()
        }
        _ => String::from("{}"),
    };
    let head = format!("content-type: application/json\r\ncontent-length: {}\r\nconnection: close\r\n", body.len());
    write!(reader.into_inner(), "HTTP/1.1 200 OK\r\n{head}\r\n{body}")
}

fn credentials() -> String {
    let session_token = SECRET.repeat(20);
    serde_json::json!({
        "Version": 1, "AccessKeyId": "ASIAABCDEFGHIJKLMNOP", "SecretAccessKey": SECRET, "SessionToken": session_token,
        "Expiration": "2099-01-01T00:00:00Z"
    })
    .to_string()
}
