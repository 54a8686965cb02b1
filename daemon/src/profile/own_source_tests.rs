use super::super::{Chain, Config};
use super::*;
use crate::names::ProfileName;
use crate::settings::Settings;
use std::sync::Arc;

const USER: &str = "tegata_iam_user = arn:aws:iam::123456789012:user/team/alice\n";
const SERIAL: &str = "arn:aws:iam::123456789012:mfa/alice";
const ROLE: &str = "arn:aws:iam::210987654321:role/deploy";
const CERTIFIED: &str = "\
tegata_trust_anchor_arn = arn:aws:rolesanywhere:eu-west-1:123456789012:trust-anchor/0a-1b
tegata_roles_anywhere_profile_arn = arn:aws:rolesanywhere:eu-west-1:123456789012:profile/2c-3d
tegata_role_arn = arn:aws:iam::123456789012:role/laptop
tegata_certificate = /home/u/laptop.pem
tegata_private_key = pkcs11:token=laptop;object=key
";

/// Resolves the profile `p` of a config file, with what `config.toml` says.
fn resolve_with(settings: &str, text: &str) -> Result<Arc<Chain>, String> {
    let extras = Settings::parse(settings).unwrap().extras_by_profile().clone();
    let config = Config::parse("config", text.as_bytes()).unwrap().with_extras(Arc::new(extras));
    let profile = config.resolve(&ProfileName::new("p").unwrap());
    profile.map(|profile| Arc::clone(&profile.chain)).map_err(|error| error.to_string())
}

fn resolve(text: &str) -> Result<Arc<Chain>, String> {
    resolve_with("", text)
}

fn of_p(lines: &str) -> Result<Arc<Chain>, String> {
    resolve(&format!("[profile p]\n{lines}"))
}

fn refused(lines: &str) -> String {
    of_p(lines).unwrap_err()
}

#[test]
fn a_console_login_is_known_by_its_arn_and_region() {
    for prefix in ["", "tegata_"] {
        let lines =
            format!("region = eu-west-1\n{prefix}login_session = arn:aws:sts::123456789012:assumed-role/Admin/a\n");
        let chain = of_p(&lines).unwrap();
        assert_eq!((chain.reached(), chain.region.as_str()), (("123456789012", "Admin"), "eu-west-1"));
        assert!(chain.source.is_role() && chain.session().is_none() && !chain.is_chained());
    }
    let root = refused("region = us-east-1\nlogin_session = arn:aws:iam::123456789012:root\n");
    assert!(root.contains("is the root user of the account"), "{root}");
    assert!(refused("login_session = arn:aws:iam::123456789012:user/a\n").contains("region is missing"));
}

#[test]
fn a_console_login_is_made_in_a_region_of_its_own_partition() {
    for (partition, region) in [("aws", "cn-north-1"), ("aws-cn", "us-east-1"), ("aws-us-gov", "eusc-de-east-1")] {
        let line = refused(&format!("region = {region}\nlogin_session = arn:{partition}:iam::123456789012:user/a\n"));
        assert!(line.contains(&format!("region = {region} is in partition")), "{line}");
    }
    for (partition, region) in
        [("aws-cn", "cn-north-1"), ("aws-us-gov", "us-gov-west-1"), ("aws-eusc", "eusc-de-east-1")]
    {
        let lines = format!("region = {region}\nlogin_session = arn:{partition}:iam::123456789012:user/a\n");
        assert!(of_p(&lines).is_ok(), "{lines}");
    }
}

