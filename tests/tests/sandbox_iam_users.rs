//! AWS CLI v2 and boto3, which nobody here wrote, against the sandbox's IAM users: keys, sessions, codes, roles that require them.

#![cfg(feature = "system")]

use std::io::Write;
use std::process::{Command, Output, Stdio};
use std::time::Duration;

use serde_json::Value;
use tegata_sandbox::{AccessKey, Operation, Sandbox};
use tegata_tests::client;
use tempfile::TempDir;

const ALICE: &str = "arn:aws:iam::123456789012:user/alice";
const PHONE: &str = "arn:aws:iam::123456789012:mfa/alice";
const DEPLOY: &str = "arn:aws:iam::210987654321:role/Deploy";
const SESSION: &str = "\
import boto3, sys
sts = boto3.client('sts')
made = sts.get_session_token(SerialNumber=sys.argv[1], TokenCode=sys.argv[2], DurationSeconds=900)['Credentials']
session = boto3.Session(made['AccessKeyId'], made['SecretAccessKey'], made['SessionToken'])
print(session.client('sts').get_caller_identity()['Arn'])
role = session.client('sts').assume_role(RoleArn=sys.argv[3], RoleSessionName='alice', DurationSeconds=14400)
print(role['AssumedRoleUser']['Arn'])
try:
    session.client('sts').get_federation_token(Name='alice')
except Exception as error:
    print(error)
";

/// A home with Alice's key in the shared credentials file, as keys lie about; the clock is at the start of a step.
struct Machine {
    sandbox: Sandbox,
    home: TempDir,
    key: AccessKey,
}

impl Machine {
    fn new() -> Self {
        let sandbox = Sandbox::start().unwrap();
        sandbox.move_clock(30_000 - sandbox.now_ms().rem_euclid(30_000));
        sandbox.add_iam_user(ALICE).unwrap();
        sandbox.enable_mfa(ALICE, PHONE).unwrap();
        sandbox.configure(|settings| settings.iam_roles[0].trust.requires_mfa = true);
        let key = sandbox.create_access_key(ALICE).unwrap();
        let home = tempfile::tempdir().unwrap();
        let credentials =
            format!("[default]\naws_access_key_id = {}\naws_secret_access_key = {}\n", key.id, key.secret);
        std::fs::write(home.path().join("credentials"), credentials).unwrap();
        let role = format!("[profile deploy]\nrole_arn = {DEPLOY}\nsource_profile = default\nmfa_serial = {PHONE}\n");
        std::fs::write(home.path().join("config"), role).unwrap();
        Self { sandbox, home, key }
    }

    /// Runs a client, two minutes at most, without a terminal: what it asks a person for is read from this text.
    fn run(&self, program: &str, arguments: &[&str], said: &str) -> Output {
        let mut command = Command::new("setsid");
        command.args(["-w", "timeout", "-k", "5", "120"]).arg(client(program)).args(arguments).env_clear();
        command.env("HOME", self.home.path()).env("PATH", "/usr/bin:/bin").env("AWS_REGION", "us-east-1");
        command.env("AWS_DEFAULT_REGION", "us-east-1");
        command.env("AWS_CONFIG_FILE", self.home.path().join("config"));
        command.env("AWS_SHARED_CREDENTIALS_FILE", self.home.path().join("credentials"));
        command.env("AWS_ENDPOINT_URL_STS", self.sandbox.url()).env("PYTHONDONTWRITEBYTECODE", "1");
        let mut child =
            command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("it runs");
        let _ = child.stdin.take().unwrap().write_all(said.as_bytes());
        child.wait_with_output().unwrap()
    }

    fn aws(&self, arguments: &str) -> Output {
        let arguments: Vec<&str> = arguments.split_whitespace().collect();
        self.run("awscli-v2/dist/aws", &arguments, "")
    }

    fn code(&self) -> String {
        self.sandbox.mfa_code(PHONE).unwrap()
    }
}

fn text(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
}

#[test]
fn aws_cli_is_the_user_and_an_inactive_key_is_nobody() {
    let machine = Machine::new();
    let identity: Value = serde_json::from_slice(&machine.aws("sts get-caller-identity").stdout).unwrap();
    assert_eq!(identity["Arn"], ALICE);
    machine.sandbox.set_access_key_active(ALICE, &machine.key.id, false).unwrap();
    let refused = machine.aws("sts get-caller-identity");
    assert!(!refused.status.success() && text(&refused).contains("(InvalidClientTokenId)"), "{refused:?}");
}

#[test]
fn aws_cli_makes_a_session_with_a_code_once() {
    let machine = Machine::new();
    let asked = format!("sts get-session-token --serial-number {PHONE} --token-code {}", machine.code());
    let session: Value = serde_json::from_slice(&machine.aws(&asked).stdout).unwrap();
    assert!(session["Credentials"]["AccessKeyId"].as_str().unwrap().starts_with("ASIA"));
    let again = text(&machine.aws(&asked));
    let refusal = "(AccessDenied) when calling the GetSessionToken operation: \
                   MultiFactorAuthentication failed with invalid MFA one time pass code.";
    assert!(again.contains(refusal), "{again}");
    machine.sandbox.advance(Duration::from_secs(30));
    let next = format!("sts get-session-token --serial-number {PHONE} --token-code {}", machine.code());
    assert!(machine.aws(&next).status.success());
}

#[test]
fn aws_cli_asks_for_a_code_where_a_role_requires_one() {
    let machine = Machine::new();
    let arguments = ["sts", "get-caller-identity", "--profile", "deploy", "--query", "Arn", "--output", "text"];
    let asked = machine.run("awscli-v2/dist/aws", &arguments, &format!("{}\n", machine.code()));
    assert!(text(&asked).contains("arn:aws:sts::210987654321:assumed-role/Deploy/"), "{asked:?}");
    assert_eq!(machine.sandbox.assumed_roles()[0].serial_number.as_deref(), Some(PHONE));
    let without = machine.aws(&format!("sts assume-role --role-arn {DEPLOY} --role-session-name alice"));
    assert!(!without.status.success() && text(&without).contains("(AccessDenied)"), "{without:?}");
}

#[test]
fn boto3_makes_a_session_that_assumes_a_role_for_hours_and_calls_nothing_else() {
    let machine = Machine::new();
    let code = machine.code();
    let said = text(&machine.run("python/bin/python", &["-W", "ignore", "-c", SESSION, PHONE, &code, DEPLOY], ""));
    let lines: Vec<&str> = said.lines().collect();
    assert_eq!(lines[..2], [ALICE, "arn:aws:sts::210987654321:assumed-role/Deploy/alice"], "{said}");
    assert!(lines[2].contains("Cannot call GetFederationToken with session credentials"), "{said}");
    assert_eq!(machine.sandbox.calls(Operation::GetSessionToken), 1);
}
