//! One inventory from beginning to end: the accounts page by page, then the roles of each, at the pace of the bucket.
//!
//! What AWS asks for is obeyed (429, `Retry-After`), and everything it may send is bounded.

use super::Standing;
use super::kept::{Kept, Shelf};
use super::pace::Pace;
use crate::aws::{Aws, AwsError, ListedAccount, Page};
use crate::clock::Clock;
use crate::inventory::found::Found;
use crate::names::{AccountId, RoleName};
use crate::problem::Problem;
use crate::profile::SignInSession;
use crate::sign_in_sessions::SignInSessions;
use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tegata_protocol::Secret;
use tegata_protocol::inventory::InventoryAccount;
use tokio::sync::watch;

/// Twice the largest organisation there can be (AWS Organizations quotas: 10,000 accounts).
const MOST_ACCOUNTS: usize = 20_000;
/// Twice the permission sets an account can have (IAM Identity Center quotas: 500, which can be raised).
const MOST_ROLES_OF_ACCOUNT: usize = 1_000;
/// All roles of all accounts together, so that memory is bounded.
const MOST_ROLES: usize = 300_000;
/// Pages of one listing: a page may be empty and still not be the last.
const MOST_PAGES: usize = 1_000;

/// How often one question is asked while AWS asks for fewer: with pauses that double, about four minutes.
const TRIES_WHEN_THROTTLED: u32 = 8;
/// How often one question is asked while there is no answer: about fifteen seconds of pauses, as a person is waiting.
const TRIES_WITHOUT_ANSWER: u32 = 4;
const FIRST_PAUSE: Duration = Duration::from_secs(2);
const LONGEST_PAUSE: Duration = Duration::from_secs(60);
/// What is added to the pause that AWS asks for.
const JITTER: Duration = Duration::from_millis(400);
/// A longer `Retry-After` than this is told to whoever asked.
const LONGEST_RETRY_AFTER: Duration = Duration::from_secs(300);

/// All of it. Twenty thousand accounts take an hour at half the usual pace; what was found is kept all the same.
const LONGEST: Duration = Duration::from_secs(4 * 3600);

/// An inventory that is under way.
#[derive(Debug)]
pub(super) struct Walk {
    pub(super) aws: Arc<dyn Aws>,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) sign_in_sessions: Arc<SignInSessions>,
    pub(super) pace: Arc<Pace>,
    pub(super) session: SignInSession,
    pub(super) shelf: Shelf,
    pub(super) standing: watch::Sender<Standing>,
}

/// What is still to be asked for, and what was found.
#[derive(Debug)]
struct Work {
    missing: VecDeque<AccountId>,
    kept: Kept,
    roles: usize,
}

impl Walk {
    /// Asks for everything that was not `kept`, and returns all of it.
    pub(super) async fn finish(&self, kept: Option<Kept>) -> Result<Vec<InventoryAccount>, Problem> {
        let out_of_time = |_| {
            let hours = LONGEST.as_secs() / 3600;
            Err(out_of_bounds("ListAccountRoles", format!("the inventory was not done within {hours} h")))
        };
        tokio::time::timeout(LONGEST, self.all(kept)).await.unwrap_or_else(out_of_time)
    }

    async fn all(&self, kept: Option<Kept>) -> Result<Vec<InventoryAccount>, Problem> {
        let kept = match kept {
            Some(kept) => kept,
            None => {
                let begun_at = self.clock.now();
                self.shelf.begin(Found::listed(self.accounts().await?, begun_at))
            }
        };
        let missing = kept.found.missing().cloned().collect();
        let work = Mutex::new(Work { missing, kept, roles: 0 });
        // As many at once as keep the bucket's usual pace over a slow line, and few enough to be polite.
        tokio::try_join!(
            self.take_turns(&work),
            self.take_turns(&work),
            self.take_turns(&work),
            self.take_turns(&work)
        )?;
        let Work { kept, .. } = work.into_inner().unwrap_or_else(PoisonError::into_inner);
        self.shelf.forget();
        Ok(kept.found.into_accounts())
    }

