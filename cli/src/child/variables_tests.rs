use super::*;
use std::collections::BTreeMap;

const URL: &str = "http://127.0.0.1:4000/x";

/// What the command sees of an environment; empty for what is gone.
fn seen(changes: &Changes, before: &[(&str, &str)]) -> BTreeMap<String, String> {
    let mut command = Command::new("x");
    command.env_clear().envs(before.iter().copied());
    changes.apply(&mut command);
    let text = |text: &OsStr| text.to_str().unwrap().to_owned();
    command.get_envs().filter_map(|(name, value)| Some((text(name), text(value?)))).collect()
}

fn behind_endpoint(before: &[(&str, &str)]) -> BTreeMap<String, String> {
    let token = Secret::new("token".to_owned());
    let place = EndpointPlace { url: URL, token: &token, profile: "dev@tegata", config: OsStr::new("/run/c") };
    let environment = Environment::of(before);
    let region = Region::choose(None, &environment, Some("eu-west-1"));
    seen(&through_endpoint(&place, &region, &environment), before)
}

fn with_keys(before: &[(&str, &str)]) -> BTreeMap<String, String> {
    let (secret, token) = (Secret::new("sk".to_owned()), Secret::new("st".to_owned()));
    let credentials = StaticCredentials {
        access_key_id: "ASIAX",
        secret_access_key: &secret,
        session_token: Some(&token),
        expiration: "2026-11-22T09:07:58Z",
        account_id: Some("123456789012"),
    };
    let region = Region::choose(None, &Environment::of(before), Some("eu-west-1"));
    seen(&static_credentials(&credentials, &region), before)
}

#[test]
fn access_keys_leave_no_session_token_of_somebody_else() {
    let secret = Secret::new("sk".to_owned());
    let key = StaticCredentials {
        access_key_id: "AKIAX",
        secret_access_key: &secret,
        session_token: None,
        expiration: "2026-11-22T09:07:58Z",
        account_id: None,
    };
    let changes = static_credentials(&key, &Region::default());
    let after = seen(&changes, &[("AWS_SESSION_TOKEN", "somebody else's"), ("AWS_SECURITY_TOKEN", "his")]);
    assert_eq!(after["AWS_ACCESS_KEY_ID"], "AKIAX");
    assert!(!after.contains_key("AWS_SESSION_TOKEN") && !after.contains_key("AWS_SECURITY_TOKEN"), "{after:?}");
}

macro_rules! traps {
    ($($test:ident: $($name:literal),+;)*) => {$(
        #[test]
        fn $test() {
            for name in [$($name),+] {
                let before = [(name, "somebody else's")];
                for after in [behind_endpoint(&before), with_keys(&before)] {
                    assert_ne!(after.get(name).map(String::as_str), Some("somebody else's"), "{name}");
                }
            }
        }
    )*};
}

traps! {
    keys_of_somebody_else_are_gone: "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN";
    the_older_names_of_keys_are_gone: "AWS_SECURITY_TOKEN", "AWS_ACCESS_KEY", "AWS_SECRET_KEY";
    the_end_of_other_credentials_is_gone: "AWS_CREDENTIAL_EXPIRATION";
    the_account_of_other_credentials_is_gone: "AWS_ACCOUNT_ID";
    a_profile_with_credentials_of_its_own_is_not_named: "AWS_PROFILE", "AWS_DEFAULT_PROFILE";
    a_web_identity_is_gone: "AWS_WEB_IDENTITY_TOKEN_FILE", "AWS_ROLE_ARN", "AWS_ROLE_SESSION_NAME";
    the_endpoint_of_a_container_around_us_is_gone:
        "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "AWS_CONTAINER_CREDENTIALS_FULL_URI";
    the_token_of_a_container_around_us_is_gone:
        "AWS_CONTAINER_AUTHORIZATION_TOKEN", "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE";
    the_key_file_of_boto_is_gone: "AWS_CREDENTIAL_FILE";
    the_profile_of_a_shell_around_us_is_gone: "TEGATA_PROFILE";
}

#[test]
fn e5_behind_an_endpoint_a_command_has_these_variables_and_no_key() {
    let expected = [
        ("AWS_CONFIG_FILE", "/run/c"),
        ("AWS_CONTAINER_AUTHORIZATION_TOKEN", "token"),
        ("AWS_CONTAINER_CREDENTIALS_FULL_URI", URL),
        ("AWS_DEFAULT_REGION", "eu-west-1"),
        ("AWS_EC2_METADATA_DISABLED", "true"),
        ("AWS_PROFILE", "dev@tegata"),
        ("AWS_REGION", "eu-west-1"),
        ("AWS_SDK_LOAD_CONFIG", "1"),
        ("HOME", "/home/a"),
        ("TEGATA_REGION", "eu-west-1"),
    ];
    let expected: BTreeMap<_, _> = expected.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
    assert_eq!(behind_endpoint(&[("HOME", "/home/a"), ("AWS_CONFIG_FILE", "/home/a/c")]), expected);
}

