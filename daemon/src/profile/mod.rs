//! AWS config text → [`Profile`] → [`Chain`]: a source, then the roles to assume after it, in order. Pure; `files.rs` alone reads files.
//!
//! The text comes from outside: it may cost a profile, or yield a worse one, and nothing else. It never starts a program.

mod config;
mod console;
mod files;
mod keys;
mod own_source;
mod resolve;
mod source;
mod text;

pub use config::Config;
pub use console::ConsoleWish;
pub use files::ConfigFiles;
pub use source::{IamUser, KeyPlace, RolesAnywhere, Source, SourceKind, WebIdentityToken};

use crate::aws::RoleToAssume;
use crate::names::{NameError, ProfileName, Region, SessionName, StartUrl};
use std::sync::Arc;

/// A sign-in session as the configuration describes it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct SignInSession {
    /// The `[sso-session]` section's name; the start URL's host for a profile without a section.
    pub name: SessionName,
    /// The organisation's start URL.
    pub start_url: StartUrl,
    /// The region of its IAM Identity Center (`sso_region`).
    pub region: Region,
    /// `sso_registration_scopes`; `sso:account:access` where nothing is said.
    pub scopes: Vec<String>,
}

/// A source, then the roles to assume after it, in order: what is reached, whatever the profile is called.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Chain {
    /// Where it starts.
    pub source: Source,
    /// The roles, each assumed with the credentials of the one before.
    pub roles: Vec<RoleToAssume>,
    /// The region of the STS endpoint for the roles: the profile's, else the source's. Without roles it is the source's, so that
    /// profiles that differ in `region` only reach the same.
    pub region: Region,
}

impl Chain {
    /// Returns the account that is reached and the role in it, for showing.
    #[must_use]
    pub fn reached(&self) -> (&str, &str) {
        match self.roles.last() {
            Some(role) => role.role_arn.account_and_role(),
            None => self.source.reached().unwrap_or_default(),
        }
    }

    /// Returns the sign-in session it starts from, if it starts from one.
    #[must_use]
    pub fn session(&self) -> Option<&SignInSession> {
        match &self.source {
            Source::SignIn { session, .. } => Some(session),
            _ => None,
        }
    }

    /// Returns the role at its end that a session policy can narrow: one that is assumed, or one that is had for a token. To everything else
    /// that a chain starts from, AWS takes none.
    #[must_use]
    pub fn narrowed(&self) -> Option<&RoleToAssume> {
        match (&self.source, self.roles.last()) {
            (_, Some(role)) => Some(role),
            (Source::WebIdentity { role, .. }, None) => Some(role),
            _ => None,
        }
    }

    /// Whether the credentials it ends with are of a role that was assumed with those of another role.
    #[must_use]
    pub fn is_chained(&self) -> bool {
        self.roles.len() > usize::from(!self.source.is_role())
    }

    /// Returns the chain that ends before `roles[first]`: what is reached without that role. With no role left it is the same
    /// as that of a profile for the bare source.
    #[must_use]
    pub fn before(&self, first: usize) -> Self {
        let roles: Vec<_> = self.roles.iter().take(first).cloned().collect();
        let region = if roles.is_empty() { self.source.region().clone() } else { self.region.clone() };
        Self { source: self.source.clone(), roles, region }
    }
}

/// A profile that can be served.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Profile {
    /// Its name.
    pub name: ProfileName,
    /// What it reaches.
    pub chain: Arc<Chain>,
}

/// Why a profile cannot be served. One line each, naming the section and the key.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ProfileError {
    /// No such profile.
    #[error("no profile {name:?} in {file}{}", near(.nearest))]
    Unknown {
        /// What was asked for, printable.
        name: String,
        /// The file looked in.
        file: String,
        /// The nearest names, nearest first.
        nearest: Vec<String>,
    },
    /// A name from outside is no name.
    #[error("{0}")]
    Name(#[from] NameError),
    /// The profile cannot be used as it is written.
    #[error("profile {profile:?}: {detail}")]
    Invalid {
        /// The profile, printable.
        profile: String,
        /// What is wrong with it.
        detail: String,
    },
    /// The file cannot be used.
    #[error("{file}: {detail}")]
    File {
        /// The file.
        file: String,
        /// What is wrong with it.
        detail: String,
    },
}

impl ProfileError {
    /// Returns the command that mends it, where one command does.
    #[must_use]
    pub fn mend(&self) -> Option<&'static str> {
        match self {
            Self::Unknown { .. } | Self::Name(_) => Some("tegata list"),
            Self::Invalid { .. } | Self::File { .. } => None,
        }
    }
}

fn near(names: &[String]) -> String {
    if names.is_empty() { String::new() } else { format!("; nearest: {}", names.join(", ")) }
}

#[cfg(test)]
mod hostile_tests;
