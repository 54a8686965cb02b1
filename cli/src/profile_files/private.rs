//! A config file for one command, in a directory of this user's own, gone with the command.

use crate::failure::{Failure, Kind};
use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

const NAME: &str = "config";
/// What a directory is called while it is in use, and after a power cut.
const IN_USE: &str = "exec-";

/// The file. It goes when this is dropped; what a killed process left behind goes with the next one that is made.
#[derive(Debug)]
pub(crate) struct PrivateConfig {
    directory: PathBuf,
    /// Held as long as the file is in use.
    _lock: File,
}

impl PrivateConfig {
    /// Writes the file into a new directory below `parent`. It can be read only: what a command would write there would be lost.
    pub(crate) fn write(parent: &Path, text: &str) -> Result<Self, Failure> {
        sweep(parent);
        Self::try_write(parent, text).map_err(|error| {
            Failure::new(Kind::Failed, format!("cannot write a config file below {}: {error}", parent.display()))
        })
    }

    fn try_write(parent: &Path, text: &str) -> io::Result<Self> {
        let number = crate::random::hex::<8>()?;
        let number = number.expose_secret();
        // Under another name until it is locked, so that nobody takes it for one that was left behind.
        let (new, directory) = (parent.join(format!(".new-{number}")), parent.join(format!("{IN_USE}{number}")));
        DirBuilder::new().mode(0o700).create(&new)?;
        let mut file = OpenOptions::new().write(true).create_new(true).mode(0o400).open(new.join(NAME))?;
        file.lock()?;
        file.write_all(text.as_bytes())?;
        fs::rename(&new, &directory)?;
        // What replaces a file would be lost in here as well.
        fs::set_permissions(&directory, fs::Permissions::from_mode(0o500))?;
        Ok(Self { directory, _lock: file })
    }

    pub(crate) fn path(&self) -> PathBuf {
        self.directory.join(NAME)
    }
}

impl Drop for PrivateConfig {
    fn drop(&mut self) {
        remove(&self.directory);
    }
}

/// Removes what nobody holds. What cannot be removed is left.
fn sweep(parent: &Path) {
    for entry in fs::read_dir(parent).into_iter().flatten().flatten() {
        if entry.file_name().to_string_lossy().starts_with(IN_USE)
            && File::open(entry.path().join(NAME)).is_ok_and(|file| file.try_lock().is_ok())
        {
            remove(&entry.path());
        }
    }
}

fn remove(directory: &Path) {
    let _ = fs::set_permissions(directory, fs::Permissions::from_mode(0o700));
    let _ = fs::remove_dir_all(directory);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entries(parent: &Path) -> usize {
        fs::read_dir(parent).unwrap().count()
    }

    #[test]
    fn the_file_is_private_read_only_and_gone_at_the_end() {
        let parent = tempfile::tempdir().unwrap();
        let config = PrivateConfig::write(parent.path(), "[default]\n").unwrap();
        let mode = |path: &Path| path.metadata().unwrap().permissions().mode() & 0o777;
        assert_eq!((mode(&config.path()), mode(config.path().parent().unwrap())), (0o400, 0o500));
        assert_eq!(fs::read_to_string(config.path()).unwrap(), "[default]\n");
        drop(config);
        assert_eq!(entries(parent.path()), 0);
    }

    #[test]
    fn what_was_left_behind_goes_and_what_is_in_use_stays() {
        let parent = tempfile::tempdir().unwrap();
        let in_use = PrivateConfig::write(parent.path(), "a").unwrap();
        let left = parent.path().join("exec-0123456789abcdef");
        fs::create_dir(&left).unwrap();
        fs::write(left.join(NAME), "b").unwrap();
        let another = PrivateConfig::write(parent.path(), "c").unwrap();
        assert!(!left.exists() && in_use.path().exists() && another.path().exists());
    }
}
