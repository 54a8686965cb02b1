//! What stands before a value: its name, as every format and language writes one. `aws_secret_access_key = `,
//! `<SecretAccessKey>`, `"secretKey": "`, `--secret-key `, `Secret Access Key,`.

use super::key_id;
use zeroize::Zeroizing;

/// How much before a value is read for its name.
const WINDOW: usize = 120;
/// How far from a value its name may be, in letters and digits. Less than a secret has, so that the name of the one before is out of sight.
const NAME: usize = 40;
/// From how many characters of base64 on something is a value and no name.
const VALUE: usize = 32;
/// How far before a value AWS may be spoken of.
const CONTEXT: usize = 300;

/// What a name that says so calls a secret, in small letters without separators.
const SECRET_ACCESS_KEY: &str = "secretaccesskey awssecret secretawsaccesskey";
const AWS: &str = "aws amazon";
const SECRETIVE: &str = "key secret pass pwd pw token cred";
/// What may be part of the name of a secret that goes with an id.
const OF_A_PAIR: &str = "secret accesskey s3key s3pass";
/// The whole name of one.
const WHOLE: &str = "key password passwd pass pwd pw sk";
/// What makes a name that of something else.
const OTHER: &str =
    "sha1 sha256 sha384 sha512 hash digest checksum integrity signature fingerprint etag commit publickey certificate";

/// Whose keys have 40 characters and a name with `aws` before them: callers of API Gateway, who are no users of IAM.
const OF_API_GATEWAY: &str = "apigateway usageplan";

/// What a value is called. The best comes first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Called {
    /// A secret access key.
    SecretAccessKey,
    /// A key, a password or a token of AWS's.
    SecretOfAws,
    /// A secret.
    Secret,
    /// It has no name, such as a value in a list.
    Nothing,
    /// Something else: a hash, a token of somebody else's.
    Other,
}

/// What stands before a value. It may hold another value's end, so it is wiped.
pub(super) struct Label {
    /// The letters and digits before the value on its line, in small letters; of the line before where the value has a line of its own.
    before: Zeroizing<Vec<u8>>,
    /// How many of them are the word right before the value.
    word: usize,
    /// Whether that word names the value: `word = value`, `word: value`, and not `ID:SECRET`.
    names: bool,
}

impl Label {
    /// Reads what stands before a place in a text.
    pub(super) fn before(text: &[u8], at: usize) -> Self {
        let line = own_line(last(text.get(..at).unwrap_or_default(), WINDOW));
        let end = line.iter().rposition(u8::is_ascii_alphanumeric).map_or(0, |last| last + 1);
        let (words, signs) = line.split_at_checked(end).unwrap_or_default();
        let is_inside = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.');
        let start = words.iter().rposition(|byte| !is_inside(byte)).map_or(0, |last| last + 1);
        let word = words.get(start..).unwrap_or_default();
        let names = signs.iter().any(|sign| matches!(sign, b'=' | b':')) && !is_id(word);
        Self { before: folded(line), word: word.iter().filter(|byte| byte.is_ascii_alphanumeric()).count(), names }
    }

    /// Decides what a value is called.
    pub(super) fn called(&self) -> Called {
        let near = last(&self.before, NAME);
        let (head, word) = near.split_at_checked(near.len().saturating_sub(self.word)).unwrap_or_default();
        let is_secretive = holds(near, SECRETIVE);
        if holds(near, SECRET_ACCESS_KEY) {
            return Called::SecretAccessKey;
        }
        if holds(word, OTHER) || holds(near, OF_API_GATEWAY) {
            return Called::Other;
        }
        let of_aws = if self.names { holds(word, AWS) || holds(last(head, NAME / 2), AWS) } else { holds(near, AWS) };
        if of_aws && is_secretive {
            return Called::SecretOfAws;
        }
        match self.names {
            true if holds(word, OF_A_PAIR) || WHOLE.split(' ').any(|whole| whole.as_bytes() == word) => Called::Secret,
            true => Called::Other,
            false if holds(word, "secret") => Called::Secret,
            false => Called::Nothing,
        }
    }

