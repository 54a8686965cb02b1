//! PEM text → its blocks (RFC 7468). What is decoded is wiped when dropped, and what surrounds the blocks is not looked at: `openssl`
//! writes the certificate's text above it, and `EC PARAMETERS` before a key.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use zeroize::Zeroizing;

/// More blocks than any chain has.
const MOST: usize = 32;

/// What stands between one `BEGIN` and its `END`.
#[derive(Debug)]
pub(super) struct Block<'a> {
    pub(super) label: &'a str,
    text: &'a str,
}

/// Returns the blocks in order; nothing where a block does not end, or there are more than any file of ours has.
pub(super) fn blocks(text: &str) -> Option<Vec<Block<'_>>> {
    let mut blocks = Vec::new();
    let mut rest = text;
    while let Some((_, after)) = rest.split_once("-----BEGIN ") {
        let (label, after) = after.split_once("-----")?;
        let (inside, after) = after.split_once(&format!("-----END {label}-----"))?;
        blocks.push(Block { label, text: inside });
        if blocks.len() > MOST {
            return None;
        }
        rest = after;
    }
    Some(blocks)
}

/// Writes bytes as a block, in lines of 64 characters.
pub(super) fn encoded(label: &str, bytes: &[u8]) -> Zeroizing<String> {
    let mut base64 = Zeroizing::new(vec![0; bytes.len() / 3 * 4 + 4]);
    // As long as it can become: there is nothing that can fail.
    let length = STANDARD.encode_slice(bytes, &mut base64).unwrap_or_default();
    let mut text = Zeroizing::new(String::with_capacity(length + length / 64 + 2 * label.len() + 64));
    text.push_str(&format!("-----BEGIN {label}-----\n"));
    for line in base64.get(..length).unwrap_or_default().chunks(64) {
        text.extend(line.iter().copied().map(char::from));
        text.push('\n');
    }
    text.push_str(&format!("-----END {label}-----\n"));
    text
}

impl Block<'_> {
    /// Whether the old form of OpenSSL says that it is encrypted (RFC 1421 section 4.6.1.1).
    pub(super) fn is_encrypted(&self) -> bool {
        self.text.contains("Proc-Type:") || self.label.starts_with("ENCRYPTED ")
    }

    /// Returns the bytes; nothing where they are no base64.
    pub(super) fn decoded(&self) -> Option<Zeroizing<Vec<u8>>> {
        let mut text = Zeroizing::new(Vec::with_capacity(self.text.len()));
        text.extend(self.text.bytes().filter(|byte| !byte.is_ascii_whitespace()));
        // As long as it can become, so that decoding never moves it and leaves an unwiped copy behind.
        let mut bytes = Zeroizing::new(vec![0; text.len() / 4 * 3 + 3]);
        let length = STANDARD.decode_slice(&*text, &mut bytes).ok()?;
        bytes.truncate(length);
        Some(bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_are_found_between_other_text() {
        let text = "Subject: CN=x\n-----BEGIN A-----\nAAEC\nAw==\n-----END A-----\nnoise\r\n-----BEGIN B C-----\r\nBA==\r\n-----END B C-----\r\n";
        let blocks = blocks(text).unwrap();
        assert_eq!(blocks.iter().map(|block| block.label).collect::<Vec<_>>(), ["A", "B C"]);
        assert_eq!(*blocks[0].decoded().unwrap(), [0, 1, 2, 3]);
        assert_eq!(*blocks[1].decoded().unwrap(), [4]);
    }

    #[test]
    fn what_is_written_is_read() {
        for length in [0, 1, 47, 48, 49, 1000] {
            let bytes: Vec<u8> = (0..length).map(|n| (n % 251) as u8).collect();
            let text = encoded("A B", &bytes);
            assert!(text.lines().all(|line| line.len() <= 64));
            let read = blocks(&text).unwrap();
            assert_eq!((read[0].label, &*read[0].decoded().unwrap()), ("A B", &bytes));
        }
    }

    #[test]
    fn what_does_not_end_or_is_no_base64_is_nothing() {
        assert!(blocks("-----BEGIN A-----\nAAEC\n").is_none());
        assert!(blocks("-----BEGIN A-----\nAAEC\n-----END B-----\n").is_none());
        assert!(blocks("-----BEGIN A").is_none());
        assert!(blocks(&"-----BEGIN A-----\n-----END A-----\n".repeat(33)).is_none());
        assert!(blocks("-----BEGIN A-----\nAA*C\n-----END A-----").unwrap()[0].decoded().is_none());
        assert!(blocks("no key here").unwrap().is_empty());
    }
}
