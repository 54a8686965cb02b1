//! The daemon's fail points, as its sources name them: whoever adds one gets its crash tested.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

/// Returns the name of every `failpoint!("…")` in the daemon's sources.
///
/// # Panics
/// When the sources cannot be read.
#[must_use]
pub fn names() -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    let mut directories = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join("../daemon/src")];
    while let Some(directory) = directories.pop() {
        for path in children(&directory) {
            if path.is_dir() {
                directories.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let text = fs::read_to_string(&path).expect("a source is text");
                names.extend(names_in(&text));
            }
        }
    }
    names
}

/// Returns how often each fail point was reached, as the log of a daemon that was armed with `trace` says.
#[must_use]
pub fn reached(log: &str) -> BTreeMap<String, u64> {
    let mut reached = BTreeMap::new();
    for name in log.lines().filter_map(|line| line.split_once("fail point ")?.1.split_whitespace().next()) {
        *reached.entry(name.to_owned()).or_default() += 1;
    }
    reached
}

fn children(directory: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(directory).unwrap_or_else(|error| panic!("{}: {error}", directory.display()));
    entries.map(|entry| entry.expect("a directory entry").path()).collect()
}

fn names_in(text: &str) -> impl Iterator<Item = String> {
    text.split("failpoint!(\"").skip(1).filter_map(|rest| Some(rest.split_once('"')?.0.to_owned()))
}

#[cfg(test)]
mod tests {
    #[test]
    fn what_was_reached_is_counted() {
        let log = "WARN fail point a.b\nINFO something\nWARN fail point a.b\nWARN fail point c.d\n";
        let reached: Vec<_> = super::reached(log).into_iter().collect();
        assert_eq!(reached, [("a.b".to_owned(), 2), ("c.d".to_owned(), 1)]);
    }

    #[test]
    fn every_name_is_found_once() {
        let text = "a(); crate::failpoint!(\"room.write.before\"); b(); failpoint!(\"room.write.after\");";
        assert_eq!(super::names_in(text).collect::<Vec<_>>(), ["room.write.before", "room.write.after"]);
        assert!(super::names().contains("renew.received"));
    }
}
