//! Whether Tegata would serve a profile as it stands in a file, and if not, why not, in a line of a person's words. The daemon
//! has the last word; this one speaks before anything is written.

use super::keys::{Keys, NOT_SERVED, PREFIX, source_key};
use crate::aws_config::{ConfigFile, Section, SectionKind};
use std::collections::HashSet;
use tegata_protocol::text::one_line;

/// The most roles of a chain, as for the daemon.
const MAX_ROLES: usize = 8;
/// The shortest and the longest life of a role (STS API, `DurationSeconds`).
const DURATIONS: std::ops::RangeInclusive<u32> = 900..=43_200;
/// The longest life of a role that is assumed with another role's credentials (STS, "role chaining"); a permission set is a role.
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

/// What one profile of a chain does.
enum Step {
    /// Is where it starts.
    Starts(Start),
    /// Goes on from another profile.
    From(String),
}

/// Where a chain starts, as far as what comes after it depends on that.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Start {
    /// An IAM user: STS takes its codes, and a role behind it is not chained.
    IamUser,
    Other,
}

impl Files<'_> {
    /// Checks that a profile is served.
    ///
    /// # Errors
    /// Why not.
    pub(super) fn serve(self, name: &str) -> Result<(), String> {
        self.credentials_do_not_win(name)?;
        let mut way = vec![name.to_owned()];
        loop {
            let at = way.last().cloned().unwrap_or_default();
            let next = self
                .step(&at)
                .map_err(|why| if at == name { why } else { format!("its source {}: {why}", one_line(&at)) })?;
            match next {
                Step::Starts(start) => return self.codes_are_taken(&way, start),
                Step::From(next) if way.contains(&next) => {
                    return Err(format!("source_profile goes in a circle: {} → {}", way.join(" → "), one_line(&next)));
                }
                Step::From(_) if way.len() > MAX_ROLES => {
                    return Err(format!("more than {MAX_ROLES} roles one behind the other"));
                }
                Step::From(next) => way.push(next),
            }
        }
    }

    fn codes_are_taken(self, way: &[String], start: Start) -> Result<(), String> {
        let section = |name: &String| find(self.config, name).ok().and_then(|at| self.config.sections().get(at));
        if start == Start::IamUser || !way.iter().filter_map(section).any(|section| has(section, "mfa_serial")) {
            return Ok(());
        }
        let why = "AWS takes codes with an IAM user's access keys only; tegata keys import brings those in first";
        Err(format!("mfa_serial: {why}"))
    }

    /// Checks one profile of a chain.
    fn step(self, name: &str) -> Result<Step, String> {
        let section = &self.config.sections()[find(self.config, name)?];
        once_each(section)?;
        if let Some((key, why)) = NOT_SERVED.iter().find(|(key, _)| has(section, key)) {
            return Err(format!("{key}: {why}"));
        }
        let keys = Keys::of(section);
        if keys.own("trust_anchor_arn").is_some() || keys.get("web_identity_token_file").is_some() {
            return by_itself(keys).map(|()| Step::Starts(Start::Other));
        }
        if keys.get("role_arn").is_none() {
            return self.starts(section, keys).map(Step::Starts);
        }
        let source = match (keys.get("source_profile"), keys.get("credential_source")) {
            (Some(source), None) => source,
            (None, Some(source)) => {
                lasts(keys, CHAINED)?;
                return of_the_machine(source).map(|()| Step::Starts(Start::Other));
            }
            (Some(_), Some(_)) => return Err("source_profile and credential_source are two sources".to_owned()),
            (None, None) => return Err("role_arn needs source_profile".to_owned()),
        };
        if source == name {
            lasts(keys, CHAINED)?;
            return self.starts(section, keys).map(Step::Starts);
        }
        let next = find(self.config, source).map_err(|why| format!("source_profile = {}: {why}", one_line(source)))?;
        let of_user = self.config.sections().get(next).is_some_and(|next| Keys::of(next).own("iam_user").is_some());
        lasts(keys, if of_user { *DURATIONS.end() } else { CHAINED })?;
        Ok(Step::From(source.to_owned()))
    }

    /// Checks a source that needs no role.
    fn starts(self, section: &Section, keys: Keys<'_>) -> Result<Start, String> {
        if keys.own("iam_user").is_some() {
            return Ok(Start::IamUser);
        }
        if keys.name_a_login() {
            return logs_in(section, keys).map(|()| Start::Other);
        }
        self.signs_in(keys).map(|()| Start::Other)
    }

    /// Checks that the profile's own keys name a role of a sign-in session.
    fn signs_in(self, keys: Keys<'_>) -> Result<(), String> {
        if !keys.name_a_sign_in() {
            return Err(
                "it names nothing to get credentials from (sso_session, or role_arn with source_profile)".to_owned()
            );
        }
        match keys.get("sso_session") {
            Some(session) => self.session(session, keys)?,
            None => {
                for key in ["sso_start_url", "sso_region"] {
                    keys.get(key).ok_or_else(|| format!("{key} is missing"))?;
                }
            }
        }
        let account = keys.get("sso_account_id").ok_or("sso_account_id is missing: there is nothing to serve")?;
        if account.len() != 12 || !account.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(format!("sso_account_id = {} is not twelve digits", one_line(account)));
        }
        keys.get("sso_role_name")
            .filter(|role| !role.is_empty())
            .ok_or("sso_role_name is missing: there is nothing to serve")?;
        Ok(())
    }

    fn session(self, name: &str, keys: Keys<'_>) -> Result<(), String> {
        let sections = self.config.sections().iter();
        let section = sections.rev().find(|section| section.is(SectionKind::SsoSession, name));
        let shown = one_line(name);
        let section = section.ok_or_else(|| format!("there is no [sso-session {shown}]"))?;
        for key in ["sso_start_url", "sso_region"] {
            let value = section.get(key).ok_or_else(|| format!("[sso-session {shown}] has no {key}"))?;
            if keys.get(key).is_some_and(|own| same_address(own) != same_address(value)) {
                return Err(format!("{key} is not the one of [sso-session {shown}]; keep it there only"));
            }
        }
        Ok(())
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

/// Checks a role that is had for a certificate or a token.
fn by_itself(keys: Keys<'_>) -> Result<(), String> {
    keys.get("role_arn").ok_or("role_arn is missing")?;
    lasts(keys, *DURATIONS.end())?;
    let Some(file) = keys.get("web_identity_token_file") else { return Ok(()) };
    if keys.get("external_id").is_some() {
        return Err("external_id: AWS takes none beside a token".to_owned());
    }
    let why = || format!("web_identity_token_file = {} is no absolute path", one_line(file));
    if file.starts_with('/') { Ok(()) } else { Err(why()) }
}

/// Checks what kind of machine gives its role.
fn of_the_machine(source: &str) -> Result<(), String> {
    match source {
        "Ec2InstanceMetadata" | "EcsContainer" => Ok(()),
        "Environment" => Err("credential_source = Environment takes the keys of whoever asks; \
                              tegata keys import keeps such keys in the keyring"
            .to_owned()),
        other => {
            Err(format!("credential_source = {} is neither Ec2InstanceMetadata nor EcsContainer", one_line(other)))
        }
    }
}

/// Checks how long a role is to last.
fn lasts(keys: Keys<'_>, longest: u32) -> Result<(), String> {
    let Some(seconds) = keys.get("duration_seconds") else { return Ok(()) };
    let fits = |seconds: u32| (*DURATIONS.start()..=longest).contains(&seconds);
    if seconds.parse().is_ok_and(fits) {
        return Ok(());
    }
    let behind = if longest == CHAINED { " behind another role" } else { "" };
    Err(format!(
        "duration_seconds = {}: AWS allows {} to {longest} for a role{behind}",
        one_line(seconds),
        DURATIONS.start()
    ))
}

/// Checks that the profile says who signs in to the console, and where.
fn logs_in(section: &Section, keys: Keys<'_>) -> Result<(), String> {
    let identity = keys.get("login_session").unwrap_or_default();
    if !identity.starts_with("arn:") {
        return Err(format!("login_session = {} is no ARN of who signs in", one_line(identity)));
    }
    if identity.ends_with(":root") {
        return Err("login_session is the root user of the account, and Tegata keeps nothing of root's".to_owned());
    }
    let region = section.get(&format!("{PREFIX}region")).or_else(|| section.get("region"));
    region.map(drop).ok_or_else(|| "region is missing: a sign-in to the console is made in one".to_owned())
}

/// Start URLs are copied from the portal with all kinds of ends.
pub(super) fn same_address(address: &str) -> &str {
    address.trim_end_matches("#/").trim_end_matches('#').trim_end_matches('/')
}

fn has(section: &Section, key: &str) -> bool {
    section.get(key).is_some() || section.get(&format!("{PREFIX}{key}")).is_some()
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
