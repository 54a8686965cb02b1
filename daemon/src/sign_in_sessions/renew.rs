//! Renewal: one flight per session, and the order of steps that a crash at any point survives (docs/design/rotation.md).

use super::SignInSessions;
use super::held::renew_at;
use super::record::SignInRecord;
use crate::aws::{AwsError, Grant, Tokens};
use crate::names::SessionName;
use crate::problem::Problem;
use crate::profile::SignInSession;
use std::sync::Arc;
use std::time::Duration;
use tegata_protocol::Secret;

/// How long a failed renewal is not repeated, before jitter.
const RETRY_AFTER: Duration = Duration::from_secs(30);

impl SignInSessions {
    /// Renews without anybody waiting, unless a failure is too fresh.
    pub(super) fn renew_in_background(self: &Arc<Self>, name: &SessionName) {
        let waits = self.lock().get(name).is_none_or(|held| held.retry_at > self.clock.since_boot());
        if !waits {
            let (table, owned) = (Arc::clone(self), name.clone());
            drop(self.renewing.join(name, move || async move { table.spend_refresh_token(&owned).await }));
        }
    }

    /// Renews once for everybody who asks. A failure is remembered for a while and not repeated before.
    pub(super) async fn renew(self: &Arc<Self>, name: &SessionName) -> Result<(), Problem> {
        let remembered = self
            .lock()
            .get(name)
            .filter(|held| held.retry_at > self.clock.since_boot())
            .and_then(|held| held.failure.clone());
        if let Some(problem) = remembered {
            return Err(problem);
        }
        let (table, owned) = (Arc::clone(self), name.clone());
        let flight = self.renewing.join(name, move || async move { table.spend_refresh_token(&owned).await });
        flight.landed().await.map_err(|_| Problem::Internal("the renewal was lost"))?
    }

    /// Probe, spend, keep: the order that a crash at any point leaves something working.
    async fn spend_refresh_token(&self, name: &SessionName) -> Result<(), Problem> {
        let Some((record, session, refresh_token)) = self.renewable(name) else { return Ok(()) };
        if let Err(problem) = self.leads_where_it_did(&session, &record) {
            self.failed(name, &problem);
            return Err(problem);
        }
        let Some((client, _)) = record.registration.clone() else {
            return self.end(name, "its client registration is gone").await;
        };
        if let Err(problem) = self.probe(record).await {
            self.failed(name, &problem);
            return Err(problem);
        }
        crate::failpoint!("renew.probed");
        let answer = self.aws.create_token(&session.region, &client, Grant::RefreshToken(&refresh_token)).await;
        crate::failpoint!("renew.received");
        match answer {
            Ok(tokens) => {
                self.renewed(name, tokens);
                self.save(name).await;
                crate::failpoint!("renew.stored");
                self.announce();
                Ok(())
            }
            Err(AwsError::SignInOver { message }) => self.end(name, &message).await,
            Err(AwsError::ClientUnknown { message }) => {
                if let Some(held) = self.lock().get_mut(name) {
                    held.record.registration = None;
                }
                self.end(name, &message).await
            }
            Err(error) => {
                let problem = Problem::Aws(error);
                self.failed(name, &problem);
                Err(problem)
            }
        }
    }

    /// Returns what a renewal needs, unless another one has made it needless.
    fn renewable(&self, name: &SessionName) -> Option<(SignInRecord, SignInSession, Secret)> {
        let table = self.lock();
        let held = table.get(name)?;
        let tokens = held.record.tokens.as_ref().filter(|tokens| renew_at(tokens) <= self.clock.now())?;
        let refresh_token = tokens.refresh_token.clone()?;
        Some((held.record.clone(), held.session.clone(), refresh_token))
    }

    /// Holds the session against its pins. Somebody may have read the record of a session that has changed: its tokens stay here.
    fn leads_where_it_did(&self, session: &SignInSession, record: &SignInRecord) -> Result<(), Problem> {
        match record.pins.difference(&self.pins_now(session)?) {
            None => Ok(()),
            Some(difference) => Err(Problem::SignInChanged { session: session.name.clone(), difference }),
        }
    }

    /// Proves the store by writing that the refresh token is about to be spent.
    async fn probe(&self, mut record: SignInRecord) -> Result<(), Problem> {
        record.spending_since = Some(self.clock.now());
        self.write(&record).await
    }

    fn renewed(&self, name: &SessionName, mut tokens: Tokens) {
        if let Some(held) = self.lock().get_mut(name) {
            let spent = held.record.tokens.take().and_then(|tokens| tokens.refresh_token);
            tokens.refresh_token = tokens.refresh_token.or(spent);
            held.record.tokens = Some(tokens);
            held.record.spending_since = None;
            held.forget_failure();
        }
    }

    fn failed(&self, name: &SessionName, problem: &Problem) {
        let retry_at = self.clock.since_boot() + crate::jitter::around(RETRY_AFTER);
        if let Some(held) = self.lock().get_mut(name) {
            held.last_error = Some(problem.to_string());
            held.failure = Some(problem.clone());
            held.retry_at = retry_at;
        }
    }

    /// Ends a session that only a person can revive. An access token that is still alive goes on to its own end.
    async fn end(&self, name: &SessionName, said: &str) -> Result<(), Problem> {
        let now = self.clock.now();
        if let Some(held) = self.lock().get_mut(name) {
            held.end(said, now);
        }
        self.save(name).await;
        self.announce();
        Ok(())
    }
}
