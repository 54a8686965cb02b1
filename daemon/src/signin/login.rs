//! A console login: the flow of `aws login`. With a browser on this machine the code comes to the callback; with one elsewhere AWS's page
//! shows a text that the person carries over.

use super::callback::Callback;
use super::dpop::ProofKey;
use super::pkce::{Pkce, State};
use super::{GIVE_UP_AFTER, SignInError};
use crate::aws::{AuthorizeLogin, Aws, BoxFuture, LoginCall, LoginClient, LoginGrant, LoginTokens, login_url};
use crate::clock::Clock;
use crate::names::Region;
use base64::Engine as _;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;
use tegata_protocol::{MAX_CARRIED_CODE, Secret};
use tokio::sync::oneshot;
use url::Url;
use zeroize::Zeroizing;

/// The longest authorization code (API reference of AWS Sign-In, `CreateOAuth2Token`, `code`: 512), with room.
const LONGEST_CODE: usize = 2 * 1024;

/// Padded or not: what a person copies may lack its end.
const CARRIED: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// A login that worked.
pub struct LoggedIn {
    /// The region it was made in.
    pub region: Region,
    /// Where its tokens came from and go to.
    pub endpoint: String,
    /// The client it was made as.
    pub client: LoginClient,
    /// The key it is bound to.
    pub key: ProofKey,
    /// What it gave.
    pub tokens: LoginTokens,
}

impl fmt::Debug for LoggedIn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LoggedIn").field("region", &self.region).finish_non_exhaustive()
    }
}

/// A login under way.
pub struct BegunLogin {
    /// The page to open.
    pub url: Url,
    /// When it is given up.
    pub expires_at: SystemTime,
    /// Takes the text that the page shows; absent where the code comes by itself.
    pub carrier: Option<Carrier>,
    /// Ends in tokens or in the reason why not. Dropping it cancels the login.
    pub outcome: BoxFuture<'static, Result<LoggedIn, SignInError>>,
}

/// The page's address carries the state.
impl fmt::Debug for BegunLogin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BegunLogin").field("expires_at", &self.expires_at).finish_non_exhaustive()
    }
}

/// Begins a login in a region, with the browser where the client says.
///
/// # Errors
/// What AWS's endpoints, the callback or the randomness said.
pub async fn begin(
    aws: Arc<dyn Aws>,
    clock: &dyn Clock,
    region: Region,
    client: LoginClient,
) -> Result<BegunLogin, SignInError> {
    let (key, pkce, state) = (ProofKey::fresh()?, Pkce::fresh()?, State::fresh()?);
    let endpoint = aws.login_endpoint(&region)?;
    let (arrival, carrier) = match client {
        LoginClient::SameDevice => (Arrival::Callback(Callback::listen(state.clone()).await?), None),
        LoginClient::CrossDevice => {
            let (sender, receiver) = oneshot::channel();
            let carrier = Carrier { state: state.clone(), waiting: Arc::new(Mutex::new(Some(sender))) };
            (Arrival::Carried { redirect_uri: format!("{endpoint}/v1/sessions/confirmation"), receiver }, Some(carrier))
        }
    };
    let redirect_uri = arrival.redirect_uri();
    let request = AuthorizeLogin { client, redirect_uri, state: state.expose(), challenge: pkce.challenge() };
    let url = login_url(&endpoint, &request)?;
    let login = Login { aws, region, endpoint, client, key, pkce, arrival };
    let outcome = Box::pin(login.finish());
    Ok(BegunLogin { url, expires_at: clock.now() + GIVE_UP_AFTER, carrier, outcome })
}

struct Login {
    aws: Arc<dyn Aws>,
    region: Region,
    endpoint: String,
    client: LoginClient,
    key: ProofKey,
    pkce: Pkce,
    arrival: Arrival,
}

/// How the code gets here.
enum Arrival {
    Callback(Callback),
    Carried { redirect_uri: String, receiver: oneshot::Receiver<Secret> },
}

impl Arrival {
    fn redirect_uri(&self) -> &str {
        match self {
            Self::Callback(callback) => callback.redirect_uri(),
            Self::Carried { redirect_uri, .. } => redirect_uri,
        }
    }

    async fn code(self) -> Result<Secret, SignInError> {
        match self {
            Self::Callback(callback) => callback.code(GIVE_UP_AFTER).await,
            Self::Carried { receiver, .. } => match tokio::time::timeout(GIVE_UP_AFTER, receiver).await {
                Ok(Ok(code)) => Ok(code),
                Ok(Err(_)) | Err(_) => Err(SignInError::TimedOut),
            },
        }
    }
}

impl Login {
    async fn finish(self) -> Result<LoggedIn, SignInError> {
        let Self { aws, region, endpoint, client, key, pkce, arrival } = self;
        let redirect_uri = arrival.redirect_uri().to_owned();
        let code = arrival.code().await?;
        let grant = LoginGrant::Code { code: &code, verifier: pkce.verifier(), redirect_uri: &redirect_uri };
        let tokens = aws.login_tokens(&LoginCall { region: &region, client, key: &key }, grant).await?;
        Ok(LoggedIn { region, endpoint, client, key, tokens })
    }
}

/// Takes the text that a person carries over from AWS's page.
#[derive(Clone, Debug)]
pub struct Carrier {
    state: State,
    waiting: Arc<Mutex<Option<oneshot::Sender<Secret>>>>,
}

/// Why a text is not the one that the page shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotCarried {
    /// It is no such text.
    #[error("this is not the text that AWS's page shows; copy all of it, from the first character to the last")]
    NoSuchText,
    /// It is such a text, and of another login.
    #[error("this text is of another login; open the page of this one")]
    OfAnother,
    /// It was taken before.
    #[error("this login has had its text")]
    TakenBefore,
}

impl Carrier {
    /// Takes the text; a wrong one leaves the login as it is.
    ///
    /// # Errors
    /// [`NotCarried`].
    pub fn carry(&self, text: &Secret) -> Result<(), NotCarried> {
        let code = read(text.expose_secret(), &self.state)?;
        let waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner).take();
        waiting.and_then(|waiting| waiting.send(code).ok()).ok_or(NotCarried::TakenBefore)
    }
}

/// Reads the text: base64 of `state=…&code=…`, as `aws login --remote` reads it. White space in it is the terminal's.
fn read(text: &str, state: &State) -> Result<Secret, NotCarried> {
    if text.len() > MAX_CARRIED_CODE {
        return Err(NotCarried::NoSuchText);
    }
    let text = Zeroizing::new(text.split_ascii_whitespace().collect::<String>());
    let decoded = Zeroizing::new(CARRIED.decode(text.as_bytes()).map_err(|_| NotCarried::NoSuchText)?);
    let fields = || form_urlencoded::parse(&decoded);
    let only = |name: &str| {
        let mut found = fields().filter(|(found, _)| found == name);
        let value = found.next().map(|(_, value)| value.into_owned());
        value.filter(|_| found.next().is_none())
    };
    let (Some(received), Some(code)) = (only("state"), only("code")) else { return Err(NotCarried::NoSuchText) };
    if code.is_empty() || code.len() > LONGEST_CODE {
        return Err(NotCarried::NoSuchText);
    }
    if state.is(&received) { Ok(Secret::new(code)) } else { Err(NotCarried::OfAnother) }
}
