//! The AWS config format → [`Document`]: sections and keys with their lines. Knows no key's meaning and reads no file.
//!
//! No two clients read this format alike, so whatever any of them accepts is accepted here (measured with CLI 2.38, boto3,
//! JS v3, Rust, Go). What is odd becomes a warning; only text that is no config file at all is refused.

use std::collections::HashMap;
pub(super) use tegata_protocol::aws_config::MAX_BYTES;
use tegata_protocol::aws_config::{
    MAX_LINE, check_file, end_of_header, is_blank, is_plain_key, line_text, trim, unquoted, without_comment,
};
use tegata_protocol::text::one_line;

/// The most sections of a file.
const MAX_SECTIONS: usize = 100_000;
/// The most keys of a section; AWS documents about forty.
const MAX_KEYS: usize = 128;
/// The most warnings that are kept.
const MAX_WARNINGS: usize = 50;

/// Why a text, or a part of it, cannot be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Fault {
    /// The line it is about, from 1.
    pub(super) line: Option<u32>,
    /// What is wrong; printable.
    pub(super) detail: String,
}

impl Fault {
    pub(super) fn at(line: u32, detail: impl Into<String>) -> Self {
        Self { line: Some(line), detail: detail.into() }
    }

    pub(super) fn whole(detail: impl Into<String>) -> Self {
        Self { line: None, detail: detail.into() }
    }
}

impl std::fmt::Display for Fault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.line {
            Some(line) => write!(f, "line {line}: {}", self.detail),
            None => f.write_str(&self.detail),
        }
    }
}

/// What a section describes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Kind {
    /// `[profile N]`, or `[default]`.
    Profile,
    /// `[sso-session N]`.
    SsoSession,
    /// Anything else, `[services N]` and a forgotten `profile ` among them. Its keys are not kept.
    Other,
}

/// A section.
#[derive(Clone, Debug)]
pub(super) struct Section {
    pub(super) kind: Kind,
    /// Its name as written, quotes taken off; of another section the whole header.
    pub(super) name: String,
    /// The line of its (first) header.
    pub(super) line: u32,
    keys: Vec<Entry>,
}

/// A key of a section.
#[derive(Clone, Debug)]
pub(super) struct Entry {
    /// Its name in lower case.
    pub(super) key: Box<str>,
    /// Its value without comment and surrounding white space; continuation lines follow after `\n`.
    pub(super) value: String,
    /// The line it is on.
    pub(super) line: u32,
}

impl Section {
    /// Returns the key of this (lower-case) name.
    pub(super) fn get(&self, key: &str) -> Option<&Entry> {
        self.keys.iter().find(|entry| &*entry.key == key)
    }

    /// Returns all keys.
    pub(super) fn keys(&self) -> &[Entry] {
        &self.keys
    }
}

/// A file as it is written: each section once, in the order of the file.
#[derive(Debug, Default)]
pub(super) struct Document {
    pub(super) sections: Vec<Section>,
    pub(super) warnings: Vec<String>,
}

/// Reads a whole file.
///
/// # Errors
/// [`Fault`] when this is no text in UTF-8, or larger in some way than is read.
pub(super) fn read(bytes: &[u8]) -> Result<Document, Fault> {
    check_file(bytes).map_err(Fault::whole)?;
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let mut reader = Reader::default();
    for (number, line) in (1_u32..).zip(bytes.split(|byte| *byte == b'\n')) {
        reader.line(number, line_text(line).map_err(|why| Fault::at(number, why))?)?;
    }
    Ok(reader.finish())
}

/// Where keys go that are read now.
#[derive(Clone, Copy, Debug, Default)]
enum Place {
    /// Before the first section.
    #[default]
    Nowhere,
    /// A section whose keys are kept.
    Section(usize),
    /// A section whose keys are not kept.
    Ignored,
}

/// The key that lines indented deeper belong to.
#[derive(Clone, Copy, Debug)]
struct OpenKey {
    indent: usize,
    entry: usize,
    /// Whether its value is empty: then what follows indented is a nested block, such as that of `s3 =`.
    block: bool,
}

#[derive(Debug, Default)]
struct Reader {
    document: Document,
    index: HashMap<(Kind, String), usize>,
    /// `[default]`, until it is known whether there is a `[profile default]`, which wins with every client.
    bare_default: Option<usize>,
    place: Place,
    open: Option<OpenKey>,
    unwarned: usize,
}

impl Reader {
    fn warn(&mut self, line: u32, detail: &str) {
        if self.document.warnings.len() < MAX_WARNINGS {
            self.document.warnings.push(format!("line {line}: {}", one_line(detail)));
        } else {
            self.unwarned += 1;
        }
    }

    fn line(&mut self, number: u32, text: &str) -> Result<(), Fault> {
        let trimmed = trim(text);
        if trimmed.is_empty() || trimmed.starts_with(['#', ';']) {
            return Ok(());
        }
        let indent = text.len() - text.trim_start_matches(is_blank).len();
        let deeper = self.open.filter(|open| indent > open.indent);
        match (header(trimmed), deeper) {
            (Header::Section(kind, name), _) => self.section(number, kind, name),
            (Header::Broken(detail), None) => {
                (self.place, self.open) = (Place::Ignored, None);
                self.warn(number, detail);
                Ok(())
            }
            (_, Some(open)) => self.deeper(number, trimmed, open),
            (Header::None, None) => self.key(number, trimmed, indent),
        }
    }

