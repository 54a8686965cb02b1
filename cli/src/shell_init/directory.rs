//! Directory defaults: a file `.tegata` that names a profile, and which of them the person trusts.
//!
//! Such a file comes with whatever was cloned or unpacked. It names a profile and can do nothing else, and even that only once
//! the person has said so: of this path with this profile. Anything else in it is refused and shown to nobody as it is.

use crate::environment::Environment;
use crate::failure::{Failure, Kind};
use crate::hand::text;
use crate::state::StateFile;
use serde::{Deserialize, Serialize};
use std::fs::{File, Metadata, OpenOptions};
use std::io::{self, Read};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use tegata_protocol::text::{is_hostile, one_line};

/// What the file is called.
pub(crate) const FILE: &str = ".tegata";
/// The longest profile name (daemon/src/names.rs).
const MAX_NAME: usize = 255;
/// A name and a line end.
const MAX_BYTES: u64 = MAX_NAME as u64 + 2;

const ANSWERS: &str = "directory-defaults";
/// How many answers are kept; the oldest go.
const MOST_ANSWERS: usize = 1_000;

/// A file that names a profile.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct DirectoryDefault {
    /// The file, absolute.
    pub(crate) file: String,
    /// The profile.
    pub(crate) profile: String,
}

/// What the person said about a file with just this profile in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Answer {
    /// Use it.
    Trusted,
    /// Do not use it, and do not ask again.
    Refused,
}

/// An answer as it is kept, one JSON object a line.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Kept {
    pub(crate) file: String,
    pub(crate) profile: String,
    pub(crate) answer: Answer,
}

/// Returns the file of the directory, or the nearest one above it.
pub(crate) fn nearest(directory: &Path) -> Option<PathBuf> {
    directory.ancestors().map(|directory| directory.join(FILE)).find(|file| file.is_file())
}

impl DirectoryDefault {
    /// Reads a file.
    pub(crate) fn read(file: &Path) -> Result<Self, Failure> {
        let shown = file.display();
        let bytes = read_own(file).map_err(|error| wrong(format!("{shown} is not used: {error}")))?;
        let profile = name(&bytes).ok_or_else(|| wrong(format!("{shown} is not one line with a profile's name")))?;
        let file = file.to_str().filter(|file| !file.chars().any(is_hostile));
        let file = file.ok_or_else(|| wrong(format!("{shown} is not used: the directory's name is no plain text")))?;
        Ok(Self { file: file.to_owned(), profile: profile.to_owned() })
    }

    /// Returns what the person said about it, if anything. Another profile in the same file is another question.
    pub(crate) fn answer(&self, environment: &Environment) -> Option<Answer> {
        let kept = answers(environment).into_iter().rev();
        kept.into_iter().find(|kept| kept.file == self.file && kept.profile == self.profile).map(|kept| kept.answer)
    }

    /// Keeps what the person says about it.
    pub(crate) fn keep(&self, environment: &Environment, answer: Answer) -> Result<(), Failure> {
        StateFile::new(environment, ANSWERS)?.update(|text| {
            let mut all = read_answers(text);
            all.retain(|kept| kept.file != self.file);
            all.push(Kept { file: self.file.clone(), profile: self.profile.clone(), answer });
            let newest = all.len().saturating_sub(MOST_ANSWERS);
            all.iter()
                .skip(newest)
                .filter_map(|kept| serde_json::to_string(kept).ok())
                .map(|line| line + "\n")
                .collect()
        })
    }

    /// Returns the question, one line, for whoever comes into the directory.
    pub(crate) fn question(&self) -> String {
        let (file, profile) = (one_line(&self.file), one_line(&self.profile));
        let no = text::command("tegata trust --refuse", &self.file);
        format!("tegata: {file} names the profile {profile}; to use it here run: tg --trust (never: {})", one_line(&no))
    }
}

/// Returns all answers, oldest first.
pub(crate) fn answers(environment: &Environment) -> Vec<Kept> {
    StateFile::new(environment, ANSWERS).map(|file| read_answers(&file.read())).unwrap_or_default()
}

fn read_answers(text: &str) -> Vec<Kept> {
    text.lines().filter_map(|line| serde_json::from_str(line).ok()).collect()
}

/// Returns the one line of a file if it is a name and nothing else.
fn name(bytes: &[u8]) -> Option<&str> {
    let text = std::str::from_utf8(bytes).ok()?;
    let line = text.strip_suffix('\n').unwrap_or(text);
    let name = line.strip_suffix('\r').unwrap_or(line).trim_matches(' ');
    let plain = !name.is_empty() && name.len() <= MAX_NAME && !name.chars().any(is_hostile);
    plain.then_some(name)
}

