//! The source that a profile's own keys name. Pure: a value that is wrong costs the profile, and nothing is looked at yet.

use super::config::Config;
use super::keys::{Found, Keys};
use super::resolve::{named, role, session};
use super::text::Fault;
use super::{IamUser, KeyPlace, RolesAnywhere, Source, WebIdentityToken};
use crate::arns::{IdentityArn, MfaSerial, RolesAnywhereProfileArn, TrustAnchorArn, UserArn};
use crate::names::{AccountId, ProfileName, Region, RoleName};
use crate::partition::Partition;
use crate::pkcs11::ObjectUri;
use crate::settings::{Extras, WebIdentity};
use std::ops::RangeInclusive;
use std::path::PathBuf;
use std::time::Duration;
use tegata_protocol::text::{is_hostile, one_line};

/// STS API, `GetSessionToken`, `DurationSeconds`: 900 to 129,600.
const SESSION: RangeInclusive<u64> = 900..=129_600;
/// The longest path that is looked at (Linux, PATH_MAX).
const MAX_PLACE: usize = 4096;

/// What kind of source a profile's keys name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Named {
    /// A role that is itself the source.
    Role(OwnRole),
    /// A source that roles may come after.
    Bare(Bare),
}

/// A role that is itself the source.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum OwnRole {
    WebIdentity,
    RolesAnywhere,
}

/// A source that needs no role.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Bare {
    SignIn,
    Console,
    IamUser,
    Machine,
}

/// Where a profile with `role_arn` needs no other profile: `web_identity` goes before `source_profile` (botocore, JS).
pub(super) fn own_role(keys: &Keys<'_>, extras: Option<&Extras>) -> Option<OwnRole> {
    if keys.any(&["trust_anchor_arn", "roles_anywhere_profile_arn", "certificate", "private_key"]).is_some() {
        return Some(OwnRole::RolesAnywhere);
    }
    let configured = keys.get("role_arn").is_some() && extras.is_some_and(|extras| extras.web_identity.is_some());
    (configured || keys.get("web_identity_token_file").is_some()).then_some(OwnRole::WebIdentity)
}

/// Says what source the profile's own keys name. Native keys are ranked as the AWS CLI ranks them; Tegata's own stand alone.
pub(super) fn bare(keys: &Keys<'_>) -> Result<Bare, Fault> {
    let sign_in = keys.any(&["sso_session", "sso_account_id", "sso_role_name", "sso_start_url"]);
    let (console, user) = (keys.get("login_session"), keys.get("iam_user"));
    let machine = keys.get("credential_source");
    if let (Some(user), Some(other)) = (&user, sign_in.as_ref().or(console.as_ref()).or(machine.as_ref())) {
        return Err(Fault::at(user.line, format!("{} and {} are two sources; keep one", user.key, other.key)));
    }
    let named = [(machine, Bare::Machine), (sign_in, Bare::SignIn), (console, Bare::Console), (user, Bare::IamUser)];
    let named = named.into_iter().find_map(|(found, bare)| found.map(|_| bare));
    named.map_or_else(|| Err(nothing(keys)), Ok)
}

/// Says why there is nothing to get credentials from.
fn nothing(keys: &Keys<'_>) -> Fault {
    if let Some(key) = keys.native("aws_access_key_id").or_else(|| keys.native("aws_secret_access_key")) {
        let detail = "lies in a file; `tegata keys import` moves it into the keyring";
        return Fault::at(key.line, format!("{} {detail}", key.key));
    }
    if let Some(process) = keys.native("credential_process") {
        let detail = "credential_process runs another program; Tegata does not run programs from AWS config";
        return Fault::at(process.line, detail);
    }
    if let (Some(source_profile), None) = (keys.get("source_profile"), keys.get("role_arn")) {
        return Fault::at(source_profile.line, format!("{} needs {}", source_profile.key, keys.spell("role_arn")));
    }
    Fault::at(keys.line(), "names nothing to get credentials from (sso_session, or role_arn with source_profile)")
}

/// What reading a source takes beside its keys.
pub(super) struct Around<'a> {
    pub(super) profile: &'a ProfileName,
    pub(super) config: &'a Config,
    pub(super) keys: &'a Keys<'a>,
    pub(super) extras: Option<&'a Extras>,
    /// The device that a role after the source names.
    pub(super) mfa: Option<MfaSerial>,
}

