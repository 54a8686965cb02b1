//! Small files in the state directory: nothing secret, bounded, replaced in one piece.

use crate::environment::Environment;
use crate::failure::{Failure, Kind};
use crate::places;
use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

/// The most bytes that are read or written.
const MOST: u64 = 1024 * 1024;

/// A file in the state directory.
pub(crate) struct StateFile(PathBuf);

impl StateFile {
    /// Names one. Nothing is touched.
    pub(crate) fn new(environment: &Environment, name: &str) -> Result<Self, Failure> {
        Ok(Self(places::state_directory(environment)?.join(name)))
    }

    /// Returns what it holds; nothing where it is missing or no text of a sane size.
    pub(crate) fn read(&self) -> String {
        read_bounded(&self.0).unwrap_or_default()
    }

    /// Replaces what it holds. Of two processes that do so at once, the second sees what the first wrote.
    pub(crate) fn update(&self, change: impl FnOnce(&str) -> String) -> Result<(), Failure> {
        self.replace(change)
            .map_err(|error| Failure::new(Kind::Failed, format!("cannot write {}: {error}", self.0.display())))
    }

    fn replace(&self, change: impl FnOnce(&str) -> String) -> io::Result<()> {
        if let Some(directory) = self.0.parent() {
            DirBuilder::new().recursive(true).mode(0o700).create(directory)?;
        }
        let lock = private(OpenOptions::new().create(true).truncate(false)).open(self.beside("lock"))?;
        lock.lock()?;
        let new = self.beside("new");
        let mut file = private(OpenOptions::new().create(true).truncate(true)).open(&new)?;
        file.write_all(change(&self.read()).as_bytes())?;
        fs::rename(new, &self.0)
    }

    fn beside(&self, ending: &str) -> PathBuf {
        let mut name = self.0.clone().into_os_string();
        name.push(".");
        name.push(ending);
        name.into()
    }
}

fn private(options: &mut OpenOptions) -> &mut OpenOptions {
    let no_follow = rustix::fs::OFlags::NOFOLLOW.bits().cast_signed();
    options.write(true).mode(0o600).custom_flags(no_follow)
}

fn read_bounded(path: &Path) -> io::Result<String> {
    let mut text = String::new();
    File::open(path)?.take(MOST).read_to_string(&mut text)?;
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    fn file(home: &tempfile::TempDir) -> StateFile {
        let environment = Environment::of(&[("XDG_STATE_HOME", home.path().to_str().unwrap())]);
        StateFile::new(&environment, "names").unwrap()
    }

    #[test]
    fn what_was_written_is_read_and_is_private() {
        let home = tempfile::tempdir().unwrap();
        assert_eq!(file(&home).read(), "");
        file(&home).update(|before| format!("{before}a")).unwrap();
        file(&home).update(|before| format!("{before}b")).unwrap();
        assert_eq!(file(&home).read(), "ab");
        let mode = |name: &str| fs::metadata(home.path().join(name)).unwrap().permissions().mode() & 0o777;
        assert_eq!((mode("tegata"), mode("tegata/names")), (0o700, 0o600));
    }

    #[test]
    fn many_writers_lose_nothing() {
        let home = tempfile::tempdir().unwrap();
        std::thread::scope(|scope| {
            (0..8).for_each(|_| {
                scope.spawn(|| (0..20).for_each(|_| file(&home).update(|before| format!("{before}x")).unwrap()));
            });
        });
        assert_eq!(file(&home).read().len(), 160);
    }

    #[test]
    fn what_is_no_text_counts_as_nothing() {
        let home = tempfile::tempdir().unwrap();
        fs::create_dir(home.path().join("tegata")).unwrap();
        fs::write(home.path().join("tegata/names"), [0xff, 0xfe]).unwrap();
        assert_eq!(file(&home).read(), "");
        file(&home).update(|_| "new".to_owned()).unwrap();
        assert_eq!(file(&home).read(), "new");
    }
}
