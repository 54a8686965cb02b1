use super::super::{Config, ProfileError, Source};
use crate::names::ProfileName;
use crate::settings::Settings;
use std::fmt::Write;
use std::sync::Arc;
use std::time::Duration;

const CORP: &str = "[sso-session corp]\nsso_start_url = https://d-1.awsapps.com/start\nsso_region = eu-west-1\n";
const BASE: &str = "[profile base]\nsso_session = corp\nsso_account_id = 123456789012\nsso_role_name = Dev\n";

fn config(text: &str) -> Config {
    Config::parse("/home/u/.aws/config", text.as_bytes()).unwrap()
}

fn resolve(text: &str, name: &str) -> Result<super::Profile, String> {
    let resolved = config(text).resolve(&ProfileName::new(name).unwrap());
    resolved.map(|profile| (*profile).clone()).map_err(|error| error.to_string())
}

fn served(lines: &str) -> super::Profile {
    resolve(&format!("{CORP}{BASE}[profile p]\n{lines}"), "p").unwrap()
}

fn refused(lines: &str) -> String {
    resolve(&format!("{CORP}{BASE}[profile p]\n{lines}"), "p").unwrap_err()
}

fn role(number: usize) -> String {
    format!("role_arn = arn:aws:iam::123456789012:role/r{number}\n")
}

/// `p0` assumes a role from `p1`, that one from `p2`, …, the last from `base`.
fn tower(roles: usize) -> String {
    let mut text = format!("{CORP}{BASE}");
    for number in 0..roles {
        let source = if number + 1 == roles { "base".to_owned() } else { format!("p{}", number + 1) };
        let _ = write!(text, "[profile p{number}]\n{}source_profile = {source}\n", role(number));
    }
    text
}

#[test]
fn a_profile_with_native_keys_is_read_as_it_is() {
    let profile = resolve(&format!("{CORP}{BASE}"), "base").unwrap();
    let Source::SignIn { session, account, role } = profile.chain.source.clone() else { panic!() };
    assert_eq!((account.as_str(), role.as_str()), ("123456789012", "Dev"));
    assert_eq!((session.name.as_str(), session.region.as_str()), ("corp", "eu-west-1"));
    assert_eq!(session.start_url.as_str(), "https://d-1.awsapps.com/start");
    assert_eq!(session.scopes, ["sso:account:access"]);
    assert!(profile.chain.roles.is_empty());
}

#[test]
fn a_profile_served_by_us_carries_prefixed_keys_beside_credential_process() {
    let lines = "credential_process = tegata credential-process --profile p\ntegata_sso_session = corp\n\
                 tegata_sso_account_id = 210987654321\ntegata_sso_role_name = Admin\n";
    let Source::SignIn { account, role, .. } = served(lines).chain.source.clone() else { panic!() };
    assert_eq!((account.as_str(), role.as_str()), ("210987654321", "Admin"));
}

#[test]
fn roles_come_in_the_order_they_are_assumed() {
    let roles = resolve(&tower(3), "p0").unwrap().chain.roles.clone();
    let names: Vec<_> = roles.iter().map(|role| role.role_arn.as_str().rsplit('/').next().unwrap()).collect();
    assert_eq!(names, ["r2", "r1", "r0"]);
}

#[test]
fn a_role_carries_its_parameters() {
    let lines = format!(
        "{}source_profile = base\nexternal_id = ext-1\nrole_session_name = me@host\nduration_seconds = 900\n",
        role(1)
    );
    let roles = served(&lines).chain.roles.clone();
    assert_eq!(roles[0].external_id.as_deref(), Some("ext-1"));
    assert_eq!(roles[0].role_session_name.as_deref(), Some("me@host"));
    assert_eq!(roles[0].duration, Some(Duration::from_secs(900)));
}

/// Resolves a profile beside settings.
fn resolve_with(settings: &str, text: &str, name: &str) -> Result<super::Profile, String> {
    let settings = Settings::parse(settings).unwrap();
    let config = config(text).with_extras(Arc::new(settings.extras_by_profile().clone()));
    let resolved = config.resolve(&ProfileName::new(name).unwrap());
    resolved.map(|profile| (*profile).clone()).map_err(|error| error.to_string())
}

