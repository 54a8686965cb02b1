//! What a machine in AWS can ask about itself: the instance metadata service of EC2 (version 2 only), and the credentials
//! endpoint of an ECS task.

mod container;
mod instance;
mod settings;

pub(crate) use container::container_credentials;
pub(crate) use instance::{Sessions, credentials, place, role_name, token};
pub use settings::{Container, Instance};

use serde_json::{Value, json};

use crate::clock::{EpochMs, iso8601, millis};
use crate::issued::{Ledger, Principal};
use crate::mint::Mint;
use crate::settings::Settings;
use std::time::Duration;

/// What a metadata handler works on.
pub(crate) struct Machine<'a> {
    pub(crate) sessions: &'a mut Sessions,
    pub(crate) ledger: &'a mut Ledger,
    pub(crate) mint: &'a mut Mint,
    pub(crate) settings: &'a Settings,
}

impl Machine<'_> {
    /// Credentials of a role, in the form that both endpoints have (protocols: ECS and EC2 user guides).
    fn issue(&mut self, role_arn: &str, session_name: &str, life: Duration, now: EpochMs) -> Value {
        let parts: Vec<&str> = role_arn.splitn(6, ':').collect();
        let (partition, account) = (parts.get(1).copied(), parts.get(4).copied());
        let role = role_arn.rsplit('/').next().unwrap_or_default();
        let principal =
            Principal::of_role(partition.unwrap_or_default(), account.unwrap_or_default(), "", role, session_name);
        let expires = (now + millis(life)) / 1000 * 1000;
        let issued = self.ledger.issue(self.mint, self.settings.session_token_length, expires, principal);
        json!({
            "AccessKeyId": issued.access_key_id,
            "SecretAccessKey": issued.secret_access_key,
            "Token": issued.session_token,
            "Expiration": iso8601(issued.expires_ms),
        })
    }
}
