//! Whether Tegata would serve a profile as it stands in a file, and if not, why not, in a line of a person's words. The daemon
//! has the last word; this one speaks before anything is written.

use super::keys::{Keys, source_key};
use super::source::{Source, Step, lies_in_a_file};
use crate::aws_config::{ConfigFile, Section, SectionKind};
use std::collections::HashSet;
use tegata_protocol::text::one_line;

/// The most roles of a chain, as for the daemon.
const MAX_ROLES: usize = 8;
/// STS API, `AssumeRole`, `DurationSeconds`: 900 to 43,200.
const SHORTEST: u32 = 900;
const LONGEST: u32 = 43_200;
/// The most that AWS takes for a role that is assumed with another role's credentials (STS, "role chaining"); a permission set is a role.
const CHAINED: u32 = 3_600;

/// The keys in the credentials file that AWS clients prefer to any profile.
const PREFERRED: [&str; 4] = ["aws_access_key_id", "aws_secret_access_key", "credential_process", "role_arn"];

/// The files that decide about profiles.
#[derive(Clone, Copy)]
pub(super) struct Files<'a> {
    pub(super) config: &'a ConfigFile,
    pub(super) credentials: &'a ConfigFile,
}

/// Finds the section that AWS clients read for a profile, by its place.
pub(super) fn find(config: &ConfigFile, name: &str) -> Result<usize, String> {
    let sections = config.sections();
    let of = |kind| -> Vec<usize> {
        let fits = |at: &usize| sections.get(*at).is_some_and(|section| section.kind == kind && section.name == name);
        (0..sections.len()).filter(fits).collect()
    };
    // Where both are there, every client prefers `[profile default]`.
    let profiles = of(SectionKind::Profile);
    let found = if profiles.is_empty() && name == "default" { of(SectionKind::Default) } else { profiles };
    match found.as_slice() {
        [at] => Ok(*at),
        [] => Err("there is no such profile".to_owned()),
        [first, second, ..] => {
            let (first, second) = (config.line_of(*first), config.line_of(*second));
            Err(format!("stands twice (lines {first} and {second}); the AWS CLI refuses the file, so keep one"))
        }
    }
}

impl<'a> Files<'a> {
    /// Checks that a profile is served.
    ///
    /// # Errors
    /// Why not.
    pub(super) fn serve(self, name: &str) -> Result<(), String> {
        self.credentials_do_not_win(name)?;
        let mut way: Vec<&Section> = Vec::new();
        let mut next = name.to_owned();
        loop {
            let of_source =
                |why: String| if next == name { why } else { format!("its source {}: {why}", one_line(&next)) };
            let section = if way.is_empty() {
                find(self.config, name).map(|at| &self.config.sections()[at])?
            } else {
                self.source(&next).map_err(|why| format!("source_profile = {}: {why}", one_line(&next)))?
            };
            once_each(section).map_err(of_source)?;
            way.push(section);
            match self.step(section).map_err(of_source)? {
                Step::Starts { source, assumes } => return allowed(&way, source, assumes),
                Step::GoesOn(source) if way.iter().any(|seen| seen.name == source) => {
                    let names: Vec<_> = way.iter().map(|seen| seen.name.as_str()).collect();
                    return Err(format!(
                        "source_profile goes in a circle: {} → {}",
                        names.join(" → "),
                        one_line(&source)
                    ));
                }
                Step::GoesOn(_) if way.len() > MAX_ROLES => {
                    return Err(format!("more than {MAX_ROLES} roles one behind the other"));
                }
                Step::GoesOn(source) => next = source,
            }
        }
    }

    /// Finds a profile that another one stands on.
    fn source(self, name: &str) -> Result<&'a Section, String> {
        let sections = self.config.sections();
        let found =
            find(self.config, name).map(|at| sections.get(at)).map_err(|why| match self.key_in_credentials(name) {
                Some(key) => lies_in_a_file(key, name),
                None => why,
            });
        found?.ok_or_else(|| "there is no such profile".to_owned())
    }

    fn key_in_credentials(self, name: &str) -> Option<&'static str> {
        let mut sections = self.credentials.sections().iter().filter(|section| section.name == name);
        sections.any(|section| section.get("aws_access_key_id").is_some()).then_some("aws_access_key_id")
    }

    fn credentials_do_not_win(self, name: &str) -> Result<(), String> {
        let sections = self.credentials.sections().iter();
        let mut named = sections.filter(|section| section.name == name && section.kind != SectionKind::SsoSession);
        match named.find_map(|section| PREFERRED.iter().find(|key| section.get(key).is_some())) {
            None => Ok(()),
            Some(key) => {
                let file = one_line(&self.credentials.path().to_string_lossy());
                Err(format!("{file} has {key} for it, which AWS clients prefer; take that away first"))
            }
        }
    }
}

/// Checks what depends on where the chain starts: how long its roles last, and whether STS takes a code.
fn allowed(way: &[&Section], source: Source, assumes: bool) -> Result<(), String> {
    let roles = way.len() - usize::from(!assumes);
    for (at, section) in way.iter().enumerate() {
        let keys = Keys::of(section);
        if let Some(seconds) = keys.get("duration_seconds").filter(|_| at < roles) {
            // The role next to the source is the last of the way.
            let longest = if source == Source::IamUser && at + 1 == roles { LONGEST } else { CHAINED };
            in_range(seconds, SHORTEST, longest)?;
        }
        if keys.get("mfa_serial").is_some() && source != Source::IamUser {
            let why = "AWS takes codes of an MFA device with an IAM user's access key only, and the profile starts from something else";
            return Err(format!("mfa_serial: {why}"));
        }
    }
    Ok(())
}

fn in_range(seconds: &str, shortest: u32, longest: u32) -> Result<(), String> {
    if seconds.parse().is_ok_and(|seconds| (shortest..=longest).contains(&seconds)) {
        return Ok(());
    }
    let behind = if longest == CHAINED { " for a role behind another role" } else { "" };
    Err(format!("duration_seconds = {}: AWS allows {shortest} to {longest}{behind}", one_line(seconds)))
}

/// Start URLs are copied from the portal with all kinds of ends.
pub(super) fn same_address(address: &str) -> &str {
    address.trim_end_matches("#/").trim_end_matches('#').trim_end_matches('/')
}

/// Checks that no key is there twice, in one spelling or in two.
fn once_each(section: &Section) -> Result<(), String> {
    let mut seen = HashSet::new();
    let bare = section.keys.iter().map(|(key, _)| source_key(key).map_or(key.as_str(), |(_, bare)| bare));
    match bare.into_iter().find(|key| !seen.insert(*key)) {
        Some(key) => Err(format!("{} is there twice; keep one", one_line(key))),
        None => Ok(()),
    }
}

#[cfg(test)]
#[path = "fitness_tests.rs"]
mod tests;
