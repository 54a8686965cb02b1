//! The passkey gate: enrolled passkeys, and the ceremonies by which a person's hand approves one request.
//!
//! webauthn-rs verifies signatures; this room adds what it leaves to its user: each ceremony is used once, ends after two
//! minutes of boot time, belongs to one page and one request, and everything that has to be remembered of an approval is in
//! the store before anybody hears of it (docs/design/passkeys.md). It knows no HTTP, no page, no profile and no role: what is
//! approved is a [`Binding`], a digest that its caller made.

mod answer;
mod ceremony;
mod error;
mod failures;
mod held;
mod passkey;
mod relying_party;
#[cfg(test)]
mod tests;

pub use answer::MAX_ANSWER;
pub use ceremony::{Binding, CeremonyId, MAX_OPEN, TIME_LIMIT};
pub use error::{Fault, GateError};
pub use passkey::{PasskeyId, PasskeyView};
pub use relying_party::RP_ID;

use crate::clock::Clock;
use crate::names::{PasskeyName, Person};
use crate::store::{Store, StoreError};
use ceremony::{Ceremonies, Ceremony, Enrolment, Kind};
use failures::Failures;
use held::{Held, Verdict};
use passkey::Enrolled;
use std::sync::Arc;
use url::Url;
use webauthn_rs::prelude::{
    AuthenticationResult, PasskeyAuthentication, PublicKeyCredential, Uuid, Webauthn, WebauthnError,
};

/// How many passkeys may be enrolled: all of them travel in the options of each approval.
pub const MAX_PASSKEYS: usize = 20;

/// Who may approve.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Who {
    /// Nobody of these: they have approved already.
    pub except: Vec<Person>,
    /// Only this passkey.
    pub only: Option<PasskeyId>,
    /// Only passkeys that cannot leave their device.
    pub device_bound: bool,
}

/// Whose hand it was.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Approver {
    /// Which passkey.
    pub passkey: PasskeyId,
    /// Whose it is.
    pub person: Person,
}

/// The gate of one daemon.
#[derive(Debug)]
pub struct Gate {
    clock: Arc<dyn Clock>,
    held: Held,
    open: Ceremonies,
    failures: Failures,
}

impl Gate {
    /// Makes the gate; nothing is read before it is asked for.
    #[must_use]
    pub fn new(store: Store, clock: Arc<dyn Clock>) -> Self {
        Self { clock, held: Held::new(store), open: Ceremonies::default(), failures: Failures::default() }
    }

    /// Lists the enrolled passkeys, oldest first.
    ///
    /// # Errors
    /// What the store said. [`StoreError::Damaged`] means that there were some: nothing may be served as if there were none.
    pub async fn passkeys(&self) -> Result<Vec<PasskeyView>, StoreError> {
        Ok(self.held.list().await?.iter().map(Enrolled::view).collect())
    }

    /// Begins to enrol a passkey for `person`, on the page at `origin`. Returns the options for
    /// `navigator.credentials.create`, as `{"publicKey": …}`. Who may enrol is for the caller to decide.
    ///
    /// # Errors
    /// [`GateError::NameTaken`], [`GateError::TooMany`], [`GateError::CoolDown`], [`GateError::Damaged`] or
    /// [`GateError::Store`].
    pub async fn begin_enrolment(
        &self,
        origin: &Url,
        person: &Person,
        name: &PasskeyName,
        bound_to: &Binding,
    ) -> Result<(CeremonyId, serde_json::Value), GateError> {
        let now = self.clock.since_boot();
        self.failures.check(now)?;
        let webauthn = relying_party::at(origin)?;
        let enrolled = self.held.list().await?;
        has_room_for(&enrolled, name)?;
        let (person, user) = known_person(&enrolled, person);
        let exclude = enrolled.iter().map(|passkey| passkey.passkey.cred_id().clone()).collect();
        let (options, state) = webauthn
            .start_passkey_registration(user, person.as_str(), person.as_str(), Some(exclude))
            .map_err(|_| GateError::Internal("no enrolment could be begun"))?;
        let enrolment = Enrolment { state, person, name: name.clone(), user };
        let kind = Kind::Enrolment(Box::new(enrolment));
        let id = self.open.insert(Ceremony { kind, webauthn, origin: origin.clone(), bound_to: *bound_to, begun: now });
        Ok((id, to_json(&options)?))
    }

