//! The certificates with which this machine gets roles from IAM Roles Anywhere: where they lie, whether they can be used, who signs.
//!
//! Files are read each time they are needed, so that whoever renews a certificate only has to replace them. What is kept in the
//! store is read once, as everything there is. It must not know what is asked of AWS, nor how a request is signed.

pub mod fault;
mod files;
pub mod kept;
mod tokens;

pub use fault::{Fault, Mend};
pub use tokens::Tokens;

use crate::clock::{Clock, rfc3339};
use crate::names::ProfileName;
use crate::pkcs11::ObjectUri;
use crate::problem::Problem;
use crate::profile::{KeyPlace, RolesAnywhere};
use crate::roles_anywhere::{Certificates, PrivateKey};
use crate::store::{Store, StoreError};
use kept::Kept;
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

/// How long the file system may take. A path may lie on a mount that does not answer.
const PATIENCE: Duration = Duration::from_secs(5);

/// A certificate ends soon when less than this is left, or less than a quarter of its life where that is shorter.
const SOON: Duration = Duration::from_secs(14 * 24 * 3600);

/// A certificate that can be used now, and what signs for it.
#[derive(Debug)]
pub struct Identity {
    certificates: Certificates,
    signer: Signer,
}

/// What signs.
#[derive(Debug)]
enum Signer {
    /// A key that was read.
    Key(PrivateKey),
    /// A key that nobody can read.
    Token(Box<(Tokens, ObjectUri)>),
}

impl Identity {
    /// Puts a certificate and its key together.
    ///
    /// # Errors
    /// [`Fault`] where they do not belong together, or the certificate is not valid now. `place` is where they are, for showing.
    pub fn new(certificates: Certificates, key: PrivateKey, place: &str, now: SystemTime) -> Result<Self, Fault> {
        key.belongs_to(certificates.public_key()).map_err(|error| Fault::of(place, &error))?;
        valid(&certificates, place, now)?;
        Ok(Self { certificates, signer: Signer::Key(key) })
    }

    fn on_token(
        certificates: Certificates,
        tokens: Tokens,
        key: ObjectUri,
        place: &str,
        now: SystemTime,
    ) -> Result<Self, Fault> {
        valid(&certificates, place, now)?;
        Ok(Self { certificates, signer: Signer::Token(Box::new((tokens, key))) })
    }

    /// Returns the certificate and its intermediates.
    #[must_use]
    pub fn certificates(&self) -> &Certificates {
        &self.certificates
    }

    /// Signs.
    ///
    /// # Errors
    /// [`Problem::Certificate`], or what the token said.
    pub async fn sign(&self, message: &[u8]) -> Result<Vec<u8>, Problem> {
        match &self.signer {
            Signer::Key(key) => key.sign(message).map_err(|error| Fault::of("the private key", &error).into()),
            Signer::Token(token) => {
                let (tokens, key) = &**token;
                let signature = tokens.sign(key, message).await?;
                // Whose key it is can be told by its signature alone.
                let verified = self.certificates.public_key().verifies(message, &signature);
                verified.map_err(|error| Fault::of(key.as_str(), &error))?;
                Ok(signature)
            }
        }
    }
}

/// What is known of a certificate without its key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Facts {
    /// The subject's common name.
    pub common_name: String,
    /// The serial number in hexadecimal: the name of its role sessions.
    pub serial: String,
    /// From when it is valid.
    pub not_before: SystemTime,
    /// Until when.
    pub not_after: SystemTime,
    /// Where it is, for showing.
    pub place: String,
}

impl Facts {
    /// Takes them from a certificate.
    #[must_use]
    pub fn of(certificates: &Certificates, place: String) -> Self {
        Self {
            common_name: certificates.common_name().to_owned(),
            serial: certificates.serial_hex(),
            not_before: certificates.not_before(),
            not_after: certificates.not_after(),
            place,
        }
    }

    /// Whether it has ended.
    #[must_use]
    pub fn has_ended(&self, now: SystemTime) -> bool {
        self.not_after <= now
    }

