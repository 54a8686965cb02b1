//! What is different on a terminal. Uses `script` of util-linux, which every distribution has.

use crate::support::{Home, Server, answer, json};
use serde_json::json as value;

const CREDENTIALS: &str = r#"{"Version":1,"SecretAccessKey":"CANARY"}"#;

#[test]
fn e8_credentials_are_refused_to_a_terminal() {
    let home = Home::new();
    let server = Server::always(&home, answer(200, "1", CREDENTIALS));
    let run = home.run_on_terminal("credential-process --profile dev", "");
    assert_eq!(run.code, Some(2), "{run:?}");
    assert_eq!(
        run.stdout.trim_end(),
        "tegata: standard output is a terminal, and credentials stay in its scrollback: pass --force to print them"
    );
    assert_eq!(server.requests().len(), 0, "credentials were asked for all the same");
}

#[test]
fn e8_twin_force_prints_to_a_terminal() {
    let home = Home::new();
    let _server = Server::always(&home, answer(200, "1", CREDENTIALS));
    let run = home.run_on_terminal("credential-process --profile dev --force", "");
    assert_eq!((run.code, run.stdout.as_str()), (Some(0), format!("{CREDENTIALS}\r\n").as_str()));
}

#[test]
fn colour_is_only_for_a_terminal_and_gives_way_to_no_color() {
    let home = Home::new();
    let status = value!({
        "version": "1", "pid": 1, "started_at": "2026-11-22T09:00:00Z", "locked": true,
        "store": {"kind": "memory", "state": "ready"}, "sessions": [], "cached_credentials": 0,
    });
    let _server = Server::always_json(&home, 200, &status);
    assert!(home.run_on_terminal("status", "").stdout.contains("\u{1b}[33mwarning:"));
    assert!(!home.run("status").is_quiet_success().contains('\u{1b}'));
    let mut without = home.tegata(["status"]);
    without.env("NO_COLOR", "1").env("CLICOLOR_FORCE", "1");
    assert!(!crate::support::Run::of(&mut without).is_quiet_success().contains('\u{1b}'));
}

#[test]
fn the_two_words_stand_out_on_a_terminal_and_no_color_is_obeyed() {
    let request = |state: &str| {
        value!({"id": "r1", "code": "brave otter", "purpose": "test_passkey", "state": state, "approvals_needed": 1,
            "expires_in_seconds": 300})
    };
    let home = Home::new();
    let _server = Server::start(&home, move |asked| match asked.line() {
        "POST /v1/requests/r1/pages" => json(201, &value!({"url": "http://tegata.localhost:40123/#s"})),
        "GET /v1/requests/r1?wait=5" => json(200, &request("approved")),
        _ => json(201, &request("awaits_gesture")),
    });
    let shown = home.run_on_terminal("passkey test --print", "").stdout;
    assert!(shown.contains("    \u{1b}[1mbrave otter\u{1b}[0m"), "{shown}");
    let mut without = home.tegata(["passkey", "test", "--print"]);
    let run = crate::support::Run::of(without.env("NO_COLOR", "1").env("CLICOLOR_FORCE", "1"));
    assert!(run.stderr.contains("    brave otter\n") && !run.stderr.contains('\u{1b}'), "{run:?}");
}
