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
    pub(super) fn at(mut self, offsets: &[usize], positions: &Positions) -> Self {
        self.offset = offsets.first().copied().unwrap_or_default();
        self.places = offsets.iter().take(MOST_PLACES).filter_map(|offset| positions.at(*offset)).collect();
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

/// The lines and columns of some offsets in a text. The text is gone through once, however many there are.
pub(super) struct Positions(Vec<(usize, Position)>);

impl Positions {
    pub(super) fn of(text: &[u8], mut offsets: Vec<usize>) -> Self {
        offsets.sort_unstable();
        offsets.dedup();
        let (mut line, mut line_start, mut counted_to) = (1, 0, 0);
        let position = |offset: usize| {
            let passed = text.get(counted_to..offset).unwrap_or_default();
            for (at, _) in passed.iter().enumerate().filter(|(_, byte)| **byte == b'\n') {
                (line, line_start) = (line + 1, counted_to + at + 1);
            }
            counted_to = offset;
            (offset, Position { line, column: offset - line_start + 1 })
        };
        Self(offsets.into_iter().map(position).collect())
    }

    /// Returns where one of the offsets is.
    pub(super) fn at(&self, offset: usize) -> Option<Position> {
        let at = self.0.binary_search_by_key(&offset, |(known, _)| *known).ok()?;
        self.0.get(at).map(|(_, position)| *position)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_and_columns_count_from_one() {
        let positions = Positions::of(b"ab\ncd\n\nef", vec![8, 0, 1, 3, 3, 4, 7]);
        for (offset, expected) in [(0, (1, 1)), (1, (1, 2)), (3, (2, 1)), (4, (2, 2)), (7, (4, 1)), (8, (4, 2))] {
            let at = positions.at(offset).unwrap();
            assert_eq!((at.line, at.column), expected, "{offset}");
        }
        assert_eq!(positions.at(2), None);
    }
}
