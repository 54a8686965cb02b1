//! Everything that is said on a session bus, as any program of the user can hear it.

use crate::keyring::PrivateKeyring;
use crate::product::wait_until;
use std::sync::{Arc, Mutex, PoisonError};
use zbus::Message;
use zbus::blocking::{Connection, MessageIterator, fdo::MonitoringProxy};

/// A listener. It hears until the bus ends.
#[derive(Debug)]
pub struct BusMonitor {
    speaker: Connection,
    heard: Arc<Mutex<Vec<Message>>>,
}

impl BusMonitor {
    /// Begins to listen.
    ///
    /// # Panics
    /// When the bus does not allow it.
    #[must_use]
    pub fn on(keyring: &PrivateKeyring) -> Self {
        let (bus, speaker) = (keyring.connect(), keyring.connect());
        let messages = MessageIterator::from(&bus);
        MonitoringProxy::new(&bus).and_then(|proxy| Ok(proxy.become_monitor(&[], 0)?)).expect("everybody may listen");
        let heard = Arc::<Mutex<Vec<Message>>>::default();
        let hearing = Arc::clone(&heard);
        std::thread::spawn(move || {
            let _bus = bus;
            for message in messages.map_while(Result::ok) {
                hearing.lock().unwrap_or_else(PoisonError::into_inner).push(message);
            }
        });
        Self { speaker, heard }
    }

    /// Returns every message until now: the name of its method or signal, and its bytes as they went over the bus.
    ///
    /// # Panics
    /// When the bus is gone.
    #[must_use]
    pub fn heard(&self) -> Vec<(String, Vec<u8>)> {
        let end = format!("heard until {:?}", std::time::Instant::now());
        self.speaker.emit_signal(None::<&str>, "/end", "tegata.Test", "End", &(&end,)).expect("the bus takes it");
        wait_until("everything until now was heard", || {
            self.so_far().iter().any(|(member, bytes)| member == "End" && contains(bytes, &end))
        });
        self.so_far()
    }

    fn so_far(&self) -> Vec<(String, Vec<u8>)> {
        let heard = self.heard.lock().unwrap_or_else(PoisonError::into_inner);
        let member = |message: &Message| message.header().member().map(ToString::to_string).unwrap_or_default();
        heard.iter().map(|message| (member(message), message.data().to_vec())).collect()
    }
}

/// Whether a message holds a text.
#[must_use]
pub fn contains(bytes: &[u8], text: &str) -> bool {
    bytes.windows(text.len()).any(|window| window == text.as_bytes())
}
