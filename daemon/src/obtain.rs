//! From a chain to live credentials: the cache, else one flight to AWS for everybody who asks.
//!
//! What is still valid is served: a renewal that fails never takes live credentials away, and a failure is remembered
//! briefly so that a retrying SDK does not become a storm at AWS.

use crate::cache::{Cache, Found, renew_at};
use crate::clock::Clock;
use crate::credentials::Credentials;
use crate::flight::{Flight, Flights, Lost};
use crate::problem::Problem;
use crate::profile::Chain;
use crate::provider::Providers;
use crate::sign_in_sessions::roles::StoredRoles;
use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};
use tokio::sync::Notify;

/// How long a caller with usable credentials at hand waits for newer ones.
const RENEWAL_PATIENCE: Duration = Duration::from_secs(3);

/// How long a failure is remembered, before jitter.
const REMEMBER: Duration = Duration::from_secs(4);

/// How long a failed renewal ahead is not repeated, before jitter.
const RENEW_AGAIN: Duration = Duration::from_secs(30);

type Fetched = Result<Arc<Credentials>, Problem>;

/// Obtains credentials.
#[derive(Debug)]
pub struct Obtainer {
    clock: Arc<dyn Clock>,
    cache: Arc<Cache>,
    providers: Providers,
    stored: Arc<StoredRoles>,
    flights: Flights<Arc<Chain>, Fetched>,
    failures: Mutex<HashMap<Arc<Chain>, Failure>>,
    /// Told when something new is in use, so that the background looks at what is due.
    in_use: Notify,
    /// Goes up with every lock and sign-out: what was asked for before is not kept after it.
    era: AtomicU64,
}

#[derive(Debug)]
struct Failure {
    problem: Problem,
    /// Boot time until which callers get the remembered problem.
    remembered_until: Duration,
    /// Boot time before which the background does not try again.
    renew_at: Duration,
}

impl Obtainer {
    /// Makes an obtainer over a cache.
    #[must_use]
    pub fn new(clock: Arc<dyn Clock>, cache: Arc<Cache>, providers: Providers, stored: Arc<StoredRoles>) -> Self {
        let (flights, failures) = (Flights::default(), Mutex::default());
        Self { clock, cache, providers, stored, flights, failures, in_use: Notify::new(), era: AtomicU64::new(0) }
    }

    /// Returns credentials that AWS accepts, with more than fifteen minutes left where the source can give them.
    ///
    /// # Errors
    /// Why there are none.
    pub async fn obtain(self: &Arc<Self>, chain: &Arc<Chain>) -> Fetched {
        match self.cache.find(chain, self.aws_time()) {
            Found::Fresh(credentials) => Ok(credentials),
            Found::Usable(credentials) => Ok(self.newer_if_quick(chain, credentials).await),
            Found::Nothing => match self.remembered_failure(chain) {
                Some(problem) => Err(problem),
                None => {
                    let fetched = landed(self.fetch(chain).landed().await)?;
                    self.cache.mark_used(chain, self.aws_time());
                    self.in_use.notify_one();
                    Ok(fetched)
                }
            },
        }
    }

    /// Returns live credentials that are in memory, whether or not newer ones would be better.
    #[must_use]
    pub fn at_hand(&self, chain: &Chain) -> Option<Arc<Credentials>> {
        match self.cache.find(chain, self.aws_time()) {
            Found::Fresh(credentials) | Found::Usable(credentials) => Some(credentials),
            Found::Nothing => None,
        }
    }

    /// Renews in the background what is in use and due.
    pub fn renew_ahead(self: &Arc<Self>) {
        let (now, boot) = (self.aws_time(), self.clock.since_boot());
        self.cache.sweep(now);
        self.lock().retain(|_, failure| failure.renew_at > boot);
        for chain in self.cache.due(now) {
            if !self.lock().contains_key(&chain) {
                drop(self.fetch(&chain));
            }
        }
    }

    /// Returns when something new has come into use.
    pub async fn newly_in_use(&self) {
        self.in_use.notified().await;
    }

    /// Returns when the next renewal is due, by AWS's clock.
    #[must_use]
    pub fn next_due(&self) -> Option<SystemTime> {
        self.cache.next_due()
    }

    /// Drops everything in memory, also what is being fetched.
    pub fn forget_all(&self) {
        self.era.fetch_add(1, Ordering::SeqCst);
        self.cache.forget(|_| true);
        self.lock().clear();
    }

    /// Drops what starts from a sign-in session, also what is being fetched.
    pub fn forget(&self, name: &crate::names::SessionName) {
        self.forget_where(|chain| chain.session().is_some_and(|session| session.name == *name));
    }

    /// Drops what starts from what these say, also what is being fetched.
    pub fn forget_where(&self, of: impl Fn(&Chain) -> bool) {
        self.era.fetch_add(1, Ordering::SeqCst);
        self.cache.forget(&of);
        self.lock().retain(|chain, _| !of(chain));
    }

    /// Drops what starts from a source like these, also what is being fetched.
    pub fn forget_sources(&self, of: impl Fn(&crate::profile::Source) -> bool) {
        self.era.fetch_add(1, Ordering::SeqCst);
        self.cache.forget(|chain| of(&chain.source));
        self.lock().retain(|chain, _| !of(&chain.source));
    }

