//! A key comes into the store: checked, proven, kept, read back, and used once. Before all of that nobody gives up the file it lay in.

use super::{KeyKeeper, KeyProblem, ONE_REQUEST};
use crate::arns::UserArn;
use crate::aws::AwsError;
use crate::aws::SessionToAsk;
use crate::aws::iam::KeysOf;
use crate::credentials::Credentials;
use crate::iam_users::record::{AccessKey, AccessKeyId, IamUserRecord, KeyState};
use crate::names::{NameError, Region};
use crate::partition::Partition;
use crate::problem::Problem;
use std::time::Duration;
use subtle::ConstantTimeEq as _;
use tegata_protocol::Secret;

/// The shortest session AWS makes (STS API reference, `GetSessionToken`): it proves the key and is thrown away.
const PROOF: Duration = Duration::from_secs(900);

/// What became of a key that was to come into the store.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Imported {
    /// Whose it is, as AWS said.
    pub user: UserArn,
    /// The end of the id of what was offered.
    pub last_four: String,
    /// What the store has now.
    pub kept: Kept,
}

/// What the store has of a user.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Kept {
    /// The key that was offered.
    It,
    /// The key that was there before, which works: the one that was offered is not needed.
    Another {
        /// The end of its id.
        last_four: String,
    },
}

impl KeyKeeper {
    /// Takes a key into the store. When this returns, what the store has was read back from it, and AWS made a session with it.
    ///
    /// # Errors
    /// [`Problem::Keys`], or what the store or AWS said; then the store is as it was.
    pub async fn import(&self, id: &str, secret: Secret, region: Option<Region>) -> Result<Imported, Problem> {
        let _turn = self.turn.lock().await;
        let key = AccessKey::new(id, secret, self.clock.now(), KeyState::InUse).map_err(KeyProblem::from)?;
        let (user, region) = self.owner(&key, region).await?;
        let before = self.users.keys(&user).await?;
        let last_four = key.id.last_four().to_owned();
        if let Some(there) = before.as_ref().and_then(IamUserRecord::in_use).filter(|there| there.id != key.id) {
            match self.session_with(&user, &region, there).await {
                Ok(()) => {
                    let kept = Kept::Another { last_four: there.id.last_four().to_owned() };
                    return Ok(Imported { user, last_four, kept });
                }
                // It was deleted or deactivated: this one takes its place.
                Err(Problem::Aws(error)) if error.is_unknown_key() => {}
                Err(problem) => return Err(problem),
            }
        }
        let created_at = self.made_when(&user, &key).await;
        let record = IamUserRecord::new(&user.to_string(), self.clock.now(), AccessKey { created_at, ..key.clone() });
        self.users
            .change_keys(&user, |kept| {
                *kept = Some(record);
                Ok(())
            })
            .await?;
        crate::failpoint!("keys.import.stored");
        let proven = match self.read_back(&user, &key).await {
            Ok(read) => self.session_with(&user, &region, &read).await,
            Err(problem) => Err(problem),
        };
        if let Err(problem) = proven {
            self.put_back(&user, before).await;
            return Err(problem);
        }
        crate::failpoint!("keys.import.proven");
        Ok(Imported { user, last_four, kept: Kept::It })
    }

    /// Asks AWS whose a key is.
    async fn owner(&self, key: &AccessKey, region: Option<Region>) -> Result<(UserArn, Region), Problem> {
        let now = self.clock.now();
        let from = Credentials::of_access_key(key.id.as_str(), key.secret.clone(), None, now, now + ONE_REQUEST);
        let region = match region {
            Some(region) => region,
            None => Region::new(Partition::Aws.global_region()).map_err(|_| Problem::Internal("no region"))?,
        };
        let identity = self.aws.caller_identity(&region, &from).await.map_err(|error| refused(key, error))?;
        match UserArn::new(&identity.arn) {
            Ok(user) => Ok((user, region)),
            Err(NameError::Root { .. }) => Err(KeyProblem::Root { account: identity.account.to_string() }.into()),
            Err(_) => Err(KeyProblem::NotAUser { arn: identity.arn }.into()),
        }
    }

    /// Reads what the store has now, whatever memory says.
    pub(super) async fn read_back(&self, user: &UserArn, written: &AccessKey) -> Result<AccessKey, Problem> {
        let bytes = self.store.read(&IamUserRecord::key(user.as_str())).await?;
        let record = bytes.and_then(|bytes| IamUserRecord::from_bytes(user.as_str(), &bytes).ok());
        let same = |key: &AccessKey| {
            let (there, here) = (key.secret.expose_secret().as_bytes(), written.secret.expose_secret().as_bytes());
            key.id == written.id && bool::from(there.ct_eq(here))
        };
        let read = record.and_then(|record| record.keys.into_iter().find(same));
        read.ok_or_else(|| KeyProblem::NotReadBack { last_four: written.id.last_four().to_owned() }.into())
    }

    async fn session_with(&self, user: &UserArn, region: &Region, key: &AccessKey) -> Result<(), Problem> {
        let from = self.credentials_of(user, key);
        let asked = SessionToAsk { duration: PROOF, mfa: None };
        self.aws.get_session_token(region, &from, &asked).await.map(drop).map_err(Problem::from)
    }

    /// When IAM made a key, if it may be asked. Its age is not worth a refusal.
    async fn made_when(&self, user: &UserArn, key: &AccessKey) -> Option<std::time::SystemTime> {
        let from = self.credentials_of(user, key);
        let listed = self.aws.list_access_keys(KeysOf { user, from: &from }).await.ok()?;
        listed.into_iter().find(|listed| AccessKeyId::new(&listed.id).as_ref() == Ok(&key.id))?.created_at
    }

    async fn put_back(&self, user: &UserArn, before: Option<IamUserRecord>) {
        let put = self.users.change_keys(user, |kept| {
            *kept = before;
            Ok(())
        });
        if let Err(problem) = put.await {
            tracing::warn!("an access key of {user} that was not taken in is still kept: {problem}");
        }
    }
}

/// A key that AWS does not take is said so with its end, as the person knows it.
fn refused(key: &AccessKey, error: AwsError) -> Problem {
    match error {
        AwsError::Refused { code, message, .. } => {
            let last_four = key.id.last_four().to_owned();
            let why = match code.as_str() {
                "InvalidClientTokenId" => "it was deactivated or deleted".to_owned(),
                "SignatureDoesNotMatch" => "the secret access key is another one's".to_owned(),
                _ => message,
            };
            KeyProblem::Refused { last_four, why }.into()
        }
        error => error.into(),
    }
}
