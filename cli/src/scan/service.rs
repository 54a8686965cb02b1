//! Credentials of one service: passwords for CodeCommit and SES, API keys for Bedrock.

use super::label::Label;
use super::placeholder;
use super::runs::{Plain, Run};
use super::secret;
use super::sighting::{What, decoded};
use zeroize::Zeroizing;

/// How far from a password its user name is looked for, in bytes.
const NEAR: usize = 300;

/// A password of a service-specific credential: 32 bytes in base64, 44 characters with one `=`. Source: the examples of
/// `iam create-service-specific-credential` in the AWS CLI's reference.
pub(super) fn password<'a>(text: &'a [u8], run: &Run<'a>, end: usize) -> Option<(What, Plain<'a>)> {
    if !secret::by_chance(run.plain.bytes()) {
        return None;
    }
    let mut whole = Zeroizing::new(run.plain.bytes().to_vec());
    whole.push(b'=');
    if placeholder::is_secret(&whole) {
        return None;
    }
    let label = Label::before(text, run.start);
    let named = label.holds("servicepassword codecommit") || speaks_of_codecommit(text, end);
    (!is_hash(&label)).then_some((What::ServicePassword { named }, Plain::Copied(whole)))
}

/// Whether 32 bytes in base64 are called a hash, which is what most of them are.
fn is_hash(label: &Label) -> bool {
    label.holds("sha256 hash digest checksum integrity signature fingerprint hmac")
}

/// Whether a password is followed by the host it is for: `…:PASSWORD@git-codecommit.eu-west-1.amazonaws.com`. Source: "Connect to an
/// AWS CodeCommit repository" in the CodeCommit user guide.
fn speaks_of_codecommit(text: &[u8], end: usize) -> bool {
    text.get(end..).is_some_and(|rest| rest.starts_with(b"@git-codecommit"))
}

/// A user name of a service-specific credential, and its account: `NAME-at-123456789012`. Source: as of [`password`]. The name is an IAM
/// user's: letters, digits and `+=,.@_-` ("IAM and AWS STS quotas", "IAM name requirements").
pub(super) fn user_near(text: &[u8], start: usize, end: usize) -> Option<User> {
    let from = start.saturating_sub(NEAR);
    let before = users(text.get(from..start).unwrap_or_default(), from).pop();
    let rest = text.get(end..).unwrap_or_default();
    let after = || users(rest.get(..NEAR).unwrap_or(rest), end).into_iter().next();
    before.or_else(after)
}

/// Whose a service-specific credential is.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct User {
    pub(super) name: String,
    pub(super) account: String,
    /// Where it stands in the text.
    pub(super) at: usize,
}

/// Returns the user names in a part of a text that begins there.
fn users(text: &[u8], begin: usize) -> Vec<User> {
    const MARK: &[u8] = b"-at-";
    let places = text.windows(MARK.len()).enumerate().filter(|(_, window)| *window == MARK).map(|(at, _)| at);
    places.filter_map(|mark| user(text, mark, begin)).collect()
}

fn user(text: &[u8], mark: usize, begin: usize) -> Option<User> {
    let behind = text.get(mark + 4..)?;
    let account = behind.get(..12).filter(|account| account.iter().all(u8::is_ascii_digit))?;
    if behind.get(12).is_some_and(u8::is_ascii_alphanumeric) {
        return None;
    }
    let head = text.get(..mark)?;
    let is_inside = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b',' | b'.' | b'@' | b'_' | b'-');
    let start = head.iter().rposition(|byte| !is_inside(byte)).map_or(0, |last| last + 1);
    let as_text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (start < mark).then(|| User { name: as_text(&head[start..]), account: as_text(account), at: begin + start })
}

/// A long-term API key for Bedrock: `ABSK` and base64 of `NAME-at-ACCOUNT:PASSWORD`, where the name is `BedrockAPIKey-` and four characters when
/// the console made the user. Sources: "API keys for Amazon Bedrock" in the IAM user guide; gitleaks' rule
/// `aws-amazon-bedrock-api-key-long-lived`, which has the prefix and the lengths.
pub(super) fn is_bedrock_key(run: &[u8], length: usize) -> bool {
    run.starts_with(b"ABSK") && (90..=280).contains(&length) && secret::by_chance(run) && !placeholder::is_secret(run)
}

/// Returns whose a key for Bedrock is, which is written in it.
pub(super) fn user_of_bedrock_key(run: &[u8]) -> Option<User> {
    // Up to the last whole group of four: the name stands at the beginning.
    let body = run.get(4..)?;
    let plain = decoded(body.get(..body.len() / 4 * 4)?, "")?;
    users(&plain, 0).into_iter().next().filter(|user| user.at == 0)
}

/// A password for the SMTP interface of SES: one byte of version, 4 or formerly 2, and 32 of an HMAC, in base64: 44 characters. Source: "Obtaining
/// Amazon SES SMTP credentials by converting existing AWS credentials" in the SES developer guide.
pub(super) fn smtp_password<'a>(text: &'a [u8], run: &Run<'a>) -> Option<(What, Plain<'a>)> {
    let bytes = run.plain.bytes();
    if !secret::by_chance(bytes) || placeholder::is_secret(bytes) {
        return None;
    }
    let plain = decoded(bytes, "")?;
    let label = Label::before(text, run.start);
    let is_one = plain.len() == 33 && matches!(plain.first(), Some(2 | 4)) && !is_hash(&label);
    let named = label.holds("smtp sespass emailhostpassword");
    is_one.then(|| (What::SmtpPassword { named }, Plain::Copied(Zeroizing::new(bytes.to_vec()))))
}

#[cfg(test)]
mod tests {
    use super::*;
    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD;

    #[test]
    fn a_user_name_carries_its_account() {
        let text = b"https://alice.b+1-at-609629065308:";
        let user = user_near(text, text.len(), text.len()).unwrap();
        assert_eq!((user.name.as_str(), user.account.as_str(), user.at), ("alice.b+1", "609629065308", 8));
        for other in ["-at-609629065308", "a-at-60962906530", "a-at-6096290653081", "look-at-me"] {
            assert_eq!(user_near(other.as_bytes(), other.len(), other.len()), None, "{other}");
        }
    }

    #[test]
    fn a_key_for_bedrock_says_whose_it_is() {
        let plain = "BedrockAPIKey-q7x2-at-609629065308:hT4vZx9QmLr2NcYwB7sKdEjGf0PaUi3oVnXqTy8RbMk=";
        let key = format!("ABSK{}", STANDARD.encode(plain));
        let run = key.trim_end_matches('=').as_bytes();
        assert!(is_bedrock_key(run, run.len()));
        let user = user_of_bedrock_key(run).unwrap();
        assert_eq!((user.name.as_str(), user.account.as_str()), ("BedrockAPIKey-q7x2", "609629065308"));
        let example = format!("ABSK{}", "EXAMPLEKEY".repeat(11));
        assert!(!is_bedrock_key(example.as_bytes(), example.len()));
        assert!(!is_bedrock_key(b"ABSKQmVkcm9ja0FQSUtleS", 22), "only the beginning, as documents show it");
    }
}
