//! `tegata passkey`, `policy` and `review`.

use crate::support::{Home, Reply, Request, Run, Server, json, words};
use serde_json::{Value, json as value};

const PAGE: &str = "http://tegata.localhost:40123/#secret";
const PAGES: &str = "POST /v1/requests/r1/pages";
const WAIT: &str = "GET /v1/requests/r1?wait=5";

fn request(purpose: &str, state: &str) -> Value {
    value!({
        "id": "r1", "code": "brave otter", "purpose": purpose, "state": state, "changes": ["yubikey 5c"],
        "person": "ann", "approvals_needed": 1, "approvals_given": ["ann"], "expires_in_seconds": 300,
    })
}

fn passkeys(count: usize) -> Value {
    let passkey = value!({"id": "p7q2", "person": "ann", "name": "yubikey 5c", "created_at": "2001-01-01T00:00:00Z",
        "device_bound": true, "suspended": false, "of_tomorrow": 1});
    value!({"passkeys": vec![passkey; count]})
}

fn serve(home: &Home, purpose: &'static str, count: usize) -> Server {
    Server::start(home, move |asked: &Request| match asked.line() {
        PAGES => json(201, &value!({"url": PAGE})),
        WAIT => json(200, &request(purpose, "approved")),
        "GET /v1/passkeys" => json(200, &passkeys(count)),
        "PUT /v1/passkeys/p7q2" | "DELETE /v1/passkeys" | "POST /v1/reviews/abcd2345" => {
            Reply::Bytes(b"HTTP/1.1 204 -\r\nTegata-Protocol: 1\r\n\r\n".to_vec())
        }
        line if line.starts_with("POST") || line.starts_with("DELETE") => {
            json(202, &request(purpose, "awaits_enrolment"))
        }
        other => panic!("{other}"),
    })
}

#[test]
fn add_enrols_for_the_user_and_asks_for_a_second() {
    let home = Home::new();
    let server = serve(&home, "add_passkey", 1);
    let mut tegata = home.tegata(["passkey", "add", "--name", "yubikey 5c", "--print"]);
    let run = Run::of(tegata.env("USER", "ann"));
    assert_eq!(run.code, Some(0), "{run:?}");
    assert!(run.stdout.starts_with(&format!("{PAGE}\nyubikey 5c is enrolled.\nIt is the only one")), "{run:?}");
    assert!(run.stdout.ends_with("Add a second: tegata passkey add\n"), "{run:?}");
    assert!(run.stderr.starts_with("Enrol the passkey yubikey 5c of ann.\n"), "{run:?}");
    assert_eq!(server.lines(), ["POST /v1/passkeys", PAGES, WAIT, "GET /v1/passkeys"]);
    assert_eq!(server.requests()[0].json(), value!({"person": "ann", "name": "yubikey 5c"}));
}

#[test]
fn add_with_a_second_one_is_content() {
    let home = Home::new();
    let _server = serve(&home, "add_passkey", 2);
    let run = home.run("passkey add --person ben --name phone --print");
    assert_eq!((run.code, run.stdout), (Some(0), format!("{PAGE}\nyubikey 5c is enrolled.\n")));
}

#[test]
fn add_asks_for_what_is_missing_on_a_terminal_and_nowhere_else() {
    let home = Home::new();
    let server = serve(&home, "add_passkey", 2);
    home.run("passkey add --name x --print").is_one_line(2);
    home.run("passkey add --person ann --print").is_one_line(2);
    assert_eq!(server.requests().len(), 0);
    let run = home.run_on_terminal("passkey add --person ann --print", "blue key\n");
    assert_eq!(run.code, Some(0), "{run:?}");
    assert_eq!(server.requests()[0].json(), value!({"person": "ann", "name": "blue key"}));
}

#[test]
fn list_names_the_passkeys_and_the_first_step_without_any() {
    let home = Home::new();
    let _server = serve(&home, "add_passkey", 1);
    let run = home.run("passkey list");
    assert!(run.is_quiet_success().starts_with("ID    NAME        PERSON  KEPT "), "{run:?}");
    let printed: Value = serde_json::from_str(home.run("passkey list --json").is_quiet_success()).unwrap();
    assert_eq!(printed, passkeys(1));
    let home = Home::new();
    let _server = serve(&home, "add_passkey", 0);
    assert!(home.run("passkey list").is_quiet_success().contains("tegata passkey add"));
}

