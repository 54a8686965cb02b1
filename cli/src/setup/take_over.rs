//! `tegata setup` for what is there already: profiles adopted, another tool's taken over, the last change taken back.

use super::adopt::{self, Login};
use super::from::{self, Peer};
use crate::aws_config::{self, Backups, Change, ConfigFile, Program};
use crate::client::{BRIEFLY, Client, Target};
use crate::environment::Environment;
use crate::failure::{Failure, Kind};
use crate::hand::text::command;
use crate::signals::Signals;
use crate::{output, question};
use clap::Args;
use tegata_protocol::body::{SessionState, Status};
use tegata_protocol::{ErrorCode, paths, text::one_line};

/// What is to be done with what is there already.
#[derive(Args, Debug)]
pub(crate) struct TakeOver {
    /// Serve these existing profiles, in place and under their names, with the profiles they stand on
    #[arg(long, value_name = "PROFILE", num_args = 1.., conflicts_with_all = ["from", "undo"])]
    adopt: Vec<String>,
    /// Serve the profiles of another tool, in place and under their names
    #[arg(long, value_name = "TOOL", value_enum, conflicts_with = "undo")]
    from: Option<Peer>,
    /// Put the AWS config file back as it was before setup wrote it last
    #[arg(long)]
    undo: bool,
    /// Undo although the file was edited since
    #[arg(long, requires = "undo")]
    force: bool,
}

/// How what would be written is agreed to.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Agreement {
    /// Show it and write nothing.
    pub(crate) dry_run: bool,
    /// Write without asking.
    pub(crate) yes: bool,
}

impl TakeOver {
    /// Returns whether anything of this was asked for.
    pub(crate) fn is_asked_for(&self) -> bool {
        !self.adopt.is_empty() || self.from.is_some() || self.undo
    }

    /// Does it.
    pub(crate) fn run(self, agreement: Agreement, environment: &Environment) -> Result<(), Failure> {
        if self.undo {
            return undo(self.force, agreement, environment);
        }
        // Held while the person thinks, too: two setups at once would each show what the other undoes.
        let backups = if agreement.dry_run { None } else { Some(Backups::hold(environment)?) };
        match self.from {
            Some(peer) => take_over(peer, backups.as_ref(), agreement, environment),
            None => adopt(&self.adopt, backups.as_ref(), agreement, environment),
        }
    }
}

/// The files that a command is about.
pub(super) struct Files {
    pub(super) config: ConfigFile,
    pub(super) credentials: ConfigFile,
    pub(super) program: Program,
}

impl Files {
    pub(super) fn read(environment: &Environment) -> Result<Self, Failure> {
        let config = ConfigFile::read(&aws_config::path(environment)?)?;
        for warning in config.warnings() {
            output::tell(&format!("tegata: {}: {}", config.path().display(), one_line(warning)));
        }
        let credentials = ConfigFile::read(&aws_config::credentials_path(environment)?)?;
        Ok(Self { config, credentials, program: Program::of_this_process(environment)? })
    }
}

fn adopt(
    names: &[String],
    backups: Option<&Backups>,
    agreement: Agreement,
    environment: &Environment,
) -> Result<(), Failure> {
    let files = Files::read(environment)?;
    let adoption = adopt::plan(&files.config, &files.credentials, names, &files.program)?;
    if !adoption.sources.is_empty() {
        output::tell(&format!("Also adopted, because the others stand on them: {}", listed(&adoption.sources)));
    }
    signed_in(&adoption.logins, environment)?;
    write(adoption.change, backups, agreement, &served(&adoption.profiles))
}

/// What `aws login` keeps is its own: who is to be served has to have signed in here.
fn signed_in(logins: &[Login], environment: &Environment) -> Result<(), Failure> {
    if logins.is_empty() {
        return Ok(());
    }
    let target = Target::new(paths::STATUS).with_config(environment);
    let status: Status = Client::new(environment)?.get(target.as_str(), BRIEFLY)?;
    let is_in = |login: &&Login| {
        let mut known = status.identities.iter().filter(|known| known.arn == login.identity);
        known.any(|known| known.state == SessionState::SignedIn)
    };
    let Some(missing) = logins.iter().find(|login| !is_in(login)) else { return Ok(()) };
    let (who, profile) = (one_line(&missing.identity), one_line(&missing.profile));
    let message = format!(
        "{who} of profile {profile} has not signed in to the console here; a sign-in of aws login stays its own"
    );
    let failure = Failure::new(Kind::Reported(ErrorCode::SignInRequired), message);
    Err(failure.mend(command("tegata login --console", &missing.profile)))
}

