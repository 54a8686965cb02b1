//! The commands that need a hand: their requests, what they show, and how they end.

use crate::support::{Home, Reply, Request, Run, Server, eventually, json, words, write_program};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json as value};
use std::os::unix::process::ExitStatusExt;
use std::process::Stdio;

const PAGE: &str = "http://tegata.localhost:40123/#CANARY-secret_1";
const PAGES: &str = "POST /v1/requests/r1/pages";
const WAIT: &str = "GET /v1/requests/r1?wait=5";
const WITHDRAW: &str = "DELETE /v1/requests/r1";
const CODE: &str = "\n    brave otter\n\nThe page must show these two words; if it shows others, close it.\n";

fn request(purpose: &str, state: &str) -> Value {
    value!({
        "id": "r1", "code": "brave otter", "purpose": purpose, "state": state, "profile": "prod-admin",
        "account": "123456789012", "role": "AdministratorAccess", "tier": "prompt", "window_seconds": 1800,
        "requester": ["bash (pid 5)"], "changes": ["yubikey 5c"], "person": "ann",
        "approvals_needed": 1, "approvals_given": ["ann"], "grant": "abcd2345", "expires_in_seconds": 300,
    })
}

fn grant(profile: &str) -> Value {
    value!({
        "id": "abcd2345", "profile": profile, "account": "123456789012", "role": "AdministratorAccess",
        "tier": "prompt", "holder": "the terminal of pid 5", "yours": true, "until": "2001-01-01T08:00:00Z",
        "seconds_left": 1800, "approved_by": ["ann"], "aws_accepts_until": "2001-01-01T09:00:00Z",
    })
}

fn empty(status: u16) -> Reply {
    Reply::Bytes(format!("HTTP/1.1 {status} -\r\nTegata-Protocol: 1\r\nContent-Length: 0\r\n\r\n").into_bytes())
}

/// Serves one request for a hand that ends as told, and whatever else a command asks for.
fn serve(home: &Home, purpose: &'static str, end: &'static str) -> Server {
    Server::start(home, move |asked| hand(asked, purpose, end))
}

fn hand(asked: &Request, purpose: &str, end: &str) -> Reply {
    match asked.line() {
        PAGES => json(201, &value!({"url": PAGE})),
        WAIT => json(200, &request(purpose, end)),
        WITHDRAW => empty(204),
        "GET /v1/grants" => json(200, &value!({"grants": [grant("prod-admin")]})),
        "GET /v1/passkeys" => json(200, &value!({"passkeys": [passkey()]})),
        "GET /v1/requests" => json(200, &value!({"requests": [request(purpose, "awaits_gesture")]})),
        "GET /v1/requests/r1" => json(200, &request(purpose, "awaits_gesture")),
        line if line.starts_with("DELETE /v1/grants") => json(200, &value!({"dropped": 1})),
        line if line.starts_with("POST ") || line.starts_with("DELETE ") => {
            json(202, &request(purpose, "awaits_gesture"))
        }
        other => panic!("{other}"),
    }
}

fn passkey() -> Value {
    value!({"id": "p7q2", "person": "ann", "name": "yubikey 5c", "created_at": "2001-01-01T00:00:00Z",
        "device_bound": true, "suspended": false})
}

#[test]
fn elevate_shows_the_words_and_the_tier_and_waits_for_the_hand() {
    let home = Home::new();
    let server = serve(&home, "elevate", "approved");
    let run = home.run("elevate prod-admin --for 30m --reason INC-42 --print");
    assert_eq!((run.code, run.stdout), (Some(0), format!("{PAGE}\n")), "{}", run.stderr);
    for text in [
        "Elevate prod-admin (AdministratorAccess in 123456789012) for 30 min.\n",
        "Tier prompt: this asks before Tegata answers; a program running as you could still take the sign-in token",
        CODE,
        "Approved: prod-admin may be used by the terminal of pid 5 until 2001-01-01 08:00 UTC",
    ] {
        assert!(run.stderr.contains(text), "{text:?} is not in {}", run.stderr);
    }
    assert!(!run.stderr.contains("CANARY"), "the secret belongs to standard output alone: {}", run.stderr);
    assert_eq!(server.lines(), ["POST /v1/grants", PAGES, WAIT, "GET /v1/grants"]);
    let expected = value!({"profile": "prod-admin", "seconds": 1800, "reason": "INC-42", "holder": "terminal"});
    assert_eq!(server.requests()[0].json(), expected);
    assert_eq!(server.requests()[1].json(), value!({}));
}

