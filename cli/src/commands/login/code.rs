//! The code of an MFA device: asked for in the terminal, given to the daemon, and no further.

use super::{BETWEEN_WAITS, ONE_WAIT};
use crate::client::{Client, Target, below};
use crate::environment::Environment;
use crate::failure::{Failure, Kind};
use crate::hidden;
use crate::output::{self, Progress};
use crate::question;
use crate::signals::Signals;
use std::io::BufRead;
use tegata_protocol::body::{SignIn, SignInState};
use tegata_protocol::text::one_line;
use tegata_protocol::totp::GiveCode;
use tegata_protocol::{ErrorCode, Secret, paths};

/// The most bytes of a line that is read.
const LONGEST_LINE: usize = 256;

/// A sign-in that a person's code may finish.
pub(super) struct Asking<'a> {
    pub(super) client: &'a Client<'a>,
    pub(super) signals: &'a Signals,
    pub(super) environment: &'a Environment,
}

impl Asking<'_> {
    /// Follows the sign-in to its end, and ends it when the person goes away.
    pub(super) fn sign_in(&self, sign_in: SignIn) -> Result<(), Failure> {
        let (id, profile) = (sign_in.id.clone(), one_line(&sign_in.session));
        match self.follow(sign_in) {
            Ok(()) => {
                output::tell(&format!("Signed in to {profile}."));
                Ok(())
            }
            Err(failure) => {
                // Asked anew: the signal that ended the other client must not end this one.
                if let Ok(client) = Client::new(self.environment) {
                    let _ = client.without_starting().forget(&below(paths::SIGN_INS, &id));
                }
                Err(failure)
            }
        }
    }

    fn follow(&self, mut sign_in: SignIn) -> Result<(), Failure> {
        loop {
            if let Some(failure) = self.signals.failure() {
                return Err(failure);
            }
            match (&sign_in.state, &sign_in.device) {
                (SignInState::Done { .. }, _) => return Ok(()),
                (SignInState::Failed { error }, _) => return Err(Failure::reported(error)),
                (SignInState::Pending, None) => sign_in = self.wait(&sign_in.id)?,
                (SignInState::Pending, Some(device)) => {
                    if let Some(said) = &sign_in.said {
                        output::tell(&one_line(said));
                    }
                    let code = self.ask(device)?;
                    let target = format!("{}/{}", below(paths::SIGN_INS, &sign_in.id), paths::CODE);
                    sign_in = self.client.post(&target, &GiveCode { code })?;
                }
            }
        }
    }

    fn wait(&self, id: &str) -> Result<SignIn, Failure> {
        let _progress = Progress::begin("asking AWS");
        let target =
            Target::new(below(paths::SIGN_INS, id)).with(paths::QUERY_WAIT, Some(ONE_WAIT.as_secs().to_string()));
        let sign_in = self.client.get::<SignIn>(target.as_str(), ONE_WAIT)?;
        std::thread::sleep(BETWEEN_WAITS);
        Ok(sign_in)
    }

    /// Nothing typed is no code, and ends it.
    fn ask(&self, device: &str) -> Result<Secret, Failure> {
        let device = one_line(device);
        let typed = if question::somebody_is_there() {
            hidden::line(&format!("Code of MFA device {device} (it stays unseen): "), LONGEST_LINE, self.signals)?
        } else {
            first_line().map_err(|error| Failure::new(Kind::Failed, format!("cannot read the code: {error}")))?
        };
        let code: String = typed.expose_secret().chars().filter(|c| !c.is_whitespace()).collect();
        if code.is_empty() {
            let message = format!("MFA device {device} wants a code, and none was given");
            return Err(Failure::new(Kind::Reported(ErrorCode::SignInFailed), message));
        }
        Ok(Secret::new(code))
    }
}

fn first_line() -> std::io::Result<Secret> {
    let mut line = String::new();
    std::io::Read::take(std::io::stdin().lock(), LONGEST_LINE as u64).read_line(&mut line)?;
    Ok(Secret::new(line))
}
