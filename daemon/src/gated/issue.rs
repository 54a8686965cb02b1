//! Credentials under a grant: in memory only, one request to AWS for everybody who asks, gone with the grant.

use crate::cache::{Found, judge};
use crate::clock::Clock;
use crate::credentials::Credentials;
use crate::flight::Flights;
use crate::grant::{Grant, GrantId};
use crate::obtain::Obtainer;
use crate::problem::Problem;
use crate::provider::{Elevation, Providers};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

type Issued = Result<Arc<Credentials>, Problem>;

/// Issues credentials under grants.
#[derive(Debug)]
pub(super) struct Issuer {
    pub(super) clock: Arc<dyn Clock>,
    pub(super) providers: Providers,
    pub(super) obtainer: Arc<Obtainer>,
    pub(super) flights: Flights<GrantId, Issued>,
}

impl Issuer {
    /// Returns live credentials of a grant. `open_hops` is how many roles of its chain can be had without a grant, the source
    /// not counted; absent: not even the source.
    ///
    /// # Errors
    /// Why there are none; nothing was used up then.
    pub(super) async fn credentials(self: &Arc<Self>, grant: &Arc<Grant>, open_hops: Option<usize>) -> Issued {
        if let Some(held) = self.good_enough(grant) {
            return Ok(held);
        }
        let held = grant.credentials(self.obtainer.aws_time());
        let (issuer, of) = (Arc::clone(self), Arc::clone(grant));
        let flight = self.flights.join(&grant.id, || async move { issuer.issue(&of, open_hops).await });
        let issued = flight.landed().await.unwrap_or(Err(Problem::Internal("the request to AWS was lost")));
        match (issued, held) {
            // What still lives is served, whatever becomes of its renewal.
            (Err(_), Some(held)) if grant.is_live(&self.clock.uptime()) => Ok(held),
            (issued, _) => issued,
        }
    }

    /// Returns when a grant ends, as wall time.
    pub(super) fn end_of(&self, grant: &Grant) -> SystemTime {
        self.clock.now() + grant.until.saturating_sub(self.clock.since_boot())
    }

    /// Returns what was issued under a grant, unless newer credentials would be better.
    fn good_enough(&self, grant: &Grant) -> Option<Arc<Credentials>> {
        grant.credentials(self.obtainer.aws_time()).filter(|held| !self.is_worth_renewing(grant, held))
    }

    fn is_worth_renewing(&self, grant: &Grant, held: &Arc<Credentials>) -> bool {
        let usable = matches!(judge(held, self.obtainer.aws_time()), Found::Usable(_));
        usable && grant.uses_left() != Some(0) && held.expires_at() + Duration::from_secs(30) < self.end_of(grant)
    }

    /// The work of a flight: takes a use, and gives it back when AWS issued nothing for it.
    pub(super) async fn issue(&self, grant: &Arc<Grant>, open_hops: Option<usize>) -> Issued {
        // Whoever looked just before the last flight landed, and asked just after, needs no other one, and takes no use.
        if let Some(held) = self.good_enough(grant) {
            return Ok(held);
        }
        if !grant.take_use() {
            return Err(Problem::GrantUsedUp { profile: grant.approved.profile.clone() });
        }
        match self.ask_aws(grant, open_hops).await.map(Arc::new) {
            Ok(credentials) if grant.keep(Arc::clone(&credentials)) => Ok(credentials),
            Ok(_) => Err(Problem::GrantEnded { profile: grant.approved.profile.clone() }),
            Err(problem) => {
                grant.give_back_use();
                Err(problem)
            }
        }
    }

    async fn ask_aws(&self, grant: &Grant, open_hops: Option<usize>) -> Result<Credentials, Problem> {
        let chain = &grant.approved.chain;
        let elevation = Elevation {
            grant_id: grant.id.as_str(),
            reason: grant.approved.reason.as_deref(),
            session_policy: grant.approved.terms.session_policy.as_deref(),
            longest: grant.until.saturating_sub(self.clock.since_boot()),
        };
        let (first, from) = match open_hops {
            Some(open) => (open, (*self.obtainer.obtain(&Arc::new(chain.before(open))).await?).clone()),
            None => {
                if let Some(session) = chain.session() {
                    self.providers.sign_in_sessions.pins(session).await?;
                }
                (0, self.providers.provide_gated_source(chain, &elevation).await?)
            }
        };
        self.providers.provide_from(chain, first, from, &elevation).await
    }
}
