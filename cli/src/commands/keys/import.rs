//! `tegata keys import`: an access key out of the AWS files and into the keyring. The files are changed last, and only once the keyring
//! has given the key back and AWS has made a session with it.

use crate::aws_config::{self, Backups, Change, ConfigFile, Program};
use crate::client::{BRIEFLY, Client, Target};
use crate::environment::{self, Environment};
use crate::failure::{Failure, Kind};
use crate::http::{Method, Request};
use crate::key_files::{self, Files, Found, Removal};
use crate::output::{self, Progress};
use crate::signals::Signals;
use crate::{moment, question};
use clap::Args;
use std::time::Duration;
use tegata_protocol::keys::{ImportKey, ImportedKey};
use tegata_protocol::{Secret, paths, text::one_line};

/// How long proving a key may take: four requests to AWS, each tried again.
const PROVING: Duration = Duration::from_secs(90);

/// The longest trial in days.
const LONGEST_TRIAL: u16 = 90;

/// Move the access key of a profile from the AWS files into the keyring.
///
/// The key is proven by a signed call, kept, read back and used once. Then the profile is rewritten: Tegata serves it, and the plaintext is
/// removed, or with --trial put aside under names that no AWS tool reads. Keys of the root user are refused.
#[derive(Args)]
#[command(after_help = "\
Examples:
  tegata keys import dev
  tegata keys import --trial 7d dev        keep the plaintext beside it for a week; tegata status reminds
  tegata keys import --finish dev          remove what the trial has put aside")]
pub(crate) struct Import {
    /// The profile
    profile: String,
    /// Put the plaintext aside for so many days in place of removing it, for instance 7d
    #[arg(long, value_name = "DAYS", value_parser = days)]
    trial: Option<u16>,
    /// Remove what a trial has put aside
    #[arg(long, conflicts_with = "trial")]
    finish: bool,
    /// Write without asking
    #[arg(long)]
    yes: bool,
}

fn days(text: &str) -> Result<u16, &'static str> {
    let number = text.strip_suffix('d').filter(|digits| digits.bytes().all(|byte| byte.is_ascii_digit()));
    let fits = number.and_then(|digits| digits.parse().ok()).filter(|days| (1..=LONGEST_TRIAL).contains(days));
    fits.ok_or("a trial is written 7d, and is 90 days at most")
}

/// The AWS files as they were read.
struct Read {
    config: ConfigFile,
    credentials: ConfigFile,
}

impl Read {
    fn of(environment: &Environment) -> Result<Self, Failure> {
        let config = ConfigFile::read(&aws_config::path(environment)?)?;
        Ok(Self { config, credentials: ConfigFile::read(&aws_config::credentials_path(environment)?)? })
    }

    fn files(&self) -> Files<'_> {
        Files { config: &self.config, credentials: &self.credentials }
    }
}

impl Import {
    pub(crate) fn run(self, environment: &Environment) -> Result<(), Failure> {
        // Held while the person thinks, too: nobody else writes these files meanwhile.
        let backups = Backups::hold(environment)?;
        let read = Read::of(environment)?;
        if self.finish {
            return self.end_trial(&read, &backups, environment);
        }
        let found = read.files().find(&self.profile)?;
        let program = Program::of_this_process(environment)?;
        let imported = into_keyring(&found, environment)?;
        output::tell(&told(&imported));
        let until = self.trial.map(|days| moment::day_of(environment::now() + i64::from(days) * 86_400));
        let removal = until.map_or(Removal::Now, |until| Removal::Trial { until });
        let moved = key_files::moved(read.files(), &self.profile, &imported.user, &program, &removal)?;
        if !self.agreed(&[&moved.credentials, &moved.config])? {
            return output::say("The files are as they were; the keyring has the key as well.");
        }
        self.write(moved.config, moved.credentials, &backups, &found.secret, removal == Removal::Now)?;
        output::say(&self.done(&found, &removal))
    }

    fn end_trial(&self, read: &Read, backups: &Backups, environment: &Environment) -> Result<(), Failure> {
        let aside = read.files().put_aside(&self.profile)?;
        // Whatever the key is by now: the profile is served without the plaintext, or nothing is removed.
        let target =
            Target::new(paths::CREDENTIALS).with(paths::QUERY_PROFILE, Some(&self.profile)).with_config(environment);
        Client::new(environment)?.send(&Request::new(Method::Get, target.as_str(), None), BRIEFLY)?;
        let moved = key_files::finished(read.files(), &self.profile)?;
        if !self.agreed(&[&moved.credentials, &moved.config])? {
            return output::say("The files are as they were.");
        }
        self.write(moved.config, moved.credentials, backups, &aside, true)?;
        output::say(&format!("The plaintext of the access key of {} is removed.", one_line(&self.profile)))
    }

    /// Config first: until the credentials file is changed, every client uses what it has.
    fn write(
        &self,
        config: Change,
        credentials: Change,
        backups: &Backups,
        secret: &Secret,
        removed: bool,
    ) -> Result<(), Failure> {
        let secret = secret.expose_secret().as_bytes();
        config.write_without(backups, secret)?;
        credentials.write_unkept()?;
        if removed { backups.forget(secret) } else { Ok(()) }
    }

    fn agreed(&self, changes: &[&Change]) -> Result<bool, Failure> {
        for change in changes {
            output::write_stdout(change.diff().as_bytes())?;
        }
        if self.yes {
            return Ok(true);
        }
        if !question::somebody_is_there() {
            return Err(Failure::new(Kind::Usage, "nobody is there to agree to this; --yes writes it"));
        }
        question::yes("Write this? [y/N] ", &Signals::catch()?)
    }

    fn done(&self, found: &Found, removal: &Removal) -> String {
        let profile = one_line(&self.profile);
        let mut lines = vec![match removal {
            Removal::Now => format!("Tegata serves {profile} now, and the plaintext of its access key is removed."),
            Removal::Trial { until } => format!(
                "Tegata serves {profile} now. The plaintext is put aside until {until}; then run: tegata keys import --finish {profile}"
            ),
        }];
        lines.extend(found.also_in.iter().map(|other| format!("The same key still lies in {other}.")));
        lines.push(format!("It has lain in a file: turn it over with: tegata keys rotate {profile}"));
        lines.join("\n")
    }
}

fn into_keyring(found: &Found, environment: &Environment) -> Result<ImportedKey, Failure> {
    let client = Client::new(environment)?;
    let progress = Progress::begin("proving the access key");
    let offered = ImportKey {
        access_key_id: found.id.clone(),
        secret_access_key: found.secret.clone(),
        region: found.region.clone(),
    };
    let imported = client.post_within(paths::ACCESS_KEYS, &offered, PROVING)?;
    drop(progress);
    Ok(imported)
}

fn told(imported: &ImportedKey) -> String {
    let (user, last_four) = (one_line(&imported.user), one_line(&imported.last_four));
    match &imported.in_use {
        None => format!("Access key …{last_four} of {user} is in the keyring."),
        Some(other) => format!(
            "The keyring has access key …{} of {user} already, which works; …{last_four} is not needed (see: tegata keys report).",
            one_line(other)
        ),
    }
}
