//! One profile → its [`Chain`]: along `source_profile` to the source, then the roles back in the order they are assumed.

use super::config::{Config, Slot};
use super::keys::{Found, Keys, NOT_SERVED};
use super::text::{Fault, Section};
use super::{Chain, Profile, ProfileError, SignInSession, Source};
use crate::aws::RoleToAssume;
use crate::names::{AccountId, NameError, ProfileName, Region, RoleArn, RoleName, SessionName, StartUrl};
use crate::nearest::nearest;
use crate::settings::Extras;
use std::sync::Arc;
use std::time::Duration;
use tegata_protocol::text::one_line;

/// The most roles of a chain.
const MAX_ROLES: usize = 8;
/// How far `source_profile` is followed to tell a circle from a chain that is too long.
const MAX_STEPS: usize = 64;
/// STS API, `DurationSeconds`: 900 to 43,200.
const DURATIONS: std::ops::RangeInclusive<i64> = 900..=43_200;
/// Credentials of a role may not assume another role for longer (STS, "role chaining"); a permission set is a role.
const CHAINED: i64 = 3_600;
/// What a client registered without `sso_registration_scopes` asks for (AWS SDKs and Tools Reference Guide).
const DEFAULT_SCOPE: &str = "sso:account:access";

/// Resolves a profile.
///
/// # Errors
/// [`ProfileError::Invalid`] says which key of which profile, on which line.
pub(super) fn resolve(config: &Config, slot: &Slot) -> Result<Profile, ProfileError> {
    let base = walk(config, slot)?;
    let at_source = |fault: Fault| base.blame(slot, &fault);
    base.extras_are_used(config).map_err(at_source)?;
    let source = source(config, &base.keys).map_err(at_source)?;
    let Source::SignIn { session, .. } = &source;
    let region = match region(slot, &base.roles)? {
        Some(region) => region,
        None => session.region.clone(),
    };
    Ok(Profile { name: slot.name.clone(), chain: Arc::new(Chain { source, roles: base.roles, region }) })
}

/// Resolves the sign-in session that a profile starts from; the profile may be too unfinished to be served.
///
/// # Errors
/// As [`resolve`].
pub(super) fn sign_in_session(config: &Config, slot: &Slot) -> Result<SignInSession, ProfileError> {
    let base = walk(config, slot)?;
    session(config, &base.keys).map_err(|fault| base.blame(slot, &fault))
}

/// The sign-in session of a profile that describes it itself, the way from before `[sso-session]` sections.
pub(super) fn legacy_session(keys: &Keys<'_>) -> Result<SignInSession, Fault> {
    let start_url = start_url(&keys.require("sso_start_url")?)?;
    let region = named(&keys.require("sso_region")?, Region::new)?;
    let address = start_url.as_str();
    let address = address.split_once("://").map_or(address, |(_, rest)| rest);
    let name = SessionName::new(address.strip_suffix("/start").unwrap_or(address));
    let name = name.map_err(|error| Fault::at(keys.line(), error.to_string()))?;
    Ok(SignInSession { name, start_url, region, scopes: scopes(keys.get("sso_registration_scopes"))? })
}

/// The sign-in session of an `[sso-session]` section.
pub(super) fn section_session(section: &Section) -> Result<SignInSession, Fault> {
    let name = SessionName::new(&section.name).map_err(|error| Fault::at(section.line, error.to_string()))?;
    let key = |key: &str| section.get(key).map(Found::from);
    let require = |wanted: &str| {
        key(wanted).ok_or_else(|| Fault::at(section.line, format!("[sso-session {name}]: {wanted} is missing")))
    };
    let start_url = start_url(&require("sso_start_url")?)?;
    let region = named(&require("sso_region")?, Region::new)?;
    Ok(SignInSession { start_url, region, scopes: scopes(key("sso_registration_scopes"))?, name: name.clone() })
}

/// Where `source_profile` leads: the profile with the source, and the roles after it.
struct Base<'a> {
    slot: &'a Slot,
    keys: Keys<'a>,
    roles: Vec<RoleToAssume>,
}

