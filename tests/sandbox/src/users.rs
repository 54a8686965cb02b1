//! IAM users, their access keys and MFA devices, as the account knows them. What the IAM API changes and STS looks at.

use serde::Serialize;

use crate::clock::EpochMs;
use crate::mint::{Mint, SecretKind, identifier};
use crate::totp;

/// Access keys a user may have, inactive ones included (IAM and AWS STS quotas).
const KEYS_AT_MOST: usize = 2;
/// MFA devices a user may have (the same page).
const DEVICES_AT_MOST: usize = 8;

/// An IAM user, or an account's root user.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct IamUser {
    /// `arn:aws:iam::123456789012:user/path/alice`, or `arn:aws:iam::123456789012:root`.
    pub arn: String,
    /// `AIDA…`; the account for root.
    pub user_id: String,
    /// When, in milliseconds since the epoch.
    pub created_ms: EpochMs,
    /// Its access keys, oldest first: two at most.
    pub keys: Vec<AccessKey>,
    /// Its virtual MFA devices.
    pub devices: Vec<MfaDevice>,
    /// What it has for one service alone, oldest first.
    pub service_credentials: Vec<ServiceCredential>,
    /// Actions its policy does not allow, `sts:AssumeRole` or `iam:DeleteAccessKey` for instance.
    pub denied: Vec<String>,
}

/// A long-term access key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct AccessKey {
    /// `AKIA…`
    pub id: String,
    /// The secret access key, which carries a canary.
    pub secret: String,
    /// Whether AWS accepts it: `Active`, or else `Inactive`.
    pub active: bool,
    /// When, in milliseconds since the epoch.
    pub created_ms: EpochMs,
    /// From when AWS knows it: IAM is eventually consistent, and a key it has just made is unknown elsewhere for a while.
    pub works_from_ms: EpochMs,
    /// Its last accepted signature.
    pub last_used: Option<KeyUse>,
}

/// A password or an API key for one service. Its secret is of no use to this double.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ServiceCredential {
    /// `ACCA…`
    pub id: String,
    /// `codecommit.amazonaws.com`, `cassandra.amazonaws.com`, `bedrock.amazonaws.com`.
    pub service: String,
    /// Whether AWS accepts it: `Active`, or else `Inactive`.
    pub active: bool,
    /// When, in milliseconds since the epoch.
    pub created_ms: EpochMs,
    /// When it ends, if it does.
    pub expires_ms: Option<EpochMs>,
}

/// What GetAccessKeyLastUsed tells of a use.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct KeyUse {
    /// When, in milliseconds since the epoch.
    pub at_ms: EpochMs,
    /// The service's name in signatures: `sts`, `iam`.
    pub service: String,
    /// The region of the signature.
    pub region: String,
}

/// A virtual MFA device (RFC 6238: SHA-1, six digits, steps of thirty seconds).
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct MfaDevice {
    /// `arn:aws:iam::123456789012:mfa/alice`.
    pub serial: String,
    /// Its seed in base 32, as IAM shows it; it carries a canary.
    pub seed: String,
    /// The newest step whose code was accepted; neither it nor an older one is good again.
    pub spent_step: Option<i64>,
}

/// Why the account does not have it so.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum UserError {
    /// No IAM user can have this ARN.
    #[error("{0} is not the ARN of an IAM user")]
    NotAnArn(String),
    /// IAM: `EntityAlreadyExists`.
    #[error("{0} already exists.")]
    Exists(String),
    /// IAM: `NoSuchEntity`.
    #[error("{0} cannot be found.")]
    Unknown(String),
    /// IAM: `LimitExceeded`.
    #[error("Cannot exceed quota for {0}.")]
    Quota(String),
}

impl IamUser {
    /// Twelve digits.
    #[must_use]
    pub fn account(&self) -> &str {
        self.arn.split(':').nth(4).unwrap_or_default()
    }

