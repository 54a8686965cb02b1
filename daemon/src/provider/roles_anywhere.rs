//! A role for a certificate.

use super::Providers;
use crate::credentials::Credentials;
use crate::problem::Problem;
use crate::profile::RolesAnywhere;

impl Providers {
    /// Signs a request for a session with the certificate's key.
    pub(super) async fn roles_anywhere_credentials(&self, _asked: &RolesAnywhere) -> Result<Credentials, Problem> {
        Err(Problem::Internal("credentials of this source are not obtained yet"))
    }
}
