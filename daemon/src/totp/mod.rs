//! Codes of a virtual MFA device (RFC 6238 over RFC 4226), as AWS's are: SHA-1, six digits, a new one every thirty seconds. Pure.
//!
//! Knows no store, no AWS and no clock: whoever wants a code says for which step.

mod uri;

pub use uri::{Read, UriFault, read};

use data_encoding::BASE32_NOPAD;
use hmac::{Hmac, KeyInit, Mac};
use sha1::Sha1;
use std::fmt;
use std::time::{Duration, SystemTime};
use tegata_protocol::Secret;
use zeroize::Zeroizing;

/// How long a code is shown (RFC 6238 section 5.2; AWS's devices have no other).
pub const STEP: Duration = Duration::from_secs(30);

/// The bytes of a seed: those of the shortest that any issuer gives (80 bits), and more than any (AWS: 320 bits).
const BYTES: std::ops::RangeInclusive<usize> = 10..=128;

/// The step that `now` lies in, counted from 1970 (RFC 6238 section 4.2).
#[must_use]
pub fn step(now: SystemTime) -> u64 {
    now.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_secs() / STEP.as_secs()
}

/// How long it is from `now` until a step begins; zero when it has begun.
#[must_use]
pub fn until(step: u64, now: SystemTime) -> Duration {
    let begins = SystemTime::UNIX_EPOCH + Duration::from_secs(step.saturating_mul(STEP.as_secs()));
    begins.duration_since(now).unwrap_or_default()
}

/// Whether a text is a code: six digits of ASCII.
#[must_use]
pub fn is_code(text: &str) -> bool {
    text.len() == 6 && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// What a device makes its codes from. Wiped when dropped.
#[derive(Clone)]
pub struct Seed(Zeroizing<Vec<u8>>);

/// Why a text is no seed. It quotes nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SeedFault {
    /// Not base 32.
    #[error("the secret key is not in base 32: letters A to Z and digits 2 to 7")]
    Letters,
    /// Shorter or longer than any.
    #[error("the secret key has {0} bytes and not 10 to 128")]
    Length(usize),
}

impl Seed {
    /// Reads a seed in base 32 (RFC 4648 section 6), in any case, with or without padding and the gaps it is shown with.
    ///
    /// # Errors
    /// [`SeedFault`].
    pub fn new(text: &str) -> Result<Self, SeedFault> {
        let mut letters = Zeroizing::new(Vec::with_capacity(text.len()));
        let meant = text.trim_end_matches('=').bytes().filter(|byte| !matches!(byte, b' ' | b'-'));
        letters.extend(meant.map(|byte| byte.to_ascii_uppercase()));
        let room = BASE32_NOPAD.decode_len(letters.len()).map_err(|_| SeedFault::Letters)?;
        let mut bytes = Zeroizing::new(vec![0; room]);
        let written = BASE32_NOPAD.decode_mut(&letters, &mut bytes).map_err(|_| SeedFault::Letters)?;
        bytes.truncate(written);
        if BYTES.contains(&bytes.len()) { Ok(Self(bytes)) } else { Err(SeedFault::Length(bytes.len())) }
    }

    /// Returns it in base 32.
    #[must_use]
    pub fn to_base32(&self) -> Secret {
        let mut letters = Zeroizing::new(vec![0; BASE32_NOPAD.encode_len(self.0.len())]);
        BASE32_NOPAD.encode_mut(&self.0, &mut letters);
        Secret::new(letters.iter().copied().map(char::from).collect())
    }

    /// Returns the code of a step (RFC 4226 section 5.3, the counter being the step).
    #[must_use]
    pub fn code(&self, step: u64) -> Secret {
        // HMAC takes keys of any length: this never fails, and an empty code would be refused before it is sent.
        let Ok(mac) = Hmac::<Sha1>::new_from_slice(&self.0) else { return Secret::default() };
        let digest = Zeroizing::new(mac.chain_update(step.to_be_bytes()).finalize().into_bytes().to_vec());
        let at = usize::from(digest.last().copied().unwrap_or_default() & 0x0f);
        let four = digest.get(at..at + 4).and_then(|bytes| <[u8; 4]>::try_from(bytes).ok()).unwrap_or_default();
        Secret::new(format!("{:06}", (u32::from_be_bytes(four) & 0x7fff_ffff) % 1_000_000))
    }
}

