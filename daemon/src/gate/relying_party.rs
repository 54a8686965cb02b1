//! Who Tegata is to an authenticator: one RP ID, one origin at a time. Pure.

use super::ceremony::TIME_LIMIT;
use super::error::GateError;
use url::Url;
use webauthn_rs::prelude::{Webauthn, WebauthnBuilder};

/// The RP ID. Every page on this host name can claim it, whatever its port, but none of the development servers on `localhost`
/// can. A browser that does not resolve it has no gate: bare `localhost` is not fallen back to.
pub const RP_ID: &str = "tegata.localhost";

/// Builds the verifier of one page: exactly this origin, no other port, no subdomain.
///
/// # Errors
/// [`GateError::Origin`] for anything but `http://tegata.localhost:PORT`.
pub(super) fn at(origin: &Url) -> Result<Webauthn, GateError> {
    let refused = || GateError::Origin(tegata_protocol::text::one_line(origin.as_str()));
    let is_ours = origin.scheme() == "http" && origin.host_str() == Some(RP_ID) && origin.port().is_some();
    if !is_ours || origin.as_str().trim_end_matches('/') != serialised(origin) {
        return Err(refused());
    }
    let builder = WebauthnBuilder::new(RP_ID, origin).map_err(|_| refused())?;
    let builder = builder.rp_name("Tegata").timeout(TIME_LIMIT).allow_any_port(false).allow_subdomains(false);
    builder.build().map_err(|_| refused())
}

/// Writes an origin as a browser puts it into the client data (HTML, "serialization of an origin").
pub(super) fn serialised(origin: &Url) -> String {
    origin.origin().ascii_serialization()
}
