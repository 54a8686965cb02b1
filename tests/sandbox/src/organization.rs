//! Who is in an Identity Center organisation, and what they may use: users, accounts, permission sets.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::settings::seconds;

/// The start URL of the organisation the sandbox begins with. Its host passes AWS CLI v2's start URL check offline.
pub const START_URL: &str = "https://d-1234567890.awsapps.com/start";

/// One IAM Identity Center instance.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Organization {
    /// Its access portal URL; clients name the organisation by it.
    pub start_url: String,
    /// Its home region, which decides the partition of everything it hands out.
    pub region: String,
    /// The people in it.
    pub users: Vec<User>,
    /// The name of the user whose browser this is: who an `auto` consent signs in.
    pub signed_in: String,
    /// Its accounts, in the order ListAccounts answers.
    pub accounts: Vec<Account>,
}

/// A person in the Identity Center directory.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct User {
    /// The user name, which becomes the role session name.
    pub name: String,
    /// Their e-mail address.
    pub email: String,
}

/// An AWS account of the organisation.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Account {
    /// Twelve digits.
    pub id: String,
    /// Its display name.
    pub name: String,
    /// The root user's e-mail address.
    pub email: String,
    /// The permission sets provisioned in it, in the order ListAccountRoles answers.
    pub roles: Vec<Role>,
}

/// A permission set as one account has it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Role {
    /// The permission set's name.
    pub name: String,
    /// How long its credentials live (AWS: 1 to 12 hours).
    #[serde(default = "one_hour", with = "seconds")]
    pub session: Duration,
    /// The names of the users it is assigned to; empty means everybody.
    #[serde(default)]
    pub assigned_to: Vec<String>,
    /// Actions its policy does not allow, of `sts:SetSourceIdentity` and `sts:TagSession`.
    #[serde(default)]
    pub denied: Vec<String>,
    /// What GetRoleCredentials hands out in place of keys of its own: for another AWS double that knows these.
    #[serde(default)]
    pub keys: Option<RoleKeys>,
}

/// Keys that somebody else issued.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RoleKeys {
    /// `ASIA…`
    pub access_key_id: String,
    /// The secret access key.
    pub secret_access_key: String,
    /// The session token.
    pub session_token: String,
}

fn one_hour() -> Duration {
    Duration::from_secs(3600)
}

impl Default for Organization {
    /// Alice and Bob; account 123456789012 with `Admin` and `ReadOnly`, and 210987654321 with `ReadOnly`.
    fn default() -> Self {
        Self {
            start_url: START_URL.to_owned(),
            region: "us-east-1".to_owned(),
            users: vec![User::new("alice"), User::new("bob")],
            signed_in: "alice".to_owned(),
            accounts: vec![
                Account::new("123456789012", "prod", &["Admin", "ReadOnly"]),
                Account::new("210987654321", "開発", &["ReadOnly"]),
            ],
        }
    }
}

impl Organization {
    /// An organisation of `accounts` accounts with `roles` permission sets each; every third account and every fifth
    /// permission set has a Japanese name. Account ids count up from 100000000001.
    #[must_use]
    pub fn generated(accounts: usize, roles: usize) -> Self {
        let accounts = (1..=accounts).map(|n| generated_account(n, roles)).collect();
        Self { accounts, ..Self::default() }
    }

    pub(crate) fn user(&self, name: &str) -> Option<&User> {
        self.users.iter().find(|user| user.name == name)
    }

    /// The permission set, when the user has it in that account.
    pub(crate) fn assigned_role(&self, user: &str, account_id: &str, role_name: &str) -> Option<&Role> {
        let account = self.accounts.iter().find(|account| account.id == account_id)?;
        account.roles.iter().find(|role| role.name == role_name && role.is_assigned_to(user))
    }
}

fn generated_account(n: usize, roles: usize) -> Account {
    const NAMES: [&str; 3] = ["workload", "sandbox", "本番環境"];
    const ROLES: [&str; 5] = ["ReadOnly", "PowerUser", "Billing", "Admin", "Audit+Log"];
    let roles: Vec<String> = (0..roles)
        .map(|r| if r < ROLES.len() { ROLES[r].to_owned() } else { format!("{}-{}", ROLES[r % ROLES.len()], r) })
        .collect();
    let roles: Vec<&str> = roles.iter().map(String::as_str).collect();
    Account::new(&format!("{}", 100_000_000_000_u64 + n as u64), &format!("{}-{n:04}", NAMES[n % NAMES.len()]), &roles)
}

impl User {
    /// A user with an example address.
    #[must_use]
    pub fn new(name: &str) -> Self {
        Self { name: name.to_owned(), email: format!("{name}@example.com") }
    }
}

impl Account {
    /// An account with these permission sets, assigned to everybody.
    #[must_use]
    pub fn new(id: &str, name: &str, roles: &[&str]) -> Self {
        let roles = roles.iter().map(|role| Role::new(role)).collect();
        Self { id: id.to_owned(), name: name.to_owned(), email: format!("aws+{id}@example.com"), roles }
    }

    pub(crate) fn roles_of<'a>(&'a self, user: &'a str) -> impl Iterator<Item = &'a Role> {
        self.roles.iter().filter(move |role| role.is_assigned_to(user))
    }
}

impl Role {
    /// A one-hour permission set, assigned to everybody, which denies nothing.
    #[must_use]
    pub fn new(name: &str) -> Self {
        Self { name: name.to_owned(), session: one_hour(), assigned_to: Vec::new(), denied: Vec::new(), keys: None }
    }

    fn is_assigned_to(&self, user: &str) -> bool {
        self.assigned_to.is_empty() || self.assigned_to.iter().any(|name| name == user)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_generated_organization_has_distinct_twelve_digit_accounts_and_japanese_names() {
        let organization = Organization::generated(2000, 5);
        let mut ids: Vec<&str> = organization.accounts.iter().map(|account| account.id.as_str()).collect();
        assert!(ids.iter().all(|id| id.len() == 12));
        ids.dedup();
        assert_eq!(ids.len(), 2000);
        assert!(organization.accounts.iter().any(|account| account.name.contains("本番")));
        assert!(organization.accounts.iter().all(|account| account.roles.len() == 5));
        assert!(organization.accounts[0].roles.iter().any(|role| role.name == "Audit+Log"));
    }

    #[test]
    fn a_role_assigned_to_one_user_is_not_another_users() {
        let mut organization = Organization::default();
        organization.accounts[0].roles[0].assigned_to = vec!["alice".to_owned()];
        assert!(organization.assigned_role("alice", "123456789012", "Admin").is_some());
        assert!(organization.assigned_role("bob", "123456789012", "Admin").is_none());
        assert!(organization.assigned_role("bob", "123456789012", "ReadOnly").is_some());
    }
}
