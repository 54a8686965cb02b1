//! `tegata lock` and `tegata unlock`.

use crate::client::{Client, Removal};
use crate::environment::Environment;
use crate::failure::{Failure, Kind};
use crate::hand::{self, Hand, Owner, PageOptions, Showing};
use crate::output::{self, Progress};
use crate::signals::Signals;
use clap::Args;
use tegata_protocol::gate::HandRequest;
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
///
/// Where a passkey is enrolled, a gesture is asked for.
#[derive(Args)]
#[command(after_help = "\
Example:
  tegata unlock")]
pub(crate) struct Unlock {
    #[command(flatten)]
    page: PageOptions,
}

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
        // Needed only where a passkey is enrolled, which the daemon knows.
        let showing = self.page.showing(environment);
        let client = Client::new(environment)?;
        let progress = Progress::begin("unlocking");
        let unlocked: Removal<body::Lock> = client.delete_by_hand(paths::LOCK)?;
        drop(progress);
        match unlocked {
            Removal::Done(lock) if lock.locked => {
                return Err(Failure::new(Kind::Failed, "tegatad is still locked").mend("tegata unlock"));
            }
            Removal::Done(_) => {}
            Removal::AwaitsHand(request) => unlock_by_hand(&request, showing, client, environment)?,
        }
        output::say("Unlocked.")
    }
}

fn unlock_by_hand(
    request: &HandRequest,
    showing: Result<Showing, Failure>,
    client: Client<'_>,
    environment: &Environment,
) -> Result<(), Failure> {
    let showing = showing.inspect_err(|_| hand::withdraw(environment, request))?;
    let signals = Signals::catch()?;
    let client = client.without_starting().ended_by(&signals);
    let again = "tegata unlock".to_owned();
    let hand = Hand { client: &client, signals: &signals, environment, showing, owner: Owner::ThisCommand, again };
    hand.give(request, None).map(|_| ())
}
