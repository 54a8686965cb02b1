//! A software passkey for tests and the demo: it stands for the hand, and signs as told, well or badly.
//!
//! ```
//! use serde_json::json;
//! use tegata_authenticator::Authenticator;
//!
//! let mut hand = Authenticator::new();
//! let options = json!({"publicKey": {"challenge": "AAAA", "rp": {"id": "tegata.localhost"}, "user": {"id": "AQID"}}});
//! let made = hand.create(&options, "http://tegata.localhost:7101").unwrap();
//! assert_eq!(made["type"], "public-key");
//! let kept = hand.to_json();                       // for the next run of a demo
//! let again = Authenticator::from_json(&kept).unwrap();
//! assert_eq!(again.credential_ids(), hand.credential_ids());
//! ```
//!
//! Options are what the relying party hands to the page, `{"publicKey": …}`; answers are what `PublicKeyCredential.toJSON()`
//! gives there (WebAuthn L3, section 5.1.8): every binary field in base64url without padding. One `Authenticator` is one
//! device of one person; it may hold several credentials. It asks nobody, so it must never be near a real account.

mod credential;
mod device;
mod faults;
mod wire;

pub use credential::Credential;
pub use device::{Authenticator, Refusal};
pub use faults::Faults;
