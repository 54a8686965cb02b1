//! `otpauth://totp/LABEL?secret=BASE32&issuer=…`: what the QR code of a virtual device says (Key URI Format of Google Authenticator, which
//! AWS's console shows). Pure.

use super::{Seed, SeedFault};
use percent_encoding::percent_decode_str;

/// The most bytes of a URI. AWS's have some 200.
const LONGEST: usize = 2048;

/// What a person adds: the seed, and whose device the URI says it is.
#[derive(Debug)]
pub struct Read {
    /// The seed.
    pub seed: Seed,
    /// The AWS account that the label names, where it names one by its twelve digits.
    pub account: Option<String>,
}

/// Why a text is no TOTP seed of AWS's. It quotes nothing: the text holds the seed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum UriFault {
    /// Too long.
    #[error("that is longer than any otpauth:// URI")]
    TooLong,
    /// Neither a URI nor a seed.
    #[error("that is neither an otpauth:// URI nor a secret key in base 32")]
    Neither,
    /// A counter in place of the time.
    #[error("that URI is of a device that counts (hotp); AWS's go by the time (totp)")]
    Counter,
    /// A parameter that AWS's devices do not have.
    #[error("{0} is not what AWS's virtual devices have: SHA1, 6 digits, 30 seconds")]
    Unlike(&'static str),
    /// A parameter that is missing or there twice.
    #[error("{0} has to be there once")]
    Once(&'static str),
    /// The seed.
    #[error(transparent)]
    Seed(#[from] SeedFault),
}

/// Reads a URI, or the bare secret key that AWS's console shows beside it.
///
/// # Errors
/// [`UriFault`].
pub fn read(text: &str) -> Result<Read, UriFault> {
    if text.len() > LONGEST {
        return Err(UriFault::TooLong);
    }
    let text = text.trim();
    let Some((scheme, rest)) = text.split_once("://") else {
        let seed =
            Seed::new(text).map_err(|fault| if text.contains(':') { UriFault::Neither } else { fault.into() })?;
        return Ok(Read { seed, account: None });
    };
    let (path, query) = rest.split_once('?').unwrap_or((rest, ""));
    let (kind, label) = path.split_once('/').unwrap_or((path, ""));
    if !scheme.eq_ignore_ascii_case("otpauth") {
        return Err(UriFault::Neither);
    }
    match kind.to_ascii_lowercase().as_str() {
        "totp" => {}
        "hotp" => return Err(UriFault::Counter),
        _ => return Err(UriFault::Neither),
    }
    Ok(Read { seed: seed(query)?, account: account(label) })
}

fn seed(query: &str) -> Result<Seed, UriFault> {
    let query = query.split('#').next().unwrap_or_default();
    let mut secret = None;
    for (name, value) in query.split('&').filter_map(|pair| pair.split_once('=')) {
        let is = |expected: &str| value.eq_ignore_ascii_case(expected);
        match name.to_ascii_lowercase().as_str() {
            "secret" if secret.replace(value).is_some() => return Err(UriFault::Once("secret")),
            "algorithm" if !is("SHA1") => return Err(UriFault::Unlike("algorithm")),
            "digits" if !is("6") => return Err(UriFault::Unlike("digits")),
            "period" if !is("30") => return Err(UriFault::Unlike("period")),
            _ => {}
        }
    }
    let secret = secret.ok_or(UriFault::Once("secret"))?;
    // Of base 32 only the padding may be escaped.
    let mut bare = secret;
    while let Some(shorter) = bare.strip_suffix("%3D").or_else(|| bare.strip_suffix("%3d")) {
        bare = shorter;
    }
    Ok(Seed::new(bare)?)
}

/// AWS's label is `Amazon Web Services:NAME@ACCOUNT`; for an account with an alias it ends with that.
fn account(label: &str) -> Option<String> {
    let label = percent_decode_str(label).decode_utf8().ok()?;
    let account = label.rsplit_once('@')?.1;
    let twelve = account.len() == 12 && account.bytes().all(|byte| byte.is_ascii_digit());
    twelve.then(|| account.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    const SEED: &str = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ";

    fn uri(query: &str) -> String {
        format!("otpauth://totp/Amazon%20Web%20Services:alice@123456789012?{query}")
    }

    fn fault(text: &str) -> UriFault {
        read(text).unwrap_err()
    }

    #[test]
    fn awss_own_uri_is_read() {
        let found = read(&uri(&format!("secret={SEED}&issuer=Amazon%20Web%20Services"))).unwrap();
        assert_eq!(found.seed.to_base32().expose_secret(), SEED);
        assert_eq!(found.account.as_deref(), Some("123456789012"));
    }

    #[test]
    fn a_bare_secret_key_will_do() {
        let found = read(&format!("  {SEED}\n")).unwrap();
        assert_eq!((found.seed.to_base32().expose_secret(), found.account), (SEED, None));
    }

    #[test]
    fn what_is_spelled_out_may_be_what_aws_has() {
        let spelled = format!("OTPAUTH://TOTP/x?algorithm=sha1&digits=6&period=30&secret={SEED}%3D%3D&x=y&z#f");
        assert_eq!(read(&spelled).unwrap().seed.to_base32().expose_secret(), SEED);
    }

    #[test]
    fn a_label_names_an_account_only_by_twelve_digits() {
        for (label, account) in [
            ("Amazon%20Web%20Services:alice@acme", None),
            ("alice", None),
            ("a%40210987654321", Some("210987654321")),
            ("alice@1234567890123", None),
            ("%ff@123456789012", None),
        ] {
            let found = read(&format!("otpauth://totp/{label}?secret={SEED}")).unwrap();
            assert_eq!(found.account.as_deref(), account, "{label}");
        }
    }

    #[test]
    fn a_device_unlike_awss_is_refused() {
        for (query, which) in [("algorithm=SHA256", "algorithm"), ("digits=8", "digits"), ("period=60", "period")] {
            assert_eq!(fault(&uri(&format!("secret={SEED}&{query}"))), UriFault::Unlike(which));
        }
        assert_eq!(fault(&format!("otpauth://hotp/x?secret={SEED}&counter=1")), UriFault::Counter);
    }

    #[test]
    fn the_secret_has_to_be_there_once() {
        assert_eq!(fault(&uri("issuer=AWS")), UriFault::Once("secret"));
        assert_eq!(fault(&uri(&format!("secret={SEED}&SECRET={SEED}"))), UriFault::Once("secret"));
        assert_eq!(fault("otpauth://totp/x"), UriFault::Once("secret"));
    }

    #[test]
    fn hostile_texts_are_refused_without_quoting_them() {
        for hostile in [
            "https://evil.example/?secret=CANARYCANARYCANA",
            "otpauth-migration://offline?data=CANARY",
            "otpauth://totp",
            "CANARY:CANARYCANARY",
            &uri("secret=CANARY\0CANARYCANARY"),
            &uri("secret=CANARY%0ACANARYCANARY"),
            &uri("secret=../../CANARY/$(id)"),
            &uri("secret=CANARYCANARYCANA%3DCANARYCA"),
            &uri("secret=\u{421}ANARYCANARYCANARY"),
            &uri(&format!("secret={}", "CANARY22".repeat(1 << 17))),
        ] {
            let said = format!("{} {:?}", fault(hostile), fault(hostile));
            assert!(!said.contains("CANARY"), "{said}");
        }
        assert_eq!(fault(&"A".repeat(1 << 20)), UriFault::TooLong);
    }
}
