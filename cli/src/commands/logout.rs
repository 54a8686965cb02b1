//! `tegata logout`: ends a sign-in session at AWS and forgets it here.

use crate::client::{BRIEFLY, Client, Target, below};
use crate::environment::Environment;
use crate::failure::{Failure, Kind};
use crate::output::{self, Progress};
use clap::Args;
use tegata_protocol::body::{SessionState, SignedOut, Status};
use tegata_protocol::{paths, text::one_line};

/// Sign out: revoke the sign-in at AWS and forget its tokens and credentials.
///
/// Role credentials that tools already hold live on until they expire: AWS has no call that ends them.
#[derive(Args)]
#[command(after_help = "\
Examples:
  tegata logout corp
  tegata logout deploy            forget the session that an MFA code has bought
  tegata logout                   where there is only one sign-in session")]
pub(crate) struct Logout {
    /// The sign-in session, or a profile of a console login or an IAM user [default: the only one that is signed in]
    session: Option<String>,
}

impl Logout {
    pub(crate) fn run(self, environment: &Environment) -> Result<(), Failure> {
        let client = Client::new(environment)?;
        let status = Target::new(paths::STATUS).with_config(environment);
        let progress = Progress::begin("signing out");
        let session = match self.session {
            Some(session) => session,
            None => only_session(&client.get(status.as_str(), BRIEFLY)?)?,
        };
        let target = Target::new(below(paths::SESSIONS, &session)).with_config(environment);
        let done: SignedOut = client.delete(target.as_str())?;
        drop(progress);
        output::say(&outcome(&done))
    }
}

/// Returns the one sign-in session there is something to end for.
fn only_session(status: &Status) -> Result<String, Failure> {
    let open: Vec<&str> = status
        .sessions
        .iter()
        .filter(|session| session.state != SessionState::SignedOut)
        .map(|session| session.name.as_str())
        .chain(
            status
                .identities
                .iter()
                .filter(|known| known.state == SessionState::SignedIn)
                .map(|known| known.arn.as_str()),
        )
        .chain(status.devices.iter().filter(|known| known.expires_at.is_some()).map(|known| known.profile.as_str()))
        .collect();
    match open.as_slice() {
        [session] => Ok((*session).to_owned()),
        [] => Err(Failure::new(Kind::Failed, "no sign-in session is signed in").mend("tegata status")),
        [first, ..] => {
            let message = format!("several sign-in sessions are signed in: {}", open.join(", "));
            Err(Failure::new(Kind::Usage, message).mend(format!("tegata logout {first}")))
        }
    }
}

fn outcome(done: &SignedOut) -> String {
    let session = one_line(&done.session);
    let revoked = match (done.revoked_upstream, &done.detail) {
        (true, _) => format!("Signed out of {session}: AWS ended the sign-in, and its tokens are forgotten here."),
        (false, Some(detail)) => {
            format!("Signed out of {session} here only: AWS did not confirm it ({}).", one_line(detail))
        }
        (false, None) => format!("Signed out of {session} here only: AWS did not confirm it."),
    };
    format!("{revoked}\nRole credentials that tools already hold live on until they expire.")
}
