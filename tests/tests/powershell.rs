//! Code for PowerShell, as a grammar of its language reads it. PowerShell itself is in none of the registries that tests install
//! from, so what these statements do when they run is not shown here (docs/shell.md says so).
#![cfg(feature = "system")]
#![allow(clippy::unwrap_used, clippy::panic, reason = "this is a test")]

use serde::Deserialize;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};
use tegata_tests::client;
use tegata_tests::product::Product;

/// A variable set to a string between single quotes, in which nothing is expanded.
const ASSIGNMENT: &str = "(pipeline (assignment_expression (left_assignment_expression (unary_expression (variable))) \
                          (assignment_operator) value: (assignment_value (pipeline_chain (unary_expression (string_literal \
                          (verbatim_string_characters)))))))";
/// A command with what follows its name.
const COMMAND: &str =
    "(pipeline (pipeline_chain (command command_name: (command_name) command_elements: (command_elements ";

const HOSTILE: [&str; 5] = ["$(ni pwned)", "a';ni pwned;'b", "a`'b", "@'", "開発~*?!"];

/// What the grammar says of a script.
#[derive(Debug, Deserialize)]
struct Read {
    /// The lines where it does not fit.
    wrong: Vec<usize>,
    /// The shape of each statement.
    statements: Vec<String>,
}

fn read(script: &str) -> Read {
    let program = Path::new(env!("CARGO_MANIFEST_DIR")).join("clients/powershell_syntax.py");
    let mut python = Command::new(client("python/bin/python"));
    let mut running = python.arg(program).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    running.stdin.take().unwrap().write_all(script.as_bytes()).unwrap();
    let output = running.wait_with_output().unwrap();
    assert!(output.status.success(), "{script}");
    serde_json::from_slice(&output.stdout).unwrap()
}

/// Each line is one statement, which sets a variable to a string or removes variables by plain words.
fn only_sets_and_removes(script: &str) {
    let read = read(script);
    assert_eq!((&read.wrong, read.statements.len()), (&vec![], script.lines().count()), "{script}");
    for (line, statement) in script.lines().zip(&read.statements) {
        let removes =
            line.starts_with("Remove-Item ") && statement.starts_with(COMMAND) && has_plain_words_alone(statement);
        assert!(statement == ASSIGNMENT || removes, "{line}: {statement}");
    }
}

fn has_plain_words_alone(command: &str) -> bool {
    let kinds = command[COMMAND.len()..].split('(').skip(1);
    let mut kinds = kinds.map(|kind| kind.trim_end_matches([')', ' ']));
    kinds.all(|kind| {
        ["command_argument_sep", "command_parameter", "generic_token", "bareword_argument_list"].contains(&kind)
    })
}

fn product() -> Product {
    let product = Product::new();
    let role = "tegata_sso_session = corp\ntegata_sso_account_id = 123456789012\ntegata_sso_role_name = ReadOnly\n";
    let hostile: String = HOSTILE.iter().map(|name| format!("[profile {name}]\n{role}\n")).collect();
    product.write_aws_config(&(product.default_aws_config() + &hostile));
    product
}

#[test]
fn the_grammar_takes_what_shell_init_prints_and_what_packages_hold() {
    let product = product();
    for arguments in [&["shell-init", "powershell"][..], &["shell-init", "powershell", "--prompt"]] {
        let printed = product.run(arguments);
        assert_eq!(printed.code, 0, "{printed:?}");
        let read = read(&printed.stdout);
        assert_eq!(read.wrong, [0; 0], "{}", printed.stdout);
        assert!(read.statements.iter().any(|statement| statement.starts_with("(function_statement")), "{read:?}");
    }
    let completions = std::fs::read_to_string(tegata_tests::packages::source("completions/_tegata.ps1")).unwrap();
    assert_eq!(read(&completions).wrong, [0; 0]);
    let scoop: serde_json::Value =
        serde_json::from_slice(&std::fs::read(tegata_tests::packages::source("scoop/tegata.json")).unwrap()).unwrap();
    assert_eq!(read(scoop["pre_uninstall"].as_str().unwrap()).wrong, [0; 0]);
}

#[test]
fn the_grammar_refuses_what_is_no_powershell() {
    assert_eq!(read("$a = 'x'\nif ($a) { 'y'\n").wrong.len(), 1);
    assert_eq!(read("$a = 'it's'\n").statements.len(), 0);
}

#[test]
fn e11_a_switch_sets_words_and_runs_nothing_whatever_a_profile_is_called() {
    let mut product = product();
    product.start_daemon();
    for name in HOSTILE.into_iter().chain(["dev"]) {
        let mut command = product.command(tegata_tests::program("tegata"));
        command.env("AWS_ACCESS_KEY_ID", "AKIAEXAMPLE");
        let switched = tegata_tests::product::run(command.args([
            "shell-hook",
            "switch",
            "--shell",
            "powershell",
            "--state=",
            "--",
            name,
        ]));
        assert_eq!(switched.code, 0, "{switched:?}");
        let word = name.replace('\'', "''");
        assert!(switched.stdout.contains(&format!("$env:AWS_PROFILE = '{word}'\n")), "{switched:?}");
        assert!(switched.stdout.contains("Remove-Item -LiteralPath Env:AWS_ACCESS_KEY_ID"), "{switched:?}");
        only_sets_and_removes(&switched.stdout);
    }
}

#[test]
fn e11_credentials_as_variables_set_words_and_run_nothing() {
    let product = product();
    product.sign_in();
    let printed = product.run(&["env", "dev", "--format", "powershell", "--region", "x'$(ni pwned)'"]);
    assert_eq!(printed.code, 0, "{printed:?}");
    assert!(printed.stdout.contains("$Env:AWS_REGION = 'x''$(ni pwned)'''\n"), "{printed:?}");
    only_sets_and_removes(&printed.stdout);
}
