//! Whether AWS knows a key, and whose it is. IAM is eventually consistent (IAM User Guide, "Changes that I make are not always
//! immediately visible"), so a new key is tried for a while.

use super::{KeyKeeper, KeyProblem};
use crate::arns::UserArn;
use crate::aws::AwsError;
use crate::iam_users::record::AccessKey;
use crate::names::Region;
use crate::problem::Problem;
use std::future::Future;
use std::time::Duration;

/// The pauses between tries, in milliseconds: a minute in all. AWS says nothing of how long it takes; seconds are what is seen.
pub(super) const PAUSES: [u64; 10] = [500, 1_000, 2_000, 4_000, 8_000, 8_000, 8_000, 8_000, 10_000, 10_000];

impl KeyKeeper {
    /// Asks who a new key is until AWS knows it.
    pub(super) async fn prove(&self, user: &UserArn, region: &Region, key: &AccessKey) -> Result<(), Problem> {
        let wrong =
            |why: String| KeyProblem::Wrong { user: user.clone(), last_four: key.id.last_four().to_owned(), why };
        let asked = self.until_known(|| async {
            let from = self.credentials_of(user, key);
            self.aws.caller_identity(region, &from).await
        });
        match asked.await {
            Ok(identity) if identity.arn == user.as_str() => Ok(()),
            Ok(identity) => Err(wrong(format!("is that of {}", identity.arn)).into()),
            Err(error) if error.is_unknown_key() => {
                Err(KeyProblem::Unknown { user: user.clone(), last_four: key.id.last_four().to_owned() }.into())
            }
            Err(error) => Err(error.into()),
        }
    }
}

impl KeyKeeper {
    /// Repeats what a key signs while AWS does not know it. Bounded; any other answer is the answer.
    pub(super) async fn until_known<T, F>(&self, ask: impl Fn() -> F) -> Result<T, AwsError>
    where
        F: Future<Output = Result<T, AwsError>>,
    {
        for pause in self.pauses {
            match ask().await {
                Err(error) if error.is_unknown_key() => tokio::time::sleep(Duration::from_millis(pause)).await,
                answer => return answer,
            }
        }
        ask().await
    }
}
