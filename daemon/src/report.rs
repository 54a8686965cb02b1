//! What the broker tells about itself: sessions, profiles, status. Nothing here releases or changes anything.

use crate::broker::{Broker, certified};
use crate::caller::Caller;
use crate::clock::rfc3339;
use crate::gated::Standing;
use crate::grant::Grant;
use crate::helper::HelperError;
use crate::names::ProfileName;
use crate::problem::Problem;
use crate::profile::{Config, KeyPlace, Profile, ProfileError, Source};
use std::path::Path;
use std::sync::Arc;
use tegata_protocol::body::{self, ProfileState, Profiles, Session, SessionState, Status};
use tegata_protocol::gate::HandRequest;
use tegata_protocol::{ErrorBody, ErrorCode};

/// Profiles on one page of a listing: well below the response limit however long their names are.
const PAGE: usize = 200;

impl Broker {
    /// Says how the sign-in sessions stand.
    ///
    /// # Errors
    /// What the configuration said.
    pub async fn sessions(&self, config: Option<&Path>) -> Result<Vec<Session>, ErrorBody> {
        self.config(config).await?;
        Ok(self.session_views(config).await)
    }

    /// Lists the profiles, a page at a time, with what keeps each from being served. `from_memory`: what decides is told only
    /// where it has been read, and the store is not asked.
    ///
    /// # Errors
    /// What the configuration said, or [`ErrorCode::BadRequest`] for a page token that was never handed out.
    pub async fn profiles(
        &self,
        config: Option<&Path>,
        page: Option<&str>,
        from_memory: bool,
    ) -> Result<Profiles, ErrorBody> {
        let config = self.config(config).await?;
        let first = match page {
            None => 0,
            Some(token) => token.parse::<usize>().map_err(|_| ErrorBody::new(ErrorCode::BadRequest, "no such page"))?,
        };
        let all = config.profiles();
        let next = first.saturating_add(PAGE);
        let next_page = (next < all.len()).then(|| next.to_string());
        let standing = match (self.locked().locked, from_memory) {
            (true, _) => None,
            (false, true) => self.gated.known_standing(),
            (false, false) => self.gated.standing().await.ok(),
        };
        let mut profiles = Vec::new();
        for name in all.skip(first).take(PAGE) {
            let certificate_ends_at = self.certificate_end(&config, name).await;
            profiles
                .push(body::Profile { certificate_ends_at, ..self.profile_view(&config, name, standing.as_deref()) });
        }
        let warnings = if first == 0 { config.warnings().to_vec() } else { Vec::new() };
        Ok(Profiles { profiles, next_page, warnings })
    }

    /// Says how a profile stands for a caller, from memory alone: AWS and the store are not asked, nothing is renewed, parked or
    /// counted as use. A shell's prompt asks each time.
    ///
    /// # Errors
    /// What the configuration said.
    pub async fn profile_state(
        &self,
        caller: &Caller,
        name: &str,
        config: Option<&Path>,
    ) -> Result<ProfileState, ErrorBody> {
        let name = ProfileName::new(name).map_err(|error| Problem::from(ProfileError::from(error)))?;
        let config = self.config(config).await?;
        let profile = config.resolve(&name).map_err(Problem::from)?;
        let (chain, now) = (&profile.chain, self.clock.now());
        let standing = self.gated.known_standing();
        let gate = standing.map(|standing| standing.policy.explain(&name, chain, standing.has_passkey(), now).gate);
        let left = |grant: Arc<Grant>| grant.until.saturating_sub(self.clock.since_boot());
        let ended = match &chain.source {
            Source::Console { identity, .. } => {
                Some(identity.as_str()).filter(|who| self.console_logins.has_ended(who))
            }
            _ => chain
                .session()
                .filter(|session| self.sign_in_sessions.has_ended(&session.name))
                .map(|session| session.name.as_str()),
        };
        let expires_at = self.cache.expiry(chain, now);
        Ok(ProfileState {
            name: name.to_string(),
            region: config.region(&name).map(|region| region.to_string()),
            expires_at: expires_at.map(rfc3339),
            gate,
            elevated_until: self.grants.find(chain, caller).map(|grant| rfc3339(now + left(grant))),
            pin_for: pin_for(&profile),
            sign_in_needed: ended.map(str::to_owned),
            code_for: self.code_known_to_be_wanted(&profile).filter(|_| expires_at.is_none()),
            locked: self.locked().locked,
        })
    }

