//! AWS clients which nobody here wrote, and the ways by which they come to credentials.
//!
//! Each makes one signed call for every line it is given and says what came of it, also below `tegata exec`: see [`under_exec`].

use crate::product::{Ended, PATIENCE, Product, run};
use crate::{client, program};
use std::fs::File;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use tegata_sandbox::RecordedRequest;

/// A client and where it takes its credentials from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names of the clients say it")]
pub enum Kind {
    AwsCliV2,
    AwsCliV1,
    Boto3,
    JsDefaultChain,
    JsFromProcess,
    RustSdk,
    GoSdk,
    JavaSdk,
}

/// How a client comes to the credentials of `dev`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Route {
    /// `credential_process` of the profile.
    CredentialProcess,
    /// The endpoint of one `tegata exec`, below which it makes all its calls.
    Exec,
    /// The variables of one `tegata exec --env`.
    ExecEnv,
}

/// What one signed call came to.
#[derive(Debug, PartialEq, Eq)]
pub enum Called {
    /// Who AWS says we are.
    Arn(String),
    /// What the client's user sees.
    Error(String),
}

/// The credentials that a client has, as far as they may be told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Held {
    /// The access key id.
    pub access_key_id: String,
    /// When the client was told that they end, in RFC 3339.
    pub ends: String,
}

/// A client at work.
#[derive(Debug)]
pub struct Client {
    kind: Kind,
    works: Works,
    daemon_log: PathBuf,
}

#[derive(Debug)]
enum Works {
    /// One process for each call.
    Anew(Command),
    /// One process for all calls.
    On(Running),
}

#[derive(Debug)]
struct Running {
    process: Child,
    calls: Option<ChildStdin>,
    answers: Receiver<String>,
    stderr: PathBuf,
}

impl Kind {
    /// Whether every call is a process of its own, unless something around it makes the calls one after the other.
    #[must_use]
    pub fn ends_after_one_call(self) -> bool {
        matches!(self, Self::AwsCliV2 | Self::AwsCliV1)
    }

    fn aws(self) -> PathBuf {
        client(if self == Self::AwsCliV2 { "awscli-v2/dist/aws" } else { "python/bin/aws" })
    }

    /// One call, for a client that ends after it.
    fn one_call(self, product: &Product) -> Command {
        let mut command = product.command(self.aws());
        command.args(["sts", "get-caller-identity", "--output", "json"]);
        with_sandbox(command, product)
    }

    /// A program that makes a call for every line of its input.
    fn calls(self, product: &Product) -> Command {
        let mut command = match self {
            Self::AwsCliV2 | Self::AwsCliV1 => script(product, Path::new("/bin/sh"), "aws_cli.sh"),
            Self::Boto3 => script(product, &client("python/bin/python"), "boto3_sdk.py"),
            Self::JsDefaultChain | Self::JsFromProcess => script(product, Path::new("node"), "js_sdk.cjs"),
            Self::RustSdk => product.command(program("rust-sdk-client")),
            Self::GoSdk => product.command(client("go/client")),
            Self::JavaSdk => java(product),
        };
        match self {
            Self::AwsCliV2 | Self::AwsCliV1 => command.arg(self.aws()),
            Self::JsDefaultChain => command.arg("default-chain").env("NODE_PATH", client("node/node_modules")),
            Self::JsFromProcess => command.arg("from-process").env("NODE_PATH", client("node/node_modules")),
            Self::Boto3 | Self::RustSdk | Self::GoSdk | Self::JavaSdk => &mut command,
        };
        with_sandbox(command, product)
    }
}

fn script(product: &Product, interpreter: &Path, name: &str) -> Command {
    let mut command = product.command(interpreter);
    command.arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("clients").join(name));
    command
}

fn java(product: &Product) -> Command {
    let built = client("java/target");
    let mut command = product.command("java");
    // Started for a handful of calls: compiling well costs more than it saves.
    command.args(["-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-cp"]);
    command.arg(format!("{}:{}/*", built.join("client-0.jar").display(), built.join("jars").display())).arg("Client");
    command
}

