//! The names a mistyped one was probably meant to be. Pure.

/// The most names that are offered.
const OFFERED: usize = 3;

/// Returns the names nearest to `wanted`, nearest first, at most three; none where nothing is near.
///
/// Near is a third of the letters wrong at most (swapped neighbours count once), or a name that goes on where `wanted` ends.
pub(crate) fn nearest<'a>(wanted: &str, names: impl Iterator<Item = &'a str>) -> Vec<String> {
    let wanted = wanted.to_lowercase();
    let letters = wanted.chars().count();
    let mut near: Vec<(usize, &str)> = names
        .filter(|name| name.len() <= 4 * (letters + allowed(letters)) || name.len() <= 64)
        .filter_map(|name| distance(&wanted, letters, name).map(|distance| (distance, name)))
        .collect();
    near.sort_by_key(|(distance, _)| *distance);
    near.into_iter().take(OFFERED).map(|(_, name)| tegata_protocol::text::one_line(name)).collect()
}

fn allowed(letters: usize) -> usize {
    letters.div_ceil(3).min(5)
}

fn distance(wanted: &str, letters: usize, name: &str) -> Option<usize> {
    let name = name.to_lowercase();
    if letters >= 3 && name.len() > wanted.len() && name.starts_with(wanted) {
        return Some(allowed(letters));
    }
    if name.chars().count().abs_diff(letters) > allowed(letters) {
        return None;
    }
    Some(strsim::osa_distance(wanted, &name)).filter(|distance| *distance <= allowed(letters))
}

#[cfg(test)]
mod tests {
    use super::nearest;

    #[test]
    fn a_swapped_pair_of_letters_finds_the_name() {
        assert_eq!(nearest("prdo", ["dev", "prod", "play"].into_iter()), ["prod"]);
    }

    #[test]
    fn the_nearest_comes_first_and_three_are_enough() {
        let names = ["prod-eu", "prod-us", "prod-ap", "prd", "prod"];
        assert_eq!(nearest("prod", names.into_iter()), ["prod", "prd", "prod-eu"]);
    }

    #[test]
    fn nothing_is_offered_for_something_else() {
        assert!(nearest("billing", ["dev", "prod"].into_iter()).is_empty());
    }

    #[test]
    fn hostile_names_are_offered_escaped() {
        let offered = nearest("prod", ["pro\u{1b}d"].into_iter());
        assert_eq!(offered, ["pro\\u{1b}d"]);
    }
}
