//! `env`: what is printed, where, and what keeps it from being printed.

use crate::support::{Home, Run, Server, json};
use serde_json::{Value, json as value};

fn home() -> (Home, Server) {
    let home = Home::new();
    let server = Server::start(&home, |_| {
        json(
            200,
            &value!({"AccessKeyId": "ASIAX", "SecretAccessKey": "CANARY/sk+", "Token": "CANARYst=",
                "Expiration": "2026-11-22T09:07:58Z", "AccountId": "123456789012"}),
        )
    });
    (home, server)
}

#[test]
fn a_shell_takes_over_what_is_printed_and_loses_what_would_be_taken_before_it() {
    let (home, _server) = home();
    let text = home.run("env dev --region eu-west-1").is_quiet_success().to_owned();
    let mut shell = std::process::Command::new("sh");
    shell.args(["-c", &format!("{text}env")]).env_clear().env("PATH", "/usr/bin:/bin");
    for name in ["AWS_PROFILE", "AWS_SECURITY_TOKEN", "AWS_CONTAINER_CREDENTIALS_FULL_URI", "AWS_DEFAULT_PROFILE"] {
        shell.env(name, "in the way");
    }
    let run = Run::of(&mut shell);
    let seen = run.is_quiet_success();
    assert!(!seen.contains("in the way"), "{seen}");
    for line in [
        "AWS_SECRET_ACCESS_KEY=CANARY/sk+\n",
        "AWS_SESSION_TOKEN=CANARYst=\n",
        "AWS_REGION=eu-west-1\n",
        "AWS_DEFAULT_REGION=eu-west-1\n",
        "AWS_CREDENTIAL_EXPIRATION=2026-11-22T09:07:58Z\n",
    ] {
        assert!(seen.contains(line), "{line} is not in {seen}");
    }
}

#[test]
fn every_format_is_printed_and_json_is_json() {
    let (home, _server) = home();
    for (format, start) in [
        ("bash", "unset "),
        ("fish", "set -e "),
        ("powershell", "Remove-Item "),
        ("dotenv", "AWS_ACCESS_KEY_ID=ASIAX\n"),
    ] {
        let run = home.run(&format!("env dev --format {format}"));
        assert!(run.is_quiet_success().starts_with(start), "{run:?}");
    }
    let run = home.run("env dev --format json");
    let object: Value = serde_json::from_str(run.is_quiet_success()).unwrap();
    assert_eq!(
        (object["AWS_SESSION_TOKEN"].as_str(), object["AWS_ACCOUNT_ID"].as_str()),
        (Some("CANARYst="), Some("123456789012"))
    );
}

#[test]
fn e8_variables_are_refused_to_a_terminal_before_anything_is_asked_for() {
    let (home, server) = home();
    let run = home.run_on_terminal("env dev", "");
    assert!(run.code == Some(2) && run.stdout.contains("pass --force") && !run.stdout.contains("CANARY"), "{run:?}");
    assert_eq!(server.requests().len(), 0);
}

#[test]
fn e8_twin_force_prints_variables_to_a_terminal() {
    let (home, _server) = home();
    let run = home.run_on_terminal("env dev --force", "");
    assert!(run.code == Some(0) && run.stdout.contains("CANARY/sk+"), "{run:?}");
}

#[test]
fn a_step_of_a_workflow_masks_the_values_and_hands_them_to_the_next() {
    let (home, server) = home();
    let run = home.run("env dev --format github-actions");
    assert!(run.is_one_line(2).contains("GITHUB_ENV is not set"), "{run:?}");
    assert_eq!(server.requests().len(), 0);
    let file = home.path().join("github.env");
    std::fs::write(&file, "BEFORE=1\n").unwrap();
    let run = Run::of(home.tegata(["env", "dev", "--format", "github-actions"]).env("GITHUB_ENV", &file));
    assert_eq!(run.is_quiet_success(), "::add-mask::ASIAX\n::add-mask::CANARY/sk+\n::add-mask::CANARYst=\n");
    let written = std::fs::read_to_string(&file).unwrap();
    let (before, variables) = written.split_once("AWS_ACCESS_KEY_ID<<").unwrap();
    let end = variables.lines().next().unwrap();
    assert_eq!((before, end.len()), ("BEFORE=1\n", 32));
    assert!(written.contains(&format!("AWS_SECRET_ACCESS_KEY<<{end}\nCANARY/sk+\n{end}\n")), "{written}");
}

#[test]
fn e9_an_error_leaves_standard_output_empty() {
    let home = Home::new();
    let _server = Server::always_json(
        &home,
        423,
        &value!({"code": "locked", "message": "Tegata is locked", "mend": "tegata unlock"}),
    );
    for format in ["bash", "json", "dotenv"] {
        let run = home.run(&format!("env dev --format {format}"));
        assert_eq!(run.is_one_line(12), "tegata: Tegata is locked; run: tegata unlock");
    }
}
