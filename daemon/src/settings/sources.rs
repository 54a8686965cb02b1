//! What `[profile.NAME]` says of where a chain starts. Programs are named here and never in AWS config.

use super::AbsolutePath;
use serde::Deserialize;
use tegata_protocol::text::is_hostile;

/// The most words of a command, and the most bytes of one.
const MAX_WORDS: usize = 64;
const MAX_WORD: usize = 4096;

/// A command as a list of words: no shell reads it. The first is the program, by its absolute path.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Deserialize)]
#[serde(try_from = "Vec<String>")]
#[cfg_attr(test, derive(schemars::JsonSchema), schemars(with = "Vec<String>", inline, title = "list of words, the first an absolute path", extend("minItems" = 1, "maxItems" = MAX_WORDS)))]
pub struct Command(Vec<String>);

impl Command {
    /// Returns the words.
    #[must_use]
    pub fn words(&self) -> &[String] {
        &self.0
    }
}

impl TryFrom<Vec<String>> for Command {
    type Error = &'static str;

    fn try_from(words: Vec<String>) -> Result<Self, Self::Error> {
        let fits = |word: &String| word.len() <= MAX_WORD && !word.contains(is_hostile);
        match words.first() {
            Some(program) if program.starts_with('/') && !program.ends_with('/') => {}
            _ => {
                return Err(
                    "a command begins with the absolute path of a program, such as [\"/usr/bin/pass\", \"show\"]",
                );
            }
        }
        if words.len() > MAX_WORDS || !words.iter().all(fits) {
            return Err("a command is at most 64 words, each one printable line of at most 4096 bytes");
        }
        Ok(Self(words))
    }
}

/// Where a web identity token comes from: `web_identity`, exactly one of the two.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(
    test,
    derive(schemars::JsonSchema),
    schemars(
        inline,
        title = "`{ command = [\"/path/to/program\", …] }`, `{ github_actions = { audience = \"sts.amazonaws.com\" } }`"
    )
)]
pub enum WebIdentity {
    /// `command`: what a command prints.
    Command(Command),
    /// `github_actions`: the token service of a GitHub Actions job.
    GithubActions(GithubActions),
}

/// What GitHub is asked for: `web_identity = { github_actions = { … } }`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(test, derive(schemars::JsonSchema), schemars(inline))]
pub struct GithubActions {
    /// Whom the token is for (`aud`).
    #[serde(default = "GithubActions::usual_audience")]
    pub audience: Audience,
}

impl GithubActions {
    /// What AWS's own action asks for (aws-actions/configure-aws-credentials, `audience`).
    fn usual_audience() -> Audience {
        Audience("sts.amazonaws.com".to_owned())
    }
}

/// Whom a token is for. It becomes part of a query.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Deserialize)]
#[serde(try_from = "String")]
#[cfg_attr(test, derive(schemars::JsonSchema), schemars(with = "String", inline, title = "text", extend("minLength" = 1, "maxLength" = 255)))]
pub struct Audience(String);

impl Audience {
    /// Returns the text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for Audience {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        let fits = !text.is_empty() && text.len() <= 255 && text.bytes().all(|byte| byte.is_ascii_graphic());
        if fits { Ok(Self(text)) } else { Err("an audience is 1 to 255 printable characters without a space") }
    }
}

/// What a profile with an IAM user's access keys hands out: `hand_out`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub enum HandOut {
    /// A session (STS, `GetSessionToken`): it ends by itself, and may not call IAM without MFA.
    #[default]
    Session,
    /// The access keys themselves.
    Keys,
}

/// PKCS#11, for certificates and keys on tokens. AWS config names the objects, and never a module.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Pkcs11 {
    /// The module, such as `/usr/lib/x86_64-linux-gnu/opensc-pkcs11.so`: a library that is loaded in a process of its own. Without
    /// one no token is asked.
    pub module: Option<AbsolutePath>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, Deserialize)]
    struct Written {
        web_identity: Option<WebIdentity>,
        totp_command: Option<Command>,
    }

    fn read(text: &str) -> Result<Written, toml::de::Error> {
        toml::from_str(text)
    }

    #[test]
    fn a_command_is_a_list_of_words_that_begins_with_a_path() {
        let written = read(r#"totp_command = ["/usr/bin/ykman", "oath", "a b"]"#).unwrap();
        assert_eq!(written.totp_command.unwrap().words(), ["/usr/bin/ykman", "oath", "a b"]);
        for wrong in
            ["[]", "['ykman']", "['./ykman']", "['/usr/bin/']", r#"["/bin/a", "b\nc"]"#, "'/bin/sh -c x'", "[1]"]
        {
            assert!(read(&format!("totp_command = {wrong}")).is_err(), "{wrong}");
        }
        let many = format!("totp_command = [{}]", vec!["'/a'"; 65].join(","));
        assert!(read(&many).is_err() && read(&many.replacen("'/a',", "", 1)).is_ok());
    }

    #[test]
    fn a_token_comes_from_one_place() {
        let read = |text: &str| read(&format!("web_identity = {text}")).map(|written| written.web_identity.unwrap());
        assert!(matches!(read("{ command = ['/bin/token'] }"), Ok(WebIdentity::Command(_))));
        let Ok(WebIdentity::GithubActions(asked)) = read("{ github_actions = {} }") else { panic!() };
        assert_eq!(asked.audience.as_str(), "sts.amazonaws.com");
        for wrong in [
            "{}",
            "{ command = ['/bin/token'], github_actions = {} }",
            "{ file = '/etc/passwd' }",
            "{ github_actions = { audience = 'a b' } }",
            "{ github_actions = { audience = '' } }",
            "{ github_actions = { aud = 'x' } }",
        ] {
            assert!(read(wrong).is_err(), "{wrong}");
        }
    }
}