    /// `aws`, `aws-cn`, …
    #[must_use]
    pub fn partition(&self) -> &str {
        self.arn.split(':').nth(1).unwrap_or_default()
    }

    /// The name without the path; `root` for root.
    #[must_use]
    pub fn name(&self) -> &str {
        self.arn.rsplit(['/', ':']).next().unwrap_or_default()
    }

    /// Whether it is an account's root user.
    #[must_use]
    pub fn is_root(&self) -> bool {
        self.arn.ends_with(":root")
    }

    /// One of its keys.
    #[must_use]
    pub fn key(&self, id: &str) -> Option<&AccessKey> {
        self.keys.iter().find(|key| key.id == id)
    }
}

/// Every user of every account.
#[derive(Debug, Default)]
pub(crate) struct Users(Vec<IamUser>);

impl Users {
    /// A new user without keys.
    pub(crate) fn add(&mut self, arn: &str, now: EpochMs) -> Result<&mut IamUser, UserError> {
        if !is_user_arn(arn) {
            return Err(UserError::NotAnArn(arn.to_owned()));
        }
        if self.by_arn(arn).is_some() {
            return Err(UserError::Exists(arn.to_owned()));
        }
        let account = arn.split(':').nth(4).unwrap_or_default();
        let user_id = if arn.ends_with(":root") { account.to_owned() } else { identifier("AIDA") };
        let user = IamUser {
            arn: arn.to_owned(),
            user_id,
            created_ms: now,
            keys: Vec::new(),
            devices: Vec::new(),
            service_credentials: Vec::new(),
            denied: Vec::new(),
        };
        self.0.push(user);
        self.known(arn)
    }

    pub(crate) fn all(&self) -> &[IamUser] {
        &self.0
    }

    /// The user with that ARN.
    pub(crate) fn by_arn(&mut self, arn: &str) -> Option<&mut IamUser> {
        self.0.iter_mut().find(|user| user.arn == arn)
    }

    /// The user whom an access key belongs to, and the key.
    pub(crate) fn by_key(&self, id: &str) -> Option<(&IamUser, &AccessKey)> {
        self.0.iter().find_map(|user| user.key(id).map(|key| (user, key)))
    }

    /// IAM CreateAccessKey.
    pub(crate) fn create_key(&mut self, arn: &str, mint: &mut Mint, now: EpochMs) -> Result<AccessKey, UserError> {
        let user = self.known(arn)?;
        if user.keys.len() >= KEYS_AT_MOST {
            return Err(UserError::Quota(format!("AccessKeysPerUser: {KEYS_AT_MOST}")));
        }
        let key = AccessKey {
            id: identifier("AKIA"),
            secret: mint.secret(SecretKind::SecretAccessKey, 0),
            active: true,
            created_ms: now,
            works_from_ms: now,
            last_used: None,
        };
        user.keys.push(key.clone());
        Ok(key)
    }

    /// IAM CreateServiceSpecificCredential.
    pub(crate) fn create_service_credential(
        &mut self,
        arn: &str,
        service: &str,
        now: EpochMs,
        expires_ms: Option<EpochMs>,
    ) -> Result<ServiceCredential, UserError> {
        let (id, service) = (identifier("ACCA"), service.to_owned());
        let made = ServiceCredential { id, service, active: true, created_ms: now, expires_ms };
        self.known(arn)?.service_credentials.push(made.clone());
        Ok(made)
    }

    /// Makes AWS know a key later than it was made.
    pub(crate) fn works_from(&mut self, id: &str, from: EpochMs) {
        if let Some(key) = self.0.iter_mut().flat_map(|user| &mut user.keys).find(|key| key.id == id) {
            key.works_from_ms = from;
        }
    }

    /// IAM UpdateAccessKey.
    pub(crate) fn set_active(&mut self, arn: &str, id: &str, active: bool) -> Result<(), UserError> {
        let key = self.known(arn)?.keys.iter_mut().find(|key| key.id == id);
        key.ok_or_else(|| no_such_key(id))?.active = active;
        Ok(())
    }

