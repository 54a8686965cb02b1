//! The person at the keyring's question, played: in place of gcr-prompter, which shows gnome-keyring's questions.

use crate::product::{PATIENCE, wait_until};
use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, PoisonError};
use zbus::blocking::{Connection, connection};
use zbus::message::{Flags, Header};
use zbus::zvariant::{OwnedObjectPath, OwnedValue};

const CALLBACK: &str = "org.gnome.keyring.internal.Prompter.Callback";

/// A question that was put: who asked, and where the answer goes.
type Question = (String, OwnedObjectPath);

/// A person who lets questions lie until told to dismiss them.
#[derive(Debug)]
pub struct Prompter {
    bus: Connection,
    questions: Arc<Mutex<Questions>>,
}

#[derive(Debug, Default)]
struct Questions {
    asked: usize,
    open: Vec<Question>,
    /// Those whose asker has heard the answer.
    closed: HashSet<OwnedObjectPath>,
}

impl Prompter {
    /// Sits down at the bus of this address, before anything is asked there.
    ///
    /// # Panics
    /// When the bus is gone or another prompter is there.
    #[must_use]
    pub fn sit_down(address: &str) -> Self {
        let questions = Arc::<Mutex<Questions>>::default();
        let bus = connection::Builder::address(address)
            .and_then(|builder| builder.serve_at("/org/gnome/keyring/Prompter", Interface(Arc::clone(&questions))))
            .and_then(|builder| builder.name("org.gnome.keyring.SystemPrompter"))
            .and_then(|builder| builder.method_timeout(PATIENCE).build())
            .expect("the prompter's name is free");
        Self { bus, questions }
    }

    /// Returns how often anything was asked.
    #[must_use]
    pub fn asked(&self) -> usize {
        self.questions.lock().unwrap_or_else(PoisonError::into_inner).asked
    }

    /// Waits until something is asked, and leaves it unanswered.
    pub fn wait_for_question(&self) {
        wait_until("the keyring asks", || {
            !self.questions.lock().unwrap_or_else(PoisonError::into_inner).open.is_empty()
        });
    }

    /// Waits until something is asked, and dismisses it.
    ///
    /// # Panics
    /// When the bus is gone.
    pub fn dismiss(&self) {
        self.wait_for_question();
        self.dismiss_open();
    }

    /// Dismisses whatever is asked until `holds`.
    pub fn dismiss_until(&self, mut holds: impl FnMut() -> bool) {
        wait_until("everything asked is dismissed", || {
            self.dismiss_open();
            holds()
        });
    }

    fn dismiss_open(&self) {
        let open = std::mem::take(&mut self.questions.lock().unwrap_or_else(PoisonError::into_inner).open);
        for (asker, callback) in open {
            // An answer that overtakes the acknowledgement of the question goes unheard, so it is given until it is heard.
            wait_until("the keyring hears that it was dismissed", || {
                self.bus.send(&answer(&asker, &callback, "")).expect("the bus takes the answer");
                self.is_closed(&callback) || !self.is_there(&asker)
            });
        }
    }

    fn is_closed(&self, callback: &OwnedObjectPath) -> bool {
        self.questions.lock().unwrap_or_else(PoisonError::into_inner).closed.contains(callback)
    }

    fn is_there(&self, asker: &str) -> bool {
        let daemon = "org.freedesktop.DBus";
        let asked =
            self.bus.call_method(Some(daemon), "/org/freedesktop/DBus", Some(daemon), "NameHasOwner", &(asker,));
        asked.expect("the bus answers").body().deserialize().expect("yes or no")
    }
}

/// What gcr-prompter offers on the bus.
struct Interface(Arc<Mutex<Questions>>);

impl Interface {
    fn close(&self, callback: OwnedObjectPath) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).closed.insert(callback);
    }
}

#[zbus::interface(name = "org.gnome.keyring.internal.Prompter")]
impl Interface {
    fn begin_prompting(&self, callback: OwnedObjectPath, #[zbus(header)] header: Header<'_>) {
        let asker = header.sender().map(ToString::to_string).unwrap_or_default();
        let mut questions = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        questions.asked += 1;
        questions.open.push((asker, callback));
    }

    async fn perform_prompt(
        &self,
        callback: OwnedObjectPath,
        _kind: String,
        _properties: HashMap<String, OwnedValue>,
        _exchange: String,
        #[zbus(header)] header: Header<'_>,
        #[zbus(connection)] bus: &zbus::Connection,
    ) {
        let asker = header.sender().map(ToString::to_string).unwrap_or_default();
        let _ = bus.send(&answer(&asker, &callback, "no")).await;
        self.close(callback);
    }

    fn stop_prompting(&self, callback: OwnedObjectPath) {
        self.close(callback);
    }
}

fn answer(asker: &str, callback: &OwnedObjectPath, reply: &str) -> zbus::Message {
    zbus::Message::method_call(callback.as_str(), "PromptReady")
        .and_then(|message| message.destination(asker.to_owned()))
        .and_then(|message| message.interface(CALLBACK))
        .and_then(|message| message.with_flags(Flags::NoReplyExpected))
        .and_then(|message| message.build(&(reply, HashMap::<String, OwnedValue>::new(), "")))
        .expect("a message")
}
