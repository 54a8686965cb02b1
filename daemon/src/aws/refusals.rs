//! What AWS's refusals and failures mean to Tegata. Pure: status, code, texts and headers in, [`Failure`] out.
//!
//! Nothing of the SDK's `Debug` output is used: it shows authorization and device codes in clear. Texts from AWS become
//! one printable line, without the secrets of the request: what answers in AWS's place may repeat what it was sent.

use super::AwsError;
use super::http::CutOff;
use super::retry::{Again, Failure};
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::{ConnectorError, SdkError};
use aws_smithy_types::date_time::{DateTime, Format};
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use std::error::Error;
use std::time::{Duration, SystemTime};
use tegata_protocol::{Secret, text::one_line};

/// The operations, by what their refusals mean.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Operation {
    RegisterClient,
    StartDeviceAuthorization,
    /// With a device code, `slow_down` concerns the polls.
    CreateToken {
        polled: bool,
    },
    GetRoleCredentials,
    ListAccounts,
    ListAccountRoles,
    Logout,
    AssumeRole,
    AssumeRoleWithWebIdentity,
    GetSessionToken,
    GetCallerIdentity,
    CreateAccessKey,
    ListAccessKeys,
    UpdateAccessKey,
    DeleteAccessKey,
    GetAccessKeyLastUsed,
    ListServiceSpecificCredentials,
    GetSigninToken,
    CreateOAuth2Token,
    CreateSession,
    /// The EC2 metadata service, which is no operation of AWS; nor are the next two.
    InstanceMetadata,
    ContainerCredentials,
    GithubIdToken,
    /// An organisation's own address, which is no operation of AWS.
    FollowStartUrl,
}

impl Operation {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::RegisterClient => "RegisterClient",
            Self::StartDeviceAuthorization => "StartDeviceAuthorization",
            Self::CreateToken { .. } => "CreateToken",
            Self::GetRoleCredentials => "GetRoleCredentials",
            Self::ListAccounts => "ListAccounts",
            Self::ListAccountRoles => "ListAccountRoles",
            Self::Logout => "Logout",
            Self::AssumeRole => "AssumeRole",
            Self::AssumeRoleWithWebIdentity => "AssumeRoleWithWebIdentity",
            Self::GetSessionToken => "GetSessionToken",
            Self::GetCallerIdentity => "GetCallerIdentity",
            Self::CreateAccessKey => "CreateAccessKey",
            Self::ListAccessKeys => "ListAccessKeys",
            Self::UpdateAccessKey => "UpdateAccessKey",
            Self::DeleteAccessKey => "DeleteAccessKey",
            Self::GetAccessKeyLastUsed => "GetAccessKeyLastUsed",
            Self::ListServiceSpecificCredentials => "ListServiceSpecificCredentials",
            Self::GetSigninToken => "getSigninToken",
            Self::CreateOAuth2Token => "CreateOAuth2Token",
            Self::CreateSession => "CreateSession",
            Self::InstanceMetadata => "at the metadata service of EC2",
            Self::ContainerCredentials => "at the credentials endpoint of ECS",
            Self::GithubIdToken => "at the token service of GitHub Actions",
            Self::FollowStartUrl => "at the organisation's own address",
        }
    }

    fn is_oidc(self) -> bool {
        matches!(self, Self::RegisterClient | Self::StartDeviceAuthorization | Self::CreateToken { .. })
    }

    fn is_portal(self) -> bool {
        matches!(self, Self::GetRoleCredentials | Self::ListAccounts | Self::ListAccountRoles | Self::Logout)
    }

    pub(super) fn unavailable(self, detail: impl Into<String>) -> AwsError {
        AwsError::Unavailable { operation: self.name(), detail: detail.into() }
    }

    pub(super) fn failed(self, again: Again, detail: impl Into<String>) -> Failure {
        Failure { error: self.unavailable(detail), again }
    }
}

/// An error answer of AWS, whatever the protocol.
#[derive(Debug, Default)]
pub(super) struct Refusal {
    pub(super) status: u16,
    pub(super) code: Option<String>,
    pub(super) message: Option<String>,
    pub(super) retry_after: Option<Duration>,
}

