//! A certificate authority of one run, and one leaf for the AWS hosts of a few regions.

use std::sync::Arc;

use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair, KeyUsagePurpose,
};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};

use crate::StartError;
use crate::operation::OWN_ADDRESS;
use crate::partition::Partition;

/// Regions the certificate covers: some of every partition.
const REGIONS: [&str; 8] = [
    "us-east-1",
    "us-west-2",
    "eu-central-1",
    "ap-northeast-1",
    "ap-northeast-3",
    "cn-north-1",
    "us-gov-west-1",
    "eusc-de-east-1",
];

/// Where consoles are signed in to.
const CONSOLE_SIGN_IN: [&str; 8] = [
    "signin.aws.amazon.com",
    "*.signin.aws.amazon.com",
    "signin.amazonaws.cn",
    "*.signin.amazonaws.cn",
    "signin.amazonaws-us-gov.com",
    "signin-fips.amazonaws-us-gov.com",
    "*.signin.amazonaws-us-gov.com",
    "*.signin.amazonaws-eusc.eu",
];

/// The TLS side of a sandbox.
pub(crate) struct Tls {
    pub(crate) ca_pem: String,
    pub(crate) acceptor: TlsAcceptor,
}

pub(crate) fn generate() -> Result<Tls, StartError> {
    let (ca_pem, issuer) = authority()?;
    let key = KeyPair::generate()?;
    let leaf = leaf_parameters()?.signed_by(&key, &issuer)?;
    let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(key.serialize_der()));
    let provider = Arc::new(tokio_rustls::rustls::crypto::ring::default_provider());
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_single_cert(vec![leaf.der().clone()], key)?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(Tls { ca_pem, acceptor: TlsAcceptor::from(Arc::new(config)) })
}

fn authority() -> Result<(String, Issuer<'static, KeyPair>), StartError> {
    let mut parameters = CertificateParams::new(Vec::<String>::new())?;
    parameters.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    parameters.distinguished_name.push(DnType::CommonName, "AWS sandbox CA");
    parameters.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    let key = KeyPair::generate()?;
    let certificate = parameters.self_signed(&key)?;
    Ok((certificate.pem(), Issuer::new(parameters, key)))
}

/// What strict verifiers ask for (Python 3.13's `VERIFY_X509_STRICT`): key usage and the authority's key identifier.
fn leaf_parameters() -> Result<CertificateParams, StartError> {
    let mut parameters = CertificateParams::new(names())?;
    parameters.distinguished_name.push(DnType::CommonName, "AWS sandbox");
    parameters.use_authority_key_identifier_extension = true;
    parameters.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    parameters.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    Ok(parameters)
}

/// A wildcard covers one label, so `portal.sso.REGION` needs a name of its own.
fn names() -> Vec<String> {
    let mut names: Vec<String> = ["localhost", "127.0.0.1", "sts.amazonaws.com", OWN_ADDRESS]
        .iter()
        .chain(&CONSOLE_SIGN_IN)
        .map(|&name| name.to_owned())
        .collect();
    for region in REGIONS {
        let Some(partition) = Partition::of_region(region) else { continue };
        for suffix in [partition.dns_suffix(), partition.dual_stack_suffix()] {
            for head in ["*", "*.sso", "*.sso-fips"] {
                names.push(format!("{head}.{region}.{suffix}"));
            }
        }
    }
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_names_of_the_reference_are_on_the_certificate() {
        let names = names();
        for name in [
            "*.us-east-1.amazonaws.com",
            "*.sso.us-east-1.amazonaws.com",
            "*.sso.cn-north-1.amazonaws.com.cn",
            "*.sso.eusc-de-east-1.amazonaws.eu",
            "*.sso-fips.us-gov-west-1.amazonaws.com",
            "*.sso.us-east-1.api.aws",
            "sts.amazonaws.com",
            "localhost",
            "127.0.0.1",
        ] {
            assert!(names.iter().any(|known| known == name), "{name}");
        }
    }

    #[test]
    fn the_authority_is_a_pem_certificate() {
        let tls = generate().unwrap();
        assert!(tls.ca_pem.starts_with("-----BEGIN CERTIFICATE-----"));
    }
}
