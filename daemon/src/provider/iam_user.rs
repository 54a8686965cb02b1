//! A session of an IAM user, or the access keys themselves.

use super::Providers;
use crate::credentials::Credentials;
use crate::problem::Problem;
use crate::profile::IamUser;

impl Providers {
    /// Obtains a session by the access keys in the store.
    pub(super) async fn iam_user_credentials(&self, _user: &IamUser) -> Result<Credentials, Problem> {
        Err(Problem::Internal("credentials of this source are not obtained yet"))
    }
}