#[test]
fn elevate_opens_the_page_in_the_browser() {
    let home = Home::new();
    let seen = home.path().join("seen");
    write_program(&home.path().join("surf"), &format!("echo \"$@\" > {0}.part; mv {0}.part {0}", seen.display()));
    let opened = seen.clone();
    let _server = Server::start(&home, move |asked| {
        let end = if opened.exists() { "approved" } else { "awaits_gesture" };
        hand(asked, "elevate", end)
    });
    let browser = format!("{} --new", home.path().join("surf").display());
    let run = Run::of(&mut home.tegata(["elevate", "prod-admin", "--browser", &browser]));
    assert_eq!((run.code, run.stdout.as_str()), (Some(0), ""), "{run:?}");
    assert_eq!(std::fs::read_to_string(&seen).unwrap(), format!("--new {PAGE}\n"));
    assert!(run.stderr.contains(&format!("If no page opens: {PAGE}\n")), "{run:?}");
}

#[test]
fn where_no_browser_can_be_had_nothing_is_asked_for() {
    for line in ["elevate prod-admin", "passkey add --name x", "passkey test", "policy accept", "approve r1"] {
        let home = Home::new();
        let server = serve(&home, "elevate", "approved");
        let mut tegata = home.tegata(words(line));
        let run = Run::of(tegata.env("SSH_CONNECTION", "::1 1 ::1 22"));
        let said = run.is_one_line(11);
        assert!(said.contains("this is an SSH session") && said.contains("--print"), "{said}");
        assert_eq!(server.requests().len(), 0, "{line}");
    }
}

#[test]
fn every_end_of_a_request_has_its_exit_code() {
    for (end, code, line) in [
        ("refused", 12, "tegata: refused by hand\n"),
        ("expired", 11, "tegata: nobody approved in time; run: tegata elevate prod-admin\n"),
    ] {
        let home = Home::new();
        let server = serve(&home, "elevate", end);
        let run = home.run("elevate prod-admin --print");
        assert_eq!(run.code, Some(code), "{run:?}");
        assert!(run.stderr.ends_with(line), "{run:?}");
        assert_eq!(server.lines(), ["POST /v1/grants", PAGES, WAIT]);
    }
}

#[test]
fn a_beginning_that_is_refused_is_one_line_and_its_exit_code() {
    for (code, status, exit) in [
        ("sign_in_required", 401, 10),
        ("elevation_required", 403, 11),
        ("denied", 403, 12),
        ("profile_unknown", 404, 13),
        ("keyring_locked", 423, 15),
    ] {
        for line in ["elevate prod-admin --print", "passkey add --name x --person ann --print", "policy accept --print"]
        {
            let home = Home::new();
            let body = value!({"code": code, "message": "it is so", "mend": "tegata mend"});
            let server = Server::always_json(&home, status, &body);
            assert_eq!(home.run(line).is_one_line(exit), "tegata: it is so; run: tegata mend");
            assert_eq!(server.requests().len(), 1);
        }
    }
}

#[test]
fn a_request_the_daemon_has_forgotten_is_to_be_made_again() {
    let home = Home::new();
    let _server = Server::start(&home, |asked| match asked.line() {
        WAIT => json(404, &value!({"code": "not_found", "message": "no such request"})),
        _ => hand(asked, "elevate", "approved"),
    });
    let run = home.run("elevate prod-admin --print");
    assert_eq!(run.code, Some(11), "{run:?}");
    assert!(run.stderr.ends_with("it was restarted meanwhile; run: tegata elevate prod-admin\n"), "{run:?}");
}

#[test]
fn a_page_that_is_not_the_daemons_is_neither_shown_nor_opened() {
    let home = Home::new();
    let server = Server::start(&home, |asked| match asked.line() {
        PAGES => json(201, &value!({"url": "https://evil.example:1/#CANARY"})),
        _ => hand(asked, "elevate", "approved"),
    });
    let run = home.run("elevate prod-admin --print");
    assert_eq!((run.code, run.stdout.as_str()), (Some(16), ""), "{run:?}");
    assert!(!run.stderr.contains("CANARY"), "{run:?}");
    assert_eq!(server.lines(), ["POST /v1/grants", PAGES, WITHDRAW]);
}

/// Starts a command that waits for a hand that never comes, interrupts it, and returns how it ended and what it asked.
fn interrupted(line: &str, signal: Signal) -> (Run, Vec<String>) {
    let home = Home::new();
    let server = Server::start(&home, |asked| match asked.line() {
        WAIT => Reply::BytesThenSilence(Vec::new()),
        _ => hand(asked, "elevate", "approved"),
    });
    let child = home.tegata(words(line)).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    eventually("the wait", || server.lines().contains(&WAIT.to_owned()).then_some(()));
    kill_process(Pid::from_child(&child), signal).unwrap();
    (Run::from(child.wait_with_output().unwrap()), server.lines())
}

