//! Console logins: what AWS Sign-In is asked for and answers, the service behind `aws login`.

use super::AwsError;
use crate::credentials::Credentials;
use crate::names::Region;
use crate::signin::dpop::ProofKey;
use tegata_protocol::Secret;

/// Where the browser of a login is. AWS knows each as a client of its own, which nobody registers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LoginClient {
    /// On this machine: the code comes to a callback.
    SameDevice,
    /// Elsewhere: the person carries the code over.
    CrossDevice,
}

impl LoginClient {
    /// Returns the client's id.
    #[must_use]
    pub fn id(self) -> &'static str {
        match self {
            Self::SameDevice => "arn:aws:signin:::devtools/same-device",
            Self::CrossDevice => "arn:aws:signin:::devtools/cross-device",
        }
    }

    /// Finds the client with an id.
    #[must_use]
    pub fn with_id(id: &str) -> Option<Self> {
        [Self::SameDevice, Self::CrossDevice].into_iter().find(|client| client.id() == id)
    }
}

/// What the address of the page carries (RFC 6749 section 4.1.1, RFC 7636 section 4.3).
#[derive(Debug)]
pub struct AuthorizeLogin<'a> {
    /// Who asks.
    pub client: LoginClient,
    /// Where the code goes.
    pub redirect_uri: &'a str,
    /// The state that must come back.
    pub state: &'a str,
    /// The SHA-256 challenge.
    pub challenge: &'a str,
}

/// Whose token is asked for, and who shows that it is theirs.
#[derive(Debug)]
pub struct LoginCall<'a> {
    /// The region of the login.
    pub region: &'a Region,
    /// Who asks.
    pub client: LoginClient,
    /// The key that the login is bound to.
    pub key: &'a ProofKey,
}

/// What is exchanged.
#[derive(Debug)]
pub enum LoginGrant<'a> {
    /// An authorization code.
    Code {
        /// The code.
        code: &'a Secret,
        /// The PKCE verifier whose challenge the page's address carried.
        verifier: &'a Secret,
        /// Byte for byte the one of the page's address.
        redirect_uri: &'a str,
    },
    /// A refresh token.
    RefreshToken(&'a Secret),
}

/// What a login gives, and each renewal of it.
#[derive(Debug)]
pub struct LoginTokens {
    /// Good for fifteen minutes at most.
    pub credentials: Credentials,
    /// Brings the next ones, once.
    pub refresh_token: Secret,
    /// Who logged in, as a JWT; only with a code.
    pub id_token: Option<Secret>,
}

/// Returns the page on which a person logs in: the parameters and their order are those of `aws login`, with the method `SHA-256` and
/// `scope` in the singular.
///
/// # Errors
/// [`AwsError::Refused`] when the endpoint is no address.
pub fn login_url(endpoint: &str, request: &AuthorizeLogin<'_>) -> Result<url::Url, AwsError> {
    let AuthorizeLogin { client, redirect_uri, state, challenge } = request;
    let parameters = [
        ("response_type", "code"),
        ("client_id", client.id()),
        ("state", state),
        ("code_challenge_method", "SHA-256"),
        ("scope", "openid"),
        ("redirect_uri", redirect_uri),
        ("code_challenge", challenge),
    ];
    super::endpoints::page(&format!("{endpoint}/v1/authorize"), &parameters)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_is_asked_for_as_aws_login_asks() {
        let request = AuthorizeLogin {
            client: LoginClient::SameDevice,
            redirect_uri: "http://127.0.0.1:43123/oauth/callback",
            state: "st-ate",
            challenge: "chal_lenge",
        };
        let url = login_url("https://us-east-1.signin.aws.amazon.com", &request).unwrap();
        assert_eq!(
            url.as_str(),
            "https://us-east-1.signin.aws.amazon.com/v1/authorize?response_type=code\
             &client_id=arn%3Aaws%3Asignin%3A%3A%3Adevtools%2Fsame-device&state=st-ate&code_challenge_method=SHA-256\
             &scope=openid&redirect_uri=http%3A%2F%2F127.0.0.1%3A43123%2Foauth%2Fcallback&code_challenge=chal_lenge"
        );
    }

    #[test]
    fn a_client_is_found_by_its_id() {
        for client in [LoginClient::SameDevice, LoginClient::CrossDevice] {
            assert_eq!(LoginClient::with_id(client.id()), Some(client));
        }
        assert_eq!(LoginClient::with_id("arn:aws:signin:::devtools/other"), None);
    }
}
