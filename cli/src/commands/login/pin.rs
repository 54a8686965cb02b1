//! The PIN of a PKCS#11 token: asked for in the terminal, given to the daemon, and no further.

use crate::client::{BRIEFLY, Client, Target, below};
use crate::environment::Environment;
use crate::failure::{Failure, Kind};
use crate::output::{self, Progress};
use crate::question;
use crate::signals::Signals;
use tegata_protocol::body::ProfileState;
use tegata_protocol::certificates::EnterPin;
use tegata_protocol::{paths, text::one_line};

/// Returns the token that the key of a profile of this name is in, where there is such a profile.
pub(super) fn token_of(name: &str, client: &Client<'_>, environment: &Environment) -> Result<Option<String>, Failure> {
    let target = Target::new(below(paths::PROFILES, name)).with_config(environment);
    match client.get::<ProfileState>(target.as_str(), BRIEFLY) {
        Ok(state) => Ok(state.pin_for),
        // It is no profile: a sign-in session, or a start URL. What is wrong with it is said where it is used.
        Err(failure) if matches!(failure.kind, Kind::Reported(_)) => Ok(None),
        Err(failure) => Err(failure),
    }
}

/// Asks for the PIN, opens the token with it, and says so. A wrong one is not tried again: tokens lock themselves.
pub(super) fn enter(
    profile: &str,
    token: &str,
    config: Option<String>,
    client: &Client<'_>,
    signals: &Signals,
) -> Result<(), Failure> {
    let token = one_line(token);
    let pin = if question::somebody_is_there() {
        question::hidden(&format!("PIN of token {token}: "), signals)?
    } else {
        question::piped()?
    };
    if pin.expose_secret().is_empty() {
        return Err(Failure::new(Kind::RefusedByPerson, "no PIN was entered"));
    }
    let target = format!("{}/{}", below(paths::CERTIFICATES, profile), paths::PIN);
    let progress = Progress::begin("opening the token");
    client.change(crate::http::Method::Put, &target, &EnterPin { config, pin })?;
    drop(progress);
    output::tell(&format!("Token {token} is open, until everything is locked or it is taken out."));
    Ok(())
}
