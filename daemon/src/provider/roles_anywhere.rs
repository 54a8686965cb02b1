//! A role for a certificate: a request for a session, signed with the certificate's key.

use super::Providers;
use super::elevation::{self, Elevation};
use crate::certificates::Identity;
use crate::credentials::Credentials;
use crate::problem::Problem;
use crate::profile::RolesAnywhere;
use crate::roles_anywhere::{SessionRequest, Unsigned};

impl Providers {
    /// Obtains the credentials with the certificate that the profile names, as it is now; under a grant, for no longer than that. A
    /// session name of ours would be refused by most Roles Anywhere profiles, so CloudTrail shows no grant (`acceptRoleSessionName`).
    pub(super) async fn roles_anywhere_credentials(
        &self,
        asked: &RolesAnywhere,
        under: Option<&Elevation<'_>>,
    ) -> Result<Credentials, Problem> {
        let identity = self.certificates.identity(asked).await?;
        let Some(elevation) = under else { return self.session_of(asked, &identity).await };
        let mut asked = asked.clone();
        asked.role.duration = Some(elevation::own_duration(&asked.role, elevation));
        self.session_of(&asked, &identity).await
    }

    /// Obtains the credentials with a certificate that may not be kept yet.
    ///
    /// # Errors
    /// What AWS said, or that the key does not sign.
    pub async fn session_of(&self, asked: &RolesAnywhere, identity: &Identity) -> Result<Credentials, Problem> {
        let endpoint = self.aws.roles_anywhere(&asked.region)?;
        let request = SessionRequest {
            duration_seconds: asked.role.duration.map(|duration| duration.as_secs()),
            profile_arn: asked.profile.as_str(),
            role_arn: asked.role.role_arn.as_str(),
            role_session_name: asked.role.role_session_name.as_deref(),
            trust_anchor_arn: asked.trust_anchor.as_str(),
        };
        let place = (host(&endpoint), asked.region.as_str());
        let unsigned = Unsigned::new(&request, identity.certificates(), place, self.certificates.now());
        let signature = identity.sign(unsigned.string_to_sign()).await?;
        Ok(self.aws.create_session(&endpoint, &unsigned.signed(&signature), &asked.role).await?)
    }
}

/// The host of an endpoint, with its port where it is not the usual one: what the `Host` header says and the signature covers.
fn host(endpoint: &str) -> &str {
    endpoint.split_once("://").map_or(endpoint, |(_, host)| host)
}

#[cfg(test)]
#[path = "roles_anywhere_tests.rs"]
mod tests;
