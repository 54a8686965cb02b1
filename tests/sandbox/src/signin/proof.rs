//! DPoP proofs (RFC 9449), checked from the received bytes.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::signature::{ECDSA_P256_SHA256_FIXED, UnparsedPublicKey};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use sha2::{Digest, Sha256};

use super::{Reception, invalid};
use crate::call::Call;
use crate::clock::millis;
use crate::reply::Refusal;

/// Nothing else may be in a header, so that a private key in it would show.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Header {
    typ: String,
    alg: String,
    jwk: Jwk,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Jwk {
    kty: String,
    crv: String,
    x: String,
    y: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Payload {
    htm: String,
    htu: String,
    iat: i64,
    jti: String,
}

/// The thumbprint (RFC 7638) of the key that signed this request's only proof (RFC 9449 section 4.3).
pub(super) fn verified(reception: &mut Reception<'_>, call: &Call) -> Result<String, Refusal> {
    let proof = call.header("dpop").ok_or_else(|| invalid("One DPoP header is required"))?;
    let (message, signature) = proof.rsplit_once('.').ok_or_else(|| invalid("The DPoP proof is not a JWT"))?;
    let (header, payload) = message.split_once('.').ok_or_else(|| invalid("The DPoP proof is not a JWT"))?;
    let header: Header = part(header)?;
    let payload: Payload = part(payload)?;
    if header.typ != "dpop+jwt" || header.alg != "ES256" || header.jwk.kty != "EC" || header.jwk.crv != "P-256" {
        return Err(invalid("The DPoP proof must be a dpop+jwt by ES256 with a P-256 key"));
    }
    let signature = decoded(signature, 64)?;
    let point = [vec![4], decoded(&header.jwk.x, 32)?, decoded(&header.jwk.y, 32)?].concat();
    let key = UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, point);
    key.verify(message.as_bytes(), &signature).map_err(|_| invalid("The signature of the DPoP proof is wrong"))?;
    check_claims(&payload, call, millis(reception.settings.console_login.proof_skew))?;
    if !reception.logins.is_new_proof(&payload.jti) {
        return Err(invalid("The jti of the DPoP proof was seen before"));
    }
    Ok(thumbprint(&header.jwk))
}

/// `htu` is the address that was called, without its query (RFC 9449 section 4.2).
fn check_claims(payload: &Payload, call: &Call, skew_ms: i64) -> Result<(), Refusal> {
    if payload.htm != call.method {
        return Err(invalid("The htm of the DPoP proof is another method"));
    }
    if payload.htu != format!("{}{}", call.base_url(), call.path) {
        return Err(invalid("The htu of the DPoP proof is another address"));
    }
    let age_ms = call.now.saturating_sub(payload.iat.saturating_mul(1000));
    if age_ms.saturating_abs() > skew_ms {
        return Err(invalid("The iat of the DPoP proof is not now"));
    }
    if payload.jti.is_empty() {
        return Err(invalid("The jti of the DPoP proof is empty"));
    }
    Ok(())
}

fn thumbprint(jwk: &Jwk) -> String {
    let canonical = format!(r#"{{"crv":"P-256","kty":"EC","x":"{}","y":"{}"}}"#, jwk.x, jwk.y);
    URL_SAFE_NO_PAD.encode(Sha256::digest(canonical.as_bytes()))
}

fn part<T: DeserializeOwned>(text: &str) -> Result<T, Refusal> {
    let bytes = URL_SAFE_NO_PAD.decode(text).map_err(|_| invalid("The DPoP proof is not base64url"))?;
    serde_json::from_slice(&bytes).map_err(|error| invalid(&format!("The DPoP proof is not valid: {error}")))
}

fn decoded(text: &str, length: usize) -> Result<Vec<u8>, Refusal> {
    let bytes = URL_SAFE_NO_PAD.decode(text).map_err(|_| invalid("The DPoP proof is not base64url"))?;
    if bytes.len() == length { Ok(bytes) } else { Err(invalid("A part of the DPoP proof has another length")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The key of RFC 9449 section 4.1 and its thumbprint of section 6.1.
    #[test]
    fn the_thumbprint_is_that_of_the_rfc() {
        let jwk = Jwk {
            kty: "EC".to_owned(),
            crv: "P-256".to_owned(),
            x: "l8tFrhx-34tV3hRICRDY9zCkDlpBhF42UQUfWVAWBFs".to_owned(),
            y: "9VE4jf_Ok_o64zbTTlcuNJajHmt6v9TDVrU0CdvGRDA".to_owned(),
        };
        assert_eq!(thumbprint(&jwk), "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I");
    }
}
