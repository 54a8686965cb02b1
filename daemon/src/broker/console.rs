//! A link that signs in to AWS's web console: decided, had from AWS, recorded, then released, exactly as credentials are.

use super::{Ask, Broker, Form, Release, not_recorded};
use crate::audit::Event;
use crate::caller::Caller;
use crate::clock::rfc3339;
use crate::console::{Bounds, ConsoleFault, Destination, LINK_LIFE, link, possible, session_duration};
use crate::credentials::Credentials;
use crate::gated::Elevated;
use crate::grant::Grant;
use crate::names::{ProfileName, Region};
use crate::partition::Partition;
use crate::problem::{Problem, quoted};
use crate::profile::{Profile, ProfileError, Source};
use crate::store::Bytes;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, SystemTime};
use tegata_protocol::ErrorBody;
use tegata_protocol::console::{ConsoleLink, OpenConsole};
use zeroize::Zeroizing;

/// A link with its token and what is around it, so that writing it never moves the buffer.
const ROOM_FOR_LINK: usize = 256 * 1024;

/// A link that was had and not yet released.
struct Had {
    profile: Arc<Profile>,
    credentials: Arc<Credentials>,
    grant: Option<Arc<Grant>>,
    console_until: SystemTime,
    link: ConsoleLink,
}

impl Broker {
    /// Answers with a link that signs in to the console as a profile. A record of it is written before it is released; for a gated
    /// profile it is on disk before.
    ///
    /// # Errors
    /// Why there is none; recorded as well.
    pub async fn console_link(
        &self,
        caller: &Caller,
        wanted: &OpenConsole,
        wait: Option<Duration>,
    ) -> Result<Bytes, ErrorBody> {
        match self.link_for(caller, wanted, wait).await {
            Ok(Had { profile, credentials, grant, console_until, link }) => {
                let grant = grant.as_ref().map(|grant| &grant.id);
                let released = Event::console_released(&profile, &credentials, console_until, grant);
                match grant {
                    None => self.record_for(caller, &released)?,
                    Some(_) => self.audit.record_durably(Some(caller), &released).map_err(not_recorded)?,
                }
                Ok(json(&link))
            }
            Err(problem) => {
                let body = ErrorBody::from(problem);
                let profile = ProfileName::new(&wanted.profile).ok();
                self.note(Some(caller), &Event::Refused { profile: profile.as_ref(), code: body.code });
                Err(body)
            }
        }
    }

    async fn link_for(&self, caller: &Caller, wanted: &OpenConsole, wait: Option<Duration>) -> Result<Had, Problem> {
        let (partition, region) = self.place(wanted).await?;
        let destination = Destination::new(partition, &region, wanted.service.as_deref(), wanted.path.as_deref());
        let destination = destination.map_err(ConsoleFault::from)?;
        let endpoint = self.aws.federation(partition, &region)?;
        let (profile, config) = (wanted.profile.clone(), wanted.config.as_ref().map(PathBuf::from));
        // As for a tool of the person's own: a hand, or a sign-in, may be waited for.
        let ask = Ask { profile, config, wait, form: Form::Process };
        let (profile, release) = self.released(caller, &ask).await?;
        let (credentials, grant) = match release {
            Release::Open(credentials) => (credentials, None),
            Release::Elevated(Elevated { grant, credentials }) => (credentials, Some(grant)),
        };
        let (lasts, length) = session_duration(self.bounds(&profile, wanted, &credentials, grant.as_deref()))
            .map_err(ConsoleFault::from)?;
        let token = self.aws.sign_in_token(&endpoint, &credentials, lasts).await?;
        // Whatever ended while AWS was asked has ended for this link, too.
        self.unlocked()?;
        if grant.as_ref().is_some_and(|grant| !grant.is_live(&self.clock.uptime())) {
            return Err(Problem::GrantEnded { profile: profile.name.clone() });
        }
        let now = self.clock.now();
        let (account, role) = profile.chain.reached();
        let link = ConsoleLink {
            url: link(&endpoint, &destination, &token, wanted.sign_out_first),
            expires_at: rfc3339(now + LINK_LIFE),
            destination: destination.as_str().to_owned(),
            account: account.to_owned(),
            role: role.to_owned(),
            console_until: rfc3339(now + length),
            grant: grant.as_ref().map(|grant| grant.id.as_str().to_owned()),
        };
        Ok(Had { profile, credentials, grant, console_until: now + length, link })
    }

    /// Finds the console that a profile's account is in and the region to show, and whether AWS could make such a session: before
    /// anything is released or asked of AWS.
    async fn place(&self, wanted: &OpenConsole) -> Result<(Partition, Region), Problem> {
        let name = ProfileName::new(&wanted.profile).map_err(ProfileError::from)?;
        let config = self.config(wanted.config.as_ref().map(PathBuf::from).as_deref()).await?;
        let profile = config.resolve(&name)?;
        if matches!(profile.chain.source, Source::IamUser(_)) && profile.chain.roles.is_empty() {
            return Err(ConsoleFault::UserSession(quoted(name.as_str())).into());
        }
        let home = profile.chain.source.region();
        let (partition, of) = match profile.chain.roles.last() {
            Some(role) => (Partition::of_role(&role.role_arn), role.role_arn.as_str()),
            None => (Partition::of_region(home), home.as_str()),
        };
        let partition = partition.ok_or_else(|| ConsoleFault::Nowhere(of.to_owned()))?;
        let said = wanted.region.as_deref().map(Region::new).transpose().map_err(ProfileError::from)?;
        let own = || config.region(&name).filter(|region| Partition::of_region(region) == Some(partition));
        possible(profile.chain.is_chained(), wanted.seconds.map(Duration::from_secs)).map_err(ConsoleFault::from)?;
        Ok((partition, said.or_else(own).unwrap_or_else(|| profile.chain.region.clone())))
    }

    fn bounds(
        &self,
        profile: &Profile,
        wanted: &OpenConsole,
        credentials: &Credentials,
        grant: Option<&Grant>,
    ) -> Bounds {
        let now = self.obtainer.aws_time();
        // What leaves under a grant says that it ends with it; AWS goes by what it issued.
        let issued = grant.and_then(|grant| grant.credentials(now));
        Bounds {
            chained: profile.chain.is_chained(),
            wanted: wanted.seconds.map(Duration::from_secs),
            grant_left: grant.map(|grant| grant.until.saturating_sub(self.clock.since_boot())),
            credentials_left: issued.as_deref().unwrap_or(credentials).remaining(now),
        }
    }
}

fn json(link: &ConsoleLink) -> Bytes {
    let mut json = Zeroizing::new(Vec::with_capacity(ROOM_FOR_LINK));
    // Writing plain text fields into memory has nothing that can fail.
    let _ = serde_json::to_writer(&mut *json, link);
    json.push(b'\n');
    json
}