    /// Says how everything stands.
    pub async fn status(&self, caller: &Caller, config: Option<&Path>) -> Status {
        let mut warnings = self.warnings.clone();
        match self.config(config).await {
            Ok(config) => {
                warnings.extend(config.warnings().iter().cloned());
                warnings.extend(self.key_warnings(&config).await);
            }
            Err(error) => warnings.push(error.to_string()),
        }
        let sessions = self.session_views(config).await;
        let identities = self.identity_views(config).await;
        let devices = self.device_views(config).await;
        let certificates = self.certificates(config, true).await.map(|listed| listed.certificates).unwrap_or_default();
        let reviews = self.reviews().map(|open| open.reviews).unwrap_or_else(|error| {
            warnings.push(error.message);
            Vec::new()
        });
        warnings.extend(self.gate_warnings().await);
        let ended = self.helper.ended().map(|how| HelperError::Ended { how });
        warnings.extend(ended.map(|ended| format!("{ended}; run: tegata daemon stop")));
        Status {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            pid: std::process::id(),
            started_at: rfc3339(self.started_at),
            locked: self.locked().locked,
            store: self.store.describe().await,
            sessions,
            identities,
            devices,
            certificates,
            cached_credentials: self.cache.len(),
            grants: self.grants(caller),
            requests: self.requests().into_iter().map(HandRequest::from).collect(),
            reviews,
            passkeys: self.gated.known_standing().and_then(|standing| standing.passkeys),
            clock_skew_seconds: self.aws.clock_skew_seconds(),
            warnings,
        }
    }

    /// What a person should know of the gate. While locked the store is not asked.
    async fn gate_warnings(&self) -> Vec<String> {
        if self.locked().locked {
            return Vec::new();
        }
        let Ok(standing) = self.gated.standing().await else { return Vec::new() };
        let mut warnings: Vec<_> = standing
            .pending
            .iter()
            .map(|line| format!("not in force until accepted (tegata policy accept): {line}"))
            .collect();
        match standing.passkeys {
            Some(1) => warnings.push("only one passkey is enrolled; add a second: tegata passkey add".to_owned()),
            None => warnings.push("the record of the passkeys is damaged; run: tegata passkey reset".to_owned()),
            Some(_) => {}
        }
        warnings
    }

    /// While locked the store is not asked: what would be read would have to be forgotten again.
    async fn session_views(&self, config: Option<&Path>) -> Vec<Session> {
        let mut views = Vec::new();
        for session in self.sessions_known(config).await {
            views.push(if self.locked().locked {
                Session {
                    name: session.name.to_string(),
                    start_url: session.start_url.to_string(),
                    region: session.region.to_string(),
                    state: SessionState::Unknown,
                    expires_at: None,
                    renewable: false,
                    last_error: None,
                }
            } else {
                self.sign_in_sessions.view(&session).await
            });
        }
        views
    }

    /// Returns when the certificate that a profile starts from ends, without asking the store or a token.
    async fn certificate_end(&self, config: &Config, name: &ProfileName) -> Option<String> {
        let profile = config.resolve(name).ok()?;
        self.certificate_view(name, certified(&profile)?, true).await.ends_at
    }

    fn profile_view(
        &self,
        config: &Config,
        name: &crate::names::ProfileName,
        standing: Option<&Standing>,
    ) -> body::Profile {
        let empty = body::Profile {
            name: name.to_string(),
            session: None,
            source: None,
            account_id: None,
            role: None,
            expires_at: None,
            problem: None,
            tier: None,
            gate: None,
            certificate_ends_at: None,
            read_only: None,
        };
        let profile = match config.resolve(name) {
            Ok(profile) => profile,
            Err(error) => return body::Profile { problem: Some(error.to_string()), ..empty },
        };
        let (account, role) = profile.chain.reached();
        let explained = standing
            .map(|standing| standing.policy.explain(name, &profile.chain, standing.has_passkey(), self.clock.now()));
        body::Profile {
            session: profile.chain.session().map(|session| session.name.to_string()),
            source: Some(profile.chain.source.kind().word().to_owned()),
            account_id: Some(account.to_owned()),
            role: Some(role.to_owned()),
            read_only: config.read_only(&profile),
            tier: explained.as_ref().and_then(|explained| explained.tier.clone()),
            gate: explained.map(|explained| explained.gate),
            expires_at: self.cache.expiry(&profile.chain, self.clock.now()).map(rfc3339),
            ..empty
        }
    }
}

/// Returns the token that a profile's key is in.
fn pin_for(profile: &Profile) -> Option<String> {
    match &certified(profile)?.private_key {
        KeyPlace::Pkcs11(key) => Some(key.token_name().to_owned()),
        _ => None,
    }
}
