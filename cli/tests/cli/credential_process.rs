//! `tegata credential-process`, and with it what every command does with answers: the client is the same.

use crate::support::{Home, Reply, Request, Run, Server, answer, json, words};
use serde_json::json as value;
use std::fs::OpenOptions;
use std::os::unix::ffi::OsStrExt;
use std::time::Duration;
use tegata_protocol::text::MAX_SHOWN;

const CREDENTIALS: &str = r#"{"Version":1,"AccessKeyId":"ASIAX","SecretAccessKey":"CANARY-SECRET","SessionToken":"CANARY-TOKEN","Expiration":"2026-11-22T09:07:58Z","AccountId":"123456789012"}"#;
const DEV: &str = "credential-process --profile dev";

fn served(home: &Home) -> Server {
    Server::always(home, answer(200, "1", CREDENTIALS))
}

#[test]
fn e9_twin_the_body_goes_out_as_it_came_as_one_line() {
    let home = Home::new();
    let server = served(&home);
    assert_eq!(home.run(DEV).is_quiet_success(), format!("{CREDENTIALS}\n"));
    assert_eq!(server.lines(), ["GET /v1/credentials?profile=dev"]);
    assert_eq!(
        server.requests()[0].head,
        "GET /v1/credentials?profile=dev HTTP/1.1\r\nhost: tegata\r\ntegata-protocol: 1\r\nconnection: close\r\n\r\n"
    );
}

#[test]
fn a_line_end_of_the_daemon_is_not_doubled() {
    let home = Home::new();
    let _server = Server::always(&home, answer(200, "1", &format!("{CREDENTIALS}\n")));
    assert_eq!(home.run(DEV).is_quiet_success(), format!("{CREDENTIALS}\n"));
}