#[test]
fn a_web_identity_is_a_role_by_a_token_from_one_place() {
    let role = format!("role_arn = {ROLE}\nduration_seconds = 43200\n");
    let chain = of_p(&format!("{role}web_identity_token_file = /run/token\n")).unwrap();
    assert_eq!((chain.reached(), chain.region.as_str()), (("210987654321", "deploy"), "us-east-1"));
    let Source::WebIdentity { token, role: asked, .. } = &chain.source else { panic!() };
    assert_eq!(*token, WebIdentityToken::File(PathBuf::from("/run/token")));
    assert_eq!(asked.duration, Some(Duration::from_secs(43_200)));
    assert!(refused(&format!("{role}web_identity_token_file = token\n")).contains("no absolute path"));
    let external = format!("{role}web_identity_token_file = /t\nexternal_id = abc\n");
    assert!(refused(&external).contains("external_id: AssumeRoleWithWebIdentity takes none"));

    let command = "[profile.p]\nweb_identity = { command = ['/bin/token', 'x'] }\n";
    let text = format!("[profile p]\n{role}");
    let chain = resolve_with(command, &text).unwrap();
    let Source::WebIdentity { token: WebIdentityToken::Command(words), .. } = &chain.source else { panic!() };
    assert_eq!(words, &["/bin/token", "x"]);
    let both = resolve_with(command, &format!("{text}web_identity_token_file = /t\n")).unwrap_err();
    assert!(both.contains("are two sources"), "{both}");
    let github = resolve_with("[profile.p]\nweb_identity = { github_actions = {} }\n", &text).unwrap();
    assert!(
        matches!(&github.source, Source::WebIdentity { token: WebIdentityToken::GithubActions { audience }, .. } if audience == "sts.amazonaws.com")
    );
}

#[test]
fn a_certificate_is_asked_for_a_role_in_the_region_of_its_trust_anchor() {
    let chain = of_p(&format!("region = us-east-2\n{CERTIFIED}")).unwrap();
    let Source::RolesAnywhere(asked) = &chain.source else { panic!() };
    assert_eq!((chain.reached(), asked.region.as_str()), (("123456789012", "laptop"), "eu-west-1"));
    assert_eq!(asked.certificate, KeyPlace::File(PathBuf::from("/home/u/laptop.pem")));
    assert_eq!(asked.private_key, KeyPlace::Pkcs11(ObjectUri::parse("pkcs11:token=laptop;object=key").unwrap()));
    let elsewhere = CERTIFIED
        .replace("rolesanywhere:eu-west-1:123456789012:profile", "rolesanywhere:us-east-1:123456789012:profile");
    assert!(refused(&elsewhere).contains("is in eu-west-1, and its profile in us-east-1"));
    for line in CERTIFIED.lines() {
        let without = CERTIFIED.replace(&format!("{line}\n"), "");
        assert!(refused(&without).contains("is missing"), "{line}");
    }
    for place in
        ["key.pem", "pkcs11:object=k;pin-value=1234", "pkcs11:module-path=/tmp/evil.so", "pkcs11:a b", "~/key", ""]
    {
        let lines = CERTIFIED.replace("pkcs11:token=laptop;object=key", place);
        assert!(of_p(&lines).is_err(), "{place}");
    }
    let native = CERTIFIED.replace("tegata_", "");
    assert!(of_p(&native).is_err(), "AWS has no such keys, so they are not read without the prefix");
}

#[test]
fn an_iam_user_is_known_by_its_arn_and_makes_a_session() {
    let chain = of_p(&format!("{USER}tegata_duration_seconds = 129600\n")).unwrap();
    let Source::IamUser(user) = &chain.source else { panic!() };
    assert_eq!((chain.reached(), user.hand_out), (("123456789012", "alice"), crate::settings::HandOut::Session));
    assert_eq!((user.duration, &user.mfa), (Some(Duration::from_secs(129_600)), &None));
    let keys = resolve_with("[profile.p]\nhand_out = 'keys'\n", &format!("[profile p]\n{USER}")).unwrap();
    assert!(matches!(&keys.source, Source::IamUser(user) if user.hand_out == crate::settings::HandOut::Keys));
    assert!(refused("tegata_iam_user = arn:aws:iam::123456789012:root\n").contains("root user"));
    assert!(refused("iam_user = arn:aws:iam::123456789012:user/alice\n").contains("names nothing"));
    assert!(refused(&format!("{USER}tegata_sso_session = corp\n")).contains("are two sources; keep one"));
    assert!(refused("aws_access_key_id = AKIAX\naws_secret_access_key = x\n").contains("tegata keys import"));
}

