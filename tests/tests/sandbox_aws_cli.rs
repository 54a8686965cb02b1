//! AWS CLI v2, which nobody here wrote, against the sandbox: it signs in both ways, calls STS, and shows its user the
//! refusals that a real client shows. What passes here is what every other story may rely on.

#![cfg(feature = "system")]

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Output};
use std::time::Duration;

use serde_json::Value;
use tegata_sandbox::{Consent, DeviceApproval, IamRole, IssuedCredentials, Operation, Sandbox, TokenBucket};
use tegata_tests::client;
use tempfile::TempDir;

const CONFIG: &str = "\
[sso-session corp]
sso_start_url = https://d-1234567890.awsapps.com/start
sso_region = us-east-1
sso_registration_scopes = sso:account:access

[profile dev]
sso_session = corp
sso_account_id = 123456789012
sso_role_name = Admin
region = us-east-1

[profile deploy]
source_profile = dev
role_arn = arn:aws:iam::210987654321:role/Deploy
role_session_name = alice-deploys
region = us-east-1

[profile legacy]
sso_start_url = https://d-1234567890.awsapps.com/start
sso_region = us-east-1
sso_account_id = 123456789012
sso_role_name = ReadOnly
region = us-east-1
";

/// Returns at once: the CLI waits for its browser before it serves the callback.
const BROWSER: &str = "#!/bin/sh\nsetsid curl -sL -m 20 \"$1\" >/dev/null 2>&1 </dev/null &\n";

/// How the CLI finds the sandbox.
#[derive(Clone, Copy)]
enum Route {
    /// By endpoint variables, over plain HTTP.
    Endpoints,
    /// By AWS's own host names, through the proxy and TLS.
    Proxy,
}

/// A person's machine: a home of its own, the CLI, a browser that says yes.
struct Machine {
    home: TempDir,
    environment: Vec<(&'static str, String)>,
}

impl Machine {
    fn new(sandbox: &Sandbox, route: Route) -> Self {
        let home = tempfile::tempdir().unwrap();
        fs::write(home.path().join("config"), CONFIG).unwrap();
        let browser = home.path().join("browser");
        fs::write(&browser, BROWSER).unwrap();
        fs::set_permissions(&browser, fs::Permissions::from_mode(0o755)).unwrap();
        let place = |name: &str| home.path().join(name).display().to_string();
        let mut environment = vec![
            ("HOME", home.path().display().to_string()),
            ("PATH", "/usr/bin:/bin".to_owned()),
            ("BROWSER", format!("{} %s", browser.display())),
            ("AWS_CONFIG_FILE", place("config")),
            ("AWS_SHARED_CREDENTIALS_FILE", place("credentials")),
            ("AWS_EC2_METADATA_DISABLED", "true".to_owned()),
            ("AWS_REGION", "us-east-1".to_owned()),
        ];
        environment.extend(route.environment(sandbox));
        Self { home, environment }
    }

    fn aws(&self, arguments: &str) -> Output {
        self.aws_with(&[], arguments)
    }

    /// Runs the CLI, two minutes at most.
    fn aws_with(&self, more: &[(&str, &str)], arguments: &str) -> Output {
        let mut command = Command::new("timeout");
        command.args(["-k", "5", "120"]).arg(client("awscli-v2/dist/aws")).args(arguments.split_whitespace());
        command.env_clear().envs(self.environment.iter().map(|(name, value)| (name, value)));
        command.envs(more.iter().copied()).output().unwrap()
    }

    fn sign_in(&self, arguments: &str) {
        let output = self.aws(&format!("sso login {arguments}"));
        assert!(stdout(&output).contains("Successfully logged into Start URL"), "{output:?}");
    }

    /// The ARN which `get-caller-identity` answers.
    fn identity(&self, profile: &str) -> String {
        let output = self.aws(&format!("sts get-caller-identity --profile {profile}"));
        assert!(output.status.success(), "{output:?}");
        let answer: Value = serde_json::from_slice(&output.stdout).unwrap();
        answer["Arn"].as_str().unwrap().to_owned()
    }

