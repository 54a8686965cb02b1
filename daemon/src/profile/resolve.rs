//! One profile → its [`Chain`]: along `source_profile` to the source, then the roles back in the order they are assumed.

use super::config::{Config, Slot};
use super::keys::{Found, Keys};
use super::own_source::{self, Around, Named};
use super::text::{Fault, Section};
use super::{Chain, Profile, ProfileError, SignInSession, Source};
use crate::arns::MfaSerial;
use crate::aws::RoleToAssume;
use crate::names::{NameError, ProfileName, Region, RoleArn, SessionName, StartUrl};
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
const CHAINED: Duration = Duration::from_secs(3_600);
/// What a client registered without `sso_registration_scopes` asks for (AWS SDKs and Tools Reference Guide).
const DEFAULT_SCOPE: &str = "sso:account:access";

/// Resolves a profile.
///
/// # Errors
/// [`ProfileError::Invalid`] says which key of which profile, on which line.
pub(super) fn resolve(config: &Config, slot: &Slot) -> Result<Profile, ProfileError> {
    let base = walk(config, slot)?;
    let source = base.source(config).map_err(|fault| base.blame(slot, &fault))?;
    base.durations_are_allowed(slot, &source)?;
    let source = if base.roles.is_empty() { source } else { source.before_a_role() };
    let region = match region(slot, &base.roles)? {
        Some(region) => region,
        None => source.region().clone(),
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
    named: Named,
    roles: Vec<RoleToAssume>,
    /// The roles that are to last longer than a chained one may, by their place among the roles.
    long: Vec<(usize, &'a Slot, Found<'a>)>,
    /// The device that the roles name.
    mfa: Option<MfaSerial>,
}

impl Base<'_> {
    fn source(&self, config: &Config) -> Result<Source, Fault> {
        let extras = config.extras(&self.slot.name);
        Around { profile: &self.slot.name, config, keys: &self.keys, extras, mfa: self.mfa.clone() }.read(self.named)
    }

    /// Credentials of a role assume another one for an hour at most.
    fn durations_are_allowed(&self, asked: &Slot, source: &Source) -> Result<(), ProfileError> {
        let chained = |at: usize| at > 0 || source.is_role();
        match self.long.iter().find(|(at, ..)| chained(*at)) {
            Some((_, slot, found)) => {
                let why = "is longer than the 3600 that AWS allows a role behind another role (role chaining)";
                Err(blame(asked, slot, &refused_duration(found, why)))
            }
            None => Ok(()),
        }
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
    /// Assumes a role with the credentials of another profile, or with what its own keys name.
    Role { role: Box<RoleToAssume>, from: From<'a> },
    /// Is where the chain starts.
    Source(Named),
}

enum From<'a> {
    Profile(Found<'a>),
    Own,
}

fn walk<'a>(config: &'a Config, asked: &'a Slot) -> Result<Base<'a>, ProfileError> {
    let mut way: Way<'a> = Way { slots: vec![asked], roles: Vec::new(), long: Vec::new(), mfa: None };
    let mut slot = asked;
    loop {
        let at = |fault: Fault| blame(asked, slot, &fault);
        let keys = Keys::of(&slot.section).map_err(at)?;
        let (role, from) = match step(&keys, config.extras(&slot.name)).map_err(at)? {
            Step::Source(named) => return way.finish(asked, slot, keys, named),
            Step::Role { role, from } => (role, from),
        };
        way.add(slot, &keys, *role).map_err(at)?;
        let source_profile = match from {
            From::Profile(found) if found.value != slot.name.as_str() => found,
            _ => {
                let named = Named::Bare(own_source::bare(&keys).map_err(at)?);
                return way.finish(asked, slot, keys, named);
            }
        };
        starts_nothing(&keys, slot, config.extras(&slot.name)).map_err(at)?;
        let next = find(config, &source_profile).map_err(at)?;
        if let Some(begin) = way.slots.iter().position(|seen| seen.name == next.name) {
            return Err(blame(asked, asked, &circle(&way.slots[begin..], source_profile.line)));
        }
        if way.slots.len() == MAX_STEPS {
            return Err(blame(asked, asked, &too_long(asked)));
        }
        way.slots.push(next);
        slot = next;
    }
}

/// The way from the profile that was asked for towards the source.
struct Way<'a> {
    slots: Vec<&'a Slot>,
    /// The roles, that of the profile asked for first.
    roles: Vec<RoleToAssume>,
    long: Vec<(usize, &'a Slot, Found<'a>)>,
    mfa: Option<MfaSerial>,
}

impl<'a> Way<'a> {
    fn add(&mut self, slot: &'a Slot, keys: &Keys<'a>, role: RoleToAssume) -> Result<(), Fault> {
        if let (Some(duration), Some(found)) = (role.duration, keys.get("duration_seconds"))
            && duration > CHAINED
        {
            self.long.push((self.roles.len(), slot, found));
        }
        self.roles.push(role);
        let Some(found) = keys.get("mfa_serial") else { return Ok(()) };
        let serial = named(&found, MfaSerial::new)?;
        match &self.mfa {
            Some(other) if *other != serial => {
                let detail = format!("{} names another MFA device than the role after it ({other})", found.key);
                Err(Fault::at(found.line, detail))
            }
            _ => {
                self.mfa = Some(serial);
                Ok(())
            }
        }
    }

    fn finish(mut self, asked: &Slot, slot: &'a Slot, keys: Keys<'a>, named: Named) -> Result<Base<'a>, ProfileError> {
        let count = self.roles.len();
        if count > MAX_ROLES {
            return Err(blame(asked, asked, &too_long(asked)));
        }
        self.roles.reverse();
        let long = self.long.into_iter().map(|(at, slot, found)| (count - 1 - at, slot, found)).collect();
        Ok(Base { slot, keys, named, roles: self.roles, long, mfa: self.mfa })
    }
}

