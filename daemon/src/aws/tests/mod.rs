//! [`SdkAws`] against answers right and broken, byte by byte.

mod double;
mod federation;
mod tls;
mod users;

use super::http::{LONGEST_BODY, Limits};
use super::retry::Bounds;
use super::*;
use crate::clock::manual::ManualClock;
use crate::clock::{Clock, from_unix_seconds};
use crate::credentials::Parts;
use double::{Double, Play, answer, json};
use std::sync::Arc;

const NOW: i64 = 1_795_338_478; // Sun, 22 Nov 2026 09:07:58 GMT

fn short() -> (Limits, Bounds) {
    let moment = Duration::from_millis(400);
    let limits = Limits { connect: moment, read: moment, exchange: moment, idle: moment };
    let pause = Duration::from_millis(1);
    (limits, Bounds { tries: 3, first_pause: pause, longest_pause: pause, total: Duration::from_secs(10) })
}

/// AWS at the double. Nothing but a broken exchange ever meets the short limits.
fn aws_at(double: &Double, (limits, bounds): (Limits, Bounds)) -> SdkAws {
    let (sso_oidc, sso, sts) = (Some(double.url()), Some(double.url()), Some(double.url()));
    let config = Config {
        endpoints: EndpointOverrides { sso_oidc, sso, sts, ..EndpointOverrides::default() },
        ..Config::default()
    };
    SdkAws::with_limits(config, clock(), limits, bounds).unwrap()
}

fn clock() -> Arc<dyn Clock> {
    Arc::new(ManualClock::at(from_unix_seconds(NOW)))
}

/// AWS at a double that plays these answers, with ample time for each.
async fn aws_playing(plays: Vec<Play>) -> (SdkAws, Double) {
    let double = Double::playing(plays).await;
    let quick_retries = short().1;
    (aws_at(&double, (Limits::default(), quick_retries)), double)
}

fn region() -> Region {
    Region::new("us-east-1").unwrap()
}

fn start_url() -> StartUrl {
    StartUrl::new("https://d-1234567890.awsapps.com/start").unwrap()
}

fn client() -> Registration {
    let (client_id, client_secret) = (String::from("client-1"), Secret::new(String::from("CANARY-client")));
    Registration { client_id, client_secret, expires_at: from_unix_seconds(NOW + 86_400) }
}

fn source() -> Credentials {
    Credentials::from(Parts {
        access_key_id: String::from("ASIASOURCE"),
        secret_access_key: Secret::new(String::from("CANARY-secret")),
        session_token: Secret::new(String::from("CANARY-session")),
        expires_at: from_unix_seconds(NOW + 3600),
        issued_at: from_unix_seconds(NOW),
        account_id: None,
    })
}

fn role() -> RoleToAssume {
    RoleToAssume {
        external_id: Some(String::from("ext-1")),
        duration: Some(Duration::from_secs(900)),
        ..RoleToAssume::new(RoleArn::new("arn:aws:iam::123456789012:role/Deploy").unwrap())
    }
}

async fn role_credentials(aws: &SdkAws) -> Result<Credentials, AwsError> {
    let token = Secret::new(String::from("CANARY-access"));
    let (account, role) = (AccountId::new("123456789012").unwrap(), RoleName::new("Admin").unwrap());
    aws.role_credentials(&region(), &token, &account, &role).await
}

async fn refresh(aws: &SdkAws) -> Result<Tokens, AwsError> {
    let token = Secret::new(String::from("CANARY-refresh"));
    aws.create_token(&region(), &client(), Grant::RefreshToken(&token)).await
}

fn credentials_body(expiration: &str) -> String {
    format!(
        r#"{{"roleCredentials":{{"accessKeyId":"ASIAROLE","secretAccessKey":"s","sessionToken":"t","expiration":{expiration}}}}}"#
    )
}

fn good_credentials() -> Play {
    json("200 OK", &credentials_body(&((NOW + 3600) * 1000).to_string()))
}

const GOOD_TOKENS: &str = r#"{"accessToken":"a","tokenType":"Bearer","expiresIn":3600,"refreshToken":"r2"}"#;

