//! What the broker does about hands: elevations, requests, pages, grants, passkeys, policy, reviews.

use crate::audit::{Event, GrantEnd};
use crate::broker::Broker;
use crate::caller::Caller;
use crate::clock::rfc3339;
use crate::gate::{PasskeyId, PasskeyView};
use crate::gated::ElevationWanted;
use crate::grant::Grant;
use crate::names::{PasskeyName, Person, ProfileName};
use crate::policy::{check_reason, tier, tier_word};
use crate::problem::Problem;
use crate::profile::{Profile, ProfileError};
use crate::requests::Task;
use crate::requests::view::View;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use tegata_protocol::gate as body;
use tegata_protocol::{ErrorBody, ErrorCode};

/// How fresh a sign-in has to be to vouch for a first passkey.
const FRESH: Duration = Duration::from_secs(10 * 60);

impl Broker {
    /// Asks for a gated target on behalf of a person.
    ///
    /// # Errors
    /// Why it cannot be had.
    pub async fn begin_elevation(&self, caller: &Caller, wanted: body::BeginElevation) -> Result<View, ErrorBody> {
        self.unlocked()?;
        let profile = self.profile(&wanted.profile, wanted.config.as_deref().map(Path::new)).await?;
        let asked = ElevationWanted {
            window: wanted.seconds.map(Duration::from_secs),
            reason: wanted.reason.as_deref(),
            holder: wanted.holder,
        };
        let id = self.gated.ask(caller, &profile, &asked).await?;
        self.request_at_once(&id).await
    }

    /// Says how a request stands, once it has ended or `wait` is over.
    ///
    /// # Errors
    /// [`ErrorCode::NotFound`].
    pub async fn request(&self, id: &str, wait: Duration) -> Result<View, ErrorBody> {
        self.desk.stands(id, wait.min(self.longest_wait)).await.ok_or_else(no_such_request)
    }

    /// Lists what waits for a hand, oldest first.
    #[must_use]
    pub fn requests(&self) -> Vec<View> {
        self.desk.waiting()
    }

    /// Makes a page for a request that waits, and listens for it. The URL is good once.
    ///
    /// # Errors
    /// [`ErrorCode::NotFound`], a reason that will not do, or that nobody can listen.
    pub async fn open_page(&self, id: &str, asked: body::OpenPage) -> Result<body::Page, ErrorBody> {
        let entry = self.desk.entry(id).filter(|entry| entry.state.is_pending()).ok_or_else(no_such_request)?;
        if let Task::Elevate(elevation) = &entry.task
            && elevation.reason.is_none()
        {
            check_reason(&elevation.terms, asked.reason.as_deref()).map_err(Problem::from)?;
            asked.reason.iter().for_each(|reason| self.desk.give_reason(id, reason));
        }
        let secret = self.desk.make_page(id).ok_or_else(no_such_request)?;
        let url = self.page_door.url(&secret).await;
        let url = url.map_err(|error| ErrorBody::new(ErrorCode::Internal, error.to_string()))?;
        Ok(body::Page { url: url.expose_secret().to_owned() })
    }

    /// Says no to a tool's request, or withdraws one's own.
    ///
    /// # Errors
    /// [`ErrorCode::NotFound`].
    pub fn refuse_request(&self, id: &str) -> Result<(), ErrorBody> {
        if self.desk.withdraw(id) { Ok(()) } else { Err(no_such_request()) }
    }

    /// Lists the live grants, oldest first.
    #[must_use]
    pub fn grants(&self, caller: &Caller) -> Vec<body::Grant> {
        self.grants.live().iter().map(|grant| self.grant_view(grant, caller)).collect()
    }

    /// Ends one grant.
    ///
    /// # Errors
    /// [`ErrorCode::NotFound`].
    pub fn drop_grant(&self, id: &str) -> Result<body::Dropped, ErrorBody> {
        let dropped = self.end_grants(GrantEnd::Dropped, &|grant| grant.id.as_str() == id);
        if dropped == 0 {
            Err(ErrorBody::new(ErrorCode::NotFound, "there is no such grant"))
        } else {
            Ok(body::Dropped { dropped })
        }
    }

    /// Ends every grant, or those of one profile.
    ///
    /// # Errors
    /// A text that is no profile name.
    pub fn drop_grants(&self, profile: Option<&str>) -> Result<body::Dropped, ErrorBody> {
        let name =
            profile.map(ProfileName::new).transpose().map_err(|error| Problem::from(ProfileError::from(error)))?;
        let of = |grant: &Grant| name.as_ref().is_none_or(|name| grant.approved.profile == *name);
        Ok(body::Dropped { dropped: self.end_grants(GrantEnd::Dropped, &of) })
    }

    /// Ends grants, and writes down why. Returns how many.
    pub fn end_grants(&self, why: GrantEnd, goes: &dyn Fn(&Grant) -> bool) -> usize {
        let ended = self.grants.end(goes);
        self.note_ended(&ended, why);
        ended.len()
    }

