use super::super::testing::{file, program, refusal, text};
use super::*;

/// A home with another tool's settings.
struct Home(tempfile::TempDir);

impl Home {
    fn with(path: &str, settings: &str) -> Self {
        let home = Self(tempfile::tempdir().unwrap());
        let path = home.0.path().join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, settings).unwrap();
        home
    }

    fn environment(&self) -> Environment {
        Environment::of(&[("HOME", self.0.path().to_str().unwrap())])
    }
}

fn taken(peer: Peer, config: &str, home: &Home) -> Result<TakenOver, Failure> {
    plan(peer, &file(config), &file(""), &program(), &home.environment())
}

fn left(taken: &TakenOver) -> Vec<String> {
    taken.left.iter().map(|(name, why)| format!("{name}: {why}")).collect()
}

const GRANTED: &str = "\
[default]
region = eu-west-1

[profile acme/ReadOnly]
granted_sso_start_url      = https://d-1234567890.awsapps.com/start
granted_sso_region         = us-east-1
granted_sso_account_id     = 123456789012
granted_sso_role_name      = ReadOnly
common_fate_generated_from = aws-sso
credential_process         = granted credential-process --profile acme/ReadOnly --auto-login

[profile acme/Admin]
sso_start_url = https://d-1234567890.awsapps.com/start
sso_region = us-east-1
sso_account_id = 123456789012
sso_role_name = Admin
common_fate_generated_from = aws-sso
region = us-west-2

[sso-session corp]
sso_start_url = https://d-1234567890.awsapps.com/start
sso_region = us-east-1

[profile session]
sso_session = corp
granted_sso_account_id = 123456789012
granted_sso_role_name = Billing
credential_process = /opt/homebrew/bin/granted credential-process --profile session

[profile broken]
granted_sso_account_id = 123456789012
credential_process = granted credential-process --profile broken

[profile mine]
sso_session = corp
sso_account_id = 123456789012
sso_role_name = Mine
";

#[test]
fn granted_profiles_keep_their_names_and_their_place() {
    let taken =
        taken(Peer::Granted, GRANTED, &Home::with(".granted/config", "DefaultBrowser = \"FIREFOX\"\n")).unwrap();
    assert_eq!(taken.profiles, ["acme/ReadOnly", "acme/Admin", "session"]);
    assert_eq!(left(&taken), ["broken: sso_start_url is missing"]);
    assert!(taken.notes.is_empty());
    insta::assert_snapshot!("from-granted", text(&taken.change));
}

#[test]
fn a_registry_of_granted_is_pointed_out() {
    for settings in
        ["[[ProfileRegistryURLS]]\n", "ProfileRegistryURLS = [\"git@x\"]\n", " [[ProfileRegistry.Registries]]"]
    {
        let taken = taken(Peer::Granted, GRANTED, &Home::with(".config/granted/config", settings)).unwrap();
        assert!(taken.notes[0].contains("granted registry remove"), "{settings}");
    }
    let none = taken(Peer::Granted, GRANTED, &Home::with(".granted/config", "ProfileRegistryURLS = []\n")).unwrap();
    assert!(none.notes.is_empty());
}

const AWS_SSO: &str = "\
[default]
region = eu-west-1

# BEGIN_AWS_SSO_CLI

[profile 123456789012:ReadOnly]
credential_process = /usr/local/bin/aws-sso -u open -S \"Default\" process --arn arn:aws:iam::123456789012:role/ReadOnly
output=json

[profile acme-admin]
credential_process = /usr/local/bin/aws-sso -L error process --sso=Second --account 210987654321 --role Admin

[profile chained]
credential_process = /usr/local/bin/aws-sso -S Default process --arn arn:aws:iam::123456789012:role/path/Deploy

[profile unknown]
credential_process = /usr/local/bin/aws-sso -S Third process --arn arn:aws:iam::123456789012:role/ReadOnly

# END_AWS_SSO_CLI
";

const SETTINGS: &str = "\
SSOConfig:
    Default:
        SSORegion: us-east-1
        StartUrl: https://d-1234567890.awsapps.com/start
        Accounts:
            123456789012:
                Roles:
                    Deploy:
                        Via: arn:aws:iam::123456789012:role/Entry
    Second:
        SSORegion: eu-west-1
        StartUrl: acme
DefaultSSO: Default
ProfileFormat: '{{ .AccountIdStr }}:{{ .RoleName }}'
";

#[test]
fn aws_sso_profiles_get_their_sign_in_sessions() {
    let taken = taken(Peer::AwsSsoCli, AWS_SSO, &Home::with(".aws-sso/config.yaml", SETTINGS)).unwrap();
    assert_eq!(taken.profiles, ["123456789012:ReadOnly", "acme-admin"]);
    assert_eq!(
        left(&taken),
        [
            "chained: it goes through arn:aws:iam::123456789012:role/Entry, which has to be written as role_arn with source_profile",
            "unknown: aws-sso's settings do not describe Third",
        ]
    );
    assert!(taken.notes[0].contains("AutoConfigCheck"));
    insta::assert_snapshot!("from-aws-sso-cli", text(&taken.change));
}

