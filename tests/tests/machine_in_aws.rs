//! The role of an EC2 instance and of an ECS task, and what goes wrong where there is none.
#![allow(clippy::unwrap_used, clippy::panic, reason = "this is a test")]

use serde_json::json;
use std::time::Duration;
use tegata_sandbox::{Effect, Fault, Operation};
use tegata_tests::machine_in_aws::InAws;
use tegata_tests::product::Product;

fn started(mut machine: InAws) -> InAws {
    machine.product.start_daemon();
    machine
}

fn is_served(product: &Product) {
    let ended = product.credentials("ci");
    assert_eq!((ended.code, ended.stderr.as_str()), (0, ""), "{ended:?}\n{}", product.daemon_log());
}

fn refused(product: &Product, code: i32) -> String {
    let ended = product.credentials("ci");
    assert_eq!((ended.code, ended.stdout.as_str()), (code, ""), "{ended:?}\n{}", product.daemon_log());
    let line = ended.stderr.trim_end().to_owned();
    assert!(line.lines().count() == 1 && !line.contains(char::is_control), "{line:?}");
    line
}

#[test]
fn the_role_of_an_instance_opens_the_next_one_by_version_two_alone() {
    let machine = started(InAws::instance());
    let product = &machine.product;
    is_served(product);
    is_served(product);
    let sandbox = product.sandbox();
    let token = sandbox.requests_of(Operation::MetadataToken);
    assert_eq!((token.len(), token[0].method.as_str()), (1, "PUT"));
    let asked =
        [Operation::MetadataRoleName, Operation::MetadataCredentials].map(|operation| sandbox.requests_of(operation));
    assert!(asked.iter().flatten().all(|request| request.headers.contains_key("x-aws-ec2-metadata-token")));
    let assumed = sandbox.assumed_roles().pop().unwrap();
    assert_eq!(assumed.caller, "arn:aws:sts::123456789012:assumed-role/Build/i-0123456789abcdef0");
    product.assert_no_canaries();
}

#[test]
fn the_role_of_a_task_is_at_the_path_it_was_told() {
    let machine = started(InAws::task());
    is_served(&machine.product);
    let asked = machine.product.sandbox().requests_of(Operation::ContainerCredentials);
    assert_eq!(asked[0].target, machine.product.sandbox().settings().container.path);
    assert!(!asked[0].headers.contains_key("authorization"));
    machine.product.assert_no_canaries();
}

#[test]
fn a_daemon_that_is_started_by_the_command_line_is_told_the_path_too() {
    let machine = InAws::task();
    is_served(&machine.product);
    assert_eq!(machine.product.run(&["daemon", "stop"]).code, 0);
}

#[test]
fn a_task_that_was_told_nothing_or_another_host_is_none() {
    let mut machine = InAws::with("EcsContainer");
    let full = format!("{}/v2/credentials/x", machine.product.sandbox().url());
    machine.product.environment.push(("AWS_CONTAINER_CREDENTIALS_FULL_URI".to_owned(), full));
    let machine = started(machine);
    let line = refused(&machine.product, 13);
    assert!(line.contains("AWS_CONTAINER_CREDENTIALS_FULL_URI, which names any host, is not taken"), "{line}");
    assert!(line.ends_with("; run: tegata daemon stop"), "{line}");
    assert!(machine.product.sandbox().requests().is_empty());
    for (value, why) in [("", "is not set"), ("//evil.example/x", "is no path"), ("/v2/../../x", "is no path")] {
        let mut machine = InAws::with("EcsContainer");
        machine.product.environment.push(("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI".to_owned(), value.to_owned()));
        let machine = started(machine);
        let line = refused(&machine.product, 13);
        assert!(line.contains(&format!("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI {why}, as")), "{line}");
        assert!(machine.product.sandbox().requests().is_empty());
    }
}

#[test]
fn an_instance_without_a_role_says_so() {
    let machine = started(InAws::instance());
    machine.product.sandbox().configure(|settings| settings.instance.role_arn = None);
    let line = refused(&machine.product, 14);
    assert!(line.contains("(HTTP 404): the instance has no role, or this is no EC2 instance"), "{line}");
}

