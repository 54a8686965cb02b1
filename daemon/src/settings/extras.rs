//! `[profile.NAME]`: what AWS can be told and no AWS key says. Each value is checked against the STS API reference.

use super::session_policy::MAX_CHARACTERS;
use super::{Command, HandOut, SessionPolicy, WebIdentity};
use crate::arns::names_a_partition;
use crate::names::ProfileName;
use regex::Regex;
use serde::de::Error;
use serde::{Deserialize, Deserializer};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::LazyLock;
use std::time::Duration;
use tegata_protocol::text::{is_hostile, one_line};

/// The most session tags (STS API, `Tags`).
const MAX_TAGS: usize = 50;
/// The most characters of a tag's key and of its value (STS API, `Tag`).
const MAX_KEY: usize = 128;
const MAX_VALUE: usize = 256;
/// The most managed session policies (STS API, `PolicyArns`).
const MAX_POLICY_ARNS: usize = 10;
/// The session tag that carries the reason of a grant where the settings name no other.
pub const REASON_TAG: &str = "Reason";

/// All `[profile.NAME]` tables.
pub type ExtrasByProfile = BTreeMap<ProfileName, Extras>;

/// What a profile's last role is assumed with, and what its source starts with, beside what AWS's own keys say.
///
/// A permission set takes none of this (SSO portal API, `GetRoleCredentials`), so a profile without a role cannot have them.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "Keys")]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Extras {
    /// `source_identity`: who is behind the role, in CloudTrail and along the chain.
    pub source_identity: Option<String>,
    /// `session_tags`, by key.
    pub session_tags: BTreeMap<String, String>,
    /// `transitive_tags`: keys of the session tags that the next roles of a chain inherit.
    pub transitive_tags: BTreeSet<String>,
    /// `session_policy`.
    pub session_policy: Option<SessionPolicy>,
    /// `policy_arns`: managed policies that narrow the session.
    pub policy_arns: Vec<String>,
    /// `reason_tag`: the key of the session tag that carries the reason of a grant; absent where it is switched off.
    pub reason_tag: Option<String>,
    /// `web_identity`: where the token for a role comes from, in place of a file that AWS config names.
    pub web_identity: Option<WebIdentity>,
    /// `totp_command`: what prints a code of the MFA device of an IAM user.
    pub totp_command: Option<Command>,
    /// `hand_out`: what an IAM user's access keys are good for.
    pub hand_out: Option<HandOut>,
    /// `key_max_age_days`: how old an IAM user's access key may be before a person is reminded.
    pub key_max_age: Option<Duration>,
}

impl Default for Extras {
    fn default() -> Self {
        Self {
            source_identity: None,
            session_tags: BTreeMap::new(),
            transitive_tags: BTreeSet::new(),
            session_policy: None,
            policy_arns: Vec::new(),
            reason_tag: Some(REASON_TAG.to_owned()),
            web_identity: None,
            totp_command: None,
            hand_out: None,
            key_max_age: None,
        }
    }
}