#[test]
fn credentials_of_the_largest_size_an_sdk_takes_go_out_whole() {
    let home = Home::new();
    let body = format!(r#"{{"Version":1,"SessionToken":"{}"}}"#, "t".repeat(64_000));
    let _server = Server::always(&home, answer(200, "1", &body));
    assert_eq!(home.run(DEV).is_quiet_success(), format!("{body}\n"));
}

#[test]
fn e9_every_error_is_an_empty_output_one_line_and_its_exit_code() {
    for (code, status, exit) in [
        ("sign_in_required", 401, 10),
        ("sign_in_failed", 401, 10),
        ("sign_in_changed", 403, 13),
        ("elevation_required", 403, 11),
        ("denied", 403, 12),
        ("locked", 423, 12),
        ("profile_unknown", 404, 13),
        ("profile_invalid", 422, 13),
        ("settings_invalid", 422, 13),
        ("upstream_refused", 502, 14),
        ("upstream_unavailable", 502, 14),
        ("wait_ended", 504, 14),
        ("keyring_locked", 423, 15),
        ("keyring_unavailable", 503, 15),
        ("protocol_mismatch", 426, 16),
        ("bad_request", 400, 2),
        ("not_found", 404, 2),
        ("too_large", 413, 2),
        ("shutting_down", 503, 16),
        ("audit_failed", 500, 1),
        ("internal", 500, 1),
        ("a_code_of_tomorrow", 500, 1),
    ] {
        let home = Home::new();
        let body = value!({"code": code, "message": "it is so", "mend": "tegata login corp"});
        let _server = Server::always_json(&home, status, &body);
        assert_eq!(home.run(DEV).is_one_line(exit), "tegata: it is so; run: tegata login corp", "{code}");
    }
}

#[test]
fn an_error_without_a_mend_is_one_line_too() {
    let home = Home::new();
    let _server = Server::always_json(&home, 403, &value!({"code": "denied", "message": "not on Sundays"}));
    assert_eq!(home.run(DEV).is_one_line(12), "tegata: not on Sundays");
}

#[test]
fn e10_hostile_text_of_an_error_is_one_printable_line_of_bounded_length() {
    let hostile = format!("\u{1b}]52;c;x\u{7}\u{1b}[2J\r\n\u{202e}\u{9b}2J{}", "x".repeat(900_000));
    let home = Home::new();
    let body = value!({"code": "upstream_refused", "message": hostile, "mend": "a\nb\u{1b}c"});
    let _server = Server::always_json(&home, 502, &body);
    let run = home.run(DEV);
    assert!(run.is_one_line(14).chars().count() < 2 * MAX_SHOWN);
}

#[test]
fn e10_twin_plain_text_in_any_script_is_shown_as_it_is() {
    let home = Home::new();
    let _server = Server::always_json(&home, 404, &value!({"code": "profile_unknown", "message": "開発 がありません"}));
    assert_eq!(home.run(DEV).is_one_line(13), "tegata: 開発 がありません");
}

#[test]
fn e7_nothing_of_an_answer_that_is_refused_is_shown() {
    let longer = format!("{}CANARY", String::from_utf8(answer(200, "1", CREDENTIALS)).unwrap());
    let cut = String::from_utf8(answer(200, "1", CREDENTIALS)).unwrap();
    for bytes in [
        longer,
        cut[..cut.len() - 20].to_owned(),
        String::from_utf8(answer(200, "1", &format!("{CREDENTIALS}\n{CREDENTIALS}"))).unwrap(),
        String::from_utf8(answer(200, "1", &format!("[{CREDENTIALS}]"))).unwrap(),
        String::from_utf8(answer(200, "2", CREDENTIALS)).unwrap(),
        String::from_utf8(answer(500, "1", CREDENTIALS)).unwrap(),
        CREDENTIALS.to_owned(),
    ] {
        let home = Home::new();
        let _server = Server::always(&home, bytes.clone());
        let run = home.run(DEV);
        assert!(!run.is_one_line(16).contains("CANARY"), "{bytes:?}: {run:?}");
    }
}

#[test]
fn answers_that_are_not_tegatads_are_refused_in_one_line() {
    for (bytes, why) in [
        ("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}", "names no protocol"),
        ("HTTP/1.1 200 OK\r\nTegata-Protocol: 1\r\n\r\n{}", "not exactly one Content-Length"),
        ("HTTP/1.1 200 OK\r\nTegata-Protocol: 1\r\nContent-Length: 10000000\r\n\r\n{}", "too long"),
        ("HTTP/1.1 200 OK\r\nTegata-Protocol: 1\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}", "Transfer-Encoding"),
        ("HTTP/1.1 200 OK\r\nTegata-Protocol: 1\r\nContent-Length: 5\r\n\r\n{}", "ended in the middle of its answer"),
        ("HTTP/1.1 200 OK\r\nTegata-Pro", "ended in the middle of its answer"),
        ("\0\x01\x02\u{1b}[2J", "not HTTP"),
        ("SSH-2.0-OpenSSH_9.2\r\n", "not HTTP"),
        ("HTTP/1.1 200 OK\r\nTegata-Protocol: 1\r\nContent-Length: 0\r\n\r\n", "not credentials"),
        ("HTTP/1.1 204 -\r\nTegata-Protocol: 1\r\n\r\n", "not credentials"),
        ("HTTP/1.1 500 -\r\nTegata-Protocol: 1\r\nContent-Length: 6\r\n\r\n<html>", "status 500"),
    ] {
        let home = Home::new();
        let _server = Server::always(&home, bytes);
        let run = home.run(DEV);
        assert!(run.is_one_line(16).contains(why), "{bytes:?}: {run:?}");
    }
}

#[test]
fn an_endless_head_is_given_up_at_its_bound() {
    let home = Home::new();
    let _server = Server::always(&home, format!("HTTP/1.1 200 OK\r\nX: {}", "x".repeat(5_000_000)));
    assert!(home.run(DEV).is_one_line(16).contains("head is too long"));
}

#[test]
fn a_foreign_protocol_names_both_numbers_and_the_mend() {
    for protocol in ["0", "2", "4000000000"] {
        let home = Home::new();
        let _server = Server::always(&home, answer(426, protocol, r#"{"code":"protocol_mismatch","message":"no"}"#));
        assert_eq!(
            home.run(DEV).is_one_line(16),
            format!(
                "tegata: tegata speaks protocol 1, the tegatad that runs speaks protocol {protocol}; run: tegata daemon stop"
            )
        );
    }
}

#[test]
fn a_daemon_that_says_nothing_is_given_up_after_the_wait() {
    let home = Home::new();
    let _server = Server::start(&home, |_| Reply::BytesThenSilence(Vec::new()));
    let run = home.run("credential-process --profile dev --wait 0");
    assert!(run.is_one_line(16).contains("did not answer within 5 s"));
}

#[test]
fn a_daemon_that_drips_is_given_up_after_the_wait() {
    let home = Home::new();
    let slow = answer(200, "1", &format!("{{\"x\":\"{}\"}}", "x".repeat(1000)));
    let _server = Server::start(&home, move |_| Reply::Drip(slow.clone(), Duration::from_millis(50)));
    let run = home.run("credential-process --profile dev --wait 0");
    assert!(run.is_one_line(16).contains("did not answer within 5 s"));
}

#[test]
fn an_answer_in_pieces_is_an_answer() {
    let home = Home::new();
    let _server = Server::start(&home, |_| Reply::Drip(answer(200, "1", CREDENTIALS), Duration::from_millis(1)));
    assert_eq!(home.run(DEV).is_quiet_success(), format!("{CREDENTIALS}\n"));
}

#[test]
fn a_daemon_that_ends_before_it_answers_is_asked_again() {
    let home = Home::new();
    let mut replies = vec![
        Reply::Bytes(Vec::new()),
        json(503, &value!({"code": "shutting_down", "message": "ending"})),
        Reply::Bytes(answer(200, "1", CREDENTIALS)),
    ];
    let server = Server::start(&home, move |_| replies.remove(0));
    assert_eq!(home.run(DEV).is_quiet_success(), format!("{CREDENTIALS}\n"));
    assert_eq!(server.requests().len(), 3);
}

#[test]
fn a_daemon_that_never_answers_is_not_asked_for_ever() {
    let home = Home::new();
    let server = Server::always(&home, "");
    let run = home.run(DEV);
    let expected =
        format!("tegata: tegatad at {} ended before it answered; run: tegata daemon start", home.socket().display());
    assert_eq!(run.is_one_line(16), expected);
    assert_eq!(server.requests().len(), 4);
}

#[test]
fn the_profile_comes_from_the_option_before_the_environment() {
    let home = Home::new();
    let server = served(&home);
    Run::of(home.tegata(words(DEV)).env("AWS_PROFILE", "other")).is_quiet_success();
    Run::of(home.tegata(["credential-process"]).env("AWS_PROFILE", "other")).is_quiet_success();
    Run::of(&mut home.tegata(["credential-process", "--profile=d e=v", "--wait=0"])).is_quiet_success();
    assert_eq!(
        server.lines(),
        [
            "GET /v1/credentials?profile=dev",
            "GET /v1/credentials?profile=other",
            "GET /v1/credentials?profile=d%20e%3Dv&wait=0",
        ]
    );
}

#[test]
fn the_callers_config_file_goes_along_as_an_absolute_path() {
    let home = Home::new();
    let server = served(&home);
    for file in ["/etc/my aws", "~/aws", "aws", ""] {
        Run::of(home.tegata(words(DEV)).env("AWS_CONFIG_FILE", file)).is_quiet_success();
    }
    let own = home.path().to_str().unwrap().replace('/', "%2F");
    assert_eq!(
        server.lines(),
        [
            "GET /v1/credentials?profile=dev&config=%2Fetc%2Fmy%20aws".to_owned(),
            format!("GET /v1/credentials?profile=dev&config={own}%2Faws"),
            format!("GET /v1/credentials?profile=dev&config={own}%2Faws"),
            "GET /v1/credentials?profile=dev".to_owned(),
        ]
    );
}

#[test]
fn h1_a_profile_name_cannot_add_to_the_request() {
    let home = Home::new();
    let server = served(&home);
    let name = std::ffi::OsStr::from_bytes(b"x\r\nX-Evil: 1\r\n\r\nGET / HTTP/1.1\xff");
    Run::of(&mut home.tegata([std::ffi::OsStr::new("credential-process"), "--profile".as_ref(), name]));
    let [request]: [Request; 1] = server.requests().try_into().unwrap();
    assert!(!request.head.to_lowercase().contains("\nx-evil"), "{request:?}");
    assert!(request.line().contains("profile=x%0D%0AX-Evil%3A%201%0D%0A%0D%0AGET%20%2F%20HTTP%2F1.1%FF"));
}

#[test]
fn h3_a_profile_name_that_fits_no_request_is_refused_here() {
    let home = Home::new();
    let server = served(&home);
    let name = "x".repeat(17_000);
    Run::of(&mut home.tegata(["credential-process", "--profile", &name])).is_one_line(2);
    assert_eq!(server.requests().len(), 0);
}

#[test]
fn wrong_usage_asks_nobody() {
    let home = Home::new();
    let server = served(&home);
    for line in [
        "credential-process",
        "credential-process --profile",
        "credential-process --profile= ",
        "credential-process --profile dev --what",
        "credential-process --profile dev --wait 601",
        "credential-process dev",
    ] {
        home.run(line).is_one_line(2);
    }
    assert_eq!(server.requests().len(), 0);
}

#[test]
fn a_reader_that_has_gone_is_no_crash() {
    let home = Home::new();
    let _server = served(&home);
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let status = home.tegata(words(DEV)).stdout(writer).stderr(std::process::Stdio::piped()).spawn().unwrap();
    let run = Run::from(status.wait_with_output().unwrap());
    run.is_quiet_success();
}

#[test]
fn an_output_that_takes_nothing_is_named() {
    let home = Home::new();
    let _server = served(&home);
    let full = OpenOptions::new().write(true).open("/dev/full").unwrap();
    let child = home.tegata(words(DEV)).stdout(full).stderr(std::process::Stdio::piped()).spawn().unwrap();
    let run = Run::from(child.wait_with_output().unwrap());
    assert!(run.is_one_line(1).contains("cannot write to standard output"));
}

#[test]
fn a12_places_that_cannot_be_are_one_line_and_nothing_is_made() {
    let long = format!("/{}", "x".repeat(107));
    for (variable, path) in [
        ("TEGATA_SOCKET", "t.sock"),
        ("TEGATA_SOCKET", ""),
        ("TEGATA_SOCKET", long.as_str()),
        ("XDG_RUNTIME_DIR", "run"),
        ("XDG_RUNTIME_DIR", long.as_str()),
        ("XDG_RUNTIME_DIR", "/nonexistent/run"),
        ("XDG_STATE_HOME", "state"),
        ("HOME", "home"),
        ("HOME", ""),
    ] {
        let home = Home::new();
        let mut command = home.tegata(words(DEV));
        command.env_remove("TEGATA_SOCKET").env_remove("HOME").env(variable, path);
        let run = Run::of(&mut command);
        run.is_one_line(16);
        assert_eq!(std::fs::read_dir(home.path()).unwrap().count(), 0, "{variable}={path}: {run:?}");
    }
}

#[test]
fn a12_twin_each_place_is_found() {
    for (variable, below) in
        [("XDG_RUNTIME_DIR", "tegata"), ("XDG_STATE_HOME", "tegata/run"), ("HOME", ".local/state/tegata/run")]
    {
        let home = Home::new();
        let directory = home.path().join(below);
        std::fs::create_dir_all(&directory).unwrap();
        let _server = served(&home);
        std::fs::rename(home.socket(), directory.join("tegata.sock")).unwrap();
        let mut command = home.tegata(words(DEV));
        command.env_remove("TEGATA_SOCKET").env_remove("HOME").env(variable, home.path());
        Run::of(&mut command).is_quiet_success();
        std::fs::rename(directory.join("tegata.sock"), home.socket()).unwrap();
    }
}