    /// Writes down that grants ended.
    pub(crate) fn note_ended(&self, ended: &[Arc<Grant>], why: GrantEnd) {
        ended.iter().for_each(|grant| self.note(None, &Event::GrantEnded { grant: &grant.id, why }));
    }

    /// Lists the passkeys, oldest first.
    ///
    /// # Errors
    /// What the store said.
    pub async fn passkeys(&self) -> Result<body::Passkeys, ErrorBody> {
        self.unlocked()?;
        let passkeys = self.gate.passkeys().await.map_err(Problem::from)?;
        Ok(body::Passkeys { passkeys: passkeys.iter().map(passkey_view).collect() })
    }

    /// Begins to enrol a passkey: the first behind a fresh sign-in, every other behind a gesture of an enrolled one.
    ///
    /// # Errors
    /// A name that is none, or [`Problem::FreshSignInRequired`].
    pub async fn add_passkey(&self, caller: &Caller, wanted: &body::AddPasskey) -> Result<View, ErrorBody> {
        self.unlocked()?;
        let person = Person::new(&wanted.person).map_err(bad_name)?;
        let name = PasskeyName::new(&wanted.name).map_err(bad_name)?;
        let gesture_first = self.gated.standing().await.map_err(Problem::from)?.has_passkey();
        if !gesture_first {
            self.signed_in_lately()?;
        }
        self.ask(caller, Task::AddPasskey { person, name, gesture_first }).await
    }

    /// Gives a passkey another name.
    ///
    /// # Errors
    /// What the passkeys said.
    pub async fn rename_passkey(&self, id: &str, wanted: &body::RenamePasskey) -> Result<body::Passkey, ErrorBody> {
        self.unlocked()?;
        let name = PasskeyName::new(&wanted.name).map_err(bad_name)?;
        let renamed = self.gate.rename(&passkey_id(id)?, &name).await.map_err(Problem::from)?;
        Ok(passkey_view(&renamed))
    }

    /// Begins to remove a passkey, behind a gesture.
    ///
    /// # Errors
    /// [`ErrorCode::NotFound`] and what the store said.
    pub async fn remove_passkey(&self, caller: &Caller, id: &str) -> Result<View, ErrorBody> {
        self.unlocked()?;
        let PasskeyView { id, person, name, .. } = self.enrolled(id).await?;
        self.ask(caller, Task::RemovePasskey { id, person, name }).await
    }

    /// Begins to try a passkey.
    ///
    /// # Errors
    /// [`Problem::NoPasskey`], [`ErrorCode::NotFound`] and what the store said.
    pub async fn test_passkey(&self, caller: &Caller, id: Option<&str>) -> Result<View, ErrorBody> {
        self.unlocked()?;
        self.gated.has_passkeys().await?;
        let id = match id {
            Some(id) => Some(self.enrolled(id).await?.id),
            None => None,
        };
        self.ask(caller, Task::TestPasskey { id }).await
    }

    /// Forgets every passkey, behind a fresh sign-in: they were lost, or their record is damaged. What rules gate stays gated.
    ///
    /// # Errors
    /// [`Problem::FreshSignInRequired`] and what the store said.
    pub async fn forget_passkeys(&self, caller: &Caller) -> Result<(), ErrorBody> {
        self.unlocked()?;
        self.signed_in_lately()?;
        let known = self.gate.passkeys().await.unwrap_or_default();
        self.gate.forget_all().await.map_err(Problem::from)?;
        for passkey in &known {
            self.note(Some(caller), &Event::PasskeyRemoved { passkey: passkey.id.as_str() });
        }
        self.desk.end_all(GrantEnd::PasskeysForgotten);
        self.end_grants(GrantEnd::PasskeysForgotten, &|_| true);
        self.consequences.reconsider().await;
        self.human.notify(crate::human::Notice {
            summary: "Every passkey was forgotten".to_owned(),
            body: "If that was not you, run: tegata lock".to_owned(),
        });
        Ok(())
    }

    /// Says which rules are in force, and what waits to be accepted.
    ///
    /// # Errors
    /// What the store said.
    pub async fn policy_state(&self) -> Result<body::PolicyState, ErrorBody> {
        let standing = self.gated.standing().await.map_err(Problem::from)?;
        Ok(body::PolicyState { rules: standing.policy.count(), weaker: standing.pending.clone() })
    }

    /// Says what decides about a profile, and why.
    ///
    /// # Errors
    /// What the configuration or the store said.
    pub async fn explain(&self, profile: &str, config: Option<&Path>) -> Result<body::Explanation, ErrorBody> {
        let profile = self.profile(profile, config).await?;
        Ok(self.gated.explain(&profile).await?)
    }

    /// Begins to accept what the settings say and is weaker than what is in force.
    ///
    /// # Errors
    /// [`ErrorCode::NotFound`] when there is nothing to accept.
    pub async fn accept_policy(&self, caller: &Caller) -> Result<View, ErrorBody> {
        self.unlocked()?;
        let weaker = self.gated.standing().await.map_err(Problem::from)?.pending.clone();
        if weaker.is_empty() {
            return Err(ErrorBody::new(ErrorCode::NotFound, "there is nothing to accept: the settings are in force"));
        }
        self.ask(caller, Task::AcceptPolicy { weaker }).await
    }

