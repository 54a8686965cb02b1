//! The device code flow, in paused time.

use super::*;
use crate::aws::DeviceAuthorization;
use crate::aws::scripted::device_authorization;

/// Runs a device sign-in against this script; returns its outcome and the seconds between the polls.
async fn run(script: impl IntoIterator<Item = Result<Duration, AwsError>>) -> (Result<Tokens, SignInError>, Vec<u64>) {
    let start = tokio::time::Instant::now();
    let aws = answering(script);
    let outcome = begun(&aws, SignInFlow::DeviceCode).await.unwrap().outcome.await;
    let times: Vec<_> = std::iter::once(start).chain(aws.exchanges().iter().map(|poll| poll.at)).collect();
    (outcome, times.windows(2).map(|pair| pair[1].duration_since(pair[0]).as_secs()).collect())
}

/// AWS where a device sign-in begins with this answer.
fn starting(device: Result<DeviceAuthorization, AwsError>) -> Arc<ScriptedAws> {
    let aws = answering([]);
    *aws.device.lock().unwrap() = device;
    aws
}

fn unavailable() -> AwsError {
    AwsError::Unavailable { operation: "CreateToken", detail: String::from("down") }
}

fn refused(code: &str) -> AwsError {
    AwsError::Refused { operation: "CreateToken", code: code.to_owned(), message: String::from("no") }
}

#[tokio::test(start_paused = true)]
async fn the_page_and_the_code_are_shown_and_polls_end_in_tokens() {
    let aws = answering([Err(AwsError::Pending), Ok(HOUR)]);
    let begun = begun(&aws, SignInFlow::DeviceCode).await.unwrap();
    assert_eq!(begun.url.as_str(), "https://device.sso.us-east-1.amazonaws.com/");
    assert!(begun.url_with_code.unwrap().as_str().ends_with("?user_code=ABCD-EFGH"));
    assert_eq!(begun.user_code.as_deref(), Some("ABCD-EFGH"));
    assert_eq!(begun.expires_at, SystemTime::UNIX_EPOCH + Duration::from_secs(600));
    assert_eq!(begun.outcome.await.unwrap().access_token.expose_secret(), "access-0");
    assert!(aws.exchanges().iter().all(|poll| poll.grant == "device-1"));
}

#[tokio::test(start_paused = true)]
async fn polls_keep_the_interval() {
    let (outcome, pauses) = run([Err(AwsError::Pending), Err(AwsError::Pending), Ok(HOUR)]).await;
    assert!(outcome.is_ok());
    assert_eq!(pauses, [1, 1, 1]);
}

#[tokio::test(start_paused = true)]
async fn d2_every_slow_down_adds_five_seconds_for_good() {
    let slow = || Err(AwsError::SlowDown);
    let (outcome, pauses) = run([slow(), Err(AwsError::Pending), slow(), Err(AwsError::Pending), Ok(HOUR)]).await;
    assert!(outcome.is_ok());
    assert_eq!(pauses, [1, 6, 6, 11, 11]);
}

fn throttled(retry_after: Option<Duration>) -> AwsError {
    AwsError::Throttled { operation: "CreateToken", retry_after }
}

#[tokio::test(start_paused = true)]
async fn a_passing_fault_does_not_end_it() {
    let asked = throttled(Some(Duration::from_secs(20)));
    let (outcome, pauses) = run([Err(unavailable()), Err(asked), Err(AwsError::Pending), Ok(HOUR)]).await;
    assert!(outcome.is_ok());
    assert_eq!(pauses, [1, 2, 20, 1]);
}

#[tokio::test(start_paused = true)]
async fn d4_faults_double_the_pause_and_end_it_after_two_minutes_of_nothing_else() {
    for fault in [unavailable(), throttled(None)] {
        let (outcome, pauses) = run(std::iter::repeat_n(Err(fault.clone()), 1000)).await;
        assert_eq!(outcome.unwrap_err(), SignInError::Aws(fault));
        assert_eq!(pauses, [1, 2, 4, 8, 16, 30, 30, 30]);
    }
}