fn with_sandbox(mut command: Command, product: &Product) -> Command {
    command.env("AWS_ENDPOINT_URL_STS", product.sandbox().url());
    command.env("AWS_REGION", "us-east-1").env("AWS_DEFAULT_REGION", "us-east-1");
    command
}

/// Returns what runs a command of this home below `tegata exec OPTIONS`, in the command's own environment.
///
/// # Panics
/// Never, unless the command line of `tegata` changes.
#[must_use]
pub fn under_exec(product: &Product, options: &[&str], command: &Command) -> Command {
    let mut exec = product.tegata(&[&["exec"], options, &["--"]].concat());
    exec.arg(command.get_program()).args(command.get_args());
    exec.envs(command.get_envs().filter_map(|(name, value)| Some((name, value?))));
    exec
}

impl Client {
    /// Starts a client that comes to `dev` by a route.
    #[must_use]
    pub fn start(kind: Kind, route: Route, product: &Product) -> Self {
        let works = match route {
            Route::CredentialProcess => return Self::as_profile(kind, "dev", product),
            Route::Exec => Works::On(Running::start(product, under_exec(product, &["dev"], &kind.calls(product)))),
            Route::ExecEnv => {
                Works::On(Running::start(product, under_exec(product, &["dev", "--env"], &kind.calls(product))))
            }
        };
        Self { kind, works, daemon_log: product.path("daemon.log") }
    }

    /// Starts a client that comes to a profile by its `credential_process`.
    #[must_use]
    pub fn as_profile(kind: Kind, profile: &str, product: &Product) -> Self {
        let works = if kind.ends_after_one_call() {
            Works::Anew(alone(kind.one_call(product), profile))
        } else {
            Works::On(Running::start(product, alone(kind.calls(product), profile)))
        };
        Self { kind, works, daemon_log: product.path("daemon.log") }
    }

    /// Makes one signed call.
    pub fn call(&mut self) -> Called {
        match &mut self.works {
            Works::On(running) => running.call(),
            Works::Anew(command) => cli_call(command),
        }
    }

    /// Makes one, which has to be let through with the role of `dev`.
    ///
    /// # Panics
    /// When it is not.
    pub fn succeeds(&mut self) {
        match self.call() {
            Called::Arn(arn) => assert!(arn.starts_with(READ_ONLY) && arn.ends_with("/alice"), "{arn}"),
            Called::Error(error) => {
                panic!("{:?}: {error}\n{}", self.kind, std::fs::read_to_string(&self.daemon_log).unwrap_or_default())
            }
        }
    }

    /// Asks it for the credentials that it signs with. Those that are asked are AWS CLI v2 (`aws configure export-credentials`), boto3 and
    /// the SDK for JavaScript.
    ///
    /// # Panics
    /// When it has none, or does not say when they end.
    pub fn holds(&mut self) -> Held {
        match &mut self.works {
            Works::On(running) => {
                let answer = running.asks("holds");
                let said = answer.split_once(' ').and_then(|(word, held)| (word == "holds").then_some(held));
                let (key, ends) = said.and_then(|held| held.split_once(' ')).unwrap_or_else(|| panic!("{answer}"));
                Held { access_key_id: key.to_owned(), ends: in_utc(ends) }
            }
            Works::Anew(call) => exported(call),
        }
    }

    /// Tells the client that no more calls come, and returns the exit code it ends with.
    ///
    /// # Panics
    /// When every call is a process of its own.
    pub fn ends(self) -> i32 {
        let Works::On(running) = self.works else { panic!("{:?} has ended after each call", self.kind) };
        running.ends()
    }
}

/// Who `dev` is in the sandbox.
const READ_ONLY: &str = "arn:aws:sts::123456789012:assumed-role/AWSReservedSSO_ReadOnly_";

