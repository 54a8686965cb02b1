//! moto, an AWS double by other people, with its checks of signatures and IAM policies switched on.

use crate::client;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};
use tegata_sandbox::RoleKeys;

/// A moto that serves this test.
#[derive(Debug)]
pub struct Moto {
    server: Child,
    /// Where it listens.
    pub url: String,
    /// Credentials of its role `Source`, which may assume its role `Deploy`.
    pub source: RoleKeys,
    /// The access key of its user `alice`, who may do everything. There is no session token.
    pub user: RoleKeys,
}

impl Moto {
    /// Starts one. Account 123456789012 has the roles `Source` and `Deploy`.
    ///
    /// # Panics
    /// When it does not come up, with what it said.
    #[must_use]
    pub fn start() -> Self {
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/clients/moto_server.py");
        let mut command = Command::new(client("python/bin/python"));
        // Python writes no caches into the repository; nobody's AWS settings reach boto3.
        command
            .env_clear()
            .env("PATH", "/usr/bin:/bin")
            .env("PYTHONDONTWRITEBYTECODE", "1")
            .args(["-W", "ignore", script]);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut server = command.spawn().expect("Python runs");
        let mut line = String::new();
        BufReader::new(server.stdout.take().expect("stdout is piped")).read_line(&mut line).expect("moto writes text");
        let Ok(said) = serde_json::from_str::<serde_json::Value>(&line) else {
            let mut told = String::new();
            let _ = server.stderr.take().map(|mut stderr| stderr.read_to_string(&mut told));
            panic!("moto did not start: {line}{told}");
        };
        let text = |name: &str| said[name].as_str().expect("moto says it").to_owned();
        let source = RoleKeys {
            access_key_id: text("AccessKeyId"),
            secret_access_key: text("SecretAccessKey"),
            session_token: text("SessionToken"),
        };
        let of_user = |name: &str| said["user"][name].as_str().expect("moto says it").to_owned();
        let user = RoleKeys {
            access_key_id: of_user("AccessKeyId"),
            secret_access_key: of_user("SecretAccessKey"),
            session_token: String::new(),
        };
        // Each request is a line on stderr; a pipe that nobody reads would fill up.
        if let Some(mut stderr) = server.stderr.take() {
            std::thread::spawn(move || std::io::copy(&mut stderr, &mut std::io::sink()));
        }
        Self { url: text("url"), source, user, server }
    }
}

impl Moto {
    /// Lets the next request through without a signature, and checks those after it again: moto 5.2.5 knows no call of STS that is not
    /// signed.
    ///
    /// # Panics
    /// When moto does not take it.
    pub fn let_one_pass_unsigned(&self) {
        let address = self.url.trim_start_matches("http://");
        let mut stream = TcpStream::connect(address).expect("moto listens");
        let head =
            "POST /moto-api/reset-auth HTTP/1.1\r\nConnection: close\r\nContent-Type: text/plain\r\nContent-Length: 1";
        stream.write_all(format!("{head}\r\nHost: {address}\r\n\r\n1").as_bytes()).expect("moto reads");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).expect("moto answers");
        assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    }
}

impl Drop for Moto {
    fn drop(&mut self) {
        let _ = self.server.kill();
        let _ = self.server.wait();
    }
}
