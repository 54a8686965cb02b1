//! Commands that need a hand, end to end: the real daemon, its real page, and a software passkey in place of the hand.

use serde_json::{Value, json};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::Stdio;
use tegata_authenticator::Authenticator;
use tegata_tests::product::{Ended, Product, wait_until};

/// What a person does on the page that a command prints.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Gesture {
    Approve,
    Refuse,
}

/// One call of the page, as a browser sends it.
fn call(port: &str, act: &str, header: &str, body: &Value) -> Value {
    let (mut stream, body) = (TcpStream::connect(format!("127.0.0.1:{port}")).unwrap(), body.to_string());
    let origin = format!("http://tegata.localhost:{port}");
    let head = format!(
        "POST /api/{act} HTTP/1.1\r\nHost: tegata.localhost:{port}\r\nOrigin: {origin}\r\nSec-Fetch-Site: same-origin\r\n\
         Content-Type: application/json\r\nTegata-Page: {header}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
        body.len()
    );
    stream.write_all(format!("{head}{body}").as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap_or_else(|| panic!("{act}: {answer:?}"));
    assert!(head.starts_with("HTTP/1.1 200"), "{act}: {answer}");
    serde_json::from_str(body).unwrap()
}

/// Stands for the hand and the browser in front of it.
fn visit(url: &str, passkey: &mut Authenticator, gesture: Gesture) {
    let (origin, secret) = url.split_once("/#").unwrap();
    let port = origin.rsplit_once(':').unwrap().1;
    let opened = call(port, "open", secret, &json!({}));
    let token = opened["token"].as_str().unwrap_or_else(|| panic!("{opened}"));
    if gesture == Gesture::Refuse {
        call(port, "refuse", token, &json!({}));
        return;
    }
    let mut state = opened["view"]["state"].as_str().unwrap_or_else(|| panic!("{opened}")).to_owned();
    while state.starts_with("awaits") {
        let options = call(port, "begin", token, &json!({}));
        let answer =
            if state == "awaits_enrolment" { passkey.create(&options, origin) } else { passkey.get(&options, origin) };
        let view = call(port, "finish", token, &answer.unwrap());
        view["state"].as_str().unwrap_or_else(|| panic!("{view}")).clone_into(&mut state);
    }
}

/// Runs a command, goes to the page that it prints, and returns how it ended.
fn by_hand(product: &Product, arguments: &[&str], passkey: &mut Authenticator, gesture: Gesture) -> Ended {
    let mut command = product.tegata(arguments);
    let mut running = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut output = BufReader::new(running.stdout.take().unwrap());
    let mut stdout = String::new();
    while !stdout.contains("http") && output.read_line(&mut stdout).is_ok_and(|read| read > 0) {}
    if let Some(url) = stdout.split_whitespace().find(|word| word.starts_with("http")) {
        visit(url, passkey, gesture);
    }
    output.read_to_string(&mut stdout).unwrap();
    let mut stderr = String::new();
    running.stderr.take().unwrap().read_to_string(&mut stderr).unwrap();
    Ended { code: running.wait().unwrap().code().unwrap(), stdout, stderr }
}

fn signed_in_with_a_passkey() -> (Product, Authenticator) {
    let (mut product, mut passkey) = (Product::new(), Authenticator::new());
    product.start_daemon();
    product.sign_in();
    let add = ["passkey", "add", "--person", "ann", "--name", "key", "--print"];
    let ended = by_hand(&product, &add, &mut passkey, Gesture::Approve);
    assert_eq!(ended.code, 0, "{ended:?}\n{}", product.daemon_log());
    assert!(ended.stdout.contains("key is enrolled.\nIt is the only one"), "{ended:?}");
    (product, passkey)
}

#[test]
fn a_command_runs_under_a_grant_that_ends_with_it() {
    let (product, mut passkey) = signed_in_with_a_passkey();
    let tegata = tegata_tests::program("tegata");
    let line = ["elevate", "admin", "--for", "5m", "--reason", "INC-42", "--print", "--"];
    let inner = [tegata.to_str().unwrap(), "credential-process"];
    let ended = by_hand(&product, &[&line[..], &inner[..]].concat(), &mut passkey, Gesture::Approve);
    assert_eq!(ended.code, 0, "{ended:?}\n{}", product.daemon_log());
    assert!(ended.stdout.contains("\"Version\":1"), "the command was served: {}", ended.stderr);
    assert!(ended.stderr.contains("Approved: admin may be used by "), "{}", ended.stderr);
    assert_eq!(product.run(&["drop"]).stdout, "No grant is live.\n");
}

#[test]
fn a_hand_that_refuses_ends_the_command_with_12() {
    let (product, mut passkey) = signed_in_with_a_passkey();
    let ended = by_hand(&product, &["elevate", "admin", "--print"], &mut passkey, Gesture::Refuse);
    assert_eq!(ended.code, 12, "{ended:?}\n{}", product.daemon_log());
    assert!(ended.stderr.ends_with("tegata: refused by hand\n"), "{ended:?}");
}

#[test]
fn what_is_locked_is_unlocked_by_hand() {
    let (product, mut passkey) = signed_in_with_a_passkey();
    assert_eq!(product.run(&["lock"]).code, 0);
    let ended = by_hand(&product, &["unlock", "--print"], &mut passkey, Gesture::Approve);
    assert_eq!(ended.code, 0, "{ended:?}\n{}", product.daemon_log());
    assert!(ended.stdout.ends_with("Unlocked.\n"), "{ended:?}");
    let tested = by_hand(&product, &["passkey", "test", "--print"], &mut passkey, Gesture::Approve);
    assert!(tested.stdout.ends_with("The passkey of ann works.\n"), "{tested:?}");
}

#[test]
fn a_tool_that_waits_is_served_once_it_is_approved() {
    let (product, mut passkey) = signed_in_with_a_passkey();
    let mut tool = product.tegata(&["credential-process", "--profile", "admin", "--wait", "60"]);
    let tool = tool.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    wait_until("the request is parked", || product.run(&["status"]).stdout.contains("tegata approve "));
    let ended = by_hand(&product, &["approve", "--print"], &mut passkey, Gesture::Approve);
    assert_eq!(ended.code, 0, "{ended:?}\n{}", product.daemon_log());
    let output = tool.wait_with_output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert!(String::from_utf8(output.stdout).unwrap().starts_with("{\"Version\":1"));
}

#[test]
fn a_tool_that_does_not_wait_ends_with_11_and_one_line() {
    let (product, _passkey) = signed_in_with_a_passkey();
    let ended = product.run(&["credential-process", "--profile", "admin", "--wait", "0"]);
    assert_eq!((ended.code, ended.stdout.as_str()), (11, ""), "{ended:?}");
    assert_eq!(ended.stderr.lines().count(), 1, "{ended:?}");
    assert!(ended.stderr.contains("; run: tegata "), "{ended:?}");
}

#[test]
fn settings_the_daemon_has_not_read_yet_are_checked() {
    let mut product = Product::new();
    product.start_daemon();
    assert!(product.run(&["policy", "check"]).stdout.starts_with("The settings can be used."));
    product.write_settings("stor = \"memory\"\n");
    let ended = product.run(&["policy", "check"]);
    assert_eq!((ended.code, ended.stdout.as_str()), (13, ""), "{ended:?}");
    assert!(ended.stderr.ends_with("line 1: Tegata does not know \"stor\"; nearest: store\n"), "{ended:?}");
}