    /// Lists the open review items, oldest first.
    ///
    /// # Errors
    /// When they cannot be read.
    pub fn reviews(&self) -> Result<body::Reviews, ErrorBody> {
        let reviews = self.reviews.open().map_err(|error| ErrorBody::new(ErrorCode::Internal, error.to_string()))?;
        Ok(body::Reviews { reviews })
    }

    /// Closes a review item with what was found.
    ///
    /// # Errors
    /// [`ErrorCode::NotFound`], no note, or that it cannot be written; then it stays open.
    pub fn close_review(&self, caller: &Caller, id: &str, close: &body::CloseReview) -> Result<(), ErrorBody> {
        use crate::reviews::ReviewError;
        let closed = Event::ReviewClosed { review: id, note: &close.note };
        let known = self.reviews()?.reviews.iter().any(|review| review.id == id);
        if known && !close.note.trim().is_empty() {
            self.record_for(caller, &closed)?;
        }
        self.reviews.close(id, &close.note).map_err(|error| {
            let code = match error {
                ReviewError::Unknown { .. } => ErrorCode::NotFound,
                ReviewError::NoNote => ErrorCode::BadRequest,
                ReviewError::File { .. } => ErrorCode::Internal,
            };
            ErrorBody::new(code, error.to_string())
        })
    }

    /// Asks for a hand on behalf of a person, and shows the request.
    pub(crate) async fn ask(&self, caller: &Caller, task: Task) -> Result<View, ErrorBody> {
        let id = self.desk.ask(caller, task).map_err(Problem::from)?;
        self.request_at_once(&id).await
    }

    async fn request_at_once(&self, id: &str) -> Result<View, ErrorBody> {
        self.request(id, Duration::ZERO).await
    }

    async fn enrolled(&self, id: &str) -> Result<PasskeyView, ErrorBody> {
        let id = passkey_id(id)?;
        let passkeys = self.gate.passkeys().await.map_err(Problem::from)?;
        passkeys.into_iter().find(|passkey| passkey.id == id).ok_or_else(no_such_passkey)
    }

    async fn profile(&self, name: &str, config: Option<&Path>) -> Result<Arc<Profile>, Problem> {
        let name = ProfileName::new(name).map_err(ProfileError::from)?;
        Ok(self.config(config).await?.resolve(&name)?)
    }

    /// Whether a person signed in a moment ago, at a page of their organisation's: who can do that may vouch for a passkey.
    fn signed_in_lately(&self) -> Result<(), Problem> {
        let now = self.clock.since_boot();
        let lately = self.attempts.last_finished().is_some_and(|at| now < at + FRESH);
        if lately { Ok(()) } else { Err(Problem::FreshSignInRequired { minutes: FRESH.as_secs() / 60 }) }
    }

    fn grant_view(&self, grant: &Grant, caller: &Caller) -> body::Grant {
        let (account, role) = grant.approved.chain.reached();
        let left = grant.until.saturating_sub(self.clock.since_boot());
        let now = self.clock.now();
        body::Grant {
            id: grant.id.to_string(),
            profile: grant.approved.profile.to_string(),
            account: account.to_owned(),
            role: role.to_owned(),
            tier: tier_word(tier(&grant.approved.chain)).to_owned(),
            holder: grant.approved.holder.to_string(),
            yours: grant.approved.holder.covers(caller),
            until: rfc3339(now + left),
            seconds_left: left.as_secs(),
            uses_left: grant.uses_left(),
            reason: grant.approved.reason.clone(),
            approved_by: grant.approved.approved_by.clone(),
            aws_accepts_until: grant.credentials(now).map(|credentials| rfc3339(credentials.expires_at())),
        }
    }
}

fn passkey_view(passkey: &PasskeyView) -> body::Passkey {
    body::Passkey {
        id: passkey.id.to_string(),
        person: passkey.person.to_string(),
        name: passkey.name.to_string(),
        created_at: rfc3339(passkey.created_at),
        last_used_at: passkey.last_used_at.map(rfc3339),
        device_bound: passkey.device_bound,
        suspended: passkey.suspended,
    }
}

fn passkey_id(id: &str) -> Result<PasskeyId, ErrorBody> {
    PasskeyId::parse(id).ok_or_else(no_such_passkey)
}

fn bad_name(error: crate::names::NameError) -> ErrorBody {
    ErrorBody::new(ErrorCode::BadRequest, error.to_string())
}

fn no_such_passkey() -> ErrorBody {
    ErrorBody::new(ErrorCode::NotFound, "there is no such passkey").mend("tegata passkey list")
}

fn no_such_request() -> ErrorBody {
    ErrorBody::new(ErrorCode::NotFound, "there is no such request, or it has ended").mend("tegata approve")
}
