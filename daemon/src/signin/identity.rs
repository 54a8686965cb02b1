//! Who logged in: the subject of the identity token. It came from the token endpoint itself over TLS, which stands in the place of
//! checking its signature (OpenID Connect Core 1.0, section 3.1.3.7, item 6).

use crate::arns::IdentityArn;
use crate::names::NameError;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Deserialize;
use tegata_protocol::Secret;
use zeroize::Zeroizing;

/// AWS's have about a kilobyte.
const LONGEST: usize = 32 * 1024;

#[derive(Deserialize)]
struct Claims {
    sub: String,
}

/// Why a token names nobody who can be served.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoIdentity {
    /// There is none, or it cannot be read.
    #[error("AWS did not say who signed in")]
    Unsaid,
    /// It names root, or something that is no identity.
    #[error("whoever signed in cannot be served: {0}")]
    Name(#[from] NameError),
}

/// Returns who a token is about.
///
/// # Errors
/// [`NoIdentity`]; root is refused there.
pub fn of_token(token: Option<&Secret>) -> Result<IdentityArn, NoIdentity> {
    let token = token.map(Secret::expose_secret).filter(|token| token.len() <= LONGEST).ok_or(NoIdentity::Unsaid)?;
    let mut parts = token.split('.');
    let (Some(_), Some(claims), Some(_), None) = (parts.next(), parts.next(), parts.next(), parts.next()) else {
        return Err(NoIdentity::Unsaid);
    };
    let claims = Zeroizing::new(URL_SAFE_NO_PAD.decode(claims.trim_end_matches('=')).map_err(|_| NoIdentity::Unsaid)?);
    let Claims { sub } = serde_json::from_slice(&claims).map_err(|_| NoIdentity::Unsaid)?;
    Ok(IdentityArn::new(&sub)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn token(claims: &str) -> Secret {
        Secret::new(format!("e30.{}.c2ln", URL_SAFE_NO_PAD.encode(claims)))
    }

    fn of(claims: &str) -> Result<String, NoIdentity> {
        of_token(Some(&token(claims))).map(|identity| identity.to_string())
    }

    #[test]
    fn the_subject_is_who_signed_in() {
        for arn in [
            "arn:aws:sts::123456789012:assumed-role/Admin/alice",
            "arn:aws:iam::123456789012:user/team/bob",
            "arn:aws:sts::123456789012:federated-user/carol",
            "arn:aws-cn:iam::123456789012:user/bob",
        ] {
            assert_eq!(of(&format!(r#"{{"sub":"{arn}","iss":"x","aud":["y"]}}"#)).unwrap(), arn);
        }
    }

    #[test]
    fn root_is_refused_with_the_reason() {
        let refused = of(r#"{"sub":"arn:aws:iam::123456789012:root"}"#).unwrap_err();
        assert!(matches!(refused, NoIdentity::Name(NameError::Root { .. })));
        assert!(refused.to_string().contains("root user of the account"), "{refused}");
    }

    #[test]
    fn a_token_that_says_nobody_is_none() {
        for claims in ["", "{}", "[]", r#"{"sub":1}"#, r#"{"sub":null}"#, "\u{feff}{}"] {
            assert_eq!(of(claims).unwrap_err(), NoIdentity::Unsaid, "{claims}");
        }
        let long = format!("{}.e30.x", "a".repeat(LONGEST));
        for text in ["", "e30", "e30.e30", "e30.e30.e30.e30", "e30.!.e30", long.as_str()] {
            assert_eq!(of_token(Some(&Secret::new(text.to_owned()))).unwrap_err(), NoIdentity::Unsaid);
        }
        assert_eq!(of_token(None).unwrap_err(), NoIdentity::Unsaid);
    }

    #[test]
    fn h1_a_subject_that_is_no_arn_of_an_identity_is_refused() {
        for sub in [
            "arn:aws:iam::123456789012:role/Admin",
            "arn:aws:sts::123456789012:assumed-role/Admin/a\\nb",
            "arn:aws:sts::123456789012:assumed-role/Admin/../x",
            "arn:aws:iam::123456789012:user/a;b",
            "alice",
        ] {
            assert!(matches!(of(&format!(r#"{{"sub":"{sub}"}}"#)).unwrap_err(), NoIdentity::Name(_)), "{sub}");
        }
    }
}