/// Returns what went wrong, in Tegata's words; `sent` are the secrets of the request.
pub(super) fn failure<E>(
    operation: Operation,
    error: &SdkError<E, HttpResponse>,
    now: SystemTime,
    sent: &[&Secret],
) -> Failure
where
    E: ProvideErrorMetadata,
{
    match error {
        SdkError::ServiceError(refused) => {
            let raw = refused.raw();
            if raw.status().is_success() {
                return out_of_shape(operation, raw);
            }
            judge(operation, &read(operation, refused.err(), raw, now).without(sent))
        }
        SdkError::ResponseError(answer) => out_of_shape(operation, answer.raw()),
        SdkError::DispatchFailure(failed) => failed
            .as_connector_error()
            .map_or_else(|| operation.failed(Again::Soon, "no connection"), |error| unreached(operation, error)),
        SdkError::TimeoutError(_) => operation.failed(Again::Soon, "no answer in time"),
        SdkError::ConstructionFailure(_) => operation.failed(Again::Never, "the request could not be made"),
        _ => operation.failed(Again::Never, "an unknown failure"),
    }
}

fn out_of_shape(operation: Operation, raw: &HttpResponse) -> Failure {
    let status = raw.status().as_u16();
    operation.failed(Again::Soon, format!("an answer that cannot be read (HTTP {status})"))
}

/// Says why there was no answer at all.
pub(super) fn unreached(operation: Operation, error: &ConnectorError) -> Failure {
    let chain = || std::iter::successors(error.source(), |&error| error.source());
    if let Some(cut_off) = chain().find_map(|error| error.downcast_ref::<CutOff>()) {
        let again = if matches!(cut_off, CutOff::TooSlow(_)) { Again::Soon } else { Again::Never };
        return operation.failed(again, cut_off.to_string());
    }
    if error.is_timeout() {
        return operation.failed(Again::Soon, "no answer in time");
    }
    let cause = chain().last().map_or_else(|| error.to_string(), ToString::to_string);
    let distrusted = cause.contains("certificate");
    let mend =
        if distrusted { "; if a proxy of your organisation answers in its place, set [http] ca_bundle" } else { "" };
    let again = if distrusted { Again::Never } else { Again::Soon };
    operation.failed(again, format!("not reached: {}{mend}", one_line(&cause)))
}

fn read(operation: Operation, error: &impl ProvideErrorMetadata, raw: &HttpResponse, now: SystemTime) -> Refusal {
    // SSO OIDC says what it means in the body as well (RFC 6749 section 5.2), where no middlebox drops it.
    let body: serde_json::Value =
        raw.body().bytes().and_then(|body| serde_json::from_slice(body).ok()).unwrap_or_default();
    let in_body = |name: &str| body.get(name).and_then(serde_json::Value::as_str).map(str::to_owned);
    let exception = error.code().filter(|code| !code.is_empty()).map(str::to_owned);
    let code = match operation {
        // One exception there has four meanings, and the body says which (API reference of AWS Sign-In, `OAuth2ErrorCode`).
        Operation::CreateOAuth2Token => in_body("error").or(exception),
        _ => exception.or_else(|| in_body("error")),
    };
    Refusal {
        status: raw.status().as_u16(),
        code,
        message: in_body("error_description").or_else(|| error.message().map(str::to_owned)),
        retry_after: raw.headers().get("retry-after").and_then(|value| retry_after(value, now)),
    }
}

impl Refusal {
    /// Takes the secrets out of the texts, before anything is cut off these.
    pub(super) fn without(mut self, secrets: &[&Secret]) -> Self {
        for text in [&mut self.code, &mut self.message].into_iter().flatten() {
            for secret in secrets.iter().map(|secret| secret.expose_secret()).filter(|secret| !secret.is_empty()) {
                *text = text.replace(secret, "[redacted]");
            }
        }
        self
    }
}

/// Reads `Retry-After`: seconds or a date (RFC 9110 section 10.2.3).
pub(super) fn retry_after(value: &str, now: SystemTime) -> Option<Duration> {
    if let Ok(seconds) = value.trim().parse() {
        return Some(Duration::from_secs(seconds));
    }
    let date = DateTime::from_str(value.trim(), Format::HttpDate).ok()?;
    Some(SystemTime::try_from(date).ok()?.duration_since(now).unwrap_or_default())
}

