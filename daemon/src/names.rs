//! The names of things, checked once where they enter. Pure.
//!
//! A name that has passed here holds no control character, no line break and no NUL (CVE-2020-5260, CVE-2024-50338:
//! a line end inside a name became a second line of a protocol), is not blank (CVE-2020-11008: a blank matched anything)
//! and is bounded. Names are compared byte for byte: case and Unicode normalisation make different names.

use std::fmt;

/// Why a text is not a name.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NameError {
    /// Nothing, or only white space.
    #[error("{what} is empty")]
    Empty {
        /// Which name.
        what: &'static str,
    },
    /// Longer than the limit.
    #[error("{what} is longer than {limit} bytes")]
    TooLong {
        /// Which name.
        what: &'static str,
        /// The limit in bytes.
        limit: usize,
    },
    /// A character that no such name may hold.
    #[error("{what} holds the character {character:?}, which no such name may hold")]
    Character {
        /// Which name.
        what: &'static str,
        /// The character.
        character: char,
    },
    /// The root user of an account.
    #[error("{what} is the root user of the account; Tegata keeps nothing of root's: use it by hand, in the console")]
    Root {
        /// Which name.
        what: &'static str,
    },
    /// Not of the form AWS gives such names.
    #[error("{what} {found:?} is not {expected}")]
    Form {
        /// Which name.
        what: &'static str,
        /// What was found, made printable.
        found: String,
        /// What such a name looks like.
        expected: &'static str,
    },
}

pub(crate) fn check(what: &'static str, text: &str, limit: usize) -> Result<(), NameError> {
    if text.trim().is_empty() {
        return Err(NameError::Empty { what });
    }
    if text.len() > limit {
        return Err(NameError::TooLong { what, limit });
    }
    match text.chars().find(|c| tegata_protocol::text::is_hostile(*c)) {
        Some(character) => Err(NameError::Character { what, character }),
        None => Ok(()),
    }
}

pub(crate) fn form(what: &'static str, text: &str, fits: bool, expected: &'static str) -> Result<(), NameError> {
    if fits { Ok(()) } else { Err(NameError::Form { what, found: tegata_protocol::text::one_line(text), expected }) }
}

