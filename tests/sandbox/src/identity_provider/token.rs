//! Tokens: JSON Web Tokens (RFC 7519) in the compact form of RFC 7515.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::{IdentityProvider, SigningKeys};
use crate::clock::EpochMs;
use crate::mint::{Mint, SecretKind};

/// What a token is to say, and who signs it. What is left out is as a job of GitHub Actions has it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct TokenOrder {
    /// `iss`.
    pub issuer: String,
    /// `aud`.
    pub audience: String,
    /// `sub`.
    pub subject: String,
    /// Seconds from now until `exp`; negative: it has expired.
    pub life: i64,
    /// How it is signed.
    pub algorithm: Algorithm,
    /// By whom.
    pub signed_by: SignedBy,
    /// Characters to make it longer by.
    pub padding: usize,
}

impl Default for TokenOrder {
    fn default() -> Self {
        let IdentityProvider { issuer, mut audiences, .. } = IdentityProvider::default();
        Self {
            issuer,
            audience: audiences.remove(0),
            subject: "repo:octo-org/octo-repo:ref:refs/heads/main".to_owned(),
            life: 300,
            algorithm: Algorithm::default(),
            signed_by: SignedBy::default(),
            padding: 0,
        }
    }
}

/// How a token is signed (RFC 7518, section 3.1).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Algorithm {
    /// RSA, PKCS#1 v1.5, SHA-256.
    #[default]
    #[serde(rename = "RS256")]
    Rs256,
    /// ECDSA, P-256, SHA-256.
    #[serde(rename = "ES256")]
    Es256,
}

impl Algorithm {
    pub(super) fn key_id(self) -> &'static str {
        match self {
            Self::Rs256 => "rsa-1",
            Self::Es256 => "ec-1",
        }
    }
}

/// Who signs a token.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SignedBy {
    /// The provider.
    #[default]
    Provider,
    /// Somebody else, who says he is the provider.
    Forger,
    /// Nobody: the signature is empty.
    Nobody,
}

#[derive(Debug, Serialize, Deserialize)]
struct Header {
    alg: Algorithm,
    typ: String,
    kid: String,
}

/// What a token says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Claims {
    pub(crate) iss: String,
    pub(crate) aud: String,
    pub(crate) sub: String,
    /// Seconds since the epoch.
    pub(crate) exp: i64,
    pub(crate) iat: i64,
}

/// A token, and what its signature needs to be checked.
#[derive(Debug)]
pub(crate) struct Read<'a> {
    pub(crate) claims: Claims,
    header: Header,
    signed: &'a str,
    signature: Vec<u8>,
}

impl Read<'_> {
    pub(crate) fn is_signed_with(&self, keys: &SigningKeys) -> bool {
        keys.holds(self.header.alg, &self.header.kid, self.signed.as_bytes(), &self.signature)
    }
}

/// Makes a token. It carries a canary, as everything secret of this double does.
pub(crate) fn sign(order: &TokenOrder, keys: &SigningKeys, mint: &mut Mint, now: EpochMs) -> String {
    let seconds = now / 1000;
    let mut claims = json!({
        "iss": order.issuer,
        "aud": order.audience,
        "sub": order.subject,
        "iat": seconds,
        "nbf": seconds,
        "exp": seconds.saturating_add(order.life),
        "jti": crate::mint::canary(),
    });
    if order.padding > 0 {
        claims["padding"] = "x".repeat(order.padding).into();
    }
    let header = Header { alg: order.algorithm, typ: "JWT".to_owned(), kid: order.algorithm.key_id().to_owned() };
    let text = |value: Vec<u8>| URL_SAFE_NO_PAD.encode(value);
    let signed = format!(
        "{}.{}",
        text(serde_json::to_vec(&header).unwrap_or_default()),
        text(serde_json::to_vec(&claims).unwrap_or_default())
    );
    let signature = keys.sign(order.algorithm, order.signed_by, signed.as_bytes());
    let token = format!("{signed}.{}", text(signature));
    mint.remember(SecretKind::WebIdentityToken, &token, claims["jti"].as_str().unwrap_or_default());
    token
}

/// Takes a token apart; nothing where it is none. An algorithm this double does not sign with (`none` above all) makes it none.
pub(crate) fn read(token: &str) -> Option<Read<'_>> {
    let (signed, signature) = token.rsplit_once('.')?;
    let (header, claims) = signed.split_once('.')?;
    let bytes = |text: &str| URL_SAFE_NO_PAD.decode(text).ok();
    Some(Read {
        header: serde_json::from_slice(&bytes(header)?).ok()?,
        claims: serde_json::from_slice(&bytes(claims)?).ok()?,
        signed,
        signature: bytes(signature)?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn made(order: &TokenOrder) -> (String, SigningKeys, Mint) {
        let (keys, mut mint) = (SigningKeys::new().unwrap(), Mint::default());
        (sign(order, &keys, &mut mint, 1_795_338_478_000), keys, mint)
    }

    #[test]
    fn a_token_says_what_was_ordered_and_its_signature_holds() {
        for algorithm in [Algorithm::Rs256, Algorithm::Es256] {
            let (token, keys, mint) = made(&TokenOrder { algorithm, ..TokenOrder::default() });
            let read = read(&token).unwrap();
            assert_eq!(
                (read.claims.sub.as_str(), read.claims.exp),
                ("repo:octo-org/octo-repo:ref:refs/heads/main", 1_795_338_778)
            );
            assert!(read.is_signed_with(&keys));
            assert!(mint.minted()[0].value == token && mint.minted()[0].canary.starts_with("CANARY"));
        }
    }

    #[test]
    fn a_token_that_was_changed_or_signed_by_somebody_else_is_told() {
        for signed_by in [SignedBy::Forger, SignedBy::Nobody] {
            for algorithm in [Algorithm::Rs256, Algorithm::Es256] {
                let (token, keys, _) = made(&TokenOrder { algorithm, signed_by, ..TokenOrder::default() });
                assert!(!read(&token).unwrap().is_signed_with(&keys), "{algorithm:?} {signed_by:?}");
            }
        }
        let (token, keys, _) = made(&TokenOrder::default());
        let (other, ..) = made(&TokenOrder { subject: "repo:evil/evil:ref:x".to_owned(), ..TokenOrder::default() });
        let parts: Vec<&str> = token.split('.').collect();
        let mixed = format!("{}.{}.{}", parts[0], other.split('.').nth(1).unwrap(), parts[2]);
        assert!(!read(&mixed).unwrap().is_signed_with(&keys));
    }

    #[test]
    fn what_is_no_token_is_none() {
        let none = URL_SAFE_NO_PAD.encode(r#"{"alg":"none","typ":"JWT","kid":"ec-1"}"#);
        let claims = made(&TokenOrder::default()).0.split('.').nth(1).unwrap().to_owned();
        for token in ["", ".", "..", "a.b.c", "e30.e30.", &format!("{none}.{claims}.")] {
            assert!(read(token).is_none(), "{token}");
        }
    }
}
