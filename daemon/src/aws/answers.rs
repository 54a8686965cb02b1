//! AWS's answers → our types. Pure. An answer that cannot be right is refused: a missing, past or absurd expiry never
//! becomes "never expires", and nothing empty becomes a token.

mod users;

pub(super) use users::{caller_identity, user_session};

use super::refusals::Operation;
use super::{AwsError, DeviceAuthorization, ListedAccount, LoginTokens, Page, Registration, RoleToAssume, Tokens};
use crate::clock::{from_unix_seconds, rfc3339, unix_seconds};
use crate::credentials::{Credentials, Parts};
use crate::names::{AccountId, RoleName};
use aws_sdk_signin::operation::create_o_auth2_token::CreateOAuth2TokenOutput;
use aws_sdk_sso::operation::get_role_credentials::GetRoleCredentialsOutput;
use aws_sdk_sso::operation::list_account_roles::ListAccountRolesOutput;
use aws_sdk_sso::operation::list_accounts::ListAccountsOutput;
use aws_sdk_ssooidc::operation::create_token::CreateTokenOutput;
use aws_sdk_ssooidc::operation::register_client::RegisterClientOutput;
use aws_sdk_ssooidc::operation::start_device_authorization::StartDeviceAuthorizationOutput;
use aws_sdk_sts::operation::assume_role::AssumeRoleOutput;
use aws_sdk_sts::operation::assume_role_with_web_identity::AssumeRoleWithWebIdentityOutput;
use aws_sdk_sts::types::AssumedRoleUser;
use std::time::{Duration, SystemTime};
use tegata_protocol::Secret;
use tegata_protocol::inventory::shown_name;
use tegata_protocol::text::one_line;

const HOUR: u64 = 3600;
const DAY: u64 = 24 * HOUR;

/// The longest role session is 12 hours (STS API, `DurationSeconds`; a permission set's session duration). The rest is
/// for clocks that differ.
pub(super) const LONGEST_CREDENTIALS: Duration = Duration::from_secs(12 * HOUR + 15 * 60);
/// The longest sign-in session an administrator can set is 90 days.
const LONGEST_ACCESS_TOKEN: u64 = 90 * DAY;
/// Credentials of a console login are good for fifteen minutes at most (API reference of AWS Sign-In, `CreateOAuth2Token`).
const LONGEST_LOGIN_CREDENTIALS: u64 = 15 * 60;
/// A registration is good for 90 days; four times that is a mistake.
const LONGEST_REGISTRATION: u64 = 366 * DAY;
/// A device code is good for ten minutes.
const LONGEST_DEVICE_CODE: u64 = HOUR;
/// It goes back in a URL; the portal's own have some hundred characters.
const LONGEST_PAGE_TOKEN: usize = 4 * 1024;
/// RFC 8628 section 3.2: five seconds where nothing is said.
const DEFAULT_INTERVAL: u64 = 5;
const LONGEST_INTERVAL: u64 = 60;

/// Reads `RegisterClient`'s answer.
pub(super) fn registration(answer: RegisterClientOutput, now: SystemTime) -> Result<Registration, AwsError> {
    let operation = Operation::RegisterClient;
    let ends = answer.client_secret_expires_at;
    let left = u64::try_from(ends.saturating_sub(unix_seconds(now))).unwrap_or(0);
    if !(1..=LONGEST_REGISTRATION).contains(&left) {
        return Err(operation.unavailable(format!("a registration with an impossible end ({ends})")));
    }
    Ok(Registration {
        client_id: visible(operation, "client id", answer.client_id)?,
        client_secret: Secret::new(visible(operation, "client secret", answer.client_secret)?),
        expires_at: from_unix_seconds(ends),
    })
}

/// Reads `StartDeviceAuthorization`'s answer. Whether the pages may be shown is the flow's decision.
pub(super) fn device_authorization(answer: StartDeviceAuthorizationOutput) -> Result<DeviceAuthorization, AwsError> {
    let operation = Operation::StartDeviceAuthorization;
    let expires_in = within(operation, "device code", answer.expires_in, LONGEST_DEVICE_CODE)?;
    let interval = match u64::try_from(answer.interval).unwrap_or(0) {
        0 => DEFAULT_INTERVAL,
        seconds if seconds <= LONGEST_INTERVAL => seconds,
        seconds => return Err(operation.unavailable(format!("polls every {seconds} s, which is not a sign-in"))),
    };
    Ok(DeviceAuthorization {
        device_code: Secret::new(visible(operation, "device code", answer.device_code)?),
        user_code: visible(operation, "user code", answer.user_code)?,
        verification_uri: visible(operation, "page", answer.verification_uri)?,
        verification_uri_complete: answer.verification_uri_complete.filter(|page| is_visible(page)),
        expires_in,
        interval: Duration::from_secs(interval),
    })
}

