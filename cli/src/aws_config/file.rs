//! One config file as it was read, and what it would be with other sections between our markers.

use super::change::Change;
use super::section::{Section, SectionKind};
use super::text::{self, BEGIN, END, Layout, Line, Markers};
use super::{invalid, place};
use crate::failure::Failure;
use std::collections::HashSet;
use std::fmt;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tegata_protocol::text::{is_hostile, one_line};

/// The longest value that is written. The longest that means something is a role's ARN (2,048 characters).
const MAX_VALUE: usize = 4096;

/// A file as it was on disk. Nothing is written over a file that is no longer this.
pub(super) struct Origin {
    /// The path as it was named.
    pub(super) path: PathBuf,
    /// Its content; nothing where there was no file.
    pub(super) bytes: Option<Vec<u8>>,
}

/// A config file: as it was read, or as it would be after a [`Change`].
#[derive(Clone)]
pub(crate) struct ConfigFile {
    origin: Arc<Origin>,
    bytes: Vec<u8>,
    layout: Layout,
}

/// Bytes to stand in the place of others.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Edit {
    /// Which bytes; an empty range inserts before its start.
    pub(crate) range: Range<usize>,
    pub(crate) with: String,
}

impl ConfigFile {
    /// Reads a file, links followed. One that is not there is empty.
    ///
    /// # Errors
    /// One line when it is no regular file, larger than 16 MiB, or no text in UTF-8.
    pub(crate) fn read(path: &Path) -> Result<Self, Failure> {
        let bytes = place::read(path)?;
        Self::of(Arc::new(Origin { path: path.to_owned(), bytes: bytes.clone() }), bytes.unwrap_or_default())
    }

    pub(super) fn of(origin: Arc<Origin>, bytes: Vec<u8>) -> Result<Self, Failure> {
        let layout = text::read(&bytes).map_err(|fault| invalid(&origin.path, fault))?;
        Ok(Self { origin, bytes, layout })
    }

    /// Returns the path as it was named.
    pub(crate) fn path(&self) -> &Path {
        &self.origin.path
    }

    /// Returns all sections in the order of the file, one that is there twice twice.
    pub(crate) fn sections(&self) -> &[Section] {
        &self.layout.sections
    }

    /// Returns the sections between our markers.
    pub(crate) fn generated(&self) -> &[Section] {
        self.layout.sections.get(self.generated_range()).unwrap_or_default()
    }

    /// Returns the section that AWS clients know by this kind and name, if it stands outside our markers. `[default]` is
    /// `[profile default]`, too; where both are there it is the latter, which every client prefers.
    pub(crate) fn outside(&self, kind: SectionKind, name: &str) -> Option<&Section> {
        let found = self.find_outside(kind, name);
        let exact = found.iter().find(|at| self.layout.sections[**at].kind == SectionKind::Profile);
        exact.or(found.first()).map(|at| &self.layout.sections[*at])
    }

    /// Returns what is odd about the file, one printable line each.
    pub(crate) fn warnings(&self) -> &[String] {
        &self.layout.warnings
    }

    /// Replaces what is between our markers, which are made at the end of the file where there are none, and taken away with
    /// the last section. Nothing outside of them changes.
    ///
    /// # Errors
    /// One line for a section that stands outside the markers already or is given twice, for a name or value that some AWS
    /// client would not read as it is meant, and for markers that nothing may be replaced between.
    pub(crate) fn with_generated(&self, sections: &[Section]) -> Result<Change, Failure> {
        self.check_markers()?;
        self.check_sections(sections)?;
        let eol = self.line_end();
        let edit = match self.layout.markers {
            Markers::Pair { begin, end } => {
                let range = self.layout.lines[begin].start..self.layout.lines[end].end;
                Edit { with: rendered(sections, eol), range }
            }
            _ => {
                let with = if sections.is_empty() { String::new() } else { self.apart(eol) + &rendered(sections, eol) };
                Edit { range: self.bytes.len()..self.bytes.len(), with }
            }
        };
        self.edited(vec![edit])
    }

