//! The person who answers the keyring's questions with a password, played; see [`crate::prompter`] for one who does not.
//!
//! Messages are handled one by one, because gnome-keyring is deaf to an answer that overtakes the acknowledgement of its
//! question.

mod exchange;

use crate::product::PATIENCE;
use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use zbus::Message;
use zbus::blocking::{Connection, MessageIterator, connection};
use zbus::message::{Flags, Type};
use zbus::zvariant::{OwnedObjectPath, OwnedValue};

/// The person.
#[derive(Debug)]
pub struct Unlocker {
    asked: Arc<AtomicUsize>,
}

impl Unlocker {
    /// Sits down at the bus of this address, before anything is asked there, and stays.
    ///
    /// # Panics
    /// When the bus is gone or another prompter is there.
    #[must_use]
    pub fn sit_down(address: &str, password: &'static str) -> Self {
        let bus = connection::Builder::address(address)
            .and_then(|builder| builder.method_timeout(PATIENCE).build())
            .expect("the bus answers");
        let messages = MessageIterator::from(&bus);
        bus.request_name("org.gnome.keyring.SystemPrompter").expect("the prompter's name is free");
        let asked = Arc::<AtomicUsize>::default();
        let counting = Arc::clone(&asked);
        std::thread::spawn(move || {
            let mut tried = HashSet::new();
            for message in messages.map_while(Result::ok).filter(|message| message.message_type() == Type::MethodCall) {
                if message.header().member().is_some_and(|member| member == "BeginPrompting") {
                    counting.fetch_add(1, Ordering::SeqCst);
                }
                // Whoever asked may have gone, and the bus with it.
                let _ = answer(&bus, &message, password, &mut tried);
            }
        });
        Self { asked }
    }

    /// Returns how often anything was asked.
    #[must_use]
    pub fn asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }
}

/// Answers with the password, and gives up where the keyring asks once more because it was wrong.
fn answer(bus: &Connection, call: &Message, password: &str, tried: &mut HashSet<OwnedObjectPath>) -> zbus::Result<()> {
    let header = call.header();
    bus.send(&Message::method_return(&header)?.build(&())?)?;
    let (callback, reply, exchange) = match header.member().map(|member| member.as_str()) {
        Some("BeginPrompting") => (call.body().deserialize::<OwnedObjectPath>()?, "", String::new()),
        Some("PerformPrompt") => {
            let body = call.body();
            let (callback, _kind, _properties, begun): (OwnedObjectPath, String, HashMap<String, OwnedValue>, String) =
                body.deserialize()?;
            let is_first = tried.insert(callback.clone());
            let (reply, password) = if is_first { ("yes", password) } else { ("no", "") };
            (callback, reply, exchange::sealed(&begun, password))
        }
        _ => return Ok(()),
    };
    let Some(asker) = header.sender() else { return Ok(()) };
    let ready = Message::method_call(callback.as_str(), "PromptReady")?
        .destination(asker.as_str())?
        .interface("org.gnome.keyring.internal.Prompter.Callback")?
        .with_flags(Flags::NoReplyExpected)?
        .build(&(reply, HashMap::<String, OwnedValue>::new(), exchange))?;
    bus.send(&ready)
}