    /// Ends an enrolment with what the authenticator answered (`PublicKeyCredential.toJSON()`). The passkey is in the store
    /// when this returns.
    ///
    /// # Errors
    /// [`GateError`]; nothing was enrolled.
    pub async fn finish_enrolment(
        &self,
        id: &CeremonyId,
        origin: &Url,
        bound_to: &Binding,
        answer: &[u8],
    ) -> Result<PasskeyView, GateError> {
        let enrolled = self.enrol(id, origin, bound_to, answer).await;
        enrolled.map_err(|error| self.failures.count(error, self.clock.since_boot()))
    }

    async fn enrol(
        &self,
        id: &CeremonyId,
        origin: &Url,
        bound_to: &Binding,
        answer: &[u8],
    ) -> Result<PasskeyView, GateError> {
        let ceremony = self.take(id, origin, bound_to)?;
        let Kind::Enrolment(enrolment) = ceremony.kind else { return Err(GateError::NoSuchCeremony) };
        let made = answer::registration(answer, &relying_party::serialised(&ceremony.origin))?;
        let passkey = ceremony
            .webauthn
            .finish_passkey_registration(&made.credential, &enrolment.state)
            .map_err(|error| Fault::from(&error))?;
        let new = Enrolled {
            id: PasskeyId::of(passkey.cred_id()),
            person: enrolment.person,
            name: enrolment.name,
            rp_id: RP_ID.to_owned(),
            user: enrolment.user,
            created_at: self.clock.now(),
            last_used_at: None,
            backup_eligible: made.backup_eligible,
            counter: made.counter,
            suspended: false,
            passkey,
        };
        self.held.change(|passkeys| add(passkeys, new)).await
    }

    /// Begins an approval on the page at `origin`. Returns the options for `navigator.credentials.get`, as
    /// `{"publicKey": …}`.
    ///
    /// # Errors
    /// [`GateError::NoPasskey`], [`GateError::NoneFits`], [`GateError::CoolDown`], [`GateError::Damaged`] or
    /// [`GateError::Store`].
    pub async fn begin_approval(
        &self,
        origin: &Url,
        bound_to: &Binding,
        who: &Who,
    ) -> Result<(CeremonyId, serde_json::Value), GateError> {
        let now = self.clock.since_boot();
        self.failures.check(now)?;
        let webauthn = relying_party::at(origin)?;
        let enrolled = self.held.list().await?;
        if enrolled.is_empty() {
            return Err(GateError::NoPasskey);
        }
        let fitting: Vec<_> = enrolled.iter().filter(|one| fits(one, who)).map(|one| one.passkey.clone()).collect();
        if fitting.is_empty() {
            return Err(GateError::NoneFits);
        }
        let (options, state) = webauthn
            .start_passkey_authentication(&fitting)
            .map_err(|_| GateError::Internal("no approval could be begun"))?;
        let kind = Kind::Approval(Box::new(state));
        let id = self.open.insert(Ceremony { kind, webauthn, origin: origin.clone(), bound_to: *bound_to, begun: now });
        Ok((id, to_json(&options)?))
    }

