//! What an inventory has found so far: accounts, and for some of them already their roles. Pure.

use crate::aws::ListedAccount;
use crate::names::{AccountId, RoleName};
use std::collections::BTreeMap;
use std::time::SystemTime;
use tegata_protocol::inventory::InventoryAccount;

/// Accounts of a page that is handed on, at most; and so many characters of names, so that an answer stays far below
/// [`tegata_protocol::MAX_RESPONSE_BYTES`] also where each character is four bytes.
const PAGE_ACCOUNTS: usize = 500;
const PAGE_CHARACTERS: usize = 100_000;

/// What was found.
#[derive(Debug)]
pub(super) struct Found {
    pub(super) begun_at: SystemTime,
    accounts: BTreeMap<AccountId, Account>,
    done: usize,
}

#[derive(Debug)]
struct Account {
    name: String,
    email: String,
    roles: Option<Vec<RoleName>>,
}

impl Found {
    pub(super) fn listed(accounts: Vec<ListedAccount>, begun_at: SystemTime) -> Self {
        let account = |ListedAccount { id, name, email }| (id, Account { name, email, roles: None });
        Self { begun_at, accounts: accounts.into_iter().map(account).collect(), done: 0 }
    }

    pub(super) fn listing(&self) -> impl Iterator<Item = (&AccountId, &str, &str)> {
        self.accounts.iter().map(|(id, account)| (id, account.name.as_str(), account.email.as_str()))
    }

    /// Takes the roles of an account; false where there is no such account, or its roles are known.
    pub(super) fn learn(&mut self, account: &AccountId, mut roles: Vec<RoleName>) -> bool {
        let Some(account) = self.accounts.get_mut(account).filter(|account| account.roles.is_none()) else {
            return false;
        };
        roles.sort();
        roles.dedup();
        account.roles = Some(roles);
        self.done += 1;
        true
    }

    /// Returns the accounts whose roles are not known.
    pub(super) fn missing(&self) -> impl Iterator<Item = &AccountId> {
        self.accounts.iter().filter(|(_, account)| account.roles.is_none()).map(|(id, _)| id)
    }

    pub(super) fn found(&self) -> u32 {
        count(self.accounts.len())
    }

    pub(super) fn done(&self) -> u32 {
        count(self.done)
    }

    /// Returns everything, by account id.
    pub(super) fn into_accounts(self) -> Vec<InventoryAccount> {
        let account = |(id, account): (AccountId, Account)| InventoryAccount {
            id: id.to_string(),
            name: account.name,
            email: account.email,
            roles: account.roles.unwrap_or_default().iter().map(RoleName::to_string).collect(),
        };
        self.accounts.into_iter().map(account).collect()
    }
}

fn count(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}

/// Returns the page that begins at the account of this number, and what to ask for the next one with.
pub(super) fn page(accounts: &[InventoryAccount], from: usize) -> (Vec<InventoryAccount>, Option<String>) {
    let mut characters = 0;
    let fits = |account: &&InventoryAccount| {
        characters += account.name.len() + account.email.len() + account.roles.iter().map(String::len).sum::<usize>();
        characters <= PAGE_CHARACTERS
    };
    let rest = accounts.get(from..).unwrap_or_default();
    // One account always fits: its roles are bounded.
    let length = rest.iter().take(PAGE_ACCOUNTS).take_while(fits).count().max(1).min(rest.len());
    let page = rest.get(..length).unwrap_or_default().to_vec();
    (page, (length < rest.len()).then(|| (from + length).to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(number: u64) -> AccountId {
        AccountId::new(&format!("{:012}", 100_000_000_000 + number)).unwrap()
    }

    fn role(name: &str) -> RoleName {
        RoleName::new(name).unwrap()
    }

    fn found(accounts: u64) -> Found {
        let listed = |number| ListedAccount { id: id(number), name: format!("本番-{number}"), email: String::new() };
        Found::listed((0..accounts).rev().map(listed).collect(), SystemTime::UNIX_EPOCH)
    }

    #[test]
    fn an_account_is_done_once_and_its_roles_are_sorted() {
        let mut found = found(3);
        assert!(found.learn(&id(1), vec![role("b"), role("a"), role("b")]));
        assert!(!found.learn(&id(1), vec![]) && !found.learn(&id(9), vec![]));
        assert_eq!((found.found(), found.done()), (3, 1));
        assert_eq!(found.missing().cloned().collect::<Vec<_>>(), [id(0), id(2)]);
        let accounts = found.into_accounts();
        assert_eq!((accounts[1].id.as_str(), accounts[1].roles.join(",").as_str()), (id(1).as_str(), "a,b"));
    }

    #[test]
    fn pages_cover_all_accounts_once_in_order() {
        let accounts = found(1_234).into_accounts();
        let (mut seen, mut from) = (Vec::new(), 0);
        loop {
            let (page, next) = page(&accounts, from);
            seen.extend(page);
            let Some(next) = next else { break };
            from = next.parse().unwrap();
        }
        assert_eq!(seen, accounts);
        assert_eq!(page(&[], 0), (vec![], None));
        assert_eq!(page(&accounts, usize::MAX), (vec![], None));
    }

    #[test]
    fn a_page_of_long_names_is_cut_and_never_empty() {
        let long = |number| InventoryAccount {
            id: id(number).to_string(),
            name: "障".repeat(128),
            email: "x".repeat(128),
            roles: vec!["r".repeat(64); 1_000],
        };
        let accounts: Vec<_> = (0..5).map(long).collect();
        let (first, next) = page(&accounts, 0);
        assert_eq!((first.len(), next.as_deref()), (1, Some("1")));
        let bytes = serde_json::to_vec(&first).unwrap().len();
        assert!(bytes < tegata_protocol::MAX_RESPONSE_BYTES / 2, "{bytes}");
    }
}
