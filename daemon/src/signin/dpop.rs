//! DPoP proofs (RFC 9449): who sends a token shows that they hold the key it was given to. Without the key a stolen token is of no
//! use.

use super::SignInError;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use p256::ecdsa::signature::Signer as _;
use p256::ecdsa::{Signature, SigningKey};
use serde::Serialize;
use std::fmt;
use std::time::{SystemTime, UNIX_EPOCH};
use tegata_protocol::Secret;
use zeroize::Zeroizing;

/// Drawing a scalar that is none happens once in 2^32 times; more often in a row, the randomness is none.
const DRAWS: usize = 8;

/// The private key of one login (P-256). Wiped when dropped.
#[derive(Clone)]
pub struct ProofKey(SigningKey);

#[derive(Serialize)]
struct Header<'a> {
    typ: &'static str,
    alg: &'static str,
    jwk: Jwk<'a>,
}

#[derive(Serialize)]
struct Jwk<'a> {
    kty: &'static str,
    x: &'a str,
    y: &'a str,
    crv: &'static str,
}

#[derive(Serialize)]
struct Claims<'a> {
    jti: &'a str,
    htm: &'static str,
    htu: &'a str,
    iat: u64,
}

impl ProofKey {
    /// Draws a key.
    ///
    /// # Errors
    /// [`SignInError::Randomness`].
    pub fn fresh() -> Result<Self, SignInError> {
        let mut scalar = Zeroizing::new([0_u8; 32]);
        for _ in 0..DRAWS {
            getrandom::fill(scalar.as_mut_slice()).map_err(|_| SignInError::Randomness)?;
            if let Ok(key) = SigningKey::from_slice(scalar.as_slice()) {
                return Ok(Self(key));
            }
        }
        Err(SignInError::Randomness)
    }

    /// Reads a key as [`ProofKey::to_secret`] writes it; nothing, where it is none.
    #[must_use]
    pub fn from_secret(secret: &Secret) -> Option<Self> {
        let scalar = Zeroizing::new(URL_SAFE_NO_PAD.decode(secret.expose_secret()).ok()?);
        SigningKey::from_slice(&scalar).ok().map(Self)
    }

    /// Writes the key for the store.
    #[must_use]
    pub fn to_secret(&self) -> Secret {
        let scalar = Zeroizing::new(self.0.to_bytes());
        Secret::new(URL_SAFE_NO_PAD.encode(scalar.as_slice()))
    }

    /// Makes a proof for one `POST` to `url`, which has no query, at `now`. Good once: each has a number of its own (RFC 9449 section
    /// 4.2).
    ///
    /// # Errors
    /// [`SignInError::Randomness`].
    pub fn proof(&self, url: &str, now: SystemTime) -> Result<String, SignInError> {
        let point = self.0.verifying_key().to_sec1_point(false);
        let coordinate = |bytes: Option<&p256::FieldBytes>| URL_SAFE_NO_PAD.encode(bytes.map_or(&[][..], |b| b));
        let (x, y) = (coordinate(point.x()), coordinate(point.y()));
        let jwk = Jwk { kty: "EC", x: &x, y: &y, crv: "P-256" };
        let iat = now.duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
        let claims = Claims { jti: &uuid()?, htm: "POST", htu: url, iat };
        let message = format!("{}.{}", part(&Header { typ: "dpop+jwt", alg: "ES256", jwk }), part(&claims));
        let signature: Signature = self.0.sign(message.as_bytes());
        Ok(format!("{message}.{}", URL_SAFE_NO_PAD.encode(signature.to_bytes())))
    }
}

/// Shows nothing of the key.
impl fmt::Debug for ProofKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ProofKey").finish_non_exhaustive()
    }
}

/// Writing plain structs of text and numbers into memory has nothing that can fail.
fn part(json: &impl Serialize) -> String {
    URL_SAFE_NO_PAD.encode(serde_json::to_vec(json).unwrap_or_default())
}