impl Extras {
    /// Returns the first key that means something for a role that is assumed and for nothing else.
    #[must_use]
    pub fn for_roles_only(&self) -> Option<&'static str> {
        self.of_roles().next()
    }

    /// Returns the first key that `AssumeRole` takes and `AssumeRoleWithWebIdentity` does not (STS API reference).
    #[must_use]
    pub fn for_assumed_roles_only(&self) -> Option<&'static str> {
        self.of_roles().find(|key| !["session_policy", "policy_arns"].contains(key))
    }

    fn of_roles(&self) -> impl Iterator<Item = &'static str> {
        let renamed = self.reason_tag.as_ref().is_some_and(|tag| tag != REASON_TAG);
        let keys = [
            ("source_identity", self.source_identity.is_some()),
            ("session_tags", !self.session_tags.is_empty()),
            ("transitive_tags", !self.transitive_tags.is_empty()),
            ("session_policy", self.session_policy.is_some()),
            ("policy_arns", !self.policy_arns.is_empty()),
            ("reason_tag", renamed),
        ];
        keys.into_iter().filter_map(|(key, is_set)| is_set.then_some(key))
    }

    /// Returns the first key that means something where a chain starts and is none of `used`.
    #[must_use]
    pub fn for_sources_beside(&self, used: &[&str]) -> Option<&'static str> {
        let keys = [
            ("web_identity", self.web_identity.is_some()),
            ("totp_command", self.totp_command.is_some()),
            ("hand_out", self.hand_out.is_some()),
            ("key_max_age_days", self.key_max_age.is_some()),
        ];
        keys.into_iter().find_map(|(key, is_set)| (is_set && !used.contains(&key)).then_some(key))
    }

    /// Whether a command is named, which a helper process has to run.
    pub(super) fn needs_helper(&self) -> bool {
        self.totp_command.is_some() || matches!(self.web_identity, Some(WebIdentity::Command(_)))
    }

    /// Reads the file of the session policy, and counts what AWS counts together.
    pub(super) fn read_files(&mut self, read: &dyn Fn(&Path) -> Result<String, String>) -> Result<(), String> {
        self.session_policy.as_mut().map_or(Ok(()), |policy| policy.read_file(read))?;
        let inline = self.session_policy.as_ref().map_or(0, |policy| policy.as_str().chars().count());
        let characters = inline + self.policy_arns.iter().map(String::len).sum::<usize>();
        if characters > MAX_CHARACTERS {
            return Err(format!(
                "session_policy and policy_arns have {characters} characters and AWS takes {MAX_CHARACTERS} together"
            ));
        }
        Ok(())
    }
}

/// Reads all `[profile.NAME]` tables.
pub(super) fn by_profile<'de, D: Deserializer<'de>>(from: D) -> Result<ExtrasByProfile, D::Error> {
    let tables = BTreeMap::<String, Extras>::deserialize(from)?;
    let named = |(name, extras): (String, Extras)| Ok((ProfileName::new(&name).map_err(D::Error::custom)?, extras));
    tables.into_iter().map(named).collect()
}

/// The table as it is written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct Keys {
    /// Who is behind the role, in CloudTrail and along the chain (STS API, `SourceIdentity`).
    source_identity: Option<SourceIdentity>,
    /// Session tags by key, 50 at most with that of the reason. Keys have up to 128, values up to 256 letters, digits, spaces and
    /// `_.:/=+-@` (STS API, `Tag`).
    #[serde(default)]
    session_tags: BTreeMap<String, String>,
    /// Keys of `session_tags`, or the reason's: the tags that later roles of the chain inherit.
    #[serde(default)]
    transitive_tags: Vec<String>,
    /// Narrows what the role may do, at all times. At most 2,048 characters; AWS also packs policies and tags together and may
    /// refuse one that fits.
    session_policy: Option<SessionPolicy>,
    /// Up to 10 managed policies that narrow it, too; with `session_policy` 2,048 characters together.
    #[serde(default)]
    #[cfg_attr(test, schemars(extend("maxItems" = MAX_POLICY_ARNS)))]
    policy_arns: Vec<PolicyArn>,
    /// The key of the session tag that carries the reason of a grant; `""` switches it off.
    #[cfg_attr(test, schemars(extend("default" = REASON_TAG)))]
    reason_tag: Option<String>,
    /// Where the token for `role_arn` comes from, in place of `web_identity_token_file`: what a command prints, or the token service of a
    /// GitHub Actions job.
    web_identity: Option<WebIdentity>,
    /// Prints a code of the MFA device of `tegata_iam_user`. No shell reads it.
    totp_command: Option<Command>,
    /// What `tegata_iam_user` hands out: a session, or the access keys themselves, for what AWS refuses to sessions (IAM without MFA).
    #[cfg_attr(test, schemars(extend("default" = "session")))]
    hand_out: Option<HandOut>,
    /// How many days old the access key of `tegata_iam_user` may be before `tegata status` and `tegata doctor` remind a person.
    key_max_age_days: Option<KeyAge>,
}

impl TryFrom<Keys> for Extras {
    type Error = String;

