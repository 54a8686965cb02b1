//! Items in the Secret Service (gnome-keyring, KDE Wallet, KeePassXC), through `keyring-core` and its store crate, so that
//! `keyring` reads back what is written here.
//!
//! The [`doorman`] goes first each time: it tells "locked" from "not there" and asks the person, once. The connection is
//! opened at the first use; when it turns out dead (keyring daemon or bus restarted) it is opened again, once per request.

mod doorman;

use super::choose::OTHER_CHOICES;
use super::items::Items;
use super::{Bytes, Kind, MAX_RECORD_BYTES, SERVICE, StoreError};
use crate::store::envelope;
use doorman::{Door, Doorman};
use keyring_core::api::CredentialStoreApi;
use keyring_core::{Entry, Error};
use std::collections::HashMap;
use std::sync::Arc;
use tegata_protocol::text::one_line;
use zbus_secret_service_keyring_store::Store as Backend;

/// The items of the Secret Service on the session bus of this process's environment.
#[derive(Debug, Default)]
pub(crate) struct SecretService {
    open: Option<Open>,
    /// A person, or the lack of one, dismissed the question to unlock; the next is only asked on demand.
    dismissed: bool,
}

/// An open connection.
#[derive(Debug)]
struct Open {
    doorman: Doorman,
    backend: Arc<Backend>,
}

/// Why a request was not done.
#[derive(Debug)]
enum Failure {
    /// Perhaps only the connection is dead.
    Connection(String),
    /// Final.
    Told(StoreError),
}

impl From<Failure> for StoreError {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Connection(detail) => Self::Unavailable { detail },
            Failure::Told(error) => error,
        }
    }
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        Self::Told(error)
    }
}

impl From<zbus::Error> for Failure {
    fn from(error: zbus::Error) -> Self {
        doorman::failure(&error)
    }
}

impl SecretService {
    /// Does `work` over a connection; over a new one if the one from before turns out dead.
    fn connected<T>(&mut self, work: impl Fn(&Open, &mut bool) -> Result<T, Failure>) -> Result<T, StoreError> {
        if let Some(open) = &self.open {
            match work(open, &mut self.dismissed) {
                Err(Failure::Connection(detail)) => tracing::info!(%detail, "opening the Secret Service again"),
                done => return Ok(done?),
            }
        }
        self.open = None;
        let open = Open::new().map_err(|failure| match failure {
            Failure::Connection(detail) => StoreError::Unavailable { detail: format!("{detail}; {OTHER_CHOICES}") },
            Failure::Told(error) => error,
        })?;
        let done = work(&open, &mut self.dismissed);
        if !matches!(done, Err(Failure::Connection(_))) {
            self.open = Some(open);
        }
        Ok(done?)
    }

    /// Does `work` on the entry of this name once its keyring is known to be unlocked.
    fn on_entry<T>(
        &mut self,
        name: &str,
        label: &str,
        work: impl Fn(&Entry) -> Result<T, Failure>,
    ) -> Result<T, StoreError> {
        self.connected(|open, dismissed| {
            open.pass(name, dismissed)?;
            let modifiers = HashMap::from([("label", label)]);
            let entry = open.backend.build(SERVICE, name, Some(&modifiers)).map_err(|error| failure(&error))?;
            work(&entry)
        })
    }
}

impl Open {
    fn new() -> Result<Self, Failure> {
        let doorman = Doorman::connect()?;
        // The store crate would wait for ever for a service that is there and does not answer.
        doorman.knock()?;
        Ok(Self { doorman, backend: Backend::new().map_err(|error| failure(&error))? })
    }

    /// Comes back once the keyring that has, or would get, the items of this name is unlocked. Asks the person if it is not
    /// and no question was dismissed.
    fn pass(&self, name: &str, dismissed: &mut bool) -> Result<(), Failure> {
        match self.doorman.look(name)? {
            Door::Open => *dismissed = false,
            Door::Locked(_) if *dismissed => return Err(StoreError::Locked.into()),
            Door::Locked(objects) => self.ask(&objects, dismissed)?,
        }
        Ok(())
    }

    fn ask(&self, objects: &[zbus::zvariant::OwnedObjectPath], dismissed: &mut bool) -> Result<(), Failure> {
        *dismissed = !self.doorman.unlock(objects)?;
        if *dismissed { Err(StoreError::Locked.into()) } else { Ok(()) }
    }
}

/// Reads one entry; it may have gone since it was found.
fn read(entry: &Entry) -> Result<Option<Bytes>, Failure> {
    match entry.get_secret() {
        Ok(secret) => Ok(Some(Bytes::new(secret))),
        Err(Error::NoEntry) => Ok(None),
        Err(error) => Err(failure(&error)),
    }
}

