//! The program `tegata-sandbox`.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Output, Stdio};

use serde_json::Value;

fn command(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_tegata-sandbox"));
    command.args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

/// A program that has said where it is.
fn started(arguments: &[&str]) -> (Child, Value) {
    let mut child = command(arguments).spawn().unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.as_mut().unwrap()).read_line(&mut line).unwrap();
    (child, serde_json::from_str(&line).unwrap())
}

fn get(url: &str) -> String {
    use std::io::{Read, Write};
    let (address, path) = url.strip_prefix("http://").unwrap().split_once('/').unwrap();
    let mut stream = std::net::TcpStream::connect(address).unwrap();
    write!(stream, "GET /{path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

fn output(arguments: &[&str]) -> Output {
    command(arguments).output().unwrap()
}

#[test]
fn it_says_where_it_is_takes_its_settings_and_ends_with_its_input() {
    let (mut child, urls) = started(&["--with-stdin", "--config", r#"{"page_size": 7}"#]);
    let settings = get(&format!("{}/settings", urls["control_url"].as_str().unwrap()));
    assert!(settings.contains(r#""page_size":7"#));
    let ca = urls["ca_pem_path"].as_str().unwrap().to_owned();
    assert!(std::fs::read_to_string(&ca).unwrap().starts_with("-----BEGIN CERTIFICATE-----"));
    drop(child.stdin.take());
    assert!(child.wait().unwrap().success());
    assert!(!std::path::Path::new(&ca).exists());
}

#[test]
fn it_ends_tidily_on_sigterm() {
    let (mut child, urls) = started(&[]);
    let killed = Command::new("kill").arg(child.id().to_string()).status().unwrap();
    assert!(killed.success() && child.wait().unwrap().success());
    assert!(!std::path::Path::new(urls["ca_pem_path"].as_str().unwrap()).exists());
}

#[test]
fn wrong_usage_and_wrong_settings_say_so_on_stderr() {
    for (arguments, status, text) in [
        (&["--prot", "1"][..], 2, "unknown option --prot"),
        (&["--config", "{"], 1, "--config is not valid"),
        (&["--config", r#"{"nonsense": 1}"#], 1, "nonsense"),
        (&["--config", "/nonexistent"], 1, "cannot read /nonexistent"),
    ] {
        let output = output(arguments);
        assert_eq!((output.status.code(), output.stdout.as_slice()), (Some(status), &b""[..]));
        let stderr = String::from_utf8(output.stderr).unwrap();
        assert!(stderr.contains(text) && stderr.lines().count() == 1, "{stderr}");
    }
}

#[test]
fn a_taken_port_is_named() {
    let (mut child, urls) = started(&["--with-stdin"]);
    let port = urls["url"].as_str().unwrap().rsplit(':').next().unwrap().to_owned();
    let output = output(&["--port", &port]);
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8(output.stderr).unwrap().contains(&format!("cannot listen on 127.0.0.1:{port}")));
    drop(child.stdin.take());
    child.wait().unwrap();
}

#[test]
fn help_has_examples() {
    let output = output(&["--help"]);
    assert!(output.status.success() && String::from_utf8(output.stdout).unwrap().contains("Examples:"));
}
