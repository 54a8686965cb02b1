//! From what the settings name to a store. Exactly that one: a store that is not there stays an error, in one line that names
//! the choices. Secrets never end up somewhere else than the person thinks.

use super::file::{FileKey, Files};
use super::items::Enveloped;
use super::keyutils::Keyutils;
use super::memory::Memory;
use super::secret_service::SecretService;
use super::{Bytes, Key, Kind, Records, Store, StoreError};
use std::path::PathBuf;

/// What the settings say about the store.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Choice {
    /// The Secret Service where there is a session bus, else none.
    #[default]
    Auto,
    /// The Secret Service.
    SecretService,
    /// The kernel's keyring.
    Keyutils,
    /// Encrypted files.
    File {
        /// Where; made with mode 0700 if it is not there.
        directory: PathBuf,
        /// What they are sealed with.
        key: FileKey,
    },
    /// Memory.
    Memory,
}

/// Said wherever there is no Secret Service.
pub(super) const OTHER_CHOICES: &str = r#"set store = "keyutils", "file" or "memory" in config.toml"#;

impl Store {
    /// Starts the chosen store. Nothing is opened before the first request, so this succeeds even if the store is not there;
    /// requests then say so. `has_session_bus`: whether the environment leads to a D-Bus session bus
    /// (`DBUS_SESSION_BUS_ADDRESS` is set, or `$XDG_RUNTIME_DIR/bus` is there).
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] if the system gives no thread.
    pub fn open(choice: Choice, has_session_bus: bool) -> Result<Self, StoreError> {
        Self::spawn(records(choice, has_session_bus))
    }
}

fn records(choice: Choice, has_session_bus: bool) -> Box<dyn Records> {
    match choice {
        Choice::Auto | Choice::SecretService if !has_session_bus => Box::new(NoSessionBus),
        Choice::Auto | Choice::SecretService => Box::new(Enveloped(SecretService::default())),
        Choice::Keyutils => Box::new(Enveloped(Keyutils::default())),
        Choice::File { directory, key } => Box::new(Files::new(directory, key)),
        Choice::Memory => Box::new(Memory::default()),
    }
}

/// A Secret Service that cannot be reached.
#[derive(Debug)]
struct NoSessionBus;

fn no_session_bus() -> StoreError {
    StoreError::Unavailable {
        detail: format!("there is no D-Bus session bus; log in to a desktop, or {OTHER_CHOICES}"),
    }
}

impl Records for NoSessionBus {
    fn kind(&self) -> Kind {
        Kind::SecretService
    }

    fn read(&mut self, _key: &Key) -> Result<Option<Bytes>, StoreError> {
        Err(no_session_bus())
    }

    fn write(&mut self, _key: &Key, _bytes: &[u8]) -> Result<(), StoreError> {
        Err(no_session_bus())
    }

    fn delete(&mut self, _key: &Key) -> Result<(), StoreError> {
        Err(no_session_bus())
    }

    fn probe(&mut self) -> Result<(), StoreError> {
        Err(no_session_bus())
    }
}

#[cfg(test)]
mod tests {
    use super::{Bytes, Choice, FileKey, Key, Kind, Store, StoreError};

    fn key() -> Key {
        Key::new("sign-in", "corp")
    }

    #[tokio::test]
    async fn i7_without_a_session_bus_there_is_no_store_and_no_other_in_its_place() {
        for choice in [Choice::Auto, Choice::SecretService] {
            let store = Store::open(choice, false).unwrap();
            assert_eq!(store.kind(), Kind::SecretService);
            let errors = [
                store.read(&key()).await.unwrap_err(),
                store.write(&key(), Bytes::new(b"tokens".to_vec())).await.unwrap_err(),
                store.delete(&key()).await.unwrap_err(),
                store.unlock(None).await.unwrap_err(),
            ];
            for error in errors {
                assert!(matches!(error, StoreError::Unavailable { .. }));
                let line = error.to_string();
                assert!(line.contains(r#"store = "keyutils", "file" or "memory""#) && !line.contains('\n'), "{line}");
            }
        }
    }

    #[test]
    fn i7_twin_each_choice_is_the_store_it_names() {
        let file = Choice::File { directory: "/nowhere".into(), key: FileKey::Passphrase };
        let kinds = [
            (Choice::Auto, Kind::SecretService),
            (Choice::SecretService, Kind::SecretService),
            (Choice::Keyutils, Kind::Keyutils),
            (file, Kind::File),
            (Choice::Memory, Kind::Memory),
        ];
        for (choice, kind) in kinds {
            assert_eq!(Store::open(choice, true).unwrap().kind(), kind);
        }
    }
}
