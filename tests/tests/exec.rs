//! `tegata exec` against the real daemon: what its endpoint gives, to whom, and for how long.
#![allow(clippy::unwrap_used, clippy::panic, reason = "this is a test")]

use serde_json::{Value, json};
use std::net::TcpStream;
use std::time::Duration;
use tegata_sandbox::Operation;
use tegata_tests::exec::Exec;
use tegata_tests::gated::{gated, records};
use tegata_tests::product::{Product, run, wait_until};

fn signed_in() -> Product {
    let mut product = Product::new();
    product.store_in_files();
    product.start_daemon();
    product.sign_in();
    product
}

fn released(product: &Product) -> usize {
    records(product, "released").len()
}

#[test]
fn the_endpoint_gives_what_the_daemon_has_and_every_release_is_written_down() {
    let product = signed_in();
    let exec = Exec::start(&product, &["dev"]);
    let before = released(&product);
    let credentials = exec.get().json();
    let names: Vec<_> = credentials.as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(names, ["AccessKeyId", "AccountId", "Expiration", "SecretAccessKey", "Token"]);
    let by_process: Value = serde_json::from_str(&product.credentials("dev").stdout).unwrap();
    assert_eq!(
        (&credentials["AccessKeyId"], &credentials["Token"]),
        (&by_process["AccessKeyId"], &by_process["SessionToken"])
    );
    assert_eq!(released(&product) - before, 2);
    assert_eq!(product.sandbox().calls(Operation::GetRoleCredentials), 1);
    assert_eq!(exec.ends(), 0);
}

#[test]
fn a_restart_of_the_daemon_is_not_noticed_below_exec() {
    let mut product = signed_in();
    let exec = Exec::start(&product, &["dev"]);
    for _ in 0..2 {
        product.kill_daemon();
        product.start_daemon();
        assert_eq!(exec.get().json()["AccountId"], "123456789012");
    }
    assert_eq!(product.sandbox().calls(Operation::CreateTokenAuthorizationCode), 1, "nobody had to sign in again");
}

#[test]
fn a_daemon_that_cannot_come_back_is_a_passing_failure_in_words() {
    let mut product = signed_in();
    product.never_start_a_daemon();
    let exec = Exec::start(&product, &["dev"]);
    product.kill_daemon();
    let answer = exec.get();
    assert_eq!((answer.status, &answer.json()["code"]), (503, &json!("daemon_unreachable")), "{answer:?}");
    product.start_daemon();
    assert_eq!(exec.get().status, 200);
}

#[test]
fn an_ended_sign_in_is_said_with_what_mends_it_and_the_next_one_is_served() {
    let mut product = Product::new();
    product.sandbox().configure(|settings| settings.lifetimes.role_credentials = Some(Duration::from_secs(5)));
    product.start_daemon();
    product.sign_in();
    let exec = Exec::start(&product, &["dev"]);
    product.sandbox().end_sign_in_sessions();
    let mut refused = exec.get();
    wait_until("nothing live is left", || {
        refused = exec.get();
        refused.status != 200
    });
    let line = "tegata: sign-in session corp has ended; run: tegata login corp";
    assert_eq!(refused.status, 403);
    assert_eq!(
        refused.json(),
        json!({ "code": "sign_in_required", "message": line, "Code": "sign_in_required", "Message": line })
    );
    product.sign_in();
    assert_eq!(exec.get().status, 200);
    product.assert_no_canaries();
}

#[test]
fn locked_is_locked_below_exec_too() {
    let product = signed_in();
    let exec = Exec::start(&product, &["dev"]);
    assert_eq!(product.run(&["lock"]).code, 0);
    let answer = exec.get();
    assert_eq!((answer.status, &answer.json()["Code"]), (403, &json!("locked")));
    assert_eq!(product.run(&["exec", "dev", "--", "true"]).code, 12);
    assert_eq!(product.run(&["unlock"]).code, 0);
    assert_eq!(exec.get().status, 200);
}

#[test]
fn the_endpoint_and_everything_of_it_is_gone_once_the_command_has_ended() {
    let product = signed_in();
    let exec = Exec::start(&product, &["dev"]);
    let (address, token, config) = (exec.address(), exec.token().to_owned(), exec.variables["AWS_CONFIG_FILE"].clone());
    assert!(std::path::Path::new(&config).exists());
    let canaries = product.canaries().and(&token);
    tegata_tests::canaries::assert_none(&canaries.find_under(&product.path("")));
    assert_eq!(exec.ends(), 0);
    assert!(TcpStream::connect(address).is_err() && !std::path::Path::new(&config).exists());
    tegata_tests::canaries::assert_none(&canaries.find_under(&product.path("")));
    product.assert_no_canaries();
}

#[test]
fn what_a_killed_exec_leaves_behind_goes_with_the_next() {
    let product = signed_in();
    let exec = Exec::start(&product, &["dev"]);
    let config = std::path::PathBuf::from(&exec.variables["AWS_CONFIG_FILE"]);
    // A drop kills it.
    drop(exec);
    assert!(config.exists(), "nobody could tidy up");
    assert_eq!(product.run(&["exec", "dev", "--", "true"]).code, 0);
    assert!(!config.exists());
}

