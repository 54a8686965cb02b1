//! A session policy: what narrows an assumed role's permissions while it is used.

use super::AbsolutePath;
use serde::Deserialize;
use std::path::Path;

/// The most characters that AWS takes (STS API, `AssumeRole`: the plain text of inline and managed session policies together).
///
/// AWS also packs policies and tags into a binary form with a limit of its own, which it tells as a percentage in
/// `PackedPolicySize` and nobody else can compute: a policy that fits here may still be refused by AWS.
pub(super) const MAX_CHARACTERS: usize = 2_048;

/// An inline session policy, as AWS is to receive it: one JSON object without white space that means nothing.
///
/// In the settings it is the JSON itself, or the absolute path of a file with it; [`super::Settings::parse`] never leaves
/// a file unread.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
#[cfg_attr(test, derive(schemars::JsonSchema), schemars(with = "String", inline, title = "JSON, or the absolute path of a file with it", extend("pattern" = r"^(\s*\{|/)")))]
pub struct SessionPolicy {
    json: String,
    unread: Option<AbsolutePath>,
}

impl SessionPolicy {
    /// Checks the JSON of a session policy.
    ///
    /// # Errors
    /// One line that says what AWS would refuse.
    pub fn from_json(text: &str) -> Result<Self, String> {
        const NO_POLICY: &str = "a session policy is a JSON object with a Statement";
        let value: serde_json::Value =
            serde_json::from_str(text).map_err(|error| format!("the session policy is no JSON: {error}"))?;
        if !value.get("Statement").is_some_and(|statement| statement.is_object() || statement.is_array()) {
            return Err(NO_POLICY.to_owned());
        }
        let json = value.to_string();
        // STS API, `Policy`: tab, line ends and U+0020 to U+00FF; JSON without white space has no raw tab or line end.
        if let Some(foreign) = json.chars().find(|c| !('\u{20}'..='\u{ff}').contains(c)) {
            return Err(format!("a session policy holds Latin-1 characters only, so not {foreign:?}"));
        }
        match json.chars().count() {
            count if count > MAX_CHARACTERS => {
                Err(format!("the session policy has {count} characters and AWS takes {MAX_CHARACTERS}"))
            }
            _ => Ok(Self { json, unread: None }),
        }
    }

    /// Returns the JSON.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.json
    }

    /// Reads the file that the settings named in place of the JSON.
    pub(super) fn read_file(&mut self, read: &dyn Fn(&Path) -> Result<String, String>) -> Result<(), String> {
        if let Some(path) = &self.unread {
            let at = |error: String| format!("session_policy {}: {error}", path.as_path().display());
            *self = read(path.as_path()).and_then(|text| Self::from_json(&text)).map_err(at)?;
        }
        Ok(())
    }
}

impl TryFrom<String> for SessionPolicy {
    type Error = String;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        if text.trim_start().starts_with('{') {
            return Self::from_json(&text);
        }
        let path = AbsolutePath::try_from(text)
            .map_err(|_| "a session policy is JSON, or the absolute path of a file with it".to_owned())?;
        Ok(Self { json: String::new(), unread: Some(path) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const READ_ONLY: &str =
        r#"{ "Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "s3:Get*", "Resource": "*"} }"#;

    fn refused(text: &str) -> String {
        SessionPolicy::from_json(text).unwrap_err()
    }

    #[test]
    fn json_is_sent_without_white_space_that_means_nothing() {
        let policy = SessionPolicy::try_from(format!("\n {READ_ONLY}")).unwrap();
        assert!(policy.as_str().starts_with(r#"{"Statement":{"Action":"s3:Get*","#), "{}", policy.as_str());
    }

    #[test]
    fn what_is_no_policy_is_refused_at_once() {
        assert!(refused("{").starts_with("the session policy is no JSON"));
        for text in ["{}", "[]", "\"x\"", r#"{"Statement":"x"}"#, "null"] {
            assert_eq!(refused(text), "a session policy is a JSON object with a Statement", "{text}");
        }
        assert!(refused(r#"{"Statement":[],"Id":"障害"}"#).contains("Latin-1"));
        assert!(SessionPolicy::from_json("{\"Statement\":[],\"Id\":\"\u{ff}~ \"}").is_ok());
    }

    #[test]
    fn it_has_as_many_characters_as_aws_takes() {
        let of = |length: usize| format!(r#"{{"Statement":[],"Id":"{}"}}"#, "é".repeat(length - 24));
        assert_eq!(SessionPolicy::from_json(&of(2_048)).unwrap().as_str().chars().count(), 2_048);
        assert_eq!(refused(&of(2_049)), "the session policy has 2049 characters and AWS takes 2048");
    }

    #[test]
    fn a_file_is_read_before_anybody_sees_the_policy() {
        let mut policy = SessionPolicy::try_from("/etc/policy.json".to_owned()).unwrap();
        let refused = policy.clone().read_file(&|_| Err("no such file".to_owned())).unwrap_err();
        assert_eq!(refused, "session_policy /etc/policy.json: no such file");
        assert!(policy.clone().read_file(&|_| Ok("[]".to_owned())).unwrap_err().contains("a JSON object"));
        policy.read_file(&|path| Ok(READ_ONLY.replace("s3", &path.to_string_lossy().replace('/', "")))).unwrap();
        assert!(policy.as_str().contains("etcpolicy.json:Get*"));
        let read = policy.clone();
        policy.read_file(&|_| Err("asked again".to_owned())).unwrap();
        assert_eq!(policy, read);
    }

    #[test]
    fn a_relative_path_is_no_policy() {
        let refused = SessionPolicy::try_from("policy.json".to_owned()).unwrap_err();
        assert_eq!(refused, "a session policy is JSON, or the absolute path of a file with it");
        assert!(SessionPolicy::try_from(String::new()).is_err());
    }
}
