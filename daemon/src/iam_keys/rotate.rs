//! A key is turned over. The record says at each moment how far it went:
//!
//! | record | what a crash here leaves | who comes next |
//! |---|---|---|
//! | old in use, `making_since` | perhaps a new key at IAM whose secret nobody was told | deletes that key, makes another |
//! | old in use, new coming in | two keys that work | proves the new one, goes on |
//! | old going out, new in use | two keys that work, or one | deactivates the old one; deletes it when its time has come |
//! | new in use | one key | nothing |

use super::marks::Mark;
use super::{KeyKeeper, KeyProblem};
use crate::arns::UserArn;
use crate::audit::KeyStep;
use crate::aws::AwsError;
use crate::aws::iam::KeysOf;
use crate::credentials::Credentials;
use crate::iam_users::record::{AccessKey, AccessKeyId, IamUserRecord, KeyState};
use crate::names::Region;
use crate::problem::Problem;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

/// How long a replaced key is kept where nobody said anything.
const USUAL_GRACE: Duration = Duration::from_secs(24 * 3600);

/// What a person wants of a rotation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Wanted {
    /// A new key, or the end of a rotation that was interrupted. The old key can be had back for a while.
    Rotate {
        /// Until it is deleted. Absent: as it was said when the rotation began that is under way; else a day.
        grace: Option<Duration>,
    },
    /// The end of a rotation now, whatever is left of the grace time.
    Finish,
    /// What is due of a rotation, and no more.
    GoOn,
}

/// What became of a rotation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rotated {
    /// Whether a new key was made now; otherwise an earlier rotation went on, or there was nothing to do.
    pub began: bool,
    /// The key in use now.
    pub in_use: AccessKeyId,
    /// When it was made, as far as it is known.
    pub created_at: Option<SystemTime>,
    /// What became of keys that it replaced.
    pub old: Vec<OldKey>,
}

/// A key that was replaced.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OldKey {
    /// Its id.
    pub id: AccessKeyId,
    /// What became of it.
    pub fate: Fate,
}

/// What became of a key that was replaced.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fate {
    /// AWS does not accept it any more; it can be made active again until it is deleted.
    Deactivated {
        /// When it is deleted.
        delete_after: SystemTime,
    },
    /// It is gone.
    Deleted,
    /// IAM did not let it be deactivated or deleted.
    Left {
        /// What IAM said.
        why: String,
    },
}

impl KeyKeeper {
    /// Turns the key of a user over, or goes on with what was interrupted. It goes on to its end when the caller leaves; everybody who
    /// asks for the same at the same time gets one rotation.
    ///
    /// # Errors
    /// Why it did not come to the end that was wanted. A key works all the same, and asking again goes on.
    pub async fn rotate(self: &Arc<Self>, user: &UserArn, region: &Region, wanted: Wanted) -> Result<Rotated, Problem> {
        let (keeper, of, region) = (Arc::clone(self), user.clone(), region.clone());
        let flight = self.flights.join(&(user.clone(), wanted), || async move {
            let _turn = keeper.turn.lock().await;
            keeper.turn_over(&of, &region, wanted).await
        });
        flight.landed().await.unwrap_or(Err(Problem::Internal("the rotation was lost")))
    }

    /// Goes on with what is due, without a person and without asking one.
    pub async fn look_after(self: &Arc<Self>) {
        for Mark { user, region, .. } in self.marks.take_due(self.clock.now(), self.clock.since_boot()) {
            // A locked keyring would ask a person who knows nothing of this.
            if self.store.probe().await.is_err() {
                return;
            }
            let (keeper, of) = (Arc::clone(self), user);
            tokio::spawn(async move {
                if let Err(problem) = keeper.rotate(&of, &region, Wanted::GoOn).await {
                    tracing::warn!("the rotation of the access key of {of} could not go on: {problem}");
                }
            });
        }
    }

    async fn turn_over(&self, user: &UserArn, region: &Region, wanted: Wanted) -> Result<Rotated, Problem> {
        let record = self.record(user).await?;
        let interrupted = !is_at_rest(&record);
        if let Wanted::Rotate { grace } = wanted
            && !interrupted
        {
            self.begin(user, region, grace).await?;
            return self.go_on(user, region, wanted, true).await;
        }
        if record.making_since.is_some() {
            self.forget_lost_key(user, &record).await?;
            if let Wanted::Rotate { grace } = wanted {
                self.begin(user, region, grace.or(record.grace)).await?;
                return self.go_on(user, region, wanted, true).await;
            }
        }
        match self.go_on(user, region, wanted, false).await {
            // The new key was a dead end, and is forgotten: the rotation begins again.
            Err(problem @ Problem::Keys(KeyProblem::Wrong { .. })) => match wanted {
                Wanted::Rotate { grace } if is_at_rest(&self.record(user).await?) => {
                    self.begin(user, region, grace.or(record.grace)).await?;
                    self.go_on(user, region, wanted, true).await
                }
                _ => Err(problem),
            },
            outcome => outcome,
        }
    }

