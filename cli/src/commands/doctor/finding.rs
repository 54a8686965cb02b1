//! One thing that was found.

use serde::Serialize;
use tegata_protocol::text::one_line;

/// How bad it is. The worst comes first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Severity {
    /// Something does not work, or a secret lies open.
    Error,
    /// Something is weaker than it looks, or will stop working.
    Warning,
    /// Good to know; it does not count.
    Note,
}

impl Severity {
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warning => "warning",
            Self::Note => "note",
        }
    }
}

/// What was found, in one line, and the command that mends it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(super) struct Finding {
    pub(super) check: &'static str,
    pub(super) severity: Severity,
    pub(super) line: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) mend: Option<String>,
}

impl Finding {
    /// Makes a finding; `line` may hold foreign text and becomes one printable line.
    pub(super) fn new(check: &'static str, severity: Severity, line: impl AsRef<str>) -> Self {
        Self { check, severity, line: one_line(line.as_ref()), mend: None }
    }

    /// Adds the command that mends it.
    pub(super) fn mend(mut self, command: impl AsRef<str>) -> Self {
        self.mend = Some(one_line(command.as_ref()));
        self
    }

    /// Whether the exit code says so.
    pub(super) fn counts(&self) -> bool {
        self.severity != Severity::Note
    }
}

/// Returns a word as a POSIX shell reads it as one: what is offered for copying means what it says.
pub(super) fn quoted(word: &str) -> String {
    shlex::try_quote(word).map_or_else(|_| word.to_owned(), std::borrow::Cow::into_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn e11_foreign_text_becomes_one_printable_line() {
        let finding = Finding::new("x", Severity::Error, "a\u{1b}[2J\nb\u{202e}").mend("c\r\nd");
        let shown = format!("{}{}", finding.line, finding.mend.unwrap());
        assert!(!shown.chars().any(tegata_protocol::text::is_hostile), "{shown:?}");
    }
}
