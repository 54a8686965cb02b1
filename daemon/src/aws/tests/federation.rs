//! `getSigninToken` against answers right and broken.

use super::double::{Play, answer, json};
use super::*;

async fn token(plays: Vec<Play>, lasts: Option<Duration>) -> (Result<Secret, AwsError>, Vec<String>) {
    let (aws, double) = aws_playing(plays).await;
    let endpoint = double.url().to_string();
    let outcome = aws.sign_in_token(endpoint.trim_end_matches('/'), &source(), lasts).await;
    (outcome, double.asked())
}

const GOOD: &str = r#"{"SigninToken":"CANARY-token_-"}"#;

#[tokio::test]
async fn credentials_are_in_the_body_and_in_no_url() {
    let (outcome, asked) = token(vec![json("200 OK", GOOD)], Some(Duration::from_secs(900))).await;
    assert_eq!(outcome.unwrap().expose_secret(), "CANARY-token_-");
    let (head, body) = asked[0].split_once("\r\n\r\n").unwrap();
    assert!(head.starts_with("POST /federation HTTP/1.1\r\n") && !head.contains("CANARY"), "{head}");
    assert!(head.to_ascii_lowercase().contains("content-type: application/x-www-form-urlencoded"), "{head}");
    let session = "%7B%22sessionId%22%3A%22ASIASOURCE%22%2C%22sessionKey%22%3A%22CANARY%2Dsecret%22%2C%22sessionToken%22%3A%22\
                   CANARY%2Dsession%22%7D";
    assert_eq!(body, format!("Action=getSigninToken&SessionDuration=900&Session={session}"));
}

#[tokio::test]
async fn without_a_duration_none_is_sent_and_the_type_of_the_answer_does_not_matter() {
    let (outcome, asked) = token(vec![answer("200 OK", &[("Content-Type", "text/html")], GOOD)], None).await;
    assert!(outcome.is_ok() && !asked[0].contains("SessionDuration"));
}

#[tokio::test]
async fn d7_an_answer_that_is_no_token_is_refused() {
    for body in
        ["", "<html>", "{}", "[]", r#"{"SigninToken":""}"#, r#"{"SigninToken":"a b"}"#, r#"{"SigninToken":"a\n"}"#]
    {
        let (outcome, asked) = token(vec![json("200 OK", body)], None).await;
        assert_unavailable(outcome, body);
        assert_eq!(asked.len(), 1, "what answered in AWS's place gets the credentials once");
    }
}

#[tokio::test]
async fn d8_a_redirect_is_not_followed() {
    let elsewhere = answer("302 Found", &[("Location", "http://127.0.0.1:9/")], "");
    let (outcome, asked) = token(vec![elsewhere], None).await;
    assert!(assert_unavailable(outcome, "redirect").contains("not followed"));
    assert_eq!(asked.len(), 1);
}

#[tokio::test]
async fn e10_words_of_aws_are_one_line_without_what_was_sent() {
    let hostile = r#"{"message":"CANARY-secret CANARY%2Dsession \u001b[2J\r\nno"}"#;
    let (outcome, asked) = token(vec![json("400 Bad Request", hostile)], None).await;
    let error = outcome.unwrap_err();
    let AwsError::Refused { message, .. } = &error else { panic!("{error:?}") };
    assert!(!message.contains("CANARY") && !message.chars().any(tegata_protocol::text::is_hostile), "{message:?}");
    assert_eq!(asked.len(), 1, "a refusal stays one");
}

#[tokio::test]
async fn a_page_of_an_error_is_not_quoted() {
    let page = answer("400 Bad Request", &[("Content-Type", "text/html")], "<html>CANARY</html>");
    let said = token(vec![page], None).await.0.unwrap_err().to_string();
    assert!(said.contains("getSigninToken (HTTP 400): no reason given") && !said.contains("CANARY"), "{said}");
}

#[tokio::test]
async fn d4_a_fault_that_passes_is_tried_again() {
    let broken = json("503 Service Unavailable", "{}");
    let (outcome, asked) = token(vec![broken, json("200 OK", GOOD)], None).await;
    assert!(outcome.is_ok() && asked.len() == 2);
}