/// Reads a regular file that nobody but its reader or root could have put there, a little more of it than a name has.
fn read_own(path: &Path) -> io::Result<Vec<u8>> {
    // A pipe of that name would keep every prompt waiting.
    let at_once = rustix::fs::OFlags::NONBLOCK.bits().cast_signed();
    let file = OpenOptions::new().read(true).custom_flags(at_once).open(path)?;
    check(&file.metadata()?)?;
    let mut bytes = Vec::new();
    File::take(file, MAX_BYTES + 1).read_to_end(&mut bytes)?;
    Ok(bytes)
}

fn check(metadata: &Metadata) -> io::Result<()> {
    if !metadata.is_file() {
        return Err(io::Error::other("it is no regular file"));
    }
    if ![rustix::process::geteuid().as_raw(), 0].contains(&metadata.uid()) {
        return Err(io::Error::other("it belongs to another user"));
    }
    Ok(())
}

fn wrong(message: impl AsRef<str>) -> Failure {
    Failure::new(Kind::Failed, message)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    fn home() -> (tempfile::TempDir, Environment) {
        let home = tempfile::tempdir().unwrap();
        let environment = Environment::of(&[("XDG_STATE_HOME", home.path().join("state").to_str().unwrap())]);
        (home, environment)
    }

    fn written(home: &tempfile::TempDir, text: &[u8]) -> Result<DirectoryDefault, Failure> {
        fs::write(home.path().join(FILE), text).unwrap();
        DirectoryDefault::read(&home.path().join(FILE))
    }

    #[test]
    fn one_line_with_a_name_is_a_default() {
        let (home, _) = home();
        for text in ["dev", "dev\n", "dev\r\n", "  dev \n"] {
            assert_eq!(written(&home, text.as_bytes()).unwrap().profile, "dev", "{text:?}");
        }
        assert_eq!(
            written(&home, "開発 $(id)".as_bytes()).unwrap().profile,
            "開発 $(id)",
            "quoting is the shell code's"
        );
    }

    #[test]
    fn e11_anything_else_is_refused_in_one_printable_line() {
        let (home, _) = home();
        let long = "x".repeat(256);
        let hostile: [&[u8]; 10] = [
            b"",
            b"\n",
            b" \n",
            b"dev\nprod",
            b"dev\n\n",
            b"\x1b[2J",
            b"a\tb",
            b"\xff",
            "a\u{202e}b".as_bytes(),
            long.as_bytes(),
        ];
        for text in hostile {
            let line = written(&home, text).unwrap_err().line().unwrap();
            assert!(line.contains("is not one line with a profile's name"), "{line}");
            assert!(!line.chars().any(is_hostile), "{line:?}");
        }
    }

    #[test]
    fn a_pipe_a_directory_and_a_device_are_refused_at_once() {
        let (home, _) = home();
        let pipe = home.path().join("pipe");
        assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
        for path in [pipe.as_path(), home.path(), Path::new("/dev/zero")] {
            assert!(DirectoryDefault::read(path).is_err(), "{}", path.display());
        }
    }

    #[test]
    fn an_answer_is_for_this_path_with_this_profile() {
        let (home, environment) = home();
        let dev = written(&home, b"dev").unwrap();
        assert_eq!(dev.answer(&environment), None);
        dev.keep(&environment, Answer::Trusted).unwrap();
        assert_eq!(dev.answer(&environment), Some(Answer::Trusted));
        assert_eq!(written(&home, b"prod").unwrap().answer(&environment), None, "its content has changed");
        let elsewhere = DirectoryDefault { file: "/elsewhere/.tegata".to_owned(), ..dev.clone() };
        assert_eq!(elsewhere.answer(&environment), None, "it is another file");
        dev.keep(&environment, Answer::Refused).unwrap();
        assert_eq!(dev.answer(&environment), Some(Answer::Refused));
        assert_eq!(answers(&environment).len(), 1);
    }

    #[test]
    fn the_nearest_file_above_counts() {
        let (home, _) = home();
        fs::create_dir_all(home.path().join("a/b/c")).unwrap();
        fs::create_dir(home.path().join("a/b/.tegata")).unwrap();
        fs::write(home.path().join("a/.tegata"), "dev").unwrap();
        assert_eq!(nearest(&home.path().join("a/b/c")), Some(home.path().join("a/.tegata")));
    }

    #[test]
    fn the_question_can_be_read_and_copied_safely() {
        let default = DirectoryDefault { file: "/home/a b/.tegata".to_owned(), profile: "$(id)".to_owned() };
        assert_eq!(
            default.question(),
            "tegata: /home/a b/.tegata names the profile $(id); to use it here run: tg --trust (never: tegata trust --refuse '/home/a b/.tegata')"
        );
    }
}
