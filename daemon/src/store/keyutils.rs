//! Items in the kernel's keyring, through `keyring-core` and its store crate.
//!
//! Keys lie in the user's persistent keyring (persistent-keyring(7)): gone at reboot, and three days after their last use.
//! The kernel lets only the *possessor* of a key read it, by way of the session keyring. A thread without a session keyring of its
//! own (a systemd service, cron) is refused everything, but what it tried to write stays in the kernel. So the keyring
//! thread joins a session keyring before anything else and proves with a harmless key that it may write.

use super::items::Items;
use super::{Bytes, Kind, SERVICE, StoreError};
use keyring_core::api::CredentialStoreApi;
use keyring_core::{Entry, Error};
use linux_keyutils::{KeyError, KeyRing, KeyRingIdentifier};
use linux_keyutils_keyring_store::Store as Backend;
use std::sync::Arc;
use tegata_protocol::text::one_line;

/// The most bytes of a key of type "user" (add_key(2)). The quota of a user other than root is 20,000 bytes and 200 keys
/// (/proc/sys/kernel/keys).
const LIMIT: usize = 32_767;

/// The most keys a user other than root may have.
const MOST_KEYS: usize = 200;

/// A key without a secret: shows whether keys can be written.
const PROOF: &str = "tegata:proof";

/// The items in the kernel's keyring. Opened on the thread that uses it: keyrings are joined per thread (credentials(7)).
#[derive(Debug, Default)]
pub(crate) struct Keyutils(Option<Open>);

#[derive(Debug, Clone)]
struct Open {
    backend: Arc<Backend>,
    session: KeyRing,
}

impl Keyutils {
    fn open(&mut self) -> Result<&Open, StoreError> {
        let open = match self.0.take() {
            Some(open) => open,
            None => {
                Open { session: join_session_keyring()?, backend: Backend::new().map_err(|error| failure(&error, 0))? }
            }
        };
        Ok(self.0.insert(open))
    }

    fn entry(&mut self, name: &str) -> Result<Entry, StoreError> {
        self.open()?.backend.build(SERVICE, name, None).map_err(|error| failure(&error, 0))
    }
}

/// Gives this thread a session keyring of its own if it has none, with the persistent keyring in it.
fn join_session_keyring() -> Result<KeyRing, StoreError> {
    // With `create`, KEYCTL_GET_KEYRING_ID joins a new session keyring where there is none but the user's default one
    // (keyctl_get_keyring_ID(3)).
    let session = KeyRing::from_special_id(KeyRingIdentifier::Session, true)
        .map_err(|error| refused("join a session keyring", error))?;
    let persistent = persistent_keyring()?;
    prove_writable(session, persistent).map_err(|error| refused("write to the session keyring", error))?;
    Ok(session)
}

/// Returns the persistent keyring, linked to the session keyring; its three days begin anew.
fn persistent_keyring() -> Result<KeyRing, StoreError> {
    KeyRing::get_persistent(KeyRingIdentifier::Session).map_err(|error| match error {
        KeyError::OperationNotSupported => {
            StoreError::Unavailable { detail: String::from("this kernel has no persistent keyrings") }
        }
        error => refused("open the persistent keyring", error),
    })
}

/// Writes a harmless key the way records are written.
fn prove_writable(session: KeyRing, persistent: KeyRing) -> Result<(), KeyError> {
    let key = session.add_key(PROOF, "proof")?;
    let proven = key.read_to_vec().and_then(|_| persistent.link_key(key)).and_then(|()| persistent.unlink_key(key));
    session.unlink_key(key)?;
    proven
}

fn refused(what: &str, error: KeyError) -> StoreError {
    StoreError::Denied { detail: format!("the kernel refused to {what} ({error})") }
}

impl Items for Keyutils {
    fn kind(&self) -> Kind {
        Kind::Keyutils
    }

    fn limit(&self) -> usize {
        LIMIT
    }

    fn get(&mut self, name: &str) -> Result<Vec<Bytes>, StoreError> {
        match self.entry(name)?.get_secret() {
            Ok(secret) => Ok(vec![Bytes::new(secret)]),
            Err(Error::NoEntry) => Ok(Vec::new()),
            Err(error) => Err(failure(&error, 0)),
        }
    }

    fn put(&mut self, name: &str, _label: &str, text: &[u8]) -> Result<(), StoreError> {
        let entry = self.entry(name)?;
        // Reading links an old key to the session keyring: it is then changed in place, and stays whole if that is refused.
        let is_new = entry.get_secret().map(Bytes::new).is_err();
        entry.set_secret(text).map_err(|error| {
            if is_new {
                // A refused key may still lie in the session keyring.
                let _ = entry.delete_credential();
            }
            failure(&error, text.len())
        })
    }

    fn remove(&mut self, name: &str) -> Result<(), StoreError> {
        match self.entry(name)?.delete_credential() {
            Ok(()) | Err(Error::NoEntry) => Ok(()),
            Err(error) => Err(failure(&error, 0)),
        }
    }

    fn probe(&mut self) -> Result<(), StoreError> {
        self.open()?;
        persistent_keyring().map(drop)
    }

    fn unlock(&mut self) -> Result<(), StoreError> {
        self.probe()
    }

    /// Opening the persistent keyring restarts its three days. If they ran out while the machine was suspended, the keys
    /// this daemon has used are still in its session keyring, and go back from there.
    fn keep_alive(&mut self) -> Result<(), StoreError> {
        let Some(Open { session, .. }) = self.0.clone() else { return Ok(()) };
        let persistent = persistent_keyring()?;
        let links = session.get_links(MOST_KEYS).map_err(|error| refused("list the session keyring", error))?;
        let ours = format!("@{SERVICE}");
        for key in links.iter().filter_map(linux_keyutils::LinkNode::as_key) {
            if key.metadata().is_ok_and(|metadata| metadata.get_description().ends_with(&ours)) {
                persistent.link_key(key).map_err(|error| refused("keep a key in the persistent keyring", error))?;
            }
        }
        Ok(())
    }
}

fn failure(error: &Error, size: usize) -> StoreError {
    let cause = match error {
        Error::PlatformFailure(cause) | Error::NoStorageAccess(cause) => cause,
        other => return StoreError::Unavailable { detail: one_line(&other.to_string()) },
    };
    match cause.downcast_ref::<KeyError>() {
        Some(KeyError::QuotaExceeded | KeyError::OutOfMemory) => {
            StoreError::NoRoom { size, detail: String::from("the kernel's key quota for this user is used up") }
        }
        Some(KeyError::AccessDenied | KeyError::PermissionDenied) => {
            StoreError::Denied { detail: String::from("the kernel refused the key") }
        }
        _ => StoreError::Unavailable { detail: one_line(&format!("kernel keyring: {cause}")) },
    }
}

#[cfg(test)]
mod tests {
    use super::{Error, KeyError, StoreError, failure};

    #[test]
    fn a_used_up_quota_is_no_room() {
        let told = failure(&Error::PlatformFailure(Box::new(KeyError::QuotaExceeded)), 7);
        assert!(matches!(told, StoreError::NoRoom { size: 7, .. }));
    }

    #[test]
    fn i4_a_refused_key_is_denied() {
        let told = failure(&Error::NoStorageAccess(Box::new(KeyError::AccessDenied)), 7);
        assert!(matches!(told, StoreError::Denied { .. }));
    }
}
