//! The organisation's policy file: rules that root wrote for everybody on this machine, and that can only tighten.
//!
//! Where it cannot be believed or understood the daemon does not start: whoever could damage it could otherwise remove it.

use super::fault::{self, SettingsError};
use super::rules::RuleKeys;
use crate::policy::{Gate, Rule};
use crate::regular_file::{self, ReadError};
use rustix::fs::{FileType, Stat};
use serde::Deserialize;
use std::path::Path;
use tegata_protocol::text::one_line;
use toml::Spanned;

/// Where it is.
pub const POLICY_FILE: &str = "/etc/tegata/policy.toml";

/// The most bytes of the file, and of each that it names.
const MAX_BYTES: usize = 1024 * 1024;

/// The organisation's rules, in a file of root's. They can only tighten what the user's rules say.
#[derive(Deserialize)]
#[serde(default, deny_unknown_fields)]
#[derive(Default)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(super) struct Written {
    /// Rules as in `config.toml`, but `gate = "none"` is an error.
    #[cfg_attr(test, schemars(with = "Vec<super::schema::Tightening>"))]
    rule: Vec<Spanned<RuleKeys>>,
}

/// Reads the organisation's rules at `path`; none where there is no such file.
///
/// # Errors
/// [`SettingsError::File`] where it is there and cannot be believed: it and its directory have to be root's, and not
/// writable by anybody else.
pub fn load_organisation(path: &Path) -> Result<Vec<Rule>, SettingsError> {
    load_of(path, 0)
}

/// As [`load_organisation`], with the user that has to own it.
fn load_of(path: &Path, owner: u32) -> Result<Vec<Rule>, SettingsError> {
    let refused = |detail: String| SettingsError::File { file: one_line(&path.to_string_lossy()), detail };
    let Some(text) = read(path, owner).map_err(refused)? else { return Ok(Vec::new()) };
    let named = |path: &Path| read(path, owner)?.ok_or_else(|| ReadError::Missing.to_string());
    parse(&text, &named).map_err(|error| refused(error.to_string()))
}

fn parse(text: &str, read: &dyn Fn(&Path) -> Result<String, String>) -> Result<Vec<Rule>, SettingsError> {
    let written: Written = toml::from_str(text).map_err(|error| fault::of(text, &error))?;
    let rules = super::rules_of(text, written.rule, read)?;
    match rules.iter().find(|rule| rule.gate == Gate::None) {
        Some(rule) => Err(SettingsError::whole(&format!(
            "rule {:?}: gate = \"none\" has no place here; the organisation's rules can only tighten",
            rule.name
        ))),
        None => Ok(rules),
    }
}

/// Reads a file that nobody but `owner` could have written or put there; `None` where there is none.
fn read(path: &Path, owner: u32) -> Result<Option<String>, String> {
    let directory = path.parent().unwrap_or(Path::new("/"));
    match at(directory)? {
        None => return Ok(None),
        Some(stat) => believe(&stat, owner, FileType::Directory).map_err(|why| format!("its directory {why}"))?,
    }
    match at(path)? {
        None => return Ok(None),
        Some(stat) => believe(&stat, owner, FileType::RegularFile)?,
    }
    let content = regular_file::read(path, MAX_BYTES).map_err(|error| one_line(&error.to_string()))?;
    believe(&content.stat, owner, FileType::RegularFile)?;
    String::from_utf8(content.bytes).map(Some).map_err(|_| "is not UTF-8".to_owned())
}

/// Asks what is there, links not followed.
fn at(path: &Path) -> Result<Option<Stat>, String> {
    match rustix::fs::lstat(path) {
        Ok(stat) => Ok(Some(stat)),
        Err(rustix::io::Errno::NOENT) => Ok(None),
        Err(error) => Err(one_line(&format!("cannot look at it: {}", std::io::Error::from(error)))),
    }
}

fn believe(stat: &Stat, owner: u32, kind: FileType) -> Result<(), String> {
    if FileType::from_raw_mode(stat.st_mode) != kind {
        return Err(format!("is no {}", if kind == FileType::Directory { "directory" } else { "regular file" }));
    }
    if stat.st_uid != owner {
        return Err(format!("belongs to uid {} and has to belong to uid {owner}", stat.st_uid));
    }
    if stat.st_mode & 0o022 != 0 {
        return Err("can be written by others; chmod go-w".to_owned());
    }
    Ok(())
}

#[cfg(test)]
#[path = "organisation_tests.rs"]
mod tests;
