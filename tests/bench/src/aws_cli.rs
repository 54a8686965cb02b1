//! AWS CLI v2, signed in to a sandbox of its own, with the role's credentials in its cache.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::process::Command;
use tegata_sandbox::{Operation, START_URL, Sandbox};
use tegata_tests::client;
use tegata_tests::product::run;
use tempfile::TempDir;

/// Returns at once: the CLI waits for its browser before it serves the callback.
const BROWSER: &str = "#!/bin/sh\nsetsid curl -sL -m 20 \"$1\" >/dev/null 2>&1 </dev/null &\n";

/// The tool in a home of its own.
pub(crate) struct AwsCli {
    home: TempDir,
    sandbox: Sandbox,
}

impl AwsCli {
    /// Signs in and asks once, so that every further call is answered from the tool's own cache.
    pub(crate) fn signed_in() -> Self {
        let home = tempfile::tempdir().expect("a temporary home");
        let cli = Self { home, sandbox: Sandbox::start().expect("the sandbox starts") };
        let config = format!(
            "[sso-session corp]\nsso_start_url = {START_URL}\nsso_region = us-east-1\n\
             sso_registration_scopes = sso:account:access\n\n[profile dev]\nsso_session = corp\n\
             sso_account_id = 123456789012\nsso_role_name = ReadOnly\nregion = us-east-1\n"
        );
        fs::write(cli.home.path().join("config"), config).expect("the config is written");
        let browser = cli.home.path().join("browser");
        fs::write(&browser, BROWSER).expect("the browser is written");
        fs::set_permissions(&browser, fs::Permissions::from_mode(0o755)).expect("the browser can be run");
        for command in [&mut cli.command(&["sso", "login", "--profile", "dev"]), &mut cli.export_credentials()] {
            let ended = run(command);
            assert_eq!(ended.code, 0, "{ended:?}");
        }
        cli
    }

    /// Returns the call that is measured.
    pub(crate) fn export_credentials(&self) -> Command {
        self.command(&["configure", "export-credentials", "--format", "process", "--profile", "dev"])
    }

    /// Returns how often it asked AWS for the role's credentials.
    pub(crate) fn asked(&self) -> u64 {
        self.sandbox.calls(Operation::GetRoleCredentials)
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(client("awscli-v2/dist/aws"));
        let place = |name: &str| self.home.path().join(name);
        command.args(arguments).env_clear().env("HOME", self.home.path()).env("PATH", "/usr/bin:/bin");
        command.env("AWS_CONFIG_FILE", place("config")).env("AWS_SHARED_CREDENTIALS_FILE", place("credentials"));
        command.env("AWS_EC2_METADATA_DISABLED", "true").env("BROWSER", format!("{} %s", place("browser").display()));
        for service in ["SSO_OIDC", "SSO", "STS"] {
            command.env(format!("AWS_ENDPOINT_URL_{service}"), self.sandbox.url());
        }
        command
    }
}
