//! What a profile's own keys name to start from, and whether Tegata serves it. As the daemon reads them (its `profile/own_source.rs`),
//! in a person's words, and before anything is written.

use super::fitness::{Files, same_address};
use super::keys::{Keys, PREFIX};
use crate::aws_config::{Section, SectionKind};
use crate::hand::text::command;
use tegata_protocol::text::one_line;

/// Keys that lie in the file itself.
const LONG_LIVED: [&str; 2] = ["aws_access_key_id", "aws_secret_access_key"];
const CERTIFICATE: [&str; 4] = ["trust_anchor_arn", "roles_anywhere_profile_arn", "certificate", "private_key"];
const MACHINES: [&str; 2] = ["Ec2InstanceMetadata", "EcsContainer"];

/// Where a chain of roles starts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Source {
    IamUser,
    /// Everything that is a role itself, or may be one.
    Other,
}

/// Where a profile goes on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// Its own keys are where the chain starts, `assumes` says whether it has a role of its own to be assumed with them.
    Starts { source: Source, assumes: bool },
    /// It assumes a role with the credentials of this profile.
    GoesOn(String),
}

impl Files<'_> {
    /// Says where a profile goes on.
    ///
    /// # Errors
    /// What keeps it from being served, in a line.
    pub(super) fn step(self, section: &Section) -> Result<Step, String> {
        if let Some(key) = LONG_LIVED.iter().find(|key| section.get(key).is_some()) {
            return Err(lies_in_a_file(key, &section.name));
        }
        let keys = Keys::of(section);
        let assumes = keys.get("role_arn").is_some();
        if CERTIFICATE.iter().any(|key| keys.own(key).is_some()) {
            return starts_with_a_certificate(keys);
        }
        if let Some(file) = keys.get("web_identity_token_file") {
            return starts_with_a_token(file, assumes);
        }
        let source_profile = keys.get("source_profile").filter(|_| assumes);
        match (source_profile, keys.get("credential_source")) {
            (Some(_), Some(_)) => Err("source_profile and credential_source are two sources; keep one".to_owned()),
            (Some(source), None) if source != section.name => Ok(Step::GoesOn(source.to_owned())),
            (None, None) if assumes => Err("role_arn needs source_profile".to_owned()),
            _ => self.bare(section, keys).map(|source| Step::Starts { source, assumes }),
        }
    }

    /// Checks a source that needs no role.
    fn bare(self, section: &Section, keys: Keys<'_>) -> Result<Source, String> {
        if let Some(machine) = keys.get("credential_source") {
            return is_a_machine(machine, keys);
        }
        if keys.name_a_login() {
            return logs_in(section, keys).map(|()| Source::Other);
        }
        match keys.own("iam_user") {
            Some(_) if !keys.name_a_sign_in() => Ok(Source::IamUser),
            Some(_) => Err("tegata_iam_user and sso_session are two sources; keep one".to_owned()),
            None => self.signs_in(keys).map(|()| Source::Other),
        }
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
}

/// Says what to do about an access key in a file.
pub(super) fn lies_in_a_file(key: &str, profile: &str) -> String {
    let mend = command("tegata keys import", profile);
    format!("{key}: its access key lies in a file; this moves it into the keyring: {mend}")
}

fn starts_with_a_certificate(keys: Keys<'_>) -> Result<Step, String> {
    let missing = CERTIFICATE.iter().find(|key| keys.own(key).is_none());
    match missing.copied().or(keys.get("role_arn").is_none().then_some("role_arn")) {
        Some(key) => Err(format!("{PREFIX}{key} is missing: a certificate opens a role by all five keys")),
        None => Ok(Step::Starts { source: Source::Other, assumes: false }),
    }
}

fn starts_with_a_token(file: &str, assumes: bool) -> Result<Step, String> {
    match (assumes, file.starts_with('/')) {
        (false, _) => Err("web_identity_token_file needs role_arn".to_owned()),
        (_, false) => Err(format!("web_identity_token_file = {}: it has to be an absolute path", one_line(file))),
        _ => Ok(Step::Starts { source: Source::Other, assumes: false }),
    }
}

fn is_a_machine(machine: &str, keys: Keys<'_>) -> Result<Source, String> {
    if keys.get("role_arn").is_none() {
        return Err("credential_source needs role_arn".to_owned());
    }
    if MACHINES.contains(&machine) {
        return Ok(Source::Other);
    }
    let shown = one_line(machine);
    Err(format!(
        "credential_source = {shown}: Tegata serves {}; of a caller's environment it takes nothing",
        MACHINES.join(" and ")
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