#[test]
fn nobody_answering_is_no_instance_and_is_not_waited_for() {
    let machine = InAws::instance();
    let settings = machine.product.path(".config/tegata/config.toml");
    let text = std::fs::read_to_string(&settings).unwrap();
    let url = machine.product.sandbox().url();
    let nobody = text.replace(&format!("ec2_metadata = \"{url}\""), "ec2_metadata = \"http://127.0.0.1:1\"");
    std::fs::write(&settings, nobody).unwrap();
    let machine = started(machine);
    let line = refused(&machine.product, 14);
    assert!(line.contains("AWS did not answer at the metadata service of EC2: not reached"), "{line}");
    assert!(line.contains("; this is no EC2 instance, or a container behind its hop limit"), "{line}");
}

#[test]
fn a_metadata_service_that_hangs_is_given_up() {
    let machine = started(InAws::instance());
    machine.product.sandbox().fault(Fault::on(Operation::MetadataToken, Effect::Hang));
    let line = refused(&machine.product, 14);
    assert!(line.contains("at the metadata service of EC2: no answer in time"), "{line}");
}

#[test]
fn d9_what_the_metadata_service_says_is_not_believed_blindly() {
    let good = json!({
        "Code": "Success", "AccessKeyId": "ASIAEXAMPLE", "SecretAccessKey": "secret", "Token": "token",
        "Expiration": "2126-01-01T00:00:00Z",
    });
    let mut failed = good.clone();
    failed["Code"] = "AssumeRoleUnauthorizedAccess".into();
    failed["Message"] = "EC2 cannot assume Build\u{1b}[2J".into();
    let answer = |body: String| Effect::Answer { status: 200, content_type: "application/json".to_owned(), body };
    for (operation, effect, said) in [
        (Operation::MetadataCredentials, answer(good.to_string()), "credentials with an impossible end, 2126-01-01"),
        (
            Operation::MetadataCredentials,
            answer(failed.to_string()),
            "(AssumeRoleUnauthorizedAccess): EC2 cannot assume Build\\u{1b}",
        ),
        (Operation::MetadataCredentials, Effect::Garbage, "an answer that holds no credentials"),
        (Operation::MetadataCredentials, Effect::Huge { bytes: 4 << 20 }, "the answer is longer than 1 MiB"),
        (
            Operation::MetadataCredentials,
            Effect::Redirect { location: "http://evil.example/".to_owned() },
            "a redirect",
        ),
        (Operation::MetadataRoleName, answer("../../user-data".to_owned()), "a role that is none"),
        (Operation::MetadataRoleName, answer("Build\r\nX-Evil: 1".to_owned()), "impossible"),
        (Operation::MetadataRoleName, answer("a/b".to_owned()), "a role that is none"),
        (Operation::MetadataToken, answer("a\r\nb".to_owned()), "an answer without a usable token"),
        (Operation::MetadataToken, answer(String::new()), "an answer without a usable token"),
    ] {
        let machine = started(InAws::instance());
        if said == "impossible" {
            // Its first line is a role, and that is what is asked for.
            machine.product.sandbox().fault(Fault::on(operation, effect));
            is_served(&machine.product);
            continue;
        }
        machine.product.sandbox().fault(Fault::on(operation, effect));
        let line = refused(&machine.product, 14);
        assert!(line.contains(said), "{operation}: {line}");
    }
}

#[test]
fn credentials_that_soon_end_are_renewed_by_asking_again() {
    let machine = started(InAws::instance());
    let product = &machine.product;
    product.sandbox().configure(|settings| {
        settings.instance.life = Duration::from_secs(2);
        settings.lifetimes.assumed_role = Some(Duration::from_secs(2));
    });
    is_served(product);
    let ends = product.sandbox().issued_credentials().last().unwrap().expires_ms;
    tegata_tests::product::wait_until("the credentials end", || product.sandbox().now_ms() >= ends);
    is_served(product);
    assert!(product.sandbox().calls(Operation::MetadataCredentials) >= 2);
}

#[test]
fn the_environment_is_refused_with_the_reason() {
    let machine = started(InAws::with("Environment"));
    let line = refused(&machine.product, 13);
    assert!(line.contains("takes the keys of whoever asks, and a daemon that serves all has none"), "{line}");
}
