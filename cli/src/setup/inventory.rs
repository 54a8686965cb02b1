//! Accounts and roles, fetched by the daemon while the person watches. What was fetched is the daemon's to keep: whoever goes
//! away finds it there the next time.

use crate::client::{BRIEFLY, Client, Target, below};
use crate::environment::Environment;
use crate::failure::{Failure, Kind};
use crate::output::{self, Count};
use crate::signals::Signals;
use std::time::Duration;
use tegata_protocol::inventory::{BeginInventory, Inventory, InventoryAccount, InventoryState};
use tegata_protocol::{ErrorCode, paths};

/// How long one request waits for progress.
const ONE_WAIT: Duration = Duration::from_secs(5);
/// Between two of them, so that a daemon that does not wait is not asked without end.
const BETWEEN_WAITS: Duration = Duration::from_millis(50);
/// How often it is begun again when the daemon went away meanwhile.
const BEGINNINGS: usize = 5;
/// The most pages that are read: a daemon that never ends its listing must not keep anybody.
const MAX_PAGES: usize = 10_000;

/// An inventory for a person who waits.
pub(crate) struct Fetch<'a> {
    pub(crate) environment: &'a Environment,
    pub(crate) signals: &'a Signals,
    pub(crate) session: &'a str,
    /// The AWS config file that has the sign-in session.
    pub(crate) config: &'a str,
}

/// What was fetched, and what that took.
pub(crate) struct Fetched {
    pub(crate) accounts: Vec<InventoryAccount>,
    /// How many accounts an earlier inventory had left behind.
    pub(crate) resumed_from: u32,
}

impl Fetch<'_> {
    /// Fetches all. A daemon that was restarted meanwhile goes on where it was.
    ///
    /// # Errors
    /// What AWS or the daemon said, or the signal that came; what was fetched until then is kept.
    pub(crate) fn all(&self) -> Result<Fetched, Failure> {
        let client = Client::new(self.environment)?.ended_by(self.signals);
        let mut count = Count::begin("accounts");
        let mut last = None;
        for _ in 0..BEGINNINGS {
            match self.once(&client, &mut count) {
                Err(failure) if is_gone(&failure) && !self.signals.any() => last = Some(failure),
                other => return other,
            }
        }
        Err(last
            .unwrap_or_else(|| Failure::new(Kind::Unreachable, "tegatad does not stay up").mend("tegata daemon start")))
    }

    fn once(&self, client: &Client<'_>, count: &mut Count) -> Result<Fetched, Failure> {
        let begin = BeginInventory { session: Some(self.session.to_owned()), config: Some(self.config.to_owned()) };
        let begun = client.post(paths::INVENTORIES, &begin);
        if self.signals.any() {
            self.stop(&begin);
        }
        let mut inventory: Inventory = begun?;
        loop {
            count.is_at(inventory.accounts_done, inventory.accounts_found);
            match inventory.state {
                InventoryState::Done => return self.pages(client, inventory),
                InventoryState::Failed => return Err(failed(&inventory)),
                InventoryState::Running => {}
            }
            std::thread::sleep(BETWEEN_WAITS);
            let asked = self.ask(client, &inventory.id, None);
            if let Some(failure) = self.signals.failure() {
                self.stop(&begin);
                return Err(failure);
            }
            inventory = asked?;
        }
    }

    fn ask(&self, client: &Client<'_>, id: &str, page: Option<&str>) -> Result<Inventory, Failure> {
        let wait = page.is_none().then(|| ONE_WAIT.as_secs().to_string());
        let target = Target::new(below(paths::INVENTORIES, id)).with(paths::QUERY_WAIT, wait);
        client.get(target.with(paths::QUERY_PAGE, page).as_str(), ONE_WAIT)
    }

    fn pages(&self, client: &Client<'_>, first: Inventory) -> Result<Fetched, Failure> {
        let (id, resumed_from) = (first.id.clone(), first.resumed_from);
        let (mut accounts, mut next) = (first.accounts, first.next_page);
        for _ in 0..MAX_PAGES {
            let Some(page) = next.take() else { break };
            let mut inventory = self.ask(client, &id, Some(&page))?;
            accounts.append(&mut inventory.accounts);
            next = inventory.next_page.filter(|following| *following != page);
        }
        Ok(Fetched { accounts, resumed_from })
    }

    /// Nobody waits any more. Joined anew: the signal that ended the other client must not end this one, and may have come before
    /// the inventory's id did.
    fn stop(&self, begin: &BeginInventory) {
        let stopped = Client::new(self.environment).map(Client::without_starting).and_then(|client| {
            let joined: Inventory = client.post(paths::INVENTORIES, begin)?;
            client.forget(&below(paths::INVENTORIES, &joined.id))
        });
        if stopped.is_ok() {
            output::tell("What was fetched is kept; the next run goes on from there.");
        }
    }
}

fn failed(inventory: &Inventory) -> Failure {
    match &inventory.error {
        Some(error) => Failure::reported(error),
        None => Failure::new(Kind::Reported(ErrorCode::Internal), "the accounts could not be listed"),
    }
}

/// Returns whether the daemon went away, and its inventory with it.
fn is_gone(failure: &Failure) -> bool {
    matches!(failure.kind, Kind::Unreachable | Kind::Reported(ErrorCode::NotFound | ErrorCode::ShuttingDown))
}

/// How long an answer may take that reads no more than a file.
pub(crate) const READING: Duration = BRIEFLY;
