//! What a person gives as the reason, held against the terms.

use super::terms::Terms;
use regex::{Regex, RegexBuilder};
use tegata_protocol::text::is_hostile;

/// The most characters of a reason: a session tag's value has no more (STS API, `Tag`).
pub const MAX_REASON: usize = 256;
/// The most characters of a pattern, and the most bytes of what it is compiled to.
const MAX_PATTERN: usize = 256;
const MAX_COMPILED: usize = 1024 * 1024;

/// Why a reason will not do. One line each.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ReasonFault {
    /// None was given.
    #[error("a reason is needed{}; add --reason TEXT", expected(.patterns))]
    Missing {
        /// What has to be in it.
        patterns: Vec<String>,
    },
    /// Nothing but white space.
    #[error("the reason is empty")]
    Blank,
    /// More than AWS has room for.
    #[error("the reason is longer than {MAX_REASON} characters")]
    TooLong,
    /// A character that a terminal or a reader can be misled by.
    #[error("the reason holds the character {character:?}, which no reason may hold")]
    Character {
        /// The character.
        character: char,
    },
    /// Something is not in it that a rule asks for.
    #[error("the reason has to contain {pattern}")]
    Pattern {
        /// The regular expression.
        pattern: String,
    },
}

fn expected(patterns: &[String]) -> String {
    if patterns.is_empty() { String::new() } else { format!(" that contains {}", patterns.join(" and ")) }
}

/// Holds a reason against the terms. A reason that nobody asked for is held against what every reason has to be.
///
/// # Errors
/// [`ReasonFault`].
pub fn check_reason(terms: &Terms, reason: Option<&str>) -> Result<(), ReasonFault> {
    let Some(reason) = reason else {
        return match &terms.reason {
            Some(rule) => Err(ReasonFault::Missing { patterns: rule.patterns.clone() }),
            None => Ok(()),
        };
    };
    check_words(reason)?;
    let patterns = terms.reason.iter().flat_map(|rule| &rule.patterns);
    // A pattern that cannot be compiled is found in nothing: the settings let none in.
    let absent = patterns.into_iter().find(|pattern| !compile(pattern).is_ok_and(|regex| regex.is_match(reason)));
    absent.map_or(Ok(()), |pattern| Err(ReasonFault::Pattern { pattern: pattern.clone() }))
}

/// Holds a reason against what every reason has to be: short, printable, not blank.
///
/// # Errors
/// [`ReasonFault`].
pub fn check_words(reason: &str) -> Result<(), ReasonFault> {
    if reason.trim().is_empty() {
        return Err(ReasonFault::Blank);
    }
    if reason.chars().count() > MAX_REASON {
        return Err(ReasonFault::TooLong);
    }
    reason.chars().find(|c| is_hostile(*c)).map_or(Ok(()), |character| Err(ReasonFault::Character { character }))
}

/// Checks and compiles a pattern. It is looked for anywhere in the reason; `^` and `$` anchor it.
///
/// # Errors
/// One line that says what is wrong.
pub fn compile(pattern: &str) -> Result<Regex, String> {
    if pattern.trim().is_empty() || pattern.chars().count() > MAX_PATTERN || pattern.contains(is_hostile) {
        return Err(format!(
            "a pattern is a regular expression of at most {MAX_PATTERN} characters such as INC-[0-9]+"
        ));
    }
    let compiled = RegexBuilder::new(pattern).size_limit(MAX_COMPILED).dfa_size_limit(MAX_COMPILED).build();
    compiled.map_err(|error| {
        let said = error.to_string();
        format!("the pattern is no regular expression: {}", said.lines().last().unwrap_or_default().trim())
    })
}

#[cfg(test)]
mod tests {
    use super::super::demands::Demands;
    use super::*;

    fn terms(patterns: Option<&[&str]>) -> Terms {
        let reason = patterns.map(|patterns| patterns.iter().map(|pattern| (*pattern).to_owned()).collect());
        Demands { reason, ..Demands::default() }.into_terms(vec!["r".to_owned()])
    }

    #[test]
    fn a_reason_is_asked_for_only_where_a_rule_does() {
        assert_eq!(check_reason(&terms(None), None), Ok(()));
        assert_eq!(check_reason(&terms(None), Some("障害対応 INC-42")), Ok(()));
        let missing = check_reason(&terms(Some(&[])), None).unwrap_err();
        assert_eq!(missing.to_string(), "a reason is needed; add --reason TEXT");
        let missing = check_reason(&terms(Some(&["INC-[0-9]+"])), None).unwrap_err();
        assert_eq!(missing.to_string(), "a reason is needed that contains INC-[0-9]+; add --reason TEXT");
        assert_eq!(check_reason(&terms(Some(&[])), Some("because")), Ok(()));
    }

    #[test]
    fn every_pattern_has_to_be_found() {
        let both = terms(Some(&["INC-[0-9]+", "^障害"]));
        assert_eq!(check_reason(&both, Some("障害対応 INC-42")), Ok(()));
        assert_eq!(
            check_reason(&both, Some("「障害対応 INC-42」")).unwrap_err().to_string(),
            "the reason has to contain ^障害"
        );
        assert_eq!(
            check_reason(&both, Some("障害対応 INC-")),
            Err(ReasonFault::Pattern { pattern: "INC-[0-9]+".to_owned() })
        );
        assert_eq!(check_reason(&terms(Some(&["INC-[0-9]+"])), Some("「障害対応 INC-42」")), Ok(()));
        assert!(check_reason(&terms(Some(&["("])), Some("(")).is_err(), "a damaged pattern lets nothing through");
    }

    #[test]
    fn h1_a_reason_is_one_printable_line() {
        for asked in [None, Some(&[][..])] {
            let terms = terms(asked);
            for hostile in ["a\nb", "a\u{1b}[2J", "a\u{202e}b", "a\0"] {
                assert!(
                    matches!(check_reason(&terms, Some(hostile)), Err(ReasonFault::Character { .. })),
                    "{hostile:?}"
                );
            }
            for blank in ["", " ", "\u{3000}"] {
                assert_eq!(check_reason(&terms, Some(blank)), Err(ReasonFault::Blank));
            }
            assert_eq!(check_reason(&terms, Some(&"障".repeat(257))), Err(ReasonFault::TooLong));
        }
    }

    #[test]
    fn h1_twin_a_long_reason_in_any_script_will_do() {
        for reason in ["障".repeat(256), "accès refusé, «encore»!".to_owned(), "か\u{3099}".to_owned()] {
            assert_eq!(check_reason(&terms(Some(&[])), Some(&reason)), Ok(()));
        }
    }

    #[test]
    fn a_pattern_is_small_and_a_regular_expression() {
        for bad in ["", " ", "a\nb", &"a".repeat(257)] {
            assert!(compile(bad).unwrap_err().contains("at most 256 characters"), "{bad:?}");
        }
        assert!(compile("INC-[0-9").unwrap_err().starts_with("the pattern is no regular expression: error: unclosed"));
        assert!(compile(r"((\w{100}){100}){100}").is_err());
        assert!(compile(&"a".repeat(256)).is_ok());
    }
}
