//! Why a certificate or its key cannot be used: one line, and the command that mends it.

use crate::names::ProfileName;
use crate::problem::quoted;
use crate::roles_anywhere::KeyError;

/// Why a certificate or its key cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct Fault {
    message: String,
    mend: Mend,
}

/// What mends it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Mend {
    /// No command does.
    Nothing,
    /// This command.
    Command(String),
    /// Importing it into the keyring, from these files (certificate, key) where they are known.
    Import {
        /// The files.
        from: Option<(String, String)>,
    },
}

impl Fault {
    pub(super) fn new(message: String, mend: Mend) -> Self {
        Self { message, mend }
    }

    /// A fault of what is at a place.
    pub(crate) fn of(place: &str, error: &impl std::fmt::Display) -> Self {
        Self::new(format!("{place}: {error}"), Mend::Nothing)
    }

    /// A key that does not open as it lies there: importing it asks for its passphrase.
    pub(super) fn of_key(place: &str, certificate: &str, error: KeyError) -> Self {
        let mend = match error {
            KeyError::Encrypted => Mend::Import { from: Some((certificate.to_owned(), place.to_owned())) },
            KeyError::OldEncryption => {
                let place = quoted(place);
                Mend::Command(format!("openssl pkcs8 -topk8 -in {place} -out {place}.new"))
            }
            _ => Mend::Nothing,
        };
        Self::new(format!("{place}: the private key {}", clause(error)), mend)
    }

    /// Returns the command that mends it, for a profile.
    #[must_use]
    pub fn mend(&self, profile: Option<&ProfileName>) -> Option<String> {
        match &self.mend {
            Mend::Nothing => None,
            Mend::Command(command) => Some(command.clone()),
            Mend::Import { from } => {
                let profile = profile.map_or_else(|| "PROFILE".to_owned(), |name| quoted(name.as_str()));
                let (certificate, key) = from.as_ref().map_or_else(
                    || ("FILE".to_owned(), "FILE".to_owned()),
                    |(certificate, key)| (quoted(certificate), quoted(key)),
                );
                Some(format!("tegata certificate import {profile} --certificate {certificate} --key {key}"))
            }
        }
    }
}

/// What is wrong with a key, to follow its name.
fn clause(error: KeyError) -> String {
    match error {
        KeyError::None => "is none: no -----BEGIN PRIVATE KEY----- in PEM form".to_owned(),
        KeyError::Several => "is not the only one in there".to_owned(),
        other => other.to_string(),
    }
}
