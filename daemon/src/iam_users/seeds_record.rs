//! What the store keeps of an IAM user's virtual MFA devices: their seeds, and which code of each was sent last. Pure.

use crate::clock::{from_unix_seconds, unix_seconds};
use crate::record::{self, RecordError};
use crate::store::{Bytes, Key};
use crate::totp::Seed;
use serde::{Deserialize, Serialize};
use std::time::SystemTime;
use tegata_protocol::Secret;

/// The most devices of a user (IAM and AWS STS quotas).
pub const MOST_DEVICES: usize = 8;

/// Enough for as many seeds and serial numbers of the greatest length.
const ROOM: usize = 8 * 1024;

/// The seed of a device.
#[derive(Clone, Debug)]
pub struct KeptSeed {
    /// The device: its serial number, of a virtual one its ARN.
    pub serial: String,
    /// The seed.
    pub seed: Seed,
    /// When it came into the store.
    pub kept_since: SystemTime,
    /// The newest step whose code was sent, or was about to be: AWS takes no code a second time, also not of an older step
    /// (RFC 6238 section 5.2).
    pub spent_step: Option<u64>,
}

/// The record of a user's devices.
#[derive(Clone, Debug)]
pub struct SeedsRecord {
    /// The user's ARN.
    pub user: String,
    /// The devices.
    pub seeds: Vec<KeptSeed>,
}

#[derive(Serialize, Deserialize)]
struct Json {
    version: u32,
    user: String,
    seeds: Vec<SeedJson>,
}

#[derive(Serialize, Deserialize)]
struct SeedJson {
    serial: String,
    #[serde(serialize_with = "record::exposed")]
    seed: Secret,
    kept_since: i64,
    spent_step: Option<u64>,
}

impl SeedsRecord {
    /// Makes the record of a user without devices.
    #[must_use]
    pub fn empty(user: &str) -> Self {
        Self { user: user.to_owned(), seeds: Vec::new() }
    }

    /// Names the record of a user.
    #[must_use]
    pub fn key(user: &str) -> Key {
        Key::new("totp", user)
    }

    /// Returns the seed of a device.
    #[must_use]
    pub fn find(&self, serial: &str) -> Option<&KeptSeed> {
        self.seeds.iter().find(|kept| kept.serial == serial)
    }

    /// Writes the record.
    #[must_use]
    pub fn to_bytes(&self) -> Bytes {
        let seed = |kept: &KeptSeed| SeedJson {
            serial: kept.serial.clone(),
            seed: kept.seed.to_base32(),
            kept_since: unix_seconds(kept.kept_since),
            spent_step: kept.spent_step,
        };
        let seeds = self.seeds.iter().map(seed).collect();
        record::to_bytes(&Json { version: record::VERSION, user: self.user.clone(), seeds }, ROOM)
    }

    /// Reads the record of `user`. What is no seed is left out.
    ///
    /// # Errors
    /// [`RecordError`] says what is wrong with it.
    pub fn from_bytes(user: &str, bytes: &[u8]) -> Result<Self, RecordError> {
        let json: Json = record::from_bytes(bytes)?;
        if json.user != user {
            return Err(RecordError::Foreign);
        }
        let seed = |found: SeedJson| {
            let kept_since = from_unix_seconds(found.kept_since);
            let seed = Seed::new(found.seed.expose_secret()).ok()?;
            Some(KeptSeed { serial: found.serial, seed, kept_since, spent_step: found.spent_step })
        };
        let seeds = json.seeds.into_iter().take(MOST_DEVICES).filter_map(seed).collect();
        Ok(Self { user: json.user, seeds })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALICE: &str = "arn:aws:iam::123456789012:user/alice";
    const PHONE: &str = "arn:aws:iam::123456789012:mfa/alice";
    const SEED: &str = "CANARYCANARYCANARYCANARYCANARY22";

    fn full() -> SeedsRecord {
        let seed = Seed::new(SEED).unwrap();
        let kept_since = from_unix_seconds(1_000);
        let phone = KeptSeed { serial: PHONE.to_owned(), seed, kept_since, spent_step: Some(42) };
        let watch = KeptSeed { serial: "GAHT12345678".to_owned(), spent_step: None, ..phone.clone() };
        SeedsRecord { seeds: vec![phone, watch], ..SeedsRecord::empty(ALICE) }
    }

    #[test]
    fn a_record_comes_back_whole() {
        let back = SeedsRecord::from_bytes(ALICE, &full().to_bytes()).unwrap();
        let phone = back.find(PHONE).unwrap();
        assert_eq!((phone.spent_step, phone.kept_since), (Some(42), from_unix_seconds(1_000)));
        assert_eq!(phone.seed.to_base32().expose_secret(), SEED);
        assert!(back.find("GAHT12345678").unwrap().spent_step.is_none() && back.find("arn").is_none());
    }

    #[test]
    fn e3_a_record_never_prints_a_seed() {
        assert!(!format!("{:?} {:#?}", full(), full()).contains("CANARY"));
    }

    #[test]
    fn e3_twin_a_record_prints_whose_it_is() {
        assert!(format!("{:?}", full()).contains(PHONE));
    }

    #[test]
    fn i6_what_is_no_record_is_refused_without_quoting_it() {
        for damaged in [&b"CANARY"[..], b"", b"{}", b"{\"version\":1}", b"{\"version\":1,\"user\":\"CANARY"] {
            let error = SeedsRecord::from_bytes(ALICE, damaged).unwrap_err();
            assert!(!error.to_string().contains("CANARY"), "{error}");
        }
        assert_eq!(SeedsRecord::from_bytes("bob", &full().to_bytes()).unwrap_err(), RecordError::Foreign);
    }

    #[test]
    fn a_full_record_does_not_outgrow_its_buffer() {
        let seed = Seed::new(&"A".repeat(204)).unwrap();
        let kept_since = from_unix_seconds(i64::MAX / 2);
        let kept = KeptSeed { serial: "s".repeat(256), seed, kept_since, spent_step: Some(u64::MAX) };
        let user = format!("arn:aws:iam::123456789012:user/{}", "a".repeat(2017));
        let record = SeedsRecord { seeds: vec![kept; MOST_DEVICES], ..SeedsRecord::empty(&user) };
        assert!(record.to_bytes().len() < ROOM, "{}", record.to_bytes().len());
    }
}
