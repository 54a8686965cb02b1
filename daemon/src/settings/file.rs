//! Reads `config.toml` where it lies.

use super::{Settings, SettingsError};
use crate::regular_file::{self, ReadError};
use std::path::Path;
use tegata_protocol::text::one_line;

/// The most bytes of settings.
const MAX_BYTES: usize = 1024 * 1024;

/// The most bytes of another file that the settings name.
const MAX_NAMED_BYTES: usize = 64 * 1024;

/// Reads the settings at `path` and the files they name; where there is no file, everything is as usual.
///
/// Settings say where tokens are sent, so a file that somebody else could write is not believed.
///
/// # Errors
/// [`SettingsError::File`].
pub fn load(path: &Path) -> Result<Settings, SettingsError> {
    let file = one_line(&path.to_string_lossy());
    let refused = |detail: String| SettingsError::File { file: file.clone(), detail };
    let Some(text) = read(path, MAX_BYTES).map_err(refused)? else { return Ok(Settings::default()) };
    let named = |path: &Path| read(path, MAX_NAMED_BYTES)?.ok_or_else(|| ReadError::Missing.to_string());
    Settings::parse_with(&text, &named).map_err(|error| refused(error.to_string()))
}

/// Reads a file of this user or of root that nobody else can write; `None` where there is none.
fn read(path: &Path, most: usize) -> Result<Option<String>, String> {
    let content = match regular_file::read(path, most) {
        Ok(content) => content,
        Err(ReadError::Missing) => return Ok(None),
        Err(error) => return Err(one_line(&error.to_string())),
    };
    let owner = content.stat.st_uid;
    if owner != rustix::process::getuid().as_raw() && owner != 0 {
        return Err(format!("belongs to another user (uid {owner}) and is not read"));
    }
    if content.stat.st_mode & 0o022 != 0 {
        let file = one_line(&path.to_string_lossy());
        return Err(format!("can be written by others and is not read; chmod go-w {file}"));
    }
    String::from_utf8(content.bytes).map(Some).map_err(|_| "is not UTF-8".to_owned())
}
