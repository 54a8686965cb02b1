//! AWS clients which nobody here wrote, fed by `credential_process`: each is served, renews across expiry, and shows its
//! user what its own way of showing errors leaves of our one line. The sandbox verifies every signature.

#![cfg(feature = "system")]

use std::fs::File;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;
use tegata_sandbox::{Operation, RecordedRequest};
use tegata_tests::product::{Ended, PATIENCE, Product, run, wait_until};
use tegata_tests::{client, program};

/// A life of role credentials that a test can outlast. The daemon hands out at least a third of it.
const SHORT: Duration = Duration::from_secs(9);

/// A life that two calls of the slowest client fit into on a busy machine, since nothing renews them.
const LAST: Duration = Duration::from_secs(25);

const READ_ONLY: &str = "arn:aws:sts::123456789012:assumed-role/AWSReservedSSO_ReadOnly_";

/// What our one line is when the sign-in has ended.
const MENDS: &str = "tegata: sign-in session corp has ended; run: tegata login corp";

/// A client and where it takes its credentials from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    AwsCliV2,
    AwsCliV1,
    Boto3,
    JsDefaultChain,
    JsFromProcess,
    RustSdk,
}

/// What one signed call came to.
#[derive(Debug, PartialEq, Eq)]
enum Called {
    /// Who AWS says we are.
    Arn(String),
    /// What the client's user sees.
    Error(String),
}

impl Kind {
    /// Whether every call is a process of its own.
    fn ends_after_one_call(self) -> bool {
        matches!(self, Self::AwsCliV2 | Self::AwsCliV1)
    }

    fn command(self, product: &Product) -> Command {
        let mut command = match self {
            Self::AwsCliV2 => product.command(client("awscli-v2/dist/aws")),
            Self::AwsCliV1 => product.command(client("python/bin/aws")),
            Self::Boto3 => script(product, &client("python/bin/python"), "boto3_sdk.py"),
            Self::JsDefaultChain | Self::JsFromProcess => script(product, Path::new("node"), "js_sdk.cjs"),
            Self::RustSdk => product.command(program("rust-sdk-client")),
        };
        match self {
            Self::AwsCliV2 | Self::AwsCliV1 => command.args(["sts", "get-caller-identity", "--output", "json"]),
            Self::JsDefaultChain => command.arg("default-chain").env("NODE_PATH", client("node/node_modules")),
            Self::JsFromProcess => command.arg("from-process").env("NODE_PATH", client("node/node_modules")),
            Self::Boto3 | Self::RustSdk => &mut command,
        };
        command.env("AWS_PROFILE", "dev").env("AWS_REGION", "us-east-1").env("AWS_DEFAULT_REGION", "us-east-1");
        command.env("AWS_ENDPOINT_URL_STS", product.sandbox().url()).env("AWS_EC2_METADATA_DISABLED", "true");
        command
    }

    /// Asserts that the user of this client learns what mends an ended sign-in, as far as the client lets us tell.
    fn shows_what_mends(self, error: &str) {
        match self {
            // It tries the next source of its chain and forgets what this one said.
            Self::JsDefaultChain => assert!(error.contains("Could not load credentials from any providers"), "{error}"),
            Self::AwsCliV2 | Self::AwsCliV1 | Self::Boto3 => {
                assert!(
                    error.contains(&format!("Error when retrieving credentials from custom-process: {MENDS}")),
                    "{error}"
                );
            }
            Self::JsFromProcess => assert!(error.contains("Command failed: ") && error.contains(MENDS), "{error}"),
            Self::RustSdk => assert!(error.contains(&format!("exit status: 10. Stderr: {MENDS}")), "{error}"),
        }
    }

    /// How often a client runs the program before it gives a call up.
    fn attempts_at_a_call(self) -> usize {
        match self {
            // Once for the profile's turn in the chain, once for the turn of processes.
            Self::JsDefaultChain => 2,
            _ => 1,
        }
    }
}

