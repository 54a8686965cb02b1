//! Codes of MFA devices: signing in with one, and the seeds that make them.

use super::Broker;
use crate::arns::{MfaSerial, UserArn};
use crate::audit::{Event, GrantEnd};
use crate::caller::Caller;
use crate::clock::rfc3339;
use crate::names::{ProfileName, SessionName};
use crate::problem::Problem;
use crate::profile::{Chain, Config, IamUser, Profile, ProfileError, Source};
use crate::totp;
use std::path::Path;
use std::sync::Arc;
use tegata_protocol::body::{DeviceSession, SignIn, SignedOut};
use tegata_protocol::totp::{AddSeed, GiveCode, MfaDevice, Seeds};
use tegata_protocol::{ErrorBody, ErrorCode};

/// STS has no call by which a session of GetSessionToken is ended (STS API reference).
const NOT_REVOKED: &str = "AWS has no call for it; what was handed out lives until it ends";

impl Broker {
    /// Gives the code that a sign-in wants.
    ///
    /// # Errors
    /// [`ErrorCode::NotFound`], [`ErrorCode::BadRequest`] where none is wanted, or that everything is locked.
    pub async fn give_code(&self, id: &str, given: &GiveCode) -> Result<SignIn, ErrorBody> {
        self.unlocked()?;
        self.gated.leads_as_accepted().await?;
        self.logins.give(id, given.code.clone())
    }

    /// Keeps the seed of the device that a profile names.
    ///
    /// # Errors
    /// Why it is not kept.
    pub async fn add_seed(&self, caller: &Caller, sent: &AddSeed) -> Result<MfaDevice, ErrorBody> {
        self.unlocked()?;
        let config = self.config(sent.config.as_deref().map(Path::new)).await?;
        let (profile, user, serial) = device_of(&config, &sent.profile)?;
        let read = totp::read(sent.uri.expose_secret()).map_err(|fault| bad(&fault.to_string()))?;
        if let Some(account) = read.account.filter(|account| account != user.user.account()) {
            let own = user.user.account();
            return Err(bad(&format!("that seed is of a device in account {account}, and {serial} is in {own}")));
        }
        let added = self.iam_users.add_seed(&user.user, &serial, read.seed).await;
        added.map_err(|problem| problem.asked_for(&profile.name))?;
        self.record_for(caller, &Event::SeedAdded { user: &user.user, device: &serial })?;
        Ok(view(&profile, &user, &serial, Some(true)))
    }

    /// Forgets the seed of the device that a profile names. `seed` of the answer says whether there was one.
    ///
    /// # Errors
    /// What the configuration or the store said.
    pub async fn remove_seed(
        &self,
        caller: &Caller,
        profile: &str,
        config: Option<&Path>,
    ) -> Result<MfaDevice, ErrorBody> {
        self.unlocked()?;
        let config = self.config(config).await?;
        let (profile, user, serial) = device_of(&config, profile)?;
        let removed = self.iam_users.remove_seed(&user.user, &serial).await?;
        if removed {
            self.record_for(caller, &Event::SeedRemoved { user: &user.user, device: &serial })?;
        }
        Ok(view(&profile, &user, &serial, Some(removed)))
    }

    /// Lists the MFA devices that profiles name, each once.
    ///
    /// # Errors
    /// What the configuration said.
    pub async fn seeds(&self, config: Option<&Path>) -> Result<Seeds, ErrorBody> {
        self.unlocked()?;
        let config = self.config(config).await?;
        let mut devices: Vec<MfaDevice> = Vec::new();
        for profile in config.profiles().filter_map(|name| config.resolve(name).ok()) {
            let Source::IamUser(user) = &profile.chain.source else { continue };
            let Some(serial) = &user.mfa else { continue };
            let same = |device: &MfaDevice| device.serial == serial.as_str() && device.user == user.user.as_str();
            if !devices.iter().any(same) {
                let seed = self.iam_users.has_seed(&user.user, serial).await.ok();
                devices.push(view(&profile, user, serial, seed));
            }
        }
        Ok(Seeds { devices })
    }

