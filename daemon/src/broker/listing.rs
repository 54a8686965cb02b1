//! Inventories of accounts and roles, as people ask for them.

use super::Broker;
use crate::audit::Event;
use crate::caller::Caller;
use crate::problem::Problem;
use std::path::Path;
use std::time::Duration;
use tegata_protocol::inventory::{BeginInventory, Inventory};
use tegata_protocol::{ErrorBody, ErrorCode};

impl Broker {
    /// Begins an inventory of a sign-in session, goes on with one that was interrupted, or joins the one under way.
    ///
    /// # Errors
    /// Why it cannot begin.
    pub async fn begin_inventory(&self, caller: &Caller, request: BeginInventory) -> Result<Inventory, ErrorBody> {
        self.unlocked()?;
        self.gated.leads_as_accepted().await?;
        let config = self.config(request.config.as_deref().map(Path::new)).await?;
        let session = config.find_sign_in(request.session.as_deref()).map_err(Problem::from)?;
        let begun = self.inventories.begin(&session).await;
        self.note(Some(caller), &Event::InventoryBegan { session: &session.name });
        Ok(begun)
    }

    /// Says how an inventory stands, at its next step or once `wait` is over.
    ///
    /// # Errors
    /// [`ErrorCode::NotFound`], and [`ErrorCode::BadRequest`] for a page that none has.
    pub async fn inventory(&self, id: &str, wait: Duration, page: Option<&str>) -> Result<Inventory, ErrorBody> {
        let page = page.map_or(Ok(0), str::parse::<usize>);
        let page = page.map_err(|_| ErrorBody::new(ErrorCode::BadRequest, "no such page"))?;
        let found = self.inventories.stands(id, wait.min(self.longest_wait), page).await;
        found.ok_or_else(no_such_inventory)
    }

    /// Stops an inventory; what it found stays for the next.
    ///
    /// # Errors
    /// [`ErrorCode::NotFound`].
    pub async fn stop_inventory(&self, id: &str) -> Result<(), ErrorBody> {
        if self.inventories.stop(id).await { Ok(()) } else { Err(no_such_inventory()) }
    }
}

fn no_such_inventory() -> ErrorBody {
    ErrorBody::new(ErrorCode::NotFound, "there is no such inventory, or it was stopped").mend("tegata setup")
}