    /// Whether it ends soon, by what is left and by how long certificates like it live.
    #[must_use]
    pub fn ends_soon(&self, now: SystemTime) -> bool {
        let life = self.not_after.duration_since(self.not_before).unwrap_or_default();
        self.not_after.duration_since(now).unwrap_or_default() < SOON.min(life / 4)
    }
}

/// The certificates of this machine.
#[derive(Debug)]
pub struct MachineCertificates {
    store: Store,
    clock: Arc<dyn Clock>,
    tokens: Tokens,
    /// What the store keeps, by owner, once it has been read.
    kept: Mutex<HashMap<String, Arc<Kept>>>,
}

impl MachineCertificates {
    /// Nothing is read before it is asked for.
    #[must_use]
    pub fn new(store: Store, clock: Arc<dyn Clock>) -> Self {
        Self { store, clock, tokens: Tokens::default(), kept: Mutex::default() }
    }

    /// Adds the tokens.
    #[must_use]
    pub fn with_tokens(self, tokens: Tokens) -> Self {
        Self { tokens, ..self }
    }

    /// Returns the tokens.
    #[must_use]
    pub fn tokens(&self) -> &Tokens {
        &self.tokens
    }

    /// Returns the certificate and the key of a source, if they can be used now.
    ///
    /// # Errors
    /// [`Problem::Certificate`], or what the store said.
    pub async fn identity(&self, asked: &RolesAnywhere) -> Result<Identity, Problem> {
        let certificates = self.certificates(asked).await?;
        let (place, now) = (shown(&asked.certificate), self.clock.now());
        if let KeyPlace::Pkcs11(key) = &asked.private_key {
            return Ok(Identity::on_token(certificates, self.tokens.clone(), key.clone(), &place, now)?);
        }
        let key = self.key(asked).await?.ok_or(Problem::Internal("a key that is nowhere"))?;
        Ok(Identity::new(certificates, key, &place, now)?)
    }

    /// Looks at the certificate and the key of a source, without using them: nothing where `from_memory` forbids to ask who has them.
    /// A certificate that has ended is looked at all the same.
    ///
    /// # Errors
    /// As [`MachineCertificates::identity`].
    pub async fn looked_at(&self, asked: &RolesAnywhere, from_memory: bool) -> Result<Option<Facts>, Problem> {
        let in_memory = || self.lock().contains_key(&kept::owner(asked));
        let is_known = |place: &KeyPlace| match place {
            KeyPlace::File(_) => true,
            KeyPlace::Keyring => !from_memory || in_memory(),
            KeyPlace::Pkcs11(_) => !from_memory,
        };
        if !is_known(&asked.certificate) {
            return Ok(None);
        }
        let certificates = self.certificates(asked).await?;
        if is_known(&asked.private_key)
            && let Some(key) = self.key(asked).await?
        {
            key.belongs_to(certificates.public_key()).map_err(|error| Fault::of(&shown(&asked.private_key), &error))?;
        }
        Ok(Some(Facts::of(&certificates, shown(&asked.certificate))))
    }

    /// Keeps a certificate and its key for everything that goes by the same trust anchor and Roles Anywhere profile.
    ///
    /// # Errors
    /// What the store said; then what was kept before is.
    pub async fn keep(&self, asked: &RolesAnywhere, kept: Kept) -> Result<(), Problem> {
        let owner = kept::owner(asked);
        self.store.write(&kept::key(&owner), kept.to_bytes(&owner)).await?;
        self.lock().insert(owner, Arc::new(kept));
        Ok(())
    }

    /// Forgets what is kept for a source; says whether there was anything.
    ///
    /// # Errors
    /// What the store said; then nothing is forgotten.
    pub async fn forget(&self, asked: &RolesAnywhere) -> Result<bool, Problem> {
        let owner = kept::owner(asked);
        let key = kept::key(&owner);
        let was_there = matches!(self.store.read(&key).await, Ok(Some(_)) | Err(StoreError::Damaged { .. }));
        self.store.delete(&key).await?;
        self.lock().remove(&owner);
        Ok(was_there)
    }

