//! Time-based one-time passwords (RFC 6238 over RFC 4226) as AWS's virtual devices make them: SHA-1, six digits, steps of
//! thirty seconds, the seed in base 32.

use hmac::{Hmac, KeyInit, Mac};
use sha1::Sha1;

use crate::clock::EpochMs;

const STEP_MS: i64 = 30_000;

/// The step an instant lies in.
pub(crate) fn step(at: EpochMs) -> i64 {
    at.div_euclid(STEP_MS)
}

/// The six digits of a step; none when the seed is not base 32.
pub(crate) fn code(seed: &str, step: i64) -> Option<String> {
    hotp(&base32(seed)?, u64::try_from(step).ok()?)
}

/// RFC 4226 section 5.3.
fn hotp(seed: &[u8], counter: u64) -> Option<String> {
    let mut mac = Hmac::<Sha1>::new_from_slice(seed).ok()?;
    mac.update(&counter.to_be_bytes());
    let digest = mac.finalize().into_bytes();
    let at = usize::from(digest.last()? & 0x0f);
    let four = <[u8; 4]>::try_from(digest.get(at..at + 4)?).ok()?;
    let number = u32::from_be_bytes(four) & 0x7fff_ffff;
    Some(format!("{:06}", number % 1_000_000))
}

/// RFC 4648 section 6, without padding.
fn base32(text: &str) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    let (mut held, mut bits) = (0_u32, 0);
    for letter in text.bytes() {
        let value = match letter {
            b'A'..=b'Z' => letter - b'A',
            b'2'..=b'7' => letter - b'2' + 26,
            _ => return None,
        };
        held = (held << 5) | u32::from(value);
        bits += 5;
        if bits >= 8 {
            bits -= 8;
            bytes.push(u8::try_from((held >> bits) & 0xff).ok()?);
            held &= (1 << bits) - 1;
        }
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SEED: &[u8] = b"12345678901234567890";
    const IN_BASE32: &str = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ";

    /// RFC 4226 appendix D.
    #[test]
    fn the_counters_of_the_rfc_give_its_values() {
        let values =
            ["755224", "287082", "359152", "969429", "338314", "254676", "287922", "162583", "399871", "520489"];
        for (counter, value) in (0..).zip(values) {
            assert_eq!(hotp(SEED, counter).as_deref(), Some(value), "{counter}");
        }
    }

    /// RFC 6238 appendix B, the last six of its eight digits.
    #[test]
    fn the_times_of_the_rfc_give_its_values() {
        for (second, value) in [
            (59, "287082"),
            (1_111_111_109, "081804"),
            (1_111_111_111, "050471"),
            (1_234_567_890, "005924"),
            (2_000_000_000, "279037"),
            (20_000_000_000, "353130"),
        ] {
            assert_eq!(code(IN_BASE32, step(second * 1000)).as_deref(), Some(value), "{second}");
        }
    }

    #[test]
    fn base32_is_decoded_or_refused() {
        assert_eq!(base32(IN_BASE32).as_deref(), Some(SEED));
        assert_eq!(base32("MZXW6YTBOI").as_deref(), Some(&b"foobar"[..]));
        for text in ["gezd", "GEZ1", "GEZD====", "GE ZD"] {
            assert_eq!(base32(text), None, "{text}");
        }
    }
}
