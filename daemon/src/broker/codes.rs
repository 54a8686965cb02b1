//! Codes of MFA devices: signing in with one, and the seeds that make them.

use super::Broker;
use crate::arns::MfaSerial;
use crate::audit::Event;
use crate::caller::Caller;
use crate::names::{ProfileName, SessionName};
use crate::problem::Problem;
use crate::profile::{Config, IamUser, Profile, ProfileError, Source};
use crate::totp;
use std::path::Path;
use std::sync::Arc;
use tegata_protocol::body::SignIn;
use tegata_protocol::totp::{AddSeed, GiveCode, MfaDevice, Seeds};
use tegata_protocol::{ErrorBody, ErrorCode};

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
