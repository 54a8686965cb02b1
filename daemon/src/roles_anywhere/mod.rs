//! IAM Roles Anywhere: a certificate and its key become a signed request for credentials. Pure: no file, no network, no clock.
//!
//! The rules are those of the IAM Roles Anywhere User Guide, "The IAM Roles Anywhere authentication process". Who reads files,
//! asks a token and talks to AWS is the provider's business (`provider/roles_anywhere`).

pub mod certificate;
pub mod key;
mod pem;
pub mod signing;

pub use certificate::{Certificates, PublicKey};
pub use key::{KeyError, PrivateKey};
pub use signing::{SessionRequest, Signed, Unsigned};
