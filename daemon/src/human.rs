//! The human, as the daemon may reach one unasked: a notification. It never opens a page (decision 6).

use std::fmt;

/// What the human is told. Free of secrets; every text in it is one printable line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notice {
    /// The first line.
    pub summary: String,
    /// The rest: what happened and the command that mends it.
    pub body: String,
}

/// Reaches the human, if there is one.
pub trait Human: Send + Sync + fmt::Debug {
    /// Shows a notice. It may go unseen: there may be nobody there, so nothing ever waits for it.
    fn notify(&self, notice: Notice);
}