    fn try_from(keys: Keys) -> Result<Self, Self::Error> {
        let reason_tag = keys.reason_tag.unwrap_or_else(|| REASON_TAG.to_owned());
        let reason_tag = Some(reason_tag).filter(|tag| !tag.is_empty());
        tags(&keys.session_tags, reason_tag.as_deref())?;
        let known = |tag: &&String| !keys.session_tags.contains_key(*tag) && reason_tag.as_ref() != Some(*tag);
        if let Some(unknown) = keys.transitive_tags.iter().find(known) {
            return Err(format!("transitive_tags names {:?}, which is not in session_tags", one_line(unknown)));
        }
        if keys.policy_arns.len() > MAX_POLICY_ARNS {
            return Err(format!("policy_arns has {} entries and AWS takes {MAX_POLICY_ARNS}", keys.policy_arns.len()));
        }
        Ok(Self {
            source_identity: keys.source_identity.map(|identity| identity.0),
            session_tags: keys.session_tags,
            transitive_tags: keys.transitive_tags.into_iter().collect(),
            session_policy: keys.session_policy,
            policy_arns: keys.policy_arns.into_iter().map(|arn| arn.0).collect(),
            reason_tag,
            web_identity: keys.web_identity,
            totp_command: keys.totp_command,
            hand_out: keys.hand_out,
            key_max_age: keys.key_max_age_days.map(|age| age.0),
        })
    }
}

fn tags(tags: &BTreeMap<String, String>, reason_tag: Option<&str>) -> Result<(), String> {
    let count = tags.len() + usize::from(reason_tag.is_some());
    if count > MAX_TAGS {
        return Err(format!("{count} session tags, that of the reason included, and AWS takes {MAX_TAGS}"));
    }
    let mut seen = BTreeSet::new();
    for key in tags.keys().map(String::as_str).chain(reason_tag) {
        tag_key(key)?;
        // IAM User Guide, "Tagging": keys are told apart without regard to case.
        if !seen.insert(key.to_lowercase()) {
            return Err(format!("there are two session tags {key:?}; AWS takes upper and lower case for the same"));
        }
    }
    tags.iter().try_for_each(|(key, value)| {
        let fits = value.chars().count() <= MAX_VALUE && value.chars().all(is_tag_character);
        if fits { Ok(()) } else { Err(format!("the session tag {key:?} has a value that AWS refuses; {TAG_TEXT}")) }
    })
}

const TAG_TEXT: &str = "a value has at most 256 characters, a key 128: letters, digits, spaces and _.:/=+-@";

fn tag_key(key: &str) -> Result<(), String> {
    let fits = !key.trim().is_empty() && key.chars().count() <= MAX_KEY && key.chars().all(is_tag_character);
    // IAM User Guide, "Tagging": the prefix is AWS's own in any case.
    let reserved = key.get(..4).is_some_and(|prefix| prefix.eq_ignore_ascii_case("aws:"));
    match (fits, reserved) {
        (true, false) => Ok(()),
        (_, true) => Err(format!("the session tag {key:?} begins with aws:, which AWS keeps for itself")),
        (false, _) => Err(format!("AWS refuses the session tag {:?}; {TAG_TEXT}", one_line(key))),
    }
}

/// Whether AWS takes this character in a session tag (STS API, `Tag`: `[\p{L}\p{Z}\p{N}_.:/=+\-@]`). Separators that break
/// lines or hide are in `\p{Z}`, too, and are not taken here.
#[must_use]
pub fn is_tag_character(c: char) -> bool {
    static PATTERN: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(r"^[\p{L}\p{Z}\p{N}_.:/=+\-@]$").ok());
    let mut buffer = [0; 4];
    !is_hostile(c) && PATTERN.as_ref().is_some_and(|pattern| pattern.is_match(c.encode_utf8(&mut buffer)))
}

/// An age in days: from 1 to ten years.
#[derive(Deserialize)]
#[serde(try_from = "i64")]
#[cfg_attr(test, derive(schemars::JsonSchema), schemars(with = "i64", inline, extend("minimum" = 1, "maximum" = 3_650)))]
struct KeyAge(Duration);

impl TryFrom<i64> for KeyAge {
    type Error = &'static str;

    fn try_from(days: i64) -> Result<Self, Self::Error> {
        let fits = u64::try_from(days).ok().filter(|days| (1..=3_650).contains(days));
        fits.map(|days| Self(Duration::from_secs(days * 86_400))).ok_or("key_max_age_days is from 1 to 3650")
    }
}

/// STS API, `SourceIdentity`: 2 to 64 of `[\w+=,.@-]`, not beginning with `aws:`.
#[derive(Deserialize)]
#[serde(try_from = "String")]
#[cfg_attr(test, derive(schemars::JsonSchema), schemars(with = "String", inline, title = "2 to 64 letters, digits and `_+=,.@-`", extend("pattern" = "^[A-Za-z0-9_+=,.@-]{2,64}$")))]
struct SourceIdentity(String);