    /// Makes a key and keeps it.
    async fn begin(&self, user: &UserArn, region: &Region, grace: Option<Duration>) -> Result<(), Problem> {
        let record = self.record(user).await?;
        let from = self.in_use(user, &record)?;
        let of = KeysOf { user, from: &from };
        let strangers = self.strangers(of, &record).await?;
        if let Some(second) = strangers.into_iter().next() {
            return Err(KeyProblem::Second { user: user.clone(), other: second.id, is_active: second.is_active }.into());
        }
        let now = self.clock.now();
        self.mark(user, region, now);
        crate::failpoint!("keys.rotate.before-intent");
        self.change(user, |record| {
            record.making_since = Some(now);
            record.grace = Some(grace.unwrap_or(USUAL_GRACE));
        })
        .await?;
        crate::failpoint!("keys.rotate.intended");
        let made = match self.aws.create_access_key(of).await {
            Ok(made) => made,
            Err(error) => {
                if !error.is_passing() {
                    // IAM has answered: there is no key.
                    self.change(user, |record| record.making_since = None).await?;
                    self.unmark(user);
                }
                return Err(error.into());
            }
        };
        crate::failpoint!("keys.rotate.made");
        let key = AccessKey::new(&made.id, made.secret, now, KeyState::ComingIn).map_err(KeyProblem::from)?;
        let key = AccessKey { created_at: made.created_at, ..key };
        let kept = self.change(user, |record| {
            record.keys.push(key.clone());
            record.making_since = None;
        });
        let kept = match kept.await {
            Ok(()) => self.read_back(user, &key).await.map(drop),
            Err(problem) => Err(problem),
        };
        if let Err(problem) = kept {
            self.give_up(of, &key).await;
            return Err(problem);
        }
        crate::failpoint!("keys.rotate.stored");
        self.note(user, KeyStep::Made, key.id.last_four());
        Ok(())
    }

    /// A key that could not be kept is deleted while its secret is at hand no more than here.
    async fn give_up(&self, of: KeysOf<'_>, key: &AccessKey) {
        let deleted = self.aws.delete_access_key(of, key.id.as_str()).await;
        if let Err(error) = deleted {
            tracing::warn!("access key …{} was made, not kept, and not deleted: {error}", key.id.last_four());
        }
    }

    /// Goes from wherever the record is to where it may go.
    async fn go_on(&self, user: &UserArn, region: &Region, wanted: Wanted, began: bool) -> Result<Rotated, Problem> {
        if let Some(new) = self.record(user).await?.keys.into_iter().find(|key| key.state == KeyState::ComingIn) {
            if let Err(problem) = self.prove(user, region, &new).await {
                return Err(self.why_unknown(user, &new, problem).await);
            }
            crate::failpoint!("keys.rotate.proven");
            self.switch(user, &new.id, wanted).await?;
            crate::failpoint!("keys.rotate.switched");
            self.note(user, KeyStep::InUse, new.id.last_four());
        }
        let mut old = Vec::new();
        let going = self.record(user).await?.keys.into_iter().filter_map(|key| match key.state {
            KeyState::GoingOut { delete_after } => Some((key.id, delete_after)),
            _ => None,
        });
        for (id, delete_after) in going.collect::<Vec<_>>() {
            let delete_now = wanted == Wanted::Finish || delete_after <= self.clock.now();
            let fate = self.retire(user, &id, delete_now, delete_after).await?;
            old.push(OldKey { id, fate });
        }
        let record = self.record(user).await?;
        self.mark_what_is_left(user, region, &record);
        let none = || Problem::NoAccessKey { user: user.clone(), profile: None };
        let key = record.in_use().ok_or_else(none)?;
        Ok(Rotated { began, in_use: key.id.clone(), created_at: key.created_at, old })
    }

    /// A new key that AWS does not come to know may be one that somebody deleted or switched off: then it is no more waited for.
    async fn why_unknown(&self, user: &UserArn, new: &AccessKey, problem: Problem) -> Problem {
        if !matches!(problem, Problem::Keys(KeyProblem::Unknown { .. })) {
            return problem;
        }
        let looked = async {
            let record = self.record(user).await?;
            let from = self.in_use(user, &record)?;
            let listed = self.aws.list_access_keys(KeysOf { user, from: &from }).await?;
            Ok::<_, Problem>(listed.into_iter().find(|listed| listed.id == new.id.as_str()))
        };
        let why = match looked.await {
            Ok(None) => "is not at IAM any more",
            Ok(Some(listed)) if !listed.is_active => "was deactivated before it was used",
            Ok(Some(_)) | Err(_) => return problem,
        };
        match self.forget(user, &new.id).await {
            Ok(()) => {
                let last_four = new.id.last_four().to_owned();
                KeyProblem::Wrong { user: user.clone(), last_four, why: why.to_owned() }.into()
            }
            Err(problem) => problem,
        }
    }

