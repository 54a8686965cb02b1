//! Reads `config.toml` where it lies.

use super::{Settings, SettingsError};
use crate::regular_file::{self, ReadError};
use std::path::Path;
use tegata_protocol::text::one_line;

/// The most bytes of settings.
const MAX_BYTES: usize = 1024 * 1024;

/// Reads the settings at `path`; where there is no file, everything is as usual.
///
/// Settings say where tokens are sent, so a file that somebody else could write is not believed.
///
/// # Errors
/// [`SettingsError::File`].
pub fn load(path: &Path) -> Result<Settings, SettingsError> {
    let file = one_line(&path.to_string_lossy());
    let refused = |detail: String| SettingsError::File { file: file.clone(), detail };
    let content = match regular_file::read(path, MAX_BYTES) {
        Ok(content) => content,
        Err(ReadError::Missing) => return Ok(Settings::default()),
        Err(error) => return Err(refused(one_line(&error.to_string()))),
    };
    let owner = content.stat.st_uid;
    if owner != rustix::process::getuid().as_raw() && owner != 0 {
        return Err(refused(format!("belongs to another user (uid {owner}) and is not read")));
    }
    if content.stat.st_mode & 0o022 != 0 {
        return Err(refused(format!("can be written by others and is not read; chmod go-w {file}")));
    }
    let text = String::from_utf8(content.bytes).map_err(|_| refused("is not UTF-8".to_owned()))?;
    Settings::parse(&text).map_err(|error| refused(error.to_string()))
}
