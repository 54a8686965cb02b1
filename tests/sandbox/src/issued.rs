//! The role credentials this sandbox has handed out, and who they speak for.

use std::collections::HashMap;

use serde::Serialize;

use crate::clock::EpochMs;
use crate::mint::{Mint, SecretKind, identifier};
use crate::organization::RoleKeys;

/// What a set of credentials authenticates as: a role session or, after a console login, perhaps an IAM user or an account's root.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Principal {
    /// `aws`, `aws-cn`, `aws-us-gov` or `aws-eusc`.
    pub partition: String,
    /// Twelve digits.
    pub account: String,
    /// The role's ARN, path included: what a trust policy names. Whoever is no role is named by its own ARN.
    pub role_arn: String,
    /// The assumed-role ARN of this session, or the ARN of a user or of the account's root.
    pub arn: String,
    /// `AROA…:session name`, `AIDA…`, or the account's id.
    pub user_id: String,
    /// The source identity set on the way here.
    pub source_identity: Option<String>,
    /// Session tags that the next role of the chain inherits.
    pub transitive_tags: Vec<(String, String)>,
    /// STS actions this principal's policy does not allow.
    pub denied: Vec<String>,
}

impl Principal {
    /// A session of the role at `path` (empty, or `aws-reserved/sso.amazonaws.com/`) called `role`.
    pub(crate) fn of_role(partition: &str, account: &str, path: &str, role: &str, session_name: &str) -> Self {
        Self {
            partition: partition.to_owned(),
            account: account.to_owned(),
            role_arn: format!("arn:{partition}:iam::{account}:role/{path}{role}"),
            arn: format!("arn:{partition}:sts::{account}:assumed-role/{role}/{session_name}"),
            user_id: format!("{}:{session_name}", unique_id("AROA", account, role)),
            source_identity: None,
            transitive_tags: Vec::new(),
            denied: Vec::new(),
        }
    }

    /// Who an ARN names: a role session, an IAM user, or an account's root; nobody when it is another ARN.
    pub(crate) fn of_arn(arn: &str) -> Option<Self> {
        let fields: Vec<&str> = arn.splitn(6, ':').collect();
        let ["arn", partition, service, "", account, resource] = fields[..] else { return None };
        if account.len() != 12 || !account.bytes().all(|b| b.is_ascii_digit()) {
            return None;
        }
        let session = |resource: &str| {
            let (role, name) = resource.strip_prefix("assumed-role/")?.split_once('/')?;
            Some(Self::of_role(partition, account, "", role, name))
        };
        let owner = |user_id: String| {
            let itself = Self::of_role(partition, account, "", "", "");
            Self { role_arn: arn.to_owned(), arn: arn.to_owned(), user_id, ..itself }
        };
        match service {
            "sts" => session(resource),
            "iam" if resource == "root" => Some(owner(account.to_owned())),
            "iam" => resource.strip_prefix("user/").map(|name| owner(unique_id("AIDA", account, name))),
            _ => None,
        }
    }

    /// Whether it is a session of a role: a role assumed from it is chained, and lives an hour at most.
    pub(crate) fn is_role_session(&self) -> bool {
        self.arn.contains(":assumed-role/")
    }

    /// Whether it is an account's root user.
    pub(crate) fn is_root(&self) -> bool {
        self.arn.ends_with(":root")
    }
}

/// The unique id of a role (`AROA`) or a user (`AIDA`): the same for every session of it.
fn unique_id(prefix: &str, account: &str, name: &str) -> String {
    use sha2::{Digest, Sha256};
    const ALPHABET: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
    let digest = Sha256::digest(format!("{account}/{name}").as_bytes());
    let letters: String = digest.iter().take(17).map(|b| char::from(ALPHABET[usize::from(b % 32)])).collect();
    format!("{prefix}{letters}")
}

/// One set of role credentials.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct IssuedCredentials {
    /// `ASIA…`
    pub access_key_id: String,
    /// Carries a canary.
    pub secret_access_key: String,
    /// Carries a canary.
    pub session_token: String,
    /// When the sandbox stops accepting them, in milliseconds since the epoch.
    pub expires_ms: EpochMs,
    /// Who they speak for.
    pub principal: Principal,
}

/// Every set handed out in this run, by access key id.
#[derive(Debug, Default)]
pub(crate) struct Ledger {
    sets: HashMap<String, IssuedCredentials>,
    order: Vec<String>,
}

impl Ledger {
    pub(crate) fn issue(
        &mut self,
        mint: &mut Mint,
        session_token_length: usize,
        expires_ms: EpochMs,
        principal: Principal,
    ) -> IssuedCredentials {
        let keys = RoleKeys {
            access_key_id: identifier("ASIA"),
            secret_access_key: mint.secret(SecretKind::SecretAccessKey, 0),
            session_token: mint.secret(SecretKind::SessionToken, session_token_length),
        };
        self.hand_out(keys, expires_ms, principal)
    }

    /// Takes note of keys, wherever they come from.
    pub(crate) fn hand_out(&mut self, keys: RoleKeys, expires_ms: EpochMs, principal: Principal) -> IssuedCredentials {
        let RoleKeys { access_key_id, secret_access_key, session_token } = keys;
        let issued = IssuedCredentials { access_key_id, secret_access_key, session_token, expires_ms, principal };
        self.order.push(issued.access_key_id.clone());
        self.sets.insert(issued.access_key_id.clone(), issued.clone());
        issued
    }

    pub(crate) fn get(&self, access_key_id: &str) -> Option<&IssuedCredentials> {
        self.sets.get(access_key_id)
    }

    /// All of them, oldest first.
    pub(crate) fn all(&self) -> Vec<IssuedCredentials> {
        self.order.iter().filter_map(|id| self.sets.get(id)).cloned().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_arn_says_who_it_is() {
        let role = Principal::of_arn("arn:aws:sts::123456789012:assumed-role/Admin/alice").unwrap();
        assert_eq!(role, Principal::of_role("aws", "123456789012", "", "Admin", "alice"));
        assert!(role.is_role_session() && !role.is_root());
        let user = Principal::of_arn("arn:aws-cn:iam::123456789012:user/team/bob").unwrap();
        assert_eq!((user.role_arn.as_str(), user.partition.as_str()), (user.arn.as_str(), "aws-cn"));
        assert!(user.user_id.starts_with("AIDA") && !user.is_role_session() && !user.is_root());
        let root = Principal::of_arn("arn:aws:iam::123456789012:root").unwrap();
        assert_eq!(root.user_id, "123456789012");
        assert!(root.is_root() && !root.is_role_session());
    }

    #[test]
    fn other_arns_are_nobody() {
        for arn in [
            "",
            "arn:aws:iam::123456789012:role/Admin",
            "arn:aws:iam::12345:root",
            "arn:aws:iam:us-east-1:123456789012:root",
            "arn:aws:sts::123456789012:assumed-role/Admin",
            "arn:aws:s3::123456789012:user/bob",
        ] {
            assert_eq!(Principal::of_arn(arn), None, "{arn}");
        }
    }
}