#[test]
fn e5_with_variables_a_command_has_these_and_no_endpoint() {
    let expected = [
        ("AWS_ACCESS_KEY_ID", "ASIAX"),
        ("AWS_ACCOUNT_ID", "123456789012"),
        ("AWS_CREDENTIAL_EXPIRATION", "2026-11-22T09:07:58Z"),
        ("AWS_DEFAULT_REGION", "eu-west-1"),
        ("AWS_REGION", "eu-west-1"),
        ("AWS_SECRET_ACCESS_KEY", "sk"),
        ("AWS_SESSION_TOKEN", "st"),
        ("TEGATA_REGION", "eu-west-1"),
    ];
    let expected: BTreeMap<_, _> = expected.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
    assert_eq!(with_keys(&[("AWS_PROFILE", "other"), ("AWS_CONTAINER_AUTHORIZATION_TOKEN", "x")]), expected);
}

#[test]
fn the_role_of_the_machine_is_not_what_comes_next() {
    let after = behind_endpoint(&[("AWS_EC2_METADATA_DISABLED", "false")]);
    assert_eq!(after["AWS_EC2_METADATA_DISABLED"], "true");
}

#[test]
fn the_endpoint_is_not_asked_through_a_proxy() {
    assert!(!behind_endpoint(&[]).contains_key("NO_PROXY"), "nothing to except it from");
    for proxy in ["HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"] {
        let after = behind_endpoint(&[(proxy, "http://proxy:1")]);
        assert_eq!((after["NO_PROXY"].as_str(), after["no_proxy"].as_str()), (LOOPBACK, LOOPBACK));
        let after = behind_endpoint(&[(proxy, "http://proxy:1"), ("no_proxy", "corp.example,.local")]);
        assert_eq!(
            (after["NO_PROXY"].as_str(), &after["no_proxy"]),
            ("corp.example,.local,127.0.0.1", &after["NO_PROXY"])
        );
        for enough in ["*", "localhost, 127.0.0.1"] {
            let after = behind_endpoint(&[(proxy, "http://proxy:1"), ("NO_PROXY", enough)]);
            assert_eq!(after["NO_PROXY"], enough);
        }
    }
}

fn region(asked: Option<&str>, exported: &[(&str, &str)], of_profile: Option<&str>) -> [Option<String>; 3] {
    let Region { region, default_region, own } = Region::choose(asked, &Environment::of(exported), of_profile);
    [region, default_region, own].map(|value| value.map(|value| value.into_string().unwrap()))
}

fn both(region: &str) -> [Option<String>; 3] {
    [Some(region.to_owned()), Some(region.to_owned()), None]
}

#[test]
fn a_region_that_was_exported_counts_before_the_profile_and_reaches_every_sdk() {
    assert_eq!(region(None, &[("AWS_REGION", "a")], Some("p")), both("a"));
    assert_eq!(region(None, &[("AWS_DEFAULT_REGION", "d")], Some("p")), both("d"));
    let apart = region(None, &[("AWS_REGION", "a"), ("AWS_DEFAULT_REGION", "d")], Some("p"));
    assert_eq!(apart, [Some("a".to_owned()), Some("d".to_owned()), None], "as they were, whatever that is for");
    assert_eq!(region(Some("x"), &[("AWS_REGION", "a"), ("AWS_DEFAULT_REGION", "d")], Some("p")), both("x"));
    assert_eq!(region(None, &[], None), [None, None, None]);
}

#[test]
fn the_region_of_one_profile_does_not_stick_to_the_next() {
    let own = [Some("p".to_owned()), Some("p".to_owned()), Some("p".to_owned())];
    assert_eq!(region(None, &[], Some("p")), own);
    let within = [("AWS_REGION", "first"), ("AWS_DEFAULT_REGION", "first"), ("TEGATA_REGION", "first")];
    assert_eq!(region(None, &within, Some("p")), own);
    let changed = [("AWS_REGION", "mine"), ("AWS_DEFAULT_REGION", "first"), ("TEGATA_REGION", "first")];
    assert_eq!(region(None, &changed, Some("p")), both("mine"));
}

#[test]
fn a_command_under_a_grant_uses_the_profile_by_name() {
    let after = seen(&named_profile("admin"), &[("AWS_DEFAULT_PROFILE", "x"), ("AWS_ACCESS_KEY_ID", "x")]);
    let expected = [("AWS_PROFILE", "admin"), ("TEGATA_PROFILE", "admin")];
    assert_eq!(after, expected.map(|(name, value)| (name.to_owned(), value.to_owned())).into());
}
