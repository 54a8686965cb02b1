//! Renewal: one flight per identity, and the order of steps that a crash at any point survives (docs/design/rotation.md).

use super::record::{LoginRecord, Renewal};
use super::{ConsoleLogins, in_account};
use crate::arns::IdentityArn;
use crate::aws::{AwsError, LoginCall, LoginGrant, LoginTokens};
use crate::cache::renew_at;
use crate::problem::Problem;
use std::sync::Arc;
use std::time::Duration;

/// How long a failed renewal is not repeated, before jitter.
const RETRY_AFTER: Duration = Duration::from_secs(30);

impl ConsoleLogins {
    /// Renews once for everybody who asks. A failure is remembered for a while and not repeated before.
    pub(super) async fn renew(self: &Arc<Self>, identity: &IdentityArn) -> Result<(), Problem> {
        let remembered = self
            .lock()
            .get(identity)
            .filter(|held| held.retry_at > self.clock.since_boot())
            .and_then(|held| held.failure.clone());
        if let Some(problem) = remembered {
            return Err(problem);
        }
        let (table, owned) = (Arc::clone(self), identity.clone());
        let flight = self.renewing.join(identity, move || async move { table.spend_refresh_token(&owned).await });
        flight.landed().await.map_err(|_| Problem::Internal("the renewal was lost"))?
    }

    /// Probe, spend, keep: the order that a crash at any point leaves something working.
    async fn spend_refresh_token(&self, identity: &IdentityArn) -> Result<(), Problem> {
        let Some((record, renewal)) = self.renewable(identity) else { return Ok(()) };
        if let Err(problem) = self.leads_where_it_did(&record) {
            return self.failed(identity, problem);
        }
        let spending = LoginRecord { spending_since: Some(self.clock.now()), ..record.clone() };
        if let Err(problem) = self.write(&spending).await {
            return self.failed(identity, problem);
        }
        crate::failpoint!("login.probed");
        let call = LoginCall { region: &record.region, client: renewal.client, key: &renewal.key };
        let answer = self.aws.login_tokens(&call, LoginGrant::RefreshToken(&renewal.refresh_token)).await;
        crate::failpoint!("login.renewed");
        match answer {
            Ok(tokens) => {
                self.keep(record, &renewal, tokens).await;
                crate::failpoint!("login.renewal-stored");
                Ok(())
            }
            Err(AwsError::SignInOver { message }) => {
                if let Some(held) = self.lock().get_mut(identity).filter(|held| held.is_renewed_by(&renewal)) {
                    held.end(&message);
                }
                self.save(identity).await;
                self.sign_in_sessions.announce();
                Ok(())
            }
            Err(error) => self.failed(identity, Problem::Aws(error)),
        }
    }

    /// Returns what a renewal needs, unless another one has made it needless.
    fn renewable(&self, identity: &IdentityArn) -> Option<(LoginRecord, Renewal)> {
        let now = self.aws_time();
        let table = self.lock();
        let held = table.get(identity)?;
        let fresh = held.credentials.as_ref().is_some_and(|credentials| renew_at(credentials) > now);
        let renewal = held.record.renewal.clone().filter(|_| !fresh)?;
        Some((held.record.clone(), renewal))
    }

    /// Holds where the tokens would go against where they came from.
    fn leads_where_it_did(&self, record: &LoginRecord) -> Result<(), Problem> {
        let now = self.aws.login_endpoint(&record.region)?;
        if now == record.endpoint {
            return Ok(());
        }
        let difference = format!("its endpoint was {} and is now {now}", record.endpoint);
        Err(Problem::LoginChanged { identity: record.identity.clone(), difference, profile: None })
    }

    /// Keeps what a renewal brought. Another login meanwhile stays; where a lock has emptied memory, the store alone has it.
    async fn keep(&self, record: LoginRecord, spent: &Renewal, tokens: LoginTokens) {
        let LoginTokens { credentials, refresh_token, .. } = tokens;
        let renewal = Renewal { refresh_token, ..spent.clone() };
        let record = LoginRecord { renewal: Some(renewal), spending_since: None, ..record };
        let identity = record.identity.clone();
        let in_memory = {
            let mut table = self.lock();
            let held = table.get_mut(&identity);
            held.map(|held| {
                if held.is_renewed_by(spent) {
                    held.record = record.clone();
                    held.credentials = Some(in_account(credentials, &identity));
                    held.forget_failure();
                }
            })
        };
        if in_memory.is_some() {
            self.save(&identity).await;
        } else if let Err(problem) = self.write(&record).await {
            tracing::warn!("the console login of {identity}: what its renewal brought is not kept: {problem}");
        }
    }

    fn failed(&self, identity: &IdentityArn, problem: Problem) -> Result<(), Problem> {
        let retry_at = self.clock.since_boot() + crate::jitter::around(RETRY_AFTER);
        if let Some(held) = self.lock().get_mut(identity) {
            held.last_error = Some(problem.to_string());
            held.failure = Some(problem.clone());
            held.retry_at = retry_at;
        }
        Err(problem)
    }
}