    /// From here on the new key signs.
    async fn switch(&self, user: &UserArn, new: &AccessKeyId, wanted: Wanted) -> Result<(), Problem> {
        let now = self.clock.now();
        self.change(user, |record| {
            let begun_with = record.grace.take().unwrap_or(USUAL_GRACE);
            let grace = match wanted {
                Wanted::Rotate { grace } => grace.unwrap_or(begun_with),
                Wanted::GoOn => begun_with,
                Wanted::Finish => Duration::ZERO,
            };
            let delete_after = now.checked_add(grace).unwrap_or(now);
            for key in &mut record.keys {
                match key.state {
                    KeyState::InUse => key.state = KeyState::GoingOut { delete_after },
                    KeyState::ComingIn if key.id == *new => key.state = KeyState::InUse,
                    _ => {}
                }
            }
            record.proven_at = now;
        })
        .await?;
        self.switched.0(user);
        Ok(())
    }

    /// Deactivates a key, and deletes it when its time has come. The new key signs both, so that it is known to work at IAM.
    async fn retire(
        &self,
        user: &UserArn,
        id: &AccessKeyId,
        delete_now: bool,
        delete_after: SystemTime,
    ) -> Result<Fate, Problem> {
        let record = self.record(user).await?;
        let from = self.in_use(user, &record)?;
        let of = KeysOf { user, from: &from };
        let deactivated = self.until_known(|| self.aws.set_access_key_active(of, id.as_str(), false)).await;
        crate::failpoint!("keys.rotate.retired");
        match deactivated {
            Ok(()) => self.note(user, KeyStep::Deactivated, id.last_four()),
            Err(error) if is_gone(&error) => return self.forget(user, id).await.map(|()| Fate::Deleted),
            Err(error @ AwsError::Refused { .. }) => return Ok(Fate::Left { why: error.to_string() }),
            Err(error) => return Err(error.into()),
        }
        if !delete_now {
            return Ok(Fate::Deactivated { delete_after });
        }
        crate::failpoint!("keys.rotate.before-delete");
        match self.aws.delete_access_key(of, id.as_str()).await {
            Ok(()) => {}
            Err(error) if is_gone(&error) => {}
            Err(error @ AwsError::Refused { .. }) => return Ok(Fate::Left { why: error.to_string() }),
            Err(error) => return Err(error.into()),
        }
        crate::failpoint!("keys.rotate.deleted");
        self.forget(user, id).await?;
        crate::failpoint!("keys.rotate.forgotten");
        self.note(user, KeyStep::Deleted, id.last_four());
        Ok(Fate::Deleted)
    }

    async fn forget(&self, user: &UserArn, id: &AccessKeyId) -> Result<(), Problem> {
        self.change(user, |record| record.keys.retain(|key| key.id != *id)).await
    }

    pub(super) fn in_use(&self, user: &UserArn, record: &IamUserRecord) -> Result<Credentials, Problem> {
        let none = || Problem::NoAccessKey { user: user.clone(), profile: None };
        record.in_use().map(|key| self.credentials_of(user, key)).ok_or_else(none)
    }

    /// Notes that a rotation has begun. Without the note it goes on when it is asked for.
    fn mark(&self, user: &UserArn, region: &Region, due: SystemTime) {
        let mark = Mark { user: user.clone(), region: region.clone(), due };
        if let Err(error) = self.marks.begin(&mark, self.clock.since_boot()) {
            tracing::warn!("the rotation of {user} is not noted: {error}");
        }
    }

    fn unmark(&self, user: &UserArn) {
        if let Err(error) = self.marks.clear(user) {
            tracing::warn!("the rotation of {user} is still noted: {error}");
        }
    }

    fn mark_what_is_left(&self, user: &UserArn, region: &Region, record: &IamUserRecord) {
        let going = record.keys.iter().filter_map(|key| match key.state {
            KeyState::GoingOut { delete_after } => Some(delete_after),
            _ => None,
        });
        match going.min() {
            Some(due) => {
                let mark = Mark { user: user.clone(), region: region.clone(), due };
                if let Err(error) = self.marks.wait(&mark) {
                    tracing::warn!("the end of the rotation of {user} is not noted: {error}");
                }
            }
            None => self.unmark(user),
        }
    }
}

/// Whether no rotation is under way.
fn is_at_rest(record: &IamUserRecord) -> bool {
    record.making_since.is_none() && record.keys.iter().all(|key| key.state == KeyState::InUse)
}

pub(super) fn is_gone(error: &AwsError) -> bool {
    matches!(error, AwsError::Refused { code, .. } if code == "NoSuchEntity")
}
