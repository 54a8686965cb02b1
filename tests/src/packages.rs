//! What `make packages` has built, and what packages are built from.

use crate::{present, target_directory};
use std::path::{Path, PathBuf};

/// A file of `packaging/`.
#[must_use]
pub fn source(relative: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../packaging").join(relative)
}

/// A package as `make packages` left it: `deb`, `rpm`, `tar.gz`.
///
/// # Panics
/// When it was not built.
#[must_use]
pub fn package(kind: &str) -> PathBuf {
    in_directory("packages", kind)
}

/// The same source's package with a lower version, as `packaging/previous` left it.
///
/// # Panics
/// When it was not built.
#[must_use]
pub fn previous(kind: &str) -> PathBuf {
    in_directory("previous/packages", kind)
}

/// A file beside the packages.
///
/// # Panics
/// When it was not built.
#[must_use]
pub fn beside(name: &str) -> PathBuf {
    present(target_directory().join("packages").join(name), "make packages")
}

fn in_directory(directory: &str, kind: &str) -> PathBuf {
    let directory = target_directory().join(directory);
    let files = std::fs::read_dir(&directory).into_iter().flatten().flatten().map(|file| file.path());
    let mut found = files.filter(|file| file.to_string_lossy().ends_with(&format!(".{kind}")));
    found.next().unwrap_or_else(|| panic!("no .{kind} in {}; run: make packages", directory.display()))
}

/// A program as the packages hold it.
///
/// # Panics
/// When it was not built.
#[must_use]
pub fn released(program: &str) -> PathBuf {
    let place = if program == "tegatad" { "usr/lib/tegata" } else { "usr/bin" };
    present(target_directory().join("release/package").join(place).join(program), "make packages")
}
