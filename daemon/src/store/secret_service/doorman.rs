//! Looks whether a keyring is locked, and asks the person to unlock it.
//!
//! `keyring-core` cannot say whether a keyring is locked: with none unlocked it answers "no entry". It also waits for ever
//! for the answer to a question whose asker has died. So this file speaks to `org.freedesktop.secrets` itself (Secret
//! Service API draft 0.2: Service, Collection, Prompt), about everything but the secrets.

use super::Failure;
use crate::store::{SERVICE, StoreError};
use std::collections::HashMap;
use std::time::Duration;
use tegata_protocol::text::one_line;
use zbus::blocking::{Connection, MessageIterator, connection, fdo::DBusProxy};
use zbus::zvariant::{OwnedObjectPath, OwnedValue};
use zbus::{Error, MatchRule};

const NAME: &str = "org.freedesktop.secrets";
const SERVICE_PATH: &str = "/org/freedesktop/secrets";
const SERVICE_INTERFACE: &str = "org.freedesktop.Secret.Service";
const COLLECTION_INTERFACE: &str = "org.freedesktop.Secret.Collection";
const PROMPT_INTERFACE: &str = "org.freedesktop.Secret.Prompt";

/// How long the Secret Service may take for an answer that needs no person; it may have to be started for it.
const ANSWER: Duration = Duration::from_secs(8);

/// How a keyring stands.
#[derive(Debug)]
pub(super) enum Door {
    /// Unlocked: what is not there now does not exist.
    Open,
    /// These items or collections are locked.
    Locked(Vec<OwnedObjectPath>),
}

/// A connection of its own to the session bus.
#[derive(Debug)]
pub(super) struct Doorman(Connection);

impl Doorman {
    pub(super) fn connect() -> Result<Self, Failure> {
        Ok(Self(connection::Builder::session()?.method_timeout(ANSWER).build()?))
    }

    /// Makes sure that the Secret Service answers.
    pub(super) fn knock(&self) -> Result<(), Failure> {
        self.default_collection().map(drop)
    }

    /// Looks at the keyring that has the items of this name; at the default one if there are none.
    pub(super) fn look(&self, name: &str) -> Result<Door, Failure> {
        let attributes = HashMap::from([("service", SERVICE), ("username", name)]);
        let found = self.call(SERVICE_PATH, SERVICE_INTERFACE, "SearchItems", &(attributes,))?;
        let (unlocked, locked): (Vec<OwnedObjectPath>, Vec<OwnedObjectPath>) = found.body().deserialize()?;
        match (unlocked.is_empty(), locked.is_empty()) {
            (_, false) => Ok(Door::Locked(locked)),
            (false, true) => Ok(Door::Open),
            (true, true) => self.look_at_default(),
        }
    }

    /// Looks at the keyring in which new items are put.
    pub(super) fn look_at_default(&self) -> Result<Door, Failure> {
        let collection = self.default_collection()?;
        if collection.as_str() == "/" {
            let detail = String::from("the Secret Service has no default keyring; log in to the desktop or create one");
            return Err(StoreError::Unavailable { detail }.into());
        }
        let property = (COLLECTION_INTERFACE, "Locked");
        let locked = self.call(collection.as_str(), "org.freedesktop.DBus.Properties", "Get", &property)?;
        let locked: OwnedValue = locked.body().deserialize()?;
        Ok(if bool::try_from(locked).map_err(Error::from)? { Door::Locked(vec![collection]) } else { Door::Open })
    }

    fn default_collection(&self) -> Result<OwnedObjectPath, Failure> {
        let alias = self.call(SERVICE_PATH, SERVICE_INTERFACE, "ReadAlias", &("default",))?;
        Ok(alias.body().deserialize()?)
    }

    /// Asks the person to unlock these and waits for the answer, however long that takes. Returns whether it was yes. With no
    /// display the answer is no, at once.
    pub(super) fn unlock(&self, objects: &[OwnedObjectPath]) -> Result<bool, Failure> {
        let asked = self.call(SERVICE_PATH, SERVICE_INTERFACE, "Unlock", &(objects,))?;
        let (_unlocked, prompt): (Vec<OwnedObjectPath>, OwnedObjectPath) = asked.body().deserialize()?;
        if prompt.as_str() == "/" { Ok(true) } else { self.await_prompt(&prompt) }
    }

    fn await_prompt(&self, prompt: &OwnedObjectPath) -> Result<bool, Failure> {
        let bus = DBusProxy::new(&self.0)?;
        let completed = MatchRule::builder().sender(NAME)?.path(prompt.as_str())?.interface(PROMPT_INTERFACE)?.build();
        let died =
            MatchRule::builder().sender("org.freedesktop.DBus")?.member("NameOwnerChanged")?.arg(0, NAME)?.build();
        bus.add_match_rule(completed.clone()).map_err(Error::from)?;
        bus.add_match_rule(died.clone()).map_err(Error::from)?;
        let messages = MessageIterator::from(&self.0);
        self.call(prompt.as_str(), PROMPT_INTERFACE, "Prompt", &("",))?;
        let answer = answer(messages, prompt);
        for rule in [completed, died] {
            let _ = bus.remove_match_rule(rule);
        }
        answer
    }

    fn call<B: serde::Serialize + zbus::zvariant::DynamicType>(
        &self,
        path: &str,
        interface: &str,
        method: &str,
        body: &B,
    ) -> Result<zbus::Message, Failure> {
        Ok(self.0.call_method(Some(NAME), path, Some(interface), method, body)?)
    }
}

/// Waits for the answer among all messages, or for the end of whoever asks.
fn answer(messages: MessageIterator, prompt: &OwnedObjectPath) -> Result<bool, Failure> {
    for message in messages {
        let message = message?;
        let header = message.header();
        match header.member().map(|member| member.as_str()) {
            Some("Completed") if header.path().is_some_and(|path| path.as_str() == prompt.as_str()) => {
                let (dismissed, _result): (bool, OwnedValue) = message.body().deserialize()?;
                return Ok(!dismissed);
            }
            Some("NameOwnerChanged") => {
                let (name, _old, new): (String, String, String) = message.body().deserialize()?;
                if name == NAME && new.is_empty() {
                    let detail = String::from("the keyring daemon ended while it asked");
                    return Err(StoreError::Unavailable { detail }.into());
                }
            }
            _ => {}
        }
    }
    Err(Failure::Connection(String::from("the session bus closed while the keyring asked")))
}

/// Sorts what D-Bus says.
pub(super) fn failure(error: &Error) -> Failure {
    let (name, text) = match error {
        Error::MethodError(name, text, _) => (name.as_str(), text.as_deref().unwrap_or_default()),
        other => return Failure::Connection(one_line(&other.to_string())),
    };
    let detail = one_line(&format!("{name}: {text}"));
    match name {
        "org.freedesktop.DBus.Error.AccessDenied" | "org.freedesktop.DBus.Error.AuthFailed" => {
            StoreError::Denied { detail }.into()
        }
        "org.freedesktop.Secret.Error.IsLocked" => StoreError::Locked.into(),
        _ => Failure::Connection(detail),
    }
}
