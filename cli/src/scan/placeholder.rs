//! What looks like a credential and is made up: AWS's own examples, and what people write to be filled in.

/// Words of made-up credentials, in capitals. AWS's documentation ends its ids with `EXAMPLE` and its secrets with `EXAMPLEKEY`. No word is
/// shorter than five: four letters stand in a real secret once in 30,000 times.
const WORDS: &str =
    "EXAMPLE SAMPLE DUMMY PLACEHOLDER CHANGEME REPLACE REDACTED XXXXX YOURKEY YOURSECRET SECRETKEY ACCESSKEY";

/// The passwords in the AWS CLI's reference of `iam create-service-specific-credential` and `reset-service-specific-credential`.
const DOCUMENTED: &str = "k1zPZM6uVxMQ3oxqgoYlNuJPyRTZ1vREs76zTQE3eJk= +oaFsNk7tLco+C/obP9GhhcOzGcKOayTmE3LnAmAmH4=";

/// The longest stretch of the alphabet, of digits or of a keyboard's row that chance makes: six in order come once in a million.
const LONGEST_SEQUENCE: usize = 5;

/// Whether an id is made up. Sixteen characters by chance have seven different ones or more, but once in ten million.
pub(super) fn is_id(id: &[u8]) -> bool {
    let tail = id.get(4..).unwrap_or_default();
    different(tail) < 7 || has_word(id) || has_sequence(tail)
}

/// Whether a secret is made up.
pub(super) fn is_secret(secret: &[u8]) -> bool {
    let documented = DOCUMENTED.split(' ').any(|known| known.as_bytes() == secret);
    documented || different(secret) < 16 || has_word(secret) || has_sequence(secret)
}

/// Returns how many different characters there are.
pub(super) fn different(text: &[u8]) -> usize {
    let mut seen = [false; 256];
    text.iter().for_each(|byte| seen.get_mut(usize::from(*byte)).into_iter().for_each(|seen| *seen = true));
    seen.iter().filter(|seen| **seen).count()
}

fn has_word(text: &[u8]) -> bool {
    let holds = |word: &[u8]| text.windows(word.len()).any(|window| window.eq_ignore_ascii_case(word));
    WORDS.split(' ').any(|word| holds(word.as_bytes()))
}

/// Whether characters follow each other as in `ABCDEF`, `654321` or `aaaaaa`.
fn has_sequence(text: &[u8]) -> bool {
    [-1, 0, 1].into_iter().any(|step| {
        let mut longest = 1;
        let mut length = 1;
        for pair in text.windows(2) {
            let goes_on = matches!(pair, [one, next] if i16::from(*next) - i16::from(*one) == step);
            length = if goes_on { length + 1 } else { 1 };
            longest = longest.max(length);
        }
        longest > LONGEST_SEQUENCE
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn examples_of_aws_and_of_people_are_made_up() {
        for id in [
            "AKIAIOSFODNN7EXAMPLE",
            "AKIAI44QH8DHBEXAMPLE",
            "ASIAIOSFODNN7EXAMPLE",
            "AKIAXXXXXXXXXXXXXXXX",
            "AKIAZZZZZZZZZZZZZZZZ",
            "AKIA1234567890ABCDEF",
            "AKIAABCDEFGHIJKLMNOP",
            "AKIATESTTESTTESTTEST",
            "AKIA0000000000000000",
        ] {
            assert!(is_id(id.as_bytes()), "{id}");
        }
        for secret in [
            "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
            "je7MtGbClwBF/2Zp9Utk/h3yCo8nvbEXAMPLEKEY",
            "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
            "abcdefghijklmnopqrstuvwxyz0123456789ABCD",
            "TESTTESTTESTTESTTESTTESTTESTTESTTESTTEST",
            "k1zPZM6uVxMQ3oxqgoYlNuJPyRTZ1vREs76zTQE3eJk=",
        ] {
            assert!(is_secret(secret.as_bytes()), "{secret}");
        }
    }

    #[test]
    fn twin_what_chance_makes_is_not() {
        assert!(!is_id(b"AKIAY34FZKBOKMUTVV7A"));
        assert!(!is_secret(b"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"));
    }
}
