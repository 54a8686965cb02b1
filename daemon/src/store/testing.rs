//! A store that fails as told. For tests of this room and of every room that keeps records.

use super::memory::Memory;
use super::{Bytes, Key, Kind, Records, StoreError};
use std::collections::HashMap;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

/// Which calls of the store.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Call {
    /// [`Records::read`].
    Read,
    /// [`Records::write`].
    Write,
    /// [`Records::delete`].
    Delete,
    /// [`Records::probe`] and [`Records::unlock`].
    Probe,
    /// [`Records::keep_alive`].
    KeepAlive,
}

/// What the n-th call meets.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Fault {
    /// It is not done and ends with this error.
    Fails(StoreError),
    /// The daemon dies before it is done; every later call is refused.
    CrashBefore,
    /// The daemon dies when it is done; every later call is refused.
    CrashAfter,
}

#[derive(Debug, Default)]
struct Plan {
    counts: HashMap<Call, usize>,
    faults: Vec<(Call, usize, Fault)>,
    always: Option<StoreError>,
    damaged: Vec<Key>,
    held: bool,
    waiting: usize,
    crashed: bool,
}

/// Records in memory that fail as [`Faults`] says.
#[derive(Debug)]
pub struct Faulty {
    memory: Memory,
    faults: Faults,
}

/// Tells a [`Faulty`] store how to fail, from another thread.
#[derive(Clone, Debug, Default)]
pub struct Faults(Arc<(Mutex<Plan>, Condvar)>);

impl Faulty {
    /// Wraps `memory`, whose records outlive a crash.
    #[must_use]
    pub fn over(memory: Memory) -> (Self, Faults) {
        let faults = Faults::default();
        (Self { memory, faults: faults.clone() }, faults)
    }

    fn attempt<T>(
        &mut self,
        call: Call,
        work: impl FnOnce(&mut Memory) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        match self.faults.meet(call)? {
            None => work(&mut self.memory),
            Some(Fault::Fails(error)) => Err(error),
            Some(Fault::CrashBefore) => Err(crashed()),
            Some(Fault::CrashAfter) => work(&mut self.memory).and(Err(crashed())),
        }
    }
}

fn crashed() -> StoreError {
    StoreError::Unavailable { detail: String::from("crashed") }
}

impl Faults {
    fn plan(&self) -> MutexGuard<'_, Plan> {
        self.0.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Lets the `nth` call from now on (from 1) fail with `error`.
    pub fn fail(&self, call: Call, nth: usize, error: StoreError) {
        self.add(call, nth, Fault::Fails(error));
    }

    /// Lets the daemon die before the `nth` call from now on (from 1) is done.
    pub fn crash_before(&self, call: Call, nth: usize) {
        self.add(call, nth, Fault::CrashBefore);
    }

    /// Lets the daemon die when the `nth` call from now on (from 1) is done, before its caller hears of it.
    pub fn crash_after(&self, call: Call, nth: usize) {
        self.add(call, nth, Fault::CrashAfter);
    }

    fn add(&self, call: Call, nth: usize, fault: Fault) {
        let mut plan = self.plan();
        let nth = plan.counts.get(&call).copied().unwrap_or(0) + nth;
        plan.faults.push((call, nth, fault));
    }

    /// Lets every call fail with `error` (locked, denied, …), until told `None`.
    pub fn always(&self, error: Option<StoreError>) {
        self.plan().always = error;
    }

    /// Damages the record: it is set aside at its next reading, which says so.
    pub fn damage(&self, key: &Key) {
        self.plan().damaged.push(key.clone());
    }

    /// Blocks every call from now on, as a keyring does while a person is asked.
    pub fn hold(&self) {
        self.plan().held = true;
    }

    /// Lets blocked calls go on.
    pub fn release(&self) {
        self.plan().held = false;
        self.0.1.notify_all();
    }

    /// Blocks the calling thread until `count` calls are blocked by [`Faults::hold`].
    pub fn until_held(&self, count: usize) {
        let mut plan = self.plan();
        while plan.waiting < count {
            plan = self.0.1.wait(plan).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// Returns how many such calls have begun.
    #[must_use]
    pub fn count(&self, call: Call) -> usize {
        self.plan().counts.get(&call).copied().unwrap_or(0)
    }

    /// Counts the call, blocks while held, and says what it meets.
    fn meet(&self, call: Call) -> Result<Option<Fault>, StoreError> {
        let mut plan = self.plan();
        let count = plan.counts.entry(call).or_default();
        *count += 1;
        let nth = *count;
        plan.waiting += 1;
        self.0.1.notify_all();
        while plan.held {
            plan = self.0.1.wait(plan).unwrap_or_else(PoisonError::into_inner);
        }
        plan.waiting -= 1;
        if plan.crashed {
            return Err(crashed());
        }
        if let Some(error) = plan.always.clone() {
            return Err(error);
        }
        let fault = plan.faults.iter().find(|(of, at, _)| (*of, *at) == (call, nth)).map(|(_, _, fault)| fault.clone());
        plan.crashed = matches!(fault, Some(Fault::CrashBefore | Fault::CrashAfter));
        Ok(fault)
    }

    fn take_damage(&self, key: &Key) -> bool {
        let mut plan = self.plan();
        let before = plan.damaged.len();
        plan.damaged.retain(|damaged| damaged != key);
        plan.damaged.len() != before
    }
}

impl Records for Faulty {
    fn kind(&self) -> Kind {
        Kind::Memory
    }

    fn read(&mut self, key: &Key) -> Result<Option<Bytes>, StoreError> {
        let faults = self.faults.clone();
        self.attempt(Call::Read, |memory| {
            if faults.take_damage(key) {
                memory.delete(key)?;
                return Err(StoreError::Damaged { key: key.as_str().to_owned(), detail: String::from("told to be") });
            }
            memory.read(key)
        })
    }

    fn write(&mut self, key: &Key, bytes: &[u8]) -> Result<(), StoreError> {
        self.attempt(Call::Write, |memory| memory.write(key, bytes))
    }

    fn delete(&mut self, key: &Key) -> Result<(), StoreError> {
        self.attempt(Call::Delete, |memory| memory.delete(key))
    }

    fn probe(&mut self) -> Result<(), StoreError> {
        self.attempt(Call::Probe, |memory| memory.probe())
    }

    fn keep_alive(&mut self) -> Result<(), StoreError> {
        self.attempt(Call::KeepAlive, |memory| memory.keep_alive())
    }
}
