//! Credentials of whoever signed in to the console: fifteen minutes each, shared by every profile of that identity.

use super::Providers;
use crate::arns::IdentityArn;
use crate::credentials::Credentials;
use crate::problem::Problem;

impl Providers {
    /// Obtains them, renewing the login if need be: where it was made, whatever region a profile has.
    pub(super) async fn console_credentials(&self, identity: &IdentityArn) -> Result<Credentials, Problem> {
        self.console_logins.credentials(identity).await
    }
}
