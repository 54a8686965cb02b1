//! A name for every profile that setup writes: made by a template, safe in every SDK, bounded, different from every other, and
//! the same on every run. Pure.

mod ascii;
mod template;

pub(crate) use template::{DEFAULT, Template, Values};

use std::collections::{BTreeMap, HashSet};

/// The longest name that setup makes. Tegata takes 255 bytes; a table and a shell's prompt take less.
const MAX_NAME: usize = 100;
/// `[default]` is another section than any `[profile …]`, and what no `--profile` names ends there.
const RESERVED: &str = "default";

/// A name that somebody else had already, or that several profiles would have had.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Clash {
    /// What the template said.
    pub(crate) wanted: String,
    /// What was taken instead, in the order of the profiles.
    pub(crate) named: Vec<String>,
    /// Whether a profile that is there already has the name.
    pub(crate) taken: bool,
}

/// Names, in the order of what was to be named.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Named {
    pub(crate) names: Vec<String>,
    pub(crate) clashes: Vec<Clash>,
}

/// Names profiles. Names in `taken` are left to whoever has them; names that differ in case only count as the same, because
/// people say them. Where several would have the same name all of them are told apart, so that the order in which AWS lists
/// accounts decides nothing.
pub(crate) fn names(template: &Template, unnamed: &[Values<'_>], taken: impl IntoIterator<Item = String>) -> Named {
    let mut taken: HashSet<String> = taken.into_iter().map(|name| name.to_ascii_lowercase()).collect();
    taken.insert(RESERVED.to_owned());
    let wanted: Vec<String> = unnamed.iter().map(|values| bounded(template.name(values), values)).collect();
    let mut groups: BTreeMap<String, Vec<usize>> = BTreeMap::new();
    for (at, name) in wanted.iter().enumerate() {
        groups.entry(name.to_ascii_lowercase()).or_default().push(at);
    }
    let mut named = Named { names: wanted.clone(), clashes: Vec::new() };
    let (alone, together): (Vec<_>, Vec<_>) =
        groups.into_iter().partition(|(name, group)| group.len() == 1 && !taken.contains(name));
    taken.extend(alone.into_iter().map(|(name, _)| name));
    for (name, mut group) in together {
        group.sort_by_key(|at| unnamed.get(*at).map(|values| (values.account_id, values.role)));
        let was_taken = taken.contains(&name);
        let Some(first) = group.first().and_then(|at| wanted.get(*at)).cloned() else { continue };
        let members: Vec<&Values<'_>> = group.iter().filter_map(|at| unnamed.get(*at)).collect();
        let apart = told_apart(&first, &members, &taken);
        taken.extend(apart.iter().map(|name| name.to_ascii_lowercase()));
        for (at, name) in group.iter().zip(&apart) {
            if let Some(slot) = named.names.get_mut(*at) {
                slot.clone_from(name);
            }
        }
        named.clashes.push(Clash { wanted: first, named: apart, taken: was_taken });
    }
    named
}

/// Adds what tells the members of a group apart: the account's id, the role, both, at last a number.
fn told_apart(name: &str, members: &[&Values<'_>], taken: &HashSet<String>) -> Vec<String> {
    let suffixes: [fn(&Values<'_>) -> String; 3] = [
        |values| values.account_id.to_owned(),
        |values| ascii::kebab(&ascii::safe(values.role)),
        |values| format!("{}-{}", values.account_id, ascii::kebab(&ascii::safe(values.role))),
    ];
    for suffix in suffixes {
        let apart: Vec<String> = members.iter().map(|values| joined(name, &suffix(values))).collect();
        let different: HashSet<String> = apart.iter().map(|name| name.to_ascii_lowercase()).collect();
        if different.len() == members.len() && different.is_disjoint(taken) {
            return apart;
        }
    }
    let mut free = (2_u32..).map(|n| n.to_string()).filter(|n| !taken.contains(&joined(name, n).to_ascii_lowercase()));
    members.iter().map(|_| joined(name, &free.next().unwrap_or_default())).collect()
}

/// Cuts a name that is too long in favour of the account's id.
fn bounded(name: String, values: &Values<'_>) -> String {
    if name.len() <= MAX_NAME { name } else { joined(&name, values.account_id) }
}

/// Names are ASCII here, so that any byte is a place to cut.
fn joined(name: &str, suffix: &str) -> String {
    let suffix = suffix.get(..suffix.len().min(MAX_NAME / 2)).unwrap_or_default();
    let room = MAX_NAME.saturating_sub(suffix.len() + 1);
    let start = name.get(..name.len().min(room)).unwrap_or_default().trim_end_matches('-');
    if suffix.is_empty() { start.to_owned() } else { format!("{start}-{suffix}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one<'a>(account: &'a str, account_id: &'a str, role: &'a str) -> Values<'a> {
        Values { account, account_id, role, email: "", session: "corp" }
    }

    fn named(template: &str, unnamed: &[Values<'_>], taken: &[&str]) -> Named {
        let taken = taken.iter().map(|name| (*name).to_owned());
        names(&Template::parse(template).unwrap(), unnamed, taken)
    }

    const A: &str = "111111111111";
    const B: &str = "222222222222";

    #[test]
    fn names_that_are_free_are_what_the_template_says() {
        let named = named(DEFAULT, &[one("Dev", A, "Admin"), one("Prod", B, "ReadOnly")], &["other"]);
        assert_eq!(named.names, ["dev-admin", "prod-read-only"]);
        assert_eq!(named.clashes, []);
    }

    #[test]
    fn accounts_of_one_name_are_all_told_apart_whatever_their_order() {
        let (first, second) = (one("Dev", A, "Admin"), one("dev", B, "Admin"));
        assert_eq!(named(DEFAULT, &[first, second], &[]).names, ["dev-admin-111111111111", "dev-admin-222222222222"]);
        assert_eq!(named(DEFAULT, &[second, first], &[]).names, ["dev-admin-222222222222", "dev-admin-111111111111"]);
    }

    #[test]
    fn roles_of_one_account_are_told_apart_by_the_role() {
        let named = named("{account|lower}", &[one("Dev", A, "Admin"), one("Dev", A, "ReadOnly")], &[]);
        assert_eq!(named.names, ["dev-admin", "dev-read-only"]);
        assert_eq!(
            named.clashes,
            [Clash { wanted: "dev".into(), named: vec!["dev-admin".into(), "dev-read-only".into()], taken: false }]
        );
    }

    #[test]
    fn accounts_and_roles_that_both_repeat_are_told_apart_by_both() {
        let many = [one("Dev", A, "Admin"), one("Dev", A, "Ops"), one("Dev", B, "Admin"), one("Dev", B, "Ops")];
        let named = named("{account|lower}", &many, &[]);
        assert_eq!(named.names[0], "dev-111111111111-admin");
        assert_eq!(named.names.iter().collect::<HashSet<_>>().len(), 4);
    }

    #[test]
    fn a_name_of_another_section_is_left_to_it() {
        let named = named(DEFAULT, &[one("Dev", A, "Admin")], &["Dev-Admin"]);
        assert_eq!(named.names, ["dev-admin-111111111111"]);
        assert!(named.clashes[0].taken);
    }

    #[test]
    fn what_nothing_tells_apart_is_numbered() {
        let taken = ["dev", "dev-111111111111", "dev-admin", "dev-111111111111-admin", "dev-2"];
        assert_eq!(named("{account|lower}", &[one("Dev", A, "Admin")], &taken).names, ["dev-3"]);
    }

    #[test]
    fn the_default_section_is_nobody_s_name() {
        assert_eq!(named("{account}", &[one("Default", A, "Admin")], &[]).names, ["Default-111111111111"]);
    }

    #[test]
    fn long_names_are_cut_and_stay_different() {
        let (long, longer) = ("x".repeat(150), "x".repeat(151));
        let names = named("{account}", &[one(&long, A, "Admin"), one(&longer, B, "Admin")], &[]).names;
        assert!(names.iter().all(|name| name.len() == MAX_NAME), "{names:?}");
        assert!(names[0].ends_with("x-111111111111") && names[1].ends_with("x-222222222222"));
    }

    #[test]
    fn a_suffix_never_takes_the_name_of_a_third() {
        let third = one("Dev-111111111111", B, "Admin");
        let many = [one("Dev", A, "Admin"), one("Dev", B, "Ops"), third];
        let names = named("{account|lower}", &many, &[]).names;
        assert_eq!(names, ["dev-admin", "dev-ops", "dev-111111111111"]);
    }
}