fn script(product: &Product, interpreter: &Path, name: &str) -> Command {
    let mut command = product.command(interpreter);
    command.arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("clients").join(name));
    command
}

/// A client at work: one process for all its calls where the client is a library.
struct Client<'a> {
    kind: Kind,
    product: &'a Product,
    running: Option<Running>,
}

struct Running {
    process: Child,
    calls: ChildStdin,
    answers: Receiver<String>,
    stderr: PathBuf,
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

impl<'a> Client<'a> {
    fn start(kind: Kind, product: &'a Product) -> Self {
        let running = (!kind.ends_after_one_call()).then(|| Running::start(kind, product));
        Self { kind, product, running }
    }

    /// Makes one signed call.
    fn call(&mut self) -> Called {
        match &mut self.running {
            Some(running) => running.call(),
            None => cli_call(&mut self.kind.command(self.product)),
        }
    }

    fn succeeds(&mut self) {
        match self.call() {
            Called::Arn(arn) => assert!(arn.starts_with(READ_ONLY) && arn.ends_with("/alice"), "{arn}"),
            Called::Error(error) => panic!("{:?}: {error}\n{}", self.kind, self.product.daemon_log()),
        }
    }
}

impl Running {
    fn start(kind: Kind, product: &Product) -> Self {
        let stderr = product.path("client.stderr");
        let mut command = kind.command(product);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(File::create(&stderr).unwrap());
        let mut process = command.spawn().unwrap();
        let (calls, output) = (process.stdin.take().unwrap(), process.stdout.take().unwrap());
        let (sender, answers) = channel();
        std::thread::spawn(move || {
            BufReader::new(output).lines().map_while(Result::ok).try_for_each(|line| sender.send(line))
        });
        Self { process, calls, answers, stderr }
    }