impl fmt::Debug for Seed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Seed([redacted])")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::from_unix_seconds;

    /// RFC 4226 appendix D and RFC 6238 appendix B: "12345678901234567890".
    const SEED: &str = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ";

    fn seed() -> Seed {
        Seed::new(SEED).unwrap()
    }

    /// RFC 4226 appendix D.
    #[test]
    fn the_counters_of_the_rfc_give_its_codes() {
        let codes =
            ["755224", "287082", "359152", "969429", "338314", "254676", "287922", "162583", "399871", "520489"];
        for (counter, code) in (0..).zip(codes) {
            assert_eq!(seed().code(counter).expose_secret(), code, "{counter}");
        }
    }

    /// RFC 6238 appendix B, the last six of its eight digits.
    #[test]
    fn the_times_of_the_rfc_give_its_codes() {
        for (seconds, code) in [
            (59, "287082"),
            (1_111_111_109, "081804"),
            (1_111_111_111, "050471"),
            (1_234_567_890, "005924"),
            (2_000_000_000, "279037"),
            (20_000_000_000, "353130"),
        ] {
            let code_then = seed().code(step(from_unix_seconds(seconds)));
            assert_eq!(code_then.expose_secret(), code, "{seconds}");
            assert!(is_code(code_then.expose_secret()));
        }
    }

    #[test]
    fn a_step_lasts_thirty_seconds_and_the_next_one_can_be_waited_for() {
        let at = |seconds: i64| from_unix_seconds(1_800_000_000 + seconds);
        let now = step(at(0));
        assert_eq!((step(at(29)), step(at(30))), (now, now + 1));
        assert_eq!(until(now + 1, at(12)), Duration::from_secs(18));
        assert_eq!(until(now, at(12)), Duration::ZERO);
        assert_eq!(step(SystemTime::UNIX_EPOCH - Duration::from_secs(1)), 0);
    }

    #[test]
    fn a_seed_is_read_as_it_is_shown_and_written_in_one_form() {
        for shown in [SEED, &SEED.to_lowercase(), "GEZD GNBV GY3T QOJQ-GEZD GNBV GY3T QOJQ", &format!("{SEED}======")] {
            assert_eq!(Seed::new(shown).unwrap().to_base32().expose_secret(), SEED, "{shown}");
        }
    }

    #[test]
    fn what_is_no_seed_is_refused_without_quoting_it() {
        for hostile in
            ["CANARY1089", "CANARY\0CANARY22", "CANARY\nCANARYAA", "СANARYCANARYAAAA", "CANARYCANARYA=AAA", "A", "ABC"]
        {
            let fault = Seed::new(hostile).unwrap_err();
            assert!(!fault.to_string().contains("CANARY"), "{hostile:?}: {fault}");
        }
        assert_eq!(Seed::new("").unwrap_err(), SeedFault::Length(0));
        assert_eq!(Seed::new("GEZDGNBVGY3TQ").unwrap_err(), SeedFault::Length(8));
        assert_eq!(Seed::new(&"A".repeat(1 << 20)).unwrap_err(), SeedFault::Length(655_360));
    }

    #[test]
    fn e3_a_seed_never_prints_itself() {
        assert_eq!(format!("{:?} {:?}", seed(), Some(seed())), "Seed([redacted]) Some(Seed([redacted]))");
    }

    #[test]
    fn a_code_is_six_ascii_digits() {
        assert!(is_code("000000") && is_code("287082"));
        for other in ["", "28708", "2870822", "28708a", " 28708", "28708\n", "２８７０８２", "-28708", "28٧082"]
        {
            assert!(!is_code(other), "{other:?}");
        }
    }
}
