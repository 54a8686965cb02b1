//! Makes every secret the sandbox hands out. Each carries a canary, and each is remembered, so that a leak test can
//! search a machine for all of them.

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use serde::Serialize;

/// The text every minted secret contains.
pub const CANARY: &str = "CANARY";

const BASE32: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

/// What a minted secret is used for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum SecretKind {
    /// `accessToken` of CreateToken, the portal's bearer token.
    AccessToken,
    /// `refreshToken` of CreateToken and of CreateOAuth2Token.
    RefreshToken,
    /// `clientSecret` of RegisterClient.
    ClientSecret,
    /// `deviceCode` of StartDeviceAuthorization.
    DeviceCode,
    /// The `code` of an authorize redirect.
    AuthorizationCode,
    /// The secret access key of role credentials.
    SecretAccessKey,
    /// The session token of role credentials.
    SessionToken,
    /// The signature of an `idToken` of CreateOAuth2Token.
    IdTokenSignature,
    /// The `SigninToken` of a link to the console.
    SigninToken,
    /// The cookie of a console session.
    ConsoleSession,
    /// The seed of a virtual MFA device, in base 32.
    TotpSeed,
    /// A token of an identity provider.
    WebIdentityToken,
    /// The token a job of GitHub Actions asks for identity tokens with.
    JobToken,
    /// The token of the EC2 instance metadata service.
    MetadataToken,
}

/// One secret the sandbox handed out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct MintedSecret {
    /// What it is for.
    pub kind: SecretKind,
    /// The whole secret, as sent on the wire.
    pub value: String,
    /// The part to search for: `CANARY` and 16 hexadecimal digits (of a seed: letters of base 32), found nowhere else.
    pub canary: String,
}

/// The only source of randomness in the sandbox.
#[derive(Debug, Default)]
pub(crate) struct Mint {
    minted: Vec<MintedSecret>,
}

impl Mint {
    pub(crate) fn minted(&self) -> &[MintedSecret] {
        &self.minted
    }

    /// A secret of the kind, in an alphabet and length its field allows. `session_token_length` is the length of
    /// session tokens; every other kind has the length seen from AWS.
    pub(crate) fn secret(&mut self, kind: SecretKind, session_token_length: usize) -> String {
        let canary = if kind == SecretKind::TotpSeed { format!("{CANARY}{}", letters(BASE32, 16)) } else { canary() };
        let value = match kind {
            SecretKind::SecretAccessKey => padded("", &canary, 40, &STANDARD),
            SecretKind::SessionToken => padded("IQoJb3JpZ2luX2VjE", &canary, session_token_length, &STANDARD),
            SecretKind::AccessToken => padded("aoaAAAAA", &canary, 320, &URL_SAFE_NO_PAD),
            SecretKind::RefreshToken => padded("aorAAAAA", &canary, 360, &URL_SAFE_NO_PAD),
            SecretKind::ClientSecret => padded("eyJraWQiOiJrZXktMSJ9.", &canary, 700, &URL_SAFE_NO_PAD),
            SecretKind::DeviceCode => padded("", &canary, 86, &URL_SAFE_NO_PAD),
            SecretKind::AuthorizationCode => padded("", &canary, 120, &URL_SAFE_NO_PAD),
            SecretKind::IdTokenSignature => padded("", &canary, 128, &URL_SAFE_NO_PAD),
            SecretKind::SigninToken => padded("", &canary, 700, &URL_SAFE_NO_PAD),
            SecretKind::ConsoleSession => padded("", &canary, 64, &URL_SAFE_NO_PAD),
            SecretKind::TotpSeed => format!("{canary}{}", letters(BASE32, 64 - canary.len())),
            SecretKind::WebIdentityToken | SecretKind::JobToken => padded("", &canary, 800, &URL_SAFE_NO_PAD),
            SecretKind::MetadataToken => padded("", &canary, 56, &URL_SAFE_NO_PAD),
        };
        self.remember(kind, &value, &canary);
        value
    }

    /// Takes note of a secret that carries a canary.
    pub(crate) fn remember(&mut self, kind: SecretKind, value: &str, canary: &str) {
        self.minted.push(MintedSecret { kind, value: value.to_owned(), canary: canary.to_owned() });
    }
}

