//! The one type for text that must not be seen.

use std::fmt;
use zeroize::Zeroizing;

/// Text that is wiped when dropped, prints as `[redacted]`, and is read by one verb only.
///
/// It has no `Serialize`, `Display`, `PartialEq` or `Hash`: whoever needs one of these has to call
/// [`Secret::expose_secret`], so that a review can list every reading.
#[derive(Clone, Default)]
pub struct Secret(Zeroizing<String>);

impl Secret {
    /// Takes ownership of the text; the caller keeps no copy.
    #[must_use]
    pub fn new(text: String) -> Self {
        Self(Zeroizing::new(text))
    }

    /// Returns the text itself. Every call is a place to review.
    #[must_use]
    pub fn expose_secret(&self) -> &str {
        &self.0
    }
}

impl From<String> for Secret {
    fn from(text: String) -> Self {
        Self::new(text)
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[redacted]")
    }
}

impl<'de> serde::Deserialize<'de> for Secret {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(Self::new)
    }
}

#[cfg(test)]
mod tests {
    use super::Secret;

    #[test]
    fn debug_never_shows_the_text() {
        let secret = Secret::new("CANARY-1".to_owned());
        assert_eq!(format!("{secret:?}"), "[redacted]");
        assert_eq!(secret.expose_secret(), "CANARY-1");
    }

    #[test]
    fn a_secret_inside_other_types_stays_redacted() {
        let held = (Some(Secret::new("CANARY-2".to_owned())), vec![Secret::new("CANARY-3".to_owned())]);
        assert!(!format!("{held:?}{held:#?}").contains("CANARY"));
    }
}
