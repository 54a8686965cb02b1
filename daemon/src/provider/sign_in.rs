//! Credentials of a role assigned in IAM Identity Center, by the sign-in session's bearer token.

use super::Providers;
use crate::aws::AwsError;
use crate::credentials::Credentials;
use crate::names::{AccountId, RoleName};
use crate::problem::Problem;
use crate::profile::SignInSession;

impl Providers {
    /// Fetches the credentials. A token that the portal refuses is renewed once; if that brings none, a person is needed.
    pub(super) async fn role_credentials(
        &self,
        session: &SignInSession,
        account: &AccountId,
        role: &RoleName,
    ) -> Result<Credentials, Problem> {
        let token = self.sign_in_sessions.access_token(session).await?;
        let refusal = match self.aws.role_credentials(&session.region, &token, account, role).await {
            Err(AwsError::SignInOver { message }) => message,
            answer => return Ok(answer?),
        };
        self.sign_in_sessions.refused(&session.name, &token, &refusal).await;
        let token = self.sign_in_sessions.access_token(session).await?;
        let answer = self.aws.role_credentials(&session.region, &token, account, role).await;
        if let Err(AwsError::SignInOver { message }) = &answer {
            self.sign_in_sessions.refused(&session.name, &token, message).await;
            return Err(Problem::SignInRequired { session: session.name.clone(), why: "has ended".to_owned() });
        }
        Ok(answer?)
    }
}