    fn call(&mut self) -> Called {
        self.calls.write_all(b"\n").unwrap();
        let answer = self.answers.recv_timeout(PATIENCE);
        let answer = answer.unwrap_or_else(|_| panic!("no answer: {}", std::fs::read_to_string(&self.stderr).unwrap()));
        match answer.split_once(' ').unwrap() {
            ("ok", arn) => Called::Arn(arn.to_owned()),
            ("error", text) => Called::Error(text.to_owned()),
            _ => panic!("{answer}"),
        }
    }
}

fn cli_call(command: &mut Command) -> Called {
    let Ended { code, stdout, stderr } = run(command);
    if code == 0 {
        let answer: serde_json::Value = serde_json::from_str(&stdout).unwrap();
        return Called::Arn(answer["Arn"].as_str().unwrap().to_owned());
    }
    assert_eq!((stdout.as_str(), code), ("", 255), "{stderr}");
    Called::Error(stderr)
}

/// How often a tool was served, and how often it was refused.
fn answers(product: &Product) -> (usize, usize) {
    let audit = product.audit();
    let count = |event: &str| audit.iter().filter(|record| record["event"] == event).count();
    (count("released"), count("refused"))
}

fn key_of(request: &RecordedRequest) -> String {
    let (_, scope) = request.headers["authorization"].split_once("Credential=").unwrap();
    scope.split('/').next().unwrap().to_owned()
}

/// Waits until AWS no longer accepts what the last call was signed with.
fn outlive_the_last_key(product: &Product) {
    let sandbox = product.sandbox();
    let used = key_of(sandbox.requests_of(Operation::GetCallerIdentity).last().unwrap());
    let issued = sandbox.issued_credentials().into_iter().find(|issued| issued.access_key_id == used).unwrap();
    wait_until("the credentials end", || sandbox.now_ms() >= issued.expires_ms);
}

fn signed_in(role_credentials: Option<Duration>) -> Product {
    let mut product = Product::new();
    product.sandbox().configure(|settings| settings.lifetimes.role_credentials = role_credentials);
    product.start_daemon();
    product.sign_in();
    product
}

fn is_served_and_asks_again_only_when_it_must(kind: Kind) {
    let product = signed_in(None);
    let mut client = Client::start(kind, &product);
    for _ in 0..3 {
        client.succeeds();
    }
    let asked = if kind.ends_after_one_call() { 3 } else { 1 };
    assert_eq!(answers(&product), (asked, 0), "{kind:?}");
    assert_eq!(product.sandbox().calls(Operation::GetRoleCredentials), 1, "{kind:?}");
    assert_eq!(product.sandbox().calls(Operation::GetCallerIdentity), 3, "{kind:?}");
}

fn renews_across_expiry(kind: Kind) {
    let product = signed_in(Some(SHORT));
    let mut client = Client::start(kind, &product);
    for window in 0..3 {
        if window > 0 {
            outlive_the_last_key(&product);
        }
        client.succeeds();
        client.succeeds();
    }
    let calls = product.sandbox().requests_of(Operation::GetCallerIdentity);
    assert!(calls.iter().all(|call| call.status == Some(200)), "{kind:?}: {calls:?}");
    let mut keys: Vec<String> = calls.iter().map(key_of).collect();
    keys.dedup();
    assert!(keys.len() >= 3, "{kind:?}: two expiries need three keys, not {keys:?}");
}

fn tells_its_user_when_the_sign_in_has_ended(kind: Kind) {
    let product = signed_in(Some(LAST));
    let mut client = Client::start(kind, &product);
    client.succeeds();
    product.sandbox().end_sign_in_sessions();
    client.succeeds();
    let sandbox = product.sandbox();
    wait_until("all credentials have ended", || {
        sandbox.issued_credentials().iter().all(|issued| sandbox.now_ms() >= issued.expires_ms)
    });
    let (_, refused_before) = answers(&product);
    match client.call() {
        Called::Error(error) => kind.shows_what_mends(&error),
        Called::Arn(arn) => panic!("{kind:?} is served as {arn}"),
    }
    assert_eq!(answers(&product).1 - refused_before, kind.attempts_at_a_call(), "{kind:?}");
    product.sign_in();
    client.succeeds();
}

macro_rules! stories_of {
    ($($module:ident: $kind:expr;)*) => {$(
        mod $module {
            use super::*;

            #[test]
            fn is_served_and_asks_again_only_when_it_must() {
                super::is_served_and_asks_again_only_when_it_must($kind);
            }

            #[test]
            fn renews_across_expiry() {
                super::renews_across_expiry($kind);
            }

            #[test]
            fn tells_its_user_when_the_sign_in_has_ended() {
                super::tells_its_user_when_the_sign_in_has_ended($kind);
            }
        }
    )*};
}

stories_of! {
    aws_cli_v2: Kind::AwsCliV2;
    aws_cli_v1: Kind::AwsCliV1;
    boto3: Kind::Boto3;
    js_default_chain: Kind::JsDefaultChain;
    js_from_process: Kind::JsFromProcess;
    rust_sdk: Kind::RustSdk;
}

#[test]
fn they_are_the_versions_the_reference_measured() {
    let product = Product::new();
    let says = |command: &mut Command| run(command).stdout;
    assert!(says(product.command(client("awscli-v2/dist/aws")).arg("--version")).starts_with("aws-cli/2.38.5 "));
    assert!(says(product.command(client("python/bin/aws")).arg("--version")).starts_with("aws-cli/1.46.3 "));
    let boto3 = "import boto3; print(boto3.__version__)";
    assert_eq!(says(product.command(client("python/bin/python")).args(["-c", boto3])), "1.44.5\n");
    let js = "console.log(require('@aws-sdk/credential-providers/package.json').version)";
    let mut node = product.command("node");
    node.env("NODE_PATH", client("node/node_modules")).args(["-e", js]);
    assert_eq!(says(&mut node), "3.1169.0\n");
}
