//! Credentials of a role assigned in IAM Identity Center, by the sign-in session's bearer token.

use super::Providers;
use crate::credentials::Credentials;
use crate::names::{AccountId, RoleName};
use crate::problem::Problem;
use crate::profile::SignInSession;
use tegata_protocol::Secret;

impl Providers {
    /// Fetches the credentials, with a token that was renewed if the portal refused the first.
    pub(super) async fn role_credentials(
        &self,
        session: &SignInSession,
        account: &AccountId,
        role: &RoleName,
    ) -> Result<Credentials, Problem> {
        let ask =
            |token: Secret| async move { self.aws.role_credentials(&session.region, &token, account, role).await };
        self.sign_in_sessions.ask_portal(session, ask).await
    }
}
