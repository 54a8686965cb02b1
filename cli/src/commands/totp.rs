//! `tegata totp`: the seeds of MFA devices in the keyring. A seed comes by standard input or in a picture, never by an argument.

use crate::client::{BRIEFLY, Client, Target};
use crate::environment::Environment;
use crate::failure::{Failure, Kind};
use crate::hidden;
use crate::output;
use crate::question;
use crate::signals::Signals;
use crate::start;
use clap::Subcommand;
use std::io::Read;
use std::path::{Path, PathBuf};
use tegata_protocol::text::one_line;
use tegata_protocol::totp::{AddSeed, MfaDevice, Seeds};
use tegata_protocol::{Secret, paths};

/// The most bytes of a URI that are read.
const LONGEST: usize = 4096;
/// The most bytes of a picture; the daemon's program reads no more.
const LARGEST_PICTURE: u64 = 8 * 1024 * 1024;

/// Keep the seed of an MFA device in the keyring, so that nobody has to type codes.
///
/// Whoever can read the keyring then has both factors: the gate of a profile is what stands before it.
#[derive(Subcommand)]
#[command(after_help = "\
Examples:
  tegata totp add deploy                     the otpauth:// URI, or the secret key, from the terminal or standard input
  tegata totp add deploy --qr code.png       from a picture of the QR code that AWS shows
  tegata totp list
  tegata totp remove deploy")]
pub(crate) enum Totp {
    /// Keep the seed of the MFA device that a profile names
    #[command(after_help = "\
Examples:
  tegata totp add deploy
  tegata totp add deploy --qr code.png")]
    Add {
        /// The profile
        profile: String,
        /// Read the seed from this picture of a QR code (PNG)
        #[arg(long, value_name = "FILE")]
        qr: Option<PathBuf>,
    },
    /// List the MFA devices that profiles name, and where their codes come from
    #[command(after_help = "\
Example:
  tegata totp list")]
    List,
    /// Forget the seed of the MFA device that a profile names
    #[command(after_help = "\
Example:
  tegata totp remove deploy")]
    Remove {
        /// The profile
        profile: String,
    },
}

impl Totp {
    pub(crate) fn run(self, environment: &Environment) -> Result<(), Failure> {
        match self {
            Self::Add { profile, qr } => add(profile, qr.as_deref(), environment),
            Self::List => list(environment),
            Self::Remove { profile } => remove(&profile, environment),
        }
    }
}

fn add(profile: String, picture: Option<&Path>, environment: &Environment) -> Result<(), Failure> {
    let uri = match picture {
        Some(picture) => start::read_qr(&read_picture(picture)?)?,
        None => typed()?,
    };
    let config = super::config_file(environment)?;
    let device: MfaDevice = Client::new(environment)?.post(paths::TOTP_SEEDS, &AddSeed { profile, config, uri })?;
    output::say(&format!(
        "The seed of {} is in the keyring; the first use of it proves it.",
        one_line(&device.serial)
    ))?;
    if let Some(picture) = picture {
        output::tell(&format!("The picture still holds the seed: rm {}", one_line(&picture.display().to_string())));
    }
    Ok(())
}

fn typed() -> Result<Secret, Failure> {
    if question::somebody_is_there() {
        let signals = Signals::catch()?;
        return hidden::line("otpauth:// URI, or the secret key (it stays unseen): ", LONGEST, &signals);
    }
    let mut text = String::new();
    let read = std::io::stdin().lock().take(LONGEST as u64 + 1).read_to_string(&mut text);
    read.map_err(|error| Failure::new(Kind::Failed, format!("cannot read the seed: {error}")))?;
    Ok(Secret::new(text))
}

fn read_picture(path: &Path) -> Result<Vec<u8>, Failure> {
    let shown = one_line(&path.display().to_string());
    let cannot = |why: String| Failure::new(Kind::Failed, format!("cannot read {shown}: {why}"));
    let file = std::fs::File::open(path).map_err(|error| cannot(error.to_string()))?;
    let metadata = file.metadata().map_err(|error| cannot(error.to_string()))?;
    if !metadata.is_file() || metadata.len() > LARGEST_PICTURE {
        return Err(cannot(format!("it is no file of at most {} MiB", LARGEST_PICTURE / (1024 * 1024))));
    }
    let mut bytes = Vec::new();
    file.take(LARGEST_PICTURE).read_to_end(&mut bytes).map_err(|error| cannot(error.to_string()))?;
    Ok(bytes)
}

fn list(environment: &Environment) -> Result<(), Failure> {
    let target = Target::new(paths::TOTP_SEEDS).with_config(environment);
    let seeds: Seeds = Client::new(environment)?.get(target.as_str(), BRIEFLY)?;
    if seeds.devices.is_empty() {
        return output::say("No profile names an MFA device (mfa_serial).");
    }
    for device in &seeds.devices {
        let from = match (&device.command, device.seed) {
            (Some(program), _) => format!("codes from {}", one_line(program)),
            (None, Some(true)) => "seed in the keyring".to_owned(),
            (None, Some(false)) => "codes by hand".to_owned(),
            (None, None) => "the keyring cannot say".to_owned(),
        };
        let (serial, profile) = (one_line(&device.serial), one_line(&device.profile));
        output::say(&format!("{serial}  {profile}  {from}"))?;
    }
    Ok(())
}

fn remove(profile: &str, environment: &Environment) -> Result<(), Failure> {
    let target = Target::new(paths::TOTP_SEEDS).with(paths::QUERY_PROFILE, Some(profile)).with_config(environment);
    let device: MfaDevice = Client::new(environment)?.delete(target.as_str())?;
    let serial = one_line(&device.serial);
    if device.seed == Some(true) {
        return output::say(&format!(
            "The seed of {serial} is forgotten; codes are given by hand: tegata login {}",
            one_line(profile)
        ));
    }
    Err(Failure::new(Kind::Failed, format!("the keyring has no seed of {serial}")).mend("tegata totp list"))
}