impl Base<'_> {
    /// `GetRoleCredentials` takes an account and a role: what only `AssumeRole` can be told would be dropped in silence.
    fn extras_are_used(&self, config: &Config) -> Result<(), Fault> {
        let extras = config.extras(&self.slot.name).filter(|_| self.keys.get("role_arn").is_none());
        let Some(key) = extras.and_then(Extras::for_roles_only) else { return Ok(()) };
        let detail = format!(
            "[profile.{}] of config.toml sets {key}, which AWS takes for a role that is assumed and not for a permission set; \
             give it to a profile that reaches a role through this one (role_arn with source_profile)",
            one_line(self.slot.name.as_str())
        );
        Err(Fault::at(self.keys.line(), detail))
    }

    fn blame(&self, asked: &Slot, fault: &Fault) -> ProfileError {
        blame(asked, self.slot, fault)
    }
}

/// Blames the profile that was asked for, naming the one of its chain that is wrong.
fn blame(asked: &Slot, at: &Slot, fault: &Fault) -> ProfileError {
    let detail =
        if asked.name == at.name { fault.to_string() } else { format!("its source {:?}: {fault}", at.name.as_str()) };
    ProfileError::Invalid { profile: one_line(asked.name.as_str()), detail }
}

/// What one profile of a chain does.
enum Step<'a> {
    /// Assumes a role with the credentials of another profile.
    Role { role: Box<RoleToAssume>, source_profile: Found<'a> },
    /// Signs in.
    SignIn,
}

fn walk<'a>(config: &'a Config, asked: &'a Slot) -> Result<Base<'a>, ProfileError> {
    let mut way: Vec<&Slot> = vec![asked];
    let mut roles = Vec::new();
    let mut slot = asked;
    loop {
        let at = |fault: Fault| blame(asked, slot, &fault);
        let keys = Keys::of(&slot.section).map_err(at)?;
        let Step::Role { role, source_profile } = step(&keys, config.extras(&slot.name)).map_err(at)? else {
            return finish(asked, Base { slot, keys, roles });
        };
        roles.push(*role);
        if source_profile.value == slot.name.as_str() {
            own_source(&keys).map_err(at)?;
            return finish(asked, Base { slot, keys, roles });
        }
        let next = find(config, &source_profile).map_err(at)?;
        if let Some(begin) = way.iter().position(|seen| seen.name == next.name) {
            return Err(blame(asked, asked, &circle(&way[begin..], source_profile.line)));
        }
        if way.len() == MAX_STEPS {
            return Err(blame(asked, asked, &too_long(asked)));
        }
        way.push(next);
        slot = next;
    }
}

fn finish<'a>(asked: &Slot, mut base: Base<'a>) -> Result<Base<'a>, ProfileError> {
    if base.roles.len() > MAX_ROLES {
        return Err(blame(asked, asked, &too_long(asked)));
    }
    base.roles.reverse();
    Ok(base)
}

fn too_long(asked: &Slot) -> Fault {
    Fault::at(asked.section.line, format!("more than {MAX_ROLES} roles one behind the other over source_profile"))
}

fn circle(way: &[&Slot], line: u32) -> Fault {
    let mut names: Vec<&str> = way.iter().map(|slot| slot.name.as_str()).collect();
    names.extend(way.first().map(|slot| slot.name.as_str()));
    if names.len() > MAX_ROLES + 1 {
        names.splice(MAX_ROLES / 2..names.len() - MAX_ROLES / 2, ["…"]);
    }
    Fault::at(line, format!("source_profile goes in a circle: {}", names.join(" → ")))
}

fn find<'a>(config: &'a Config, source_profile: &Found<'_>) -> Result<&'a Slot, Fault> {
    let name = named(source_profile, ProfileName::new)?;
    config.slot(&name).ok_or_else(|| {
        let nearest = super::near(&nearest(name.as_str(), config.profiles().map(ProfileName::as_str)));
        Fault::at(
            source_profile.line,
            format!("{} names {:?}, and there is no such profile{nearest}", source_profile.key, name.as_str()),
        )
    })
}

