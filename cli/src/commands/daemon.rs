//! `tegata daemon start|stop|status`: the daemon itself. Every other command starts it when it is needed.

use crate::client::{BRIEFLY, Client};
use crate::environment::Environment;
use crate::failure::{Failure, Kind};
use crate::output::{self, Progress};
use crate::start::Waits;
use clap::{Args, Subcommand};
use std::time::Duration;
use tegata_protocol::body::Status;
use tegata_protocol::{paths, text::one_line};

/// How long the daemon may take to finish what is under way.
const STOP_PATIENCE: Duration = Duration::from_secs(30);

/// Start or stop the daemon, or see whether it runs.
///
/// Other commands start it when it is needed; it holds what is signed in and in memory.
#[derive(Subcommand)]
pub(crate) enum Daemon {
    Start(Start),
    Stop(Stop),
    Status(DaemonStatus),
}

/// Start the daemon if it does not run.
#[derive(Args)]
#[command(after_help = "\
Example:
  tegata daemon start")]
pub(crate) struct Start {}

/// End the daemon once what is under way is done.
///
/// Sign-ins are kept in the keyring; the next command or tool starts it again.
#[derive(Args)]
#[command(after_help = "\
Example:
  tegata daemon stop && tegata daemon start       after an update of its settings")]
pub(crate) struct Stop {}

/// Say whether the daemon runs; exit code 16 when it does not.
#[derive(Args)]
#[command(after_help = "\
Example:
  tegata daemon status || echo not running")]
pub(crate) struct DaemonStatus {}

impl Daemon {
    pub(crate) fn run(&self, environment: &Environment) -> Result<(), Failure> {
        let client = Client::new(environment)?;
        match self {
            Self::Start(_) => start(&client),
            Self::Stop(_) => stop(&client.without_starting()),
            Self::Status(_) => status(&client.without_starting()),
        }
    }
}

fn start(client: &Client<'_>) -> Result<(), Failure> {
    let progress = Progress::begin("starting tegatad");
    let status: Status = client.get(paths::STATUS, BRIEFLY)?;
    drop(progress);
    output::say(&running(&status, &client.socket()))
}

fn status(client: &Client<'_>) -> Result<(), Failure> {
    let status: Status = client.get(paths::STATUS, BRIEFLY)?;
    output::say(&running(&status, &client.socket()))
}

fn running(status: &Status, socket: &str) -> String {
    format!("tegatad {} runs at {} (pid {}).", one_line(&status.version), one_line(socket), status.pid)
}

fn stop(client: &Client<'_>) -> Result<(), Failure> {
    if !client.is_listened_to()? {
        return output::say("No tegatad runs.");
    }
    // A daemon of another protocol is ended all the same: that is what mends a mismatch.
    let before = client.get::<Status>(paths::STATUS, BRIEFLY).ok().map(|status| status.pid);
    let progress = Progress::begin("waiting for tegatad to finish");
    client.end_daemon()?;
    wait_until_it_ended(client, before)?;
    drop(progress);
    output::say("Stopped.")
}

/// Waits until nobody listens any more, or another daemon does: systemd keeps the socket, and tools may be quick.
fn wait_until_it_ended(client: &Client<'_>, before: Option<u32>) -> Result<(), Failure> {
    let mut waits = Waits::new(STOP_PATIENCE);
    while client.is_listened_to()? {
        let now = client.get::<Status>(paths::STATUS, BRIEFLY).ok().map(|status| status.pid);
        if before.is_some() && now.is_some() && before != now {
            return Ok(());
        }
        if waits.pause().is_none() {
            let message = format!("tegatad still listens {} s after it was told to end", STOP_PATIENCE.as_secs());
            return Err(Failure::new(Kind::Unreachable, message).mend("pkill -x tegatad"));
        }
    }
    Ok(())
}
