//! Which code of an MFA device is sent, and that none is sent twice.
//!
//! AWS takes a code once (RFC 6238 section 5.2), and says of the second only that it is wrong. A wrong code that a machine repeats is
//! a storm, so what AWS did not take of a seed is not sent again before a person came.

use super::seeds_record::{KeptSeed, MOST_DEVICES, SeedsRecord};
use super::shelf::{Record, Shelf};
use crate::arns::{MfaSerial, UserArn};
use crate::problem::Problem;
use crate::record::RecordError;
use crate::store::{Bytes, Key, Store};
use crate::totp::{self, Seed};
use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};
use subtle::ConstantTimeEq;
use tegata_protocol::Secret;

/// How many steps after the one it was sent in a code may still be shown: AWS's window is one each way.
const WINDOW: u64 = 2;

/// How long whoever waits for the next step does not look at the clock.
const LOOK_AGAIN: Duration = Duration::from_millis(200);

/// A device of a user.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Device {
    pub(super) user: UserArn,
    pub(super) serial: MfaSerial,
}

/// What became of a device's codes in this daemon's life.
#[derive(Debug, Default)]
struct Sent {
    /// The last code, and the step in which it was sent.
    last: Option<(Secret, u64)>,
    /// Where a code came from that AWS did not take; nothing is sent from there before a person came.
    refused: Option<&'static str>,
}

/// The codes of one daemon.
#[derive(Debug)]
pub(super) struct Codes {
    seeds: Shelf<SeedsRecord>,
    sent: Mutex<HashMap<Device, Sent>>,
}

impl Record for SeedsRecord {
    const IS_CACHE: bool = false;

    fn key(user: &str) -> Key {
        Self::key(user)
    }

    fn to_bytes(&self) -> Bytes {
        self.to_bytes()
    }

    fn from_bytes(user: &str, bytes: &[u8]) -> Result<Self, RecordError> {
        Self::from_bytes(user, bytes)
    }
}

impl Codes {
    pub(super) fn new(store: Store) -> Self {
        Self { seeds: Shelf::new(store), sent: Mutex::default() }
    }

    /// Whether a code can be had without a person.
    pub(super) async fn are_automatic(&self, device: &Device) -> Result<bool, Problem> {
        Ok(self.refused(device).is_none() && self.has_seed(device).await?)
    }

    /// Whether a person gives the codes, where the store has been read; where not, nobody knows.
    pub(super) fn are_known_to_be_by_hand(&self, device: &Device, by_command: bool) -> bool {
        let without_seed = || {
            self.seeds
                .known(&device.user)
                .is_some_and(|read| read.is_none_or(|record| record.find(device.serial.as_str()).is_none()))
        };
        self.refused(device).is_some() || !by_command && without_seed()
    }

    /// Whether the store has a seed of the device.
    pub(super) async fn has_seed(&self, device: &Device) -> Result<bool, Problem> {
        let record = self.seeds.get(&device.user).await?;
        Ok(record.is_some_and(|record| record.find(device.serial.as_str()).is_some()))
    }

    /// Keeps the seed of a device that has none here.
    pub(super) async fn add_seed(&self, device: &Device, seed: Seed, now: SystemTime) -> Result<(), Problem> {
        let serial = device.serial.as_str().to_owned();
        let kept = KeptSeed { serial, seed, kept_since: now, spent_step: None };
        let add = |record: &mut Option<SeedsRecord>| {
            let record = record.get_or_insert_with(|| SeedsRecord::empty(device.user.as_str()));
            if record.find(&kept.serial).is_some() {
                return Err(Problem::SeedThere { device: device.serial.clone(), profile: None });
            }
            if record.seeds.len() >= MOST_DEVICES {
                return Err(Problem::TooManyDevices { most: MOST_DEVICES });
            }
            record.seeds.push(kept);
            Ok(())
        };
        self.seeds.change(&device.user, add).await?;
        crate::failpoint!("codes.seed-kept");
        // A new seed is worth a new attempt.
        self.lock().remove(device);
        Ok(())
    }

    /// Forgets the seed of a device; returns whether there was one.
    pub(super) async fn remove_seed(&self, device: &Device) -> Result<bool, Problem> {
        let remove = |record: &mut Option<SeedsRecord>| {
            let Some(held) = record else { return Ok(false) };
            let before = held.seeds.len();
            held.seeds.retain(|kept| kept.serial != device.serial.as_str());
            let removed = held.seeds.len() < before;
            if held.seeds.is_empty() {
                *record = None;
            }
            Ok(removed)
        };
        self.seeds.change(&device.user, remove).await
    }

