//! What IAM knows of an identity provider.

use serde::{Deserialize, Serialize};

/// An OpenID Connect provider of IAM, in every account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct IdentityProvider {
    /// Its URL: the `iss` of its tokens.
    pub issuer: String,
    /// Its client ids: the `aud` that IAM takes.
    pub audiences: Vec<String>,
    /// Whether STS reaches it to get its keys.
    pub reachable: bool,
}

impl Default for IdentityProvider {
    /// GitHub Actions, for `sts.amazonaws.com`.
    fn default() -> Self {
        Self::new("https://token.actions.githubusercontent.com", "sts.amazonaws.com")
    }
}

impl IdentityProvider {
    /// A provider with one client id.
    #[must_use]
    pub fn new(issuer: &str, audience: &str) -> Self {
        Self { issuer: issuer.to_owned(), audiences: vec![audience.to_owned()], reachable: true }
    }
}
