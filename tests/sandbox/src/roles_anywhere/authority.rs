//! A certificate authority for tests: what an administrator registers as a trust anchor, and the certificates it issues.

use std::time::Duration;

use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair, KeyUsagePurpose,
    PKCS_ECDSA_P256_SHA256, PKCS_ECDSA_P384_SHA384, PKCS_RSA_SHA256, SerialNumber,
};
use time::OffsetDateTime;

use super::settings::TrustAnchor;
use crate::clock::{Clock, EpochMs, millis};

/// An RSA key of 2,048 bits for tests alone: ring makes none.
const RSA_KEY: &str = include_str!("rsa-2048.test-key.pem");

/// An authority: a root, or an intermediate below one.
pub struct CertificateAuthority {
    issuer: Issuer<'static, KeyPair>,
    pem: String,
    /// The intermediates on the way down from the root, this authority first.
    chain: Vec<String>,
}

/// What a certificate is to say.
#[derive(Debug, Clone)]
pub struct Subject {
    /// The common name.
    pub common_name: String,
    /// The serial number, big-endian.
    pub serial: Vec<u8>,
    /// The kind of key.
    pub key: KeyKind,
    /// When it begins to be valid, in milliseconds since the epoch.
    pub from_ms: EpochMs,
    /// When it stops.
    pub until_ms: EpochMs,
    /// Whether it says that it is an authority.
    pub is_authority: bool,
    /// Whether its key may make digital signatures.
    pub signs: bool,
}

/// The kinds of keys a certificate may have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyKind {
    /// ECDSA over P-256, a new key.
    P256,
    /// ECDSA over P-384, a new key.
    P384,
    /// RSA of 2,048 bits: always the same key, which is no secret.
    Rsa,
}

/// A certificate with its key.
#[derive(Debug, Clone)]
pub struct IssuedCertificate {
    /// The certificate, in PEM.
    pub certificate: String,
    /// The intermediates that lead to the root, in PEM, the nearest first; empty below a root.
    pub chain: String,
    /// The private key, in PEM (PKCS #8).
    pub private_key: String,
}

impl Subject {
    /// A certificate for an hour ago to ninety days from now, by the machine's clock, with a P-256 key.
    #[must_use]
    pub fn new(common_name: &str) -> Self {
        let now = Clock::default().now();
        let hour = 3_600_000;
        Self {
            common_name: common_name.to_owned(),
            serial: vec![0x5a, 0x11, 0xc3, 0x07],
            key: KeyKind::P256,
            from_ms: now - hour,
            until_ms: now + 90 * 24 * hour,
            is_authority: false,
            signs: true,
        }
    }

    /// The same with another kind of key.
    #[must_use]
    pub fn with_key(mut self, key: KeyKind) -> Self {
        self.key = key;
        self
    }

    /// The same for this long from its beginning.
    #[must_use]
    pub fn for_only(mut self, life: Duration) -> Self {
        self.until_ms = self.from_ms + millis(life);
        self
    }
}

impl std::fmt::Debug for CertificateAuthority {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("CertificateAuthority").field("pem", &self.pem).finish_non_exhaustive()
    }
}

impl CertificateAuthority {
    /// A self-signed root with a P-256 key, which lets one intermediate be below it.
    ///
    /// # Errors
    /// When the certificate cannot be made.
    pub fn root(name: &str) -> Result<Self, rcgen::Error> {
        let (parameters, key) = (authority_parameters(name, 1)?, KeyPair::generate()?);
        let pem = parameters.self_signed(&key)?.pem();
        Ok(Self { issuer: Issuer::new(parameters, key), pem, chain: Vec::new() })
    }

    /// An intermediate below this authority.
    ///
    /// # Errors
    /// When the certificate cannot be made.
    pub fn intermediate(&self, name: &str) -> Result<Self, rcgen::Error> {
        let (parameters, key) = (authority_parameters(name, 0)?, KeyPair::generate()?);
        let pem = parameters.signed_by(&key, &self.issuer)?.pem();
        let chain = std::iter::once(pem.clone()).chain(self.chain.iter().cloned()).collect();
        Ok(Self { issuer: Issuer::new(parameters, key), pem, chain })
    }

    /// Issues a certificate.
    ///
    /// # Errors
    /// When it cannot be made.
    pub fn issue(&self, subject: &Subject) -> Result<IssuedCertificate, rcgen::Error> {
        let key = subject.key.pair()?;
        let certificate = leaf_parameters(subject)?.signed_by(&key, &self.issuer)?;
        let (certificate, chain) = (certificate.pem(), self.chain.concat());
        Ok(IssuedCertificate { certificate, chain, private_key: key.serialize_pem() })
    }

    /// Issues a certificate for a public key alone, in PEM: for keys that lie where nobody can read them.
    ///
    /// # Errors
    /// When the key cannot be read, or the certificate not be made.
    pub fn certify(&self, subject: &Subject, public_key: &str) -> Result<String, rcgen::Error> {
        let public_key = rcgen::SubjectPublicKeyInfo::from_pem(public_key)?;
        Ok(leaf_parameters(subject)?.signed_by(&public_key, &self.issuer)?.pem())
    }

    /// Its certificate, in PEM.
    #[must_use]
    pub fn pem(&self) -> &str {
        &self.pem
    }

    /// It as a trust anchor.
    #[must_use]
    pub fn trust_anchor(&self, arn: &str) -> TrustAnchor {
        TrustAnchor::new(arn, &self.pem)
    }
}

impl KeyKind {
    fn pair(self) -> Result<KeyPair, rcgen::Error> {
        match self {
            Self::P256 => KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256),
            Self::P384 => KeyPair::generate_for(&PKCS_ECDSA_P384_SHA384),
            Self::Rsa => KeyPair::from_pkcs8_pem_and_sign_algo(RSA_KEY, &PKCS_RSA_SHA256),
        }
    }
}

fn authority_parameters(name: &str, below: u8) -> Result<CertificateParams, rcgen::Error> {
    let mut parameters = CertificateParams::new(Vec::<String>::new())?;
    parameters.is_ca = IsCa::Ca(BasicConstraints::Constrained(below));
    parameters.distinguished_name.push(DnType::CommonName, name);
    parameters.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    parameters.use_authority_key_identifier_extension = true;
    Ok(parameters)
}

fn leaf_parameters(subject: &Subject) -> Result<CertificateParams, rcgen::Error> {
    let mut parameters = CertificateParams::new(Vec::<String>::new())?;
    parameters.distinguished_name.push(DnType::CommonName, subject.common_name.as_str());
    parameters.serial_number = Some(SerialNumber::from_slice(&subject.serial));
    parameters.not_before = instant(subject.from_ms);
    parameters.not_after = instant(subject.until_ms);
    parameters.use_authority_key_identifier_extension = true;
    let usage = if subject.signs { KeyUsagePurpose::DigitalSignature } else { KeyUsagePurpose::KeyEncipherment };
    parameters.key_usages = vec![usage];
    parameters.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
    parameters.is_ca = match subject.is_authority {
        true => IsCa::Ca(BasicConstraints::Unconstrained),
        false => IsCa::ExplicitNoCa,
    };
    Ok(parameters)
}

fn instant(ms: EpochMs) -> OffsetDateTime {
    OffsetDateTime::from_unix_timestamp(ms / 1000).unwrap_or(OffsetDateTime::UNIX_EPOCH)
}