#[test]
fn e4_e7_a_whole_run_leaves_secrets_in_no_place_but_the_commands_environment() {
    let mut product = Product::new();
    for name in ["TEGATA_LOG", "RUST_LOG"] {
        product.environment.push((name.to_owned(), "trace".to_owned()));
    }
    product.store_in_files();
    product.start_daemon();
    product.sign_in();
    let exec = Exec::start(&product, &["dev"]);
    let canaries = product.canaries().and(exec.token());
    assert_eq!(exec.get().status, 200);
    assert_eq!(exec.get_with("/", &[]).status, 404);
    assert_eq!(exec.get_with("/", &[("Origin", "null")]).status, 403);
    tegata_tests::canaries::assert_none(&canaries.find_in_process(exec.pid()));
    assert_eq!(exec.ends(), 0);
    let env = product.run(&["exec", "dev", "--env", "--", "sh", "-c", "echo ${#AWS_SECRET_ACCESS_KEY}"]);
    assert!(env.code == 0 && env.stdout.trim().parse::<usize>().unwrap() > 20, "{env:?}");
    tegata_tests::canaries::assert_none(&canaries.find_under(&product.path("")));
    product.assert_no_canaries();
}

#[test]
fn e4_twin_the_commands_environment_is_where_the_token_is() {
    let product = signed_in();
    let exec = Exec::start(&product, &["dev"]);
    let canaries = product.canaries().and(exec.token());
    let child = std::fs::read_to_string(format!("/proc/{0}/task/{0}/children", exec.pid())).unwrap();
    let child = child.split_whitespace().next().unwrap().parse().unwrap();
    assert!(!canaries.find_in_process(child).is_empty());
}

#[test]
fn a_gated_profile_starts_nothing_without_a_hand_and_runs_on_with_one() {
    let (product, mut hand) = gated(Product::new());
    let refused = product.run(&["exec", "admin", "--wait", "0", "--", "touch", "started"]);
    assert_eq!((refused.code, refused.stdout.as_str()), (11, ""), "{refused:?}");
    assert!(
        refused.stderr.starts_with("tegata: admin is gated and waits for a hand; run: tegata approve "),
        "{refused:?}"
    );
    assert!(!product.path("started").exists());
    product.elevate(&mut hand, &json!({ "profile": "admin", "seconds": 600, "reason": "INC-42" }));
    let exec = Exec::start(&product, &["admin"]);
    assert_eq!(exec.get().status, 200);
    assert_eq!(product.run(&["drop", "admin"]).code, 0);
    let after = exec.get();
    assert_eq!((after.status, &after.json()["code"]), (403, &json!("elevation_required")), "{after:?}");
    product.assert_no_canaries();
}

#[test]
fn a_gated_profile_is_waited_for_before_the_command_starts_and_never_behind_the_endpoint() {
    let (product, mut hand) = gated(Product::new());
    std::thread::scope(|scope| {
        let waits = scope.spawn(|| product.run(&["exec", "admin", "--", "sh", "-c", "echo $TEGATA_PROFILE"]));
        let request = product.parked();
        hand.approve(&product.page(request["id"].as_str().unwrap())).unwrap();
        let ended = waits.join().unwrap();
        assert_eq!((ended.code, ended.stdout.as_str()), (0, "admin\n"), "{ended:?}");
    });
    let exec = Exec::start(&product, &["admin"]);
    assert_eq!(product.run(&["drop", "admin"]).code, 0);
    let codes: Vec<_> = (0..4).map(|_| exec.get().json()["code"].clone()).collect();
    assert!(codes.iter().all(|code| code == "elevation_required"), "{codes:?}");
    assert_eq!(product.waiting().len(), 1, "one request, however often a tool tries");
    hand.approve(&product.page(product.parked()["id"].as_str().unwrap())).unwrap();
    assert_eq!(exec.get().status, 200);
}

#[test]
fn read_only_is_the_narrower_sibling_also_of_a_gated_profile() {
    let (product, _hand) = gated(Product::new());
    let listed: Value = serde_json::from_str(&product.run(&["list", "--json"]).stdout).unwrap();
    assert_eq!(listed["profiles"][1]["read_only"], "dev", "{listed}");
    let exec = Exec::start(&product, &["admin", "--read-only"]);
    assert_eq!(exec.variables["TEGATA_PROFILE"], "dev");
    assert_eq!(exec.get().status, 200);
    product.write_aws_config(&product.default_aws_config().replace("ReadOnly", "Developer"));
    let none = product.run(&["exec", "admin", "--read-only", "--", "true"]);
    assert!(none.code == 13 && none.stderr.contains("admin has no read-only sibling"), "{none:?}");
    let config = product.default_aws_config();
    let other = config.split("[profile dev]").nth(1).unwrap().split("[profile").next().unwrap();
    let named = format!("{}\ntegata_read_only = other\n[profile other]{other}", config.trim_end());
    product.write_aws_config(&named);
    assert_eq!(Exec::start(&product, &["admin", "--read-only"]).variables["TEGATA_PROFILE"], "other");
}

#[test]
fn env_prints_what_a_shell_takes_over() {
    let product = signed_in();
    let ended = run(&mut product.tegata(&["env", "dev"]));
    assert_eq!((ended.code, ended.stderr.as_str()), (0, ""));
    let mut shell = product.command("sh");
    shell.args(["-c", &format!("{}echo $AWS_ACCESS_KEY_ID $AWS_REGION ${{AWS_PROFILE-none}}", ended.stdout)]);
    let seen = run(shell.env("AWS_PROFILE", "other"));
    assert!(seen.stdout.starts_with("ASIA") && seen.stdout.ends_with(" us-east-1 none\n"), "{seen:?}");
}
