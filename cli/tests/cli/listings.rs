//! `tegata status` and `tegata list`.

use crate::support::{Home, Run, Server, json};
use serde_json::{Value, json as value};

fn full_status() -> Value {
    value!({
        "version": "9.8.7", "pid": 42, "started_at": "2001-01-01T00:00:00Z", "locked": false,
        "store": {"kind": "secret-service", "state": "locked", "detail": "waits for the person"},
        "sessions": [
            {"name": "corp", "start_url": "https://acme.awsapps.com/start", "region": "eu-west-1",
             "state": "ended", "expires_at": "2001-01-01T08:00:00Z", "renewable": true, "last_error": "refused: gone"},
            {"name": "開発", "start_url": "https://kaihatsu.awsapps.com/start", "region": "ap-northeast-1",
             "state": "signed_out", "renewable": false},
        ],
        "cached_credentials": 3, "clock_skew_seconds": -400, "warnings": ["AWS_ENDPOINT_URL is ignored"],
        "of_tomorrow": {"x": 1},
    })
}

#[test]
fn status_names_the_daemon_the_socket_the_store_and_the_sessions() {
    let home = Home::new();
    let _server = Server::always_json(&home, 200, &full_status());
    let run = home.run("status");
    let page = run.is_quiet_success();
    for text in ["tegatad 9.8.7 (pid 42)", home.socket().to_str().unwrap(), "secret-service, locked", "開発"] {
        assert!(page.contains(text), "{text} is not in {page}");
    }
}

#[test]
fn status_of_a_locked_daemon_names_the_mend() {
    let home = Home::new();
    let mut status = full_status();
    status["locked"] = value!(true);
    let _server = Server::always_json(&home, 200, &status);
    assert!(home.run("status").is_quiet_success().contains("warning: everything is locked; run: tegata unlock"));
}

#[test]
fn status_without_a_sign_in_names_the_first_step() {
    let home = Home::new();
    let mut status = full_status();
    status["sessions"] = value!([]);
    let _server = Server::always_json(&home, 200, &status);
    assert!(home.run("status").is_quiet_success().ends_with("Sign in with: tegata login\n"));
}

#[test]
fn status_of_a_daemon_with_one_passkey_asks_for_a_second() {
    let home = Home::new();
    let mut status = full_status();
    status["passkeys"] = value!(1);
    status["warnings"] = value!(["only one passkey is enrolled; add a second: tegata passkey add"]);
    let _server = Server::always_json(&home, 200, &status);
    let run = home.run("status");
    let page = run.is_quiet_success();
    assert_eq!(page.matches("only one passkey").count(), 1, "{page}");
    assert!(page.contains("warning: only one passkey is enrolled; add a second: tegata passkey add\n"), "{page}");
    assert!(
        page.contains("\ntier         prompt: this asks before Tegata answers; a program running as you"),
        "{page}"
    );
}

#[test]
fn status_as_json_is_what_the_daemon_said() {
    let home = Home::new();
    let server = Server::always_json(&home, 200, &full_status());
    let printed: Value = serde_json::from_str(home.run("status --json").is_quiet_success()).unwrap();
    assert_eq!(printed, full_status());
    assert_eq!(server.lines(), ["GET /v1/status"]);
}

#[test]
fn e10_hostile_text_in_listings_is_escaped() {
    let hostile = "\u{1b}]52;c;x\u{7}\u{1b}[2J\r\n\u{202e}\u{9b}2J";
    let mut status = full_status();
    for path in ["/version", "/started_at", "/store/kind", "/store/detail", "/warnings/0", "/sessions/0/name"] {
        *status.pointer_mut(path).unwrap() = value!(hostile);
    }
    for path in ["start_url", "region", "expires_at", "last_error"] {
        status["sessions"][0][path] = value!(hostile);
    }
    let profile = value!({"name": hostile, "session": hostile, "account_id": hostile, "role": hostile,
        "expires_at": hostile, "problem": hostile, "gate": hostile, "tier": hostile});
    let profiles = value!({"profiles": [profile], "warnings": [hostile]});
    for (command, body) in [("status", status), ("list", profiles)] {
        for line in [command.to_owned(), format!("{command} --json")] {
            let home = Home::new();
            let _server = Server::always_json(&home, 200, &body);
            let Run { code, stdout, stderr } = home.run(&line);
            let shown = format!("{stdout}{stderr}");
            let hostile = shown.chars().find(|c| *c != '\n' && tegata_protocol::text::is_hostile(*c));
            assert_eq!((code, hostile), (Some(0), None), "{line}: {shown:?}");
        }
    }
}

