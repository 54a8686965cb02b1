//! Which certificates vouch for AWS. The HTTP client panics on a certificate it cannot use, so only usable ones reach it.

use super::config::Config;
use aws_smithy_http_client::tls::TrustStore;
use base64::Engine as _;
use rustls::RootCertStore;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use std::io::Read as _;

/// Where Linux distributions keep the system's certificates as one file: Debian and Alpine, Fedora and RHEL, SUSE, Alpine.
const SYSTEM_BUNDLES: [&str; 5] = [
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",
    "/etc/ssl/ca-bundle.pem",
    "/etc/ssl/cert.pem",
];

/// A bundle has about 150 certificates and 250 KB.
const LONGEST_BUNDLE: u64 = 16 * 1024 * 1024;

/// Returns what vouches for AWS: the CA bundle of the settings alone, else what the system trusts.
///
/// On Linux the system's file is read here, because the TLS crate would let `SSL_CERT_FILE` of whoever started the
/// daemon replace it.
pub(super) fn store(config: &Config) -> Result<TrustStore, &'static str> {
    match &config.ca_bundle_pem {
        Some(pem) => Ok(TrustStore::empty().with_pem_certificate(usable(pem)?)),
        None if cfg!(target_os = "linux") => Ok(TrustStore::empty().with_pem_certificate(usable(&system_bundle()?)?)),
        None => Ok(TrustStore::default()),
    }
}

fn system_bundle() -> Result<Vec<u8>, &'static str> {
    let file = SYSTEM_BUNDLES.iter().find_map(|path| std::fs::File::open(path).ok());
    let mut pem = Vec::new();
    file.ok_or("this system has no file of trusted certificates")?
        .take(LONGEST_BUNDLE)
        .read_to_end(&mut pem)
        .map_err(|_| "the system's file of trusted certificates cannot be read")?;
    Ok(pem)
}

/// Returns the certificates of a PEM text that can vouch for a server, as PEM; the others are left out.
pub(super) fn usable(pem: &[u8]) -> Result<Vec<u8>, &'static str> {
    let mut checked = RootCertStore::empty();
    let mut kept = Vec::new();
    for certificate in CertificateDer::pem_slice_iter(pem) {
        let certificate = certificate.map_err(|_| "it is not PEM")?;
        if checked.add(certificate.clone()).is_ok() {
            kept.extend_from_slice(b"-----BEGIN CERTIFICATE-----\n");
            kept.extend_from_slice(base64::engine::general_purpose::STANDARD.encode(&certificate).as_bytes());
            kept.extend_from_slice(b"\n-----END CERTIFICATE-----\n");
        }
    }
    if kept.is_empty() { Err("it holds no usable certificate") } else { Ok(kept) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keeps_the_usable_certificates_of_a_bundle_and_drops_the_rest() {
        let good = rcgen::generate_simple_self_signed(vec![String::from("ca.test")]).unwrap().cert.pem();
        let bundle =
            format!("# a comment\n-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n{good}# end\n{good}");
        let kept = usable(bundle.as_bytes()).unwrap();
        assert_eq!(CertificateDer::pem_slice_iter(&kept).count(), 2);
        assert!(CertificateDer::pem_slice_iter(&kept).all(|certificate| certificate.is_ok()));
    }

    #[test]
    fn a_private_key_in_the_bundle_is_left_out() {
        let certified = rcgen::generate_simple_self_signed(vec![String::from("ca.test")]).unwrap();
        let bundle = format!("{}{}", certified.signing_key.serialize_pem(), certified.cert.pem());
        assert!(!String::from_utf8(usable(bundle.as_bytes()).unwrap()).unwrap().contains("PRIVATE KEY"));
    }
}