    /// IAM DeleteAccessKey.
    pub(crate) fn delete_key(&mut self, arn: &str, id: &str) -> Result<(), UserError> {
        let keys = &mut self.known(arn)?.keys;
        let at = keys.iter().position(|key| key.id == id).ok_or_else(|| no_such_key(id))?;
        keys.remove(at);
        Ok(())
    }

    /// Notes an accepted signature. Keys that are nobody's are somebody else's to note.
    pub(crate) fn used(&mut self, id: &str, service: &str, region: &str, now: EpochMs) {
        if let Some(key) = self.0.iter_mut().flat_map(|user| &mut user.keys).find(|key| key.id == id) {
            key.last_used = Some(KeyUse { at_ms: now, service: service.to_owned(), region: region.to_owned() });
        }
    }

    /// IAM CreateVirtualMFADevice and EnableMFADevice in one.
    pub(crate) fn enable_device(&mut self, arn: &str, serial: &str, mint: &mut Mint) -> Result<MfaDevice, UserError> {
        if self.0.iter().any(|user| user.devices.iter().any(|device| device.serial == serial)) {
            return Err(UserError::Exists(serial.to_owned()));
        }
        let user = self.known(arn)?;
        if user.devices.len() >= DEVICES_AT_MOST {
            return Err(UserError::Quota(format!("MFADevicesPerUser: {DEVICES_AT_MOST}")));
        }
        let seed = mint.secret(SecretKind::TotpSeed, 0);
        let device = MfaDevice { serial: serial.to_owned(), seed, spent_step: None };
        user.devices.push(device.clone());
        Ok(device)
    }

    /// What the device shows at that time; none when nobody has such a device.
    pub(crate) fn code(&self, serial: &str, now: EpochMs) -> Option<String> {
        let device = self.0.iter().flat_map(|user| &user.devices).find(|device| device.serial == serial)?;
        totp::code(&device.seed, totp::step(now))
    }

    /// Whether the code is right for this user's device now, and not spent; then it is.
    pub(crate) fn spend_code(&mut self, arn: &str, serial: &str, code: &str, now: EpochMs) -> bool {
        let devices = self.by_arn(arn).map(|user| &mut user.devices);
        let device = devices.and_then(|devices| devices.iter_mut().find(|device| device.serial == serial));
        device.is_some_and(|device| device.spend(code, now))
    }

    fn known(&mut self, arn: &str) -> Result<&mut IamUser, UserError> {
        self.by_arn(arn).ok_or_else(|| UserError::Unknown(format!("The user with ARN {arn}")))
    }
}

impl MfaDevice {
    /// RFC 6238 section 5.2: a window of one step each way, and no code a second time.
    fn spend(&mut self, code: &str, now: EpochMs) -> bool {
        let step = totp::step(now);
        let fresh = |step: &i64| self.spent_step.is_none_or(|spent| *step > spent);
        let mut window = (step - 1..=step + 1).filter(fresh);
        let Some(step) = window.find(|step| totp::code(&self.seed, *step).as_deref() == Some(code)) else {
            return false;
        };
        self.spent_step = Some(step);
        true
    }
}

fn no_such_key(id: &str) -> UserError {
    UserError::Unknown(format!("The Access Key with id {id}"))
}

fn is_user_arn(arn: &str) -> bool {
    let parts: Vec<&str> = arn.splitn(6, ':').collect();
    let ["arn", _, "iam", "", account, resource] = parts[..] else { return false };
    let is_account = account.len() == 12 && account.bytes().all(|b| b.is_ascii_digit());
    let named = resource.strip_prefix("user/").is_some_and(|rest| !rest.is_empty() && !rest.ends_with('/'));
    is_account && (named || resource == "root")
}

#[cfg(test)]
#[path = "users_tests.rs"]
mod tests;
