//! `tegata daemon …`, `lock`, `unlock`, `logout`.

use crate::support::{Home, Reply, Run, Server, answer, json};
use serde_json::{Value, json as value};

fn status(pid: u32) -> Value {
    value!({
        "version": "9.8.7", "pid": pid, "started_at": "2026-11-22T09:00:00Z", "locked": false,
        "store": {"kind": "memory", "state": "ready"}, "sessions": [], "cached_credentials": 0,
    })
}

fn session(name: &str, state: &str) -> Value {
    value!({"name": name, "start_url": "https://a.example/start", "region": "eu-west-1", "state": state, "renewable": true})
}

#[test]
fn status_and_start_name_the_daemon_that_runs() {
    let home = Home::new();
    let _server = Server::always_json(&home, 200, &status(42));
    let expected = format!("tegatad 9.8.7 runs at {} (pid 42).\n", home.socket().display());
    assert_eq!(home.run("daemon status").is_quiet_success(), expected);
    assert_eq!(home.run("daemon start").is_quiet_success(), expected);
}

#[test]
fn status_starts_nothing_and_ends_with_16() {
    let home = Home::new();
    let expected = format!("tegata: no tegatad runs at {}; run: tegata daemon start", home.socket().display());
    assert_eq!(home.run("daemon status").is_one_line(16), expected);
    assert_eq!(std::fs::read_dir(home.path()).unwrap().count(), 0);
}

#[test]
fn stop_waits_until_nobody_listens() {
    let home = Home::new();
    let server = Server::start(&home, |request| match request.line() {
        "DELETE /v1/daemon" => Reply::BytesThenGone(answer(202, "1", "")),
        _ => json(200, &status(42)),
    });
    assert_eq!(home.run("daemon stop").is_quiet_success(), "Stopped.\n");
    assert_eq!(server.lines().last().unwrap(), "DELETE /v1/daemon");
}

#[test]
fn stop_does_not_wait_for_the_next_daemon_to_end() {
    let home = Home::new();
    let mut pid = 42;
    let _server = Server::start(&home, move |request| {
        if request.line() == "DELETE /v1/daemon" {
            pid += 1;
            return Reply::Bytes(answer(204, "1", ""));
        }
        json(200, &status(pid))
    });
    assert_eq!(home.run("daemon stop").is_quiet_success(), "Stopped.\n");
}

#[test]
fn stop_ends_a_daemon_of_another_protocol() {
    let home = Home::new();
    let _server = Server::start(&home, |request| match request.line() {
        "DELETE /v1/daemon" => Reply::BytesThenGone(answer(202, "7", "")),
        _ => Reply::Bytes(answer(426, "7", r#"{"code":"protocol_mismatch","message":"no"}"#)),
    });
    assert_eq!(home.run("daemon stop").is_quiet_success(), "Stopped.\n");
}

#[test]
fn stop_without_a_daemon_is_done_already() {
    assert_eq!(Home::new().run("daemon stop").is_quiet_success(), "No tegatad runs.\n");
}

#[test]
fn lock_and_unlock_say_what_they_did() {
    let home = Home::new();
    let server = Server::start(&home, |request| json(200, &value!({"locked": request.line() == "PUT /v1/lock"})));
    assert!(home.run("lock").is_quiet_success().starts_with("Locked: "));
    assert_eq!(home.run("unlock").is_quiet_success(), "Unlocked.\n");
    assert_eq!(server.lines(), ["PUT /v1/lock", "DELETE /v1/lock"]);
}

#[test]
fn a_lock_that_did_not_lock_is_a_failure() {
    let home = Home::new();
    let _server = Server::start(&home, |request| json(200, &value!({"locked": request.line() != "PUT /v1/lock"})));
    home.run("lock").is_one_line(1);
    home.run("unlock").is_one_line(1);
}

#[test]
fn g15_logout_says_that_role_credentials_live_on() {
    let home = Home::new();
    let server = Server::always_json(&home, 200, &value!({"session": "corp", "revoked_upstream": true}));
    assert_eq!(
        home.run("logout corp").is_quiet_success(),
        "Signed out of corp: AWS ended the sign-in, and its tokens are forgotten here.\n\
         Role credentials that tools already hold live on until they expire.\n"
    );
    assert_eq!(server.lines(), ["DELETE /v1/sessions/corp"]);
}

#[test]
fn logout_that_aws_did_not_confirm_says_so() {
    let home = Home::new();
    let body = value!({"session": "corp", "revoked_upstream": false, "detail": "no\u{1b}[2J network"});
    let _server = Server::always_json(&home, 200, &body);
    let run = home.run("logout corp");
    assert!(run.is_quiet_success().contains("here only: AWS did not confirm it (no\\u{1b}[2J network)."));
}

#[test]
fn logout_alone_takes_the_only_session_there_is() {
    let home = Home::new();
    let server = Server::start(&home, |request| {
        let mut status = status(1);
        status["sessions"] = value!([session("a/b c", "ended"), session("old", "signed_out")]);
        if request.line() == "GET /v1/status" { json(200, &status) } else { json(200, &signed_out()) }
    });
    home.run("logout").is_quiet_success();
    assert_eq!(server.lines(), ["GET /v1/status", "DELETE /v1/sessions/a%2Fb%20c"]);
}

#[test]
fn logout_looks_into_the_callers_config_file() {
    let home = Home::new();
    let server = Server::start(&home, |request| {
        let mut status = status(1);
        status["sessions"] = value!([session("corp", "signed_in")]);
        if request.line().starts_with("GET") { json(200, &status) } else { json(200, &signed_out()) }
    });
    Run::of(home.tegata(["logout"]).env("AWS_CONFIG_FILE", "/a")).is_quiet_success();
    assert_eq!(server.lines(), ["GET /v1/status?config=%2Fa", "DELETE /v1/sessions/corp?config=%2Fa"]);
}

#[test]
fn logout_alone_does_not_choose_between_sessions() {
    let home = Home::new();
    let mut body = status(1);
    body["sessions"] = value!([session("one", "signed_in"), session("two", "ended")]);
    let server = Server::always_json(&home, 200, &body);
    let run = home.run("logout");
    assert_eq!(run.is_one_line(2), "tegata: several sign-in sessions are signed in: one, two; run: tegata logout one");
    assert_eq!(server.lines(), ["GET /v1/status"]);
}

fn signed_out() -> Value {
    value!({"session": "a/b c", "revoked_upstream": true})
}
