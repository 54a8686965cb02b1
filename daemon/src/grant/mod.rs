//! Who may have what until when: the live grants of one daemon. In memory only, so a restart or a reboot ends them all.
//!
//! Time is boot time, which no wall clock can move and which goes on while the machine sleeps. A grant does not outlive a sleep:
//! the boot clock alone shows that there was one, so it holds where nobody tells of it.

mod holder;

pub use holder::{Holder, is_one_liner};

use crate::caller::Caller;
use crate::clock::{Clock, Uptime};
use crate::credentials::Credentials;
use crate::names::{ProfileName, SessionName};
use crate::policy::terms::Terms;
use crate::profile::Chain;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};
use tokio::sync::watch;

/// Names a grant, here and in the role session name at AWS: eight characters of a base32 alphabet, 40 random bits.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct GrantId(String);

impl GrantId {
    /// Makes one.
    #[must_use]
    pub fn random() -> Self {
        Self(crate::random::word(8))
    }

    /// Returns the name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for GrantId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What was approved.
#[derive(Clone, Debug)]
pub struct Approved {
    /// The profile it was asked for with.
    pub profile: ProfileName,
    /// What it reaches.
    pub chain: Arc<Chain>,
    /// Who it is for.
    pub holder: Holder,
    /// On which terms.
    pub terms: Terms,
    /// How long; never longer than the terms' window.
    pub window: Duration,
    /// Why, in the person's own words.
    pub reason: Option<String>,
    /// Who approved.
    pub approved_by: Vec<String>,
}

/// A live grant.
#[derive(Debug)]
pub struct Grant {
    /// Names it.
    pub id: GrantId,
    /// What was approved.
    pub approved: Approved,
    /// When it ends, in boot time.
    pub until: Duration,
    /// When it was made.
    pub since: Uptime,
    held: Mutex<Held>,
}

#[derive(Debug)]
struct Held {
    credentials: Option<Arc<Credentials>>,
    uses_left: Option<u32>,
    ended: bool,
}

impl Grant {
    /// Returns the credentials that were issued under it, if AWS still accepts them at `now`.
    #[must_use]
    pub fn credentials(&self, now: SystemTime) -> Option<Arc<Credentials>> {
        self.lock().credentials.clone().filter(|credentials| !credentials.remaining(now).is_zero())
    }

    /// Takes one use, before AWS is asked. Returns whether there was one left.
    #[must_use]
    pub fn take_use(&self) -> bool {
        let mut held = self.lock();
        let left = held.uses_left.map(|left| left.checked_sub(1));
        if held.ended || left == Some(None) {
            return false;
        }
        held.uses_left = left.flatten();
        true
    }

    /// Gives a use back: AWS issued nothing for it.
    pub fn give_back_use(&self) {
        if let Some(left) = &mut self.lock().uses_left {
            *left += 1;
        }
    }

    /// Keeps what AWS issued, unless the grant has ended meanwhile: then nothing of it is left.
    #[must_use]
    pub fn keep(&self, credentials: Arc<Credentials>) -> bool {
        let mut held = self.lock();
        if !held.ended {
            held.credentials = Some(credentials);
        }
        !held.ended
    }

    /// Returns how many uses are left; absent: no limit.
    #[must_use]
    pub fn uses_left(&self) -> Option<u32> {
        self.lock().uses_left
    }

    /// Whether it lives now.
    #[must_use]
    pub fn is_live(&self, now: &Uptime) -> bool {
        now.boot() < self.until && !now.slept_since(&self.since) && !self.lock().ended
    }

    fn end(&self) {
        let mut held = self.lock();
        held.ended = true;
        held.credentials = None;
    }

    fn lock(&self) -> MutexGuard<'_, Held> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The live grants.
#[derive(Debug)]
pub struct Grants {
    clock: Arc<dyn Clock>,
    table: Mutex<Vec<Arc<Grant>>>,
    changes: watch::Sender<()>,
}

impl Grants {
    /// Makes an empty table.
    #[must_use]
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        Self { clock, table: Mutex::default(), changes: watch::Sender::default() }
    }

    /// Makes a grant of what was approved. It is found by nobody before [`Grants::add`].
    #[must_use]
    pub fn prepare(&self, approved: Approved) -> Arc<Grant> {
        let since = self.clock.uptime();
        let uses_left = approved.terms.uses.map(std::num::NonZeroU32::get);
        let until = since.boot() + approved.window.min(approved.terms.window);
        let held = Mutex::new(Held { credentials: None, uses_left, ended: false });
        Arc::new(Grant { id: GrantId::random(), approved, until, since, held })
    }

    /// Lets a grant be found. An older one for the same target and holder ends.
    pub fn add(&self, grant: Arc<Grant>) {
        let replaced =
            |old: &Grant| old.approved.chain == grant.approved.chain && old.approved.holder == grant.approved.holder;
        self.end(&replaced);
        self.lock().push(grant);
        self.changes.send_replace(());
    }

    /// Finds a live grant of a target for a caller. Of several the one that lives longest.
    #[must_use]
    pub fn find(&self, chain: &Chain, caller: &Caller) -> Option<Arc<Grant>> {
        let now = self.clock.uptime();
        let fits = |grant: &&Arc<Grant>| {
            grant.is_live(&now) && *grant.approved.chain == *chain && grant.approved.holder.covers(caller)
        };
        self.lock().iter().filter(fits).max_by_key(|grant| grant.until).cloned()
    }

    /// Returns the live ones, oldest first.
    #[must_use]
    pub fn live(&self) -> Vec<Arc<Grant>> {
        let now = self.clock.uptime();
        self.lock().iter().filter(|grant| grant.is_live(&now)).cloned().collect()
    }

    /// Ends those that `goes` says, and with them what was issued under them. Returns those whose time was not over.
    pub fn end(&self, goes: &dyn Fn(&Grant) -> bool) -> Vec<Arc<Grant>> {
        let boot = self.clock.since_boot();
        self.take(goes).into_iter().filter(|grant| boot < grant.until).collect()
    }

    /// Ends what starts from a sign-in session.
    pub fn end_of_session(&self, name: &SessionName) -> Vec<Arc<Grant>> {
        self.end_where(&|chain| chain.session().is_some_and(|session| session.name == *name))
    }

    /// Ends what reaches chains that `of` picks.
    pub fn end_where(&self, of: &dyn Fn(&Chain) -> bool) -> Vec<Arc<Grant>> {
        self.end(&|grant| of(&grant.approved.chain))
    }

    /// Forgets those whose time is over, and what was issued under them. Returns them.
    pub fn sweep(&self) -> Vec<Arc<Grant>> {
        let boot = self.clock.since_boot();
        self.take(&|grant| grant.until <= boot)
    }

    /// Ends those whose time was not over when the machine slept. Returns them.
    pub fn end_slept_through(&self) -> Vec<Arc<Grant>> {
        let now = self.clock.uptime();
        self.end(&|grant| now.boot() < grant.until && now.slept_since(&grant.since))
    }

    /// Returns when the next one ends, in boot time.
    #[must_use]
    pub fn next_end(&self) -> Option<Duration> {
        self.lock().iter().map(|grant| grant.until).min()
    }

    /// Tells of every new grant.
    #[must_use]
    pub fn changes(&self) -> watch::Receiver<()> {
        self.changes.subscribe()
    }

    fn take(&self, goes: &dyn Fn(&Grant) -> bool) -> Vec<Arc<Grant>> {
        let gone: Vec<_> = self.lock().extract_if(.., |grant| goes(grant)).collect();
        gone.iter().for_each(|grant| grant.end());
        gone
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Arc<Grant>>> {
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests;
