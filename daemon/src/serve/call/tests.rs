use super::*;
use tegata_protocol::body::SignInFlow;

fn read(method: &str, uri: &str, body: &str) -> Result<Call, NoCall> {
    Call::read(&Request::builder().method(method).uri(uri).body(body.to_owned()).unwrap())
}

/// The code and message a request is refused with.
fn refused(method: &str, uri: &str, body: &str) -> (ErrorCode, String) {
    match read(method, uri, body) {
        Err(NoCall::Refused(error)) => (error.code, error.message),
        other => panic!("{method} {uri} {body} became {other:?}"),
    }
}

fn is_bad(method: &str, uri: &str, body: &str) -> bool {
    refused(method, uri, body).0 == ErrorCode::BadRequest
}

#[test]
fn credentials_are_asked_for_by_profile_file_and_patience() {
    let whole = read("GET", "/v1/credentials?profile=prod+admin&config=%2Fhome%2Fkim%2Faws%20config&wait=15", "");
    let expected = Ask {
        profile: "prod admin".into(),
        config: Some("/home/kim/aws config".into()),
        wait: Some(Duration::from_secs(15)),
        form: Form::Process,
    };
    assert_eq!(whole, Ok(Call::Credentials(expected)));
    let least = read("GET", "/v1/credentials?profile=%E9%9A%9C%E5%AE%B3", "");
    assert_eq!(least, Ok(asks("障害", Form::Process)));
}

fn asks(profile: &str, form: Form) -> Call {
    Call::Credentials(Ask { profile: profile.into(), config: None, wait: None, form })
}

#[test]
fn credentials_are_written_for_a_process_unless_a_container_is_named() {
    let form = |form: &str| read("GET", &format!("/v1/credentials?profile=p&form={form}"), "");
    assert_eq!(form("process"), Ok(asks("p", Form::Process)));
    assert_eq!(form("container"), Ok(asks("p", Form::Container)));
    for other in ["", "Container", "imds", "process,container"] {
        assert!(is_bad("GET", &format!("/v1/credentials?profile=p&form={other}"), ""), "{other}");
    }
}

#[test]
fn every_resource_has_its_calls() {
    let config = Some(PathBuf::from("/c"));
    let calls = [
        ("GET", "/v1/sign-ins/a1?wait=0", Call::SignIn { id: "a1".into(), wait: Duration::ZERO }),
        ("GET", "/v1/sign-ins/a1", Call::SignIn { id: "a1".into(), wait: Duration::ZERO }),
        ("DELETE", "/v1/sign-ins/a1", Call::CancelSignIn { id: "a1".into() }),
        ("GET", "/v1/sessions?config=/c", Call::Sessions { config: config.clone() }),
        ("DELETE", "/v1/sessions/corp%2Feu", Call::SignOut { name: "corp/eu".into(), config: None }),
        (
            "GET",
            "/v1/inventories/a1?page=7",
            Call::Inventory { id: "a1".into(), wait: Duration::ZERO, page: Some("7".into()) },
        ),
        ("DELETE", "/v1/inventories/a1", Call::StopInventory { id: "a1".into() }),
        ("GET", "/v1/profiles/prod%2Feu", Call::ProfileState { name: "prod/eu".into(), config: None }),
        ("GET", "/v1/profiles?page=t&config=/c", Call::Profiles { config, page: Some("t".into()), from_memory: false }),
        ("GET", "/v1/profiles?from=memory", Call::Profiles { config: None, page: None, from_memory: true }),
        ("GET", "/v1/status", Call::Status { config: None }),
        ("GET", "/v1/lock", Call::Locked),
        ("PUT", "/v1/lock", Call::Lock),
        ("DELETE", "/v1/lock", Call::Unlock),
        ("DELETE", "/v1/daemon", Call::End),
    ];
    for (method, uri, call) in calls {
        assert_eq!(read(method, uri, ""), Ok(call), "{method} {uri}");
    }
}

