//! STS's operations of IAM users: what long-term access keys sign.

use super::{SdkAws, whole_seconds};
use crate::aws::refusals::Operation;
use crate::aws::retry::bounded;
use crate::aws::{AwsError, CallerIdentity, SessionToAsk, answers};
use crate::credentials::Credentials;
use crate::names::Region;
use tegata_protocol::Secret;

impl SdkAws {
    /// One request where it carries a code, whatever happens to it: the code may be spent although no answer came.
    pub(super) async fn session_token(
        &self,
        region: &Region,
        from: &Credentials,
        asked: &SessionToAsk<'_>,
    ) -> Result<Credentials, AwsError> {
        let operation = Operation::GetSessionToken;
        let sts = self.sts(region, from);
        let request = || {
            sts.get_session_token()
                .duration_seconds(whole_seconds(asked.duration))
                .set_serial_number(asked.mfa.as_ref().map(|mfa| mfa.serial.to_owned()))
                .set_token_code(asked.mfa.as_ref().map(|mfa| mfa.code.expose_secret().to_owned()))
        };
        let sent: Vec<&Secret> = from.secrets().chain(asked.mfa.as_ref().map(|mfa| mfa.code)).collect();
        let bounds = if asked.mfa.is_some() { self.bounds.once() } else { self.bounds };
        let answer = bounded(bounds, operation.name(), || async {
            request().send().await.map_err(|error| self.failed(operation, &error, &sent))
        });
        let answer = answer.await.map_err(|error| self.with_clock_hint(error))?;
        answers::user_session(answer, from.account_id().cloned(), self.now())
    }

    pub(super) async fn identity_of(&self, region: &Region, from: &Credentials) -> Result<CallerIdentity, AwsError> {
        let operation = Operation::GetCallerIdentity;
        let sts = self.sts(region, from);
        let sent: Vec<&Secret> = from.secrets().collect();
        let answer = bounded(self.bounds, operation.name(), || async {
            sts.get_caller_identity().send().await.map_err(|error| self.failed(operation, &error, &sent))
        });
        answers::caller_identity(answer.await.map_err(|error| self.with_clock_hint(error))?)
    }
}
