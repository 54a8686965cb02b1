//! Jobs of GitHub Actions: handed over by a person's or a workflow's `tegata login`, from within the job.

use super::Broker;
use crate::audit::Event;
use crate::caller::Caller;
use crate::names::ProfileName;
use crate::problem::Problem;
use crate::profile::{Config, Profile, ProfileError, Source, WebIdentityToken};
use std::path::Path;
use tegata_protocol::jobs::{HandOverJob, JobHandedOver};
use tegata_protocol::{ErrorBody, ErrorCode};

impl Broker {
    /// Serves a job from now on, once GitHub has given a token for it.
    ///
    /// # Errors
    /// Why it is not served; then the one before it still is.
    pub async fn hand_over_job(&self, caller: &Caller, sent: &HandOverJob) -> Result<JobHandedOver, ErrorBody> {
        self.unlocked()?;
        self.gated.leads_as_accepted().await?;
        let config = self.config(sent.config.as_deref().map(Path::new)).await?;
        let name = ProfileName::new(&sent.profile).map_err(|error| Problem::from(ProfileError::from(error)))?;
        let profile = config.resolve(&name).map_err(Problem::from)?;
        let audience = audience(&profile).ok_or_else(|| {
            ErrorBody::new(ErrorCode::BadRequest, format!("{name} does not start from a job of GitHub Actions"))
        })?;
        let job =
            self.providers.github_job.read(&sent.request_url, sent.request_token.clone()).map_err(Problem::from)?;
        self.providers.token_of(&job, audience).await.map_err(|problem| problem.asked_for(&name))?;
        self.record_for(caller, &Event::JobHandedOver { profile: &name })?;
        self.providers.github_job.serve(job);
        self.obtainer.forget_failures();
        Ok(JobHandedOver { profile: name.to_string(), audience: audience.to_owned() })
    }

    /// Refuses a sign-in to a profile whose source knows no person: a job has to be handed over, or nothing is to be done. The name of a
    /// sign-in session goes first.
    pub(super) fn knows_a_person(&self, config: &Config, what: Option<&str>) -> Result<(), ErrorBody> {
        let Some(name) = what.and_then(|name| ProfileName::new(name).ok()) else { return Ok(()) };
        if config.sign_in_sessions().iter().any(|session| session.name.as_str() == name.as_str()) {
            return Ok(());
        }
        let Ok(profile) = config.resolve(&name) else { return Ok(()) };
        if audience(&profile).is_some() {
            return Err(Problem::JobRequired { profile: Some(name) }.into());
        }
        match profile.chain.source {
            Source::WebIdentity { .. } | Source::Ec2Instance { .. } | Source::EcsContainer { .. } => {
                let kind = profile.chain.source.kind().word();
                let message = format!("{name} needs no sign-in: what it starts from ({kind}) knows no person");
                Err(ErrorBody::new(ErrorCode::BadRequest, message))
            }
            _ => Ok(()),
        }
    }
}

/// Returns whom tokens are for, where a profile starts from a job of GitHub Actions.
fn audience(profile: &Profile) -> Option<&str> {
    match &profile.chain.source {
        Source::WebIdentity { token: WebIdentityToken::GithubActions { audience }, .. } => Some(audience),
        _ => None,
    }
}
