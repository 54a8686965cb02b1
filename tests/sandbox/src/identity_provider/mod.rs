//! Identity providers that IAM knows (OpenID Connect): they issue signed tokens, and publish the keys to check them with.
//!
//! One set of keys signs for all of them, so that what tells them apart is the issuer, as it is in a token.

mod keys;
mod settings;
mod token;

pub use settings::IdentityProvider;
pub use token::{Algorithm, SignedBy, TokenOrder};
pub(crate) use token::{Claims, read, sign};

pub(crate) use keys::SigningKeys;

use serde_json::{Value, json};

use crate::call::Answer;
use crate::operation::Operation;
use crate::reply::Reply;

/// The documents every provider publishes (OpenID Connect Discovery 1.0, sections 3 and 4).
pub(crate) fn document(keys: &SigningKeys, base_url: &str, operation: Operation) -> Answer {
    let document = match operation {
        Operation::OpenidConfiguration => configuration(base_url),
        _ => keys.json_web_keys(),
    };
    Ok(Reply::json(200, &document))
}

fn configuration(base_url: &str) -> Value {
    json!({
        "issuer": base_url,
        "jwks_uri": format!("{base_url}/.well-known/jwks.json"),
        "response_types_supported": ["id_token"],
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": ["RS256", "ES256"],
    })
}