    /// Adds a section of its own at the end, outside our markers.
    ///
    /// # Errors
    /// As [`ConfigFile::with_generated`].
    pub(crate) fn with_another(&self, section: &Section) -> Result<Change, Failure> {
        self.check_sections(std::slice::from_ref(section))?;
        let eol = self.line_end();
        let keys: String = section.keys.iter().map(|(key, value)| format!("{key} = {value}{eol}")).collect();
        let with = format!("{}{}{eol}{keys}", self.apart(eol), section.header());
        self.edited(vec![Edit { range: self.bytes.len()..self.bytes.len(), with }])
    }

    /// Makes edits. Two of them may not overlap; of two at the same place the first one comes first.
    pub(crate) fn edited(&self, mut edits: Vec<Edit>) -> Result<Change, Failure> {
        edits.sort_by_key(|edit| (edit.range.start, edit.range.end));
        let mut bytes = Vec::with_capacity(self.bytes.len());
        let mut at = 0;
        for edit in &edits {
            bytes.extend_from_slice(self.bytes.get(at..edit.range.start).unwrap_or_default());
            bytes.extend_from_slice(edit.with.as_bytes());
            at = edit.range.end.max(at);
        }
        bytes.extend_from_slice(self.bytes.get(at..).unwrap_or_default());
        Change::to(Arc::clone(&self.origin), bytes)
    }

    pub(super) fn layout(&self) -> &Layout {
        &self.layout
    }

    /// Returns these bytes, if they are text.
    pub(super) fn text_at(&self, range: Range<usize>) -> Option<&str> {
        std::str::from_utf8(self.bytes.get(range)?).ok()
    }

    /// Returns a line's text; nothing for what is no text.
    pub(super) fn line(&self, line: usize) -> &str {
        self.layout.lines.get(line).and_then(|line| self.text_at(line.clone())).unwrap_or_default()
    }

    /// Returns whether a line is blank or a comment.
    pub(super) fn is_nothing(&self, line: usize) -> bool {
        self.layout.kinds.get(line) == Some(&Line::Nothing)
    }

    /// Returns whether what comes before this byte ends a line.
    pub(super) fn ends_line(&self, at: usize) -> bool {
        at.checked_sub(1).and_then(|last| self.bytes.get(last)) == Some(&b'\n')
    }

    /// Returns the places among [`ConfigFile::sections`] of those AWS clients know by this kind and name, outside our markers.
    pub(crate) fn find_outside(&self, kind: SectionKind, name: &str) -> Vec<usize> {
        let generated = self.generated_range();
        let fits = |at: &usize| !generated.contains(at) && self.layout.sections[*at].is(kind, name);
        (0..self.layout.sections.len()).filter(fits).collect()
    }

    fn generated_range(&self) -> Range<usize> {
        let Markers::Pair { begin, end } = self.layout.markers else { return 0..0 };
        let before = |line: usize| self.layout.spans.partition_point(|span| span.header < line);
        before(begin)..before(end)
    }

