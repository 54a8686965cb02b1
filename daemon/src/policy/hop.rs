//! The stations of a chain as rules see them: an account and a role each. Every one counts, not only the last.

use crate::profile::Chain;

/// One station: what a chain starts from, or a role that it assumes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Hop<'a> {
    /// The account; absent where an ARN names none.
    pub account: Option<&'a str>,
    /// The permission set's name, or the role's or the user's without its path.
    pub role: &'a str,
    /// The ARN of the role, or of who it starts as; a permission set has none here.
    pub arn: Option<&'a str>,
}

/// Returns the stations of a chain, in order. What an EC2 instance or an ECS task is cannot be told from here, so it is none: a role
/// always follows.
pub(super) fn hops(chain: &Chain) -> impl Iterator<Item = Hop<'_>> {
    let source = chain.source.reached().map(|(account, role)| Hop {
        account: Some(account).filter(|account| !account.is_empty()),
        role,
        arn: chain.source.arn(),
    });
    source.into_iter().chain(chain.roles.iter().map(|role| assumed(role.role_arn.as_str())))
}

/// Takes an ARN apart: `arn:PARTITION:iam::ACCOUNT:role/PATH/NAME` (IAM User Guide, "IAM ARNs").
fn assumed(arn: &str) -> Hop<'_> {
    let account = arn.split(':').nth(4).filter(|account| !account.is_empty());
    Hop { account, role: arn.rsplit('/').next().unwrap_or(arn), arn: Some(arn) }
}

impl Hop<'_> {
    /// Whether the name looks like administration. Guessed on the safe side: case and marks between words do not matter.
    pub(super) fn looks_like_administration(self) -> bool {
        let letters: String = self.role.to_lowercase().chars().filter(|c| c.is_alphanumeric()).collect();
        ["admin", "poweruser", "breakglass", "iamfullaccess"].iter().any(|word| letters.contains(word))
            || (letters.contains("organi") && letters.contains("fullaccess"))
    }
}
