//! AWS config as text: sections, keys, lines. As lenient as the clients that read it; the daemon's reader is the one that decides
//! what is served. Pure.

/// A key with its value, and where it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Entry {
    /// The header's text, such as `profile dev` or `default`.
    pub(super) section: String,
    pub(super) key: String,
    pub(super) value: String,
    /// From 1.
    pub(super) line: usize,
}

/// Reads every `key = value`, those of nested blocks included.
pub(super) fn entries(text: &str) -> Vec<Entry> {
    let mut section = String::new();
    let mut entries = Vec::new();
    for (at, line) in text.lines().enumerate() {
        let line = line.trim();
        if line.starts_with(['#', ';']) {
            continue;
        }
        if let Some(header) = line.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
            section = header.0.split_whitespace().collect::<Vec<_>>().join(" ");
        } else if let Some((key, value)) = line.split_once(['=', ':']) {
            let (key, value) = (key.trim().to_ascii_lowercase(), value.trim().to_owned());
            entries.push(Entry { section: section.clone(), key, value, line: at + 1 });
        }
    }
    entries
}

impl Entry {
    /// Returns the profile this belongs to, if it is one's.
    pub(super) fn profile(&self) -> &str {
        self.section.strip_prefix("profile ").unwrap_or(&self.section)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_know_their_section_and_line() {
        let text = "# x = 1\n[default]\nregion=us-east-1\n\n[ profile  dev ] # c\nKey : value = more\n  nested = 1\r\n";
        let found = entries(text);
        let shown: Vec<_> = found.iter().map(|e| (e.profile(), e.key.as_str(), e.value.as_str(), e.line)).collect();
        assert_eq!(shown[0], ("default", "region", "us-east-1", 3));
        assert_eq!(shown[1].0, "dev");
        assert_eq!((shown[2].1, shown[2].3), ("nested", 7));
    }
}
