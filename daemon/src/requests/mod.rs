//! What waits for a hand: the table of requests, each with an end.

pub mod desk;
mod pages;
mod refusals;
mod table;
#[cfg(test)]
pub(crate) mod testing;
pub mod view;
mod words;

pub use desk::Desk;
pub use table::{Elevation, Entry, NoRequest, Task};

use crate::aws::BoxFuture;
use tegata_protocol::Secret;
use view::{PageRefusal, View};

/// What a page may do with the request it was opened for. Every method but [`PageDesk::open`] takes the page token that `open` gave.
pub trait PageDesk: Send + Sync + 'static {
    /// Swaps the one-time secret of the URL for a page token; the secret is dead from here on.
    ///
    /// # Errors
    /// [`PageRefusal::NotYours`].
    fn open(&self, secret: &str) -> Result<(Secret, View), PageRefusal>;

    /// Says how the request stands.
    ///
    /// # Errors
    /// [`PageRefusal::NotYours`].
    fn view(&self, token: &str) -> Result<View, PageRefusal>;

    /// Begins a ceremony at this origin: the options for `navigator.credentials.create` or `.get`, as `{"publicKey": …}`.
    fn begin<'a>(
        &'a self,
        token: &'a str,
        origin: &'a url::Url,
    ) -> BoxFuture<'a, Result<serde_json::Value, PageRefusal>>;

    /// Ends the ceremony with what the authenticator answered (`PublicKeyCredential.toJSON()`).
    fn finish<'a>(
        &'a self,
        token: &'a str,
        origin: &'a url::Url,
        answer: &'a [u8],
    ) -> BoxFuture<'a, Result<View, PageRefusal>>;

    /// Says no.
    fn refuse<'a>(&'a self, token: &'a str) -> BoxFuture<'a, Result<View, PageRefusal>>;

    /// Whether any page is alive: while none is, nothing listens.
    fn has_pages(&self) -> bool;
}

/// What follows from an approval in other rooms.
pub trait Afterwards: Send + Sync + std::fmt::Debug {
    /// Takes note of a grant that is about to live: a review item, an alert. If it fails there is no grant.
    ///
    /// # Errors
    /// One line for the person.
    fn granted(&self, grant: &crate::grant::Grant) -> Result<(), String>;

    /// Does what was approved, for every task but an elevation.
    ///
    /// # Errors
    /// One line for the person; then nothing was done.
    fn approved<'a>(&'a self, task: &'a Task) -> BoxFuture<'a, Result<(), String>>;
}