/// Ranked as the AWS CLI ranks them: a role, then a sign-in session, then the rest.
fn step<'a>(keys: &Keys<'a>, extras: Option<&Extras>) -> Result<Step<'a>, Fault> {
    if let Some(role_arn) = keys.get("role_arn") {
        let not_served = keys.any(&["web_identity_token_file", "credential_source", "mfa_serial"]);
        if let Some(key) = not_served {
            return Err(is_not_served(&key));
        }
        let source_profile = keys.get("source_profile").ok_or_else(|| {
            let own = "(the profile's own name to start from its own keys)";
            Fault::at(role_arn.line, format!("{} needs {} {own}", role_arn.key, keys.spell("source_profile")))
        })?;
        return Ok(Step::Role { role: Box::new(role(keys, &role_arn, extras)?), source_profile });
    }
    own_source(keys).map(|()| Step::SignIn)
}

/// Whether the profile's own keys name a source that is served.
fn own_source(keys: &Keys<'_>) -> Result<(), Fault> {
    if keys.any(&["sso_session", "sso_account_id", "sso_role_name", "sso_start_url"]).is_some() {
        return Ok(());
    }
    if let Some(key) = keys.any(&NOT_SERVED) {
        return Err(is_not_served(&key));
    }
    if let Some(process) = keys.native("credential_process") {
        let detail = "credential_process runs another program; Tegata does not run programs from AWS config";
        return Err(Fault::at(process.line, detail));
    }
    if let (Some(source_profile), None) = (keys.get("source_profile"), keys.get("role_arn")) {
        return Err(Fault::at(source_profile.line, format!("{} needs {}", source_profile.key, keys.spell("role_arn"))));
    }
    Err(Fault::at(keys.line(), "names nothing to get credentials from (sso_session, or role_arn with source_profile)"))
}

fn is_not_served(key: &Found<'_>) -> Fault {
    Fault::at(key.line, format!("{} is not served by this version", key.key))
}

fn source(config: &Config, keys: &Keys<'_>) -> Result<Source, Fault> {
    let session = session(config, keys)?;
    let account = named(&keys.require("sso_account_id")?, AccountId::new)?;
    let role = named(&keys.require("sso_role_name")?, RoleName::new)?;
    Ok(Source::SignIn { session, account, role })
}

fn session(config: &Config, keys: &Keys<'_>) -> Result<SignInSession, Fault> {
    let Some(found) = keys.get("sso_session") else {
        let described = keys.any(&["sso_start_url", "sso_region"]).is_some();
        return if described { legacy_session(keys) } else { Err(keys.missing("sso_session")) };
    };
    let name = named(&found, SessionName::new)?;
    let section = config.session_section(&name).ok_or_else(|| {
        let nearest = super::near(&nearest(name.as_str(), config.session_names()));
        Fault::at(
            found.line,
            format!("{} names {:?}, and there is no [sso-session {name}]{nearest}", found.key, name.as_str()),
        )
    })?;
    let session = section_session(section)?;
    agrees(keys, &session)?;
    Ok(session)
}

/// The same key with different values in a profile and in its section is an error (botocore and JS do so, too).
fn agrees(keys: &Keys<'_>, session: &SignInSession) -> Result<(), Fault> {
    let differs = |key: &str, same: &dyn Fn(&Found<'_>) -> Result<bool, Fault>| match keys.get(key) {
        Some(found) if !same(&found)? => {
            let detail = format!("{} is not the one of [sso-session {}]; keep it there only", found.key, session.name);
            Err(Fault::at(found.line, detail))
        }
        _ => Ok(()),
    };
    differs("sso_start_url", &|found| Ok(start_url(found)? == session.start_url))?;
    differs("sso_region", &|found| Ok(found.value == session.region.as_str()))?;
    differs("sso_registration_scopes", &|found| Ok(scopes(Some(found.clone()))? == session.scopes))
}