    /// Returns a code of the seed in the store, of a step of which none was sent; the store has taken note of it. Waits for the next
    /// step if need be: half a minute at most.
    ///
    /// # Errors
    /// [`Problem::PersonNeeded`] where there is no seed, or AWS did not take its last code; else what the store said.
    pub(super) async fn of_seed(&self, device: &Device, now: impl Fn() -> SystemTime) -> Result<Secret, Problem> {
        self.may_be_automatic(device)?;
        loop {
            let (at, step) = (now(), totp::step(now()));
            let record = self.seeds.get(&device.user).await?;
            let kept = record.as_ref().and_then(|record| record.find(device.serial.as_str()));
            let kept = kept.ok_or_else(|| wanted(device, "wants a code"))?;
            let code = kept.seed.code(step);
            if is_spent(kept, step) || self.seconds_to_wait(device, &code, at).is_some() {
                // A clock may be set, and the machine may sleep: it is looked at again before long.
                tokio::time::sleep(totp::until(step + 1, at).min(LOOK_AGAIN)).await;
                continue;
            }
            if self.spend(device, step).await? {
                return Ok(code);
            }
        }
    }

    /// Returns how long it is until the device shows another code than this one, if this one was sent already.
    pub(super) fn seconds_to_wait(&self, device: &Device, code: &Secret, now: SystemTime) -> Option<Duration> {
        let step = totp::step(now);
        let table = self.lock();
        let (last, sent_in) = table.get(device)?.last.as_ref()?;
        let same = bool::from(last.expose_secret().as_bytes().ct_eq(code.expose_secret().as_bytes()));
        (same && step <= sent_in + WINDOW).then(|| totp::until(step + 1, now))
    }

    /// Takes note that a code is about to be sent.
    pub(super) fn sending(&self, device: &Device, code: &Secret, now: SystemTime) {
        self.lock().entry(device.clone()).or_default().last = Some((code.clone(), totp::step(now)));
    }

    /// Takes note that AWS did not take a code that came from `origin`.
    pub(super) fn was_refused(&self, device: &Device, origin: &'static str) {
        self.lock().entry(device.clone()).or_default().refused = Some(origin);
    }

    /// Takes note that AWS took a code: whatever was wrong is worth another attempt.
    pub(super) fn was_taken(&self, device: &Device) {
        self.lock().entry(device.clone()).or_default().refused = None;
    }

    /// Drops everything from memory but which codes were sent.
    pub(super) fn forget_all(&self) {
        self.seeds.forget_all();
    }

    /// Whether a code may be sent that no person gave.
    ///
    /// # Errors
    /// [`Problem::PersonNeeded`] after AWS did not take one.
    pub(super) fn may_be_automatic(&self, device: &Device) -> Result<(), Problem> {
        let Some(refused) = self.refused(device) else { return Ok(()) };
        Err(wanted(device, &format!("wants a code by hand: AWS did not take that of {refused}")))
    }

    pub(super) fn refused(&self, device: &Device) -> Option<&'static str> {
        self.lock().get(device)?.refused
    }

    /// Writes down that the code of a step is spent; returns false where somebody else was faster.
    async fn spend(&self, device: &Device, step: u64) -> Result<bool, Problem> {
        let spend = |record: &mut Option<SeedsRecord>| {
            let kept = record.iter_mut().flat_map(|record| &mut record.seeds);
            let Some(kept) = kept.into_iter().find(|kept| kept.serial == device.serial.as_str()) else {
                return Err(wanted(device, "wants a code"));
            };
            let spent = is_spent(kept, step);
            kept.spent_step = Some(step).max(kept.spent_step.filter(|_| spent));
            Ok(!spent)
        };
        let is_ours = self.seeds.change(&device.user, spend).await?;
        crate::failpoint!("codes.spent");
        Ok(is_ours)
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Device, Sent>> {
        self.sent.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A step far ahead was written by a clock that went wrong: AWS cannot have taken its code.
fn is_spent(kept: &KeptSeed, step: u64) -> bool {
    kept.spent_step.is_some_and(|spent| (step..=step + WINDOW).contains(&spent))
}

/// Says that a person has to give a code.
pub(super) fn wanted(device: &Device, why: &str) -> Problem {
    Problem::PersonNeeded { what: format!("MFA device {}", device.serial), why: why.to_owned(), profile: None }
}

#[cfg(test)]
#[path = "codes_tests.rs"]
mod tests;