#[test]
fn list_follows_every_page_and_aligns_wide_names() {
    let home = Home::new();
    let server = Server::start(&home, |request| match request.line() {
        "GET /v1/profiles" => json(
            200,
            &value!({
                "profiles": [
                    {"name": "dev", "session": "corp", "account_id": "111111111111", "role": "Developer",
                     "expires_at": "2001-01-01T00:00:00Z", "gate": "open"},
                    {"name": "開発", "session": "corp", "account_id": "222222222222", "role": "読取専用",
                     "gate": "gated", "tier": "prompt"},
                ],
                "next_page": "two &", "warnings": ["[profile x] is there twice"],
            }),
        ),
        "GET /v1/profiles?page=two%20%26" => json(
            200,
            &value!({"profiles": [{"name": "broken", "problem": "source_profile goes round"}],
                "warnings": ["[profile x] is there twice"]}),
        ),
        other => panic!("{other}"),
    });
    let run = home.run("list");
    assert_eq!((run.code, run.stderr.as_str()), (Some(0), "warning: [profile x] is there twice\n"));
    insta::assert_snapshot!(run.stdout, @"
    PROFILE  ACCOUNT       ROLE       STARTS FROM  GATE            CREDENTIALS  PROBLEM
    dev      111111111111  Developer  corp         open            expired
    開発     222222222222  読取専用   corp         gated (prompt)  -
    broken   -             -          -            -               -            source_profile goes round
    ");
    let all: Value = serde_json::from_str(home.run("list --json").is_quiet_success()).unwrap();
    assert_eq!((all["profiles"].as_array().unwrap().len(), all["warnings"].as_array().unwrap().len()), (3, 1));
    assert_eq!(server.requests().len(), 4);
}

#[test]
fn list_does_not_follow_a_page_that_leads_to_itself() {
    let home = Home::new();
    let body = value!({"profiles": [{"name": "dev"}], "next_page": "again"});
    let server = Server::always_json(&home, 200, &body);
    home.run("list").is_quiet_success();
    assert_eq!(server.requests().len(), 2);
}

#[test]
fn status_sends_the_callers_config_file() {
    let home = Home::new();
    let server = Server::always_json(&home, 200, &full_status());
    Run::of(home.tegata(["status"]).env("AWS_CONFIG_FILE", "/a b")).is_quiet_success();
    assert_eq!(server.lines(), ["GET /v1/status?config=%2Fa%20b"]);
}

#[test]
fn list_sends_the_callers_config_file() {
    let home = Home::new();
    let server = Server::always_json(&home, 200, &value!({"profiles": []}));
    let run = Run::of(home.tegata(["list"]).env("AWS_CONFIG_FILE", "/a b"));
    assert_eq!(run.is_quiet_success(), "The AWS config file has no profile that Tegata can serve.\n");
    assert_eq!(server.lines(), ["GET /v1/profiles?config=%2Fa%20b"]);
}

#[test]
fn an_answer_of_another_shape_is_one_line_without_its_text() {
    for body in [value!([]), value!({"profiles": [{"CANARY": 1}]}), value!({"version": "CANARY"})] {
        for command in ["status", "list"] {
            if command == "list" && body.get("profiles").is_none() {
                continue;
            }
            let home = Home::new();
            let _server = Server::always_json(&home, 200, &body);
            let run = home.run(command);
            assert!(!run.is_one_line(16).contains("CANARY"));
        }
    }
}
