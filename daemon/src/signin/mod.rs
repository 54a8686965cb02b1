//! The flows a human takes part in. A sign-in is a value: [`begin`] gives the page to show and a future that ends in
//! tokens; dropping that future cancels it.
//!
//! This room opens no page, keeps nothing and knows no store: who begins a sign-in brings the registered client and
//! keeps the tokens. It reaches AWS through [`Aws`] alone.

mod callback;
mod device;
pub mod dpop;
pub mod identity;
pub mod login;
mod page;
mod pkce;
#[cfg(test)]
mod tests;

use crate::aws::{Authorize, Aws, AwsError, BoxFuture, Grant, Registration, Tokens};
use crate::clock::Clock;
use crate::names::Region;
use crate::profile::SignInSession;
use callback::Callback;
use device::DeviceSignIn;
use pkce::{Pkce, State};
use std::fmt;
use std::sync::Arc;
use std::time::{Duration, SystemTime};
use tegata_protocol::body::SignInFlow;
use url::Url;

/// How long a page may stay unanswered (the AWS CLI waits as long).
const GIVE_UP_AFTER: Duration = Duration::from_secs(600);

/// Why a sign-in gave no tokens.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SignInError {
    /// AWS's answer to one of our own requests.
    #[error(transparent)]
    Aws(#[from] AwsError),
    /// The person said no on the page.
    #[error("the sign-in was declined on the page")]
    Declined,
    /// AWS sent the browser back without a code.
    #[error("AWS's page ended the sign-in ({code}): {message}")]
    Page {
        /// AWS's error code, printable (RFC 6749 section 4.1.2.1).
        code: String,
        /// AWS's words, printable.
        message: String,
    },
    /// Nobody finished in time.
    #[error("nobody finished the sign-in in time")]
    TimedOut,
    /// AWS named a page that cannot be its own: nobody is sent there.
    #[error("AWS named {page} as the page to sign in on, which does not belong to {start_url}")]
    ForeignPage {
        /// The page, printable.
        page: String,
        /// The organisation's start URL.
        start_url: String,
    },
    /// The browser's answer cannot be received.
    #[error("no port on 127.0.0.1 for the browser's answer: {detail}")]
    Listen {
        /// What the system said.
        detail: String,
    },
    /// A way to sign in that is none to a sign-in session.
    #[error("a sign-in session is not signed in to by the console")]
    NoSuchFlow,
    /// The system gave no random bytes, without which nothing can be proved.
    #[error("the system gave no random bytes")]
    Randomness,
    /// A code of an MFA device signs in to no organisation.
    #[error("an organisation is not signed in to with a code of an MFA device")]
    NoPage,
}

impl SignInError {
    /// Whether AWS no longer knows the client. Drop the registration, register, and begin again, once: from [`begin`]
    /// at once and unseen; from [`Begun::outcome`] with a new page, because the code is bound to the client.
    #[must_use]
    pub fn asks_for_registration(&self) -> bool {
        matches!(self, Self::Aws(AwsError::ClientUnknown { .. }))
    }
}

/// A sign-in under way.
pub struct Begun {
    /// The page to open. With a device code: the page without the code.
    pub url: Url,
    /// Device code only: the page with the code filled in. Never opened unasked: comparing the code is the person's part.
    pub url_with_code: Option<Url>,
    /// Device code only: what the page must show.
    pub user_code: Option<String>,
    /// When it is given up.
    pub expires_at: SystemTime,
    /// Ends in tokens or in the reason why not. Dropping it cancels the sign-in and closes the callback.
    pub outcome: BoxFuture<'static, Result<Tokens, SignInError>>,
}

/// The page's address carries the state, and who has the user code can be signed in as somebody else: neither is shown.
impl fmt::Debug for Begun {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Begun").field("expires_at", &self.expires_at).finish_non_exhaustive()
    }
}

/// Begins a sign-in. With PKCE the callback listens before the page's address exists, so nobody can take its port.
///
/// # Errors
/// [`SignInError`]; see [`SignInError::asks_for_registration`] for the one that is mended without a person.
pub async fn begin(
    aws: Arc<dyn Aws>,
    clock: &dyn Clock,
    session: &SignInSession,
    flow: SignInFlow,
    registration: &Registration,
) -> Result<Begun, SignInError> {
    let region = session.region.clone();
    let (now, client) = (clock.now(), registration.clone());
    match flow {
        SignInFlow::Pkce => {
            let sign_in = BrowserSignIn::begin(aws, region, client, &session.scopes).await?;
            Ok(Begun {
                url: sign_in.url.clone(),
                url_with_code: None,
                user_code: None,
                expires_at: now + GIVE_UP_AFTER,
                outcome: Box::pin(sign_in.finish()),
            })
        }
        SignInFlow::Console | SignInFlow::ConsoleRemote => Err(SignInError::NoSuchFlow),
        SignInFlow::DeviceCode => {
            let sign_in = DeviceSignIn::begin(aws, region, client, &session.start_url).await?;
            Ok(Begun {
                url: sign_in.page.clone(),
                url_with_code: sign_in.page_with_code.clone(),
                user_code: Some(sign_in.authorization.user_code.clone()),
                expires_at: now + sign_in.authorization.expires_in,
                outcome: Box::pin(sign_in.finish()),
            })
        }
        SignInFlow::MfaCode => Err(SignInError::NoPage),
    }
}

/// Authorization code with PKCE: the page is out, the callback listens.
struct BrowserSignIn {
    aws: Arc<dyn Aws>,
    region: Region,
    client: Registration,
    pkce: Pkce,
    callback: Callback,
    url: Url,
}

impl BrowserSignIn {
    async fn begin(
        aws: Arc<dyn Aws>,
        region: Region,
        client: Registration,
        scopes: &[String],
    ) -> Result<Self, SignInError> {
        let (pkce, state) = (Pkce::fresh()?, State::fresh()?);
        let callback = Callback::listen(state.clone()).await?;
        let request = Authorize {
            client_id: &client.client_id,
            redirect_uri: callback.redirect_uri(),
            state: state.expose(),
            challenge: pkce.challenge(),
            scopes,
        };
        let url = aws.authorize_url(&region, &request)?;
        Ok(Self { aws, region, client, pkce, callback, url })
    }

    async fn finish(self) -> Result<Tokens, SignInError> {
        let Self { aws, region, client, pkce, callback, .. } = self;
        let redirect_uri = callback.redirect_uri().to_owned();
        let code = callback.code(GIVE_UP_AFTER).await?;
        let grant = Grant::Code { code: &code, verifier: pkce.verifier(), redirect_uri: &redirect_uri };
        Ok(aws.create_token(&region, &client, grant).await?)
    }
}
