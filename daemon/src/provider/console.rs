//! Credentials of whoever signed in to the console.

use super::Providers;
use crate::arns::IdentityArn;
use crate::credentials::Credentials;
use crate::names::Region;
use crate::problem::Problem;

impl Providers {
    /// Obtains them, renewing the sign-in if need be.
    pub(super) async fn console_credentials(
        &self,
        _identity: &IdentityArn,
        _region: &Region,
    ) -> Result<Credentials, Problem> {
        Err(Problem::Internal("credentials of this source are not obtained yet"))
    }
}