#[test]
fn a_signal_withdraws_what_this_command_asked_for() {
    for (signal, code) in [(Signal::INT, 130), (Signal::TERM, 143), (Signal::HUP, 129)] {
        let (run, lines) = interrupted("elevate prod-admin --print", signal);
        assert_eq!(run.code, Some(code), "{run:?}");
        assert!(run.stderr.ends_with("tegata: cancelled\n"), "{run:?}");
        assert_eq!(lines, ["POST /v1/grants", PAGES, WAIT, WITHDRAW]);
    }
}

#[test]
fn a_signal_leaves_what_another_program_waits_for() {
    let (run, lines) = interrupted("approve r1 --print", Signal::INT);
    assert_eq!(run.code, Some(130), "{run:?}");
    assert_eq!(lines, ["GET /v1/requests/r1", PAGES, WAIT]);
}

#[test]
fn a_second_person_is_asked_for() {
    let home = Home::new();
    let mut given = Vec::new();
    let server = Server::start(&home, move |asked| {
        let mut now = request("elevate", "awaits_gesture");
        now["approvals_needed"] = value!(2);
        now["approvals_given"] = value!(given);
        match asked.line() {
            WAIT if given.is_empty() => given.push("ann"),
            WAIT => now["state"] = value!("approved"),
            "POST /v1/grants" => {}
            _ => return hand(asked, "elevate", "approved"),
        }
        if asked.line() == WAIT {
            now["approvals_given"] = value!(given);
        }
        json(201, &now)
    });
    let run = home.run("elevate prod-admin --print");
    assert_eq!(run.code, Some(0), "{run:?}");
    assert!(run.stderr.contains("2 different people have to approve.\n"), "{run:?}");
    assert!(run.stderr.contains("ann approved; 1 more has to, who is somebody else.\n"), "{run:?}");
    assert_eq!(server.lines().iter().filter(|line| *line == WAIT).count(), 2);
}

#[test]
fn a_duration_is_written_with_its_unit() {
    for wrong in ["30", "0m", "25h", "1d", "-1m", "soon"] {
        let home = Home::new();
        let run = home.run(&format!("elevate prod-admin --for={wrong} --print"));
        assert_eq!((run.code, run.stdout.as_str()), (Some(2), ""), "{wrong}");
        assert!(run.stderr.contains("90s, 30m or 1h"), "{run:?}");
    }
}

#[test]
fn everywhere_is_asked_for_in_so_many_words() {
    let home = Home::new();
    let server = serve(&home, "elevate", "approved");
    assert_eq!(home.run("elevate prod-admin --everywhere --print").code, Some(0));
    assert_eq!(server.requests()[0].json()["holder"], "user");
    assert_eq!(home.run("elevate prod-admin --everywhere --print -- true").code, Some(2));
}

#[test]
fn a_command_runs_under_the_grant_and_the_grant_ends_with_it() {
    let home = Home::new();
    write_program(&home.path().join("show"), "env | sort; cat; exit 7");
    let server = serve(&home, "elevate", "approved");
    let show = home.path().join("show");
    let mut tegata = home.tegata(["elevate", "prod-admin", "--browser", "/bin/true", "--", show.to_str().unwrap()]);
    let typed = home.path().join("typed");
    std::fs::write(&typed, "typed\n").unwrap();
    tegata.stdin(std::fs::File::open(&typed).unwrap()).env("PATH", "/usr/bin:/bin").env("AWS_REGION", "eu-west-1");
    for name in ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_DEFAULT_PROFILE"] {
        tegata.env(name, "CANARY");
    }
    let run = Run::of(tegata.env("AWS_PROFILE", "dev"));
    assert_eq!(run.code, Some(7), "{run:?}");
    assert!(
        run.stdout.contains("AWS_PROFILE=prod-admin\n") && run.stdout.contains("AWS_REGION=eu-west-1\n"),
        "{run:?}"
    );
    assert!(run.stdout.ends_with("typed\n") && !run.stdout.contains("CANARY"), "{run:?}");
    assert!(!run.stderr.contains("tegata: "), "the command's own end is all there is to say: {run:?}");
    assert_eq!(server.requests()[0].json()["holder"], "caller");
    assert_eq!(server.lines().last().unwrap(), "DELETE /v1/grants/abcd2345");
}

