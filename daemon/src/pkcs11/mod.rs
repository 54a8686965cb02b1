//! What a PKCS#11 token is asked for: which object, by a URI (RFC 7512). Pure; the helper process alone loads a module.

mod uri;

pub use uri::{ObjectUri, UriError};