macro_rules! name {
    ($(#[$doc:meta])* $type:ident, $what:literal, $limit:literal, $extra:expr) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct $type(String);

        impl $type {
            /// Checks a text that came from outside.
            ///
            /// # Errors
            /// [`NameError`] says what no such name may be.
            pub fn new(text: &str) -> Result<Self, NameError> {
                check($what, text, $limit)?;
                let extra: fn(&str) -> Result<(), NameError> = $extra;
                extra(text)?;
                Ok(Self(text.to_owned()))
            }

            /// Returns the name.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

name!(
    /// A named section of the AWS configuration: what the user types.
    ProfileName, "the profile name", 255, |_| Ok(())
);
name!(
    /// A sign-in session: an `[sso-session]` section's name, or a start URL's host for a profile without one.
    SessionName, "the sign-in session name", 255, |_| Ok(())
);
name!(
    /// A permission set's name as the portal knows it (IAM Identity Center API, `PermissionSetName`: 32 characters of
    /// `[\w+=,.@-]`; customer roles may be longer, 64).
    RoleName, "the role name", 64, |text| form(
        "the role name", text, text.chars().all(|c| c.is_ascii_alphanumeric() || "_+=,.@-".contains(c)),
        "letters, digits and _+=,.@-"
    )
);
name!(
    /// An AWS account id: twelve digits.
    AccountId, "the account id", 12, |text| form(
        "the account id", text, text.len() == 12 && text.bytes().all(|b| b.is_ascii_digit()), "twelve digits"
    )
);
name!(
    /// An AWS region. It becomes part of a host name, so its form is narrow.
    Region, "the region", 32, |text| form(
        "the region", text,
        text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
            && text.contains('-') && !text.starts_with('-') && !text.ends_with('-'),
        "a region such as us-east-1"
    )
);
name!(
    /// A role's ARN (STS API, `RoleArn`: 20 to 2,048 characters).
    RoleArn, "the role ARN", 2048, |text| form(
        "the role ARN", text,
        text.len() >= 20 && crate::arns::is_role(text),
        "an ARN such as arn:aws:iam::123456789012:role/NAME"
    )
);

name!(
    /// A person who approves, as the people around them call them.
    Person, "the person's name", 256, short_and_trimmed
);
name!(
    /// A passkey's name: what its person calls the device or the place it is kept in.
    PasskeyName, "the passkey's name", 256, short_and_trimmed
);

/// The most characters of a name that a person makes up.
const MAX_CHARACTERS: usize = 64;

/// Two names that differ in surrounding space only look the same, and a second "alice " would count as a second person.
fn short_and_trimmed(text: &str) -> Result<(), NameError> {
    let fits = text.trim() == text && text.chars().count() <= MAX_CHARACTERS;
    form("the name", text, fits, "a name of at most 64 characters without space at its ends")
}

impl RoleArn {
    /// Returns the account and the role's name without its path.
    #[must_use]
    pub fn account_and_role(&self) -> (&str, &str) {
        let mut parts = self.0.splitn(6, ':').skip(4);
        let (account, role) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
        (account, role.rsplit('/').next().unwrap_or_default())
    }
}

/// An organisation's start URL: https, or http to a loopback address for a double in tests.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct StartUrl(url::Url);

impl StartUrl {
    /// Checks a text that came from outside. User information, query and fragment have no place in a start URL, except
    /// the empty fragment path (`#/`) that people copy from the portal, which is dropped.
    ///
    /// # Errors
    /// [`NameError`] says what no start URL may be.
    pub fn new(text: &str) -> Result<Self, NameError> {
        const WHAT: &str = "the start URL";
        const EXPECTED: &str = "an address such as https://d-1234567890.awsapps.com/start";
        check(WHAT, text, 2048)?;
        let refused =
            || NameError::Form { what: WHAT, found: tegata_protocol::text::one_line(text), expected: EXPECTED };
        // A host in another script is written in its ASCII form (xn--…): nobody can tell a Cyrillic а from a Latin a.
        if !text.is_ascii() {
            return Err(refused());
        }
        let url = url::Url::parse(text.trim_end_matches("#/").trim_end_matches('#').trim_end_matches('/'))
            .map_err(|_| refused())?;
        let loopback = match url.host() {
            Some(url::Host::Ipv4(address)) => address.is_loopback(),
            Some(url::Host::Ipv6(address)) => address.is_loopback(),
            Some(url::Host::Domain(name)) => name == "localhost",
            None => false,
        };
        let plain =
            url.username().is_empty() && url.password().is_none() && url.query().is_none() && url.fragment().is_none();
        let scheme_fits = url.scheme() == "https" || (url.scheme() == "http" && loopback);
        if plain && scheme_fits { Ok(Self(url)) } else { Err(refused()) }
    }

    /// Returns the URL as AWS is to receive it.
    #[must_use]
    pub fn as_str(&self) -> &str {
        self.0.as_str().trim_end_matches('/')
    }

    /// Returns the host, for showing and for naming a session that has no section.
    #[must_use]
    pub fn host(&self) -> &str {
        self.0.host_str().unwrap_or_default()
    }
}

impl fmt::Display for StartUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn h1_line_ends_and_nul_are_no_part_of_a_name() {
        for hostile in ["a\nb", "a\rb", "a\0b", "a\u{2028}b", "a\u{202e}b"] {
            assert!(ProfileName::new(hostile).is_err(), "{hostile:?}");
            assert!(SessionName::new(hostile).is_err(), "{hostile:?}");
            assert!(RoleName::new(hostile).is_err(), "{hostile:?}");
            assert!(AccountId::new(hostile).is_err(), "{hostile:?}");
            assert!(Region::new(hostile).is_err(), "{hostile:?}");
            assert!(StartUrl::new(&format!("https://{hostile}.awsapps.com/start")).is_err(), "{hostile:?}");
        }
    }

    #[test]
    fn h1_twin_names_in_any_script_are_names() {
        for name in ["prod-admin", "障害対応", "team/a.b@c+d", "a b"] {
            assert_eq!(ProfileName::new(name).unwrap().as_str(), name);
        }
    }

    #[test]
    fn h9_a_start_url_has_no_letters_of_other_scripts() {
        for look_alike in ["https://d-1.\u{430}wsapps.com/start", "https:\u{2215}/d-1.awsapps.com/start"] {
            assert!(StartUrl::new(look_alike).is_err(), "{look_alike}");
        }
        assert!(StartUrl::new("https://xn--d-1-8cd.awsapps.com/start").is_ok());
    }

    #[test]
    fn h9_a_permission_set_has_no_letters_of_other_scripts() {
        assert!(RoleName::new("Admin").is_ok() && RoleName::new("\u{410}dmin").is_err());
    }

    #[test]
    fn h2_blank_never_becomes_a_name() {
        for blank in ["", " ", "\u{3000}"] {
            assert!(
                ProfileName::new(blank).is_err() && AccountId::new(blank).is_err() && StartUrl::new(blank).is_err()
            );
        }
    }

    #[test]
    fn h2_twin_a_filled_in_account_is_a_name() {
        assert!(AccountId::new("123456789012").is_ok());
    }

    #[test]
    fn names_of_people_and_passkeys_have_one_spelling() {
        for good in ["alice", "O'Neill, Zoë", "山田 太郎", &"é".repeat(64)] {
            assert!(Person::new(good).is_ok() && PasskeyName::new(good).is_ok(), "{good}");
        }
        for bad in ["", " ", "alice ", "\u{3000}alice", "al\u{200b}ice", "a\nb", &"é".repeat(65)] {
            assert!(Person::new(bad).is_err() && PasskeyName::new(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn a_region_cannot_carry_a_host() {
        for bad in ["us-east-1.evil.test", "us-east-1/", "US-EAST-1", "-us-", "us", "us-east-1@evil"] {
            assert!(Region::new(bad).is_err(), "{bad}");
        }
        for good in ["us-east-1", "cn-north-1", "us-gov-west-1", "eusc-de-east-1"] {
            assert!(Region::new(good).is_ok(), "{good}");
        }
    }

    #[test]
    fn a_start_url_is_https_and_bare() {
        for bad in [
            "http://evil.test/start",
            "ftp://x-y/start",
            "https://u:p@d.awsapps.com/start",
            "https://d.awsapps.com/start?x=1",
        ] {
            assert!(StartUrl::new(bad).is_err(), "{bad}");
        }
        for good in
            ["https://d-1.awsapps.com/start", "https://d-1.awsapps.com/start/", "https://d-1.awsapps.com/start#/"]
        {
            assert_eq!(StartUrl::new(good).unwrap().as_str(), "https://d-1.awsapps.com/start", "{good}");
        }
        assert!(StartUrl::new("http://127.0.0.1:7000/start").is_ok());
    }
}