    async fn accounts(&self) -> Result<Vec<ListedAccount>, Problem> {
        let ask = |token: Secret, page: Option<String>| async move {
            self.aws.list_accounts(&self.session.region, &token, page.as_deref()).await
        };
        self.pages("ListAccounts", MOST_ACCOUNTS, ask, |found| {
            let found = u32::try_from(found).unwrap_or(u32::MAX);
            self.standing.send_modify(|standing| standing.found = found);
        })
        .await
    }

    /// Asks for the roles of one account after the other until none is left.
    async fn take_turns(&self, work: &Mutex<Work>) -> Result<(), Problem> {
        loop {
            let Some(account) = lock(work).missing.pop_front() else { return Ok(()) };
            let roles = self.roles(&account).await?;
            let mut work = lock(work);
            work.roles += roles.len();
            if work.roles > MOST_ROLES {
                return Err(out_of_bounds("ListAccountRoles", format!("more than {MOST_ROLES} roles")));
            }
            work.kept.learn(&account, roles);
            let (found, done) = (work.kept.found.found(), work.kept.found.done());
            self.standing.send_modify(|standing| (standing.found, standing.done) = (found, done));
        }
    }

    async fn roles(&self, account: &AccountId) -> Result<Vec<RoleName>, Problem> {
        let ask = |token: Secret, page: Option<String>| async move {
            self.aws.list_account_roles(&self.session.region, &token, account, page.as_deref()).await
        };
        self.pages("ListAccountRoles", MOST_ROLES_OF_ACCOUNT, ask, |_| {}).await
    }

    /// Turns the pages of one listing.
    async fn pages<T, F>(
        &self,
        operation: &'static str,
        most: usize,
        ask: impl Fn(Secret, Option<String>) -> F,
        on_page: impl Fn(usize),
    ) -> Result<Vec<T>, Problem>
    where
        F: Future<Output = Result<Page<T>, AwsError>>,
    {
        let (mut items, mut page) = (Vec::new(), None);
        for _ in 0..MOST_PAGES {
            let Page { items: more, next } = self.ask(|token| ask(token, page.clone())).await?;
            items.extend(more);
            if items.len() > most {
                return Err(out_of_bounds(operation, format!("more than {most} entries")));
            }
            on_page(items.len());
            if next.is_none() {
                return Ok(items);
            }
            page = next;
        }
        Err(out_of_bounds(operation, format!("more than {MOST_PAGES} pages")))
    }

    /// Asks once, or as often as it takes, each time when it is its turn. The token is a good one each time.
    async fn ask<T, F>(&self, ask: impl Fn(Secret) -> F) -> Result<T, Problem>
    where
        F: Future<Output = Result<T, AwsError>>,
    {
        let (mut pause, mut tries) = (FIRST_PAUSE, 1);
        loop {
            let answer = self.sign_in_sessions.ask_portal(&self.session, |token| self.in_turn(ask(token))).await;
            let error = match answer {
                Err(Problem::Aws(error)) if error.is_passing() => error,
                Ok(answer) => {
                    self.pace.went_well();
                    return Ok(answer);
                }
                Err(problem) => return Err(problem),
            };
            match error {
                AwsError::Throttled { retry_after, .. } => {
                    let asked = retry_after.unwrap_or(pause);
                    if tries >= TRIES_WHEN_THROTTLED || asked > LONGEST_RETRY_AFTER {
                        return Err(error.into());
                    }
                    // Nobody asks before, and not everybody at the same moment.
                    self.pace.hold(asked + crate::jitter::around(JITTER));
                }
                _ if tries >= TRIES_WITHOUT_ANSWER => return Err(error.into()),
                _ => tokio::time::sleep(crate::jitter::around(pause)).await,
            }
            (pause, tries) = ((pause * 2).min(LONGEST_PAUSE), tries + 1);
        }
    }

    async fn in_turn<T>(&self, asking: impl Future<Output = T>) -> T {
        self.pace.turn().await;
        asking.await
    }
}

fn lock(work: &Mutex<Work>) -> MutexGuard<'_, Work> {
    work.lock().unwrap_or_else(PoisonError::into_inner)
}

fn out_of_bounds(operation: &'static str, detail: String) -> Problem {
    AwsError::Unavailable { operation, detail }.into()
}
