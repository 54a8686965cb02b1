//! The federation endpoint and the console behind it.

use std::time::Duration;

use serde_json::json;
use tegata_sandbox::{Effect, Fault, IssuedCredentials, Operation, Sandbox};

use crate::client::{Answer, StsRequest, admin, get, post_form, send, string};

const DESTINATION: &str = "https://us-east-1.console.aws.amazon.com/s3/home?region=us-east-1";

fn session(credentials: &IssuedCredentials) -> String {
    json!({
        "sessionId": credentials.access_key_id,
        "sessionKey": credentials.secret_access_key,
        "sessionToken": credentials.session_token,
    })
    .to_string()
}

fn ask(sandbox: &Sandbox, session: &str, more: &[(&str, &str)]) -> Answer {
    let fields = [&[("Action", "getSigninToken"), ("Session", session)], more].concat();
    post_form(sandbox, "/federation", &fields)
}

fn token(sandbox: &Sandbox, credentials: &IssuedCredentials) -> String {
    string(&ask(sandbox, &session(credentials), &[]).json()["SigninToken"])
}

fn login(sandbox: &Sandbox, token: &str, destination: &str, cookie: &str) -> Answer {
    let query = form_urlencoded::Serializer::new(String::new())
        .append_pair("Action", "login")
        .append_pair("Issuer", "tests")
        .append_pair("Destination", destination)
        .append_pair("SigninToken", token)
        .finish();
    send(sandbox, "GET", &format!("/federation?{query}"), &[("cookie", cookie)], b"")
}

fn path(url: &str) -> &str {
    &url[url.match_indices('/').nth(2).unwrap().0..]
}

#[test]
fn credentials_become_a_token_and_the_token_a_console() {
    let sandbox = Sandbox::start().unwrap();
    let admin = admin(&sandbox);
    let arrived = login(&sandbox, &token(&sandbox, &admin), DESTINATION, "");
    assert_eq!(arrived.status, 302);
    let cookie = arrived.header("set-cookie").split(';').next().unwrap().to_owned();
    let page = send(&sandbox, "GET", path(arrived.header("location")), &[("cookie", &cookie)], b"");
    assert!(page.text().contains(&admin.principal.arn), "{}", page.text());
    assert!(get(&sandbox, path(arrived.header("location"))).text().contains("not signed in"));
    let sign_ins = sandbox.console_sign_ins();
    assert_eq!(sign_ins.len(), 1);
    assert_eq!((sign_ins[0].destination.as_str(), sign_ins[0].issuer.as_str()), (DESTINATION, "tests"));
    assert_eq!((&sign_ins[0].principal, sign_ins[0].until_ms), (&admin.principal, admin.expires_ms));
}

#[test]
fn credentials_that_were_never_issued_or_have_ended_get_no_token() {
    let sandbox = Sandbox::start().unwrap();
    let good = admin(&sandbox);
    let wrong = [
        IssuedCredentials { access_key_id: "ASIAUNKNOWNUNKNOWN".to_owned(), ..good.clone() },
        IssuedCredentials { secret_access_key: "x".to_owned(), ..good.clone() },
        IssuedCredentials { session_token: String::new(), ..good.clone() },
    ];
    for credentials in &wrong {
        assert_eq!(ask(&sandbox, &session(credentials), &[]).status, 400);
    }
    for odd in ["", "{}", "[]", "x", r#"{"sessionId":"a","sessionKey":"b","sessionToken":"c","more":1}"#] {
        assert_eq!(ask(&sandbox, odd, &[]).status, 400, "{odd}");
    }
    assert_eq!(ask(&sandbox, &session(&good), &[]).status, 200);
    sandbox.advance(Duration::from_secs(13 * 3_600));
    assert_eq!(ask(&sandbox, &session(&good), &[]).status, 400);
}

#[test]
fn a_duration_is_for_credentials_that_were_not_chained_and_within_bounds() {
    let sandbox = Sandbox::start().unwrap();
    let admin = admin(&sandbox);
    for (seconds, status) in [("900", 200), ("43200", 200), ("899", 400), ("43201", 400), ("", 400), ("1h", 400)] {
        assert_eq!(ask(&sandbox, &session(&admin), &[("SessionDuration", seconds)]).status, status, "{seconds}");
    }
    assert_eq!(StsRequest::assume(&admin, "arn:aws:iam::210987654321:role/Deploy").send(&sandbox).status, 200);
    let chained = sandbox.issued_credentials().pop().unwrap();
    assert_eq!(ask(&sandbox, &session(&chained), &[("SessionDuration", "900")]).status, 400);
    assert_eq!(ask(&sandbox, &session(&chained), &[]).status, 200);
}

#[test]
fn a_token_is_good_once_and_for_fifteen_minutes() {
    let sandbox = Sandbox::start().unwrap();
    let admin = admin(&sandbox);
    let (once, late) = (token(&sandbox, &admin), token(&sandbox, &admin));
    assert_eq!(login(&sandbox, &once, DESTINATION, "").status, 302);
    assert_eq!(login(&sandbox, &once, DESTINATION, "").status, 400);
    assert_eq!(login(&sandbox, "unknown", DESTINATION, "").status, 400);
    sandbox.advance(Duration::from_secs(15 * 60));
    assert_eq!(login(&sandbox, &late, DESTINATION, "").status, 400);
}

#[test]
fn a_destination_elsewhere_is_refused_and_spends_nothing() {
    let sandbox = Sandbox::start().unwrap();
    let token = token(&sandbox, &admin(&sandbox));
    for elsewhere in ["https://evil.example/", "javascript:alert(1)", "https://console.amazonaws.cn/"] {
        assert_eq!(login(&sandbox, &token, elsewhere, "").status, 400, "{elsewhere}");
    }
    assert_eq!(login(&sandbox, &token, DESTINATION, "").status, 302);
}

#[test]
fn whoever_is_signed_in_has_to_sign_out_first() {
    let sandbox = Sandbox::start().unwrap();
    let admin = admin(&sandbox);
    let arrived = login(&sandbox, &token(&sandbox, &admin), DESTINATION, "");
    let cookie = arrived.header("set-cookie").split(';').next().unwrap().to_owned();
    let second = token(&sandbox, &admin);
    assert_eq!(login(&sandbox, &second, DESTINATION, &cookie).status, 400);
    let logout = |next: &str| {
        let query =
            form_urlencoded::Serializer::new("Action=logout".to_owned()).append_pair("redirect_uri", next).finish();
        send(&sandbox, "GET", &format!("/oauth?{query}"), &[("cookie", &cookie)], b"")
    };
    assert_eq!(logout("https://evil.example/federation?").status, 400);
    let next = format!("{}/federation?Action=login", sandbox.url());
    let out = logout(&next);
    assert_eq!((out.status, out.header("location")), (302, next.as_str()));
    assert_eq!(login(&sandbox, &second, DESTINATION, &cookie).status, 302);
}

#[test]
fn faults_strike_it_like_any_other_operation() {
    let sandbox = Sandbox::start().unwrap();
    let admin = admin(&sandbox);
    let error = Effect::Error { status: 500, code: "Oops".to_owned(), message: "<b>".to_owned(), retry_after: None };
    sandbox.fault(Fault::on(Operation::GetSigninToken, error).times(1));
    let spoiled = ask(&sandbox, &session(&admin), &[]);
    assert!(spoiled.status == 500 && spoiled.text().contains("&lt;b&gt;"), "{}", spoiled.text());
    assert_eq!(ask(&sandbox, &session(&admin), &[]).status, 200);
    assert_eq!(sandbox.calls(Operation::GetSigninToken), 2);
}
