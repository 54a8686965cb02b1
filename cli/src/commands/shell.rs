//! `tegata shell`: a shell of the person's that has the credentials of a profile until it is left.

use super::exec::{self, Of, Way};
use crate::environment::Environment;
use crate::failure::{Failure, Kind};
use clap::Args;
use std::ffi::OsString;
use std::path::Path;
use tegata_protocol::text::one_line;

/// What is there where SHELL names nothing that can be run.
const LAST_RESORT: &str = "/bin/sh";

/// Open a shell with the credentials of a profile.
///
/// Your own shell ($SHELL), with an endpoint as `tegata exec` has it; `exit` leaves it. TEGATA_PROFILE in it names the profile.
#[derive(Args)]
#[command(after_help = "\
Examples:
  tegata shell dev
  tegata shell prod-admin --read-only
  tegata shell other --nested              within a shell of another profile")]
pub(crate) struct Shell {
    #[command(flatten)]
    of: Of,
    #[command(flatten)]
    way: Way,
    /// Open it within another one
    #[arg(long)]
    nested: bool,
}

impl Shell {
    pub(crate) fn run(self, environment: &Environment) -> Result<(), Failure> {
        refuse_nesting(self.nested, environment)?;
        exec::run(&self.of, &self.way, &[shell(environment)], environment)
    }
}

/// A shell in a shell looks like a change of profile, and leaving it like signing out: both are misleading.
fn refuse_nesting(nested: bool, environment: &Environment) -> Result<(), Failure> {
    // Where `tg` has switched a shell, AWS_PROFILE says the same: that is no shell of ours.
    let outer =
        environment.get("TEGATA_PROFILE").filter(|outer| environment.get("AWS_PROFILE").as_ref() != Some(outer));
    match outer.filter(|_| !nested) {
        None => Ok(()),
        Some(outer) => {
            let outer = one_line(&outer.to_string_lossy());
            let message = format!("this is a shell of {outer} already; leave it, or pass --nested");
            Err(Failure::new(Kind::Usage, message).mend("exit"))
        }
    }
}

fn shell(environment: &Environment) -> OsString {
    let named = environment.get("SHELL").filter(|shell| Path::new(shell).is_absolute() && Path::new(shell).is_file());
    named.unwrap_or_else(|| LAST_RESORT.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shell_within_a_shell_has_to_be_wanted() {
        let within = Environment::of(&[("TEGATA_PROFILE", "dev\u{1b}[2J")]);
        let failure = refuse_nesting(false, &within).unwrap_err();
        assert_eq!(failure.exit_code(), 2);
        assert!(failure.line().unwrap().ends_with("leave it, or pass --nested; run: exit"), "{:?}", failure.line());
        assert!(!failure.line().unwrap().contains('\u{1b}'));
        assert!(refuse_nesting(true, &within).is_ok());
        assert!(refuse_nesting(false, &Environment::of(&[])).is_ok());
        let switched = Environment::of(&[("TEGATA_PROFILE", "dev"), ("AWS_PROFILE", "dev")]);
        assert!(refuse_nesting(false, &switched).is_ok(), "tg dev is no shell of ours");
        let served = Environment::of(&[("TEGATA_PROFILE", "dev"), ("AWS_PROFILE", "dev@tegata")]);
        assert!(refuse_nesting(false, &served).is_err());
    }

    #[test]
    fn the_shell_is_the_persons_own_if_it_is_one() {
        let of = |shell| super::shell(&Environment::of(&[("SHELL", shell)]));
        assert_eq!(of("/bin/bash"), "/bin/bash");
        for other in ["", "bash", "/nowhere/zsh", "/bin"] {
            assert_eq!(of(other), LAST_RESORT, "{other:?}");
        }
    }
}
