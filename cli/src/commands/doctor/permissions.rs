//! Who else may read or write what has to be this user's own.

use super::facts::Facts;
use super::finding::quoted;
use super::finding::{Finding, Severity};

/// How private a place has to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Wanted {
    /// Nobody else reads or writes it.
    Private,
    /// Nobody else writes it.
    OwnWriting,
}

/// A file or directory that is there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) path: String,
    pub(super) wanted: Wanted,
    pub(super) owner: u32,
    /// The permission bits.
    pub(super) mode: u32,
}

pub(super) fn findings(facts: &Facts) -> Vec<Finding> {
    facts.places.iter().filter_map(|place| judge(place, facts.uid)).collect()
}

fn judge(place: &Place, uid: u32) -> Option<Finding> {
    let Place { path, wanted, owner, mode } = place;
    let path_word = quoted(path);
    if *owner != uid {
        let text = format!("{path} belongs to user {owner}");
        return Some(
            Finding::new("permissions", Severity::Error, text).mend(format!("sudo chown \"$USER\" {path_word}")),
        );
    }
    let (others, mend, what) = match wanted {
        Wanted::Private => (0o077, "go=", "other users may look into it or change it"),
        Wanted::OwnWriting => (0o022, "go-w", "other users may change it"),
    };
    let text = || format!("{path} has mode {mode:o}: {what}");
    (mode & others != 0)
        .then(|| Finding::new("permissions", Severity::Error, text()).mend(format!("chmod {mend} {path_word}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(wanted: Wanted, owner: u32, mode: u32) -> Vec<Finding> {
        let places = vec![Place { path: "/home/a/x".to_owned(), wanted, owner, mode }];
        findings(&Facts { places, uid: 1000, ..Facts::clean() })
    }

    #[test]
    fn a2_what_others_may_look_into_or_change_is_an_error_with_its_command() {
        for mode in [0o755, 0o710, 0o701, 0o770] {
            assert_eq!(with(Wanted::Private, 1000, mode)[0].mend.as_deref(), Some("chmod go= /home/a/x"), "{mode:o}");
        }
        for mode in [0o664, 0o646] {
            assert_eq!(
                with(Wanted::OwnWriting, 1000, mode)[0].mend.as_deref(),
                Some("chmod go-w /home/a/x"),
                "{mode:o}"
            );
        }
        assert!(with(Wanted::Private, 0, 0o700)[0].line.contains("belongs to user 0"));
    }

    #[test]
    fn a2_twin_what_is_this_users_own_is_no_finding() {
        assert_eq!(with(Wanted::Private, 1000, 0o700), []);
        assert_eq!(with(Wanted::OwnWriting, 1000, 0o644), []);
    }
}