fn remove(entry: &Entry) -> Result<(), Failure> {
    match entry.delete_credential() {
        Ok(()) | Err(Error::NoEntry) => Ok(()),
        Err(error) => Err(failure(&error)),
    }
}

impl Items for SecretService {
    fn kind(&self) -> Kind {
        Kind::SecretService
    }

    fn limit(&self) -> usize {
        envelope::wrapped_size(MAX_RECORD_BYTES)
    }

    fn get(&mut self, name: &str) -> Result<Vec<Bytes>, StoreError> {
        self.on_entry(name, "Tegata", |entry| match entry.get_secret() {
            Ok(secret) => Ok(vec![Bytes::new(secret)]),
            Err(Error::NoEntry) => Ok(Vec::new()),
            Err(Error::Ambiguous(entries)) => entries.iter().filter_map(|entry| read(entry).transpose()).collect(),
            Err(error) => Err(failure(&error)),
        })
    }

    fn put(&mut self, name: &str, label: &str, text: &[u8]) -> Result<(), StoreError> {
        self.on_entry(name, label, |entry| match entry.set_secret(text) {
            Err(Error::Ambiguous(entries)) => {
                let Some((first, others)) = entries.split_first() else { return Ok(()) };
                first.set_secret(text).map_err(|error| failure(&error))?;
                others.iter().try_for_each(remove)
            }
            written => written.map_err(|error| failure(&error)),
        })
    }

    fn remove(&mut self, name: &str) -> Result<(), StoreError> {
        self.on_entry(name, "Tegata", |entry| match entry.delete_credential() {
            Err(Error::Ambiguous(entries)) => entries.iter().try_for_each(remove),
            Ok(()) | Err(Error::NoEntry) => Ok(()),
            Err(error) => Err(failure(&error)),
        })
    }

    fn probe(&mut self) -> Result<(), StoreError> {
        self.connected(|open, dismissed| match open.doorman.look_at_default()? {
            Door::Open => {
                *dismissed = false;
                Ok(())
            }
            Door::Locked(_) => Err(StoreError::Locked.into()),
        })
    }

    fn unlock(&mut self) -> Result<(), StoreError> {
        self.connected(|open, dismissed| match open.doorman.look_at_default()? {
            Door::Open => {
                *dismissed = false;
                Ok(())
            }
            Door::Locked(objects) => open.ask(&objects, dismissed),
        })
    }

    fn keep_alive(&mut self) -> Result<(), StoreError> {
        Ok(())
    }
}

/// Sorts what the store crate says. Its `Debug` may hold a secret's bytes, so only texts of its causes are taken.
fn failure(error: &Error) -> Failure {
    match error {
        Error::NoStorageAccess(_) => StoreError::Locked.into(),
        Error::PlatformFailure(cause) => {
            let mut cause: Option<&(dyn std::error::Error + 'static)> = Some(cause.as_ref());
            let mut detail = String::from("the Secret Service failed");
            while let Some(error) = cause {
                if let Some(error) = error.downcast_ref::<zbus::Error>() {
                    return doorman::failure(error);
                }
                detail = one_line(&error.to_string());
                cause = error.source();
            }
            Failure::Connection(detail)
        }
        Error::BadEncoding(_) | Error::BadDataFormat(..) => {
            Failure::Connection(String::from("the Secret Service sent what could not be decrypted"))
        }
        other => StoreError::Unavailable { detail: one_line(&other.to_string()) }.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::{Error, Failure, StoreError, failure};

    fn platform(error: zbus::Error) -> Error {
        Error::PlatformFailure(Box::new(error))
    }

    #[test]
    fn i3_no_access_means_locked() {
        let told = failure(&Error::NoStorageAccess("prompt dismissed".into()));
        assert!(matches!(told, Failure::Told(StoreError::Locked)));
    }

    #[test]
    fn i7_a_dead_connection_is_worth_a_second_try() {
        let broken = std::io::Error::from(std::io::ErrorKind::BrokenPipe);
        assert!(matches!(failure(&platform(broken.into())), Failure::Connection(_)));
        assert!(matches!(failure(&Error::PlatformFailure("no session".into())), Failure::Connection(_)));
    }

    #[test]
    fn no_error_text_holds_a_secret_or_a_second_line() {
        for error in [Error::BadEncoding(b"CANARY".to_vec()), Error::PlatformFailure("two\nlines\u{1b}[2J".into())] {
            let text = StoreError::from(failure(&error)).to_string();
            assert!(!text.contains("CANARY") && !text.contains('\n') && !text.contains('\u{1b}'), "{text}");
        }
    }
}
