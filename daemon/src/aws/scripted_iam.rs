//! The part of the scripted twin that is IAM: a user's keys, in memory.

use super::AwsError;
use super::iam::{KeysOf, LastUse, ListedKey, MadeKey, ServiceCredential};
use std::collections::{BTreeMap, VecDeque};
use std::time::SystemTime;
use tegata_protocol::Secret;

/// One user's keys at IAM, and what goes wrong next.
#[derive(Debug, Default)]
pub(crate) struct ScriptedIam {
    pub(crate) keys: Vec<ListedKey>,
    pub(crate) uses: BTreeMap<String, LastUse>,
    pub(crate) service_credentials: Vec<ServiceCredential>,
    /// The next of these operations fails so, one after the other.
    pub(crate) failures: VecDeque<(&'static str, AwsError)>,
    /// The answer to the next CreateAccessKey is lost, and the key is there.
    pub(crate) lose_next_key: bool,
    made: usize,
}

impl ScriptedIam {
    pub(crate) fn key(id: &str, created_at: SystemTime) -> ListedKey {
        ListedKey { id: id.to_owned(), is_active: true, created_at: Some(created_at) }
    }

    pub(crate) fn refused(operation: &'static str, code: &str) -> AwsError {
        AwsError::Refused { operation, code: code.to_owned(), message: "no".to_owned() }
    }

    /// Whether AWS takes this key; one that is not IAM's business here is not judged.
    pub(crate) fn knows(&self, id: &str) -> bool {
        self.keys.is_empty() || self.keys.iter().any(|key| key.is_active && key.id == id)
    }

    fn ask(&mut self, operation: &'static str, of: KeysOf<'_>) -> Result<(), AwsError> {
        if let Some(at) = self.failures.iter().position(|(failing, _)| *failing == operation)
            && let Some((_, error)) = self.failures.remove(at)
        {
            return Err(error);
        }
        let signs = self.keys.iter().any(|key| key.is_active && key.id == of.from.access_key_id());
        if signs { Ok(()) } else { Err(Self::refused(operation, "InvalidClientTokenId")) }
    }

    pub(crate) fn create(&mut self, of: KeysOf<'_>, now: SystemTime) -> Result<MadeKey, AwsError> {
        self.ask("CreateAccessKey", of)?;
        if self.keys.len() == 2 {
            return Err(Self::refused("CreateAccessKey", "LimitExceeded"));
        }
        self.made += 1;
        let id = format!("AKIAMADEMADEMADEMA{:02}", self.made);
        self.keys.push(Self::key(&id, now));
        if std::mem::take(&mut self.lose_next_key) {
            return Err(AwsError::Unavailable { operation: "CreateAccessKey", detail: "no answer in time".to_owned() });
        }
        Ok(MadeKey { secret: Secret::new(format!("CANARY-secret-of-{id}")), id, created_at: Some(now) })
    }

    pub(crate) fn list(&mut self, of: KeysOf<'_>) -> Result<Vec<ListedKey>, AwsError> {
        self.ask("ListAccessKeys", of).map(|()| self.keys.clone())
    }

    pub(crate) fn set_active(&mut self, of: KeysOf<'_>, id: &str, active: bool) -> Result<(), AwsError> {
        self.ask("UpdateAccessKey", of)?;
        let unknown = || Self::refused("UpdateAccessKey", "NoSuchEntity");
        self.keys.iter_mut().find(|key| key.id == id).ok_or_else(unknown)?.is_active = active;
        Ok(())
    }

    pub(crate) fn delete(&mut self, of: KeysOf<'_>, id: &str) -> Result<(), AwsError> {
        self.ask("DeleteAccessKey", of)?;
        let unknown = || Self::refused("DeleteAccessKey", "NoSuchEntity");
        let at = self.keys.iter().position(|key| key.id == id).ok_or_else(unknown)?;
        self.keys.remove(at);
        Ok(())
    }

    pub(crate) fn list_service_credentials(&mut self, of: KeysOf<'_>) -> Result<Vec<ServiceCredential>, AwsError> {
        self.ask("ListServiceSpecificCredentials", of).map(|()| self.service_credentials.clone())
    }

    pub(crate) fn last_use(&mut self, of: KeysOf<'_>, id: &str) -> Result<Option<LastUse>, AwsError> {
        self.ask("GetAccessKeyLastUsed", of).map(|()| self.uses.get(id).cloned())
    }
}