fn assume_role_body(expiration: &str) -> String {
    format!(
        "<AssumeRoleResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><AssumeRoleResult><Credentials>\
         <AccessKeyId>ASIAASSUMED</AccessKeyId><SecretAccessKey>s</SecretAccessKey><SessionToken>t</SessionToken>\
         <Expiration>{expiration}</Expiration></Credentials><AssumedRoleUser><AssumedRoleId>AROA:tegata</AssumedRoleId>\
         <Arn>arn:aws:sts::123456789012:assumed-role/Deploy/tegata</Arn></AssumedRoleUser></AssumeRoleResult></AssumeRoleResponse>"
    )
}

fn xml(status: &str, body: &str) -> Play {
    answer(status, &[("Content-Type", "text/xml")], body)
}

/// Asserts a failure without an answer that can be used, and that nothing secret is in it.
fn assert_unavailable<T: std::fmt::Debug>(outcome: Result<T, AwsError>, case: &str) -> String {
    let error = outcome.expect_err(case);
    assert!(matches!(error, AwsError::Unavailable { .. }), "{case}: {error:?}");
    assert!(!format!("{error:?}{error}").contains("CANARY"), "{case}: {error:?}");
    error.to_string()
}

#[tokio::test]
async fn a_registration_asks_for_every_flow_and_names_no_person() {
    let body = format!(r#"{{"clientId":"c","clientSecret":"s","clientSecretExpiresAt":{}}}"#, NOW + 7_776_000);
    let (aws, double) = aws_playing(vec![json("200 OK", &body)]).await;
    let scopes = [String::from("sso:account:access")];
    let registered = aws.register(&region(), &start_url(), &scopes).await.unwrap();
    assert_eq!(registered.expires_at, from_unix_seconds(NOW + 7_776_000));
    let asked = &double.asked()[0];
    assert!(asked.starts_with("POST /client/register HTTP/1.1\r\n"), "{asked}");
    let sent: serde_json::Value = serde_json::from_str(asked.split("\r\n\r\n").nth(1).unwrap()).unwrap();
    assert_eq!(
        sent,
        serde_json::json!({
            "clientName": "tegata",
            "clientType": "public",
            "scopes": ["sso:account:access"],
            "redirectUris": ["http://127.0.0.1/oauth/callback"],
            "grantTypes": ["authorization_code", "urn:ietf:params:oauth:grant-type:device_code", "refresh_token"],
            "issuerUrl": "https://d-1234567890.awsapps.com/start",
        })
    );
}

#[tokio::test]
async fn role_credentials_are_fetched_with_the_bearer_token_in_its_header() {
    let (aws, double) = aws_playing(vec![good_credentials()]).await;
    let credentials = role_credentials(&aws).await.unwrap();
    assert_eq!(credentials.access_key_id(), "ASIAROLE");
    let asked = &double.asked()[0];
    assert!(asked.starts_with("GET /federation/credentials?"), "{asked}");
    assert!(asked.contains("role_name=Admin") && asked.contains("account_id=123456789012"), "{asked}");
    assert!(asked.to_ascii_lowercase().contains("x-amz-sso_bearer_token: canary-access"), "{asked}");
}

#[tokio::test]
async fn a_role_is_assumed_with_a_signed_request_for_the_region() {
    let (aws, double) = aws_playing(vec![xml("200 OK", &assume_role_body("2026-11-22T09:22:58Z"))]).await;
    let credentials = aws.assume_role(&region(), &source(), &role()).await.unwrap();
    assert_eq!((credentials.access_key_id(), credentials.lifetime()), ("ASIAASSUMED", Duration::from_secs(900)));
    assert_eq!(credentials.account_id().unwrap().as_str(), "123456789012");
    let asked = &double.asked()[0];
    assert!(asked.contains("Credential=ASIASOURCE/20261122/us-east-1/sts/aws4_request"), "{asked}");
    assert!(asked.contains("x-amz-date: 20261122T090758Z"), "the injected clock signs: {asked}");
    assert!(asked.contains("RoleSessionName=tegata&") && asked.contains("DurationSeconds=900"), "{asked}");
    assert!(asked.contains("ExternalId=ext-1"), "{asked}");
}

#[tokio::test]
async fn a_role_is_asked_for_with_identity_tags_and_policies() {
    let (aws, double) = aws_playing(vec![xml("200 OK", &assume_role_body("2026-11-22T09:22:58Z"))]).await;
    let tag = |key: &str, value: &str| (key.to_owned(), value.to_owned());
    let asked = RoleToAssume {
        source_identity: Some("alice@example.com".to_owned()),
        session_tags: vec![tag("team", "基盤"), tag("Reason", "INC-42")],
        transitive_tag_keys: vec!["team".to_owned()],
        session_policy: Some(r#"{"Statement":[]}"#.to_owned()),
        policy_arns: vec!["arn:aws:iam::aws:policy/ReadOnlyAccess".to_owned()],
        ..role()
    };
    aws.assume_role(&region(), &source(), &asked).await.unwrap();
    let asked = &double.asked()[0];
    for parameter in [
        "SourceIdentity=alice%40example.com",
        "Tags.member.1.Key=team&Tags.member.1.Value=%E5%9F%BA%E7%9B%A4",
        "Tags.member.2.Key=Reason&Tags.member.2.Value=INC-42",
        "TransitiveTagKeys.member.1=team",
        "Policy=%7B%22Statement%22%3A%5B%5D%7D",
        "PolicyArns.member.1.arn=arn%3Aaws%3Aiam%3A%3Aaws%3Apolicy%2FReadOnlyAccess",
    ] {
        assert!(asked.contains(parameter), "{parameter} in {asked}");
    }
}

#[tokio::test]
async fn what_a_role_does_not_carry_is_not_sent() {
    let (aws, double) = aws_playing(vec![xml("200 OK", &assume_role_body("2026-11-22T09:22:58Z"))]).await;
    aws.assume_role(&region(), &source(), &role()).await.unwrap();
    for parameter in ["SourceIdentity", "Tags", "TransitiveTagKeys", "Policy"] {
        assert!(!double.asked()[0].contains(parameter), "{parameter} in {}", double.asked()[0]);
    }
}

#[tokio::test]
async fn a_refused_tag_names_what_the_trust_policy_has_to_allow() {
    let body = "<ErrorResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><Error><Type>Sender</Type><Code>AccessDenied\
                </Code><Message>User: arn:u is not authorized to perform: sts:TagSession on resource: arn:r</Message></Error>\
                </ErrorResponse>";
    let (aws, _double) = aws_playing(vec![xml("403 Forbidden", body)]).await;
    let said = aws.assume_role(&region(), &source(), &role()).await.unwrap_err().to_string();
    assert!(said.contains("have to allow sts:TagSession") && said.contains("reason_tag = \"\""), "{said}");
}

#[tokio::test]
async fn logout_is_an_empty_answer() {
    let (aws, double) = aws_playing(vec![answer("200 OK", &[], "")]).await;
    aws.logout(&region(), &Secret::new(String::from("a"))).await.unwrap();
    assert!(double.asked()[0].starts_with("POST /logout "));
}

#[tokio::test]
async fn d4_a_fault_of_aws_is_asked_again_until_it_passes() {
    let (aws, double) = aws_playing(vec![
        json("500 Internal Server Error", "{}"),
        json("503 Service Unavailable", ""),
        good_credentials(),
    ])
    .await;
    assert!(role_credentials(&aws).await.is_ok());
    assert_eq!(double.asked().len(), 3);
}

#[tokio::test]
async fn d4_twin_a_lasting_fault_of_aws_is_asked_three_times() {
    let (aws, double) = aws_playing(vec![json("502 Bad Gateway", "<html>")]).await;
    let shown = assert_unavailable(role_credentials(&aws).await, "502");
    assert_eq!((double.asked().len(), shown.contains("HTTP 502")), (3, true), "{shown}");
}

#[tokio::test]
async fn a_grant_is_sent_once_whatever_happens_to_it() {
    for play in [json("500 Internal Server Error", "{}"), Play::Bytes(Vec::new()), json("429 Too Many Requests", "{}")]
    {
        let (aws, double) = aws_playing(vec![play.clone(), json("200 OK", GOOD_TOKENS)]).await;
        assert!(refresh(&aws).await.unwrap_err().is_passing(), "{play:?}");
        assert_eq!(double.asked().len(), 1, "{play:?}");
    }
}

#[tokio::test]
async fn a_grant_is_sent_once_twin_and_its_tokens_are_taken() {
    let (aws, double) = aws_playing(vec![json("200 OK", GOOD_TOKENS)]).await;
    let tokens = refresh(&aws).await.unwrap();
    assert_eq!(tokens.refresh_token.unwrap().expose_secret(), "r2");
    assert!(double.asked()[0].contains(r#""grantType":"refresh_token""#));
}

#[tokio::test]
async fn d1_a_refused_refresh_token_is_the_end_in_both_forms_of_the_error() {
    let body = r#"{"error":"invalid_grant","error_description":"Invalid refresh token provided"}"#;
    let tail = "InvalidGrantException:http://internal.amazon.com/coral/com.amazonaws.sso.oidc/";
    for headers in [&[("x-amzn-ErrorType", "InvalidGrantException")][..], &[("x-amzn-ErrorType", tail)], &[]] {
        let (aws, _double) = aws_playing(vec![answer("400 Bad Request", headers, body)]).await;
        let over = AwsError::SignInOver { message: String::from("Invalid refresh token provided") };
        assert_eq!(refresh(&aws).await.unwrap_err(), over, "{headers:?}");
    }
}

#[tokio::test]
async fn d1_a_dead_access_token_is_the_end_but_a_hotel_network_is_not() {
    let body = r#"{"message":"Session token not found or invalid"}"#;
    let (aws, _double) =
        aws_playing(vec![answer("401 Unauthorized", &[("x-amzn-ErrorType", "UnauthorizedException")], body)]).await;
    assert!(matches!(role_credentials(&aws).await, Err(AwsError::SignInOver { .. })));
    let (aws, _double) = aws_playing(vec![answer("401 Unauthorized", &[], "<html>Please pay</html>")]).await;
    assert_unavailable(role_credentials(&aws).await, "a captive portal");
}

#[tokio::test]
async fn d3_a_long_retry_after_is_handed_on_without_asking_again() {
    let play = answer("429 Too Many Requests", &[("Retry-After", "60")], "{}");
    let (aws, double) = aws_playing(vec![play]).await;
    let throttled = AwsError::Throttled { operation: "GetRoleCredentials", retry_after: Some(Duration::from_secs(60)) };
    assert_eq!(role_credentials(&aws).await.unwrap_err(), throttled);
    assert_eq!(double.asked().len(), 1);
}

#[tokio::test]
async fn d5_silence_and_trickling_are_cut_off() {
    let head = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 90000\r\n\r\n".to_vec();
    let mut cases = tokio::task::JoinSet::new();
    for play in [
        Play::Hang(Vec::new()),
        Play::Hang(b"HTTP/1.1 200 OK\r\n".to_vec()),
        Play::Hang(head.clone()),
        Play::Trickle(b"HTTP/1.1 200 OK\r\nX: ".to_vec()),
        Play::Trickle(head),
    ] {
        cases.spawn(async move {
            let double = Double::playing(vec![play.clone()]).await;
            let (limits, bounds) = short();
            let aws = aws_at(&double, (limits, Bounds { tries: 1, ..bounds }));
            let (idempotent, once) = tokio::join!(role_credentials(&aws), refresh(&aws));
            assert_unavailable(idempotent, &format!("{play:?}"));
            assert_unavailable(once, &format!("{play:?}"));
        });
    }
    cases.join_all().await;
}

#[tokio::test]
async fn d5_nobody_there_is_said_plainly() {
    let mut double = Double::playing(vec![good_credentials()]).await;
    double.port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let aws = aws_at(&double, (Limits::default(), short().1));
    let shown = assert_unavailable(role_credentials(&aws).await, "closed port");
    assert!(shown.contains("onnection refused"), "{shown}");
}

#[tokio::test]
async fn d6_what_is_not_an_answer_never_becomes_one() {
    let good = credentials_body(&((NOW + 3600) * 1000).to_string());
    let cut = format!("HTTP/1.1 200 OK\r\nContent-Length: 9000\r\nContent-Type: application/json\r\n\r\n{good}");
    for (case, play) in [
        ("html", answer("200 OK", &[("Content-Type", "text/html")], "<html>Sign in to the WLAN</html>")),
        ("html as json", json("200 OK", "<html></html>")),
        ("wrong content type", answer("200 OK", &[("Content-Type", "text/plain")], &good)),
        ("truncated json", json("200 OK", &good[..good.len() - 9])),
        ("cut off", Play::Bytes(cut.into_bytes())),
        ("empty", json("200 OK", "")),
        ("empty object", json("200 OK", "{}")),
        ("null", json("200 OK", r#"{"roleCredentials":null}"#)),
        ("array", json("200 OK", "[]")),
        ("nothing", Play::Bytes(Vec::new())),
        ("not http", Play::Bytes(b"\x16\x03\x01\x00\x00garbage\r\n\r\n".to_vec())),
        ("no content", answer("204 No Content", &[], "")),
        ("xml", xml("200 OK", &assume_role_body("2026-11-22T09:22:58Z"))),
    ] {
        let (aws, _double) = aws_playing(vec![play]).await;
        assert_unavailable(role_credentials(&aws).await, case);
    }
}

#[tokio::test]
async fn d6_what_is_not_an_answer_of_sts_never_becomes_one() {
    for (case, play) in [
        ("html", answer("200 OK", &[("Content-Type", "text/html")], "<html></html>")),
        ("other root", xml("200 OK", "<ErrorResponse/>")),
        ("empty", xml("200 OK", "")),
        ("cut", xml("200 OK", &assume_role_body("2026-11-22T09:22:58Z")[..300])),
        ("html error", answer("403 Forbidden", &[("Content-Type", "text/html")], "<html>blocked</html>")),
    ] {
        let (aws, _double) = aws_playing(vec![play]).await;
        assert_unavailable(aws.assume_role(&region(), &source(), &role()).await, case);
    }
}

#[tokio::test]
async fn d7_a_body_is_read_up_to_a_mebibyte() {
    let head = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n".to_vec();
    let (aws, double) = aws_playing(vec![Play::Flood(head)]).await;
    let shown = assert_unavailable(role_credentials(&aws).await, "endless");
    assert!(shown.contains("longer than 1 MiB") && double.asked().len() == 1, "{shown}");
    let error = format!(r#"{{"message":"{}"}}"#, "x".repeat(10 * LONGEST_BODY));
    let (aws, _double) = aws_playing(vec![json("403 Forbidden", &error)]).await;
    assert_unavailable(role_credentials(&aws).await, "a 10 MiB error");
}

#[tokio::test]
async fn d7_twin_a_body_just_below_is_read() {
    let good = credentials_body(&((NOW + 3600) * 1000).to_string());
    let padded = format!("{good}{}", " ".repeat(LONGEST_BODY - good.len()));
    let (aws, _double) = aws_playing(vec![json("200 OK", &padded)]).await;
    assert!(role_credentials(&aws).await.is_ok());
}

#[tokio::test]
async fn d8_a_redirect_is_not_followed() {
    let elsewhere = Double::playing(vec![good_credentials()]).await;
    for status in ["301 Moved Permanently", "302 Found", "303 See Other", "307 Temporary Redirect"] {
        let location = elsewhere.url().to_string();
        let (aws, double) = aws_playing(vec![answer(status, &[("Location", &location)], "")]).await;
        let shown = assert_unavailable(role_credentials(&aws).await, status);
        assert!(shown.contains("not followed"), "{shown}");
        assert_eq!((double.asked().len(), elsewhere.asked().len()), (1, 0), "{status}");
    }
}

#[tokio::test]
async fn d9_an_expiry_of_the_wrong_kind_is_refused() {
    for expiration in ["0", "-5", "null", "\"2026-11-22T10:00:00Z\"", "1795342078", "253402300799000", "1e300"] {
        let (aws, _double) = aws_playing(vec![json("200 OK", &credentials_body(expiration))]).await;
        assert_unavailable(role_credentials(&aws).await, expiration);
    }
    for expiration in ["", "never", "1970-01-01T00:00:00Z", "9999-12-31T23:59:59Z", "2026-11-22T09:07:58Z"] {
        let (aws, _double) = aws_playing(vec![xml("200 OK", &assume_role_body(expiration))]).await;
        assert_unavailable(aws.assume_role(&region(), &source(), &role()).await, expiration);
    }
}

#[tokio::test]
async fn d18_the_clock_is_compared_with_every_answer() {
    let with_date = |date: &str| answer("200 OK", &[("Date", date), ("Content-Type", "application/json")], "{}");
    let (aws, _double) = aws_playing(vec![with_date("Sun, 22 Nov 2026 08:47:58 GMT")]).await;
    assert_eq!(aws.clock_skew_seconds(), None);
    let _ = refresh(&aws).await;
    assert_eq!(aws.clock_skew_seconds(), Some(1200));
    for (date, skew) in [
        ("Sun, 22 Nov 2026 09:07:57 GMT", Some(0)),
        ("Sun, 22 Nov 2026 09:08:08 GMT", Some(-10)),
        ("yesterday", None),
        ("", None),
    ] {
        let (aws, _double) = aws_playing(vec![with_date(date)]).await;
        let _ = refresh(&aws).await;
        assert_eq!(aws.clock_skew_seconds(), skew, "{date}");
    }
}

#[tokio::test]
async fn d18_a_refused_signature_names_the_clock_when_it_is_far_off() {
    let body = "<ErrorResponse><Error><Type>Sender</Type><Code>SignatureDoesNotMatch</Code>\
                <Message>Signature expired</Message></Error></ErrorResponse>";
    let refused = |date| answer("403 Forbidden", &[("Date", date), ("Content-Type", "text/xml")], body);
    let (aws, _double) = aws_playing(vec![refused("Sun, 22 Nov 2026 09:27:58 GMT")]).await;
    let shown = aws.assume_role(&region(), &source(), &role()).await.unwrap_err().to_string();
    assert!(shown.contains("clock is 1200 s behind AWS"), "{shown}");
    let (aws, _double) = aws_playing(vec![refused("Sun, 22 Nov 2026 09:07:58 GMT")]).await;
    let shown = aws.assume_role(&region(), &source(), &role()).await.unwrap_err().to_string();
    assert!(shown.ends_with("(SignatureDoesNotMatch): Signature expired"), "{shown}");
}

#[tokio::test]
async fn e10_hostile_texts_of_aws_arrive_as_one_printable_line() {
    let body = r#"{"message":"\u001b]52;c;AAAA\u0007\u001b[2J\r\n\u202eevil\u009b"}"#;
    let (aws, _double) =
        aws_playing(vec![answer("403 Forbidden", &[("x-amzn-ErrorType", "ForbiddenException")], body)]).await;
    let shown = role_credentials(&aws).await.unwrap_err().to_string();
    assert!(shown.starts_with("AWS refused GetRoleCredentials (ForbiddenException): \\u{1b}]52"), "{shown}");
    assert!(!shown.chars().any(tegata_protocol::text::is_hostile), "{shown:?}");
}

#[tokio::test]
async fn an_unknown_client_asks_for_a_new_registration() {
    let body = r#"{"error":"invalid_client","error_description":"Invalid client"}"#;
    let play = answer("401 Unauthorized", &[("x-amzn-ErrorType", "InvalidClientException")], body);
    let (aws, _double) = aws_playing(vec![play]).await;
    let unknown = AwsError::ClientUnknown { message: String::from("Invalid client") };
    assert_eq!(refresh(&aws).await.unwrap_err(), unknown);
    assert_eq!(aws.start_device_authorization(&region(), &client(), &start_url()).await.unwrap_err(), unknown);
}