/// What a chain starts with belongs to the profile it starts from; elsewhere it would be dropped in silence.
fn starts_nothing(keys: &Keys<'_>, slot: &Slot, extras: Option<&Extras>) -> Result<(), Fault> {
    let Some(key) = extras.and_then(|extras| extras.for_sources_beside(&[])) else { return Ok(()) };
    let detail = format!("sets {key}, which belongs to the profile that the chain starts from");
    Err(Fault::at(keys.line(), own_source::of_extras(&slot.name, &detail)))
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
    if let Some(own) = own_source::own_role(keys, extras) {
        return Ok(Step::Source(Named::Role(own)));
    }
    let Some(role_arn) = keys.get("role_arn") else {
        return own_source::bare(keys).map(|bare| Step::Source(Named::Bare(bare)));
    };
    let from = match (keys.get("source_profile"), keys.get("credential_source")) {
        (Some(source_profile), None) => From::Profile(source_profile),
        (None, Some(_)) => From::Own,
        (Some(_), Some(other)) => {
            let detail = format!("{} and {} are two sources; keep one", keys.spell("source_profile"), other.key);
            return Err(Fault::at(other.line, detail));
        }
        (None, None) => {
            let own = "(the profile's own name to start from its own keys)";
            let detail = format!("{} needs {} {own}", role_arn.key, keys.spell("source_profile"));
            return Err(Fault::at(role_arn.line, detail));
        }
    };
    Ok(Step::Role { role: Box::new(role(keys, &role_arn, extras)?), from })
}

pub(super) fn session(config: &Config, keys: &Keys<'_>) -> Result<SignInSession, Fault> {
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
pub(super) fn role(keys: &Keys<'_>, role_arn: &Found<'_>, extras: Option<&Extras>) -> Result<RoleToAssume, Fault> {
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
    let seconds = seconds.ok_or_else(|| refused_duration(found, "is no number of seconds from 900 to 43200"))?;
    Ok(Duration::from_secs(seconds.unsigned_abs()))
}

fn refused_duration(found: &Found<'_>, why: &str) -> Fault {
    Fault::at(found.line, format!("{} = {} {why}", found.key, one_line(found.value)))
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

pub(super) fn named<T>(found: &Found<'_>, check: impl Fn(&str) -> Result<T, NameError>) -> Result<T, Fault> {
    check(found.value).map_err(|error| Fault::at(found.line, format!("{}: {error}", found.key)))
}

#[cfg(test)]
#[path = "resolve_tests.rs"]
mod tests;