    /// Ends an approval with what the authenticator answered (`PublicKeyCredential.toJSON()`). Its counter and time of use are
    /// in the store when this returns. Two approvals begun side by side may both be of one person: whoever needs two people
    /// compares them.
    ///
    /// # Errors
    /// [`GateError`]; nothing was approved.
    pub async fn finish_approval(
        &self,
        id: &CeremonyId,
        origin: &Url,
        bound_to: &Binding,
        answer: &[u8],
    ) -> Result<Approver, GateError> {
        let approved = self.approve(id, origin, bound_to, answer).await;
        approved.map_err(|error| self.failures.count(error, self.clock.since_boot()))
    }

    async fn approve(
        &self,
        id: &CeremonyId,
        origin: &Url,
        bound_to: &Binding,
        answer: &[u8],
    ) -> Result<Approver, GateError> {
        let ceremony = self.take(id, origin, bound_to)?;
        let Kind::Approval(state) = &ceremony.kind else { return Err(GateError::NoSuchCeremony) };
        let assertion = answer::assertion(answer, &relying_party::serialised(&ceremony.origin))?;
        let now = self.clock.now();
        let judge = |passkeys: &mut Vec<Enrolled>| {
            let allowed =
                passkeys.iter_mut().find(|one| one.passkey.cred_id().as_slice() == assertion.raw_id.as_slice());
            let Some(enrolled) = allowed else { return Verdict::Refuse(Fault::NotAllowed.into()) };
            match verify(enrolled, &ceremony.webauthn, state, &assertion) {
                Ok(result) => {
                    enrolled.used(&result, now);
                    Verdict::Advance(Approver { passkey: enrolled.id.clone(), person: enrolled.person.clone() })
                }
                Err(error @ GateError::CounterWentBack { .. }) => {
                    enrolled.suspended = true;
                    Verdict::Tighten(error)
                }
                Err(error) => Verdict::Refuse(error),
            }
        };
        self.held.change(judge).await
    }

    /// Gives a passkey another name.
    ///
    /// # Errors
    /// [`GateError::UnknownPasskey`], [`GateError::NameTaken`], [`GateError::Damaged`] or [`GateError::Store`].
    pub async fn rename(&self, id: &PasskeyId, name: &PasskeyName) -> Result<PasskeyView, GateError> {
        let rename = |passkeys: &mut Vec<Enrolled>| {
            if passkeys.iter().any(|other| other.id != *id && other.name == *name) {
                return Verdict::Refuse(GateError::NameTaken { name: name.clone() });
            }
            let Some(passkey) = passkeys.iter_mut().find(|one| one.id == *id) else {
                return Verdict::Refuse(GateError::UnknownPasskey { id: id.clone() });
            };
            passkey.name = name.clone();
            Verdict::Change(passkey.view())
        };
        self.held.change(rename).await
    }

    /// Removes a passkey: from here on it approves nothing, not even a ceremony under way. Whether the last one may go is for
    /// the caller to decide.
    ///
    /// # Errors
    /// [`GateError::UnknownPasskey`], [`GateError::Damaged`] or [`GateError::Store`].
    pub async fn remove(&self, id: &PasskeyId) -> Result<PasskeyView, GateError> {
        let remove = |passkeys: &mut Vec<Enrolled>| match passkeys.iter().position(|one| one.id == *id) {
            Some(at) => Verdict::Change(passkeys.remove(at).view()),
            None => Verdict::Refuse(GateError::UnknownPasskey { id: id.clone() }),
        };
        self.held.change(remove).await
    }

    /// Forgets every passkey, so that they can be enrolled anew: they were lost, or their record is damaged. The caller has a
    /// fresh sign-in to show for it, as for a first passkey: no enrolled one can vouch any more.
    ///
    /// # Errors
    /// [`GateError::Store`].
    pub async fn forget_all(&self) -> Result<(), GateError> {
        Ok(self.held.forget_all().await?)
    }

    fn take(&self, id: &CeremonyId, origin: &Url, bound_to: &Binding) -> Result<Ceremony, GateError> {
        let now = self.clock.since_boot();
        // Whoever sends one answer many times fails from when the first has taken the ceremony, so the first has to ask before
        // that whether the gate is open: the others may shut it. It takes the ceremony from a gate that is shut, too.
        let open = self.failures.check(now);
        let taken = self.open.take(id, origin, bound_to, now);
        open.and(taken)
    }
}

