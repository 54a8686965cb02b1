//! Gated targets: decided, parked until a hand approves, issued under the grant. Ungated ones never come past the first step.

mod issue;

use crate::accepted_policy::{AcceptedPolicy, Wanted};
use crate::caller::Caller;
use crate::clock::Clock;
use crate::credentials::Credentials;
use crate::flight::Flights;
use crate::gate::Gate;
use crate::grant::{Grant, Grants, Holder, is_one_liner};
use crate::obtain::Obtainer;
use crate::policy::terms::{Decision, Terms};
use crate::policy::{Policy, Rule, check_reason};
use crate::problem::Problem;
use crate::profile::Profile;
use crate::provider::Providers;
use crate::requests::{Desk, Elevation, NoRequest, Task};
use crate::store::StoreError;
use issue::Issuer;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};
use tegata_protocol::gate::{Explanation, HolderWanted, RequestState};

/// What gated targets are decided and issued with.
#[derive(Debug)]
pub struct Rooms {
    /// What time it is.
    pub clock: Arc<dyn Clock>,
    /// The passkeys.
    pub gate: Arc<Gate>,
    /// The grants.
    pub grants: Arc<Grants>,
    /// What waits for a hand.
    pub desk: Arc<Desk>,
    /// What was accepted.
    pub accepted: AcceptedPolicy,
    /// What the settings say.
    pub wanted: Wanted,
    /// The organisation's rules.
    pub organisation: Vec<Rule>,
}

/// What decides, as it stands now.
#[derive(Debug)]
pub struct Standing {
    /// The rules in force.
    pub policy: Policy,
    /// How many passkeys are enrolled; absent: their record is damaged, so there were some.
    pub passkeys: Option<usize>,
    /// What the settings say and is not in force until it is accepted, one line each.
    pub pending: Vec<String>,
    /// Whether the settings lead to other endpoints than those that were accepted.
    pub leads_elsewhere: bool,
}

impl Standing {
    /// Whether a passkey is enrolled, or was.
    #[must_use]
    pub fn has_passkey(&self) -> bool {
        self.passkeys != Some(0)
    }
}

/// What leaves the daemon under a grant.
#[derive(Clone, Debug)]
pub struct Elevated {
    /// The grant.
    pub grant: Arc<Grant>,
    /// The credentials, as they leave: they end with the grant, for whoever keeps to what they say.
    pub credentials: Arc<Credentials>,
}

/// What a tool waits for.
#[derive(Clone, Copy, Debug)]
pub struct Patience {
    /// How long, in all.
    pub work: Duration,
    /// Whether for a hand as well. Otherwise one is asked for and not waited for.
    pub hand: bool,
}

/// The gated targets of one daemon.
#[derive(Debug)]
pub struct Gated {
    rooms: Rooms,
    issuer: Arc<Issuer>,
    standing: Mutex<Option<Arc<Standing>>>,
    /// Whether a gate has been proposed in this daemon's life.
    proposed: AtomicBool,
    settling: tokio::sync::Mutex<()>,
}

impl Gated {
    /// Wires the rooms.
    #[must_use]
    pub fn new(rooms: Rooms, providers: Providers, obtainer: Arc<Obtainer>) -> Self {
        let clock = Arc::clone(&rooms.clock);
        let issuer = Arc::new(Issuer { clock, providers, obtainer, flights: Flights::default() });
        let (standing, proposed, settling) = (Mutex::default(), AtomicBool::new(false), tokio::sync::Mutex::default());
        Self { rooms, issuer, standing, proposed, settling }
    }

    /// Decides about a profile.
    ///
    /// # Errors
    /// [`Problem::Store`] while it cannot be known what was accepted, and [`Problem::NotAccepted`] while the settings lead to
    /// other endpoints than those that were.
    pub async fn decide(&self, profile: &Profile) -> Result<Decision, Problem> {
        let standing = self.leads_as_accepted().await?;
        let now = self.rooms.clock.now();
        Ok(standing.policy.decide(&profile.name, &profile.chain, standing.has_passkey(), now))
    }

    /// Returns what decides, while the settings lead to the endpoints, proxy and certificates that were accepted. Otherwise nothing
    /// goes out, not even to renew: it would go to whoever edited them.
    ///
    /// # Errors
    /// As [`Gated::decide`].
    pub async fn leads_as_accepted(&self) -> Result<Arc<Standing>, Problem> {
        let standing = self.standing().await?;
        if standing.leads_elsewhere {
            return Err(Problem::NotAccepted { what: standing.pending.join("; ") });
        }
        Ok(standing)
    }

