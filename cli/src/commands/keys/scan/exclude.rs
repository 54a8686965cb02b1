//! What is left out.

use std::path::Path;
use wildmatch::WildMatch;

/// Directories that no person keeps a credential in: dependencies, what builds and tools made, and stores of versions. In one string, since each
/// string of a list costs every start of the program a relocation.
const NO_PERSONS: &str = "node_modules bower_components target .venv venv __pycache__ site-packages .tox .nox .mypy_cache .ruff_cache \
    .pytest_cache .cache .rustup .git/objects .git/lfs .hg/store .svn/pristine .cargo/registry .cargo/git go/pkg .npm/_cacache .m2/repository \
    .gradle/caches .bundle/cache .pnpm-store";

/// Kernels write these.
const NO_FILES: &str = "/proc /sys /dev /run";

/// What is left out of a walk.
pub(super) struct Exclusions {
    patterns: Vec<WildMatch>,
    /// Whether only the patterns count.
    only_patterns: bool,
}

impl Exclusions {
    /// Leaves out what fits one of the patterns and, unless `all`, what no person writes.
    pub(super) fn new(patterns: impl IntoIterator<Item = String>, all: bool) -> Self {
        let trimmed = |pattern: String| WildMatch::new(pattern.strip_suffix('/').unwrap_or(&pattern));
        Self { patterns: patterns.into_iter().map(trimmed).collect(), only_patterns: all }
    }

    /// Whether a directory is left out, by its whole path.
    pub(super) fn directory(&self, path: &Path) -> bool {
        let is_no_persons = || NO_PERSONS.split_whitespace().any(|name| path.ends_with(name));
        let is_no_files = || NO_FILES.split_whitespace().any(|name| path == Path::new(name));
        self.fits(path) || is_no_files() || (!self.only_patterns && is_no_persons())
    }

    /// Whether somebody asked that this be left out.
    pub(super) fn fits(&self, path: &Path) -> bool {
        if self.patterns.is_empty() {
            return false;
        }
        let whole = path.to_string_lossy();
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        self.patterns.iter().any(|pattern| pattern.matches(&name) || pattern.matches(&whole))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn exclusions(patterns: &[&str], all: bool) -> Exclusions {
        Exclusions::new(patterns.iter().map(|pattern| (*pattern).to_owned()), all)
    }

    #[test]
    fn a_pattern_fits_a_name_or_a_whole_path() {
        let some = exclusions(&["*.lock", "*/fixtures/*", "secret-?", "build/"], false);
        for path in ["/a/Cargo.lock", "/a/fixtures/b/c", "/a/secret-1", "/a/build"] {
            assert!(some.fits(Path::new(path)), "{path}");
        }
        for path in ["/a/Cargo.toml", "/a/fixtures", "/a/secret-12", "/a/build.rs"] {
            assert!(!some.fits(Path::new(path)), "{path}");
        }
    }

    #[test]
    fn what_no_person_writes_is_left_out_unless_all_is_wanted() {
        for path in ["/a/node_modules", "/a/.git/objects", "/home/a/.cargo/registry"] {
            assert!(exclusions(&[], false).directory(Path::new(path)), "{path}");
            assert!(!exclusions(&[], true).directory(Path::new(path)), "{path}");
        }
        for path in ["/a/.git", "/a/objects", "/a/my_node_modules"] {
            assert!(!exclusions(&[], false).directory(Path::new(path)), "{path}");
        }
        assert!(exclusions(&[], true).directory(Path::new("/proc")));
    }
}
