//! What stands before a value: its name, as every format and language writes one. `aws_secret_access_key = `,
//! `<SecretAccessKey>`, `"secretKey": "`, `--secret-key `, `Secret Access Key,`.

use zeroize::Zeroizing;

/// How much before a value is read for its name.
const WINDOW: usize = 80;
/// How far before a value AWS may be spoken of.
const CONTEXT: usize = 300;

/// What a name that says so calls a secret, in small letters without separators.
const SECRET_ACCESS_KEY: &str = "secretaccesskey awssecret secretawsaccesskey";
const AWS: &str = "aws amazon";
const SECRETIVE: &str = "key secret pass pwd pw token cred";
/// What makes the word right before a value the name of something else.
const OTHER: &str =
    "sha1 sha256 sha384 sha512 hash digest checksum integrity signature fingerprint etag commit publickey certificate";

/// What stands before a value. It may hold another value's end, so it is wiped.
pub(super) struct Label {
    /// The letters and digits before the value on its line, in small letters; of the line before where the value has a line of its own.
    before: Zeroizing<Vec<u8>>,
    /// The word right before the value.
    word: Zeroizing<Vec<u8>>,
}

impl Label {
    /// Reads what stands before a place in a text.
    pub(super) fn before(text: &[u8], at: usize) -> Self {
        let window = last(text.get(..at).unwrap_or_default(), WINDOW);
        let line = own_line(window);
        let word = {
            let end = line.iter().rposition(u8::is_ascii_alphanumeric).map_or(0, |last| last + 1);
            let is_inside = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.');
            let start = line
                .get(..end)
                .unwrap_or_default()
                .iter()
                .rposition(|byte| !is_inside(byte))
                .map_or(0, |last| last + 1);
            folded(line.get(start..end).unwrap_or_default())
        };
        Self { before: folded(line), word }
    }

    /// Whether it is called a secret access key.
    pub(super) fn says_secret_access_key(&self) -> bool {
        holds(&self.before, SECRET_ACCESS_KEY)
    }

    /// Whether it is called a key, a password or a token of AWS's.
    pub(super) fn says_aws(&self) -> bool {
        holds(&self.before, AWS) && holds(&self.before, SECRETIVE)
    }

    /// Whether it is called something secret.
    pub(super) fn says_secret(&self) -> bool {
        holds(&self.word, SECRETIVE)
    }

    /// Whether it is called something else: a hash, a signature.
    pub(super) fn says_other(&self) -> bool {
        holds(&self.word, OTHER) && !self.says_secret_access_key()
    }

    /// Whether it holds one of these words, written in small letters without separators.
    pub(super) fn holds(&self, words: &str) -> bool {
        holds(&self.before, words)
    }
}

/// Whether AWS is spoken of shortly before a place.
pub(super) fn is_about_aws(text: &[u8], at: usize) -> bool {
    holds(&folded(last(text.get(..at).unwrap_or_default(), CONTEXT)), AWS)
}

/// Returns what stands on the line of what follows, or on the one before if there is nothing but signs on it.
fn own_line(window: &[u8]) -> &[u8] {
    let begin = |end: usize| {
        window.get(..end).unwrap_or_default().iter().rposition(|byte| *byte == b'\n').map_or(0, |newline| newline + 1)
    };
    let start = begin(window.len());
    let line = window.get(start..).unwrap_or_default();
    if start == 0 || line.iter().any(u8::is_ascii_alphanumeric) {
        return line;
    }
    window.get(begin(start - 1)..).unwrap_or_default()
}

fn last(text: &[u8], count: usize) -> &[u8] {
    text.get(text.len().saturating_sub(count)..).unwrap_or_default()
}

fn folded(text: &[u8]) -> Zeroizing<Vec<u8>> {
    let mut folded = Zeroizing::new(Vec::with_capacity(text.len()));
    folded.extend(text.iter().filter(|byte| byte.is_ascii_alphanumeric()).map(u8::to_ascii_lowercase));
    folded
}

fn holds(text: &[u8], words: &str) -> bool {
    words.split(' ').any(|word| text.windows(word.len()).any(|window| window == word.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn label(before: &str) -> Label {
        Label::before(before.as_bytes(), before.len())
    }

    #[test]
    fn a_secret_access_key_is_known_by_name_in_every_format() {
        for before in [
            "aws_secret_access_key = ",
            "AWS_SECRET_ACCESS_KEY=",
            "export AWS_SECRET_ACCESS_KEY=\"",
            ": 1764500000:0;export AWS_SECRET_ACCESS_KEY='",
            "- cmd: set -x AWS_SECRET_ACCESS_KEY ",
            "$env:AWS_SECRET_ACCESS_KEY = \"",
            "\"SecretAccessKey\": \"",
            "<SecretAccessKey>",
            "secretAccessKey: '",
            "aws configure set aws_secret_access_key ",
            "--aws-secret-access-key=",
            "Secret access key: ",
            "aws_secret_access_key: >-\n    ",
            "\"aws-secret\": \"",
            "ENV AWS_SECRET_ACCESS_KEY ",
        ] {
            assert!(label(before).says_secret_access_key(), "{before}");
        }
    }

    #[test]
    fn other_names_are_not_it() {
        for before in ["", "key = ", "aws_secret_access_key = x\nsha = ", "\n\n", "secret: "] {
            assert!(!label(before).says_secret_access_key(), "{before:?}");
        }
        assert!(label("aws_key='").says_aws() && label("my_AwsToken: \"").says_aws());
        assert!(!label("aws_region = ").says_aws() && !label("key = ").says_aws());
        for before in ["\"sha1\": \"", "integrity=", "file_hash: ", "commit "] {
            assert!(label(before).says_other(), "{before}");
        }
        assert!(!label("shared_secret = ").says_other());
    }

    #[test]
    fn aws_is_looked_for_a_little_way_back() {
        let text = "provider \"aws\" {\n  region     = \"eu-west-1\"\n  secret_key = \"";
        assert!(is_about_aws(text.as_bytes(), text.len()));
        let far = format!("aws{}", "\nx = 1".repeat(100));
        assert!(!is_about_aws(far.as_bytes(), far.len()));
    }
}
