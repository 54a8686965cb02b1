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

#[cfg(test)]
mod tests {
    #[test]
    fn ids_differ() {
        assert_ne!(super::id(), super::id());
        assert_eq!(super::id().len(), 32);
    }
}