#[test]
fn a_sign_in_session_that_is_there_is_used_and_a_taken_name_is_not() {
    let session = "[sso-session corp]\nsso_start_url = https://d-1234567890.awsapps.com/start/#/\nsso_region = us-east-1\n\n\
                   [sso-session Second]\nsso_start_url = https://other.awsapps.com/start\nsso_region = us-east-1\n\n";
    let home = Home::with(".config/aws-sso/config.yaml", SETTINGS);
    let taken = taken(Peer::AwsSsoCli, &format!("{session}{AWS_SSO}"), &home).unwrap();
    let text = text(&taken.change);
    assert!(text.contains("tegata_sso_session = corp\n") && !text.contains("[sso-session Default]"), "{text}");
    assert!(text.contains("[sso-session Second-2]\nsso_start_url = https://acme.awsapps.com/start\n"), "{text}");
}

#[test]
fn aws_sso_without_its_settings_is_one_line() {
    let refused = refusal(taken(Peer::AwsSsoCli, AWS_SSO, &Home::with("x", "")));
    assert!(refused.starts_with("tegata: aws-sso's settings are not there ("), "{refused}");
    let home = Home::with(".aws-sso/config.yaml", "nonsense\n");
    assert!(refusal(taken(Peer::AwsSsoCli, AWS_SSO, &home)).contains("line 1: is no `key: value`"));
}

const AWS_VAULT: &str = "\
[default]
region = eu-west-1

[profile common]
region = eu-west-1
source_profile = entry
duration_seconds = 3600

[profile entry]
sso_start_url = https://d-1234567890.awsapps.com/start
sso_region = us-east-1
sso_account_id = 123456789012
sso_role_name = Entry

[profile order-dev]
include_profile = common
role_arn = arn:aws:iam::210987654321:role/developers

[profile order-admin]
include_profile = order-dev
role_arn = arn:aws:iam::210987654321:role/administrators
region = us-west-2

[profile for-sdks]
credential_process = aws-vault exec --no-session --json order-dev

[profile exported]
region = us-east-1
credential_process = /usr/bin/aws-vault export --format=json entry

[profile keys]
credential_process = aws-vault export --format=json keys

[profile mfa]
include_profile = common
mfa_serial = arn:aws:iam::123456789012:mfa/me
role_arn = arn:aws:iam::210987654321:role/developers

[profile other]
credential_process = something else
";

#[test]
fn aws_vault_profiles_get_what_they_include() {
    let taken = taken(Peer::AwsVault, AWS_VAULT, &Home::with("x", "")).unwrap();
    assert_eq!(taken.profiles, ["entry", "order-dev", "order-admin", "for-sdks", "exported"]);
    assert_eq!(
        left(&taken),
        [
            "keys: its access key is in aws-vault's keyring; put into ~/.aws/credentials what this prints: aws-vault export --no-session \
             --format=ini keys; then run: tegata keys import keys",
            "mfa: mfa_serial: AWS takes codes of an MFA device with an IAM user's access key only, and the profile starts from something \
             else",
        ]
    );
    insta::assert_snapshot!("from-aws-vault", text(&taken.change));
}

#[test]
fn a_source_that_is_left_leaves_what_stands_on_it() {
    let config = "[profile root]\nmfa_serial = arn:aws:iam::1:mfa/me\n[profile p]\nrole_arn = arn:aws:iam::210987654321:role/A\nsource_profile = root\n";
    let taken = taken(Peer::AwsVault, config, &Home::with("x", "")).unwrap();
    assert!(taken.profiles.is_empty() && taken.change.is_empty());
    assert_eq!(taken.left.len(), 2, "{:?}", left(&taken));
}

#[test]
fn a_circle_of_includes_ends() {
    let config = "[profile a]\ninclude_profile = b\n[profile b]\ninclude_profile = a\nrole_arn = arn:aws:iam::210987654321:role/A\n";
    assert!(taken(Peer::AwsVault, config, &Home::with("x", "")).unwrap().profiles.is_empty());
}

#[test]
fn a_tool_that_was_never_used_is_one_line() {
    for (peer, name) in [(Peer::Granted, "granted"), (Peer::AwsSsoCli, "aws-sso-cli"), (Peer::AwsVault, "aws-vault")] {
        let refused = refusal(taken(peer, "[default]\nregion = x\n", &Home::with("x", "")));
        assert!(refused.ends_with(&format!("has no profile of {name}")), "{refused}");
    }
}

#[test]
fn taking_over_again_changes_nothing() {
    let first = taken(Peer::AwsVault, AWS_VAULT, &Home::with("x", "")).unwrap();
    let again = taken(Peer::AwsVault, &text(&first.change), &Home::with("x", "")).unwrap();
    assert!(again.change.is_empty() && again.profiles.is_empty(), "{}", again.change.diff());
}
