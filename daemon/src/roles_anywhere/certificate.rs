//! A certificate with the intermediates below its trust anchor, as far as a request and a person need to know it.

use super::pem;
use std::time::SystemTime;
use tegata_protocol::text::one_line;
use x509_parser::prelude::{FromDer, X509Certificate, X509Version};
use x509_parser::public_key::PublicKey as Parsed;

/// Intermediate certificates that AWS takes beside the certificate.
const MOST_INTERMEDIATES: usize = 5;
/// RFC 5280 section 4.1.2.2.
const LONGEST_SERIAL: usize = 20;

/// Why this is no certificate that AWS can take.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CertificateError {
    /// No certificate in the text.
    #[error("holds no certificate in PEM form (-----BEGIN CERTIFICATE-----)")]
    None,
    /// Something that is no certificate.
    #[error("certificate {number} cannot be read")]
    Unreadable {
        /// Which, from 1.
        number: usize,
    },
    /// More than AWS takes.
    #[error("holds {found} certificates after the first; AWS takes 5")]
    TooMany {
        /// How many.
        found: usize,
    },
    /// An authority's certificate stands first.
    #[error("the first certificate is an authority's ({subject}); put the one of this machine first")]
    Authority {
        /// Its common name.
        subject: String,
    },
    /// A certificate that AWS refuses.
    #[error("AWS takes no such certificate: {why}")]
    Unfit {
        /// Why.
        why: &'static str,
    },
}

/// The public key of a certificate, as far as it has to be compared.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PublicKey {
    /// RSA: `RSAPublicKey` in DER (RFC 8017 appendix A.1.1).
    Rsa(Vec<u8>),
    /// ECDSA: a point in SEC 1 form, on P-256 or P-384.
    Ecdsa(Vec<u8>),
}

/// A certificate and the intermediates that lead to its trust anchor.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Certificates {
    leaf: Vec<u8>,
    intermediates: Vec<Vec<u8>>,
    serial: Vec<u8>,
    common_name: String,
    not_before: SystemTime,
    not_after: SystemTime,
    key: PublicKey,
}

impl Certificates {
    /// Reads PEM text: the certificate first, then intermediates in any order. A root among them is left out, as AWS has it.
    ///
    /// # Errors
    /// [`CertificateError`].
    pub fn from_pem(text: &str) -> Result<Self, CertificateError> {
        let blocks = pem::blocks(text).ok_or(CertificateError::None)?;
        let certificates: Vec<_> = blocks.iter().filter(|block| block.label == "CERTIFICATE").collect();
        let mut ders = Vec::with_capacity(certificates.len());
        for (at, block) in certificates.iter().enumerate() {
            let der = block.decoded().ok_or(CertificateError::Unreadable { number: at + 1 })?;
            ders.push(der.to_vec());
        }
        Self::from_ders(ders)
    }

    /// Reads certificates in DER, in the same order.
    ///
    /// # Errors
    /// [`CertificateError`].
    pub fn from_ders(ders: Vec<Vec<u8>>) -> Result<Self, CertificateError> {
        let mut ders = ders.into_iter().enumerate();
        let (_, leaf) = ders.next().ok_or(CertificateError::None)?;
        let mut intermediates = Vec::new();
        for (at, der) in ders {
            let parsed = parse(&der).ok_or(CertificateError::Unreadable { number: at + 1 })?;
            let is_root = parsed.subject() == parsed.issuer();
            if !is_root {
                intermediates.push(der);
            }
        }
        if intermediates.len() > MOST_INTERMEDIATES {
            return Err(CertificateError::TooMany { found: intermediates.len() });
        }
        Self::checked(leaf, intermediates)
    }

    /// Reads certificates in DER one behind the other, as a token has them: the certificate first, then any others. Those that lead
    /// on from it, issuer by issuer, are its intermediates.
    ///
    /// # Errors
    /// [`CertificateError`].
    pub fn from_pool(bytes: &[u8]) -> Result<Self, CertificateError> {
        let mut pool = Vec::new();
        let mut rest = bytes;
        while !rest.is_empty() {
            let unreadable = CertificateError::Unreadable { number: pool.len() + 1 };
            let (after, _) = X509Certificate::from_der(rest).map_err(|_| unreadable)?;
            pool.push(rest[..rest.len() - after.len()].to_vec());
            rest = after;
        }
        let mut chain = pool.drain(..1.min(pool.len())).collect::<Vec<_>>();
        while let Some(next) = chain.last().and_then(|last| issuer(last, &pool)) {
            chain.push(pool.swap_remove(next));
        }
        Self::from_ders(chain)
    }

