//! `tegata login`.

use crate::support::{Home, Reply, Run, Server, eventually, json, words, write_program};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json as value};
use std::process::{Child, Stdio};

const PAGE: &str = "https://a.example/authorize?client_id=x&state=CANARY-STATE";
const BEGIN: &str = "POST /v1/sign-ins";
const WAIT: &str = "GET /v1/sign-ins/id-1?wait=5";
const CANCEL: &str = "DELETE /v1/sign-ins/id-1";

fn sign_in(state: &str) -> Value {
    value!({
        "id": "id-1", "session": "corp", "start_url": "https://acme.awsapps.com/start", "flow": "pkce",
        "url": PAGE, "expires_at": "2999-01-01T00:00:00Z", "state": state,
    })
}

fn device(state: &str) -> Value {
    let mut sign_in = sign_in(state);
    sign_in["flow"] = value!("device_code");
    sign_in["url"] = value!("https://device.example/");
    sign_in["url_with_code"] = value!("https://device.example/?user_code=ABCD-EFGH");
    sign_in["user_code"] = value!("ABCD-EFGH");
    sign_in
}

fn status() -> Value {
    value!({
        "version": "1", "pid": 1, "started_at": "2026-11-22T09:00:00Z", "locked": false,
        "store": {"kind": "memory", "state": "ready"}, "cached_credentials": 0,
        "sessions": [{"name": "corp", "start_url": "https://acme.awsapps.com/start", "region": "eu-west-1",
            "state": "signed_in", "expires_at": "2001-01-01T08:00:00Z", "renewable": true}],
    })
}

/// Serves a sign-in that is under way until `finished` says how it ended.
fn serve(home: &Home, begun: Value, mut finished: impl FnMut() -> Option<Value> + Send + 'static) -> Server {
    Server::start(home, move |request| match request.line() {
        BEGIN => json(201, &begun),
        WAIT => json(200, &finished().unwrap_or_else(|| begun.clone())),
        CANCEL => Reply::Bytes(b"HTTP/1.1 204 -\r\nTegata-Protocol: 1\r\n\r\n".to_vec()),
        line if line.starts_with("GET /v1/status") => json(200, &status()),
        other => panic!("{other}"),
    })
}

/// Serves a sign-in whose person is as quick as can be.
fn serve_done(home: &Home, begun: Value) -> Server {
    let mut done = begun.clone();
    done["state"] = value!("done");
    serve(home, begun, move || Some(done.clone()))
}

#[test]
fn the_page_is_opened_and_its_end_awaited() {
    let home = Home::new();
    let seen = home.path().join("seen");
    write_program(
        &home.path().join("surf"),
        &format!("printf '%s\\n' \"$@\" > {0}.part; mv {0}.part {0}", seen.display()),
    );
    let opened = seen.clone();
    let server = serve(&home, sign_in("pending"), move || opened.exists().then(|| sign_in("done")));
    let browser = format!("{} --new '%s' end", home.path().join("surf").display());
    let run = Run::of(&mut home.tegata(["login", "corp", "--browser", &browser]));
    assert_eq!((run.code, run.stdout.as_str()), (Some(0), ""), "{run:?}");
    assert_eq!(std::fs::read_to_string(&seen).unwrap(), format!("--new\n{PAGE}\nend\n"));
    assert!(run.stderr.starts_with("Signing in to corp (https://acme.awsapps.com/start).\n"), "{run:?}");
    assert!(run.stderr.contains(&format!("If no page opens: {PAGE}\n")), "{run:?}");
    assert!(
        run.stderr.contains("Signed in to corp (https://acme.awsapps.com/start) until 2001-01-01 08:00 UTC"),
        "{run:?}"
    );
    assert!(run.stderr.ends_with(", renewed by itself.\n"), "{run:?}");
    assert_eq!(server.requests()[0].json(), value!({"session": "corp", "flow": "pkce"}));
    assert!(!server.lines().contains(&CANCEL.to_owned()));
}

#[test]
fn the_browser_of_the_environment_is_used() {
    let home = Home::new();
    let seen = home.path().join("seen");
    write_program(&home.path().join("surf"), &format!("echo \"$1\" > {0}.part; mv {0}.part {0}", seen.display()));
    let opened = seen.clone();
    let _server = serve(&home, sign_in("pending"), move || opened.exists().then(|| sign_in("done")));
    let mut login = home.tegata(["login"]);
    login.env("BROWSER", format!("/no/such/browser:{}", home.path().join("surf").display()));
    let run = Run::of(&mut login);
    assert_eq!(run.code, Some(0), "{run:?}");
    assert_eq!(std::fs::read_to_string(&seen).unwrap(), format!("{PAGE}\n"));
}

