//! Keys that were put aside for a while, and until when.

use super::Files;
use crate::aws_config::{Section, SectionKind};
use crate::moment;
use tegata_protocol::text::one_line;

/// What stands in front of the names of lines that are put aside.
pub(super) const PUT_ASIDE: &str = "tegata_trial_";
/// The key that says until when.
pub(super) const UNTIL: &str = "tegata_trial_until";

/// A profile on trial.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Trial {
    pub(crate) profile: String,
    /// The file that still has the plaintext.
    pub(crate) file: String,
    /// Until when, as it is written.
    pub(crate) until: String,
    /// Whether that day is over.
    pub(crate) is_over: bool,
}

impl Trial {
    /// Says what a person should do about it.
    pub(crate) fn reminder(&self) -> String {
        let Self { profile, file, until, is_over } = self;
        let named = shlex::try_quote(profile).map_or_else(|_| profile.clone(), std::borrow::Cow::into_owned);
        let state =
            if *is_over { format!("its trial ended on {until}") } else { format!("it is on trial until {until}") };
        one_line(&format!(
            "the access key of {profile} is in the keyring, and its plaintext still in {file}: {state}; to remove it, run: \
             tegata keys import --finish {named}"
        ))
    }
}

/// Returns every profile on trial, in the order of the files.
pub(crate) fn trials(files: Files<'_>, now: i64) -> Vec<Trial> {
    let mut found = Vec::new();
    for file in [files.credentials, files.config] {
        for section in file.sections() {
            let aside = section.keys.iter().any(|(key, _)| key.starts_with(PUT_ASIDE) && key != UNTIL);
            if !aside {
                continue;
            }
            let until = one_line(section.get(UNTIL).unwrap_or("an unknown day"));
            let is_over = moment::parse(&format!("{until}T23:59:59Z")).is_none_or(|end| end < now);
            let (profile, file) = (one_line(name(section)), one_line(&file.path().to_string_lossy()));
            found.push(Trial { profile, file, until, is_over });
        }
    }
    found
}

fn name(section: &Section) -> &str {
    if section.kind == SectionKind::Default { "default" } else { &section.name }
}
