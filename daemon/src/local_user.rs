//! Who runs this daemon, and on which machine: what the names of role sessions are made of. Asks the operating system, never
//! a caller and never the environment, which any shell can bend.

use crate::harden;

/// The user of this daemon as people know them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LocalUser {
    /// The login name, else `uid` and the number.
    pub name: String,
    /// The host's name up to the first dot, else `localhost`.
    pub host: String,
}

impl LocalUser {
    /// Looks the user up in the user database, which may take its time where that is on the network.
    #[must_use]
    pub fn read(uid: u32) -> Self {
        Self::decide(uid, harden::user_name(uid), harden::host_name())
    }

    fn decide(uid: u32, name: Option<String>, host: Option<String>) -> Self {
        let filled = |text: String| (!text.is_empty()).then_some(text);
        let label = |host: String| host.split('.').next().map(str::to_owned);
        Self {
            name: name.and_then(filled).unwrap_or_else(|| format!("uid{uid}")),
            host: host.and_then(label).and_then(filled).unwrap_or_else(|| "localhost".to_owned()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn user(name: Option<&str>, host: Option<&str>) -> (String, String) {
        let LocalUser { name, host } = LocalUser::decide(1000, name.map(str::to_owned), host.map(str::to_owned));
        (name, host)
    }

    #[test]
    fn a_user_has_a_name_and_a_short_host() {
        assert_eq!(user(Some("alice"), Some("laptop.corp.example")), ("alice".to_owned(), "laptop".to_owned()));
    }

    #[test]
    fn what_the_machine_does_not_know_has_a_stand_in() {
        for (name, host) in [(None, None), (Some(""), Some("")), (None, Some(".local"))] {
            assert_eq!(user(name, host), ("uid1000".to_owned(), "localhost".to_owned()));
        }
    }

    #[test]
    fn this_machine_knows_root_and_not_everybody() {
        assert_eq!(LocalUser::read(0).name, "root");
        assert_eq!(LocalUser::read(4_000_000_001).name, "uid4000000001");
        assert!(!LocalUser::read(0).host.is_empty());
    }
}
