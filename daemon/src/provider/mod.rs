//! From a chain to credentials: the source's provider, then the roles to assume, in order. One file per source.

pub mod sign_in;

use crate::aws::Aws;
use crate::credentials::Credentials;
use crate::problem::Problem;
use crate::profile::{Chain, Source};
use crate::sign_in_sessions::SignInSessions;
use std::sync::Arc;

/// What the providers need.
#[derive(Debug, Clone)]
pub struct Providers {
    /// AWS.
    pub aws: Arc<dyn Aws>,
    /// The sign-in sessions.
    pub sign_in_sessions: Arc<SignInSessions>,
}

impl Providers {
    /// Obtains credentials for a chain from AWS.
    ///
    /// # Errors
    /// What the first step that failed said.
    pub async fn provide(&self, chain: &Chain) -> Result<Credentials, Problem> {
        let mut credentials = match &chain.source {
            Source::SignIn { session, account, role } => self.role_credentials(session, account, role).await?,
        };
        for role in &chain.roles {
            credentials = self.aws.assume_role(&chain.region, &credentials, role).await?;
        }
        Ok(credentials)
    }
}
