//! The profiles the daemon knows, for commands that let a person choose one or complete its name.

use crate::client::{BRIEFLY, Client, Target, below};
use crate::environment::Environment;
use crate::failure::Failure;
use std::time::Duration;
use tegata_protocol::body::{Profile, ProfileState, Profiles};
use tegata_protocol::{FROM_MEMORY, paths};

/// How much may be asked for the answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Effort {
    /// The store may be asked, which may ask the person to unlock it.
    AsNeeded,
    /// Nobody is asked.
    FromMemory,
}

/// Returns all of them, in the order of the AWS config file.
pub(crate) fn all(client: &Client<'_>, environment: &Environment, effort: Effort) -> Result<Vec<Profile>, Failure> {
    let mut all = Vec::new();
    let mut next: Option<String> = None;
    loop {
        let from = (effort == Effort::FromMemory).then_some(FROM_MEMORY);
        let target = Target::new(paths::PROFILES).with_config(environment).with(paths::QUERY_FROM, from);
        let page: Profiles = client.get(target.with(paths::QUERY_PAGE, next.as_ref()).as_str(), BRIEFLY)?;
        all.extend(page.profiles);
        if page.next_page.is_none() || page.next_page == next {
            return Ok(all);
        }
        next = page.next_page;
    }
}

/// Returns how one stands, as the daemon knows without asking anybody.
pub(crate) fn state(client: &Client<'_>, environment: &Environment, name: &str) -> Result<ProfileState, Failure> {
    client.get(resource(environment, name).as_str(), BRIEFLY)
}

/// As [`state`], but gives up when it takes longer than a person at a prompt would notice.
pub(crate) fn state_at_once(
    client: &Client<'_>,
    environment: &Environment,
    name: &str,
    patience: Duration,
) -> Result<ProfileState, Failure> {
    client.get_at_once(resource(environment, name).as_str(), patience)
}

fn resource(environment: &Environment, name: &str) -> Target {
    Target::new(below(paths::PROFILES, name)).with_config(environment)
}