/// The role of one profile, with what the settings say under that profile's name: a profile that goes through it gets it so, too.
fn role(keys: &Keys<'_>, role_arn: &Found<'_>, extras: Option<&Extras>) -> Result<RoleToAssume, Fault> {
    let extras = extras.cloned().unwrap_or_default();
    Ok(RoleToAssume {
        role_arn: named(role_arn, RoleArn::new)?,
        role_session_name: keys.get("role_session_name").map(|found| parameter(&found, 64, "_=,.@-+")).transpose()?,
        external_id: keys.get("external_id").map(|found| parameter(&found, 1224, "_=,.@-+:/\\")).transpose()?,
        duration: keys.get("duration_seconds").map(|found| duration(&found)).transpose()?,
        source_identity: extras.source_identity,
        session_tags: extras.session_tags.into_iter().collect(),
        transitive_tag_keys: extras.transitive_tags.into_iter().collect(),
        session_policy: extras.session_policy.map(|policy| policy.as_str().to_owned()),
        policy_arns: extras.policy_arns,
        reason_tag: extras.reason_tag,
    })
}

/// A text parameter of AssumeRole: 2 to `most` ASCII letters, digits and these marks (STS API reference).
fn parameter(found: &Found<'_>, most: usize, marks: &str) -> Result<String, Fault> {
    let fits = |c: char| c.is_ascii_alphanumeric() || marks.contains(c);
    if (2..=most).contains(&found.value.len()) && found.value.chars().all(fits) {
        return Ok(found.value.to_owned());
    }
    Err(Fault::at(found.line, format!("{} has to be 2 to {most} letters, digits and {marks}", found.key)))
}

fn duration(found: &Found<'_>) -> Result<Duration, Fault> {
    let seconds = found.value.parse::<i64>().ok().filter(|seconds| DURATIONS.contains(seconds));
    let refused = |why: &str| Fault::at(found.line, format!("{} = {} {why}", found.key, one_line(found.value)));
    let seconds = seconds.ok_or_else(|| refused("is no number of seconds from 900 to 43200"))?;
    // Every source that is served is itself a role, so every role stands behind another one.
    if seconds > CHAINED {
        return Err(refused("is longer than the 3600 that AWS allows a role behind another role (role chaining)"));
    }
    Ok(Duration::from_secs(seconds.unsigned_abs()))
}

/// The profile's region, read only where it is used: databases on this machine are given regions such as `local`.
fn region(slot: &Slot, roles: &[RoleToAssume]) -> Result<Option<Region>, ProfileError> {
    if roles.is_empty() {
        return Ok(None);
    }
    let at = |fault: Fault| blame(slot, slot, &fault);
    let keys = Keys::of(&slot.section).map_err(at)?;
    keys.get("region").map(|found| named(&found, Region::new)).transpose().map_err(at)
}

fn start_url(found: &Found<'_>) -> Result<StartUrl, Fault> {
    named(found, StartUrl::new)
}

fn scopes(found: Option<Found<'_>>) -> Result<Vec<String>, Fault> {
    let Some(found) = found else { return Ok(vec![DEFAULT_SCOPE.to_owned()]) };
    let scopes: Vec<&str> = found.value.split([',', ' ', '\t', '\n']).filter(|scope| !scope.is_empty()).collect();
    let fits = |scope: &&str| scope.len() <= 256 && scope.bytes().all(|byte| byte.is_ascii_graphic());
    if scopes.is_empty() || scopes.len() > 32 || !scopes.iter().all(fits) {
        return Err(Fault::at(found.line, format!("{} is no list of scopes such as {DEFAULT_SCOPE}", found.key)));
    }
    Ok(scopes.into_iter().map(str::to_owned).collect())
}

fn named<T>(found: &Found<'_>, check: impl Fn(&str) -> Result<T, NameError>) -> Result<T, Fault> {
    check(found.value).map_err(|error| Fault::at(found.line, format!("{}: {error}", found.key)))
}

#[cfg(test)]
#[path = "resolve_tests.rs"]
mod tests;
