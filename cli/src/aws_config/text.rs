//! The AWS config format, bytes → sections, and where each of their lines stands. Knows no key's meaning.
//!
//! Reads what the daemon's parser reads, in the same way: whatever any AWS client takes is taken here.

use super::section::{Section, SectionKind};
use std::collections::HashMap;
use std::fmt;
use std::ops::Range;
pub(super) use tegata_protocol::aws_config::MAX_BYTES;
use tegata_protocol::aws_config::{
    MAX_LINE, check_file, end_of_header, is_blank, is_plain_key, line_text, trim, unquoted, without_comment,
};
use tegata_protocol::text::one_line;

/// The most sections of a file, as for the daemon.
const MAX_SECTIONS: usize = 100_000;
/// The most warnings that are kept.
const MAX_WARNINGS: usize = 20;
/// A byte order mark.
const BOM: &[u8] = b"\xef\xbb\xbf";

/// The line above the profiles that Tegata writes.
pub(super) const BEGIN: &str = "# BEGIN tegata: written by `tegata setup`, edit outside";
/// The line below them.
pub(super) const END: &str = "# END tegata";
/// How the line above them is recognised, whatever an older or newer version says behind it.
const BEGINS: &str = "# BEGIN tegata";

/// Why a text cannot be used: the line, from 1, and one printable line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Fault {
    pub(super) line: Option<usize>,
    pub(super) detail: String,
}

impl Fault {
    fn at(line: usize, detail: impl Into<String>) -> Self {
        Self { line: Some(line + 1), detail: detail.into() }
    }

    fn whole(detail: impl Into<String>) -> Self {
        Self { line: None, detail: detail.into() }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            Some(line) => write!(f, "line {line}: {}", self.detail),
            None => f.write_str(&self.detail),
        }
    }
}

/// Where a section stands. Lines are counted from 0.
#[derive(Clone, Debug)]
pub(super) struct Span {
    /// The line of its header.
    pub(super) header: usize,
    /// The line of the next header, or behind the last line.
    pub(super) end: usize,
    /// Where its keys stand, in the order of [`Section::keys`].
    pub(super) keys: Vec<KeySpan>,
}

/// Where a key stands.
#[derive(Clone, Debug)]
pub(super) struct KeySpan {
    pub(super) first: usize,
    /// Its last line: those indented deeper belong to it.
    pub(super) last: usize,
    /// The byte its name begins at.
    pub(super) at: usize,
}

/// What a line is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Line {
    /// Blank, or a comment.
    Nothing,
    Header,
    /// Part of a section.
    Body,
}

/// Everything in a text, and where.
#[derive(Clone, Debug, Default)]
pub(super) struct Layout {
    /// The bytes of each line, its end included.
    pub(super) lines: Vec<Range<usize>>,
    pub(super) kinds: Vec<Line>,
    pub(super) sections: Vec<Section>,
    /// Where each of the sections stands.
    pub(super) spans: Vec<Span>,
    /// The lines of our markers.
    pub(super) markers: Markers,
    pub(super) warnings: Vec<String>,
}

/// The two lines around what Tegata has written.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) enum Markers {
    /// There are none.
    #[default]
    None,
    /// One pair.
    Pair { begin: usize, end: usize },
    /// Something that nothing may be replaced in.
    Broken(Fault),
}

/// Reads a whole text.
///
/// # Errors
/// [`Fault`] when this is no text in UTF-8 (comments may hold anything), or larger in some way than is read.
pub(super) fn read(bytes: &[u8]) -> Result<Layout, Fault> {
    check_file(bytes).map_err(Fault::whole)?;
    let mut reader = Reader::default();
    let mut at = 0;
    for (number, line) in bytes.split_inclusive(|byte| *byte == b'\n').enumerate() {
        let skipped = if number == 0 && line.starts_with(BOM) { BOM.len() } else { 0 };
        reader.layout.lines.push(at..at + line.len());
        let text = line_text(line.get(skipped..).unwrap_or_default()).map_err(|why| Fault::at(number, why))?;
        reader.line(number, at + skipped, text)?;
        at += line.len();
    }
    if bytes.starts_with(BOM) {
        reader.layout.warnings.insert(0, "begins with a byte order mark, which the AWS CLI does not read".to_owned());
    }
    Ok(reader.finish())
}

/// The key that lines indented deeper belong to.
#[derive(Clone, Copy)]
struct OpenKey {
    indent: usize,
    /// Whether its value is empty: then what follows indented is a nested block.
    block: bool,
}

#[derive(Default)]
struct Reader {
    layout: Layout,
    open: Option<OpenKey>,
}

impl Reader {
    fn warn(&mut self, line: usize, detail: &str) {
        if self.layout.warnings.len() < MAX_WARNINGS {
            self.layout.warnings.push(format!("line {}: {}", line + 1, one_line(detail)));
        }
    }

    fn line(&mut self, number: usize, start: usize, text: &str) -> Result<(), Fault> {
        let trimmed = trim(text);
        if trimmed.is_empty() || trimmed.starts_with(['#', ';']) {
            self.layout.kinds.push(Line::Nothing);
            self.marker(number, trimmed);
            return Ok(());
        }
        let indent = text.len() - text.trim_start_matches(is_blank).len();
        let deeper = self.open.filter(|open| indent > open.indent);
        let header =
            header(trimmed).filter(|(kind, _)| deeper.is_none() || *kind != SectionKind::Other || closed(trimmed));
        if let Some((kind, name)) = header {
            self.layout.kinds.push(Line::Header);
            return self.section(number, kind, name);
        }
        self.layout.kinds.push(Line::Body);
        match deeper {
            Some(open) => self.deeper(number, start + indent, trimmed, open),
            None => self.key(number, start + indent, trimmed, indent),
        }
        Ok(())
    }

