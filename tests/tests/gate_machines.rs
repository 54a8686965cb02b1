//! The gate in front of the sources without a person: nothing is read, run or asked before a hand has approved, and what is issued then
//! carries the grant.
#![allow(clippy::unwrap_used, reason = "this is a test")]

use serde_json::{Value, json};
use tegata_sandbox::Operation;
use tegata_tests::federated::Federated;
use tegata_tests::hand::Hand;
use tegata_tests::machine_in_aws::InAws;
use tegata_tests::product::Product;

const POLICY: &str = r#"{"Version":"2012-10-17","Statement":[]}"#;

fn rule(role: &str, more: &str) -> String {
    format!("[[rule]]\nname = \"ci\"\nrole = \"{role}\"\ngate = \"passkey\"\n{more}\n")
}

/// Enrols, and sees that nothing is had and nothing is asked before the hand.
fn is_refused_until_approved(product: &mut Product) -> Hand {
    product.start_daemon();
    // The first passkey goes by a fresh sign-in.
    product.sign_in();
    let hand = product.enrol("alice", None);
    product.sandbox().forget_traffic();
    let ended = product.run(&["credential-process", "--profile", "ci", "--wait", "0"]);
    assert_eq!((ended.code, ended.stdout.as_str()), (11, ""), "{ended:?}\n{}", product.daemon_log());
    assert!(product.sandbox().requests().is_empty(), "{:?}", product.sandbox().requests());
    hand
}

fn is_served_under_the_grant(product: &Product, hand: &mut Hand) -> String {
    product.elevate(hand, &json!({ "profile": "ci", "seconds": 900 }));
    let ended = product.credentials("ci");
    assert_eq!((ended.code, ended.stderr.as_str()), (0, ""), "{ended:?}\n{}", product.daemon_log());
    product.grants()[0]["id"].as_str().unwrap().to_owned()
}

fn with_rule(federated: &Federated, settings: &str) {
    let own = std::fs::read_to_string(federated.product.path(".config/tegata/config.toml")).unwrap();
    let extras = own.split("\n[endpoints]").next().unwrap().replace("store = \"memory\"\n", "");
    federated.product.write_settings(&format!("store = \"memory\"\n{settings}{extras}"));
}

#[test]
fn a_token_in_a_file_is_not_read_before_the_hand_and_the_role_carries_the_grant() {
    let mut federated = Federated::by_file();
    with_rule(&federated, &rule("Deploy", &format!("session_policy = '{POLICY}'")));
    // A token that nobody would take, and no file, are not noticed before.
    let token = std::fs::read(federated.token_file()).unwrap();
    std::fs::remove_file(federated.token_file()).unwrap();
    let mut hand = is_refused_until_approved(&mut federated.product);
    std::fs::write(federated.token_file(), token).unwrap();
    let grant = is_served_under_the_grant(&federated.product, &mut hand);
    let role = federated.product.sandbox().roles_for_tokens().pop().unwrap();
    assert!(role.session_name.ends_with(&grant), "{} {grant}", role.session_name);
    let policy: Value = serde_json::from_str(role.policy.as_deref().unwrap()).unwrap();
    assert_eq!((role.duration_seconds, policy), (900, serde_json::from_str(POLICY).unwrap()));
}

#[test]
fn a_command_is_not_run_before_the_hand() {
    let mut federated = Federated::by_command("touch \"$0.ran\"; cat \"${0%token}token.jwt\"");
    with_rule(&federated, &rule("Deploy", ""));
    let mut hand = is_refused_until_approved(&mut federated.product);
    assert!(!federated.at("token.ran").exists());
    is_served_under_the_grant(&federated.product, &mut hand);
    assert!(federated.at("token.ran").exists());
}

#[test]
fn a_job_of_github_is_not_asked_before_the_hand() {
    let mut federated = Federated::by_github();
    with_rule(&federated, &rule("Deploy", ""));
    let mut hand = is_refused_until_approved(&mut federated.product);
    let job = federated.product.sandbox().begin_github_job();
    let body = json!({ "profile": "ci", "request_url": job.request_url, "request_token": job.request_token });
    assert_eq!(federated.product.api("POST", "/v1/github-job", Some(&body)).0, 200);
    let ended = federated.product.run(&["credential-process", "--profile", "ci", "--wait", "0"]);
    assert_eq!(ended.code, 11, "a job opens no gate: {ended:?}");
    assert_eq!(federated.product.sandbox().calls(Operation::AssumeRoleWithWebIdentity), 0);
    is_served_under_the_grant(&federated.product, &mut hand);
}

#[test]
fn a_rule_for_the_kind_of_source_gates_every_role_behind_it() {
    let mut federated = Federated::by_file();
    with_rule(&federated, "[[rule]]\nname = \"tokens\"\nsource = \"web-identity\"\ngate = \"passkey\"\n");
    is_refused_until_approved(&mut federated.product);
    let ended = federated.product.run(&["credential-process", "--profile", "next", "--wait", "0"]);
    assert_eq!(ended.code, 11, "{ended:?}");
}

fn machine_is_gated(mut machine: InAws, operation: Operation) {
    let own = rule("Release", "");
    machine.product.write_settings(&format!("store = \"memory\"\n{own}"));
    let mut hand = is_refused_until_approved(&mut machine.product);
    let grant = is_served_under_the_grant(&machine.product, &mut hand);
    assert_eq!(machine.product.sandbox().calls(operation), 1);
    let assumed = machine.product.sandbox().assumed_roles().pop().unwrap();
    assert!(assumed.session_name.ends_with(&grant), "{} {grant}", assumed.session_name);
}

#[test]
fn the_role_behind_an_instance_is_gated() {
    machine_is_gated(InAws::instance(), Operation::MetadataCredentials);
}

#[test]
fn the_role_behind_a_task_is_gated() {
    machine_is_gated(InAws::task(), Operation::ContainerCredentials);
}

#[test]
fn a_rule_for_instances_and_tasks_gates_them() {
    for (mut machine, source) in [(InAws::instance(), "ec2-instance"), (InAws::task(), "ecs-container")] {
        machine
            .product
            .write_settings(&format!("store = \"memory\"\n[[rule]]\nsource = \"{source}\"\ngate = \"passkey\"\n"));
        is_refused_until_approved(&mut machine.product);
    }
}
