//! AWS CLI v2 and boto3, which nobody here wrote, against the doubles of what has no person in it: a role for a token, the
//! metadata service of an instance, the credentials endpoint of a task.

#![cfg(feature = "system")]

use std::fs;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use tegata_sandbox::{Algorithm, IamRole, Operation, Sandbox, SignedBy, TokenOrder};
use tegata_tests::client;
use tempfile::TempDir;

const ROLE: &str = "arn:aws:iam::210987654321:role/Deploy";
const ISSUER: &str = "https://token.actions.githubusercontent.com";
const DEPLOYED: &str = "arn:aws:sts::210987654321:assumed-role/Deploy/job";

/// A machine without a person: an empty home, and what a client finds in its environment.
struct Machine {
    home: TempDir,
    sandbox: Sandbox,
}

#[derive(Clone, Copy, Debug)]
enum Client {
    AwsCli,
    Boto3,
}

const CLIENTS: [Client; 2] = [Client::AwsCli, Client::Boto3];

impl Machine {
    fn new() -> Self {
        let sandbox = Sandbox::start().unwrap();
        sandbox.configure(|settings| settings.iam_roles = vec![IamRole::for_tokens(ROLE, ISSUER, "repo:octo-org/*")]);
        Self { home: tempfile::tempdir().unwrap(), sandbox }
    }

    fn run(&self, client: Client, more: &[(&str, &str)]) -> Output {
        let mut command = Command::new("timeout");
        command.args(["-k", "5", "120"]);
        match client {
            Client::AwsCli => {
                command.arg(tegata_tests::client("awscli-v2/dist/aws")).args(["sts", "get-caller-identity"])
            }
            Client::Boto3 => command.arg(tegata_tests::client("python/bin/python")).args(["-c", BOTO3]),
        };
        command.env_clear().env("HOME", self.home.path()).env("PATH", "/usr/bin:/bin");
        command.env("AWS_REGION", "us-east-1").env("AWS_DEFAULT_REGION", "us-east-1");
        command.env("AWS_ENDPOINT_URL_STS", self.sandbox.url()).env("AWS_MAX_ATTEMPTS", "1");
        command.envs(more.iter().copied()).output().unwrap()
    }

    fn identity(&self, client: Client, more: &[(&str, &str)]) -> String {
        let output = self.run(client, more);
        assert!(output.status.success(), "{client:?}: {output:?}");
        let text = String::from_utf8(output.stdout).unwrap();
        let arn = text.split('"').find(|part| part.starts_with("arn:aws:sts::"));
        arn.unwrap_or_else(|| panic!("{client:?}: {text}")).to_owned()
    }

    fn refusal(&self, client: Client, more: &[(&str, &str)]) -> String {
        let output = self.run(client, more);
        assert!(!output.status.success(), "{client:?}: {output:?}");
        String::from_utf8_lossy(&output.stderr).into_owned()
    }

    fn token_file(&self, order: &TokenOrder) -> String {
        let file = self.home.path().join("token");
        fs::write(&file, self.sandbox.web_identity_token(order)).unwrap();
        file.display().to_string()
    }
}

const BOTO3: &str = "import boto3, json; print(json.dumps(boto3.client('sts').get_caller_identity()['Arn']))";

fn for_token(file: &str) -> [(&str, &str); 4] {
    [
        ("AWS_WEB_IDENTITY_TOKEN_FILE", file),
        ("AWS_ROLE_ARN", ROLE),
        ("AWS_ROLE_SESSION_NAME", "job"),
        ("AWS_EC2_METADATA_DISABLED", "true"),
    ]
}

#[test]
fn a_token_in_a_file_is_a_role_for_other_peoples_clients() {
    let machine = Machine::new();
    for algorithm in [Algorithm::Rs256, Algorithm::Es256] {
        let file = machine.token_file(&TokenOrder { algorithm, ..TokenOrder::default() });
        for client in CLIENTS {
            assert_eq!(machine.identity(client, &for_token(&file)), DEPLOYED);
        }
    }
    let asked = machine.sandbox.requests_of(Operation::AssumeRoleWithWebIdentity);
    assert_eq!(asked.len(), 4);
    assert!(asked.iter().all(|request| !request.headers.contains_key("authorization")));
}

#[test]
fn other_peoples_clients_are_told_why_a_token_is_refused() {
    let machine = Machine::new();
    let wrong = TokenOrder::default();
    for (order, code) in [
        (TokenOrder { signed_by: SignedBy::Forger, ..wrong.clone() }, "InvalidIdentityToken"),
        (TokenOrder { life: -60, ..wrong.clone() }, "ExpiredTokenException"),
        (TokenOrder { subject: "repo:evil-org/x".to_owned(), ..wrong.clone() }, "AccessDenied"),
    ] {
        let file = machine.token_file(&order);
        for client in CLIENTS {
            let refusal = machine.refusal(client, &for_token(&file));
            assert!(refusal.contains(&format!("({code})")), "{client:?}: {refusal}");
        }
    }
    machine.sandbox.configure(|settings| settings.identity_providers[0].reachable = false);
    let file = machine.token_file(&wrong);
    let refusal = machine.refusal(Client::Boto3, &for_token(&file));
    assert!(refusal.contains("(IDPCommunicationError)"), "{refusal}");
}

#[test]
fn the_signature_of_a_token_holds_for_other_peoples_cryptography() {
    let machine = Machine::new();
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("clients/jwt_check.py");
    for (algorithm, name) in [(Algorithm::Rs256, "RS256"), (Algorithm::Es256, "ES256")] {
        let token = machine.sandbox.web_identity_token(&TokenOrder { algorithm, ..TokenOrder::default() });
        let mut check = Command::new(client("python/bin/python"));
        let mut check =
            check.arg(&script).arg(machine.sandbox.url()).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        std::io::Write::write_all(&mut check.stdin.take().unwrap(), token.as_bytes()).unwrap();
        let output = check.wait_with_output().unwrap();
        let said = String::from_utf8(output.stdout).unwrap();
        assert_eq!(said.trim(), format!("{name} repo:octo-org/octo-repo:ref:refs/heads/main"));
    }
}

#[test]
fn the_role_of_an_instance_is_found_by_other_peoples_clients() {
    let machine = Machine::new();
    let url = machine.sandbox.url();
    for client in CLIENTS {
        let arn = machine.identity(client, &[("AWS_EC2_METADATA_SERVICE_ENDPOINT", &url)]);
        assert_eq!(arn, "arn:aws:sts::123456789012:assumed-role/Build/i-0123456789abcdef0");
    }
    let requests = machine.sandbox.requests();
    assert!(requests.iter().all(|request| request.status.is_none_or(|status| status < 400)), "{requests:?}");
    assert!(machine.sandbox.calls(Operation::MetadataToken) >= 2);
}

#[test]
fn the_role_of_a_task_is_found_by_other_peoples_clients() {
    let machine = Machine::new();
    let url = format!("{}{}", machine.sandbox.url(), machine.sandbox.settings().container.path);
    for client in CLIENTS {
        let arn = machine.identity(client, &[("AWS_CONTAINER_CREDENTIALS_FULL_URI", &url)]);
        assert!(arn.starts_with("arn:aws:sts::123456789012:assumed-role/Task/"), "{arn}");
    }
}
