use super::*;
use std::fmt::Write;

const TWO: &str = "\
[sso-session corp]
sso_start_url = https://d-1.awsapps.com/start
sso_region = eu-west-1
sso_registration_scopes = sso:account:access, other:scope
[profile dev]
sso_session = corp
sso_account_id = 123456789012
sso_role_name = Dev
[profile old]
sso_start_url = https://d-2.awsapps.com/start
sso_region = us-east-1
[profile older]
sso_start_url = https://d-2.awsapps.com/start/
sso_region = us-east-1
[profile admin]
role_arn = arn:aws:iam::123456789012:role/admin
source_profile = dev
";

fn config(text: &str) -> Config {
    Config::parse("/home/u/.aws/config", text.as_bytes()).unwrap()
}

fn found(text: &str, what: Option<&str>) -> Result<String, String> {
    let found = config(text).find_sign_in(what);
    found.map(|session| session.name.as_str().to_owned()).map_err(|error| error.to_string())
}

#[test]
fn profiles_are_listed_in_the_order_of_the_file() {
    let config = config(TWO);
    assert_eq!(config.profiles().map(ProfileName::as_str).collect::<Vec<_>>(), ["dev", "old", "older", "admin"]);
}

#[test]
fn the_region_of_a_profile_is_what_its_section_names_if_that_is_one() {
    let config = config(
        "[profile a]\nregion = eu-west-1\n[profile b]\n[profile c]\nregion = a;rm\n[profile d]\ntegata_region = x-1\n",
    );
    let region = |name| config.region(&ProfileName::new(name).unwrap()).map(|region| region.to_string());
    assert_eq!(["a", "b", "c", "nobody"].map(region), [Some(String::from("eu-west-1")), None, None, None]);
}

#[test]
fn sign_in_sessions_are_listed_once_each() {
    let config = config(TWO);
    let names: Vec<_> = config.sign_in_sessions().iter().map(|session| session.name.as_str()).collect();
    assert_eq!(names, ["corp", "d-2.awsapps.com"]);
    assert_eq!(config.sign_in_sessions()[0].scopes, ["sso:account:access", "other:scope"]);
}

#[test]
fn a_sign_in_session_is_found_by_its_name_a_profile_or_its_start_url() {
    for what in ["corp", "dev", "admin", "https://d-1.awsapps.com/start#/"] {
        assert_eq!(found(TWO, Some(what)).unwrap(), "corp", "{what}");
    }
    for what in ["d-2.awsapps.com", "old", "https://d-2.awsapps.com/start"] {
        assert_eq!(found(TWO, Some(what)).unwrap(), "d-2.awsapps.com", "{what}");
    }
}

#[test]
fn the_only_sign_in_session_needs_no_name() {
    let only = "[sso-session corp]\nsso_start_url = https://d-1.awsapps.com/start\nsso_region = eu-west-1\n";
    assert_eq!(found(only, None).unwrap(), "corp");
}

#[test]
fn several_sign_in_sessions_are_listed_with_the_command() {
    let expected = "/home/u/.aws/config: 2 sign-in sessions fit (corp, d-2.awsapps.com); say which: tegata login corp";
    assert_eq!(found(TWO, None).unwrap_err(), expected);
}

#[test]
fn no_sign_in_session_says_what_writes_one() {
    assert!(found("[profile p]\n", None).unwrap_err().contains("aws configure sso-session"));
}

#[test]
fn a_sign_in_session_that_is_wrong_says_where() {
    let text = "[profile p]\n[sso-session corp]\nsso_start_url = https://d-1.awsapps.com/start\n";
    let expected = "/home/u/.aws/config: line 2: [sso-session corp]: sso_region is missing";
    assert_eq!(found(text, Some("corp")).unwrap_err(), expected);
    assert_eq!(found(text, None).unwrap_err(), expected);
    let two = format!("{text}[sso-session lab]\n");
    assert_eq!(found(&two, None).unwrap_err(), expected);
}

#[test]
fn two_sessions_behind_one_start_url_have_to_be_told_apart_by_name() {
    let text = TWO.replace(
        "[profile dev]",
        "[sso-session twin]\nsso_start_url = https://d-1.awsapps.com/start\nsso_region = eu-west-1\n[profile dev]",
    );
    assert!(found(&text, Some("https://d-1.awsapps.com/start")).unwrap_err().contains("(corp, twin)"));
    assert_eq!(found(&text, Some("twin")).unwrap(), "twin");
}

#[test]
fn a_profile_without_a_sign_in_session_cannot_be_signed_in() {
    assert!(
        found("[profile p]\ncredential_process = x\n", Some("p")).unwrap_err().starts_with("profile \"p\": line 2")
    );
}

#[test]
fn an_unknown_name_is_answered_with_the_nearest_sessions_and_profiles() {
    assert_eq!(found(TWO, Some("crop")).unwrap_err(), "no profile \"crop\" in /home/u/.aws/config; nearest: corp");
    assert!(found(TWO, Some("a\nb")).is_err() && found(TWO, Some("")).is_err());
}