    /// Whether one of these words stands before it, written in small letters without separators.
    pub(super) fn holds(&self, words: &str) -> bool {
        holds(&self.before, words)
    }
}

fn is_id(word: &[u8]) -> bool {
    word.len() == key_id::LENGTH && key_id::find(word, 0).is_some()
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

/// Returns letters and digits, in small letters. Where a value stands there are points: what chance wrote names nothing.
fn folded(text: &[u8]) -> Zeroizing<Vec<u8>> {
    let mut folded = Zeroizing::new(Vec::with_capacity(text.len()));
    let is_inside = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/');
    for part in text.chunk_by(|one, next| is_inside(one) && is_inside(next)) {
        let plain = part.iter().filter(|byte| byte.is_ascii_alphanumeric()).map(u8::to_ascii_lowercase);
        folded.extend(plain.map(|byte| if part.len() < VALUE { byte } else { b'.' }));
    }
    folded
}

fn holds(text: &[u8], words: &str) -> bool {
    words.split(' ').any(|word| text.windows(word.len()).any(|window| window == word.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn called(before: &str) -> Called {
        Label::before(before.as_bytes(), before.len()).called()
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
            "const secretAccessKey: string = '",
        ] {
            assert_eq!(called(before), Called::SecretAccessKey, "{before}");
        }
    }

    #[test]
    fn secrets_of_aws_are_known_by_name() {
        for before in ["aws_key='", "my_AwsToken: \"", "aws: {token: \"", "amazonKey = \"", "aws_config(\"pass\", \""] {
            assert_eq!(called(before), Called::SecretOfAws, "{before}");
        }
        for before in ["aws_region = ", "aws_secret_access_key = x\nsha = ", "draws = "] {
            assert_eq!(called(before), Called::Other, "{before}");
        }
    }

    #[test]
    fn other_names_and_none_are_told_apart() {
        for before in
            ["secret: ", "s3_secret_key = ", "key=", "\"password\": \"", "STORAGE_SECRET=", "--secret-key ", "pass = "]
        {
            assert_eq!(called(before), Called::Secret, "{before}");
        }
        for before in ["", "\n\n", "alice,AKIAY34FZKBOKMUTVV7A,", "client('s3', 'AKIAY34FZKBOKMUTVV7A', '", "<string>"]
        {
            assert_eq!(called(before), Called::Nothing, "{before}");
        }
        for before in [
            "\"sha1\": \"",
            "integrity=",
            "file_hash: ",
            "commit ",
            "CLOUDFLARE_API_TOKEN=",
            "s3_etag = \"",
            "nonce: ",
            "aws apigateway delete-api-key --api-key ",
        ] {
            assert_eq!(called(before), Called::Other, "{before}");
        }
        let after = "AWS_ACCESS_KEY_ID=AKIAY34FZKBOKMUTVV7A CLOUDFLARE_API_TOKEN=";
        assert_eq!(called(after), Called::Other, "the name before is that of another");
    }

    #[test]
    fn values_name_nothing() {
        let key = "MIIEpAIBAAKCAQEAsecretawskeyQ7x2Zk4vGQpWyLtN8dRjXs0hFbMcU6aE2oV\n";
        assert_eq!(called(key), Called::Nothing);
        assert_eq!(called("aws_secret_access_key=Zk+v4GQpWy/LtN8dRjXs0hFbMcU6aE2oVnKiTq7r x="), Called::Other);
    }

    #[test]
    fn aws_is_looked_for_a_little_way_back() {
        let text = "provider \"aws\" {\n  region     = \"eu-west-1\"\n  secret_key = \"";
        assert!(is_about_aws(text.as_bytes(), text.len()));
        let far = format!("aws{}", "\nx = 1".repeat(100));
        assert!(!is_about_aws(far.as_bytes(), far.len()));
    }
}
