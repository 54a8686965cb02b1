use super::*;
use crate::clock::rfc3339;

const CHAIN: &str = include_str!("vectors/rsa.chain.pem");
const P256: &str = include_str!("vectors/p256.certificate.pem");
const ROOT: &str = include_str!("vectors/root.certificate.pem");

#[test]
fn a_certificate_says_who_it_is_and_how_long() {
    let read = Certificates::from_pem(P256).unwrap();
    assert_eq!((read.common_name(), read.serial_hex().as_str()), ("runner-7", "5a11c307"));
    assert_eq!(read.serial_decimal(), "1511113479");
    assert_eq!(rfc3339(read.not_before()), "2026-01-01T00:00:00Z");
    assert_eq!(rfc3339(read.not_after()), "2046-01-01T00:00:00Z");
    assert!(matches!(read.public_key(), PublicKey::Ecdsa(_)) && read.intermediates().is_empty());
}

#[test]
fn intermediates_follow_and_a_root_is_left_out() {
    let read = Certificates::from_pem(CHAIN).unwrap();
    assert_eq!(read.intermediates().len(), 1);
    assert_eq!(read.serial_decimal(), "5433166991844157026340579864586012521034420788");
    assert!(matches!(read.public_key(), PublicKey::Rsa(_)));
    assert_eq!(Certificates::from_pem(&format!("{P256}{ROOT}")).unwrap().intermediates().len(), 0);
}

#[test]
fn what_is_written_is_the_same_certificates_and_no_more() {
    let read = Certificates::from_pem(CHAIN).unwrap();
    let key = include_str!("vectors/rsa.pkcs8.pem");
    let both = Certificates::from_pem(&format!("{CHAIN}{key}")).unwrap();
    assert_eq!(both, read);
    assert_eq!(Certificates::from_pem(&both.to_pem()).unwrap(), read);
    assert!(!both.to_pem().contains("PRIVATE"));
}

#[test]
fn the_certificates_of_a_token_are_put_in_order_and_strangers_left_out() {
    let ders = |text: &str| {
        let blocks = pem::blocks(text).unwrap();
        blocks.iter().map(|block| block.decoded().unwrap().to_vec()).collect::<Vec<_>>()
    };
    let (chain, stranger) = (ders(CHAIN), ders(P256));
    let [leaf, intermediate, root] = &chain[..] else { panic!() };
    let pool = [leaf, root, &stranger[0], intermediate].map(Vec::as_slice).concat();
    assert_eq!(Certificates::from_pool(&pool).unwrap(), Certificates::from_pem(CHAIN).unwrap());
    assert_eq!(Certificates::from_pool(&[]), Err(CertificateError::None));
    assert_eq!(Certificates::from_pool(&pool[..pool.len() - 1]), Err(CertificateError::Unreadable { number: 4 }));
}

#[test]
fn serial_numbers_are_written_in_decimal() {
    assert_eq!(decimal(&[]), "0");
    assert_eq!(decimal(&[0x01, 0x00]), "256");
    assert_eq!(decimal(&[0xff; 20]), "1461501637330902918203684832716283019655932542975");
}

#[test]
fn what_aws_would_refuse_is_refused_with_what_is_wrong() {
    let refused = |text: &str| Certificates::from_pem(text).unwrap_err().to_string();
    assert_eq!(
        refused(ROOT),
        "the first certificate is an authority's (Vector root); put the one of this machine first"
    );
    let unfit = include_str!("vectors/encipherment.certificate.pem");
    assert!(refused(unfit).contains("digital signatures"));
    let unfit = include_str!("vectors/ed25519.certificate.pem");
    assert!(refused(unfit).contains("neither RSA nor ECDSA"));
    let intermediate = CHAIN.split_inclusive("-----END CERTIFICATE-----\n").nth(1).unwrap();
    assert_eq!(
        refused(&format!("{P256}{}", intermediate.repeat(6))),
        "holds 6 certificates after the first; AWS takes 5"
    );
}

#[test]
fn what_is_no_certificate_is_none() {
    let key = include_str!("vectors/p256.pkcs8.pem");
    for text in ["", "text", key, "-----BEGIN CERTIFICATE-----\n"] {
        assert_eq!(Certificates::from_pem(text), Err(CertificateError::None), "{text:?}");
    }
    let garbage = "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n";
    assert_eq!(Certificates::from_pem(garbage), Err(CertificateError::Unreadable { number: 1 }));
    let second = format!("{P256}{garbage}");
    assert_eq!(Certificates::from_pem(&second), Err(CertificateError::Unreadable { number: 2 }));
}

#[test]
fn a_certificate_cut_or_flipped_anywhere_panics_nowhere() {
    let whole = Certificates::from_pem(P256).unwrap().leaf().to_vec();
    for at in 0..whole.len() {
        let _ = Certificates::from_ders(vec![whole[..at].to_vec()]);
        let mut flipped = whole.clone();
        flipped[at] ^= 0xff;
        let _ = Certificates::from_ders(vec![flipped]);
    }
}
