//! Goes through directories: no link is followed, no directory entered twice, and none deeper than a bound.

use super::look::Looking;
use crate::failure::{Failure, Kind};
use std::collections::HashSet;
use std::ffi::OsStr;
use std::fs::{self, DirEntry, Metadata};
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use tegata_protocol::text::one_line;

/// How deep directories are entered below the one that was named.
const DEEPEST: usize = 100;

/// Which files of a tree are looked at, by their paths.
type Wanted = fn(&Path) -> bool;

/// Looks at what was named on the command line. It may be a link: whoever names it means what it leads to.
pub(super) fn named(paths: &[PathBuf], looking: &mut Looking<'_>) -> Result<(), Failure> {
    let resolved: Result<Vec<_>, _> = paths.iter().map(|path| resolve(path)).collect();
    for (path, metadata) in resolved? {
        if metadata.is_dir() {
            tree(&path, DEEPEST, |_| true, looking)?;
        } else {
            looking.file(&path)?;
        }
    }
    Ok(())
}

fn resolve(path: &Path) -> Result<(PathBuf, Metadata), Failure> {
    let whole = fs::canonicalize(path).and_then(|path| fs::metadata(&path).map(|metadata| (path, metadata)));
    whole.map_err(|error| {
        Failure::new(Kind::Usage, format!("cannot look at {}: {error}", one_line(&path.to_string_lossy())))
    })
}

/// Looks at the files of a tree that are wanted.
pub(super) fn tree(root: &Path, deepest: usize, wanted: Wanted, looking: &mut Looking<'_>) -> Result<(), Failure> {
    let mut waiting = vec![(root.to_owned(), 0)];
    let mut seen = HashSet::new();
    while let Some((directory, depth)) = waiting.pop() {
        looking.goes_on()?;
        let entries = match new_entries(&directory, &mut seen) {
            Ok(entries) => entries,
            Err(error) => {
                looking.cannot(&directory, format!("cannot be read: {error}"));
                continue;
            }
        };
        let mut below = Vec::new();
        for entry in entries {
            let path = directory.join(entry.file_name());
            match entry.file_type() {
                Ok(kind) if kind.is_dir() && looking.exclusions.directory(&path) => looking.pass_by(),
                Ok(kind) if kind.is_dir() && depth == deepest => too_deep(&path, deepest, looking),
                Ok(kind) if kind.is_dir() => below.push((path, depth + 1)),
                Ok(kind) if kind.is_file() && wanted(&path) => looking.file(&path)?,
                Ok(kind) if kind.is_file() => {}
                Ok(_) => looking.pass_by(),
                Err(error) => looking.cannot(&path, format!("cannot be read: {error}")),
            }
        }
        waiting.extend(below.into_iter().rev());
    }
    Ok(())
}

/// A tree that is gone through by names ends where it was meant to; one that was named is not whole.
fn too_deep(path: &Path, deepest: usize, looking: &mut Looking<'_>) {
    if deepest == DEEPEST {
        looking.cannot(path, format!("is more than {DEEPEST} directories deep"));
    }
}

/// Returns the entries of a directory by name, or none where it was entered before.
fn new_entries(directory: &Path, seen: &mut HashSet<(u64, u64)>) -> io::Result<Vec<DirEntry>> {
    let metadata = fs::symlink_metadata(directory)?;
    if !metadata.is_dir() || !seen.insert((metadata.dev(), metadata.ino())) {
        return Ok(Vec::new());
    }
    let mut entries = fs::read_dir(directory)?.collect::<io::Result<Vec<_>>>()?;
    entries.sort_by_key(DirEntry::file_name);
    Ok(entries)
}

/// Whether a name is one of those, written one after the other, with one or two `*` for anything.
pub(super) fn is_one_of(name: &OsStr, patterns: &str) -> bool {
    let Some(name) = name.to_str() else { return false };
    patterns.split_whitespace().any(|pattern| fits(name, pattern))
}

fn fits(name: &str, pattern: &str) -> bool {
    let Some((start, rest)) = pattern.split_once('*') else { return name == pattern };
    let Some(name) = name.strip_prefix(start) else { return false };
    let (middle, end) = rest.rsplit_once('*').unwrap_or(("", rest));
    name.strip_suffix(end).is_some_and(|between| between.contains(middle))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_fit_patterns() {
        let fits = |name: &str| is_one_of(OsStr::new(name), ".env .env.* *.tf docker-compose*.yml *Keys*.csv");
        assert!(
            [".env", ".env.local", "main.tf", "docker-compose.yml", "docker-compose.prod.yml"].into_iter().all(fits)
        );
        assert!(![".envrc", "env", "tf", "main.tf.json", "docker-compose.yaml", ""].into_iter().any(fits));
    }
}