impl Around<'_> {
    /// Reads the source.
    pub(super) fn read(self, named: Named) -> Result<Source, Fault> {
        self.extras_fit(named)?;
        if let (Some(_), false) = (&self.mfa, named == Named::Bare(Bare::IamUser)) {
            let detail =
                "mfa_serial is for a chain that starts from an IAM user: STS takes codes with access keys only";
            return Err(Fault::at(self.keys.line(), detail));
        }
        match named {
            Named::Bare(Bare::SignIn) => self.sign_in(),
            Named::Bare(Bare::Console) => self.console(),
            Named::Bare(Bare::IamUser) => self.iam_user(),
            Named::Bare(Bare::Machine) => self.machine(),
            Named::Role(OwnRole::WebIdentity) => self.web_identity(),
            Named::Role(OwnRole::RolesAnywhere) => self.roles_anywhere(),
        }
    }

    /// What AWS is not told for this source would be dropped in silence.
    fn extras_fit(&self, named: Named) -> Result<(), Fault> {
        let Some(extras) = self.extras else { return Ok(()) };
        let assumes = self.keys.get("role_arn").is_some() && matches!(named, Named::Bare(_));
        let (used, roles_only): (&[&str], _) = match named {
            Named::Role(OwnRole::WebIdentity) => (&["web_identity"], extras.for_assumed_roles_only()),
            Named::Role(OwnRole::RolesAnywhere) => (&[], extras.for_roles_only()),
            Named::Bare(Bare::IamUser) => (&["totp_command", "hand_out", "key_max_age_days"], extras.for_roles_only()),
            Named::Bare(_) => (&[], extras.for_roles_only()),
        };
        if let Some(key) = roles_only.filter(|_| !assumes) {
            let start =
                if named == Named::Bare(Bare::SignIn) { "a permission set" } else { "what the chain starts from" };
            return Err(self.of_extras(&format!(
                "sets {key}, which AWS takes for a role that is assumed and not for {start}; \
                 give it to a profile that reaches a role through this one (role_arn with source_profile)"
            )));
        }
        match extras.for_sources_beside(used) {
            Some(key) => Err(self.of_extras(&format!("sets {key}, which means nothing for where this profile starts"))),
            None => Ok(()),
        }
    }

    fn of_extras(&self, detail: &str) -> Fault {
        Fault::at(self.keys.line(), of_extras(self.profile, detail))
    }

    fn sign_in(&self) -> Result<Source, Fault> {
        let session = session(self.config, self.keys)?;
        let account = named(&self.keys.require("sso_account_id")?, AccountId::new)?;
        let role = named(&self.keys.require("sso_role_name")?, RoleName::new)?;
        Ok(Source::SignIn { session, account, role })
    }

    fn console(&self) -> Result<Source, Fault> {
        let identity = named(&self.keys.require("login_session")?, IdentityArn::new)?;
        let found = self.keys.require("region")?;
        let region = named(&found, Region::new)?;
        match Partition::of_region(&region) {
            Some(partition) if partition.name() != identity.partition() => {
                let detail =
                    format!("{} = {region} is in partition {}, and {identity} is not", found.key, partition.name());
                Err(Fault::at(found.line, detail))
            }
            _ => Ok(Source::Console { identity, region }),
        }
    }

    fn iam_user(self) -> Result<Source, Fault> {
        let user = named(&self.keys.require("iam_user")?, UserArn::new)?;
        let own = self.keys.get("mfa_serial").map(|found| named(&found, MfaSerial::new)).transpose()?;
        if let (Some(own), Some(of_role)) = (&own, &self.mfa)
            && own != of_role
        {
            return Err(Fault::at(self.keys.line(), format!("a role after it names another MFA device ({of_role})")));
        }
        let assumes = self.keys.get("role_arn").is_some();
        let duration = self.keys.get("duration_seconds").filter(|_| !assumes);
        let duration = duration.map(|found| session_duration(&found)).transpose()?;
        let region = self.region_in(user.partition())?;
        let extras = self.extras;
        Ok(Source::IamUser(Box::new(IamUser {
            mfa: own.or(self.mfa),
            duration,
            hand_out: extras.and_then(|extras| extras.hand_out).unwrap_or_default(),
            totp_command: extras.and_then(|extras| extras.totp_command.as_ref()).map(|one| one.words().to_vec()),
            region,
            user,
        })))
    }

    fn machine(&self) -> Result<Source, Fault> {
        let found = self.keys.require("credential_source")?;
        let role_arn = self
            .keys
            .get("role_arn")
            .ok_or_else(|| Fault::at(found.line, format!("{} needs {}", found.key, self.keys.spell("role_arn"))))?;
        let region = self.region_in(role_arn.value.split(':').nth(1).unwrap_or_default())?;
        match found.value {
            "Ec2InstanceMetadata" => Ok(Source::Ec2Instance { region }),
            "EcsContainer" => Ok(Source::EcsContainer { region }),
            "Environment" => Err(Fault::at(
                found.line,
                format!(
                    "{} = Environment takes the keys of whoever asks, and a daemon that serves all has none; `tegata keys import` \
                     keeps such keys in the keyring",
                    found.key
                ),
            )),
            other => {
                let detail =
                    format!("{} = {} is neither Ec2InstanceMetadata nor EcsContainer", found.key, one_line(other));
                Err(Fault::at(found.line, detail))
            }
        }
    }

    fn web_identity(&self) -> Result<Source, Fault> {
        let role_arn = self.keys.require("role_arn")?;
        let file = self.keys.get("web_identity_token_file");
        let token = match (file, self.extras.and_then(|extras| extras.web_identity.as_ref())) {
            (Some(file), Some(_)) => {
                let detail = format!("{} and web_identity of config.toml are two sources; keep one", file.key);
                return Err(Fault::at(file.line, detail));
            }
            (Some(file), None) => WebIdentityToken::File(path(&file)?),
            (None, Some(WebIdentity::Command(command))) => WebIdentityToken::Command(command.words().to_vec()),
            (None, Some(WebIdentity::GithubActions(asked))) => {
                WebIdentityToken::GithubActions { audience: asked.audience.as_str().to_owned() }
            }
            (None, None) => return Err(self.keys.missing("web_identity_token_file")),
        };
        self.takes_no_external_id("AssumeRoleWithWebIdentity")?;
        let mut role = role(self.keys, &role_arn, self.extras)?;
        role.reason_tag = None;
        let region = self.region_of(&role.role_arn)?;
        Ok(Source::WebIdentity { token, role: Box::new(role), region })
    }

    fn roles_anywhere(&self) -> Result<Source, Fault> {
        let anchor = self.keys.require("trust_anchor_arn")?;
        let trust_anchor = named(&anchor, TrustAnchorArn::new)?;
        let profile = named(&self.keys.require("roles_anywhere_profile_arn")?, RolesAnywhereProfileArn::new)?;
        if profile.region() != trust_anchor.region() {
            let detail =
                format!("{} is in {}, and its profile in {}", anchor.key, trust_anchor.region(), profile.region());
            return Err(Fault::at(anchor.line, detail));
        }
        self.takes_no_external_id("IAM Roles Anywhere")?;
        let mut role = role(self.keys, &self.keys.require("role_arn")?, None)?;
        role.reason_tag = None;
        let region = Region::new(trust_anchor.region()).map_err(|error| Fault::at(anchor.line, error.to_string()))?;
        Ok(Source::RolesAnywhere(Box::new(RolesAnywhere {
            profile,
            role,
            certificate: place(&self.keys.require("certificate")?, "cert")?,
            private_key: place(&self.keys.require("private_key")?, "private")?,
            region,
            trust_anchor,
        })))
    }

    fn takes_no_external_id(&self, who: &str) -> Result<(), Fault> {
        match self.keys.get("external_id") {
            Some(found) => Err(Fault::at(found.line, format!("{}: {who} takes none", found.key))),
            None => Ok(()),
        }
    }

    fn region_of(&self, role: &crate::names::RoleArn) -> Result<Region, Fault> {
        self.region_in(role.as_str().split(':').nth(1).unwrap_or_default())
    }

    /// The profile's region, else the one of the partition's global services.
    fn region_in(&self, partition: &str) -> Result<Region, Fault> {
        if let Some(found) = self.keys.get("region") {
            return named(&found, Region::new);
        }
        let region = Partition::named(partition).map(|partition| Region::new(partition.global_region()));
        region.and_then(Result::ok).ok_or_else(|| self.keys.missing("region"))
    }
}

