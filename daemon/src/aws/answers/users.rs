//! The answers to an IAM user's access keys.

use super::{HOUR, account_of, of_sts, visible};
use crate::aws::refusals::Operation;
use crate::aws::{AwsError, CallerIdentity};
use crate::credentials::Credentials;
use crate::names::AccountId;
use aws_sdk_sts::operation::get_caller_identity::GetCallerIdentityOutput;
use aws_sdk_sts::operation::get_session_token::GetSessionTokenOutput;
use std::time::{Duration, SystemTime};
use tegata_protocol::text::one_line;

/// The longest session of an IAM user is 36 hours (STS API, `GetSessionToken`). The rest is for clocks that differ.
const LONGEST_SESSION: Duration = Duration::from_secs(36 * HOUR + 15 * 60);

/// Reads `GetSessionToken`'s answer: a session of a user of `account`.
pub(in crate::aws) fn user_session(
    answer: GetSessionTokenOutput,
    account: Option<AccountId>,
    now: SystemTime,
) -> Result<Credentials, AwsError> {
    let operation = Operation::GetSessionToken;
    let found = answer.credentials.ok_or_else(|| operation.unavailable("an answer without credentials"))?;
    of_sts(operation, found, LONGEST_SESSION, account, now)
}

/// Reads `GetCallerIdentity`'s answer.
pub(in crate::aws) fn caller_identity(answer: GetCallerIdentityOutput) -> Result<CallerIdentity, AwsError> {
    let operation = Operation::GetCallerIdentity;
    let arn = visible(operation, "ARN", answer.arn)?;
    let account = answer.account.and_then(|account| AccountId::new(&account).ok());
    // An answer that says two things of one caller says nothing.
    let account = account.filter(|account| account_of(&arn).as_ref() == Some(account));
    let account = account.ok_or_else(|| operation.unavailable("an answer without a usable account"))?;
    Ok(CallerIdentity { arn: one_line(&arn), account })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::from_unix_seconds;
    use aws_sdk_sts::types::Credentials as StsCredentials;

    const NOW: i64 = 1_795_338_478;
    const ALICE: &str = "arn:aws:iam::123456789012:user/alice";

    fn session(expires: i64) -> Result<Credentials, AwsError> {
        let found = StsCredentials::builder()
            .access_key_id("ASIAEXAMPLE")
            .secret_access_key("s")
            .session_token("t")
            .expiration(aws_smithy_types::DateTime::from_secs(expires))
            .build()
            .unwrap();
        let answer = GetSessionTokenOutput::builder().credentials(found).build();
        user_session(answer, AccountId::new("123456789012").ok(), from_unix_seconds(NOW))
    }

    #[test]
    fn d9_a_session_that_lasts_longer_than_any_is_refused() {
        for expires in [0, NOW, NOW - 1, NOW + 37 * 3600] {
            assert!(session(expires).is_err(), "{expires}");
        }
        assert!(user_session(GetSessionTokenOutput::builder().build(), None, from_unix_seconds(NOW)).is_err());
    }

    #[test]
    fn d9_twin_a_session_lasts_up_to_thirty_six_hours() {
        for seconds in [900, 43_200, 129_600] {
            let made = session(NOW + seconds).unwrap();
            assert_eq!((made.lifetime().as_secs(), made.account_id().is_some()), (seconds.unsigned_abs(), true));
        }
    }

    #[test]
    fn an_identity_is_believed_when_it_agrees_with_itself() {
        let who = |arn: &str, account: &str| {
            caller_identity(GetCallerIdentityOutput::builder().arn(arn).account(account).user_id("AIDA").build())
        };
        assert_eq!(who(ALICE, "123456789012").unwrap().arn, ALICE);
        for (arn, account) in [(ALICE, "210987654321"), (ALICE, ""), ("", "123456789012"), ("arn:a\nb", "123456789012")]
        {
            assert!(who(arn, account).is_err(), "{arn:?} {account:?}");
        }
        assert!(caller_identity(GetCallerIdentityOutput::builder().build()).is_err());
    }
}