    /// The line end of the file's first line, so that a file of one kind stays so.
    pub(super) fn line_end(&self) -> &'static str {
        let first = self.layout.lines.first().and_then(|line| self.bytes.get(line.clone())).unwrap_or_default();
        if first.ends_with(b"\r\n") { "\r\n" } else { "\n" }
    }

    /// What ends the last line and keeps a blank one between it and what comes next.
    fn apart(&self, eol: &str) -> String {
        let Some(last) = self.layout.lines.last().and_then(|line| self.bytes.get(line.clone())) else {
            return String::new();
        };
        match (last.ends_with(b"\n"), last.trim_ascii().is_empty()) {
            (true, true) => String::new(),
            (true, false) | (false, true) => eol.to_owned(),
            (false, false) => format!("{eol}{eol}"),
        }
    }

    fn check_markers(&self) -> Result<(), Failure> {
        match &self.layout.markers {
            Markers::None => Ok(()),
            Markers::Broken(fault) => Err(invalid(&self.origin.path, fault)),
            Markers::Pair { end, .. } => {
                let hangs = |line: &usize| self.layout.kinds[*line] != Line::Nothing;
                match (end + 1..self.layout.kinds.len()).find(hangs) {
                    Some(line) if self.layout.kinds[line] == Line::Body => {
                        let line = line + 1;
                        let detail =
                            format!("line {line}, below `{END}`, belongs to no section; put it below a header");
                        Err(invalid(&self.origin.path, detail))
                    }
                    _ => Ok(()),
                }
            }
        }
    }

    fn check_sections(&self, sections: &[Section]) -> Result<(), Failure> {
        let generated = self.generated_range();
        let outside = self.layout.sections.iter().enumerate().filter(|(at, _)| !generated.contains(at));
        let taken: HashSet<_> = outside.map(|(_, section)| identity(section)).collect();
        let mut given = HashSet::new();
        for section in sections {
            let header = one_line(&section.header());
            let refused = |detail: &str| Err(invalid(&self.origin.path, format!("{header} {detail}")));
            if !is_safe_name(section) {
                return refused(
                    "is not written: some AWS clients cannot read such a name (letters, digits and _.@/+- do)",
                );
            }
            if taken.contains(&identity(section)) {
                return refused("is there already, outside of what Tegata has written; rename it, or adopt it");
            }
            if !given.insert(identity(section)) {
                return refused("would be written twice");
            }
            if let Some((key, _)) = section.keys.iter().find(|(key, value)| !is_safe_key(key) || !is_safe_value(value))
            {
                let key = one_line(key);
                return refused(&format!("is not written: AWS clients would not read its {key} as it is meant"));
            }
        }
        Ok(())
    }
}

/// What a section is known by. `[default]` and `[profile default]` are one.
fn identity(section: &Section) -> (SectionKind, &str) {
    let kind = if section.kind == SectionKind::Default { SectionKind::Profile } else { section.kind };
    (kind, &section.name)
}

fn rendered(sections: &[Section], eol: &str) -> String {
    if sections.is_empty() {
        return String::new();
    }
    let sections: Vec<String> = sections
        .iter()
        .map(|section| {
            let keys: String = section.keys.iter().map(|(key, value)| format!("{key} = {value}{eol}")).collect();
            format!("{}{eol}{keys}", section.header())
        })
        .collect();
    format!("{BEGIN}{eol}{}{END}{eol}", sections.join(eol))
}

/// The names every AWS client reads (measured with AWS CLI 2, boto3, JS v3, Rust and Go).
fn is_safe_name(section: &Section) -> bool {
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || b"_.@/+-".contains(&byte);
    match section.kind {
        SectionKind::Default => section.name == "default",
        SectionKind::Profile | SectionKind::SsoSession => {
            (1..=255).contains(&section.name.len()) && section.name.bytes().all(fits)
        }
        SectionKind::Other => false,
    }
}

fn is_safe_key(key: &str) -> bool {
    !key.is_empty() && key.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_')
}

/// ` #` and ` ;` begin a comment for JS, Rust and Go and belong to the value for botocore.
fn is_safe_value(value: &str) -> bool {
    let commented = [" #", " ;", "\t#", "\t;"].iter().any(|mark| value.contains(mark)) || value.starts_with(['#', ';']);
    let plain = !value.chars().any(is_hostile) && value.trim() == value;
    !value.is_empty() && value.len() <= MAX_VALUE && plain && !commented
}

/// The text may hold secrets of the person's.
impl fmt::Debug for ConfigFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ConfigFile").field("path", &self.origin.path).field("sections", &self.layout.sections).finish()
    }
}

#[cfg(test)]
impl ConfigFile {
    /// Returns the whole text.
    pub(crate) fn text(&self) -> &str {
        std::str::from_utf8(&self.bytes).expect("a test's file is text")
    }
}

#[cfg(test)]
#[path = "file_tests.rs"]
mod tests;
