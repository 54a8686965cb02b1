//! The profiles that were used last, newest first: names only, a bounded number, in the state directory.

use crate::environment::Environment;
use crate::state::StateFile;
use tegata_protocol::text::is_hostile;

const FILE: &str = "recent-profiles";
/// How many are remembered.
const MOST: usize = 50;

/// Remembers that a person chose this profile. What cannot be written is forgotten: it is a convenience.
pub(crate) fn remember(environment: &Environment, profile: &str) {
    if profile.is_empty() || profile.chars().any(is_hostile) {
        return;
    }
    if let Ok(file) = StateFile::new(environment, FILE) {
        let _ = file.update(|text| with(text, profile));
    }
}

/// Returns the profiles that were used last, newest first.
pub(crate) fn recent(environment: &Environment) -> Vec<String> {
    let text = StateFile::new(environment, FILE).map(|file| file.read()).unwrap_or_default();
    names(&text).map(str::to_owned).collect()
}

fn names(text: &str) -> impl Iterator<Item = &str> {
    text.lines().filter(|name| !name.is_empty() && !name.chars().any(is_hostile)).take(MOST)
}

fn with(text: &str, profile: &str) -> String {
    let others = names(text).filter(|name| *name != profile);
    std::iter::once(profile).chain(others).take(MOST).flat_map(|name| [name, "\n"]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_comes_first_and_once() {
        assert_eq!(with("", "dev"), "dev\n");
        assert_eq!(with("a\ndev\nb\n", "dev"), "dev\na\nb\n");
    }

    #[test]
    fn no_more_than_fifty_are_remembered() {
        let text = (0..200).fold(String::new(), |text, number| with(&text, &format!("p{number}")));
        assert_eq!(text.lines().count(), 50);
        assert!(text.starts_with("p199\np198\n"));
    }

    #[test]
    fn a_line_that_is_no_name_is_passed_over() {
        assert_eq!(names("\n\u{1b}[2J\ndev\n").collect::<Vec<_>>(), ["dev"]);
    }

    #[test]
    fn a_name_that_could_be_two_lines_is_not_remembered() {
        let home = tempfile::tempdir().unwrap();
        let environment = Environment::of(&[("XDG_STATE_HOME", home.path().to_str().unwrap())]);
        for name in ["prod", "a\nb", "", "dev"] {
            remember(&environment, name);
        }
        assert_eq!(recent(&environment), ["dev", "prod"]);
    }

    #[test]
    fn without_a_home_nothing_is_remembered_and_nothing_breaks() {
        remember(&Environment::of(&[]), "dev");
        assert!(recent(&Environment::of(&[])).is_empty());
    }
}
