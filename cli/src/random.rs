//! Randomness of the operating system.

use std::io;
use tegata_protocol::Secret;
use zeroize::Zeroizing;

/// Returns `N` random bytes in hexadecimal.
///
/// # Errors
/// When the operating system gives none.
pub(crate) fn hex<const N: usize>() -> io::Result<Secret> {
    let mut bytes = Zeroizing::new([0; N]);
    getrandom::fill(bytes.as_mut_slice()).map_err(|error| io::Error::other(error.to_string()))?;
    let mut text = String::with_capacity(2 * N);
    for byte in bytes.iter() {
        text.extend([byte >> 4, byte & 15].into_iter().filter_map(|digit| char::from_digit(u32::from(digit), 16)));
    }
    Ok(Secret::new(text))
}

#[cfg(test)]
mod tests {
    use super::hex;

    #[test]
    fn c11_what_is_random_has_all_its_bits_and_never_repeats() {
        let texts: std::collections::HashSet<_> =
            (0..1_000).map(|_| hex::<32>().unwrap().expose_secret().to_owned()).collect();
        assert_eq!(texts.len(), 1_000);
        assert!(texts.iter().all(|text| text.len() == 64 && text.bytes().all(|digit| digit.is_ascii_hexdigit())));
    }
}
