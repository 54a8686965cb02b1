//! The certificates of this machine, as people ask for them: how they stand, keeping one, forgetting it.

use super::Broker;
use crate::audit::Event;
use crate::caller::Caller;
use crate::certificates::kept::{Kept, owner};
use crate::certificates::{Facts, Fault, Identity, shown};
use crate::clock::rfc3339;
use crate::helper::{self, HelperError};
use crate::names::ProfileName;
use crate::problem::{Problem, quoted};
use crate::profile::{KeyPlace, Profile, ProfileError, RolesAnywhere, Source};
use crate::roles_anywhere::{Certificates, PrivateKey, key};
use std::path::Path;
use std::sync::Arc;
use tegata_protocol::certificates as body;
use tegata_protocol::certificates::{CertificateState, EnterPin, ForgottenCertificate, ImportCertificate};
use tegata_protocol::{ErrorBody, ErrorCode};

/// The most certificates that are looked at for one answer.
const MOST: usize = 200;

impl Broker {
    /// Says how the certificates of the profiles stand. `from_memory`: what is in the store or on a token is told only where it has
    /// been read; files are read all the same.
    ///
    /// # Errors
    /// What the configuration said.
    pub async fn certificates(
        &self,
        config: Option<&Path>,
        from_memory: bool,
    ) -> Result<body::Certificates, ErrorBody> {
        let config = self.config(config).await?;
        let profiles: Vec<_> = config.profiles().filter_map(|name| config.resolve(name).ok()).collect();
        let mut sources = profiles.iter().filter_map(|profile| Some((profile, certified(profile)?)));
        let mut certificates = Vec::new();
        for (profile, asked) in sources.by_ref().take(MOST) {
            certificates.push(self.certificate_view(&profile.name, asked, from_memory || self.locked().locked).await);
        }
        Ok(body::Certificates { certificates, left_out: sources.count() })
    }

    /// Keeps a certificate and its key in the store, once AWS has given a session for it.
    ///
    /// # Errors
    /// Why not; then what was kept before is.
    pub async fn import_certificate(
        &self,
        caller: &Caller,
        sent: &ImportCertificate,
    ) -> Result<body::Certificate, ErrorBody> {
        self.unlocked()?;
        self.gated.leads_as_accepted().await?;
        let profile = self.certified_profile(&sent.profile, sent.config.as_deref().map(Path::new)).await?;
        let asked = certified(&profile).ok_or_else(|| not_certified(&profile))?;
        let imported = self.import(asked, sent).await.map_err(|problem| problem.asked_for(&profile.name));
        let imported = imported.map_err(ErrorBody::from);
        let event = match &imported {
            Ok(facts) => Event::CertificateImported { profile: &profile.name, serial: &facts.serial },
            Err(body) => Event::CertificateNotImported { profile: &profile.name, code: body.code },
        };
        self.note(Some(caller), &event);
        let facts = imported?;
        self.obtainer.forget_failures();
        Ok(view(&profile.name, asked, Ok(Some(facts)), self.clock.now()))
    }

    /// Forgets the certificate that is kept for a profile.
    ///
    /// # Errors
    /// What the configuration or the store said; then nothing was forgotten.
    pub async fn forget_certificate(
        &self,
        caller: &Caller,
        name: &str,
        config: Option<&Path>,
    ) -> Result<ForgottenCertificate, ErrorBody> {
        self.unlocked()?;
        let profile = self.certified_profile(name, config).await?;
        let asked = certified(&profile).ok_or_else(|| not_certified(&profile))?;
        let was_kept = self.providers.certificates.forget(asked).await?;
        let owner = owner(asked);
        self.obtainer.forget_sources(|source| matches!(source, Source::RolesAnywhere(of) if kept_for(of, &owner)));
        self.note(Some(caller), &Event::CertificateForgotten { profile: &profile.name });
        Ok(ForgottenCertificate { profile: profile.name.to_string(), was_kept })
    }

    /// Opens the PKCS#11 token that the key of a profile is in.
    ///
    /// # Errors
    /// What the configuration or the token said.
    pub async fn enter_pin(&self, caller: &Caller, name: &str, sent: &EnterPin) -> Result<(), ErrorBody> {
        self.unlocked()?;
        let profile = self.certified_profile(name, sent.config.as_deref().map(Path::new)).await?;
        let asked = certified(&profile).ok_or_else(|| not_certified(&profile))?;
        let KeyPlace::Pkcs11(key) = &asked.private_key else {
            return Err(Problem::from(Fault::of(&shown(&asked.private_key), &"is in no PKCS#11 token")).into());
        };
        let opened = self.providers.certificates.tokens().open(key, &sent.pin).await;
        let opened = opened.map_err(|problem| refused_pin(problem.asked_for(&profile.name), &profile.name));
        let event = match &opened {
            Ok(()) => Event::TokenOpened { profile: &profile.name },
            Err(body) => Event::TokenNotOpened { profile: &profile.name, code: body.code },
        };
        self.note(Some(caller), &event);
        opened?;
        self.obtainer.forget_failures();
        // Whoever waits for a person looks again.
        self.sign_in_sessions.announce();
        Ok(())
    }

