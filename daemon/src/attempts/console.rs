//! Signing in to the console, for a profile: whoever comes back from AWS's page has to be who the profile names.

use super::subject::Subject;
use super::{Attempts, Outcome};
use crate::arns::IdentityArn;
use crate::aws::LoginClient;
use crate::clock::rfc3339;
use crate::console_logins::ConsoleLogins;
use crate::names::{ProfileName, Region};
use crate::partition::Partition;
use crate::problem::Problem;
use crate::signin::login::{self, LoggedIn, NotCarried};
use crate::signin::{SignInError, identity};
use std::sync::Arc;
use tegata_protocol::Secret;
use tegata_protocol::body::{SignIn, SignInFlow, SignInState};

/// A sign-in to the console as it was asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConsoleSignIn {
    /// The profile it is for, which need not be there yet.
    pub profile: ProfileName,
    /// The region to sign in to.
    pub region: Region,
    /// Who has to come back, where the profile says so.
    pub expected: Option<IdentityArn>,
}

impl Attempts {
    /// Begins a sign-in to the console, or joins the one under way that was asked for in the same way.
    ///
    /// # Errors
    /// What the store, AWS's endpoints or the callback listener said.
    pub async fn begin_console(&self, wanted: ConsoleSignIn, flow: SignInFlow) -> Result<SignIn, Problem> {
        let _one_at_a_time = self.beginning.lock().await;
        let subject = Subject::Console(wanted.clone());
        if let Some(view) = self.under_way(&subject, flow) {
            return Ok(view);
        }
        self.console_logins.prove_store().await?;
        let client = if flow == SignInFlow::ConsoleRemote { LoginClient::CrossDevice } else { LoginClient::SameDevice };
        let begun = login::begin(Arc::clone(&self.aws), &*self.clock, wanted.region.clone(), client).await;
        let begun = begun.map_err(|error| failed(&wanted.profile, error))?;
        let view = SignIn {
            id: crate::random::id(),
            session: wanted.profile.to_string(),
            start_url: begun.url.origin().ascii_serialization(),
            flow,
            url: begun.url.to_string(),
            url_with_code: None,
            user_code: None,
            device: None,
            said: None,
            expires_at: rfc3339(begun.expires_at),
            state: SignInState::Pending,
        };
        let outcome = finish(Arc::clone(&self.console_logins), wanted, begun.outcome);
        Ok(self.follow(subject, view, begun.carrier, outcome))
    }

    /// Takes the text that a person carried over from AWS's page. Absent: no sign-in of this id awaits one.
    pub fn carry(&self, id: &str, text: &Secret) -> Option<Result<(), NotCarried>> {
        let table = self.lock();
        let attempt = table.iter().find(|attempt| attempt.view.id == id && attempt.is_pending())?;
        attempt.carrier.as_ref().map(|carrier| carrier.carry(text))
    }
}

/// Keeps what a sign-in gave if it is of somebody who may be served, and of whom the profile names. Everything else is dropped here.
async fn finish(
    logins: Arc<ConsoleLogins>,
    wanted: ConsoleSignIn,
    outcome: impl Future<Output = Result<LoggedIn, SignInError>>,
) -> Outcome {
    let login = outcome.await.map_err(|error| failed(&wanted.profile, error))?;
    let refused = |why: String| Problem::LoginFailed { profile: wanted.profile.clone(), why };
    let who = identity::of_token(login.tokens.id_token.as_ref())
        .map_err(|error| refused(format!("{error}; nothing was kept")))?;
    if let Some(expected) = wanted.expected.as_ref().filter(|expected| **expected != who) {
        let why = format!("{who} signed in, and the profile is of {expected}; nothing was kept");
        return Err(refused(why));
    }
    if Partition::of_region(&login.region).is_some_and(|partition| partition.name() != who.partition()) {
        let why = format!("{who} signed in, who is in another partition than {}; nothing was kept", login.region);
        return Err(refused(why));
    }
    logins.logged_in(&who, login).await;
    Ok(Some(who))
}

fn failed(profile: &ProfileName, error: SignInError) -> Problem {
    match error {
        SignInError::Aws(error) if error.is_passing() => Problem::Aws(error),
        error => Problem::LoginFailed { profile: profile.clone(), why: error.to_string() },
    }
}
