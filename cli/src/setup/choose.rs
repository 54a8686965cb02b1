//! Which of the roles a person has become profiles: by patterns, or by hand on a terminal. The choosing itself is pure.

use crate::environment::Environment;
use crate::failure::Failure;
use crate::picker::{self, Row};
use crate::signals::Signals;
use std::fmt;
use tegata_protocol::inventory::InventoryAccount;
use tegata_protocol::text::one_line;
use wildmatch::WildMatch;

/// The most characters of an account's name in a line to choose from.
const SHOWN_NAME: usize = 40;
/// A role in an account: what a profile is for.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Target {
    pub(crate) account_id: String,
    pub(crate) account: String,
    pub(crate) email: String,
    pub(crate) role: String,
}

impl Target {
    /// Returns what tells one target from every other.
    pub(crate) fn key(&self) -> (&str, &str) {
        (&self.account_id, &self.role)
    }
}

/// A line to choose from: account, id and role, fit for a terminal.
impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let account: String = one_line(&self.account).chars().take(SHOWN_NAME).collect();
        write!(f, "{account} ({}) · {}", one_line(&self.account_id), one_line(&self.role))
    }
}

/// Returns every role of every account, in the order of account ids.
pub(crate) fn targets(accounts: &[InventoryAccount]) -> Vec<Target> {
    let roles_of = |account: &InventoryAccount| {
        let of = account.clone();
        account.roles.clone().into_iter().map(move |role| Target {
            account_id: of.id.clone(),
            account: of.name.clone(),
            email: of.email.clone(),
            role,
        })
    };
    accounts.iter().flat_map(roles_of).collect()
}

/// What is chosen without asking.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Filter {
    /// Patterns of account names and ids, any of which fits; empty is any account.
    pub(crate) accounts: Vec<String>,
    /// Patterns of role names.
    pub(crate) roles: Vec<String>,
}

impl Filter {
    /// Returns the targets that both kinds of patterns fit. Upper and lower case are the same here: a pattern chooses, and
    /// what it chose is shown.
    pub(crate) fn chosen(&self, targets: &[Target]) -> Vec<Target> {
        let patterns = |texts: &[String]| -> Vec<WildMatch> {
            texts.iter().map(|text| WildMatch::new_case_insensitive(text)).collect()
        };
        let (accounts, roles) = (patterns(&self.accounts), patterns(&self.roles));
        let fits = |patterns: &[WildMatch], texts: &[&str]| {
            patterns.is_empty() || patterns.iter().any(|pattern| texts.iter().any(|text| pattern.matches(text)))
        };
        let chosen =
            |target: &&Target| fits(&accounts, &[&target.account, &target.account_id]) && fits(&roles, &[&target.role]);
        targets.iter().filter(chosen).cloned().collect()
    }
}

/// Lets the person choose on the terminal. What is ticked at first is what there is already; what is returned is all that is
/// ticked at the end.
pub(crate) fn by_hand(
    environment: &Environment,
    targets: &[Target],
    ticked: impl IntoIterator<Item = usize>,
    signals: &Signals,
) -> Result<Vec<Target>, Failure> {
    let row = |target: &Target| Row {
        name: target.account.clone(),
        beside: vec![target.account_id.clone(), target.role.clone()],
        recent: false,
    };
    let chosen = picker::pick_many(environment, targets.iter().map(row).collect(), ticked, signals)?;
    Ok(chosen.into_iter().filter_map(|at| targets.get(at)).cloned().collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn target(account: &str, id: &str, role: &str) -> Target {
        Target { account_id: id.into(), account: account.into(), email: String::new(), role: role.into() }
    }

    fn three() -> Vec<Target> {
        vec![
            target("Acme Dev", "111111111111", "ReadOnly"),
            target("Acme Prod", "222222222222", "AdministratorAccess"),
            target("開発", "333333333333", "ReadOnly"),
        ]
    }

    fn chosen(accounts: &[&str], roles: &[&str]) -> Vec<String> {
        let texts = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect();
        let filter = Filter { accounts: texts(accounts), roles: texts(roles) };
        filter.chosen(&three()).into_iter().map(|target| target.account_id).collect()
    }

    #[test]
    fn patterns_choose_by_name_by_id_and_by_role() {
        assert_eq!(chosen(&[], &[]).len(), 3);
        assert_eq!(chosen(&["acme*"], &[]), ["111111111111", "222222222222"]);
        assert_eq!(chosen(&["3333*", "*prod"], &[]), ["222222222222", "333333333333"]);
        assert_eq!(chosen(&["開発"], &["readonly"]), ["333333333333"]);
        assert_eq!(chosen(&["acme*"], &["*admin*"]), ["222222222222"]);
        assert_eq!(chosen(&["acme"], &[]), [""; 0]);
    }

    #[test]
    fn every_role_of_every_account_is_a_target() {
        let account = |id: &str, roles: &[&str]| InventoryAccount {
            id: id.into(),
            name: "n".into(),
            email: "e".into(),
            roles: roles.iter().map(|role| (*role).into()).collect(),
        };
        let all = targets(&[account("1", &["A", "B"]), account("2", &[]), account("3", &["A"])]);
        assert_eq!(all.iter().map(Target::key).collect::<Vec<_>>(), [("1", "A"), ("1", "B"), ("3", "A")]);
    }

    #[test]
    fn e11_hostile_names_are_shown_escaped_and_short() {
        let line = target(&format!("\u{1b}[2J{}", "x".repeat(500)), "1\r", "\u{202e}r").to_string();
        assert!(!line.chars().any(tegata_protocol::text::is_hostile), "{line:?}");
        assert!(line.len() < 120);
    }
}