/// Reads `CreateToken`'s answer.
pub(super) fn tokens(operation: Operation, answer: CreateTokenOutput, now: SystemTime) -> Result<Tokens, AwsError> {
    if answer.token_type.as_deref().is_some_and(|kind| !kind.eq_ignore_ascii_case("bearer")) {
        return Err(operation.unavailable("a token that is not of type Bearer"));
    }
    let lifetime = within(operation, "access token", answer.expires_in, LONGEST_ACCESS_TOKEN)?;
    Ok(Tokens {
        access_token: Secret::new(visible(operation, "access token", answer.access_token)?),
        expires_at: now + lifetime,
        issued_at: now,
        refresh_token: answer.refresh_token.filter(|token| is_visible(token)).map(Secret::new),
    })
}

/// Reads `CreateOAuth2Token`'s answer; `now` is AWS's time, because the life is said from there.
pub(super) fn login_tokens(answer: CreateOAuth2TokenOutput, now: SystemTime) -> Result<LoginTokens, AwsError> {
    let operation = Operation::CreateOAuth2Token;
    let found = answer.token_output.ok_or_else(|| operation.unavailable("an answer without tokens"))?;
    if !found.token_type.eq_ignore_ascii_case("aws_sigv4") {
        return Err(operation.unavailable("a token that is not of type aws_sigv4"));
    }
    let lifetime = within(operation, "access token", found.expires_in, LONGEST_LOGIN_CREDENTIALS)?;
    let keys = found.access_token.ok_or_else(|| operation.unavailable("an answer without credentials"))?;
    let keys =
        Keys { id: Some(keys.access_key_id), secret: Some(keys.secret_access_key), token: Some(keys.session_token) };
    Ok(LoginTokens {
        credentials: credentials(operation, keys, (Some(now + lifetime), lifetime), None, now)?,
        refresh_token: Secret::new(visible(operation, "refresh token", Some(found.refresh_token))?),
        id_token: found.id_token.filter(|token| is_visible(token)).map(Secret::new),
    })
}

/// Reads `GetRoleCredentials`' answer, whose expiry is in milliseconds.
pub(super) fn role_credentials(
    answer: GetRoleCredentialsOutput,
    account: &AccountId,
    now: SystemTime,
) -> Result<Credentials, AwsError> {
    let operation = Operation::GetRoleCredentials;
    let found = answer.role_credentials.ok_or_else(|| operation.unavailable("an answer without credentials"))?;
    let expires_at = u64::try_from(found.expiration).ok().map(Duration::from_millis);
    let expires_at = expires_at.and_then(|since| SystemTime::UNIX_EPOCH.checked_add(since));
    credentials(
        operation,
        Keys { id: found.access_key_id, secret: found.secret_access_key, token: found.session_token },
        (expires_at, LONGEST_CREDENTIALS),
        Some(account.clone()),
        now,
    )
}

/// Reads `ListAccounts`' answer. The names in it were chosen by somebody: they are made fit to be shown.
pub(super) fn accounts(answer: ListAccountsOutput) -> Result<Page<ListedAccount>, AwsError> {
    let operation = Operation::ListAccounts;
    let next = next_page(operation, answer.next_token)?;
    let listed = answer.account_list.unwrap_or_default().into_iter().map(|found| {
        let id = AccountId::new(found.account_id.as_deref().unwrap_or_default());
        let id = id.map_err(|error| operation.unavailable(format!("an account that is none: {error}")))?;
        let text = |text: Option<String>| shown_name(text.as_deref().unwrap_or_default());
        Ok(ListedAccount { id, name: text(found.account_name), email: text(found.email_address) })
    });
    Ok(Page { items: listed.collect::<Result<_, _>>()?, next })
}

