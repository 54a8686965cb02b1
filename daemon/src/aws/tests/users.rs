//! What an IAM user's access keys sign.

use super::*;

fn key() -> Credentials {
    let (now, until) = (from_unix_seconds(NOW), from_unix_seconds(NOW + 3600));
    let account = AccountId::new("123456789012").ok();
    Credentials::of_access_key("AKIAKEY", Secret::new(String::from("CANARY-secret")), account, now, until)
}

fn session_body(expiration: &str) -> String {
    format!(
        "<GetSessionTokenResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><GetSessionTokenResult><Credentials>\
         <AccessKeyId>ASIASESSION</AccessKeyId><SecretAccessKey>s</SecretAccessKey><SessionToken>t</SessionToken>\
         <Expiration>{expiration}</Expiration></Credentials></GetSessionTokenResult></GetSessionTokenResponse>"
    )
}

fn good_session() -> Play {
    xml("200 OK", &session_body("2026-11-22T21:07:58Z"))
}

async fn session(aws: &SdkAws, code: Option<&Secret>) -> Result<Credentials, AwsError> {
    let mfa = code.map(|code| MfaCode { serial: "arn:aws:iam::123456789012:mfa/alice", code });
    let asked = SessionToAsk { duration: Duration::from_secs(43_200), mfa };
    aws.get_session_token(&region(), &key(), &asked).await
}

#[tokio::test]
async fn a_session_is_asked_for_by_the_key_alone() {
    let (aws, double) = aws_playing(vec![good_session()]).await;
    let made = session(&aws, None).await.unwrap();
    assert_eq!((made.access_key_id(), made.lifetime().as_secs()), ("ASIASESSION", 43_200));
    let asked = &double.asked()[0];
    assert!(asked.contains("Credential=AKIAKEY/20261122/us-east-1/sts/aws4_request"), "{asked}");
    assert!(asked.contains("DurationSeconds=43200") && !asked.contains("TokenCode"), "{asked}");
    assert!(!asked.to_ascii_lowercase().contains("x-amz-security-token") && !asked.contains("CANARY"), "{asked}");
}

#[tokio::test]
async fn a_code_goes_with_its_device() {
    let (aws, double) = aws_playing(vec![good_session()]).await;
    session(&aws, Some(&Secret::new("123456".to_owned()))).await.unwrap();
    let asked = &double.asked()[0];
    let device = "SerialNumber=arn%3Aaws%3Aiam%3A%3A123456789012%3Amfa%2Falice";
    assert!(asked.contains(device) && asked.contains("TokenCode=123456"), "{asked}");
}

#[tokio::test]
async fn a_code_is_sent_once_whatever_becomes_of_it() {
    let fault = || answer("500 Internal Server Error", &[], "");
    let (aws, double) = aws_playing(vec![fault(), good_session()]).await;
    let code = Secret::new("123456".to_owned());
    assert_unavailable(session(&aws, Some(&code)).await, "a fault of AWS");
    assert_eq!(double.asked().len(), 1);
    let (aws, double) = aws_playing(vec![fault(), good_session()]).await;
    assert!(session(&aws, None).await.is_ok(), "without a code it is asked for again");
    assert_eq!(double.asked().len(), 2);
}

#[tokio::test]
async fn e7_a_refusal_that_repeats_code_or_key_shows_neither() {
    let body = "<ErrorResponse><Error><Type>Sender</Type><Code>AccessDenied</Code><Message>MultiFactorAuthentication \
                failed: 987654 CANARY-secret</Message></Error></ErrorResponse>";
    let (aws, _double) = aws_playing(vec![xml("403 Forbidden", body)]).await;
    let error = session(&aws, Some(&Secret::new("987654".to_owned()))).await.unwrap_err();
    assert!(error.is_wrong_code());
    assert!(!error.to_string().contains("987654") && !error.to_string().contains("CANARY"), "{error}");
}

#[tokio::test]
async fn who_a_key_belongs_to_is_asked_with_a_signature() {
    let body = "<GetCallerIdentityResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><GetCallerIdentityResult>\
                <Arn>arn:aws:iam::123456789012:user/alice</Arn><UserId>AIDAX</UserId><Account>123456789012</Account>\
                </GetCallerIdentityResult></GetCallerIdentityResponse>";
    let (aws, double) = aws_playing(vec![xml("200 OK", body)]).await;
    let who = aws.caller_identity(&region(), &key()).await.unwrap();
    assert_eq!((who.arn.as_str(), who.account.as_str()), ("arn:aws:iam::123456789012:user/alice", "123456789012"));
    assert!(double.asked()[0].contains("Credential=AKIAKEY/20261122/us-east-1/sts/aws4_request"));
}