    fn section(&mut self, line: u32, kind: Kind, name: String) -> Result<(), Fault> {
        self.open = None;
        let bare = kind == Kind::Other && name == "default";
        let known = if bare { self.bare_default } else { self.index.get(&(kind, name.clone())).copied() };
        if let Some(known) = known {
            let first = self.document.sections[known].line;
            if kind != Kind::Other || bare {
                self.warn(
                    line,
                    &format!("section {name:?} again (first on line {first}); the AWS CLI refuses the file"),
                );
                self.place = Place::Section(known);
            } else {
                self.place = Place::Ignored;
            }
            return Ok(());
        }
        if self.document.sections.len() == MAX_SECTIONS {
            return Err(Fault::at(line, format!("more than the {MAX_SECTIONS} sections that are read")));
        }
        let place = self.document.sections.len();
        self.place = if kind == Kind::Other && !bare { Place::Ignored } else { Place::Section(place) };
        if bare {
            self.bare_default = Some(place);
        } else {
            self.index.insert((kind, name.clone()), place);
        }
        let kind = if bare { Kind::Profile } else { kind };
        self.document.sections.push(Section { kind, name, line, keys: Vec::new() });
        Ok(())
    }

    /// A line indented deeper than the key before it. Python continues the value, JS reads another key.
    fn deeper(&mut self, line: u32, trimmed: &str, open: OpenKey) -> Result<(), Fault> {
        if open.block {
            return Ok(());
        }
        if let Some((key, value)) = trimmed.split_once('=').filter(|(key, _)| is_plain_key(trim(key))) {
            return self.set(line, key, value, open.indent);
        }
        if let Place::Section(section) = self.place {
            let entry = &mut self.document.sections[section].keys[open.entry];
            if entry.value.len() + trimmed.len() > MAX_LINE {
                return Err(Fault::at(line, "continues a value beyond what is read"));
            }
            entry.value.push('\n');
            entry.value.push_str(trim(without_comment(trimmed)));
        }
        Ok(())
    }

    fn key(&mut self, line: u32, trimmed: &str, indent: usize) -> Result<(), Fault> {
        match trimmed.split_once(['=', ':']) {
            Some((key, value)) => self.set(line, key, value, indent),
            None => {
                self.warn(line, "neither a section nor `key = value`; the AWS CLI refuses the file");
                Ok(())
            }
        }
    }

    fn set(&mut self, line: u32, key: &str, value: &str, indent: usize) -> Result<(), Fault> {
        let section = match self.place {
            Place::Section(section) => section,
            Place::Ignored => return Ok(()),
            Place::Nowhere => {
                self.warn(line, "a key before the first section; the AWS CLI refuses the file");
                return Ok(());
            }
        };
        let entry =
            Entry { key: trim(key).to_ascii_lowercase().into(), value: trim(without_comment(value)).to_owned(), line };
        let keys = &mut self.document.sections[section].keys;
        let block = entry.value.is_empty();
        let known = keys.iter().position(|known| known.key == entry.key);
        self.open = Some(OpenKey { indent, entry: known.unwrap_or(keys.len()), block });
        match known {
            Some(known) => {
                let warning =
                    format!("key {:?} again (first on line {}); the last one counts", entry.key, keys[known].line);
                keys[known] = entry;
                self.warn(line, &warning);
            }
            None if keys.len() == MAX_KEYS => {
                return Err(Fault::at(line, format!("more than the {MAX_KEYS} keys of a section that are read")));
            }
            None => keys.push(entry),
        }
        Ok(())
    }

    fn finish(mut self) -> Document {
        let prefixed = self.index.get(&(Kind::Profile, "default".to_owned())).copied();
        if let (Some(bare), Some(_)) = (self.bare_default, prefixed) {
            let line = self.document.sections[bare].line;
            self.warn(line, "[default] is not read: [profile default] is there, too, and wins");
            self.document.sections.remove(bare);
        }
        if self.unwarned > 0 {
            self.document.warnings.push(format!("and {} more of this kind", self.unwarned));
        }
        self.document
    }
}

enum Header {
    Section(Kind, String),
    Broken(&'static str),
    None,
}

fn header(trimmed: &str) -> Header {
    let Some(rest) = trimmed.strip_prefix('[') else { return Header::None };
    let Some(end) = end_of_header(rest) else {
        return Header::Broken("a section header without its `]`; the section is not read");
    };
    named(trim(&rest[..end]))
}

fn named(inner: &str) -> Header {
    let (word, name) = inner.split_once(is_blank).unwrap_or((inner, ""));
    let name = unquoted(trim(name));
    match word {
        "profile" | "sso-session" if name.is_empty() => Header::Broken("a section without a name; it is not read"),
        "profile" => Header::Section(Kind::Profile, name.to_owned()),
        "sso-session" => Header::Section(Kind::SsoSession, name.to_owned()),
        _ => Header::Section(Kind::Other, inner.to_owned()),
    }
}

#[cfg(test)]
#[path = "text_tests.rs"]
mod tests;
