//! Access keys of IAM users, as people ask for what becomes of them.

use super::{Broker, not_recorded};
use crate::arns::UserArn;
use crate::audit::{Event, KeyTail};
use crate::aws::iam::ServiceCredential;
use crate::caller::Caller;
use crate::clock::rfc3339;
use crate::gated::Patience;
use crate::iam_keys::{Fate, Imported, Kept, KeyProblem, Rotated, Wanted, age, report};
use crate::iam_users::record::KeyState;
use crate::names::{ProfileName, Region};
use crate::policy::terms::Decision;
use crate::problem::Problem;
use crate::profile::{Chain, Config, IamUser, Profile, ProfileError, Source};
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use tegata_protocol::ErrorBody;
use tegata_protocol::keys::{
    ImportKey, ImportedKey, KeptState, KeysReport, ReplacedKey, ReplacedState, ReportedKey, ReportedServiceCredential,
    ReportedUser, RotateKey, RotatedKey,
};

/// The most users that are asked about in one report: each costs four requests or so, and IAM takes some twenty a second.
const MOST_USERS: usize = 50;

const DAY: Duration = Duration::from_secs(24 * 3600);

/// A user and who uses it.
struct Used {
    source: IamUser,
    profiles: Vec<ProfileName>,
}

impl Broker {
    /// Takes an access key into the store. A key that is there is never replaced by another one that way, unless AWS does not know it
    /// any more: so it takes no hand.
    ///
    /// # Errors
    /// Why it is not taken in; then the store is as it was.
    pub async fn import_key(&self, caller: &Caller, offered: &ImportKey) -> Result<ImportedKey, ErrorBody> {
        self.unlocked()?;
        self.gated.leads_as_accepted().await?;
        let region = offered.region.as_deref().map(Region::new).transpose();
        let region = region.map_err(|error| Problem::from(ProfileError::from(error)))?;
        let taken = self.keys.import(&offered.access_key_id, offered.secret_access_key.clone(), region).await;
        let taken = taken.map_err(ErrorBody::from);
        match &taken {
            Ok(Imported { user, last_four, kept }) => {
                let kept = *kept == Kept::It;
                self.note(Some(caller), &Event::KeyImported { user, access_key: KeyTail::last_four(last_four), kept });
            }
            Err(body) => self.note(Some(caller), &Event::KeyNotImported { code: body.code }),
        }
        let Imported { user, last_four, kept } = taken?;
        // What failed for want of a key is asked for again at once.
        self.obtainer.forget_failures();
        let in_use = match kept {
            Kept::It => None,
            Kept::Another { last_four } => Some(last_four),
        };
        Ok(ImportedKey { account_id: user.account().to_owned(), user: user.to_string(), last_four, in_use })
    }

    /// Turns the access key behind a profile over. A gated one takes a grant, and a use of it.
    ///
    /// # Errors
    /// Why it did not come to its end; a key works all the same.
    pub async fn rotate_key(
        &self,
        caller: &Caller,
        wanted: &RotateKey,
        wait: Option<Duration>,
    ) -> Result<RotatedKey, ErrorBody> {
        let outcome = self.rotated(caller, wanted, wait).await;
        if let Err(body) = &outcome {
            let profile = ProfileName::new(&wanted.profile).ok();
            self.note(Some(caller), &Event::KeyNotRotated { profile: profile.as_ref(), code: body.code });
        }
        outcome
    }

    async fn rotated(
        &self,
        caller: &Caller,
        wanted: &RotateKey,
        wait: Option<Duration>,
    ) -> Result<RotatedKey, ErrorBody> {
        self.unlocked()?;
        let name = ProfileName::new(&wanted.profile).map_err(|error| Problem::from(ProfileError::from(error)))?;
        let config = self.config(wanted.config.as_deref().map(Path::new)).await?;
        let profile = config.resolve(&name).map_err(Problem::from)?;
        let Source::IamUser(source) = &profile.chain.source else {
            return Err(Problem::from(KeyProblem::OtherSource { profile: name.to_string() }).into());
        };
        self.allow_rotation(caller, &profile, wanted.finish, source, wait).await?;
        let grace = wanted.grace_seconds.map(Duration::from_secs);
        let how = if wanted.finish { Wanted::Finish } else { Wanted::Rotate { grace } };
        let rotated = self.keys.rotate(&source.user, &source.region, how).await;
        let rotated = rotated.map_err(|problem| problem.asked_for(&name))?;
        Ok(body_of(&source.user, &rotated))
    }

    /// What is changed is the user's key, whatever comes after it: both what was named and the user itself are decided about. It is on
    /// disk that it is changed before it is.
    async fn allow_rotation(
        &self,
        caller: &Caller,
        profile: &Arc<Profile>,
        finish: bool,
        source: &IamUser,
        wait: Option<Duration>,
    ) -> Result<(), ErrorBody> {
        let bare: Arc<Chain> = Arc::new(profile.chain.before(0));
        let itself = Profile { name: profile.name.clone(), chain: bare };
        let mut targets = vec![profile.as_ref()];
        if !profile.chain.roles.is_empty() {
            targets.push(&itself);
        }
        let mut grant = None;
        for target in targets {
            match self.gated.decide(target).await? {
                Decision::Open => {}
                Decision::Gated(terms) => {
                    let patience = wait.unwrap_or_default().min(self.longest_wait);
                    let patience = Patience { work: patience, hand: !patience.is_zero() };
                    grant = Some(self.gated.allow(caller, target, terms, patience).await?);
                }
                Decision::Denied(denial) => return Err(Problem::from(denial).into()),
            }
        }
        self.unlocked()?;
        let grant = grant.as_ref().map(|grant| &grant.id);
        let asked = Event::KeyRotationAsked { profile: &profile.name, user: &source.user, finish, grant };
        match grant {
            None => self.record_for(caller, &asked),
            Some(_) => self.audit.record_durably(Some(caller), &asked).map_err(not_recorded),
        }
    }