    /// The error a command ends with.
    fn error(&self, arguments: &str) -> String {
        failure(&self.aws(arguments))
    }

    /// Calls STS with these credentials in the environment.
    fn call_with(&self, credentials: &IssuedCredentials) -> Output {
        let keys = [
            ("AWS_ACCESS_KEY_ID", credentials.access_key_id.as_str()),
            ("AWS_SECRET_ACCESS_KEY", credentials.secret_access_key.as_str()),
            ("AWS_SESSION_TOKEN", credentials.session_token.as_str()),
        ];
        self.aws_with(&keys, "sts get-caller-identity")
    }

    fn access_token(&self) -> String {
        let files = fs::read_dir(self.home.path().join(".aws/sso/cache")).unwrap();
        let token = |path: &Path| {
            let file: Value = serde_json::from_slice(&fs::read(path).unwrap()).unwrap();
            file["accessToken"].as_str().map(str::to_owned)
        };
        files.filter_map(|file| token(&file.unwrap().path())).next().unwrap()
    }

    /// The CLI keeps role credentials on disk; without them it asks the portal again.
    fn forget_role_credentials(&self) {
        fs::remove_dir_all(self.home.path().join(".aws/cli")).unwrap();
    }
}

impl Route {
    fn environment(self, sandbox: &Sandbox) -> Vec<(&'static str, String)> {
        let ca = sandbox.ca_pem_path().display().to_string();
        match self {
            Self::Endpoints => ["AWS_ENDPOINT_URL_SSO_OIDC", "AWS_ENDPOINT_URL_SSO", "AWS_ENDPOINT_URL_STS"]
                .map(|name| (name, sandbox.url()))
                .to_vec(),
            Self::Proxy => {
                vec![("HTTPS_PROXY", sandbox.proxy_url()), ("AWS_CA_BUNDLE", ca.clone()), ("CURL_CA_BUNDLE", ca)]
            }
        }
    }
}

fn stdout(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn failure(output: &Output) -> String {
    assert!(!output.status.success() && output.stdout.is_empty(), "{output:?}");
    String::from_utf8_lossy(&output.stderr).into_owned()
}

fn ready() -> (Sandbox, Machine) {
    let sandbox = Sandbox::start().unwrap();
    let machine = Machine::new(&sandbox, Route::Endpoints);
    (sandbox, machine)
}

const ADMIN: &str = "arn:aws:sts::123456789012:assumed-role/AWSReservedSSO_Admin_";
const SIGN_IN_OVER: &str = "The SSO session associated with this profile has expired or is otherwise invalid. \
                            To refresh this SSO session run aws sso login with the corresponding profile.";

#[test]
fn it_is_the_version_the_reference_measured() {
    let (_sandbox, machine) = ready();
    assert!(stdout(&machine.aws("--version")).starts_with("aws-cli/2.38.5 "));
}

#[test]
fn it_signs_in_with_pkce_and_calls_sts() {
    let (sandbox, machine) = ready();
    machine.sign_in("--profile dev");
    let arn = machine.identity("dev");
    assert!(arn.starts_with(ADMIN) && arn.ends_with("/alice"), "{arn}");
    assert_eq!(sandbox.calls(Operation::CreateTokenAuthorizationCode), 1);
    assert_eq!(sandbox.calls(Operation::StartDeviceAuthorization), 0);
    let requests = sandbox.requests();
    assert!(requests.iter().all(|request| request.status.is_some_and(|status| status < 400)), "{requests:?}");
    assert!(sandbox.requests_of(Operation::GetCallerIdentity)[0].headers["user-agent"].starts_with("aws-cli/2.38.5 "));
}

#[test]
fn it_signs_in_with_a_device_code_and_calls_sts() {
    let (sandbox, machine) = ready();
    machine.sign_in("--profile dev --use-device-code");
    assert!(machine.identity("dev").starts_with(ADMIN));
    assert_eq!(sandbox.calls(Operation::CreateTokenDeviceCode), 3, "two pending polls, then the tokens");
    assert_eq!(sandbox.calls(Operation::Authorize), 0);
}

#[test]
fn it_signs_in_with_a_legacy_profile_which_gets_no_refresh_token() {
    let (sandbox, machine) = ready();
    machine.sign_in("--profile legacy");
    assert!(machine.identity("legacy").contains("AWSReservedSSO_ReadOnly_"));
    let kinds: Vec<_> = sandbox.minted_secrets().into_iter().map(|secret| secret.kind).collect();
    assert!(!kinds.contains(&tegata_sandbox::SecretKind::RefreshToken), "{kinds:?}");
}

#[test]
fn it_signs_in_by_awss_own_host_names_through_the_proxy() {
    let sandbox = Sandbox::start().unwrap();
    let machine = Machine::new(&sandbox, Route::Proxy);
    machine.sign_in("--profile dev");
    assert!(machine.identity("dev").starts_with(ADMIN));
    assert!(sandbox.requests().iter().all(|request| request.tls));
    let hosts = sandbox.proxy_connects();
    for host in [
        "oidc.us-east-1.amazonaws.com:443",
        "portal.sso.us-east-1.amazonaws.com:443",
        "sts.us-east-1.amazonaws.com:443",
    ] {
        assert!(hosts.iter().any(|known| known == host), "{host} in {hosts:?}");
    }
}

#[test]
fn it_reads_every_page_of_the_accounts() {
    let (sandbox, machine) = ready();
    sandbox.configure(|settings| settings.organizations = vec![tegata_sandbox::Organization::generated(45, 1)]);
    machine.sign_in("--profile dev");
    let output = machine.aws(&format!("sso list-accounts --access-token {}", machine.access_token()));
    let accounts: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(accounts["accountList"].as_array().unwrap().len(), 45);
    assert_eq!(sandbox.calls(Operation::ListAccounts), 3);
}

#[test]
fn it_chains_into_a_role() {
    let (sandbox, machine) = ready();
    machine.sign_in("--profile dev");
    assert_eq!(machine.identity("deploy"), "arn:aws:sts::210987654321:assumed-role/Deploy/alice-deploys");
    assert!(sandbox.assumed_roles()[0].caller.starts_with(ADMIN));
    sandbox.configure(|settings| settings.iam_roles = vec![IamRole::new("arn:aws:iam::210987654321:role/Deploy", &[])]);
    machine.forget_role_credentials();
    let error = machine.error("sts get-caller-identity --profile deploy");
    assert!(
        error.contains("(AccessDenied)") && error.contains("is not authorized to perform: sts:AssumeRole"),
        "{error}"
    );
}

#[test]
fn it_renews_a_token_about_to_expire() {
    let (sandbox, machine) = ready();
    sandbox.configure(|settings| settings.lifetimes.access_token = Duration::from_secs(60));
    machine.sign_in("--profile dev");
    assert!(machine.identity("dev").starts_with(ADMIN));
    assert_eq!(sandbox.calls(Operation::CreateTokenRefreshToken), 1);
}

#[test]
fn its_user_is_told_to_sign_in_again_when_the_session_is_over() {
    let (sandbox, machine) = ready();
    machine.sign_in("--profile dev");
    sandbox.end_sign_in_sessions();
    assert!(machine.error("sts get-caller-identity --profile dev").contains(SIGN_IN_OVER));
    machine.sign_in("--profile dev");
    assert!(machine.identity("dev").starts_with(ADMIN));
}

#[test]
fn its_user_is_told_to_sign_in_again_when_the_token_has_expired() {
    let (sandbox, machine) = ready();
    machine.sign_in("--profile dev");
    sandbox.advance(Duration::from_secs(3600));
    assert!(machine.error("sts get-caller-identity --profile dev").contains(SIGN_IN_OVER));
}

#[test]
fn logout_kills_the_token() {
    let (_sandbox, machine) = ready();
    machine.sign_in("--profile dev");
    let list = format!("sso list-accounts --access-token {}", machine.access_token());
    assert!(machine.aws(&list).status.success());
    assert!(machine.aws("sso logout").status.success());
    let error = machine.error(&list);
    assert!(
        error.contains("(UnauthorizedException)") && error.contains("Session token not found or invalid"),
        "{error}"
    );
    let error = machine.error("sts get-caller-identity --profile dev");
    assert!(error.contains("Error loading SSO Token: Token for corp does not exist"), "{error}");
}

#[test]
fn a_refused_consent_ends_the_sign_in() {
    let (sandbox, machine) = ready();
    let (error, description) = ("access_denied".to_owned(), "no".to_owned());
    sandbox.configure(|settings| settings.authorize = Consent::Refuse { error, description });
    let output = machine.aws("sso login --profile dev");
    assert!(!output.status.success());
    assert_eq!(sandbox.calls(Operation::CreateTokenAuthorizationCode), 0);
}

#[test]
fn a_denied_device_code_ends_the_sign_in() {
    let (sandbox, machine) = ready();
    sandbox.configure(|settings| settings.device.approval = DeviceApproval::Denied);
    let output = machine.aws("sso login --profile dev --use-device-code");
    assert!(!output.status.success());
    assert!(String::from_utf8_lossy(&output.stderr).contains("AccessDeniedException"), "{output:?}");
}

#[test]
fn a_role_not_assigned_is_forbidden() {
    let (sandbox, machine) = ready();
    machine.sign_in("--profile dev");
    sandbox.configure(|settings| settings.organizations[0].accounts[0].roles[0].assigned_to = vec!["bob".to_owned()]);
    let error = machine.error("sts get-caller-identity --profile dev");
    assert!(error.contains("(ForbiddenException) when calling the GetRoleCredentials operation: No access"), "{error}");
}

#[test]
fn it_gives_up_on_429_after_its_retries_and_comes_back_when_told() {
    let (sandbox, machine) = ready();
    machine.sign_in("--profile dev");
    let bucket = TokenBucket { capacity: 0.0, refill_per_second: 1.0 };
    sandbox.configure(|settings| settings.throttle = [(Operation::GetRoleCredentials, bucket)].into());
    let error = machine.error("sts get-caller-identity --profile dev");
    assert!(error.contains("(TooManyRequestsException)"), "{error}");
    assert_eq!(sandbox.calls(Operation::GetRoleCredentials), 3);
    sandbox.configure(|settings| settings.throttle.clear());
    assert!(machine.identity("dev").starts_with(ADMIN));
}

#[test]
fn its_user_sees_why_sts_refuses_credentials() {
    let (sandbox, machine) = ready();
    sandbox.configure(|settings| settings.lifetimes.role_credentials = Some(Duration::from_secs(300)));
    machine.sign_in("--profile dev");
    machine.identity("dev");
    let credentials = sandbox.issued_credentials().pop().unwrap();
    assert!(machine.call_with(&credentials).status.success());
    let forged = IssuedCredentials { secret_access_key: "wrong".to_owned(), ..credentials.clone() };
    assert!(failure(&machine.call_with(&forged)).contains("(SignatureDoesNotMatch)"));
    let unknown = IssuedCredentials { access_key_id: "ASIAAAAAAAAAAAAAAAAA".to_owned(), ..credentials.clone() };
    assert!(failure(&machine.call_with(&unknown)).contains("(InvalidClientTokenId)"));
    sandbox.advance(Duration::from_secs(300));
    let expired = failure(&machine.call_with(&credentials));
    assert!(
        expired.contains("(ExpiredToken)") && expired.contains("The security token included in the request is expired"),
        "{expired}"
    );
}
