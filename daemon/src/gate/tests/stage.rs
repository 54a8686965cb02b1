//! A gate with its store, its clock and a hand.

use super::super::{Approver, Binding, CeremonyId, Gate, GateError, PasskeyView, Who};
use crate::clock::from_unix_seconds;
use crate::clock::manual::ManualClock;
use crate::names::{PasskeyName, Person};
use crate::store::Store;
use crate::store::memory::Memory;
use crate::store::testing::{Faults as StoreFaults, Faulty};
use serde_json::Value;
use std::sync::Arc;
use tegata_authenticator::{Authenticator, Faults};
use url::Url;

pub(super) const ORIGIN: &str = "http://tegata.localhost:7101";

pub(super) fn origin() -> Url {
    Url::parse(ORIGIN).unwrap()
}

/// Stands for the digest of one request.
pub(super) fn request(number: u8) -> Binding {
    Binding::new([number; 32])
}

pub(super) fn anybody() -> Who {
    Who::default()
}

pub(super) struct Stage {
    pub(super) gate: Arc<Gate>,
    pub(super) clock: Arc<ManualClock>,
    pub(super) memory: Memory,
    pub(super) store: StoreFaults,
    pub(super) hand: Authenticator,
}

impl Stage {
    /// A gate without passkeys.
    pub(super) fn empty() -> Self {
        let clock = Arc::new(ManualClock::at(from_unix_seconds(1_795_338_000)));
        let memory = Memory::default();
        let (gate, store) = gate_over(&memory, &clock);
        Self { gate, clock, memory, store, hand: Authenticator::new() }
    }

    /// A gate with alice's passkey.
    pub(super) async fn with_alice() -> Self {
        let mut stage = Self::empty();
        stage.enrol("alice", "key").await;
        stage
    }

    /// A gate with a passkey of alice's that is synced and counts nothing.
    pub(super) async fn with_alices_phone() -> Self {
        let mut stage = Self::empty();
        stage.hand = Authenticator::synced();
        stage.enrol("alice", "phone").await;
        stage
    }

    /// The next life of the daemon, over the same records.
    pub(super) fn restart(&mut self) {
        (self.gate, self.store) = gate_over(&self.memory, &self.clock);
    }

    pub(super) async fn enrol(&mut self, person: &str, name: &str) -> PasskeyView {
        let (id, options) = self.begin_enrolment(person, name).await.unwrap();
        let answer = self.hand.create(&options, ORIGIN).unwrap();
        self.finish_enrolment(&id, &answer).await.unwrap()
    }

    /// Enrols with another device, which is returned.
    pub(super) async fn enrol_device(&mut self, mut device: Authenticator, person: &str, name: &str) -> Authenticator {
        std::mem::swap(&mut self.hand, &mut device);
        self.enrol(person, name).await;
        std::mem::swap(&mut self.hand, &mut device);
        device
    }

    pub(super) async fn enrol_badly(&mut self, faults: &Faults) -> Result<PasskeyView, GateError> {
        let (id, options) = self.begin_enrolment("bob", "bad").await.unwrap();
        let answer = self.hand.create_with(&options, ORIGIN, faults).unwrap();
        self.finish_enrolment(&id, &answer).await
    }

    pub(super) async fn begin_enrolment(&self, person: &str, name: &str) -> Result<(CeremonyId, Value), GateError> {
        let (person, name) = (Person::new(person).unwrap(), PasskeyName::new(name).unwrap());
        self.gate.begin_enrolment(&origin(), &person, &name, &request(0)).await
    }

    pub(super) async fn finish_enrolment(&self, id: &CeremonyId, answer: &Value) -> Result<PasskeyView, GateError> {
        self.gate.finish_enrolment(id, &origin(), &request(0), answer.to_string().as_bytes()).await
    }

    pub(super) async fn begin(&self) -> (CeremonyId, Value) {
        self.gate.begin_approval(&origin(), &request(1), &anybody()).await.unwrap()
    }

    pub(super) async fn finish(&self, id: &CeremonyId, answer: &Value) -> Result<Approver, GateError> {
        Self::finish_at(&self.gate, id, answer).await
    }

    pub(super) async fn finish_at(gate: &Gate, id: &CeremonyId, answer: &Value) -> Result<Approver, GateError> {
        gate.finish_approval(id, &origin(), &request(1), answer.to_string().as_bytes()).await
    }

    pub(super) async fn finish_with(&self, id: &CeremonyId, answer: &[u8]) -> Result<Approver, GateError> {
        self.gate.finish_approval(id, &origin(), &request(1), answer).await
    }

    pub(super) async fn approve(&mut self) -> Result<Approver, GateError> {
        self.approve_badly(&Faults::default()).await
    }

    pub(super) async fn approve_badly(&mut self, faults: &Faults) -> Result<Approver, GateError> {
        let (id, options) = self.begin().await;
        let answer = self.hand.get_with(&options, ORIGIN, faults).unwrap();
        self.finish(&id, &answer).await
    }
}

fn gate_over(memory: &Memory, clock: &Arc<ManualClock>) -> (Arc<Gate>, StoreFaults) {
    let (records, faults) = Faulty::over(memory.clone());
    let store = Store::spawn(Box::new(records)).unwrap();
    let clock: Arc<ManualClock> = Arc::clone(clock);
    (Arc::new(Gate::new(store, clock)), faults)
}
