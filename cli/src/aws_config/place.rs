//! Where a config file really is, and putting another content there at once or not at all.

use super::invalid;
use super::text::MAX_BYTES;
use crate::failure::{Failure, Kind};
use rustix::fs::OFlags;
use std::fs::{self, DirBuilder, File, Metadata, OpenOptions};
use std::io::{self, ErrorKind, Read, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, PermissionsExt, fchown};
use std::path::{Path, PathBuf};

/// How many links are followed one behind the other (Linux, path_resolution(7)).
const MAX_LINKS: usize = 40;

/// Reads a file, links followed. Nothing where there is none.
pub(super) fn read(path: &Path) -> Result<Option<Vec<u8>>, Failure> {
    // Asked before it is opened, because opening a device can do something, and a pipe would wait.
    match fs::metadata(path) {
        Ok(metadata) if metadata.is_file() => {}
        Ok(_) => return Err(invalid(path, "is not a file")),
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(cannot("read", path, &error)),
    }
    let flags = (OFlags::NONBLOCK | OFlags::NOCTTY).bits().cast_signed();
    let file = OpenOptions::new().read(true).custom_flags(flags).open(path);
    let file = file.map_err(|error| cannot("read", path, &error))?;
    let mut bytes = Vec::new();
    let most = u64::try_from(MAX_BYTES).unwrap_or(u64::MAX).saturating_add(1);
    file.take(most).read_to_end(&mut bytes).map_err(|error| cannot("read", path, &error))?;
    // One byte more than is read says that there is more; the reader of the text refuses it.
    Ok(Some(bytes))
}

/// The file behind a path.
#[derive(Debug)]
pub(super) struct Target {
    /// The path as it was named, for messages.
    named: PathBuf,
    /// The file itself, no link.
    real: PathBuf,
    /// What is there.
    found: Option<Metadata>,
}

impl Target {
    /// Finds it.
    ///
    /// # Errors
    /// One line for what is no file, is somebody else's, or may not be written to.
    pub(super) fn find(path: &Path) -> Result<Self, Failure> {
        let real = behind_links(path)?;
        let found = match fs::symlink_metadata(&real) {
            Ok(found) => Some(found),
            Err(error) if error.kind() == ErrorKind::NotFound => None,
            Err(error) => return Err(cannot("look at", path, &error)),
        };
        if let Some(found) = &found {
            check(path, found)?;
        }
        Ok(Self { named: path.to_owned(), real, found })
    }

    /// Returns the path of the file itself, the same however it is named.
    pub(super) fn real(&self) -> PathBuf {
        let directory = self.real.parent().and_then(|directory| directory.canonicalize().ok());
        match (directory, self.real.file_name()) {
            (Some(directory), Some(name)) => directory.join(name),
            _ => self.real.clone(),
        }
    }

    /// Returns the mode of what is there.
    pub(super) fn mode(&self) -> Option<u32> {
        self.found.as_ref().map(|found| found.mode() & 0o7777)
    }

    /// Returns the directory that would have to be made.
    pub(super) fn missing_directory(&self) -> Option<&Path> {
        self.real.parent().filter(|directory| !directory.exists())
    }

    /// Checks that the file is as it was when it was read.
    pub(super) fn is_still(&self, bytes: Option<&[u8]>) -> Result<(), Failure> {
        if read(&self.real)?.as_deref() == bytes {
            return Ok(());
        }
        let message =
            format!("{} was changed by somebody else meanwhile, so it is left as it is", self.named.display());
        Err(Failure::new(Kind::Failed, message))
    }

    /// Puts other content there: written beside it, then moved over it.
    pub(super) fn replace(&self, bytes: &[u8]) -> Result<(), Failure> {
        let failed = |error: io::Error| self.unchanged(&error);
        let directory = self.real.parent().ok_or_else(|| invalid(&self.named, "is not a file"))?;
        DirBuilder::new().recursive(true).mode(0o700).create(directory).map_err(failed)?;
        let beside = self.beside(directory);
        let written = self.write_beside(&beside, bytes).and_then(|()| fs::rename(&beside, &self.real));
        if let Err(error) = written {
            let _ = fs::remove_file(&beside);
            return Err(failed(error));
        }
        sync_directory(directory);
        Ok(())
    }

    /// Takes the file away.
    pub(super) fn remove(&self) -> Result<(), Failure> {
        match fs::remove_file(&self.real) {
            Err(error) if error.kind() != ErrorKind::NotFound => Err(self.unchanged(&error)),
            _ => {
                self.real.parent().map(sync_directory);
                Ok(())
            }
        }
    }

    fn beside(&self, directory: &Path) -> PathBuf {
        let name = self.real.file_name().unwrap_or_default().to_string_lossy();
        directory.join(format!(".{name}.tegata-{}", std::process::id()))
    }

    fn write_beside(&self, beside: &Path, bytes: &[u8]) -> io::Result<()> {
        // One of this name can only be left over from a process of this number that was killed.
        let _ = fs::remove_file(beside);
        let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(beside)?;
        if let Some(found) = &self.found {
            let now = file.metadata()?;
            if now.gid() != found.gid() {
                fchown(&file, None, Some(found.gid()))?;
            }
            file.set_permissions(fs::Permissions::from_mode(found.mode() & 0o7777))?;
        }
        file.write_all(bytes)?;
        file.sync_all()
    }

    fn unchanged(&self, error: &io::Error) -> Failure {
        Failure::new(Kind::Failed, format!("cannot write {}, which is unchanged: {error}", self.named.display()))
    }
}

/// Follows the links that a path itself is; those of its directories the system follows.
fn behind_links(path: &Path) -> Result<PathBuf, Failure> {
    let mut real = path.to_owned();
    for _ in 0..MAX_LINKS {
        match (fs::read_link(&real), real.parent()) {
            (Ok(to), Some(directory)) => real = directory.join(to),
            _ => return Ok(real),
        }
    }
    Err(invalid(path, "is a link that leads to no file"))
}

fn check(path: &Path, found: &Metadata) -> Result<(), Failure> {
    if !found.is_file() {
        return Err(invalid(path, "is not a file"));
    }
    let own = rustix::process::geteuid().as_raw();
    if found.uid() != own {
        return Err(invalid(path, format!("belongs to uid {}, you are uid {own}; it is left as it is", found.uid())));
    }
    // A rename would not ask: who has made it read-only has said what they want.
    if found.mode() & 0o200 == 0 {
        let failure = invalid(path, "is read-only, so it is left as it is");
        return Err(failure.mend(format!("chmod u+w {}", path.display())));
    }
    Ok(())
}

/// Has the system remember what a directory holds now. Where it cannot, the file is there all the same.
pub(super) fn sync_directory(directory: &Path) {
    let _ = File::open(directory).and_then(|directory| directory.sync_all());
}

fn cannot(act: &str, path: &Path, error: &io::Error) -> Failure {
    Failure::new(Kind::Failed, format!("cannot {act} {}: {error}", path.display()))
}