#[test]
fn a_browser_that_is_not_there_ends_it_before_it_begins() {
    let home = Home::new();
    let server = serve_done(&home, sign_in("pending"));
    home.run("login corp --browser /no/such/browser").is_one_line(2);
    assert_eq!(server.requests().len(), 0);
}

#[test]
fn print_puts_the_address_alone_on_standard_output() {
    let home = Home::new();
    let _server = serve_done(&home, sign_in("pending"));
    let run = home.run("login --print");
    assert_eq!((run.code, run.stdout), (Some(0), format!("{PAGE}\n")));
}

#[test]
fn qr_puts_a_code_on_standard_output() {
    let home = Home::new();
    let _server = serve_done(&home, device("pending"));
    let run = home.run("login --device-code --qr");
    assert_eq!(run.code, Some(0), "{run:?}");
    let widths: Vec<_> = run.stdout.lines().map(|line| line.chars().count()).collect();
    assert!(widths.len() > 10 && widths.iter().all(|width| *width == widths[0]), "{run:?}");
    assert!(run.stdout.chars().all(|c| "█▀▄ \n".contains(c)), "{run:?}");
    assert!(run.stderr.contains("ABCD-EFGH"), "{run:?}");
}

#[test]
fn only_one_way_of_showing_is_taken() {
    let home = Home::new();
    let run = home.run("login --print --qr");
    assert_eq!((run.code, run.stdout.as_str()), (Some(2), ""));
}

#[test]
fn where_there_is_no_display_the_address_and_the_other_way_are_told() {
    let home = Home::new();
    let _server = serve_done(&home, sign_in("pending"));
    let run = home.run("login corp");
    assert_eq!(run.code, Some(0), "{run:?}");
    assert!(run.stderr.contains(&format!("Open this page in a browser on this machine: {PAGE}\n")), "{run:?}");
    assert!(run.stderr.contains("use: tegata login corp --device-code\n"), "{run:?}");
}

#[test]
fn over_ssh_the_device_code_is_named() {
    let home = Home::new();
    let _server = serve_done(&home, sign_in("pending"));
    let run = Run::of(home.tegata(words("login corp")).env("SSH_CONNECTION", "::1 1 ::1 22").env("DISPLAY", ":10"));
    let hint = "This is an SSH session: if the page cannot be finished here, use: tegata login corp --device-code\n";
    assert!(run.stderr.contains(hint), "{run:?}");
}

#[test]
fn g1_the_device_code_is_only_on_request_and_shows_the_plain_page() {
    let home = Home::new();
    let server = serve_done(&home, device("pending"));
    let run = home.run("login corp --device-code");
    assert_eq!((run.code, run.stdout.as_str()), (Some(0), ""), "{run:?}");
    for text in [
        "Signing in to corp (https://acme.awsapps.com/start) with a device code.\n",
        "\n    https://device.example/\n\n    ABCD-EFGH\n\n",
        "The page must show this code; if it shows another, close it.\n",
    ] {
        assert!(run.stderr.contains(text), "{text:?} is not in {run:?}");
    }
    assert!(!run.stderr.contains("user_code="), "{run:?}");
    assert!(!run.stderr.contains("Does the page show"), "there is nobody to ask");
    assert_eq!(server.requests()[0].json(), value!({"session": "corp", "flow": "device_code"}));
}

#[test]
fn g13_a_code_the_person_does_not_confirm_cancels_the_sign_in() {
    for typed in ["n\n", "\n", "no idea\n", ""] {
        let home = Home::new();
        let server = serve(&home, device("pending"), || None);
        let run = home.run_on_terminal("login corp --device-code", typed);
        assert_eq!(run.code, Some(12), "{typed:?}: {run:?}");
        assert!(run.stdout.contains("Does the page show ABCD-EFGH? [y/N] "), "{run:?}");
        assert_eq!(server.lines(), [BEGIN, CANCEL], "{typed:?}");
    }
}

#[test]
fn g13_twin_a_code_the_person_confirms_signs_in() {
    let home = Home::new();
    let server = serve_done(&home, device("pending"));
    let run = home.run_on_terminal("login corp --device-code", "y\n");
    assert_eq!(run.code, Some(0), "{run:?}");
    assert_eq!(server.lines(), [BEGIN, WAIT, "GET /v1/status"]);
}