fn take_over(
    peer: Peer,
    backups: Option<&Backups>,
    agreement: Agreement,
    environment: &Environment,
) -> Result<(), Failure> {
    let files = Files::read(environment)?;
    let taken = from::plan(peer, &files.config, &files.credentials, &files.program, environment)?;
    for (name, why) in &taken.left {
        output::tell(&format!("Left as it is: {}: {}", one_line(name), one_line(why)));
    }
    for note in &taken.notes {
        output::tell(&format!("Note: {note}"));
    }
    write(taken.change, backups, agreement, &served(&taken.profiles))
}

fn undo(force: bool, agreement: Agreement, environment: &Environment) -> Result<(), Failure> {
    let path = aws_config::path(environment)?;
    let backups = Backups::hold(environment)?;
    let undo = backups.undo(&path, force)?;
    let path = one_line(&path.to_string_lossy());
    if !agreed(&undo.diff(), &format!("Put {path} back like this?"), agreement)? {
        return Ok(());
    }
    let kept = undo.write(&backups)?;
    if let Some(kept) = kept {
        output::tell(&format!("What was edited since is kept in {}", one_line(&kept.to_string_lossy())));
    }
    output::say(&format!("{path} is as it was."))
}

pub(super) fn write(
    change: Change,
    backups: Option<&Backups>,
    agreement: Agreement,
    done: &str,
) -> Result<(), Failure> {
    if change.is_empty() {
        return output::say("There is nothing to change.");
    }
    let path = one_line(&change.path().to_string_lossy());
    if !agreed(&change.diff(), &format!("Write this to {path}?"), agreement)? {
        return Ok(());
    }
    let Some(backups) = backups else { return Ok(()) };
    change.write(backups)?;
    output::say(&format!("{done}\nTake it back with: tegata setup --undo"))
}

/// Shows a difference and asks, where that was not settled on the command line. A no is an answer, not a failure.
fn agreed(diff: &str, question: &str, agreement: Agreement) -> Result<bool, Failure> {
    output::write_stdout(diff.as_bytes())?;
    if agreement.dry_run {
        output::tell("Nothing is written: --dry-run.");
        return Ok(false);
    }
    if agreement.yes {
        return Ok(true);
    }
    if !question::somebody_is_there() {
        return Err(Failure::new(Kind::Usage, "nobody is there to agree to this; --yes writes it, --dry-run does not"));
    }
    let yes = question::yes(&format!("{question} [y/N] "), &Signals::catch()?)?;
    if !yes {
        output::tell("Nothing is written.");
    }
    Ok(yes)
}

fn served(profiles: &[String]) -> String {
    match profiles {
        [] => "No profile is served by Tegata now that was not before.".to_owned(),
        [one] => format!("Tegata serves {} now.", one_line(one)),
        many => format!("Tegata serves {} profiles now: {}", many.len(), listed(many)),
    }
}

/// Names in one line, at most so many that it stays one.
fn listed(names: &[String]) -> String {
    const SHOWN: usize = 10;
    let shown: Vec<_> = names.iter().take(SHOWN).map(|name| one_line(name)).collect();
    let more = if names.len() > SHOWN { format!(" and {} more", names.len() - SHOWN) } else { String::new() };
    format!("{}{more}", shown.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_listed_in_one_line() {
        let many: Vec<_> = (0..12).map(|number| format!("p{number}")).collect();
        assert_eq!(served(&many[..1]), "Tegata serves p0 now.");
        assert_eq!(served(&many), "Tegata serves 12 profiles now: p0, p1, p2, p3, p4, p5, p6, p7, p8, p9 and 2 more");
    }
}
