//! Who can read a file, by the mode bits of it and of the directories on the way to it. Access control lists are not asked.

use serde::Serialize;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

/// Who can read a file besides root.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Reach {
    /// Its owner.
    Owner,
    /// Its owner and the members of its group.
    Group,
    /// Every user of the machine.
    Everybody,
}

impl Reach {
    /// Decides for a file with an absolute path.
    pub(super) fn of(path: &Path) -> Option<Self> {
        let mode = fs::metadata(path).ok()?.mode();
        let ways: Option<Vec<u32>> = path.ancestors().skip(1).map(|way| Some(fs::metadata(way).ok()?.mode())).collect();
        Some(decide(mode, &ways?))
    }

    pub(super) fn words(self) -> &'static str {
        match self {
            Self::Owner => "only its owner",
            Self::Group => "its group",
            Self::Everybody => "everybody",
        }
    }
}

/// Decides by the mode of a file and those of the directories that it is reached through.
fn decide(file: u32, ways: &[u32]) -> Reach {
    let may = |read: u32, pass: u32| file & read != 0 && ways.iter().all(|way| way & pass != 0);
    match (may(0o004, 0o001), may(0o040, 0o011)) {
        (true, _) => Reach::Everybody,
        (false, true) => Reach::Group,
        (false, false) => Reach::Owner,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_open_to_those_who_can_come_to_it() {
        for (file, ways, expected) in [
            (0o600, &[0o755, 0o755][..], Reach::Owner),
            (0o644, &[0o755, 0o755], Reach::Everybody),
            (0o644, &[0o755, 0o700], Reach::Owner),
            (0o640, &[0o750, 0o755], Reach::Group),
            (0o644, &[0o750, 0o755], Reach::Group),
            (0o604, &[0o711], Reach::Everybody),
        ] {
            assert_eq!(decide(file, ways), expected, "{file:o} {ways:?}");
        }
    }
}