/// A random UUID (RFC 9562 version 4), as AWS's own clients number their proofs.
fn uuid() -> Result<String, SignInError> {
    let mut bytes = [0_u8; 16];
    getrandom::fill(&mut bytes).map_err(|_| SignInError::Randomness)?;
    bytes[6] = bytes[6] & 0x0f | 0x40;
    bytes[8] = bytes[8] & 0x3f | 0x80;
    let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    let parts = [hex.get(..8), hex.get(8..12), hex.get(12..16), hex.get(16..20), hex.get(20..)];
    Ok(parts.map(Option::unwrap_or_default).join("-"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::from_unix_seconds;
    use p256::ecdsa::VerifyingKey;
    use p256::ecdsa::signature::Verifier as _;
    use serde_json::{Value, json};

    const URL: &str = "https://us-east-1.signin.aws.amazon.com/v1/token";

    fn read(part: &str) -> Value {
        serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap()
    }

    fn parts(proof: &str) -> Vec<&str> {
        proof.split('.').collect()
    }

    #[test]
    fn a_proof_says_what_it_is_for_and_is_signed_with_the_key_in_it() {
        let key = ProofKey::fresh().unwrap();
        let proof = key.proof(URL, from_unix_seconds(1_795_338_478)).unwrap();
        let [header, claims, signature] = parts(&proof)[..] else { panic!("{proof}") };
        let (header_json, claims_json) = (read(header), read(claims));
        assert_eq!((&header_json["typ"], &header_json["alg"]), (&json!("dpop+jwt"), &json!("ES256")));
        assert_eq!(claims_json["htu"], URL);
        assert_eq!((&claims_json["htm"], &claims_json["iat"]), (&json!("POST"), &json!(1_795_338_478)));
        let jwk = &header_json["jwk"];
        let mut members: Vec<_> = jwk.as_object().unwrap().keys().collect();
        members.sort();
        assert_eq!(members, ["crv", "kty", "x", "y"], "no private part");
        let coordinate = |name: &str| URL_SAFE_NO_PAD.decode(jwk[name].as_str().unwrap()).unwrap();
        let point = [vec![4], coordinate("x"), coordinate("y")].concat();
        let public = VerifyingKey::from_sec1_bytes(&point).unwrap();
        let signature = Signature::from_slice(&URL_SAFE_NO_PAD.decode(signature).unwrap()).unwrap();
        public.verify(format!("{header}.{claims}").as_bytes(), &signature).unwrap();
    }

    #[test]
    fn each_proof_has_a_number_of_its_own() {
        let key = ProofKey::fresh().unwrap();
        let number = || {
            let proof = key.proof(URL, from_unix_seconds(0)).unwrap();
            read(parts(&proof)[1])["jti"].as_str().unwrap().to_owned()
        };
        let numbers: std::collections::HashSet<String> = (0..64).map(|_| number()).collect();
        assert_eq!(numbers.len(), 64);
        for number in numbers {
            assert_eq!(number.split('-').map(str::len).collect::<Vec<_>>(), [8, 4, 4, 4, 12]);
            assert_eq!(number.as_bytes()[14], b'4');
        }
    }

    #[test]
    fn a_key_comes_back_from_the_store_and_is_never_shown() {
        let key = ProofKey::fresh().unwrap();
        let secret = key.to_secret();
        let back = ProofKey::from_secret(&secret).unwrap();
        let public = |key: &ProofKey| read(parts(&key.proof(URL, from_unix_seconds(0)).unwrap())[0])["jwk"].clone();
        assert_eq!(public(&back), public(&key));
        assert_ne!(public(&ProofKey::fresh().unwrap()), public(&key));
        assert!(!format!("{key:?}").contains(secret.expose_secret()));
        let proof = key.proof(URL, from_unix_seconds(0)).unwrap();
        assert!(!proof.contains(secret.expose_secret()));
    }

    #[test]
    fn what_is_no_key_is_none() {
        let zero = URL_SAFE_NO_PAD.encode([0; 32]);
        let long = URL_SAFE_NO_PAD.encode([1; 33]);
        for text in ["", "x", "====", zero.as_str(), long.as_str()] {
            assert!(ProofKey::from_secret(&Secret::new(text.to_owned())).is_none(), "{text}");
        }
    }
}