/// Reads `ListAccountRoles`' answer. A role whose name none can have is left out: no profile could ask for it.
pub(super) fn roles(answer: ListAccountRolesOutput) -> Result<Page<RoleName>, AwsError> {
    let next = next_page(Operation::ListAccountRoles, answer.next_token)?;
    let named = answer.role_list.unwrap_or_default().into_iter().filter_map(|found| {
        let name = RoleName::new(found.role_name.as_deref().unwrap_or_default());
        name.inspect_err(|error| tracing::warn!("a role of the listing is left out: {error}")).ok()
    });
    Ok(Page { items: named.collect(), next })
}

fn next_page(operation: Operation, token: Option<String>) -> Result<Option<String>, AwsError> {
    match token.filter(|token| !token.is_empty()) {
        Some(token) if token.len() > LONGEST_PAGE_TOKEN || !is_visible(&token) => {
            Err(operation.unavailable("an answer without a usable token of the next page"))
        }
        token => Ok(token),
    }
}

/// Reads `AssumeRole`'s answer, which has to be about the role that was asked for.
pub(super) fn assumed_role(
    answer: AssumeRoleOutput,
    asked: &RoleToAssume,
    now: SystemTime,
) -> Result<Credentials, AwsError> {
    let operation = Operation::AssumeRole;
    let account = account_of(asked.role_arn.as_str());
    is_of_role(operation, answer.assumed_role_user.as_ref(), asked)?;
    let found = answer.credentials.ok_or_else(|| operation.unavailable("an answer without credentials"))?;
    of_sts(operation, found, LONGEST_CREDENTIALS, account, now)
}

/// Reads `AssumeRoleWithWebIdentity`'s answer, which has to be about the role that was asked for.
pub(super) fn role_for_token(
    answer: AssumeRoleWithWebIdentityOutput,
    asked: &RoleToAssume,
    now: SystemTime,
) -> Result<Credentials, AwsError> {
    let operation = Operation::AssumeRoleWithWebIdentity;
    is_of_role(operation, answer.assumed_role_user.as_ref(), asked)?;
    let found = answer.credentials.ok_or_else(|| operation.unavailable("an answer without credentials"))?;
    of_sts(operation, found, LONGEST_CREDENTIALS, account_of(asked.role_arn.as_str()), now)
}

fn is_of_role(operation: Operation, user: Option<&AssumedRoleUser>, asked: &RoleToAssume) -> Result<(), AwsError> {
    match user.map(|user| user.arn.as_str()) {
        Some(assumed) if !is_session_of(assumed, asked.role_arn.as_str()) => {
            Err(operation.unavailable(format!("credentials for another role: {}", one_line(assumed))))
        }
        _ => Ok(()),
    }
}

fn of_sts(
    operation: Operation,
    found: aws_sdk_sts::types::Credentials,
    longest: Duration,
    account: Option<AccountId>,
    now: SystemTime,
) -> Result<Credentials, AwsError> {
    let (id, secret) = (Some(found.access_key_id), Some(found.secret_access_key));
    let keys = Keys { id, secret, token: Some(found.session_token) };
    credentials(operation, keys, (SystemTime::try_from(found.expiration).ok(), longest), account, now)
}

pub(super) struct Keys {
    pub(super) id: Option<String>,
    pub(super) secret: Option<String>,
    pub(super) token: Option<String>,
}

pub(super) fn credentials(
    operation: Operation,
    keys: Keys,
    (expires_at, longest): (Option<SystemTime>, Duration),
    account_id: Option<AccountId>,
    now: SystemTime,
) -> Result<Credentials, AwsError> {
    Ok(Credentials::from(Parts {
        access_key_id: visible(operation, "access key id", keys.id)?,
        secret_access_key: Secret::new(visible(operation, "secret access key", keys.secret)?),
        session_token: Secret::new(visible(operation, "session token", keys.token)?),
        expires_at: live(operation, expires_at.unwrap_or(SystemTime::UNIX_EPOCH), longest, now)?,
        issued_at: now,
        account_id,
    }))
}

fn live(
    operation: Operation,
    expires_at: SystemTime,
    longest: Duration,
    now: SystemTime,
) -> Result<SystemTime, AwsError> {
    let left = expires_at.duration_since(now).unwrap_or_default();
    if left > Duration::ZERO && left <= longest {
        return Ok(expires_at);
    }
    let (ends, here) = (rfc3339(expires_at), rfc3339(now));
    Err(operation.unavailable(format!("credentials with an impossible end, {ends}, when it is {here} here")))
}

