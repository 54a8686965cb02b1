//! The secrets of one attempt: PKCE's verifier (RFC 7636) and the state (RFC 6749 section 10.12). Fresh each time.

use super::SignInError;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;
use tegata_protocol::Secret;

/// A verifier and its S256 challenge. There is no `plain`.
#[derive(Debug)]
pub(super) struct Pkce {
    verifier: Secret,
    challenge: String,
}

impl Pkce {
    /// Draws 256 bits, which base64url writes as 43 characters: the shortest verifier allowed and all the entropy asked
    /// for (RFC 7636 sections 4.1 and 7.1).
    pub(super) fn fresh() -> Result<Self, SignInError> {
        let verifier = random_text()?;
        let challenge = challenge_of(verifier.expose_secret());
        Ok(Self { verifier, challenge })
    }

    pub(super) fn verifier(&self) -> &Secret {
        &self.verifier
    }

    pub(super) fn challenge(&self) -> &str {
        &self.challenge
    }
}

/// What has to come back with the code.
#[derive(Clone, Debug)]
pub(super) struct State(Secret);

impl State {
    pub(super) fn fresh() -> Result<Self, SignInError> {
        random_text().map(Self)
    }

    /// For the authorize URL alone.
    pub(super) fn expose(&self) -> &str {
        self.0.expose_secret()
    }

    /// Compares in constant time.
    pub(super) fn is(&self, received: &str) -> bool {
        self.0.expose_secret().as_bytes().ct_eq(received.as_bytes()).into()
    }
}

fn random_text() -> Result<Secret, SignInError> {
    let mut bytes = zeroize::Zeroizing::new([0_u8; 32]);
    getrandom::fill(bytes.as_mut_slice()).map_err(|_| SignInError::Randomness)?;
    Ok(Secret::new(URL_SAFE_NO_PAD.encode(bytes.as_slice())))
}

fn challenge_of(verifier: &str) -> String {
    URL_SAFE_NO_PAD.encode(Sha256::digest(verifier.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_challenge_is_that_of_rfc_7636_appendix_b() {
        let challenge = challenge_of("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk");
        assert_eq!(challenge, "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM");
    }

    #[test]
    fn g7_a_verifier_is_fresh_has_256_bits_and_is_never_shown() {
        let drawn: Vec<Pkce> = (0..64).map(|_| Pkce::fresh().unwrap()).collect();
        for (at, pkce) in drawn.iter().enumerate() {
            let verifier = pkce.verifier().expose_secret();
            assert_eq!(URL_SAFE_NO_PAD.decode(verifier).unwrap().len(), 32);
            assert!((43..=128).contains(&verifier.len()));
            assert!(verifier.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte)));
            assert!(drawn[..at].iter().all(|other| other.verifier().expose_secret() != verifier));
            assert!(!format!("{pkce:?}").contains(verifier));
        }
    }

    #[test]
    fn a_state_is_fresh_and_only_itself() {
        let (one, other) = (State::fresh().unwrap(), State::fresh().unwrap());
        assert!(one.is(one.expose()) && !one.is(other.expose()));
        assert!(!one.is("") && !one.is(&one.expose()[1..]) && !one.is(&format!("{} ", one.expose())));
        assert!(!format!("{one:?}").contains(one.expose()));
    }
}
