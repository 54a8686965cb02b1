//! Whether git tracks a file: whether it is in the index of the work tree that it lies in. What is tracked is in the history, or will be.

use serde::Serialize;
use std::collections::HashMap;
use std::fs::{self, File};
use std::io::Read;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

/// The largest index that is read: of a million files.
const LARGEST_INDEX: u64 = 128 * 1024 * 1024;

/// How a file in a work tree stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Git {
    Tracked,
    Untracked,
    /// It lies in a work tree whose index cannot be read.
    Unknown,
}

/// The indexes of the work trees that were asked about.
#[derive(Default)]
pub(super) struct Indexes(HashMap<PathBuf, Option<Vec<u8>>>);

impl Indexes {
    /// Returns how a file stands, by its absolute path; nothing outside of work trees and inside of `.git`.
    pub(super) fn of(&mut self, path: &Path) -> Option<Git> {
        let tree = path.ancestors().skip(1).find(|above| above.join(".git").exists())?;
        let inside = path.strip_prefix(tree).ok().filter(|inside| !inside.starts_with(".git"))?;
        let index = self.0.entry(tree.to_owned()).or_insert_with(|| read_index(tree));
        let tracked = index.as_deref().and_then(|index| holds(index, inside.as_os_str().as_bytes()));
        Some(tracked.map_or(Git::Unknown, |tracked| if tracked { Git::Tracked } else { Git::Untracked }))
    }
}

/// Reads the index of a work tree. One without an index has nothing in it. `.git` may be a file that names the directory: "gitrepository-layout".
fn read_index(tree: &Path) -> Option<Vec<u8>> {
    let git = tree.join(".git");
    let directory = if git.is_file() {
        let text = fs::read_to_string(&git).ok()?;
        tree.join(text.strip_prefix("gitdir: ")?.trim_end())
    } else {
        git
    };
    let file = match File::open(directory.join("index")) {
        Ok(file) => file,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Some(EMPTY.to_vec()),
        Err(_) => return None,
    };
    let mut index = Vec::new();
    let is_index = file.metadata().ok()?.is_file();
    file.take(LARGEST_INDEX).read_to_end(&mut index).ok().filter(|_| is_index)?;
    Some(index)
}

/// An index of no files.
const EMPTY: &[u8] = b"DIRC\0\0\0\x02\0\0\0\0";

/// Whether an index holds a path; nothing where it is not understood. Source: "gitformat-index", versions 2 to 4 with SHA-1.
///
/// An entry is 40 bytes of times, mode and so on, 20 of a hash, two of flags, two more when the bit of 0x4000 is set, and the path: in versions 2
/// and 3 whole and filled up with NUL to a multiple of eight bytes, in version 4 as how much of the one before goes and what is added.
fn holds(index: &[u8], path: &[u8]) -> Option<bool> {
    let number = |at: usize| Some(u32::from_be_bytes(index.get(at..at + 4)?.try_into().ok()?));
    let version = number(4).filter(|version| index.starts_with(b"DIRC") && (2..=4).contains(version))?;
    let mut name = Vec::new();
    let mut at = 12;
    for _ in 0..number(8)? {
        let flags = u16::from_be_bytes(index.get(at + 60..at + 62)?.try_into().ok()?);
        let start = at + 62 + if flags & 0x4000 == 0 { 0 } else { 2 };
        at = if version == 4 { compressed(index, start, &mut name)? } else { whole(index, at, start, &mut name)? };
        if name == path {
            return Some(true);
        }
    }
    Some(false)
}

fn whole(index: &[u8], entry: usize, start: usize, name: &mut Vec<u8>) -> Option<usize> {
    let rest = index.get(start..)?;
    let length = rest.iter().position(|byte| *byte == 0)?;
    name.clear();
    name.extend_from_slice(rest.get(..length)?);
    Some(entry + (start - entry + length + 8) / 8 * 8)
}

fn compressed(index: &[u8], mut at: usize, name: &mut Vec<u8>) -> Option<usize> {
    // A number of git's packs: seven bits a byte, one added for each that follows.
    let mut byte = *index.get(at)?;
    let mut removed = usize::from(byte & 0x7f);
    while byte & 0x80 != 0 {
        at += 1;
        byte = *index.get(at)?;
        removed = removed.checked_add(1)?.checked_mul(128)? + usize::from(byte & 0x7f);
    }
    let rest = index.get(at + 1..)?;
    let length = rest.iter().position(|byte| *byte == 0)?;
    name.truncate(name.len().checked_sub(removed)?);
    name.extend_from_slice(rest.get(..length)?);
    Some(at + 1 + length + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(name: &str, version: u32, before: &str) -> Vec<u8> {
        let mut entry = vec![0; 60];
        entry.extend_from_slice(&u16::try_from(name.len()).unwrap().to_be_bytes());
        if version == 4 {
            let common = before.bytes().zip(name.bytes()).take_while(|(a, b)| a == b).count();
            entry.push(u8::try_from(before.len() - common).unwrap());
            entry.extend_from_slice(&name.as_bytes()[common..]);
            entry.push(0);
        } else {
            entry.extend_from_slice(name.as_bytes());
            entry.resize((entry.len() + 8) / 8 * 8, 0);
        }
        entry
    }

    fn index(version: u32, names: &[&str]) -> Vec<u8> {
        let mut index = b"DIRC".to_vec();
        index.extend_from_slice(&version.to_be_bytes());
        index.extend_from_slice(&u32::try_from(names.len()).unwrap().to_be_bytes());
        let mut before = "";
        for name in names {
            index.extend(entry(name, version, before));
            before = name;
        }
        index
    }

    #[test]
    fn paths_are_found_in_every_version() {
        let names = [".env", "a", "a/b/c.tf", "a/b/d.tf", "main.tf"];
        for version in [2, 3, 4] {
            let index = index(version, &names);
            for name in names {
                assert_eq!(holds(&index, name.as_bytes()), Some(true), "{version} {name}");
            }
            for other in ["env", "a/b", "a/b/c.t", "z"] {
                assert_eq!(holds(&index, other.as_bytes()), Some(false), "{version} {other}");
            }
        }
    }

    #[test]
    fn what_is_no_index_says_nothing() {
        let good = index(2, &["a"]);
        for bad in [&b""[..], b"DIRC", b"DIRX\0\0\0\x02\0\0\0\0", &good[..good.len() - 20], b"DIRC\0\0\0\x09\0\0\0\0"] {
            assert_eq!(holds(bad, b"a"), None);
        }
        assert_eq!(holds(b"DIRC\0\0\0\x04\0\0\0\x01", b"a"), None);
        assert_eq!(holds(EMPTY, b"a"), Some(false));
    }
}