    /// Drops what starts from the access keys of a user, also what is being fetched.
    pub fn forget_user(&self, user: &crate::arns::UserArn) {
        self.era.fetch_add(1, Ordering::SeqCst);
        let of =
            |chain: &Chain| matches!(&chain.source, crate::profile::Source::IamUser(source) if source.user == *user);
        self.cache.forget(of);
        self.lock().retain(|chain, _| !of(chain));
    }

    /// Forgets remembered failures: a person has just signed in.
    pub fn forget_failures(&self) {
        self.lock().clear();
    }

    /// Returns the wall time by AWS's clock, as far as it is known.
    #[must_use]
    pub fn aws_time(&self) -> SystemTime {
        self.providers.aws.time(self.clock.now())
    }

    /// One caller waits a moment for newer credentials; the others, and a renewal that fails, are served the live ones.
    async fn newer_if_quick(self: &Arc<Self>, chain: &Arc<Chain>, usable: Arc<Credentials>) -> Arc<Credentials> {
        if self.flights.is_under_way(chain) || self.lock().contains_key(chain) {
            return usable;
        }
        match tokio::time::timeout(RENEWAL_PATIENCE, self.fetch(chain).landed()).await {
            Ok(Ok(Ok(newer))) => newer,
            Ok(_) | Err(_) => usable,
        }
    }

    fn fetch(self: &Arc<Self>, chain: &Arc<Chain>) -> Flight<Fetched> {
        self.flights.join(chain, || {
            let (obtainer, chain, era) = (Arc::clone(self), Arc::clone(chain), self.era.load(Ordering::SeqCst));
            async move { obtainer.fetch_now(&chain, era).await }
        })
    }

    /// The store first, then AWS; what comes is in the cache before anybody is told.
    async fn fetch_now(&self, chain: &Arc<Chain>, era: u64) -> Fetched {
        let fetched = self.stored_or_provided(chain).await;
        if self.era.load(Ordering::SeqCst) != era {
            return fetched;
        }
        match &fetched {
            Ok(credentials) => {
                self.cache.insert(Arc::clone(chain), Arc::clone(credentials), self.aws_time());
                self.settled(chain, credentials);
                self.keep(chain).await;
            }
            Err(problem) => self.remember(chain, problem),
        }
        fetched
    }

    async fn stored_or_provided(&self, chain: &Arc<Chain>) -> Fetched {
        let pins = match chain.session() {
            Some(session) => Some(self.providers.sign_in_sessions.pins(session).await?),
            None => None,
        };
        // Whoever looked just before the last flight landed, and asked just after, needs no other one.
        if let Found::Fresh(credentials) = self.cache.peek(chain, self.aws_time())
            && renew_at(&credentials) > self.aws_time()
        {
            return Ok(credentials);
        }
        if let Some(pins) = pins
            && matches!(self.cache.peek(chain, self.aws_time()), Found::Nothing)
        {
            self.stored.restore(chain, &pins).await;
            if let Found::Fresh(credentials) | Found::Usable(credentials) = self.cache.peek(chain, self.aws_time()) {
                return Ok(credentials);
            }
        }
        self.providers.provide(chain).await.map(Arc::new)
    }

    /// Credentials of a role assigned in IAM Identity Center outlive the daemon; those of other sources, and what is behind assumed
    /// roles, do not.
    async fn keep(&self, chain: &Chain) {
        let Some(session) = chain.session() else { return };
        if chain.roles.is_empty()
            && let Ok(pins) = self.providers.sign_in_sessions.pins(session).await
        {
            self.stored.changed(&session.name, &pins);
        }
    }

    /// Forgets what failed before. A source that had nothing newer than what is due is not asked again at once.
    fn settled(&self, chain: &Arc<Chain>, credentials: &Credentials) {
        let mut failures = self.lock();
        failures.remove(chain);
        if renew_at(credentials) <= self.aws_time() {
            let boot = self.clock.since_boot();
            let (problem, renew_at) = (Problem::Internal("nothing newer"), boot + crate::jitter::around(RENEW_AGAIN));
            failures.insert(Arc::clone(chain), Failure { problem, remembered_until: boot, renew_at });
        }
    }

    fn remember(&self, chain: &Arc<Chain>, problem: &Problem) {
        let boot = self.clock.since_boot();
        // What only a person can mend is known without asking AWS; what a person mends must work at once.
        let said_by_aws = matches!(problem, Problem::Aws(_) | Problem::KeyRefused { .. });
        let remember = if problem.is_passing() || said_by_aws { REMEMBER } else { Duration::ZERO };
        let failure = Failure {
            problem: problem.clone(),
            remembered_until: boot + crate::jitter::around(remember),
            renew_at: boot + crate::jitter::around(RENEW_AGAIN),
        };
        self.lock().insert(Arc::clone(chain), failure);
    }

    fn remembered_failure(&self, chain: &Arc<Chain>) -> Option<Problem> {
        let boot = self.clock.since_boot();
        self.lock().get(chain).filter(|failure| failure.remembered_until > boot).map(|failure| failure.problem.clone())
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Arc<Chain>, Failure>> {
        self.failures.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn landed(result: Result<Fetched, Lost>) -> Fetched {
    result.unwrap_or(Err(Problem::Internal("the request to AWS was lost")))
}

#[cfg(test)]
mod tests;
