//! A command that the settings name.

use serde::{Deserialize, Serialize};
use std::path::Path;
use tegata_protocol::text::{is_hostile, one_line};

/// The most words of a command.
const MAX_WORDS: usize = 64;
/// The most bytes of one word.
const MAX_WORD: usize = 4096;

/// A program by its absolute path, and its arguments. No shell reads it, and nothing is looked for in a search path.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "Vec<String>", into = "Vec<String>")]
pub struct CommandLine {
    words: Vec<String>,
}

impl CommandLine {
    /// Returns the program's path.
    #[must_use]
    pub fn program(&self) -> &Path {
        Path::new(self.words.first().map_or("", String::as_str))
    }

    /// Returns what it is called with.
    pub fn arguments(&self) -> impl Iterator<Item = &str> {
        self.words.iter().skip(1).map(String::as_str)
    }

    /// Returns all words, the program's path first.
    #[must_use]
    pub fn words(&self) -> &[String] {
        &self.words
    }

    /// Returns the program's path as it is shown. Arguments are not: they may say more than everybody should read.
    #[must_use]
    pub fn shown(&self) -> String {
        one_line(&self.program().to_string_lossy())
    }
}

const EXPECTED: &str = "a command is a list of at most 64 words, the program's absolute path first, such as [\"/usr/local/bin/token\", \"--for\", \"aws\"]";

impl TryFrom<Vec<String>> for CommandLine {
    type Error = &'static str;

    fn try_from(words: Vec<String>) -> Result<Self, Self::Error> {
        let program = words.first().ok_or(EXPECTED)?;
        let named = program.starts_with('/') && !program.ends_with('/') && !program.contains(is_hostile);
        if !named || words.len() > MAX_WORDS {
            return Err(EXPECTED);
        }
        if words.iter().any(|word| word.len() > MAX_WORD || word.contains('\0')) {
            return Err("a word of a command has at most 4,096 bytes, and no NUL");
        }
        Ok(Self { words })
    }
}

impl From<CommandLine> for Vec<String> {
    fn from(command: CommandLine) -> Self {
        command.words
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn command(words: &[&str]) -> Result<CommandLine, &'static str> {
        words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>().try_into()
    }

    #[test]
    fn a_command_is_an_absolute_path_and_its_arguments() {
        let read = command(&["/usr/bin/token", "--for", "", "a b\n$(id)"]).unwrap();
        assert_eq!(read.program(), Path::new("/usr/bin/token"));
        assert_eq!(read.arguments().collect::<Vec<_>>(), ["--for", "", "a b\n$(id)"]);
        assert_eq!(read.shown(), "/usr/bin/token");
    }

    #[test]
    fn a_command_that_would_have_to_be_looked_for_is_refused() {
        for program in ["", "token", "./token", "~/token", "$HOME/token", "/", "/bin/", "/bin/a\nb", "/bin/a\u{202e}b"]
        {
            assert_eq!(command(&[program]), Err(EXPECTED), "{program:?}");
        }
        assert_eq!(command(&[]), Err(EXPECTED));
    }

    #[test]
    fn a_command_has_so_many_words_of_so_many_bytes() {
        assert!(command(&["/bin/a"; 64]).is_ok());
        assert_eq!(command(&["/bin/a"; 65]), Err(EXPECTED));
        assert!(command(&["/bin/a", &"x".repeat(4096)]).is_ok());
        for word in ["x".repeat(4097), "a\0b".to_owned()] {
            assert!(command(&["/bin/a", &word]).unwrap_err().contains("4,096 bytes"));
        }
    }

    #[test]
    fn a_command_is_what_it_was_on_the_other_side() {
        let sent = command(&["/bin/a", "\u{1b}[2J\"\\"]).unwrap();
        let text = serde_json::to_string(&sent).unwrap();
        assert_eq!(serde_json::from_str::<CommandLine>(&text).unwrap(), sent);
        assert!(serde_json::from_str::<CommandLine>("[\"sh\"]").is_err());
    }
}
