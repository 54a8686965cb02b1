//! Randomness from the operating system.

/// Returns an id nobody can guess: 128 random bits in hexadecimal.
#[must_use]
pub fn id() -> String {
    bytes::<16>().iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Returns random bytes.
#[must_use]
pub fn bytes<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    // Linux cannot fail here once it has booted (getrandom(2)).
    let _ = getrandom::fill(&mut bytes);
    bytes
}

/// Returns so many characters of five random bits each, lower case, without those that are read for one another (Crockford's
/// base32).
#[must_use]
pub fn word(length: usize) -> String {
    const ALPHABET: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";
    let mut bytes = vec![0_u8; length];
    let _ = getrandom::fill(&mut bytes);
    bytes.iter().map(|byte| char::from(ALPHABET[usize::from(byte % 32)])).collect()
}

/// Returns a secret for a URL fragment or a header: 256 random bits in URL-safe base64.
#[must_use]
pub fn secret() -> tegata_protocol::Secret {
    use base64::Engine;
    let mut bytes = zeroize::Zeroizing::new([0_u8; 32]);
    let _ = getrandom::fill(&mut *bytes);
    tegata_protocol::Secret::new(base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(*bytes))
}

#[cfg(test)]
mod tests {
    #[test]
    fn ids_differ() {
        assert_ne!(super::id(), super::id());
        assert_eq!(super::id().len(), 32);
        assert_ne!(super::word(8), super::word(8));
        assert_ne!(super::secret().expose_secret(), super::secret().expose_secret());
    }
}
