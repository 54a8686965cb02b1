//! A role for a token of an identity provider.

use super::Providers;
use crate::aws::RoleToAssume;
use crate::credentials::Credentials;
use crate::names::Region;
use crate::problem::Problem;
use crate::profile::WebIdentityToken;

impl Providers {
    /// Reads or asks for the token and assumes the role with it.
    pub(super) async fn web_identity_credentials(
        &self,
        _token: &WebIdentityToken,
        _role: &RoleToAssume,
        _region: &Region,
    ) -> Result<Credentials, Problem> {
        Err(Problem::Internal("credentials of this source are not obtained yet"))
    }
}