/// Starts a login that waits, and returns once it does.
fn waiting_login(home: &Home, server: &Server) -> Child {
    let mut login = home.tegata(words("login corp"));
    let child = login.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    eventually("the wait", || server.lines().contains(&WAIT.to_owned()).then_some(()));
    child
}

#[test]
fn g13_a_signal_cancels_the_sign_in() {
    for (signal, code) in [(Signal::INT, 130), (Signal::TERM, 143), (Signal::HUP, 129)] {
        let home = Home::new();
        let begun = sign_in("pending");
        let server = Server::start(&home, move |request| match request.line() {
            BEGIN => json(201, &begun),
            WAIT => Reply::BytesThenSilence(Vec::new()),
            CANCEL => Reply::Bytes(b"HTTP/1.1 204 -\r\nTegata-Protocol: 1\r\n\r\n".to_vec()),
            other => panic!("{other}"),
        });
        let child = waiting_login(&home, &server);
        kill_process(Pid::from_child(&child), signal).unwrap();
        let run = Run::from(child.wait_with_output().unwrap());
        assert_eq!(run.code, Some(code), "{run:?}");
        assert!(run.stderr.ends_with("tegata: cancelled\n"), "{run:?}");
        assert_eq!(server.lines(), [BEGIN, WAIT, CANCEL]);
    }
}

#[test]
fn a_sign_in_that_fails_ends_with_its_error() {
    for (code, exit) in [("sign_in_failed", 10), ("denied", 12), ("upstream_unavailable", 14), ("keyring_locked", 15)] {
        let home = Home::new();
        let mut failed = sign_in("failed");
        failed["error"] = value!({"code": code, "message": "it\u{1b}[2J failed", "mend": "tegata login corp"});
        let _server = serve(&home, sign_in("pending"), move || Some(failed.clone()));
        let run = home.run("login corp");
        assert_eq!(run.code, Some(exit), "{run:?}");
        assert!(run.stderr.ends_with("tegata: it\\u{1b}[2J failed; run: tegata login corp\n"), "{run:?}");
    }
}

#[test]
fn a_sign_in_the_daemon_has_forgotten_is_to_be_begun_again() {
    let home = Home::new();
    let begun = sign_in("pending");
    let _server = Server::start(&home, move |request| match request.line() {
        BEGIN => json(201, &begun),
        _ => json(404, &value!({"code": "not_found", "message": "no such sign-in"})),
    });
    let run = home.run("login corp");
    assert_eq!(run.code, Some(10), "{run:?}");
    assert!(run.stderr.ends_with("it was restarted meanwhile; run: tegata login corp\n"), "{run:?}");
}

#[test]
fn a_sign_in_past_its_end_is_given_up() {
    let home = Home::new();
    let mut begun = sign_in("pending");
    begun["expires_at"] = value!("2001-01-01T00:00:00Z");
    let server = serve(&home, begun, || None);
    let run = home.run("login corp");
    assert_eq!(run.code, Some(10), "{run:?}");
    assert!(run.stderr.ends_with("the page was not finished in time; run: tegata login corp\n"), "{run:?}");
    assert_eq!(server.lines().last().unwrap(), CANCEL);
}

#[test]
fn a_page_that_is_no_web_page_is_neither_shown_nor_opened() {
    let home = Home::new();
    let mut begun = sign_in("pending");
    begun["url"] = value!("file:///etc/passwd");
    let server = serve(&home, begun, || None);
    let run = home.run("login corp --print");
    run.is_one_line(16);
    assert_eq!(server.lines(), [BEGIN, CANCEL]);
}

#[test]
fn the_callers_config_file_goes_along() {
    let home = Home::new();
    let server = serve_done(&home, sign_in("pending"));
    Run::of(home.tegata(["login", "--print"]).env("AWS_CONFIG_FILE", "aws"));
    let config = home.path().join("aws");
    assert_eq!(server.requests()[0].json(), value!({"config": config.to_str().unwrap(), "flow": "pkce"}));
}

#[test]
fn a_beginning_that_is_refused_is_one_line() {
    let home = Home::new();
    let error = value!({"code": "profile_unknown", "message": "no sign-in session corq; did you mean corp?"});
    let server = Server::always_json(&home, 404, &error);
    home.run("login corq").is_one_line(13);
    assert_eq!(server.lines(), [BEGIN]);
}