/// Decides what a refusal means and whether asking again helps.
pub(super) fn judge(operation: Operation, refusal: &Refusal) -> Failure {
    let status = refusal.status;
    let never = |error| Failure { error, again: Again::Never };
    match status {
        300..=399 => {
            return operation.failed(Again::Never, format!("a redirect (HTTP {status}), which is not followed"));
        }
        407 => return operation.failed(Again::Never, "the proxy asks for a user name and a password (HTTP 407)"),
        429 => return throttled(operation, refusal),
        503 if refusal.retry_after.is_some() => return throttled(operation, refusal),
        408 | 500.. => return operation.failed(Again::Soon, format!("a fault of its own (HTTP {status})")),
        _ => {}
    }
    let message = || one_line(refusal.message.as_deref().unwrap_or("no reason given"));
    match (operation, refusal.code.as_deref()) {
        // A captive portal or a proxy must not be able to end a sign-in: only AWS's own words count.
        (_, None) if refusal.message.is_none() => {
            operation.failed(Again::Never, format!("HTTP {status} that does not come from AWS"))
        }
        (Operation::CreateToken { .. }, Some("AuthorizationPendingException" | "authorization_pending")) => {
            never(AwsError::Pending)
        }
        (Operation::CreateToken { polled: true }, Some("SlowDownException" | "slow_down")) => never(AwsError::SlowDown),
        (
            Operation::CreateToken { .. },
            Some("InvalidGrantException" | "invalid_grant" | "ExpiredTokenException" | "expired_token"),
        ) => never(AwsError::SignInOver { message: message() }),
        (_, Some("InvalidClientException" | "invalid_client")) if operation.is_oidc() => {
            never(AwsError::ClientUnknown { message: message() })
        }
        (_, _) if operation.is_portal() && status == 401 => never(AwsError::SignInOver { message: message() }),
        (_, Some("UnauthorizedException")) if operation.is_portal() => {
            never(AwsError::SignInOver { message: message() })
        }
        (Operation::CreateOAuth2Token, Some("TOKEN_EXPIRED" | "AUTHCODE_EXPIRED")) => {
            never(AwsError::SignInOver { message: message() })
        }
        (Operation::CreateOAuth2Token, Some("USER_CREDENTIALS_CHANGED")) => {
            never(AwsError::SignInOver { message: format!("the password was changed ({})", message()) })
        }
        (Operation::CreateOAuth2Token, Some(code @ "INSUFFICIENT_PERMISSIONS")) => never(AwsError::Refused {
            operation: operation.name(),
            code: code.to_owned(),
            message: format!("{}; it takes the managed policy SignInLocalDevelopmentAccess", message()),
        }),
        (_, Some(code)) if is_throttling(code) => throttled(operation, refusal),
        // STS API reference, `AssumeRoleWithWebIdentity`: AWS itself could not reach the provider, and says to try again.
        (Operation::AssumeRoleWithWebIdentity, Some("IDPCommunicationError")) => {
            operation.failed(Again::Soon, format!("it could not reach the identity provider: {}", message()))
        }
        (_, Some("InternalServerException" | "server_error" | "InternalFailure" | "ServiceUnavailable")) => {
            operation.failed(Again::Soon, format!("a fault of its own (HTTP {status})"))
        }
        (_, code) => never(AwsError::Refused {
            operation: operation.name(),
            code: code.map_or_else(|| format!("HTTP {status}"), one_line),
            message: message(),
        }),
    }
}

/// The codes with which AWS services ask for fewer requests (the SDKs' own list, as far as these services go).
fn is_throttling(code: &str) -> bool {
    matches!(
        code,
        "TooManyRequestsException"
            | "TooManyRequestsError"
            | "ThrottlingException"
            | "Throttling"
            | "ThrottledException"
            | "RequestThrottled"
            | "RequestThrottledException"
            | "RequestLimitExceeded"
            | "SlowDownException"
            | "SlowDown"
            | "slow_down"
    )
}

