//! From a chain to credentials: the source's provider, then the roles to assume, in order. One file per source.

mod console;
pub mod elevation;
mod iam_user;
mod machine;
mod roles_anywhere;
pub mod session_name;
pub mod sign_in;
mod token_file;
mod web_identity;

pub use elevation::{Elevation, ElevationError, can_honour};
pub use web_identity::TokenError;

use crate::aws::Aws;
use crate::certificates::MachineCertificates;
use crate::console_logins::ConsoleLogins;
use crate::credentials::Credentials;
use crate::environment::TaskPath;
use crate::github_job::GithubJob;
use crate::helper::Commands;
use crate::iam_users::IamUsers;
use crate::local_user::LocalUser;
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
    /// The console logins.
    pub console_logins: Arc<ConsoleLogins>,
    /// The IAM users.
    pub iam_users: Arc<IamUsers>,
    /// The certificates of this machine.
    pub certificates: Arc<MachineCertificates>,
    /// What the commands of the settings print.
    pub commands: Arc<Commands>,
    /// The job of GitHub Actions that was handed over.
    pub github_job: Arc<GithubJob>,
    /// Where an ECS task finds its credentials.
    pub task: Arc<TaskPath>,
    /// Whom role sessions are named after.
    pub user: Arc<LocalUser>,
}

impl Providers {
    /// Obtains credentials for a chain from AWS, without a grant.
    ///
    /// # Errors
    /// What the first step that failed said.
    pub async fn provide(&self, chain: &Chain) -> Result<Credentials, Problem> {
        let mut credentials = self.provide_source(chain, None).await?;
        for role in &chain.roles {
            let asked = elevation::plain(role, &self.user);
            credentials = self.aws.assume_role(&chain.region, &credentials, &asked).await?;
        }
        Ok(credentials)
    }

    /// Obtains the credentials a chain starts from. Of a grant, a role for a token hears, and one for a certificate how long it is wanted: to
    /// the others AWS takes no session name, policy or duration that the configuration does not say (`GetRoleCredentials` takes an
    /// account and a role).
    ///
    /// # Errors
    /// [`Problem::Elevation`] where AWS has no way to issue the target on the grant's terms; else what AWS or the source said.
    pub async fn provide_source(
        &self,
        chain: &Chain,
        elevation: Option<&Elevation<'_>>,
    ) -> Result<Credentials, Problem> {
        if let Some(elevation) = elevation {
            elevation::can_honour(chain, elevation.session_policy)?;
        }
        let is_target = chain.roles.is_empty();
        match &chain.source {
            Source::SignIn { session, account, role } => self.role_credentials(session, account, role).await,
            Source::Console { identity, .. } => self.console_credentials(identity).await,
            Source::WebIdentity { token, role, region } => {
                let under = elevation.map(|elevation| (elevation, is_target));
                self.web_identity_credentials(token, role, region, under).await
            }
            Source::RolesAnywhere(asked) => self.roles_anywhere_credentials(asked, elevation).await,
            Source::IamUser(user) => self.iam_user_credentials(user).await,
            Source::Ec2Instance { .. } => self.ec2_instance_credentials().await,
            Source::EcsContainer { .. } => self.ecs_container_credentials().await,
        }
    }

    /// Obtains them under a grant: no other room keeps a copy that would outlive it.
    ///
    /// # Errors
    /// As [`Providers::provide_source`].
    pub async fn provide_gated_source(&self, chain: &Chain, elevation: &Elevation<'_>) -> Result<Credentials, Problem> {
        let credentials = self.provide_source(chain, Some(elevation)).await;
        if let Source::Console { identity, .. } = &chain.source {
            self.console_logins.forget_credentials(|held| held == identity);
        }
        credentials
    }

    /// Assumes the roles of a chain from `chain.roles[first]` on, under a grant; `from` are the credentials of what stands
    /// before them: of [`Chain::before`], or of [`Providers::provide_source`] when `first` is 0. With no role left, that is
    /// the answer.
    ///
    /// # Errors
    /// [`Problem::Elevation`] where AWS has no way to issue the target on these terms, before anything is asked; else what
    /// the first step that failed said.
    pub async fn provide_from(
        &self,
        chain: &Chain,
        first: usize,
        from: Credentials,
        elevation: &Elevation<'_>,
    ) -> Result<Credentials, Problem> {
        elevation::can_honour(chain, elevation.session_policy)?;
        let mut credentials = from;
        for (at, role) in chain.roles.iter().enumerate().skip(first) {
            let asked = if at + 1 == chain.roles.len() {
                elevation::target(role, &self.user, elevation)
            } else {
                elevation::on_the_way(role, &self.user, elevation)
            };
            credentials = self.aws.assume_role(&chain.region, &credentials, &asked).await?;
        }
        Ok(credentials)
    }
}

#[cfg(test)]
mod tests;
