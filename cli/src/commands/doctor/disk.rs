//! Keys and tokens that lie in files in clear.

use super::facts::Facts;
use super::finding::quoted;
use super::finding::{Finding, Severity};

/// What lies there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// An access key that does not end.
    LongLivedKey,
    /// Credentials with an end.
    SessionKey,
    /// A sign-in token of `aws sso login`, renewable or not.
    SignInToken,
    /// Role credentials that the AWS CLI keeps.
    RoleCredentials,
    /// A session of `aws login`, with the key that proves it.
    ConsoleLogin,
}

/// A secret in a file. Of the secret itself four characters are kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct OnDisk {
    pub(super) kind: Kind,
    pub(super) file: String,
    /// Whose: a profile, a start URL.
    pub(super) of: String,
    /// The last four characters of what may be named.
    pub(super) tail: String,
}

/// Returns the last four characters, of a text that is long enough to hide the rest.
pub(super) fn tail(text: &str) -> String {
    let count = text.chars().count();
    if count < 12 { String::new() } else { text.chars().skip(count - 4).collect() }
}

pub(super) fn findings(facts: &Facts) -> Vec<Finding> {
    facts.on_disk.iter().map(judge).collect()
}

fn judge(found: &OnDisk) -> Finding {
    let OnDisk { kind, file, of, tail } = found;
    let remove = format!("rm {}", quoted(file));
    let (severity, what, mend) = match kind {
        Kind::LongLivedKey => (
            Severity::Error,
            format!("a long-lived access key …{tail} of {of}"),
            format!("\"${{EDITOR:-vi}}\" {}", quoted(file)),
        ),
        Kind::SessionKey => (
            Severity::Warning,
            format!("temporary credentials …{tail} of {of}"),
            format!("\"${{EDITOR:-vi}}\" {}", quoted(file)),
        ),
        Kind::SignInToken => {
            (Severity::Warning, format!("a sign-in token …{tail} of {of}"), "tegata adopt-session".to_owned())
        }
        Kind::RoleCredentials => (Severity::Warning, format!("role credentials …{tail}"), remove),
        Kind::ConsoleLogin => (Severity::Warning, format!("a session of aws login …{tail}"), remove),
    };
    Finding::new("secrets on disk", severity, format!("{file} holds {what} in clear")).mend(mend)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(kind: Kind) -> Finding {
        let of = "https://acme.awsapps.com/start".to_owned();
        let on_disk = vec![OnDisk { kind, file: "/home/a b/x.json".to_owned(), of, tail: "WXYZ".to_owned() }];
        findings(&Facts { on_disk, ..Facts::clean() }).remove(0)
    }

    #[test]
    fn each_kind_is_named_with_its_last_four_characters_and_its_command() {
        for (kind, severity, mend) in [
            (Kind::LongLivedKey, Severity::Error, "\"${EDITOR:-vi}\" '/home/a b/x.json'"),
            (Kind::SessionKey, Severity::Warning, "\"${EDITOR:-vi}\" '/home/a b/x.json'"),
            (Kind::SignInToken, Severity::Warning, "tegata adopt-session"),
            (Kind::RoleCredentials, Severity::Warning, "rm '/home/a b/x.json'"),
            (Kind::ConsoleLogin, Severity::Warning, "rm '/home/a b/x.json'"),
        ] {
            let finding = found(kind);
            assert_eq!((finding.severity, finding.mend.as_deref()), (severity, Some(mend)));
            assert!(finding.line.contains("…WXYZ") && finding.line.ends_with("in clear"), "{finding:?}");
        }
    }

    #[test]
    fn twin_a_disk_without_secrets_is_no_finding() {
        assert_eq!(findings(&Facts::clean()), []);
    }

    #[test]
    fn e7_of_a_short_secret_nothing_is_shown() {
        assert_eq!((tail("AKIAIOSFODNN7EXAMPLE").as_str(), tail("short").as_str()), ("MPLE", ""));
    }
}