    /// Whether a person is to be told now that this target had better be gated: once in a daemon's life, at the first target that
    /// looks like administration and is open because no passkey is enrolled.
    #[must_use]
    pub fn proposes(&self, profile: &Profile) -> bool {
        let standing = self.known_standing().filter(|standing| standing.passkeys == Some(0));
        let Some(standing) = standing.filter(|_| !self.proposed.load(Ordering::Relaxed)) else { return false };
        standing.policy.is_proposed(&profile.name, &profile.chain, false)
            && !self.proposed.swap(true, Ordering::Relaxed)
    }

    /// Serves a tool: under a live grant, or once a hand has approved within `patience`.
    ///
    /// # Errors
    /// Why there is nothing, or not yet.
    pub async fn serve(
        &self,
        caller: &Caller,
        profile: &Profile,
        terms: Terms,
        patience: Patience,
    ) -> Result<Elevated, Problem> {
        let Patience { work: patience, hand } = patience;
        let waiting: Mutex<Option<String>> = Mutex::default();
        let served = async {
            let grant = self.grant_for(caller, profile, terms, hand.then_some(&waiting)).await?;
            self.under(grant, profile).await
        };
        // A patience of nothing still lets what is at hand be served.
        let answer = tokio::time::timeout(patience.max(Duration::from_millis(1)), served).await;
        answer.unwrap_or_else(|_| Err(not_yet(profile, &waiting, patience)))
    }

    /// Lets something be changed under a live grant, or once a hand has approved within `patience`. It counts as a use of the grant.
    ///
    /// # Errors
    /// Why not, or not yet.
    pub async fn allow(
        &self,
        caller: &Caller,
        profile: &Profile,
        terms: Terms,
        patience: Patience,
    ) -> Result<Arc<Grant>, Problem> {
        let Patience { work: patience, hand } = patience;
        let waiting: Mutex<Option<String>> = Mutex::default();
        let granted = self.grant_for(caller, profile, terms, hand.then_some(&waiting));
        let answer = tokio::time::timeout(patience.max(Duration::from_millis(1)), granted).await;
        let grant = answer.unwrap_or_else(|_| Err(not_yet(profile, &waiting, patience)))?;
        if grant.take_use() { Ok(grant) } else { Err(Problem::GrantUsedUp { profile: profile.name.clone() }) }
    }

    /// Asks for a grant on behalf of a person. Returns the request's id.
    ///
    /// # Errors
    /// Why it cannot be had.
    pub async fn ask(
        &self,
        caller: &Caller,
        profile: &Profile,
        wanted: &ElevationWanted<'_>,
    ) -> Result<String, Problem> {
        let terms = match self.decide(profile).await? {
            Decision::Gated(terms) => terms,
            Decision::Open => return Err(Problem::NotGated { profile: profile.name.clone() }),
            Decision::Denied(denial) => return Err(Problem::DeniedByRule(denial)),
        };
        self.has_passkeys().await?;
        check_reason(&terms, wanted.reason)?;
        crate::provider::can_honour(&profile.chain, terms.session_policy.as_deref())?;
        let holder = match wanted.holder {
            HolderWanted::Caller => Holder::Program(caller.process.clone()),
            HolderWanted::Terminal => Holder::of(caller, terms.scope, is_one_liner),
            HolderWanted::User => Holder::User,
        };
        if !holder.is_within(terms.scope) {
            return Err(Problem::TooWide { rule: terms.rules.join(", ") });
        }
        let window = wanted.window.map_or(terms.window, |window| window.min(terms.window));
        let reason = wanted.reason.map(str::to_owned);
        let (chain, profile) = (Arc::clone(&profile.chain), profile.name.clone());
        let elevation = Elevation { profile, chain, holder, terms, window, reason };
        Ok(self.rooms.desk.ask(caller, Task::Elevate(Box::new(elevation)))?)
    }

    /// Says what decides about a profile.
    ///
    /// # Errors
    /// [`Problem::Store`] while it cannot be known what was accepted.
    pub async fn explain(&self, profile: &Profile) -> Result<Explanation, Problem> {
        let standing = self.standing().await?;
        let now = self.rooms.clock.now();
        Ok(standing.policy.explain(&profile.name, &profile.chain, standing.has_passkey(), now))
    }

    /// Returns what decides, reading it from the store the first time.
    ///
    /// # Errors
    /// What the store said: then nothing is decided, and nothing served.
    pub async fn standing(&self) -> Result<Arc<Standing>, StoreError> {
        if let Some(standing) = self.known_standing() {
            return Ok(standing);
        }
        let _one_at_a_time = self.settling.lock().await;
        if let Some(standing) = self.known_standing() {
            return Ok(standing);
        }
        let Rooms { gate, accepted, wanted, organisation, .. } = &self.rooms;
        let passkeys = match gate.passkeys().await {
            Ok(passkeys) => Some(passkeys.len()),
            Err(StoreError::Damaged { .. }) => None,
            Err(error) => return Err(error),
        };
        let in_force = accepted.settle(wanted, passkeys != Some(0)).await?;
        let leads_elsewhere = in_force.endpoints != wanted.endpoints || in_force.http != wanted.http;
        let policy = Policy::new(in_force.rules, organisation.clone());
        let standing = Arc::new(Standing { policy, passkeys, pending: in_force.pending, leads_elsewhere });
        *self.standing.lock().unwrap_or_else(PoisonError::into_inner) = Some(Arc::clone(&standing));
        Ok(standing)
    }

