//! Handing over a job of GitHub Actions, whose identity a profile starts from.

use crate::Secret;
use serde::{Deserialize, Serialize, Serializer};

/// `POST /v1/github-job`: the job this machine runs. Neither equal nor cloned; the token is never shown.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HandOverJob {
    /// A profile that starts from such a job: a token for its audience is asked for, to see whether the job may have one.
    pub profile: String,
    /// The AWS config file of the caller, absolute.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub config: Option<String>,
    /// `ACTIONS_ID_TOKEN_REQUEST_URL` of the job.
    pub request_url: String,
    /// `ACTIONS_ID_TOKEN_REQUEST_TOKEN` of the job.
    #[serde(serialize_with = "exposed")]
    pub request_token: Secret,
}

/// The answer: whom GitHub gave a token for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct JobHandedOver {
    /// The profile.
    pub profile: String,
    /// The audience of its tokens.
    pub audience: String,
}

fn exposed<S: Serializer>(secret: &Secret, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(secret.expose_secret())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_token_of_a_job_is_sent_and_never_shown() {
        let request_token = Secret::new("CANARY".to_owned());
        let job =
            HandOverJob { profile: "ci".to_owned(), config: None, request_url: "https://x".to_owned(), request_token };
        assert!(!format!("{job:?}").contains("CANARY"));
        let sent = r#"{"profile":"ci","request_url":"https://x","request_token":"CANARY"}"#;
        assert_eq!(serde_json::to_string(&job).unwrap(), sent);
        assert!(serde_json::from_str::<HandOverJob>(&sent.replace("request_url", "url")).is_err());
    }
}