#[test]
fn a_sign_in_begins_with_a_body() {
    let call = read("POST", "/v1/sign-ins", r#"{"session":"corp","config":"/c","flow":"device_code"}"#);
    let expected = BeginSignIn {
        session: Some("corp".into()),
        config: Some("/c".into()),
        flow: SignInFlow::DeviceCode,
        region: None,
    };
    assert_eq!(call, Ok(Call::BeginSignIn(expected)));
    let only_one_there_is = BeginSignIn { session: None, config: None, flow: SignInFlow::Pkce, region: None };
    assert_eq!(read("POST", "/v1/sign-ins", "{}"), Ok(Call::BeginSignIn(only_one_there_is)));
}

#[test]
fn what_is_not_there_is_not_found() {
    for path in [
        "/",
        "/v1",
        "/v1/",
        "/v2/status",
        "/v1/statusx",
        "/v1/status/",
        "/v1/sign-ins/",
        "/v1/sessions/a/b",
        "//v1/status",
    ] {
        assert_eq!(refused("GET", path, "").0, ErrorCode::NotFound, "{path}");
    }
}

#[test]
fn another_method_is_told_the_right_ones() {
    for (method, uri, allowed) in [
        ("POST", "/v1/credentials?profile=p", "GET"),
        ("HEAD", "/v1/status", "GET"),
        ("GET", "/v1/sign-ins", "POST"),
        ("PATCH", "/v1/lock", "GET, PUT, DELETE"),
        ("GET", "/v1/daemon", "DELETE"),
        ("GET", "/v1/sessions/corp", "DELETE"),
        ("PUT", "/v1/sign-ins/a1", "GET, DELETE"),
    ] {
        assert_eq!(read(method, uri, ""), Err(NoCall::Method { allowed }), "{method} {uri}");
    }
}

#[test]
fn h1_a_name_with_a_line_end_or_nul_is_refused_at_the_edge() {
    for hostile in ["%0a", "%0D", "%00", "%1b", "%C2%9B", "%E2%80%AE", "%7f"] {
        assert!(is_bad("GET", &format!("/v1/credentials?profile=a{hostile}b"), ""), "{hostile}");
        assert!(is_bad("GET", &format!("/v1/status?config=/a{hostile}b"), ""), "{hostile}");
        assert!(is_bad("DELETE", &format!("/v1/sessions/a{hostile}b"), ""), "{hostile}");
        assert!(is_bad("GET", &format!("/v1/sign-ins/a{hostile}b"), ""), "{hostile}");
    }
    assert!(is_bad("POST", "/v1/sign-ins", r#"{"session":"a\nb"}"#));
    assert!(is_bad("POST", "/v1/sign-ins", r#"{"config":"/a\u0000b"}"#));
}

#[test]
fn h1_twin_other_names_pass_as_they_are() {
    let call = read("GET", "/v1/credentials?profile=a%26b%3Dc%25%2B%23", "");
    assert_eq!(call, Ok(asks("a&b=c%+#", Form::Process)));
}

#[test]
fn a22_parameters_that_are_no_text_are_refused() {
    for bytes in ["%ff", "%c3", "%ed%a0%80"] {
        assert!(is_bad("GET", &format!("/v1/credentials?profile=a{bytes}"), ""), "{bytes}");
        assert!(is_bad("DELETE", &format!("/v1/sessions/a{bytes}"), ""), "{bytes}");
    }
}

#[test]
fn a22_parameters_there_twice_or_unknown_or_missing_are_refused_by_name() {
    assert!(refused("GET", "/v1/credentials?profile=a&profile=a", "").1.contains("profile is there twice"));
    assert!(refused("GET", "/v1/credentials?profile=a&pro%66ile=b", "").1.contains("profile is there twice"));
    assert!(refused("GET", "/v1/credentials?profile=a&role=b", "").1.contains("no parameter role"));
    assert!(refused("GET", "/v1/credentials", "").1.contains("profile is missing"));
    for uri in ["/v1/status?wait=1", "/v1/lock?config=/c", "/v1/sessions?page=1", "/v1/status?"] {
        assert_eq!(read("GET", uri, "").is_ok(), uri.ends_with('?'), "{uri}");
    }
    assert!(is_bad("DELETE", "/v1/daemon?now", ""));
    assert!(is_bad("POST", "/v1/sign-ins?session=corp", "{}"));
}

#[test]
fn a22_a_wait_is_whole_seconds_up_to_ten_minutes() {
    for wait in ["601", "-1", "+1", "1.5", "", "1e2", "18446744073709551616", "0x10", "%201"] {
        assert!(is_bad("GET", &format!("/v1/credentials?profile=p&wait={wait}"), ""), "{wait}");
    }
    assert!(read("GET", "/v1/credentials?profile=p&wait=600", "").is_ok());
}

#[test]
fn a22_bodies_that_are_not_what_they_must_be_are_refused() {
    let deep = format!("{}{}", "[".repeat(10_000), "]".repeat(10_000));
    let deep_inside = format!(r#"{{"session":{deep}}}"#);
    for body in [
        "",
        "null",
        "[]",
        "{",
        "{}{}",
        &deep,
        &deep_inside,
        r#"{"session":"a","session":"b"}"#,
        r#"{"sesion":"a"}"#,
        r#"{"session":NaN}"#,
        r#"{"session":1e400}"#,
        r#"{"flow":"telepathy"}"#,
        r#"{"config":"relative"}"#,
        "{\"session\":\"\0\"}",
    ] {
        assert!(is_bad("POST", "/v1/sign-ins", body), "{body:.80}");
    }
    let not_text = Request::builder().method("POST").uri("/v1/sign-ins").body(b"{\"session\":\"\xff\"}".to_vec());
    assert!(Call::read(&not_text.unwrap()).is_err());
}

#[test]
fn a22_an_error_about_a_body_is_one_short_printable_line() {
    let (_, message) = refused("POST", "/v1/sign-ins", &format!("{{\"{}\u{1b}[2J\":1}}", "x".repeat(60_000)));
    assert!(message.chars().count() < 600 && !message.chars().any(char::is_control));
}

#[test]
fn a22_a_body_where_none_belongs_is_refused() {
    assert!(is_bad("GET", "/v1/status", "{}"));
    assert!(is_bad("DELETE", "/v1/daemon", "x"));
}

#[test]
fn a_config_path_is_absolute() {
    for path in ["config", "./c", "~/c", ""] {
        assert!(is_bad("GET", &format!("/v1/status?config={path}"), ""), "{path}");
    }
}

#[test]
fn e3_what_is_wrong_with_a_body_of_secrets_is_not_quoted() {
    for body in [
        r#"{"start_url":"u","region":"r","access_token":["CANARY"],"expires_at":"t"}"#,
        r#"{"start_url":"u","region":"r","access_token":"a","expires_at":"t","CANARY":1}"#,
        r#"{"start_url":"u","region":"r","access_token":"a","expires_at":"t","renewal":"CANARY"}"#,
        "CANARY",
    ] {
        let (code, message) = refused("POST", "/v1/sessions/corp/adopt", body);
        assert!(code == ErrorCode::BadRequest && !message.contains("CANARY"), "{message}");
    }
}

#[test]
fn e3_twin_a_body_of_secrets_is_read_and_not_printed() {
    let body = r#"{"start_url":"u","region":"r","access_token":"CANARY","expires_at":"t"}"#;
    let call = read("POST", "/v1/sessions/corp/adopt", body).unwrap();
    let Call::Adopt { name, offer } = &call else { panic!("{call:?}") };
    assert_eq!((name.as_str(), offer.0.access_token.expose_secret()), ("corp", "CANARY"));
    assert!(!format!("{call:?}").contains("CANARY"));
}
