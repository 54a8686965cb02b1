//! A section of an AWS config file, as it is read or is to be written.

use std::fmt;

/// What a section describes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum SectionKind {
    /// `[default]`.
    Default,
    /// `[profile NAME]`.
    Profile,
    /// `[sso-session NAME]`.
    SsoSession,
    /// Anything else; the name is all of the header.
    Other,
}

/// A section: what it describes, its name, and its keys in their order, lower case, each with its value.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Section {
    pub(crate) kind: SectionKind,
    /// Its name without quotes; of [`SectionKind::Other`] the whole header.
    pub(crate) name: String,
    /// Values are without comment and surrounding blanks. A nested block, such as that of `s3 =`, is an empty value.
    pub(crate) keys: Vec<(String, String)>,
}

impl Section {
    /// Makes a section without keys.
    pub(crate) fn new(kind: SectionKind, name: impl Into<String>) -> Self {
        Self { kind, name: name.into(), keys: Vec::new() }
    }

    /// Adds a key.
    pub(crate) fn with(mut self, key: impl Into<String>, value: impl Into<String>) -> Self {
        self.keys.push((key.into(), value.into()));
        self
    }

    /// Returns the value of a (lower-case) key; of one that is there twice the last.
    pub(crate) fn get(&self, key: &str) -> Option<&str> {
        self.keys.iter().rev().find(|(name, _)| name == key).map(|(_, value)| value.as_str())
    }

    /// Returns whether AWS clients know this section by this kind and name: `[default]` is `[profile default]`, too.
    pub(crate) fn is(&self, kind: SectionKind, name: &str) -> bool {
        let profile = |kind| matches!(kind, SectionKind::Default | SectionKind::Profile);
        self.name == name && (self.kind == kind || (profile(self.kind) && profile(kind)))
    }

    /// Returns the section's header.
    pub(crate) fn header(&self) -> String {
        match self.kind {
            SectionKind::Default => "[default]".to_owned(),
            SectionKind::Profile => format!("[profile {}]", self.name),
            SectionKind::SsoSession => format!("[sso-session {}]", self.name),
            SectionKind::Other => format!("[{}]", self.name),
        }
    }
}

/// Values may be secrets of the person's.
impl fmt::Debug for Section {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let keys: Vec<_> = self.keys.iter().map(|(key, _)| key).collect();
        f.debug_struct("Section").field("kind", &self.kind).field("name", &self.name).field("keys", &keys).finish()
    }
}