#[test]
fn a_command_that_a_signal_ends_takes_tegata_with_it() {
    let home = Home::new();
    write_program(&home.path().join("die"), "kill -9 $$");
    let server = serve(&home, "elevate", "approved");
    let output = home.tegata(["elevate", "prod-admin", "--print", "--", "./die"]).output().unwrap();
    assert_eq!(output.status.signal(), Some(9), "{output:?}");
    assert_eq!(server.lines().last().unwrap(), "DELETE /v1/grants/abcd2345");
}

#[test]
fn a_command_that_is_not_there_ends_the_grant_too() {
    let home = Home::new();
    let server = serve(&home, "elevate", "approved");
    let run = Run::of(&mut home.tegata(["elevate", "prod-admin", "--print", "--", "./missing"]));
    assert_eq!(run.code, Some(127), "{run:?}");
    assert!(run.stderr.contains("tegata: cannot run ./missing: "), "{run:?}");
    assert_eq!(server.lines().last().unwrap(), "DELETE /v1/grants/abcd2345");
}

#[test]
fn a_request_to_end_reaches_the_command_and_the_grant_is_dropped() {
    for (signal, name, code) in [(Signal::TERM, "TERM", 43), (Signal::HUP, "HUP", 43)] {
        let home = Home::new();
        let ready = home.path().join("ready");
        let wait = format!("trap 'exit 43' {name}; touch {}; while :; do sleep 0.05; done", ready.display());
        write_program(&home.path().join("wait"), &wait);
        let server = serve(&home, "elevate", "approved");
        let mut tegata = home.tegata(["elevate", "prod-admin", "--print", "--", "./wait"]);
        tegata.env("PATH", "/usr/bin:/bin").stdout(Stdio::piped()).stderr(Stdio::piped());
        let child = tegata.spawn().unwrap();
        eventually("the command", || ready.exists().then_some(()));
        kill_process(Pid::from_child(&child), signal).unwrap();
        let run = Run::from(child.wait_with_output().unwrap());
        assert_eq!(run.code, Some(code), "{run:?}");
        assert_eq!(server.lines().last().unwrap(), "DELETE /v1/grants/abcd2345");
    }
}

#[test]
fn an_interrupt_is_the_commands_own_affair() {
    let home = Home::new();
    let ready = home.path().join("ready");
    let wait = format!("trap 'exit 44' INT; touch {}; while :; do sleep 0.05; done", ready.display());
    write_program(&home.path().join("wait"), &wait);
    let server = serve(&home, "elevate", "approved");
    let mut tegata = home.tegata(["elevate", "prod-admin", "--print", "--", "./wait"]);
    tegata.env("PATH", "/usr/bin:/bin").stdout(Stdio::piped()).stderr(Stdio::piped());
    std::os::unix::process::CommandExt::process_group(&mut tegata, 0);
    let child = tegata.spawn().unwrap();
    eventually("the command", || ready.exists().then_some(()));
    rustix::process::kill_process_group(Pid::from_child(&child), Signal::INT).unwrap();
    let run = Run::from(child.wait_with_output().unwrap());
    assert_eq!(run.code, Some(44), "{run:?}");
    assert_eq!(server.lines().last().unwrap(), "DELETE /v1/grants/abcd2345");
}

#[test]
fn a_grant_that_does_not_end_with_its_command_is_told() {
    let home = Home::new();
    let _server = Server::start(&home, |asked| match asked.line() {
        "DELETE /v1/grants/abcd2345" => json(500, &value!({"code": "audit_failed", "message": "the disk is full"})),
        _ => hand(asked, "elevate", "approved"),
    });
    let run = Run::of(&mut home.tegata(["elevate", "prod-admin", "--print", "--", "/bin/true"]));
    assert_eq!(run.code, Some(0), "{run:?}");
    assert!(run.stderr.ends_with("(tegata: the disk is full); run: tegata drop prod-admin\n"), "{run:?}");
}

#[test]
fn approve_takes_the_only_request_and_gives_it_its_reason() {
    let home = Home::new();
    let server = serve(&home, "elevate", "approved");
    let run = Run::of(&mut home.tegata(["approve", "--reason", "INC-42", "--print"]));
    assert_eq!((run.code, run.stdout), (Some(0), format!("{PAGE}\n")), "{}", run.stderr);
    assert!(run.stderr.contains("Reason: INC-42\nAsked for by bash (pid 5).\n"), "{}", run.stderr);
    assert_eq!(server.lines(), ["GET /v1/requests", PAGES, WAIT]);
    assert_eq!(server.requests()[1].json(), value!({"reason": "INC-42"}));
}