#[test]
fn a_role_behind_an_iam_user_may_last_long_and_its_device_is_the_users() {
    let text = |duration: u32, more: &str| {
        format!(
            "[profile p]\nrole_arn = {ROLE}\nsource_profile = keys\nmfa_serial = {SERIAL}\nduration_seconds = {duration}\n\
             [profile keys]\n{USER}{more}"
        )
    };
    let chain = resolve(&text(43_200, "")).unwrap();
    assert!(!chain.is_chained() && chain.roles[0].duration == Some(Duration::from_secs(43_200)));
    assert!(matches!(&chain.source, Source::IamUser(user) if user.mfa.as_ref().unwrap().as_str() == SERIAL));
    assert!(matches!(&chain.before(0).source, Source::IamUser(user) if user.mfa.is_some()));
    let other = resolve(&text(3_600, "tegata_mfa_serial = arn:aws:iam::123456789012:mfa/other\n")).unwrap_err();
    assert!(other.contains("names another MFA device"), "{other}");
    assert!(refused(&format!("{USER}tegata_mfa_serial = arn:aws:iam::123456789012:u2f/x\n")).contains("MFA device"));
}

#[test]
fn codes_go_with_access_keys_only() {
    let text = format!(
        "[profile p]\nrole_arn = {ROLE}\nsource_profile = base\nmfa_serial = {SERIAL}\n[profile base]\nsso_start_url = \
         https://d-1.awsapps.com/start\nsso_region = us-east-1\nsso_account_id = 123456789012\nsso_role_name = Dev\n"
    );
    let error = resolve(&text).unwrap_err();
    assert!(error.contains("mfa_serial is for a chain that starts from an IAM user"), "{error}");
}

#[test]
fn what_the_machine_is_has_a_role_after_it() {
    let role = format!("role_arn = {ROLE}\n");
    let chain = of_p(&format!("{role}credential_source = Ec2InstanceMetadata\nregion = eu-west-1\n")).unwrap();
    assert!(matches!(&chain.source, Source::Ec2Instance { region } if region.as_str() == "eu-west-1"));
    assert_eq!((chain.reached().1, chain.is_chained(), chain.source.sign_in_name()), ("deploy", true, None));
    assert!(matches!(
        of_p(&format!("{role}credential_source = EcsContainer\n")).unwrap().source,
        Source::EcsContainer { .. }
    ));
    let environment = refused(&format!("{role}credential_source = Environment\n"));
    assert!(environment.contains("takes the keys of whoever asks"), "{environment}");
    assert!(refused(&format!("{role}credential_source = ec2instancemetadata\n")).contains("is neither"));
    assert!(refused("credential_source = EcsContainer\n").contains("needs role_arn"));
    let two = format!("{role}credential_source = EcsContainer\nsource_profile = x\n");
    assert!(refused(&two).contains("are two sources"));
    let long = format!("{role}credential_source = EcsContainer\nduration_seconds = 3601\n");
    assert!(refused(&long).contains("role chaining"));
}

#[test]
fn what_config_toml_says_for_another_source_is_an_error() {
    for (settings, lines) in [
        ("hand_out = 'keys'", format!("role_arn = {ROLE}\nweb_identity_token_file = /t\n")),
        ("totp_command = ['/bin/code']", CERTIFIED.to_owned()),
        ("session_tags = { a = 'b' }", format!("role_arn = {ROLE}\nweb_identity_token_file = /t\n")),
        ("source_identity = 'alice'", CERTIFIED.to_owned()),
        ("web_identity = { github_actions = {} }", USER.to_owned()),
        ("session_policy = '{\"Statement\":[]}'", USER.to_owned()),
    ] {
        let error = resolve_with(&format!("[profile.p]\n{settings}\n"), &format!("[profile p]\n{lines}")).unwrap_err();
        assert!(error.contains("of config.toml sets"), "{settings}: {error}");
    }
    let narrowed = "[profile.p]\npolicy_arns = ['arn:aws:iam::aws:policy/ReadOnlyAccess']\n";
    let text = format!("[profile p]\nrole_arn = {ROLE}\nweb_identity_token_file = /t\n");
    assert!(resolve_with(narrowed, &text).is_ok());
    let on_the_way = format!("[profile p]\nrole_arn = {ROLE}\nsource_profile = keys\n[profile keys]\n{USER}");
    let error = resolve_with("[profile.p]\nhand_out = 'keys'\n", &on_the_way).unwrap_err();
    assert!(error.contains("belongs to the profile that the chain starts from"), "{error}");
}
