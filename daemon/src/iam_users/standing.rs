//! How the sessions behind MFA devices stand, and whether a person is needed for the next one. Nothing here is made or changed.

use super::sessions::Purpose;
use super::{IamUsers, device_of};
use crate::problem::Problem;
use crate::profile::IamUser;
use std::time::SystemTime;

/// How the session behind an MFA device stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BehindDevice {
    /// When it ends, if one is alive.
    pub expires_at: Option<SystemTime>,
    /// Whether a person has to give a code before there is one.
    pub wants_code: bool,
}

impl IamUsers {
    /// Whether only a person can make the next session, because there is none that is alive.
    ///
    /// # Errors
    /// What the store said.
    pub async fn needs_person(&self, source: &IamUser) -> Result<bool, Problem> {
        Ok(self.behind_device(source).await?.wants_code)
    }

    /// Says how the session behind a device stands.
    ///
    /// # Errors
    /// What the store said.
    pub async fn behind_device(&self, source: &IamUser) -> Result<BehindDevice, Problem> {
        let live = self.sessions.find(&Purpose::of(source), self.now()).await?;
        let wants_code = live.is_none() && !self.is_automatic(source).await?;
        Ok(BehindDevice { expires_at: live.map(|live| live.expires_at()), wants_code })
    }

    /// Whether only a person's code makes the next session, as far as memory tells: the store is not asked.
    #[must_use]
    pub fn is_known_to_want_code(&self, source: &IamUser) -> bool {
        let by_command = source.totp_command.is_some();
        device_of(source).is_some_and(|device| {
            self.sessions.is_known_to_be_over(&Purpose::of(source), self.now())
                && self.codes.are_known_to_be_by_hand(&device, by_command)
        })
    }

    /// Whether the next session can be made without a person.
    ///
    /// # Errors
    /// What the store said.
    pub async fn is_automatic(&self, source: &IamUser) -> Result<bool, Problem> {
        match device_of(source) {
            None => Ok(true),
            Some(device) if source.totp_command.is_some() => Ok(self.codes.refused(&device).is_none()),
            Some(device) => self.codes.are_automatic(&device).await,
        }
    }
}
