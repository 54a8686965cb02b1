//! The ARNs that configuration names, checked once where they enter and taken apart where they are used. Pure.
//!
//! `arn:PARTITION:SERVICE:REGION:ACCOUNT:RESOURCE` (IAM User Guide, "Identify AWS resources with ARNs").

use crate::names::{NameError, Region, check, form};
use crate::partition::Partition;
use std::fmt;

/// IAM's longest (IAM API reference, `arnType`).
const LONGEST: usize = 2048;

/// The parts of an ARN that tell what kind it is; partition and account are well-formed.
struct Parts<'a> {
    service: &'a str,
    region: &'a str,
    resource: &'a str,
}

fn parts(text: &str) -> Option<Parts<'_>> {
    let mut parts = text.splitn(6, ':');
    let mut next = || parts.next();
    let ("arn", partition, service, region, account, resource) = (next()?, next()?, next()?, next()?, next()?, next()?)
    else {
        return None;
    };
    let known = is_partition(partition);
    let twelve = account.len() == 12 && account.bytes().all(|byte| byte.is_ascii_digit());
    (known && twelve && !resource.is_empty()).then_some(Parts { service, region, resource })
}

/// Whether an ARN is in one of AWS's partitions; of the isolated ones there may be more.
pub(crate) fn names_a_partition(arn: &str) -> bool {
    arn.strip_prefix("arn:").and_then(|rest| rest.split(':').next()).is_some_and(is_partition)
}

/// Whether this is the ARN of a role. Its path may hold any printable ASCII character, its name not (IAM API reference, `Path` and
/// `RoleName`).
pub(crate) fn is_role(arn: &str) -> bool {
    let Some(arn) = parts(arn) else { return false };
    let path = arn.resource.strip_prefix("role/").filter(|path| path.bytes().all(|byte| byte.is_ascii_graphic()));
    let name = path.and_then(|path| path.rsplit('/').next());
    arn.service == "iam" && arn.region.is_empty() && name.is_some_and(is_named)
}

fn is_partition(name: &str) -> bool {
    Partition::named(name).is_some() || name == "aws-iso" || name.starts_with("aws-iso-")
}

/// The names of users, roles and their sessions: `[\\w+=,.@-]`, with `/` between the parts of a path (IAM API reference).
fn is_named(path: &str) -> bool {
    let name = |part: &str| {
        let is_one = part.chars().all(|c| c.is_ascii_alphanumeric() || "_+=,.@-".contains(c));
        is_one && !["", ".", ".."].contains(&part)
    };
    path.split('/').all(name)
}