    fn checked(leaf: Vec<u8>, intermediates: Vec<Vec<u8>>) -> Result<Self, CertificateError> {
        let parsed = parse(&leaf).ok_or(CertificateError::Unreadable { number: 1 })?;
        let common_name = one_line(&common_name(&parsed));
        if parsed.is_ca() {
            return Err(CertificateError::Authority { subject: common_name });
        }
        fit(&parsed)?;
        let serial: Vec<u8> = parsed.raw_serial().iter().copied().skip_while(|byte| *byte == 0).collect();
        let (not_before, not_after) = (instant(parsed.validity().not_before), instant(parsed.validity().not_after));
        let key = public_key(&parsed)?;
        Ok(Self { serial, common_name, not_before, not_after, key, leaf, intermediates })
    }

    /// Returns them in PEM, the certificate first, and nothing else.
    #[must_use]
    pub fn to_pem(&self) -> String {
        let all = std::iter::once(&self.leaf).chain(&self.intermediates);
        all.map(|der| pem::encoded("CERTIFICATE", der).to_string()).collect()
    }

    /// Returns the certificate in DER.
    #[must_use]
    pub fn leaf(&self) -> &[u8] {
        &self.leaf
    }

    /// Returns the intermediates in DER.
    #[must_use]
    pub fn intermediates(&self) -> &[Vec<u8>] {
        &self.intermediates
    }

    /// Returns the serial number in decimal, by which a signature names its certificate.
    #[must_use]
    pub fn serial_decimal(&self) -> String {
        decimal(&self.serial)
    }

    /// Returns the serial number in hexadecimal, which AWS makes the name of the role session.
    #[must_use]
    pub fn serial_hex(&self) -> String {
        self.serial.iter().map(|byte| format!("{byte:02x}")).collect()
    }

    /// Returns the subject's common name, printable; empty where it has none.
    #[must_use]
    pub fn common_name(&self) -> &str {
        &self.common_name
    }

    /// Returns from when on it is valid.
    #[must_use]
    pub fn not_before(&self) -> SystemTime {
        self.not_before
    }

    /// Returns until when it is valid.
    #[must_use]
    pub fn not_after(&self) -> SystemTime {
        self.not_after
    }

    /// Returns its public key.
    #[must_use]
    pub fn public_key(&self) -> &PublicKey {
        &self.key
    }
}

fn parse(der: &[u8]) -> Option<X509Certificate<'_>> {
    X509Certificate::from_der(der).ok().filter(|(rest, _)| rest.is_empty()).map(|(_, certificate)| certificate)
}

/// Finds who issued a certificate, unless that issued itself.
fn issuer(of: &[u8], pool: &[Vec<u8>]) -> Option<usize> {
    let of = parse(of).filter(|of| of.subject() != of.issuer())?;
    pool.iter().position(|der| parse(der).is_some_and(|other| other.subject() == of.issuer() && other.is_ca()))
}

/// What AWS asks of a certificate that signs (IAM Roles Anywhere User Guide, "Signature validation"): said here, where it can
/// be said what is wrong, and before AWS says no.
fn fit(certificate: &X509Certificate<'_>) -> Result<(), CertificateError> {
    let unfit = |why| Err(CertificateError::Unfit { why });
    if certificate.version() != X509Version::V3 {
        return unfit("it is not of version 3");
    }
    if certificate.raw_serial().len() > LONGEST_SERIAL + 1 {
        return unfit("its serial number is longer than 20 bytes");
    }
    let usage = certificate.key_usage().ok().flatten();
    if !usage.is_some_and(|usage| usage.value.digital_signature()) {
        return unfit("its key usage does not include digital signatures");
    }
    Ok(())
}

fn public_key(certificate: &X509Certificate<'_>) -> Result<PublicKey, CertificateError> {
    let key = certificate.public_key();
    let bits = key.subject_public_key.data.to_vec();
    match key.parsed() {
        Ok(Parsed::RSA(_)) => Ok(PublicKey::Rsa(bits)),
        Ok(Parsed::EC(_)) => Ok(PublicKey::Ecdsa(bits)),
        _ => Err(CertificateError::Unfit { why: "its key is neither RSA nor ECDSA" }),
    }
}

fn common_name(certificate: &X509Certificate<'_>) -> String {
    let name = certificate.subject().iter_common_name().next();
    name.and_then(|name| name.as_str().ok()).unwrap_or_default().to_owned()
}

fn instant(at: x509_parser::time::ASN1Time) -> SystemTime {
    crate::clock::from_unix_seconds(at.timestamp().max(0))
}

/// A big-endian number in decimal digits: each byte multiplies what there is by 256.
fn decimal(bytes: &[u8]) -> String {
    let mut digits = vec![0_u32];
    for byte in bytes {
        let mut carry = u32::from(*byte);
        for digit in &mut digits {
            carry += *digit * 256;
            *digit = carry % 10;
            carry /= 10;
        }
        while carry > 0 {
            digits.push(carry % 10);
            carry /= 10;
        }
    }
    digits.iter().rev().filter_map(|digit| char::from_digit(*digit, 10)).collect()
}

#[cfg(test)]
#[path = "certificate_tests.rs"]
mod tests;