fn alone(mut command: Command, profile: &str) -> Command {
    command.env("AWS_PROFILE", profile).env("AWS_EC2_METADATA_DISABLED", "true");
    command
}

impl Running {
    fn start(product: &Product, mut command: Command) -> Self {
        let stderr = product.path("client.stderr");
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(File::create(&stderr).expect("a file"));
        let mut process = command.spawn().unwrap_or_else(|error| panic!("{command:?}: {error}"));
        let (calls, output) = (process.stdin.take(), process.stdout.take().expect("piped"));
        let (sender, answers) = channel();
        std::thread::spawn(move || {
            BufReader::new(output).lines().map_while(Result::ok).try_for_each(|line| sender.send(line))
        });
        Self { process, calls, answers, stderr }
    }

    fn call(&mut self) -> Called {
        let answer = self.asks("");
        match answer.split_once(' ') {
            Some(("ok", arn)) => Called::Arn(arn.to_owned()),
            Some(("error", text)) => Called::Error(text.to_owned()),
            _ => panic!("{answer}"),
        }
    }

    /// Writes a line, and returns the line that comes back.
    fn asks(&mut self, line: &str) -> String {
        let said = || std::fs::read_to_string(&self.stderr).unwrap_or_default();
        let calls = self.calls.as_mut().expect("a client that goes on");
        writeln!(calls, "{line}").unwrap_or_else(|error| panic!("{error}: {}", said()));
        self.answers.recv_timeout(PATIENCE).unwrap_or_else(|_| panic!("no answer: {}", said()))
    }

    fn ends(mut self) -> i32 {
        // Who gets no more calls is done.
        drop(self.calls.take());
        crate::product::code_of(self.process.wait().expect("the client ends"))
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn cli_call(command: &mut Command) -> Called {
    let Ended { code, stdout, stderr } = run(command);
    if code == 0 {
        let answer: serde_json::Value = serde_json::from_str(&stdout).expect("JSON");
        return Called::Arn(answer["Arn"].as_str().expect("an ARN").to_owned());
    }
    assert_eq!((stdout.as_str(), code), ("", 255), "{stderr}");
    Called::Error(stderr)
}

/// What the AWS CLI of a call would hand on to another program.
fn exported(call: &Command) -> Held {
    let mut command = Command::new(call.get_program());
    command.args(["configure", "export-credentials", "--format", "process"]).env_clear();
    command.envs(call.get_envs().filter_map(|(name, value)| Some((name, value?)))).stdin(Stdio::null());
    let ended = run(&mut command);
    assert_eq!(ended.code, 0, "{}", ended.stderr);
    let answer: serde_json::Value = serde_json::from_str(&ended.stdout).expect("JSON");
    let text = |name: &str| answer[name].as_str().unwrap_or_else(|| panic!("no {name}")).to_owned();
    Held { access_key_id: text("AccessKeyId"), ends: in_utc(&text("Expiration")) }
}

/// Python says UTC by its offset.
fn in_utc(time: &str) -> String {
    time.replace("+00:00", "Z")
}

/// Returns the access key id that a request was signed with.
///
/// # Panics
/// When it was not signed.
#[must_use]
pub fn key_of(request: &RecordedRequest) -> String {
    let (_, scope) = request.headers["authorization"].split_once("Credential=").expect("a signature");
    scope.split('/').next().expect("a key").to_owned()
}

/// Waits until AWS no longer accepts what the last call was signed with.
///
/// # Panics
/// When there was none.
pub fn outlive_the_last_key(product: &Product) {
    let sandbox = product.sandbox();
    let calls = sandbox.requests_of(tegata_sandbox::Operation::GetCallerIdentity);
    let used = key_of(calls.last().expect("a call"));
    let issued = sandbox.issued_credentials().into_iter().find(|issued| issued.access_key_id == used);
    let expires_ms = issued.expect("a key of the sandbox").expires_ms;
    crate::product::wait_until("the credentials end", || sandbox.now_ms() >= expires_ms);
}