#[test]
fn a_forgotten_word_profile_is_explained() {
    let error = config("[prod]\nsso_session = corp\n").resolve(&ProfileName::new("prod").unwrap()).unwrap_err();
    let expected = "profile \"prod\": line 1 says [prod], which no AWS client reads; write [profile prod]";
    assert_eq!(error.to_string(), expected);
}

#[test]
fn a_profile_is_resolved_once() {
    let config = config(TWO);
    let name = ProfileName::new("admin").unwrap();
    assert!(Arc::ptr_eq(&config.resolve(&name).unwrap(), &config.resolve(&name).unwrap()));
}

#[test]
fn one_bad_profile_costs_no_other() {
    let config = config(&format!("{TWO}[profile bad]\nsso_session = none\n"));
    assert!(config.resolve(&ProfileName::new("bad").unwrap()).is_err());
    assert!(config.resolve(&ProfileName::new("dev").unwrap()).is_ok());
}

#[test]
fn h3_a_name_that_looks_like_a_path_is_only_looked_up() {
    let dir = tempfile::tempdir().unwrap();
    let long = "x".repeat(256);
    let absolute = dir.path().join("made").to_string_lossy().into_owned();
    for hostile in ["../../x", "%2e%2e/x", "/etc/passwd", &absolute] {
        let error = config(TWO).resolve(&ProfileName::new(hostile).unwrap()).unwrap_err();
        assert!(matches!(error, ProfileError::Unknown { .. }), "{hostile}");
    }
    assert!(ProfileName::new(&long).is_err());
    assert!(config(&format!("[profile {long}]\n")).warnings()[0].contains("longer than 255 bytes"));
    assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 0);
}

#[test]
fn h3_twin_such_a_name_is_served_where_it_is_a_profile() {
    let text = TWO.replace("[profile dev]", "[profile ../../x]").replace("= dev", "= ../../x");
    assert!(config(&text).resolve(&ProfileName::new("../../x").unwrap()).is_ok());
}

#[test]
fn ten_thousand_profiles_are_found_by_name_and_listed_whole() {
    let mut text = TWO.to_owned();
    for number in 0..10_000 {
        let _ = write!(
            text,
            "[profile p{number}]\nsso_session = corp\nsso_account_id = 123456789012\nsso_role_name = R{number}\n"
        );
    }
    let config = config(&text);
    assert_eq!(config.profiles().len(), 10_004);
    assert!(config.profiles().all(|name| config.resolve(name).is_ok() || name.as_str().starts_with("old")));
}

/// Profiles of one session: name, account, permission set, and what else the section says.
fn profiles(sections: &[(&str, u8, &str, &str)]) -> Config {
    let mut text =
        "[sso-session corp]\nsso_start_url = https://d-1.awsapps.com/start\nsso_region = eu-west-1\n".to_owned();
    for (name, account, role, more) in sections {
        text += &format!(
            "[profile {name}]\ntegata_sso_session = corp\ntegata_sso_account_id = 00000000000{account}\n\
             tegata_sso_role_name = {role}\n{more}"
        );
    }
    config(&text)
}

fn read_only(config: &Config, name: &str) -> Option<String> {
    config.read_only(&config.resolve(&ProfileName::new(name).unwrap()).unwrap())
}

#[test]
fn the_read_only_sibling_is_the_best_reader_of_the_same_account() {
    let config = profiles(&[
        ("admin", 1, "AdministratorAccess", ""),
        ("view", 1, "ViewOnlyAccess", ""),
        ("read", 1, "readonlyaccess", ""),
        ("also", 1, "ReadOnlyAccess", ""),
        ("other", 2, "AdministratorAccess", ""),
        (
            "third",
            3,
            "PowerUserAccess",
            "[profile deep]\nrole_arn = arn:aws:iam::000000000001:role/x\nsource_profile = third\n",
        ),
    ]);
    assert_eq!(read_only(&config, "admin").as_deref(), Some("read"));
    assert_eq!(read_only(&config, "view").as_deref(), Some("read"));
    assert_eq!(read_only(&config, "read").as_deref(), Some("read"), "nothing is narrower than itself");
    assert_eq!(read_only(&config, "other"), None, "of another account");
    assert_eq!(read_only(&config, "deep").as_deref(), Some("read"), "by the account that is reached");
}

#[test]
fn the_read_only_sibling_that_is_named_counts_before_all_others() {
    let config = profiles(&[
        ("admin", 1, "AdministratorAccess", "tegata_read_only = audit\n"),
        ("audit", 1, "SecurityAudit", ""),
        ("read", 1, "ReadOnlyAccess", ""),
        ("lost", 2, "AdministratorAccess", "tegata_read_only = nobody\n"),
    ]);
    assert_eq!(read_only(&config, "admin").as_deref(), Some("audit"));
    assert_eq!(read_only(&config, "lost").as_deref(), Some("nobody"), "whoever uses it is told there is none");
}