macro_rules! arn {
    ($(#[$doc:meta])* $type:ident, $what:literal, $form:literal, $fits:expr) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct $type(String);

        impl $type {
            /// Checks a text that came from outside.
            ///
            /// # Errors
            /// [`NameError`] says what no such ARN may be.
            pub fn new(text: &str) -> Result<Self, NameError> {
                check($what, text, LONGEST)?;
                let parts = parts(text);
                if parts.as_ref().is_some_and(|parts| parts.service == "iam" && parts.resource == "root") {
                    return Err(NameError::Root { what: $what });
                }
                let fits: fn(&Parts<'_>) -> bool = $fits;
                form($what, text, parts.as_ref().is_some_and(fits), $form)?;
                Ok(Self(text.to_owned()))
            }

            /// Returns the ARN.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }

            /// Returns the account.
            #[must_use]
            pub fn account(&self) -> &str {
                self.0.split(':').nth(4).unwrap_or_default()
            }

            /// Returns the partition, as ARNs have it.
            #[must_use]
            pub fn partition(&self) -> &str {
                self.0.split(':').nth(1).unwrap_or_default()
            }
        }

        impl fmt::Display for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

arn!(
    /// Who signed in to the console: an IAM user, or somebody in a role or a federated session.
    IdentityArn,
    "the identity",
    "the ARN of who signed in, such as arn:aws:sts::123456789012:assumed-role/Admin/alice",
    |arn| {
        arn.region.is_empty()
            && match (arn.service, arn.resource.split_once('/')) {
                ("iam", Some(("user", name))) => is_named(name),
                ("sts", Some(("assumed-role", name))) => is_named(name) && name.split('/').count() == 2,
                ("sts", Some(("federated-user", name))) => is_named(name) && !name.contains('/'),
                _ => false,
            }
    }
);
arn!(
    /// An IAM user.
    UserArn,
    "the IAM user",
    "the ARN of an IAM user such as arn:aws:iam::123456789012:user/alice",
    |arn| {
        let named = arn.resource.strip_prefix("user/").is_some_and(is_named);
        arn.service == "iam" && arn.region.is_empty() && named
    }
);
arn!(
    /// A trust anchor of IAM Roles Anywhere.
    TrustAnchorArn,
    "the trust anchor",
    "an ARN such as arn:aws:rolesanywhere:us-east-1:123456789012:trust-anchor/ID",
    |arn| is_of_roles_anywhere(arn, "trust-anchor/")
);
arn!(
    /// A profile of IAM Roles Anywhere: which roles a certificate may have, and how long.
    RolesAnywhereProfileArn,
    "the Roles Anywhere profile",
    "an ARN such as arn:aws:rolesanywhere:us-east-1:123456789012:profile/ID",
    |arn| is_of_roles_anywhere(arn, "profile/")
);

fn is_of_roles_anywhere(arn: &Parts<'_>, kind: &str) -> bool {
    let id = arn.resource.strip_prefix(kind);
    let is_id = |id: &str| !id.is_empty() && id.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
    arn.service == "rolesanywhere" && Region::new(arn.region).is_ok() && id.is_some_and(is_id)
}

impl IdentityArn {
    /// Returns the name that rules match: of the role, or of the user without its path.
    #[must_use]
    pub fn name(&self) -> &str {
        let resource = self.0.splitn(6, ':').nth(5).unwrap_or_default();
        match resource.split_once('/') {
            Some(("assumed-role", name)) => name.split('/').next().unwrap_or_default(),
            _ => resource.rsplit('/').next().unwrap_or_default(),
        }
    }

    /// Whether it is somebody in a role, whose credentials another role is chained to (an hour at most).
    #[must_use]
    pub fn is_role(&self) -> bool {
        self.0.splitn(6, ':').nth(5).is_some_and(|resource| resource.starts_with("assumed-role/"))
    }
}

impl UserArn {
    /// Returns the user's name without its path.
    #[must_use]
    pub fn name(&self) -> &str {
        self.0.rsplit('/').next().unwrap_or_default()
    }
}

impl TrustAnchorArn {
    /// Returns its region; a session is asked for there.
    #[must_use]
    pub fn region(&self) -> &str {
        self.0.split(':').nth(3).unwrap_or_default()
    }
}

impl RolesAnywhereProfileArn {
    /// Returns its region.
    #[must_use]
    pub fn region(&self) -> &str {
        self.0.split(':').nth(3).unwrap_or_default()
    }
}

/// An MFA device that STS takes codes of: a virtual device's ARN or a hardware device's serial number (STS API reference,
/// `SerialNumber`: 9 to 256 of `[\\w+=/:,.@-]`).
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct MfaSerial(String);

impl MfaSerial {
    /// Checks a text that came from outside.
    ///
    /// # Errors
    /// [`NameError`] says what no such device may be. Security keys and passkeys are none: STS takes no code of theirs (IAM User Guide,
    /// "Secure API access with MFA").
    pub fn new(text: &str) -> Result<Self, NameError> {
        const WHAT: &str = "the MFA device";
        check(WHAT, text, 256)?;
        let fits = match parts(text) {
            Some(arn) => {
                let name = arn.resource.strip_prefix("mfa/").is_some_and(is_named);
                arn.service == "iam" && arn.region.is_empty() && name
            }
            None => text.len() >= 9 && text.chars().all(|c| c.is_ascii_alphanumeric() || "_+=,.@-".contains(c)),
        };
        let expected =
            "a virtual device such as arn:aws:iam::123456789012:mfa/alice, or a hardware device's serial number";
        form(WHAT, text, fits, expected)?;
        Ok(Self(text.to_owned()))
    }

    /// Returns the serial number.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for MfaSerial {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOSTILE: [&str; 6] = ["\n", "\0", "\u{202e}", " ", "", "*"];

    #[test]
    fn an_identity_is_a_user_or_somebody_in_a_role() {
        for (arn, account, name, is_role) in [
            ("arn:aws:sts::123456789012:assumed-role/Admin/alice@example.com", "123456789012", "Admin", true),
            ("arn:aws:iam::123456789012:user/team/a.b/alice", "123456789012", "alice", false),
            ("arn:aws-cn:sts::123456789012:federated-user/alice", "123456789012", "alice", false),
        ] {
            let identity = IdentityArn::new(arn).unwrap();
            assert_eq!((identity.account(), identity.name(), identity.is_role()), (account, name, is_role), "{arn}");
        }
    }

    #[test]
    fn root_is_told_apart_from_what_is_merely_wrong() {
        for arn in ["arn:aws:iam::123456789012:root", "arn:aws-us-gov:iam::123456789012:root"] {
            assert!(matches!(IdentityArn::new(arn), Err(NameError::Root { .. })), "{arn}");
            assert!(matches!(UserArn::new(arn), Err(NameError::Root { .. })), "{arn}");
        }
    }

    #[test]
    fn what_looks_like_an_identity_is_none() {
        for arn in [
            "arn:aws:iam::123456789012:role/Admin",
            "arn:aws:sts::123456789012:assumed-role/Admin",
            "arn:aws:sts::123456789012:assumed-role/Admin/alice/more",
            "arn:aws:iam::123456789012:user/",
            "arn:aws:iam::123456789012:user/../../etc/passwd",
            "arn:aws:sts::123456789012:assumed-role/./alice",
            "arn:aws:iam::12345678901:user/alice",
            "arn:aws:iam:us-east-1:123456789012:user/alice",
            "arn:gcp:iam::123456789012:user/alice",
            "ARN:aws:iam::123456789012:user/alice",
            "arn:aws:iam::123456789012:user/\u{430}lice",
        ] {
            assert!(IdentityArn::new(arn).is_err(), "{arn}");
        }
        for hostile in HOSTILE {
            assert!(IdentityArn::new(&format!("arn:aws:iam::123456789012:user/{hostile}")).is_err(), "{hostile:?}");
            assert!(UserArn::new(&format!("arn:aws:iam::123456789012:user/a{hostile}/")).is_err(), "{hostile:?}");
        }
        assert!(UserArn::new(&format!("arn:aws:iam::123456789012:user/{}", "a".repeat(1 << 20))).is_err());
    }

    #[test]
    fn roles_anywhere_is_in_a_region() {
        let anchor = TrustAnchorArn::new("arn:aws:rolesanywhere:eu-west-1:123456789012:trust-anchor/0a-1b").unwrap();
        assert_eq!((anchor.region(), anchor.account(), anchor.partition()), ("eu-west-1", "123456789012", "aws"));
        for arn in [
            "arn:aws:rolesanywhere::123456789012:trust-anchor/0a",
            "arn:aws:rolesanywhere:eu-west-1.evil.test:123456789012:trust-anchor/0a",
            "arn:aws:rolesanywhere:eu-west-1:123456789012:profile/0a",
            "arn:aws:rolesanywhere:eu-west-1:123456789012:trust-anchor/",
            "arn:aws:rolesanywhere:eu-west-1:123456789012:trust-anchor/../x",
        ] {
            assert!(TrustAnchorArn::new(arn).is_err(), "{arn}");
        }
    }

    #[test]
    fn what_looks_like_a_role_is_none() {
        for arn in [
            "arn:aws-evil:iam::123456789012:role/Deploy",
            "arn:aws:iam::12345678901:role/Deploy",
            "arn:aws:iam::123456789012x:role/Deploy",
            "arn:aws:sts::123456789012:role/Deploy",
            "arn:aws:iam:us-east-1:123456789012:role/Deploy",
            "arn:aws:iam::123456789012:user/:role/Deploy",
            "arn:aws:iam::123456789012:role/",
            "arn:aws:iam::123456789012:role/team/",
            "arn:aws:iam::123456789012:role/Deploy$(id)",
            "arn:aws:iam::123456789012:role/a b/Deploy",
            "arn:aws:iam::123456789012:role/D\u{435}ploy",
        ] {
            assert!(!is_role(arn), "{arn}");
        }
        for arn in ["arn:aws:iam::123456789012:role/Deploy", "arn:aws-cn:iam::123456789012:role/a!b/~c/Deploy.x@y"] {
            assert!(is_role(arn), "{arn}");
        }
    }

    #[test]
    fn a_security_key_is_no_device_that_sts_takes_codes_of() {
        for serial in ["arn:aws:iam::123456789012:mfa/alice", "GAHT12345678"] {
            assert_eq!(MfaSerial::new(serial).unwrap().as_str(), serial);
        }
        for serial in [
            "arn:aws:iam::123456789012:u2f/user/alice/key-ABC",
            "arn:aws-evil:iam::123456789012:mfa/alice",
            "arn:aws:iam::12345678901:mfa/alice",
            "arn:aws:sts::123456789012:mfa/alice",
            "short",
            "has space in it",
            "line\nend-123",
        ] {
            assert!(MfaSerial::new(serial).is_err(), "{serial:?}");
        }
    }
}