    /// Returns what time it is, for a signature.
    #[must_use]
    pub fn now(&self) -> SystemTime {
        self.clock.now()
    }

    /// Drops everything from memory, which the store keeps, and closes the tokens.
    pub async fn forget_all(&self) {
        self.lock().clear();
        self.tokens.close().await;
    }

    async fn certificates(&self, asked: &RolesAnywhere) -> Result<Certificates, Problem> {
        match &asked.certificate {
            KeyPlace::File(path) => Ok(reading(path.clone(), files::certificates).await?),
            KeyPlace::Keyring => Ok(self.kept(asked).await?.certificates()?),
            KeyPlace::Pkcs11(object) => self.tokens.certificates(object).await,
        }
    }

    /// Reads a key that can be read; one on a token cannot.
    async fn key(&self, asked: &RolesAnywhere) -> Result<Option<PrivateKey>, Problem> {
        match &asked.private_key {
            KeyPlace::File(path) => Ok(Some(key_in(path.clone(), asked).await?)),
            KeyPlace::Keyring => Ok(Some(self.kept(asked).await?.private_key()?)),
            KeyPlace::Pkcs11(_) => Ok(None),
        }
    }

    async fn kept(&self, asked: &RolesAnywhere) -> Result<Arc<Kept>, Problem> {
        let owner = kept::owner(asked);
        if let Some(kept) = self.lock().get(&owner) {
            return Ok(Arc::clone(kept));
        }
        let bytes = match self.store.read(&kept::key(&owner)).await {
            Err(StoreError::Damaged { .. }) => None,
            read => read?,
        };
        let kept = Kept::from_bytes(&owner, bytes.as_deref().map(Vec::as_slice))?;
        Ok(Arc::clone(self.lock().entry(owner).or_insert_with(|| Arc::new(kept))))
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, Arc<Kept>>> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Returns where a certificate or key is, for showing.
#[must_use]
pub fn shown(place: &KeyPlace) -> String {
    let place = match place {
        KeyPlace::File(path) => path.to_string_lossy().into_owned(),
        KeyPlace::Keyring => "keyring".to_owned(),
        KeyPlace::Pkcs11(uri) => uri.as_str().to_owned(),
    };
    tegata_protocol::text::one_line(&place)
}

fn valid(certificates: &Certificates, place: &str, now: SystemTime) -> Result<(), Fault> {
    let (name, from, until) = (certificates.common_name(), certificates.not_before(), certificates.not_after());
    if until <= now {
        let mend = if place == "keyring" { Mend::Import { from: None } } else { Mend::Nothing };
        return Err(Fault::new(format!("{place}: the certificate of {name} ended on {}", rfc3339(until)), mend));
    }
    if from > now {
        return Err(Fault::new(
            format!(
                "{place}: the certificate of {name} is valid from {} on; is this machine's clock right?",
                rfc3339(from)
            ),
            Mend::Nothing,
        ));
    }
    Ok(())
}

async fn key_in(path: PathBuf, asked: &RolesAnywhere) -> Result<PrivateKey, Fault> {
    let certificate = shown(&asked.certificate);
    reading(path, move |path| files::private_key(path, &certificate)).await
}

/// Reads a file, for a while.
async fn reading<T: Send + 'static>(
    path: PathBuf,
    read: impl FnOnce(&Path) -> Result<T, Fault> + Send + 'static,
) -> Result<T, Fault> {
    let place = tegata_protocol::text::one_line(&path.to_string_lossy());
    let work = tokio::task::spawn_blocking(move || read(&path));
    match tokio::time::timeout(PATIENCE, work).await {
        Ok(Ok(read)) => read,
        Ok(Err(_)) | Err(_) => {
            Err(Fault::new(format!("{place}: no answer after {} s", PATIENCE.as_secs()), Mend::Nothing))
        }
    }
}

impl From<Fault> for Problem {
    fn from(fault: Fault) -> Self {
        Self::Certificate { fault, profile: None::<ProfileName> }
    }
}
