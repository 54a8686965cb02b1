//! A pattern over names: `*` stands for any characters, `?` for one, everything else for itself, in the case it is written in.

use serde::{Deserialize, Serialize};
use tegata_protocol::text::is_hostile;

/// The most characters of a pattern: an ARN has at most as many (STS API, `RoleArn`).
const MAX_CHARACTERS: usize = 2_048;

/// A pattern. Never blank: nothing is said by leaving a matcher out, not by leaving it empty.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
#[cfg_attr(test, derive(schemars::JsonSchema), schemars(with = "String", inline, title = "pattern"))]
pub struct Pattern(String);

impl Pattern {
    /// Returns the pattern as it is written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether the whole of `text` is as the pattern says. Takes time in the product of both lengths at most.
    #[must_use]
    pub fn matches(&self, text: &str) -> bool {
        let (mut pattern, mut text) = (self.0.chars(), text.chars());
        // Behind the last star, and how much of the text is left to it: one character less each time the rest does not fit.
        let mut star = None;
        loop {
            let (mut behind, mut left) = (pattern.clone(), text.clone());
            let Some(found) = left.next() else { return pattern.all(|wanted| wanted == '*') };
            match behind.next() {
                Some('*') => {
                    star = Some((behind.clone(), left));
                    pattern = behind;
                }
                Some(wanted) if wanted == '?' || wanted == found => (pattern, text) = (behind, left),
                _ => {
                    let Some((behind, left)) = &mut star else { return false };
                    (pattern, text) = (behind.clone(), left.clone());
                    left.next();
                }
            }
        }
    }
}

impl TryFrom<String> for Pattern {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        if text.trim().is_empty() {
            return Err("a pattern is never blank; \"*\" stands for anything");
        }
        if text.contains(is_hostile) || text.chars().count() > MAX_CHARACTERS {
            return Err("a pattern is one printable line of at most 2048 characters");
        }
        Ok(Self(text))
    }
}

impl From<Pattern> for String {
    fn from(pattern: Pattern) -> Self {
        pattern.0
    }
}

#[cfg(test)]
mod tests {
    use super::Pattern;

    fn matches(pattern: &str, text: &str) -> bool {
        Pattern::try_from(pattern.to_owned()).unwrap().matches(text)
    }

    #[test]
    fn a_star_is_any_characters_and_a_question_mark_is_one() {
        for (pattern, text) in [
            ("Admin", "Admin"),
            ("*", "Admin"),
            ("*", ""),
            ("**", ""),
            ("Admin*", "Admin"),
            ("*Admin*", "OrgAdminAccess"),
            ("A?min", "Admin"),
            ("障害?応", "障害対応"),
            ("a*b*c", "a-b-b-c"),
            ("*ab", "aab"),
            ("*a?c", "xabcabc"),
            ("?", "障"),
            ("arn:aws:iam::*:role/*", "arn:aws:iam::123456789012:role/x/y"),
        ] {
            assert!(matches(pattern, text), "{pattern} is {text}");
        }
        for (pattern, text) in [
            ("Admin", "Admins"),
            ("Admin", "Admi"),
            ("Admin", "xAdmin"),
            ("Admin", ""),
            ("?", ""),
            ("?", "ab"),
            ("*x", "ab"),
            ("a*b", "a"),
            ("a*b", "abc"),
            ("A?min", "Amin"),
            ("a*b*c", "a-c-b"),
            ("*a?", "ba"),
            ("a*", "b"),
        ] {
            assert!(!matches(pattern, text), "{pattern} is not {text}");
        }
    }

    #[test]
    fn h9_case_and_normalisation_make_different_names() {
        for (pattern, text) in [("admin", "Admin"), ("Admin", "Admin "), ("\u{e9}", "e\u{301}"), ("*admin", "Admin")] {
            assert!(!matches(pattern, text), "{pattern} is not {text}");
        }
    }

    #[test]
    fn h9_twin_the_same_name_is_matched() {
        assert!(matches("\u{e9}-Admin", "\u{e9}-Admin"));
    }

    #[test]
    fn h2_a_blank_pattern_is_refused() {
        for blank in ["", " ", "\t", "\u{3000}"] {
            assert!(Pattern::try_from(blank.to_owned()).is_err(), "{blank:?}");
        }
        for hostile in ["a\nb", "a\u{202e}b", "a\0"] {
            assert!(Pattern::try_from(hostile.to_owned()).is_err(), "{hostile:?}");
        }
    }

    #[test]
    fn h2_twin_what_is_filled_in_is_a_pattern() {
        assert_eq!(Pattern::try_from("x".repeat(2_048)).unwrap().as_str().len(), 2_048);
        assert!(Pattern::try_from("x".repeat(2_049)).is_err());
    }

    #[test]
    fn many_stars_cost_no_more_than_both_lengths() {
        let text = "a".repeat(2_000);
        assert!(!matches(&"a*".repeat(1_000), &format!("{}b", "b".repeat(2_000))));
        assert!(!matches(&format!("{}b", "*a".repeat(1_000)), &text));
    }
}
