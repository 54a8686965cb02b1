//! What was found, without what is secret of it.

use serde::Serialize;

/// The most places of one credential in a file that are kept; the rest is counted.
const MOST_PLACES: usize = 20;

/// What kind of credential it is. The names in JSON are part of the interface.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Kind {
    /// A long-lived access key: id and secret.
    AccessKey,
    /// A secret access key, and nobody knows of which id.
    SecretAccessKey,
    /// A long-term API key for Amazon Bedrock.
    BedrockApiKey,
    /// A password for CodeCommit or Amazon Keyspaces.
    ServicePassword,
    /// A password for the SMTP interface of Amazon SES, made of a secret access key.
    SmtpPassword,
    /// The id of a long-lived access key, without its secret.
    AccessKeyId,
    /// Credentials of STS: id and secret.
    TemporaryCredentials,
    /// A short-term API key for Amazon Bedrock, good for twelve hours at most.
    TemporaryBedrockApiKey,
    /// A token for CodeArtifact, good for twelve hours at most.
    CodeartifactToken,
    /// A token for a container registry (ECR), good for twelve hours.
    EcrToken,
    /// A token of `aws sso login` or `aws login`, which gets new credentials until it ends.
    SignInToken,
    /// The id of temporary credentials, of a bearer token or of a service-specific credential, without anything secret.
    OtherId,
}

/// How bad it is. The worst comes first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Severity {
    /// It can be used, and does not end.
    Error,
    /// It ends by itself, or says that a long-lived key is about.
    Warning,
    /// Good to know; it does not count.
    Note,
}

impl Kind {
    pub(crate) fn severity(self) -> Severity {
        match self {
            Self::AccessKey
            | Self::SecretAccessKey
            | Self::BedrockApiKey
            | Self::ServicePassword
            | Self::SmtpPassword => Severity::Error,
            Self::AccessKeyId
            | Self::TemporaryCredentials
            | Self::TemporaryBedrockApiKey
            | Self::CodeartifactToken
            | Self::EcrToken
            | Self::SignInToken => Severity::Warning,
            Self::OtherId => Severity::Note,
        }
    }

    pub(crate) fn words(self) -> &'static str {
        match self {
            Self::AccessKey => "access key",
            Self::SecretAccessKey => "secret access key",
            Self::BedrockApiKey => "Bedrock API key",
            Self::ServicePassword => "CodeCommit password",
            Self::SmtpPassword => "SES SMTP password",
            Self::AccessKeyId => "access key id",
            Self::TemporaryCredentials => "temporary credentials",
            Self::TemporaryBedrockApiKey => "short-term Bedrock API key",
            Self::CodeartifactToken => "CodeArtifact token",
            Self::EcrToken => "ECR token",
            Self::SignInToken => "sign-in token",
            Self::OtherId => "id",
        }
    }
}

/// A credential in a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Found {
    pub(crate) kind: Kind,
    /// Prefix and last four characters of the access key's id.
    pub(crate) key_id: Option<String>,
    /// The last four characters of the secret.
    pub(crate) secret: Option<String>,
    /// Twelve digits.
    pub(crate) account: Option<String>,
    /// The user name that goes with a password or an API key. Foreign text.
    pub(crate) user: Option<String>,
    /// Where it stands: the first places, in order.
    pub(crate) places: Vec<Position>,
    /// At how many more places it stands.
    pub(crate) more: usize,
    /// Where in the text it begins.
    pub(crate) offset: usize,
}

impl Found {
    /// Gives it its places: all of them, in order.
    pub(super) fn at(mut self, offsets: &[usize], lines: &mut impl FnMut(usize) -> Position) -> Self {
        self.offset = offsets.first().copied().unwrap_or_default();
        self.places = offsets.iter().take(MOST_PLACES).map(|offset| lines(*offset)).collect();
        self.more = offsets.len().saturating_sub(MOST_PLACES);
        self
    }
}

/// A place in a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub(crate) struct Position {
    /// From 1.
    pub(crate) line: usize,
    /// In bytes, from 1.
    pub(crate) column: usize,
}

/// Tells the lines of offsets, of which each is behind the one before or not far from it.
pub(super) struct Lines<'a> {
    text: &'a [u8],
    line: usize,
    line_start: usize,
    counted_to: usize,
}

impl<'a> Lines<'a> {
    pub(super) fn of(text: &'a [u8]) -> Self {
        Self { text, line: 1, line_start: 0, counted_to: 0 }
    }

    pub(super) fn position(&mut self, offset: usize) -> Position {
        if offset < self.line_start {
            *self = Self::of(self.text);
        }
        let passed = self.text.get(self.counted_to..offset).unwrap_or_default();
        for (at, _) in passed.iter().enumerate().filter(|(_, byte)| **byte == b'\n') {
            (self.line, self.line_start) = (self.line + 1, self.counted_to + at + 1);
        }
        self.counted_to = self.counted_to.max(offset);
        Position { line: self.line, column: offset - self.line_start + 1 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_and_columns_count_from_one() {
        let mut lines = Lines::of(b"ab\ncd\n\nef");
        let mut at = |offset| {
            let place = lines.position(offset);
            (place.line, place.column)
        };
        assert_eq!((at(0), at(1), at(3), at(4), at(7), at(8)), ((1, 1), (1, 2), (2, 1), (2, 2), (4, 1), (4, 2)));
        assert_eq!((at(7), at(3), at(0)), ((4, 1), (2, 1), (1, 1)), "and back");
    }
}