const EXTRAS: &str = "[profile.p0]\nsource_identity = 'alice'\nsession_tags = { team = 'sre', area = '基盤' }\n\
                      transitive_tags = ['team']\nsession_policy = '{\"Statement\": []}'\n\
                      policy_arns = ['arn:aws:iam::aws:policy/ReadOnlyAccess']\nreason_tag = 'Why'\n";

#[test]
fn what_the_settings_say_of_a_profile_goes_to_its_own_role() {
    let roles = resolve_with(EXTRAS, &tower(2), "p0").unwrap().chain.roles.clone();
    let own = &roles[1];
    assert_eq!(own.source_identity.as_deref(), Some("alice"));
    let tag = |key: &str, value: &str| (key.to_owned(), value.to_owned());
    assert_eq!(own.session_tags, [tag("area", "基盤"), tag("team", "sre")]);
    assert_eq!(own.transitive_tag_keys, ["team"]);
    assert_eq!(own.session_policy.as_deref(), Some(r#"{"Statement":[]}"#));
    assert_eq!(own.policy_arns, ["arn:aws:iam::aws:policy/ReadOnlyAccess"]);
    assert_eq!(own.reason_tag.as_deref(), Some("Why"));
    assert_eq!(roles[0], resolve(&tower(2), "p1").unwrap().chain.roles[0]);
}

#[test]
fn a_profile_on_the_way_keeps_what_the_settings_say_of_it() {
    let settings = EXTRAS.replace("profile.p0", "profile.p1");
    let through = resolve_with(&settings, &tower(2), "p0").unwrap().chain.before(1);
    assert_eq!(through, *resolve_with(&settings, &tower(2), "p1").unwrap().chain);
    assert_eq!(through.roles[0].source_identity.as_deref(), Some("alice"));
}

#[test]
fn a_role_has_a_tag_for_the_reason_unless_it_is_switched_off() {
    let reason_tag =
        |settings: &str| resolve_with(settings, &tower(1), "p0").unwrap().chain.roles[0].reason_tag.clone();
    assert_eq!(reason_tag("").as_deref(), Some("Reason"));
    assert_eq!(reason_tag("[profile.p0]\nreason_tag = ''\n"), None);
}

#[test]
fn what_a_permission_set_cannot_be_told_is_an_error_that_names_the_way_out() {
    let settings = EXTRAS.replace("profile.p0", "profile.base");
    let text = tower(1);
    let expected = "line 4: [profile.base] of config.toml sets source_identity, which AWS takes for a role that is assumed and \
                    not for a permission set; give it to a profile that reaches a role through this one (role_arn with \
                    source_profile)";
    assert_eq!(resolve_with(&settings, &text, "base").unwrap_err(), format!("profile \"base\": {expected}"));
    let through = resolve_with(&settings, &text, "p0").unwrap_err();
    assert_eq!(through, format!("profile \"p0\": its source \"base\": {expected}"));
}

#[test]
fn a_role_in_front_of_the_permission_set_takes_it() {
    assert!(resolve_with(EXTRAS, &tower(1), "p0").is_ok());
    let own = "sso_session = corp\nsso_account_id = 123456789012\nsso_role_name = Dev\n";
    let text = format!("{CORP}[profile p0]\n{}source_profile = p0\n{own}", role(1));
    assert_eq!(resolve_with(EXTRAS, &text, "p0").unwrap().chain.roles[0].source_identity.as_deref(), Some("alice"));
    assert!(resolve_with("[profile.base]\nreason_tag = ''\n", &tower(1), "base").is_ok(), "nothing is dropped here");
}

#[test]
fn the_two_spellings_mix_along_a_chain() {
    let lines = "tegata_role_arn = arn:aws:iam::123456789012:role/r1\ntegata_source_profile = base\n";
    assert_eq!(served(lines).chain.roles.len(), 1);
}

#[test]
fn sts_is_called_in_the_profile_s_region_else_in_the_session_s() {
    let chained = format!("{}source_profile = base\n", role(1));
    assert_eq!(served(&format!("{chained}region = ap-northeast-1\n")).chain.region.as_str(), "ap-northeast-1");
    assert_eq!(served(&chained).chain.region.as_str(), "eu-west-1");
    assert!(refused(&format!("{chained}region = evil.test\n")).contains("line 11: region"));
}

#[test]
fn profiles_that_differ_in_region_only_reach_the_same() {
    let base = "sso_session = corp\nsso_account_id = 123456789012\nsso_role_name = Dev\n";
    assert_eq!(served(&format!("{base}region = us-east-1\n")).chain, served(&format!("{base}region = local\n")).chain);
}

#[test]
fn a_profile_that_names_itself_starts_from_its_own_keys() {
    let own = "sso_session = corp\nsso_account_id = 123456789012\nsso_role_name = Dev\n";
    let profile = served(&format!("{}source_profile = p\n{own}", role(1)));
    assert_eq!(profile.chain.roles.len(), 1);
    assert!(refused(&format!("{}source_profile = p\n", role(1))).contains("names nothing to get credentials from"));
    assert!(refused(&format!("{}{own}", role(1))).contains("role_arn needs source_profile"));
}

#[test]
fn a_profile_that_describes_its_session_itself_names_it_after_the_start_url() {
    let legacy = |url: &str| {
        let lines = format!(
            "sso_start_url = {url}\nsso_region = us-east-1\nsso_account_id = 123456789012\nsso_role_name = Dev\n"
        );
        let Source::SignIn { session, .. } = served(&lines).chain.source.clone() else { panic!() };
        session
    };
    assert_eq!(legacy("https://d-1.awsapps.com/start#/").name.as_str(), "d-1.awsapps.com");
    assert_eq!(legacy("https://d-1.awsapps.com/other").name.as_str(), "d-1.awsapps.com/other");
    assert_eq!(legacy("https://d-1.awsapps.com/start").scopes, ["sso:account:access"]);
    assert_ne!(legacy("http://127.0.0.1:1/start").name, legacy("http://127.0.0.1:2/start").name);
}

#[test]
fn the_same_key_with_another_value_than_the_section_s_is_an_error() {
    let same = "sso_session = corp\nsso_account_id = 123456789012\nsso_role_name = Dev\nsso_region = eu-west-1\n";
    assert!(served(&format!("{same}sso_start_url = https://d-1.awsapps.com/start/\n")).chain.roles.is_empty());
    let other = refused(&same.replace("eu-west-1", "us-east-1"));
    assert_eq!(other, r#"profile "p": line 12: sso_region is not the one of [sso-session corp]; keep it there only"#);
    assert!(refused(&format!("{same}sso_registration_scopes = other:scope\n")).contains("sso_registration_scopes"));
}

#[test]
fn a_missing_section_is_named_with_the_nearest() {
    let lines = "sso_session = crop\nsso_account_id = 123456789012\nsso_role_name = Dev\n";
    let expected =
        r#"profile "p": line 9: sso_session names "crop", and there is no [sso-session crop]; nearest: corp"#;
    assert_eq!(refused(lines), expected);
}

#[test]
fn a_missing_source_profile_is_named_with_the_nearest() {
    let message = refused(&format!("{}source_profile = bsae\n", role(1)));
    assert!(
        message.ends_with(r#"source_profile names "bsae", and there is no such profile; nearest: base"#),
        "{message}"
    );
}

#[test]
fn what_is_wrong_in_a_source_is_told_of_the_profile_that_was_asked_for() {
    let text = format!("{CORP}[profile half]\nsso_session = corp\n[profile p]\n{}source_profile = half\n", role(1));
    let expected = r#"profile "p": its source "half": line 4: sso_account_id is missing"#;
    assert_eq!(resolve(&text, "p").unwrap_err(), expected);
}

#[test]
fn a_profile_of_settings_only_says_that_it_has_no_source() {
    assert!(refused("region = eu-west-1\n").contains("names nothing to get credentials from"));
}

#[test]
fn a_role_that_is_none_is_refused() {
    let bad = [
        ("role_arn = admin\nsource_profile = base\n", "role_arn"),
        (&format!("{}source_profile = base\nexternal_id = a b\n", role(1)), "external_id"),
        (&format!("{}source_profile = base\nrole_session_name = x\n", role(1)), "role_session_name"),
    ];
    for (lines, key) in bad {
        assert!(refused(lines).contains(key), "{lines}");
    }
}

#[test]
fn h1_control_characters_in_a_profile_become_no_part_of_it() {
    let bad = [
        "sso_session = corp\nsso_account_id = 12345678901\r2\nsso_role_name = Dev\n",
        "sso_session = corp\nsso_account_id = 123456789012\nsso_role_name = D\rev\n",
        "sso_session = corp\nsso_account_id = 123456789012\nsso_role_name = Dev\n  more\n",
        "sso_start_url = https://d-1\r.awsapps.com/start\nsso_region = eu-west-1\nsso_account_id = 123456789012\nsso_role_name = Dev\n",
        "sso_session = co\u{2028}rp\nsso_account_id = 123456789012\nsso_role_name = Dev\n",
    ];
    for lines in bad {
        let message = refused(lines);
        assert!(!message.chars().any(char::is_control), "{message:?}");
    }
    let config = config("[profile a\rb]\nsso_session = corp\n[profile ok]\n");
    assert_eq!(config.profiles().map(ProfileName::as_str).collect::<Vec<_>>(), ["ok"]);
    assert!(config.warnings()[0].starts_with("line 1: the profile name holds the character '\\r'"));
}

#[test]
fn h1_twin_a_windows_file_is_served() {
    let text = format!("{CORP}{BASE}").replace('\n', "\r\n");
    assert!(resolve(&text, "base").is_ok());
}

#[test]
fn h2_a_blank_is_never_taken_for_anything() {
    for key in ["sso_session", "sso_account_id", "sso_role_name"] {
        let base = BASE.replacen("[profile base]\n", "", 1);
        let blank: String = base
            .lines()
            .map(|line| if line.starts_with(key) { format!("{key} =\n") } else { format!("{line}\n") })
            .collect();
        assert!(refused(&blank).contains(key), "{key}");
    }
    assert!(refused(&format!("{}source_profile =\n", role(1))).contains("source_profile: the profile name is empty"));
    assert!(refused(&format!("{}source_profile = base\nexternal_id =\n", role(1))).contains("external_id"));
}

#[test]
fn h2_twin_absent_parameters_stay_absent() {
    let roles = served(&format!("{}source_profile = base\n", role(1))).chain.roles.clone();
    assert!(roles[0].external_id.is_none() && roles[0].role_session_name.is_none() && roles[0].duration.is_none());
}

#[test]
fn h4_credential_process_is_never_run() {
    let dir = tempfile::tempdir().unwrap();
    let mark = dir.path().join("ran");
    for command in [format!("touch {}", mark.display()), format!("sh -c 'touch {}' ; `touch {0}`", mark.display())] {
        let message = refused(&format!("credential_process = {command}\nmfa_process = {command}\n"));
        assert!(
            message.ends_with("credential_process runs another program; Tegata does not run programs from AWS config"),
            "{message}"
        );
        assert!(!mark.exists());
    }
}

#[test]
fn h4_nothing_in_this_room_can_start_a_program() {
    let room = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src/profile");
    for file in std::fs::read_dir(room).unwrap() {
        let path = file.unwrap().path();
        if path.file_stem().is_some_and(|name| name.to_string_lossy().ends_with("_tests")) {
            continue;
        }
        let text = std::fs::read_to_string(&path).unwrap();
        for word in ["process::Command", "Command::new", "fork(", "exec("] {
            assert!(!text.contains(word), "{word} in {}", path.display());
        }
    }
}

#[test]
fn h4_twin_a_profile_with_a_source_beside_its_process_is_served() {
    assert!(
        served(
            "credential_process = anything\nsso_session = corp\nsso_account_id = 123456789012\nsso_role_name = Dev\n"
        )
        .chain
        .roles
        .is_empty()
    );
}

#[test]
fn h5_a_circle_is_an_error_that_shows_it() {
    let text = format!(
        "[profile a]\n{0}source_profile = b\n[profile b]\n{0}source_profile = c\n[profile c]\n{0}source_profile = b\n",
        role(1)
    );
    assert_eq!(resolve(&text, "a").unwrap_err(), "profile \"a\": line 9: source_profile goes in a circle: b → c → b");
    let mut long = String::new();
    for number in 0..40 {
        let _ = write!(long, "[profile p{number}]\n{}source_profile = p{}\n", role(1), (number + 1) % 40);
    }
    let message = resolve(&long, "p0").unwrap_err();
    assert!(message.contains("circle: p0 → p1 → p2 → p3 → … ") && message.ends_with("→ p0"), "{message}");
}

#[test]
fn h5_a_circle_too_long_to_show_is_a_chain_too_long() {
    let text = tower(100).replace("source_profile = base", "source_profile = p0");
    assert!(resolve(&text, "p0").unwrap_err().contains("more than 8 roles"));
}

#[test]
fn h5_a_thousand_roles_are_an_error_and_no_stack_overflow() {
    let handle = std::thread::Builder::new().stack_size(256 * 1024).spawn(|| resolve(&tower(1000), "p0"));
    let message = handle.unwrap().join().unwrap().unwrap_err();
    assert!(message.contains("more than 8 roles"), "{message}");
    assert!(resolve(&tower(9), "p0").unwrap_err().contains("more than 8 roles"));
}

#[test]
fn h5_twin_eight_roles_are_served() {
    assert_eq!(resolve(&tower(8), "p0").unwrap().chain.roles.len(), 8);
}

#[test]
fn h9_names_that_look_alike_reach_different_things() {
    let names = ["prod", "Prod", "\"prod \"", "caf\u{e9}", "cafe\u{301}"];
    let mut text = CORP.to_owned();
    for (number, name) in names.iter().enumerate() {
        let _ = write!(
            text,
            "[profile {name}]\nsso_session = corp\nsso_account_id = 00000000000{number}\nsso_role_name = Dev\n"
        );
    }
    let mut chains = std::collections::HashSet::new();
    for (number, name) in names.iter().enumerate() {
        let profile = resolve(&text, name.trim_matches('"')).unwrap();
        let Source::SignIn { account, .. } = &profile.chain.source.clone() else { panic!() };
        assert_eq!(account.as_str(), format!("00000000000{number}"));
        assert!(chains.insert(profile.chain));
    }
}

#[test]
fn h9_twin_two_names_of_one_target_share_it() {
    let text = format!("{CORP}{BASE}{}", BASE.replace("base", "other"));
    assert_eq!(resolve(&text, "base").unwrap().chain, resolve(&text, "other").unwrap().chain);
}

#[test]
fn h13_durations_outside_of_what_sts_takes_are_refused() {
    let with = |value: &str| refused(&format!("{}source_profile = base\nduration_seconds = {value}\n", role(1)));
    for value in ["899", "43201", "-900", "0", "1h", "900.5", "99999999999999999999", "", "９００"] {
        assert!(with(value).contains("is no number of seconds from 900 to 43200"), "{value}: {}", with(value));
    }
    for value in ["3601", "43200"] {
        assert!(with(value).contains("role chaining"), "{value}: {}", with(value));
    }
}

#[test]
fn h13_twin_durations_that_aws_grants_are_taken() {
    for seconds in [900, 3600] {
        let roles =
            served(&format!("{}source_profile = base\nduration_seconds = {seconds}\n", role(1))).chain.roles.clone();
        assert_eq!(roles[0].duration, Some(Duration::from_secs(seconds)));
    }
}

#[test]
fn an_unknown_profile_is_an_error_of_its_own_kind() {
    let error = config(BASE).resolve(&ProfileName::new("bsae").unwrap()).unwrap_err();
    assert_eq!(error.mend(), Some("tegata list"));
    assert!(matches!(error, ProfileError::Unknown { nearest, .. } if nearest == ["base"]));
}
