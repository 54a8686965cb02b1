//! The command line that AWS tools start this program with.

use crate::environment::Environment;
use crate::failure::{Failure, Kind};
use std::path::{Path, PathBuf};
use tegata_protocol::text::one_line;

/// This program, as AWS config names it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Program(String);

impl Program {
    /// Finds the path that this program is known by.
    ///
    /// # Errors
    /// One line when it lies where no AWS client could start it safely.
    pub(crate) fn of_this_process(environment: &Environment) -> Result<Self, Failure> {
        let own = std::env::current_exe();
        let own = own.map_err(|error| Failure::new(Kind::Failed, format!("cannot tell where tegata is: {error}")))?;
        Self::at(&known_as(&own, environment).unwrap_or(own))
    }

    /// Makes the program at a path.
    ///
    /// # Errors
    /// As [`Program::of_this_process`].
    pub(crate) fn at(path: &Path) -> Result<Self, Failure> {
        let quoted = path.to_str().filter(|path| path.starts_with('/')).and_then(quoted);
        quoted.map(Self).ok_or_else(|| {
            let message = format!(
                "tegata is at {path:?}, which AWS clients do not all start; put it at a path of letters, digits and _./-"
            );
            Failure::new(Kind::Failed, message)
        })
    }

    /// Returns the path as a word of a command line, in quotes where it needs them.
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }

    /// Returns the value of `credential_process` for a profile: no client, with a shell or without one, reads it another way.
    ///
    /// # Errors
    /// One line for a profile's name that some shell would take for more than a name.
    pub(crate) fn for_profile(&self, profile: &str) -> Result<String, Failure> {
        let refused = || {
            let message =
                format!("profile {}: no AWS client is safe with such a name on a command line", one_line(profile));
            Failure::new(Kind::Reported(tegata_protocol::ErrorCode::ProfileInvalid), message)
        };
        let name = quoted(profile).filter(|name| !name.starts_with('-')).ok_or_else(refused)?;
        Ok(format!("{} credential-process --profile {name}", self.0))
    }

    /// Returns whether a command line is one of ours, by whatever path, and asks for this profile.
    pub(crate) fn serves(command: &str, profile: &str) -> bool {
        let words = shlex::split(command).unwrap_or_default();
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        match words.as_slice() {
            [program, "credential-process", "--profile", asked, ..] => {
                Path::new(program).file_name().is_some_and(|name| name == "tegata") && *asked == profile
            }
            _ => false,
        }
    }
}

/// The path under which a person finds this program: where a package manager keeps every version in a directory of its own,
/// the next update would take the real one away.
fn known_as(own: &Path, environment: &Environment) -> Option<PathBuf> {
    let real = own.canonicalize().ok()?;
    let search = environment.get("PATH")?;
    let candidates = std::env::split_paths(&search).filter(|directory| directory.is_absolute());
    let mut candidates = candidates.map(|directory| directory.join("tegata"));
    candidates.find(|candidate| candidate.canonicalize().is_ok_and(|candidate| candidate == real))
}

/// One word for `shlex`, `sh -c` and `cmd.exe` alike: plain, or in double quotes where it holds blanks or letters of other
/// scripts (AWS SDKs and Tools Reference Guide, "Process credential provider", allows blanks in double quotes).
fn quoted(word: &str) -> Option<String> {
    let plain = |c: char| c.is_ascii_alphanumeric() || "_./@+:-".contains(c);
    let quotable = |c: char| plain(c) || c == ' ' || (!c.is_ascii() && c.is_alphanumeric());
    if word.is_empty() || word.trim() != word || word.contains("  ") || !word.chars().all(quotable) {
        return None;
    }
    Some(if word.chars().all(plain) { word.to_owned() } else { format!("\"{word}\"") })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(program: &str, profile: &str) -> Option<String> {
        Program::at(Path::new(program)).ok()?.for_profile(profile).ok()
    }

    #[test]
    fn an_ordinary_name_needs_no_quotes() {
        let expected = "/usr/bin/tegata credential-process --profile team/a.b@c+d_e-f:g";
        assert_eq!(line("/usr/bin/tegata", "team/a.b@c+d_e-f:g").as_deref(), Some(expected));
    }

    #[test]
    fn blanks_and_other_scripts_stand_in_double_quotes() {
        let expected = "\"/opt/my tools/tegata\" credential-process --profile \"開発 1\"";
        assert_eq!(line("/opt/my tools/tegata", "開発 1").as_deref(), Some(expected));
        assert_eq!(
            shlex::split(expected).unwrap(),
            ["/opt/my tools/tegata", "credential-process", "--profile", "開発 1"]
        );
    }

    #[test]
    fn h1_nothing_that_a_shell_reads_gets_into_a_command_line() {
        for hostile in
            ["a;b", "a$(b)", "a`b`", "a\"b", "a'b", "a#b", "a|b", "~a", "a\nb", "a%b%", "a\\b", "a&b", "-a", "", " a"]
        {
            assert_eq!(line("/usr/bin/tegata", hostile), None, "{hostile:?}");
            assert_eq!(line(&format!("/usr/{hostile}\u{7}/tegata"), "dev"), None, "{hostile:?}");
        }
        assert_eq!(line("bin/tegata", "dev"), None, "a relative path is another program in another directory");
    }

    #[test]
    fn a_command_of_ours_is_known_wherever_it_was_installed() {
        assert!(Program::serves("/old/place/tegata credential-process --profile dev", "dev"));
        assert!(Program::serves("\"/a b/tegata\" credential-process --profile \"a b\"", "a b"));
        for other in
            ["granted credential-process --profile dev", "/usr/bin/tegata credential-process --profile prod", "tegata"]
        {
            assert!(!Program::serves(other, "dev"), "{other}");
        }
    }

    #[test]
    fn the_path_a_person_finds_it_by_outlives_the_next_version() {
        let home = tempfile::tempdir().unwrap();
        let (versioned, bin) = (home.path().join("tegata-1.2.3"), home.path().join("bin"));
        for directory in [&versioned, &bin] {
            std::fs::create_dir(directory).unwrap();
        }
        std::fs::write(versioned.join("tegata"), "").unwrap();
        std::os::unix::fs::symlink("../tegata-1.2.3/tegata", bin.join("tegata")).unwrap();
        let search = |path: &str| known_as(&versioned.join("tegata"), &Environment::of(&[("PATH", path)]));
        assert_eq!(search(&format!("bin:/nowhere:{}", bin.display())), Some(bin.join("tegata")));
        assert_eq!(search("/nowhere"), None);
    }
}
