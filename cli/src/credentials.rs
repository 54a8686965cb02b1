//! Credentials for a command that is about to be run: obtained, waited for where a person can help, read.

use crate::client::{Client, Target};
use crate::environment::Environment;
use crate::failure::{Failure, Kind};
use crate::http::{Method, Request, Response};
use crate::output::{self, Progress};
use crate::profiles::{self, Effort};
use serde::Deserialize;
use std::io::IsTerminal;
use std::time::Duration;
use tegata_protocol::text::one_line;
use tegata_protocol::{CONTAINER_WAIT, DEFAULT_WAIT_SECONDS, ErrorCode, FORM_CONTAINER, Secret, paths};

/// Credentials, in either form the daemon writes them.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Credentials {
    pub(crate) access_key_id: String,
    pub(crate) secret_access_key: Secret,
    /// Absent for an IAM user's access keys.
    #[serde(alias = "Token", default)]
    pub(crate) session_token: Option<Secret>,
    pub(crate) expiration: String,
    #[serde(default)]
    pub(crate) account_id: Option<String>,
}

/// Obtains the credentials of a profile: those at hand, else as long as the person waits. Where a hand has to approve first, that is
/// said at once.
pub(crate) fn obtain(
    client: &Client<'_>,
    environment: &Environment,
    profile: &str,
    wait: Option<u64>,
) -> Result<Credentials, Failure> {
    let asked = |target: Target, patience| client.send(&Request::new(Method::Get, target.as_str(), None), patience);
    let answer = match asked(at_hand(environment, profile), CONTAINER_WAIT) {
        Err(failure) if may_come(&failure) && wait != Some(0) => {
            if failure.kind == Kind::Reported(ErrorCode::ElevationRequired) && std::io::stderr().is_terminal() {
                output::tell(&failure.line().unwrap_or_default());
            }
            let _progress = Progress::begin("waiting for credentials");
            let patience = Duration::from_secs(wait.unwrap_or(DEFAULT_WAIT_SECONDS));
            let seconds = wait.map(|seconds| seconds.to_string());
            asked(of_profile(environment, profile).with(paths::QUERY_WAIT, seconds), patience)?
        }
        other => other?,
    };
    serde_json::from_slice(answer.body()).map_err(|_| {
        Failure::new(Kind::Unreachable, "tegatad sent something that is not credentials").mend("tegata daemon stop")
    })
}

/// Whether waiting may help: AWS is being asked, somebody may be signing in, or a hand may come.
fn may_come(failure: &Failure) -> bool {
    use ErrorCode::{ElevationRequired, SignInRequired, WaitEnded};
    matches!(failure.kind, Kind::Reported(WaitEnded | ElevationRequired | SignInRequired))
}

fn of_profile(environment: &Environment, profile: &str) -> Target {
    Target::new(paths::CREDENTIALS).with(paths::QUERY_PROFILE, Some(profile)).with_config(environment)
}

/// In the form of an endpoint, in which nobody is waited for.
fn at_hand(environment: &Environment, profile: &str) -> Target {
    of_profile(environment, profile).with(paths::QUERY_FORM, Some(FORM_CONTAINER))
}

/// Returns what asks for the credentials of a profile in the form of an endpoint, again and again, from any thread.
pub(crate) fn source(
    client: Client<'static>,
    environment: &Environment,
    profile: &str,
) -> impl Fn() -> Result<Response, Failure> + Send + Sync + 'static {
    let target = at_hand(environment, profile);
    move || client.send(&Request::new(Method::Get, target.as_str(), None), CONTAINER_WAIT)
}

/// Returns the profile that reads the same account and changes nothing.
pub(crate) fn read_only(client: &Client<'_>, environment: &Environment, profile: &str) -> Result<String, Failure> {
    let all = profiles::all(client, environment, Effort::AsNeeded)?;
    match all.into_iter().find(|found| found.name == profile) {
        Some(found) => found.read_only.ok_or_else(|| no_reader(profile, found.problem.as_deref())),
        None => {
            Err(wrong(ErrorCode::ProfileUnknown, format!("no profile {:?}", one_line(profile))).mend("tegata list"))
        }
    }
}

fn no_reader(profile: &str, problem: Option<&str>) -> Failure {
    let profile = one_line(profile);
    wrong(
        ErrorCode::ProfileInvalid,
        match problem {
            Some(problem) => one_line(problem),
            None => format!(
                "{profile} has no read-only sibling: no profile reads the same account with a permission set such as \
                 ReadOnlyAccess; name one by tegata_read_only = NAME in its section"
            ),
        },
    )
}

fn wrong(code: ErrorCode, message: String) -> Failure {
    Failure::new(Kind::Reported(code), message)
}
