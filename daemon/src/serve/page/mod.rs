//! The page on which a person says yes with a passkey, or no: a door on loopback that is open only while such a page is alive.
//!
//! Anybody on this machine can knock here, and so can any web page in the person's browser. What keeps them out, in order:
//! [`wire`] (one strict reading of the head), [`rules`] (who may have sent it), and the token that the desk compares. The page itself
//! holds nothing: it is the same bytes for everybody. This room knows no passkey and no grant; a [`PageDesk`] does.

mod answer;
mod api;
mod document;
mod listener;
mod rules;
mod stream;
mod wire;

#[cfg(test)]
mod tests;

use crate::requests::PageDesk;
use listener::Listener;
use std::sync::Arc;
use tegata_protocol::Secret;
use tokio::sync::Mutex;
use url::Url;

/// The only host name the page has, which is also the relying party's id: pages of `localhost` and of other names cannot use its
/// passkeys, as far as the browser keeps the rules of WebAuthn.
pub const HOST: &str = "tegata.localhost";

/// Why the page cannot be had.
#[derive(Debug, thiserror::Error)]
#[error("cannot listen on loopback for the approval page: {source}")]
pub struct ListenError {
    source: std::io::Error,
}

/// A page that is listening. It closes by itself a little after its last page has ended, and when dropped.
#[derive(Debug)]
pub struct Page {
    listener: Listener,
}

impl Page {
    /// Takes a random port that is free on 127.0.0.1 and on ::1 alike, and listens there from now on. A machine without IPv6 is fine.
    ///
    /// # Errors
    /// The system lets nobody listen.
    pub async fn listen(desk: Arc<dyn PageDesk>) -> Result<Self, ListenError> {
        Listener::open(desk).await.map(|listener| Self { listener }).map_err(|source| ListenError { source })
    }

    /// Returns the origin that the browser has to be at: `http://tegata.localhost:PORT`.
    #[must_use]
    pub fn origin(&self) -> &Url {
        &self.listener.site().origin
    }

    /// Returns the URL that opens the page once, or nothing when the page has closed. The secret is in the fragment, which no browser
    /// sends. Register the secret at the desk first: from then on the page stays open.
    #[must_use]
    pub fn url(&self, secret: &Secret) -> Option<Secret> {
        let (origin, secret) = (&self.listener.site().authority, secret.expose_secret());
        self.listener.is_open().then(|| Secret::new(format!("http://{origin}/#{secret}")))
    }

    /// Returns once the page has closed.
    pub async fn closed(&self) {
        self.listener.closed().await;
    }
}

/// The page whenever one is wanted: listens from the first URL until nobody has a page any more, then again.
pub struct PageDoor {
    desk: Arc<dyn PageDesk>,
    page: Mutex<Option<Page>>,
}

impl PageDoor {
    /// Makes a door that is closed.
    #[must_use]
    pub fn new(desk: Arc<dyn PageDesk>) -> Self {
        Self { desk, page: Mutex::default() }
    }

    /// Returns the URL that opens the page once for a secret that the desk already knows, and listens.
    ///
    /// # Errors
    /// The system lets nobody listen.
    pub async fn url(&self, secret: &Secret) -> Result<Secret, ListenError> {
        let mut page = self.page.lock().await;
        if let Some(url) = page.as_ref().and_then(|page| page.url(secret)) {
            return Ok(url);
        }
        let opened = page.insert(Page::listen(Arc::clone(&self.desk)).await?);
        // It was open a moment ago; closed already means that the desk does not know the secret, and then this URL opens nothing.
        opened.url(secret).ok_or_else(|| ListenError { source: std::io::ErrorKind::NotConnected.into() })
    }
}

impl std::fmt::Debug for PageDoor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PageDoor").finish_non_exhaustive()
    }
}
