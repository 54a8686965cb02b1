use super::*;
use crate::roles_anywhere::Certificates;

const RSA_8: &str = include_str!("vectors/rsa.pkcs8.pem");
const RSA_1: &str = include_str!("vectors/rsa.pkcs1.pem");
const P256_8: &str = include_str!("vectors/p256.pkcs8.pem");
const P256_1: &str = include_str!("vectors/p256.sec1.pem");
const P384_8: &str = include_str!("vectors/p384.pkcs8.pem");
const P384_1: &str = include_str!("vectors/p384.sec1.pem");
const ENCRYPTED: &str = include_str!("vectors/p256.encrypted.pem");

fn public(certificate: &str) -> PublicKey {
    Certificates::from_pem(certificate).unwrap().public_key().clone()
}

fn rsa() -> PublicKey {
    public(include_str!("vectors/rsa.chain.pem"))
}

fn p256() -> PublicKey {
    public(include_str!("vectors/p256.certificate.pem"))
}

fn p384() -> PublicKey {
    public(include_str!("vectors/p384.certificate.pem"))
}

fn read(text: &str) -> PrivateKey {
    PrivateKey::from_pem(text, None).unwrap()
}

#[test]
fn every_form_of_a_key_signs_for_its_certificate() {
    for (text, public) in
        [(RSA_8, rsa()), (RSA_1, rsa()), (P256_8, p256()), (P256_1, p256()), (P384_8, p384()), (P384_1, p384())]
    {
        let key = read(text);
        key.belongs_to(&public).unwrap();
        let signature = key.sign(b"message").unwrap();
        public.verifies(b"message", &signature).unwrap();
        assert_eq!(public.verifies(b"massage", &signature), Err(KeyError::NotTheCertificates));
        assert_eq!(public.verifies(b"message", b""), Err(KeyError::NotTheCertificates));
    }
}

#[test]
fn another_certificates_key_is_told_apart() {
    for (text, public) in [(RSA_8, p256()), (P256_8, rsa()), (P256_8, p384()), (P384_8, p256())] {
        assert_eq!(read(text).belongs_to(&public), Err(KeyError::NotTheCertificates));
    }
    let other = sandbox_key();
    assert_eq!(read(&other).belongs_to(&p256()), Err(KeyError::NotTheCertificates));
}

/// A new key over P-256.
fn sandbox_key() -> String {
    let authority = tegata_sandbox::CertificateAuthority::root("test").unwrap();
    authority.issue(&tegata_sandbox::Subject::new("other")).unwrap().private_key
}

#[test]
fn an_encrypted_key_opens_with_its_passphrase_alone() {
    let with = |passphrase: &str| PrivateKey::from_pem(ENCRYPTED, Some(&Secret::new(passphrase.to_owned())));
    with("correct-horse").unwrap().belongs_to(&p256()).unwrap();
    assert_eq!(with("wrong-horse").unwrap_err(), KeyError::Passphrase);
    assert_eq!(with("").unwrap_err(), KeyError::Passphrase);
    assert_eq!(PrivateKey::from_pem(ENCRYPTED, None).unwrap_err(), KeyError::Encrypted);
    let old = include_str!("vectors/p256.old-encryption.pem");
    let passphrase = Secret::new("correct-horse".to_owned());
    assert_eq!(PrivateKey::from_pem(old, Some(&passphrase)).unwrap_err(), KeyError::OldEncryption);
}

#[test]
fn a_key_is_kept_alone_and_not_encrypted() {
    let passphrase = Secret::new("correct-horse".to_owned());
    let certificate = include_str!("vectors/p256.certificate.pem");
    for text in [ENCRYPTED.to_owned(), format!("{certificate}{P256_1}"), P256_8.to_owned()] {
        let plain = unencrypted(&text, Some(&passphrase)).unwrap();
        assert!(!plain.expose_secret().contains("CERTIFICATE") && !plain.expose_secret().contains("ENCRYPTED"));
        read(plain.expose_secret()).belongs_to(&p256()).unwrap();
    }
    assert_eq!(unencrypted(ENCRYPTED, None).unwrap_err(), KeyError::Encrypted);
}

#[test]
fn keys_aws_does_not_take_are_refused() {
    for text in [
        include_str!("vectors/ed25519.pem"),
        include_str!("vectors/p521.pem"),
        include_str!("vectors/rsa-1024.pem"),
        "-----BEGIN DSA PRIVATE KEY-----\nAAEC\n-----END DSA PRIVATE KEY-----\n",
    ] {
        assert_eq!(PrivateKey::from_pem(text, None).unwrap_err(), KeyError::Unfit, "{text}");
    }
}

#[test]
fn one_key_and_nothing_else_is_a_key() {
    let certificate = include_str!("vectors/p256.certificate.pem");
    for text in ["", certificate, "-----BEGIN PRIVATE KEY-----\nAAEC\n-----END PRIVATE KEY-----\n"] {
        assert_eq!(PrivateKey::from_pem(text, None).unwrap_err(), KeyError::None, "{text}");
    }
    assert_eq!(PrivateKey::from_pem(&format!("{P256_8}{RSA_8}"), None).unwrap_err(), KeyError::Several);
    read(&format!("{certificate}{P256_8}"));
}

#[test]
fn debug_shows_nothing_of_a_key() {
    assert_eq!(format!("{:?}", read(P256_8)), "PrivateKey([redacted])");
}
