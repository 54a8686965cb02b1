//! AWS config text, line by line: sections of a profile, the keys in them. Pure.
//!
//! As generous as the most generous client: what any SDK takes as this profile's is taken.

use std::collections::BTreeMap;
use tegata_protocol::aws_config::{end_of_header, trim, unquoted, without_comment};

/// Keys that say where credentials come from: not for a profile that has none. Every `sso_…` and `tegata_…` is one, too.
const OF_CREDENTIALS: [&str; 13] = [
    "aws_access_key_id",
    "aws_secret_access_key",
    "aws_session_token",
    "aws_security_token",
    "role_arn",
    "role_session_name",
    "source_profile",
    "credential_source",
    "credential_process",
    "web_identity_token_file",
    "external_id",
    "mfa_serial",
    "login_session",
];
/// Keys whose values are secrets: no copy is made of them.
const SECRETS: [&str; 4] = ["aws_access_key_id", "aws_secret_access_key", "aws_session_token", "aws_security_token"];

/// The text of a file.
#[derive(Clone, Copy)]
pub(super) struct Text<'a>(pub(super) &'a str);

/// A line and what it is part of.
#[derive(Clone, Copy)]
struct Line<'a> {
    text: &'a str,
    /// The profile of the section, if it is one.
    profile: Option<&'a str>,
    part: Part<'a>,
}

#[derive(Clone, Copy)]
enum Part<'a> {
    Header,
    /// A key with the beginning of its value.
    Key(&'a str, &'a str),
    /// An indented line, which goes on with the value of this key.
    Nested(&'a str),
    /// A comment, a blank line, or nothing that any client reads.
    Other,
}

impl<'a> Text<'a> {
    /// Whether a section is about this profile.
    pub(super) fn has(self, profile: &str) -> bool {
        self.lines().any(|line| matches!(line.part, Part::Header) && line.profile == Some(profile))
    }

    /// Returns the region of a profile; Tegata's own spelling counts before the native one.
    pub(super) fn region(self, profile: &str) -> Option<String> {
        let value = |wanted: &str| {
            let lines = self.lines().filter(|line| line.profile == Some(profile));
            let values = lines.filter_map(|line| match line.part {
                Part::Key(key, value) if key.eq_ignore_ascii_case(wanted) => Some(trim(without_comment(value))),
                _ => None,
            });
            values.last().filter(|value| !value.is_empty()).map(str::to_owned)
        };
        value("tegata_region").or_else(|| value("region"))
    }

    /// Returns the text without secrets, and with a profile `name` that says all `profile` says but for credentials.
    pub(super) fn with_bare_profile(self, profile: &str, name: &str) -> String {
        let mut text = String::with_capacity(self.0.len() + 512);
        for line in self.lines().filter(|line| !is_secret(line.part)) {
            text.push_str(line.text);
            text.push('\n');
        }
        text.push_str(&format!("\n[profile {name}]\n"));
        for (key, lines) in self.settings(profile) {
            if key != "region" {
                text.extend(lines.iter().flat_map(|line| [line, "\n"]));
            }
        }
        if let Some(region) = self.region(profile) {
            text.push_str(&format!("region = {region}\n"));
        }
        text
    }

    /// The keys of a profile that have nothing to do with credentials, with their lines. Of a key that is there twice the last counts.
    fn settings(self, profile: &str) -> BTreeMap<String, Vec<&'a str>> {
        let mut settings: BTreeMap<String, Vec<&str>> = BTreeMap::new();
        for line in self.lines().filter(|line| line.profile == Some(profile)) {
            match line.part {
                Part::Key(key, _) if !is_of_credentials(key) => {
                    settings.insert(key.to_ascii_lowercase(), vec![line.text]);
                }
                Part::Nested(key) if !is_of_credentials(key) => {
                    settings.entry(key.to_ascii_lowercase()).or_default().push(line.text);
                }
                _ => {}
            }
        }
        settings
    }

    fn lines(self) -> impl Iterator<Item = Line<'a>> {
        let (mut profile, mut key) = (None, None);
        self.0.strip_prefix('\u{feff}').unwrap_or(self.0).lines().map(move |text| {
            let part = part(text, key);
            match part {
                Part::Header => (profile, key) = (profile_of(text), None),
                Part::Key(found, _) => key = Some(found),
                Part::Nested(_) | Part::Other => {}
            }
            Line { text, profile, part }
        })
    }
}

