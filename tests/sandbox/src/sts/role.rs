//! The IAM roles AssumeRole may reach, and whom they trust.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::web_identity::TrustedTokens;
use crate::issued::Principal;
use crate::settings::seconds;

/// An IAM role.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct IamRole {
    /// Its ARN, path included.
    pub arn: String,
    /// Its MaxSessionDuration (AWS: 1 to 12 hours).
    #[serde(with = "seconds")]
    pub max_session: Duration,
    /// Its trust policy.
    pub trust: Trust,
    /// STS actions its own policy does not allow, of `sts:AssumeRole`, `sts:SetSourceIdentity`, `sts:TagSession`.
    pub denied: Vec<String>,
}

/// A trust policy, reduced to what decides here.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Trust {
    /// Who may assume the role: `*`, an account's root ARN, a role's or a user's ARN, an assumed-role
    /// session's ARN, or a service's name.
    pub principals: Vec<String>,
    /// The `sts:ExternalId` it requires.
    pub external_id: Option<String>,
    /// Whether it requires `aws:MultiFactorAuthPresent`.
    pub requires_mfa: bool,
    /// The tokens of an identity provider it is assumed for.
    pub tokens: Option<TrustedTokens>,
    /// Whether it allows `sts:SetSourceIdentity`.
    pub allows_source_identity: bool,
    /// Whether it allows `sts:TagSession`.
    pub allows_tags: bool,
}

impl Default for IamRole {
    /// `arn:aws:iam::210987654321:role/Deploy`, trusting account 123456789012, four hours at most.
    fn default() -> Self {
        Self::new("arn:aws:iam::210987654321:role/Deploy", &["arn:aws:iam::123456789012:root"])
    }
}

impl Default for Trust {
    fn default() -> Self {
        Self {
            principals: Vec::new(),
            external_id: None,
            requires_mfa: false,
            tokens: None,
            allows_source_identity: true,
            allows_tags: true,
        }
    }
}

impl IamRole {
    /// A role which these principals may assume, for four hours at most, with source identity and tags.
    #[must_use]
    pub fn new(arn: &str, principals: &[&str]) -> Self {
        let principals = principals.iter().map(|&principal| principal.to_owned()).collect();
        Self {
            arn: arn.to_owned(),
            max_session: Duration::from_secs(4 * 3600),
            trust: Trust { principals, ..Trust::default() },
            denied: Vec::new(),
        }
    }

    /// A session of this role with that name.
    pub(crate) fn principal(&self, session_name: &str) -> Principal {
        let partition = self.arn.split(':').nth(1).unwrap_or_default();
        let mut principal = Principal::of_role(partition, self.account(), self.path(), self.name(), session_name);
        principal.denied.clone_from(&self.denied);
        principal
    }

    /// A role for tokens of this issuer and subject (`*` is any characters), for four hours at most, and for nobody else.
    #[must_use]
    pub fn for_tokens(arn: &str, issuer: &str, subject: &str) -> Self {
        let mut role = Self::new(arn, &[]);
        let (issuer, subject) = (issuer.to_owned(), subject.to_owned());
        role.trust.tokens = Some(TrustedTokens { issuer, subject, ..TrustedTokens::default() });
        role
    }

    pub(super) fn account(&self) -> &str {
        self.arn.split(':').nth(4).unwrap_or_default()
    }

    /// The name without the path.
    pub(super) fn name(&self) -> &str {
        self.arn.rsplit('/').next().unwrap_or_default()
    }

    /// The path with its trailing slash and without its leading one; empty for none.
    pub(super) fn path(&self) -> &str {
        let after = self.arn.split_once(":role/").map_or("", |(_, after)| after);
        after.strip_suffix(self.name()).unwrap_or_default()
    }
}

impl Trust {
    pub(super) fn allows(&self, caller: &Principal) -> bool {
        let root = format!("arn:{}:iam::{}:root", caller.partition, caller.account);
        let names = ["*", &root, &caller.role_arn, &caller.arn];
        self.principals.iter().any(|principal| names.contains(&principal.as_str()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_role_arn_is_taken_apart() {
        let role = IamRole::new("arn:aws:iam::111122223333:role/team/ops/Deploy", &[]);
        assert_eq!((role.account(), role.path(), role.name()), ("111122223333", "team/ops/", "Deploy"));
        assert_eq!(IamRole::default().path(), "");
    }

    #[test]
    fn trust_names_an_account_a_role_or_a_session() {
        let caller = Principal::of_role("aws", "123456789012", "p/", "Admin", "alice");
        let trusts = |principal: &str| IamRole::new("arn:aws:iam::1:role/R", &[principal]).trust.allows(&caller);
        for principal in [
            "*",
            "arn:aws:iam::123456789012:root",
            "arn:aws:iam::123456789012:role/p/Admin",
            "arn:aws:sts::123456789012:assumed-role/Admin/alice",
        ] {
            assert!(trusts(principal), "{principal}");
        }
        for principal in [
            "arn:aws:iam::123456789013:root",
            "arn:aws-cn:iam::123456789012:root",
            "arn:aws:iam::123456789012:role/Admin",
            "",
        ] {
            assert!(!trusts(principal), "{principal}");
        }
    }
}