    async fn import(&self, asked: &RolesAnywhere, sent: &ImportCertificate) -> Result<Facts, Problem> {
        let certificates = Certificates::from_pem(&sent.certificate);
        let certificates = certificates.map_err(|error| Fault::of("the certificate", &error))?;
        let plain = key::unencrypted(sent.private_key.expose_secret(), sent.passphrase.as_ref());
        let plain = plain.map_err(|error| Fault::of("the private key", &error))?;
        let private_key = PrivateKey::from_pem(plain.expose_secret(), None);
        let private_key = private_key.map_err(|error| Fault::of("the private key", &error))?;
        let (facts, pem) = (Facts::of(&certificates, shown(&asked.certificate)), certificates.to_pem());
        let identity = Identity::new(certificates, private_key, "the certificate", self.clock.now())?;
        // The proof: AWS gives a session for it, which goes nowhere.
        drop(self.providers.session_of(asked, &identity).await?);
        self.providers.certificates.keep(asked, Kept::new(pem, plain)).await?;
        Ok(facts)
    }

    async fn certified_profile(&self, name: &str, config: Option<&Path>) -> Result<Arc<Profile>, Problem> {
        let name = ProfileName::new(name).map_err(ProfileError::from)?;
        Ok(self.config(config).await?.resolve(&name)?)
    }

    pub(crate) async fn certificate_view(
        &self,
        profile: &ProfileName,
        asked: &RolesAnywhere,
        from_memory: bool,
    ) -> body::Certificate {
        let facts = self.providers.certificates.looked_at(asked, from_memory).await;
        let facts = facts.map_err(|problem| ErrorBody::from(problem.asked_for(profile)));
        view(profile, asked, facts, self.clock.now())
    }
}

/// Returns the source of a profile that starts from a certificate.
pub(crate) fn certified(profile: &Profile) -> Option<&RolesAnywhere> {
    match &profile.chain.source {
        Source::RolesAnywhere(asked) => Some(asked),
        _ => None,
    }
}

/// Whether a source takes anything from what is kept for this owner.
fn kept_for(asked: &RolesAnywhere, of: &str) -> bool {
    [&asked.certificate, &asked.private_key].contains(&&KeyPlace::Keyring) && owner(asked) == of
}

fn not_certified(profile: &Profile) -> Problem {
    let word = profile.chain.source.kind().word();
    let detail =
        format!("starts from {word} and not from a certificate (tegata_trust_anchor_arn, tegata_certificate, …)");
    ProfileError::Invalid { profile: profile.name.to_string(), detail }.into()
}

/// A PIN that was refused is a sign-in that failed: the person has another try, and nothing else is wrong.
fn refused_pin(problem: Problem, profile: &ProfileName) -> ErrorBody {
    match &problem {
        Problem::Helper(HelperError::Fault(helper::Fault::PinRefused { .. })) => {
            let login = format!("tegata login {}", quoted(profile.as_str()));
            ErrorBody::new(ErrorCode::SignInFailed, problem.to_string()).mend(login)
        }
        _ => problem.into(),
    }
}

fn view(
    profile: &ProfileName,
    asked: &RolesAnywhere,
    facts: Result<Option<Facts>, ErrorBody>,
    now: std::time::SystemTime,
) -> body::Certificate {
    let empty = body::Certificate {
        profile: profile.to_string(),
        place: shown(&asked.certificate),
        key_place: shown(&asked.private_key),
        state: CertificateState::Unknown,
        common_name: None,
        serial: None,
        ends_at: None,
        problem: None,
        mend: None,
    };
    match facts {
        Ok(None) => empty,
        Ok(Some(facts)) => body::Certificate {
            state: match &facts {
                facts if facts.has_ended(now) => CertificateState::Ended,
                facts if facts.ends_soon(now) => CertificateState::EndsSoon,
                _ => CertificateState::Valid,
            },
            common_name: Some(facts.common_name),
            serial: Some(facts.serial),
            ends_at: Some(rfc3339(facts.not_after)),
            ..empty
        },
        Err(ErrorBody { message, mend, .. }) => {
            body::Certificate { state: CertificateState::Unusable, problem: Some(message), mend, ..empty }
        }
    }
}
