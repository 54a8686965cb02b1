//! Trust anchors and profiles: what an administrator has set up in IAM Roles Anywhere.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::settings::seconds;

/// What there is in IAM Roles Anywhere. Nothing at first: a test adds the anchor of its own authority.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RolesAnywhere {
    /// The authorities that are trusted.
    pub trust_anchors: Vec<TrustAnchor>,
    /// The profiles, each with the roles it lets through.
    pub profiles: Vec<RolesAnywhereProfile>,
}

/// An authority whose certificates are trusted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TrustAnchor {
    /// `arn:aws:rolesanywhere:REGION:ACCOUNT:trust-anchor/UUID`.
    pub arn: String,
    /// The authority's certificate, in PEM.
    pub certificate: String,
    /// Whether it is enabled.
    #[serde(default = "yes")]
    pub enabled: bool,
}

/// A profile of IAM Roles Anywhere.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RolesAnywhereProfile {
    /// `arn:aws:rolesanywhere:REGION:ACCOUNT:profile/UUID`.
    pub arn: String,
    /// The ARNs of the roles it lets through.
    pub roles: Vec<String>,
    /// The longest life of its credentials, which is also what they get when nobody asks (AWS: 15 minutes to 12 hours).
    #[serde(default = "one_hour", with = "seconds")]
    pub duration: Duration,
    /// Whether a request may name the role session.
    #[serde(default)]
    pub accepts_role_session_name: bool,
    /// Whether it is enabled.
    #[serde(default = "yes")]
    pub enabled: bool,
}

fn yes() -> bool {
    true
}

fn one_hour() -> Duration {
    Duration::from_secs(3600)
}

impl TrustAnchor {
    /// An enabled anchor with this authority's certificate.
    #[must_use]
    pub fn new(arn: &str, certificate: &str) -> Self {
        Self { arn: arn.to_owned(), certificate: certificate.to_owned(), enabled: true }
    }
}

impl RolesAnywhereProfile {
    /// An enabled profile with these roles, for an hour, which names the role sessions itself.
    #[must_use]
    pub fn new(arn: &str, roles: &[&str]) -> Self {
        let roles = roles.iter().map(|&role| role.to_owned()).collect();
        Self { arn: arn.to_owned(), roles, duration: one_hour(), accepts_role_session_name: false, enabled: true }
    }
}

impl RolesAnywhere {
    pub(super) fn trust_anchor(&self, arn: &str) -> Option<&TrustAnchor> {
        self.trust_anchors.iter().find(|anchor| anchor.arn == arn && anchor.enabled)
    }

    pub(super) fn profile(&self, arn: &str) -> Option<&RolesAnywhereProfile> {
        self.profiles.iter().find(|profile| profile.arn == arn && profile.enabled)
    }
}
