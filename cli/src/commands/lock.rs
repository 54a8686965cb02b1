//! `tegata lock` and `tegata unlock`.

use crate::client::Client;
use crate::environment::Environment;
use crate::failure::{Failure, Kind};
use crate::output::{self, Progress};
use clap::Args;
use tegata_protocol::{body, paths};

/// Forget all credentials now and hand out nothing until `tegata unlock`.
///
/// Sign-ins are kept. Credentials that tools already hold live on until they expire: AWS has no way to take them back.
#[derive(Args)]
#[command(after_help = "\
Example:
  tegata lock && systemctl suspend")]
pub(crate) struct Lock {}

/// Hand out credentials again after `tegata lock`.
#[derive(Args)]
#[command(after_help = "\
Example:
  tegata unlock")]
pub(crate) struct Unlock {}

impl Lock {
    pub(crate) fn run(&self, environment: &Environment) -> Result<(), Failure> {
        let client = Client::new(environment)?;
        let progress = Progress::begin("locking");
        let lock: body::Lock = client.put(paths::LOCK)?;
        drop(progress);
        if !lock.locked {
            return Err(Failure::new(Kind::Failed, "tegatad is still unlocked").mend("tegata daemon stop"));
        }
        output::say("Locked: credentials are forgotten, and none are handed out until `tegata unlock`.")
    }
}

impl Unlock {
    pub(crate) fn run(&self, environment: &Environment) -> Result<(), Failure> {
        let client = Client::new(environment)?;
        let progress = Progress::begin("unlocking");
        let lock: body::Lock = client.delete(paths::LOCK)?;
        drop(progress);
        if lock.locked {
            return Err(Failure::new(Kind::Failed, "tegatad is still locked").mend("tegata unlock"));
        }
        output::say("Unlocked.")
    }
}
