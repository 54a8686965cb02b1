//! `aws login` of AWS CLI v2, which nobody here wrote, against the sandbox: with a browser beside it and with one elsewhere. It signs
//! calls, renews, and tells its user when it is over. What passes here is what the stories of console logins rely on.

#![cfg(feature = "system")]

use std::fs;
use std::io::{Read, Write};
use std::os::unix::fs::PermissionsExt;
use std::process::{Command, Output, Stdio};
use std::time::Duration;

use serde_json::Value;
use tegata_sandbox::{Effect, Fault, Operation, Sandbox};
use tegata_tests::browser::visit;
use tegata_tests::client;
use tempfile::TempDir;

const ALICE: &str = "arn:aws:sts::123456789012:assumed-role/Admin/alice";
const CONFIG: &str = "[profile dev]\nregion = us-east-1\n";

/// Returns at once: the CLI waits for its browser before it serves the callback.
const BROWSER: &str = "#!/bin/sh\nsetsid curl -sL -m 20 \"$1\" >/dev/null 2>&1 </dev/null &\n";

/// A person's machine: a home of its own, the CLI, a browser that says yes.
struct Machine {
    home: TempDir,
    sandbox: Vec<(&'static str, String)>,
}

impl Machine {
    /// One that finds the sandbox by endpoint variables.
    fn new(sandbox: &Sandbox) -> Self {
        Self::with(["AWS_ENDPOINT_URL_SIGNIN", "AWS_ENDPOINT_URL_STS"].map(|name| (name, sandbox.url())).to_vec())
    }

    /// One that finds it by AWS's own host names, through the proxy and TLS.
    fn behind_proxy(sandbox: &Sandbox) -> Self {
        let ca = sandbox.ca_pem_path().display().to_string();
        Self::with(vec![("HTTPS_PROXY", sandbox.proxy_url()), ("AWS_CA_BUNDLE", ca.clone()), ("CURL_CA_BUNDLE", ca)])
    }