    /// Returns what decides, if it has been read.
    #[must_use]
    pub fn known_standing(&self) -> Option<Arc<Standing>> {
        self.standing.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Forgets what decides: a passkey or what is accepted has changed. Who is reading it now does not put back what was before.
    pub async fn reconsider(&self) {
        let _nobody_reads = self.settling.lock().await;
        *self.standing.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }

    /// Whether a hand can be asked for at all.
    ///
    /// # Errors
    /// [`Problem::NoPasskey`] and what the store said.
    pub async fn has_passkeys(&self) -> Result<(), Problem> {
        if self.standing().await?.has_passkey() { Ok(()) } else { Err(Problem::NoPasskey) }
    }

    async fn grant_for(
        &self,
        caller: &Caller,
        profile: &Profile,
        terms: Terms,
        waiting: Option<&Mutex<Option<String>>>,
    ) -> Result<Arc<Grant>, Problem> {
        let Rooms { grants, desk, .. } = &self.rooms;
        if let Some(grant) = grants.find(&profile.chain, caller) {
            return Ok(grant);
        }
        self.has_passkeys().await?;
        crate::provider::can_honour(&profile.chain, terms.session_policy.as_deref())?;
        let (chain, name, window) = (Arc::clone(&profile.chain), profile.name.clone(), terms.window);
        let holder = Holder::of(caller, terms.scope, is_one_liner);
        let parked = desk.park(caller, Elevation { profile: name, chain, holder, terms, window, reason: None });
        let id = match parked {
            Ok(id) => id,
            Err(NoRequest::Refused) => return Err(Problem::RefusedByHand { profile: profile.name.clone() }),
            Err(error) => return Err(error.into()),
        };
        let Some(waiting) = waiting else {
            return Err(Problem::ElevationRequired { profile: profile.name.clone(), request: id });
        };
        *waiting.lock().unwrap_or_else(PoisonError::into_inner) = Some(id.clone());
        let ended = desk.ended(&id).await;
        waiting.lock().unwrap_or_else(PoisonError::into_inner).take();
        match ended.map(|entry| entry.state) {
            Some(RequestState::Approved) => {
                let grant = grants.find(&profile.chain, caller);
                grant.ok_or_else(|| Problem::GrantEnded { profile: profile.name.clone() })
            }
            Some(RequestState::Refused) => Err(Problem::RefusedByHand { profile: profile.name.clone() }),
            _ => Err(Problem::NobodyApproved { profile: profile.name.clone() }),
        }
    }

    async fn under(&self, grant: Arc<Grant>, profile: &Profile) -> Result<Elevated, Problem> {
        let open_hops = self.open_hops(profile).await?;
        let credentials = self.issuer.credentials(&grant, open_hops).await?;
        if !grant.is_live(&self.rooms.clock.uptime()) {
            return Err(Problem::GrantEnded { profile: profile.name.clone() });
        }
        let until: SystemTime = self.issuer.end_of(&grant).min(credentials.expires_at());
        Ok(Elevated { grant, credentials: Arc::new(credentials.until(until)) })
    }

    /// Returns how many roles of a gated chain can be had without a grant; absent: not even the source.
    async fn open_hops(&self, profile: &Profile) -> Result<Option<usize>, Problem> {
        let (standing, now) = (self.standing().await?, self.rooms.clock.now());
        let is_open = |first: &usize| {
            let before = profile.chain.before(*first);
            let decision = standing.policy.decide(&profile.name, &before, standing.has_passkey(), now);
            decision == Decision::Open
        };
        Ok((0..profile.chain.roles.len()).rev().find(is_open))
    }
}

/// Why the time of a caller is over: a hand was waited for, or work.
fn not_yet(profile: &Profile, waiting: &Mutex<Option<String>>, patience: Duration) -> Problem {
    let request = waiting.lock().unwrap_or_else(PoisonError::into_inner).take();
    match request {
        Some(request) => Problem::ElevationRequired { profile: profile.name.clone(), request },
        None => Problem::WaitEnded { seconds: patience.as_secs() },
    }
}

/// What a person asks for.
#[derive(Clone, Debug)]
pub struct ElevationWanted<'a> {
    /// How long; absent, or longer than the rules allow: as long as they do.
    pub window: Option<Duration>,
    /// Why.
    pub reason: Option<&'a str>,
    /// Who it is for.
    pub holder: HolderWanted,
}

#[cfg(test)]
mod tests;
