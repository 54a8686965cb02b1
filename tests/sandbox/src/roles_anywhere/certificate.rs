//! The certificate a request came with: what it says, whether it may sign at all, and whether its chain ends in the anchor
//! (IAM Roles Anywhere User Guide, "The IAM Roles Anywhere trust model"; RFC 5280).

use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, SignatureVerificationAlgorithm, UnixTime};
use webpki::{EndEntityCert, KeyUsage, anchor_from_trusted_cert, ring as algorithms};
use x509_parser::prelude::{FromDer, X509Certificate, X509Version};

use super::refusals::{denied, untrusted};
use super::settings::TrustAnchor;
use crate::call::Call;
use crate::clock::EpochMs;
use crate::reply::Refusal;

/// Intermediate certificates that a request may carry.
const CHAIN_LIMIT: usize = 5;

/// Signatures on certificates: SHA-256 or stronger.
const ACCEPTED: [&dyn SignatureVerificationAlgorithm; 7] = [
    algorithms::RSA_PKCS1_2048_8192_SHA256,
    algorithms::RSA_PKCS1_2048_8192_SHA384,
    algorithms::RSA_PKCS1_2048_8192_SHA512,
    algorithms::ECDSA_P256_SHA256,
    algorithms::ECDSA_P256_SHA384,
    algorithms::ECDSA_P384_SHA256,
    algorithms::ECDSA_P384_SHA384,
];

/// The certificates of a request, as they came.
#[derive(Debug)]
pub(super) struct Presented {
    leaf: CertificateDer<'static>,
    chain: Vec<CertificateDer<'static>>,
    /// The serial number, without leading zero bytes.
    pub(super) serial: Vec<u8>,
    /// The subject's common name.
    pub(super) common_name: String,
}

/// Reads `X-Amz-X509` and `X-Amz-X509-Chain`: DER in base64, intermediates separated by commas.
pub(super) fn presented(call: &Call) -> Result<Presented, Refusal> {
    let leaf = call.header("x-amz-x509").ok_or_else(|| denied("Missing X-Amz-X509 header"))?;
    let leaf = decoded(leaf)?;
    let chain = match call.headers.contains_key("x-amz-x509-chain") {
        true => call
            .header("x-amz-x509-chain")
            .unwrap_or_default()
            .split(',')
            .map(decoded)
            .collect::<Result<Vec<_>, _>>()?,
        false => Vec::new(),
    };
    if chain.len() > CHAIN_LIMIT {
        return Err(denied("Too many certificates in X-Amz-X509-Chain"));
    }
    let (serial, common_name) = facts(&leaf)?;
    Ok(Presented { leaf, chain, serial, common_name })
}

fn decoded(text: &str) -> Result<CertificateDer<'static>, Refusal> {
    let der = STANDARD.decode(text).map_err(|_| denied("A certificate is not base64"))?;
    Ok(CertificateDer::from(der))
}

/// Serial number and common name of a certificate that may sign requests: version 3, no authority, digital signatures.
fn facts(der: &CertificateDer<'_>) -> Result<(Vec<u8>, String), Refusal> {
    let read = X509Certificate::from_der(der).ok().filter(|(rest, _)| rest.is_empty());
    let (_, certificate) = read.ok_or_else(|| denied("X-Amz-X509 is not a certificate"))?;
    if certificate.version() != X509Version::V3 {
        return Err(denied("The certificate is not of version 3"));
    }
    if certificate.is_ca() {
        return Err(denied("The certificate is one of an authority"));
    }
    let usage = certificate.key_usage().ok().flatten();
    if !usage.is_some_and(|usage| usage.value.digital_signature()) {
        return Err(denied("The certificate's key usage has no digital signature"));
    }
    let name = certificate.subject().iter_common_name().next().and_then(|name| name.as_str().ok());
    let serial = certificate.raw_serial().iter().copied().skip_while(|byte| *byte == 0).collect();
    Ok((serial, name.unwrap_or_default().to_owned()))
}

impl Presented {
    /// Whether the signature over the message was made with the certificate's key.
    pub(super) fn signed(&self, key: Key, message: &[u8], signature: &[u8]) -> bool {
        let Ok(certificate) = EndEntityCert::try_from(&self.leaf) else { return false };
        key.algorithms().iter().any(|&algorithm| certificate.verify_signature(algorithm, message, signature).is_ok())
    }

    /// Whether a chain of valid certificates leads to the anchor at this time.
    pub(super) fn check_chain(&self, anchor: &TrustAnchor, now: EpochMs) -> Result<(), Refusal> {
        let certificate = EndEntityCert::try_from(&self.leaf).map_err(|_| untrusted())?;
        let root = CertificateDer::from_pem_slice(anchor.certificate.as_bytes()).map_err(|_| untrusted())?;
        let anchors = [anchor_from_trusted_cert(&root).map_err(|_| untrusted())?];
        let now = UnixTime::since_unix_epoch(Duration::from_millis(u64::try_from(now).unwrap_or_default()));
        let usage = KeyUsage::client_auth();
        let path = certificate.verify_for_usage(&ACCEPTED, &anchors, &self.chain, now, usage, None, None);
        match path {
            Ok(_) => Ok(()),
            Err(webpki::Error::CertExpired { .. }) => Err(denied("Certificate has expired")),
            Err(webpki::Error::CertNotValidYet { .. }) => Err(denied("Certificate is not yet valid")),
            Err(_) => Err(untrusted()),
        }
    }

    /// How many intermediates came with it.
    pub(super) fn intermediates(&self) -> usize {
        self.chain.len()
    }
}

/// Which kind of key an algorithm's name speaks of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Key {
    Rsa,
    Ecdsa,
}

impl Key {
    fn algorithms(self) -> &'static [&'static dyn SignatureVerificationAlgorithm] {
        const RSA: &[&dyn SignatureVerificationAlgorithm] = &[algorithms::RSA_PKCS1_2048_8192_SHA256];
        const ECDSA: &[&dyn SignatureVerificationAlgorithm] =
            &[algorithms::ECDSA_P256_SHA256, algorithms::ECDSA_P384_SHA256];
        match self {
            Self::Rsa => RSA,
            Self::Ecdsa => ECDSA,
        }
    }
}

/// A big-endian number in decimal digits.
pub(super) fn decimal(bytes: &[u8]) -> String {
    let mut digits = vec![0_u8];
    for byte in bytes {
        let mut carry = u32::from(*byte);
        for digit in &mut digits {
            carry += u32::from(*digit) * 256;
            *digit = (carry % 10) as u8;
            carry /= 10;
        }
        while carry > 0 {
            digits.push((carry % 10) as u8);
            carry /= 10;
        }
    }
    digits.iter().rev().map(|digit| char::from(b'0' + digit)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn serial_numbers_are_written_in_decimal() {
        assert_eq!(decimal(&[]), "0");
        assert_eq!(decimal(&[0x7f]), "127");
        assert_eq!(decimal(&[0x01, 0x00]), "256");
        let twenty = [0xff; 20];
        assert_eq!(decimal(&twenty), "1461501637330902918203684832716283019655932542975");
    }
}
