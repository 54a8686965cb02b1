//! The one form in which a record lies in an OS keyring: `tegata:1:LENGTH:SHA256:BASE64`.
//!
//! Text, because KDE Wallet keeps only UTF-8. Length and digest, so that a record cut short, damaged or put under another
//! record's name is recognised. The digest is no protection from whoever may write to the keyring. This file knows no keyring.

use super::{Bytes, Key};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD as BASE64;
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

/// The version this build writes, and the only one it reads.
const VERSION: &str = "1";

/// Bytes of an envelope besides the record itself: prefix, version, length, digest, colons.
const OVERHEAD: usize = 100;

/// What is wrong with an envelope.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Flaw {
    /// Another program's item, or garbage.
    #[error("it was not written by tegatad")]
    Foreign,
    /// Written by another version.
    #[error("it was written by another version of tegatad")]
    Version,
    /// Shorter or longer than it says.
    #[error("it is cut short")]
    Length,
    /// The digest does not fit the bytes and the name.
    #[error("its checksum is wrong")]
    Checksum,
    /// Larger than any record.
    #[error("it is too large")]
    Oversized,
    /// Several different records of one name.
    #[error("there are several different ones")]
    Several,
}

/// Returns the record as text.
pub(crate) fn wrap(key: &Key, bytes: &[u8]) -> Zeroizing<String> {
    let mut text = Zeroizing::new(String::with_capacity(wrapped_size(bytes.len())));
    text.push_str("tegata:");
    text.push_str(VERSION);
    text.push_str(&format!(":{}:{}:", bytes.len(), digest(key, bytes)));
    BASE64.encode_string(bytes, &mut text);
    text
}

/// Returns the record that the text of an item holds.
pub(crate) fn unwrap(key: &Key, item: &[u8]) -> Result<Bytes, Flaw> {
    let text = std::str::from_utf8(item).map_err(|_| Flaw::Foreign)?;
    let rest = text.strip_prefix("tegata:").ok_or(Flaw::Foreign)?;
    let (version, rest) = rest.split_once(':').ok_or(Flaw::Foreign)?;
    if version != VERSION {
        return Err(Flaw::Version);
    }
    let (length, rest) = rest.split_once(':').ok_or(Flaw::Length)?;
    let (expected, encoded) = rest.split_once(':').ok_or(Flaw::Length)?;
    let length: usize = length.parse().map_err(|_| Flaw::Foreign)?;
    if base64::encoded_len(length, false) != Some(encoded.len()) {
        return Err(Flaw::Length);
    }
    let bytes = Bytes::new(BASE64.decode(encoded).map_err(|_| Flaw::Checksum)?);
    if digest(key, &bytes) == expected { Ok(bytes) } else { Err(Flaw::Checksum) }
}

/// Returns the size of an item that holds a record of `length` bytes, or a little more.
pub(crate) fn wrapped_size(length: usize) -> usize {
    base64::encoded_len(length, false).unwrap_or(usize::MAX).saturating_add(OVERHEAD)
}

/// Returns the size of the largest record that fits an item of `limit` bytes.
pub(crate) const fn largest_record(limit: usize) -> usize {
    limit.saturating_sub(OVERHEAD) / 4 * 3
}

fn digest(key: &Key, bytes: &[u8]) -> String {
    let digest = Sha256::new().chain_update(key.as_str()).chain_update([0]).chain_update(bytes).finalize();
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::{Flaw, Key, largest_record, unwrap, wrap, wrapped_size};

    fn key() -> Key {
        Key::new("sign-in", "corp")
    }

    #[test]
    fn any_bytes_come_back_from_plain_text() {
        for bytes in [&b""[..], b"x", b"{\"token\":\"\xe6\x89\x8b\"}", &[0, 255, 10, 13, 58], &[7; 4097]] {
            let text = wrap(&key(), bytes);
            assert!(text.is_ascii() && !text.contains(char::is_whitespace), "{text:?}");
            assert_eq!(unwrap(&key(), text.as_bytes()).unwrap().as_slice(), bytes);
            assert!(text.len() <= wrapped_size(bytes.len()));
        }
    }

    #[test]
    fn i6_every_shortened_envelope_is_recognised() {
        let text = wrap(&key(), b"a refresh token");
        for cut in 0..text.len() {
            assert!(unwrap(&key(), &text.as_bytes()[..cut]).is_err(), "cut at {cut}");
        }
        assert_eq!(unwrap(&key(), format!("{}A", *text).as_bytes()), Err(Flaw::Length));
    }

    #[test]
    fn i6_every_changed_byte_is_recognised() {
        let text = wrap(&key(), b"a refresh token");
        for at in 0..text.len() {
            let mut changed = text.as_bytes().to_vec();
            changed[at] ^= 1;
            assert!(unwrap(&key(), &changed).is_err(), "changed at {at}");
        }
    }

    #[test]
    fn i6_each_flaw_has_its_own_name() {
        let text = wrap(&key(), b"tokens");
        assert_eq!(unwrap(&key(), b"hunter2"), Err(Flaw::Foreign));
        assert_eq!(unwrap(&key(), &[0xff, 0xfe]), Err(Flaw::Foreign));
        assert_eq!(unwrap(&key(), b"tegata:99:whatever"), Err(Flaw::Version));
        assert_eq!(unwrap(&Key::new("sign-in", "other"), text.as_bytes()), Err(Flaw::Checksum));
        assert_eq!(unwrap(&key(), b"tegata:1:18446744073709551615:00:AA"), Err(Flaw::Length));
    }

    #[test]
    fn the_largest_record_fits_and_one_more_group_does_not() {
        for limit in [32_767, 1024, 101] {
            assert!(wrapped_size(largest_record(limit)) <= limit);
            assert!(wrapped_size(largest_record(limit) + 4) > limit);
        }
    }
}
