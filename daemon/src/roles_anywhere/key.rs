//! A private key: read from PEM, compared with its certificate, used to sign. Nothing here outlives its use.
//!
//! RSA is signed by ring, in constant time; ECDSA by the RustCrypto crates, because ring signs with P-384 under SHA-384 alone and
//! AWS asks for SHA-256.

use super::certificate::PublicKey;
use super::pem::{self, Block};
use pkcs8::{EncryptedPrivateKeyInfoRef, ObjectIdentifier, PrivateKeyInfoRef, SecretDocument};
use ring::signature::{RSA_PKCS1_2048_8192_SHA256, RSA_PKCS1_SHA256, RsaKeyPair, UnparsedPublicKey};
use sha2::{Digest as _, Sha256};
use signature::hazmat::{PrehashSigner as _, PrehashVerifier as _};
use std::fmt;
use tegata_protocol::Secret;

const RSA: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.1");
const ELLIPTIC: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.2.1");

/// The algorithm of a signature, by the name AWS has for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Algorithm {
    /// RSASSA-PKCS1-v1_5 over SHA-256 (RFC 8017 section 8.2).
    Rsa,
    /// ECDSA over SHA-256, in DER (FIPS 186-5; RFC 3279 section 2.2.3).
    Ecdsa,
}

impl Algorithm {
    /// Returns the name in a request (IAM Roles Anywhere User Guide, "Signing process").
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Rsa => "AWS4-X509-RSA-SHA256",
            Self::Ecdsa => "AWS4-X509-ECDSA-SHA256",
        }
    }
}

impl PublicKey {
    /// Returns the algorithm with which its private key signs.
    #[must_use]
    pub fn algorithm(&self) -> Algorithm {
        match self {
            Self::Rsa(_) => Algorithm::Rsa,
            Self::Ecdsa(_) => Algorithm::Ecdsa,
        }
    }
}

impl PublicKey {
    /// Says whether a signature over a message was made with its private key.
    ///
    /// # Errors
    /// [`KeyError::NotTheCertificates`].
    pub fn verifies(&self, message: &[u8], signature: &[u8]) -> Result<(), KeyError> {
        let digest = Sha256::digest(message);
        let holds = match self {
            Self::Rsa(key) => {
                UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, key).verify(message, signature).is_ok()
            }
            Self::Ecdsa(point) => {
                let p256 = || {
                    let key = p256::ecdsa::VerifyingKey::from_sec1_bytes(point).ok()?;
                    key.verify_prehash(&digest, &p256::ecdsa::Signature::from_der(signature).ok()?).ok()
                };
                let p384 = || {
                    let key = p384::ecdsa::VerifyingKey::from_sec1_bytes(point).ok()?;
                    key.verify_prehash(&digest, &p384::ecdsa::Signature::from_der(signature).ok()?).ok()
                };
                p256().or_else(p384).is_some()
            }
        };
        if holds { Ok(()) } else { Err(KeyError::NotTheCertificates) }
    }
}

/// Why this is no key that can sign.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// No key in the text.
    #[error("holds no private key in PEM form (-----BEGIN PRIVATE KEY-----)")]
    None,
    /// More than one key.
    #[error("holds more than one private key")]
    Several,
    /// Encrypted, and no passphrase is at hand.
    #[error("is encrypted")]
    Encrypted,
    /// Encrypted in OpenSSL's old form, which is not read.
    #[error("is encrypted in OpenSSL's old form; `openssl pkcs8 -topk8 -in FILE -out NEW` writes it in the new one")]
    OldEncryption,
    /// The passphrase does not open it.
    #[error("is not opened by this passphrase, or encrypted in a way that is not read (PBES2 is)")]
    Passphrase,
    /// Neither RSA of a usual size nor ECDSA over a curve AWS takes.
    #[error("is neither an RSA key of 2048 to 4096 bits nor an ECDSA key over P-256 or P-384")]
    Unfit,
    /// The key of another certificate.
    #[error("is not the key of this certificate")]
    NotTheCertificates,
    /// The signature could not be made.
    #[error("makes no signature")]
    NoSignature,
}

/// A key that signs.
pub struct PrivateKey(Kind);

enum Kind {
    Rsa(Box<RsaKeyPair>),
    P256(Box<p256::ecdsa::SigningKey>),
    P384(Box<p384::ecdsa::SigningKey>),
}

impl fmt::Debug for PrivateKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PrivateKey([redacted])")
    }
}

impl PrivateKey {
    /// Reads the one key of a PEM text: PKCS #8 (RFC 5958), PKCS #1 (RFC 8017 appendix A.1.2) or SEC 1 (RFC 5915); PKCS #8 encrypted
    /// with PBES2 (RFC 8018) as well, where there is a passphrase.
    ///
    /// # Errors
    /// [`KeyError`].
    pub fn from_pem(text: &str, passphrase: Option<&Secret>) -> Result<Self, KeyError> {
        let blocks = pem::blocks(text).ok_or(KeyError::None)?;
        let mut keys = blocks.iter().filter(|block| block.label.ends_with("PRIVATE KEY"));
        match (keys.next(), keys.next()) {
            (None, _) => Err(KeyError::None),
            (Some(_), Some(_)) => Err(KeyError::Several),
            (Some(block), None) => Self::from_block(block, passphrase),
        }
    }