    fn marker(&mut self, number: usize, comment: &str) {
        let begins = comment.strip_prefix(BEGINS).is_some_and(|rest| rest.is_empty() || rest.starts_with([':', ' ']));
        if !begins && comment != END {
            return;
        }
        let markers = &mut self.layout.markers;
        *markers = match (&*markers, begins) {
            (Markers::None, true) => Markers::Pair { begin: number, end: usize::MAX },
            (Markers::Pair { begin, end: usize::MAX }, false) => Markers::Pair { begin: *begin, end: number },
            (Markers::None, false) => {
                Markers::Broken(Fault::at(number, format!("`{END}` without a line that begins; remove it")))
            }
            (Markers::Pair { .. }, _) => {
                Markers::Broken(Fault::at(number, format!("`{comment}` again; keep one such pair of lines")))
            }
            (Markers::Broken(fault), _) => Markers::Broken(fault.clone()),
        };
    }

    fn section(&mut self, number: usize, kind: SectionKind, name: String) -> Result<(), Fault> {
        if self.layout.sections.len() == MAX_SECTIONS {
            return Err(Fault::at(number, format!("more than the {MAX_SECTIONS} sections that are read")));
        }
        self.open = None;
        if let Some(last) = self.layout.spans.last_mut() {
            last.end = number;
        }
        self.layout.sections.push(Section::new(kind, name));
        self.layout.spans.push(Span { header: number, end: number, keys: Vec::new() });
        Ok(())
    }

    /// A line indented deeper than the key before it. Python continues the value, JS reads another key.
    fn deeper(&mut self, number: usize, at: usize, trimmed: &str, open: OpenKey) {
        if !open.block
            && let Some((key, value)) = trimmed.split_once('=').filter(|(key, _)| is_plain_key(trim(key)))
        {
            return self.set(number, at, key, value, open.indent);
        }
        let (Some(section), Some(span)) = (self.layout.sections.last_mut(), self.layout.spans.last_mut()) else {
            return;
        };
        if let (Some((_, value)), Some(key)) = (section.keys.last_mut(), span.keys.last_mut()) {
            key.last = number;
            if !open.block && value.len() < MAX_LINE {
                value.push('\n');
                value.push_str(trim(without_comment(trimmed)));
            }
        }
    }

    fn key(&mut self, number: usize, at: usize, trimmed: &str, indent: usize) {
        match trimmed.split_once(['=', ':']) {
            Some((key, value)) => self.set(number, at, key, value, indent),
            None => self.warn(number, "neither a section nor `key = value`; the AWS CLI refuses the file"),
        }
    }

    fn set(&mut self, number: usize, at: usize, key: &str, value: &str, indent: usize) {
        let (Some(section), Some(span)) = (self.layout.sections.last_mut(), self.layout.spans.last_mut()) else {
            return self.warn(number, "a key before the first section; the AWS CLI refuses the file");
        };
        let value = trim(without_comment(value)).to_owned();
        self.open = Some(OpenKey { indent, block: value.is_empty() });
        section.keys.push((trim(key).to_ascii_lowercase(), value));
        span.keys.push(KeySpan { first: number, last: number, at });
    }

    fn finish(mut self) -> Layout {
        let count = self.layout.lines.len();
        if let Some(last) = self.layout.spans.last_mut() {
            last.end = count;
        }
        self.warn_of_duplicates();
        if let Markers::Pair { begin, end: usize::MAX } = self.layout.markers {
            let detail = format!("`{BEGINS}` without its end; write `{END}` where it ends");
            self.layout.markers = Markers::Broken(Fault::at(begin, detail));
        }
        self.layout
    }
}

impl Reader {
    fn warn_of_duplicates(&mut self) {
        let mut firsts = HashMap::new();
        let mut again = Vec::new();
        for (section, span) in self.layout.sections.iter().zip(&self.layout.spans) {
            let first = *firsts.entry((section.kind, &section.name)).or_insert(span.header);
            if first != span.header && section.kind != SectionKind::Other {
                let header = section.header();
                again.push((
                    span.header,
                    format!("{header} again (first on line {}); the AWS CLI refuses the file", first + 1),
                ));
            }
        }
        again.into_iter().for_each(|(line, detail)| self.warn(line, &detail));
    }
}

fn closed(trimmed: &str) -> bool {
    trimmed.contains(']')
}

/// Reads a section's header. One without its `]`, or without a name, begins a section nobody reads.
fn header(trimmed: &str) -> Option<(SectionKind, String)> {
    let rest = trimmed.strip_prefix('[')?;
    let inner = trim(end_of_header(rest).and_then(|end| rest.get(..end)).unwrap_or(rest));
    let (word, name) = inner.split_once(is_blank).unwrap_or((inner, ""));
    let name = unquoted(trim(name));
    Some(match word {
        "default" if name.is_empty() && closed(trimmed) => (SectionKind::Default, "default".to_owned()),
        "profile" if !name.is_empty() && closed(trimmed) => (SectionKind::Profile, name.to_owned()),
        "sso-session" if !name.is_empty() && closed(trimmed) => (SectionKind::SsoSession, name.to_owned()),
        _ => (SectionKind::Other, inner.to_owned()),
    })
}
