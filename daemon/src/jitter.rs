//! A little chance in waiting times, so that what failed together is not repeated together.

use std::time::Duration;

/// Returns a time between three quarters and five quarters of `base`.
#[must_use]
pub fn around(base: Duration) -> Duration {
    let mut byte = [0_u8; 1];
    // Without randomness the middle is as good a guess as any.
    let part = getrandom::fill(&mut byte).map_or(128, |()| u32::from(byte[0]));
    base * 3 / 4 + base / 2 * part / 256
}

#[cfg(test)]
mod tests {
    use super::around;
    use std::time::Duration;

    #[test]
    fn stays_within_a_quarter_either_way() {
        let base = Duration::from_secs(100);
        for _ in 0..1000 {
            let waits = around(base);
            assert!(waits >= Duration::from_secs(75) && waits < Duration::from_secs(125), "{waits:?}");
        }
    }
}
