//! A command line that is being typed → its words. Pure.
//!
//! bash hands out words that it has split at `:` and `=` too, so its line is read here. The rules are those of POSIX.1-2017, Shell
//! Command Language, 2.2, without expansions: what would be expanded stays as it is typed.

/// A command line up to the cursor.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Line {
    /// The words before the one at the cursor, without quotes.
    pub(super) before: Vec<String>,
    /// The word at the cursor, without quotes.
    pub(super) current: String,
    /// How much of `current`, in bytes, lies before the part that bash replaces.
    pub(super) kept: usize,
    /// The quote that is open at the cursor.
    pub(super) open: Option<char>,
}

/// Reads a line. `breaks` are the characters after which bash replaces (`COMP_WORDBREAKS`).
pub(super) fn read(line: &str, breaks: &str) -> Line {
    let mut read = Line::default();
    let mut begun = false;
    let mut chars = line.chars();
    while let Some(c) = chars.next() {
        match (read.open, c) {
            (None, ' ' | '\t' | '\n') => {
                if begun {
                    read.before.push(std::mem::take(&mut read.current));
                }
                (begun, read.kept) = (false, 0);
                continue;
            }
            (None, '\'' | '"') => {
                read.open = Some(c);
                // What is replaced begins behind an open quote.
                read.kept = read.current.len();
            }
            (Some(open), c) if open == c => read.open = None,
            (None | Some('"'), '\\') => read.current.extend(chars.next()),
            (open, c) => {
                read.current.push(c);
                if open.is_none() && breaks.contains(c) {
                    read.kept = read.current.len();
                }
            }
        }
        begun = true;
    }
    read
}

/// Returns a text as part of an unquoted word: what a shell would not take as it is has a backslash in front.
pub(super) fn escaped(text: &str) -> String {
    let plain = |c: char| !c.is_ascii() || c.is_ascii_alphanumeric() || "_-./:@%+,=".contains(c);
    text.chars().fold(String::new(), |mut escaped, c| {
        if !plain(c) {
            escaped.push('\\');
        }
        escaped.push(c);
        escaped
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const BREAKS: &str = " \t\n\"'@><=;|&(:";

    #[test]
    fn words_end_at_blanks_outside_of_quotes() {
        let line = read("tegata  elevate 'a b' c\\ d \"e f\" g", BREAKS);
        assert_eq!(line.before, ["tegata", "elevate", "a b", "c d", "e f"]);
        assert_eq!((line.current.as_str(), line.kept, line.open), ("g", 0, None));
        assert_eq!(read("tg ", BREAKS).before, ["tg"]);
        assert_eq!(read("tg '' ", BREAKS).before, ["tg", ""]);
    }

    #[test]
    fn what_bash_replaces_begins_behind_the_last_break() {
        assert_eq!(read("tg corp:de", BREAKS).kept, 5);
        assert_eq!(read("tegata x --profile=corp:de", BREAKS).kept, "--profile=corp:".len());
        assert_eq!(read("tg corp:de", " ").kept, 0);
    }

    #[test]
    fn an_open_quote_is_known() {
        let line = read("tg 'a b", BREAKS);
        assert_eq!((line.current.as_str(), line.open), ("a b", Some('\'')));
    }

    #[test]
    fn an_escaped_text_is_read_as_itself() {
        for text in ["dev", "a b", "$(touch x)", "it's;rm -rf ~", "開発#1", "a\\b\"c"] {
            assert_eq!(read(&escaped(text), "").current, text);
            let output =
                std::process::Command::new("sh").args(["-c", &format!("printf %s {}", escaped(text))]).output();
            assert_eq!(String::from_utf8(output.unwrap().stdout).unwrap(), text);
        }
    }
}
