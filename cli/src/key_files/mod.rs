//! The access key of a profile in the AWS files: found, and taken out or put aside once the keyring has it. Pure; nothing is written here.

mod change;
mod trial;

pub(crate) use change::{Removal, finished, moved};
pub(crate) use trial::{Trial, trials};

use crate::aws_config::{ConfigFile, Section, SectionKind};
use crate::failure::{Failure, Kind};
use tegata_protocol::{ErrorCode, Secret, text::one_line};

const ID: &str = "aws_access_key_id";
const SECRET: &str = "aws_secret_access_key";
/// AWS CLI v1 and old SDKs read the second one.
const TOKENS: [&str; 2] = ["aws_session_token", "aws_security_token"];
/// What a client would ask, or do, in the place of the key. None of it goes with a key that Tegata serves.
const OTHERS: [&str; 7] = [
    "role_arn",
    "sso_session",
    "sso_start_url",
    "sso_account_id",
    "web_identity_token_file",
    "credential_source",
    "login_session",
];

/// The AWS files.
#[derive(Clone, Copy)]
pub(crate) struct Files<'a> {
    pub(crate) config: &'a ConfigFile,
    pub(crate) credentials: &'a ConfigFile,
}

/// The access key of a profile.
pub(crate) struct Found {
    /// `AKIA…`.
    pub(crate) id: String,
    pub(crate) secret: Secret,
    /// The profile's region.
    pub(crate) region: Option<String>,
    /// Other sections with the same key, as a person knows them.
    pub(crate) also_in: Vec<String>,
}

impl<'a> Files<'a> {
    /// Finds the key that AWS clients use for a profile: the one in the credentials file before the one in the config file (AWS SDKs and
    /// Tools Reference Guide, "Credential provider chain").
    ///
    /// # Errors
    /// One line where there is none, or none that may be moved.
    pub(crate) fn find(&self, profile: &str) -> Result<Found, Failure> {
        let sections = self.both(profile);
        for (file, found) in &sections {
            let Some((_, section)) = found else { continue };
            check(file, profile, section)?;
        }
        let mut with_key = sections.iter().filter_map(|(file, found)| {
            let section = found.as_ref().map(|(_, section)| *section)?;
            section.get(ID).filter(|id| !id.is_empty()).map(|id| (*file, section, id))
        });
        let none = || none(self, profile);
        let (file, section, id) = with_key.next().ok_or_else(none)?;
        if let Some((other, _, _)) = with_key.find(|(_, _, other)| *other != id) {
            let why = format!("has another access key in {}; remove the one that is not used", other.path().display());
            return Err(refused(profile, &why));
        }
        let secret = section
            .get(SECRET)
            .filter(|secret| !secret.is_empty())
            .ok_or_else(|| refused(profile, &format!("has {ID} and no {SECRET} in {}", file.path().display())))?;
        let region = in_config(*self, profile).and_then(|(_, section)| section.get("region"));
        Ok(Found {
            id: id.to_owned(),
            secret: Secret::new(secret.to_owned()),
            region: region.map(str::to_owned),
            also_in: self.others_with(id, profile),
        })
    }

    /// Returns the secret that a trial has put aside.
    ///
    /// # Errors
    /// One line where nothing is on trial.
    pub(crate) fn put_aside(&self, profile: &str) -> Result<Secret, Failure> {
        let name = format!("{}{SECRET}", trial::PUT_ASIDE);
        let aside = self
            .both(profile)
            .into_iter()
            .find_map(|(_, found)| found?.1.get(&name).filter(|secret| !secret.is_empty()).map(str::to_owned));
        aside
            .map(Secret::new)
            .ok_or_else(|| refused(profile, "is not on trial: nothing of it is put aside in the AWS files"))
    }

    /// Both files, the one that clients look into first, with the profile's section in each.
    fn both(&self, profile: &str) -> [(&'a ConfigFile, Option<(usize, &'a Section)>); 2] {
        [(self.credentials, in_credentials(*self, profile)), (self.config, in_config(*self, profile))]
    }

    fn others_with(&self, id: &str, profile: &str) -> Vec<String> {
        let mut others = Vec::new();
        for (file, own) in self.both(profile) {
            let own = own.map(|(at, _)| at);
            for (at, section) in file.sections().iter().enumerate() {
                if section.get(ID) == Some(id) && Some(at) != own {
                    others.push(one_line(&format!("{} of {}", section.header(), file.path().display())));
                }
            }
        }
        others
    }
}

/// The section of a profile in the config file: `[profile NAME]` or `[default]`. No client reads a bare `[NAME]` there.
fn in_config<'a>(files: Files<'a>, profile: &str) -> Option<(usize, &'a Section)> {
    last(files.config, |section| section.is(SectionKind::Profile, profile))
}

/// The section of a profile in the credentials file: `[NAME]`. Some clients read `[profile NAME]` there as well.
fn in_credentials<'a>(files: Files<'a>, profile: &str) -> Option<(usize, &'a Section)> {
    let bare = |section: &Section| section.kind == SectionKind::Other && section.name == profile;
    last(files.credentials, |section| bare(section) || section.is(SectionKind::Profile, profile))
}

fn last(file: &ConfigFile, is_it: impl Fn(&Section) -> bool) -> Option<(usize, &Section)> {
    file.sections().iter().enumerate().filter(|(_, section)| is_it(section)).last()
}

fn check(file: &ConfigFile, profile: &str, section: &Section) -> Result<(), Failure> {
    let has = |key: &&&str| section.get(key).is_some_and(|value| !value.is_empty());
    if TOKENS.iter().any(|key| has(&key)) && section.get(ID).is_some() {
        let why = format!(
            "has a session token beside the key in {}: it is temporary and ends by itself",
            file.path().display()
        );
        return Err(refused(profile, &why));
    }
    match OTHERS.iter().find(has) {
        Some(key) if section.get(ID).is_some() => Err(refused(
            profile,
            &format!("has {key} beside the key in {}; give the key a profile of its own", file.path().display()),
        )),
        _ => Ok(()),
    }
}

fn none(files: &Files<'_>, profile: &str) -> Failure {
    let served = in_config(*files, profile).is_some_and(|(_, section)| section.get(change::USER).is_some());
    if served {
        return refused(profile, "has no access key in the AWS files: Tegata serves it from the keyring already");
    }
    let (config, credentials) = (files.config.path().display(), files.credentials.path().display());
    refused(profile, &format!("has no access key in {credentials} or {config}")).mend("tegata keys scan")
}

fn refused(profile: &str, why: &str) -> Failure {
    Failure::new(Kind::Reported(ErrorCode::ProfileInvalid), format!("profile {} {why}", one_line(profile)))
}

#[cfg(test)]
mod tests;
