//! What looks like a secret access key: 40 characters of the alphabet of base64, made by chance.
//!
//! Nothing but chance tells one from the text around it, so the measures here are those of chance: of the 64 characters 26 are
//! small letters, 26 capitals and 12 neither. Nobody outside of AWS knows more of them (S. Piper, "AWS security credential formats", 2018).

use super::placeholder;

/// How long a secret access key is.
pub(super) const LENGTH: usize = 40;

/// The fewest different characters that 40 by chance have: about 30, and fewer than 20 less than once in a million times.
const FEWEST_DIFFERENT: usize = 20;
/// The fewest changes between small letters, capitals and the rest: about 25 of 39, and fewer than 13 less than once in ten thousand times.
const FEWEST_CHANGES: usize = 13;

/// How much the text around says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Evidence {
    /// It is called a secret access key.
    Named,
    /// It stands near an access key's id, or is called something of AWS's.
    Near,
}

/// Whether this may be a secret access key. A hash in hexadecimal has no letters of both kinds, and a path or an identifier changes too
/// seldom between them. What is called a secret access key need not look that much like chance.
pub(super) fn looks_like_one(text: &[u8], evidence: Evidence) -> bool {
    let has = |class: fn(&u8) -> bool| text.iter().any(class);
    let mixed = has(u8::is_ascii_lowercase) && has(u8::is_ascii_uppercase);
    if text.len() != LENGTH || !mixed || placeholder::is_secret(text) {
        return false;
    }
    evidence == Evidence::Named || by_chance(text)
}

/// Whether chance may have made this text of [`LENGTH`] or a few more characters.
pub(super) fn by_chance(text: &[u8]) -> bool {
    let others = text.iter().any(|byte| !byte.is_ascii_alphabetic());
    others && placeholder::different(text) >= FEWEST_DIFFERENT && changes(text) >= FEWEST_CHANGES
}

/// Returns how often small letters, capitals and the rest follow each other.
fn changes(text: &[u8]) -> usize {
    let class = |byte: u8| match byte {
        b'a'..=b'z' => 0,
        b'A'..=b'Z' => 1,
        _ => 2,
    };
    text.windows(2).filter(|pair| matches!(pair, [one, next] if class(*one) != class(*next))).count()
}

/// Returns the last four characters. What is shown by them is long enough to hide the rest.
pub(super) fn tail(secret: &[u8]) -> String {
    let from = secret.len().saturating_sub(4);
    String::from_utf8_lossy(secret.get(from..).unwrap_or_default()).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_chance_made_is_one() {
        // The first is of S. Piper's note; the others were made for this test.
        for secret in [
            "5bEYu26084qjSFyclM/f2pz4gviSfoOg+mFwBH39",
            "qT8vLx0PbNfR3yWcZ5sKjHdG7mUeA2oI9tBkXwQn",
            "Zk+v4GQpWy/LtN8dRjXs0hFbMcU6aE2oVnKiTq7r",
        ] {
            assert!(looks_like_one(secret.as_bytes(), Evidence::Near), "{secret}");
        }
    }

    #[test]
    fn hashes_paths_identifiers_and_examples_are_none() {
        for text in [
            "da39a3ee5e6b4b0d3255bfef95601890afd80709",
            "DA39A3EE5E6B4B0D3255BFEF95601890AFD80709",
            "uploads/2026/reports/QuarterlySummaryAll",
            "com/example/billing/InvoiceRepositoryImp",
            "AbstractSingletonProxyFactoryBeanBuilder",
            "0123456789012345678901234567890123456789",
            "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
            "qT8vLx0PbNfR3yWcZ5sKjHdG7mUeA2oI9tBkXwQ",
            "qT8vLx0PbNfR3yWcZ5sKjHdG7mUeA2oI9tBkXwQnn",
        ] {
            assert!(!looks_like_one(text.as_bytes(), Evidence::Near), "{text}");
        }
        assert!(!looks_like_one(b"da39a3ee5e6b4b0d3255bfef95601890afd80709", Evidence::Named));
    }

    #[test]
    fn a_name_makes_up_for_what_chance_left_out() {
        let without_digits = b"qTvLxPbNfRyWcZsKjHdGmUeAoItBkXwQnVbLpMzR";
        assert!(looks_like_one(without_digits, Evidence::Named));
        assert!(!looks_like_one(without_digits, Evidence::Near));
    }
}
