//! What is wrong with `config.toml`, in one line.

use crate::nearest::nearest;
use tegata_protocol::text::one_line;

/// Words of the whole file that later versions read.
const LATER_TABLES: [&str; 1] = ["caller"];

/// Why the settings cannot be used. One line each.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SettingsError {
    /// The text cannot be used as it is written.
    #[error("{}{detail}", prefix(*.line))]
    Wrong {
        /// The line it is about, from 1; absent where it is about several.
        line: Option<usize>,
        /// What is wrong.
        detail: String,
    },
    /// The file cannot be used.
    #[error("{file}: {detail}")]
    File {
        /// The file.
        file: String,
        /// What is wrong with it, or with its text.
        detail: String,
    },
}

impl SettingsError {
    pub(super) fn whole(detail: &str) -> Self {
        Self::Wrong { line: None, detail: detail.to_owned() }
    }
}

/// Says what is wrong with what begins at this byte of the text.
pub(super) fn at(text: &str, start: usize, detail: &str) -> SettingsError {
    SettingsError::Wrong { line: line_of(text, start), detail: one_line(detail) }
}

fn line_of(text: &str, start: usize) -> Option<usize> {
    text.get(..start).map(|before| before.matches('\n').count() + 1)
}

fn prefix(line: Option<usize>) -> String {
    line.map(|line| format!("line {line}: ")).unwrap_or_default()
}

/// Says what the parser says, with the line, the key, and the nearest of the words that would have been right.
pub(super) fn of(text: &str, error: &toml::de::Error) -> SettingsError {
    let line = error.span().and_then(|span| line_of(text, span.start));
    let detail = match word(error.message()) {
        Some((found, known)) => unknown(found, &known),
        None => match line.and_then(|line| key(text, line)) {
            Some(key) => format!("{key}: {}", plain(error.message())),
            None => plain(error.message()),
        },
    };
    SettingsError::Wrong { line, detail: one_line(&detail.replace('\n', ", ")) }
}

/// Says types as they are called in TOML.
fn plain(message: &str) -> String {
    match message.split_once(", expected ") {
        Some((found, "i64")) => format!("{found}, expected a whole number"),
        Some((found, "a sequence")) => format!("{found}, expected a list in brackets"),
        Some((found, expected)) if expected.starts_with("struct ") => format!("{found}, expected a table"),
        _ => message.to_owned(),
    }
}

/// Takes apart what serde says of a word that is none of those it knows: "unknown field `x`, expected one of `a`, `b`".
fn word(message: &str) -> Option<(&str, Vec<&str>)> {
    let words = message.strip_prefix("unknown field ").or_else(|| message.strip_prefix("unknown variant "))?;
    let (found, known) = words.strip_prefix('`')?.split_once("`, expected ")?;
    Some((found, known.split('`').skip(1).step_by(2).collect()))
}

fn unknown(found: &str, known: &[&str]) -> String {
    if LATER_TABLES.contains(&found) && known.contains(&"store") {
        return format!("{found} is read by later versions of Tegata only; this one cannot honour it");
    }
    let near = nearest(found, known.iter().copied());
    let hint = if near.is_empty() {
        format!("it reads {}", known.join(", "))
    } else {
        format!("nearest: {}", near.join(", "))
    };
    format!("Tegata does not know {found:?}; {hint}")
}

/// Returns the key that a line sets.
fn key(text: &str, line: usize) -> Option<&str> {
    let (key, _) = text.lines().nth(line - 1)?.split_once('=')?;
    let key = key.trim();
    let plain = key.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-.".contains(&byte));
    if plain && !key.is_empty() { Some(key) } else { None }
}