#[test]
fn approve_with_nothing_to_approve_says_so() {
    let home = Home::new();
    let _server = Server::always_json(&home, 200, &value!({"requests": []}));
    assert_eq!(home.run("approve --print").is_one_line(1), "tegata: nothing waits for a hand; run: tegata status");
}

fn two_requests(home: &Home) -> Server {
    Server::start(home, |asked| match asked.line() {
        "GET /v1/requests" => {
            let mut other = request("elevate", "awaits_gesture");
            other["id"] = value!("r0");
            json(200, &value!({"requests": [other, request("elevate", "awaits_gesture")]}))
        }
        _ => hand(asked, "elevate", "approved"),
    })
}

#[test]
fn approve_does_not_choose_between_requests_by_itself() {
    let home = Home::new();
    let server = two_requests(&home);
    assert_eq!(
        home.run("approve --print").is_one_line(2),
        "tegata: several requests wait, and none was named: r0, r1; run: tegata approve r0"
    );
    assert_eq!(server.lines(), ["GET /v1/requests"]);
}

#[test]
fn approve_asks_which_one_on_a_terminal() {
    let home = Home::new();
    let server = two_requests(&home);
    let run = home.run_on_terminal("approve --print", "2\n");
    assert_eq!(run.code, Some(0), "{run:?}");
    assert!(run.stdout.contains("  2  Elevate prod-admin (AdministratorAccess in 123456789012) for 30 min"), "{run:?}");
    assert!(run.stdout.contains("Which one? [1-2] "), "{run:?}");
    assert_eq!(server.lines(), ["GET /v1/requests", PAGES, WAIT]);
    for typed in ["3\n", "0\n", "\n", "r1; id\n"] {
        assert_eq!(home.run_on_terminal("approve --print", typed).code, Some(2), "{typed:?}");
    }
}

#[test]
fn approve_refuse_says_no_without_a_browser() {
    let home = Home::new();
    let server = serve(&home, "elevate", "approved");
    let run = home.run("approve r1 --refuse");
    assert!(run.is_quiet_success().starts_with("Refused: Elevate prod-admin ("));
    assert_eq!(server.lines(), ["GET /v1/requests/r1", WITHDRAW]);
    assert_eq!(home.run("approve r1 --refuse --print").code, Some(2));
}

#[test]
fn drop_says_how_many_ended_and_until_when_aws_accepts_what_is_out() {
    let line = "1 grant ended. AWS accepts what was handed out until 2001-01-01 09:00 UTC";
    for (command, target) in [
        ("drop", "DELETE /v1/grants/abcd2345"),
        ("drop prod-admin", "DELETE /v1/grants?profile=prod-admin"),
        ("drop --all", "DELETE /v1/grants"),
    ] {
        let home = Home::new();
        let server = serve(&home, "elevate", "approved");
        assert!(home.run(command).is_quiet_success().starts_with(line), "{command}");
        assert_eq!(server.lines(), ["GET /v1/grants", target]);
    }
}

#[test]
fn drop_without_a_name_does_not_choose_between_grants() {
    let home = Home::new();
    let server = Server::always_json(&home, 200, &value!({"grants": [grant("a"), grant("b")]}));
    assert_eq!(
        home.run("drop").is_one_line(2),
        "tegata: several grants are live, and none was named: a, b; run: tegata drop a"
    );
    assert_eq!(server.lines(), ["GET /v1/grants"]);
    assert_eq!(home.run("drop a --all").code, Some(2));
}

#[test]
fn drop_with_nothing_to_drop_is_done_already() {
    let home = Home::new();
    let _server = Server::always_json(&home, 200, &value!({"grants": []}));
    assert_eq!(home.run("drop").is_quiet_success(), "No grant is live.\n");
}

#[test]
fn unlock_asks_for_a_hand_only_where_the_daemon_does() {
    let home = Home::new();
    let server = serve(&home, "unlock", "approved");
    let run = home.run("unlock --print");
    assert_eq!((run.code, run.stdout), (Some(0), format!("{PAGE}\nUnlocked.\n")), "{}", run.stderr);
    assert_eq!(server.lines(), ["DELETE /v1/lock", PAGES, WAIT]);
}

#[test]
fn an_unlock_whose_page_cannot_be_shown_is_withdrawn() {
    let home = Home::new();
    let server = serve(&home, "unlock", "approved");
    home.run("unlock").is_one_line(11);
    assert_eq!(server.lines(), ["DELETE /v1/lock", WITHDRAW]);
}
