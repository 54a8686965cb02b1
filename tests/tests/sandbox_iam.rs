//! AWS CLI v2 and boto3, which nobody here wrote, turn an access key of the sandbox's IAM over by hand.

#![cfg(feature = "system")]

use std::process::{Command, Output, Stdio};
use std::time::Duration;

use serde_json::Value;
use tegata_sandbox::{AccessKey, Operation, Sandbox};
use tegata_tests::client;

const ALICE: &str = "arn:aws:iam::123456789012:user/alice";
const ROTATION: &str = "\
import boto3, sys
iam = boto3.client('iam')
old = iam.list_access_keys()['AccessKeyMetadata'][0]['AccessKeyId']
new = iam.create_access_key()['AccessKey']
try:
    iam.create_access_key()
except iam.exceptions.LimitExceededException as error:
    print(error)
iam = boto3.Session(new['AccessKeyId'], new['SecretAccessKey']).client('iam')
iam.update_access_key(AccessKeyId=old, Status='Inactive')
for page in iam.get_paginator('list_access_keys').paginate():
    for key in page['AccessKeyMetadata']:
        print(key['UserName'], key['AccessKeyId'] == old, key['Status'], key['CreateDate'].year > 2000)
iam.delete_access_key(AccessKeyId=old)
used = iam.get_access_key_last_used(AccessKeyId=new['AccessKeyId'])['AccessKeyLastUsed']
print(used['ServiceName'], used['Region'], used['LastUsedDate'].year > 2000)
print(iam.get_user()['User']['Arn'])
";

fn run(sandbox: &Sandbox, key: &AccessKey, program: &str, arguments: &[&str]) -> Output {
    // AWS CLI makes what is not there.
    let home = tempfile::tempdir().unwrap();
    let mut command = Command::new("timeout");
    command.args(["-k", "5", "120"]).arg(client(program)).args(arguments).env_clear();
    command.env("PATH", "/usr/bin:/bin").env("HOME", home.path()).env("AWS_REGION", "eu-central-1");
    command.env("AWS_DEFAULT_REGION", "eu-central-1").env("PYTHONDONTWRITEBYTECODE", "1");
    command.env("AWS_ENDPOINT_URL", sandbox.url()).env("AWS_MAX_ATTEMPTS", "1");
    command.env("AWS_ACCESS_KEY_ID", &key.id).env("AWS_SECRET_ACCESS_KEY", &key.secret);
    command.stdin(Stdio::null()).output().expect("it runs")
}

fn text(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
}

fn ready() -> (Sandbox, AccessKey) {
    let sandbox = Sandbox::start().unwrap();
    sandbox.add_iam_user(ALICE).unwrap();
    let key = sandbox.create_access_key(ALICE).unwrap();
    (sandbox, key)
}

#[test]
fn boto3_turns_a_key_over() {
    let (sandbox, key) = ready();
    sandbox.configure(|settings| settings.page_size = 1);
    let said = text(&run(&sandbox, &key, "python/bin/python", &["-W", "ignore", "-c", ROTATION]));
    let lines: Vec<&str> = said.lines().collect();
    assert!(lines[0].contains("(LimitExceeded) when calling the CreateAccessKey operation"), "{said}");
    assert_eq!(lines[1..3], ["alice True Inactive True", "alice False Active True"], "{said}");
    assert_eq!(lines[3..], ["iam eu-central-1 True", ALICE], "{said}");
    assert!(sandbox.calls(Operation::ListAccessKeys) >= 3, "two pages");
    assert_eq!(sandbox.iam_users()[0].keys.len(), 1);
}

#[test]
fn aws_cli_makes_a_key_that_works_after_a_while() {
    let (sandbox, key) = ready();
    sandbox.configure(|settings| settings.new_key_delay = Duration::from_secs(60));
    let aws = |key: &AccessKey, arguments: &str| {
        run(&sandbox, key, "awscli-v2/dist/aws", &arguments.split_whitespace().collect::<Vec<_>>())
    };
    let made: Value = serde_json::from_slice(&aws(&key, "iam create-access-key").stdout).unwrap();
    let id = made["AccessKey"]["AccessKeyId"].as_str().unwrap();
    let new = sandbox.iam_users()[0].key(id).unwrap().clone();
    let early = text(&aws(&new, "sts get-caller-identity"));
    assert!(early.contains("(InvalidClientTokenId)"), "{early}");
    sandbox.advance(Duration::from_secs(60));
    assert!(text(&aws(&new, "sts get-caller-identity")).contains(ALICE));
    let denied = text(&aws(&new, "iam delete-access-key --access-key-id AKIAAAAAAAAAAAAAAAAA"));
    assert!(denied.contains("(NoSuchEntity)"), "{denied}");
}
