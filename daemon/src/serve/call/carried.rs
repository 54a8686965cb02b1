//! `PUT /v1/sign-ins/{id}/code`: a body with a secret in it, of which nothing is quoted.

use super::{Query, bad};
use std::sync::Arc;
use tegata_protocol::body::CarriedCode;
use tegata_protocol::{ErrorBody, MAX_CARRIED_CODE};

/// What a person carried over. It is not compared: it is equal to itself.
#[derive(Clone, Debug)]
pub(in crate::serve) struct Carried(pub(in crate::serve) Arc<CarriedCode>);

impl PartialEq for Carried {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl Eq for Carried {}

pub(super) fn read(query: Query, body: &[u8]) -> Result<Carried, ErrorBody> {
    query.nothing_more()?;
    if !body.trim_ascii_start().starts_with(b"{") {
        return Err(bad("the body is not a JSON object"));
    }
    let code: CarriedCode = serde_json::from_slice(body).map_err(|error| {
        bad(&format!("the body is not the text of AWS's page (line {}, column {})", error.line(), error.column()))
    })?;
    if code.text.expose_secret().len() > MAX_CARRIED_CODE {
        return Err(bad("the text is longer than any that AWS's page shows"));
    }
    Ok(Carried(Arc::new(code)))
}
