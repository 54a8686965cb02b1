//! `tegata adopt-session`: moves a live sign-in of AWS CLI into the daemon. The file is removed last, so that whatever ends
//! this before leaves a sign-in that works.

use super::config_file;
use crate::client::{BRIEFLY, Client, Target, below};
use crate::environment::{self, Environment};
use crate::failure::{Failure, Kind};
use crate::moment;
use crate::output::{self, Progress};
use crate::sso_cache::{Cache, CachedSignIn};
use clap::Args;
use tegata_protocol::adoption::{Adopted, AdoptionProof};
use tegata_protocol::body::Session;
use tegata_protocol::{ErrorCode, paths, text::one_line};

/// Take over a sign-in that AWS CLI made, without signing in again.
///
/// It is moved, not copied: its refresh token is spent for a new one at once, and its file in ~/.aws/sso/cache is removed.
/// Afterwards AWS CLI is served by Tegata, or signs in by itself again.
#[derive(Args)]
#[command(after_help = "\
Examples:
  tegata adopt-session corp
  tegata adopt-session            where AWS CLI has one sign-in of a session that Tegata knows")]
pub(crate) struct AdoptSession {
    /// The sign-in session [default: the only one that AWS CLI is signed in to]
    session: Option<String>,
}

impl AdoptSession {
    pub(crate) fn run(self, environment: &Environment) -> Result<(), Failure> {
        let client = Client::new(environment)?;
        let cache = Cache::of(environment)?;
        let sessions = Target::new(paths::SESSIONS).with_config(environment);
        let sessions: Vec<Session> = client.get(sessions.as_str(), BRIEFLY)?;
        let (session, found) = choose(&cache, &sessions, self.session.as_deref())?;
        let offer = found.offer(&cache, &session.name, config_file(environment)?)?;
        let progress = Progress::begin("taking it over");
        let target = format!("{}/{}", below(paths::SESSIONS, &session.name), paths::ADOPT);
        let adopted: Adopted = client.post(&target, &offer)?;
        drop(progress);
        let removed = found.remove()?;
        if let Some(renewal) = &offer.renewal {
            cache.forget_client(&renewal.client_id);
        }
        output::say(&outcome(&adopted, &found.shown(), removed, environment::now()))
    }
}

/// Returns the session that is meant, and the sign-in that AWS CLI has for it.
fn choose<'a>(
    cache: &Cache,
    sessions: &'a [Session],
    wanted: Option<&str>,
) -> Result<(&'a Session, CachedSignIn), Failure> {
    let meant = |session: &&Session| wanted.is_none_or(|wanted| wanted == session.name || wanted == session.start_url);
    let meant: Vec<&Session> = sessions.iter().filter(meant).collect();
    let mut found = Vec::new();
    for session in &meant {
        match cache.find(&session.name, &session.start_url) {
            Ok(Some(sign_in)) => found.push((*session, sign_in)),
            Ok(None) => {}
            // With nothing said, a file that is none hides no other.
            Err(failure) if meant.len() == 1 => return Err(failure),
            Err(_) => {}
        }
    }
    match (found.len(), found.pop()) {
        (1, Some(only)) => Ok(only),
        (0, _) | (_, None) => Err(nothing(cache, sessions, &meant, wanted)),
        (count, Some((session, _))) => {
            let message = format!("AWS CLI has {count} sign-ins of sessions that Tegata knows; say which");
            Err(Failure::new(Kind::Usage, message).mend(format!("tegata adopt-session {}", session.name)))
        }
    }
}

fn nothing(cache: &Cache, sessions: &[Session], meant: &[&Session], wanted: Option<&str>) -> Failure {
    let names = sessions.iter().map(|session| session.name.as_str()).collect::<Vec<_>>().join(", ");
    match (meant, wanted) {
        ([], Some(wanted)) if !names.is_empty() => {
            let message = format!("there is no sign-in session {wanted:?}; those there are: {names}");
            Failure::new(Kind::Reported(ErrorCode::ProfileUnknown), message)
        }
        ([], _) => {
            let message = "the AWS config has no [sso-session] section";
            Failure::new(Kind::Reported(ErrorCode::ProfileInvalid), message).mend("aws configure sso-session")
        }
        ([first, ..], _) => {
            let message = format!("AWS CLI has no sign-in for {} in {}", wanted.unwrap_or(&names), cache.shown());
            let login = format!("tegata login {}", first.name);
            Failure::new(Kind::Reported(ErrorCode::SignInRequired), message).mend(login)
        }
    }
}

fn outcome(adopted: &Adopted, file: &str, removed: bool, now: i64) -> String {
    let session = one_line(&adopted.session);
    let proved = match adopted.proof {
        AdoptionProof::Renewed => {
            format!("Took over the sign-in to {session}: what AWS CLI had of it renews nothing any more.")
        }
        AdoptionProof::Portal => format!(
            "Took over the sign-in to {session}. Nothing renews it: it ends {}.",
            moment::shown(&one_line(&adopted.expires_at), now)
        ),
    };
    let file = one_line(file);
    let left =
        if removed { format!("{file} is removed.") } else { format!("{file} was written anew meanwhile and is left.") };
    format!("{proved}\n{left}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn adopted(proof: AdoptionProof) -> Adopted {
        Adopted { session: "corp\u{1b}".into(), proof, expires_at: "2026-11-22T09:49:58Z".into() }
    }

    #[test]
    fn what_was_done_is_said_in_two_printable_lines() {
        for (proof, removed) in [(AdoptionProof::Renewed, true), (AdoptionProof::Portal, false)] {
            let text = outcome(&adopted(proof), "/home/a/\u{202e}.json", removed, 1_795_338_478);
            assert_eq!(text.lines().count(), 2);
            assert!(!text.chars().any(|c| c != '\n' && tegata_protocol::text::is_hostile(c)), "{text:?}");
        }
        let text = outcome(&adopted(AdoptionProof::Portal), "f", true, 1_795_338_478);
        assert!(text.contains("it ends 2026-11-22 09:49 UTC (in 42 min)") && text.ends_with("f is removed."), "{text}");
    }
}