fn throttled(operation: Operation, refusal: &Refusal) -> Failure {
    let retry_after = refusal.retry_after;
    Failure {
        error: AwsError::Throttled { operation: operation.name(), retry_after },
        again: retry_after.map_or(Again::Soon, Again::After),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TOKEN: Operation = Operation::CreateToken { polled: false };
    const POLL: Operation = Operation::CreateToken { polled: true };

    fn refused(operation: Operation, status: u16, code: &str, message: &str) -> Failure {
        let given = |text: &str| (!text.is_empty()).then(|| text.to_owned());
        judge(operation, &Refusal { status, code: given(code), message: given(message), retry_after: None })
    }

    fn error(operation: Operation, status: u16, code: &str) -> AwsError {
        refused(operation, status, code, "words").error
    }

    #[test]
    fn d1_a_dead_grant_is_the_end_of_the_sign_in_and_never_repeated() {
        for code in ["InvalidGrantException", "invalid_grant", "ExpiredTokenException", "expired_token"] {
            let failure = refused(TOKEN, 400, code, "Invalid refresh token provided");
            let over = AwsError::SignInOver { message: String::from("Invalid refresh token provided") };
            assert_eq!(failure, Failure { error: over, again: Again::Never }, "{code}");
        }
        assert!(matches!(
            error(Operation::GetRoleCredentials, 401, "UnauthorizedException"),
            AwsError::SignInOver { .. }
        ));
        assert!(matches!(error(Operation::Logout, 401, "AnythingElse"), AwsError::SignInOver { .. }));
    }

    #[test]
    fn d1_twin_another_refusal_does_not_end_the_sign_in() {
        for (operation, status, code) in [
            (TOKEN, 400, "InvalidRequestException"),
            (Operation::GetRoleCredentials, 403, "ForbiddenException"),
            (Operation::GetRoleCredentials, 404, "ResourceNotFoundException"),
            (Operation::AssumeRole, 403, "ExpiredToken"),
            (Operation::AssumeRole, 403, "AccessDenied"),
        ] {
            assert!(matches!(error(operation, status, code), AwsError::Refused { .. }), "{code}");
        }
    }

    #[test]
    fn a_console_login_ends_by_its_own_words_alone() {
        let operation = Operation::CreateOAuth2Token;
        for code in ["TOKEN_EXPIRED", "AUTHCODE_EXPIRED", "USER_CREDENTIALS_CHANGED"] {
            let failure = refused(operation, 401, code, "words");
            assert!(matches!(failure.error, AwsError::SignInOver { .. }) && failure.again == Again::Never, "{code}");
        }
        let changed = error(operation, 403, "USER_CREDENTIALS_CHANGED").to_string();
        assert!(changed.contains("the password was changed"), "{changed}");
        let missing = error(operation, 403, "INSUFFICIENT_PERMISSIONS").to_string();
        assert!(missing.contains("SignInLocalDevelopmentAccess"), "{missing}");
        for (status, code) in [(400, "INVALID_REQUEST"), (403, "AccessDeniedException"), (401, "UnauthorizedException")]
        {
            assert!(matches!(error(operation, status, code), AwsError::Refused { .. }), "{code}");
        }
        assert!(error(operation, 429, "INVALID_REQUEST").is_passing());
        assert!(error(operation, 500, "server_error").is_passing());
    }

    #[test]
    fn an_unknown_client_is_told_apart_from_a_dead_grant() {
        for operation in [TOKEN, Operation::StartDeviceAuthorization] {
            assert!(matches!(error(operation, 401, "InvalidClientException"), AwsError::ClientUnknown { .. }));
            assert!(matches!(error(operation, 400, "invalid_client"), AwsError::ClientUnknown { .. }));
        }
    }

    #[test]
    fn d2_polling_too_often_slows_the_polls_and_throttles_everything_else() {
        assert_eq!(error(POLL, 400, "slow_down"), AwsError::SlowDown);
        assert_eq!(error(POLL, 400, "AuthorizationPendingException"), AwsError::Pending);
        for operation in [TOKEN, Operation::RegisterClient, Operation::StartDeviceAuthorization] {
            assert!(matches!(error(operation, 400, "SlowDownException"), AwsError::Throttled { .. }));
        }
    }

    #[test]
    fn d3_asking_for_fewer_requests_is_understood_in_every_form() {
        let asked = Refusal { status: 429, retry_after: Some(Duration::from_secs(7)), ..Refusal::default() };
        let failure = judge(Operation::GetRoleCredentials, &asked);
        assert_eq!(failure.again, Again::After(Duration::from_secs(7)));
        assert!(matches!(failure.error, AwsError::Throttled { retry_after: Some(_), .. }));
        assert_eq!(refused(Operation::GetRoleCredentials, 429, "", "").again, Again::Soon);
        assert!(matches!(error(Operation::AssumeRole, 400, "Throttling"), AwsError::Throttled { .. }));
        assert!(matches!(
            error(Operation::GetRoleCredentials, 400, "TooManyRequestsException"),
            AwsError::Throttled { .. }
        ));
    }

    #[test]
    fn d4_faults_of_aws_are_passing() {
        for status in [408, 500, 502, 503, 504] {
            let failure = refused(Operation::GetRoleCredentials, status, "UnauthorizedException", "");
            assert!(failure.error.is_passing() && failure.again == Again::Soon, "{status}");
        }
    }

    #[test]
    fn a_middlebox_cannot_end_a_sign_in() {
        let login = Operation::CreateOAuth2Token;
        let refusals = [(Operation::GetRoleCredentials, 401), (TOKEN, 400), (TOKEN, 401), (TOKEN, 403), (login, 401)];
        for (operation, status) in refusals {
            assert!(matches!(refused(operation, status, "", "").error, AwsError::Unavailable { .. }), "{status}");
        }
    }

    #[test]
    fn d8_a_redirect_is_named_and_not_repeated() {
        let failure = refused(Operation::GetRoleCredentials, 302, "", "");
        assert_eq!(failure.again, Again::Never);
        assert!(failure.error.to_string().contains("not followed"));
    }

    #[test]
    fn e10_texts_of_aws_are_one_printable_line() {
        let hostile = format!("\u{1b}]52;c;AAAA\u{7}\r\n\u{202e}\u{9b}2J{}", "x".repeat(10_000_000));
        let failure = judge(
            Operation::AssumeRole,
            &Refusal { status: 403, code: Some(hostile.clone()), message: Some(hostile), retry_after: None },
        );
        let shown = failure.error.to_string();
        assert!(shown.chars().count() < 1200 && !shown.chars().any(tegata_protocol::text::is_hostile));
    }

    #[test]
    fn e7_what_a_refusal_repeats_of_the_request_is_taken_out_before_the_text_is_cut() {
        let (token, empty) = (Secret::new("t".repeat(2000)), Secret::new(String::new()));
        let text = format!("{} is bad", token.expose_secret());
        let refusal = Refusal { status: 403, code: Some(text.clone()), message: Some(text), retry_after: None };
        let shown = judge(Operation::GetRoleCredentials, &refusal.without(&[&empty, &token])).error.to_string();
        assert!(shown.contains("[redacted] is bad") && !shown.contains("ttt"), "{shown}");
    }

    #[test]
    fn e7_twin_words_of_aws_that_repeat_nothing_are_shown_as_they_are() {
        let refusal = Refusal { status: 403, code: None, message: Some("No access".to_owned()), retry_after: None };
        let shown = judge(Operation::GetRoleCredentials, &refusal.without(&[&Secret::new("token".to_owned())]));
        assert!(shown.error.to_string().contains("No access"));
    }

    #[test]
    fn reads_both_forms_of_retry_after() {
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(784_111_777);
        assert_eq!(retry_after(" 120 ", now), Some(Duration::from_secs(120)));
        assert_eq!(retry_after("Sun, 06 Nov 1994 08:49:47 GMT", now), Some(Duration::from_secs(10)));
        assert_eq!(retry_after("Sun, 06 Nov 1984 08:49:47 GMT", now), Some(Duration::ZERO));
        for nonsense in ["", "-5", "soon", "1e9"] {
            assert_eq!(retry_after(nonsense, now), None, "{nonsense}");
        }
    }
}
