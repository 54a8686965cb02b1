//! A role for a token of an identity provider. The token is read or asked for each time, and kept nowhere.

use super::elevation::{self, Elevation};
use super::{Providers, token_file};
use crate::aws::{AwsError, RoleToAssume};
use crate::credentials::Credentials;
use crate::helper::CommandLine;
use crate::names::Region;
use crate::problem::Problem;
use crate::profile::WebIdentityToken;
use std::ops::RangeInclusive;
use tegata_protocol::Secret;
use tegata_protocol::text::one_line;

/// How many characters a token has (STS API reference, `AssumeRoleWithWebIdentity`, `WebIdentityToken`).
pub(super) const CHARACTERS: RangeInclusive<usize> = 4..=20_000;

/// Why there is no token.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TokenError {
    /// The file cannot be read.
    #[error("the token file {path}: {why}")]
    File {
        /// The file.
        path: String,
        /// Why.
        why: String,
    },
    /// What came is no token.
    #[error("{from} gave no token: {what}")]
    NoToken {
        /// The file, the program, or GitHub.
        from: String,
        /// What came.
        what: &'static str,
    },
    /// GitHub did not take the job.
    #[error("GitHub Actions did not take the job that was handed over: {said}; it has ended, or may write no id-token")]
    JobRefused {
        /// What GitHub said.
        said: String,
    },
    /// GitHub did not answer.
    #[error("the token service of GitHub Actions did not answer: {said}")]
    GithubSilent {
        /// What happened.
        said: String,
    },
}

impl TokenError {
    /// Whether the same may succeed later without anybody doing anything.
    #[must_use]
    pub fn is_passing(&self) -> bool {
        matches!(self, Self::GithubSilent { .. })
    }
}

impl Providers {
    /// Reads or asks for the token and assumes the role with it; under a grant, where this is a step to what it is for.
    pub(super) async fn web_identity_credentials(
        &self,
        token: &WebIdentityToken,
        role: &RoleToAssume,
        region: &Region,
        under: Option<(&Elevation<'_>, bool)>,
    ) -> Result<Credentials, Problem> {
        let token = self.web_identity_token(token).await?;
        let asked = elevation::own_role(role, &self.user, under);
        Ok(self.aws.assume_role_with_web_identity(region, &token, &asked).await?)
    }

    async fn web_identity_token(&self, token: &WebIdentityToken) -> Result<Secret, Problem> {
        let (from, text) = match token {
            WebIdentityToken::File(path) => (one_line(&path.to_string_lossy()), token_file::read(path).await?),
            WebIdentityToken::Command(words) => {
                let command = CommandLine::try_from(words.clone()).map_err(Problem::Internal)?;
                (command.shown(), self.commands.output(&command).await?)
            }
            WebIdentityToken::GithubActions { audience } => {
                ("GitHub Actions".to_owned(), self.token_of_job(audience).await?)
            }
        };
        match fault(text.expose_secret()) {
            Some(what) => Err(TokenError::NoToken { from, what }.into()),
            None => Ok(text),
        }
    }

    /// Asks GitHub for a token of the job that was handed over.
    ///
    /// # Errors
    /// [`Problem::JobRequired`] where none was, or what GitHub said.
    pub async fn token_of_job(&self, audience: &str) -> Result<Secret, Problem> {
        let job = self.github_job.get().ok_or(Problem::JobRequired { profile: None })?;
        self.token_of(&job, audience).await
    }

    /// Asks GitHub for a token of a job.
    ///
    /// # Errors
    /// What GitHub said.
    pub async fn token_of(&self, job: &crate::github_job::Job, audience: &str) -> Result<Secret, Problem> {
        let asked = self.aws.github_id_token(job, audience).await;
        asked.map_err(|error| Problem::from(of_github(error)))
    }
}

/// GitHub is asked by the client that asks AWS, which takes it for AWS.
fn of_github(error: AwsError) -> TokenError {
    match error {
        AwsError::Refused { message, code, .. } => TokenError::JobRefused { said: format!("{message} ({code})") },
        AwsError::Unavailable { detail, .. } => TokenError::GithubSilent { said: detail },
        other => TokenError::GithubSilent { said: other.to_string() },
    }
}

/// Says why a text is no token; nothing where it may be one. It is never quoted.
fn fault(text: &str) -> Option<&'static str> {
    match text.len() {
        0 => Some("nothing is in it"),
        length if !CHARACTERS.contains(&length) => Some("AWS takes tokens of 4 to 20,000 characters"),
        _ if text.contains(['\n', '\r']) => Some("more than one line"),
        _ if !text.bytes().all(|byte| byte.is_ascii_graphic()) => Some("characters that no token has"),
        _ => None,
    }
}

#[cfg(test)]
#[path = "web_identity_tests.rs"]
mod tests;
