//! One profile's keys in the one spelling that counts for it. Knows which keys there are, not what follows from them.
//!
//! SDKs rank `sso_*` and `role_arn` above `credential_process`, so a profile that Tegata serves to them carries AWS's key
//! names behind a prefix, which every SDK skips. Where one prefixed source key is, the native ones are another program's.

use super::text::{Entry, Fault, Section};
use crate::nearest::nearest;
use tegata_protocol::aws_config::{OWN_KEYS, PREFIX, SERVED_KEYS};
use tegata_protocol::text::one_line;

/// The keys that may be prefixed without being part of a source.
pub(super) const GENERAL: [&str; 1] = ["region"];

/// The keys that are Tegata's own, no client's, and part of no source.
pub(super) const OWN: [&str; 1] = ["read_only"];

/// The keys of one profile, all read in the same spelling.
#[derive(Clone, Copy, Debug)]
pub(super) struct Keys<'a> {
    section: &'a Section,
    prefixed: bool,
}

/// A key that is there, as it is written.
#[derive(Clone, Debug)]
pub(super) struct Found<'a> {
    /// Its name as written, prefix included.
    pub(super) key: &'a str,
    pub(super) value: &'a str,
    pub(super) line: u32,
}

impl<'a> From<&'a Entry> for Found<'a> {
    fn from(entry: &'a Entry) -> Self {
        Self { key: &entry.key, value: &entry.value, line: entry.line }
    }
}

impl<'a> Keys<'a> {
    /// Decides the spelling of a section's source keys.
    ///
    /// # Errors
    /// [`Fault`] for a prefixed key that does not exist, and for the two spellings of a key saying different things.
    pub(super) fn of(section: &'a Section) -> Result<Self, Fault> {
        let mut prefixed = false;
        for entry in section.keys() {
            let Some(key) = entry.key.strip_prefix(PREFIX) else { continue };
            let source = SERVED_KEYS.contains(&key) || OWN_KEYS.contains(&key);
            if OWN.contains(&key) {
                continue;
            }
            if !source && !GENERAL.contains(&key) {
                return Err(unknown(entry, key));
            }
            if let Some(native) = section.get(key).filter(|native| native.value != entry.value) {
                return Err(contradiction(entry, native));
            }
            prefixed |= source;
        }
        Ok(Self { section, prefixed })
    }

    /// Reads a key in the spelling that counts.
    pub(super) fn get(&self, key: &str) -> Option<Found<'a>> {
        if GENERAL.contains(&key) {
            let prefixed = self.section.get(&format!("{PREFIX}{key}"));
            return prefixed.or_else(|| self.section.get(key)).map(Found::from);
        }
        self.section.get(&self.spell(key)).map(Found::from)
    }

    /// Reads a key that is Tegata's own.
    pub(super) fn own(&self, key: &str) -> Option<Found<'a>> {
        self.section.get(&format!("{PREFIX}{key}")).map(Found::from)
    }

    /// Reads a key that has to be there.
    pub(super) fn require(&self, key: &str) -> Result<Found<'a>, Fault> {
        self.get(key).ok_or_else(|| self.missing(key))
    }

    /// Says that a key is missing, and why its native spelling is not enough where that is there.
    pub(super) fn missing(&self, key: &str) -> Fault {
        let native = self.section.get(key).filter(|_| self.prefixed);
        let unread = native.map(|_| format!(" ({key} is not read beside {PREFIX} keys)")).unwrap_or_default();
        Fault::at(self.section.line, format!("{} is missing{unread}", self.spell(key)))
    }

    /// Returns the key as this profile has to write it.
    pub(super) fn spell(&self, key: &str) -> String {
        if self.prefixed || OWN_KEYS.contains(&key) { format!("{PREFIX}{key}") } else { key.to_owned() }
    }

    /// Returns the first of these keys that is there.
    pub(super) fn any(&self, keys: &[&str]) -> Option<Found<'a>> {
        keys.iter().find_map(|key| self.get(key))
    }

    /// Returns the line of the section.
    pub(super) fn line(&self) -> u32 {
        self.section.line
    }

    /// Returns a key that has no prefixed form, such as `credential_process`.
    pub(super) fn native(&self, key: &str) -> Option<Found<'a>> {
        self.section.get(key).map(Found::from)
    }
}

fn unknown(entry: &Entry, key: &str) -> Fault {
    let known = SERVED_KEYS.iter().chain(&OWN_KEYS).chain(&GENERAL).chain(&OWN).copied();
    let nearest = nearest(key, known).into_iter().map(|key| format!("{PREFIX}{key}")).collect::<Vec<_>>();
    let hint = if nearest.is_empty() { String::new() } else { format!("; nearest: {}", nearest.join(", ")) };
    Fault::at(entry.line, format!("there is no key {}{hint}", one_line(&entry.key)))
}

fn contradiction(prefixed: &Entry, native: &Entry) -> Fault {
    let detail = format!(
        "{} is {:?}, but {} on line {} is {:?}; keep one of them",
        prefixed.key,
        one_line(&prefixed.value),
        native.key,
        native.line,
        one_line(&native.value)
    );
    Fault::at(prefixed.line, detail)
}

#[cfg(test)]
mod tests {
    use super::super::text;
    use super::*;

    fn keys_of(lines: &str, check: impl Fn(Result<Keys<'_>, Fault>)) {
        let document = text::read(format!("[profile p]\n{lines}").as_bytes()).unwrap();
        check(Keys::of(&document.sections[0]));
    }

    #[test]
    fn native_keys_are_read_where_no_prefixed_one_is() {
        keys_of("sso_session = corp\n", |keys| assert_eq!(keys.unwrap().get("sso_session").unwrap().value, "corp"));
    }

    #[test]
    fn one_prefixed_source_key_makes_the_native_ones_unread() {
        keys_of("tegata_sso_session = corp\nrole_arn = x\nsso_account_id = 1\n", |keys| {
            let keys = keys.unwrap();
            assert_eq!(keys.get("sso_session").unwrap().key, "tegata_sso_session");
            assert!(keys.get("role_arn").is_none());
            let missing = keys.require("sso_account_id").unwrap_err().to_string();
            assert_eq!(
                missing,
                "line 1: tegata_sso_account_id is missing (sso_account_id is not read beside tegata_ keys)"
            );
        });
    }

    #[test]
    fn a_prefixed_region_does_not_make_native_source_keys_unread() {
        keys_of("tegata_region = eu-west-1\nsso_session = corp\n", |keys| {
            let keys = keys.unwrap();
            assert_eq!(keys.get("region").unwrap().value, "eu-west-1");
            assert_eq!(keys.get("sso_session").unwrap().value, "corp");
        });
    }

    #[test]
    fn two_spellings_that_contradict_each_other_are_both_named() {
        keys_of("sso_account_id = 1\ntegata_sso_account_id = 2\n", |keys| {
            let fault = keys.unwrap_err().to_string();
            assert_eq!(
                fault,
                r#"line 3: tegata_sso_account_id is "2", but sso_account_id on line 2 is "1"; keep one of them"#
            );
        });
        keys_of("sso_account_id = 2\ntegata_sso_account_id = 2\n", |keys| assert!(keys.is_ok()));
    }

    #[test]
    fn a_mistyped_prefixed_key_is_an_error_with_the_nearest() {
        keys_of("tegata_sso_sesion = corp\n", |keys| {
            let fault = keys.unwrap_err().to_string();
            let expected = "line 2: there is no key tegata_sso_sesion; nearest: tegata_sso_session";
            assert!(fault.starts_with(expected), "{fault}");
        });
    }
}