#[test]
fn rename_remove_and_test_ask_for_just_that() {
    let home = Home::new();
    let server = serve(&home, "remove_passkey", 1);
    let mut rename = home.tegata(["passkey", "rename", "p7q2", "blue key"]);
    assert_eq!(Run::of(&mut rename).is_quiet_success(), "p7q2 is now called blue key.\n");
    assert_eq!(server.requests()[0].json(), value!({"name": "blue key"}));
    for line in ["passkey remove p7q2 --print", "passkey test --print", "passkey test p7q2 --print"] {
        assert_eq!(home.run(line).code, Some(0), "{line}");
    }
    let asked: Vec<_> = server.lines().into_iter().filter(|line| line != PAGES && line != WAIT).collect();
    assert_eq!(
        asked,
        ["PUT /v1/passkeys/p7q2", "DELETE /v1/passkeys/p7q2", "POST /v1/passkeys/test", "POST /v1/passkeys/p7q2/test"]
    );
}

#[test]
fn reset_is_done_only_when_it_is_meant() {
    let home = Home::new();
    let server = serve(&home, "add_passkey", 1);
    let run = home.run("passkey reset");
    assert_eq!(run.code, Some(2), "{run:?}");
    assert!(run.stderr.ends_with("run: tegata passkey reset --yes\n"), "{run:?}");
    assert_eq!(home.run_on_terminal("passkey reset", "yes\n").code, Some(12));
    assert_eq!(server.requests().len(), 0);
    let run = home.run_on_terminal("passkey reset", "forget all passkeys\n");
    assert_eq!(run.code, Some(0), "{run:?}");
    assert!(run.stdout.contains("This forgets every passkey and ends every grant."), "{run:?}");
    assert!(home.run("passkey reset --yes").is_quiet_success().starts_with("All passkeys are forgotten."));
    assert_eq!(server.lines(), ["DELETE /v1/passkeys", "DELETE /v1/passkeys"]);
}

#[test]
fn reset_without_a_fresh_sign_in_names_the_sign_in() {
    let home = Home::new();
    let body =
        value!({"code": "sign_in_required", "message": "the last sign-in is too old", "mend": "tegata login corp"});
    let _server = Server::always_json(&home, 401, &body);
    assert!(home.run("passkey reset --yes").is_one_line(10).ends_with("run: tegata login corp"));
}

fn explanation() -> Value {
    value!({"profile": "prod-admin", "target": ["AdministratorAccess in 123456789012"], "gate": "proposed",
        "tier": "prompt", "rules": ["built-in: AdministratorAccess looks like administration"],
        "terms": ["15 min at most"]})
}

#[test]
fn explain_asks_about_the_profile_of_the_callers_file() {
    let home = Home::new();
    let server = Server::always_json(&home, 200, &explanation());
    let run = Run::of(home.tegata(words("policy explain prod-admin")).env("AWS_CONFIG_FILE", "/a"));
    assert!(run.is_quiet_success().starts_with("prod-admin is proposed: served now, gated as soon as"), "{run:?}");
    assert_eq!(server.lines(), ["GET /v1/policy?profile=prod-admin&config=%2Fa"]);
    let printed: Value = serde_json::from_str(home.run("policy explain x --json").is_quiet_success()).unwrap();
    assert_eq!(printed, explanation());
}

#[test]
fn accept_is_by_hand() {
    let home = Home::new();
    let server = serve(&home, "accept_policy", 1);
    let run = home.run("policy accept --print");
    assert_eq!(run.code, Some(0), "{run:?}");
    assert!(run.stderr.contains("  weaker: yubikey 5c\n"), "{run:?}");
    assert_eq!(server.lines(), ["POST /v1/policy", PAGES, WAIT]);
}

#[test]
fn reviews_are_listed_and_closed_with_a_note() {
    let home = Home::new();
    let server = Server::start(&home, |asked| match asked.line() {
        "GET /v1/reviews" => json(
            200,
            &value!({"reviews": [{"id": "abcd2345", "profile": "break-glass", "approved_by": ["ann", "ben"],
                "granted_at": "2001-01-01T00:00:00Z"}]}),
        ),
        _ => Reply::Bytes(b"HTTP/1.1 204 -\r\nTegata-Protocol: 1\r\n\r\n".to_vec()),
    });
    let run = home.run("review list");
    assert!(run.is_quiet_success().contains("abcd2345  break-glass  2001-01-01 00:00 UTC"), "{run:?}");
    let mut close = home.tegata(["review", "close", "abcd2345", "--note", "all is well"]);
    assert_eq!(Run::of(&mut close).is_quiet_success(), "The review abcd2345 is closed.\n");
    assert_eq!(server.requests()[1].json(), value!({"note": "all is well"}));
    assert_eq!(server.requests()[1].line(), "POST /v1/reviews/abcd2345");
    assert_eq!(home.run("review close abcd2345").code, Some(2), "a note is needed");
}
