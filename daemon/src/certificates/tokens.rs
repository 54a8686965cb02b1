//! Certificates and keys on PKCS#11 tokens: asked of the helper process, which alone loads a module.

use super::fault::Fault;
use crate::helper::{self, Helper, HelperError, NoHelper, Operation};
use crate::pkcs11::ObjectUri;
use crate::problem::Problem;
use crate::roles_anywhere::Certificates;
use std::path::PathBuf;
use std::sync::Arc;
use tegata_protocol::Secret;
use zeroize::Zeroizing;

/// The tokens of this machine.
#[derive(Clone, Debug)]
pub struct Tokens {
    helper: Arc<dyn Helper>,
    module: Option<PathBuf>,
}

impl Default for Tokens {
    /// The tokens of settings that name no module.
    fn default() -> Self {
        Self { helper: Arc::new(NoHelper), module: None }
    }
}

impl Tokens {
    /// Asks this helper, which loads this module (`[pkcs11] module`).
    #[must_use]
    pub fn new(helper: Arc<dyn Helper>, module: Option<PathBuf>) -> Self {
        Self { helper, module }
    }

    /// Reads a certificate, and what of the token leads from it to a trust anchor.
    pub(super) async fn certificates(&self, object: &ObjectUri) -> Result<Certificates, Problem> {
        let asked = Operation::TokenCertificates { module: self.module(object)?, object: object.clone() };
        let bytes = self.ask(asked, Zeroizing::default()).await?;
        Ok(Certificates::from_pool(&bytes).map_err(|error| Fault::of(object.as_str(), &error))?)
    }

    /// Signs.
    pub(super) async fn sign(&self, object: &ObjectUri, message: &[u8]) -> Result<Vec<u8>, Problem> {
        let asked = Operation::TokenSign { module: self.module(object)?, object: object.clone() };
        Ok(self.ask(asked, Zeroizing::new(message.to_vec())).await?.to_vec())
    }

    /// Opens the token that an object is in, until everything is locked.
    ///
    /// # Errors
    /// What the token said; the PIN was tried once.
    pub async fn open(&self, object: &ObjectUri, pin: &Secret) -> Result<(), Problem> {
        let asked = Operation::TokenOpen { module: self.module(object)?, object: object.clone() };
        self.ask(asked, Zeroizing::new(pin.expose_secret().as_bytes().to_vec())).await.map(drop)
    }

    /// Closes every token.
    pub(super) async fn close(&self) {
        if self.module.is_some()
            && let Err(error) = self.helper.ask(Operation::TokensClose, Zeroizing::default()).await
        {
            tracing::warn!("locked, but tokens may be open still: {error}");
        }
    }

    fn module(&self, object: &ObjectUri) -> Result<PathBuf, Fault> {
        let missing =
            "is in a PKCS#11 token, and config.toml names no module: [pkcs11] module = \"/path/to/module.so\"";
        self.module.clone().ok_or_else(|| Fault::of(object.as_str(), &missing))
    }

    async fn ask(&self, operation: Operation, input: helper::Bytes) -> Result<helper::Bytes, Problem> {
        self.helper.ask(operation, input).await.map_err(|error| match error {
            HelperError::Fault(helper::Fault::PinNeeded { token }) => {
                Problem::PersonNeeded { what: format!("token {token}"), why: "wants its PIN".to_owned(), profile: None }
            }
            other => other.into(),
        })
    }
}
