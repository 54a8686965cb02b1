//! Lasting secrets: records in the OS keyring, or in what the settings name instead.
//!
//! A record is opaque bytes under a key; what is inside is its owner's business. All keyring APIs block and a locked
//! collection may block until a person answers, so one dedicated thread talks to the keyring and every request has a
//! time limit. "Not found" is only believed of a store that is known to be unlocked.
//!
//! [`Store`] is what the other rooms hold. Behind it lies one [`Records`]: an OS keyring ([`secret_service`], [`keyutils`];
//! both through [`items`] and its [`envelope`]), an encrypted [`file`], or [`memory`]. [`choose`] picks exactly what the
//! settings name and nothing else. This room does not know what a sign-in is, what time it is, or who asks.

pub mod choose;
mod envelope;
pub mod file;
mod items;
mod keyutils;
pub mod memory;
mod secret_service;
pub mod testing;
mod thread;

pub use choose::Choice;
pub use thread::{Standing, Store};

use std::fmt;
use std::time::Duration;
use tegata_protocol::Secret;
use zeroize::Zeroizing;

/// The service name under which every record lies in the OS keyring.
pub const SERVICE: &str = "tegata";

/// The bytes of a record; wiped when dropped.
pub type Bytes = Zeroizing<Vec<u8>>;

/// The name of a record. It is visible to every program that lists the keyring (Secret Service attributes are not secret),
/// so it holds a digest instead of a session's name.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Key(String);

impl Key {
    /// Names a record: a kind such as `sign-in` and the digest of what it belongs to.
    #[must_use]
    pub fn new(kind: &'static str, owner: &str) -> Self {
        use sha2::{Digest, Sha256};
        let digest = Sha256::digest(owner.as_bytes());
        let hex: String = digest.iter().take(16).map(|byte| format!("{byte:02x}")).collect();
        Self(format!("{kind}-{hex}"))
    }

    /// Returns the name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Returns what keyring programs show the person: the kind alone, nothing of the owner.
    #[must_use]
    pub fn label(&self) -> String {
        let kind = self.0.rsplit_once('-').map_or("record", |(kind, _digest)| kind);
        format!("Tegata: {kind}")
    }
}

/// Which store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// The Secret Service on D-Bus: gnome-keyring, KWallet, KeePassXC.
    SecretService,
    /// The kernel's keyring: gone at reboot, and after three days unused.
    Keyutils,
    /// An encrypted file.
    File,
    /// Memory: gone when the daemon ends.
    Memory,
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::SecretService => "secret-service",
            Self::Keyutils => "keyutils",
            Self::File => "file",
            Self::Memory => "memory",
        })
    }
}

/// Why the store did not do it. Nothing was lost: a failed write leaves the old record.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    /// Locked, and nobody unlocked it.
    #[error("the keyring is locked")]
    Locked,
    /// Asked a person, who has not answered within the limit.
    #[error("the keyring waits for a person to unlock it")]
    Waiting,
    /// Access was denied.
    #[error("the keyring denied access: {detail}")]
    Denied {
        /// What it said.
        detail: String,
    },
    /// Not there: no D-Bus, no keyring daemon, no kernel keyring.
    #[error("the keyring is not available: {detail}")]
    Unavailable {
        /// What it said.
        detail: String,
    },
    /// No room: a quota, a size limit, a full disk.
    #[error("the keyring has no room for a record of {size} bytes: {detail}")]
    NoRoom {
        /// The record's size in bytes.
        size: usize,
        /// What it said.
        detail: String,
    },
    /// A record that cannot be read back as it was written. It has been set aside.
    #[error("the record {key} in the keyring is damaged: {detail}")]
    Damaged {
        /// Which record.
        key: String,
        /// What is wrong.
        detail: String,
    },
}

/// A store as the keyring thread uses it. Calls block.
pub trait Records: Send + fmt::Debug {
    /// Which store this is.
    fn kind(&self) -> Kind;
    /// Reads a record; `None` only if the store is unlocked and has no such record.
    ///
    /// # Errors
    /// [`StoreError`].
    fn read(&mut self, key: &Key) -> Result<Option<Bytes>, StoreError>;
    /// Writes a record in place of the old one; afterwards either the old or the new one is there, never neither.
    ///
    /// # Errors
    /// [`StoreError`].
    fn write(&mut self, key: &Key, bytes: &[u8]) -> Result<(), StoreError>;
    /// Deletes a record; deleting what is not there is no error.
    ///
    /// # Errors
    /// [`StoreError`].
    fn delete(&mut self, key: &Key) -> Result<(), StoreError>;

    /// Returns the most bytes one record may have. A quota over all records may refuse a smaller one with
    /// [`StoreError::NoRoom`]; whose records are only a cache then drops the least recently used and writes again.
    fn max_record_size(&self) -> usize {
        MAX_RECORD_BYTES
    }

    /// Looks whether the store would answer, without asking a person anything.
    ///
    /// # Errors
    /// [`StoreError`].
    fn probe(&mut self) -> Result<(), StoreError> {
        Ok(())
    }

    /// Unlocks the store because a person wants it now: asks again though the last question was dismissed. `passphrase` is
    /// for a store that asks nobody itself.
    ///
    /// # Errors
    /// [`StoreError`].
    fn unlock(&mut self, passphrase: Option<&Secret>) -> Result<(), StoreError> {
        let _ = passphrase;
        self.probe()
    }

    /// Forgets the key to the store, if the daemon has one: from here on it takes an [`Records::unlock`].
    fn lock(&mut self) {}

    /// Keeps records from ageing out where a store forgets what is not used. Called about once an hour.
    ///
    /// # Errors
    /// [`StoreError`].
    fn keep_alive(&mut self) -> Result<(), StoreError> {
        Ok(())
    }
}

/// The most bytes of a record where the store itself allows more. A 64 MiB item ends the D-Bus connection, and
/// gnome-keyring writes the whole collection anew at each change.
pub const MAX_RECORD_BYTES: usize = 1024 * 1024;

/// How long one request to the keyring may take before the caller is told [`StoreError::Waiting`].
pub const PATIENCE: Duration = Duration::from_secs(10);

#[cfg(test)]
mod tests {
    use super::Key;

    #[test]
    fn i8_name_and_label_tell_nothing_of_the_owner() {
        let key = Key::new("sign-in", "https://acme.awsapps.com/start alice@example.com");
        assert_eq!(key.label(), "Tegata: sign-in");
        for visible in [key.as_str().to_owned(), key.label(), format!("{key:?}")] {
            assert!(!visible.contains("acme") && !visible.contains("alice"), "{visible}");
        }
    }

    #[test]
    fn i8_twin_owners_keep_their_records_apart() {
        assert_ne!(Key::new("sign-in", "alice"), Key::new("sign-in", "bob"));
        assert_ne!(Key::new("sign-in", "alice"), Key::new("roles", "alice"));
        assert_eq!(Key::new("sign-in", "alice"), Key::new("sign-in", "alice"));
    }
}