    fn with(sandbox: Vec<(&'static str, String)>) -> Self {
        let home = tempfile::tempdir().unwrap();
        fs::write(home.path().join("config"), CONFIG).unwrap();
        let browser = home.path().join("browser");
        fs::write(&browser, BROWSER).unwrap();
        fs::set_permissions(&browser, fs::Permissions::from_mode(0o755)).unwrap();
        Self { home, sandbox }
    }

    /// The CLI with nothing but this machine around it, two minutes at most.
    fn aws(&self, arguments: &str) -> Command {
        let place = |name: &str| self.home.path().join(name).display().to_string();
        let mut command = Command::new("timeout");
        command.args(["-k", "5", "120"]).arg(client("awscli-v2/dist/aws")).args(arguments.split_whitespace());
        command.env_clear().envs(self.sandbox.iter().map(|(name, value)| (name, value)));
        command.env("HOME", self.home.path()).env("PATH", "/usr/bin:/bin");
        command.env("BROWSER", format!("{} %s", place("browser"))).env("AWS_EC2_METADATA_DISABLED", "true");
        command.env("AWS_CONFIG_FILE", place("config")).env("AWS_SHARED_CREDENTIALS_FILE", place("credentials"));
        command
    }

    fn log_in(&self) {
        let output = self.aws("login --profile dev").output().unwrap();
        assert!(
            text(&output.stdout).contains(&format!("Updated profile dev to use {ALICE} credentials.")),
            "{output:?}"
        );
    }

    /// The ARN which `get-caller-identity` answers.
    fn identity(&self) -> String {
        let output = self.call();
        assert!(output.status.success(), "{output:?}");
        let answer: Value = serde_json::from_slice(&output.stdout).unwrap();
        answer["Arn"].as_str().unwrap().to_owned()
    }

    fn call(&self) -> Output {
        self.aws("sts get-caller-identity --profile dev").output().unwrap()
    }

    /// What its user reads when a call is not made.
    fn error(&self) -> String {
        let output = self.call();
        assert!(!output.status.success() && output.stdout.is_empty(), "{output:?}");
        text(&output.stderr)
    }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// What a program says until it has said this.
fn read_until(stream: &mut impl Read, end: &str) -> String {
    let (mut said, mut byte) = (Vec::new(), [0]);
    while !text(&said).contains(end) {
        assert_eq!(stream.read(&mut byte).unwrap(), 1, "it ended with {:?}", text(&said));
        said.push(byte[0]);
    }
    text(&said)
}

#[test]
fn it_logs_in_by_the_browser_and_calls_sts() {
    let sandbox = Sandbox::start().unwrap();
    let machine = Machine::new(&sandbox);
    machine.log_in();
    assert_eq!(machine.identity(), ALICE);
    assert_eq!(sandbox.calls(Operation::CreateOAuth2TokenAuthorizationCode), 1);
    assert_eq!(sandbox.logins()[0].client_id, "arn:aws:signin:::devtools/same-device");
    let requests = sandbox.requests();
    assert!(requests.iter().all(|request| request.status.is_some_and(|status| status < 400)), "{requests:?}");
}

#[test]
fn it_logs_in_by_a_code_from_a_browser_elsewhere() {
    let sandbox = Sandbox::start().unwrap();
    let machine = Machine::new(&sandbox);
    let mut command = machine.aws("login --remote --profile dev");
    let mut aws = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let mut output = aws.stdout.take().unwrap();
    let said = read_until(&mut output, "displayed in your browser: ");
    let url = said.lines().find(|line| line.starts_with("http://")).unwrap();
    let page = visit(url);
    let (_, code) = page.body.split_once("id=\"authorization-code\">").unwrap();
    writeln!(aws.stdin.take().unwrap(), "{}", code.split('<').next().unwrap()).unwrap();
    let mut said = String::new();
    output.read_to_string(&mut said).unwrap();
    assert!(aws.wait().unwrap().success(), "{said}");
    assert_eq!(machine.identity(), ALICE);
    assert_eq!(sandbox.logins()[0].client_id, "arn:aws:signin:::devtools/cross-device");
}

#[test]
fn it_logs_in_at_awss_own_host_through_the_proxy() {
    let sandbox = Sandbox::start().unwrap();
    let machine = Machine::behind_proxy(&sandbox);
    machine.log_in();
    assert_eq!(machine.identity(), ALICE);
    let hosts = sandbox.proxy_connects();
    assert!(hosts.iter().any(|host| host == "us-east-1.signin.aws.amazon.com:443"), "{hosts:?}");
}

#[test]
fn it_renews_credentials_about_to_expire_with_one_key() {
    let sandbox = Sandbox::start().unwrap();
    sandbox.configure(|settings| settings.console_login.credentials = Duration::from_secs(120));
    let machine = Machine::new(&sandbox);
    machine.log_in();
    for renewals in 1..=3 {
        assert_eq!(machine.identity(), ALICE);
        assert_eq!(sandbox.logins()[0].renewals, renewals);
    }
    assert_eq!(sandbox.logins().len(), 1);
}

#[test]
fn its_user_is_told_to_log_in_again_when_it_is_over() {
    let sandbox = Sandbox::start().unwrap();
    sandbox.configure(|settings| settings.console_login.credentials = Duration::from_secs(120));
    let machine = Machine::new(&sandbox);
    machine.log_in();
    let effect =
        Effect::Error { status: 401, code: "TOKEN_EXPIRED".to_owned(), message: "over".to_owned(), retry_after: None };
    sandbox.fault(Fault::on(Operation::CreateOAuth2TokenRefreshToken, effect).times(1));
    let over = machine.error();
    assert!(over.contains("Your session has expired. Please reauthenticate using 'aws login'."), "{over}");
    sandbox.end_logins();
    let changed = machine.error();
    assert!(changed.contains("change in your password"), "{changed}");
    machine.log_in();
    assert_eq!(machine.identity(), ALICE);
}