impl TryFrom<String> for SourceIdentity {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        let fits = text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_+=,.@-".contains(&byte));
        if fits && (2..=64).contains(&text.len()) {
            return Ok(Self(text));
        }
        Err("a source identity is 2 to 64 letters, digits and _+=,.@-")
    }
}

/// A managed policy's ARN (STS API, `PolicyDescriptorType`: 20 to 2,048 characters).
#[derive(Deserialize)]
#[serde(try_from = "String")]
#[cfg_attr(test, derive(schemars::JsonSchema), schemars(with = "String", inline, title = "ARN of a managed policy", extend("pattern" = "^arn:")))]
struct PolicyArn(String);

impl TryFrom<String> for PolicyArn {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        let parts: Vec<&str> = text.splitn(6, ':').collect();
        let fits = match parts[..] {
            ["arn", _, "iam", "", account, policy] => {
                names_a_partition(&text)
                    && (account == "aws" || (account.len() == 12 && account.bytes().all(|byte| byte.is_ascii_digit())))
                    && policy.strip_prefix("policy/").is_some_and(|name| !name.is_empty())
            }
            _ => false,
        };
        if fits && (20..=2_048).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Ok(Self(text));
        }
        Err("a managed policy is an ARN such as arn:aws:iam::aws:policy/ReadOnlyAccess")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::Settings;

    fn extras(lines: &str) -> Result<Extras, String> {
        let settings = Settings::parse(&format!("[profile.p]\n{lines}\n")).map_err(|error| error.to_string())?;
        Ok(settings.extras(&crate::names::ProfileName::new("p").unwrap()).unwrap().clone())
    }

    fn refused(lines: &str) -> String {
        extras(lines).unwrap_err()
    }

    #[test]
    fn every_extra_is_read() {
        let read = extras(
            "source_identity = 'alice@example.com'\ntransitive_tags = ['Team']\nreason_tag = 'Why'\n\
             session_policy = '{\"Statement\":[]}'\npolicy_arns = ['arn:aws:iam::aws:policy/ReadOnlyAccess']\n\
             [profile.p.session_tags]\nTeam = '基盤 SRE'\nEmpty = ''\n",
        )
        .unwrap();
        assert_eq!(read.source_identity.as_deref(), Some("alice@example.com"));
        assert_eq!((read.session_tags["Team"].as_str(), read.session_tags["Empty"].as_str()), ("基盤 SRE", ""));
        assert!(read.transitive_tags.contains("Team") && read.reason_tag.as_deref() == Some("Why"));
        assert_eq!(read.session_policy.unwrap().as_str(), "{\"Statement\":[]}");
        assert_eq!(read.policy_arns, ["arn:aws:iam::aws:policy/ReadOnlyAccess"]);
    }

    #[test]
    fn the_reason_has_a_tag_unless_it_is_switched_off() {
        assert_eq!(extras("").unwrap(), Extras::default());
        assert_eq!(Extras::default().reason_tag.as_deref(), Some("Reason"));
        assert_eq!(extras("reason_tag = ''").unwrap().reason_tag, None);
        assert!(refused("reason_tag = 'a!'").contains("AWS refuses the session tag \"a!\""));
        assert!(refused("session_tags = { reason = 'x' }").contains("two session tags \"Reason\""));
        assert!(extras("session_tags = { reason = 'x' }\nreason_tag = ''").is_ok());
        assert!(extras("transitive_tags = ['Reason']").is_ok());
        assert!(refused("transitive_tags = ['Reason']\nreason_tag = ''").contains("transitive_tags names \"Reason\""));
    }

    #[test]
    fn what_only_a_role_can_be_told_is_known_by_key() {
        for (lines, key) in [
            ("source_identity = 'alice'", Some("source_identity")),
            ("session_tags = { a = 'b' }", Some("session_tags")),
            ("transitive_tags = ['Reason']", Some("transitive_tags")),
            ("session_policy = '{\"Statement\":[]}'", Some("session_policy")),
            ("policy_arns = ['arn:aws:iam::aws:policy/ReadOnlyAccess']", Some("policy_arns")),
            ("reason_tag = 'Why'", Some("reason_tag")),
            ("reason_tag = ''", None),
            ("", None),
        ] {
            assert_eq!(extras(lines).unwrap().for_roles_only(), key, "{lines}");
        }
    }

    #[test]
    fn an_unknown_extra_is_an_error_with_the_nearest() {
        assert_eq!(
            refused("source_identiy = 'x'"),
            "line 2: Tegata does not know \"source_identiy\"; nearest: source_identity"
        );
    }

    #[test]
    fn tags_that_aws_refuses_are_errors() {
        for key in ["", " ", "a#b", &"k".repeat(129), "aws:x", "AWS:x", "a\u{2028}b"] {
            let key = toml::Value::String(key.to_owned());
            assert!(extras(&format!("session_tags = {{ {key} = 'x' }}")).is_err(), "{key}");
        }
        for value in ["a!b", "a\u{2029}b", &"v".repeat(257)] {
            let value = toml::Value::String(value.to_owned());
            assert!(
                refused(&format!("session_tags = {{ k = {value} }}")).contains("value that AWS refuses"),
                "{value}"
            );
        }
        let (key, value) = ("鍵".repeat(128), "値".repeat(256));
        assert!(extras(&format!("session_tags = {{ '{key}' = '{value}' }}")).is_ok());
        assert!(extras("session_tags = { 'a b_.:/=+-@' = 'a b_.:/=+-@' }").is_ok());
    }

    #[test]
    fn there_are_fifty_tags_with_that_of_the_reason() {
        let of = |count: usize| (0..count).map(|n| format!("t{n} = 'x'")).collect::<Vec<_>>().join(", ");
        assert!(extras(&format!("session_tags = {{ {} }}", of(49))).is_ok());
        assert!(refused(&format!("session_tags = {{ {} }}", of(50))).contains("51 session tags"));
        assert!(extras(&format!("reason_tag = ''\nsession_tags = {{ {} }}", of(50))).is_ok());
    }

    #[test]
    fn a_source_identity_has_the_form_that_sts_takes() {
        for bad in ["a", "a b", "aws:x", "名前", &"x".repeat(65)] {
            assert!(refused(&format!("source_identity = '{bad}'")).contains("a source identity is 2 to 64"), "{bad}");
        }
        for good in ["ab", "a_+=,.@-Z9", &"x".repeat(64)] {
            assert!(extras(&format!("source_identity = '{good}'")).is_ok(), "{good}");
        }
    }

    #[test]
    fn managed_policies_are_at_most_ten_arns() {
        for bad in [
            "ReadOnlyAccess",
            "arn:aws:iam::aws:policy/",
            "arn:aws:iam::aws:role/ReadOnlyAccess",
            "arn:aws:iam::12345678901:policy/Mine",
            "arn:aws:iam::12345678901x:policy/Mine",
            "arn:aws:s3:::policy/Mine/aws/aws",
            "arn:gcp:iam::aws:policy/ReadOnlyAccess",
            "arn:aws-evil:iam::aws:policy/ReadOnlyAccess",
            "arn:aws:iam:x:aws:policy/ReadOnlyAccess",
            "arn:aws:iam::aws:policy/Read Only",
        ] {
            assert!(refused(&format!("policy_arns = ['{bad}']")).contains("a managed policy is an ARN"), "{bad}");
        }
        let of = |count: usize| vec!["'arn:aws-cn:iam::123456789012:policy/p/Mine'"; count].join(",");
        assert!(extras(&format!("policy_arns = [{}]", of(10))).is_ok());
        assert!(refused(&format!("policy_arns = [{}]", of(11))).contains("11 entries and AWS takes 10"));
    }

    #[test]
    fn aws_counts_inline_and_managed_policies_together() {
        let policy = |length: usize| format!(r#"{{"Statement":[],"Id":"{}"}}"#, "x".repeat(length - 24));
        let arn = format!("arn:aws:iam::aws:policy/{}", "p".repeat(48 - 24));
        let lines = |length| format!("session_policy = '{}'\npolicy_arns = ['{arn}']", policy(length));
        assert!(extras(&lines(2_000)).is_ok());
        assert!(refused(&lines(2_001)).contains("2049 characters and AWS takes 2048 together"));
    }
}
