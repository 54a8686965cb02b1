//! Which keys of a profile say where its credentials come from, and how Tegata reads them. As in the daemon: AWS's names behind
//! `tegata_`, or bare where no such key is.

use crate::aws_config::Section;
pub(super) use tegata_protocol::aws_config::PREFIX;
use tegata_protocol::aws_config::{OWN_KEYS, SERVED_KEYS};

/// A key that says where credentials come from, taken apart: what stands before AWS's name, and that name.
pub(super) fn source_key(key: &str) -> Option<(&'static str, &'static str)> {
    // granted writes `granted_sso_…` beside its own credential_process.
    ["", PREFIX, "granted_"].into_iter().find_map(|prefix| {
        let bare = key.strip_prefix(prefix)?;
        SERVED_KEYS.into_iter().find(|served| *served == bare).map(|served| (prefix, served))
    })
}

/// A profile's keys in the one spelling that counts.
#[derive(Clone, Copy)]
pub(super) struct Keys<'a> {
    section: &'a Section,
    prefixed: bool,
}

impl<'a> Keys<'a> {
    pub(super) fn of(section: &'a Section) -> Self {
        let own = |key: &str| key.strip_prefix(PREFIX).is_some_and(|bare| OWN_KEYS.contains(&bare));
        let prefixed = |key: &str| source_key(key).map_or_else(|| own(key), |(prefix, _)| prefix == PREFIX);
        let prefixed = section.keys.iter().any(|(key, _)| prefixed(key));
        Self { section, prefixed }
    }

    /// Reads a key by AWS's name.
    pub(super) fn get(&self, bare: &str) -> Option<&'a str> {
        if self.prefixed { self.section.get(&format!("{PREFIX}{bare}")) } else { self.section.get(bare) }
    }

    /// Reads a key that only Tegata has.
    pub(super) fn own(&self, bare: &str) -> Option<&'a str> {
        self.section.get(&format!("{PREFIX}{bare}"))
    }

    /// Returns whether the profile is of somebody who signs in to the console, and of nothing that goes before that.
    pub(super) fn name_a_login(&self) -> bool {
        self.get("login_session").is_some() && !self.name_a_sign_in()
    }

    /// Returns whether any key names a sign-in session or a role in one.
    pub(super) fn name_a_sign_in(&self) -> bool {
        ["sso_session", "sso_start_url", "sso_account_id", "sso_role_name"].iter().any(|key| self.get(key).is_some())
    }
}
