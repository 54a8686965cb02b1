//! Signing in to AWS's web console: what is asked for, and the link that does it.

use crate::Secret;
use serde::{Deserialize, Serialize, Serializer};

/// `POST /v1/console-links`. Where in the console the link leads is said by `path`, or by `service`, or not at all.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OpenConsole {
    /// The profile.
    pub profile: String,
    /// The AWS config file of the caller, absolute.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub config: Option<String>,
    /// The region to show. Absent: the profile's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub region: Option<String>,
    /// The service to show, such as `s3`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub service: Option<String>,
    /// A path of the console, beginning with `/`, or a whole address of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// How long the console session is to last, in seconds: 900 to 43,200. Absent: as long as the credentials.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seconds: Option<u64>,
    /// Whether the browser signs out of the console first.
    #[serde(default)]
    pub sign_out_first: bool,
}

/// The answer to `POST /v1/console-links`. Whoever has `url` can sign in until `expires_at`.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ConsoleLink {
    /// What to open.
    #[serde(serialize_with = "exposed")]
    pub url: Secret,
    /// When AWS stops accepting the link.
    pub expires_at: String,
    /// Where it leads.
    pub destination: String,
    /// The account.
    pub account: String,
    /// The role.
    pub role: String,
    /// When AWS ends the console session, as far as it is known. No call ends it before: not `drop`, not `lock`.
    pub console_until: String,
    /// The grant it was released under, where the profile is gated.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub grant: Option<String>,
}

fn exposed<S: Serializer>(secret: &Secret, to: S) -> Result<S::Ok, S::Error> {
    to.serialize_str(secret.expose_secret())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_link_is_on_the_wire_and_never_in_debug() {
        let link = ConsoleLink {
            url: Secret::new("https://signin.example/CANARY".to_owned()),
            expires_at: "2026-11-22T09:15:00Z".to_owned(),
            destination: "https://console.aws.amazon.com/".to_owned(),
            account: "123456789012".to_owned(),
            role: "ReadOnly".to_owned(),
            console_until: "2026-11-22T10:00:00Z".to_owned(),
            grant: None,
        };
        assert!(serde_json::to_string(&link).unwrap().contains("\"url\":\"https://signin.example/CANARY\""));
        assert!(!format!("{link:?}{link:#?}").contains("CANARY"));
    }

    #[test]
    fn a_field_that_is_not_known_is_refused() {
        assert!(serde_json::from_str::<OpenConsole>(r#"{"profile":"dev"}"#).is_ok());
        assert!(serde_json::from_str::<OpenConsole>(r#"{"profile":"dev","destination":"x"}"#).is_err());
    }
}