/// Says what is wrong with a profile's table in the settings.
pub(super) fn of_extras(profile: &ProfileName, detail: &str) -> String {
    format!("[profile.{}] of config.toml {detail}", one_line(profile.as_str()))
}

fn session_duration(found: &Found<'_>) -> Result<Duration, Fault> {
    let seconds = found.value.parse::<u64>().ok().filter(|seconds| SESSION.contains(seconds));
    let refused = || {
        let value = one_line(found.value);
        Fault::at(found.line, format!("{} = {value} is no number of seconds from 900 to 129600", found.key))
    };
    seconds.map(Duration::from_secs).ok_or_else(refused)
}

/// `kind` is what a PKCS#11 URI calls such an object (RFC 7512, `type`).
fn place(found: &Found<'_>, kind: &str) -> Result<KeyPlace, Fault> {
    match found.value {
        "keyring" => Ok(KeyPlace::Keyring),
        uri if uri.starts_with("pkcs11:") => {
            let read = ObjectUri::parse(uri).map_err(|error| error.to_string());
            let read = read.and_then(|uri| if uri.can_be(kind) { Ok(uri) } else { Err(format!("is no {kind}")) });
            read.map(KeyPlace::Pkcs11).map_err(|why| Fault::at(found.line, format!("{} {}", found.key, one_line(&why))))
        }
        _ => path(found).map(KeyPlace::File),
    }
}

fn path(found: &Found<'_>) -> Result<PathBuf, Fault> {
    let fits = found.value.starts_with('/') && found.value.len() <= MAX_PLACE && !found.value.contains(is_hostile);
    let refused = || Fault::at(found.line, format!("{} is no absolute path on one line", found.key));
    if fits { Ok(PathBuf::from(found.value)) } else { Err(refused()) }
}

#[cfg(test)]
#[path = "own_source_tests.rs"]
mod tests;
