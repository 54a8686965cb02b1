//! Another program of the same user, which has taken the keyring's name on the bus.

use crate::keyring::PrivateKeyring;
use std::sync::{Arc, Mutex, PoisonError};
use zbus::Message;
use zbus::blocking::{Connection, MessageIterator, fdo::DBusProxy};
use zbus::fdo::RequestNameFlags;
use zbus::message::Type;
use zbus::names::WellKnownName;
use zbus::zvariant::{ObjectPath, Value};

const NAME: WellKnownName<'static> = WellKnownName::from_static_str_unchecked("org.freedesktop.secrets");

/// What it does with a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Manner {
    /// Answers nothing.
    Silent,
    /// Answers with what no keyring answers with.
    Garbage,
    /// Knows nothing of what is asked for.
    NotFound,
    /// Has an unlocked keyring in which secrets go in and out as they are, and nothing is in it yet.
    OnlyPlain,
}

/// The program. Leaves the bus with the value.
#[derive(Debug)]
pub struct Hijacker {
    bus: Option<Connection>,
    heard: Arc<Mutex<Vec<Message>>>,
}

impl Hijacker {
    /// Takes the name, which nobody may have.
    ///
    /// # Panics
    /// When somebody has it.
    #[must_use]
    pub fn take_over(keyring: &PrivateKeyring, manner: Manner) -> Self {
        let bus = keyring.connect();
        let messages = MessageIterator::from(&bus);
        let dbus = DBusProxy::new(&bus).expect("the bus answers");
        dbus.request_name(NAME, RequestNameFlags::DoNotQueue.into()).expect("the name is free");
        let heard = Arc::<Mutex<Vec<Message>>>::default();
        let (answering, hearing) = (bus.clone(), Arc::clone(&heard));
        std::thread::spawn(move || {
            for message in messages.map_while(Result::ok).filter(|message| message.message_type() == Type::MethodCall) {
                if let Some(answer) = manner.answer(&message) {
                    let _ = answering.send(&answer);
                }
                hearing.lock().unwrap_or_else(PoisonError::into_inner).push(message);
            }
        });
        Self { bus: Some(bus), heard }
    }

    /// Returns the names of the methods that were called, and what every call held.
    #[must_use]
    pub fn heard(&self) -> Vec<(String, Vec<u8>)> {
        let heard = self.heard.lock().unwrap_or_else(PoisonError::into_inner);
        let member = |message: &Message| message.header().member().map(ToString::to_string).unwrap_or_default();
        heard.iter().map(|message| (member(message), message.body().data().to_vec())).collect()
    }
}

impl Drop for Hijacker {
    fn drop(&mut self) {
        if let Some(bus) = self.bus.take() {
            // Before anybody looks whose the name is: it is this process's.
            let _ = DBusProxy::new(&bus).map(|dbus| dbus.release_name(NAME));
            let _ = bus.close();
        }
    }
}

impl Manner {
    fn answer(self, call: &Message) -> Option<Message> {
        let header = call.header();
        let error = |name: &str| Message::error(&header, name).and_then(|error| error.build(&("no such thing",)));
        let answered = || Message::method_return(&header);
        let nowhere: [ObjectPath<'_>; 0] = [];
        let answer = match (self, header.member().map(|member| member.as_str())) {
            (Self::Silent, _) => return None,
            (Self::Garbage, _) => answered().and_then(|answer| answer.build(&("\u{1b}[2Jgarbage\nof two lines", 7_u8))),
            (Self::NotFound, _) => error("org.freedesktop.Secret.Error.NoSuchObject"),
            (Self::OnlyPlain, Some("ReadAlias")) => {
                let keyring = ObjectPath::from_static_str_unchecked("/org/freedesktop/secrets/collection/login");
                answered().and_then(|answer| answer.build(&keyring))
            }
            (Self::OnlyPlain, Some("Get")) => answered().and_then(|answer| answer.build(&Value::from(false))),
            (Self::OnlyPlain, Some("SearchItems")) => answered().and_then(|answer| answer.build(&(&nowhere, &nowhere))),
            (Self::OnlyPlain, _) => error("org.freedesktop.DBus.Error.NotSupported"),
        };
        Some(answer.expect("a message"))
    }
}
