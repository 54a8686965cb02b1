//! The AWS files without the key: the profile is served by Tegata, and the plaintext is taken out, or put aside under names no client reads.

use super::trial::{PUT_ASIDE, UNTIL};
use super::{Files, ID, SECRET, in_config, in_credentials};
use crate::aws_config::{Change, ConfigFile, Edit, Program, Section, SectionKind};
use crate::failure::Failure;

/// The key that says whose keys a profile starts from.
pub(super) const USER: &str = "tegata_iam_user";
const PROCESS: &str = "credential_process";
/// Keys that go on to mean something, and are read with the prefix only once another key has it.
const MOVED: [&str; 2] = ["mfa_serial", "duration_seconds"];

/// What becomes of the plaintext.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Removal {
    /// It is taken out.
    Now,
    /// It is put aside until a day, `YYYY-MM-DD`.
    Trial {
        /// The day.
        until: String,
    },
}

/// Both files as they are to be.
pub(crate) struct Moved {
    pub(crate) config: Change,
    pub(crate) credentials: Change,
}

/// Plans to have a profile served from the keys of this user.
///
/// # Errors
/// One line for a name that AWS clients would not read.
pub(crate) fn moved(
    files: Files<'_>,
    profile: &str,
    user: &str,
    program: &Program,
    removal: &Removal,
) -> Result<Moved, Failure> {
    let command = program.for_profile(profile)?;
    let own = [(USER.to_owned(), user.to_owned()), (PROCESS.to_owned(), command)];
    let config = match in_config(files, profile) {
        Some((at, section)) => {
            let mut edits = without(files.config, at, section, removal);
            edits.extend(served(files.config, at, section, &own));
            files.config.edited(edits)?
        }
        None => {
            let kind = if profile == "default" { SectionKind::Default } else { SectionKind::Profile };
            let [user, process] = own;
            files.config.with_another(&Section::new(kind, profile).with(user.0, user.1).with(process.0, process.1))?
        }
    };
    let credentials = match in_credentials(files, profile) {
        Some((at, section)) => files.credentials.edited(without(files.credentials, at, section, removal))?,
        None => files.credentials.edited(Vec::new())?,
    };
    Ok(Moved { config, credentials })
}

/// Plans to take out what a trial has put aside.
pub(crate) fn finished(files: Files<'_>, profile: &str) -> Result<Moved, Failure> {
    let ended = |file: &ConfigFile, found: Option<(usize, &Section)>| match found {
        Some((at, section)) => {
            let aside = |key: &str| key == UNTIL || key.starts_with(PUT_ASIDE);
            file.edited(removed(file, at, section, aside))
        }
        None => file.edited(Vec::new()),
    };
    let config = ended(files.config, in_config(files, profile))?;
    Ok(Moved { config, credentials: ended(files.credentials, in_credentials(files, profile))? })
}

fn is_of_key(key: &str) -> bool {
    [ID, SECRET].contains(&key)
}

fn removed(file: &ConfigFile, at: usize, section: &Section, which: impl Fn(&str) -> bool) -> Vec<Edit> {
    let Some(mut edits) = file.edits_of(at) else { return Vec::new() };
    for (key, (name, _)) in section.keys.iter().enumerate() {
        if which(name) {
            edits.replace_key(key, &[]);
        }
    }
    edits.done()
}

/// The key's lines out of a section, or under other names.
fn without(file: &ConfigFile, at: usize, section: &Section, removal: &Removal) -> Vec<Edit> {
    let Removal::Trial { until } = removal else { return removed(file, at, section, is_of_key) };
    let Some(mut edits) = file.edits_of(at) else { return Vec::new() };
    let mut last = None;
    for (key, (name, _)) in section.keys.iter().enumerate() {
        if is_of_key(name) {
            edits.begin_key(key, "", PUT_ASIDE);
            last = Some(key);
        }
        if name == UNTIL {
            edits.replace_key(key, &[]);
        }
    }
    if last.is_some() {
        edits.insert_behind(last, &[(UNTIL.to_owned(), until.clone())]);
    }
    edits.done()
}

/// The lines that have a profile served.
fn served(file: &ConfigFile, at: usize, section: &Section, own: &[(String, String)]) -> Vec<Edit> {
    let Some(mut edits) = file.edits_of(at) else { return Vec::new() };
    let (mut missing, mut last) = (own.to_vec(), None);
    for (key, (name, _)) in section.keys.iter().enumerate() {
        if let Some(place) = missing.iter().position(|(wanted, _)| wanted == name) {
            edits.replace_key(key, &[missing.remove(place)]);
        } else if own.iter().any(|(wanted, _)| wanted == name) {
            edits.replace_key(key, &[]);
        } else if MOVED.contains(&name.as_str()) {
            edits.begin_key(key, "", "tegata_");
            last = Some(key);
        } else if !is_of_key(name) && name != UNTIL {
            last = Some(key);
        }
    }
    if !missing.is_empty() {
        edits.insert_behind(last, &missing);
    }
    edits.done()
}