    /// Tells of the access keys of the users that profiles start from, as IAM knows them.
    ///
    /// # Errors
    /// What the configuration said. A user of whose keys nothing is known says why.
    pub async fn keys_report(&self, config: Option<&Path>) -> Result<KeysReport, ErrorBody> {
        self.unlocked()?;
        self.gated.leads_as_accepted().await?;
        let config = self.config(config).await?;
        let users = users_of(&config);
        let more = users.len().saturating_sub(MOST_USERS);
        let mut reported = Vec::new();
        for Used { source, profiles } in users.into_iter().take(MOST_USERS) {
            let told = self.keys.report(&source.user).await;
            let ages = profiles.iter().filter_map(|profile| config.key_max_age(profile));
            let max_age_days = ages.min().map(|age| age.as_secs() / DAY.as_secs());
            reported.push(ReportedUser { max_age_days, ..reported_user(&source.user, &profiles, told) });
        }
        Ok(KeysReport { users: reported, more })
    }

    /// What a person should know of access keys: too old, or a rotation that was interrupted. While locked the store is not asked.
    pub(crate) async fn key_warnings(&self, config: &Config) -> Vec<String> {
        if self.locked().locked {
            return Vec::new();
        }
        let mut warnings = Vec::new();
        for Used { source, profiles } in users_of(config).into_iter().take(MOST_USERS) {
            let Ok(Some(record)) = self.iam_users.keys(&source.user).await else { continue };
            let strictest = |profile: &&ProfileName| config.key_max_age(profile).unwrap_or(Duration::MAX);
            let Some(profile) = profiles.iter().min_by_key(strictest) else { continue };
            let most = config.key_max_age(profile);
            warnings.extend(age::reminder(profile.as_str(), &record, most, self.clock.now()));
        }
        warnings
    }
}

/// The users that profiles start from, by ARN, each with all its profiles in the order of the file.
fn users_of(config: &Config) -> Vec<Used> {
    let mut users: BTreeMap<UserArn, Used> = BTreeMap::new();
    for profile in config.profiles().filter_map(|name| config.resolve(name).ok()) {
        if let Source::IamUser(source) = &profile.chain.source {
            let new = || Used { source: (**source).clone(), profiles: Vec::new() };
            users.entry(source.user.clone()).or_insert_with(new).profiles.push(profile.name.clone());
        }
    }
    users.into_values().collect()
}

fn reported_user(user: &UserArn, profiles: &[ProfileName], told: Result<report::UserReport, Problem>) -> ReportedUser {
    let said = |problem: Problem| ErrorBody::from(first_asked(problem, profiles)).message;
    let (keys, problem, for_services) = match told {
        Ok(report) => (report.keys, None, report.for_services.map_err(said)),
        Err(problem) => (Vec::new(), Some(said(problem)), Ok(Vec::new())),
    };
    let (for_services, for_services_problem) = match for_services {
        Ok(listed) => (listed, None),
        Err(said) => (Vec::new(), Some(said)),
    };
    ReportedUser {
        user: user.to_string(),
        profiles: profiles.iter().map(ToString::to_string).collect(),
        keys: keys.into_iter().map(reported_key).collect(),
        for_services: for_services.into_iter().map(reported_service).collect(),
        for_services_problem,
        max_age_days: None,
        problem,
    }
}

fn reported_service(listed: ServiceCredential) -> ReportedServiceCredential {
    ReportedServiceCredential {
        id: listed.id,
        service: listed.service,
        active: listed.is_active,
        created_at: listed.created_at.map(rfc3339),
        expires_at: listed.expires_at.map(rfc3339),
    }
}

fn first_asked(problem: Problem, profiles: &[ProfileName]) -> Problem {
    match profiles.first() {
        Some(profile) => problem.asked_for(profile),
        None => problem,
    }
}

fn body_of(user: &UserArn, rotated: &Rotated) -> RotatedKey {
    let old = rotated.old.iter().map(|old| {
        let (state, delete_after, detail) = match &old.fate {
            Fate::Deactivated { delete_after } => (ReplacedState::Deactivated, Some(rfc3339(*delete_after)), None),
            Fate::Deleted => (ReplacedState::Deleted, None, None),
            Fate::Left { why } => (ReplacedState::Left, None, Some(why.clone())),
        };
        ReplacedKey { access_key_id: old.id.as_str().to_owned(), state, delete_after, detail }
    });
    RotatedKey {
        user: user.to_string(),
        began: rotated.began,
        in_use: rotated.in_use.as_str().to_owned(),
        created_at: rotated.created_at.map(rfc3339),
        old: old.collect(),
    }
}

fn reported_key(key: report::ReportedKey) -> ReportedKey {
    let kept = match key.kept {
        Some(KeyState::InUse) => KeptState::InUse,
        Some(KeyState::ComingIn) => KeptState::ComingIn,
        Some(KeyState::GoingOut { .. }) => KeptState::GoingOut,
        None => KeptState::Elsewhere,
    };
    let (used, service, region) = match key.last_used {
        Some(used) => (Some(rfc3339(used.at)), Some(used.service), Some(used.region)),
        None => (None, None, None),
    };
    ReportedKey {
        access_key_id: key.id,
        kept,
        active: key.is_active,
        created_at: key.created_at.map(rfc3339),
        last_used_at: used,
        last_used_service: service,
        last_used_region: region,
    }
}
