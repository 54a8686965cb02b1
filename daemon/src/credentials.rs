//! AWS credentials as the daemon holds them: temporary, but for an IAM user's keys where the settings want these; never printed.

use crate::names::AccountId;
use std::time::{Duration, SystemTime};
use tegata_protocol::Secret;

/// AWS credentials. `Debug` shows the access key id and the expiry; the rest is [`Secret`].
#[derive(Clone, Debug)]
pub struct Credentials {
    access_key_id: String,
    secret_access_key: Secret,
    session_token: Option<Secret>,
    expires_at: SystemTime,
    issued_at: SystemTime,
    account_id: Option<AccountId>,
}

/// What makes up temporary [`Credentials`]; all of it comes from one answer of AWS.
#[derive(Debug)]
pub struct Parts {
    /// `ASIA…`.
    pub access_key_id: String,
    /// The secret access key.
    pub secret_access_key: Secret,
    /// The session token.
    pub session_token: Secret,
    /// When AWS stops accepting them.
    pub expires_at: SystemTime,
    /// When they were issued, by this machine's clock; with `expires_at` it gives the lifetime that renewal scales with.
    pub issued_at: SystemTime,
    /// The account they reach.
    pub account_id: Option<AccountId>,
}

impl From<Parts> for Credentials {
    fn from(parts: Parts) -> Self {
        let Parts { access_key_id, secret_access_key, session_token, expires_at, issued_at, account_id } = parts;
        let session_token = Some(session_token);
        Self { access_key_id, secret_access_key, session_token, expires_at, issued_at, account_id }
    }
}

impl Credentials {
    /// Makes credentials of an IAM user's access key, said to end at `until`: AWS takes it for longer, and whoever got it asks again.
    #[must_use]
    pub fn of_access_key(
        access_key_id: &str,
        secret_access_key: Secret,
        account_id: Option<AccountId>,
        now: SystemTime,
        until: SystemTime,
    ) -> Self {
        let access_key_id = access_key_id.to_owned();
        Self { access_key_id, secret_access_key, session_token: None, expires_at: until, issued_at: now, account_id }
    }

    /// Returns the access key id, which is not a secret (it is in every signed request and in CloudTrail).
    #[must_use]
    pub fn access_key_id(&self) -> &str {
        &self.access_key_id
    }

    /// Returns the secret access key.
    #[must_use]
    pub fn secret_access_key(&self) -> &Secret {
        &self.secret_access_key
    }

    /// Returns the session token, which all temporary credentials have and access keys do not.
    #[must_use]
    pub fn session_token(&self) -> Option<&Secret> {
        self.session_token.as_ref()
    }

    /// Returns what nobody may see.
    pub fn secrets(&self) -> impl Iterator<Item = &Secret> {
        [&self.secret_access_key].into_iter().chain(&self.session_token)
    }

    /// Returns when AWS stops accepting them; of access keys, when they are asked for again.
    #[must_use]
    pub fn expires_at(&self) -> SystemTime {
        self.expires_at
    }

    /// Returns the same, said to end at `end` where that is earlier: whoever keeps to it asks again then.
    #[must_use]
    pub fn until(&self, end: SystemTime) -> Self {
        Self { expires_at: self.expires_at.min(end), ..self.clone() }
    }

    /// Returns the same, of an account that the answer did not name.
    #[must_use]
    pub fn of_account(self, account: AccountId) -> Self {
        Self { account_id: Some(account), ..self }
    }

    /// Returns when they were issued.
    #[must_use]
    pub fn issued_at(&self) -> SystemTime {
        self.issued_at
    }

    /// Returns the account they reach.
    #[must_use]
    pub fn account_id(&self) -> Option<&AccountId> {
        self.account_id.as_ref()
    }

    /// Returns how long they were good for when issued.
    #[must_use]
    pub fn lifetime(&self) -> Duration {
        self.expires_at.duration_since(self.issued_at).unwrap_or_default()
    }

    /// Returns how long they are still good for; zero when they have ended.
    #[must_use]
    pub fn remaining(&self, now: SystemTime) -> Duration {
        self.expires_at.duration_since(now).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::from_unix_seconds;

    #[test]
    fn an_access_key_has_no_session_token_and_ends_when_it_is_said_to() {
        let (now, until) = (from_unix_seconds(1_000), from_unix_seconds(4_600));
        let key = Credentials::of_access_key("AKIAX", Secret::new("CANARY".to_owned()), None, now, until);
        assert!(key.session_token().is_none() && key.secrets().count() == 1);
        assert_eq!((key.lifetime(), key.remaining(until)), (Duration::from_secs(3600), Duration::ZERO));
        assert!(!format!("{key:?}").contains("CANARY"));
    }
}
