//! A session of an IAM user, or the access keys themselves.

use super::Providers;
use crate::credentials::Credentials;
use crate::problem::Problem;
use crate::profile::IamUser;
use crate::settings::HandOut;

impl Providers {
    /// Obtains a session by the access keys in the store, or these where the settings want them handed out.
    pub(super) async fn iam_user_credentials(&self, user: &IamUser) -> Result<Credentials, Problem> {
        match user.hand_out {
            HandOut::Session => Ok((*self.iam_users.session(user).await?).clone()),
            HandOut::Keys => self.iam_users.access_key(&user.user).await,
        }
    }
}
