//! The ceremonies under way. Each leaves the table before anybody looks at its answer: webauthn-rs keeps no memory, so an
//! answer would be accepted again for as long as its state is there. Pure.

use super::error::GateError;
use crate::names::{PasskeyName, Person};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;
use subtle::ConstantTimeEq;
use url::Url;
use webauthn_rs::prelude::{PasskeyAuthentication, PasskeyRegistration, Uuid, Webauthn};

/// How long a ceremony may take, in boot time. The browser is told the same.
pub const TIME_LIMIT: Duration = Duration::from_secs(120);

/// How many ceremonies may be open. One more pushes the oldest out.
pub const MAX_OPEN: usize = 16;

/// Names a ceremony: 128 random bits.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct CeremonyId(String);

impl CeremonyId {
    /// Makes one.
    pub(crate) fn random() -> Self {
        Self(crate::random::id())
    }
}

/// What a ceremony is for: the SHA-256 of everything that the person approves by it. Compared in constant time.
#[derive(Clone, Copy)]
pub struct Binding([u8; 32]);

impl Binding {
    /// Wraps a digest.
    #[must_use]
    pub fn new(digest: [u8; 32]) -> Self {
        Self(digest)
    }
}

impl PartialEq for Binding {
    fn eq(&self, other: &Self) -> bool {
        self.0.ct_eq(&other.0).into()
    }
}

impl Eq for Binding {}

impl std::fmt::Debug for Binding {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Binding")
    }
}

/// A ceremony under way.
#[derive(Debug)]
pub(super) struct Ceremony {
    pub(super) kind: Kind,
    pub(super) webauthn: Webauthn,
    pub(super) origin: Url,
    pub(super) bound_to: Binding,
    pub(super) begun: Duration,
}

/// What kind of ceremony.
#[derive(Debug)]
pub(super) enum Kind {
    Enrolment(Box<Enrolment>),
    Approval(Box<PasskeyAuthentication>),
}

/// A passkey to be.
#[derive(Debug)]
pub(super) struct Enrolment {
    pub(super) state: PasskeyRegistration,
    pub(super) person: Person,
    pub(super) name: PasskeyName,
    pub(super) user: Uuid,
}

/// The ceremonies under way, oldest first.
#[derive(Debug, Default)]
pub(super) struct Ceremonies(Mutex<Vec<(CeremonyId, Ceremony)>>);

impl Ceremonies {
    pub(super) fn insert(&self, ceremony: Ceremony) -> CeremonyId {
        let id = CeremonyId::random();
        let mut open = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        open.retain(|(_, older)| is_in_time(older, ceremony.begun));
        if open.len() >= MAX_OPEN {
            open.remove(0);
        }
        open.push((id.clone(), ceremony));
        id
    }

    /// Takes a ceremony out; whatever follows, it is gone. `now` is boot time.
    ///
    /// # Errors
    /// [`GateError::NoSuchCeremony`] and [`GateError::OtherRequest`].
    pub(super) fn take(
        &self,
        id: &CeremonyId,
        origin: &Url,
        bound_to: &Binding,
        now: Duration,
    ) -> Result<Ceremony, GateError> {
        let taken = {
            let mut open = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            open.iter().position(|(other, _)| other == id).map(|at| open.remove(at).1)
        };
        let ceremony = taken.filter(|ceremony| is_in_time(ceremony, now)).ok_or(GateError::NoSuchCeremony)?;
        if ceremony.origin.origin() == origin.origin() && ceremony.bound_to == *bound_to {
            Ok(ceremony)
        } else {
            Err(GateError::OtherRequest)
        }
    }
}

fn is_in_time(ceremony: &Ceremony, now: Duration) -> bool {
    now.saturating_sub(ceremony.begun) <= TIME_LIMIT
}
