//! A job of GitHub Actions: what its environment says of it is handed to the daemon, and no further.

use crate::client::Client;
use crate::environment::Environment;
use crate::failure::{Failure, Kind};
use crate::output::{self, Progress};
use std::time::Duration;
use tegata_protocol::jobs::{HandOverJob, JobHandedOver};
use tegata_protocol::text::one_line;
use tegata_protocol::{ErrorCode, Secret, paths};

/// What GitHub sets in jobs that may ask for identity tokens (its documentation, "OpenID Connect reference").
const URL: &str = "ACTIONS_ID_TOKEN_REQUEST_URL";
const TOKEN: &str = "ACTIONS_ID_TOKEN_REQUEST_TOKEN";

/// How long GitHub may take, its repetitions included.
const PATIENCE: Duration = Duration::from_secs(20);

/// Hands over the job that this runs in, for a profile that starts from one.
pub(super) fn hand_over(
    profile: &str,
    config: Option<&str>,
    client: &Client<'_>,
    environment: &Environment,
) -> Result<(), Failure> {
    let request_url = variable(URL, environment)?;
    let request_token = Secret::new(variable(TOKEN, environment)?);
    let progress = Progress::begin("asking GitHub for a token");
    let sent =
        HandOverJob { profile: profile.to_owned(), config: config.map(str::to_owned), request_url, request_token };
    let done: JobHandedOver = client.post_within(paths::GITHUB_JOB, &sent, PATIENCE)?;
    drop(progress);
    let (profile, audience) = (one_line(&done.profile), one_line(&done.audience));
    output::tell(&format!("Signed in to {profile}: GitHub gives this job tokens for {audience}."));
    Ok(())
}

fn variable(name: &str, environment: &Environment) -> Result<String, Failure> {
    environment.get(name).and_then(|value| value.into_string().ok()).ok_or_else(|| {
        let message = format!(
            "{name} is not set: this is no job of GitHub Actions that may ask for identity tokens; in a workflow, give the job \
             `permissions: id-token: write`"
        );
        Failure::new(Kind::Reported(ErrorCode::JobRequired), message)
    })
}