fn part<'a>(text: &'a str, key: Option<&'a str>) -> Part<'a> {
    let trimmed = text.trim();
    let indented = text.starts_with([' ', '\t']);
    match key {
        _ if trimmed.is_empty() || trimmed.starts_with(['#', ';']) => Part::Other,
        Some(key) if indented => Part::Nested(key),
        _ if trimmed.starts_with('[') => Part::Header,
        _ => match trimmed.split_once(['=', ':']) {
            Some((key, value)) => Part::Key(key.trim(), value.trim()),
            None => Part::Other,
        },
    }
}

/// `[default]`, `[profile NAME]`, `[NAME]` of a credentials file; a name may be quoted.
fn profile_of(header: &str) -> Option<&str> {
    let inner = header.trim().strip_prefix('[')?;
    let inner = inner.get(..end_of_header(inner)?)?.trim();
    let name = match inner.split_once([' ', '\t']) {
        Some(("profile", name)) => name.trim(),
        Some(_) => return None,
        None => inner,
    };
    Some(unquoted(name))
}

fn is_secret(part: Part<'_>) -> bool {
    let is = |key: &str| SECRETS.iter().any(|secret| secret.eq_ignore_ascii_case(key));
    match part {
        Part::Key(key, _) | Part::Nested(key) => is(key),
        Part::Header | Part::Other => false,
    }
}

fn is_of_credentials(key: &str) -> bool {
    let key = key.to_ascii_lowercase();
    OF_CREDENTIALS.contains(&key.as_str())
        || ["sso_", "tegata_"].iter().any(|start| key.starts_with(start))
        || key == "duration_seconds"
}

#[cfg(test)]
mod tests {
    use super::*;

    const CONFIG: &str = "\
# mine
[default]
region = us-east-1
aws_access_key_id = AKIACANARY
aws_secret_access_key = CANARY

[sso-session corp]
sso_region = us-east-1

[profile dev]
region = eu-west-1 # near
output = json
tegata_sso_session = corp
sso_account_id = 123456789012
credential_process = /usr/bin/tegata credential-process --profile dev
s3 =
  addressing_style = path
  aws_secret = no key of a profile
role_arn = arn:aws:iam::123456789012:role/x
services = local
max_attempts = 7
[services local]
sts =
  endpoint_url = http://127.0.0.1:1
";

    fn bare(config: &str, profile: &str) -> String {
        let text = Text(config).with_bare_profile(profile, "x@tegata");
        text.split_once("[profile x@tegata]\n").unwrap().1.to_owned()
    }

    #[test]
    fn the_bare_profile_says_everything_but_where_credentials_come_from() {
        let expected = "max_attempts = 7\noutput = json\ns3 =\n  addressing_style = path\n  aws_secret = no key of a profile\n\
                        services = local\nregion = eu-west-1\n";
        assert_eq!(bare(CONFIG, "dev"), expected);
        assert_eq!(bare(CONFIG, "default"), "region = us-east-1\n");
        assert_eq!(bare(CONFIG, "nobody"), "");
    }

    #[test]
    fn every_other_profile_stays_as_it_is_and_no_secret_is_copied() {
        let text = Text(CONFIG).with_bare_profile("dev", "x@tegata");
        assert!(!text.contains("CANARY"), "{text}");
        for kept in
            ["# mine\n[default]\nregion = us-east-1\n\n", "[sso-session corp]", "credential_process = /usr/bin/tegata"]
        {
            assert!(text.contains(kept), "{kept} is not in {text}");
        }
    }

    #[test]
    fn a_profile_is_found_however_a_client_lets_it_be_written() {
        for header in [
            "[profile dev]",
            "[profile  dev]",
            "[profile\tdev]",
            "[ profile dev ]",
            "[profile \"dev\"]",
            "[profile dev] # c",
            "[dev]",
            "  [profile dev]",
        ] {
            for (line, ended) in [("region = r", "\n"), ("region=r", "\r\n"), ("REGION : r ; c", "\n")] {
                let text = format!("{header}{ended}{line}{ended}");
                assert_eq!(Text(&text).region("dev").as_deref(), Some("r"), "{text:?}");
            }
        }
        assert_eq!(Text("\u{feff}[profile dev]\nregion = r").region("dev").as_deref(), Some("r"));
        assert_eq!(Text("[profile device]\nregion = r\n[sso-session dev]\nregion = r").region("dev"), None);
    }

    #[test]
    fn a_key_there_twice_is_written_once_or_botocore_reads_nothing_of_the_file() {
        let config = "[profile dev]\noutput = json\nregion = a\n[profile dev]\noutput = text\nregion = b\n";
        assert_eq!(bare(config, "dev"), "output = text\nregion = b\n");
    }

    #[test]
    fn the_region_in_our_own_spelling_counts_first() {
        assert_eq!(bare("[profile dev]\nregion = a\ntegata_region = b\n", "dev"), "region = b\n");
    }
}
