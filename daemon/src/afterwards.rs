//! What follows from an approval outside the room of requests: an alert, a review item, an unlocked daemon, another passkey.

use crate::accepted_policy::{AcceptedPolicy, Wanted};
use crate::audit::{Audit, Event};
use crate::aws::BoxFuture;
use crate::clock::{Clock, rfc3339};
use crate::console_logins::ConsoleLogins;
use crate::gate::{Gate, PasskeyId};
use crate::gated::Gated;
use crate::grant::Grant;
use crate::human::{Human, Notice};
use crate::iam_users::IamUsers;
use crate::lock::LockState;
use crate::obtain::Obtainer;
use crate::profile::{Config, ConfigFiles, Source};
use crate::requests::{Afterwards, Task};
use crate::reviews::Reviews;
use crate::sign_in_sessions::SignInSessions;
use crate::sign_in_sessions::roles::StoredRoles;
use crate::store::StoreError;
use std::sync::{Arc, OnceLock, Weak};

/// Does what was approved.
#[derive(Debug)]
pub struct Consequences {
    /// What time it is.
    pub clock: Arc<dyn Clock>,
    /// The passkeys.
    pub gate: Arc<Gate>,
    /// The lock.
    pub lock: Arc<LockState>,
    /// The reviews.
    pub reviews: Arc<Reviews>,
    /// The records.
    pub audit: Arc<Audit>,
    /// The human.
    pub human: Arc<dyn Human>,
    /// What was accepted.
    pub accepted: AcceptedPolicy,
    /// What the settings say.
    pub wanted: Wanted,
    /// What decides. It is made after this, and knows it.
    pub gated: OnceLock<Weak<Gated>>,
    /// Credentials that may be gated from now on.
    pub obtainer: Arc<Obtainer>,
    /// The same, of console logins.
    pub console_logins: Arc<ConsoleLogins>,
    /// The same, in the store.
    pub stored_roles: Arc<StoredRoles>,
    /// Whose they are: sessions that were met in this daemon's life,
    pub sign_in_sessions: Arc<SignInSessions>,
    /// IAM users, whose sessions are stored as well,
    pub iam_users: Arc<IamUsers>,
    /// and those that are configured.
    pub files: Arc<ConfigFiles>,
}

impl Consequences {
    async fn do_it(&self, task: &Task) -> Result<(), String> {
        match task {
            Task::Elevate(_) | Task::TestPasskey { .. } => Ok(()),
            Task::AddPasskey { .. } => {
                self.reconsider().await;
                Ok(())
            }
            Task::RemovePasskey { id, .. } => self.remove(id).await,
            Task::AcceptPolicy { weaker } => {
                let accepted = Event::PolicyAccepted { weaker: weaker.len() };
                self.audit.record_durably(None, &accepted).map_err(|error| error.to_string())?;
                self.accepted.accept(&self.wanted).await.map_err(|error| error.to_string())?;
                self.reconsider().await;
                Ok(())
            }
            Task::Unlock => {
                self.lock.unlock().map_err(|error| error.to_string())?;
                self.audit.record(None, &Event::Unlocked).map_err(|error| error.to_string())
            }
        }
    }

    async fn remove(&self, id: &PasskeyId) -> Result<(), String> {
        self.gate.remove(id).await.map_err(|error| error.to_string())?;
        self.reconsider().await;
        let removed = Event::PasskeyRemoved { passkey: id.as_str() };
        self.audit.record(None, &removed).map_err(|error| error.to_string())
    }

    /// A passkey or a rule came or went: what was open may be gated, so nothing that was obtained before is kept.
    pub async fn reconsider(&self) {
        if let Some(gated) = self.gated.get().and_then(Weak::upgrade) {
            gated.reconsider().await;
        }
        self.obtainer.forget_all();
        self.console_logins.forget_credentials(|_| true);
        if let Err(error) = self.delete_stored_roles().await {
            tracing::warn!("stored role credentials remain: {error}");
        }
    }

    /// Deletes the stored role credentials of every sign-in session that is configured or was met in this daemon's life: those
    /// of an earlier life are in the store, too.
    ///
    /// # Errors
    /// What the store said.
    pub async fn delete_stored_roles(&self) -> Result<(), StoreError> {
        let config = self.files.load(None);
        let configured = config.iter().flat_map(|config| config.sign_in_sessions().iter().cloned());
        let names = configured.chain(self.sign_in_sessions.known()).map(|session| session.name);
        let deleted = self.stored_roles.delete_all(&names.collect()).await;
        deleted.and(self.delete_user_sessions(config.as_deref().ok()).await)
    }

    /// The sessions of IAM users go with them.
    async fn delete_user_sessions(&self, config: Option<&Config>) -> Result<(), StoreError> {
        let profiles =
            config.into_iter().flat_map(|config| config.profiles().filter_map(|name| config.resolve(name).ok()));
        let users = profiles.filter_map(|profile| match &profile.chain.source {
            Source::IamUser(user) => Some(user.user.clone()),
            _ => None,
        });
        self.iam_users.delete_sessions(users.collect()).await
    }
}

impl Afterwards for Consequences {
    fn granted(&self, grant: &Grant) -> Result<(), String> {
        let now = rfc3339(self.clock.now());
        if grant.approved.terms.review {
            self.reviews.add(grant, now).map_err(|error| error.to_string())?;
        }
        if grant.approved.terms.alert {
            let (account, role) = grant.approved.chain.reached();
            let reason = grant.approved.reason.as_deref().map(|reason| format!("; reason: {reason}"));
            self.human.notify(Notice {
                summary: format!("{} is open ({account} {role})", grant.approved.profile),
                body: format!("Approved by {}{}", grant.approved.approved_by.join(" and "), reason.unwrap_or_default()),
            });
        }
        Ok(())
    }

    fn approved<'a>(&'a self, task: &'a Task) -> BoxFuture<'a, Result<(), String>> {
        Box::pin(self.do_it(task))
    }
}