/// A canary for a secret that is made elsewhere; [`Mint::remember`] is to be told of it.
pub(crate) fn canary() -> String {
    format!("{CANARY}{}", hex(8))
}

fn padded(prefix: &str, canary: &str, length: usize, alphabet: &impl Engine) -> String {
    let mut secret = format!("{prefix}{canary}");
    let missing = length.saturating_sub(secret.len());
    secret.push_str(&alphabet.encode(random(missing))[..missing]);
    secret
}

fn random(length: usize) -> Vec<u8> {
    let mut bytes = vec![0; length];
    // Without an operating system source the values repeat, and the uniqueness tests say so.
    let _ = getrandom::fill(&mut bytes);
    bytes
}

/// Random bytes as twice as many hexadecimal digits.
pub(crate) fn hex(bytes: usize) -> String {
    random(bytes).iter().map(|b| format!("{b:02x}")).collect()
}

/// Characters drawn from an alphabet of at most 256.
pub(crate) fn letters(alphabet: &[u8], count: usize) -> String {
    random(count).iter().map(|b| char::from(alphabet[usize::from(*b) % alphabet.len()])).collect()
}

/// `prefix` and 16 characters of the base-32 alphabet AWS uses for its identifiers.
pub(crate) fn identifier(prefix: &str) -> String {
    format!("{prefix}{}", letters(BASE32, 16))
}

/// A random UUID (RFC 9562 version 4).
pub(crate) fn uuid() -> String {
    let mut digits = hex(16);
    digits.replace_range(12..13, "4");
    digits.replace_range(16..17, "a");
    format!("{}-{}-{}-{}-{}", &digits[..8], &digits[8..12], &digits[12..16], &digits[16..20], &digits[20..])
}

#[cfg(test)]
mod tests {
    use super::*;

    const EVERY_KIND: [SecretKind; 11] = [
        SecretKind::AccessToken,
        SecretKind::RefreshToken,
        SecretKind::ClientSecret,
        SecretKind::DeviceCode,
        SecretKind::AuthorizationCode,
        SecretKind::SecretAccessKey,
        SecretKind::SessionToken,
        SecretKind::IdTokenSignature,
        SecretKind::SigninToken,
        SecretKind::ConsoleSession,
        SecretKind::TotpSeed,
    ];

    #[test]
    fn every_secret_carries_its_own_canary_and_is_remembered() {
        let mut mint = Mint::default();
        let values: Vec<String> = EVERY_KIND.iter().map(|kind| mint.secret(*kind, 600)).collect();
        for (value, minted) in values.iter().zip(mint.minted()) {
            assert_eq!(value, &minted.value);
            assert!(value.contains(&minted.canary) && minted.canary.starts_with(CANARY));
        }
        let mut canaries: Vec<&str> = mint.minted().iter().map(|minted| minted.canary.as_str()).collect();
        canaries.sort_unstable();
        canaries.dedup();
        assert_eq!(canaries.len(), EVERY_KIND.len());
    }

    #[test]
    fn secrets_keep_to_the_alphabet_and_length_of_their_field() {
        let mut mint = Mint::default();
        let key = mint.secret(SecretKind::SecretAccessKey, 600);
        assert_eq!(key.len(), 40);
        assert!(key.bytes().all(|b| b.is_ascii_alphanumeric() || b"+/".contains(&b)));
        assert_eq!(mint.secret(SecretKind::SessionToken, 1234).len(), 1234);
        let token = mint.secret(SecretKind::AccessToken, 600);
        assert!(token.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_".contains(&b)));
        let seed = mint.secret(SecretKind::TotpSeed, 600);
        assert!(seed.len() == 64 && seed.bytes().all(|b| BASE32.contains(&b)), "{seed}");
    }

    #[test]
    fn identifiers_have_the_shape_of_the_field() {
        assert_eq!(identifier("ASIA").len(), 20);
        let uuid = uuid();
        assert_eq!(uuid.len(), 36);
        assert_eq!(uuid.split('-').map(str::len).collect::<Vec<_>>(), [8, 4, 4, 4, 12]);
    }
}