fn within(operation: Operation, what: &str, seconds: i32, longest: u64) -> Result<Duration, AwsError> {
    match u64::try_from(seconds) {
        Ok(seconds) if (1..=longest).contains(&seconds) => Ok(Duration::from_secs(seconds)),
        _ => Err(operation.unavailable(format!("an impossible life for the {what} ({seconds} s)"))),
    }
}

/// Ids, keys, tokens and addresses of AWS are visible ASCII; a space or a control character would end a header or a line.
fn visible(operation: Operation, what: &str, text: Option<String>) -> Result<String, AwsError> {
    text.filter(|text| is_visible(text))
        .ok_or_else(|| operation.unavailable(format!("an answer without a usable {what}")))
}

pub(super) fn is_visible(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_graphic())
}

fn account_of(role_arn: &str) -> Option<AccountId> {
    role_arn.split(':').nth(4).and_then(|account| AccountId::new(account).ok())
}

/// Whether `arn:aws:sts::ACCOUNT:assumed-role/NAME/SESSION` is a session of `arn:aws:iam::ACCOUNT:role/[PATH/]NAME`.
pub(super) fn is_session_of(assumed: &str, role: &str) -> bool {
    let account = |arn: &str| arn.split(':').nth(4).map(str::to_owned);
    let assumed_name = assumed.split(":assumed-role/").nth(1).and_then(|rest| rest.split('/').next());
    assumed_name.is_some() && assumed_name == role.rsplit('/').next() && account(assumed) == account(role)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::names::RoleArn;
    use aws_sdk_signin::types::builders::CreateOAuth2TokenResponseBodyBuilder as LoginBody;
    use aws_sdk_signin::types::{AccessToken, CreateOAuth2TokenResponseBody};
    use aws_sdk_sso::types::{AccountInfo, RoleCredentials, RoleInfo};
    use aws_sdk_sts::types::Credentials as StsCredentials;
    use tegata_protocol::inventory::MAX_NAME_CHARS;
    use tegata_protocol::text::is_hostile;

    const NOW: i64 = 1_795_338_478;

    fn now() -> SystemTime {
        from_unix_seconds(NOW)
    }

    fn account() -> AccountId {
        AccountId::new("123456789012").unwrap()
    }

    fn portal(expiration: i64) -> Result<Credentials, AwsError> {
        portal_with("ASIAEXAMPLE", expiration)
    }

    fn portal_with(id: &str, expiration: i64) -> Result<Credentials, AwsError> {
        let found = RoleCredentials::builder()
            .access_key_id(id)
            .secret_access_key("CANARY-secret")
            .session_token("CANARY-token")
            .expiration(expiration)
            .build();
        role_credentials(GetRoleCredentialsOutput::builder().role_credentials(found).build(), &account(), now())
    }

    #[test]
    fn d9_an_expiry_that_cannot_be_right_is_refused() {
        let year_9999 = 253_402_300_799_000;
        let seconds_for_milliseconds = NOW + 3600;
        for expiration in [0, -1, i64::MIN, i64::MAX, year_9999, seconds_for_milliseconds, NOW * 1000, (NOW - 1) * 1000]
        {
            let refusal = portal(expiration).unwrap_err();
            assert!(matches!(refusal, AwsError::Unavailable { .. }), "{expiration}");
            assert!(!refusal.to_string().contains("CANARY"));
        }
        assert!(portal((NOW + 13 * 3600) * 1000).is_err());
    }

    #[test]
    fn d9_twin_an_expiry_within_twelve_hours_is_taken_to_the_millisecond() {
        for seconds in [1, 900, 3600, 12 * 3600] {
            let credentials = portal((NOW + seconds) * 1000 + 7).unwrap();
            assert_eq!(credentials.expires_at(), now() + Duration::from_millis(seconds.unsigned_abs() * 1000 + 7));
            assert_eq!((credentials.issued_at(), credentials.account_id()), (now(), Some(&account())));
        }
    }

    fn login_with(change: impl Fn(LoginBody) -> LoginBody) -> Result<LoginTokens, AwsError> {
        let keys = AccessToken::builder()
            .access_key_id("ASIAEXAMPLE")
            .secret_access_key("CANARY-secret")
            .session_token("CANARY-token")
            .build()
            .unwrap();
        let body = CreateOAuth2TokenResponseBody::builder()
            .access_token(keys)
            .token_type("aws_sigv4")
            .expires_in(900)
            .refresh_token("CANARY-refresh");
        let output = CreateOAuth2TokenOutput::builder().token_output(change(body).build().unwrap());
        login_tokens(output.build(), now())
    }

    #[test]
    fn a_login_gives_credentials_of_fifteen_minutes_at_most_and_the_next_refresh_token() {
        let tokens = login_with(|body| body).unwrap();
        assert_eq!(tokens.credentials.expires_at(), now() + Duration::from_secs(900));
        assert_eq!((tokens.credentials.issued_at(), tokens.id_token.is_none()), (now(), true));
        assert!(login_with(|body| body.id_token("a.b.c")).unwrap().id_token.is_some());
        let refusals = [
            login_with(|body| body.expires_in(901)),
            login_with(|body| body.expires_in(0)),
            login_with(|body| body.expires_in(-1)),
            login_with(|body| body.token_type("Bearer")),
            login_with(|body| body.refresh_token("")),
            login_with(|body| body.refresh_token("a b")),
            login_with(|body| body.set_access_token(None)),
        ];
        for refused in refusals {
            let refused = refused.unwrap_err();
            assert!(matches!(refused, AwsError::Unavailable { .. }));
            assert!(!refused.to_string().contains("CANARY"));
        }
        assert!(login_tokens(CreateOAuth2TokenOutput::builder().build(), now()).is_err());
    }

    #[test]
    fn an_answer_with_something_missing_is_no_answer() {
        assert!(role_credentials(GetRoleCredentialsOutput::builder().build(), &account(), now()).is_err());
        for id in ["", " ", "ASIA\nEXAMPLE", "ASIA\u{202e}"] {
            assert!(portal_with(id, (NOW + 3600) * 1000).is_err(), "{id:?}");
        }
    }

    fn sts(role: &str, assumed: Option<&str>, expires: i64) -> Result<Credentials, AwsError> {
        let found = StsCredentials::builder()
            .access_key_id("ASIAEXAMPLE")
            .secret_access_key("s")
            .session_token("t")
            .expiration(aws_smithy_types::DateTime::from_secs(expires))
            .build()
            .unwrap();
        let user = assumed.map(|arn| AssumedRoleUser::builder().arn(arn).assumed_role_id("AROA:x").build().unwrap());
        let answer = AssumeRoleOutput::builder().credentials(found).set_assumed_role_user(user).build();
        let role_arn = RoleArn::new(role).unwrap();
        assumed_role(answer, &RoleToAssume::new(role_arn), now())
    }

    #[test]
    fn d10_credentials_of_another_account_or_role_are_refused() {
        let role = "arn:aws:iam::123456789012:role/team/Deploy";
        for assumed in [
            "arn:aws:sts::999999999999:assumed-role/Deploy/me",
            "arn:aws:sts::123456789012:assumed-role/Admin/me",
            "arn:aws:iam::123456789012:role/team/Deploy",
            "",
        ] {
            assert!(sts(role, Some(assumed), NOW + 3600).is_err(), "{assumed}");
        }
    }

    #[test]
    fn d10_twin_credentials_of_the_role_asked_for_carry_its_account() {
        for (role, assumed) in [
            ("arn:aws:iam::123456789012:role/team/Deploy", "arn:aws:sts::123456789012:assumed-role/Deploy/me"),
            ("arn:aws-cn:iam::123456789012:role/Deploy", "arn:aws-cn:sts::123456789012:assumed-role/Deploy/a.b@c"),
        ] {
            let credentials = sts(role, Some(assumed), NOW + 3600).unwrap();
            assert_eq!(credentials.account_id(), Some(&account()));
        }
        assert!(sts("arn:aws:iam::123456789012:role/Deploy", None, NOW + 3600).is_ok());
        assert!(sts("arn:aws:iam::123456789012:role/Deploy", None, 0).is_err());
    }

    fn token(access: &str, refresh: Option<&str>, kind: &str, expires_in: i32) -> Result<Tokens, AwsError> {
        let answer = CreateTokenOutput::builder()
            .access_token(access)
            .token_type(kind)
            .expires_in(expires_in)
            .set_refresh_token(refresh.map(str::to_owned));
        tokens(Operation::CreateToken { polled: false }, answer.build(), now())
    }

    #[test]
    fn tokens_that_cannot_be_right_are_refused() {
        for (access, kind, expires_in) in [
            ("", "Bearer", 3600),
            ("a b", "Bearer", 3600),
            ("a", "DPoP", 3600),
            ("a", "Bearer", 0),
            ("a", "Bearer", -1),
        ] {
            assert!(token(access, None, kind, expires_in).is_err(), "{access:?} {kind} {expires_in}");
        }
        assert!(token("a", None, "Bearer", i32::MAX).is_err());
    }

    #[test]
    fn tokens_count_from_this_machines_clock_and_an_empty_refresh_token_is_none() {
        let tokens = token("a", Some(""), "bearer", 3600).unwrap();
        assert_eq!((tokens.expires_at, tokens.issued_at), (now() + Duration::from_secs(3600), now()));
        assert!(tokens.refresh_token.is_none());
        assert!(token("a", Some("r"), "Bearer", 3600).unwrap().refresh_token.is_some());
    }

    #[test]
    fn a_registration_ends_within_a_year() {
        let register = |ends| {
            let answer = RegisterClientOutput::builder().client_id("id").client_secret("s");
            registration(answer.client_secret_expires_at(ends).build(), now())
        };
        assert!(register(NOW + 90 * 86_400).is_ok());
        for ends in [0, NOW, NOW - 1, (NOW + 90 * 86_400) * 1000, i64::MIN, i64::MAX] {
            assert!(register(ends).is_err(), "{ends}");
        }
    }

    fn listed(id: &str, name: &str) -> Result<Page<ListedAccount>, AwsError> {
        let account = AccountInfo::builder().account_id(id).account_name(name).email_address(name).build();
        accounts(ListAccountsOutput::builder().account_list(account).build())
    }

    #[test]
    fn e10_names_of_accounts_are_short_printable_lines() {
        let hostile = format!("\u{1b}]52;c;AAAA\u{7}\r\n\u{202e}{}", "x".repeat(10_000));
        let account = listed("123456789012", &hostile).unwrap().items.remove(0);
        for text in [account.name, account.email] {
            assert!(text.chars().count() == MAX_NAME_CHARS && !text.chars().any(is_hostile), "{text}");
        }
    }

    #[test]
    fn e10_twin_a_name_in_any_script_is_passed_on_as_it_is() {
        assert_eq!(listed("123456789012", "本番環境 (EU)").unwrap().items[0].name, "本番環境 (EU)");
        assert_eq!(listed("123456789012", "").unwrap().items[0].name, "");
    }

    #[test]
    fn an_account_without_twelve_digits_spoils_the_listing() {
        for id in ["", "12345678901", "12345678901a", "１２３４５６７８９０１２", "../../etc"] {
            assert!(listed(id, "x").is_err(), "{id}");
        }
    }

    #[test]
    fn a_role_that_no_profile_could_name_is_left_out() {
        let role = |name: &str| RoleInfo::builder().role_name(name).build();
        let names = ["Admin", "", "a b", "\u{1b}[2J", "監査", "Audit+Log", &"x".repeat(65)];
        let answer = ListAccountRolesOutput::builder().set_role_list(Some(names.map(role).to_vec())).build();
        let page = roles(answer).unwrap();
        assert_eq!(page.items.iter().map(RoleName::as_str).collect::<Vec<_>>(), ["Admin", "Audit+Log"]);
        assert_eq!(page.next, None);
    }

    #[test]
    fn a_page_token_is_short_and_visible() {
        let page = |token: &str| accounts(ListAccountsOutput::builder().next_token(token).build());
        assert_eq!(page("abc=").unwrap().next.as_deref(), Some("abc="));
        assert_eq!(page("").unwrap().next, None);
        for token in ["a b", "a\n", &"x".repeat(LONGEST_PAGE_TOKEN + 1)] {
            assert!(page(token).is_err(), "{}", token.len());
        }
    }

    #[test]
    fn a_device_authorization_polls_every_five_seconds_unless_told() {
        let device = |expires_in, interval| {
            device_authorization(
                StartDeviceAuthorizationOutput::builder()
                    .device_code("d")
                    .user_code("ABCD-EFGH")
                    .verification_uri("https://device.sso.us-east-1.amazonaws.com/")
                    .expires_in(expires_in)
                    .interval(interval)
                    .build(),
            )
        };
        assert_eq!(device(600, 0).unwrap().interval, Duration::from_secs(5));
        assert_eq!(device(600, 1).unwrap().interval, Duration::from_secs(1));
        assert!(device(600, 3600).is_err() && device(0, 5).is_err() && device(86_400, 5).is_err());
    }
}
