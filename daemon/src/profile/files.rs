//! AWS config files, followed as they change. The only file of this room that reads files, and it blocks while it does.

use super::text::MAX_BYTES;
use super::{Config, ProfileError};
use crate::clock::Clock;
use crate::regular_file::{self, ReadError};
use crate::settings::ExtrasByProfile;
use rustix::fs::Stat;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tegata_protocol::text::one_line;

/// The most files that are kept.
const KEPT: usize = 16;
/// The longest path that is looked at (Linux, PATH_MAX).
const MAX_PATH: usize = 4096;
/// File times advance in steps of up to 10 ms, so two writes of one step cannot be told apart by them.
const SETTLES_AFTER: Duration = Duration::from_millis(20);

/// The config files in use: the user's own, and those that callers name.
#[derive(Debug)]
pub struct ConfigFiles {
    default: PathBuf,
    clock: Arc<dyn Clock>,
    extras: Arc<ExtrasByProfile>,
    /// Most recently used first.
    followed: Mutex<Vec<Arc<Followed>>>,
}

#[derive(Debug)]
struct Followed {
    path: PathBuf,
    /// Held while the file is read, so that many callers read it once; a path that hangs holds up its own callers only.
    last: Mutex<Option<Last>>,
}

#[derive(Clone, Debug)]
struct Last {
    stamp: Stamp,
    /// When this stamp was first met, since boot.
    met: Duration,
    settled: bool,
    outcome: Result<Arc<Config>, ProfileError>,
}

/// What changes whenever a file does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Stamp {
    place: (u64, u64),
    size: i64,
    modified: (i64, i64),
    changed: (i64, i64),
}

impl From<&Stat> for Stamp {
    #[allow(
        clippy::useless_conversion,
        clippy::unnecessary_cast,
        reason = "the types differ from platform to platform"
    )]
    fn from(stat: &Stat) -> Self {
        Self {
            place: (stat.st_dev as u64, stat.st_ino as u64),
            size: stat.st_size as i64,
            modified: (stat.st_mtime as i64, stat.st_mtime_nsec as i64),
            changed: (stat.st_ctime as i64, stat.st_ctime_nsec as i64),
        }
    }
}

impl ConfigFiles {
    /// Follows files; `default` is the one meant when a caller names none.
    #[must_use]
    pub fn new(default: PathBuf, clock: Arc<dyn Clock>) -> Self {
        Self { default, clock, extras: Arc::default(), followed: Mutex::new(Vec::new()) }
    }

    /// Adds what the settings say of profiles, whichever file these are in.
    #[must_use]
    pub fn with_extras(self, extras: ExtrasByProfile) -> Self {
        Self { extras: Arc::new(extras), ..self }
    }

    /// Returns the file as it is now. Asks the file system once, and reads only what has changed.
    ///
    /// # Errors
    /// [`ProfileError::File`] when it is not there, is no file, or cannot be read as one. A file that broke stays an error
    /// until it is mended: what it once said is not served.
    pub fn load(&self, path: Option<&Path>) -> Result<Arc<Config>, ProfileError> {
        let path = path.unwrap_or(&self.default);
        check(path)?;
        let followed = self.follow(path);
        let mut last = followed.last.lock().unwrap_or_else(PoisonError::into_inner);
        let stat = regular_file::stat(path).map_err(|error| {
            *last = None;
            self.refused(path, &error)
        })?;
        let stamp = Stamp::from(&stat);
        let known = last.as_ref().filter(|last| last.stamp == stamp);
        if let Some(known) = known.filter(|known| known.settled) {
            return known.outcome.clone();
        }
        let now = self.clock.since_boot();
        let (read, outcome) = self.read(path, stamp);
        let met = known.filter(|known| known.stamp == read).map_or(now, |known| known.met);
        let settled = now.saturating_sub(met) >= SETTLES_AFTER;
        *last = Some(Last { stamp: read, met, settled, outcome: outcome.clone() });
        outcome
    }

    /// Finds or begins to follow a file, and forgets the one that was not used for longest.
    fn follow(&self, path: &Path) -> Arc<Followed> {
        let mut followed = self.followed.lock().unwrap_or_else(PoisonError::into_inner);
        let found = match followed.iter().position(|file| file.path == path) {
            Some(0) => return followed[0].clone(),
            Some(at) => followed.remove(at),
            None => Arc::new(Followed { path: path.to_owned(), last: Mutex::new(None) }),
        };
        followed.insert(0, found.clone());
        followed.truncate(KEPT);
        found
    }

    fn read(&self, path: &Path, stamp: Stamp) -> (Stamp, Result<Arc<Config>, ProfileError>) {
        match regular_file::read(path, MAX_BYTES) {
            Err(error) => (stamp, Err(self.refused(path, &error))),
            Ok(content) => {
                let config = Config::parse(&path.to_string_lossy(), &content.bytes).map(|config| {
                    let mut config = config.with_extras(Arc::clone(&self.extras));
                    for warning in oddities(path, &content.stat) {
                        config.warn(warning);
                    }
                    Arc::new(config)
                });
                (Stamp::from(&content.stat), config)
            }
        }
    }

    fn refused(&self, path: &Path, error: &ReadError) -> ProfileError {
        let detail = match error {
            ReadError::Missing if path == self.default => {
                "no AWS config there; `aws configure sso` writes one, AWS_CONFIG_FILE names another".to_owned()
            }
            error => one_line(&error.to_string()),
        };
        ProfileError::File { file: one_line(&path.to_string_lossy()), detail }
    }
}

fn check(path: &Path) -> Result<(), ProfileError> {
    let bytes = path.as_os_str().as_bytes();
    let detail = if bytes.len() > MAX_PATH {
        "a path this long is not looked at"
    } else if bytes.contains(&0) {
        "a path holds no NUL"
    } else if !path.is_absolute() {
        "has to be an absolute path"
    } else {
        return Ok(());
    };
    Err(ProfileError::File { file: one_line(&path.to_string_lossy()), detail: detail.to_owned() })
}

/// What about a file lets somebody else decide what is in it.
fn oddities(path: &Path, stat: &Stat) -> Vec<String> {
    let mut oddities = Vec::new();
    let own = rustix::process::getuid().as_raw();
    let owner = stat.st_uid;
    if owner != own && owner != 0 {
        let link = std::fs::symlink_metadata(path).is_ok_and(|link| link.is_symlink());
        let what = if link { "the file is a link to one that" } else { "the file" };
        oddities.push(format!("{what} belongs to another user (uid {owner}), who decides what is in it"));
    }
    let writers = match stat.st_mode & 0o022 {
        0 => return oddities,
        0o020 => "its group",
        _ => "every user",
    };
    oddities.push(format!("the file can be written by {writers}; chmod go-w {}", one_line(&path.to_string_lossy())));
    oddities
}

#[cfg(test)]
#[path = "files_tests.rs"]
mod tests;