#[tokio::test(start_paused = true)]
async fn d4_twin_an_answer_in_between_begins_the_two_minutes_and_the_pauses_anew() {
    let silence = || std::iter::repeat_n(Err(unavailable()), 7);
    let (outcome, pauses) = run(silence().chain([Err(AwsError::Pending)]).chain(silence()).chain([Ok(HOUR)])).await;
    assert!(outcome.is_ok());
    assert_eq!(pauses, [1, 2, 4, 8, 16, 30, 30, 30, 1, 2, 4, 8, 16, 30, 30, 30]);
}

#[tokio::test(start_paused = true)]
async fn d3_what_aws_asks_for_is_waited_for_even_if_it_is_long() {
    let asked = || Err(throttled(Some(Duration::from_secs(200))));
    let (outcome, pauses) = run([asked(), Ok(HOUR)]).await;
    assert!(outcome.is_ok());
    assert_eq!(pauses, [1, 200]);
    let (outcome, pauses) = run([asked(), asked()]).await;
    assert!(matches!(outcome, Err(SignInError::Aws(AwsError::Throttled { .. }))), "{outcome:?}");
    assert_eq!(pauses, [1, 200]);
}

#[tokio::test(start_paused = true)]
async fn a_fault_slows_down_even_what_aws_has_slowed_down() {
    let slow = || Err(AwsError::SlowDown);
    let fault = || Err(unavailable());
    let (outcome, pauses) =
        run(std::iter::repeat_with(slow).take(7).chain([fault(), fault(), Err(AwsError::Pending), Ok(HOUR)])).await;
    assert!(outcome.is_ok());
    assert_eq!(pauses, [1, 6, 11, 16, 21, 26, 31, 36, 72, 72, 36]);
}

#[tokio::test(start_paused = true)]
async fn g13_it_ends_with_the_code_even_when_aws_says_nothing_of_it() {
    let start = tokio::time::Instant::now();
    let (outcome, _) = run(std::iter::repeat_n(Err(AwsError::Pending), 1000)).await;
    assert_eq!(outcome.unwrap_err(), SignInError::TimedOut);
    assert_eq!(start.elapsed(), Duration::from_secs(600));
}

#[tokio::test(start_paused = true)]
async fn it_ends_at_once_when_aws_or_the_person_says_so() {
    let over = AwsError::SignInOver { message: String::from("expired") };
    for (answer, ended) in [
        (over, SignInError::TimedOut),
        (refused("AccessDeniedException"), SignInError::Declined),
        (refused("access_denied"), SignInError::Declined),
        (refused("InvalidRequestException"), SignInError::Aws(refused("InvalidRequestException"))),
    ] {
        let (outcome, pauses) = run([Err(answer)]).await;
        assert_eq!((outcome.unwrap_err(), pauses.len()), (ended, 1));
    }
}

#[tokio::test(start_paused = true)]
async fn g13_cancelling_stops_the_polls() {
    let aws = answering(std::iter::repeat_n(Err(AwsError::Pending), 1000));
    let outcome = begun(&aws, SignInFlow::DeviceCode).await.unwrap().outcome;
    assert!(tokio::time::timeout(Duration::from_millis(2500), outcome).await.is_err());
    let polls = aws.exchanges().len();
    tokio::time::sleep(Duration::from_secs(60)).await;
    assert_eq!((polls, aws.exchanges().len()), (2, 2));
}

#[tokio::test]
async fn g13_a_page_of_somebody_else_is_never_shown() {
    let foreign = "https://device.sso.us-east-1.amazonaws.com.evil.test/?user_code=ABCD-EFGH";
    let own = device_authorization();
    for device in [
        DeviceAuthorization { verification_uri: foreign.to_owned(), ..own.clone() },
        DeviceAuthorization { verification_uri_complete: Some(foreign.to_owned()), ..own },
    ] {
        let aws = starting(Ok(device));
        let refusal = begun(&aws, SignInFlow::DeviceCode).await.unwrap_err();
        assert!(matches!(&refusal, SignInError::ForeignPage { page, .. } if page == foreign), "{refusal}");
    }
}

#[tokio::test]
async fn an_unknown_client_asks_for_a_registration_before_anybody_sees_a_page() {
    let unknown = AwsError::ClientUnknown { message: String::from("gone") };
    let aws = starting(Err(unknown));
    assert!(begun(&aws, SignInFlow::DeviceCode).await.unwrap_err().asks_for_registration());
    assert!(!SignInError::Aws(unavailable()).asks_for_registration());
}
