//! The profile of a console login: what `tegata login --console` makes of it. A profile that is there is changed where it stands, a
//! new one is put between the markers.

use super::fitness::{self, find};
use super::keys::{Keys, PREFIX};
use super::recast::{Candidate, recast};
use super::take_over::{self, Agreement, Files};
use crate::aws_config::{Backups, Change, Section, SectionKind};
use crate::environment::Environment;
use crate::failure::{Failure, Kind};
use tegata_protocol::{ErrorCode, text::one_line};

/// The key that names who signed in.
const LOGIN: &str = "login_session";
const REGION: &str = "region";
/// Stands for whoever will sign in, where that is not known yet.
const SOMEBODY: &str = "arn:aws:iam::000000000000:user/somebody";

/// A profile that somebody signs in to the console for.
pub(crate) struct ConsoleProfile {
    name: String,
    files: Files,
}

impl ConsoleProfile {
    /// Reads the files it stands in, or will.
    ///
    /// # Errors
    /// One line when a file cannot be used, or no profile of this name can be had.
    pub(crate) fn read(name: &str, environment: &Environment) -> Result<Self, Failure> {
        let profile = Self { name: name.to_owned(), files: Files::read(environment)? };
        // What cannot be written is known before anybody is bothered.
        profile.plan(SOMEBODY, "us-east-1").map(drop)?;
        Ok(profile)
    }

    /// Returns the region that the profile names.
    pub(crate) fn region(&self) -> Option<&str> {
        let section = self.section()?;
        section.get(&format!("{PREFIX}{REGION}")).or_else(|| section.get(REGION))
    }

    /// Returns whether signing in will leave the file as it is: the profile says who it is of, or stands on one that does.
    pub(crate) fn is_complete(&self) -> bool {
        self.plan(SOMEBODY, "us-east-1").is_ok_and(|change| change.is_empty())
    }

    /// Plans what the profile is to be, now that this identity has signed in.
    ///
    /// # Errors
    /// One line when AWS clients would not read it as it is meant.
    pub(crate) fn plan(&self, identity: &str, region: &str) -> Result<Change, Failure> {
        let Files { config, credentials, program } = &self.files;
        let change = if self.section().is_none() {
            let process = program.for_profile(&self.name)?;
            let kind = if self.name == "default" { SectionKind::Default } else { SectionKind::Profile };
            let section = Section::new(kind, self.name.clone())
                .with(REGION, region)
                .with(format!("{PREFIX}{LOGIN}"), identity)
                .with("credential_process", process);
            let mut sections = config.generated().to_vec();
            sections.push(section);
            config.with_generated(&sections)?
        } else {
            let at = find(config, &self.name).map_err(|why| self.cannot(&why))?;
            let candidate = self.candidate(at, identity, region);
            recast(config, candidate.as_slice(), program, Vec::new())?
        };
        let after = change.file()?;
        let files = fitness::Files { config: &after, credentials };
        files.serve(&self.name).map_err(|why| self.cannot(&why))?;
        Ok(change)
    }

    /// Shows the change, has it agreed to, and writes it with a backup.
    ///
    /// # Errors
    /// Whatever kept it from being written.
    pub(crate) fn write(&self, change: Change, yes: bool, environment: &Environment) -> Result<(), Failure> {
        let backups = Backups::hold(environment)?;
        let done = format!("Tegata serves {} now.", one_line(&self.name));
        take_over::write(change, Some(&backups), Agreement { dry_run: false, yes }, &done)
    }

    fn section(&self) -> Option<&Section> {
        self.files.config.sections().iter().find(|section| section.is(SectionKind::Profile, &self.name))
    }

    /// What a profile that is there lacks; nothing for one that stands on another.
    fn candidate(&self, at: usize, identity: &str, region: &str) -> Option<Candidate> {
        let config = &self.files.config;
        let section = config.sections().get(at)?;
        let keys = Keys::of(section);
        if keys.get("role_arn").is_some() {
            return None;
        }
        let mut candidate = Candidate::new(config, at);
        if keys.get(LOGIN).is_none() {
            candidate.added.push((LOGIN.to_owned(), identity.to_owned()));
        }
        if self.region().is_none() {
            candidate.plain.push((REGION.to_owned(), region.to_owned()));
        }
        Some(candidate)
    }

    fn cannot(&self, why: &str) -> Failure {
        let (name, path) = (one_line(&self.name), one_line(&self.files.config.path().to_string_lossy()));
        Failure::new(Kind::Reported(ErrorCode::ProfileInvalid), format!("profile {name} in {path}: {why}"))
    }
}

#[cfg(test)]
#[path = "console_login_tests.rs"]
mod tests;
