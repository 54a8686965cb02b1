//! Edits of one section's lines. Every other line of the file stays as it is.

use super::file::{ConfigFile, Edit};
use super::text::{KeySpan, Span};
use std::ops::Range;

/// A key and its value, to be written as a line.
pub(crate) type Entry = (String, String);

/// Edits of one section, gathered.
pub(crate) struct SectionEdits<'a> {
    file: &'a ConfigFile,
    span: &'a Span,
    edits: Vec<Edit>,
}

impl ConfigFile {
    /// Begins to edit a section by its place among [`ConfigFile::sections`].
    pub(crate) fn edits_of(&self, section: usize) -> Option<SectionEdits<'_>> {
        Some(SectionEdits { file: self, span: self.layout().spans.get(section)?, edits: Vec::new() })
    }

    /// Returns the line of a section's header, from 1.
    pub(crate) fn line_of(&self, section: usize) -> usize {
        self.layout().spans.get(section).map_or(0, |span| span.header + 1)
    }

    /// Returns the edit that puts text in front of a section, or in front of a comment line that stands somewhere before it if
    /// nothing but blank lines and comments is between the two.
    pub(crate) fn before_section(&self, section: usize, comment: &str, text: &str) -> Option<Edit> {
        let header = self.layout().spans.get(section)?.header;
        let marked =
            (0..header).rev().take_while(|line| self.is_nothing(*line)).find(|line| self.line(*line).trim() == comment);
        let at = self.layout().lines.get(marked.unwrap_or(header))?.start;
        Some(Edit { range: at..at, with: text.replace('\n', self.line_end()) })
    }
}

impl SectionEdits<'_> {
    /// Puts another beginning in the place of the first bytes of a key's name.
    pub(crate) fn begin_key(&mut self, key: usize, old: &str, new: &str) {
        if let Some(span) = self.span.keys.get(key) {
            self.edits.push(Edit { range: span.at..span.at + old.len(), with: new.to_owned() });
        }
    }

    /// Puts other lines in the place of a key and what belongs to it.
    pub(crate) fn replace_key(&mut self, key: usize, entries: &[Entry]) {
        let Some(range) = self.span.keys.get(key).and_then(|key| self.bytes_of(key)) else { return };
        let ended = self.file.ends_line(range.end);
        let text = self.lines(entries);
        let with = if ended { text } else { text.trim_end_matches(['\r', '\n']).to_owned() };
        self.edits.push(Edit { range, with });
    }

    /// Puts lines behind a key and what belongs to it; with no key, behind the header.
    pub(crate) fn insert_behind(&mut self, key: Option<usize>, entries: &[Entry]) {
        let line = key.and_then(|key| self.span.keys.get(key)).map_or(self.span.header, |key| key.last);
        let Some(at) = self.file.layout().lines.get(line).map(|line| line.end) else { return };
        let text = self.lines(entries);
        let with = if self.file.ends_line(at) {
            text
        } else {
            format!("{}{}", self.file.line_end(), text.trim_end_matches(['\r', '\n']))
        };
        self.edits.push(Edit { range: at..at, with });
    }

    /// Returns the edits.
    pub(crate) fn done(self) -> Vec<Edit> {
        self.edits
    }

    fn bytes_of(&self, key: &KeySpan) -> Option<Range<usize>> {
        let lines = &self.file.layout().lines;
        Some(lines.get(key.first)?.start..lines.get(key.last)?.end)
    }

    fn lines(&self, entries: &[Entry]) -> String {
        let (indent, eol) = (self.indent(), self.file.line_end());
        entries.iter().map(|(key, value)| format!("{indent}{key} = {value}{eol}")).collect()
    }

    /// The least indentation of the section's keys: a line indented deeper than the one before would belong to that for Python.
    fn indent(&self) -> String {
        let indents = self.span.keys.iter().filter_map(|key| {
            let start = self.file.layout().lines.get(key.first)?.start;
            self.file.text_at(start..key.at)
        });
        indents.min_by_key(|indent| indent.len()).unwrap_or_default().to_owned()
    }
}
