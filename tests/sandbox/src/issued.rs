//! The role credentials this sandbox has handed out, and who they speak for.

use std::collections::HashMap;

use serde::Serialize;

use crate::clock::EpochMs;
use crate::mint::{Mint, SecretKind, identifier};
use crate::organization::RoleKeys;
use crate::users::{AccessKey, IamUser};

/// What somebody is who holds credentials.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum PrincipalKind {
    /// A session of a role; a role it assumes is chained.
    Role,
    /// An IAM user, by key or by session.
    User,
    /// An account's root user, by key or by session.
    Root,
}

/// What a set of credentials authenticates as: a role session, an IAM user, or root.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Principal {
    /// Which of the three.
    pub kind: PrincipalKind,
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
    /// `aws:MultiFactorAuthPresent`: a code was given for this session. A role's session never has it (IAM User Guide,
    /// "Secure API access with MFA").
    pub mfa: bool,
}

impl Principal {
    /// A session of the role at `path` (empty, or `aws-reserved/sso.amazonaws.com/`) called `role`.
    pub(crate) fn of_role(partition: &str, account: &str, path: &str, role: &str, session_name: &str) -> Self {
        Self {
            kind: PrincipalKind::Role,
            partition: partition.to_owned(),
            account: account.to_owned(),
            role_arn: format!("arn:{partition}:iam::{account}:role/{path}{role}"),
            arn: format!("arn:{partition}:sts::{account}:assumed-role/{role}/{session_name}"),
            user_id: format!("{}:{session_name}", unique_id("AROA", account, role)),
            source_identity: None,
            transitive_tags: Vec::new(),
            denied: Vec::new(),
            mfa: false,
        }
    }

    /// A user, as a key of theirs authenticates.
    pub(crate) fn of_user(user: &IamUser) -> Self {
        Self {
            kind: if user.is_root() { PrincipalKind::Root } else { PrincipalKind::User },
            partition: user.partition().to_owned(),
            account: user.account().to_owned(),
            role_arn: user.arn.clone(),
            arn: user.arn.clone(),
            user_id: user.user_id.clone(),
            source_identity: None,
            transitive_tags: Vec::new(),
            denied: user.denied.clone(),
            mfa: false,
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
        let owner = |kind, user_id: String| {
            let itself = Self::of_role(partition, account, "", "", "");
            Self { kind, role_arn: arn.to_owned(), arn: arn.to_owned(), user_id, ..itself }
        };
        match service {
            "sts" => session(resource),
            "iam" if resource == "root" => Some(owner(PrincipalKind::Root, account.to_owned())),
            "iam" => {
                resource.strip_prefix("user/").map(|name| owner(PrincipalKind::User, unique_id("AIDA", account, name)))
            }
            _ => None,
        }
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

/// One set of credentials.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct IssuedCredentials {
    /// `ASIA…`, or `AKIA…` for a long-term key.
    pub access_key_id: String,
    /// Carries a canary.
    pub secret_access_key: String,
    /// Carries a canary; empty for a long-term key.
    pub session_token: String,
    /// When the sandbox stops accepting them, in milliseconds since the epoch.
    pub expires_ms: EpochMs,
    /// Who they speak for.
    pub principal: Principal,
}

impl IssuedCredentials {
    /// A user's access key, which never expires.
    #[must_use]
    pub fn of_key(user: &IamUser, key: &AccessKey) -> Self {
        Self {
            access_key_id: key.id.clone(),
            secret_access_key: key.secret.clone(),
            session_token: String::new(),
            expires_ms: EpochMs::MAX,
            principal: Principal::of_user(user),
        }
    }

    /// Whether it is a user's or root's access key, not a session.
    #[must_use]
    pub fn is_long_term(&self) -> bool {
        self.session_token.is_empty()
    }

    /// Whether IAM may be called with it: not by a session of GetSessionToken without MFA (STS API reference).
    #[must_use]
    pub fn may_call_iam(&self) -> bool {
        self.principal.kind == PrincipalKind::Role || self.is_long_term() || self.principal.mfa
    }
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
        assert!(role.kind == PrincipalKind::Role);
        let user = Principal::of_arn("arn:aws-cn:iam::123456789012:user/team/bob").unwrap();
        assert_eq!((user.role_arn.as_str(), user.partition.as_str()), (user.arn.as_str(), "aws-cn"));
        assert!(user.user_id.starts_with("AIDA") && user.kind == PrincipalKind::User);
        let root = Principal::of_arn("arn:aws:iam::123456789012:root").unwrap();
        assert_eq!(root.user_id, "123456789012");
        assert!(root.kind == PrincipalKind::Root);
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