fn has_room_for(enrolled: &[Enrolled], name: &PasskeyName) -> Result<(), GateError> {
    if enrolled.len() >= MAX_PASSKEYS {
        Err(GateError::TooMany { limit: MAX_PASSKEYS })
    } else if enrolled.iter().any(|other| other.name == *name) {
        Err(GateError::NameTaken { name: name.clone() })
    } else {
        Ok(())
    }
}

/// Returns a person and their user handle. Who differs from somebody enrolled by case alone is that person: two spellings are
/// not two people.
fn known_person(enrolled: &[Enrolled], person: &Person) -> (Person, Uuid) {
    let folded = person.as_str().to_lowercase();
    match enrolled.iter().find(|one| one.person.as_str().to_lowercase() == folded) {
        Some(known) => (known.person.clone(), known.user),
        None => (person.clone(), Uuid::from_bytes(crate::random::bytes())),
    }
}

fn fits(enrolled: &Enrolled, who: &Who) -> bool {
    !enrolled.suspended
        && enrolled.rp_id == RP_ID
        && !who.except.contains(&enrolled.person)
        && who.only.as_ref().is_none_or(|only| *only == enrolled.id)
        && !(who.device_bound && enrolled.backup_eligible)
}

fn add(passkeys: &mut Vec<Enrolled>, new: Enrolled) -> Verdict<PasskeyView, GateError> {
    if passkeys.iter().any(|other| other.id == new.id) {
        return Verdict::Refuse(GateError::AlreadyEnrolled);
    }
    if let Err(error) = has_room_for(passkeys, &new.name) {
        return Verdict::Refuse(error);
    }
    let view = new.view();
    passkeys.push(new);
    Verdict::Change(view)
}

/// Verifies an assertion against the passkey as it is enrolled now, which may differ from when the ceremony began.
fn verify(
    enrolled: &Enrolled,
    webauthn: &Webauthn,
    state: &PasskeyAuthentication,
    assertion: &PublicKeyCredential,
) -> Result<AuthenticationResult, GateError> {
    if enrolled.suspended {
        return Err(GateError::Suspended { name: enrolled.name.clone() });
    }
    if assertion.get_user_unique_id().is_some_and(|user| user != enrolled.user.as_bytes()) {
        return Err(Fault::UserHandle.into());
    }
    let result = webauthn.finish_passkey_authentication(assertion, state).map_err(|error| match error {
        WebauthnError::CredentialPossibleCompromise => enrolled.counter_went_back(),
        WebauthnError::CredentialBackupEligibilityInconsistent => enrolled.changed(),
        other => Fault::from(&other).into(),
    })?;
    if result.backup_eligible() != enrolled.backup_eligible {
        return Err(enrolled.changed());
    }
    if enrolled.counter > 0 && result.counter() <= enrolled.counter {
        return Err(enrolled.counter_went_back());
    }
    Ok(result)
}

impl Enrolled {
    fn used(&mut self, result: &AuthenticationResult, now: std::time::SystemTime) {
        self.passkey.update_credential(result);
        self.counter = result.counter();
        self.last_used_at = Some(now);
    }

    fn counter_went_back(&self) -> GateError {
        GateError::CounterWentBack { passkey: self.id.clone(), name: self.name.clone(), person: self.person.clone() }
    }

    fn changed(&self) -> GateError {
        GateError::BackupEligibilityChanged { passkey: self.id.clone(), name: self.name.clone() }
    }
}

fn to_json(options: &impl serde::Serialize) -> Result<serde_json::Value, GateError> {
    serde_json::to_value(options).map_err(|_| GateError::Internal("the options could not be written"))
}