    fn from_block(block: &Block<'_>, passphrase: Option<&Secret>) -> Result<Self, KeyError> {
        if block.is_encrypted() && block.label != "ENCRYPTED PRIVATE KEY" {
            return Err(KeyError::OldEncryption);
        }
        let der = block.decoded().ok_or(KeyError::None)?;
        match block.label {
            "PRIVATE KEY" => Self::from_pkcs8(&der),
            "RSA PRIVATE KEY" => Self::from_rsa(RsaKeyPair::from_der(&der)),
            "EC PRIVATE KEY" => Self::from_sec1(&der),
            "ENCRYPTED PRIVATE KEY" => {
                Self::from_pkcs8(decrypted(&der, passphrase.ok_or(KeyError::Encrypted)?)?.as_bytes())
            }
            _ => Err(KeyError::Unfit),
        }
    }

    fn from_pkcs8(der: &[u8]) -> Result<Self, KeyError> {
        use pkcs8::DecodePrivateKey as _;
        let info = PrivateKeyInfoRef::try_from(der).map_err(|_| KeyError::None)?;
        match info.algorithm.oid {
            RSA => Self::from_rsa(RsaKeyPair::from_pkcs8(der)),
            ELLIPTIC => p256::ecdsa::SigningKey::from_pkcs8_der(der)
                .map(|key| Self(Kind::P256(Box::new(key))))
                .or_else(|_| p384::ecdsa::SigningKey::from_pkcs8_der(der).map(|key| Self(Kind::P384(Box::new(key)))))
                .map_err(|_| KeyError::Unfit),
            _ => Err(KeyError::Unfit),
        }
    }

    fn from_rsa(read: Result<RsaKeyPair, ring::error::KeyRejected>) -> Result<Self, KeyError> {
        read.map(|key| Self(Kind::Rsa(Box::new(key)))).map_err(|_| KeyError::Unfit)
    }

    fn from_sec1(der: &[u8]) -> Result<Self, KeyError> {
        p256::SecretKey::from_sec1_der(der)
            .map(|key| Self(Kind::P256(Box::new(key.into()))))
            .or_else(|_| p384::SecretKey::from_sec1_der(der).map(|key| Self(Kind::P384(Box::new(key.into())))))
            .map_err(|_| KeyError::Unfit)
    }

    /// Says whether this is the key of a certificate.
    ///
    /// # Errors
    /// [`KeyError::NotTheCertificates`].
    pub fn belongs_to(&self, key: &PublicKey) -> Result<(), KeyError> {
        use p256::ecdsa::VerifyingKey as P256;
        use p384::ecdsa::VerifyingKey as P384;
        let same = match (&self.0, key) {
            (Kind::Rsa(own), PublicKey::Rsa(theirs)) => own.public().as_ref() == theirs,
            (Kind::P256(own), PublicKey::Ecdsa(point)) => {
                P256::from_sec1_bytes(point).is_ok_and(|theirs| theirs == *own.verifying_key())
            }
            (Kind::P384(own), PublicKey::Ecdsa(point)) => {
                P384::from_sec1_bytes(point).is_ok_and(|theirs| theirs == *own.verifying_key())
            }
            _ => false,
        };
        if same { Ok(()) } else { Err(KeyError::NotTheCertificates) }
    }

    /// Signs a message under SHA-256.
    ///
    /// # Errors
    /// [`KeyError::NoSignature`].
    pub fn sign(&self, message: &[u8]) -> Result<Vec<u8>, KeyError> {
        let digest = Sha256::digest(message);
        match &self.0 {
            Kind::Rsa(key) => {
                let mut made = vec![0; key.public().modulus_len()];
                let random = ring::rand::SystemRandom::new();
                key.sign(&RSA_PKCS1_SHA256, &random, message, &mut made).map_err(|_| KeyError::NoSignature)?;
                Ok(made)
            }
            Kind::P256(key) => {
                let made: p256::ecdsa::Signature = key.sign_prehash(&digest).map_err(|_| KeyError::NoSignature)?;
                Ok(made.to_der().as_bytes().to_vec())
            }
            Kind::P384(key) => {
                let made: p384::ecdsa::Signature = key.sign_prehash(&digest).map_err(|_| KeyError::NoSignature)?;
                Ok(made.to_der().as_bytes().to_vec())
            }
        }
    }
}

/// Returns the one key of a PEM text, in PEM, alone and not encrypted.
///
/// # Errors
/// As [`PrivateKey::from_pem`].
pub fn unencrypted(text: &str, passphrase: Option<&Secret>) -> Result<Secret, KeyError> {
    PrivateKey::from_pem(text, passphrase)?;
    let blocks = pem::blocks(text).ok_or(KeyError::None)?;
    let block = blocks.iter().find(|block| block.label.ends_with("PRIVATE KEY")).ok_or(KeyError::None)?;
    let der = block.decoded().ok_or(KeyError::None)?;
    let text = match passphrase.filter(|_| block.is_encrypted()) {
        Some(passphrase) => pem::encoded("PRIVATE KEY", decrypted(&der, passphrase)?.as_bytes()),
        None => pem::encoded(block.label, &der),
    };
    Ok(Secret::new(text.to_string()))
}

fn decrypted(der: &[u8], passphrase: &Secret) -> Result<SecretDocument, KeyError> {
    let info = EncryptedPrivateKeyInfoRef::try_from(der).map_err(|_| KeyError::Passphrase)?;
    info.decrypt(passphrase.expose_secret()).map_err(|_| KeyError::Passphrase)
}

#[cfg(test)]
#[path = "key_tests.rs"]
mod tests;