    /// Says how the sessions behind the MFA devices stand that profiles name.
    pub(crate) async fn device_views(&self, config: Option<&Path>) -> Vec<DeviceSession> {
        let Ok(config) = self.config(config).await else { return Vec::new() };
        let mut views: Vec<DeviceSession> = Vec::new();
        for profile in config.profiles().filter_map(|name| config.resolve(name).ok()) {
            let Source::IamUser(user) = &profile.chain.source else { continue };
            let Some(serial) = &user.mfa else { continue };
            let same = |view: &DeviceSession| view.device == serial.as_str() && view.user == user.user.as_str();
            if views.iter().any(same) {
                continue;
            }
            // While locked the store is not asked.
            let stands = if self.locked().locked { None } else { self.iam_users.behind_device(user).await.ok() };
            views.push(DeviceSession {
                device: serial.to_string(),
                user: user.user.to_string(),
                profile: profile.name.to_string(),
                expires_at: stands.and_then(|stands| stands.expires_at).map(rfc3339),
                wants_code: stands.map(|stands| stands.wants_code),
            });
        }
        views
    }

    /// Returns the MFA device a code of which a person has to give, as far as memory tells.
    pub(crate) fn code_known_to_be_wanted(&self, profile: &Profile) -> Option<String> {
        let Source::IamUser(user) = &profile.chain.source else { return None };
        let serial = user.mfa.as_ref().filter(|_| self.iam_users.is_known_to_want_code(user))?;
        Some(serial.to_string())
    }

    /// Returns the IAM user that a person wants to sign out: by a profile that starts from it, or by the ARN of one that profiles start
    /// from. An ARN of somebody who signed in to the console is meant as that.
    pub(super) async fn user_called(&self, name: &str, config: Option<&Path>) -> Option<UserArn> {
        let config = self.config(config).await.ok()?;
        if let Some((_, user)) = self.user_meant(&config, Some(name)) {
            return Some(user.user);
        }
        let arn = UserArn::new(name).ok()?;
        let starts_from =
            |profile: &Profile| matches!(&profile.chain.source, Source::IamUser(user) if user.user == arn);
        let is_source =
            config.profiles().filter_map(|name| config.resolve(name).ok()).any(|profile| starts_from(&profile));
        let is_console = config.console_identities().iter().any(|(identity, _)| identity.as_str() == name);
        (is_source && !is_console).then_some(arn)
    }

    /// Forgets the sessions of an IAM user; the access keys and seeds stay.
    pub(super) async fn forget_user_sessions(&self, caller: &Caller, user: &UserArn) -> Result<SignedOut, ErrorBody> {
        let was = self.iam_users.sign_out(user).await?;
        let of = |chain: &Chain| matches!(&chain.source, Source::IamUser(own) if own.user == *user);
        self.obtainer.forget_user(user);
        let ended = self.grants.end_where(&of);
        self.note_ended(&ended, GrantEnd::SignedOut);
        self.note(Some(caller), &Event::UserSessionsForgotten { user });
        let detail = if was { NOT_REVOKED } else { "there was no session" };
        Ok(SignedOut { session: user.to_string(), revoked_upstream: false, detail: Some(detail.to_owned()) })
    }

    /// Returns the profile that is meant by what a person wants to sign in to, where it starts from an IAM user. The name of a
    /// sign-in session goes first.
    pub(super) fn user_meant(&self, config: &Config, what: Option<&str>) -> Option<(Arc<Profile>, IamUser)> {
        let name = what?;
        let is_session = SessionName::new(name)
            .is_ok_and(|session| config.sign_in_sessions().iter().any(|known| known.name == session));
        let profile = config.resolve(&ProfileName::new(name).ok()?).ok().filter(|_| !is_session)?;
        match &profile.chain.source {
            Source::IamUser(user) => Some((Arc::clone(&profile), (**user).clone())),
            _ => None,
        }
    }
}

fn device_of(config: &Config, profile: &str) -> Result<(Arc<Profile>, IamUser, MfaSerial), ErrorBody> {
    let name = ProfileName::new(profile).map_err(|error| Problem::from(ProfileError::from(error)))?;
    let profile = config.resolve(&name).map_err(Problem::from)?;
    let Source::IamUser(user) = &profile.chain.source else {
        return Err(bad(&format!("{name} does not start from an IAM user, and AWS takes codes with access keys only")));
    };
    let serial = user.mfa.clone().ok_or_else(|| bad(&format!("{name} names no MFA device (mfa_serial)")))?;
    let user = (**user).clone();
    Ok((profile, user, serial))
}

fn view(profile: &Profile, user: &IamUser, serial: &MfaSerial, seed: Option<bool>) -> MfaDevice {
    let command = user.totp_command.as_ref().and_then(|words| words.first());
    MfaDevice {
        serial: serial.to_string(),
        user: user.user.to_string(),
        profile: profile.name.to_string(),
        seed,
        command: command.map(|program| tegata_protocol::text::one_line(program)),
    }
}

fn bad(message: &str) -> ErrorBody {
    ErrorBody::new(ErrorCode::BadRequest, message)
}
